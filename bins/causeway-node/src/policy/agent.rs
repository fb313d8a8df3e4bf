//! One look at everything: what is stated, what it means for this node, what the kernel holds. The loop around it only waits.

mod tell;

use super::denied::{self, Reasons};
use super::folder::Folder;
use super::options::Options;
use super::source::Source as _;
use super::status::{Sizes, Status, Waiting};
use super::world::World;
use crate::keeping::contest::{self, Contest};
use crate::keeping::failure::Failure;
use crate::keeping::tables::{Settled, Tables};
use crate::keeping::turn::{Heard, Next, Subject, Wake};
use causeway_addr::{Cidr, Family};
use causeway_dataplane::nftables::objects::{Count, TableObjects};
use causeway_dataplane::nftables::{Growth, lower, text};
use causeway_dataplane::policy::{Sampling, Site, enforce, table};
use causeway_dataplane::ruleset::{Rate, TableId};
use causeway_linux::nflog;
use causeway_policy::{Dialect, Engine, Index};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tracing::{debug, error, info, warn};

/// The first wait after a failure; it doubles up to the resync interval.
const FIRST_RETRY: Duration = Duration::from_millis(50);
/// Repairs that follow sooner are told of at `-v=4` only.
const TELL_REPAIRS_EVERY: Duration = Duration::from_secs(1);
/// Files that are being written at the start are waited for this long before the node is shut for them.
const START: Duration = Duration::from_secs(1);
/// Bytes of a packet that are read: as many as rules hand over.
const PACKET: u32 = 160;

/// What is shared with the pages.
pub(crate) type Shared = Arc<Mutex<Status>>;

/// What one look for good came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    /// The rules are in place.
    Placed,
    /// Something can't be read, and nothing was touched.
    Refused,
    /// The kernel does not take them.
    Failed,
    /// Look again after this long.
    Again(Duration),
}

/// Rules, and the changes that lead to them; no changes = there is no kernel to ask.
pub(crate) type Preview = (String, Option<Result<String, String>>);

/// What the kernel should hold.
#[derive(Debug)]
struct Wanted {
    objects: BTreeMap<TableId, TableObjects>,
    reasons: Reasons,
    selected: [usize; 2],
    /// It differs from what was wanted before this number.
    revision: u64,
}

/// The agent without its loop.
#[derive(Debug)]
pub(crate) struct Agent {
    options: Options,
    folder: Folder,
    world: World,
    index: Index,
    /// `None` = there is no kernel to ask.
    tables: Option<Tables>,
    /// Hears of denied packets.
    listener: Option<nflog::Listener>,
    wanted: Option<Wanted>,
    /// The index changed since.
    stale: bool,
    /// What the kernel was last seen to hold.
    placed: Option<u64>,
    /// Everything was read at least once, and is in place.
    whole: bool,
    waiting: Option<Waiting>,
    begun: Instant,
    status: Shared,
    said: BTreeMap<String, String>,
    retry: Duration,
    contest: Contest,
    /// What the last repair took of the kernel's and the agent's time.
    repair_took: Duration,
    told_repair: Option<Instant>,
    /// Lines of the log in this second.
    lines: (Instant, u32),
}

impl Agent {
    pub(crate) fn new(options: Options, folder: Folder, tables: Option<Tables>, status: Shared) -> Agent {
        lock(&status).node.clone_from(&options.node);
        let now = Instant::now();
        Agent {
            options,
            folder,
            world: World::default(),
            index: Index::new(Dialect::of(Engine::Strict, None), Vec::new()),
            tables,
            listener: None,
            wanted: None,
            stale: true,
            placed: None,
            whole: false,
            waiting: None,
            begun: now,
            status,
            said: BTreeMap::new(),
            retry: FIRST_RETRY,
            contest: Contest::default(),
            repair_took: Duration::ZERO,
            told_repair: None,
            lines: (now, 0),
        }
    }

