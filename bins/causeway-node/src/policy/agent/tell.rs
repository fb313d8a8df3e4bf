//! What the agent says: of the files, of what it makes of them, and of packets that are denied.

use super::{Agent, lock};
use crate::policy::status::FileStatus;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tracing::{error, info, warn};

/// Denied packets that are read before the loop goes on.
const PACKETS_AT_ONCE: usize = 64;

impl Agent {
    /// True if the state has changed since it was last told.
    pub(super) fn say(&mut self, state: &str, words: Option<&str>) -> bool {
        match words {
            Some(words) => self.said.insert(state.to_owned(), words.to_owned()).as_deref() != Some(words),
            None => self.said.remove(state).is_some(),
        }
    }

    pub(super) fn tell_source(&mut self) {
        let files: BTreeMap<String, FileStatus> = self
            .folder
            .files()
            .iter()
            .map(|(name, known)| {
                let (trouble, silent) = (known.trouble.clone(), known.is_silent());
                let (objects, read_at, remarks) = (known.objects(), known.read_at, known.remarks.len());
                (name.clone(), FileStatus { objects, trouble, silent, read_at, remarks })
            })
            .collect();
        let before = {
            let mut status = self.status();
            status.looks += 1;
            status.reads = self.folder.reads;
            status.parses = self.folder.parses;
            status.folder = self.folder.trouble().map(str::to_owned);
            std::mem::replace(&mut status.files, files.clone())
        };
        let trouble = self.folder.trouble().map(str::to_owned);
        if self.say("folder", trouble.as_deref()) {
            match &trouble {
                Some(why) => {
                    let path = self.folder.path().display();
                    error!("`{path}` can't be read, and what was read before stays in effect: {why}");
                }
                None => info!("`{}` can be read again", self.folder.path().display()),
            }
        }
        for name in before.keys().filter(|name| !files.contains_key(*name)) {
            info!(file = %name, "gone, and what it stated with it");
            self.said.remove(&format!("file {name}"));
            self.said.remove(&format!("remarks {name}"));
        }
        for (name, file) in &files {
            if before.get(name) == Some(file) {
                continue;
            }
            let told = self.say(&format!("file {name}"), file.trouble.as_deref());
            match &file.trouble {
                Some(why) if told && file.silent => error!(file = %name, "can't be read, and never could be: {why}"),
                Some(why) if told => {
                    error!(file = %name, "can't be read, and what it said last stays in effect: {why}")
                }
                None if !file.silent => info!(file = %name, objects = file.objects, "read"),
                _ => {}
            }
            let remarks = self.folder.files().get(name).map(|known| known.remarks.clone()).unwrap_or_default();
            let all = remarks.join("\n");
            if self.say(&format!("remarks {name}"), Some(all.as_str()).filter(|all| !all.is_empty())) {
                for remark in &remarks {
                    warn!(file = %name, "{remark}");
                }
            }
        }
    }

    pub(super) fn tell_world(&mut self) {
        if !self.stale {
            return;
        }
        let faulty: Vec<String> =
            self.world.faulty().into_iter().map(|(id, why)| format!("`{id}` can't be read whole: {why}")).collect();
        let doubts = self.world.doubts();
        let stranger = !self.world.has_node(&self.options.node);
        let (counts, unread, shut) = (self.world.counts(), self.world.unread(), self.world.shut().len());
        let before = {
            let mut status = self.status();
            status.counts = counts;
            status.unread = unread;
            status.shut = shut;
            status.stranger = stranger;
            let before = [std::mem::take(&mut status.faulty), std::mem::take(&mut status.doubts)].concat();
            status.faulty.clone_from(&faulty);
            status.doubts.clone_from(&doubts);
            before
        };
        let before: BTreeSet<String> = before.into_iter().collect();
        for line in faulty.iter().chain(&doubts).filter(|line| !before.contains(*line)) {
            warn!("{line}");
        }
        let words = stranger.then(|| format!("no manifest knows node `{}`", self.options.node));
        if self.say("stranger", words.as_deref())
            && let Some(words) = words
        {
            warn!("{words}: nothing is to be enforced here, or `--node-name` is wrong");
        }
    }

    pub(super) fn tell_denied(&mut self) {
        let Some(listener) = &mut self.listener else { return };
        let (told, lost) = match listener.drain(PACKETS_AT_ONCE) {
            Ok(heard) => heard,
            Err(error) => {
                warn!("denied packets are not told of any more: {error}");
                self.listener = None;
                self.status().deaf = Some(error.to_string());
                return;
            }
        };
        let now = Instant::now();
        if now.saturating_duration_since(self.lines.0) >= Duration::from_secs(1) {
            self.lines = (now, 0);
        }
        // The rules let no more through; others may write to the group too.
        let most = self.options.log_rate.saturating_mul(4);
        let mut status = lock(&self.status);
        status.lost += u64::from(lost);
        for told in told {
            if self.lines.1 >= most {
                status.lost += 1;
                continue;
            }
            self.lines.1 += 1;
            status.told += 1;
            let line = status.denied.line(&told, &self.index);
            let (source_port, destination_port) = told.ports.unzip();
            info!(
                source = %told.source,
                source_port,
                destination = %told.destination,
                destination_port,
                protocol = line.protocol,
                from = line.from,
                to = line.to,
                direction = line.direction,
                by = line.by,
                "denied"
            );
        }
    }
}
