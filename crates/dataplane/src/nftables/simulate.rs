//! What nf_tables does with a batch, as far as batches of ours go: for tests of everything that plans.
//!
//! Stricter than the kernel where that is lenient, so that a plan never says something twice: what is made must not be there, what
//! is removed must be. The rules are those of net/netfilter/nf_tables_api.c of Linux 6.18.

use super::objects::{
    CHAIN_NUMBER, ChainObject, Count, Expression, Keys, MAP, ObservedTable, Op, RuleObject, SetObject, TableObjects,
    VerdictObject, leads_to,
};
use crate::ruleset::TableId;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// A pretended kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kernel {
    tables: BTreeMap<TableId, ObservedTable>,
    handles: u64,
    /// Batches committed so far.
    pub generation: u64,
}

/// What a batch did so far that later changes of it depend on.
#[derive(Debug, Default)]
struct Batch {
    /// Keys taken out of sets.
    taken_out: BTreeMap<(TableId, String), usize>,
    /// Dormant tables it woke.
    woken: BTreeSet<TableId>,
    /// Tables it took base chains out of.
    unhooked: BTreeSet<TableId>,
}

/// A batch was refused, and nothing of it happened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("change {at} is refused: {why}")]
pub struct Refused {
    /// Which change of the batch, from 0; one past the end when the whole is refused.
    pub at: usize,
    /// The kernel's reason.
    pub why: Why,
}

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Why {
    /// ENOENT
    #[error("`{0}` is not there")]
    Missing(String),
    /// EEXIST
    #[error("`{0}` is there already")]
    Exists(String),
    /// EBUSY
    #[error("`{0}` is used by a rule")]
    Used(String),
    /// ENFILE
    #[error("set `{0}` is full")]
    Full(String),
    /// EINVAL
    #[error("keys of another width for set `{0}`")]
    Width(String),
    /// ELOOP
    #[error("a loop through chain `{0}`")]
    Loop(String),
    /// EINVAL
    #[error("table `{0}` is woken in the same batch in which it gets or loses a base chain")]
    Waking(String),
    /// EOPNOTSUPP
    #[error("a jump to base chain `{0}`")]
    JumpToBase(String),
}

impl Kernel {
    /// What a reader sees.
    pub fn observed(&self) -> &BTreeMap<TableId, ObservedTable> {
        &self.tables
    }

    /// The objects alone, in the form they are evaluated in.
    pub fn objects(&self) -> BTreeMap<TableId, TableObjects> {
        self.tables.iter().map(|(id, table)| (id.clone(), table.objects.clone())).collect()
    }

    /// Puts a table of somebody else's there.
    pub fn install(&mut self, id: TableId, objects: TableObjects) {
        let mut table = ObservedTable { objects, ..ObservedTable::default() };
        for (name, chain) in &table.objects.chains {
            let handles = chain.rules.iter().map(|_| {
                self.handles += 1;
                self.handles
            });
            table.handles.insert(name.clone(), handles.collect());
        }
        table.counts = table.objects.counters.iter().map(|name| (name.clone(), Count::default())).collect();
        self.tables.insert(id, table);
    }

    /// Raises a named counter by one packet, so that a test sees whether it survives.
    pub fn count(&mut self, id: &TableId, counter: &str) {
        if let Some(count) = self.tables.get_mut(id).and_then(|table| table.counts.get_mut(counter)) {
            count.packets += 1;
        }
    }

    /// Does all of the batch, or nothing.
    ///
    /// # Errors
    ///
    /// The first change that is refused, and why.
    pub fn commit(&mut self, batch: &[Op]) -> Result<(), Refused> {
        let mut next = self.clone();
        let mut batch_so_far = Batch::default();
        for (at, op) in batch.iter().enumerate() {
            next.apply(op, &mut batch_so_far).map_err(|why| Refused { at, why })?;
        }
        for table in next.tables.values() {
            if let Some(chain) = on_a_loop(&table.objects) {
                return Err(Refused { at: batch.len(), why: Why::Loop(chain) });
            }
        }
        next.generation += 1;
        *self = next;
        Ok(())
    }

