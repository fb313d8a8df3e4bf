//! The production checklist, line by line: a design in which every line is yes, and what turns each into no or unknown.

use causeway_engine::checklist::{Answer, Line};
use causeway_engine::{Options, check};
use causeway_model::checklist::Requirement;

/// Every line is yes.
const WHOLE: &str = "
causeway: 1
networks:
  spoke:
    prefixes: [10.80.0.0/16]
    subnets:
      nodes: {prefix: 10.80.0.0/24, routeTable: egress}
      pods: {prefix: 10.80.64.0/20, routeTable: egress}
      ingress: {prefix: 10.80.32.0/24, delegation: Microsoft.ServiceNetworking/trafficControllers}
      endpoints: {prefix: 10.80.40.0/24}
  hub:
    prefixes: [10.10.0.0/16]
    gateway: {kind: expressRoute, connects: [corp]}
    subnets:
      AzureFirewallSubnet: {prefix: 10.10.0.0/26}
  corp: {kind: onPremises, prefixes: [10.200.0.0/16]}
peerings: [{between: [spoke, hub], gatewayTransit: hub, forwardedTraffic: true}]
routeTables: {egress: {routes: [{name: default, prefix: 0.0.0.0/0, nextHop: {appliance: 10.10.0.4}}]}}
firewalls:
  fw:
    kind: azureFirewall
    subnet: hub/AzureFirewallSubnet
    privateIp: 10.10.0.4
    publicIpCount: 20
    rules: [{name: platform, source: [10.80.0.0/24], destination: AzureCloud, protocol: tcp, ports: [443], access: allow}]
hosts: {bank: {ip: 198.51.100.80, network: internet, listens: [tcp/443]}}
privateEndpoints: {vault: {ip: 10.80.40.4, subnet: spoke/endpoints}}
privateDnsZones: {privatelink.vaultcore.azure.net: {links: [spoke], records: {kv: 10.80.40.4}}}
clusters:
  prod:
    mode: podSubnet
    version: '1.34'
    dataplane: azure
    networkPolicy: calico
    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    outbound: {type: userDefinedRouting}
    pools:
      system: {nodes: {count: 3, max: 5}, maxPods: 30, maxSurge: 1, subnet: spoke/nodes, podSubnet: spoke/pods}
    ingress: [{kind: applicationGatewayForContainers, exposure: public, subnet: spoke/ingress}]
growth: {nodes: 2.0, months: 24}
alarmAt: 80%
loads: [{from: pool/prod/system, to: 'host/bank:443', perSecond: 10, concurrent: 100, seconds: 5}]
records:
  service-range-centrally-allocated: {on: 2026-09-01, by: network team}
  mode-documented: {on: 2026-09-01, by: platform team}
  policy-enforcement-tested: {on: 2026-09-01, by: platform team}
  snat-watched: {on: 2026-09-01, by: platform team}
  firewall-route-tested-from-pods: {on: 2026-09-01, by: platform team}
  platform-services-resolve-privately: {on: 2026-09-01, by: platform team}
  ingress-subnet-owned: {on: 2026-09-01, by: edge team}
  certificates-and-names-owned: {on: 2026-09-01, by: edge team}
  probes-match-readiness: {on: 2026-09-01, by: edge team}
  surge-rehearsed: {on: 2026-09-01, by: platform team, note: change 4711}
  network-profile-as-configuration: {on: 2026-09-01, by: platform team}
  utilisation-alarms: {on: 2026-09-01, by: platform team}
  dns-runbook: {on: 2026-09-01, by: platform team}
  route-and-nsg-changes-reviewed: {on: 2026-09-01, by: network team}
";

const EXPLICIT: &str = "    outbound: {type: userDefinedRouting}\n";

fn answers(design: &str) -> Vec<Line> {
    check(&crate::support::design(design), Options { as_of: "2026-11-20".parse().unwrap() }).checklist
}

