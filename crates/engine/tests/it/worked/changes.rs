//! From one state to another: pod ranges that grow, outbound types, modes and data planes.

use super::design;
use causeway_engine::compare::compare;
use causeway_engine::{Options, change};
use causeway_model::finding::Severity;

const NETWORK: &str = "networks: {spoke: {prefixes: [10.0.0.0/8], subnets: {nodes: {prefix: 10.0.0.0/24}, pods: {prefix: 10.1.0.0/16}}}}\n";

/// A cluster with these fields, in a VNet of its own or in one the platform makes.
fn cluster(own: bool, fields: &str) -> String {
    let (network, subnet) = if own { (NETWORK, ", subnet: spoke/nodes") } else { ("", "") };
    let pods = if fields.contains("mode: podSubnet") && own { ", podSubnet: spoke/pods" } else { "" };
    let os = if fields.contains("windows") {
        "      w: {nodes: 2, maxPods: 30, os: windows, subnet: spoke/nodes}\n"
    } else {
        ""
    };
    let fields = fields.replace("windows", "");
    format!(
        "causeway: 1\n{network}clusters:\n  c:\n    version: '1.34'\n    {fields}\n    pools:\n      a: {{nodes: 3, maxPods: 30{subnet}{pods}}}\n{os}"
    )
}

/// The codes of what the platform refuses (errors only).
fn refused(before: &str, after: &str) -> Vec<&'static str> {
    let findings = change::check(&design(before), &design(after));
    findings.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| finding.code.as_str()).collect()
}

#[test]
fn pod_ranges_grow_to_a_range_that_contains_them() {
    for (old, new, windows, supported) in [
        ("10.244.0.0/18", "10.244.0.0/16", false, true),
        ("10.244.64.0/18", "10.244.0.0/16", false, true),
        ("10.244.0.0/18", "10.245.0.0/16", false, false),
        ("10.244.0.0/16", "10.244.0.0/18", false, false),
        ("10.244.0.0/18", "10.244.0.0/16", true, false),
        ("10.244.0.0/18", "[10.244.0.0/18, 10.245.0.0/18]", false, false),
    ] {
        let with = |range: &str| {
            let windows = if windows { " windows" } else { "" };
            cluster(true, &format!("mode: overlay\n    podCidr: {range}{windows}"))
        };
        let expected: &[&str] = if supported { &[] } else { &["pod-cidr-change-not-superset"] };
        assert_eq!(refused(&with(old), &with(new)), expected, "{old} to {new}, Windows: {windows}");
    }
}

#[test]
fn outbound_types_change_along_the_documented_paths() {
    const MANAGED: &[&str] = &["loadBalancer", "managedNATGateway", "managedNATGatewayV2", "none", "block"];
    const OWN: &[&str] = &["loadBalancer", "userAssignedNATGateway", "userDefinedRouting", "none"];
    type Paths = &'static [(&'static str, &'static [&'static str])];
    let paths: [(bool, &[&str], Paths); 2] = [
        (
            false,
            MANAGED,
            &[
                ("loadBalancer", &["managedNATGateway", "managedNATGatewayV2", "none", "block"]),
                ("managedNATGatewayV2", &[]),
            ],
        ),
        (
            true,
            OWN,
            &[
                ("loadBalancer", &["userAssignedNATGateway", "userDefinedRouting", "none"]),
                ("userAssignedNATGateway", &["loadBalancer", "userDefinedRouting", "none"]),
                ("userDefinedRouting", &["loadBalancer", "userAssignedNATGateway", "none"]),
                ("none", &["loadBalancer", "userAssignedNATGateway", "userDefinedRouting"]),
            ],
        ),
    ];
    for (own, types, paths) in paths {
        let with = |kind: &str| cluster(own, &format!("mode: overlay\n    outbound: {{type: {kind}}}"));
        for (from, targets) in paths {
            for to in types.iter().filter(|to| *to != from) {
                let supported = targets.contains(to);
                let expected: &[&str] = if supported { &[] } else { &["outbound-change-unsupported"] };
                assert_eq!(refused(&with(from), &with(to)), expected, "own VNet: {own}, {from} to {to}");
            }
        }
        if own {
            for from in OWN {
                assert_eq!(refused(&with(from), &with("block")), ["outbound-change-unsupported"], "{from} to block");
            }
        }
    }
}

