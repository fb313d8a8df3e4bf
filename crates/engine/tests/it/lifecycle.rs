//! Life cycle, case by case; each case has its twin without the fault.

use causeway_engine::{Context, Options, capacity, lifecycle};

/// `severity code object` of every finding of the life cycle, sorted.
fn findings(cluster: &str, as_of: &str) -> Vec<String> {
    let text = format!(
        "
causeway: 1
networks:
  spoke:
    prefixes: [10.0.0.0/16, 'fd00:1::/48']
    subnets:
      nodes: {{prefix: 10.0.0.0/24}}
      gateway: {{prefix: 10.0.1.0/24, delegation: Microsoft.ServiceNetworking/trafficControllers}}
      dual: {{prefix: [10.0.3.0/24, 'fd00:1::/64']}}
      AzureFirewallsubnet: {{prefix: 10.0.4.0/24}}
      gatewaysubnet: {{prefix: 10.0.5.0/24}}
      machines: {{prefix: 10.0.2.0/24}}
      quiet: {{prefix: 10.0.6.0/23}}
      pods: {{prefix: 10.0.64.0/18, delegation: Microsoft.ContainerService/managedClusters}}
  other: {{prefixes: [10.1.0.0/16], subnets: {{nodes: {{prefix: 10.1.0.0/24}}}}}}
hosts: {{jump: {{ip: 10.0.2.4, network: spoke}}}}
clusters: {{prod: {cluster}}}
"
    );
    let design = crate::support::design(&text);
    let capacity = capacity::of(&design);
    let context = Context::new(&design, Options { as_of: as_of.parse().unwrap() }, &capacity);
    let mut findings = Vec::new();
    lifecycle::check(&context, &mut findings);
    let mut out: Vec<_> = findings
        .iter()
        .map(|finding| {
            let severity = format!("{:?}", finding.severity).to_lowercase();
            format!("{severity} {} {}", finding.code, finding.object)
        })
        .collect();
    out.sort();
    out
}

const POOL: &str = "{a: {nodes: 3, maxPods: 30, subnet: spoke/nodes}}";
const POD_POOL: &str = "{a: {nodes: 3, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/pods}}";
const POLICY: &str = "[{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: shop}, spec: {podSelector: {}}}]";

#[test]
fn what_retires_warns_before_its_day_and_fails_after_it() {
    let kubenet = format!("{{mode: kubenet, pools: {POOL}}}");
    assert_eq!(findings(&kubenet, "2026-11-20"), ["warning mode-retiring clusters.prod.mode"]);
    assert_eq!(findings(&kubenet, "2028-03-31"), ["warning mode-retiring clusters.prod.mode"]);
    assert_eq!(findings(&kubenet, "2028-04-01"), ["error mode-retiring clusters.prod.mode"]);
    let npm = format!("{{mode: overlay, networkPolicy: azure, pools: {POOL}}}");
    assert_eq!(findings(&npm, "2026-11-20"), ["warning policy-engine-retiring clusters.prod.networkPolicy"]);
    let windows = "{mode: overlay, networkPolicy: azure, pools: {w: {nodes: 3, os: windows, osSku: Windows2022, maxPods: 30, subnet: spoke/nodes}}}";
    assert_eq!(
        findings(windows, "2026-11-20"),
        [
            "error policy-engine-retiring clusters.prod.networkPolicy",
            "warning feature-retiring clusters.prod.pools.w.osSku",
        ]
    );
    assert_eq!(
        findings(&format!("{{mode: overlay, networkPolicy: cilium, dataplane: cilium, pools: {POOL}}}"), "2030-01-01"),
        [""; 0]
    );
}

