//! Services and the CNI's own addresses in a kernel: where a node that holds the compiled rules sends packets, against what the rules
//! are said to do.

use crate::model::{cidr, ip};
use causeway_addr::{Cidr, Family};
use causeway_dataplane::evaluate::{Known, Node, Outcome, through};
use causeway_dataplane::nftables::{Growth, Limits, lower, plan};
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_dataplane::ruleset::{Hook, Ruleset, TableId};
use causeway_dataplane::services::{self, Endpoint, Frontend, Kind, Proxy};
use causeway_dataplane::{cni, masquerade};
use causeway_linux::nftables::Connection;
use causeway_model::masquerade::MasqueradeConfig;
use causeway_testkit::Random;
use causeway_testkit::lab::topology::{NODE, NODE_OTHER, NODE_SECOND, POD};
use causeway_testkit::lab::{Fate, Lab, Place, Probe};
use causeway_testkit::trial::Trial;
use std::collections::BTreeSet;
use std::net::IpAddr;

const ROUNDS: u64 = 40;
const PROBES: usize = 60;
const KINDS: [Kind; 4] = [Kind::Iptables, Kind::Ipvs, Kind::Nftables, Kind::Cilium];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("services::the_kernel_sends_packets_where_the_rules_say", generated),
        Trial::new("services::each_endpoint_gets_its_share", shares),
        Trial::new("services::the_platform_is_asked_as_the_node", platform),
    ]
}

/// Makes the kernel hold rules; nothing is left to do then.
fn load(lab: &Lab, rules: &[&Ruleset]) {
    let mut nft = lab.on_node(Connection::open).unwrap().unwrap();
    let all = Ruleset { tables: rules.iter().flat_map(|rules| rules.tables.clone()).collect() };
    let wanted = lower(&all, Growth::default());
    let limits = Limits { batch_bytes: nft.batch_limit() / 2 };
    let mut known: Vec<TableId> = all.tables.keys().cloned().collect();
    known.extend(Family::ALL.map(services::table));
    let mut change = || {
        let reading = nft.read(&known).unwrap();
        let batches = plan(&wanted, &reading.tables, &limits).batches;
        batches.iter().for_each(|batch| {
            nft.apply(batch, None).unwrap();
        });
        batches.len()
    };
    assert_ne!(change(), 0, "there was nothing yet");
    assert_eq!(change(), 0, "what was loaded is what was wanted");
}

fn node(family: Family) -> Node {
    let own = [NODE, NODE_SECOND, NODE_OTHER].into_iter();
    let addresses = own.flat_map(|both| Family::ALL.map(|family| Cidr::host(both.of(family))));
    Node::with_addresses(addresses).masquerading_as(NODE.of(family))
}

/// Where a packet goes: destination, port, source. Which of its addresses the node takes on a link without one is its affair.
type Way = (IpAddr, u16, IpAddr);

fn way(packet: &Packet) -> Way {
    let own = [NODE, NODE_SECOND, NODE_OTHER].map(|both| both.of(packet.family()));
    let source = if own.contains(&packet.source) { NODE.of(packet.family()) } else { packet.source };
    (packet.destination, packet.destination_port, source)
}

/// Every way the rules leave open; none = it ends.
fn ways(rules: &[&Ruleset], packet: &Packet) -> BTreeSet<Way> {
    let node = node(packet.family());
    let refused = through(rules, Hook::Prerouting, packet, &node, Known::default());
    let ends: Vec<Packet> = match &refused.outcome {
        Outcome::Redirected(ends) => {
            let after = |end: &causeway_dataplane::ruleset::End| Packet {
                destination: end.address,
                destination_port: end.port.unwrap_or(packet.destination_port),
                ..*packet
            };
            ends.iter().map(after).collect()
        }
        Outcome::Kept => vec![*packet],
        Outcome::Dropped | Outcome::Rejected => Vec::new(),
        other => panic!("{other}"),
    };
    let leave = |end: &Packet| {
        let fate = through(rules, Hook::Postrouting, end, &node, refused.known);
        way(&fate.packet.unwrap_or_else(|| panic!("{:?}", fate.outcome)))
    };
    ends.iter().map(leave).collect()
}

const VIPS: [&str; 4] = ["172.16.0.10", "172.16.0.11", "10.224.0.100", "10.224.0.101"];
const VIPS_V6: [&str; 4] = ["fd00:172::10", "fd00:172::11", "fd00:224::100", "fd00:224::101"];
const ENDS: [&str; 3] = ["10.1.2.3", "10.1.2.4", "10.244.9.9"];
const ENDS_V6: [&str; 3] = ["fd00:1::3", "fd00:1::4", "fd00:244:9::9"];
const CLIENTS: [&str; 3] = ["10.9.0.1", "10.244.1.8", "10.9.1.1"];
const CLIENTS_V6: [&str; 3] = ["fd00:9::1", "fd00:244:1::8", "fd00:9:1::1"];

fn frontends(random: &mut Random) -> Vec<Frontend> {
    let mut out = Vec::new();
    for at in 0..2_usize {
        let mut endpoints = Vec::new();
        for family in Family::ALL {
            let ends = if family == Family::V4 { ENDS } else { ENDS_V6 };
            for end in ends.map(ip) {
                if random.below(2) == 0 {
                    endpoints.push(Endpoint { address: end, port: 30_000 + at as u16, here: false });
                }
            }
            if random.below(2) == 0 {
                endpoints.push(Endpoint { address: POD.of(family), port: 30_000 + at as u16, here: true });
            }
        }
        let sources = if random.below(3) == 0 { vec![cidr("10.9.0.0/24"), cidr("fd00:9::/64")] } else { Vec::new() };
        out.push(Frontend {
            service: format!("shop/s{at}"),
            protocol: [6, 17, 132][random.below(3) as usize],
            port: 30_000,
            cluster: vec![ip(VIPS[at]), ip(VIPS_V6[at])],
            external: vec![ip(VIPS[at + 2]), ip(VIPS_V6[at + 2])],
            node_port: (random.below(2) == 0).then_some(30_000 + at as u16),
            endpoints,
            local: random.below(2) == 0,
            sources,
        });
    }
    out
}

