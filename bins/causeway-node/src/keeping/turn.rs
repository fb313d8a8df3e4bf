//! The loop: waits for files, for rules, for signals and for time, and has its subject look.
//!
//! What is kept in place, and what is read for it, is the subject's affair; the loop has no opinion about either.

use super::allowance::Allowance;
use crate::Exit;
use causeway_linux::event;
use causeway_linux::signal::{Signal, Signals};
use causeway_linux::system::SystemError;
use causeway_linux::watch::Watch;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};
use tracing::{error, info, warn};

/// Why a subject is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    /// It starts.
    Start,
    /// The directory changed, or somebody asked.
    Files,
    /// Somebody changed rules.
    Rules,
    /// Others changed rules of their own.
    Others,
    /// It is time.
    Resync,
}

/// What comes after a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Wait for something to happen, at most until it is time.
    Wait,
    /// Look again after this long.
    Retry(Duration),
    /// End, with the status of the original of the subject, saying this.
    End(String),
}

/// What was heard of rules since this was last asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// They have to be looked at.
    pub(crate) look: bool,
    /// Rules of the subject's own were touched.
    pub(crate) ours: bool,
    /// Others changed rules of their own.
    pub(crate) others: bool,
}

/// Something whose rules are kept in place as the files of a directory say.
pub(crate) trait Subject {
    /// The directory.
    fn directory(&self) -> &Path;

    /// Between two looks though nothing happens.
    fn resync(&self) -> Duration;

    /// Files of the directory that somebody is writing into, before the next look.
    fn being_written(&mut self, _files: &BTreeSet<OsString>) {}

    /// Reads the directory, decides, and puts the rules in place. `noticed` = when what woke it was noticed.
    fn look(&mut self, why: Wake, noticed: Instant) -> Next;

    /// Puts the rules that were decided on in place.
    fn place(&mut self, why: Wake, noticed: Instant) -> Next;

    /// Becomes readable when somebody may have changed rules; `None` = nobody tells.
    fn notifier(&self) -> Option<BorrowedFd<'_>>;

    /// Takes in what the notifier has.
    fn hear(&mut self) -> Heard;

    /// How long to let others' changes of our rules be.
    fn patience(&self, now: Instant) -> Duration;

    /// The loop came round.
    fn came_round(&mut self, now: Instant);

    /// Becomes readable when there is something to read that changes nothing.
    fn aside(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Reads it.
    fn read_aside(&mut self) {}
}

/// A writer is done when the directory was quiet this long.
const QUIET: Duration = Duration::from_millis(20);
/// A directory that never is quiet is read this long after the first change.
const LATEST: Duration = Duration::from_millis(200);
/// Where the directory can't be watched it is read this often.
const UNWATCHED: Duration = Duration::from_secs(1);
/// Rules of others are looked at this long after a change of theirs, which seldom comes alone...
const OTHERS_AFTER: Duration = Duration::from_millis(200);
/// ... and so seldom that it takes no more than this part of the time: kube-proxy changes its own all the time, and may have many.
const OTHERS_SHARE: u32 = 50;
/// A loop that did not come round this much later than it should have hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The signals the loop waits for. To be held before any thread starts, the pages' among them.
///
/// # Errors
/// The system gives no descriptor for them.
pub(crate) fn signals() -> Result<Signals, SystemError> {
    Signals::hold()
}

/// Keeps the rules of a subject in place until told to end.
pub(crate) fn run(subject: impl Subject, signals: Signals) -> Exit {
    let watch = watch(subject.directory());
    let now = Instant::now();
    Loop {
        resync: subject.resync(),
        subject,
        signals,
        watch,
        changed: None,
        due: now,
        repair: None,
        others: None,
        others_from: now,
        allowance: Allowance::new(now),
    }
    .run()
}

/// What ends the program because the machine can't.
pub(crate) fn cannot(error: &dyn std::fmt::Display) -> Exit {
    error!("{error}");
    Exit::Machine
}

fn watch(directory: &Path) -> Option<Watch> {
    match Watch::new(directory) {
        Ok(watch) => Some(watch),
        Err(error) => {
            warn!("{error}; it is read every second instead");
            None
        }
    }
}

struct Loop<S> {
    subject: S,
    resync: Duration,
    signals: Signals,
    watch: Option<Watch>,
    /// The directory changed: first and last time since it was read.
    changed: Option<(Instant, Instant)>,
    /// When to look though nothing happens.
    due: Instant,
    /// Rules were changed: when that was noticed, and when they are put right.
    repair: Option<(Instant, Instant)>,
    /// Others changed rules of theirs: when to look at them.
    others: Option<Instant>,
    /// Not before this.
    others_from: Instant,
    allowance: Allowance,
}

impl<S: Subject> Loop<S> {
    fn run(&mut self) -> Exit {
        let mut wake = Some((Wake::Start, Instant::now()));
        loop {
            if let Some((why, noticed)) = wake
                && let Some(exit) = self.look(why, noticed)
            {
                return exit;
            }
            let ready = match self.wait() {
                Ok(ready) => ready,
                Err(error) => return cannot(&error),
            };
            wake = match self.take_in(&ready) {
                Ok(wake) => wake,
                Err(exit) => return exit,
            };
        }
    }