#[test]
fn settings_that_do_not_go_together_are_refused_and_their_twins_are_not() {
    let cases: &[(&str, String, &[&str])] = &[
        ("overlay", format!("{{mode: overlay, pools: {POOL}}}"), &[]),
        (
            "kubenet on Cilium",
            format!("{{mode: kubenet, dataplane: cilium, networkPolicy: cilium, pools: {POOL}}}"),
            &["error combination-unsupported clusters.prod.dataplane", "warning mode-retiring clusters.prod.mode"],
        ),
        (
            "Calico on Cilium",
            format!("{{mode: overlay, dataplane: cilium, networkPolicy: calico, pools: {POOL}}}"),
            &["error combination-unsupported clusters.prod.networkPolicy"],
        ),
        ("Calico on the azure data plane", format!("{{mode: overlay, networkPolicy: calico, pools: {POOL}}}"), &[]),
        (
            "dual stack on a pod subnet",
            format!("{{mode: podSubnet, ipFamilies: [ipv4, ipv6], pools: {POD_POOL}}}"),
            &["error combination-unsupported clusters.prod.ipFamilies"],
        ),
        (
            "dual stack on overlay",
            "{mode: overlay, ipFamilies: [ipv4, ipv6], pools: {a: {nodes: 3, subnet: spoke/dual}}}".to_owned(),
            &[],
        ),
        (
            "dual stack on overlay and nodes without IPv6",
            format!("{{mode: overlay, ipFamilies: [ipv4, ipv6], pools: {POOL}}}"),
            &["error combination-unsupported clusters.prod.pools.a.subnet"],
        ),
        (
            "nodes among gateways",
            "{mode: overlay, pools: {a: {nodes: 3, subnet: spoke/gatewaysubnet}}}".to_owned(),
            &["error combination-unsupported networks.spoke.subnets.gatewaysubnet"],
        ),
        (
            "pods beside the firewall",
            "{mode: podSubnet, pools: {a: {nodes: 3, subnet: spoke/nodes, podSubnet: spoke/AzureFirewallsubnet}}}"
                .to_owned(),
            &["error combination-unsupported networks.spoke.subnets.AzureFirewallsubnet"],
        ),
        ("pods on their own", format!("{{mode: podSubnet, pools: {POD_POOL}}}"), &[]),
        (
            "nodes and pods on one subnet",
            "{mode: podSubnet, pools: {a: {nodes: 3, subnet: spoke/nodes, podSubnet: spoke/nodes}}}".to_owned(),
            &["error combination-unsupported clusters.prod.pools.a.podSubnet"],
        ),
        (
            "a pool without a subnet beside one with",
            "{mode: overlay, pools: {a: {nodes: 3, subnet: spoke/nodes}, b: {nodes: 3}}}".to_owned(),
            &["error combination-unsupported clusters.prod.pools.b"],
        ),
        ("no pool names a subnet", "{mode: overlay, pools: {a: {nodes: 3}, b: {nodes: 3}}}".to_owned(), &[]),
        (
            "a zone no region has",
            "{mode: overlay, pools: {a: {nodes: 3, subnet: spoke/nodes, zones: [1, 2, 4]}}}".to_owned(),
            &["warning combination-unsupported clusters.prod.pools.a.zones"],
        ),
        (
            "zones there are",
            "{mode: overlay, pools: {a: {nodes: 3, subnet: spoke/nodes, zones: [1, 2, 3]}}}".to_owned(),
            &[],
        ),
        (
            "IPv6 only",
            format!("{{mode: overlay, ipFamilies: [ipv6], pools: {POOL}}}"),
            &["error combination-unsupported clusters.prod.ipFamilies"],
        ),
        (
            "static block on an old cluster",
            format!("{{mode: podSubnetStatic, version: '1.27', pools: {POD_POOL}}}"),
            &["error combination-unsupported clusters.prod.version"],
        ),
        ("static block", format!("{{mode: podSubnetStatic, version: '1.28', pools: {POD_POOL}}}"), &[]),
        (
            "eBPF host routing without Cilium",
            format!("{{mode: overlay, version: '1.33', ebpfHostRouting: true, pools: {POOL}}}"),
            &["error combination-unsupported clusters.prod.ebpfHostRouting"],
        ),
        (
            "managed NAT gateway in one's own VNet",
            format!("{{mode: overlay, outbound: managedNATGateway, pools: {POOL}}}"),
            &["error combination-unsupported clusters.prod.outbound.type"],
        ),
        ("managed NAT gateway", "{mode: overlay, outbound: managedNATGateway, pools: {a: {nodes: 3}}}".to_owned(), &[]),
        (
            "routes without a VNet of one's own",
            "{mode: overlay, outbound: userDefinedRouting, pools: {a: {nodes: 3}}}".to_owned(),
            &["error combination-unsupported clusters.prod.outbound.type"],
        ),
        (
            "NPM and IPVS",
            format!("{{mode: overlay, networkPolicy: azure, kubeProxy: ipvs, pools: {POOL}}}"),
            &[
                "error combination-unsupported clusters.prod.kubeProxy.mode",
                "warning policy-engine-retiring clusters.prod.networkPolicy",
            ],
        ),
        (
            "auto-provisioning on a pod subnet with Calico",
            format!("{{mode: podSubnet, networkPolicy: calico, nodeAutoProvisioning: true, pools: {POD_POOL}}}"),
            &[
                "error combination-unsupported clusters.prod.nodeAutoProvisioning",
                "error combination-unsupported clusters.prod.nodeAutoProvisioning",
            ],
        ),
        (
            "authorized ranges on a private cluster",
            format!(
                "{{mode: overlay, apiServer: {{access: private, authorizedRanges: [198.51.100.0/24]}}, pools: {POOL}}}"
            ),
            &["error combination-unsupported clusters.prod.apiServer.authorizedRanges"],
        ),
        (
            "a pod subnet in node subnet mode",
            format!("{{mode: nodeSubnet, pools: {POD_POOL}}}"),
            &["error combination-unsupported clusters.prod.pools.a.podSubnet"],
        ),
        (
            "a pool without a pod subnet in pod subnet mode",
            format!("{{mode: podSubnet, pools: {POOL}}}"),
            &["error combination-unsupported clusters.prod.pools.a"],
        ),
        (
            "pools in two networks",
            "{mode: overlay, pools: {a: {nodes: 3, subnet: spoke/nodes}, b: {nodes: 3, subnet: other/nodes}}}"
                .to_owned(),
            &["error combination-unsupported clusters.prod.pools"],
        ),
        (
            "dynamic and static on one subnet",
            "{mode: podSubnet, pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/pods}, \
             b: {nodes: 3, mode: podSubnetStatic, maxPods: 31, subnet: spoke/nodes, podSubnet: spoke/pods}}}"
                .to_owned(),
            &["error combination-unsupported clusters.prod.pools.b.podSubnet"],
        ),
        (
            "a delegated node subnet",
            "{mode: overlay, pools: {a: {nodes: 3, subnet: spoke/gateway}}}".to_owned(),
            &["error subnet-delegated networks.spoke.subnets.gateway.delegation"],
        ),
        (
            "a delegated subnet of nodes and pods is told once, beside what is wrong with sharing it",
            "{mode: podSubnet, pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/gateway, podSubnet: spoke/gateway}}}"
                .to_owned(),
            &[
                "error combination-unsupported clusters.prod.pools.a.podSubnet",
                "error subnet-delegated networks.spoke.subnets.gateway.delegation",
            ],
        ),
        (
            "a delegated subnet of pods",
            "{mode: podSubnet, pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/gateway}}}"
                .to_owned(),
            &["error subnet-delegated networks.spoke.subnets.gateway.delegation"],
        ),
        (
            "the firewall's subnet is told once for nodes and pods",
            "{mode: podSubnet, pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/AzureFirewallsubnet, podSubnet: spoke/AzureFirewallsubnet}}}"
                .to_owned(),
            &[
                "error combination-unsupported clusters.prod.pools.a.podSubnet",
                "error combination-unsupported networks.spoke.subnets.AzureFirewallsubnet",
            ],
        ),
        (
            "machines an overlay can't have",
            "{mode: overlay, pools: {a: {nodes: 3, subnet: spoke/nodes, availabilitySet: true}, \
             b: {nodes: 3, subnet: spoke/nodes, vmSize: Standard_DC4s_v2}, c: {nodes: 3, subnet: spoke/nodes, vmSize: Standard_DC4s_v3}}}"
                .to_owned(),
            &[
                "error combination-unsupported clusters.prod.pools.a",
                "error combination-unsupported clusters.prod.pools.b.vmSize",
                "error feature-retiring clusters.prod.pools.a.availabilitySet",
            ],
        ),
        (
            "the same machines with addresses of the network",
            "{mode: nodeSubnet, pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes, availabilitySet: true}, \
             b: {nodes: 3, maxPods: 30, subnet: spoke/nodes, vmSize: Standard_DC4s_v2}}}"
                .to_owned(),
            &["error feature-retiring clusters.prod.pools.a.availabilitySet"],
        ),
        (
            "machines among pods",
            "{mode: podSubnet, pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/machines}}}"
                .to_owned(),
            &["error vm-in-pod-subnet hosts.jump"],
        ),
        (
            "one pool's nodes among another's pods",
            "{mode: podSubnet, pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/quiet}, \
             b: {nodes: 3, maxPods: 30, subnet: spoke/quiet, podSubnet: spoke/pods}}}"
                .to_owned(),
            &["error vm-in-pod-subnet clusters.prod.pools.b.subnet"],
        ),
        (
            "two pools share both subnets",
            "{mode: podSubnet, pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/quiet}, \
             b: {nodes: 3, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/quiet}}}"
                .to_owned(),
            &[],
        ),
        (
            "a policy and no engine",
            format!("{{mode: overlay, networkPolicy: none, policies: {POLICY}, pools: {POOL}}}"),
            &["error policy-not-enforced clusters.prod.networkPolicy"],
        ),
        (
            "a policy and nobody knows",
            format!("{{mode: overlay, policies: {POLICY}, pools: {POOL}}}"),
            &["warning policy-not-enforced clusters.prod.networkPolicy"],
        ),
        (
            "a policy and an engine",
            format!("{{mode: overlay, networkPolicy: calico, policies: {POLICY}, pools: {POOL}}}"),
            &[],
        ),
        (
            "a Cilium policy and Calico",
            format!(
                "{{mode: overlay, networkPolicy: calico, pools: {POOL}, \
                 policies: [{{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {{name: a, namespace: b}}}}]}}"
            ),
            &["error policy-not-enforced clusters.prod.networkPolicy"],
        ),
    ];
    for (name, cluster, expected) in cases {
        assert_eq!(findings(cluster, "2026-11-20"), *expected, "{name}");
    }
}

