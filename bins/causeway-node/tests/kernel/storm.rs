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
    /// Those that were wrong.
    pub(crate) wrong: usize,
    /// Each time it went wrong.
    pub(crate) spells: Vec<Spell>,
    /// The first wrong one.
    pub(crate) first: Option<(Row, Fate)>,
}

/// A time of wrong packets. Where other work holds the one who sends back, the two are far apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spell {
    /// From the first wrong packet to the last.
    pub(crate) at_least: Duration,
    /// From the last right packet before to the first right one after; [`Duration::MAX`] = it never went right again.
    pub(crate) at_most: Duration,
}

impl Watched {
    /// Of a measure of the spells: the middle one, and the longest.
    pub(crate) fn middle_and_longest(&self, measure: fn(&Spell) -> Duration) -> (Duration, Duration) {
        let mut sorted: Vec<Duration> = self.spells.iter().map(measure).collect();
        sorted.sort();
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        (middle, sorted.last().copied().unwrap_or_default())
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
            let mut wrong: Option<Spell> = None;
            let mut wrong_since = right_at;
            loop {
                let last = ended.load(Ordering::Acquire);
                let before = Instant::now();
                let failure = round(lab, rows, &mut watched);
                match failure {
                    Some(failure) => {
                        if wrong.is_none() {
                            wrong_since = before;
                        }
                        wrong = Some(Spell { at_least: wrong_since.elapsed(), at_most: Duration::MAX });
                        watched.first.get_or_insert(failure);
                    }
                    None => {
                        let over = wrong.take().map(|spell| Spell { at_most: right_at.elapsed(), ..spell });
                        watched.spells.extend(over);
                        right_at = before;
                    }
                }
                let _ = tell.send(());
                if last {
                    watched.spells.extend(wrong);
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
    let mut wrong = rows.iter().zip(fates).filter(wrong);
    let first = wrong.next().map(|(row, fate)| (row.clone(), fate));
    watched.wrong += usize::from(first.is_some()) + wrong.count();
    first
}
