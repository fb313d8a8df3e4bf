//! Ports by outbound type, and the numbers of the outbound configuration.

use super::{Plan, codes, snat};

/// Load balancer ports: nodes, surge, ports, addresses; ports per node, needed, available, largest, fewest addresses, fits.
#[test]
fn load_balancer_ports() {
    type Row = (
        &'static str,
        u64,
        u64,
        Option<u64>,
        u64,
        (Option<u64>, Option<u64>, Option<u64>, Option<u64>, Option<u64>, Option<bool>),
    );
    let rows: [Row; 12] = [
        ("snat.aks-50", 49, 1, None, 1, (Some(1024), Some(51_200), Some(64_000), Some(1280), Some(1), Some(true))),
        ("snat.table-1", 1, 0, None, 1, (Some(1024), Some(1024), Some(64_000), Some(64_000), Some(1), Some(true))),
        ("snat.table-6", 1000, 0, None, 1, (Some(32), Some(32_000), Some(64_000), Some(64), Some(1), Some(true))),
        (
            "snat.100vms-2fe",
            100,
            0,
            None,
            2,
            (Some(1024), Some(102_400), Some(128_000), Some(1280), Some(2), Some(true)),
        ),
        ("above the table", 1001, 0, None, 1, (None, None, Some(64_000), Some(56), None, Some(false))),
        (
            "snat.explicit-4000-2",
            32,
            0,
            Some(4000),
            2,
            (Some(4000), Some(128_000), Some(128_000), Some(4000), Some(2), Some(true)),
        ),
        (
            "snat.explicit-4000-2, one more",
            33,
            0,
            Some(4000),
            2,
            (Some(4000), Some(132_000), Some(128_000), Some(3872), Some(3), Some(false)),
        ),
        (
            "snat.surge-check",
            100,
            2,
            Some(4000),
            7,
            (Some(4000), Some(408_000), Some(448_000), Some(4392), Some(7), Some(true)),
        ),
        (
            "snat.infeasible-9-8000",
            9,
            0,
            Some(8000),
            1,
            (Some(8000), Some(72_000), Some(64_000), Some(7104), Some(2), Some(false)),
        ),
        (
            "snat.rounding",
            63,
            0,
            Some(1024),
            1,
            (Some(1024), Some(64_512), Some(64_000), Some(1008), Some(2), Some(false)),
        ),
        (
            "snat.rounding, floor",
            62,
            0,
            Some(1024),
            1,
            (Some(1024), Some(63_488), Some(64_000), Some(1032), Some(1), Some(true)),
        ),
        (
            "snat.ports-multiple",
            3,
            0,
            Some(1001),
            1,
            (Some(1001), Some(3003), Some(64_000), Some(21_328), None, Some(false)),
        ),
    ];
    for (name, nodes, surge, ports, ips, expected) in rows {
        let pools = format!("a: {{nodes: {nodes}, maxPods: 30, maxSurge: {surge}, maxUnavailable: 1}}");
        let ports = ports.map_or(String::new(), |ports| format!(", portsPerNode: {ports}"));
        let outbound = format!("{{type: loadBalancer, ips: {ips}{ports}}}");
        let answer =
            Plan { nodes: "prefix: 10.80.0.0/20", pools: &pools, outbound: &outbound, ..Plan::default() }.ask();
        let snat = snat(&answer);
        assert_eq!(snat.effective_nodes, Some(nodes + surge), "{name}");
        let got = (
            snat.ports_per_node,
            snat.ports_needed,
            snat.ports_available,
            snat.largest_valid_ports_per_node,
            snat.smallest_ip_count,
            snat.fits,
        );
        assert_eq!(got, expected, "{name}: {:#?}", snat.because);
        let refused =
            codes(&answer).iter().any(|code| matches!(*code, "snat-budget-exceeded" | "outbound-setting-out-of-range"));
        assert_eq!(refused, snat.fits == Some(false), "{name}: {:?}", codes(&answer));
    }
}