#[test]
fn virtual_nodes_and_what_they_do_not_go_with() {
    let of = |rest: &str| findings(&format!("{{virtualNodes: {{subnet: spoke/machines}}, {rest}}}"), "2026-11-20");
    const REFUSED: [&str; 1] = ["error combination-unsupported clusters.prod.virtualNodes"];
    assert_eq!(of(&format!("mode: nodeSubnet, pools: {POOL}")), [""; 0]);
    assert_eq!(of(&format!("mode: podSubnet, pools: {POD_POOL}")), [""; 0]);
    assert_eq!(of(&format!("mode: overlay, pools: {POOL}")), REFUSED);
    assert_eq!(
        of(&format!("mode: podSubnetStatic, pools: {POD_POOL}")),
        ["warning combination-unsupported clusters.prod.virtualNodes"]
    );
    assert_eq!(
        of(&format!(
            "mode: nodeSubnet, apiServer: {{access: public, authorizedRanges: [203.0.113.0/24]}}, pools: {POOL}"
        )),
        ["error combination-unsupported clusters.prod.apiServer.authorizedRanges"]
    );
    assert_eq!(
        of(&format!("mode: nodeSubnet, apiServer: {{access: public, authorizedRanges: []}}, pools: {POOL}")),
        [""; 0]
    );
    for subnet in ["spoke/nodes", "spoke/pods"] {
        let own = format!("{{virtualNodes: {{subnet: {subnet}}}, mode: podSubnet, pools: {POD_POOL}}}");
        assert_eq!(findings(&own, "2026-11-20"), REFUSED);
    }
    assert_eq!(findings(&format!("{{virtualNodes: {{}}, mode: nodeSubnet, pools: {POOL}}}"), "2026-11-20"), [""; 0]);
}

