//! Classes: ends that no policy tells apart. Only labels that selectors ask about, names of ports that rules use, and the smallest
//! prefix in use around the address make a difference.

use crate::bits::Bits;
use crate::rows::Row;
use crate::sets::SetId;
use crate::words::{Labels, Word};
use causeway_addr::{Cidr, Family};
use causeway_model::design::Protocol;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// A class. Numbers are used again once nobody is in the class any more.
pub type ClassId = u32;

/// A policy in the index.
pub(crate) type PolicyIx = u32;

/// The class nobody is in: what no selector and no prefix matches. Whatever is newer than an answer gets its answer.
pub(crate) const NOBODY: ClassId = 0;

/// What makes ends different to policies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClassKey {
    pub(crate) who: Who,
    pub(crate) at: At,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Nobody,
    /// An address of no pod and no node that is known.
    Outside,
    /// An address in a range where pods, or nodes, have theirs; nobody who is known has it.
    Unseen {
        pod: bool,
        node: bool,
    },
    /// A pod with its own address. `space` is a namespace with its labels.
    Pod {
        space: u32,
        labels: Labels,
        ports: Vec<(Word, Protocol, u16)>,
    },
    /// A node, and what runs on its network.
    Node {
        labels: Labels,
    },
    /// What runs on the network of a node nobody knows.
    UnknownNode,
}

/// Where the address lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum At {
    /// In this prefix and in no longer one that a policy uses; `None` = in none.
    In(Family, Option<Cidr>),
    /// Not known.
    Somewhere(Family),
}

impl At {
    pub(crate) fn family(&self) -> Family {
        match self {
            At::In(family, _) | At::Somewhere(family) => *family,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) key: ClassKey,
    /// How many ends are in it; a class of outside addresses stays as long as its prefix is used.
    pub(crate) held: u32,
    /// The sets it is in, for certain or perhaps.
    pub(crate) members: Vec<SetId>,
    /// The policies that are about it, by direction, in the order they are asked.
    pub(crate) applies: [Vec<PolicyIx>; 2],
    /// Answers that were worked out, by direction.
    pub(crate) rows: [OnceLock<Row>; 2],
}

#[derive(Debug, Clone)]
pub(crate) struct Classes {
    slots: Vec<Option<Class>>,
    free: BTreeSet<ClassId>,
    by_key: BTreeMap<ClassKey, ClassId>,
    /// Those that have a port of this name with this number.
    pub(crate) named: BTreeMap<(Word, Protocol, u16), Bits>,
}

impl Classes {
    pub(crate) fn new() -> Classes {
        let nobody = ClassKey { who: Who::Nobody, at: At::Somewhere(Family::V4) };
        let mut classes =
            Classes { slots: Vec::new(), free: BTreeSet::new(), by_key: BTreeMap::new(), named: BTreeMap::new() };
        classes.add(nobody);
        classes
    }

    /// One more than the highest number.
    pub(crate) fn size(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn get(&self, id: ClassId) -> Option<&Class> {
        self.slots.get(id as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: ClassId) -> Option<&mut Class> {
        self.slots.get_mut(id as usize)?.as_mut()
    }

    pub(crate) fn find(&self, key: &ClassKey) -> Option<ClassId> {
        self.by_key.get(key).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ClassId, &Class)> {
        (0..).zip(&self.slots).filter_map(|(id, slot)| Some((id, slot.as_ref()?)))
    }

    pub(crate) fn add(&mut self, key: ClassKey) -> ClassId {
        let id = self.free.pop_first().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        if let Who::Pod { ports, .. } = &key.who {
            for port in ports {
                self.named.entry(*port).or_default().put(id);
            }
        }
        self.by_key.insert(key.clone(), id);
        let class = Class { key, held: 0, members: Vec::new(), applies: Default::default(), rows: Default::default() };
        if let Some(slot) = self.slots.get_mut(id as usize) {
            *slot = Some(class);
        }
        id
    }

    pub(crate) fn remove(&mut self, id: ClassId) -> Option<Class> {
        let class = self.slots.get_mut(id as usize)?.take()?;
        self.by_key.remove(&class.key);
        if let Who::Pod { ports, .. } = &class.key.who {
            for port in ports {
                if let Some(bits) = self.named.get_mut(port) {
                    bits.take(id);
                    if bits.is_empty() {
                        self.named.remove(port);
                    }
                }
            }
        }
        self.free.insert(id);
        Some(class)
    }

    /// The numbers a port name has.
    pub(crate) fn numbers(&self, name: Word) -> impl Iterator<Item = (Protocol, u16, &Bits)> {
        let first = (name, Protocol::WORDS.first().map_or(Protocol::Tcp, |(_, protocol)| *protocol), 0);
        self.named
            .range(first..)
            .take_while(move |((word, ..), _)| *word == name)
            .map(|((_, protocol, port), bits)| (*protocol, *port, bits))
    }

    /// Forgets answers.
    pub(crate) fn forget(&mut self, which: &Bits, direction: usize) -> usize {
        let mut forgotten = 0;
        for id in which.iter() {
            if let Some(row) = self.get_mut(id).and_then(|class| class.rows.get_mut(direction)) {
                forgotten += usize::from(row.take().is_some());
            }
        }
        forgotten
    }
}
