//! What the agent knows about itself: plain data that the health pages and the metrics are made from.

use super::denied::Denied;
use super::world::Counts;
use causeway_addr::Family;
use causeway_dataplane::nftables::objects::Count;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

/// Upper bounds of the buckets of how long a change took, in seconds.
pub(crate) const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Policies that one reason names.
const NAMED: usize = 8;

/// How long things took.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Histogram {
    pub(crate) sum: f64,
    pub(crate) count: u64,
    /// Observations in each bucket, and in the last those above all of them.
    pub(crate) buckets: [u64; BUCKETS.len() + 1],
}

impl Histogram {
    pub(crate) fn observe(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        self.sum += seconds;
        self.count += 1;
        let at = BUCKETS.iter().position(|bound| seconds <= *bound).unwrap_or(BUCKETS.len());
        if let Some(bucket) = self.buckets.get_mut(at) {
            *bucket += 1;
        }
    }
}

/// A file, as of the last look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FileStatus {
    /// Objects of it that are in effect.
    pub(crate) objects: usize,
    /// Why it can't be read as it is now; what it said last is in effect.
    pub(crate) trouble: Option<String>,
    /// It could never be read.
    pub(crate) silent: bool,
    /// When it was last read well.
    pub(crate) read_at: Option<SystemTime>,
    /// What was not understood of it.
    pub(crate) remarks: usize,
}

/// What the kernel was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) rules: usize,
    pub(crate) chains: usize,
    pub(crate) sets: usize,
    pub(crate) entries: usize,
}

/// The agent, as of its last look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Status {
    pub(crate) node: String,
    /// When the loop last came round.
    pub(crate) alive: Option<Instant>,
    /// After this long without coming round it hangs.
    pub(crate) patience: Duration,
    pub(crate) files: BTreeMap<String, FileStatus>,
    /// Why the folder can't be read.
    pub(crate) folder: Option<String>,
    /// Times the folder was looked at, files that were read, and files that said something new.
    pub(crate) looks: u64,
    pub(crate) reads: u64,
    pub(crate) parses: u64,
    /// What was never read, so that nothing may be opened for its silence.
    pub(crate) silent: Vec<String>,
    /// What is done about that.
    pub(crate) waiting: Option<Waiting>,
    pub(crate) counts: Counts,
    /// Pods of the node that policies speak of, by direction.
    pub(crate) selected: [usize; 2],
    /// Policies that can't be read whole.
    pub(crate) faulty: Vec<String>,
    /// Policies nobody can evaluate, by kind and name.
    pub(crate) unread: Vec<String>,
    /// What is stated twice and not the same.
    pub(crate) doubts: Vec<String>,
    /// Addresses that are shut because it is not certain whose they are.
    pub(crate) shut: usize,
    /// Nothing of the manifests is on this node.
    pub(crate) stranger: bool,
    pub(crate) sizes: Sizes,
    pub(crate) blocked: Option<String>,
    pub(crate) failure: Option<String>,
    /// The kernel holds what it should, as of the last look.
    pub(crate) in_place: bool,
    pub(crate) last_success: Option<SystemTime>,
    /// Our rules were changed by others, and are not put right yet.
    pub(crate) broken: bool,
    pub(crate) contested: Option<Instant>,
    /// Times rules were found changed by others and put right, by how it was noticed.
    pub(crate) repairs: BTreeMap<&'static str, u64>,
    pub(crate) last_repair: Option<Duration>,
    /// From notice of a change to rules in place, and of that what the kernel and its planning took.
    pub(crate) changes: Histogram,
    pub(crate) applies: Histogram,
    /// Looks at the kernel, by how they ended.
    pub(crate) syncs: BTreeMap<&'static str, u64>,
    pub(crate) denied: Denied,
    /// Counters, by family and name, as of when they were asked last.
    pub(crate) counters: BTreeMap<(Family, String), Count>,
    /// Denied packets the log told of, and times some were lost on the way there.
    pub(crate) told: u64,
    pub(crate) lost: u64,
    /// Why the log does not tell of denied packets; `None` = it does, or was not asked to.
    pub(crate) deaf: Option<String>,
}

