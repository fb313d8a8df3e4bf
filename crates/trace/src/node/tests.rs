//! Every mode with every class of destination in every family it has, each with its deny twin.

mod policies;
mod services;

use super::*;
use crate::answer::{Direction, Owner, Verdict};
use crate::story::{Story, reversed};
use crate::world::World;
use causeway_dataplane::packet::Protocol;
use causeway_model::design::*;
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};

fn design(text: &str) -> Design {
    let input = Input { name: "design.yaml".to_owned(), bytes: text.as_bytes().to_vec(), kind: None, found: false };
    match load(vec![input], &MemoryFiles::default()).outcome {
        Ok(read) => read.design,
        Err(errors) => panic!("{errors:#?}\n{text}"),
    }
}

/// A cluster of two nodes: `web` and `shop` on n1, `far` on n2. What differs by mode is filled in.
const BASE: &str = r#"
causeway: 1
name: nodes
networks:
  spoke:
    location: westeurope
    prefixes: [10.0.0.0/16, 192.168.0.0/16, "fd00:10::/48"]
    subnets:
      nodes: {prefix: [10.0.0.0/24, "fd00:10::/64"]}
      pods: {prefix: 192.168.0.0/20}
  hub: {prefixes: [10.10.0.0/16], subnets: {servers: {prefix: 10.10.1.0/24}}}
clusters:
  prod:
    location: westeurope
    MODE
    serviceCidr: SERVICE_CIDR
    EXTRA
    pools: {system: {nodes: {count: 2}, subnet: spoke/nodes, POOL}}
    nodes:
      n1: {ip: N1, pool: system, BLOCK1}
      n2: {ip: N2, pool: system, BLOCK2}
    namespaces: {shop: {labels: {team: shop}}}
    pods:
      - {name: web, namespace: shop, node: n1, ip: WEB, labels: {app: web}}
      - {name: shop, namespace: shop, node: n1, ip: SHOP, labels: {app: shop}, listens: [tcp/8080]}
      - {name: far, namespace: shop, node: n2, ip: FAR, labels: {app: shop}, listens: [tcp/8080]}
    SERVICES
    POLICIES
"#;

/// The addresses of web, shop and far, and what else a mode needs.
fn mode_text(mode: &str) -> Vec<(&'static str, &'static str)> {
    let flat = [("N1", "10.0.0.4"), ("N2", "10.0.0.5"), ("BLOCK1", ""), ("BLOCK2", "")];
    let on_subnet = [("WEB", "192.168.0.25"), ("SHOP", "192.168.0.26"), ("FAR", "192.168.1.25")];
    let outside = [
        ("N1", "10.0.0.4"),
        ("N2", "10.0.0.5"),
        ("BLOCK1", "podCidr: 10.244.0.0/24"),
        ("BLOCK2", "podCidr: 10.244.1.0/24"),
        ("WEB", "10.244.0.25"),
        ("SHOP", "10.244.0.26"),
        ("FAR", "10.244.1.25"),
        ("POOL", "maxPods: 30"),
    ];
    let all: Vec<(&str, &str)> = match mode {
        "overlay" => [("MODE", "mode: overlay\n    podCidr: 10.244.0.0/16")].into_iter().chain(outside).collect(),
        "kubenet" => [("MODE", "mode: kubenet\n    podCidr: 10.244.0.0/16")].into_iter().chain(outside).collect(),
        "byo" => [("MODE", "mode: byo\n    podCidr: 10.244.0.0/16")].into_iter().chain(outside).collect(),
        "dual" => vec![
            ("MODE", "mode: overlay\n    ipFamilies: [ipv4, ipv6]\n    podCidr: [10.244.0.0/16, \"fd00:244::/64\"]"),
            ("N1", "[10.0.0.4, \"fd00:10::4\"]"),
            ("N2", "[10.0.0.5, \"fd00:10::5\"]"),
            ("BLOCK1", "podCidr: [10.244.0.0/24, \"fd00:244::/80\"]"),
            ("BLOCK2", "podCidr: [10.244.1.0/24, \"fd00:244:0:0:1::/80\"]"),
            ("WEB", "[10.244.0.25, \"fd00:244::25\"]"),
            ("SHOP", "[10.244.0.26, \"fd00:244::26\"]"),
            ("FAR", "[10.244.1.25, \"fd00:244:0:0:1::25\"]"),
            ("POOL", "maxPods: 30"),
            ("SERVICE_CIDR", "[172.16.0.0/16, \"fd00:172::/108\"]"),
        ],
        "podSubnet" => [("MODE", "mode: podSubnet"), ("POOL", "podSubnet: spoke/pods")]
            .into_iter()
            .chain(flat)
            .chain(on_subnet)
            .collect(),
        "podSubnetStatic" => [("MODE", "mode: podSubnetStatic"), ("POOL", "podSubnet: spoke/pods, maxPods: 30")]
            .into_iter()
            .chain(flat)
            .chain(on_subnet)
            .collect(),
        "nodeSubnet" => [
            ("MODE", "mode: nodeSubnet"),
            ("POOL", "maxPods: 30"),
            ("WEB", "10.0.0.25"),
            ("SHOP", "10.0.0.26"),
            ("FAR", "10.0.0.55"),
        ]
        .into_iter()
        .chain(flat)
        .collect(),
        other => panic!("{other}"),
    };
    all
}