    /// Listens to denied packets, where that was not declined.
    pub(crate) fn listen(&mut self) {
        if self.options.log_rate == 0 {
            return;
        }
        match nflog::Listener::open(self.options.log_group, PACKET) {
            Ok(listener) => self.listener = Some(listener),
            Err(error) => {
                let why = format!("group {} of nfnetlink_log: {error}", self.options.log_group);
                warn!("the log will not tell of denied packets: {why}");
                self.status().deaf = Some(why);
            }
        }
    }

    /// Looks once and for all: what can't be read refuses everything, before anything is touched.
    pub(crate) fn once(&mut self) -> Looked {
        let noticed = Instant::now();
        if let Some(other) = self.refused() {
            return other;
        }
        match self.put_in_place(Wake::Start, noticed) {
            Next::Retry(wait) if self.status().blocked.is_none() => Looked::Again(wait),
            Next::Wait if self.status().in_place => Looked::Placed,
            _ => Looked::Failed,
        }
    }

    /// What a run would do.
    ///
    /// # Errors
    /// As [`Agent::once`] is refused.
    pub(crate) fn preview(&mut self) -> Result<Preview, Looked> {
        if let Some(other) = self.refused() {
            return Err(other);
        }
        self.compile(true);
        let Some(wanted) = &self.wanted else { return Err(Looked::Refused) };
        let changes = self.tables.as_mut().map(|tables| tables.preview(&wanted.objects, &mut ()));
        Ok((text::tables(&wanted.objects), changes.map(|changes| changes.map_err(|why| why.to_string()))))
    }

    fn refused(&mut self) -> Option<Looked> {
        let standing = self.read();
        if let Some(wait) = standing.again {
            return Some(Looked::Again(wait));
        }
        self.index.set_unread(self.world.unread_by_namespace());
        let status = self.status();
        let troubled = status.folder.is_some() || status.files.values().any(|file| file.trouble.is_some());
        drop(status);
        (troubled || !standing.silent.is_empty()).then(|| {
            error!("the rules are left as they are");
            Looked::Refused
        })
    }

    /// Takes in what changed.
    fn read(&mut self) -> super::source::Standing {
        let changes = self.folder.changes();
        let standing = self.folder.standing();
        self.stale |= !changes.is_empty();
        self.world.take(changes, &mut self.index);
        self.tell_source();
        self.tell_world();
        standing
    }

    /// Decides what is done while something was never read. True if rules are to be put in place.
    fn decide(&mut self, silent: Vec<String>) -> bool {
        let before = self.waiting;
        self.waiting = if silent.is_empty() {
            None
        } else if self.whole {
            Some(Waiting::Without)
        } else if before.is_some_and(|waiting| waiting == Waiting::Shut) {
            before
        } else {
            match self.tables.as_mut().map(Tables::any) {
                Some(Ok(false)) => Some(Waiting::Shut),
                // Who can't say whether there are rules must not put others in their place.
                _ => Some(Waiting::Kept),
            }
        };
        let shut = self.waiting == Some(Waiting::Shut);
        let mut unread = self.world.unread_by_namespace();
        if shut {
            unread.entry(None).or_default().extend(silent.iter().cloned());
        }
        self.stale |= before != self.waiting;
        self.index.set_unread(unread);
        let mut status = self.status();
        status.waiting = self.waiting;
        status.silent.clone_from(&silent);
        let words = status.reasons().into_iter().find(|(word, _)| *word == "never-read").map(|(_, words)| words);
        drop(status);
        if self.say("waiting", words.as_deref()) {
            match words {
                Some(words) => error!("{words}"),
                None => info!("everything is read"),
            }
        }
        self.waiting != Some(Waiting::Kept)
    }

    fn site(&self) -> Site {
        let mut pod_ranges = match &self.options.pod_ranges {
            Some(ranges) => ranges.clone(),
            None => self.world.ranges(&self.options.node),
        };
        pod_ranges.extend(self.world.shut().into_iter().map(Cidr::host));
        pod_ranges.sort();
        pod_ranges.dedup();
        Site { node: self.options.node.clone(), pod_ranges }
    }

