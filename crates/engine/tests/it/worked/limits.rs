//! Ranges, numbers and combinations the platform refuses, each with its twin that it takes.

use super::{codes, errors};
use causeway_model::finding::Severity;

/// A cluster with these fields on a /24; the VNet has room for more subnets.
fn cluster(fields: &str, subnets: &str) -> String {
    format!(
        "
causeway: 1
networks: {{spoke: {{prefixes: [10.80.0.0/14], subnets: {{nodes: {{prefix: 10.80.0.0/24}}{subnets}}}}}}}
clusters:
  c:
    outbound: {{type: loadBalancer}}
    {fields}
"
    )
}

const POOL: &str = "pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes}}";

#[test]
fn ranges_of_pods() {
    for (range, expected, warned) in [
        ("169.254.0.0/16", true, false),
        ("172.30.0.0/16", true, false),
        ("172.16.0.0/13", false, false),
        ("172.28.0.0/14", true, false),
        ("172.30.5.0/24", true, false),
        ("172.31.255.0/24", true, false),
        ("192.0.2.0/24", true, false),
        ("11.0.0.0/16", false, true),
    ] {
        let text = cluster(
            &format!(
                "mode: overlay\n    podCidr: {range}\n    pools: {{a: {{nodes: 0, maxPods: 30, subnet: spoke/nodes}}}}"
            ),
            "",
        );
        assert_eq!(errors(&text).contains(&"reserved-range"), expected, "{range}: {:?}", errors(&text));
        assert_eq!(codes(&text, Severity::Warning).contains(&"public-range-used"), warned, "{range}");
    }
}

#[test]
fn service_ranges_and_what_is_in_them() {
    for (range, dns, expected) in [
        ("10.0.0.0/12", "10.0.0.10", &["service-cidr-too-large"][..]),
        ("10.0.0.0/13", "10.0.0.10", &[]),
        ("172.16.0.0/12", "172.16.0.10", &["reserved-range", "service-cidr-too-large"]),
        ("172.16.0.0/13", "172.16.0.10", &[]),
        ("172.16.0.0/16", "172.17.0.10", &["dns-service-ip-outside-service-cidr"]),
        ("172.16.0.0/16", "172.16.0.1", &["dns-service-ip-is-first-address"]),
        ("172.16.0.0/16", "172.16.0.2", &[]),
        // A subnet of the VNet inside the service range stops the next upgrade.
        ("10.80.0.0/20", "10.80.0.10", &["service-cidr-overlaps-vnet"]),
    ] {
        let fields = format!(
            "mode: overlay\n    podCidr: 10.244.0.0/16\n    serviceCidr: {range}\n    dnsServiceIp: {dns}\n    {POOL}"
        );
        assert_eq!(codes(&cluster(&fields, ""), Severity::Warning), expected, "{range} with DNS {dns}");
    }
}

/// Auto-provisioning starts nodes whatever the ranges are; the finding must not depend on the platform's refusal.
#[test]
fn auto_provisioned_clusters_are_held_to_the_same_ranges() {
    for (range, other, code) in [
        ("podCidr: 10.80.0.0/16\n    serviceCidr: 172.16.0.0/16", "10.80.1.0/24", "pod-cidr-overlaps-vnet"),
        ("podCidr: 10.244.0.0/16\n    serviceCidr: 10.81.0.0/16", "10.81.10.0/24", "service-cidr-overlaps-vnet"),
    ] {
        let fields = format!(
            "mode: overlay\n    nodeAutoProvisioning: true\n    {range}\n    pools: {{a: {{nodes: {{count: 3, max: 9}}, maxPods: 30, subnet: spoke/nodes}}}}"
        );
        let text = cluster(&fields, &format!(", more: {{prefix: {other}}}"));
        assert!(errors(&text).contains(&code), "{range}: {:?}", errors(&text));
    }
}

#[test]
fn pods_per_node() {
    for (mode, nodes, max_pods, code) in [
        ("overlay", 2, 10, "max-pods-out-of-range"),
        ("overlay", 3, 10, ""),
        ("overlay", 10, 9, "max-pods-out-of-range"),
        ("overlay", 3, 250, ""),
        ("overlay", 3, 251, "max-pods-out-of-range"),
    ] {
        let fields = format!(
            "mode: {mode}\n    podCidr: 10.244.0.0/16\n    pools: {{a: {{nodes: {nodes}, maxPods: {max_pods}, subnet: spoke/nodes}}}}"
        );
        let found = errors(&cluster(&fields, ""));
        let expected: Vec<&str> = if code.is_empty() { Vec::new() } else { vec![code] };
        assert_eq!(found, expected, "{nodes} nodes with {max_pods} pods");
    }
}

