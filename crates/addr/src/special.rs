//! What an address range is set aside for.
//!
//! Source: the IANA IPv4 and IPv6 Special-Purpose Address Registries (both last updated
//! 2025-10-09), the IANA IPv4 Multicast Address Space Registry (RFC 5771) and the IANA Internet
//! Protocol Version 6 Address Space registry (RFC 4291). Where the special-purpose registries leave
//! "globally reachable" open (6to4, Teredo, the deprecated relay range) the range counts as
//! reserved: nobody is reached there, and nobody may use it privately.

use std::fmt;

use crate::cidr::{Cidr, Family, bits_of};
use crate::range::AddressRange;
use crate::set::RangeSet;

/// What a range is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// RFC 1918: `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`.
    PrivateUse,
    /// RFC 6598, carrier-grade NAT: `100.64.0.0/10`.
    Shared,
    /// RFC 4193: `fc00::/7`.
    UniqueLocal,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// RFC 5737, RFC 3849, RFC 9637: `192.0.2.0/24`, `2001:db8::/32` and others.
    Documentation,
    /// RFC 2544, RFC 5180: `198.18.0.0/15`, `2001:2::/48`.
    Benchmarking,
    /// "This network", `0.0.0.0/8`, and the unspecified address `::`.
    ThisNetwork,
    /// Set aside by the IETF for something else, or for later.
    Reserved,
    /// Globally reachable: somebody owns it, or may come to own it.
    Public,
    /// More than one of the others.
    Mixed,
}

impl Class {
    /// What all of the range is for; [`Class::Mixed`] if its parts are for different things.
    pub fn of(cidr: &Cidr) -> Class {
        if cidr.first_bits() == cidr.last_bits() {
            return row_of(cidr).class;
        }
        let mut classes = parts(cidr).into_iter().map(|(_, class)| class);
        let first = classes.next().unwrap_or(Class::Mixed);
        if classes.all(|class| class == first) { first } else { Class::Mixed }
    }

    /// Whether anybody may use such a range inside their own network without owning it.
    pub const fn is_private(self) -> bool {
        matches!(self, Class::PrivateUse | Class::Shared | Class::UniqueLocal)
    }