    fn compile(&mut self, told: bool) {
        if !self.stale && self.wanted.is_some() {
            return;
        }
        let rate = self.options.log_rate;
        let sampling = Sampling { group: self.options.log_group, rate: Rate { per_second: rate, burst: rate } };
        let enforced = enforce(&self.index, &self.site(), Some(&sampling).filter(|_| told && rate > 0));
        let objects = lower(&enforced.ruleset, Growth::default());
        let revision = match &self.wanted {
            Some(before) if before.objects == objects => before.revision,
            Some(before) => before.revision + 1,
            None => 0,
        };
        let (reasons, selected) = (enforced.reasons, enforced.selected);
        self.wanted = Some(Wanted { objects, reasons, selected, revision });
        self.stale = false;
    }

    /// Puts the rules that are wanted in place.
    fn put_in_place(&mut self, wake: Wake, noticed: Instant) -> Next {
        if self.waiting == Some(Waiting::Kept) {
            return Next::Wait;
        }
        self.compile(self.listener.is_some());
        let (Some(wanted), Some(tables)) = (&self.wanted, &mut self.tables) else { return Next::Wait };
        let lost = self.placed != Some(wanted.revision) && lock(&self.status).denied.loses(&wanted.reasons);
        let before = if lost { counts(tables) } else { BTreeMap::new() };
        let begun = Instant::now();
        match tables.settle(&wanted.objects, &mut ()) {
            Ok(settled) => {
                self.retry = FIRST_RETRY;
                self.in_place(wake, noticed, begun, &settled, &before);
                Next::Wait
            }
            Err(failure) => self.failed(&failure),
        }
    }

    fn in_place(
        &mut self,
        wake: Wake,
        noticed: Instant,
        begun: Instant,
        settled: &Settled,
        counters: &BTreeMap<(Family, String), Count>,
    ) {
        let Some(wanted) = &self.wanted else { return };
        let repaired = settled.changes > 0 && self.placed == Some(wanted.revision);
        let (first, changed) = (self.placed.is_none(), self.placed != Some(wanted.revision));
        self.placed = Some(wanted.revision);
        self.whole |= self.waiting.is_none();
        let now = settled.at.unwrap_or_else(Instant::now);
        let (took, applying) = (now.saturating_duration_since(noticed), now.saturating_duration_since(begun));
        let (changes, micros) = (settled.changes, micros(took));
        let mut status = lock(&self.status);
        *status.syncs.entry("in-place").or_default() += 1;
        status.broken = false;
        if changed {
            status.denied.replace(wanted.reasons.clone(), counters);
            let known: BTreeSet<(Family, String)> =
                wanted.reasons.iter().map(|((family, _), reason)| (*family, reason.counter.clone())).collect();
            status.counters.retain(|key, _| known.contains(key) || !key.1.starts_with("denied-4"));
            status.selected = wanted.selected;
            status.sizes = sizes(&wanted.objects);
        }
        if settled.changes > 0 {
            status.applies.observe(applying);
        }
        if repaired {
            self.repair_took = applying;
            let now = Instant::now();
            if self.contest.repaired(now, settled.rewritten) {
                if status.contested.is_none_or(|until| until <= now) {
                    warn!(
                        "others change our rules again and again: another agent with the same tables, or something that flushes"
                    );
                }
                status.contested = Some(now + contest::MEMORY);
            }
            let noticed_by = if matches!(wake, Wake::Rules | Wake::Others) { "notification" } else { "resync" };
            *status.repairs.entry(noticed_by).or_default() += 1;
            status.last_repair = Some(took);
            // Whoever breaks rules in a loop must not fill the log; the metrics count all of them.
            if self.told_repair.is_none_or(|told| told.elapsed() >= TELL_REPAIRS_EVERY) {
                self.told_repair = Some(now);
                warn!(changes, noticed_by, micros, "others changed our rules; they are put right");
            } else {
                debug!(changes, noticed_by, micros, "others changed our rules; they are put right");
            }
        } else if settled.changes > 0 {
            status.changes.observe(took);
            let policies = denied::policies(&wanted.reasons).len();
            info!(changes, micros, policies_of_this_node = policies, "the rules are in place");
        } else if first {
            info!("the rules were in place already");
        }
        status.in_place = true;
        status.blocked = None;
        status.failure = None;
        status.last_success = Some(SystemTime::now());
        drop(status);
        if self.say("kernel", None) {
            info!("the kernel takes the rules again");
        }
    }

