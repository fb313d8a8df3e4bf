//! Tables of our own in nf_tables: brought to what they should hold, and watched for what others do to them.

use super::failure::Failure;
use super::turn::Heard;
use causeway_dataplane::nftables::objects::{ObservedTable, Op, TableObjects};
use causeway_dataplane::nftables::{Limits, cleanup, plan, text};
use causeway_dataplane::ruleset::TableId;
use causeway_linux::netlink;
use causeway_linux::nftables::{ApplyError, Change, Connection, Generation, Listener, Notice};
use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Instant;

/// How often a plan is made anew at once, because the tables changed since they were read.
const TRIES: usize = 8;
/// Keys in one change beyond which the kernel's notifications about them are not waited for: they would not fit the listener's buffer.
const MANY_KEYS: usize = 4000;
/// Part of the send buffer a batch may fill by estimate.
const FILL: usize = 2;

/// Changes beside those of our own tables that are committed with them.
pub(crate) trait Besides {
    /// What is to be done besides, as of this state of all tables. `remembered` = nobody changed anything since the last time.
    ///
    /// # Errors
    /// The kernel can't be asked.
    fn ops(
        &mut self,
        connection: &mut Connection,
        generation: Generation,
        remembered: bool,
    ) -> Result<Vec<Op>, netlink::Error>;

    /// It was committed: the state before and after, and whether there was anything to do besides.
    fn committed(&mut self, before: Generation, after: Generation, besides: bool);
}

/// Nothing.
impl Besides for () {
    fn ops(&mut self, _: &mut Connection, _: Generation, _: bool) -> Result<Vec<Op>, netlink::Error> {
        Ok(Vec::new())
    }

    fn committed(&mut self, _: Generation, _: Generation, _: bool) {}
}

/// Tables of ours in the network namespace they were opened in.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) connection: Connection,
    /// `None` = changes are not told; they are found at the next look.
    listener: Option<Listener>,
    /// Their names, one in each family.
    ids: Vec<TableId>,
    /// As they were last seen, all in place.
    memory: Option<Memory>,
    /// Somebody changed them since they were last put right.
    ours_changed: bool,
}

/// Our tables, and the state of all tables they are of.
#[derive(Debug)]
struct Memory {
    generation: Generation,
    tables: BTreeMap<TableId, ObservedTable>,
}

/// What making the kernel hold what is wanted took.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Changes that were made.
    pub(crate) changes: usize,
    /// Something was done besides.
    pub(crate) besides: bool,
    /// Our tables were there, and held something else.
    pub(crate) rewritten: bool,
    /// When the kernel was known to hold it.
    pub(crate) at: Option<Instant>,
}