/// A VNet that an export shows and AKS made is still the platform's.
#[test]
fn a_vnet_the_platform_made_counts_as_managed_when_it_is_listed() {
    let listed = |kind: &str| {
        let network = NETWORK.replace("spoke: {", "spoke: {managedByAks: true, ");
        cluster(true, &format!("mode: overlay\n    outbound: {{type: {kind}}}")).replace(NETWORK, &network)
    };
    assert_eq!(refused(&listed("loadBalancer"), &listed("managedNATGateway")), Vec::<&str>::new());
    assert_eq!(refused(&listed("loadBalancer"), &listed("userDefinedRouting")), ["outbound-change-unsupported"]);
}

#[test]
fn modes_and_data_planes_change_along_the_documented_paths() {
    let overlay = "mode: overlay\n    podCidr: 192.168.0.0/16";
    let cases: &[(&str, &str, bool)] = &[
        ("mode: nodeSubnet", overlay, true),
        ("mode: kubenet", "mode: overlay", true),
        ("mode: kubenet\n    podCidr: 10.244.0.0/18", "mode: overlay\n    podCidr: 10.244.0.0/16", true),
        ("mode: podSubnet", overlay, false),
        ("mode: nodeSubnet", "mode: nodeSubnet\n    dataplane: cilium", true),
        ("mode: podSubnet", "mode: podSubnet\n    dataplane: cilium", true),
        (overlay, "mode: overlay\n    podCidr: 192.168.0.0/16\n    dataplane: cilium", true),
        ("mode: kubenet", "mode: kubenet\n    dataplane: cilium", false),
        (overlay, "mode: nodeSubnet", false),
        ("mode: kubenet", "mode: podSubnet", false),
        ("mode: nodeSubnet", "mode: podSubnet", false),
        ("mode: nodeSubnet\n    networkPolicy: calico", overlay, false),
        ("mode: nodeSubnet", "mode: overlay", false),
    ];
    for (from, to, supported) in cases {
        let refused = refused(&cluster(true, from), &cluster(true, to));
        assert_eq!(refused.is_empty(), *supported, "{from} to {to}: {refused:?}");
        assert!(refused.iter().all(|code| *code == "migration-blocked"), "{from} to {to}: {refused:?}");
    }
    let old = |fields: &str| cluster(true, fields).replace("'1.34'", "'1.26'");
    assert_eq!(refused(&old("mode: nodeSubnet"), &old(overlay)), ["migration-blocked"], "before 1.27");
    let first = |fields: &str| cluster(true, fields).replace("'1.34'", "'1.27'");
    assert_eq!(refused(&first("mode: nodeSubnet"), &first(overlay)), Vec::<&str>::new(), "from 1.27 on");
}

/// The move is supported, and a range left in the agent's list breaks replies to it.
#[test]
fn a_list_left_over_from_node_subnet_is_said_on_the_way_to_overlay() {
    let list = "\n    masquerade: {files: {ip-masq-agent: 'nonMasqueradeCIDRs: [10.50.0.0/16]'}}";
    let before = cluster(true, &format!("mode: nodeSubnet{list}"));
    let after = cluster(true, &format!("mode: overlay\n    podCidr: 192.168.0.0/16{list}"));
    assert_eq!(refused(&before, &after), Vec::<&str>::new());
    let difference = compare(&design(&before), &design(&after), Options { as_of: "2026-11-20".parse().unwrap() });
    let new: Vec<_> = difference.new.iter().map(|(finding, _)| finding.code.as_str()).collect();
    assert!(new.contains(&"leftover-masq-config"), "{new:?}");
}
