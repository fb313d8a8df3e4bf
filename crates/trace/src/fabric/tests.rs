//! A hub with a firewall and a gateway, two spokes that do not know each other, a site: small changes and what becomes of packets.

use super::routes::{Chosen, Doubt};
use crate::answer::Owner;
use crate::ask::{Question, ask};
use crate::world::World;
use causeway_dataplane::packet::Protocol;
use causeway_model::design::*;
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};

const BASE: &str = r#"
causeway: 1
name: fabric
networks:
  hub:
    prefixes: [10.10.0.0/16]
    gateway: {kind: vpn, connects: [corp]}
    subnets:
      AzureFirewallSubnet: {prefix: 10.10.0.0/26}
      servers: {prefix: 10.10.4.0/24 #servers
      }
  one:
    prefixes: [10.1.0.0/16]
    subnets:
      work: {prefix: 10.1.0.0/24, defaultOutboundAccess: false #one
      }
      ends: {prefix: 10.1.9.0/27 #ends
      }
  two:
    prefixes: [10.2.0.0/16]
    subnets:
      work: {prefix: 10.2.0.0/24 #two
      }
  corp: {kind: onPremises, prefixes: [10.200.0.0/16] #site
  }
peerings:
  - {between: [one, hub], gatewayTransit: hub, forwardedTraffic: true #p1
  }
  - {between: [two, hub], gatewayTransit: hub, forwardedTraffic: true #p2
  }
routeTables:
  out: {routes: [{name: default, prefix: 0.0.0.0/0, nextHop: {appliance: 10.10.0.4}}]}
  toOne: {routes: [{name: one, prefix: 10.1.0.0/16, nextHop: {appliance: 10.10.0.4}}]}
  drop: {routes: [{name: hole, prefix: 10.10.4.0/24, nextHop: none}]}
  still: {bgpPropagation: false, routes: []}
  circle: {routes: [{name: back, prefix: 10.2.0.0/16, nextHop: {appliance: 10.10.0.4}}]}
  stranger: {routes: [{name: nva, prefix: 10.10.4.0/24, nextHop: {appliance: 10.10.9.9}}]}
  tagged: {routes: [{name: cloud, prefix: AzureCloud, nextHop: {appliance: 10.10.0.4}}]}
  wide: {routes: [{name: ends, prefix: 10.0.0.0/8, nextHop: {appliance: 10.10.0.4}}]}
networkSecurityGroups:
  closed:
    rules:
      - {name: no-in, priority: 200, direction: inbound, access: deny, protocol: "*", source: "*", destination: "*", ports: "*"}
      - {name: no-out, priority: 200, direction: outbound, access: deny, protocol: "*", source: "*", destination: "*", ports: "*"}
  sql:
    rules:
      - {name: sql, priority: 100, direction: inbound, access: allow, protocol: tcp, source: 10.1.0.0/24, destination: "*", ports: [1433]}
      - {name: no-in, priority: 200, direction: inbound, access: deny, protocol: "*", source: "*", destination: "*", ports: "*"}
      - {name: no-out, priority: 200, direction: outbound, access: deny, protocol: "*", source: "*", destination: "*", ports: "*"}
  members:
    rules:
      - {name: group, priority: 100, direction: inbound, access: deny, protocol: tcp, source: "asg:a", destination: "*", ports: [1433]}
  plain: {rules: []}
natGateways:
  nat: {publicIps: [203.0.113.10], idleTimeoutMinutes: 10}
  dark: {}
firewalls:
  fw: {kind: azureFirewall, subnet: hub/AzureFirewallSubnet, privateIp: 10.10.0.4, publicIps: [203.0.113.77], SNAT rules: [RULES], dnat: [{name: in, publicIp: 203.0.113.77, protocol: tcp, port: 80, to: 10.1.0.10, toPort: 8080}]}
hosts:
  a: {ip: 10.1.0.10, network: one, listens: [tcp/8080]}
  b: {ip: 10.2.0.10, network: two, listens: [tcp/8080]}
  sql: {ip: 10.10.4.20, network: hub, listens: [tcp/1433]}
  erp: {ip: 10.200.1.5, network: corp, listens: [tcp/443]}
  bank: {ip: 198.51.100.80, network: internet, listens: [tcp/443]}
privateEndpoints:
  vault: {ip: 10.1.9.4, subnet: one/ends, listens: [tcp/443] #vault
  }
