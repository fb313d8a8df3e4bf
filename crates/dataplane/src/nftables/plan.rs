//! The way from what a kernel holds to what it should hold.
//!
//! Everything rules do changes in one batch, the last. Batches before it, which there are only when that one would be too large for
//! the socket, fill sets that no rule uses yet. So each packet meets the rules of before or those of after, never a mixture, and a
//! process that dies between two batches leaves only sets behind that nobody looks at; the next plan removes them.

use super::difference::{self, Difference, differences};
use super::names;
use super::objects::{ChainObject, Expression, Keys, ObservedTable, Op, RuleObject, TableObjects, leads_to};
use crate::ruleset::TableId;
use std::collections::{BTreeMap, BTreeSet};

/// Tables whose names begin so are ours to change and to remove.
pub const OWNER_PREFIX: &str = "causeway-";

/// Whether a table is ours by its name. No other is ever planned to be removed.
pub fn is_ours(table: &TableId) -> bool {
    table.name.starts_with(OWNER_PREFIX)
}

/// What the way to the kernel allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one batch, estimated on the safe side. What must change at once is never split: the last batch is larger if rules
    /// alone are.
    pub batch_bytes: usize,
}

impl Default for Limits {
    /// What fits a socket's send buffer as Linux gives it out (212,992 bytes).
    fn default() -> Self {
        Limits { batch_bytes: 180_000 }
    }
}

/// What to do, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// To be committed in this order, each whole. Nothing to do = none.
    pub batches: Vec<Vec<Op>>,
    /// What differs.
    pub drift: Vec<Difference>,
}

impl Plan {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }
}

/// Plans the way. `observed` are our tables as read; tables of others in it are left alone.
pub fn plan(
    desired: &BTreeMap<TableId, TableObjects>,
    observed: &BTreeMap<TableId, ObservedTable>,
    limits: &Limits,
) -> Plan {
    let drift = differences(desired, observed);
    if drift.is_empty() {
        return Plan::default();
    }
    let nothing = ObservedTable::default();
    let remade: Vec<&TableId> = desired
        .iter()
        .filter(|(id, wanted)| observed.get(id).is_some_and(|found| must_be_remade(wanted, &found.objects)))
        .map(|(id, _)| id)
        .collect();
    let found = |id: &TableId| observed.get(id).filter(|_| !remade.contains(&id));
    let mut tables: Vec<TableWay<'_>> = desired
        .iter()
        .map(|(id, wanted)| TableWay::new(id, wanted, found(id).unwrap_or(&nothing), found(id).is_some()))
        .collect();
    loop {
        let bytes: usize = tables.iter().flat_map(TableWay::last).map(|op| bytes(&op)).sum();
        if bytes <= limits.batch_bytes || !set_the_largest_apart(&mut tables) {
            break;
        }
    }
    let mut batches = fill(&tables, limits);
    let mut last: Vec<Op> = tables.iter().flat_map(TableWay::last).collect();
    let extra = observed.keys().filter(|id| !desired.contains_key(id) && is_ours(id));
    last.extend(extra.cloned().map(Op::DeleteTable));
    batches.push(last);
    if let Some(first) = batches.first_mut() {
        // Nothing in such a table had an effect, so that nothing is lost in the meantime.
        first.splice(0..0, remade.into_iter().cloned().map(Op::DeleteTable));
    }
    Plan { batches, drift }
}

/// Whether the way from a table that is there leads over its removal. A batch that wakes a dormant table can neither add base chains to it nor
/// remove any (EINVAL), and other flags can't be cleared at all (EOPNOTSUPP; both nf_tables_api.c of Linux 6.18).
fn must_be_remade(wanted: &TableObjects, found: &TableObjects) -> bool {
    const DORMANT: u32 = 1;
    let differing = wanted.flags ^ found.flags;
    let same_base = |name: &String| match (wanted.chains.get(name), found.chains.get(name)) {
        (Some(wanted), Some(found)) => difference::same_base(wanted, found),
        (Some(chain), None) | (None, Some(chain)) => chain.base.is_none() && chain.foreign_base.is_none(),
        (None, None) => true,
    };
    differing & !DORMANT != 0 || (differing != 0 && !wanted.chains.keys().chain(found.chains.keys()).all(same_base))
}