    fn apply(&mut self, op: &Op, batch: &mut Batch) -> Result<(), Why> {
        match op {
            Op::AddTable(id) => {
                let flags = &mut self.tables.entry(id.clone()).or_default().objects.flags;
                if *flags != 0 {
                    if batch.unhooked.contains(id) {
                        return Err(Why::Waking(id.to_string()));
                    }
                    *flags = 0;
                    batch.woken.insert(id.clone());
                }
            }
            Op::DeleteTable(id) => {
                batch.woken.remove(id);
                batch.unhooked.remove(id);
                self.tables.remove(id).ok_or_else(|| Why::Missing(id.to_string()))?;
            }
            Op::AddCounter { table, name } => {
                let table = self.table(table)?;
                if !table.objects.counters.insert(name.clone()) {
                    return Err(Why::Exists(name.clone()));
                }
                table.counts.insert(name.clone(), Count::default());
            }
            Op::DeleteCounter { table, name } => {
                let table = self.table(table)?;
                unused(&table.objects, name, |e| matches!(e, Expression::CountOn(counter) if counter == name))?;
                table.counts.remove(name);
                present(table.objects.counters.remove(name), name)?;
            }
            Op::AddLimit { table, name, rate } => {
                let limits = &mut self.table(table)?.objects.limits;
                absent(limits.contains_key(name), name)?;
                limits.insert(name.clone(), *rate);
            }
            Op::DeleteLimit { table, name } => {
                let table = self.table(table)?;
                unused(&table.objects, name, |e| matches!(e, Expression::Within(limit) if limit == name))?;
                present(table.objects.limits.remove(name).is_some(), name)?;
            }
            Op::AddSet { table, name, key, size } => {
                let sets = &mut self.table(table)?.objects.sets;
                absent(sets.contains_key(name), name)?;
                let width = usize::try_from(key.width).unwrap_or_default();
                let set = SetObject { key: *key, size: *size, flags: 0, elements: Keys::new(width), leads: false };
                sets.insert(name.clone(), set);
            }
            Op::AddMap { table, name, key, size } => {
                let sets = &mut self.table(table)?.objects.sets;
                absent(sets.contains_key(name), name)?;
                let elements = Keys::new(usize::try_from(key.width).unwrap_or_default() + CHAIN_NUMBER);
                let set = SetObject { key: *key, size: *size, flags: MAP, elements, leads: true };
                sets.insert(name.clone(), set);
            }
            Op::DeleteSet { table, name } => {
                let objects = &mut self.table(table)?.objects;
                unused(
                    objects,
                    name,
                    |e| matches!(e, Expression::Lookup { set, .. } | Expression::Lead { map: set, .. } if set == name),
                )?;
                present(objects.sets.remove(name).is_some(), name)?;
            }
            Op::AddElements { table, set, keys } | Op::AddPairs { table, map: set, pairs: keys, .. } => {
                if let Op::AddPairs { table, .. } = op {
                    let objects = &self.table(table)?.objects;
                    for chain in keys.iter().filter_map(leads_to) {
                        let found = objects.chains.get(&chain).ok_or_else(|| Why::Missing(chain.clone()))?;
                        if found.base.is_some() || found.foreign_base.is_some() {
                            return Err(Why::JumpToBase(chain));
                        }
                    }
                }
                let found = self.set(table, set, keys)?;
                same_kind(found, matches!(op, Op::AddPairs { .. }), set)?;
                if found.leads {
                    let there = |pair: &[u8]| {
                        let key = pair.get(..pair.len().saturating_sub(CHAIN_NUMBER)).unwrap_or_default();
                        found.elements.beginning(key).is_some()
                    };
                    absent(keys.iter().any(there), set)?;
                }
                let change = keys.since(&found.elements);
                if change.added.len() != keys.len() {
                    return Err(Why::Exists(set.clone()));
                }
                // A key that was taken out in the same batch gives its place back only afterwards.
                let pending = batch.taken_out.get(&(table.clone(), set.clone())).copied().unwrap_or_default();
                let room = found.size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
                let all = found.elements.iter().chain(keys.iter());
                let all = Keys::collect(found.elements.width, all);
                if all.len() > room.saturating_add(pending) {
                    return Err(Why::Full(set.clone()));
                }
                found.elements = all;
            }
            Op::DeleteElements { table, set, keys } | Op::DeletePairs { table, map: set, pairs: keys, .. } => {
                let found = self.set(table, set, keys)?;
                same_kind(found, matches!(op, Op::DeletePairs { .. }), set)?;
                let left = found.elements.since(keys).added;
                if left.len() + keys.len() != found.elements.len() {
                    return Err(Why::Missing(format!("a key of {set}")));
                }
                found.elements = left;
                *batch.taken_out.entry((table.clone(), set.clone())).or_default() += keys.len();
            }
            Op::AddChain { table, name, base } => {
                if base.is_some() && batch.woken.contains(table) {
                    return Err(Why::Waking(table.to_string()));
                }
                let table = self.table(table)?;
                absent(table.objects.chains.contains_key(name), name)?;
                table.objects.chains.insert(name.clone(), ChainObject { base: *base, ..ChainObject::default() });
                table.handles.insert(name.clone(), Vec::new());
            }
            Op::DeleteChain { table, name } => {
                let id = table;
                let table = self.table(table)?;
                unused(&table.objects, name, |e| target(e) == Some(name))?;
                let leads = |set: &&SetObject| set.leads;
                let mut led_to = table.objects.sets.values().filter(leads).flat_map(|set| set.elements.iter());
                if led_to.any(|entry| leads_to(entry).as_ref() == Some(name)) {
                    return Err(Why::Used(name.clone()));
                }
                table.handles.remove(name);
                let chain = table.objects.chains.remove(name).ok_or_else(|| Why::Missing(name.clone()))?;
                if chain.base.is_some() || chain.foreign_base.is_some() {
                    batch.unhooked.insert(id.clone());
                }
            }
            Op::FlushChain { table, name } => {
                let table = self.table(table)?;
                let chain = table.objects.chains.get_mut(name).ok_or_else(|| Why::Missing(name.clone()))?;
                chain.rules.clear();
                table.handles.insert(name.clone(), Vec::new());
            }
            Op::AddRule { table, chain, rule } => {
                self.handles += 1;
                let handle = self.handles;
                let table = self.table(table)?;
                refers_to_what_is_there(&table.objects, rule)?;
                let found = table.objects.chains.get_mut(chain).ok_or_else(|| Why::Missing(chain.clone()))?;
                found.rules.push(rule.clone());
                table.handles.entry(chain.clone()).or_default().push(handle);
            }
            Op::DeleteRule { table, chain, handle } => {
                let table = self.table(table)?;
                let missing = || Why::Missing(format!("rule {handle}"));
                let handles = table.handles.get_mut(chain).ok_or_else(missing)?;
                let at = handles.iter().position(|found| found == handle).ok_or_else(missing)?;
                handles.remove(at);
                let found = table.objects.chains.get_mut(chain).ok_or_else(missing)?;
                found.rules.remove(at);
            }
        }
        Ok(())
    }