/// Automatic allocation: nodes now, at most, addresses, whether ports are taken away.
#[test]
fn ports_halve() {
    for (name, now, max, ips, halves) in [
        ("snat.48-to-52", 48, 52, 1, true),
        ("within a row", 40, 48, 1, false),
        ("surge crosses the row", 48, 50, 1, true),
        ("two addresses keep the ceiling", 48, 52, 2, false),
        ("two addresses, next row", 98, 102, 2, true),
    ] {
        let pools = format!("a: {{nodes: {{count: {now}, min: 1, max: {max}}}, maxPods: 30, maxSurge: 1}}");
        let outbound = format!("{{type: loadBalancer, ips: {ips}}}");
        let answer = Plan { pools: &pools, outbound: &outbound, ..Plan::default() }.ask();
        assert_eq!(codes(&answer).contains(&"snat-ports-halve"), halves, "{name}");
    }
}

/// Addresses that can't be counted are not taken for one: nothing is refused, and nothing is said to fit.
#[test]
fn a_number_of_addresses_that_is_not_known_is_not_assumed() {
    let cases = [
        ("{type: loadBalancer, ipsKnown: false, portsPerNode: 4000}", Some(176_000), Some(3)),
        ("{type: loadBalancer, ipsKnown: false}", None, None),
        ("{type: managedNATGateway, ipsKnown: false}", None, None),
    ];
    for (outbound, needed, fewest) in cases {
        let answer = Plan {
            nodes: "prefix: 10.80.0.0/20",
            pools: "a: {nodes: {count: 4, min: 1, max: 40}, maxPods: 30, maxSurge: 4, maxUnavailable: 1}",
            outbound,
            ..Plan::default()
        }
        .ask();
        let snat = snat(&answer);
        let got = (snat.ports_needed, snat.ports_available, snat.smallest_ip_count, snat.fits);
        assert_eq!(got, (needed, None, fewest, None), "{outbound}: {:#?}", snat.because);
        assert!(snat.because.iter().any(|line| line.ends_with("not known")), "{:#?}", snat.because);
        let said = codes(&answer);
        assert!(!said.iter().any(|code| code.starts_with("snat-")), "{outbound}: {said:?}");
    }
}

#[test]
fn no_headroom_is_said_when_not_one_more_node_fits() {
    for (nodes, ports, expected) in
        [(7, 8000, vec!["snat-budget-has-no-headroom"]), (7, 4000, vec![]), (8, 8000, vec!["snat-budget-exceeded"])]
    {
        let pools = format!("a: {{nodes: {nodes}, maxPods: 30, maxSurge: 1}}");
        let outbound = format!("{{type: loadBalancer, ips: 1, portsPerNode: {ports}}}");
        let answer = Plan { pools: &pools, outbound: &outbound, ..Plan::default() }.ask();
        assert_eq!(codes(&answer), expected, "{nodes} x {ports}");
    }
}

/// Settings: outbound, whether it is accepted.
#[test]
fn outbound_settings() {
    for (outbound, accepted) in [
        ("{type: loadBalancer, idleTimeoutMinutes: 45}", true),
        ("{type: loadBalancer, idleTimeoutMinutes: 4}", true),
        ("{type: loadBalancer, idleTimeoutMinutes: 120}", true),
        ("{type: loadBalancer, idleTimeoutMinutes: 3}", false),
        ("{type: loadBalancer, idleTimeoutMinutes: 121}", false),
        ("{type: loadBalancer, ips: 100}", true),
        ("{type: loadBalancer, ips: 101}", false),
        ("{type: loadBalancer, ips: 0}", false),
        ("{type: loadBalancer, portsPerNode: 0}", true),
        ("{type: loadBalancer, portsPerNode: 1000}", true),
        ("{type: loadBalancer, portsPerNode: 1001}", false),
        ("{type: loadBalancer, portsPerNode: 64008}", false),
        ("{type: managedNATGateway, ips: 16}", true),
        ("{type: managedNATGateway, ips: 17}", false),
        ("{type: managedNATGateway, ips: 0}", false),
        ("{type: managedNATGateway, idleTimeoutMinutes: 121}", false),
    ] {
        let answer = Plan { outbound, ..Plan::default() }.ask();
        assert_eq!(!codes(&answer).contains(&"outbound-setting-out-of-range"), accepted, "{outbound}");
    }
}

