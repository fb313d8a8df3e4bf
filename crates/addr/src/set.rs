//! Sets of addresses, kept as sorted ranges.

use std::fmt;
use std::net::IpAddr;

use crate::cidr::{Cidr, Family};
use crate::range::AddressRange;

/// A set of addresses of both families.
///
/// Held as sorted ranges that neither overlap nor touch, so equal sets are equal values. Building
/// one from `n` prefixes costs `n log n`; union, intersection and difference are one pass over both.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct RangeSet {
    ranges: Vec<AddressRange>,
}

impl RangeSet {
    /// The set without an address.
    pub const fn new() -> RangeSet {
        RangeSet { ranges: Vec::new() }
    }

    /// Whether it holds no address.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Its ranges: sorted, apart from each other by at least one address.
    pub fn ranges(&self) -> &[AddressRange] {
        &self.ranges
    }

    /// The fewest prefixes that hold exactly its addresses, sorted. They are also its largest
    /// aligned blocks: no prefix inside the set covers one of them.
    pub fn cidrs(&self) -> impl Iterator<Item = Cidr> + '_ {
        self.ranges.iter().flat_map(AddressRange::cidrs)
    }

    /// How many addresses of a family it holds; `u128::MAX` for all of IPv6, which is one too few.
    pub fn size(&self, family: Family) -> u128 {
        self.ranges
            .iter()
            .filter(|range| range.family() == family)
            .fold(0, |sum: u128, range| sum.saturating_add(range.size()))
    }

    /// Adds the addresses of a prefix or range.
    pub fn insert(&mut self, range: impl Into<AddressRange>) {
        let new: AddressRange = range.into();
        let from = self.ranges.partition_point(|r| {
            r.family() < new.family()
                || (r.family() == new.family() && r.last_bits().saturating_add(1) < new.first_bits())
        });
        let to = self.ranges.partition_point(|r| {
            r.family() < new.family()
                || (r.family() == new.family() && r.first_bits() <= new.last_bits().saturating_add(1))
        });
        // Everything in from..to overlaps or touches the new range; what ends before it also starts
        // before it, so `from` is never past `to`.
        let touched = self.ranges.get(from..to).unwrap_or_default();
        let first = touched.first().map_or(new.first_bits(), |r| r.first_bits().min(new.first_bits()));
        let last = touched.last().map_or(new.last_bits(), |r| r.last_bits().max(new.last_bits()));
        let merged = AddressRange::from_bits(new.family(), first, last);
        self.ranges.splice(from..to, [merged]);
    }

    /// The addresses that also lie in this one prefix or range: a search and a copy of what is found,
    /// where [`intersection`](RangeSet::intersection) walks both sets.
    #[must_use]
    pub fn within(&self, range: impl Into<AddressRange>) -> RangeSet {
        let window: AddressRange = range.into();
        let family = window.family();
        let from = self.ranges.partition_point(|r| (r.family(), r.last_bits()) < (family, window.first_bits()));
        let ranges = self.ranges.iter().skip(from);
        let ranges = ranges
            .take_while(|r| (r.family(), r.first_bits()) <= (family, window.last_bits()))
            .map(|r| {
                let first = r.first_bits().max(window.first_bits());
                let last = r.last_bits().min(window.last_bits());
                AddressRange::from_bits(family, first, last)
            })
            .collect();
        RangeSet { ranges }
    }

    /// Takes the addresses of a prefix or range away; one pass over the set.
    pub fn remove(&mut self, range: impl Into<AddressRange>) {
        let gone = RangeSet { ranges: vec![range.into()] };
        *self = self.difference(&gone);
    }

    /// The addresses in either.
    #[must_use]
    pub fn union(&self, other: &RangeSet) -> RangeSet {
        let mut all = self.ranges.clone();
        all.extend_from_slice(&other.ranges);
        // Two sorted runs: the sort is a merge.
        RangeSet::merged(all)
    }

    /// The addresses in both.
    #[must_use]
    pub fn intersection(&self, other: &RangeSet) -> RangeSet {
        let mut ranges = Vec::new();
        let (mut left, mut right) = (self.ranges.iter(), other.ranges.iter());
        let (mut a, mut b) = (left.next(), right.next());
        while let (Some(x), Some(y)) = (a, b) {
            if x.family() == y.family() {
                let first = x.first_bits().max(y.first_bits());
                let last = x.last_bits().min(y.last_bits());
                if first <= last {
                    ranges.push(AddressRange::from_bits(x.family(), first, last));
                }
            }
            // Whichever ends first can meet nothing more.
            if (x.family(), x.last_bits()) < (y.family(), y.last_bits()) {
                a = left.next();
            } else {
                b = right.next();
            }
        }
        RangeSet { ranges }
    }

    /// The addresses in this one and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &RangeSet) -> RangeSet {
        let mut ranges = Vec::new();
        let mut holes = other.ranges.iter().peekable();
        for range in &self.ranges {
            let family = range.family();
            let mut rest = Some(range.first_bits());
            while let (Some(first), Some(hole)) = (rest, holes.peek()) {
                if (hole.family(), hole.last_bits()) < (family, first) {
                    holes.next();
                    continue;
                }
                if (hole.family(), hole.first_bits()) > (family, range.last_bits()) {
                    break;
                }
                if first < hole.first_bits() {
                    ranges.push(AddressRange::from_bits(family, first, hole.first_bits() - 1));
                }
                // A hole that reaches past this range may cut the next one too: leave it there.
                rest = (hole.last_bits() < range.last_bits()).then(|| hole.last_bits() + 1);
            }
            if let Some(first) = rest {
                ranges.push(AddressRange::from_bits(family, first, range.last_bits()));
            }
        }
        RangeSet { ranges }
    }

    /// Whether it holds the address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.covers(&Cidr::host(address))
    }

    /// Whether it holds every address of the prefix or range.
    pub fn covers<R: Into<AddressRange> + Copy>(&self, range: &R) -> bool {
        let wanted: AddressRange = (*range).into();
        self.first_ending_at_or_after(wanted).is_some_and(|r| {
            r.family() == wanted.family()
                && r.first_bits() <= wanted.first_bits()
                && wanted.last_bits() <= r.last_bits()
        })
    }

    /// Whether it holds an address of the prefix or range.
    pub fn overlaps<R: Into<AddressRange> + Copy>(&self, range: &R) -> bool {
        let wanted: AddressRange = (*range).into();
        self.first_ending_at_or_after(wanted)
            .is_some_and(|r| r.family() == wanted.family() && r.first_bits() <= wanted.last_bits())
    }

    /// Whether every address of `other` is in this one.
    pub fn is_superset(&self, other: &RangeSet) -> bool {
        other.ranges.iter().all(|range| self.covers(range))
    }

    /// The first range that ends at or after the start of the one asked about.
    fn first_ending_at_or_after(&self, wanted: AddressRange) -> Option<&AddressRange> {
        let at = self.ranges.partition_point(|r| (r.family(), r.last_bits()) < (wanted.family(), wanted.first_bits()));
        self.ranges.get(at)
    }

    /// The set of any ranges, in any order.
    fn merged(mut all: Vec<AddressRange>) -> RangeSet {
        all.sort();
        let mut ranges: Vec<AddressRange> = Vec::with_capacity(all.len());
        for next in all {
            match ranges.last_mut() {
                Some(top)
                    if top.family() == next.family() && next.first_bits() <= top.last_bits().saturating_add(1) =>
                {
                    let last = top.last_bits().max(next.last_bits());
                    *top = AddressRange::from_bits(top.family(), top.first_bits(), last);
                }
                _ => ranges.push(next),
            }
        }
        RangeSet { ranges }
    }
}

impl<R: Into<AddressRange>> FromIterator<R> for RangeSet {
    fn from_iter<I: IntoIterator<Item = R>>(ranges: I) -> RangeSet {
        RangeSet::merged(ranges.into_iter().map(Into::into).collect())
    }
}

impl<R: Into<AddressRange>> Extend<R> for RangeSet {
    fn extend<I: IntoIterator<Item = R>>(&mut self, ranges: I) {
        let mut all = std::mem::take(&mut self.ranges);
        all.extend(ranges.into_iter().map(Into::into));
        *self = RangeSet::merged(all);
    }
}

impl fmt::Debug for RangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.ranges).finish()
    }
}

#[cfg(test)]
mod tests;