/// The design with some of its text replaced; what is replaced must be there.
fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(WHOLE.to_owned(), |design, (from, to)| {
        assert!(design.contains(from), "`{from}` is not in the design");
        design.replace(from, to)
    })
}

/// The design with the record of a line gone, or another one in its place.
fn recorded(key: &str, record: Option<&str>) -> String {
    let line = WHOLE.lines().find(|line| line.trim_start().starts_with(key));
    let line = line.unwrap_or_else(|| panic!("no record of `{key}`"));
    let new = record.map_or(String::new(), |record| format!("  {key}: {record}"));
    WHOLE.replace(line, &new)
}

fn line<'a>(lines: &'a [Line], key: &str) -> &'a Line {
    lines.iter().find(|line| line.key == key).unwrap_or_else(|| panic!("no line `{key}`"))
}

#[test]
fn every_line_can_be_yes() {
    let lines = answers(WHOLE);
    let keys: Vec<_> = lines.iter().map(|line| line.key).collect();
    assert_eq!(keys, Requirement::ALL.iter().map(|line| line.key()).collect::<Vec<_>>());
    for line in lines {
        assert_eq!(line.answer, Answer::Yes, "{line:#?}");
        assert!(!line.because.is_empty() && line.needs.is_empty(), "{line:#?}");
    }
}

