//! The prefix: a family, a first address and a length.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address family. IPv4 sorts before IPv6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// IPv4: addresses of 32 bits.
    V4,
    /// IPv6: addresses of 128 bits.
    V6,
}

impl Family {
    /// Both families, in their order.
    pub const ALL: [Family; 2] = [Family::V4, Family::V6];

    /// Bits in an address: 32 or 128, which is also the longest prefix length.
    pub const fn width(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }

    /// The family of an address.
    pub const fn of(address: IpAddr) -> Family {
        match address {
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(_) => Family::V6,
        }
    }

    /// The range of every address: `0.0.0.0/0` or `::/0`.
    pub const fn everything(self) -> Cidr {
        Cidr { family: self, bits: 0, len: 0 }
    }

    /// The number of the highest address.
    pub(crate) const fn max_bits(self) -> u128 {
        match self {
            Family::V4 => u32::MAX as u128,
            Family::V6 => u128::MAX,
        }
    }

    /// The host part of a prefix of this length, all ones. `len` is at most the width.
    pub(crate) const fn host_mask(self, len: u8) -> u128 {
        match self.max_bits().checked_shr(len as u32) {
            Some(mask) => mask,
            None => 0,
        }
    }

    /// The address with this number. A number beyond the family's last address loses its high bits.
    pub(crate) const fn address(self, bits: u128) -> IpAddr {
        match self {
            Family::V4 => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
            Family::V6 => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        })
    }
}

/// The number of an address within its family.
pub(crate) const fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits() as u128,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// An IP prefix with its host bits zero: `10.0.0.0/8`, `fd00::/8`.
///
/// Ordered by family (IPv4 first), then first address, then the shorter prefix first, so that in a
/// sorted list every prefix stands right before what it covers.
///
/// An IPv4 prefix and an IPv6 prefix never contain, cover or overlap each other, not even through
/// IPv4-mapped addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    // The field order is the sort order.
    family: Family,
    bits: u128,
    len: u8,
}

impl Cidr {
    /// The prefix of this length that holds `address`; host bits are cut off. `None` if `len` is
    /// longer than the family's address (32 or 128).
    pub const fn new(address: IpAddr, len: u8) -> Option<Cidr> {
        let family = Family::of(address);
        if len > family.width() {
            return None;
        }
        Some(Cidr { family, bits: bits_of(address) & !family.host_mask(len), len })
    }

    /// The range of one address: `/32` or `/128`.
    pub const fn host(address: IpAddr) -> Cidr {
        let family = Family::of(address);
        Cidr { family, bits: bits_of(address), len: family.width() }
    }

    /// An IPv4 prefix for a table of constants: `const A: Cidr = Cidr::v4([10, 0, 0, 0], 8);`.
    ///
    /// # Panics
    ///
    /// If the length is over 32 or host bits are set; in a constant that is a compile error.
    pub const fn v4(octets: [u8; 4], len: u8) -> Cidr {
        let bits = u32::from_be_bytes(octets) as u128;
        assert!(len <= 32, "an IPv4 prefix length is at most 32");
        assert!(bits & Family::V4.host_mask(len) == 0, "the prefix has host bits set");
        Cidr { family: Family::V4, bits, len }
    }

    /// An IPv6 prefix for a table of constants:
    /// `const A: Cidr = Cidr::v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7);`.
    ///
    /// # Panics
    ///
    /// If the length is over 128 or host bits are set; in a constant that is a compile error.
    pub const fn v6(segments: [u16; 8], len: u8) -> Cidr {
        let [a, b, c, d, e, f, g, h] = segments;
        let bits = Ipv6Addr::new(a, b, c, d, e, f, g, h).to_bits();
        assert!(len <= 128, "an IPv6 prefix length is at most 128");
        assert!(bits & Family::V6.host_mask(len) == 0, "the prefix has host bits set");
        Cidr { family: Family::V6, bits, len }
    }

    /// A prefix from the number of an address; host bits are cut off. `len` is at most the width
    /// and `bits` at most the family's last address: the callers in this crate see to that.
    pub(crate) const fn from_bits(family: Family, bits: u128, len: u8) -> Cidr {
        Cidr { family, bits: bits & !family.host_mask(len), len }
    }

    /// The first address, which is also the address in the written prefix.
    pub const fn addr(&self) -> IpAddr {
        self.family.address(self.bits)
    }

    /// The first address.
    pub const fn first(&self) -> IpAddr {
        self.addr()
    }

    /// The last address (the broadcast address of an IPv4 subnet).
    pub const fn last(&self) -> IpAddr {
        self.family.address(self.last_bits())
    }

    /// The number of the first address.
    pub(crate) const fn first_bits(&self) -> u128 {
        self.bits
    }

    /// The number of the last address.
    pub(crate) const fn last_bits(&self) -> u128 {
        self.bits | self.family.host_mask(self.len)
    }

    /// The prefix length: 0 to 32, or 0 to 128.
    pub const fn prefix_len(&self) -> u8 {
        self.len
    }

