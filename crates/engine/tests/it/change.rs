//! From one design to another: what the platform refuses.

use causeway_model::design::Design;

fn design(clusters: &str) -> Design {
    let text = format!(
        "
causeway: 1
networks:
  spoke:
    prefixes: [10.0.0.0/16]
    subnets: {{nodes: {{prefix: 10.0.0.0/24}}, wide: {{prefix: 10.0.4.0/22}}, pods: {{prefix: 10.0.64.0/18}}}}
clusters: {{prod: {clusters}}}
"
    );
    crate::support::design(&text)
}

/// `code object` of every finding, sorted.
fn refused(before: &str, after: &str) -> Vec<String> {
    let findings = causeway_engine::change::check(&design(before), &design(after));
    let mut out: Vec<_> = findings.iter().map(|finding| format!("{} {}", finding.code, finding.object)).collect();
    out.sort();
    out
}

/// A design whose node subnet has another prefix.
fn resized(clusters: &str) -> Design {
    let mut design = design(clusters);
    let nodes = design.networks.get_mut("spoke").and_then(|network| network.subnets.get_mut("nodes")).unwrap();
    nodes.prefixes = vec!["10.0.8.0/23".parse().unwrap()];
    design
}

#[test]
fn a_subnet_keeps_its_prefix_as_long_as_somebody_uses_it() {
    let (there, elsewhere) = (
        "{mode: overlay, pools: {a: {nodes: 3, subnet: spoke/nodes}}}",
        "{mode: overlay, pools: {b: {nodes: 3, subnet: spoke/wide}}}",
    );
    let codes = |before: &str, after: &str| -> Vec<_> {
        let findings = causeway_engine::change::check(&design(before), &resized(after));
        findings.iter().map(|finding| format!("{} {}", finding.code, finding.object)).collect()
    };
    assert_eq!(codes(there, there), ["migration-blocked networks.spoke.subnets.nodes.prefix"]);
    assert_eq!(codes(there, elsewhere), Vec::<String>::new(), "its pool is deleted first");
    assert_eq!(codes(elsewhere, there), Vec::<String>::new(), "nobody used it before");
}

#[test]
fn changes_and_what_the_platform_says_to_them() {
    let pools = "pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes}}";
    let pod_pools = "pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/pods}}";
    let cases: &[(&str, String, String, &[&str])] = &[
        ("nothing changes", format!("{{mode: overlay, {pools}}}"), format!("{{mode: overlay, {pools}}}"), &[]),
        (
            "node subnet to overlay, with a range",
            format!("{{mode: nodeSubnet, version: '1.30', {pools}}}"),
            format!("{{mode: overlay, podCidr: 10.244.0.0/16, {pools}}}"),
            &[],
        ),
        (
            "node subnet to overlay, without a range, too old, with an engine",
            format!("{{mode: nodeSubnet, version: '1.26', networkPolicy: calico, {pools}}}"),
            format!("{{mode: overlay, {pools}}}"),
            &[
                "migration-blocked clusters.prod.mode",
                "migration-blocked clusters.prod.mode",
                "migration-blocked clusters.prod.mode",
            ],
        ),
        (
            "pod subnet to overlay",
            format!("{{mode: podSubnet, {pod_pools}}}"),
            format!("{{mode: overlay, {pools}}}"),
            &["migration-blocked clusters.prod.mode"],
        ),
        (
            "overlay to node subnet",
            format!("{{mode: overlay, {pools}}}"),
            format!("{{mode: nodeSubnet, {pools}}}"),
            &["migration-blocked clusters.prod.mode"],
        ),
        (
            "kubenet to Cilium in one step",
            format!("{{mode: kubenet, {pools}}}"),
            format!("{{mode: overlay, dataplane: cilium, {pools}}}"),
            &["migration-blocked clusters.prod.dataplane", "migration-blocked clusters.prod.dataplane"],
        ),
        (
            "back from Cilium",
            format!("{{mode: overlay, dataplane: cilium, {pools}}}"),
            format!("{{mode: overlay, {pools}}}"),
            &["migration-blocked clusters.prod.dataplane"],
        ),
        (
            "pod range grows",
            format!("{{mode: overlay, podCidr: 10.244.0.0/18, {pools}}}"),
            format!("{{mode: overlay, podCidr: 10.244.0.0/16, {pools}}}"),
            &[],
        ),
        (
            "pod range grows under Windows",
            format!("{{mode: overlay, podCidr: 10.244.0.0/18, {pools}}}"),
            "{mode: overlay, podCidr: 10.244.0.0/16, pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes}, w: {nodes: 1, os: windows, subnet: spoke/nodes}}}".to_owned(),
            &["pod-cidr-change-not-superset clusters.prod.podCidr"],
        ),
        (
            "pod range moves",
            format!("{{mode: overlay, podCidr: 10.244.0.0/18, {pools}}}"),
            format!("{{mode: overlay, podCidr: 10.245.0.0/16, {pools}}}"),
            &["pod-cidr-change-not-superset clusters.prod.podCidr"],
        ),
        (
            "pod range shrinks",
            format!("{{mode: overlay, podCidr: 10.244.0.0/16, {pools}}}"),
            format!("{{mode: overlay, podCidr: 10.244.0.0/18, {pools}}}"),
            &["pod-cidr-change-not-superset clusters.prod.podCidr"],
        ),
        (
            "service range replaced",
            format!("{{mode: overlay, version: '1.34', serviceCidr: 172.16.0.0/16, {pools}}}"),
            format!("{{mode: overlay, version: '1.34', serviceCidr: 172.18.0.0/16, {pools}}}"),
            &["service-cidr-immutable clusters.prod.serviceCidr"],
        ),
        (
            "service range extended early",
            format!("{{mode: overlay, version: '1.32', serviceCidr: 172.16.0.0/16, {pools}}}"),
            format!("{{mode: overlay, version: '1.32', serviceCidr: [172.16.0.0/16, 172.18.0.0/16], {pools}}}"),
            &["service-cidr-immutable clusters.prod.serviceCidr"],
        ),
        (
            "service range extended",
            format!("{{mode: overlay, version: '1.33', serviceCidr: 172.16.0.0/16, {pools}}}"),
            format!("{{mode: overlay, version: '1.33', serviceCidr: [172.16.0.0/16, 172.18.0.0/16], {pools}}}"),
            &[],
        ),
        (
            "outbound to a managed NAT gateway in one's own VNet",
            format!("{{mode: overlay, outbound: loadBalancer, {pools}}}"),
            format!("{{mode: overlay, outbound: managedNATGateway, {pools}}}"),
            &["outbound-change-unsupported clusters.prod.outbound.type"],
        ),
        (
            "outbound to routes",
            format!("{{mode: overlay, outbound: loadBalancer, {pools}}}"),
            format!("{{mode: overlay, outbound: userDefinedRouting, {pools}}}"),
            &[],
        ),
        (
            "a pool's maxPods and subnet",
            format!("{{mode: overlay, {pools}}}"),
            "{mode: overlay, pools: {a: {nodes: 3, maxPods: 50, subnet: spoke/wide}}}".to_owned(),
            &["migration-blocked clusters.prod.pools.a.maxPods", "migration-blocked clusters.prod.pools.a.subnet"],
        ),
        (
            "VNet integration switched off",
            format!("{{mode: overlay, apiServer: vnetIntegration, {pools}}}"),
            format!("{{mode: overlay, apiServer: public, {pools}}}"),
            &["migration-blocked clusters.prod.apiServer.access"],
        ),
    ];
    for (name, before, after, expected) in cases {
        assert_eq!(refused(before, after), *expected, "{name}");
    }
}