    fn table(&mut self, id: &TableId) -> Result<&mut ObservedTable, Why> {
        self.tables.get_mut(id).ok_or_else(|| Why::Missing(id.to_string()))
    }

    fn set(&mut self, table: &TableId, name: &str, keys: &Keys) -> Result<&mut SetObject, Why> {
        let set = self.table(table)?.objects.sets.get_mut(name).ok_or_else(|| Why::Missing(name.to_owned()))?;
        if set.elements.width != keys.width { Err(Why::Width(name.to_owned())) } else { Ok(set) }
    }
}

/// A map gets keys with chains; a set gets keys.
fn same_kind(set: &SetObject, pairs: bool, name: &str) -> Result<(), Why> {
    if set.leads == pairs { Ok(()) } else { Err(Why::Width(name.to_owned())) }
}

fn absent(there: bool, name: &str) -> Result<(), Why> {
    if there { Err(Why::Exists(name.to_owned())) } else { Ok(()) }
}

fn present(there: bool, name: &str) -> Result<(), Why> {
    if there { Ok(()) } else { Err(Why::Missing(name.to_owned())) }
}

fn unused(objects: &TableObjects, name: &str, uses: impl Fn(&Expression) -> bool) -> Result<(), Why> {
    // A chain's own rules go with it.
    let others = objects.chains.iter().filter(|(chain, _)| *chain != name).flat_map(|(_, chain)| &chain.rules);
    let used = others.flat_map(|rule| &rule.expressions).any(uses);
    if used { Err(Why::Used(name.to_owned())) } else { Ok(()) }
}

/// The chain an expression leads to.
fn target(expression: &Expression) -> Option<&String> {
    match expression {
        Expression::Verdict(VerdictObject::Jump(chain) | VerdictObject::Goto(chain)) => Some(chain),
        _ => None,
    }
}

fn refers_to_what_is_there(objects: &TableObjects, rule: &RuleObject) -> Result<(), Why> {
    for expression in &rule.expressions {
        match expression {
            Expression::Lookup { set, .. } | Expression::Lead { map: set, .. } => {
                present(objects.sets.contains_key(set), set)?;
            }
            Expression::Within(limit) => present(objects.limits.contains_key(limit), limit)?,
            Expression::CountOn(counter) => present(objects.counters.contains(counter), counter)?,
            other => {
                if let Some(chain) = target(other) {
                    let found = objects.chains.get(chain).ok_or_else(|| Why::Missing(chain.clone()))?;
                    if found.base.is_some() || found.foreign_base.is_some() {
                        return Err(Why::JumpToBase(chain.clone()));
                    }
                }
            }
        }
    }
    Ok(())
}

/// The chains the rules of a chain lead to, those that keys of its maps lead to among them.
fn targets(objects: &TableObjects, chain: &ChainObject) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for expression in chain.rules.iter().flat_map(|rule| &rule.expressions) {
        all.extend(target(expression).cloned());
        if let Expression::Lead { map, .. } = expression {
            all.extend(objects.sets.get(map).into_iter().flat_map(|set| set.elements.iter()).filter_map(leads_to));
        }
    }
    all
}

/// A chain that leads back to itself.
fn on_a_loop(objects: &TableObjects) -> Option<String> {
    // Chains that lead to nothing but chains already taken out can't be on a loop; what is left over is.
    let mut left: BTreeMap<&String, BTreeSet<String>> =
        objects.chains.iter().map(|(name, chain)| (name, targets(objects, chain))).collect();
    loop {
        let ends: Vec<&String> = left
            .iter()
            .filter(|(_, targets)| !targets.iter().any(|target| left.contains_key(target)))
            .map(|(name, _)| *name)
            .collect();
        if ends.is_empty() {
            return left.keys().next().map(|name| (*name).clone());
        }
        for name in ends {
            left.remove(name);
        }
    }
}
