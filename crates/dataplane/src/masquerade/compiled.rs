//! Rules and objects that follow their configuration.

use super::{EXEMPT_SET, Settings, compile, table};
use crate::nftables::lower::{lower_chains, set_object, set_of_length};
use crate::nftables::objects::{Keys, TableObjects};
use crate::nftables::{Growth, lower};
use crate::prefixes::{width, with_octets};
use crate::ruleset::{Ruleset, Set, TableId};
use causeway_addr::{Cidr, Family};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A change of more prefixes than this part of the list is compiled anew.
const PART: usize = 64;

/// Settings with the rules and objects they mean.
///
/// What [`Compiled::update`] makes is what [`Compiled::new`] would make; but when a few prefixes of a long list change, only those are
/// touched, so that the answer does not wait for 65,536 others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    settings: Settings,
    /// Its list is sorted and has each prefix once, as it should.
    orderly: bool,
    growth: Growth,
    ruleset: Ruleset,
    objects: BTreeMap<TableId, TableObjects>,
}

impl Compiled {
    /// Compiles everything.
    pub fn new(settings: Settings, growth: Growth) -> Compiled {
        let ruleset = compile(&settings);
        let objects = lower(&ruleset, growth);
        let orderly = settings.config.exempt.is_sorted_by(|a, b| a < b);
        Compiled { settings, orderly, growth, ruleset, objects }
    }

    /// What it was made from.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The rules.
    pub fn ruleset(&self) -> &Ruleset {
        &self.ruleset
    }

    /// What nf_tables should hold.
    pub fn objects(&self) -> &BTreeMap<TableId, TableObjects> {
        &self.objects
    }

    /// Follows a change of the configuration. False if nothing changed.
    pub fn update(&mut self, settings: &Settings) -> bool {
        let Settings { config, sources, random_fully } = settings;
        let mine = &self.settings;
        let same_otherwise = mine.sources == *sources
            && mine.random_fully == *random_fully
            && mine.config.link_local == config.link_local
            && mine.config.link_local_v6 == config.link_local_v6
            && mine.config.ipv6 == config.ipv6;
        let list = if same_otherwise && self.orderly { changes(&mine.config.exempt, &config.exempt) } else { None };
        match list {
            Some(list) if list.is_empty() => return false,
            Some(list) => self.apply(&list),
            None if self.settings == *settings => return false,
            None => *self = Compiled::new(settings.clone(), self.growth),
        }
        true
    }

    fn apply(&mut self, list: &[(Cidr, bool)]) {
        let mut lengths = BTreeSet::new();
        for (cidr, add) in list {
            let exempt = &mut self.settings.config.exempt;
            match exempt.binary_search(cidr) {
                Err(at) if *add => exempt.insert(at, *cidr),
                Ok(at) if !*add => drop(exempt.remove(at)),
                _ => {}
            }
            let family = cidr.family();
            // Link-local is exempt for a reason of its own.
            if self.settings.link_local(family) == Some(*cidr) || (family == Family::V6 && !self.settings.config.ipv6) {
                continue;
            }
            let id = table(family);
            let (Some(rules), Some(objects)) = (self.ruleset.tables.get_mut(&id), self.objects.get_mut(&id)) else {
                continue;
            };
            if let Some(Set::Prefixes(prefixes)) = rules.sets.get_mut(EXEMPT_SET) {
                if *add {
                    prefixes.insert(*cidr)
                } else {
                    prefixes.remove(*cidr)
                };
            }
            let name = set_of_length(EXEMPT_SET, cidr.prefix_len());
            let set = objects.sets.entry(name.clone()).or_insert_with(|| {
                lengths.insert(family);
                set_object(family, Keys::new(width(family)), self.growth)
            });
            with_octets(cidr.addr(), |key| if *add { set.elements.insert(key) } else { set.elements.remove(key) });
            set.size = self.growth.size(set.elements.len());
            if set.elements.is_empty() {
                objects.sets.remove(&name);
                lengths.insert(family);
            }
        }
        for family in lengths {
            let id = table(family);
            if let (Some(rules), Some(objects)) = (self.ruleset.tables.get(&id), self.objects.get_mut(&id)) {
                objects.chains = lower_chains(id.family, rules);
            }
        }
    }
}

