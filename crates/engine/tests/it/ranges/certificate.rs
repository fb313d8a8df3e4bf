//! The certificate, and a verifier that knows nothing of how it was made.

use super::fabricate::{cidr, cluster, designs, empty, network, subnet};
use crate::support;
use causeway_addr::Entry;
use causeway_engine::addresses::{DomainCertificate, certificate};
use causeway_engine::{Options, check};
use causeway_model::design::*;
use proptest::prelude::*;

/// Twenty lines that decide whether a list proves that nothing in it overlaps.
fn verify(list: &[Entry<String>]) -> bool {
    let mut last = None;
    for line in list {
        if line.first.is_ipv4() != line.last.is_ipv4() || line.first > line.last {
            return false;
        }
        // `IpAddr` orders IPv4 before IPv6, and within a family by value.
        if last.is_some_and(|last| last >= line.first) {
            return false;
        }
        last = Some(line.last);
    }
    true
}

const OVERLAPS: [&str; 9] = [
    "networks-overlap",
    "subnets-overlap",
    "service-cidr-overlaps-vnet",
    "service-cidr-overlaps-peer",
    "service-cidr-overlaps-onprem",
    "pod-cidr-overlaps-vnet",
    "pod-cidr-overlaps-peer",
    "pod-cidr-overlaps-onprem",
    "pod-cidr-overlaps-service-cidr",
];

