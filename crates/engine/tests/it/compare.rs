//! Two designs: what changes for whom.

use crate::support::design;
use causeway_engine::Options;
use causeway_engine::compare::{Difference, compare};

const BASE: &str = "
causeway: 1
networks:
  spoke:
    prefixes: [10.0.0.0/16, 192.168.0.0/16]
    subnets:
      nodes: {prefix: 10.0.0.0/26, natGateway: egress, nsg: nodes, routeTable: to-hub}
      pods: {prefix: 192.168.0.0/20, natGateway: egress}
  hub: {prefixes: [10.10.0.0/16]}
peerings: [{between: [spoke, hub]}]
natGateways: {egress: {publicIps: [203.0.113.10]}}
routeTables:
  to-hub:
    routes:
      - {name: a, prefix: 10.20.0.0/16, nextHop: {appliance: 10.10.0.4}}
      - {name: b, prefix: 10.30.0.0/16, nextHop: {appliance: 10.10.0.4}}
networkSecurityGroups:
  nodes:
    rules:
      - {name: one, priority: 100, direction: inbound, access: allow, protocol: tcp, source: 10.10.0.0/16, destination: '*', ports: [443]}
      - {name: two, priority: 200, direction: inbound, access: deny, protocol: '*', source: Internet, destination: '*', ports: '*'}
hosts: {sql: {ip: 10.10.4.20, network: hub}}
clusters:
  prod:
    mode: podSubnet
    version: '1.34'
    dataplane: azure
    networkPolicy: calico
    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    outbound: {type: userAssignedNATGateway}
    pools: {system: {nodes: 3, maxPods: 30, maxSurge: 1, subnet: spoke/nodes, podSubnet: spoke/pods}}
    masquerade:
      agent: ip-masq-agent-v2
      files:
        ip-masq-agent: |
          nonMasqueradeCIDRs: [10.0.0.0/16, 192.168.0.0/16]
          masqLinkLocal: false
growth: {nodes: 1.5}
";

fn changed(from: &str, to: &str) -> Difference {
    assert!(BASE.contains(from), "`{from}` is not in the design");
    compare(&design(BASE), &design(&BASE.replace(from, to)), Options { as_of: "2026-11-20".parse().unwrap() })
}

#[test]
fn what_means_the_same_is_no_difference() {
    let cases = [
        ("growth:", "# a comment\n\ngrowth:"),
        ("prefixes: [10.0.0.0/16, 192.168.0.0/16]", "prefixes: [192.168.0.0/16, 10.0.0.0/16]"),
        ("[{between: [spoke, hub]}]", "[{between: [hub, spoke]}]"),
        ("name: a, prefix: 10.20.0.0/16", "name: first, prefix: 10.20.0.0/16"),
        (
            "      - {name: a, prefix: 10.20.0.0/16, nextHop: {appliance: 10.10.0.4}}\n      - {name: b, prefix: 10.30.0.0/16, nextHop: {appliance: 10.10.0.4}}\n",
            "      - {name: b, prefix: 10.30.0.0/16, nextHop: {appliance: 10.10.0.4}}\n      - {name: a, prefix: 10.20.0.0/16, nextHop: {appliance: 10.10.0.4}}\n",
        ),
        ("name: one, priority", "name: renamed, priority"),
        (
            "[10.0.0.0/16, 192.168.0.0/16]\n          masq",
            "[192.168.0.0/16, 10.0.0.0/17, 10.0.128.0/17] # moved\n          masq",
        ),
        ("nodes: 3,", "nodes: {count: 3},"),
    ];
    for (from, to) in cases {
        let difference = changed(from, to);
        assert!(!difference.concerns_somebody(), "{to}: {difference:#?}");
        assert!(difference.objects.is_empty() && difference.sources.is_empty(), "{to}: {difference:#?}");
    }
    assert!(changed("growth:", "growth:").is_empty());
}

#[test]
fn objects_that_packets_meet_are_named() {
    let cases = [
        ("prefixes: [10.10.0.0/16]", "prefixes: [10.10.0.0/16, 10.11.0.0/16]", "changed networks.hub.prefixes"),
        ("[{between: [spoke, hub]}]", "[]", "removed peerings.hub-spoke"),
        (
            "[{between: [spoke, hub]}]",
            "[{between: [spoke, hub], forwardedTraffic: true}]",
            "changed peerings.hub-spoke",
        ),
        (
            "prefix: 10.30.0.0/16, nextHop: {appliance: 10.10.0.4}",
            "prefix: 10.30.0.0/16, nextHop: none",
            "changed routeTables.to-hub",
        ),
        ("access: allow", "access: deny", "changed networkSecurityGroups.nodes"),
        (", nsg: nodes,", ",", "changed networks.spoke.subnets.nodes.nsg"),
        ("publicIps: [203.0.113.10]", "publicIps: [203.0.113.11]", "changed natGateways.egress"),
        ("ip: 10.10.4.20", "ip: 10.10.4.21", "changed hosts.sql"),
        ("networkPolicy: calico", "networkPolicy: none", "changed clusters.prod.networkPolicy"),
        (
            "10.0.0.0/16, 192.168.0.0/16]\n          masq",
            "10.0.0.0/16, 192.168.0.0/16, 172.31.0.0/16]\n          masq",
            "changed clusters.prod.masquerade",
        ),
        (
            "growth:",
            "privateEndpoints: {kv: {ip: 10.0.0.9, subnet: spoke/nodes}}\ngrowth:",
            "added privateEndpoints.kv",
        ),
    ];
    for (from, to, expected) in cases {
        let difference = changed(from, to);
        let objects: Vec<String> =
            difference.objects.iter().map(|change| format!("{} {}", change.how.as_str(), change.object)).collect();
        assert_eq!(objects, [expected], "{to}");
        assert!(difference.concerns_somebody(), "{to}");
    }
}

