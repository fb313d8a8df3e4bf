//! The rules in tables of our own in nf_tables, over netlink.

use super::kernel::{Failure, Kernel, Synced};
use causeway_addr::Family;
use causeway_dataplane::masquerade::{EXEMPT_SET, Settings, TABLE, compile, table, tables};
use causeway_dataplane::nftables::objects::{ObservedTable, Op, TableObjects};
use causeway_dataplane::nftables::{Growth, Limits, cleanup, logical, lower, plan};
use causeway_dataplane::ruleset::{TableFamily, TableId};
use causeway_linux::netlink;
use causeway_linux::nftables::{ApplyError, Connection, Generation, Listener, Notice};
use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, BorrowedFd};

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
    wanted: Option<Wanted>,
    /// The state in which everything was last seen in place.
    seen: Option<Seen>,
}

/// The tables of some settings; made once, because a list may be long.
#[derive(Debug)]
struct Wanted {
    settings: Settings,
    tables: BTreeMap<TableId, TableObjects>,
}

/// What was seen when everything was in place.
#[derive(Debug)]
struct Seen {
    generation: Generation,
    settings: Settings,
    synced: Synced,
}

impl Nft {
    /// Opens it.
    ///
    /// # Errors
    /// The kernel has no nf_tables, or no sockets are to be had. A kernel that refuses shows at the first look.
    pub(crate) fn open() -> Result<Nft, netlink::Error> {
        let mut connection = Connection::open()?;
        match connection.generation() {
            Ok(_) | Err(netlink::Error::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        let listener = Listener::open().ok();
        Ok(Nft { connection, listener, wanted: None, seen: None })
    }

    /// Makes the kernel hold what is wanted; gives how many changes that took.
    fn settle(&mut self, wanted: &Wanted) -> Result<(usize, Generation, BTreeMap<TableId, ObservedTable>), Failure> {
        let mut changes = 0;
        let mut last = String::new();
        for _ in 0..TRIES {
            let reading = self.connection.read(&tables()).map_err(failure)?;
            let limits = Limits { batch_bytes: self.connection.batch_limit() / FILL };
            let plan = plan(&wanted.tables, &reading.tables, &limits);
            if plan.is_empty() {
                return Ok((changes, reading.generation, reading.tables));
            }
            tracing::debug!(
                differences = plan.drift.len(),
                "{}",
                plan.drift.first().map_or_else(String::new, ToString::to_string)
            );
            match self.carry_out(&plan.batches, reading.generation) {
                Ok(()) => changes += plan.batches.iter().map(Vec::len).sum::<usize>(),
                Err(ApplyError::Stale) => last = ApplyError::Stale.to_string(),
                // Something is not as it was read: somebody else was faster, or a reading is needed to know better.
                Err(error @ ApplyError::Rejected { .. }) => last = error.to_string(),
                Err(error) => return Err(refusal(error)),
            }
        }
        Err(Failure::Busy(if last.is_empty() { "they differ whenever they are read back".to_owned() } else { last }))
    }

    /// Commits batches one after the other, each only if nobody else committed anything since.
    fn carry_out(&mut self, batches: &[Vec<Op>], mut generation: Generation) -> Result<(), ApplyError> {
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
            // A commit makes the next number, which is never 0.
            generation = Generation(generation.0.checked_add(1).unwrap_or(1));
        }
        if many
            && let Some(listener) = &mut self.listener
            && listener.resume().is_err()
        {
            self.listener = None;
        }
        result
    }
}

impl Kernel for Nft {
    fn name(&self) -> &'static str {
        "nft"
    }

    fn has_rules(&mut self) -> Result<bool, Failure> {
        Ok(!self.connection.read(&tables()).map_err(failure)?.tables.is_empty())
    }

    fn sync(&mut self, settings: &Settings) -> Result<Synced, Failure> {
        let generation = self.connection.generation().map_err(failure)?;
        if let Some(seen) = self.seen.take_if(|seen| seen.generation != generation || seen.settings != *settings) {
            drop(seen);
        }
        if let Some(seen) = &mut self.seen {
            seen.synced.changes = 0;
            let mut synced = seen.synced.clone();
            synced.counts.clear();
            for family in settings.families() {
                let counts = self.connection.counts(&table(family)).map_err(failure)?;
                synced.counts.extend(counts.into_iter().map(|(name, count)| ((family, name), count)));
            }
            return Ok(synced);
        }
        let wanted = match self.wanted.take() {
            Some(wanted) if wanted.settings == *settings => wanted,
            _ => Wanted { settings: settings.clone(), tables: lower(&compile(settings), Growth::default()) },
        };
        let settled = self.settle(&wanted);
        self.wanted = Some(wanted);
        let (changes, generation, observed) = settled?;
        let mut synced = Synced { changes, ..Synced::default() };
        for (id, table) in &observed {
            let Some(family) = family(id) else { continue };
            synced.present.insert(family, prefixes(table));
            synced.counts.extend(table.counts.iter().map(|(name, count)| ((family, name.clone()), *count)));
        }
        self.seen = Some(Seen { generation, settings: settings.clone(), synced: synced.clone() });
        Ok(synced)
    }

    fn notifier(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(|listener| listener.as_fd())
    }

    fn was_changed(&mut self) -> bool {
        let Some(listener) = &mut self.listener else { return false };
        let own = self.connection.port();
        match listener.drain() {
            Ok(notices) => notices.iter().any(|notice| match notice {
                Notice::Lost => true,
                Notice::Change(change) => change.port != own && change.tables.iter().any(concerns_us),
            }),
            Err(error) => {
                tracing::warn!("changes of the rules are not told any more, and are found at the next look: {error}");
                self.listener = None;
                true
            }
        }
    }

    fn clean(&mut self) -> Result<bool, Failure> {
        self.seen = None;
        for _ in 0..TRIES {
            let reading = self.connection.read(&tables()).map_err(failure)?;
            let ops = cleanup(&reading.tables);
            if ops.is_empty() {
                return Ok(false);
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

/// Changes in our tables and in those iptables keeps its nat rules in.
fn concerns_us(table: &TableId) -> bool {
    table.name == TABLE || (table.name == "nat" && matches!(table.family, TableFamily::Ip | TableFamily::Ip6))
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