fn overlaps(design: &Design) -> Vec<String> {
    let options = Options { as_of: "2026-11-20".parse().unwrap() };
    let findings = check(design, options).findings;
    let overlaps = findings.iter().filter(|finding| OVERLAPS.contains(&finding.code.as_str()));
    overlaps.map(|finding| format!("{} {}: {}", finding.code, finding.object, finding.message)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn a_design_is_proven_exactly_if_no_check_finds_an_overlap(design in designs()) {
        let lists = certificate(&design);
        let found = overlaps(&design);
        let unproven: Vec<&DomainCertificate> = lists.iter().filter(|list| list.proof.is_err()).collect();
        prop_assert_eq!(unproven.is_empty(), found.is_empty(), "{:#?}\n{:#?}", unproven, found);
        for list in &lists {
            if let Ok(lines) = &list.proof {
                prop_assert!(verify(lines), "{:#?}", list);
            }
        }
    }

    #[test]
    fn the_same_design_gives_the_same_findings(design in designs()) {
        let options = Options { as_of: "2026-11-20".parse().unwrap() };
        prop_assert_eq!(check(&design, options).findings, check(&design.clone(), options).findings);
    }
}

#[test]
fn a_list_out_of_order_or_overlapping_is_no_proof() {
    let line = |first: &str, last: &str| Entry {
        first: first.parse().unwrap(),
        last: last.parse().unwrap(),
        owner: String::new(),
    };
    assert!(verify(&[line("10.0.0.0", "10.0.0.255"), line("10.0.1.0", "10.0.1.255"), line("fd00::", "fd00::ff")]));
    assert!(!verify(&[line("10.0.0.0", "10.0.1.0"), line("10.0.1.0", "10.0.1.255")]));
    assert!(!verify(&[line("10.0.1.0", "10.0.1.255"), line("10.0.0.0", "10.0.0.255")]));
    assert!(!verify(&[line("10.0.0.9", "10.0.0.0")]));
}

#[test]
fn a_list_says_what_it_leaves_out() {
    let mut design = empty();
    let mut spoke = network(NetworkKind::Vnet, vec![cidr("10.80.0.0/16")]);
    spoke.subnets.insert("nodes".into(), subnet(vec![cidr("10.80.0.0/24")]));
    design.networks.insert("spoke".into(), spoke);
    design.networks.insert("hub".into(), network(NetworkKind::Vnet, Vec::new()));
    design.peerings.push(Peering {
        between: ("spoke".into(), "hub".into()),
        gateway_transit: None,
        forwarded_traffic: false,
        forwarded_into: None,
        only: Default::default(),
        gateway_transit_allowed: true,
        connected: true,
    });
    let nodes = SubnetRef { network: "spoke".into(), subnet: "nodes".into() };
    let (pods, services) = (vec![cidr("10.244.0.0/16")], vec![cidr("172.16.0.0/16")]);
    design.clusters.insert("prod".into(), cluster(Some(Mode::Overlay), pods.clone(), services.clone(), Some(nodes)));
    design.clusters.insert("managed".into(), cluster(Some(Mode::Overlay), pods, services, None));
    let lists = certificate(&design);
    let shown: Vec<(&str, Vec<String>, Vec<&str>)> = lists
        .iter()
        .map(|list| {
            let lines = list.proof.as_ref().unwrap();
            let lines = lines.iter().map(|line| format!("{} {} {}", line.first, line.last, line.owner)).collect();
            (list.object.as_str(), lines, list.missing.iter().map(String::as_str).collect())
        })
        .collect();
    let strings = |lines: &[&str]| -> Vec<String> { lines.iter().map(ToString::to_string).collect() };
    assert_eq!(
        shown,
        [
            ("networks.hub", strings(&["10.80.0.0 10.80.255.255 spoke"]), vec!["the prefixes of network `hub`"]),
            ("networks.spoke.subnets", strings(&["10.80.0.0 10.80.0.255 spoke/nodes"]), vec![]),
            (
                "clusters.managed",
                strings(&[
                    "10.244.0.0 10.244.255.255 managed/podCidr",
                    "172.16.0.0 172.16.255.255 managed/serviceCidr"
                ]),
                vec!["the VNet of `managed`, which AKS makes or the design leaves open"],
            ),
            (
                "clusters.prod",
                strings(&[
                    "10.80.0.0 10.80.255.255 spoke",
                    "10.244.0.0 10.244.255.255 prod/podCidr",
                    "172.16.0.0 172.16.255.255 prod/serviceCidr",
                ]),
                vec!["the prefixes of network `hub`"],
            ),
        ]
    );
}

#[test]
fn what_lies_behind_appliances_is_listed_where_it_is_hidden_and_missed_where_it_is_not_known() {
    let design = support::designs(&["
causeway: 1
networks:
  spoke: {prefixes: [10.80.0.0/16, 192.168.0.0/16], subnets: {nodes: {prefix: 10.80.0.0/24, routeTable: out}}}
  hub: {prefixes: [10.10.0.0/16], subnets: {AzureFirewallSubnet: {prefix: 10.10.0.0/26}}}
  east: {prefixes: [10.81.0.0/16]}
  west: {prefixes: [10.82.0.0/16]}
routeTables:
  out:
    routes:
      - {name: default, prefix: 0.0.0.0/0, nextHop: {appliance: 10.10.0.4}}
      - {name: lab, prefix: 10.99.0.0/16, nextHop: {appliance: 10.98.0.4}}
      - {name: later, prefix: 10.97.0.0/16, nextHop: {appliance: unknown}}
peerings:
  - {between: [spoke, hub], forwardedTraffic: true, gatewayTransit: hub, only: {spoke: [10.80.0.0/16]}}
  - {between: [hub, east], forwardedTraffic: true}
  - {between: [hub, west]}
clusters:
  prod: {mode: podSubnet, serviceCidr: 172.16.0.0/16, pools: {p: {nodes: 1, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/nodes}}}
"
    .to_owned()]);
    let lists = certificate(&design);
    let lines = |object: &str| -> Vec<String> {
        let list = lists.iter().find(|list| list.object == object).unwrap();
        let lines = list.proof.as_ref().unwrap().iter();
        lines.map(|line| format!("{} {}", line.first, line.owner)).chain(list.missing.iter().cloned()).collect()
    };
    let missing = [
        "the sites behind the gateway of `hub`",
        "what lies behind an appliance whose address is not known (route `later` of table `out`)",
        "what lies behind the appliance `10.98.0.4`, which is in no network known here (route `lab` of table `out`)",
    ];
    let reached = ["10.10.0.0 hub", "10.80.0.0 spoke", "10.81.0.0 through 10.10.0.4 in hub"];
    assert_eq!(lines("networks.spoke"), [&reached[..], &["192.168.0.0 spoke"], &missing].concat());
    assert_eq!(
        lines("clusters.prod"),
        [&reached[..], &["172.16.0.0 prod/serviceCidr", "192.168.0.0 spoke"], &missing].concat()
    );
    assert_eq!(lines("networks.hub"), ["10.10.0.0 hub", "10.80.0.0 spoke", "10.81.0.0 east", "10.82.0.0 west"]);
}
