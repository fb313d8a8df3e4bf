//! Whose address a peer sees: what the platform's own configuration and a user's list decide, destination by destination.

use super::design;
use causeway_engine::masquerade::{Effective, effective};
use std::net::IpAddr;

const NETWORKS: &str = "networks:
  spoke:
    prefixes: [10.0.0.0/16, 192.168.0.0/16]
    subnets: {nodes: {prefix: 10.0.0.0/24}, pods: {prefix: 192.168.0.0/20}}
  hub: {prefixes: [10.50.0.0/16], gateway: {kind: expressRoute, connects: [corp]}}
  corp: {kind: onPremises, prefixes: [172.20.0.0/16]}
peerings: [{between: [spoke, hub], gatewayTransit: hub}]
";

/// `pod` or `node`: whose address a destination sees of a pod of this cluster.
fn seen(fields: &str, destination: &str) -> &'static str {
    let pod_subnet = if fields.contains("podSubnet") { ", podSubnet: spoke/pods" } else { "" };
    let text = format!(
        "causeway: 1\n{NETWORKS}clusters:\n  c:\n    {fields}\n    pools: {{a: {{nodes: 3, maxPods: 30, subnet: spoke/nodes{pod_subnet}}}}}\n"
    );
    let design = design(&text);
    let (name, _) = design.clusters.first_key_value().unwrap();
    let translation = match effective(&design, name) {
        Effective::Known(translation) => translation,
        Effective::Unknown { missing } => panic!("{fields}: {missing:?}"),
    };
    let destination: IpAddr = destination.parse().unwrap();
    if translation.kept().contains(destination) { "pod" } else { "node" }
}

const POD_OF_OVERLAY: &str = "10.244.3.9";
const POD_OF_SUBNET: &str = "192.168.7.20";
const VNET: &str = "10.0.5.9";
const PEER: &str = "10.50.0.9";
const SITE: &str = "172.20.1.1";
const INTERNET: &str = "8.8.8.8";

#[test]
fn what_the_platform_ships_for_each_mode() {
    let overlay = "mode: overlay\n    podCidr: 10.244.0.0/16";
    let kubenet = "mode: kubenet\n    podCidr: 10.244.0.0/16";
    for (fields, destination, whose) in [
        (overlay, POD_OF_OVERLAY, "pod"),
        (overlay, VNET, "node"),
        (overlay, PEER, "node"),
        (overlay, SITE, "node"),
        (overlay, INTERNET, "node"),
        (overlay, "169.254.169.254", "node"),
        ("mode: podSubnet", POD_OF_SUBNET, "pod"),
        ("mode: podSubnet", VNET, "pod"),
        ("mode: podSubnet", PEER, "pod"),
        ("mode: podSubnet", SITE, "pod"),
        // Only DNS is translated on the way to the platform's resolver, and not by a list.
        ("mode: podSubnet", "168.63.129.16", "pod"),
        ("mode: podSubnetStatic", POD_OF_SUBNET, "pod"),
        ("mode: podSubnetStatic", VNET, "pod"),
        ("mode: podSubnetStatic", PEER, "pod"),
        ("mode: podSubnetStatic", SITE, "pod"),
        // Beyond the network it is the address of whatever governs the pod's own packet, not of the node.
        ("mode: podSubnetStatic", INTERNET, "pod"),
        (kubenet, POD_OF_OVERLAY, "pod"),
        (kubenet, PEER, "node"),
        (kubenet, SITE, "node"),
        (kubenet, INTERNET, "node"),
    ] {
        assert_eq!(seen(fields, destination), whose, "{fields} to {destination}");
    }
}

#[test]
fn what_a_list_of_ones_own_decides() {
    let pods = "mode: podSubnet\n    masquerade: {agent: ip-masq-agent-v2, files: {ip-masq-agent: 'nonMasqueradeCIDRs: [10.0.0.0/16, 192.168.0.0/16]'}}";
    let nodes = "mode: nodeSubnet\n    masquerade: {files: {ip-masq-agent: 'nonMasqueradeCIDRs: [10.50.0.0/16]'}}";
    let overlay = "mode: overlay\n    podCidr: 10.244.0.0/16\n    masquerade: {files: {ip-masq-agent-reconciled: '{\"nonMasqueradeCIDRs\": [\"10.244.0.0/16\"], \"masqLinkLocal\": true}'}}";
    for (fields, destination, whose) in [
        (pods, VNET, "pod"),
        (pods, POD_OF_SUBNET, "pod"),
        (pods, SITE, "node"),
        (pods, PEER, "node"),
        (pods, INTERNET, "node"),
        (pods, "169.254.169.254", "pod"),
        (nodes, PEER, "pod"),
        (nodes, INTERNET, "node"),
        (overlay, "169.254.169.254", "node"),
        (overlay, POD_OF_OVERLAY, "pod"),
    ] {
        assert_eq!(seen(fields, destination), whose, "{fields} to {destination}");
    }
}

/// The platform's file and the user's are read together: ranges add up, and what any of them switches on is on.
#[test]
fn files_are_merged() {
    let files = "
      files:
        ip-masq-agent-reconciled: |
          nonMasqueradeCIDRs: [1.0.0.0/8, 2.2.0.0/16, 3.3.3.0/24]
          masqLinkLocal: true
        ip-masq-agent: |
          nonMasqueradeCIDRs: [155.128.0.0/9, 10.240.0.0/16, 180.132.128.0/18]
          masqLinkLocal: false
          masqLinkLocalIPv6: true";
    let fields = format!("mode: overlay\n    podCidr: 10.244.0.0/16\n    masquerade:{files}");
    for destination in ["1.2.3.4", "2.2.3.4", "3.3.3.4", "155.129.0.1", "10.240.9.9", "180.132.129.1"] {
        assert_eq!(seen(&fields, destination), "pod", "{destination}");
    }
    for destination in ["4.4.4.4", "2.3.0.1", "169.254.169.254"] {
        assert_eq!(seen(&fields, destination), "node", "{destination}");
    }
}

/// 64 ranges at most, and no IPv6 unless it is switched on: what the agent refuses it does not apply.
#[test]
fn lists_the_agent_refuses() {
    let findings = |list: &str| -> Vec<&'static str> {
        let text = format!(
            "causeway: 1\n{NETWORKS}clusters:\n  c:\n    mode: podSubnet\n    masquerade: {{agent: ip-masq-agent-v2, files: {{ip-masq-agent: 'nonMasqueradeCIDRs: [{list}]'}}}}\n    \
             pools: {{a: {{nodes: 3, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/pods}}}}\n"
        );
        super::errors(&text)
    };
    let ranges = |count: u32| (0..count).map(|at| format!("10.{at}.0.0/16")).collect::<Vec<_>>().join(", ");
    assert!(!findings(&ranges(64)).contains(&"masq-config-rejected"), "{:?}", findings(&ranges(64)));
    assert!(findings(&ranges(65)).contains(&"masq-config-rejected"));
    assert!(findings("10.0.0.0/16, fc00::/7").contains(&"masq-config-rejected"));
}
