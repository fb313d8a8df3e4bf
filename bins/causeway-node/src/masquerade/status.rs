//! What the agent knows about itself: plain data that the log, the health pages and the metrics are all made from.

use super::judge::Judged;
use super::keep::{Doubt, Shrunk};
use super::kernel::Shadowing;
use causeway_addr::Family;
use causeway_dataplane::nftables::objects::Count;
use causeway_model::masquerade::MasqueradeConfig;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

/// The agent, as of its last look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Status {
    /// What holds the rules.
    pub(crate) backend: &'static str,
    /// When the loop last came round.
    pub(crate) alive: Option<Instant>,
    /// After this long without coming round it hangs.
    pub(crate) patience: Duration,
    /// Files, by name: entries in effect, and why one is refused.
    pub(crate) files: BTreeMap<String, (usize, Option<String>)>,
    /// The directory can't be read, in the operating system's words.
    pub(crate) unlistable: Option<String>,
    /// Why what was read is not taken.
    pub(crate) doubt: Option<Doubt>,
    /// The configuration that is kept in place.
    pub(crate) held: Option<HeldStatus>,
    /// There were files while running, none is left, and the built-in list is in effect.
    pub(crate) files_gone: bool,
    /// The kernel does not let us write, in its words.
    pub(crate) blocked: Option<String>,
    /// Why the last look at the kernel failed otherwise.
    pub(crate) failure: Option<String>,
    /// The kernel holds what it should, as of the last look.
    pub(crate) in_place: bool,
    /// When that was last so.
    pub(crate) last_success: Option<SystemTime>,
    /// The merged configuration was asked for, and is written (`Ok`) or why not.
    pub(crate) merged: Option<Result<(), String>>,
    /// Exempt prefixes the kernel holds, link-local included.
    pub(crate) present: BTreeMap<Family, usize>,
    /// Counters, by family and name.
    pub(crate) counts: BTreeMap<(Family, String), Count>,
    /// Rules of others that take packets before ours.
    pub(crate) shadowed_by: Vec<Shadowing>,
    /// What is there of others and could not be removed.
    pub(crate) left: Vec<String>,
    /// Times rules were found changed by others and put right, by how it was noticed.
    pub(crate) repairs: BTreeMap<&'static str, u64>,
    /// Our rules were changed by others, and are not put right yet.
    pub(crate) broken: bool,
    /// Others change our rules again and again, until they let them be for a while.
    pub(crate) contested: Option<Instant>,
    /// How long the last repair took, from notice to rules in place.
    pub(crate) last_repair: Option<Duration>,
    /// Looks at the kernel, by how they ended.
    pub(crate) looks: BTreeMap<&'static str, u64>,
    /// Looks that had to change something.
    pub(crate) writes: u64,
    /// Times the configuration was read.
    pub(crate) reads: u64,
}

/// The configuration that is kept in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeldStatus {
    /// Tells configurations apart.
    pub(crate) hash: u64,
    /// Exempt prefixes that should be there, link-local included.
    pub(crate) desired: BTreeMap<Family, usize>,
    /// Nothing is exempt but, perhaps, link-local.
    pub(crate) empty: bool,
    /// It is the built-in list.
    pub(crate) defaults: bool,
    /// Some files were refused, and this is what the others say.
    pub(crate) partial: bool,
}

impl Doubt {
    /// In one word, for metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Doubt::Directory => "directory",
            Doubt::Files => "files",
            Doubt::ShrankToNothing(_) => "shrank-to-nothing",
            Doubt::RestIsEmpty => "rest-is-empty",
        }
    }

    /// In words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Doubt::Directory => "the configuration directory can't be read",
            Doubt::Files => "a file is refused",
            Doubt::ShrankToNothing(Shrunk::Both) => {
                "the lists of IPv4 and IPv6 shrank to nothing, so that everything would be translated; `--allow-empty` or a restart lets it"
            }
            Doubt::ShrankToNothing(Shrunk::One(Family::V4)) => {
                "the list of IPv4 shrank to nothing, so that everything of IPv4 would be translated; `--allow-empty` or a restart lets it"
            }
            Doubt::ShrankToNothing(Shrunk::One(Family::V6)) => {
                "the list of IPv6 shrank to nothing, so that everything of IPv6 would be translated; `--allow-empty` or a restart lets it"
            }
            Doubt::RestIsEmpty => "a file is refused, and the others list nothing",
        }
    }
}