/// Key, changes, the answer they lead to, and words of the reason (no) or of what is needed (unknown).
type Case = (&'static str, &'static [(&'static str, &'static str)], Answer, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("ranges-disjoint", &[("corp: {kind: onPremises, prefixes: [10.200.0.0/16]}", "corp: {kind: onPremises, prefixes: [172.16.8.0/24]}")], Answer::No, "service-cidr-overlaps-onprem"),
    ("ranges-disjoint", &[("172.16.0", "172.30.0")], Answer::No, "reserved-range"),
    ("ranges-disjoint", &[("corp: {kind: onPremises, prefixes: [10.200.0.0/16]}", "corp: {kind: onPremises, prefixes: [10.80.8.0/24]}")], Answer::No, "networks-overlap"),
    ("ranges-disjoint", &[("connects: [corp]", "connects: []"), ("  corp: {kind: onPremises, prefixes: [10.200.0.0/16]}\n", "")], Answer::Unknown, "the sites behind the gateway of `hub`"),
    ("ranges-disjoint", &[("    gateway: {kind: expressRoute, connects: [corp]}\n", ""), ("AzureFirewallSubnet: {prefix: 10.10.0.0/26}", "AzureFirewallSubnet: {prefix: 10.10.0.0/26}\n      GatewaySubnet: {prefix: 10.10.1.0/27}")], Answer::Unknown, "the sites behind the gateway of `hub`"),
    ("ranges-disjoint", &[("    serviceCidr: 172.16.0.0/16\n    dnsServiceIp: 172.16.0.10\n", "")], Answer::Unknown, "state `clusters.prod.serviceCidr`"),
    ("ranges-disjoint", &[("prefixes: [10.200.0.0/16]}", "prefixes: []}")], Answer::Unknown, "the prefixes of network `corp`"),

    ("node-subnet-holds-maximum-and-surge", &[("10.80.0.0/24, routeTable", "10.80.0.0/29, routeTable")], Answer::No, "no-room-for-max"),
    ("node-subnet-holds-maximum-and-surge", &[("10.80.0.0/24, routeTable", "10.80.0.0/28, routeTable"), ("maxSurge: 1,", "maxSurge: 100%,"), ("max: 5}", "max: 10}")], Answer::No, "no-room-for-surge"),
    ("node-subnet-holds-maximum-and-surge", &[("count: 3, max: 5", "min: 3")], Answer::Unknown, "state `clusters.prod.pools.system.nodes.max`"),
    ("node-subnet-holds-maximum-and-surge", &[("maxSurge: 1, ", "")], Answer::Unknown, "state `clusters.prod.pools.system.maxSurge`"),
    ("node-subnet-holds-maximum-and-surge", &[("subnet: spoke/nodes, podSubnet", "podSubnet")], Answer::Unknown, "state `clusters.prod.pools.system.subnet`"),
    ("node-subnet-holds-maximum-and-surge", &[("mode: podSubnet", "mode: nodeSubnet"), (", podSubnet: spoke/pods", ""), ("maxPods: 30, ", "")], Answer::Unknown, "state `clusters.prod.pools.system.maxPods`"),
    ("node-subnet-holds-maximum-and-surge", &[("maxPods: 30, ", "")], Answer::Yes, "`spoke/nodes`: 6 of 251"),

    ("pod-range-holds-maximum-and-growth", &[("10.80.64.0/20", "10.80.64.0/23")], Answer::No, "no-room-for-growth"),
    ("pod-range-holds-maximum-and-growth", &[("10.80.64.0/20", "10.80.64.0/26")], Answer::No, "no-room-for-max"),
    ("pod-range-holds-maximum-and-growth", &[("growth: {nodes: 2.0, months: 24}\n", "")], Answer::Unknown, "`growth: {nodes: FACTOR"),
    ("pod-range-holds-maximum-and-growth", &[("nodes: 2.0, months", "nodes: 1.0, months"), ("10.80.64.0/20", "10.80.64.0/23")], Answer::Yes, "after growth by 1"),
    ("pod-range-holds-maximum-and-growth", &[("maxPods: 30, ", "")], Answer::Unknown, "state `clusters.prod.pools.system.maxPods`"),
    ("pod-range-holds-maximum-and-growth", &[("    mode: podSubnet\n", "")], Answer::Unknown, "state `clusters.prod.mode`"),
    ("pod-range-holds-maximum-and-growth", &[("mode: podSubnet", "mode: overlay"), (", podSubnet: spoke/pods", "")], Answer::Unknown, "state `clusters.prod.podCidr`"),
    ("pod-range-holds-maximum-and-growth", &[("mode: podSubnet", "mode: overlay\n    podCidr: 10.244.0.0/16"), (", podSubnet: spoke/pods", ""), ("maxPods: 30, ", "")], Answer::Yes, "`prod/podCidr`: 2816 of 65536"),
    ("pod-range-holds-maximum-and-growth", &[("mode: podSubnet", "mode: overlay\n    podCidr: 10.244.0.0/22"), (", podSubnet: spoke/pods", "")], Answer::No, "pod-cidr-exhausted"),
    ("pod-range-holds-maximum-and-growth", &[("mode: podSubnet", "mode: byo\n    podCidr: 10.244.0.0/22"), (", podSubnet: spoke/pods", "")], Answer::Unknown, "own account of the pod range"),

    ("service-range-centrally-allocated", &[("serviceCidr: 172.16.0.0/16", "serviceCidr: 172.16.0.0/11")], Answer::No, "service-cidr-too-large"),
    ("service-range-centrally-allocated", &[("    serviceCidr: 172.16.0.0/16\n    dnsServiceIp: 172.16.0.10\n", "")], Answer::Unknown, "state `clusters.prod.serviceCidr`"),

    ("dns-address-valid", &[("172.16.0.10", "172.17.0.10")], Answer::No, "dns-service-ip-outside-service-cidr"),
    ("dns-address-valid", &[("172.16.0.10", "172.16.0.1")], Answer::No, "dns-service-ip-is-first-address"),
    ("dns-address-valid", &[("    dnsServiceIp: 172.16.0.10\n", "")], Answer::Unknown, "state `clusters.prod.dnsServiceIp`"),

    ("private-endpoints-apart-from-nodes", &[("subnet: spoke/endpoints}", "subnet: spoke/nodes}")], Answer::No, "1 private endpoint on `spoke/nodes`"),
    ("private-endpoints-apart-from-nodes", &[("10.80.64.0/20,", "10.80.64.0/20, other: {privateEndpoints: 3},")], Answer::No, "3 private endpoints on `spoke/pods`"),
    ("private-endpoints-apart-from-nodes", &[("privateEndpoints: {vault: {ip: 10.80.40.4, subnet: spoke/endpoints}}\n", "")], Answer::Unknown, "`privateEndpoints` in the design"),
    ("private-endpoints-apart-from-nodes", &[("privateEndpoints: {vault: {ip: 10.80.40.4, subnet: spoke/endpoints}}\n", "privateEndpoints: {}\n")], Answer::Yes, "the design states that there are none"),
    ("private-endpoints-apart-from-nodes", &[("subnet: spoke/nodes, podSubnet", "podSubnet")], Answer::Unknown, "state `clusters.prod.pools.system.subnet`"),

    ("mode-documented", &[("mode: podSubnet", "mode: kubenet"), (", podSubnet: spoke/pods", "")], Answer::No, "mode-retiring"),
    ("mode-documented", &[("    dataplane: azure\n", "")], Answer::Unknown, "state `clusters.prod.dataplane`"),
    ("mode-documented", &[("    mode: podSubnet\n", "")], Answer::Unknown, "state `clusters.prod.mode`"),
    ("mode-documented", &[("dataplane: azure", "dataplane: cilium")], Answer::No, "combination-unsupported"),

    ("policy-enforcement-tested", &[("networkPolicy: calico", "networkPolicy: none")], Answer::No, "every pod talks to every pod"),
    ("policy-enforcement-tested", &[("    networkPolicy: calico\n", "")], Answer::Unknown, "state `clusters.prod.networkPolicy`"),
    ("policy-enforcement-tested", &[("networkPolicy: calico", "networkPolicy: azure")], Answer::Yes, "policy-engine-retiring"),

    ("windows-differences-known", &[("maxSurge: 1,", "maxSurge: 1, os: windows,")], Answer::Unknown, "windows-differences-known: {on: DATE"),
    ("windows-differences-known", &[("maxSurge: 1,", "maxSurge: 1, os: windows,"), ("records:\n", "records:\n  windows-differences-known: {on: 2026-09-01, by: us}\n")], Answer::Yes, "on 2026-09-01 by us"),

    ("outbound-explicit", &[(EXPLICIT, "")], Answer::No, "outbound-not-explicit"),
    ("outbound-explicit", &[("type: userDefinedRouting", "type: loadBalancer")], Answer::No, "leave through firewall `fw`"),

    ("snat-watched", &[("publicIpCount: 20", "publicIpCount: 1"), ("concurrent: 100", "concurrent: 9000")], Answer::No, "firewall-snat-exhausted"),
    ("snat-watched", &[("loads: [{from: pool/prod/system, to: 'host/bank:443', perSecond: 10, concurrent: 100, seconds: 5}]\n", "")], Answer::Unknown, "`loads`"),
    ("snat-watched", &[("type: userDefinedRouting", "type: none")], Answer::Yes, "nothing set up"),
    ("snat-watched", &[("type: userDefinedRouting", "type: loadBalancer, ips: 1, portsPerNode: 32000")], Answer::No, "snat-budget-exceeded"),
    ("snat-watched", &[(EXPLICIT, "")], Answer::Unknown, "state `clusters.prod.outbound.type`"),

    ("firewall-route-tested-from-pods", &[("{name: default, prefix: 0.0.0.0/0,", "{name: default, prefix: 10.99.0.0/16,")], Answer::No, "udr-without-default-route"),
    ("firewall-route-tested-from-pods", &[(", routeTable: egress", ""), ("type: userDefinedRouting", "type: loadBalancer")], Answer::Yes, "no subnet of `prod` has a route"),

    ("platform-services-resolve-privately", &[("records: {kv: 10.80.40.4}", "records: {}")], Answer::No, "no private zone has a record"),
    ("platform-services-resolve-privately", &[("links: [spoke]", "links: [hub]")], Answer::No, "`spoke` is not linked to it"),

    ("allow-list-written", &[("    rules: [{name: platform, source: [10.80.0.0/24], destination: AzureCloud, protocol: tcp, ports: [443], access: allow}]\n", "")], Answer::Unknown, "its rules under `firewalls.fw.rules`"),
    ("allow-list-written", &[("source: [10.80.0.0/24], destination: AzureCloud, protocol: tcp, ports: [443]", "source: '*', destination: '*', protocol: '*', ports: '*'")], Answer::No, "rule `platform` of firewall `fw` allows everything"),
    ("allow-list-written", &[(", routeTable: egress", ""), ("type: userDefinedRouting", "type: loadBalancer")], Answer::Unknown, "allow-list-written: {on: DATE"),

    ("ingress-subnet-owned", &[(", subnet: spoke/ingress}", "}")], Answer::Unknown, "state `clusters.prod.ingress.0.subnet`"),
    ("ingress-subnet-owned", &[("    ingress: [{kind: applicationGatewayForContainers, exposure: public, subnet: spoke/ingress}]\n", "")], Answer::Unknown, "`clusters.prod.ingress` (`[]` if there is none)"),
    ("ingress-subnet-owned", &[("[{kind: applicationGatewayForContainers, exposure: public, subnet: spoke/ingress}]", "[]")], Answer::Yes, "stated to have no ingress"),

    ("ingress-exposure-intended", &[(" exposure: public,", "")], Answer::Unknown, "state `clusters.prod.ingress.0.exposure`"),
    ("ingress-exposure-intended", &[("    ingress: [{kind: applicationGatewayForContainers, exposure: public, subnet: spoke/ingress}]\n", "    services: [{name: a, namespace: b, type: LoadBalancer, ports: [tcp/80]}]\n")], Answer::Unknown, "ingress-exposure-intended: {on: DATE"),
    ("ingress-exposure-intended", &[("    ingress: [{kind: applicationGatewayForContainers, exposure: public, subnet: spoke/ingress}]\n", "    services: [{name: a, namespace: b, type: LoadBalancer, internalIp: 10.80.0.200, ports: [tcp/80]}]\n")], Answer::Yes, "`b/a`"),

    ("ingress-subnet-owned", &[("ingress: {prefix: 10.80.32.0/24,", "ingress: {prefix: 10.80.32.0/26,")], Answer::No, "ingress-subnet-unfit"),

    ("surge-rehearsed", &[("10.80.0.0/24, routeTable", "10.80.0.0/29, routeTable")], Answer::No, "no-room-for-max"),

    ("utilisation-alarms", &[("alarmAt: 80%\n", "")], Answer::Unknown, "`alarmAt: \"80%\"`"),
];

