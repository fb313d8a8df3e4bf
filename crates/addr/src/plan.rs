//! Placing many prefixes at once, or proving that they have no place.
//!
//! Every size is a power of two and divides every larger one. For such sizes, placing the largest
//! first, each in the smallest free block that holds it, finds a placement whenever there is one
//! (bin packing with divisible item sizes: Coffman, Garey and Johnson 1987). So a failure is a proof:
//! at the length where it stops, the requests of that size and larger need more blocks than all the
//! free space can be cut into.

use std::collections::BTreeMap;

use crate::cidr::{Cidr, Family};
use crate::free::FreeBlocks;
use crate::set::RangeSet;

/// A prefix somebody needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    name: String,
    family: Family,
    len: u8,
    growth: u8,
}

impl Request {
    /// A request for a prefix of this length; `None` if the length is longer than an address.
    pub fn new(name: impl Into<String>, family: Family, prefix_len: u8) -> Option<Request> {
        (prefix_len <= family.width()).then(|| Request { name: name.into(), family, len: prefix_len, growth: 0 })
    }

    /// The same with room to double `doublings` times in place: that much around the prefix is kept
    /// free. `None` if that is more than the whole family.
    pub fn growing(self, doublings: u8) -> Option<Request> {
        (doublings <= self.len).then_some(Request { growth: doublings, ..self })
    }

    /// Whose it is to be.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The length of the block it takes out of the free space.
    fn reserved_len(&self) -> u8 {
        self.len - self.growth
    }
}

/// Where a request goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// Whose it is.
    pub name: String,
    /// The prefix.
    pub cidr: Cidr,
    /// The block kept for it: the prefix, or more if it may grow.
    pub reserved: Cidr,
}

/// The free blocks and the requests of one length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    /// The prefix length.
    pub prefix_len: u8,
    /// How many free blocks are of exactly this length. None of them is half of a larger free one.
    pub free: u64,
    /// How many requests are for exactly this length, room to grow included.
    pub wanted: u64,
}

/// The proof that no placement exists: a count.
///
/// A request of `/prefix_len` or larger takes its own size out of one free block of that size or
/// larger. Counted in blocks of `/prefix_len`, those requests need `demand` and those free blocks are
/// worth `capacity`, which is less. [`levels`](NoFit::levels) has the numbers both follow from.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "no room for `{name}`: the requests for /{prefix_len} and larger need {demand} blocks of /{prefix_len}, the free space holds {capacity}"
)]
pub struct NoFit {
    /// The first request that found no place, going from large to small.
    pub name: String,
    /// Its family.
    pub family: Family,
    /// The length of the block it needs, and the one at which the count fails.
    pub prefix_len: u8,
    /// Blocks of that length in the free space (`u128::MAX` for all of IPv6, which is one too few).
    pub capacity: u128,
    /// Blocks of that length in the requests for it and for larger ones (same limit).
    pub demand: u128,
    /// By how many blocks of that length the space is too small for those requests.
    pub short_by: u128,
    /// Free blocks and requests by length, largest first, lengths with neither left out, down to the
    /// longest asked for or free.
    pub levels: Vec<Level>,
}

/// Places all requests in `space` without touching `taken`, or proves that it cannot be done.
///
/// Each placement lies inside one item of `space`, even where two items touch (a subnet cannot span
/// two prefixes of its network); items that others cover count once. `taken` may overlap itself and
/// reach outside the space. The largest requests are placed first, equal ones in the order given,
/// each at the lowest address of the smallest free block that holds it. The result is in the order
/// of `requests`.
///
/// # Errors
///
/// [`NoFit`]: no placement of all requests exists.
pub fn plan(space: &[Cidr], taken: &[Cidr], requests: &[Request]) -> Result<Vec<Placement>, NoFit> {
    let start = free_blocks(space, taken);
    let mut free = start.clone();
    let mut order: Vec<(usize, &Request)> = requests.iter().enumerate().collect();
    order.sort_by_key(|(_, request)| (request.family, request.reserved_len()));
    let mut placed: BTreeMap<usize, Placement> = BTreeMap::new();
    for (position, request) in order {
        let Some(reserved) = free.take(request.family, request.reserved_len()) else {
            return Err(no_fit(&start, requests, request));
        };
        let cidr = Cidr::new(reserved.first(), request.len).unwrap_or(reserved);
        placed.insert(position, Placement { name: request.name.clone(), cidr, reserved });
    }
    Ok(placed.into_values().collect())
}

