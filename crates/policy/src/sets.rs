//! Sets of classes that policies speak of: who a policy is about, who a peer is. Each is kept once, whoever uses it.

use crate::bits::Bits;
use crate::classes::{At, ClassId, ClassKey, PolicyIx, Who};
use crate::dialect::Dialect;
use crate::ends::PodRanges;
use crate::words::{Labels, Wanted, Word};
use causeway_addr::Cidr;
use causeway_model::policy::IpBlock;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) type SetId = u32;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SetKey {
    /// Pods of namespaces.
    Pods {
        scope: Scope,
        pods: Wanted,
    },
    Block(IpBlock),
    Nodes(Wanted),
    /// What DNS names resolve to.
    Names,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// The namespace of this name.
    Named(Word),
    /// By their labels. `true` = to the engine what is in no namespace at all has labels that fit too.
    By(Wanted, bool),
}

#[derive(Debug, Clone)]
pub(crate) struct Set {
    pub(crate) key: SetKey,
    /// Classes that are in it.
    pub(crate) sure: Bits,
    /// Classes of which it is not known.
    pub(crate) maybe: Bits,
    /// Policies with a rule that names it.
    pub(crate) in_rules: BTreeSet<PolicyIx>,
    /// Policies that are about it.
    pub(crate) subject_of: BTreeSet<PolicyIx>,
}

/// A namespace as it is with its labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Space {
    pub(crate) name: Word,
    pub(crate) labels: Labels,
    /// These are all its labels: there is an object of it. Else only its name is known.
    pub(crate) seen: bool,
}

/// Whether a class is in a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Member {
    No,
    Maybe,
    Yes,
}

/// A namespace, or any; a label without which nothing is in the set, if there is one.
type Shelf = (Option<Word>, Option<(Word, Word)>);

#[derive(Debug, Clone, Default)]
pub(crate) struct Sets {
    slots: Vec<Option<Set>>,
    free: BTreeSet<SetId>,
    by_key: BTreeMap<SetKey, SetId>,
    /// Sets of pods, by the namespace and by a label without which nothing is in them.
    of_pods: BTreeMap<Shelf, BTreeSet<SetId>>,
    others: BTreeSet<SetId>,
}

