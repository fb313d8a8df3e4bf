//! One look at everything: what the files say, what to do about it, what the kernel holds. The loop around it only waits.

use super::directory;
use super::judge::{self, Judged};
use super::keep::{Decision, Doubt, Held, Keeper, Policy, Shrunk};
use super::kernel::{Failure, Kernel, Preview, Synced};
use super::merged;
use super::options::Options;
use super::said::Said;
use super::status::{HeldStatus, Status, hash};
use crate::keeping::contest::{self, Contest};
use crate::keeping::turn::{Heard, Next, Subject, Wake};
use causeway_dataplane::masquerade::Settings;
use causeway_read::masquerade::{Accepted, Directory};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tracing::{debug, error, info, warn};

/// The first wait after a failure; it doubles up to the resync interval.
const FIRST_RETRY: Duration = Duration::from_millis(50);

/// The longest wait for others to let go of a lock.
const LOCK_RETRY: Duration = Duration::from_secs(1);
/// How long the original waits for a lock before that is an error to it.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Repairs that follow sooner are told of at `-v=4` only.
const TELL_REPAIRS_EVERY: Duration = Duration::from_secs(1);

/// A file is refused, and nothing was touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

/// What is shared with the pages.
pub(crate) type Shared = Arc<Mutex<Status>>;

/// The agent without its loop.
#[derive(Debug)]
pub(crate) struct Agent<K> {
    options: Options,
    kernel: K,
    keeper: Keeper,
    status: Shared,
    said: Said,
    /// What the kernel was last seen to hold; a difference from it is somebody else's doing.
    placed: Option<Settings>,
    retry: Duration,
    /// Since when others have held the lock.
    locked: Option<Instant>,
    /// When a repair was last told of.
    told_repair: Option<Instant>,
    contest: Contest,
    /// The directory as it was last read, and what was thought of it.
    read: Option<(Directory, Arc<Judged>)>,
    /// What the status says of the configuration was made from this.
    shown: Option<Held>,
}

impl<K: Kernel> Agent<K> {
    pub(crate) fn new(options: Options, kernel: K, status: Shared) -> Agent<K> {
        // Who wants the original's manner gets it here too: it applies an empty list.
        let allow_empty = options.allow_empty || options.exit_on_error;
        let policy = Policy { strict: options.strict, allow_empty };
        lock(&status).backend = kernel.name();
        Agent {
            keeper: Keeper::new(policy),
            options,
            kernel,
            status,
            said: Said::default(),
            placed: None,
            retry: FIRST_RETRY,
            locked: None,
            told_repair: None,
            contest: Contest::default(),
            read: None,
            shown: None,
        }
    }

    /// Reads the configuration, takes it if it can be taken, and puts the rules in place. `noticed` = when what woke it was noticed.
    pub(crate) fn look_at(&mut self, wake: Wake, directory: &Directory, noticed: Instant) -> Next {
        let judged = self.judged(directory);
        let judged = &*judged;
        lock(&self.status).read(judged);
        if self.options.exit_on_error
            && let Some(words) = last_words(judged)
        {
            return Next::End(words);
        }
        self.tell_files(judged);
        // Rules from before matter only where this configuration is not simply taken: the first sync must not wait for the answer.
        let doubtful = !judged.is_whole() || judged.accepted.is_none();
        let found = doubtful && self.keeper.held().is_none() && self.kernel.has_rules().unwrap_or(false);
        let decision = self.keeper.decide(judged, found);
        self.tell_decision(decision, found);
        self.put_in_place(wake, noticed)
    }

    /// Looks once and for all: any refused file refuses everything, before anything is touched.
    pub(crate) fn once(&mut self, directory: &Directory) -> Result<Next, Refused> {
        let judged = self.judged(directory);
        if !judged.is_whole() && !self.options.exit_on_error {
            self.tell_files(&judged);
            error!("the rules are left as they are");
            return Err(Refused);
        }
        Ok(self.look_at(Wake::Start, directory, Instant::now()))
    }

