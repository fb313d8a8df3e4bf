//! What the first packet of a connection costs, by the number of exempt prefixes: `cargo bench -p causeway-linux --bench flows`.
//!
//! A pod sends one packet each to many destinations that are not exempt; the node forwards and translates them. Most of the
//! time is the way through two namespaces and connection tracking, the same for all rows; what grows from row to row is the rules' part.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark starts processes and stops when something is wrong"
)]

mod common;

use causeway_dataplane::masquerade::{Compiled, Settings};
use causeway_dataplane::nftables::{Growth, Limits, plan};
use causeway_linux::namespace::{isolate, mount_empty};
use causeway_linux::nftables::Connection;
use causeway_testkit::lab::topology::POD;
use causeway_testkit::lab::{Lab, Place};
use common::{chain, fed, of_lengths, settings, timed};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::time::Duration;

const ROUNDS: usize = 15;
const FLOWS: u16 = 10_000;
/// Flows that are timed together: a fraction of what the scheduler gives a thread at a time, so most are undisturbed.
const PIECE: u16 = 50;
/// Another destination for each flow, so that sets are not asked for the same key again and again; none is exempt, so every rule is asked.
fn destination(number: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x6400_0000 | u32::from(number).wrapping_mul(0x9e37_79b1) >> 7)
}

enum Rules {
    None,
    Ours(Box<Settings>, Growth),
    Chain(u32),
}

fn ours(lab: &Lab, settings: &Settings, growth: Growth) {
    let mut connection = lab.on_node(Connection::open).expect("the node").expect("open");
    let compiled = Compiled::new(settings.clone(), growth);
    for batch in
        plan(compiled.objects(), &BTreeMap::new(), &Limits { batch_bytes: connection.batch_limit() / 2 }).batches
    {
        connection.apply(&batch, None).expect("apply");
    }
}

/// The times per flow of a node with these rules.
fn measure(rules: &Rules) -> Vec<Duration> {
    let lab = Lab::new().expect("a lab");
    match rules {
        Rules::None => {}
        Rules::Ours(settings, growth) => ours(&lab, settings, *growth),
        Rules::Chain(count) => {
            lab.on_node(|| fed("iptables-nft-restore", &["--noflush"], &chain(*count))).expect("the node");
        }
    }
    let socket = lab.namespace(Place::Pod).enter(|| UdpSocket::bind((POD.v4, 0))).expect("the pod").expect("bind");
    let send = |port: u16| {
        socket.send_to(b"x", (destination(port), port)).expect("send");
    };
    (1..200).for_each(send);
    let piece = |piece: u16| {
        let first = 1_000 + piece * PIECE;
        timed(|| (first..first + PIECE).for_each(send)).0 / u32::from(PIECE)
    };
    (0..FLOWS / PIECE).map(piece).collect()
}

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    isolate(false)
        .and_then(|_| mount_empty(Path::new("/run")))
        .unwrap_or_else(|error| panic!("nothing can be measured here: {error}"));
    let declared = |count| Rules::Ours(Box::new(settings(count)), Growth::Declared);
    let itself = |count| Rules::Ours(Box::new(settings(count)), Growth::ByItself);
    let all: Vec<u8> = (20..=32).collect();
    let wide = |count| Rules::Ours(Box::new(of_lengths(count, &all)), Growth::Declared);
    let groups: Vec<(&str, Vec<(String, Rules)>)> = vec![
        ("no rules at all", vec![(String::new(), Rules::None)]),
        (
            "hash sets, size declared, 4 lengths",
            [3, 64, 1_000, 10_000, 65_536].map(|count| (count.to_string(), declared(count))).into(),
        ),
        (
            "hash sets, growing by themselves, 4 lengths",
            [3, 65_536].map(|count| (count.to_string(), itself(count))).into(),
        ),
        ("hash sets, size declared, 13 lengths", [64, 65_536].map(|count| (count.to_string(), wide(count))).into()),
        (
            "a chain of the original's shape (iptables-nft)",
            [3, 64, 1_000, 10_000].map(|count| (count.to_string(), Rules::Chain(count))).into(),
        ),
    ];
    let mut times: Vec<Vec<Vec<Duration>>> = groups.iter().map(|(_, rows)| vec![Vec::new(); rows.len()]).collect();
    let rows: Vec<(usize, usize)> =
        groups.iter().enumerate().flat_map(|(group, (_, rows))| (0..rows.len()).map(move |row| (group, row))).collect();
    for round in 0..ROUNDS {
        // Another row is the first each time, so that none profits from its place.
        for step in 0..rows.len() {
            let (group, row) = rows[(round * 5 + step) % rows.len()];
            times[group][row].extend(measure(&groups[group].1[row].1));
        }
    }
    println!("{ROUNDS} rounds of {FLOWS} flows, {PIECE} timed together\n");
    println!(
        "| rules | prefixes | a new flow, fastest tenth | median | more than the first row of its kind |\n|---|---|---|---|---|"
    );
    for ((name, rows), times) in groups.iter().zip(&mut times) {
        times.iter_mut().for_each(|times| times.sort());
        let at = |times: &[Duration], part: usize| times[times.len() / part].as_secs_f64() * 1e6;
        let first = at(&times[0], 10);
        for ((count, _), times) in rows.iter().zip(times) {
            let (tenth, median) = (at(times, 10), at(times, 2));
            println!("| {name} | {count} | {tenth:.2} us | {median:.2} us | {:+.2} us |", tenth - first);
        }
    }
}