/// The prefixes that were added (true) or removed. `None` when there are many, or the new list is not in order; the old one is.
fn changes(old: &[Cidr], new: &[Cidr]) -> Option<Vec<(Cidr, bool)>> {
    let most = old.len() / PART + 1;
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let mut last = head.checked_sub(1).and_then(|at| old.get(at)).copied();
    let after = old.get(old.len() - tail..)?.first();
    let mut old = old.get(head..old.len() - tail)?.iter().peekable();
    let mut new = new.get(head..new.len() - tail)?.iter().peekable();
    let mut found = Vec::new();
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return (last.is_none() || after.is_none() || last < after.copied()).then_some(found),
        };
        let next = if order.is_le() { *old.next()? } else { *new.next()? };
        if order.is_eq() {
            new.next();
        } else {
            found.push((next, order.is_gt()));
        }
        if last.is_some_and(|last| last >= next) || found.len() > most {
            return None;
        }
        last = Some(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_model::facts::special;
    use causeway_model::masquerade::MasqueradeConfig;
    use proptest::prelude::*;

    fn settings(exempt: Vec<Cidr>, flags: [bool; 3]) -> Settings {
        let [link_local, link_local_v6, ipv6] = flags;
        let config = MasqueradeConfig { exempt, link_local, link_local_v6, ipv6 };
        Settings { config, ..Settings::default() }
    }

    fn any_cidr() -> impl Strategy<Value = Cidr> {
        prop_oneof![
            4 => (0_u8..4, prop::sample::select(vec![8_u8, 9, 16])).prop_map(|(a, len)| Cidr::new([10 + a, 0, 0, 0].into(), len).unwrap()),
            1 => (0_u16..4).prop_map(|a| Cidr::new([0xfd00 + a, 0, 0, 0, 0, 0, 0, 0].into(), 32).unwrap()),
            1 => prop::sample::select(vec![special::LINK_LOCAL, special::LINK_LOCAL_IPV6]),
        ]
    }

    proptest! {
        #[test]
        fn following_is_compiling_anew(
            lists in prop::collection::vec((prop::collection::vec(any_cidr(), 0..6), any::<bool>()), 2..6),
            flags in any::<[bool; 3]>(), growth in prop::sample::select(vec![Growth::Declared, Growth::ByItself]),
        ) {
            // Enough other prefixes that a few are a small part.
            let many = || (0..400_u32).map(|n| Cidr::host((0x0b00_0000 + n * 7).to_be_bytes().into()));
            let mut compiled = Compiled::new(settings(many().collect(), flags), growth);
            for (list, sorted) in lists {
                let mut list: Vec<Cidr> = list.into_iter().chain(many()).collect();
                if sorted { list.sort(); list.dedup(); }
                let next = settings(list, flags);
                let changed = compiled.settings() != &next;
                prop_assert_eq!(compiled.update(&next), changed);
                prop_assert_eq!(&compiled, &Compiled::new(next, growth));
            }
        }
    }

    #[test]
    fn a_few_changes_are_found_and_many_are_not() {
        let list = |range: std::ops::Range<u32>| -> Vec<Cidr> {
            range.map(|n| Cidr::host((0x0b00_0000 + n).to_be_bytes().into())).collect()
        };
        let old = list(0..1000);
        let mut new = old.clone();
        let removed = new.remove(500);
        assert_eq!(changes(&old, &new), Some(vec![(removed, false)]));
        assert_eq!(changes(&new, &old), Some(vec![(removed, true)]));
        assert_eq!(changes(&old, &old), Some(vec![]));
        assert_eq!(changes(&old, &list(2000..3000)), None);
        let mut twice = old.clone();
        twice.insert(10, old[500]);
        assert_eq!(changes(&old, &twice), None, "a list out of order is compiled anew");
    }
}