impl Tables {
    /// Opens them.
    ///
    /// # Errors
    /// The kernel has no nf_tables, or no sockets are to be had. A kernel that refuses shows at the first look.
    pub(crate) fn open(ids: impl IntoIterator<Item = TableId>) -> Result<Tables, netlink::Error> {
        let mut connection = Connection::open()?;
        match connection.generation() {
            Ok(_) | Err(netlink::Error::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        let (ids, listener) = (ids.into_iter().collect(), Listener::open().ok());
        Ok(Tables { connection, listener, ids, memory: None, ours_changed: false })
    }

    /// Whether one of them is there.
    pub(crate) fn any(&mut self) -> Result<bool, Failure> {
        Ok(!self.connection.read(&self.ids)?.tables.is_empty())
    }

    /// They, as they were last seen.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (&TableId, &ObservedTable)> {
        self.memory.iter().flat_map(|memory| &memory.tables)
    }

    /// The state of all tables they were last seen in.
    pub(crate) fn generation(&self) -> Option<Generation> {
        self.memory.as_ref().map(|memory| memory.generation)
    }

    /// Makes the kernel hold what is wanted.
    pub(crate) fn settle(
        &mut self,
        wanted: &BTreeMap<TableId, TableObjects>,
        besides: &mut impl Besides,
    ) -> Result<Settled, Failure> {
        let mut settled = Settled::default();
        let mut last = String::new();
        if self.listener.is_none() {
            // Before anything is read: what is done from now on is heard of.
            self.listener = Listener::open().ok();
        }
        for _ in 0..TRIES {
            // What others did since is in a later generation; what is planned for an earlier one is refused.
            let generation = self.connection.generation()?;
            let memory = self.memory.take_if(|memory| memory.generation == generation);
            let (memory, remembered) = match memory {
                Some(memory) => (memory, true),
                None => {
                    let reading = self.connection.read(&self.ids)?;
                    (Memory { generation: reading.generation, tables: reading.tables }, false)
                }
            };
            let more = besides.ops(&mut self.connection, generation, remembered)?;
            let limits = Limits { batch_bytes: self.connection.batch_limit() / FILL };
            let plan = plan(wanted, &memory.tables, &limits);
            if plan.is_empty() && more.is_empty() {
                self.memory = Some(memory);
                self.ours_changed = false;
                settled.at = Some(Instant::now());
                return Ok(settled);
            }
            if let Some(first) = plan.drift.first() {
                tracing::debug!(differences = plan.drift.len(), "{first}");
            }
            settled.rewritten |= !plan.is_empty() && wanted.keys().all(|table| memory.tables.contains_key(table));
            let mut batches = plan.batches;
            // What goes besides goes in the moment the new rules come.
            match batches.last_mut() {
                Some(last) => last.extend(more.iter().cloned()),
                None => batches.push(more.clone()),
            }
            match self.carry_out(&batches, memory.generation) {
                Ok(generation) => {
                    settled.changes += batches.iter().map(Vec::len).sum::<usize>();
                    settled.besides |= !more.is_empty();
                    // Nobody else committed anything between the look for it and this.
                    besides.committed(memory.generation, generation, !more.is_empty());
                    self.memory = follow(memory, &batches, generation);
                }
                Err(error @ (ApplyError::Stale | ApplyError::Rejected { .. })) => {
                    // What was removed meanwhile is missing too; but where nobody changed anything the kernel will not have it at all.
                    let rejected = matches!(error, ApplyError::Rejected { .. });
                    if rejected && self.connection.generation()? == memory.generation {
                        return Err(error.into());
                    }
                    last = error.to_string();
                }
                Err(error) => return Err(error.into()),
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

    /// The changes [`Tables::settle`] would make, one a line.
    pub(crate) fn preview(
        &mut self,
        wanted: &BTreeMap<TableId, TableObjects>,
        besides: &mut impl Besides,
    ) -> Result<String, Failure> {
        let reading = self.connection.read(&self.ids)?;
        let limits = Limits { batch_bytes: self.connection.batch_limit() / FILL };
        let mut batches = plan(wanted, &reading.tables, &limits).batches;
        batches.push(besides.ops(&mut self.connection, reading.generation, false)?);
        Ok(text::commands(&batches.concat()))
    }

    /// Becomes readable when somebody may have changed rules; `None` = it doesn't tell.
    pub(crate) fn notifier(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(Listener::as_fd)
    }

    /// Takes in what the notifier has. `each` gets every change of others' and says whether it makes a look worth while though it
    /// touched nothing of ours.
    pub(crate) fn hear(&mut self, mut each: impl FnMut(&Change) -> bool) -> Heard {
        let mut heard = Heard::default();
        let Some(listener) = &mut self.listener else { return heard };
        let own = self.connection.port();
        let notices = match listener.drain() {
            Ok(notices) => notices,
            Err(error) => {
                tracing::warn!("changes of the rules are not told any more, and are found at the next look: {error}");
                self.listener = None;
                return Heard { look: true, ours: self.ours_changed, others: false };
            }
        };
        for notice in notices {
            let Notice::Change(change) = notice else {
                self.memory = None;
                self.ours_changed = true;
                heard = Heard { look: true, ours: true, others: true };
                continue;
            };
            let seen = self.memory.as_ref().map(|memory| memory.generation);
            if change.port == own || (change.generation.is_some() && change.generation <= seen) {
                continue;
            }
            let is_ours = |table: &TableId| self.ids.iter().any(|id| id.name == table.name);
            heard.others |= change.tables.iter().any(|table| !is_ours(table));
            let ours = change.tables.iter().any(is_ours);
            self.ours_changed |= ours;
            heard.look |= each(&change) || ours;
            // What others do elsewhere leaves what we remember as it is.
            let next = self.memory.as_ref().map(|memory| next(memory.generation));
            match &mut self.memory {
                Some(memory) if !ours && change.generation == next => {
                    memory.generation = next.unwrap_or(memory.generation);
                }
                memory => *memory = None,
            }
        }
        heard.ours = self.ours_changed;
        heard
    }

    /// Removes them. Gives whether there was anything to remove.
    ///
    /// # Errors
    /// They are still there.
    pub(crate) fn remove(&mut self, besides: &mut impl Besides) -> Result<bool, Failure> {
        self.memory = None;
        for _ in 0..TRIES {
            let reading = self.connection.read(&self.ids)?;
            let mut ops = cleanup(&reading.tables);
            ops.extend(besides.ops(&mut self.connection, reading.generation, false)?);
            if ops.is_empty() {
                return Ok(false);
            }
            match self.connection.apply(&ops, Some(reading.generation)) {
                Ok(()) => return Ok(true),
                Err(ApplyError::Stale | ApplyError::Rejected { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::Busy(ApplyError::Stale.to_string()))
    }
}

/// What our tables are after batches that only put keys into sets and took some out. `None` = to be read back.
fn follow(mut memory: Memory, batches: &[Vec<Op>], generation: Generation) -> Option<Memory> {
    for op in batches.iter().flatten() {
        let (table, set, keys, added) = match op {
            Op::AddElements { table, set, keys } => (table, set, keys, true),
            Op::DeleteElements { table, set, keys } => (table, set, keys, false),
            Op::AddPairs { table, map, pairs } => (table, map, pairs, true),
            Op::DeletePairs { table, map, pairs } => (table, map, pairs, false),
            _ => return None,
        };
        let held = &mut memory.tables.get_mut(table)?.objects.sets.get_mut(set)?.elements;
        if held.is_empty() {
            // Nothing was read of it that says how wide they are.
            held.width = keys.width;
        }
        for key in keys.iter() {
            if added {
                held.insert(key)
            } else {
                held.remove(key)
            };
        }
    }
    memory.generation = generation;
    Some(memory)
}

/// A commit makes the next number, which is never 0.
fn next(generation: Generation) -> Generation {
    Generation(generation.0.checked_add(1).unwrap_or(1))
}

fn keys(batches: &[Vec<Op>]) -> usize {
    let count = |op: &Op| match op {
        Op::AddElements { keys, .. } | Op::DeleteElements { keys, .. } => keys.len(),
        Op::AddPairs { pairs, .. } | Op::DeletePairs { pairs, .. } => pairs.len(),
        _ => 0,
    };
    batches.iter().flatten().map(count).sum()
}