#[test]
fn lb_idle_annotation() {
    for (minutes, accepted) in [("31", false), ("30", true), ("4", true), ("3", false), ("ten", false)] {
        let cluster = format!(
            "    services: [{{name: a, type: LoadBalancer, clusterIp: 172.16.0.20, ports: [tcp/80], annotations: {{service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout: \"{minutes}\"}}}}]"
        );
        let answer = Plan { cluster: &cluster, ..Plan::default() }.ask();
        assert_eq!(!codes(&answer).contains(&"outbound-setting-out-of-range"), accepted, "{minutes}");
    }
}

const LOADED: &str = "causeway: 1
name: loaded
networks:
  spoke:
    prefixes: [10.80.0.0/16]
    subnets:
      nodes: {prefix: 10.80.0.0/22, NODES}
  corp: {kind: onPremises, prefixes: [10.200.0.0/16]}
EGRESS
hosts:
  bank: {ip: 198.51.100.80, network: internet}
  erp: {ip: 10.200.1.5, network: corp}
clusters:
  prod:
    mode: overlay
    podCidr: 10.244.0.0/14
    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    outbound: OUTBOUND
    pools:
      a: {nodes: 40, maxPods: 30, maxSurge: 1, subnet: spoke/nodes}
    pods:
      - {name: app, namespace: pay, ip: 10.244.0.9}
loads:
LOADS
";

fn loaded(nodes: &str, egress: &str, outbound: &str, loads: &[&str]) -> super::Answer {
    let loads: String = loads.iter().map(|load| format!("  - {{{load}}}\n")).collect();
    super::ask(
        &LOADED
            .replace("NODES", nodes)
            .replace("EGRESS", egress)
            .replace("OUTBOUND", outbound)
            .replace("LOADS\n", &loads),
    )
}

const BANK: &str = "from: pool/prod/a, to: host/bank:443";

#[test]
fn natgw_16() {
    let answer = loaded(
        "natGateway: out",
        "natGateways: {out: {publicIpCount: 16}}",
        "{type: userAssignedNATGateway}",
        &[&format!("{BANK}, concurrent: 10")],
    );
    let snat = snat(&answer);
    assert_eq!(snat.ports_available, Some(1_032_192));
    assert_eq!((snat.ports_per_node, snat.largest_valid_ports_per_node), (None, None));
    assert_eq!((snat.ports_needed, snat.smallest_ip_count, snat.fits), (Some(10), Some(1), Some(true)));
}

#[test]
fn what_applications_need_is_not_claimed_without_loads() {
    for (outbound, nodes, egress, available) in [
        (
            "{type: userAssignedNATGateway}",
            "natGateway: out",
            "natGateways: {out: {publicIps: [203.0.113.1, 203.0.113.2]}}",
            Some(129_024),
        ),
        ("{type: userAssignedNATGateway}", "natGateway: out", "natGateways: {out: {idleTimeoutMinutes: 4}}", None),
        ("{type: managedNATGateway, ips: 2}", "", "", Some(129_024)),
        ("{type: none}", "", "", None),
    ] {
        let nodes = if nodes.is_empty() { "other: {}" } else { nodes };
        let answer = loaded(nodes, egress, outbound, &["from: pool/prod/a, to: host/erp:443, concurrent: 90000"]);
        let snat = snat(&answer);
        assert_eq!(snat.ports_available, available, "{outbound} {egress}");
        assert_eq!(
            (snat.ports_needed, snat.smallest_ip_count, snat.fits),
            (None, None, None),
            "private destinations take no port: {outbound}"
        );
        assert!(!codes(&answer).iter().any(|code| code.starts_with("snat")), "{outbound}: {:?}", codes(&answer));
    }
}

