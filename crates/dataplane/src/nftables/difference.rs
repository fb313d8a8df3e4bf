//! What differs between the tables that are wanted and those that are there.

use super::names;
use super::objects::{ChainObject, Keys, ObservedTable, RuleObject, TableObjects};
use crate::prefixes;
use crate::ruleset::TableId;
use std::collections::BTreeMap;
use std::fmt;

/// A difference, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In this table.
    pub table: TableId,
    /// What.
    pub what: What,
}

/// What differs. Missing = wanted and not there; extra = there and not wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The whole table is missing.
    MissingTable,
    /// The whole table is there and not wanted.
    ExtraTable,
    /// The table has flags it should not have; dormant ones see no packets.
    Flags(u32),
    /// A set is missing.
    MissingSet(String),
    /// A set is there and not wanted, by its name in the kernel.
    ExtraSet(String),
    /// A set is of another kind, or too small, and must be made anew.
    UnsuitableSet(String),
    /// Keys are missing in a set.
    MissingElements {
        /// The set.
        set: String,
        /// The keys.
        keys: Keys,
    },
    /// Keys are in a set and not wanted.
    ExtraElements {
        /// The set.
        set: String,
        /// The keys.
        keys: Keys,
    },
    /// A named counter is missing.
    MissingCounter(String),
    /// A named counter is there and not wanted.
    ExtraCounter(String),
    /// A named limit is missing, or has another rate.
    MissingLimit(String),
    /// A named limit is there and not wanted.
    ExtraLimit(String),
    /// A chain is missing.
    MissingChain(String),
    /// A chain is there and not wanted.
    ExtraChain(String),
    /// The kernel enters the chain elsewhere, or not at all.
    Base(String),
    /// A rule is missing.
    MissingRule {
        /// Of this chain.
        chain: String,
        /// Where it should be, from 1.
        number: usize,
        /// Its comment.
        comment: String,
    },
    /// A rule is there and not wanted.
    ExtraRule {
        /// In this chain.
        chain: String,
        /// Where it is, from 1.
        number: usize,
        /// Its comment.
        comment: String,
    },
    /// A rule does something else than wanted.
    ChangedRule {
        /// In this chain.
        chain: String,
        /// Where, from 1.
        number: usize,
        /// The comment it should have.
        comment: String,
    },
    /// The right rules in another order.
    Order(String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table `{}`: {}", self.table, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = |f: &mut fmt::Formatter<'_>, chain: &str, number: usize, comment: &str, state: &str| {
            let comment = if comment.is_empty() { String::new() } else { format!(" (`{comment}`)") };
            write!(f, "rule {number}{comment} of chain `{chain}` {state}")
        };
        match self {
            What::MissingTable => f.write_str("is missing"),
            What::ExtraTable => f.write_str("is not wanted"),
            What::Flags(1) => f.write_str("is dormant"),
            What::Flags(flags) => write!(f, "has flags {flags}"),
            What::MissingSet(set) => write!(f, "set `{set}` is missing"),
            What::ExtraSet(set) => write!(f, "set `{set}` is not wanted"),
            What::UnsuitableSet(set) => write!(f, "set `{set}` is of another kind or size"),
            What::MissingElements { set, keys } => write!(f, "{} missing in set `{set}`", Few(keys)),
            What::ExtraElements { set, keys } => write!(f, "{} not wanted in set `{set}`", Few(keys)),
            What::MissingCounter(name) => write!(f, "counter `{name}` is missing"),
            What::ExtraCounter(name) => write!(f, "counter `{name}` is not wanted"),
            What::MissingLimit(name) => write!(f, "limit `{name}` is missing, or of another rate"),
            What::ExtraLimit(name) => write!(f, "limit `{name}` is not wanted"),
            What::MissingChain(chain) => write!(f, "chain `{chain}` is missing"),
            What::ExtraChain(chain) => write!(f, "chain `{chain}` is not wanted"),
            What::Base(chain) => write!(f, "chain `{chain}` hangs in another place"),
            What::MissingRule { chain, number, comment } => rule(f, chain, *number, comment, "is missing"),
            What::ExtraRule { chain, number, comment } => rule(f, chain, *number, comment, "is not wanted"),
            What::ChangedRule { chain, number, comment } => rule(f, chain, *number, comment, "was changed"),
            What::Order(chain) => write!(f, "the rules of chain `{chain}` are in another order"),
        }
    }
}

/// Keys as people read them: three of them, and how many more.
struct Few<'a>(&'a Keys);

impl fmt::Display for Few<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        for (at, key) in self.0.iter().take(SHOWN).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            match prefixes::address(key) {
                Some(address) => write!(f, "{comma}`{address}`")?,
                None => write!(f, "{comma}a key of {} bytes", key.len())?,
            }
        }
        match self.0.len() {
            1 => f.write_str(" is"),
            count if count > SHOWN => write!(f, " and {} more are", count - SHOWN),
            _ => f.write_str(" are"),
        }
    }
}

/// Everything in which the tables differ, by table. Observed tables whose names are not ours ([`super::plan::is_ours`]) are passed
/// over.
pub fn differences(
    desired: &BTreeMap<TableId, TableObjects>,
    observed: &BTreeMap<TableId, ObservedTable>,
) -> Vec<Difference> {
    let mut all = Vec::new();
    for (id, wanted) in desired {
        let mut whats = Vec::new();
        match observed.get(id) {
            Some(found) => table(wanted, found, &mut whats),
            None => whats.push(What::MissingTable),
        }
        all.extend(whats.into_iter().map(|what| Difference { table: id.clone(), what }));
    }
    let extra = observed.keys().filter(|id| !desired.contains_key(id) && super::plan::is_ours(id));
    all.extend(extra.map(|id| Difference { table: id.clone(), what: What::ExtraTable }));
    all
}

