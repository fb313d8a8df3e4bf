//! Others who change everything all the time.

use crate::Test;
use crate::fixture::{creation, everything, table};
use causeway_dataplane::nftables::objects::Op;
use causeway_dataplane::ruleset::{TableFamily, TableId};
use causeway_linux::netlink::Error;
use causeway_linux::nftables::{ApplyError, Connection};
use causeway_testkit::trial::CannotProve;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) const TESTS: &[Test] = &[
    ("storm::a_table_is_read_as_it_was_before_or_after_a_change_never_between", whole),
    ("storm::a_write_on_a_stale_generation_is_refused_while_others_write", guarded),
];

/// Ends the storm also when the test fails: the storm is waited for.
struct Calm<'a>(&'a AtomicBool);

impl Drop for Calm<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Changes everything in one transaction after the other until told to stop.
fn storm(done: &AtomicBool, versions: &[Vec<Op>; 2]) -> usize {
    let mut writer = Connection::open().expect("open");
    let mut rounds = 0;
    while !done.load(Ordering::Relaxed) {
        for version in versions {
            writer.apply(version, None).expect("replace");
            std::thread::yield_now();
        }
        rounds += 1;
    }
    rounds
}

fn whole() -> Result<(), CannotProve> {
    let one = everything(TableFamily::Ip);
    let mut other = one.clone();
    other.chains.retain(|name, _| name != "count");
    other.sets.retain(|name, _| name != "grows");
    let replace = |objects| [vec![Op::DeleteTable(table())], creation(&table(), objects)].concat();
    let versions = [replace(&other), replace(&one)];
    let mut reader = Connection::open().expect("open");
    reader.apply(&creation(&table(), &one), None).expect("make");
    let done = AtomicBool::new(false);
    let (mut ones, mut others, mut interrupted) = (0, 0, 0);
    let rounds = std::thread::scope(|scope| {
        let storm = scope.spawn(|| storm(&done, &versions));
        let calm = Calm(&done);
        for _ in 0..1_000 {
            match reader.read(&[table()]) {
                Ok(reading) => match &reading.tables[&table()].objects {
                    objects if *objects == one => ones += 1,
                    objects if *objects == other => others += 1,
                    objects => panic!("a mixture: {objects:?}"),
                },
                Err(Error::Interrupted) => interrupted += 1,
                Err(error) => panic!("{error:?}"),
            }
        }
        drop(calm);
        storm.join().expect("storm")
    });
    println!("1000 readings beside {rounds} rounds: {ones} of one, {others} of the other, {interrupted} interrupted");
    assert!(rounds > 0 && ones + others > 0);
    Ok(())
}

fn guarded() -> Result<(), CannotProve> {
    let objects = everything(TableFamily::Ip);
    let replace = [vec![Op::DeleteTable(table())], creation(&table(), &objects)].concat();
    let mut writer = Connection::open().expect("open");
    writer.apply(&creation(&table(), &objects), None).expect("make");
    let done = AtomicBool::new(false);
    let mine = Op::AddTable(TableId { name: "mine".into(), ..table() });
    std::thread::scope(|scope| {
        let versions = [replace.clone(), replace];
        let storm = scope.spawn({
            let done = &done;
            move || storm(done, &versions)
        });
        let calm = Calm(&done);
        for _ in 0..200 {
            let generation = writer.generation().expect("generation");
            std::thread::yield_now();
            match writer.apply(std::slice::from_ref(&mine), Some(generation)) {
                // Made already, the table needs no change, and none makes no generation.
                Ok(()) => {}
                Err(ApplyError::Stale) => assert!(writer.generation().expect("generation") > generation),
                Err(error) => panic!("{error:?}"),
            }
        }
        drop(calm);
        storm.join().expect("storm");
    });
    Ok(())
}