/// NAT gateway with one address: load, ports, addresses, finding.
#[test]
fn nat_gateway_loads() {
    for (load, ports, ips, code) in [
        ("concurrent: 10000", 10_000, 1, None),
        ("concurrent: 1000, perSecond: 10, seconds: 200", 2000 + 650, 1, None),
        ("perSecond: 900", 58_500, 1, Some("snat-budget-has-no-headroom")),
        ("perSecond: 1000", 65_000, 2, Some("snat-budget-exceeded")),
        ("concurrent: 50001", 50_001, 2, Some("snat-budget-exceeded")),
        ("concurrent: 50000", 50_000, 1, None),
    ] {
        for (nodes, egress, outbound, object) in [
            (
                "natGateway: out",
                "natGateways: {out: {publicIps: [203.0.113.1]}}",
                "{type: userAssignedNATGateway}",
                "natGateways.out",
            ),
            ("other: {}", "", "{type: managedNATGateway, ips: 1}", "clusters.prod.outbound.ips"),
        ] {
            let answer = loaded(nodes, egress, outbound, &[&format!("{BANK}, {load}")]);
            let snat = snat(&answer);
            assert_eq!((snat.ports_needed, snat.smallest_ip_count), (Some(ports), Some(ips)), "{load} {outbound}");
            assert_eq!(snat.fits, Some(ips == 1), "{load} {outbound}");
            let got: Vec<_> = codes(&answer).into_iter().filter(|code| code.starts_with("snat")).collect();
            assert_eq!(got, Vec::from_iter(code), "{load} {outbound}");
            if let Some(code) = code {
                assert_eq!(super::found(&answer, code)[0].object, object);
            }
        }
    }
}

#[test]
fn ports_are_taken_per_destination() {
    let loads = [
        "from: pool/prod/a, to: host/bank:443, concurrent: 40000",
        "from: pool/prod/a, to: host/bank:8443, concurrent: 30000",
        "from: pod/pay/app, to: host/bank:443, concurrent: 500",
    ];
    let answer = loaded(
        "natGateway: out",
        "natGateways: {out: {publicIps: [203.0.113.1]}}",
        "{type: userAssignedNATGateway}",
        &loads,
    );
    assert_eq!(snat(&answer).ports_needed, Some(40_500));
}

/// Load balancer: loads, ports per node, finding.
#[test]
fn load_balancer_loads() {
    for (loads, outbound, code) in [
        (vec!["from: pool/prod/a, to: host/bank:443, concurrent: 30000"], "{type: loadBalancer, ips: 1}", None),
        (
            vec!["from: pool/prod/a, to: host/bank:443, concurrent: 42000"],
            "{type: loadBalancer, ips: 1}",
            Some("snat-budget-exceeded"),
        ),
        (
            vec!["from: pod/pay/app, to: host/bank:443, concurrent: 1025"],
            "{type: loadBalancer, ips: 1}",
            Some("snat-budget-exceeded"),
        ),
        (
            vec!["from: pod/pay/app, to: host/bank:443, concurrent: 1000"],
            "{type: loadBalancer, ips: 1}",
            Some("snat-budget-has-no-headroom"),
        ),
        (vec!["from: pod/pay/app, to: host/bank:443, concurrent: 900"], "{type: loadBalancer, ips: 1}", None),
        (
            vec!["from: pod/pay/app, to: host/bank:443, perSecond: 50, seconds: 30, concurrent: 400"],
            "{type: loadBalancer, ips: 1}",
            Some("snat-budget-exceeded"),
        ),
        (vec!["from: pod/pay/app, to: host/erp:443, concurrent: 9000"], "{type: loadBalancer, ips: 1}", None),
        (
            vec!["from: pod/pay/app, to: \"198.51.100.9:443\", concurrent: 1500"],
            "{type: loadBalancer, ips: 1}",
            Some("snat-budget-exceeded"),
        ),
        (vec!["from: pod/pay/app, to: \"10.80.9.9:443\", concurrent: 1500"], "{type: loadBalancer, ips: 1}", None),
        (
            vec!["from: pod/pay/app, to: host/bank:443, concurrent: 1500"],
            "{type: loadBalancer, ips: 2, portsPerNode: 2000}",
            None,
        ),
    ] {
        let answer = loaded("other: {}", "", outbound, &loads);
        let got: Vec<_> = codes(&answer).into_iter().filter(|code| code.starts_with("snat")).collect();
        assert_eq!(got, Vec::from_iter(code), "{loads:?} {outbound}");
    }
}

