//! What changes of nf_tables cost, and what other programs take for the same: `cargo bench -p causeway-linux`.
//!
//! Runs in a network namespace of its own. Everything is measured in one run, round after round, so that a busy machine slows all of it
//! alike. Prints Markdown.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark starts processes and stops when something is wrong"
)]

mod common;

use causeway_addr::Family;
use causeway_dataplane::masquerade::{Compiled, table, tables};
use causeway_dataplane::nftables::objects::{Keys, ObservedTable, Op};
use causeway_dataplane::nftables::{Growth, Limits, plan};
use causeway_dataplane::ruleset::TableId;
use causeway_linux::event;
use causeway_linux::namespace::{Isolation, isolate};
use causeway_linux::nftables::{Connection, Generation, Listener};
use common::{Sheet, chain, fed, micros, settings, timed};
use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::process::Command;

const ROUNDS: usize = 21;
const LARGE: u32 = 65_536;

/// What an agent has: its socket, and perhaps its ear.
struct Agent {
    connection: Connection,
    listener: Option<Listener>,
}

impl Agent {
    fn new() -> Agent {
        Agent { connection: Connection::open().expect("open"), listener: None }
    }

    fn limits(&self) -> Limits {
        Limits { batch_bytes: self.connection.batch_limit() / 2 }
    }

    /// Reads, plans, and carries out. Returns how many batches it took.
    fn sync(&mut self, wanted: &Compiled) -> usize {
        let reading = self.connection.read(&tables()).expect("read");
        let plan = plan(wanted.objects(), &reading.tables, &self.limits());
        let mut generation = reading.generation;
        for batch in &plan.batches {
            self.connection.apply(batch, Some(generation)).expect("apply");
            generation = Generation(generation.0 + 1);
        }
        plan.batches.len()
    }

    fn wipe(&mut self) {
        let there = self.connection.read(&tables()).expect("read").tables;
        let ops: Vec<Op> = there.into_keys().map(Op::DeleteTable).collect();
        self.connection.apply(&ops, None).expect("delete");
        if let Some(listener) = &mut self.listener {
            listener.drain().expect("drain");
        }
    }
}

fn first_sync(sheet: &mut Sheet) {
    let mut agent = Agent::new();
    let wanted = settings(64);
    let (whole, _) = timed(|| agent.sync(&Compiled::new(wanted.clone(), Growth::default())));
    sheet.add("first sync, 64 prefixes: compile, read, plan, apply", micros(1500), whole);
    agent.wipe();
    let compiled = Compiled::new(wanted, Growth::default());
    let batches = plan(compiled.objects(), &BTreeMap::new(), &agent.limits()).batches;
    let (apply, ()) = timed(|| agent.connection.apply(&batches[0], None).expect("apply"));
    sheet.add("- of it the one batch", None, apply);
    agent.wipe();
}

fn unchanged(sheet: &mut Sheet) {
    let mut agent = Agent::new();
    for count in [64, 1_000, LARGE] {
        let compiled = Compiled::new(settings(count), Growth::default());
        agent.sync(&compiled);
        let (generation, before) = timed(|| agent.connection.generation().expect("generation"));
        if count == 64 {
            sheet.add("no change: the generation is the one remembered", micros(300), generation);
        }
        let (read, reading) = timed(|| agent.connection.read(&tables()).expect("read"));
        sheet.add(&format!("read back, {count} prefixes"), None, read);
        let (compare, plan) = timed(|| plan(compiled.objects(), &reading.tables, &agent.limits()));
        assert!(plan.is_empty());
        let asked = if count == 64 { micros(300) } else { None };
        sheet.add(&format!("no change, {count} prefixes: read back and compare"), asked, read + compare);
        assert_eq!(agent.connection.generation().expect("generation"), before, "nothing was written");
        agent.wipe();
    }
}

fn one_prefix(sheet: &mut Sheet) {
    let mut agent = Agent::new();
    for (growth, word) in [(Growth::Declared, "size declared"), (Growth::ByItself, "growing by itself")] {
        for count in [64, 4_096, LARGE] {
            let before = settings(count);
            let mut after = before.clone();
            after.config.exempt.remove(count as usize / 2);
            let mut compiled = Compiled::new(after, growth);
            agent.sync(&compiled);
            let reading = agent.connection.read(&tables()).expect("read");
            let (time, ()) = timed(|| {
                assert!(compiled.update(&before));
                let plan = plan(compiled.objects(), &reading.tables, &agent.limits());
                assert_eq!(plan.batches.iter().map(Vec::len).sum::<usize>(), 1);
                agent.connection.apply(&plan.batches[0], Some(reading.generation)).expect("apply");
            });
            sheet.add(&format!("one prefix more, {count} before, {word}: update, plan, apply"), micros(300), time);
            let (key, set) = single(&reading.tables[&table(Family::V4)]);
            let op = Op::DeleteElements { table: table(Family::V4), set, keys: key };
            let (time, ()) = timed(|| agent.connection.apply(&[op], None).expect("apply"));
            sheet.add(&format!("- of {count}, {word}: one key alone"), None, time);
            agent.wipe();
        }
    }
}