"#;

const ALL: &str = r#"{name: all, source: "*", destination: "*", protocol: "*", ports: "*", access: allow}"#;

/// The base with some of its `#marks` replaced.
fn design(changes: &[(&str, &str)]) -> Design {
    let mut text = BASE.to_owned();
    for (mark, value) in changes {
        text = text.replace(&format!(" #{mark}\n"), &format!(", {value}\n"));
        text = text.replace(&format!(" {mark} "), &format!(" {value} "));
        text = text.replace(&format!("[{mark}]"), &format!("[{value}]"));
    }
    let text = text.replace("[RULES]", &format!("[{ALL}]")).replace(" SNAT ", " ");
    let input = Input { name: "d.yaml".to_owned(), bytes: text.clone().into_bytes(), kind: None, found: false };
    match load(vec![input], &MemoryFiles::default()).outcome {
        Ok(read) => read.design,
        Err(errors) => panic!("{errors:#?}\n{text}"),
    }
}

fn told(changes: &[(&str, &str)], from: &str, to: &str, port: u16, protocol: Option<Protocol>) -> String {
    let design = design(changes);
    let world = World::new(&design);
    let question = Question {
        from: from.to_owned(),
        to: to.to_owned(),
        port: (port > 0).then_some(port),
        protocol,
        family: None,
        strict: false,
    };
    let trace = ask(&world, &question).unwrap_or_else(|error| panic!("{error:?}"));
    let seen = trace.source_seen.map_or("-".to_owned(), |source| source.to_string());
    let stopped: Vec<String> = trace
        .obstacles
        .iter()
        .map(|obstacle| format!("{} {}", obstacle.decision.owner, obstacle.decision.object))
        .collect();
    format!("{} {seen} [{}] missing {}", trace.verdict, stopped.join(", "), trace.missing.len())
}

/// Changes, sender, receiver, port, and what becomes of it.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str, u16, &'a str);

fn hold(cases: &[Case]) {
    for (changes, from, to, port, expected) in cases {
        assert_eq!(told(changes, from, to, *port, None), *expected, "{changes:?} {from} -> {to}");
    }
}

#[test]
fn peers_reach_each_other_and_peers_of_peers_do_not() {
    hold(&[
        (&[], "host/a", "host/sql", 1433, "delivered 10.1.0.10 [] missing 0"),
        (
            &[("p1", "connected: false")],
            "host/a",
            "host/erp",
            443,
            "dropped - [system-route peerings.0.gatewayTransit, remote-router peerings.0.gatewayTransit] missing 0",
        ),
        (
            &[("p1", "only: {one: [10.1.9.0/27]}")],
            "host/a",
            "host/sql",
            1433,
            "replyLost 10.1.0.10 [system-route peerings.0.only] missing 0",
        ),
        (&[], "host/a", "host/b", 8080, "dropped - [system-route networks.one, system-route networks.two] missing 0"),
    ]);
}

#[test]
fn a_route_of_a_user_decides_where_it_is_at_least_as_long() {
    hold(&[
        // A default route does not lead past the peering's own; a longer one does.
        (&[("one", "routeTable: out")], "host/a", "host/sql", 1433, "delivered 10.1.0.10 [] missing 0"),
        (
            &[("one", "routeTable: drop")],
            "host/a",
            "host/sql",
            1433,
            "dropped - [udr routeTables.drop.routes.0] missing 0",
        ),
        (&[("one", "routeTable: stranger")], "host/a", "host/sql", 1433, "uncertain - [] missing 1"),
        (
            &[("one", "routeTable: still")],
            "host/a",
            "host/erp",
            443,
            "dropped - [system-route routeTables.still.bgpPropagation] missing 0",
        ),
    ]);
}

