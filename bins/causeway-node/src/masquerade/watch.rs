//! The loop: waits for files, for rules, for signals and for time, and looks.

use super::agent::{Agent, Next, Shared, Wake};
use super::allowance::Allowance;
use super::directory;
use super::kernel::Kernel;
use super::live::Live;
use super::options::Options;
use super::pages;
use super::status::Status;
use crate::Exit;
use causeway_linux::event;
use causeway_linux::signal::{Signal, Signals};
use causeway_linux::watch::Watch;
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tracing::{error, info, warn};

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
/// An address for the pages that can't be had is tried this often.
const SERVE_AGAIN: Duration = Duration::from_secs(2);
/// A loop that did not come round this much later than it should have hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps the rules in place until told to end.
pub(crate) fn run(options: Options, kernel: Box<dyn Kernel>) -> Exit {
    let signals = match Signals::hold() {
        Ok(signals) => signals,
        Err(error) => return cannot(&error),
    };
    let status: Shared = Arc::new(Mutex::new(Status { patience: options.resync + PATIENCE, ..Status::default() }));
    if let Some(address) = &options.metrics_address
        && let Err(error) = pages::serve(address.clone(), Live::new(Arc::clone(&status)), SERVE_AGAIN)
    {
        error!("pages can't be served at `{address}`: {error}");
    }
    let watch = watch(&options);
    let agent = Agent::new(options.clone(), kernel, status);
    let now = Instant::now();
    Loop {
        resync: options.resync,
        options,
        signals,
        watch,
        agent,
        changed: None,
        due: now,
        repair: None,
        others: None,
        others_from: now,
        allowance: Allowance::new(now),
    }
    .run()
}

fn cannot(error: &dyn std::fmt::Display) -> Exit {
    error!("{error}");
    Exit::Machine
}

fn watch(options: &Options) -> Option<Watch> {
    match Watch::new(&options.config_dir) {
        Ok(watch) => Some(watch),
        Err(error) => {
            warn!("{error}; it is read every second instead");
            None
        }
    }
}

struct Loop {
    options: Options,
    resync: Duration,
    signals: Signals,
    watch: Option<Watch>,
    agent: Agent<Box<dyn Kernel>>,
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

impl Loop {
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
            self.agent.place(why, noticed)
        } else {
            self.changed = None;
            let directory = directory::read(&self.options.config_dir);
            self.agent.look(why, &directory, noticed)
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
        self.agent.status().alive = Some(now);
        None
    }

    /// Whether signals, the directory and the kernel have something to say; none has when it is time.
    fn wait(&self) -> Result<[bool; 3], causeway_linux::system::SystemError> {
        let quiet = self.changed.map(|(first, last)| (last + QUIET).min(first + LATEST));
        let repair = self.repair.map(|(_, at)| at);
        let until = quiet.into_iter().chain(repair).chain(self.others).fold(self.due, Instant::min);
        let timeout = until.saturating_duration_since(Instant::now());
        let watch = self.watch.as_ref().map(|watch| watch.as_fd());
        let notifier = self.agent.kernel().notifier();
        let descriptors: Vec<_> = [Some(self.signals.as_fd()), watch, notifier].into_iter().flatten().collect();
        let mut ready = event::wait(&descriptors, Some(timeout))?.into_iter();
        let mut next = |there: bool| there && ready.next().unwrap_or(false);
        Ok([next(true), next(watch.is_some()), next(notifier.is_some())])
    }

    fn take_in(&mut self, ready: &[bool; 3]) -> Result<Option<(Wake, Instant)>, Exit> {
        let now = Instant::now();
        let [signal, files, rules] = *ready;
        self.agent.status().alive = Some(now);
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
            if self.agent.kernel_mut().was_changed() {
                if self.agent.kernel().ours_changed() {
                    self.agent.status().broken = true;
                }
                if self.repair.is_none() {
                    let wait = self.allowance.take(now).max(self.agent.patience(now));
                    self.repair = Some((now, now + wait));
                }
            }
            if self.agent.kernel_mut().others_changed() && self.others.is_none() {
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
            None => self.watch = Watch::new(&self.options.config_dir).ok(),
        }
        Ok(Some((Wake::Resync, now)))
    }
}
