//! The rules in tables of our own in nf_tables, over netlink.

pub(crate) mod others;

use super::kernel::{Failure, Kernel, Preview, Shadowing, Synced};
use super::legacy::{self, Leftovers};
use causeway_addr::Family;
use causeway_dataplane::masquerade::{Compiled, EXEMPT_SET, Settings, TABLE, table, tables};
use causeway_dataplane::nftables::objects::{ObservedTable, Op};
use causeway_dataplane::nftables::{Growth, Limits, cleanup, logical, plan, text};
use causeway_dataplane::ruleset::{TableFamily, TableId};
use causeway_linux::netlink;
use causeway_linux::nftables::{ApplyError, Connection, Generation, Listener, Notice};
use others::OldAgent;
use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Instant;

/// How often a plan is made anew at once, because the tables changed since they were read.
const TRIES: usize = 8;
/// Keys in one change beyond which the kernel's notifications about them are not waited for: they would not fit the listener's buffer.
const MANY_KEYS: usize = 4000;
/// Part of the send buffer a batch may fill by estimate.
const FILL: usize = 2;

/// nf_tables of the network namespace it was opened in.
#[derive(Debug)]
pub(crate) struct Nft {
    connection: Connection,
    /// `None` = changes are not told; they are found at the next look.
    listener: Option<Listener>,
    old: OldAgent,
    wanted: Option<Compiled>,
    /// Our tables as they were last seen, all in place.
    memory: Option<Memory>,
    /// The old agent's chain may have come back since it was last looked for.
    old_unsure: bool,
    /// The state of all tables in which the old agent's chain was known not to be there.
    without_old: Option<Generation>,
    /// Rules of others as they were last looked at.
    shadows: Option<Shadows>,
    /// What others have is to be looked at.
    closely: bool,
    /// Somebody changed tables of ours since they were last put right.
    ours_changed: bool,
    /// Others changed tables of theirs.
    others_changed: bool,
    /// The name the original's chain may have.
    chain: String,
    /// What of it is in legacy tables, as was last seen.
    leftovers: Option<Leftovers>,
}

/// Our tables, and the state of all tables they are of.
#[derive(Debug)]
struct Memory {
    generation: Generation,
    tables: BTreeMap<TableId, ObservedTable>,
}

/// Rules of others that take packets before ours.
#[derive(Debug)]
struct Shadows {
    /// The state of all tables in which they are these; `None` = they are to be looked at again whatever that is.
    generation: Option<Generation>,
    found: Vec<Shadowing>,
}

