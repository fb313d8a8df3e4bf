//! A run of addresses from a first to a last one, both included.

use std::fmt;
use std::net::IpAddr;

use crate::cidr::{Cidr, Family, bits_of};

/// Every address from a first to a last one, both included. Never empty, always of one family.
///
/// Ordered by family, first address, last address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    family: Family,
    first: u128,
    last: u128,
}

impl AddressRange {
    /// The range between two addresses; `None` if they are of different families or `last` comes
    /// before `first`.
    pub fn new(first: IpAddr, last: IpAddr) -> Option<AddressRange> {
        if Family::of(first) != Family::of(last) || last < first {
            return None;
        }
        Some(AddressRange { family: Family::of(first), first: bits_of(first), last: bits_of(last) })
    }

    /// As [`new`](AddressRange::new), from numbers the caller knows to be in order and in bounds.
    pub(crate) const fn from_bits(family: Family, first: u128, last: u128) -> AddressRange {
        AddressRange { family, first, last }
    }

    /// The first address.
    pub const fn first(&self) -> IpAddr {
        self.family.address(self.first)
    }

    /// The last address.
    pub const fn last(&self) -> IpAddr {
        self.family.address(self.last)
    }

    /// The number of the first address.
    pub(crate) const fn first_bits(&self) -> u128 {
        self.first
    }

    /// The number of the last address.
    pub(crate) const fn last_bits(&self) -> u128 {
        self.last
    }

    /// The address family.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// How many addresses it holds; `u128::MAX` for all of IPv6, which is one too few.
    pub const fn size(&self) -> u128 {
        (self.last - self.first).saturating_add(1)
    }

    /// Whether the address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.family == Family::of(address) && (self.first..=self.last).contains(&bits_of(address))
    }

    /// The fewest prefixes that together hold exactly these addresses, lowest first: at most 62 for
    /// IPv4 and 254 for IPv6.
    pub const fn cidrs(&self) -> RangeCidrs {
        RangeCidrs { rest: Some(*self) }
    }
}

impl From<Cidr> for AddressRange {
    fn from(cidr: Cidr) -> AddressRange {
        AddressRange { family: cidr.family(), first: cidr.first_bits(), last: cidr.last_bits() }
    }
}

impl fmt::Display for AddressRange {
    /// As a prefix where it is one, else `FIRST-LAST`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cidrs = self.cidrs();
        match (cidrs.next(), cidrs.next()) {
            (Some(only), None) => only.fmt(f),
            _ => f.pad(&format!("{}-{}", self.first(), self.last())),
        }
    }
}

impl fmt::Debug for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The prefixes of a range, from [`AddressRange::cidrs`].
#[derive(Clone, Debug)]
pub struct RangeCidrs {
    rest: Option<AddressRange>,
}

impl Iterator for RangeCidrs {
    type Item = Cidr;

    fn next(&mut self) -> Option<Cidr> {
        let AddressRange { family, first, last } = self.rest?;
        let width = u32::from(family.width());
        // The block is as large as the alignment of its first address and the addresses left allow.
        let aligned = first.trailing_zeros().min(width);
        let fits = (last - first).checked_add(1).map_or(width, u128::ilog2);
        let host_bits = u8::try_from(aligned.min(fits)).ok()?;
        let block = Cidr::from_bits(family, first, family.width() - host_bits);
        self.rest = (block.last_bits() < last).then(|| AddressRange { family, first: block.last_bits() + 1, last });
        Some(block)
    }
}

impl std::iter::FusedIterator for RangeCidrs {}