    fn failed(&mut self, failure: &Failure) -> Next {
        let words = failure.to_string();
        let mut status = lock(&self.status);
        status.in_place = false;
        let (result, next) = match failure {
            Failure::Blocked(_) => {
                status.failure = None;
                status.blocked = Some(words.clone());
                ("blocked", Next::Wait)
            }
            Failure::Busy(_) | Failure::Locked(_) | Failure::Other(_) => {
                status.blocked = None;
                status.failure = Some(words.clone());
                let wait = self.retry;
                self.retry = (wait * 2).min(self.options.resync);
                (if matches!(failure, Failure::Busy(_)) { "busy" } else { "failed" }, Next::Retry(wait))
            }
        };
        *status.syncs.entry(result).or_default() += 1;
        drop(status);
        if self.say("kernel", Some(&words)) {
            error!("the rules are not in place, and are tried again: {words}");
        }
        next
    }

    /// The agent's state, to be looked at.
    fn status(&self) -> MutexGuard<'_, Status> {
        lock(&self.status)
    }
}

impl Subject for Agent {
    fn directory(&self) -> &Path {
        self.folder.path()
    }

    fn resync(&self) -> Duration {
        self.options.resync
    }

    fn being_written(&mut self, files: &BTreeSet<OsString>) {
        self.folder.being_written(files);
    }

    fn look(&mut self, why: Wake, noticed: Instant) -> Next {
        let standing = self.read();
        if let Some(wait) = standing.again.filter(|_| !standing.silent.is_empty() && !self.whole)
            && self.waiting.is_none()
            && self.begun.elapsed() < START
        {
            return Next::Retry(wait);
        }
        if !self.decide(standing.silent) {
            return standing.again.map_or(Next::Wait, Next::Retry);
        }
        match (self.put_in_place(why, noticed), standing.again) {
            (Next::Wait, Some(wait)) => Next::Retry(wait),
            (next, _) => next,
        }
    }

    fn place(&mut self, why: Wake, noticed: Instant) -> Next {
        self.put_in_place(why, noticed)
    }

    fn notifier(&self) -> Option<BorrowedFd<'_>> {
        self.tables.as_ref().and_then(Tables::notifier)
    }

    fn hear(&mut self) -> Heard {
        let Some(tables) = &mut self.tables else { return Heard::default() };
        let mut heard = tables.hear(|_| false);
        // Nothing others have in tables of their own is of interest here.
        heard.others = false;
        if heard.look && heard.ours && self.placed.is_some() {
            self.status().broken = true;
        }
        heard
    }

    fn patience(&self, now: Instant) -> Duration {
        // Until a repair comes, packets get through that policies deny.
        self.contest.breath(now, self.repair_took)
    }

    fn came_round(&mut self, now: Instant) {
        self.status().alive = Some(now);
    }

    fn aside(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(|listener| listener.as_fd())
    }

    fn read_aside(&mut self) {
        self.tell_denied();
    }
}

/// What the counters show; what can't be asked is left out.
fn counts(tables: &mut Tables) -> BTreeMap<(Family, String), Count> {
    let mut all = BTreeMap::new();
    for family in Family::ALL {
        let counts = tables.connection.counts(&table(family)).unwrap_or_default();
        all.extend(counts.into_iter().map(|(name, count)| ((family, name), count)));
    }
    all
}

fn sizes(objects: &BTreeMap<TableId, TableObjects>) -> Sizes {
    let mut sizes = Sizes::default();
    for table in objects.values() {
        sizes.chains += table.chains.len();
        sizes.rules += table.chains.values().map(|chain| chain.rules.len()).sum::<usize>();
        sizes.sets += table.sets.len();
        sizes.entries += table.sets.values().map(|set| set.elements.len()).sum::<usize>();
    }
    sizes
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A status somebody panicked over is still the best there is.
fn lock(status: &Shared) -> MutexGuard<'_, Status> {
    status.lock().unwrap_or_else(PoisonError::into_inner)
}