#[test]
fn nodes_of_pools_and_clusters() {
    let pools = |count: u32, each: u32| {
        let pools: Vec<String> = (0..count)
            .map(|at| format!("p{at}: {{nodes: {each}, maxPods: 30, maxSurge: 1, subnet: spoke/big}}"))
            .collect();
        let fields = format!(
            "mode: overlay\n    tier: standard\n    podCidr: 100.64.0.0/10\n    outbound: {{type: userAssignedNATGateway}}\n    pools: {{{}}}",
            pools.join(", ")
        );
        cluster(&fields, ", big: {prefix: 10.82.0.0/17, natGateway: egress}")
            .replace("    outbound: {type: loadBalancer}\n", "")
            .replace("clusters:", "natGateways: {egress: {publicIps: [203.0.113.10]}}\nclusters:")
    };
    assert_eq!(errors(&pools(1, 999)), Vec::<&str>::new());
    assert_eq!(errors(&pools(1, 1000)), ["node-limit-exceeded"], "no room for a surge node in a pool of 1,000");
    assert_eq!(errors(&pools(1, 1001)), ["node-limit-exceeded"]);
    assert_eq!(errors(&pools(5, 990)), Vec::<&str>::new());
    assert_eq!(errors(&pools(6, 990)), ["node-limit-exceeded"], "more than 5,000 in one cluster");
    let surging = pools(1, 990).replace("maxSurge: 1", "maxSurge: 20");
    assert_eq!(errors(&surging), ["node-limit-exceeded"], "990 and 20 surge nodes are more than a pool takes");
}

#[test]
fn upgrades_need_a_node_to_come_or_go() {
    let with = |settings: &str| {
        let fields = format!(
            "mode: overlay\n    podCidr: 10.244.0.0/16\n    pools: {{a: {{nodes: 3, maxPods: 30, {settings}, subnet: spoke/nodes}}}}"
        );
        errors(&cluster(&fields, ""))
    };
    assert!(!with("maxSurge: 0, maxUnavailable: 0").is_empty());
    assert_eq!(with("maxSurge: 0, maxUnavailable: 1"), Vec::<&str>::new());
}

#[test]
fn kubenet_has_a_route_a_node() {
    let with = |nodes: u32| {
        let fields = format!(
            "mode: kubenet\n    podCidr: 10.244.0.0/14\n    outbound: {{type: userAssignedNATGateway}}\n    pools: {{a: {{nodes: {nodes}, maxPods: 30, maxSurge: 1, subnet: spoke/big}}}}"
        );
        let text = cluster(&fields, ", big: {prefix: 10.82.0.0/17, natGateway: egress}")
            .replace("    outbound: {type: loadBalancer}\n", "")
            .replace("clusters:", "natGateways: {egress: {publicIps: [203.0.113.10]}}\nclusters:");
        errors(&text)
    };
    assert_eq!(with(398), Vec::<&str>::new());
    assert!(!with(401).is_empty(), "400 routes a table");
}

#[test]
fn allowed_ranges_of_the_api_server() {
    let with = |access: &str, count: u32| {
        let ranges: Vec<String> = (0..count).map(|at| format!("52.{}.{}.0/24", at / 256, at % 256)).collect();
        let fields = format!(
            "mode: overlay\n    podCidr: 10.244.0.0/16\n    {POOL}\n    apiServer: {{{access}, authorizedRanges: [{}]}}",
            ranges.join(", ")
        );
        let subnets = ", apiserver: {prefix: 10.81.0.0/28, delegation: Microsoft.ContainerService/managedClusters}";
        errors(&cluster(&fields, subnets)).contains(&"authorized-ranges-invalid")
    };
    assert!(!with("access: public", 200));
    assert!(with("access: public", 201));
    let integrated = "access: vnetIntegration, subnet: spoke/apiserver, public: true";
    assert!(!with(integrated, 201));
    assert!(!with(integrated, 2000));
    assert!(with(integrated, 2001));
}

