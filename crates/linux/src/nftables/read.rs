//! What the kernel holds, read so that all of it is of one generation.

use super::decode::{self, FLAG_STRANGE_ELEMENTS, Seen};
use super::wire::{self, message};
use super::{Connection, Generation};
use crate::netlink::Error;
use crate::netlink::write::Attributes;
use causeway_dataplane::nftables::objects::{ChainObject, Count, Keys, MAP, ObservedTable, SetObject};
use causeway_dataplane::ruleset::{BaseChain, Rate, TableId};
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a reading that others disturb is begun anew. In a storm of changes one fits between two of them, sooner or later.
const PATIENCE: Duration = Duration::from_secs(2);

/// `NFT_SET_INTERVAL | NFT_SET_OBJECT | NFT_SET_CONCAT`: sets whose elements are more than keys and where they lead.
const FLAGS_WITHOUT_PLAIN_KEYS: u32 = 0x4 | 0x40 | 0x80;

/// Tables as they were at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The state they are of.
    pub generation: Generation,
    /// Those that were asked for and are there.
    pub tables: BTreeMap<TableId, ObservedTable>,
}

/// A chain the kernel enters by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedChain {
    /// Its table.
    pub table: TableId,
    /// Its name.
    pub name: String,
    /// Where it is entered.
    pub base: BaseChain,
}

/// How much of a table is read.
#[derive(Debug, Clone, Copy)]
enum Depth<'a> {
    Everything,
    /// The keys of sets are left out: tables of others may have very many.
    WithoutKeys,
    /// Only these chains.
    Chains(&'a [&'a str]),
}

impl Connection {
    /// The tables there are, of the families inet, ip and ip6.
    ///
    /// # Errors
    /// [`Error::Refused`] without NET_ADMIN.
    pub fn tables(&mut self) -> Result<Vec<TableId>, Error> {
        self.steadily(|connection| {
            let mut tables = Vec::new();
            connection.list(message::GET_TABLE, 0, |_| {}, &mut |seen| {
                if let Seen::Table { id: Some(id), .. } = seen {
                    tables.push(id);
                }
            })?;
            tables.sort();
            Ok(tables)
        })
        .map(|(_, tables)| tables)
    }

    /// All chains of type filter or nat that the kernel enters by itself, with their tables.
    ///
    /// # Errors
    /// [`Error::Refused`] without NET_ADMIN.
    pub fn base_chains(&mut self) -> Result<Vec<PlacedChain>, Error> {
        self.steadily(|connection| {
            let mut chains = Vec::new();
            connection.list(message::GET_CHAIN, 0, |_| {}, &mut |seen| {
                if let Seen::Chain { table: Some(table), name, base: Some(base), .. } = seen {
                    chains.push(PlacedChain { table, name, base });
                }
            })?;
            chains.sort_by(|a, b| (&a.table, &a.name).cmp(&(&b.table, &b.name)));
            Ok(chains)
        })
        .map(|(_, chains)| chains)
    }

    /// These tables with all that is in them, and the generation they are of.
    ///
    /// # Errors
    /// [`Error::Refused`] without NET_ADMIN; [`Error::Interrupted`] when others changed tables faster than they can be read.
    pub fn read(&mut self, tables: &[TableId]) -> Result<Reading, Error> {
        self.steadily(|connection| {
            let mut found = BTreeMap::new();
            for id in tables {
                if let Some(table) = connection.table(id, Depth::Everything)? {
                    found.insert(id.clone(), table);
                }
            }
            Ok(found)
        })
        .map(|(generation, tables)| Reading { generation, tables })
    }

    /// One table with all that is in it; `None` if there is none.
    ///
    /// # Errors
    /// As [`Connection::read`].
    pub fn read_table(&mut self, table: &TableId) -> Result<Option<ObservedTable>, Error> {
        self.steadily(|connection| connection.table(table, Depth::Everything)).map(|(_, table)| table)
    }

    /// A table of others: all but the keys of its sets.
    ///
    /// # Errors
    /// As [`Connection::read`].
    pub fn read_table_without_keys(&mut self, table: &TableId) -> Result<Option<ObservedTable>, Error> {
        self.steadily(|connection| connection.table(table, Depth::WithoutKeys)).map(|(_, table)| table)
    }