#[test]
fn spokes_meet_over_a_firewall_that_sees_both_directions() {
    let both: &[(&str, &str)] = &[("one", "routeTable: out"), ("two", "routeTable: out")];
    let half: &[(&str, &str)] = &[("one", "routeTable: out")];
    hold(&[
        (both, "host/a", "host/b", 8080, "delivered 10.1.0.10 [] missing 0"),
        (half, "host/a", "host/b", 8080, "replyLost 10.1.0.10 [system-route networks.two] missing 0"),
        (
            &[("one", "routeTable: out"), ("two", "routeTable: toOne")],
            "host/a",
            "host/b",
            8080,
            "delivered 10.1.0.10 [] missing 0",
        ),
        // The firewall takes the sender's place: any answer comes back over it.
        (
            &[("one", "routeTable: out"), ("SNAT", "snat: always,")],
            "host/a",
            "host/b",
            8080,
            "delivered 10.10.0.4 [] missing 0",
        ),
        (
            &[
                ("one", "routeTable: out"),
                ("two", "routeTable: out"),
                (
                    "RULES",
                    r#"{name: no, source: "*", destination: 10.2.0.0/16, protocol: "*", ports: "*", access: deny}"#,
                ),
            ],
            "host/a",
            "host/b",
            8080,
            "dropped - [azure-firewall firewalls.fw.rules.0] missing 0",
        ),
    ]);
}

#[test]
fn a_stateful_firewall_drops_answers_to_what_it_never_saw() {
    hold(&[(
        &[("servers", "routeTable: toOne")],
        "host/a",
        "host/sql",
        1433,
        "asymmetricDrop 10.1.0.10 [azure-firewall firewalls.fw] missing 0",
    )]);
}

#[test]
fn sites_answer_whom_they_know() {
    hold(&[
        (&[], "host/a", "host/erp", 443, "delivered 10.1.0.10 [] missing 0"),
        (&[], "host/erp", "host/a", 8080, "delivered 10.200.1.5 [] missing 0"),
        (
            &[("site", "knows: [10.10.0.0/16]")],
            "host/a",
            "host/erp",
            443,
            "replyLost 10.1.0.10 [remote-router networks.corp.knows] missing 0",
        ),
        (
            &[("site", "knows: [10.10.0.0/16]")],
            "host/erp",
            "host/a",
            8080,
            "dropped - [remote-router networks.corp.knows] missing 0",
        ),
    ]);
}

#[test]
fn groups_are_asked_once_and_remember() {
    hold(&[
        (&[("servers", "nsg: sql")], "host/a", "host/sql", 1433, "delivered 10.1.0.10 [] missing 0"),
        (
            &[("servers", "nsg: sql")],
            "host/b",
            "host/sql",
            1433,
            "dropped - [nsg networkSecurityGroups.sql.rules.1] missing 0",
        ),
        (&[("servers", "nsg: members")], "host/a", "host/sql", 1433, "uncertain - [] missing 1"),
        (&[("servers", "nsg: plain")], "host/erp", "host/sql", 1433, "delivered 10.200.1.5 [] missing 0"),
        // Both ends say no: both are told.
        (
            &[("one", "nsg: closed"), ("servers", "nsg: closed")],
            "host/a",
            "host/sql",
            1433,
            "dropped - [nsg networkSecurityGroups.closed.rules.1, nsg networkSecurityGroups.closed.rules.0] missing 0",
        ),
    ]);
}

#[test]
fn who_leaves_for_the_internet_is_seen_with_an_address_that_is_known_or_none() {
    hold(&[
        (&[("one", "natGateway: nat")], "host/a", "host/bank", 443, "delivered 203.0.113.10 [] missing 0"),
        (&[("one", "natGateway: dark")], "host/a", "host/bank", 443, "delivered - [] missing 0"),
        (&[("one", "routeTable: out")], "host/a", "host/bank", 443, "delivered 203.0.113.77 [] missing 0"),
        (
            &[],
            "host/a",
            "host/bank",
            443,
            "dropped - [platform networks.one.subnets.work.defaultOutboundAccess] missing 0",
        ),
        (&[], "host/b", "host/bank", 443, "uncertain - [] missing 1"),
    ]);
    let ping = |changes: &[(&str, &str)]| told(changes, "host/a", "host/bank", 0, Some(Protocol::Icmp));
    assert!(ping(&[("one", "natGateway: nat")]).contains("missing 1"), "the SKU is not known");
}

#[test]
fn the_internet_comes_in_where_something_is_published() {
    hold(&[
        (&[], "host/bank", "203.0.113.77", 80, "delivered 10.10.0.4 [] missing 0"),
        (&[], "host/bank", "203.0.113.77", 81, "dropped - [azure-firewall firewalls.fw.dnat] missing 0"),
    ]);
    assert!(told(&[], "host/bank", "host/a", 8080, None).starts_with("dropped - [system-route "));
}

