//! Handing out prefixes one by one and taking them back.

use std::collections::BTreeSet;

use crate::cidr::{Cidr, Family};
use crate::free::FreeBlocks;
use crate::plan::{free_blocks, outermost};

/// An allocator of aligned blocks: a list of free blocks for each length.
///
/// A block is taken from the smallest free block that holds it, the lowest on ties; a freed block
/// joins its other half as far up as both are free, but never across items of the space. Each step
/// costs at most one list operation for each bit of an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buddy {
    // Sorted, none covers another.
    space: Vec<Cidr>,
    free: FreeBlocks,
    used: BTreeSet<Cidr>,
}

/// Why the allocator refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BuddyError {
    /// The block to free was never handed out, or only as part of something else, or freed before.
    #[error("`{0}` is not allocated")]
    NotAllocated(Cidr),
    /// The block to reserve does not lie in one item of the space.
    #[error("`{0}` is outside the space")]
    OutsideSpace(Cidr),
    /// The block to reserve overlaps one already handed out.
    #[error("`{wanted}` overlaps `{used}`, which is allocated")]
    InUse {
        /// The block asked for.
        wanted: Cidr,
        /// A block in its way, the lowest.
        used: Cidr,
    },
}

impl Buddy {
    /// An allocator over these prefixes, all free. Items that others cover count once.
    pub fn new(space: &[Cidr]) -> Buddy {
        Buddy { free: free_blocks(space, &[]), space: outermost(space), used: BTreeSet::new() }
    }

    /// Hands out a block of this length; `None` if no free block holds one.
    pub fn allocate(&mut self, family: Family, prefix_len: u8) -> Option<Cidr> {
        let block = self.free.take(family, prefix_len)?;
        self.used.insert(block);
        Some(block)
    }

    /// Hands out exactly this block.
    ///
    /// # Errors
    ///
    /// [`BuddyError::OutsideSpace`] or [`BuddyError::InUse`]; nothing has changed then.
    pub fn reserve(&mut self, block: Cidr) -> Result<(), BuddyError> {
        if !self.home_of(&block).is_some_and(|home| home.covers(&block)) {
            return Err(BuddyError::OutsideSpace(block));
        }
        if !self.free.take_exactly(&block) {
            // In the space and not free: something handed out lies in it or around it.
            let used = self.in_the_way(&block).unwrap_or(block);
            return Err(BuddyError::InUse { wanted: block, used });
        }
        self.used.insert(block);
        Ok(())
    }

    /// Takes a block back.
    ///
    /// # Errors
    ///
    /// [`BuddyError::NotAllocated`] unless exactly this block was handed out and not freed since.
    pub fn free(&mut self, block: Cidr) -> Result<(), BuddyError> {
        if !self.used.remove(&block) {
            return Err(BuddyError::NotAllocated(block));
        }
        let home = self.home_of(&block);
        let mut whole = block;
        while home != Some(whole)
            && let (Some(other), Some(both)) = (whole.sibling(), whole.supernet())
            && self.free.remove(&other)
        {
            whole = both;
        }
        self.free.insert(whole);
        Ok(())
    }

    /// The blocks handed out, sorted.
    pub fn allocated(&self) -> impl Iterator<Item = Cidr> + '_ {
        self.used.iter().copied()
    }

    /// The free blocks: by family, then the largest first, then the lowest first.
    pub fn available(&self) -> impl Iterator<Item = Cidr> + '_ {
        self.free.iter()
    }

    /// The largest block of a family that could be handed out now.
    pub fn largest_free(&self, family: Family) -> Option<u8> {
        self.free.counts(family).map(|(len, _)| len).next()
    }

    /// The item of the space the block lies in, if any.
    fn home_of(&self, block: &Cidr) -> Option<Cidr> {
        let at = self.space.partition_point(|home| home <= block);
        let home = self.space.get(at.checked_sub(1)?)?;
        home.covers(block).then_some(*home)
    }

    /// The lowest handed-out block that overlaps this one.
    fn in_the_way(&self, block: &Cidr) -> Option<Cidr> {
        // Blocks handed out are apart, so at most the last one before can reach into it.
        let before = self.used.range(..*block).next_back();
        before
            .filter(|used| used.covers(block))
            .or_else(|| self.used.range(*block..).next())
            .filter(|used| used.overlaps(block))
            .copied()
    }
}

#[cfg(test)]
mod tests;
