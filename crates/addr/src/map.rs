//! A map from prefixes that answers by longest match.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::cidr::Cidr;

/// A value per prefix, found by exact prefix, by longest match, or by overlap.
///
/// A sorted map is all it takes: prefixes nest, so a prefix's descendants are one run of keys, and
/// each failed probe for an ancestor shortens the prefix to look for by at least a bit. Real tables
/// need two or three probes; the bound is the width of an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrefixMap<T> {
    map: BTreeMap<Cidr, T>,
}

impl<T> Default for PrefixMap<T> {
    fn default() -> Self {
        PrefixMap::new()
    }
}

impl<T> PrefixMap<T> {
    /// A map without entries.
    pub const fn new() -> PrefixMap<T> {
        PrefixMap { map: BTreeMap::new() }
    }

    /// How many prefixes have a value.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether no prefix has a value.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Sets the value of exactly this prefix and returns the one it had.
    pub fn insert(&mut self, cidr: Cidr, value: T) -> Option<T> {
        self.map.insert(cidr, value)
    }

    /// Takes the value of exactly this prefix away.
    pub fn remove(&mut self, cidr: &Cidr) -> Option<T> {
        self.map.remove(cidr)
    }

    /// The value of exactly this prefix.
    pub fn get(&self, cidr: &Cidr) -> Option<&T> {
        self.map.get(cidr)
    }

    /// The value of exactly this prefix, to change.
    pub fn get_mut(&mut self, cidr: &Cidr) -> Option<&mut T> {
        self.map.get_mut(cidr)
    }

    /// The value of exactly this prefix, put there first if it has none: with a list as the value,
    /// the way to keep several owners of one prefix.
    pub fn or_default(&mut self, cidr: Cidr) -> &mut T
    where
        T: Default,
    {
        self.map.entry(cidr).or_default()
    }

    /// All entries, in the order of [`Cidr`].
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Cidr, &T)> {
        self.map.iter().map(|(cidr, value)| (*cidr, value))
    }

    /// The longest prefix that holds the address.
    pub fn longest_match(&self, address: IpAddr) -> Option<(Cidr, &T)> {
        self.longest_covering(&Cidr::host(address))
    }

    /// The longest prefix that covers this one; itself if it has a value.
    pub fn longest_covering(&self, cidr: &Cidr) -> Option<(Cidr, &T)> {
        let mut probe = *cidr;
        loop {
            // Every prefix that covers `probe` sorts at or before it, and the last of them is the
            // longest. If the last key before `probe` does not cover, then whatever does also covers
            // that key, so it is at most as long as what the two have in common.
            let (found, value) = self.map.range(..=probe).next_back()?;
            if found.covers(cidr) {
                return Some((*found, value));
            }
            probe = found.join(&probe)?;
        }
    }

    /// Every prefix that covers this one, the shortest first; with itself if it has a value.
    pub fn covering(&self, cidr: &Cidr) -> Vec<(Cidr, &T)> {
        let mut found = Vec::new();
        let mut next = Some(*cidr);
        while let Some((cover, value)) = next.and_then(|cidr| self.longest_covering(&cidr)) {
            found.push((cover, value));
            next = cover.supernet();
        }
        found.reverse();
        found
    }

    /// Every prefix this one covers, in order; with itself if it has a value.
    pub fn covered(&self, cidr: &Cidr) -> impl DoubleEndedIterator<Item = (Cidr, &T)> {
        self.map.range(*cidr..=Cidr::host(cidr.last())).map(|(cidr, value)| (*cidr, value))
    }

    /// Every prefix that shares an address with this one, in order: those that cover it, itself,
    /// those it covers.
    pub fn overlapping(&self, cidr: &Cidr) -> impl Iterator<Item = (Cidr, &T)> {
        let above = cidr.supernet().map_or_else(Vec::new, |up| self.covering(&up));
        above.into_iter().chain(self.covered(cidr))
    }
}

impl<T> FromIterator<(Cidr, T)> for PrefixMap<T> {
    /// Of several values for one prefix the last stays.
    fn from_iter<I: IntoIterator<Item = (Cidr, T)>>(entries: I) -> PrefixMap<T> {
        PrefixMap { map: entries.into_iter().collect() }
    }
}

impl<T> Extend<(Cidr, T)> for PrefixMap<T> {
    fn extend<I: IntoIterator<Item = (Cidr, T)>>(&mut self, entries: I) {
        self.map.extend(entries);
    }
}

#[cfg(test)]
mod tests;
