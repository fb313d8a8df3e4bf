//! Packets that go on all the while something is done to the rules.

use causeway_dataplane::packet::Protocol;
use causeway_testkit::lab::{Fate, Lab, Place, Probe};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// A packet that is sent over and over, each time as the first of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) from: Place,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// The sources it may be seen with.
    pub(crate) right: Vec<IpAddr>,
}

/// What was seen meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// Packets that were sent.
    pub(crate) packets: usize,
    /// How often it went wrong, and each time for how long: from the last right packet before to the first right one after. Sorted.
    pub(crate) spells: Vec<Duration>,
    /// The first wrong one.
    pub(crate) first: Option<(Row, Fate)>,
}

impl Watched {
    /// The longest time it was wrong.
    pub(crate) fn longest(&self) -> Duration {
        self.spells.last().copied().unwrap_or_default()
    }
}

/// Sends the rows again and again while something else happens on this thread; at least once whole before it begins and once after
/// it has ended.
pub(crate) fn meanwhile<T>(lab: &mut Lab, rows: &[Row], act: impl FnOnce() -> T) -> (T, Watched) {
    let ended = AtomicBool::new(false);
    let (tell, begun) = channel();
    std::thread::scope(|scope| {
        let ended = &ended;
        let prober = scope.spawn(move || {
            let mut watched = Watched::default();
            let mut right_at = Instant::now();
            let mut wrong = false;
            loop {
                let last = ended.load(Ordering::Acquire);
                let before = Instant::now();
                let failure = round(lab, rows, &mut watched);
                match failure {
                    Some(failure) => {
                        wrong = true;
                        watched.first.get_or_insert(failure);
                    }
                    None => {
                        if wrong {
                            watched.spells.push(right_at.elapsed());
                        }
                        wrong = false;
                        right_at = before;
                    }
                }
                let _ = tell.send(());
                if last {
                    if wrong {
                        watched.spells.push(Duration::MAX);
                    }
                    watched.spells.sort();
                    return watched;
                }
            }
        });
        begun.recv().unwrap();
        // The prober goes on to its end even if this panics, or nobody would ever tell it to.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
        ended.store(true, Ordering::Release);
        let watched = prober.join().unwrap();
        match result {
            Ok(result) => (result, watched),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Every row once; the first that is wrong.
fn round(lab: &mut Lab, rows: &[Row], watched: &mut Watched) -> Option<(Row, Fate)> {
    let probes: Vec<Probe> = rows
        .iter()
        .map(|row| Probe { from: row.from, packet: lab.packet(row.source, row.destination, Protocol::Udp) })
        .collect();
    let fates = lab.probe(&probes).unwrap();
    watched.packets += fates.len();
    let wrong = |(row, fate): &(&Row, Fate)| !fate.source().is_some_and(|source| row.right.contains(&source));
    rows.iter().zip(fates).find(wrong).map(|(row, fate)| (row.clone(), fate))
}
