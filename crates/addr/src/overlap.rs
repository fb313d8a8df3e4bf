//! Which prefixes overlap, and a proof that none do.

use std::net::IpAddr;

use crate::cidr::Cidr;

/// Every pair of entries that share an address, as positions in `entries`: the smaller position
/// first in each pair, the pairs sorted. Equal prefixes overlap.
///
/// One sweep over the sorted prefixes: `n log n` plus the number of pairs.
pub fn overlaps<T>(entries: &[(Cidr, T)]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    // Prefixes either nest or are apart. In sorted order a prefix comes before all it covers, so
    // the ones still open at any point are a chain, each inside the one before.
    let mut open: Vec<(Cidr, usize)> = Vec::new();
    for (cidr, position) in sorted(entries) {
        while open.last().is_some_and(|(outer, _)| !outer.covers(&cidr)) {
            open.pop();
        }
        for &(_, other) in &open {
            pairs.push((position.min(other), position.max(other)));
        }
        open.push((cidr, position));
    }
    pairs.sort_unstable();
    pairs
}

/// One line of the proof that ranges are apart: who owns which run of addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<T> {
    /// The first address.
    pub first: IpAddr,
    /// The last address.
    pub last: IpAddr,
    /// Whose it is.
    pub owner: T,
}

/// Proves that no two entries share an address.
///
/// The proof is the list of all entries sorted by first address. It is valid exactly if every
/// `first` is at most its `last` and every `last` comes before the next `first`, where IPv4 comes
/// before IPv6: whoever doubts it needs to read it once and to know nothing of this program.
///
/// # Errors
///
/// The pairs that do overlap, as [`overlaps`] gives them.
pub fn disjoint<T: Clone>(entries: &[(Cidr, T)]) -> Result<Vec<Entry<T>>, Vec<(usize, usize)>> {
    let pairs = overlaps(entries);
    if !pairs.is_empty() {
        return Err(pairs);
    }
    Ok(sorted(entries)
        .into_iter()
        .filter_map(|(cidr, position)| {
            let (_, owner) = entries.get(position)?;
            Some(Entry { first: cidr.first(), last: cidr.last(), owner: owner.clone() })
        })
        .collect())
}

/// The prefixes with their positions, sorted.
fn sorted<T>(entries: &[(Cidr, T)]) -> Vec<(Cidr, usize)> {
    let mut all: Vec<(Cidr, usize)> =
        entries.iter().enumerate().map(|(position, (cidr, _))| (*cidr, position)).collect();
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests;