    /// What is to be thought of the directory; thought once as long as it has the same bytes, because lists may be long.
    fn judged(&mut self, directory: &Directory) -> Arc<Judged> {
        if let Some((read, judged)) = &self.read
            && read == directory
        {
            return Arc::clone(judged);
        }
        let options = &self.options;
        let judged = Arc::new(judge::judge(&options.flags, options.strict, &options.config_dir, directory));
        self.read = Some((directory.clone(), Arc::clone(&judged)));
        judged
    }

    /// What [`Agent::once`] would do.
    pub(crate) fn preview(&mut self, directory: &Directory) -> Result<Preview, Refused> {
        let judged = self.judged(directory);
        self.tell_files(&judged);
        if !judged.is_whole() {
            return Err(Refused);
        }
        self.keeper.decide(&judged, false);
        let settings = self.settings().ok_or(Refused)?;
        Ok(self.kernel.preview(&settings))
    }

    /// Puts the rules that are kept in place.
    pub(crate) fn put_in_place(&mut self, wake: Wake, noticed: Instant) -> Next {
        let Some(settings) = self.settings() else { return Next::Wait };
        self.write_merged(&settings);
        if matches!(wake, Wake::Start | Wake::Others | Wake::Resync) {
            self.kernel.look_at_others();
        }
        match self.kernel.sync(&settings) {
            Ok(synced) => {
                self.retry = FIRST_RETRY;
                self.locked = None;
                self.in_place(wake, noticed, settings, synced);
                Next::Wait
            }
            Err(failure) => self.failed(&failure),
        }
    }

    /// What is kept in place; `None` = nothing was taken yet.
    pub(crate) fn settings(&self) -> Option<Settings> {
        let config = self.keeper.held()?.accepted.config.clone();
        Some(Settings {
            config,
            sources: self.options.sources.clone(),
            random_fully: self.options.random_fully.unwrap_or_else(|| self.kernel.randomises()),
        })
    }