/// Some key of some set.
fn single(table: &ObservedTable) -> (Keys, String) {
    let (name, set) = table.objects.sets.iter().find(|(_, set)| set.elements.width == 4).expect("a set");
    (Keys { width: 4, bytes: set.elements.bytes[..4].to_vec() }, name.clone())
}

fn load(sheet: &mut Sheet) {
    for (growth, word) in [(Growth::Declared, "size declared"), (Growth::ByItself, "growing by itself")] {
        for listening in ["nobody listens", "a listener", "a listener that is paused"] {
            let mut agent = Agent::new();
            agent.listener = (listening != "nobody listens").then(|| Listener::open().expect("listen"));
            let wanted = settings(LARGE);
            let pause = listening.ends_with("paused");
            let (time, batches) = timed(|| {
                if let Some(listener) = agent.listener.as_mut().filter(|_| pause) {
                    listener.pause().expect("pause");
                }
                let batches = agent.sync(&Compiled::new(wanted, growth));
                if let Some(listener) = agent.listener.as_mut().filter(|_| pause) {
                    listener.resume().expect("resume");
                }
                batches
            });
            let asked = if growth == Growth::Declared && pause { micros(150_000) } else { None };
            sheet.add(&format!("65,536 prefixes loaded, {word}, {listening}, batches: {batches}"), asked, time);
            agent.wipe();
        }
    }
}

fn repair(sheet: &mut Sheet) {
    for count in [64, LARGE] {
        let mut agent = Agent::new();
        let compiled = Compiled::new(settings(count), Growth::default());
        agent.sync(&compiled);
        let mut listener = Listener::open().expect("listen");
        let mut foreign = Connection::open().expect("open");
        let id: TableId = table(Family::V4);
        let (time, ()) = timed(|| {
            foreign.apply(&[Op::DeleteTable(id)], None).expect("flush");
            event::wait(&[listener.as_fd()], None).expect("wait");
            listener.drain().expect("drain");
            if count == LARGE {
                listener.pause().expect("pause");
            }
            agent.sync(&compiled);
        });
        let asked = if count == 64 { micros(2000) } else { None };
        sheet.add(&format!("deleted by another, heard, and made again, {count} prefixes"), asked, time);
        agent.wipe();
    }
}

fn peers(sheet: &mut Sheet) {
    for (count, rounds_apart) in [(64, false), (10_000, true)] {
        if rounds_apart && sheet.0.iter().any(|row| row.what.contains("10000 prefixes")) {
            continue;
        }
        let time = fed("iptables-nft-restore", &["--noflush"], &chain(count));
        sheet.add(&format!("peer: iptables-nft-restore, a chain of {count} prefixes"), None, time);
    }
    let mut set =
        "add table ip peer\nadd set ip peer s { type ipv4_addr; flags interval; }\nadd element ip peer s { ".to_owned();
    settings(LARGE).config.exempt.iter().for_each(|prefix| set.extend([prefix.to_string(), ", ".to_owned()]));
    set.push_str("}\n");
    sheet.add("peer: nft, an interval set of 65,536 prefixes", None, fed("nft", &["-f", "-"], &set));
    assert!(Command::new("nft").args(["flush", "ruleset"]).status().expect("nft").success());
}

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let isolation = isolate(false).unwrap_or_else(|error| panic!("nothing can be measured here: {error}"));
    let mut sheet = Sheet::default();
    for _ in 0..ROUNDS {
        first_sync(&mut sheet);
        unchanged(&mut sheet);
        one_prefix(&mut sheet);
        load(&mut sheet);
        repair(&mut sheet);
        peers(&mut sheet);
    }
    let limit = Agent::new().connection.batch_limit();
    let privileges = match isolation {
        Isolation::Privileged => "privileged",
        Isolation::UserNamespace => "in a user namespace",
    };
    println!("{ROUNDS} rounds, {privileges}, batches of up to {limit} bytes\n");
    sheet.print();
}
