//! Free aligned blocks by length: what the planner and the online allocator share.

use std::collections::{BTreeMap, BTreeSet};

use crate::cidr::{Cidr, Family};

/// Free blocks that do not overlap, found by length.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct FreeBlocks {
    // No list is empty.
    lists: BTreeMap<(Family, u8), BTreeSet<Cidr>>,
}

impl FreeBlocks {
    pub(crate) fn insert(&mut self, block: Cidr) {
        self.lists.entry((block.family(), block.prefix_len())).or_default().insert(block);
    }

    /// Takes exactly this block out; whether it was there.
    pub(crate) fn remove(&mut self, block: &Cidr) -> bool {
        let key = (block.family(), block.prefix_len());
        let Some(list) = self.lists.get_mut(&key) else {
            return false;
        };
        let there = list.remove(block);
        if list.is_empty() {
            self.lists.remove(&key);
        }
        there
    }

    /// Takes a block of this length out of the smallest block that holds one, the lowest such block
    /// on ties, from its beginning. What is left of that block stays free.
    pub(crate) fn take(&mut self, family: Family, len: u8) -> Option<Cidr> {
        let (_, list) = self.lists.range((family, 0)..=(family, len)).next_back()?;
        let from = *list.first()?;
        let wanted = Cidr::new(from.first(), len)?;
        self.carve(from, wanted);
        Some(wanted)
    }

    /// Takes exactly this block out of the free block that covers it; whether there was one.
    pub(crate) fn take_exactly(&mut self, wanted: &Cidr) -> bool {
        let mut cover = Some(*wanted);
        while let Some(from) = cover {
            let key = (from.family(), from.prefix_len());
            if self.lists.get(&key).is_some_and(|list| list.contains(&from)) {
                self.carve(from, *wanted);
                return true;
            }
            cover = from.supernet();
        }
        false
    }

    /// Replaces a free block by what is left of it without `wanted`, which it covers.
    fn carve(&mut self, from: Cidr, wanted: Cidr) {
        self.remove(&from);
        let mut rest = from;
        while let (true, Some([lower, upper])) = (rest.prefix_len() < wanted.prefix_len(), rest.halves()) {
            let (inside, outside) = if lower.covers(&wanted) { (lower, upper) } else { (upper, lower) };
            self.insert(outside);
            rest = inside;
        }
    }

    /// All blocks, by family, then largest first, then lowest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Cidr> + '_ {
        self.lists.values().flatten().copied()
    }

    /// How many blocks there are of each length.
    pub(crate) fn counts(&self, family: Family) -> impl Iterator<Item = (u8, u64)> + '_ {
        self.lists
            .range((family, 0)..=(family, family.width()))
            .map(|((_, len), list)| (*len, u64::try_from(list.len()).unwrap_or(u64::MAX)))
    }
}
