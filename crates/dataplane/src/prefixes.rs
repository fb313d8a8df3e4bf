//! Sets of prefixes, kept the way they are looked up.

use crate::nftables::objects::Keys;
use causeway_addr::{Cidr, Family};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Prefixes of one family, each once. They may contain one another: an address is in the set when any prefix contains it.
///
/// Kept as one packed, sorted list of network addresses per prefix length. A lookup is a binary search per length present, and
/// the lists are what a kernel's hash sets are filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixSet {
    family: Family,
    lengths: BTreeMap<u8, Keys>,
}

impl PrefixSet {
    /// The prefixes of `family` among those given; of others nothing is kept.
    pub fn new<'a>(family: Family, prefixes: impl IntoIterator<Item = &'a Cidr>) -> PrefixSet {
        let width = width(family);
        let mut lengths: BTreeMap<u8, Keys> = BTreeMap::new();
        let mut orderly = true;
        for cidr in prefixes.into_iter().filter(|cidr| cidr.family() == family) {
            let keys = lengths.entry(cidr.prefix_len()).or_insert_with(|| Keys::new(width));
            let before = keys.bytes.len().checked_sub(width);
            with_octets(cidr.addr(), |octets| {
                let last = before.and_then(|at| keys.bytes.get(at..));
                if last != Some(octets) {
                    orderly &= last.is_none_or(|last| last < octets);
                    keys.bytes.extend_from_slice(octets);
                }
            });
        }
        if !orderly {
            for keys in lengths.values_mut() {
                *keys = Keys::collect(width, keys.iter());
            }
        }
        PrefixSet { family, lengths }
    }

    /// The family of all its prefixes.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Network addresses by prefix length, shortest first. No list is empty.
    pub fn lengths(&self) -> &BTreeMap<u8, Keys> {
        &self.lengths
    }

    /// How many prefixes.
    pub fn len(&self) -> usize {
        self.lengths.values().map(Keys::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// The prefixes, shortest first, then by address.
    pub fn iter(&self) -> impl Iterator<Item = Cidr> + '_ {
        self.lengths.iter().flat_map(|(length, keys)| keys.iter().filter_map(|key| Cidr::new(address(key)?, *length)))
    }

    /// The shortest prefix that contains the address.
    pub fn covering(&self, address: IpAddr) -> Option<Cidr> {
        self.lengths.iter().find_map(|(length, keys)| {
            let cidr = Cidr::new(address, *length).filter(|cidr| cidr.family() == self.family)?;
            with_octets(cidr.addr(), |octets| keys.contains(octets)).then_some(cidr)
        })
    }

    /// Whether any prefix contains the address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.covering(address).is_some()
    }

    /// Puts a prefix in; false if it was there or is of the other family.
    pub fn insert(&mut self, cidr: Cidr) -> bool {
        if cidr.family() != self.family {
            return false;
        }
        let keys = self.lengths.entry(cidr.prefix_len()).or_insert_with(|| Keys::new(width(self.family)));
        with_octets(cidr.addr(), |octets| keys.insert(octets))
    }

    /// Takes a prefix out; false if it was not there.
    pub fn remove(&mut self, cidr: Cidr) -> bool {
        if cidr.family() != self.family {
            return false;
        }
        let Some(keys) = self.lengths.get_mut(&cidr.prefix_len()) else { return false };
        let removed = with_octets(cidr.addr(), |octets| keys.remove(octets));
        if keys.is_empty() {
            self.lengths.remove(&cidr.prefix_len());
        }
        removed
    }
}

/// Bytes of an address.
pub(crate) fn width(family: Family) -> usize {
    usize::from(family.width() / 8)
}

/// Gives the address in network byte order.
pub(crate) fn with_octets<T>(address: IpAddr, then: impl FnOnce(&[u8]) -> T) -> T {
    match address {
        IpAddr::V4(v4) => then(&v4.octets()),
        IpAddr::V6(v6) => then(&v6.octets()),
    }
}

/// The address whose bytes these are.
pub(crate) fn address(octets: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(octets).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_cidr() -> impl Strategy<Value = Cidr> {
        prop_oneof![
            (any::<u32>(), 0_u8..=32).prop_map(|(bits, len)| Cidr::new(IpAddr::V4(bits.into()), len).unwrap()),
            (any::<u128>(), 0_u8..=128).prop_map(|(bits, len)| Cidr::new(IpAddr::V6(bits.into()), len).unwrap()),
        ]
    }

    proptest! {
        #[test]
        fn it_holds_what_any_prefix_holds(
            prefixes in prop::collection::vec(any_cidr(), 0..40),
            strangers in prop::collection::vec(any_cidr(), 0..10),
        ) {
            for family in Family::ALL {
                let set = PrefixSet::new(family, &prefixes);
                let mut grown = PrefixSet::new(family, &[]);
                prefixes.iter().for_each(|cidr| { grown.insert(*cidr); });
                prop_assert_eq!(&set, &grown);
                for probe in prefixes.iter().chain(&strangers) {
                    for address in [probe.first(), probe.last()] {
                        let inside = prefixes.iter().any(|c| c.family() == family && c.contains(address));
                        prop_assert_eq!(set.contains(address), inside, "{}", address);
                    }
                }
                let listed: Vec<Cidr> = set.iter().collect();
                prop_assert_eq!(listed.len(), set.len());
                listed.iter().for_each(|cidr| { grown.remove(*cidr); });
                prop_assert!(grown.is_empty());
            }
        }
    }
}