/// A cluster in a mode, with more said of it.
fn cluster(mode: &str, more: &[(&str, &str)]) -> Design {
    let mut text = BASE.to_owned();
    for (key, value) in more {
        text = text.replace(key, value);
    }
    for (key, value) in mode_text(mode) {
        text = text.replace(key, value);
    }
    for (key, value) in [("SERVICE_CIDR", "172.16.0.0/16"), ("EXTRA", ""), ("SERVICES", ""), ("POLICIES", "")] {
        text = text.replace(key, value);
    }
    design(&text)
}

fn packet(source: IpAddr, destination: &str, protocol: Protocol, port: u16) -> Packet {
    Packet { source, destination: destination.parse().unwrap(), protocol, source_port: 40_000, destination_port: port }
}

fn name() -> &'static ClusterName {
    static NAME: std::sync::OnceLock<ClusterName> = std::sync::OnceLock::new();
    NAME.get_or_init(|| ClusterName::from("prod"))
}

fn pod<'a>(world: &World<'a>, pod: &str) -> &'a Pod {
    world.cluster(name()).unwrap().pod("shop", pod).unwrap()
}

fn node<'a>(world: &World<'a>, node: &str) -> Machine<'a> {
    let view = world.cluster(name()).unwrap();
    let (node, _) = view.cluster.nodes.get_key_value(node).unwrap();
    Machine::named(world, view.name, node)
}

fn sender<'a>(world: &World<'a>, from: &str) -> Sender<'a> {
    let cluster = world.cluster(name()).unwrap().name;
    match from.strip_prefix("node/") {
        Some(host) => Sender { machine: node(world, host), process: Process::Host },
        None => {
            let pod = pod(world, from);
            Sender { machine: Machine::of_pod(world, cluster, pod), process: Process::Pod(Some(pod)) }
        }
    }
}

fn address_of(world: &World, from: &str, six: bool) -> IpAddr {
    let ips = match from.strip_prefix("node/") {
        Some(host) => &world.cluster(name()).unwrap().cluster.nodes[host].ips,
        None => &pod(world, from).ips,
    };
    ips.iter().copied().find(|ip| ip.is_ipv6() == six).unwrap()
}

/// Where a packet goes, in words: who with which source; and the story.
fn leaving(world: &World, from: &str, to: &str, protocol: Protocol, port: u16) -> (String, Story) {
    let sender = sender(world, from);
    let sent = packet(address_of(world, from, to.contains(':')), to, protocol, port);
    let mut story = Story::default();
    let exit = leave(world, &mut story, Direction::Forward, &sender, sent, None);
    (words(&exit), story)
}

fn words(exit: &Exit) -> String {
    let subnet = |entry: &Entry| entry.subnet.map(ToString::to_string).unwrap_or_default();
    match exit {
        Exit::Fabric { packet, entry } => format!("fabric by {} as {}", subnet(entry), packet.source),
        Exit::Peer { packet, via, node, .. } => {
            let node = node.map(ToString::to_string).unwrap_or_default();
            format!("{via:?} to {node} as {}", packet.source)
        }
        Exit::Pod { packet, pod } => {
            let pod = pod.map(|pod| pod.name.clone()).unwrap_or_default();
            format!("pod {pod} as {}", packet.source)
        }
        Exit::Node { packet } => format!("node as {}", packet.source),
        Exit::Nowhere => "nowhere".to_owned(),
    }
}

const TCP: Protocol = Protocol::Tcp;
const UDP: Protocol = Protocol::Udp;