#[test]
fn private_endpoints_are_past_routes_and_groups_unless_their_subnet_says_otherwise() {
    let closed: &[(&str, &str)] = &[("ends", "nsg: closed")];
    hold(&[
        (closed, "host/a", "10.1.9.4", 443, "delivered 10.1.0.10 [] missing 0"),
        (
            &[("ends", "nsg: closed, privateEndpointPolicies: enabled")],
            "host/a",
            "10.1.9.4",
            443,
            "dropped - [nsg networkSecurityGroups.closed.rules.0] missing 0",
        ),
    ]);
}

fn chosen<'a>(world: &World<'a>, design: &'a Design, subnet: &str, to: &str) -> (Chosen<'a>, Option<Doubt<'a>>) {
    let (network, subnet) = subnet.split_once('/').unwrap();
    let (network, value) = design.networks.get_key_value(network).unwrap();
    let subnet = value.subnets.get_key_value(subnet).unwrap();
    world.routes.choose(world, network, Some(subnet), to.parse().unwrap())
}

#[test]
fn the_longest_prefix_then_the_user() {
    let design = design(&[("one", "routeTable: out"), ("servers", "routeTable: wide"), ("two", "routeTable: still")]);
    let world = World::new(&design);
    for (subnet, to, prefix, owner) in [
        ("one/work", "10.1.0.5", "10.1.0.0/16", Owner::SystemRoute),
        ("one/work", "10.10.0.5", "10.10.0.0/16", Owner::SystemRoute),
        ("one/work", "10.200.0.5", "10.200.0.0/16", Owner::SystemRoute),
        // A default route takes the platform's private ranges away; without one they drop.
        ("one/work", "172.16.5.5", "0.0.0.0/0", Owner::Udr),
        ("two/work", "172.16.5.5", "172.16.0.0/12", Owner::SystemRoute),
        ("two/work", "100.64.0.1", "100.64.0.0/10", Owner::SystemRoute),
        ("two/work", "8.8.8.8", "0.0.0.0/0", Owner::SystemRoute),
        // The gateway's routes are not taken.
        ("two/work", "10.200.0.5", "10.0.0.0/8", Owner::SystemRoute),
        // The /32 of the endpoint wins over a user's route.
        ("hub/servers", "10.1.9.4", "10.1.9.4/32", Owner::PrivateEndpointRoute),
        ("hub/servers", "10.99.0.1", "10.0.0.0/8", Owner::Udr),
    ] {
        let (chosen, doubt) = chosen(&world, &design, subnet, to);
        assert_eq!(
            (chosen.prefix.to_string().as_str(), chosen.owner(), doubt),
            (prefix, owner, None),
            "{subnet} -> {to}"
        );
    }
}

#[test]
fn routes_of_service_tags_matter_to_public_addresses_only() {
    let design = design(&[("two", "routeTable: tagged")]);
    let world = World::new(&design);
    assert!(matches!(chosen(&world, &design, "two/work", "8.8.8.8").1, Some(Doubt::Tag(_, 0))));
    assert_eq!(chosen(&world, &design, "two/work", "10.10.4.20").1, None);
}

#[test]
fn routes_that_lead_in_a_circle_are_said_to() {
    // The firewall's own subnet leads back to it.
    let base = design(&[("one", "routeTable: out"), ("two", "routeTable: out")]);
    let mut circle = base.clone();
    let firewall_subnet = circle.networks.get_mut("hub").unwrap().subnets.get_mut("AzureFirewallSubnet").unwrap();
    firewall_subnet.route_table = Some(RouteTableName::from("circle"));
    let world = World::new(&circle);
    let question = Question {
        from: "host/a".to_owned(),
        to: "host/b".to_owned(),
        port: Some(8080),
        protocol: None,
        family: None,
        strict: false,
    };
    let trace = ask(&world, &question).unwrap();
    assert_eq!(trace.verdict.as_str(), "dropped");
    assert_eq!(trace.decided_by.unwrap().object, "routeTables.circle.routes.0");
}

fn verdict(design: &Design, from: &str, to: &str, port: u16) -> (String, Vec<String>, usize) {
    let world = World::new(design);
    let question = Question {
        from: from.to_owned(),
        to: to.to_owned(),
        port: Some(port),
        protocol: None,
        family: None,
        strict: false,
    };
    let trace = ask(&world, &question).unwrap_or_else(|error| panic!("{error:?}"));
    let objects = trace.obstacles.iter().map(|obstacle| obstacle.decision.object.clone()).collect();
    (trace.verdict.to_string(), objects, trace.missing.len())
}