    /// Of one table only these chains, as far as they are there, with their rules; no sets and no counters. kube-proxy's tables have
    /// thousands of chains, of which one is of interest.
    ///
    /// # Errors
    /// As [`Connection::read`].
    pub fn read_chains(&mut self, table: &TableId, chains: &[&str]) -> Result<Option<ObservedTable>, Error> {
        self.steadily(|connection| connection.table(table, Depth::Chains(chains))).map(|(_, table)| table)
    }

    /// What the named counters of a table show; empty if there is no such table.
    ///
    /// # Errors
    /// As [`Connection::read`].
    pub fn counts(&mut self, table: &TableId) -> Result<BTreeMap<String, Count>, Error> {
        self.steadily(|connection| connection.counters(table)).map(|(_, counts)| counts)
    }

    /// Repeats `read` until nothing changed while it ran.
    fn steadily<T>(
        &mut self,
        mut read: impl FnMut(&mut Connection) -> Result<T, Error>,
    ) -> Result<(Generation, T), Error> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let before = self.generation()?;
            if !self.settled(before)? {
                continue;
            }
            let result = read(self);
            let unchanged = self.generation()? == before;
            match result {
                Ok(value) if unchanged => return Ok((before, value)),
                // Something vanished between two questions, or a list changed while it was sent.
                Ok(_) | Err(Error::Interrupted) => {}
                Err(Error::Kernel { errno: Errno::ENOENT, .. }) if !unchanged => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Interrupted)
    }

    /// A list of one family (0 = of all).
    fn list(
        &mut self,
        kind: u16,
        family: u8,
        body: impl FnOnce(&mut Attributes<'_>),
        each: &mut dyn FnMut(Seen),
    ) -> Result<(), Error> {
        self.socket.dump(kind, &wire::header(family, 0), body, &mut |message| {
            each(decode::decode_message(message)?);
            Ok(())
        })
    }

    fn table(&mut self, id: &TableId, depth: Depth<'_>) -> Result<Option<ObservedTable>, Error> {
        let Some(flags) = self.table_flags(id)? else { return Ok(None) };
        let mut table = ObservedTable::default();
        table.objects.flags = flags;
        self.chains(id, depth, &mut table)?;
        match depth {
            Depth::Chains(chains) => {
                for chain in chains {
                    if table.objects.chains.contains_key(*chain) {
                        self.rules(id, Some(chain), &mut table)?;
                    }
                }
                return Ok(Some(table));
            }
            Depth::Everything | Depth::WithoutKeys => self.rules(id, None, &mut table)?,
        }
        self.sets(id, &mut table)?;
        if matches!(depth, Depth::Everything) {
            self.all_keys(id, &mut table)?;
        }
        table.counts = self.counters(id)?;
        table.objects.counters = table.counts.keys().cloned().collect();
        table.objects.limits = self.limits(id)?;
        Ok(Some(table))
    }

    fn table_flags(&mut self, id: &TableId) -> Result<Option<u32>, Error> {
        let mut found = None;
        let header = wire::header(wire::family_number(id.family), 0);
        let answer =
            self.socket.get(message::GET_TABLE, &header, |to| to.text(wire::TABLE, &id.name), &mut |message| {
                if let Seen::Table { flags, .. } = decode::decode_message(message)? {
                    found = Some(flags);
                }
                Ok(())
            });
        match answer {
            Ok(()) => Ok(found),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn chains(&mut self, id: &TableId, depth: Depth<'_>, into: &mut ObservedTable) -> Result<(), Error> {
        // The kernel lists the chains of all tables of a family; it has no narrower question for more than one.
        self.list(message::GET_CHAIN, wire::family_number(id.family), |_| {}, &mut |seen| {
            if let Seen::Chain { table: Some(table), name, base, foreign_base } = seen
                && table == *id
                && match depth {
                    Depth::Chains(chains) => chains.contains(&name.as_str()),
                    Depth::Everything | Depth::WithoutKeys => true,
                }
            {
                into.handles.insert(name.clone(), Vec::new());
                into.objects.chains.insert(name, ChainObject { base, foreign_base, rules: Vec::new() });
            }
        })
    }

    fn rules(&mut self, id: &TableId, chain: Option<&str>, into: &mut ObservedTable) -> Result<(), Error> {
        let question = |to: &mut Attributes<'_>| {
            to.text(wire::TABLE, &id.name);
            if let Some(chain) = chain {
                to.text(wire::rule::CHAIN, chain);
            }
        };
        self.list(message::GET_RULE, wire::family_number(id.family), question, &mut |seen| {
            if let Seen::Rule { table: Some(table), chain, handle, rule } = seen
                && table == *id
                && let (Some(object), Some(handles)) =
                    (into.objects.chains.get_mut(&chain), into.handles.get_mut(&chain))
            {
                object.rules.push(rule);
                handles.push(handle);
            }
        })
    }

    fn sets(&mut self, id: &TableId, into: &mut ObservedTable) -> Result<(), Error> {
        let family = wire::family_number(id.family);
        self.list(message::GET_SET, family, |to| to.text(wire::TABLE, &id.name), &mut |seen| {
            if let Seen::Set { table: Some(table), name, key, size, flags, leads } = seen
                && table == *id
            {
                into.objects.sets.insert(name, SetObject { key, size, flags, elements: Keys::default(), leads });
            }
        })
    }

    fn all_keys(&mut self, id: &TableId, into: &mut ObservedTable) -> Result<(), Error> {
        let header = wire::header(wire::family_number(id.family), 0);
        for (name, set) in &mut into.objects.sets {
            let values = set.flags & MAP != 0 && !set.leads;
            if set.flags & FLAGS_WITHOUT_PLAIN_KEYS != 0 || values {
                continue;
            }
            let mut keys = Keys::default();
            let mut strange = false;
            let question = |to: &mut Attributes<'_>| {
                to.text(wire::TABLE, &id.name);
                to.text(wire::set::LIST_SET, name);
            };
            self.socket.dump(message::GET_ELEMENTS, &header, question, &mut |message| {
                strange |= decode::collect_elements(message, &mut keys)?;
                Ok(())
            })?;
            sort(&mut keys);
            set.elements = keys;
            if strange {
                set.flags |= FLAG_STRANGE_ELEMENTS;
            }
        }
        Ok(())
    }

    fn limits(&mut self, id: &TableId) -> Result<BTreeMap<String, Rate>, Error> {
        let mut limits = BTreeMap::new();
        let question = |to: &mut Attributes<'_>| {
            to.text(wire::TABLE, &id.name);
            to.be32(wire::object::TYPE, wire::object::LIMIT);
        };
        let answer = self.list(message::GET_OBJECT, wire::family_number(id.family), question, &mut |seen| {
            if let Seen::Limit { table: Some(table), name, rate } = seen
                && table == *id
            {
                limits.insert(name, rate.unwrap_or(STRANGE));
            }
        });
        answer.map(|()| limits)
    }

    fn counters(&mut self, id: &TableId) -> Result<BTreeMap<String, Count>, Error> {
        let mut counts = BTreeMap::new();
        let question = |to: &mut Attributes<'_>| {
            to.text(wire::TABLE, &id.name);
            to.be32(wire::object::TYPE, wire::object::COUNTER);
        };
        let answer = self.list(message::GET_OBJECT, wire::family_number(id.family), question, &mut |seen| {
            if let Seen::Counter { table: Some(table), name, count } = seen
                && table == *id
            {
                counts.insert(name, count);
            }
        });
        answer.map(|()| counts)
    }
}

/// A limit of another kind than ours: none of ours has that rate.
const STRANGE: Rate = Rate { per_second: 0, burst: u32::MAX };

/// Sorts packed keys and takes out repetitions: a list of a hash that grows meanwhile may have some.
fn sort(keys: &mut Keys) {
    match keys.width {
        0 => {}
        4 => sort_as(&mut keys.bytes, u32::from_be_bytes, u32::to_be_bytes),
        16 => sort_as(&mut keys.bytes, u128::from_be_bytes, u128::to_be_bytes),
        width => {
            let mut list: Vec<&[u8]> = keys.bytes.chunks(width).collect();
            list.sort_unstable();
            list.dedup();
            keys.bytes = list.concat();
        }
    }
}

fn sort_as<const N: usize, T: Ord>(bytes: &mut Vec<u8>, read: impl Fn([u8; N]) -> T, write: impl Fn(T) -> [u8; N]) {
    let (chunks, _) = bytes.as_chunks::<N>();
    let mut numbers: Vec<T> = chunks.iter().map(|chunk| read(*chunk)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    bytes.clear();
    for number in numbers {
        bytes.extend_from_slice(&write(number));
    }
}