/// What is done while something could never be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// The rules of before are left as they are.
    Kept,
    /// There were none: every pod that is known is shut, and every address of the node's ranges.
    Shut,
    /// Rules of this run are in place; what the file may say was never in effect.
    Without,
}

impl Waiting {
    fn words(self) -> &'static str {
        match self {
            Waiting::Kept => "the rules that were there stay as they are until it is read",
            Waiting::Shut => "there were no rules, so every pod of this node is shut until it is read",
            Waiting::Without => "it is read when it is whole; the others are in effect",
        }
    }
}

impl Status {
    /// The loop still comes round.
    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        self.alive.is_none_or(|alive| now.saturating_duration_since(alive) <= self.patience)
    }

    /// Packets are treated as was read.
    pub(crate) fn is_ready(&self) -> bool {
        self.in_place && !self.broken && self.blocked.is_none() && self.waiting.is_none()
    }

    /// What is not as it should be, as (word, sentence).
    pub(crate) fn reasons(&self) -> Vec<(&'static str, String)> {
        let mut reasons = Vec::new();
        if let Some(why) = &self.folder {
            reasons.push(("folder-unreadable", format!("the folder of manifests can't be read: {why}")));
        }
        for (name, file) in &self.files {
            if let Some(why) = &file.trouble {
                let kept = if file.silent { "nothing is known of it" } else { "what it said last is in effect" };
                reasons.push(("file-unreadable", format!("`{name}`: {why}; {kept}")));
            }
        }
        if let Some(waiting) = self.waiting {
            reasons.push(("never-read", format!("{} was never read: {}", self.silent.join(", "), waiting.words())));
        }
        if let Some(why) = &self.blocked {
            reasons.push(("blocked", why.clone()));
        } else if let Some(why) = &self.failure {
            reasons.push(("rules-not-in-place", why.clone()));
        } else if !self.in_place && self.waiting.is_none() {
            reasons.push(("rules-not-in-place", "the rules are being put in place for the first time".to_owned()));
        }
        if self.broken {
            reasons.push(("rules-changed", "others changed our rules, and they are not put right yet".to_owned()));
        }
        if self.contested.is_some_and(|until| Instant::now() < until) {
            let words = "others change our rules again and again: another agent with the same tables, or something that flushes";
            reasons.push(("contested", words.to_owned()));
        }
        for fault in &self.faulty {
            reasons.push(("policy-untranslatable", format!("{fault}; whom it selects is shut where it matters")));
        }
        if !self.unread.is_empty() {
            let mut named: Vec<String> = self.unread.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
            if self.unread.len() > NAMED {
                named.push(format!("{} more", self.unread.len() - NAMED));
            }
            let words = format!(
                "policies are of kinds nobody here can evaluate, and whom they may select is shut: {}",
                named.join(", ")
            );
            reasons.push(("policy-unread", words));
        }
        reasons.extend(self.doubts.iter().map(|doubt| ("stated-twice", doubt.clone())));
        if self.stranger {
            let words = format!("no manifest knows node `{}`: no Node of that name, and no pod on it", self.node);
            reasons.push(("node-unknown", words));
        }
        if let Some(why) = &self.deaf {
            reasons.push(("deny-log", format!("the log does not tell of denied packets: {why}")));
        }
        reasons
    }

    /// For the health pages.
    pub(crate) fn to_json(&self, now: Instant) -> Value {
        let reasons = self.reasons();
        let status = match (self.is_alive(now), &self.blocked, self.is_ready(), reasons.is_empty()) {
            (false, ..) => "hanging",
            (_, Some(_), ..) => "blocked",
            (_, _, false, _) => "not-ready",
            (_, _, true, false) => "degraded",
            (_, _, true, true) => "ok",
        };
        let reasons: Vec<Value> =
            reasons.into_iter().map(|(word, sentence)| json!({"reason": word, "message": sentence})).collect();
        json!({
            "status": status,
            "ready": self.is_ready(),
            "node": self.node,
            "policies": self.counts.policies,
            "pods": self.counts.pods,
            "reasons": reasons,
        })
    }
}

#[cfg(test)]
mod tests;
