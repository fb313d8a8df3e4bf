//! Who is denied by what: counts by policy, and the sample that the log tells of.
//!
//! A packet raises one counter, that of its reason: a rule of a tier that denies it, or all policies together that isolate the pod in
//! that direction. What is counted for several policies is counted for each of them when somebody asks, not for each packet.

use causeway_addr::Family;
use causeway_dataplane::nftables::objects::Count;
use causeway_dataplane::policy::{DENIED_STRAY, DENIED_UNKNOWN, DENIED_WITHOUT_SYN, Reason};
use causeway_linux::nflog::Told;
use causeway_model::policy::Direction;
use causeway_policy::{End, Index};
use std::collections::{BTreeMap, BTreeSet};

/// Reasons that were in effect a little while ago are remembered: what they denied is still told of.
const MOST_OLD: usize = 1000;

/// What is counted for a policy: its name and the direction.
pub(crate) type ByPolicy = BTreeMap<(String, &'static str), u64>;

/// Reasons by family and what a sample says.
pub(crate) type Reasons = BTreeMap<(Family, String), Reason>;

/// What counters of reasons stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Denied {
    reasons: Reasons,
    old: Reasons,
    /// What counters showed that are gone.
    before: ByPolicy,
}

impl Denied {
    /// Other reasons come into effect; `counts` is what the counters showed last of those before.
    pub(crate) fn replace(&mut self, reasons: Reasons, counts: &BTreeMap<(Family, String), Count>) {
        for (key, reason) in std::mem::take(&mut self.reasons) {
            if reasons.get(&key).is_some_and(|new| new.counter == reason.counter) {
                continue;
            }
            let packets = counts.get(&(key.0, reason.counter.clone())).map_or(0, |count| count.packets);
            add(&mut self.before, &reason, packets);
            if self.old.len() >= MOST_OLD {
                self.old.pop_first();
            }
            self.old.insert(key, reason);
        }
        self.reasons = reasons;
    }

    /// Whether counters go when these reasons come into effect.
    pub(crate) fn loses(&self, reasons: &Reasons) -> bool {
        self.reasons.keys().any(|key| !reasons.contains_key(key))
    }

    /// Packets denied so far, by policy and direction, each for every policy that denies it.
    pub(crate) fn by_policy(&self, counts: &BTreeMap<(Family, String), Count>) -> ByPolicy {
        let mut all = self.before.clone();
        for ((family, _), reason) in &self.reasons {
            let packets = counts.get(&(*family, reason.counter.clone())).map_or(0, |count| count.packets);
            add(&mut all, reason, packets);
        }
        all
    }

    /// What a sample says, as the log tells it.
    pub(crate) fn line(&self, told: &Told, index: &Index) -> Line {
        let key = (Family::of(told.source), told.prefix.clone());
        let reason = self.reasons.get(&key).or_else(|| self.old.get(&key));
        let (direction, by) = match (reason, told.prefix.as_str()) {
            (Some(reason), _) => (Some(reason.direction), joined(reason)),
            (None, DENIED_UNKNOWN) => (None, "a pod that is not known yet, or whose address is not certain".to_owned()),
            (None, DENIED_STRAY) => (None, "a packet that belongs to no connection".to_owned()),
            (None, DENIED_WITHOUT_SYN) => (None, "the middle of a connection nobody saw begin".to_owned()),
            (None, other) => (None, format!("a rule that is gone ({other})")),
        };
        let who = |end: End| match end {
            End::Address(_) => None,
            end => Some(end.to_string()),
        };
        Line {
            direction: direction.map(Direction::as_str),
            by,
            from: who(index.end_of(told.source)),
            to: who(index.end_of(told.destination)),
            protocol: protocol(told.protocol),
        }
    }
}

fn joined(reason: &Reason) -> String {
    reason.policies.iter().map(|name| &**name).collect::<Vec<&str>>().join(", ")
}

fn add(all: &mut ByPolicy, reason: &Reason, packets: u64) {
    for policy in &reason.policies {
        *all.entry((policy.to_string(), reason.direction.as_str())).or_default() += packets;
    }
}

/// A denied packet, beside its addresses and ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Seen from the pod whose policies deny it.
    pub(crate) direction: Option<&'static str>,
    /// The policies, or what else denies it.
    pub(crate) by: String,
    /// Who the ends are, where they are pods or nodes.
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) protocol: String,
}

fn protocol(number: u8) -> String {
    match number {
        1 => "ICMP".to_owned(),
        6 => "TCP".to_owned(),
        17 => "UDP".to_owned(),
        58 => "ICMPv6".to_owned(),
        132 => "SCTP".to_owned(),
        other => other.to_string(),
    }
}

/// Packets denied for reasons that are no policies, by counter.
pub(crate) fn without_policy(counts: &BTreeMap<(Family, String), Count>) -> BTreeMap<&'static str, u64> {
    let reasons = [(DENIED_UNKNOWN, "unknown-pod"), (DENIED_STRAY, "no-connection"), (DENIED_WITHOUT_SYN, "no-syn")];
    let of = |counter: &str| {
        let of_families = counts.iter().filter(|((_, name), _)| name == counter);
        of_families.map(|(_, count)| count.packets).sum()
    };
    reasons.into_iter().map(|(counter, word)| (word, of(counter))).collect()
}

/// Names of policies among reasons.
pub(crate) fn policies(reasons: &Reasons) -> BTreeSet<&str> {
    reasons.values().flat_map(|reason| &reason.policies).map(|name| &**name).collect()
}

#[cfg(test)]
mod tests;