/// The largest aligned blocks of each item of `space` that `taken` leaves.
pub(crate) fn free_blocks(space: &[Cidr], taken: &[Cidr]) -> FreeBlocks {
    let taken: RangeSet = taken.iter().copied().collect();
    let mut free = FreeBlocks::default();
    for item in outermost(space) {
        let inside: RangeSet = [item].into_iter().collect();
        // Only what lies inside this item is looked at, so many items cost no more than one.
        for block in inside.difference(&taken.within(item)).cidrs() {
            free.insert(block);
        }
    }
    free
}

/// The prefixes no other one covers, sorted, each once.
pub(crate) fn outermost(space: &[Cidr]) -> Vec<Cidr> {
    let mut sorted = space.to_vec();
    sorted.sort();
    let mut outer: Vec<Cidr> = Vec::new();
    for cidr in sorted {
        if !outer.last().is_some_and(|last| last.covers(&cidr)) {
            outer.push(cidr);
        }
    }
    outer
}

/// The count that shows why `failed` has no place.
fn no_fit(free: &FreeBlocks, requests: &[Request], failed: &Request) -> NoFit {
    let mut levels: BTreeMap<u8, Level> = BTreeMap::new();
    fn level(levels: &mut BTreeMap<u8, Level>, prefix_len: u8) -> &mut Level {
        levels.entry(prefix_len).or_insert(Level { prefix_len, free: 0, wanted: 0 })
    }
    for (len, count) in free.counts(failed.family) {
        level(&mut levels, len).free = count;
    }
    for request in requests.iter().filter(|r| r.family == failed.family) {
        level(&mut levels, request.reserved_len()).wanted += 1;
    }
    let at = failed.reserved_len();
    let (mut capacity, mut demand) = (0u128, 0u128);
    // What is left after each length, in blocks of that length. It never goes below zero before the
    // length that failed, and where it saturates no number of requests could use it up.
    let (mut left, mut before) = (0i128, 0u8);
    for level in levels.values().filter(|level| level.prefix_len <= at) {
        let blocks = |count: u64| {
            1u128
                .checked_shl(u32::from(at - level.prefix_len))
                .map_or(u128::MAX, |each| each.saturating_mul(u128::from(count)))
        };
        capacity = capacity.saturating_add(blocks(level.free));
        demand = demand.saturating_add(blocks(level.wanted));
        for _ in before..level.prefix_len {
            left = left.saturating_mul(2);
        }
        before = level.prefix_len;
        left = left.saturating_add(i128::from(level.free)).saturating_sub(i128::from(level.wanted));
    }
    NoFit {
        name: failed.name.clone(),
        family: failed.family,
        prefix_len: at,
        capacity,
        demand,
        short_by: left.min(0).unsigned_abs(),
        levels: levels.into_values().collect(),
    }
}

/// The longest prefix length whose prefixes hold at least this many addresses, reserved ones
/// included; `None` if even the whole family is too small.
pub const fn smallest_prefix_for(addresses: u128, family: Family) -> Option<u8> {
    // The bits that can number `addresses` things, counting from zero.
    let host_bits = 128 - addresses.saturating_sub(1).leading_zeros();
    if host_bits > family.width() as u32 {
        return None;
    }
    Some(family.width() - host_bits as u8)
}

#[cfg(test)]
mod tests;