#[test]
fn whom_each_peer_sees() {
    // Worked examples src.*, masq.aks-*, and the table of sources by mode.
    let cases: &[(&str, &str, Protocol, u16, &str, Owner)] = &[
        ("overlay", "10.244.0.26", TCP, 8080, "pod shop as 10.244.0.25", Owner::None),
        ("overlay", "10.244.1.25", TCP, 8080, "Overlay to n2 as 10.244.0.25", Owner::None),
        ("overlay", "10.0.0.5", TCP, 10250, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("overlay", "10.0.0.4", TCP, 10250, "node as 10.244.0.25", Owner::None),
        ("overlay", "10.0.0.200", TCP, 443, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("overlay", "10.10.1.5", TCP, 443, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("overlay", "10.200.0.9", TCP, 443, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("overlay", "8.8.8.8", UDP, 53, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("overlay", "168.63.129.16", UDP, 53, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("overlay", "169.254.169.254", TCP, 80, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("kubenet", "10.244.0.26", TCP, 8080, "pod shop as 10.244.0.25", Owner::None),
        ("kubenet", "10.244.1.25", TCP, 8080, "RouteTable to n2 as 10.244.0.25", Owner::None),
        ("kubenet", "10.10.1.5", TCP, 443, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("kubenet", "10.200.0.9", TCP, 443, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("kubenet", "8.8.8.8", TCP, 443, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("podSubnet", "192.168.0.26", TCP, 8080, "pod shop as 192.168.0.25", Owner::None),
        ("podSubnet", "192.168.1.25", TCP, 8080, "fabric by pods as 192.168.0.25", Owner::None),
        ("podSubnet", "10.0.0.5", TCP, 10250, "fabric by pods as 192.168.0.25", Owner::None),
        ("podSubnet", "10.0.0.4", TCP, 10250, "node as 192.168.0.25", Owner::None),
        ("podSubnet", "10.10.1.5", TCP, 443, "fabric by pods as 192.168.0.25", Owner::None),
        ("podSubnet", "10.200.0.9", TCP, 443, "fabric by pods as 192.168.0.25", Owner::None),
        ("podSubnet", "8.8.8.8", TCP, 443, "fabric by pods as 192.168.0.25", Owner::None),
        ("podSubnet", "168.63.129.16", UDP, 53, "fabric by nodes as 10.0.0.4", Owner::Cni),
        ("podSubnet", "168.63.129.16", TCP, 53, "fabric by nodes as 10.0.0.4", Owner::Cni),
        ("podSubnet", "168.63.129.16", TCP, 443, "fabric by pods as 192.168.0.25", Owner::None),
        ("podSubnet", "169.254.169.254", TCP, 80, "fabric by nodes as 10.0.0.4", Owner::Cni),
        ("podSubnet", "169.254.169.254", TCP, 443, "fabric by pods as 192.168.0.25", Owner::None),
        ("podSubnetStatic", "192.168.1.25", TCP, 8080, "fabric by pods as 192.168.0.25", Owner::None),
        ("podSubnetStatic", "10.10.1.5", TCP, 443, "fabric by pods as 192.168.0.25", Owner::None),
        ("podSubnetStatic", "169.254.169.254", TCP, 80, "fabric by nodes as 10.0.0.4", Owner::Cni),
        ("nodeSubnet", "10.0.0.26", TCP, 8080, "pod shop as 10.0.0.25", Owner::None),
        ("nodeSubnet", "10.0.0.55", TCP, 8080, "fabric by nodes as 10.0.0.25", Owner::None),
        ("nodeSubnet", "192.168.3.3", TCP, 443, "fabric by nodes as 10.0.0.25", Owner::None),
        ("nodeSubnet", "10.10.1.5", TCP, 443, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("nodeSubnet", "10.200.0.9", TCP, 443, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("nodeSubnet", "8.8.8.8", TCP, 443, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
        ("dual", "fd00:244::26", TCP, 8080, "pod shop as fd00:244::25", Owner::None),
        ("dual", "fd00:244:0:0:1::25", TCP, 8080, "Overlay to n2 as fd00:244::25", Owner::None),
        ("dual", "fd00:10::99", TCP, 443, "fabric by nodes as fd00:10::4", Owner::IpMasqAgent),
        ("dual", "2001:db8::1", TCP, 443, "fabric by nodes as fd00:10::4", Owner::IpMasqAgent),
        ("dual", "10.10.1.5", TCP, 443, "fabric by nodes as 10.0.0.4", Owner::IpMasqAgent),
    ];
    for (mode, to, protocol, port, expected, by) in cases {
        let design = cluster(mode, &[]);
        let world = World::new(&design);
        let (found, story) = leaving(&world, "web", to, *protocol, *port);
        let what = format!("{mode}: web to {to}:{port}");
        assert_eq!(found, *expected, "{what}");
        assert_eq!(story.missing, [], "{what}");
        let rewrote = story.rewrites.last().map_or(Owner::None, |rewrite| rewrite.by);
        assert_eq!(rewrote, *by, "{what}");
        // And back: the node gives the answer to whoever asked.
        let Exit::Fabric { packet: left, .. } = again(&world, to, *protocol, *port) else { continue };
        let mut back = story.clone();
        let exit = arrive(&world, &mut back, Direction::Reply, &node(&world, "n1"), reversed(&left), None);
        let Exit::Pod { packet, pod: Some(pod) } = exit else { panic!("{what}: {exit:?}") };
        assert_eq!((pod.name.as_str(), packet.source.to_string().as_str()), ("web", *to), "{what}");
    }
}

fn again<'a>(world: &World<'a>, to: &str, protocol: Protocol, port: u16) -> Exit<'a> {
    let sent = packet(address_of(world, "web", to.contains(':')), to, protocol, port);
    leave(world, &mut Story::default(), Direction::Forward, &sender(world, "web"), sent, None)
}

#[test]
fn a_node_keeps_its_address_whatever_is_exempt() {
    for mode in ["overlay", "kubenet", "podSubnet", "podSubnetStatic", "nodeSubnet", "byo"] {
        let design = cluster(mode, &[]);
        let world = World::new(&design);
        for to in ["8.8.8.8", "10.10.1.5", "168.63.129.16", "169.254.169.254"] {
            let (found, story) = leaving(&world, "node/n1", to, TCP, 80);
            assert_eq!(found, "fabric by nodes as 10.0.0.4", "{mode} to {to}");
            assert_eq!((story.missing.len(), story.rewrites.len()), (0, 0), "{mode} to {to}");
        }
    }
}

#[test]
fn a_plugin_of_ones_own_is_not_guessed() {
    let design = cluster("byo", &[]);
    let world = World::new(&design);
    for to in ["10.10.1.5", "10.244.1.25", "8.8.8.8"] {
        let (_, story) = leaving(&world, "web", to, TCP, 80);
        assert!(story.missing.iter().any(|missing| missing.fact.contains("CNI plugin")), "{to}: {:?}", story.missing);
    }
}

#[test]
fn what_a_refused_list_left_in_place_is_not_guessed_for_whom_a_pod_sees() {
    let extra = OWN_AGENT.replace("EXEMPT", "10.0.0.1/8");
    for (extra, known) in [(extra.as_str(), false), ("", true)] {
        let design = cluster("podSubnet", &[("EXTRA", extra)]);
        let world = World::new(&design);
        let mut story = Story::default();
        let sent = packet("10.0.0.99".parse().unwrap(), "192.168.0.26", TCP, 8080);
        let exit = arrive(&world, &mut story, Direction::Forward, &node(&world, "n1"), sent, None);
        assert_eq!((words(&exit).as_str(), story.missing.is_empty()), ("pod shop as 10.0.0.99", known));
    }
}

const OWN_AGENT: &str =
    "masquerade:\n      agent: ip-masq-agent-v2\n      files: {ip-masq-agent: 'nonMasqueradeCIDRs: [EXEMPT]'}";

#[test]
fn an_agent_of_ones_own_hides_pods_from_whom_it_does_not_exempt() {
    let with = |mode: &str, exempt: &str| cluster(mode, &[("EXTRA", &OWN_AGENT.replace("EXEMPT", exempt))]);
    for (mode, exempt, to, expected) in [
        ("podSubnet", "10.0.0.0/16, 192.168.0.0/16", "10.10.1.5", "fabric by nodes as 10.0.0.4"),
        ("podSubnet", "10.0.0.0/16, 192.168.0.0/16", "10.0.0.99", "fabric by pods as 192.168.0.25"),
        ("podSubnet", "10.0.0.0/16, 192.168.0.0/16", "192.168.1.25", "fabric by pods as 192.168.0.25"),
        // The pod subnet itself is not exempt: pods do not see each other, not even on one node.
        ("podSubnet", "10.0.0.0/16", "192.168.1.25", "fabric by nodes as 10.0.0.4"),
        ("podSubnet", "10.0.0.0/16", "192.168.0.26", "pod shop as 10.0.0.4"),
        // src.node-subnet.peered-with-exempt
        ("nodeSubnet", "10.10.0.0/16", "10.10.1.5", "fabric by nodes as 10.0.0.25"),
    ] {
        let design = with(mode, exempt);
        let world = World::new(&design);
        let (found, story) = leaving(&world, "web", to, TCP, 8080);
        assert_eq!(found, expected, "{mode}, {exempt}: {to}");
        assert_eq!(story.missing, [], "{mode}, {exempt}: {to}");
        assert_eq!(story.obstacles, [], "{mode}, {exempt}: {to}");
    }
}

#[test]
fn what_an_overlay_exempts_can_not_answer() {
    let exempting = |exempt: &str| {
        let agent =
            "masquerade:\n      files: {ip-masq-agent: 'nonMasqueradeCIDRs: [EXEMPT]'}".replace("EXEMPT", exempt);
        cluster("overlay", &[("EXTRA", &agent)])
    };
    let broken = exempting("10.10.0.0/16");
    let world = World::new(&broken);
    let (found, story) = leaving(&world, "web", "10.10.1.5", TCP, 443);
    assert_eq!(found, "fabric by nodes as 10.244.0.25");
    let [obstacle] = story.obstacles.as_slice() else { panic!("{:?}", story.obstacles) };
    assert_eq!((obstacle.direction, obstacle.verdict), (Direction::Reply, Verdict::ReplyLost));
    assert_eq!(obstacle.decision.rule.as_deref(), Some("10.10.0.0/16"));
    assert_eq!(obstacle.decision.object, "clusters.prod.masquerade.files.ip-masq-agent");
    // Its twin: what is not exempt is masqueraded as ever.
    let (found, story) = leaving(&world, "web", "10.11.1.5", TCP, 443);
    assert_eq!((found.as_str(), story.obstacles.len()), ("fabric by nodes as 10.0.0.4", 0));
}

#[test]
fn pods_do_not_reach_the_goal_state() {
    for (extra, mode) in [("dataplane: cilium", "overlay"), ("", "podSubnet")] {
        let design = cluster(mode, &[("EXTRA", extra)]);
        let world = World::new(&design);
        for (port, stopped) in [(80, true), (32526, true), (443, false)] {
            let (_, story) = leaving(&world, "web", "168.63.129.16", TCP, port);
            let by: Vec<Owner> = story.obstacles.iter().map(|obstacle| obstacle.decision.owner).collect();
            assert_eq!(by, if stopped { vec![Owner::Cni] } else { vec![] }, "{mode}, port {port}");
            assert!(leaving(&world, "node/n1", "168.63.129.16", TCP, port).1.obstacles.is_empty());
        }
    }
}

#[test]
fn a_pod_of_an_unknown_node_is_as_sure_as_can_be() {
    let text = BASE.replace("node: n1, ip: WEB", "ip: WEB");
    let mut text = text;
    for (key, value) in mode_text("podSubnet") {
        text = text.replace(key, value);
    }
    for (key, value) in [("SERVICE_CIDR", "172.16.0.0/16"), ("EXTRA", ""), ("SERVICES", ""), ("POLICIES", "")] {
        text = text.replace(key, value);
    }
    let design = design(&text);
    let world = World::new(&design);
    // The pod's own address leaves whichever node it is on.
    let (found, story) = leaving(&world, "web", "10.10.1.5", TCP, 443);
    assert_eq!((found.as_str(), story.missing.len()), ("fabric by pods as 192.168.0.25", 0));
    // An example of a node's address stands for the one that is not known, and that is said.
    let (found, story) = leaving(&world, "web", "169.254.169.254", TCP, 80);
    assert!(found.starts_with("fabric by nodes as 10.0.0."), "{found}");
    assert_eq!(story.notes.len(), 1, "{:?}", story.notes);
    // Whether a node is its own is not known.
    let (_, story) = leaving(&world, "web", "10.0.0.5", TCP, 10250);
    assert!(story.missing.iter().any(|missing| missing.fact.starts_with("whether 10.0.0.5 is")), "{story:?}");
}

#[test]
fn nodes_of_windows_are_not_taken_for_linux() {
    let design = cluster("overlay", &[("POOL", "maxPods: 30, os: windows")]);
    let world = World::new(&design);
    let (_, story) = leaving(&world, "web", "10.10.1.5", TCP, 443);
    assert_eq!(story.missing.len(), 1);
    let (found, story) = leaving(&world, "web", "10.244.1.25", TCP, 8080);
    assert_eq!((found.as_str(), story.missing.len()), ("Overlay to n2 as 10.244.0.25", 0));
}