#[test]
fn every_line_can_be_no_and_unknown() {
    let mut problems = Vec::new();
    for (key, changes, answer, words) in CASES {
        let lines = answers(&changed(changes));
        let line = line(&lines, key);
        let text = if *answer == Answer::Unknown { &line.needs } else { &line.because };
        let right = line.answer == *answer && text.contains(words);
        if !right || line.needs.is_empty() != (*answer != Answer::Unknown) {
            problems.push(format!("{key} after {changes:?}: {answer:?} with `{words}` is wanted of {line:#?}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn lines_only_people_can_answer_need_a_record_and_follow_it() {
    let people: Vec<&str> = WHOLE
        .lines()
        .skip_while(|line| *line != "records:")
        .skip(1)
        .filter_map(|line| line.trim().split_once(':').map(|(key, _)| key))
        .collect();
    assert!(people.len() >= 14, "{people:?}");
    for key in people {
        let without = answers(&recorded(key, None));
        let without = line(&without, key);
        assert_eq!(without.answer, Answer::Unknown, "{without:#?}");
        assert!(without.needs.contains(&format!("records: {{{key}: {{on: DATE")), "{without:#?}");

        let refused = answers(&recorded(key, Some("{on: 2026-08-01, by: audit, answer: false, note: not yet}")));
        let refused = line(&refused, key);
        assert_eq!(refused.answer, Answer::No, "{refused:#?}");
        assert!(refused.because.contains("no on record on 2026-08-01 by audit (not yet)"), "{refused:#?}");

        let planned = answers(&recorded(key, Some("{on: 2027-01-01, by: audit}")));
        let planned = line(&planned, key);
        assert_eq!(planned.answer, Answer::Unknown, "{planned:#?}");
        assert!(planned.needs.contains("of a day that has come"), "{planned:#?}");
    }
}

#[test]
fn a_record_never_overrules_the_design() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("surge-rehearsed", &[("10.80.0.0/24, routeTable", "10.80.0.0/29, routeTable")]),
        ("policy-enforcement-tested", &[("networkPolicy: calico", "networkPolicy: none")]),
        ("mode-documented", &[("mode: podSubnet", "mode: kubenet"), (", podSubnet: spoke/pods", "")]),
        ("platform-services-resolve-privately", &[("links: [spoke]", "links: [hub]")]),
    ];
    for (key, changes) in cases {
        let lines = answers(&changed(changes));
        let line = line(&lines, key);
        assert_eq!(line.answer, Answer::No, "{line:#?}");
        assert!(line.because.contains("yes on record on 2026-09-01"), "{line:#?}");
        assert!(line.because.contains("which the design disproves"), "{line:#?}");
    }
}

#[test]
fn nobody_can_vouch_for_what_the_design_leaves_open() {
    let changes: &[(&str, &str)] = &[
        ("prefixes: [10.200.0.0/16]}", "prefixes: []}"),
        ("records:\n", "records:\n  ranges-disjoint: {on: 2026-09-01, by: network team}\n"),
    ];
    let lines = answers(&changed(changes));
    let line = line(&lines, "ranges-disjoint");
    assert_eq!(line.answer, Answer::Unknown, "{line:#?}");
    assert!(line.because.contains("by network team, which the design can't confirm"), "{line:#?}");
}

#[test]
fn an_accepted_finding_keeps_its_line_at_no() {
    let design = changed(&[("172.16.0", "172.30.0")])
        + "accept: [{finding: reserved-range, on: clusters.prod, because: it has always worked}]\n";
    let lines = answers(&design);
    let line = line(&lines, "ranges-disjoint");
    assert_eq!(line.answer, Answer::No, "{line:#?}");
    assert!(line.because.contains("accepted: it has always worked"), "{line:#?}");
}

#[test]
fn one_answer_for_all_clusters_names_the_ones_it_comes_from() {
    let second = "
  test:
    mode: overlay
    dataplane: azure
    networkPolicy: none
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    outbound: {type: loadBalancer}
    pools:
      system: {nodes: {count: 3}, maxPods: 30, maxSurge: 1, subnet: spoke/nodes, os: windows}
growth:";
    let lines = answers(&changed(&[("\ngrowth:", second)]));
    let enforcement = line(&lines, "policy-enforcement-tested");
    assert_eq!(enforcement.answer, Answer::No);
    assert!(enforcement.because.contains("`test` has no engine"), "{enforcement:#?}");
    let windows = line(&lines, "windows-differences-known");
    assert_eq!(windows.answer, Answer::Unknown);
    assert!(windows.because.contains("Windows pools of `test`"), "{windows:#?}");
    let ingress = line(&lines, "ingress-exposure-intended");
    assert_eq!(ingress.answer, Answer::Unknown);
    assert!(ingress.needs.contains("`clusters.test.ingress`"), "{ingress:#?}");
}

#[test]
fn a_design_that_says_nothing_proves_nothing() {
    for design in ["causeway: 1\n", "causeway: 1\nclusters: {c: {}}\n", "causeway: 1\nclusters: {c: {mode: overlay}}\n"]
    {
        for line in answers(design) {
            let allowed: &[Answer] =
                if line.key == "outbound-explicit" { &[Answer::Unknown, Answer::No] } else { &[Answer::Unknown] };
            assert!(allowed.contains(&line.answer), "{design}: {line:#?}");
            assert_eq!(line.needs.is_empty(), line.answer != Answer::Unknown, "{design}: {line:#?}");
        }
    }
}