#[test]
fn what_is_only_known_to_exist_is_not_taken_for_empty() {
    let mut base = design(&[("one", "routeTable: out"), ("servers", "nsg: plain")]);
    assert_eq!(verdict(&base, "host/a", "host/sql", 1433), ("delivered".to_owned(), vec![], 0));
    base.route_tables.get_mut("out").unwrap().known = false;
    assert_eq!(verdict(&base, "host/a", "host/sql", 1433), ("uncertain".to_owned(), vec![], 1));
    base.security_groups.get_mut("plain").unwrap().known = false;
    assert_eq!(verdict(&base, "host/a", "host/sql", 1433), ("uncertain".to_owned(), vec![], 2));
}

#[test]
fn packets_that_did_not_start_in_a_network_need_the_peers_consent() {
    let mut base = design(&[("one", "routeTable: out"), ("two", "routeTable: out")]);
    base.peerings[1].forwarded_traffic = false;
    let (said, objects, _) = verdict(&base, "host/a", "host/b", 8080);
    assert_eq!((said.as_str(), objects), ("dropped", vec!["peerings.1.forwardedTraffic".to_owned()]));
    base.peerings[1].forwarded_into = Some(NetworkName::from("two"));
    assert_eq!(verdict(&base, "host/a", "host/b", 8080).0, "delivered");
}

const KUBENET: &str = r#"
causeway: 1
name: kubenet
networks:
  spoke:
    prefixes: [10.0.0.0/16]
    subnets:
      nodes: {prefix: 10.0.0.0/24, routeTable: pods, nsg: nodes}
      other: {prefix: 10.0.1.0/24}
routeTables:
  pods: {routes: []}
networkSecurityGroups:
  nodes: {rules: []}
clusters:
  old:
    mode: kubenet
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    outbound: {type: loadBalancer, ips: 1}
    pools: {system: {nodes: {count: 2}, subnet: spoke/nodes}}
    nodes:
      n1: {ip: 10.0.0.4, pool: system, podCidr: 10.244.0.0/24}
      n2: {ip: 10.0.0.5, pool: system, podCidr: 10.244.1.0/24}
    pods:
      - {name: web, namespace: shop, node: n1, ip: 10.244.0.9, labels: {app: web}, listens: [tcp/8080]}
    services:
      - {name: web, namespace: shop, type: LoadBalancer, clusterIp: 172.16.0.20, publicIp: 203.0.113.20, ports: [tcp/80->8080], selector: {app: web}, externalTrafficPolicy: Local, RANGES}
"#;

fn kubenet(ranges: &str) -> Design {
    let text = KUBENET.replace("RANGES", ranges);
    let input = Input { name: "d.yaml".to_owned(), bytes: text.into_bytes(), kind: None, found: false };
    load(vec![input], &MemoryFiles::default()).outcome.unwrap().design
}

#[test]
fn the_tables_of_kubenet_lead_to_nodes_and_others_do_not() {
    let design = kubenet("sourceRanges: []");
    let world = World::new(&design);
    let (found, _) = chosen(&world, &design, "spoke/nodes", "10.244.1.7");
    assert!(matches!(found.way, super::routes::Way::Node(_, node) if node.as_str() == "n2"), "{found:?}");
    let (found, _) = chosen(&world, &design, "spoke/other", "10.244.1.7");
    assert_eq!(found.way, super::routes::Way::Dropped);
}

#[test]
fn a_service_opens_the_interfaces_group_and_not_the_subnets() {
    let mut design = kubenet("sourceRanges: []");
    let (said, objects, _) = verdict(&design, "internet", "service/shop/web", 80);
    assert_eq!((said.as_str(), objects), ("dropped", vec!["networkSecurityGroups.nodes".to_owned()]));
    design.networks.get_mut("spoke").unwrap().subnets.get_mut("nodes").unwrap().nsg = None;
    assert_eq!(verdict(&design, "internet", "service/shop/web", 80).0, "delivered");
    let mut narrow = kubenet("sourceRanges: [198.51.100.0/30]");
    narrow.networks.get_mut("spoke").unwrap().subnets.get_mut("nodes").unwrap().nsg = None;
    let (said, objects, _) = verdict(&narrow, "internet", "service/shop/web", 80);
    assert_eq!((said.as_str(), objects[0].as_str()), ("dropped", "clusters.old.services.0.sourceRanges"));
}