#[test]
fn gateways_and_their_subnets() {
    let with = |mode: &str, kind: &str, subnet: &str, gateways: usize| {
        let gateway = format!("{{kind: {kind}, exposure: public, subnet: spoke/gateway}}");
        let gateways = vec![gateway; gateways].join(", ");
        let fields = format!("mode: {mode}\n    {POOL}\n    ingress: [{gateways}]");
        codes(&cluster(&fields, &format!(", gateway: {{{subnet}}}")), Severity::Warning)
    };
    let delegated =
        |prefix: &str| format!("prefix: {prefix}, delegation: Microsoft.ServiceNetworking/trafficControllers");
    let containers = "applicationGatewayForContainers";
    assert_eq!(with("nodeSubnet", containers, &delegated("10.81.0.0/24"), 1), Vec::<&str>::new());
    assert_eq!(with("nodeSubnet", containers, &delegated("10.81.0.0/23"), 2), Vec::<&str>::new());
    assert!(with("nodeSubnet", containers, &delegated("10.81.0.0/24"), 2).contains(&"ingress-subnet-unfit"));
    assert!(with("nodeSubnet", containers, &delegated("10.81.0.0/25"), 1).contains(&"ingress-subnet-unfit"));
    assert!(with("kubenet", containers, &delegated("10.81.0.0/24"), 1).contains(&"combination-unsupported"));
    // Instances, private frontends and the five reserved ones: 32 + 1 + 5 = 38 take a /26.
    assert_eq!(causeway_model::arithmetic::subnet::application_gateway_addresses(32, 1), 38);
    assert_eq!(causeway_model::arithmetic::subnet::prefix_for(38), Some(26));
}

/// A default route to an appliance on the subnet of an Application Gateway v2 is not supported.
#[test]
fn an_application_gateway_keeps_its_own_default_route() {
    let fields = format!(
        "mode: nodeSubnet\n    {POOL}\n    ingress: [{{kind: applicationGateway, exposure: public, subnet: spoke/gateway}}]"
    );
    let table = "routeTables: {egress: {routes: [{name: default, prefix: 0.0.0.0/0, nextHop: {appliance: 10.81.1.4}}]}}\nclusters:";
    let text = cluster(&fields, ", gateway: {prefix: 10.81.0.0/24, routeTable: egress}").replace("clusters:", table);
    assert!(errors(&text).contains(&"ingress-subnet-unfit"), "{:?}", errors(&text));
    let without = text.replace(", routeTable: egress", "");
    assert!(!errors(&without).contains(&"ingress-subnet-unfit"));
}

/// The /32 of a private endpoint wins over a shorter route to a firewall unless the subnet's policies say otherwise.
#[test]
fn a_private_endpoints_own_route_bypasses_the_firewall() {
    let with = |prefix: &str, policies: &str| {
        let text = format!(
            "
causeway: 1
networks:
  spoke:
    prefixes: [10.80.0.0/16]
    subnets:
      nodes: {{prefix: 10.80.16.0/24, routeTable: egress}}
      endpoints: {{prefix: 10.80.40.0/24, privateEndpointPolicies: {policies}}}
      AzureFirewallSubnet: {{prefix: 10.80.0.0/26}}
firewalls: {{fw: {{kind: azureFirewall, subnet: spoke/AzureFirewallSubnet, privateIp: 10.80.0.4, publicIps: [203.0.113.9]}}}}
routeTables:
  egress:
    routes:
      - {{name: private, prefix: {prefix}, nextHop: {{appliance: 10.80.0.4}}}}
      - {{name: default, prefix: 0.0.0.0/0, nextHop: {{appliance: 10.80.0.4}}}}
privateEndpoints: {{vault: {{ip: 10.80.40.5, subnet: spoke/endpoints}}}}
clusters:
  c:
    mode: overlay
    podCidr: 100.64.0.0/16
    serviceCidr: 172.16.0.0/16
    outbound: {{type: userDefinedRouting}}
    pools: {{a: {{nodes: 3, maxPods: 30, subnet: spoke/nodes}}}}
"
        );
        codes(&text, Severity::Warning)
    };
    const BYPASSED: &str = "firewall-bypassed-by-private-endpoint-route";
    assert!(with("10.80.40.0/24", "disabled").contains(&BYPASSED));
    assert!(!with("10.80.40.0/24", "enabled").contains(&BYPASSED));
    assert!(!with("10.80.40.0/24", "routeTable").contains(&BYPASSED));
    assert!(with("10.80.40.0/24", "nsg").contains(&BYPASSED));
    // A route wider than the VNet never had its addresses, whatever the policies are.
    assert!(with("10.0.0.0/8", "disabled").contains(&BYPASSED));
    assert!(with("10.0.0.0/8", "enabled").contains(&BYPASSED));
}

/// A private cluster without a private zone and without a public name has no name that resolves.
#[test]
fn a_private_cluster_needs_a_name() {
    let with = |server: &str| {
        let fields = format!(
            "mode: overlay\n    podCidr: 10.244.0.0/16\n    {POOL}\n    apiServer: {{access: private, {server}}}"
        );
        errors(&cluster(&fields, ""))
    };
    assert_eq!(with("privateDnsZone: none, publicFqdn: false"), ["combination-unsupported"]);
    assert_eq!(with("privateDnsZone: none, publicFqdn: true"), Vec::<&str>::new());
    assert_eq!(with("privateDnsZone: none"), Vec::<&str>::new());
    assert_eq!(with("privateDnsZone: system, publicFqdn: false"), Vec::<&str>::new());
}