impl Sets {
    pub(crate) fn get(&self, id: SetId) -> Option<&Set> {
        self.slots.get(id as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: SetId) -> Option<&mut Set> {
        self.slots.get_mut(id as usize)?.as_mut()
    }

    pub(crate) fn find(&self, key: &SetKey) -> Option<SetId> {
        self.by_key.get(key).copied()
    }

    pub(crate) fn add(&mut self, key: SetKey) -> SetId {
        let id = self.free.pop_first().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.shelf(&key).insert(id);
        self.by_key.insert(key.clone(), id);
        let set = Set {
            key,
            sure: Bits::default(),
            maybe: Bits::default(),
            in_rules: BTreeSet::new(),
            subject_of: BTreeSet::new(),
        };
        if let Some(slot) = self.slots.get_mut(id as usize) {
            *slot = Some(set);
        }
        id
    }

    pub(crate) fn remove(&mut self, id: SetId) -> Option<Set> {
        let set = self.slots.get_mut(id as usize)?.take()?;
        self.shelf(&set.key).remove(&id);
        self.by_key.remove(&set.key);
        self.free.insert(id);
        Some(set)
    }

    fn shelf(&mut self, key: &SetKey) -> &mut BTreeSet<SetId> {
        match key {
            SetKey::Pods { scope, pods } => {
                let namespace = match scope {
                    Scope::Named(name) => Some(*name),
                    Scope::By(..) => None,
                };
                self.of_pods.entry((namespace, pods.needs())).or_default()
            }
            _ => &mut self.others,
        }
    }

    /// Sets a class may be in; those of pods of other namespaces, or that need a label it does not have, are left out.
    pub(crate) fn candidates(&self, key: &ClassKey, space: Option<&Space>) -> Vec<SetId> {
        let mut out: Vec<SetId> = self.others.iter().copied().collect();
        // It may be any pod.
        if matches!(key.who, Who::Unseen { pod: true, .. }) {
            out.extend(self.of_pods.values().flatten());
            return out;
        }
        let (labels, name): (&[(Word, Word)], Option<Word>) = match (&key.who, space) {
            (Who::Pod { labels, .. }, Some(space)) => (labels, Some(space.name)),
            _ => (&[], None),
        };
        let scopes: &[Option<Word>] = if name.is_some() { &[name, None] } else { &[None] };
        for scope in scopes {
            let needs = std::iter::once(None).chain(labels.iter().map(|label| Some(*label)));
            out.extend(needs.filter_map(|need| self.of_pods.get(&(*scope, need))).flatten().copied());
        }
        out
    }

    /// Notes that a class is in a set, or may be.
    pub(crate) fn put(&mut self, id: SetId, class: ClassId, member: Member) {
        let Some(set) = self.get_mut(id) else { return };
        match member {
            Member::Yes => set.sure.put(class),
            Member::Maybe => set.maybe.put(class),
            Member::No => {}
        }
    }

    /// Takes a class out of a set.
    pub(crate) fn take(&mut self, id: SetId, class: ClassId) {
        if let Some(set) = self.get_mut(id) {
            set.sure.take(class);
            set.maybe.take(class);
        }
    }
}

impl SetKey {
    /// Whether a class is in it.
    pub(crate) fn holds(
        &self,
        class: &ClassKey,
        space: Option<&Space>,
        dialect: &Dialect,
        pod_ranges: &PodRanges,
    ) -> Member {
        let yes = |yes: bool| if yes { Member::Yes } else { Member::No };
        match (self, &class.who) {
            (_, Who::Nobody) => Member::No,
            (SetKey::Pods { scope, pods }, Who::Pod { labels, .. }) => {
                let inside = space.map_or(Member::No, |space| match scope {
                    Scope::Named(name) => yes(*name == space.name),
                    Scope::By(wanted, _) if space.seen => yes(wanted.fits(&space.labels)),
                    Scope::By(wanted, _) => wanted.fits_part(&space.labels),
                });
                if pods.fits(labels) { inside } else { Member::No }
            }
            (SetKey::Pods { .. }, Who::Unseen { pod: true, .. }) => Member::Maybe,
            // What is in no set of pods is not in the set that must not be either.
            (SetKey::Pods { scope: Scope::By(_, outside), pods }, _) => {
                yes(*outside && (pods.is_everything() || pods.is_negative()))
            }
            (SetKey::Nodes(_), Who::Unseen { node: true, .. }) => Member::Maybe,
            // Whether it is a pod or a node decides whether a prefix can match it.
            (SetKey::Block(block), Who::Unseen { .. }) if !dialect.blocks_match_pods_and_nodes => match &class.at {
                At::In(_, Some(prefix)) if block_covers(block, prefix) => Member::Maybe,
                _ => Member::No,
            },
            (SetKey::Block(_), Who::Pod { .. } | Who::Node { .. } | Who::UnknownNode)
                if !dialect.blocks_match_pods_and_nodes =>
            {
                Member::No
            }
            (SetKey::Block(block), who) => {
                match &class.at {
                    At::In(_, prefix) => yes(prefix.is_some_and(|prefix| block_covers(block, &prefix))),
                    At::Somewhere(family) => {
                        let of_family = |range: &&Cidr| range.family() == *family;
                        let ranges: Vec<&Cidr> = match who {
                            Who::Pod { .. } => pod_ranges.iter().filter(of_family).collect(),
                            _ => Vec::new(),
                        };
                        let everything = family.everything();
                        let possible = if ranges.is_empty() { vec![&everything] } else { ranges };
                        if possible.iter().all(|range| {
                            block.cidr.covers(range) && block.except.iter().all(|hole| !hole.overlaps(range))
                        }) {
                            Member::Yes
                        } else if possible.iter().all(|range| {
                            !block.cidr.overlaps(range) || block.except.iter().any(|hole| hole.covers(range))
                        }) {
                            Member::No
                        } else {
                            Member::Maybe
                        }
                    }
                }
            }
            (SetKey::Nodes(wanted), Who::Node { labels }) => yes(wanted.fits(labels)),
            (SetKey::Nodes(_), Who::UnknownNode) => Member::Maybe,
            (SetKey::Names, Who::Outside | Who::Unseen { .. }) => Member::Maybe,
            _ => Member::No,
        }
    }
}

impl SetKey {
    /// Whether everything that can be in another set is in this one.
    pub(crate) fn holds_all(&self, other: &SetKey) -> bool {
        match (self, other) {
            (SetKey::Pods { scope, pods }, SetKey::Pods { scope: narrow, pods: fewer }) => {
                let spaces = match (scope, narrow) {
                    (Scope::By(wide, _), Scope::Named(_)) => wide.is_everything(),
                    (Scope::By(_, false), Scope::By(_, true)) => false,
                    (Scope::By(wide, _), Scope::By(narrow, _)) => wide.is_everything() || wide == narrow,
                    (wide, narrow) => wide == narrow,
                };
                spaces && (pods.is_everything() || pods == fewer)
            }
            (SetKey::Block(block), SetKey::Block(part)) => {
                let outside =
                    |hole: &Cidr| !hole.overlaps(&part.cidr) || part.except.iter().any(|except| except.covers(hole));
                block.cidr.covers(&part.cidr) && block.except.iter().all(outside)
            }
            (SetKey::Nodes(wide), SetKey::Nodes(fewer)) => wide.is_everything() || wide == fewer,
            _ => false,
        }
    }
}

/// Whether the addresses of a prefix in use are in a block. No prefix in use is longer there, so they all are or none is.
fn block_covers(block: &IpBlock, prefix: &Cidr) -> bool {
    block.cidr.covers(prefix) && block.except.iter().all(|hole| !hole.covers(prefix))
}