#[test]
fn static_egress_gateways_and_what_they_do_not_go_with() {
    let of = |rest: &str| findings(&format!("{{staticEgressGateway: true, {rest}}}"), "2026-11-20");
    const REFUSED: [&str; 1] = ["error combination-unsupported clusters.prod.staticEgressGateway"];
    assert_eq!(of(&format!("mode: overlay, pools: {POOL}")), [""; 0]);
    assert_eq!(of(&format!("mode: podSubnet, pools: {POD_POOL}")), REFUSED);
    assert_eq!(of("mode: overlay, ipFamilies: [ipv4, ipv6], pools: {a: {nodes: 3, subnet: spoke/dual}}"), REFUSED);
    assert_eq!(of(&format!("mode: overlay, dataplane: cilium, ebpfHostRouting: true, pools: {POOL}")), REFUSED);
}

#[test]
fn a_standard_nat_gateway_carries_ipv4_alone() {
    let of = |families: &str, gateway: &str, kind: &str| {
        let text = format!(
            "causeway: 1
networks: {{spoke: {{prefixes: [10.0.0.0/16, 'fd00:1::/48'], subnets: {{dual: {{prefix: [10.0.3.0/24, 'fd00:1::/64'], natGateway: ng}}}}}}}}
natGateways: {{ng: {gateway}}}
clusters: {{prod: {{mode: overlay, ipFamilies: {families}, outbound: {kind}, pools: {{a: {{nodes: 3, subnet: spoke/dual}}}}}}}}
"
        );
        let design = crate::support::design(&text);
        let capacity = capacity::of(&design);
        let context = Context::new(&design, Options { as_of: "2026-11-20".parse().unwrap() }, &capacity);
        let mut found = Vec::new();
        lifecycle::check(&context, &mut found);
        found.iter().map(|one| format!("{:?} {}", one.severity, one.object)).collect::<Vec<_>>()
    };
    let (dual, single, own) = ("[ipv4, ipv6]", "[ipv4]", "userAssignedNATGateway");
    assert_eq!(of(dual, "{sku: Standard}", own), ["Error clusters.prod.outbound.type"]);
    assert_eq!(of(dual, "{}", own), ["Warning clusters.prod.outbound.type"]);
    assert_eq!(of(dual, "{sku: StandardV2}", own), [""; 0]);
    assert_eq!(of(single, "{sku: Standard}", own), [""; 0]);
    assert_eq!(of(dual, "{sku: Standard}", "loadBalancer"), [""; 0]);
}