/// Removes our tables.
pub fn cleanup(observed: &BTreeMap<TableId, ObservedTable>) -> Vec<Op> {
    observed.keys().filter(|id| is_ours(id)).cloned().map(Op::DeleteTable).collect()
}

/// The batches before the last.
fn fill(tables: &[TableWay<'_>], limits: &Limits) -> Vec<Vec<Op>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut size = 0;
    for op in tables.iter().flat_map(|table| table.before(limits)) {
        let more = bytes(&op);
        if size + more > limits.batch_bytes && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            size = 0;
        }
        size += more;
        batch.push(op);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Takes the set whose keys need most room in the last batch out of it, to be filled before. False if there is none.
fn set_the_largest_apart(tables: &mut [TableWay<'_>]) -> bool {
    let sets = tables.iter_mut().flat_map(|table| table.sets.values_mut());
    match sets.filter(|set| !set.apart && set.inline() > 0).max_by_key(|set| set.inline()) {
        Some(set) => {
            set.apart = true;
            true
        }
        None => false,
    }
}

/// How one set gets to its wanted keys.
struct SetWay<'a> {
    wanted: &'a super::objects::SetObject,
    /// The set that has it, and what changes in it.
    held: Option<(&'a str, super::keys::Change)>,
    /// What a new one would be called.
    fresh: String,
    /// It is made anew before the last batch.
    apart: bool,
}

impl SetWay<'_> {
    fn physical(&self) -> &str {
        match &self.held {
            Some((physical, _)) if !self.apart => physical,
            _ => &self.fresh,
        }
    }

    fn bytes_of(&self, keys: &Keys) -> usize {
        keys_bytes(keys, self.wanted.leads)
    }

    /// Bytes of keys it puts into the last batch.
    fn inline(&self) -> usize {
        match &self.held {
            Some((_, change)) => self.bytes_of(&change.added) + self.bytes_of(&change.removed),
            None => self.bytes_of(&self.wanted.elements),
        }
    }
}

/// How one table gets to its wanted state.
struct TableWay<'a> {
    id: &'a TableId,
    desired: &'a TableObjects,
    observed: &'a ObservedTable,
    exists: bool,
    sets: BTreeMap<&'a str, SetWay<'a>>,
}

impl<'a> TableWay<'a> {
    fn new(id: &'a TableId, desired: &'a TableObjects, observed: &'a ObservedTable, exists: bool) -> TableWay<'a> {
        let holders = names::holders(desired, observed);
        let taken = |name: &str| observed.objects.sets.contains_key(name);
        let sets = desired.sets.iter().map(|(name, wanted)| {
            let held = holders.get(name.as_str()).and_then(|physical| {
                let found = observed.objects.sets.get(*physical)?;
                Some((*physical, wanted.elements.since(&found.elements)))
            });
            // The name of another set that is wanted is no name for a copy of this one.
            let fresh = names::fresh(name, |new| taken(new) || (new != name && desired.sets.contains_key(new)));
            (name.as_str(), SetWay { wanted, held, fresh, apart: false })
        });
        TableWay { id, desired, observed, exists, sets: sets.collect() }
    }

    /// Fills the sets that are made anew ahead of time.
    fn before(&self, limits: &Limits) -> Vec<Op> {
        let mut ops = Vec::new();
        let apart: Vec<&SetWay<'_>> = self.sets.values().filter(|set| set.apart).collect();
        if !apart.is_empty() && !self.exists {
            ops.push(Op::AddTable(self.id.clone()));
        }
        let chains = self.ahead().into_iter();
        ops.extend(chains.map(|name| Op::AddChain { table: self.id.clone(), name, base: None }));
        for set in apart {
            // Half a batch, so that pieces of two sets can share one.
            let most = limits.batch_bytes / 2 / key_bytes(set.wanted.elements.width, set.wanted.leads);
            ops.push(self.add_set(set));
            ops.extend(set.wanted.elements.pieces(most).map(|keys| self.add_elements(set, keys)));
        }
        ops
    }

    /// Chains that keys lead to which are put in ahead of time: they are made with them, and get their rules in the last batch.
    fn ahead(&self) -> BTreeSet<String> {
        let apart = self.sets.values().filter(|set| set.apart && set.wanted.leads);
        let chains: BTreeSet<String> = apart.flat_map(|set| set.wanted.elements.iter()).filter_map(leads_to).collect();
        chains.into_iter().filter(|name| !self.observed.objects.chains.contains_key(name)).collect()
    }

    /// The last batch's part.
    fn last(&self) -> Vec<Op> {
        let table = || self.id.clone();
        let found = &self.observed.objects;
        let mut ops = Vec::new();
        if (!self.exists && !self.sets.values().any(|set| set.apart)) || found.flags != self.desired.flags {
            ops.push(Op::AddTable(table()));
        }
        let holders: BTreeMap<&str, &str> = self.sets.iter().map(|(name, set)| (*name, set.physical())).collect();
        let kept = |name: &str| self.keeps(name, &holders);

        // What goes, in the order in which one leads to the other.
        let changed = found.chains.iter().filter(|(name, chain)| !kept(name) && !chain.rules.is_empty());
        ops.extend(changed.map(|(name, _)| Op::FlushChain { table: table(), name: name.clone() }));
        let used: BTreeSet<&str> = holders.values().copied().collect();
        let unused = found.sets.keys().filter(|physical| !used.contains(physical.as_str()));
        ops.extend(unused.map(|name| Op::DeleteSet { table: table(), name: name.clone() }));
        for set in self.sets.values().filter(|set| !set.apart) {
            if let Some((physical, change)) = set.held.as_ref().filter(|(_, change)| !change.removed.is_empty()) {
                ops.push(self.take_out(set, (*physical).to_owned(), change.removed.clone()));
            }
        }
        let gone = found.chains.iter().filter(|(name, chain)| {
            self.desired.chains.get(*name).is_none_or(|wanted| !difference::same_base(wanted, chain))
        });
        ops.extend(gone.map(|(name, _)| Op::DeleteChain { table: table(), name: name.clone() }));
        let gone = found.counters.difference(&self.desired.counters);
        ops.extend(gone.map(|name| Op::DeleteCounter { table: table(), name: name.clone() }));
        let gone = found.limits.iter().filter(|(name, rate)| self.desired.limits.get(*name) != Some(*rate));
        ops.extend(gone.map(|(name, _)| Op::DeleteLimit { table: table(), name: name.clone() }));

        // What comes.
        let new = self.desired.counters.difference(&found.counters);
        ops.extend(new.map(|name| Op::AddCounter { table: table(), name: name.clone() }));
        let new = self.desired.limits.iter().filter(|(name, rate)| found.limits.get(*name) != Some(*rate));
        ops.extend(new.map(|(name, rate)| Op::AddLimit { table: table(), name: name.clone(), rate: *rate }));
        let wanted = || self.desired.chains.iter().filter(|(name, _)| !kept(name));
        let ahead = self.ahead();
        for (name, chain) in wanted().filter(|(name, _)| !ahead.contains(*name)) {
            if found.chains.get(name).is_none_or(|there| !difference::same_base(chain, there)) {
                ops.push(Op::AddChain { table: table(), name: name.clone(), base: chain.base });
            }
        }
        for set in self.sets.values().filter(|set| !set.apart) {
            match &set.held {
                Some((_, change)) if change.added.is_empty() => {}
                Some((physical, change)) => {
                    ops.push(self.put_in(set, (*physical).to_owned(), change.added.clone()));
                }
                None => {
                    ops.push(self.add_set(set));
                    if !set.wanted.elements.is_empty() {
                        ops.push(self.add_elements(set, set.wanted.elements.clone()));
                    }
                }
            }
        }
        for (name, chain) in wanted() {
            let physical = |set: &str| holders.get(set).map(|physical| (*physical).to_owned());
            ops.extend(chain.rules.iter().map(|rule| Op::AddRule {
                table: table(),
                chain: name.clone(),
                rule: RuleObject {
                    expressions: rule.expressions.iter().map(|e| names::renamed(e, physical).into_owned()).collect(),
                    comment: rule.comment.clone(),
                },
            }));
        }
        ops
    }

    /// Whether a chain that is there stays as it is.
    fn keeps(&self, name: &str, holders: &BTreeMap<&str, &str>) -> bool {
        let same = |wanted: &ChainObject, found: &ChainObject| {
            difference::same_base(wanted, found)
                && wanted.rules.len() == found.rules.len()
                && wanted.rules.iter().zip(&found.rules).all(|(a, b)| difference::same_rule(a, b, holders))
        };
        // A limit of another rate is made anew, and what uses it with it.
        let limits = |chain: &ChainObject| {
            let uses = chain.rules.iter().flat_map(|rule| &rule.expressions);
            let mut limits = uses.filter_map(|expression| match expression {
                Expression::Within(limit) => Some(limit),
                _ => None,
            });
            limits.all(|limit| self.desired.limits.get(limit) == self.observed.objects.limits.get(limit))
        };
        let both = self.desired.chains.get(name).zip(self.observed.objects.chains.get(name));
        both.is_some_and(|(wanted, found)| same(wanted, found) && limits(wanted))
    }

    fn add_set(&self, set: &SetWay<'_>) -> Op {
        let (key, size) = (set.wanted.key, set.wanted.size);
        if set.wanted.leads {
            return Op::AddMap { table: self.id.clone(), name: set.fresh.clone(), key, size };
        }
        Op::AddSet { table: self.id.clone(), name: set.fresh.clone(), key, size }
    }

    fn add_elements(&self, set: &SetWay<'_>, keys: Keys) -> Op {
        self.put_in(set, set.fresh.clone(), keys)
    }

    fn put_in(&self, set: &SetWay<'_>, name: String, keys: Keys) -> Op {
        let table = self.id.clone();
        if set.wanted.leads {
            return Op::AddPairs { table, map: name, pairs: keys };
        }
        Op::AddElements { table, set: name, keys }
    }

    fn take_out(&self, set: &SetWay<'_>, name: String, keys: Keys) -> Op {
        let table = self.id.clone();
        if set.wanted.leads {
            return Op::DeletePairs { table, map: name, pairs: keys };
        }
        Op::DeleteElements { table, set: name, keys }
    }
}

/// Bytes of one entry in a message: three nested attributes around a key, a code and a name around the chain it leads to, padded.
fn key_bytes(width: usize, pair: bool) -> usize {
    (if pair { 48 } else { 12 }) + width.next_multiple_of(4)
}

/// Bytes of keys in messages; each holds about 64 KiB of them.
fn keys_bytes(keys: &Keys, pairs: bool) -> usize {
    keys.len() * key_bytes(keys.width, pairs)
}

/// Bytes of a change in a batch, on the safe side.
fn bytes(op: &Op) -> usize {
    const MESSAGE: usize = 256;
    MESSAGE
        + match op {
            Op::AddElements { keys, .. }
            | Op::DeleteElements { keys, .. }
            | Op::AddPairs { pairs: keys, .. }
            | Op::DeletePairs { pairs: keys, .. } => {
                let keys = keys_bytes(keys, matches!(op, Op::AddPairs { .. } | Op::DeletePairs { .. }));
                keys + keys / 16
            }
            Op::AddRule { rule, .. } => {
                rule.comment.len() + rule.expressions.iter().map(expression_bytes).sum::<usize>()
            }
            _ => 0,
        }
}

fn expression_bytes(expression: &Expression) -> usize {
    const EXPRESSION: usize = 72;
    EXPRESSION
        + match expression {
            Expression::Bitwise { mask, xor, .. } => mask.len() + xor.len() + 16,
            Expression::Compare { value, .. } => value.len(),
            Expression::Lookup { set: name, .. } | Expression::Lead { map: name, .. } | Expression::CountOn(name) => {
                name.len()
            }
            Expression::Within(name) | Expression::Log { prefix: name, .. } => name.len(),
            Expression::Other { data, .. } => data.len(),
            _ => 0,
        }
}

#[cfg(test)]
mod tests;