impl Status {
    /// Takes in what was read.
    pub(crate) fn read(&mut self, judged: &Judged) {
        self.reads += 1;
        self.files =
            judged.files.iter().map(|(name, file)| (name.clone(), (file.entries, file.refused.clone()))).collect();
        self.unlistable.clone_from(&judged.unlistable);
    }

    /// The loop still comes round.
    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        self.alive.is_none_or(|alive| now.saturating_duration_since(alive) <= self.patience)
    }

    /// Packets are treated as the configuration that is kept says: by the kernel's rules, or, where those can't be written, by the data
    /// plane that reads the merged file.
    pub(crate) fn is_ready(&self) -> bool {
        let handed_over = self.blocked.is_some() && matches!(self.merged, Some(Ok(())));
        self.held.is_some() && ((self.in_place && !self.broken) || handed_over)
    }

    /// What is not as it should be, as (word, sentence).
    pub(crate) fn reasons(&self) -> Vec<(&'static str, String)> {
        let mut reasons = Vec::new();
        if let Some(why) = &self.unlistable {
            reasons.push(("directory-unreadable", format!("the configuration directory can't be read: {why}")));
        }
        for (name, (_, refused)) in &self.files {
            if let Some(why) = refused {
                reasons.push(("file-refused", format!("`{name}`: {why}")));
            }
        }
        if let Some(doubt @ (Doubt::ShrankToNothing(_) | Doubt::RestIsEmpty)) = self.doubt {
            reasons.push((doubt.word(), doubt.words().to_owned()));
        }
        if self.files_gone {
            let words = "the files that were there are gone, and the built-in list is in effect";
            reasons.push(("files-gone", words.to_owned()));
        }
        match &self.held {
            None => reasons.push(("no-configuration", "no configuration was accepted yet".to_owned())),
            Some(held) => {
                if held.partial {
                    reasons.push(("partial", "only the files that are not refused are in effect".to_owned()));
                }
                if held.empty {
                    reasons
                        .push(("list-empty", "nothing is exempt: traffic between pods is translated too".to_owned()));
                }
            }
        }
        if let Some(why) = &self.blocked {
            reasons.push(("blocked", why.clone()));
        } else if let Some(why) = &self.failure {
            reasons.push(("rules-not-in-place", why.clone()));
        } else if self.held.is_some() && !self.in_place {
            reasons.push(("rules-not-in-place", "the rules are being put in place for the first time".to_owned()));
        }
        if self.broken {
            reasons.push(("rules-changed", "others changed our rules, and they are not put right yet".to_owned()));
        }
        if self.contested.is_some_and(|until| Instant::now() < until) {
            let words =
                "others change our rules again and again: another agent with other settings, or something that flushes";
            reasons.push(("contested", words.to_owned()));
        }
        if let Some(Err(why)) = &self.merged {
            reasons.push(("merged-config", format!("the merged configuration can't be written: {why}")));
        }
        reasons.extend(self.left.iter().map(|what| ("left-behind", what.clone())));
        let unexpected = self.shadowed_by.iter().filter(|rule| !rule.expected);
        reasons.extend(unexpected.map(|rule| ("shadowed", rule.words.clone())));
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
            "backend": self.backend,
            "configuration": self.held.as_ref().map(|held| json!({
                "hash": format!("{:012x}", held.hash),
                "defaults": held.defaults,
                "partial": held.partial,
            })),
            "reasons": reasons,
        })
    }
}

/// A number that tells configurations apart: FNV-1a over what the kernel gets, cut to the 48 bits that a metric, which is a double, can
/// hold.
pub(crate) fn hash(config: &MasqueradeConfig) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let switches = [config.link_local, config.link_local_v6, config.ipv6].map(u8::from);
    let start = switches.iter().fold(0xcbf2_9ce4_8422_2325, fold);
    // An address has one length in bytes per family, and the family goes before it: no two lists have the same bytes.
    let hash = config.exempt.iter().fold(start, |hash, cidr| {
        let hash = [cidr.prefix_len(), u8::from(cidr.family() == Family::V6)].iter().fold(hash, fold);
        match cidr.addr() {
            IpAddr::V4(address) => address.octets().iter().fold(hash, fold),
            IpAddr::V6(address) => address.octets().iter().fold(hash, fold),
        }
    });
    hash >> 16
}

#[cfg(test)]
mod tests;