const FIREWALL: &str =
    "routeTables: {out: {routes: [{name: default, prefix: 0.0.0.0/0, nextHop: {appliance: 10.80.8.4}}]}}
firewalls: {fw: {kind: azureFirewall, privateIp: 10.80.8.4, publicIpCount: COUNT, snat: internet}}";

/// Azure Firewall: addresses, load, ports available, needed, fits, exhausted.
#[test]
fn firewall_ports() {
    for (name, count, load, available, needed, fits, exhausted) in [
        ("fw.ports-20", 20, "to: host/bank:443, concurrent: 49920", 49_920, Some(49_920), Some(true), false),
        ("one more", 20, "to: host/bank:443, concurrent: 49921", 49_920, Some(49_921), Some(false), true),
        (
            "private destinations pass untranslated",
            20,
            "to: host/erp:443, concurrent: 90000",
            49_920,
            None,
            None,
            false,
        ),
        ("enough for the nodes", 1, "to: host/erp:443, concurrent: 1", 2496, None, None, false),
    ] {
        let egress = FIREWALL.replace("COUNT", &count.to_string());
        let answer =
            loaded("routeTable: out", &egress, "{type: userDefinedRouting}", &[&format!("from: pool/prod/a, {load}")]);
        let snat = snat(&answer);
        assert_eq!((snat.ports_available, snat.ports_needed, snat.fits), (Some(available), needed, fits), "{name}");
        assert_eq!(codes(&answer).contains(&"firewall-snat-exhausted"), exhausted, "{name}");
    }
}

#[test]
fn a_firewall_with_less_than_a_load_balancers_least_share_is_said() {
    let egress = FIREWALL.replace("COUNT", "1");
    let text = LOADED
        .replace("NODES", "routeTable: out")
        .replace("EGRESS", &egress)
        .replace("OUTBOUND", "{type: userDefinedRouting}")
        .replace("loads:\nLOADS\n", "");
    assert!(!codes(&super::ask(&text)).contains(&"firewall-snat-exhausted"), "60 ports a node");
    let answer = super::ask(&text.replace("nodes: 40", "nodes: 300"));
    let found = super::found(&answer, "firewall-snat-exhausted");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].object, "firewalls.fw.publicIps");
    assert!(found[0].message.contains("301 nodes share the 2496 ports"), "{}", found[0].message);
}

#[test]
fn a_nat_gateway_takes_precedence_over_the_load_balancer() {
    let load = format!("{BANK}, concurrent: 60000");
    let plain = loaded("other: {}", "", "{type: loadBalancer, ips: 1}", &[&load]);
    assert!(codes(&plain).contains(&"snat-budget-exceeded"));
    let gateway = "natGateways: {out: {publicIps: [203.0.113.1]}}";
    let answer = loaded("natGateway: out", gateway, "{type: loadBalancer, ips: 1}", &[&load]);
    assert!(!codes(&answer).contains(&"snat-budget-exceeded"), "{:?}", codes(&answer));
    assert!(snat(&answer).because.iter().any(|line| line.contains("takes precedence")));
}