fn generated() {
    let seed = Random::seed();
    for round in 0..ROUNDS {
        let mut random = Random::new(seed.wrapping_add(round));
        let kind = KINDS[(round % 4) as usize];
        let pods = if random.below(4) == 0 { Vec::new() } else { vec![cidr("10.244.0.0/16"), cidr("fd00:244::/32")] };
        let proxy = Proxy { kind, pods, masquerade_all: random.below(4) == 0, node_addresses: Vec::new() };
        let rules = services::compile(&proxy, &frontends(&mut random));
        let config =
            MasqueradeConfig { exempt: vec![cidr("10.0.0.0/8"), cidr("fd00::/8")], ipv6: true, ..Default::default() };
        let agent = masquerade::compile(&masquerade::Settings { config, ..Default::default() });
        let both = [&rules, &agent];
        let mut lab = Lab::new().unwrap();
        load(&lab, &both);
        let mut probes = Vec::new();
        while probes.len() < PROBES {
            let family = Family::ALL[random.below(2) as usize];
            let (vips, clients) = if family == Family::V4 { (VIPS, CLIENTS) } else { (VIPS_V6, CLIENTS_V6) };
            let source = match random.below(2) {
                0 => POD.of(family),
                _ => ip(clients[random.below(3) as usize]),
            };
            let node = NODE.of(family);
            let destination = if random.below(5) == 0 { node } else { ip(vips[random.below(4) as usize]) };
            let protocol = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp][random.below(3) as usize];
            let packet = lab.packet(source, destination, protocol);
            // What the node takes itself is not seen.
            if !ways(&both, &packet).contains(&way(&packet)) || destination != node {
                probes.push(Probe { from: Place::Pod, packet });
            }
        }
        let fates = lab.probe(&probes).unwrap();
        for (probe, fate) in probes.iter().zip(fates) {
            let wanted = ways(&both, &probe.packet);
            let said =
                format!("CAUSEWAY_SEED={seed}, round {round}, {kind:?}: {:?}: {fate:?}, not {wanted:?}", probe.packet);
            match fate {
                Fate::Seen { packet, .. } => assert!(wanted.contains(&way(&packet)), "{said}"),
                Fate::Lost => assert!(wanted.is_empty(), "{said}"),
            }
        }
    }
}

fn shares() {
    let endpoints = ENDS.map(|end| Endpoint { address: ip(end), port: 8080, here: false }).to_vec();
    let frontend = Frontend {
        service: "shop/web".to_owned(),
        protocol: 17,
        port: 30_000,
        cluster: vec![ip(VIPS[0])],
        external: Vec::new(),
        node_port: None,
        endpoints,
        local: false,
        sources: Vec::new(),
    };
    let proxy = Proxy {
        kind: Kind::Nftables,
        pods: vec![cidr("10.244.0.0/16")],
        masquerade_all: false,
        node_addresses: vec![],
    };
    let rules = services::compile(&proxy, &[frontend]);
    let mut lab = Lab::new().unwrap();
    load(&lab, &[&rules]);
    const FLOWS: usize = 600;
    let probes: Vec<Probe> = (0..FLOWS)
        .map(|_| Probe { from: Place::Pod, packet: lab.packet(POD.of(Family::V4), ip(VIPS[0]), Protocol::Udp) })
        .collect();
    let fates = lab.probe(&probes).unwrap();
    for end in ENDS {
        let to = |fate: &&Fate| matches!(fate, Fate::Seen { packet, .. } if packet.destination == ip(end));
        let count = fates.iter().filter(to).count();
        // A third, give or take six standard deviations.
        assert!((130..=270).contains(&count), "{end} got {count} of {FLOWS}");
    }
}

fn platform() {
    let mut lab = Lab::new().unwrap();
    let settings = cni::Settings { pods: vec![cidr("10.244.1.0/24")], node: Some(NODE.of(Family::V4)), blocks: true };
    let rules = cni::compile(&settings);
    load(&lab, &[&rules]);
    let pod = POD.of(Family::V4);
    for (destination, protocol, port, seen) in [
        ("168.63.129.16", Protocol::Udp, 53, Some(NODE.of(Family::V4))),
        ("168.63.129.16", Protocol::Tcp, 53, Some(NODE.of(Family::V4))),
        ("169.254.169.254", Protocol::Tcp, 80, Some(NODE.of(Family::V4))),
        ("168.63.129.16", Protocol::Tcp, 443, Some(pod)),
        ("168.63.129.16", Protocol::Tcp, 80, None),
        ("168.63.129.16", Protocol::Tcp, 32526, None),
        ("8.8.8.8", Protocol::Udp, 53, Some(pod)),
    ] {
        let packet = Packet { destination_port: port, ..lab.packet(pod, ip(destination), protocol) };
        let fate = lab.probe(&[Probe { from: Place::Pod, packet }]).unwrap()[0];
        assert_eq!(fate.source(), seen, "{destination} {protocol:?} {port}: {fate:?}");
    }
}