#[test]
fn a_line_of_the_exemption_list_changes_what_a_peer_sees() {
    let difference = changed("[10.0.0.0/16, 192.168.0.0/16]\n", "[10.0.0.0/16, 192.168.0.0/16, 10.10.0.0/16]\n");
    let sources: Vec<String> = difference
        .sources
        .iter()
        .map(|change| {
            format!("{}: {} {} -> {} {:?}", change.cluster, change.peer, change.before, change.after, change.machines)
        })
        .collect();
    assert_eq!(sources, ["prod: network `hub` the node's address -> the pod's address [\"host/sql\"]"]);
    assert!(difference.refused.is_empty() && difference.concerns_somebody());
}

#[test]
fn what_fits_is_compared_and_numbers_alone_concern_nobody() {
    let more = changed("nodes: 3,", "nodes: 9,");
    assert!(!more.capacity.is_empty() && !more.concerns_somebody(), "{more:#?}");
    let too_many = changed("nodes: 3,", "nodes: 90,");
    let nodes = too_many.capacity.iter().find(|change| change.pool == "spoke/nodes").unwrap();
    assert_eq!(nodes.before.as_ref().and_then(|pool| pool.fits), Some(true));
    assert_eq!(nodes.after.as_ref().and_then(|pool| pool.fits), Some(false));
    assert!(nodes.changes_fit() && too_many.concerns_somebody());
    let new: Vec<_> = too_many.new.iter().map(|(finding, _)| finding.code.as_str()).collect();
    assert_eq!(new, ["subnet-full", "no-room-for-max", "pod-subnet-stranded-addresses"]);
    assert!(too_many.gone.is_empty());
    let back = compare(
        &design(&BASE.replace("nodes: 3,", "nodes: 90,")),
        &design(BASE),
        Options { as_of: "2026-11-20".parse().unwrap() },
    );
    assert_eq!(back.gone.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(), new);
    assert!(back.new.is_empty(), "{:#?}", back.new);
}

#[test]
fn ranges_come_and_go() {
    let difference = changed("prefix: 192.168.0.0/20", "prefix: 192.168.16.0/20");
    let show = |ranges: &[causeway_engine::compare::OwnedRange]| -> Vec<String> {
        ranges.iter().map(|range| format!("{} {}", range.object, range.range)).collect()
    };
    assert_eq!(show(&difference.removed), ["networks.spoke.subnets.pods.prefix 192.168.0.0/20"]);
    assert_eq!(show(&difference.added), ["networks.spoke.subnets.pods.prefix 192.168.16.0/20"]);
    let refused: Vec<_> = difference.refused.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(refused, ["migration-blocked"], "the subnet is in use");
}

#[test]
fn acceptances_of_the_change_itself_match() {
    let accept = "accept: [{finding: migration-blocked, on: networks.spoke, because: the pool is rebuilt}]\ngrowth:";
    let text = BASE.replace("prefix: 192.168.0.0/20", "prefix: 192.168.16.0/20").replace("growth:", accept);
    let difference = compare(&design(BASE), &design(&text), Options { as_of: "2026-11-20".parse().unwrap() });
    assert_eq!(difference.refused.len(), 1);
    assert!(difference.new.is_empty(), "{:#?}", difference.new);
}

#[test]
fn a_finding_one_side_accepts_is_on_both() {
    let bad = BASE.replace("172.16.0.", "172.30.0.");
    let accept = "accept: [{finding: reserved-range, because: it has always worked}]\ngrowth:";
    let options = Options { as_of: "2026-11-20".parse().unwrap() };
    let difference = compare(&design(&bad), &design(&bad.replace("growth:", accept)), options);
    assert!(difference.new.is_empty() && difference.gone.is_empty(), "{difference:#?}");
    let new = compare(&design(BASE), &design(&bad.replace("growth:", accept)), options).new;
    let reserved = new.iter().find(|(finding, _)| finding.code.as_str() == "reserved-range").unwrap();
    assert_eq!(reserved.1.as_deref(), Some("it has always worked"));
}