impl Nft {
    /// Opens it. `chain` is the name the original's chain may have.
    ///
    /// # Errors
    /// The kernel has no nf_tables, or no sockets are to be had. A kernel that refuses shows at the first look.
    pub(crate) fn open(chain: &str) -> Result<Nft, netlink::Error> {
        let mut connection = Connection::open()?;
        match connection.generation() {
            Ok(_) | Err(netlink::Error::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        let old = OldAgent::new(chain);
        Ok(Nft {
            connection,
            listener: Listener::open().ok(),
            old,
            wanted: None,
            memory: None,
            old_unsure: true,
            without_old: None,
            shadows: None,
            closely: true,
            ours_changed: false,
            others_changed: false,
            chain: chain.to_owned(),
            leftovers: None,
        })
    }

    /// Makes the kernel hold what is wanted.
    fn settle(&mut self, wanted: &Compiled) -> Result<Settled, Failure> {
        let mut settled = Settled::default();
        let mut last = String::new();
        if self.listener.is_none() {
            // Before anything is read: what is done from now on is heard of.
            self.listener = Listener::open().ok();
        }
        for _ in 0..TRIES {
            // What others did since is in a later generation; what is planned for an earlier one is refused.
            let generation = self.connection.generation().map_err(failure)?;
            let memory = self.memory.take_if(|memory| memory.generation == generation);
            let (memory, remembered) = match memory {
                Some(memory) => (memory, true),
                None => {
                    let reading = self.connection.read(&tables()).map_err(failure)?;
                    (Memory { generation: reading.generation, tables: reading.tables }, false)
                }
            };
            let look_for_old = self.old_unsure || (!remembered && self.without_old != Some(generation));
            let old = if look_for_old { self.old.removal(&mut self.connection).map_err(failure)? } else { Vec::new() };
            self.old_unsure = !old.is_empty();
            if look_for_old && old.is_empty() {
                self.without_old = Some(generation);
            }
            let limits = Limits { batch_bytes: self.connection.batch_limit() / FILL };
            let plan = plan(wanted.objects(), &memory.tables, &limits);
            if plan.is_empty() && old.is_empty() {
                self.memory = Some(memory);
                settled.at = Some(Instant::now());
                return Ok(settled);
            }
            if let Some(first) = plan.drift.first() {
                tracing::debug!(differences = plan.drift.len(), "{first}");
            }
            settled.rewritten |=
                !plan.is_empty() && wanted.objects().keys().all(|table| memory.tables.contains_key(table));
            let mut batches = plan.batches;
            // The old chain goes in the moment the new rules come.
            match batches.last_mut() {
                Some(last) => last.extend(old.iter().cloned()),
                None => batches.push(old.clone()),
            }
            match self.carry_out(&batches, memory.generation) {
                Ok(generation) => {
                    settled.changes += batches.iter().map(Vec::len).sum::<usize>();
                    settled.took_over |= !old.is_empty();
                    // Nobody else committed anything between the look for it and this.
                    self.without_old = self.without_old.filter(|_| old.is_empty()).map(|_| generation);
                    if let Some(shadows) = &mut self.shadows
                        && old.is_empty()
                        && shadows.generation == Some(memory.generation)
                    {
                        shadows.generation = Some(generation);
                    }
                    self.memory = follow(memory, &batches, generation);
                }
                Err(error @ (ApplyError::Stale | ApplyError::Rejected { .. })) => {
                    // What was removed meanwhile is missing too; but where nobody changed anything the kernel will not have it at all.
                    let rejected = matches!(error, ApplyError::Rejected { .. });
                    if rejected && self.connection.generation().map_err(failure)? == memory.generation {
                        return Err(refusal(error));
                    }
                    last = error.to_string();
                }
                Err(error) => return Err(refusal(error)),
            }
        }
        Err(Failure::Busy(if last.is_empty() { "they differ whenever they are read back".to_owned() } else { last }))
    }

    /// Commits batches one after the other, each only if nobody else committed anything since. Gives the state they lead to; whoever
    /// finds another generation when this is done has not heard of all that happened, and reads everything again.
    fn carry_out(&mut self, batches: &[Vec<Op>], mut generation: Generation) -> Result<Generation, ApplyError> {
        let many = keys(batches) > MANY_KEYS;
        if many && let Some(listener) = &mut self.listener {
            // Its own notifications are nothing to it; what others do is read back afterwards.
            let _ = listener.pause();
        }
        let mut result = Ok(());
        for batch in batches {
            result = self.connection.apply(batch, Some(generation));
            if result.is_err() {
                break;
            }
            generation = next(generation);
        }
        if many
            && let Some(listener) = &mut self.listener
            && listener.resume().is_err()
        {
            self.listener = None;
        }
        result.map(|()| generation)
    }

    /// Looks at rules of others that take packets before ours, unless nobody changed anything since; not knowing them is no reason to fail.
    fn look_at_shadows(&mut self, settings: &Settings) {
        let generation = self.memory.as_ref().map(|memory| memory.generation);
        if self.shadows.as_ref().is_some_and(|known| known.generation.is_some() && known.generation == generation) {
            return;
        }
        let families: Vec<Family> = settings.families().collect();
        match others::before_ours(&mut self.connection, &families) {
            Ok(found) => {
                let found = found.into_iter().map(others::shadowing).collect();
                self.shadows = Some(Shadows { generation, found });
            }
            Err(error) => {
                tracing::debug!("rules of others can't be looked at: {error}");
                // What was known is better than nothing, and is asked for again.
                let found = self.shadows.take().map(|known| known.found).unwrap_or_default();
                self.shadows = Some(Shadows { generation: None, found });
            }
        }
    }
}

/// What making the kernel hold what is wanted took.
#[derive(Debug, Default)]
struct Settled {
    changes: usize,
    took_over: bool,
    /// Our tables were there, and held something else.
    rewritten: bool,
    /// When the kernel was known to hold it.
    at: Option<Instant>,
}

/// What our tables are after batches that only put keys into sets and took some out. `None` = to be read back.
fn follow(mut memory: Memory, batches: &[Vec<Op>], generation: Generation) -> Option<Memory> {
    for op in batches.iter().flatten() {
        let (Op::AddElements { table, set, .. } | Op::DeleteElements { table, set, .. }) = op else { return None };
        let held = &mut memory.tables.get_mut(table)?.objects.sets.get_mut(set)?.elements;
        match op {
            Op::AddElements { keys, .. } => keys.iter().for_each(|key| {
                held.insert(key);
            }),
            Op::DeleteElements { keys, .. } => keys.iter().for_each(|key| {
                held.remove(key);
            }),
            _ => return None,
        }
    }
    memory.generation = generation;
    Some(memory)
}

impl Kernel for Nft {
    fn name(&self) -> &'static str {
        "nft"
    }

    fn has_rules(&mut self) -> Result<bool, Failure> {
        let ours = self.connection.read(&tables()).map_err(failure)?;
        let old = self.old.removal(&mut self.connection).map_err(failure)?;
        Ok(!ours.tables.is_empty() || !old.is_empty() || legacy::has_chain(&self.chain))
    }

    fn sync(&mut self, settings: &Settings) -> Result<Synced, Failure> {
        let wanted = match self.wanted.take() {
            Some(mut wanted) => {
                wanted.update(settings);
                wanted
            }
            None => Compiled::new(settings.clone(), Growth::default()),
        };
        let settled = self.settle(&wanted);
        self.wanted = Some(wanted);
        let settled = settled?;
        self.ours_changed = false;
        let mut synced = Synced {
            changes: settled.changes,
            rewritten: settled.rewritten,
            in_place_at: settled.at,
            ..Synced::default()
        };
        if settled.took_over {
            synced.taken_over.push("removed the chain of ip-masq-agent-v2 and its jump".to_owned());
        }
        for (id, table) in self.memory.iter().flat_map(|memory| &memory.tables) {
            let Some(family) = family(id) else { continue };
            synced.present.insert(family, prefixes(table));
        }
        for family in settings.families() {
            let counts = self.connection.counts(&table(family)).map_err(failure)?;
            synced.counts.extend(counts.into_iter().map(|(name, count)| ((family, name), count)));
        }
        if std::mem::take(&mut self.closely) {
            self.look_at_shadows(settings);
            // After ours is in place: until then the old chain is better than none. Legacy tables tell nobody of changes, and their programs
            // are run only where there are such tables.
            let leftovers = legacy::sweep(&self.chain);
            synced.taken_over.extend(leftovers.removed.iter().cloned());
            self.leftovers = Some(leftovers);
        }
        if let Some(known) = &self.shadows {
            synced.shadowed_by.clone_from(&known.found);
        }
        if let Some(leftovers) = &self.leftovers {
            synced.left.clone_from(&leftovers.left);
            synced.shadowed_by.extend(leftovers.shadowed_by.iter().cloned());
        }
        Ok(synced)
    }

    fn look_at_others(&mut self) {
        self.closely = true;
    }

    fn others_changed(&mut self) -> bool {
        std::mem::take(&mut self.others_changed)
    }

    fn preview(&mut self, settings: &Settings) -> Preview {
        let wanted = Compiled::new(settings.clone(), Growth::default());
        let changes = self.connection.read(&tables()).and_then(|reading| {
            let limits = Limits { batch_bytes: self.connection.batch_limit() / FILL };
            let mut batches = plan(wanted.objects(), &reading.tables, &limits).batches;
            batches.push(self.old.removal(&mut self.connection)?);
            Ok(text::commands(&batches.concat()))
        });
        let changes = changes.map(|changes| changes + &legacy::preview(&self.chain)).map_err(failure);
        Preview { rules: text::tables(wanted.objects()), changes }
    }

    fn notifier(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(|listener| listener.as_fd())
    }

    fn was_changed(&mut self) -> bool {
        let Some(listener) = &mut self.listener else { return false };
        let own = self.connection.port();
        let mut changed = false;
        match listener.drain() {
            Ok(notices) => {
                for notice in notices {
                    let Notice::Change(change) = notice else {
                        self.memory = None;
                        self.ours_changed = true;
                        self.others_changed = true;
                        changed = true;
                        continue;
                    };
                    let seen = self.memory.as_ref().map(|memory| memory.generation);
                    if change.port == own || (change.generation.is_some() && change.generation <= seen) {
                        continue;
                    }
                    self.others_changed |= change.tables.iter().any(|table| table.name != TABLE);
                    self.old_unsure |= change.tables.iter().any(is_nat_of_iptables);
                    let ours = change.tables.iter().any(|table| table.name == TABLE);
                    self.ours_changed |= ours;
                    changed |= ours || self.old_unsure;
                    // What others do elsewhere leaves what we remember as it is.
                    let next = self.memory.as_ref().map(|memory| next(memory.generation));
                    match &mut self.memory {
                        Some(memory) if !ours && change.generation == next => {
                            memory.generation = next.unwrap_or(memory.generation)
                        }
                        memory => *memory = None,
                    }
                }
                changed
            }
            Err(error) => {
                tracing::warn!("changes of the rules are not told any more, and are found at the next look: {error}");
                self.listener = None;
                true
            }
        }
    }

    fn ours_changed(&self) -> bool {
        self.ours_changed
    }

    fn clean(&mut self) -> Result<bool, Failure> {
        self.memory = None;
        let leftovers = legacy::sweep(&self.chain);
        if !leftovers.left.is_empty() {
            return Err(Failure::Other(leftovers.left.join("; ")));
        }
        for _ in 0..TRIES {
            let reading = self.connection.read(&tables()).map_err(failure)?;
            let mut ops = cleanup(&reading.tables);
            ops.extend(self.old.removal(&mut self.connection).map_err(failure)?);
            if ops.is_empty() {
                return Ok(!leftovers.removed.is_empty());
            }
            match self.connection.apply(&ops, Some(reading.generation)) {
                Ok(()) => return Ok(true),
                Err(ApplyError::Stale | ApplyError::Rejected { .. }) => {}
                Err(error) => return Err(refusal(error)),
            }
        }
        Err(Failure::Busy(ApplyError::Stale.to_string()))
    }
}

/// The tables iptables keeps its nat rules in, where the old agent's chain would come back.
fn is_nat_of_iptables(table: &TableId) -> bool {
    table.name == "nat" && matches!(table.family, TableFamily::Ip | TableFamily::Ip6)
}

/// A commit makes the next number, which is never 0.
fn next(generation: Generation) -> Generation {
    Generation(generation.0.checked_add(1).unwrap_or(1))
}

fn family(table: &TableId) -> Option<Family> {
    match table.family {
        TableFamily::Ip => Some(Family::V4),
        TableFamily::Ip6 => Some(Family::V6),
        TableFamily::Inet => None,
    }
}

/// Exempt prefixes in a table: the keys of the sets that hold them, one per length, and only of those that rules look into.
fn prefixes(table: &ObservedTable) -> usize {
    let of_lengths = table.objects.sets.iter().filter(|(name, _)| {
        let length = logical(name).strip_prefix(EXEMPT_SET).and_then(|rest| rest.strip_prefix('-'));
        length.is_some_and(|length| length.parse::<u8>().is_ok())
    });
    of_lengths.map(|(_, set)| set.elements.len()).sum()
}

fn keys(batches: &[Vec<Op>]) -> usize {
    let count = |op: &Op| match op {
        Op::AddElements { keys, .. } | Op::DeleteElements { keys, .. } => keys.len(),
        _ => 0,
    };
    batches.iter().flatten().map(count).sum()
}

fn failure(error: netlink::Error) -> Failure {
    match error {
        netlink::Error::Refused { .. } => Failure::Blocked(error.to_string()),
        netlink::Error::Interrupted => Failure::Busy(error.to_string()),
        other => Failure::Other(other.to_string()),
    }
}

fn refusal(error: ApplyError) -> Failure {
    match error {
        ApplyError::Refused { .. } => Failure::Blocked(error.to_string()),
        ApplyError::Exchange(error) => failure(error),
        other => Failure::Other(other.to_string()),
    }
}
