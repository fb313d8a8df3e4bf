//! The certificate, and a verifier that knows nothing of how it was made.

use super::fabricate::{cidr, cluster, designs, empty, network, subnet};
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
        only: Default::default(),
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