    fn look(&mut self, why: Wake, noticed: Instant) -> Option<Exit> {
        let begun = Instant::now();
        let next = if matches!(why, Wake::Rules | Wake::Others) {
            self.subject.place(why, noticed)
        } else {
            self.changed = None;
            if let Some(watch) = &self.watch {
                self.subject.being_written(watch.being_written());
            }
            self.subject.look(why, noticed)
        };
        let wait = match next {
            Next::Wait if self.watch.is_none() => self.resync.min(UNWATCHED),
            Next::Wait => self.resync,
            Next::Retry(wait) => wait,
            Next::End(words) => {
                error!("{words}");
                return Some(Exit::Original);
            }
        };
        let now = Instant::now();
        self.due = match (why, &next) {
            // Repairs must not put off the look at files, which is due whatever others do.
            (Wake::Rules | Wake::Others, Next::Wait) => self.due,
            _ => now + wait,
        };
        if matches!(why, Wake::Start | Wake::Others | Wake::Resync) {
            self.others_from = now + now.saturating_duration_since(begun) * OTHERS_SHARE;
        }
        self.subject.came_round(now);
        None
    }

    /// Whether signals, the directory, the kernel and what is read aside have something to say; none has when it is time.
    fn wait(&self) -> Result<[bool; 4], SystemError> {
        let quiet = self.changed.map(|(first, last)| (last + QUIET).min(first + LATEST));
        let repair = self.repair.map(|(_, at)| at);
        let until = quiet.into_iter().chain(repair).chain(self.others).fold(self.due, Instant::min);
        let timeout = until.saturating_duration_since(Instant::now());
        let watch = self.watch.as_ref().map(|watch| watch.as_fd());
        let (notifier, aside) = (self.subject.notifier(), self.subject.aside());
        let descriptors: Vec<_> = [Some(self.signals.as_fd()), watch, notifier, aside].into_iter().flatten().collect();
        let mut ready = event::wait(&descriptors, Some(timeout))?.into_iter();
        let mut next = |there: bool| there && ready.next().unwrap_or(false);
        Ok([next(true), next(watch.is_some()), next(notifier.is_some()), next(aside.is_some())])
    }

    fn take_in(&mut self, ready: &[bool; 4]) -> Result<Option<(Wake, Instant)>, Exit> {
        let now = Instant::now();
        let [signal, files, rules, aside] = *ready;
        self.subject.came_round(now);
        if aside {
            self.subject.read_aside();
        }
        if signal {
            match self.signals.next() {
                Ok(Some(Signal::Stop)) => {
                    info!("told to end; the rules stay in place");
                    return Err(Exit::Fine);
                }
                Ok(Some(Signal::Reload)) => return Ok(Some((Wake::Files, now))),
                Ok(None) => {}
                Err(error) => return Err(cannot(&error)),
            }
        }
        if rules {
            let heard = self.subject.hear();
            if heard.look && self.repair.is_none() {
                let wait = self.allowance.take(now).max(self.subject.patience(now));
                self.repair = Some((now, now + wait));
            }
            if heard.others && self.others.is_none() {
                self.others = Some((now + OTHERS_AFTER).max(self.others_from));
            }
        }
        if files {
            match self.watch.as_mut().map_or(Ok(false), Watch::changed) {
                Ok(true) => self.changed = Some((self.changed.map_or(now, |(first, _)| first), now)),
                Ok(false) => {}
                Err(error) => {
                    warn!("{error}; it is read every second instead");
                    self.watch = None;
                    return Ok(Some((Wake::Files, now)));
                }
            }
        }
        if let Some((first, last)) = self.changed
            && now >= (last + QUIET).min(first + LATEST)
        {
            return Ok(Some((Wake::Files, first)));
        }
        if let Some((noticed, _)) = self.repair.take_if(|(_, at)| *at <= now) {
            return Ok(Some((Wake::Rules, noticed)));
        }
        if now < self.due && self.others.take_if(|at| *at <= now).is_some() {
            return Ok(Some((Wake::Others, now)));
        }
        if now < self.due {
            return Ok(None);
        }
        match &mut self.watch {
            // Something may have been mounted over the directory, which tells nobody.
            Some(watch) => {
                if watch.verify().is_err() {
                    self.watch = None;
                }
            }
            None => self.watch = Watch::new(self.subject.directory()).ok(),
        }
        Ok(Some((Wake::Resync, now)))
    }
}