    /// The address family.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// Whether this is an IPv4 prefix.
    pub const fn is_v4(&self) -> bool {
        matches!(self.family, Family::V4)
    }

    /// Whether this is an IPv6 prefix.
    pub const fn is_v6(&self) -> bool {
        matches!(self.family, Family::V6)
    }

    /// Whether this is one address.
    pub const fn is_host(&self) -> bool {
        self.len == self.family.width()
    }

    /// How many addresses it holds. `::/0` holds one more than `u128` can say and gives `u128::MAX`.
    pub const fn size(&self) -> u128 {
        self.family.host_mask(self.len).saturating_add(1)
    }

    /// Whether the address lies in it.
    pub const fn contains(&self, address: IpAddr) -> bool {
        self.covers(&Cidr::host(address))
    }

    /// Whether every address of `other` lies in it. A prefix covers itself.
    pub const fn covers(&self, other: &Cidr) -> bool {
        self.family.width() == other.family.width()
            && self.len <= other.len
            && (self.bits ^ other.bits) & !self.family.host_mask(self.len) == 0
    }

    /// Whether they share an address, which for prefixes means that one covers the other.
    pub const fn overlaps(&self, other: &Cidr) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// The address `n` steps after the first, or `None` past the last.
    pub const fn nth(&self, n: u128) -> Option<IpAddr> {
        if n > self.family.host_mask(self.len) {
            return None;
        }
        Some(self.family.address(self.bits | n))
    }

    /// The position of an address: 0 for the first. `None` if it lies outside.
    pub const fn index_of(&self, address: IpAddr) -> Option<u128> {
        if !self.contains(address) {
            return None;
        }
        Some(bits_of(address) & self.family.host_mask(self.len))
    }

    /// The prefix one bit shorter that covers this one; `None` for `/0`.
    pub const fn supernet(&self) -> Option<Cidr> {
        match self.len.checked_sub(1) {
            Some(len) => Some(Cidr::from_bits(self.family, self.bits, len)),
            None => None,
        }
    }

    /// The other half of the [`supernet`](Cidr::supernet) (the block's buddy); `None` for `/0`.
    pub const fn sibling(&self) -> Option<Cidr> {
        if self.len == 0 {
            return None;
        }
        let bit = self.family.host_mask(self.len - 1) & !self.family.host_mask(self.len);
        Some(Cidr { family: self.family, bits: self.bits ^ bit, len: self.len })
    }

    /// The prefix of length `len` that covers this one, or `None` if `len` is longer than its own.
    pub const fn truncate(&self, len: u8) -> Option<Cidr> {
        if len > self.len {
            return None;
        }
        Some(Cidr::from_bits(self.family, self.bits, len))
    }

    /// The longest prefix that covers both; `None` if they are of different families.
    pub const fn join(&self, other: &Cidr) -> Option<Cidr> {
        if self.family.width() != other.family.width() {
            return None;
        }
        // Bits above the family's width are zero in both and count as common.
        let unused = 128 - self.family.width() as u32;
        let common = (self.bits ^ other.bits).leading_zeros() - unused;
        let shorter = if self.len < other.len { self.len } else { other.len };
        let len = if common < shorter as u32 { common as u8 } else { shorter };
        Some(Cidr::from_bits(self.family, self.bits, len))
    }

    /// The lower and the upper half; `None` for a single address.
    pub const fn halves(&self) -> Option<[Cidr; 2]> {
        if self.is_host() {
            return None;
        }
        let len = self.len + 1;
        let lower = Cidr::from_bits(self.family, self.bits, len);
        let upper = Cidr::from_bits(self.family, self.last_bits(), len);
        Some([lower, upper])
    }

    /// The subnets of length `len`, lowest first. Nothing if `len` is shorter than this prefix or
    /// longer than an address. The iterator is lazy; its full length can be astronomical.
    pub const fn subnets(&self, len: u8) -> Subnets {
        let none = len < self.len || len > self.family.width();
        Subnets { family: self.family, len, next: if none { None } else { Some(self.bits) }, last: self.last_bits() }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` honours widths and alignment, which tables use.
        if f.width().is_some() || f.precision().is_some() {
            return f.pad(&format!("{}/{}", self.addr(), self.len));
        }
        write!(f, "{}/{}", self.addr(), self.len)
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<IpAddr> for Cidr {
    fn from(address: IpAddr) -> Cidr {
        Cidr::host(address)
    }
}

/// The subnets of a prefix, from [`Cidr::subnets`].
#[derive(Clone, Debug)]
pub struct Subnets {
    family: Family,
    len: u8,
    next: Option<u128>,
    last: u128,
}

impl Iterator for Subnets {
    type Item = Cidr;

    fn next(&mut self) -> Option<Cidr> {
        let subnet = Cidr::from_bits(self.family, self.next?, self.len);
        self.next = if subnet.last_bits() >= self.last { None } else { subnet.last_bits().checked_add(1) };
        Some(subnet)
    }
}

impl std::iter::FusedIterator for Subnets {}

#[cfg(test)]
mod tests;