#[test]
fn system_pools_may_not_miss_nodes_in_an_upgrade() {
    let of = |rest: &str| {
        findings(&format!("{{mode: overlay, pools: {{a: {{nodes: 3, subnet: spoke/nodes, {rest}}}}}}}"), "2026-11-20")
    };
    assert_eq!(
        of("system: true, maxUnavailable: 1"),
        ["error combination-unsupported clusters.prod.pools.a.maxUnavailable"]
    );
    for fine in
        ["system: true, maxUnavailable: 0", "system: false, maxUnavailable: 1", "maxUnavailable: 1", "system: true"]
    {
        assert_eq!(of(fine), [""; 0], "{fine}");
    }
}

#[test]
fn the_service_mesh_and_the_second_azure_linux_retire() {
    let of = |cluster: &str, pool: &str| {
        findings(
            &format!("{{mode: overlay, {cluster} pools: {{a: {{nodes: 3, subnet: spoke/nodes{pool}}}}}}}"),
            "2026-11-20",
        )
    };
    assert_eq!(of("openServiceMesh: true,", ""), ["warning feature-retiring clusters.prod.openServiceMesh"]);
    assert_eq!(of("", ", osSku: AzureLinux2"), ["error feature-retiring clusters.prod.pools.a.osSku"]);
    assert_eq!(of("openServiceMesh: false,", ", osSku: AzureLinux"), [""; 0]);
}
