//! What policies cost on a node, in packets and in changes: `cargo bench -p causeway-linux --bench policies`. Prints Markdown.
//!
//! Packets of one connection from a pod through the node to the world; the pod is spoken of by all policies, each of which opens a port
//! towards a prefix of its own. The connection is let through by the last of them.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark stops when something is wrong"
)]

mod common;

use causeway_addr::{Cidr, Family};
use causeway_dataplane::nftables::{Growth, Limits, lower, plan};
use causeway_dataplane::policy::{Site, compile, table};
use causeway_linux::namespace::{isolate, mount_empty};
use causeway_linux::nftables::Connection;
use causeway_model::design::Protocol;
use causeway_model::policy::{
    Action, IpBlock, Namespaces, Peer, Peers, PodSet, Policy, PolicyId, PolicyKind, PolicyPort, PolicyRule, PolicyTier,
    Selector,
};
use causeway_policy::{Dialect, Engine, Event, Index, PodInfo};
use causeway_testkit::lab::topology::POD;
use causeway_testkit::lab::{Lab, Place};
use common::{Sheet, micros, timed};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::Path;
use std::time::Duration;

const ROUNDS: usize = 15;
const PACKETS: u32 = 20_000;
/// Packets that are timed together.
const PIECE: u32 = 50;
const PORT: u16 = 9999;

/// The prefix of the policy with this number.
fn prefix(number: u32) -> Cidr {
    Cidr::new(IpAddr::V4(Ipv4Addr::from_bits(0x6400_0000 | number << 8)), 24).expect("a prefix")
}

fn policy(number: u32) -> Policy {
    let peers = Peers::Of(vec![Peer::Block(IpBlock { cidr: prefix(number), except: Vec::new() })]);
    let first = 8000 + u16::try_from(number % 20).expect("a port");
    let port = |port| PolicyPort::Range { protocol: Protocol::Udp, first: port, last: port, by_end_port: false };
    let ports = Some(vec![port(first), port(PORT)]);
    Policy {
        id: PolicyId {
            kind: PolicyKind::NetworkPolicy,
            namespace: Some("default".to_owned()),
            name: format!("p{number}"),
        },
        tier: PolicyTier::NetworkPolicy,
        priority: 0,
        subject: PodSet { namespaces: Namespaces::Named("default".to_owned()), pods: Selector::default() },
        ingress: None,
        egress: Some(vec![PolicyRule { name: None, action: Action::Accept, peers, ports, faulty: false }]),
        faults: Vec::new(),
    }
}

fn pod(name: &str, address: IpAddr) -> Event {
    Event::Pod(PodInfo {
        namespace: "default".to_owned(),
        name: name.to_owned(),
        labels: BTreeMap::new(),
        ips: vec![address],
        node: Some("n0".to_owned()),
        host_network: false,
        ports: BTreeMap::new(),
    })
}

fn cluster(policies: u32) -> Index {
    let mut events = vec![Event::Namespace("default".to_owned(), BTreeMap::new()), pod("pod", IpAddr::V4(POD.v4))];
    events.extend((0..policies).map(|number| Event::Policy(policy(number))));
    Index::of(Dialect::of(Engine::Strict, None), Vec::new(), events)
}

fn sync(connection: &mut Connection, index: &Index) {
    let site = Site { node: "n0".to_owned(), pod_ranges: Vec::new() };
    let wanted = lower(&compile(index, &site), Growth::default());
    let limits = Limits { batch_bytes: connection.batch_limit() / 2 };
    let reading = connection.read(&Family::ALL.map(table)).expect("read");
    for batch in plan(&wanted, &reading.tables, &limits).batches {
        connection.apply(&batch, None).expect("apply");
    }
}

/// The times of a packet through a node with so many policies; `None` = without rules.
fn packets(policies: Option<u32>) -> Vec<Duration> {
    let lab = Lab::new().expect("a lab");
    if let Some(policies) = policies {
        let mut connection = lab.on_node(Connection::open).expect("the node").expect("open");
        sync(&mut connection, &cluster(policies));
    }
    let socket = lab.namespace(Place::Pod).enter(|| UdpSocket::bind((POD.v4, 0))).expect("the pod").expect("bind");
    let last = prefix(policies.unwrap_or(1) - 1).first();
    socket.connect((last, PORT)).expect("connect");
    let send = |_: u32| {
        // The world refuses what nobody listens to, and says so at the next packet.
        let _ = socket.send(b"x");
    };
    (0..2_000).for_each(send);
    (0..PACKETS / PIECE).map(|_| timed(|| (0..PIECE).for_each(send)).0 / PIECE).collect()
}

fn changes(sheet: &mut Sheet) {
    let lab = Lab::new().expect("a lab");
    let mut connection = lab.on_node(Connection::open).expect("the node").expect("open");
    for policies in [10, 1_000] {
        let mut index = cluster(policies);
        sync(&mut connection, &index);
        for round in 0..ROUNDS {
            let address = IpAddr::V4(Ipv4Addr::from_bits(0x0af4_0200 + u32::try_from(round).expect("a round")));
            let (time, ()) = timed(|| {
                index.apply(pod(&format!("new{round}"), address));
                sync(&mut connection, &index);
            });
            let what = format!("a pod joins {policies} policies: index, compile, read, plan, apply");
            sheet.add(&what, if policies == 1_000 { micros(2_000) } else { None }, time);
        }
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    isolate(false)
        .and_then(|_| mount_empty(Path::new("/run")))
        .unwrap_or_else(|error| panic!("nothing can be measured here: {error}"));
    let mut sheet = Sheet::default();
    changes(&mut sheet);
    sheet.print();
    let rows = [None, Some(1), Some(10), Some(100), Some(1_000), Some(4_000)];
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); rows.len()];
    for round in 0..ROUNDS {
        for step in 0..rows.len() {
            let row = (round + step) % rows.len();
            times[row].extend(packets(rows[row]));
        }
    }
    println!("\n{ROUNDS} rounds of {PACKETS} packets, {PIECE} timed together\n");
    println!("| policies | a packet, fastest tenth | median | of that with 10 |\n|---|---|---|---|");
    times.iter_mut().for_each(|times| times.sort());
    let at = |row: usize, part: usize| times[row][times[row].len() / part].as_secs_f64() * 1e6;
    for (row, policies) in rows.iter().enumerate() {
        let name = policies.map_or("no rules".to_owned(), |policies| policies.to_string());
        println!("| {name} | {:.3} us | {:.3} us | {:.3} |", at(row, 10), at(row, 2), at(row, 10) / at(2, 10));
    }
}