    /// The agent's state, to be looked at.
    pub(crate) fn status(&self) -> MutexGuard<'_, Status> {
        lock(&self.status)
    }

    fn in_place(&mut self, wake: Wake, noticed: Instant, settings: Settings, synced: Synced) {
        let repaired = synced.changes > 0 && self.placed.as_ref() == Some(&settings);
        let first = self.placed.is_none();
        self.placed = Some(settings);
        let took = synced.in_place_at.unwrap_or_else(Instant::now).saturating_duration_since(noticed);
        let mut status = lock(&self.status);
        *status.looks.entry("in-place").or_default() += 1;
        if synced.changes > 0 {
            status.writes += 1;
        }
        status.broken = false;
        if repaired {
            let now = Instant::now();
            if self.contest.repaired(now, synced.rewritten) {
                if status.contested.is_none_or(|until| until <= now) {
                    warn!(
                        "others change our rules again and again: another agent with other settings, or something that flushes"
                    );
                }
                status.contested = Some(now + contest::MEMORY);
            }
            let noticed_by = if matches!(wake, Wake::Rules | Wake::Others) { "notification" } else { "resync" };
            *status.repairs.entry(noticed_by).or_default() += 1;
            status.last_repair = Some(took);
            let (changes, micros) = (synced.changes, micros(took));
            // Whoever breaks rules in a loop must not fill the log; the metrics count all of them.
            if self.told_repair.is_none_or(|told| told.elapsed() >= TELL_REPAIRS_EVERY) {
                self.told_repair = Some(Instant::now());
                warn!(changes, noticed_by, micros, "others changed our rules; they are put right");
            } else {
                debug!(changes, noticed_by, micros, "others changed our rules; they are put right");
            }
        } else if synced.changes > 0 {
            info!(changes = synced.changes, micros = micros(took), "the rules are in place");
        } else if first {
            info!("the rules were in place already");
        }
        for what in &synced.taken_over {
            info!("{what}");
        }
        for gone in status.shadowed_by.iter().filter(|rule| !synced.shadowed_by.contains(rule)) {
            if self.said.forget(&gone.words) && !gone.expected {
                info!("not there any more: {}", gone.words);
            }
        }
        for rule in &synced.shadowed_by {
            if self.said.first(&rule.words) {
                if rule.expected { info!("{}", rule.words) } else { warn!("{}", rule.words) }
            }
        }
        for what in synced.left.iter().filter(|what| self.said.first(what)) {
            warn!("{what}");
        }
        if self.said.once("kernel", None) {
            info!("the kernel takes the rules again");
        }
        status.in_place = true;
        status.blocked = None;
        status.failure = None;
        status.last_success = Some(SystemTime::now());
        status.present = synced.present;
        status.counts = synced.counts;
        status.shadowed_by = synced.shadowed_by;
        status.left = synced.left;
    }

    fn failed(&mut self, failure: &Failure) -> Next {
        let since = match failure {
            Failure::Locked(_) => *self.locked.get_or_insert_with(Instant::now),
            _ => {
                self.locked = None;
                Instant::now()
            }
        };
        let patient = matches!(failure, Failure::Locked(_)) && since.elapsed() < LOCK_PATIENCE;
        if self.options.exit_on_error && !patient {
            return Next::End(format!("the daemon encountered an error: error syncing masquerade rules: {failure}"));
        }
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
                let locked = matches!(failure, Failure::Locked(_));
                let wait = if locked { self.retry.min(LOCK_RETRY) } else { self.retry };
                self.retry = (wait * 2).min(self.options.resync);
                (if locked || matches!(failure, Failure::Busy(_)) { "busy" } else { "failed" }, Next::Retry(wait))
            }
        };
        *status.looks.entry(result).or_default() += 1;
        if self.said.once("kernel", Some(&words)) {
            match failure {
                Failure::Blocked(_) => {
                    error!(
                        "blocked: this node does not let the agent write rules, and it stays out of the way: {words}"
                    );
                }
                _ => error!("the rules are not in place, and are tried again: {words}"),
            }
        }
        next
    }

    fn write_merged(&mut self, settings: &Settings) {
        let Some(path) = &self.options.merged_config else { return };
        let place = merged::place(path);
        let result = merged::write(&place, &merged::text(&settings.config));
        let words = result.as_ref().err().map(|error| format!("`{}`: {error}", place.display()));
        if self.said.once("merged", words.as_deref())
            && let Some(words) = &words
        {
            error!("the merged configuration can't be written: {words}");
        }
        if matches!(result, Ok(true)) {
            info!("wrote the merged configuration to `{}`", place.display());
        }
        lock(&self.status).merged = Some(words.map_or(Ok(()), Err));
    }

    fn tell_files(&mut self, judged: &Judged) {
        if self.said.once("directory", judged.unlistable.as_deref())
            && let Some(why) = &judged.unlistable
        {
            error!("`{}` can't be read: {why}", self.options.config_dir.display());
        }
        self.said.only(judged.files.keys());
        for (name, file) in &judged.files {
            if self.said.file(name, file) {
                match &file.refused {
                    Some(why) => {
                        let help = file.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
                        error!(file = %name, "refused: {why}{help}");
                    }
                    None => info!(file = %name, entries = file.entries, "accepted"),
                }
                for remark in &file.remarks {
                    warn!(file = %name, "{remark}");
                }
            }
        }
    }

    fn tell_decision(&mut self, decision: Decision, found: bool) {
        let doubt = match decision {
            Decision::Take => None,
            Decision::Keep(doubt) | Decision::Wait(doubt) => Some(doubt),
        };
        let held = self.keeper.held();
        let mut status = lock(&self.status);
        status.doubt = doubt;
        status.files_gone = held.is_some_and(|held| held.files_gone);
        if held != self.shown.as_ref() {
            status.held = held.map(shown);
            self.shown = held.cloned();
        }
        drop(status);
        let kept = match (decision, found) {
            (Decision::Take, _) => None,
            (Decision::Keep(Doubt::ShrankToNothing(Shrunk::One(_))), _) => {
                Some("what that family had before stays in effect, and the other follows the files")
            }
            (Decision::Keep(_), _) => Some("the configuration of before stays in effect"),
            (Decision::Wait(_), true) => Some("the rules that are in the kernel stay as they are"),
            (Decision::Wait(_), false) => Some("nothing is translated until it is"),
        };
        let words = doubt.zip(kept).map(|(doubt, kept)| format!("{}: {kept}", doubt.words()));
        if self.said.once("decision", words.as_deref()) {
            match &words {
                Some(words) if matches!(doubt, Some(Doubt::ShrankToNothing(_))) => warn!("{words}"),
                Some(words) => error!("{words}"),
                None => info!("what was read is in effect again"),
            }
        }
        let Some(held) = self.keeper.held() else { return };
        let empty = held.accepted.config.exempt.is_empty().then_some("empty");
        if self.said.once("empty", empty) && empty.is_some() {
            warn!("the list is empty: whatever leaves this node is translated, traffic between pods included");
        }
        let gone = held.files_gone.then_some("gone");
        if self.said.once("gone", gone) {
            match gone {
                Some(_) => {
                    let list = held.accepted.texts.join(", ");
                    warn!("the files that were there are gone: the built-in list is in effect instead ({list})");
                }
                None => info!("there are files again"),
            }
        }
        let partial = held.partial.then_some("partial");
        if self.said.once("partial", partial) && partial.is_some() {
            warn!("only the files that are not refused are in effect");
        }
        if self.options.flags.verbosity >= 2 {
            let shown = merged::line(&held.accepted.texts, &held.accepted.config);
            info!("using config: {shown}");
        }
    }
}