fn table(desired: &TableObjects, observed: &ObservedTable, whats: &mut Vec<What>) {
    let found = &observed.objects;
    if found.flags != desired.flags {
        whats.push(What::Flags(found.flags));
    }
    let holders = names::holders(desired, observed);
    for (name, wanted) in &desired.sets {
        match holders.get(name.as_str()).and_then(|physical| found.sets.get(*physical)) {
            Some(set) => {
                let change = wanted.elements.since(&set.elements);
                if !change.added.is_empty() {
                    whats.push(What::MissingElements { set: name.clone(), keys: change.added });
                }
                if !change.removed.is_empty() {
                    whats.push(What::ExtraElements { set: name.clone(), keys: change.removed });
                }
            }
            None if found.sets.keys().any(|physical| names::may_hold(physical, name)) => {
                whats.push(What::UnsuitableSet(name.clone()));
            }
            None => whats.push(What::MissingSet(name.clone())),
        }
    }
    let held = |physical: &str| holders.values().any(|holder| *holder == physical);
    let unsuitable = |physical: &str| {
        desired.sets.keys().any(|name| !holders.contains_key(name.as_str()) && names::may_hold(physical, name))
    };
    let extra = found.sets.keys().filter(|physical| !held(physical) && !unsuitable(physical));
    whats.extend(extra.cloned().map(What::ExtraSet));
    whats.extend(desired.counters.difference(&found.counters).cloned().map(What::MissingCounter));
    whats.extend(found.counters.difference(&desired.counters).cloned().map(What::ExtraCounter));
    let missing = desired.limits.iter().filter(|(name, rate)| found.limits.get(*name) != Some(*rate));
    whats.extend(missing.map(|(name, _)| What::MissingLimit(name.clone())));
    let extra = found.limits.keys().filter(|name| !desired.limits.contains_key(*name));
    whats.extend(extra.cloned().map(What::ExtraLimit));
    for (name, wanted) in &desired.chains {
        match found.chains.get(name) {
            Some(chain) if !same_base(wanted, chain) => whats.push(What::Base(name.clone())),
            Some(chain) => {
                let same = |wanted: &RuleObject, rule: &RuleObject| same_rule(wanted, rule, &holders);
                rules(name, &wanted.rules, &chain.rules, same, whats);
            }
            None => whats.push(What::MissingChain(name.clone())),
        }
    }
    let extra = found.chains.keys().filter(|name| !desired.chains.contains_key(*name));
    whats.extend(extra.cloned().map(What::ExtraChain));
}

pub(crate) fn same_base(wanted: &ChainObject, found: &ChainObject) -> bool {
    wanted.base == found.base && wanted.foreign_base == found.foreign_base
}

/// Whether a rule that is there is the one that is wanted, whose sets are held by those.
pub(crate) fn same_rule(wanted: &RuleObject, found: &RuleObject, holders: &BTreeMap<&str, &str>) -> bool {
    let physical = |name: &str| holders.get(name).map(|physical| (*physical).to_owned());
    wanted.comment == found.comment
        && wanted.expressions.len() == found.expressions.len()
        && wanted.expressions.iter().zip(&found.expressions).all(|(a, b)| *names::renamed(a, physical) == *b)
}

fn rules(
    chain: &str,
    wanted: &[RuleObject],
    found: &[RuleObject],
    same: impl Fn(&RuleObject, &RuleObject) -> bool,
    whats: &mut Vec<What>,
) {
    let equal = |(a, b): &(&RuleObject, &RuleObject)| same(a, b);
    let head = wanted.iter().zip(found).take_while(equal).count();
    if head == wanted.len() && head == found.len() {
        return;
    }
    let rest = (wanted.len() - head).min(found.len() - head);
    let tail = wanted.iter().rev().zip(found.iter().rev()).take(rest).take_while(equal).count();
    let wanted: Vec<(usize, &RuleObject)> = wanted.iter().enumerate().take(wanted.len() - tail).skip(head).collect();
    let found: Vec<(usize, &RuleObject)> = found.iter().enumerate().take(found.len() - tail).skip(head).collect();
    let missing: Vec<_> = wanted.iter().filter(|(_, rule)| !found.iter().any(|(_, other)| same(rule, other))).collect();
    let extra: Vec<_> = found.iter().filter(|(_, other)| !wanted.iter().any(|(_, rule)| same(rule, other))).collect();
    if missing.is_empty() && extra.is_empty() && wanted.len() == found.len() {
        whats.push(What::Order(chain.to_owned()));
        return;
    }
    if wanted.len() == found.len() && missing.len() == extra.len() {
        whats.extend(missing.iter().map(|(at, rule)| What::ChangedRule {
            chain: chain.to_owned(),
            number: at + 1,
            comment: rule.comment.clone(),
        }));
        return;
    }
    whats.extend(missing.iter().map(|(at, rule)| What::MissingRule {
        chain: chain.to_owned(),
        number: at + 1,
        comment: rule.comment.clone(),
    }));
    // A rule that is there twice is not wanted the second time.
    let twice = found.iter().enumerate().filter(|(at, (_, rule))| {
        found.iter().take(*at).any(|(_, before)| before == rule) && !extra.iter().any(|(_, other)| other == rule)
    });
    let twice: Vec<_> = twice.map(|(_, rule)| rule).collect();
    let extra: Vec<What> = extra
        .into_iter()
        .chain(twice)
        .map(|(at, rule)| What::ExtraRule { chain: chain.to_owned(), number: at + 1, comment: rule.comment.clone() })
        .collect();
    if missing.is_empty() && extra.is_empty() {
        whats.push(What::Order(chain.to_owned()));
    }
    whats.extend(extra);
}