    /// The class in a reader's words.
    pub const fn words(self) -> &'static str {
        match self {
            Class::PrivateUse => "private use (RFC 1918)",
            Class::Shared => "shared address space (RFC 6598)",
            Class::UniqueLocal => "unique local (RFC 4193)",
            Class::Loopback => "loopback",
            Class::LinkLocal => "link-local",
            Class::Multicast => "multicast",
            Class::Documentation => "documentation",
            Class::Benchmarking => "benchmarking",
            Class::ThisNetwork => "this network",
            Class::Reserved => "reserved",
            Class::Public => "public",
            Class::Mixed => "mixed",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// A row of a registry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Special {
    /// The range.
    pub cidr: Cidr,
    /// What it is for.
    pub class: Class,
    /// Its name in the registry.
    pub name: &'static str,
    /// The document that set it aside.
    pub document: &'static str,
}

const fn four(octets: [u8; 4], len: u8, class: Class, name: &'static str, document: &'static str) -> Special {
    Special { cidr: Cidr::v4(octets, len), class, name, document }
}

const fn six(segments: [u16; 8], len: u8, class: Class, name: &'static str, document: &'static str) -> Special {
    Special { cidr: Cidr::v6(segments, len), class, name, document }
}

/// The rows, in the order of [`Cidr`]: the last one that covers an address says what it is for.
/// IPv6 outside `2000::/3` is reserved unless a row says otherwise; IPv4 outside the rows is public.
#[rustfmt::skip]
pub const REGISTRY: &[Special] = &[
    four([0, 0, 0, 0], 0, Class::Public, "unicast", "RFC 791"),
    four([0, 0, 0, 0], 8, Class::ThisNetwork, "this network", "RFC 791"),
    four([10, 0, 0, 0], 8, Class::PrivateUse, "private use", "RFC 1918"),
    four([100, 64, 0, 0], 10, Class::Shared, "shared address space", "RFC 6598"),
    four([127, 0, 0, 0], 8, Class::Loopback, "loopback", "RFC 1122"),
    four([169, 254, 0, 0], 16, Class::LinkLocal, "link-local", "RFC 3927"),
    four([172, 16, 0, 0], 12, Class::PrivateUse, "private use", "RFC 1918"),
    four([192, 0, 0, 0], 24, Class::Reserved, "IETF protocol assignments", "RFC 6890"),
    four([192, 0, 0, 9], 32, Class::Public, "port control protocol anycast", "RFC 7723"),
    four([192, 0, 0, 10], 32, Class::Public, "TURN anycast", "RFC 8155"),
    four([192, 0, 2, 0], 24, Class::Documentation, "documentation (TEST-NET-1)", "RFC 5737"),
    four([192, 88, 99, 0], 24, Class::Reserved, "deprecated (6to4 relay anycast)", "RFC 7526"),
    four([192, 168, 0, 0], 16, Class::PrivateUse, "private use", "RFC 1918"),
    four([198, 18, 0, 0], 15, Class::Benchmarking, "benchmarking", "RFC 2544"),
    four([198, 51, 100, 0], 24, Class::Documentation, "documentation (TEST-NET-2)", "RFC 5737"),
    four([203, 0, 113, 0], 24, Class::Documentation, "documentation (TEST-NET-3)", "RFC 5737"),
    four([224, 0, 0, 0], 4, Class::Multicast, "multicast", "RFC 5771"),
    four([240, 0, 0, 0], 4, Class::Reserved, "reserved", "RFC 1112"),
    six([0, 0, 0, 0, 0, 0, 0, 0], 0, Class::Reserved, "reserved by IETF", "RFC 4291"),
    six([0, 0, 0, 0, 0, 0, 0, 0], 128, Class::ThisNetwork, "unspecified address", "RFC 4291"),
    six([0, 0, 0, 0, 0, 0, 0, 1], 128, Class::Loopback, "loopback", "RFC 4291"),
    six([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, Class::Reserved, "IPv4-mapped addresses", "RFC 4291"),
    six([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, Class::Public, "IPv4-IPv6 translation", "RFC 6052"),
    six([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, Class::Reserved, "IPv4-IPv6 translation, local use", "RFC 8215"),
    six([0x100, 0, 0, 0, 0, 0, 0, 0], 64, Class::Reserved, "discard-only", "RFC 6666"),
    six([0x100, 0, 0, 1, 0, 0, 0, 0], 64, Class::Reserved, "dummy prefix", "RFC 9780"),
    six([0x2000, 0, 0, 0, 0, 0, 0, 0], 3, Class::Public, "global unicast", "RFC 4291"),
    six([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, Class::Reserved, "IETF protocol assignments", "RFC 2928"),
    six([0x2001, 1, 0, 0, 0, 0, 0, 1], 128, Class::Public, "port control protocol anycast", "RFC 7723"),
    six([0x2001, 1, 0, 0, 0, 0, 0, 2], 128, Class::Public, "TURN anycast", "RFC 8155"),
    six([0x2001, 1, 0, 0, 0, 0, 0, 3], 128, Class::Public, "DNS-SD service registration anycast", "RFC 9665"),
    six([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, Class::Benchmarking, "benchmarking", "RFC 5180"),
    six([0x2001, 3, 0, 0, 0, 0, 0, 0], 32, Class::Public, "AMT", "RFC 7450"),
    six([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48, Class::Public, "AS112", "RFC 7535"),
    six([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28, Class::Public, "ORCHIDv2", "RFC 7343"),
    six([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28, Class::Public, "drone remote identification", "RFC 9374"),
    six([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Class::Documentation, "documentation", "RFC 3849"),
    six([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Class::Reserved, "6to4", "RFC 3056"),
    six([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Class::Documentation, "documentation", "RFC 9637"),
    six([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, Class::Reserved, "segment routing identifiers", "RFC 9602"),
    six([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Class::UniqueLocal, "unique local", "RFC 4193"),
    six([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, Class::LinkLocal, "link-local", "RFC 4291"),
    six([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Class::Multicast, "multicast", "RFC 4291"),
];

/// The rows that share an address with the range, the widest first. The first of them always covers
/// it (the row of the whole family).
pub fn rows(cidr: &Cidr) -> impl Iterator<Item = &'static Special> {
    REGISTRY.iter().filter(move |row| row.cidr.overlaps(cidr))
}

/// The range cut where its purpose changes, in order; neighbours differ in class.
pub fn parts(cidr: &Cidr) -> Vec<(AddressRange, Class)> {
    let family = cidr.family();
    // The purpose can change only where a row begins or just after one ends.
    let mut starts = vec![cidr.first_bits()];
    for row in rows(cidr) {
        starts.push(row.cidr.first_bits());
        starts.extend(row.cidr.last_bits().checked_add(1));
    }
    starts.retain(|start| (cidr.first_bits()..=cidr.last_bits()).contains(start));
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([cidr.last_bits()]);
    let mut parts: Vec<(AddressRange, Class)> = Vec::new();
    for (&first, last) in starts.iter().zip(ends) {
        let class = row_of(&Cidr::host(family.address(first))).class;
        match parts.last_mut() {
            Some((range, before)) if *before == class => {
                *range = AddressRange::from_bits(family, bits_of(range.first()), last);
            }
            _ => parts.push((AddressRange::from_bits(family, first, last), class)),
        }
    }
    parts
}

/// The narrowest row that covers all of the range.
pub fn row_of(cidr: &Cidr) -> &'static Special {
    const FIRST: &Special = &four([0, 0, 0, 0], 0, Class::Public, "unicast", "RFC 791");
    // Rows nest, so of those that cover one range the last in order is the narrowest; the rows of
    // the whole families are in the table, so there always is one.
    REGISTRY.iter().rfind(|row| row.cidr.covers(cidr)).unwrap_or(FIRST)
}

/// The public parts of a range, as the fewest prefixes: what is left without private use, shared,
/// unique local, link-local, loopback, multicast, documentation, benchmarking and reserved space.
pub fn public_part(cidr: &Cidr) -> Vec<Cidr> {
    let public: RangeSet =
        parts(cidr).into_iter().filter(|(_, class)| *class == Class::Public).map(|(range, _)| range).collect();
    public.cidrs().collect()
}

/// Whether any address of the range is public.
pub fn touches_public(cidr: &Cidr) -> bool {
    parts(cidr).iter().any(|(_, class)| *class == Class::Public)
}

/// Whether every address of the range is public.
pub fn is_globally_reachable(cidr: &Cidr) -> bool {
    Class::of(cidr) == Class::Public
}

/// Whether all of the range is RFC 1918 space.
pub fn is_private_use(cidr: &Cidr) -> bool {
    Class::of(cidr) == Class::PrivateUse
}

/// Whether all of the range is RFC 6598 space, `100.64.0.0/10`.
pub fn is_shared(cidr: &Cidr) -> bool {
    Class::of(cidr) == Class::Shared
}

/// Whether all of the range is RFC 4193 space, `fc00::/7`.
pub fn is_unique_local(cidr: &Cidr) -> bool {
    Class::of(cidr) == Class::UniqueLocal
}

/// Whether all of the range is loopback.
pub fn is_loopback(cidr: &Cidr) -> bool {
    Class::of(cidr) == Class::Loopback
}

/// Whether all of the range is link-local.
pub fn is_link_local(cidr: &Cidr) -> bool {
    Class::of(cidr) == Class::LinkLocal
}

/// Whether all of the range is multicast.
pub fn is_multicast(cidr: &Cidr) -> bool {
    Class::of(cidr) == Class::Multicast
}

/// Whether all of the range is for documentation.
pub fn is_documentation(cidr: &Cidr) -> bool {
    Class::of(cidr) == Class::Documentation
}

/// Whether all of the range is for benchmarking.
pub fn is_benchmarking(cidr: &Cidr) -> bool {
    Class::of(cidr) == Class::Benchmarking
}

/// The private space of a family: RFC 1918 and RFC 6598, or RFC 4193.
pub fn private_space(family: Family) -> RangeSet {
    REGISTRY.iter().filter(|row| row.cidr.family() == family && row.class.is_private()).map(|row| row.cidr).collect()
}

#[cfg(test)]
mod tests;