impl<K: Kernel> Subject for Agent<K> {
    fn directory(&self) -> &Path {
        &self.options.config_dir
    }

    fn resync(&self) -> Duration {
        self.options.resync
    }

    fn look(&mut self, why: Wake, noticed: Instant) -> Next {
        let directory = directory::read(&self.options.config_dir);
        self.look_at(why, &directory, noticed)
    }

    fn place(&mut self, why: Wake, noticed: Instant) -> Next {
        self.put_in_place(why, noticed)
    }

    fn notifier(&self) -> Option<BorrowedFd<'_>> {
        self.kernel.notifier()
    }

    fn hear(&mut self) -> Heard {
        let heard = self.kernel.hear();
        if heard.look && heard.ours {
            self.status().broken = true;
        }
        heard
    }

    fn patience(&self, now: Instant) -> Duration {
        self.contest.patience(now)
    }

    fn came_round(&mut self, now: Instant) {
        self.status().alive = Some(now);
    }
}

fn shown(held: &Held) -> HeldStatus {
    let Accepted { config, defaults, .. } = &*held.accepted;
    let settings = Settings { config: config.clone(), ..Settings::default() };
    let desired = settings.families().map(|family| (family, settings.exempt(family).len())).collect();
    let empty = config.exempt.is_empty();
    HeldStatus { hash: hash(config), desired, empty, defaults: *defaults, partial: held.partial }
}

/// The line the original ends with, or, where only we refuse, one in its manner.
fn last_words(judged: &Judged) -> Option<String> {
    judged.original.clone().or_else(|| {
        let (name, file) = judged.refused().next()?;
        let why = file.refused.as_deref().unwrap_or_default();
        Some(format!(
            "the daemon encountered an error: error syncing configuration: config file \"{name}\" is invalid: {why}"
        ))
    })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A status somebody panicked over is still the best there is.
fn lock(status: &Shared) -> MutexGuard<'_, Status> {
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
