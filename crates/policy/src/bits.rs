//! Sets of small numbers.

use std::fmt;

/// A set of small numbers; what lies beyond its words is not in it.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// The numbers below `count`.
    pub fn below(count: usize) -> Bits {
        let mut words = vec![u64::MAX; count / 64];
        if !count.is_multiple_of(64) {
            words.push((1 << (count % 64)) - 1);
        }
        Bits(words)
    }

    /// Whether a number is in it.
    #[inline]
    pub fn has(&self, at: u32) -> bool {
        self.0.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Puts a number in.
    pub fn put(&mut self, at: u32) {
        let word = at as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (at % 64);
        }
    }

    /// Takes a number out.
    pub fn take(&mut self, at: u32) {
        if let Some(word) = self.0.get_mut(at as usize / 64) {
            *word &= !(1 << (at % 64));
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// How many numbers are in it.
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Adds all of another set.
    pub fn add(&mut self, other: &Bits) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine |= theirs);
    }

    /// Keeps what is in another set too.
    pub fn keep(&mut self, other: &Bits) {
        self.0.truncate(other.0.len());
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine &= theirs);
    }

    /// Takes all of another set out.
    pub fn remove(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine &= !theirs);
    }

    /// What is in both.
    pub fn both(&self, other: &Bits) -> Bits {
        Bits(self.0.iter().zip(&other.0).map(|(mine, theirs)| mine & theirs).collect())
    }

    /// What is in this one only.
    pub fn without(&self, other: &Bits) -> Bits {
        let mut out = self.clone();
        out.remove(other);
        out
    }

    /// The numbers, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().zip(0_u32..).flat_map(|(word, at)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(at * 64 + bit)
            })
        })
    }

    /// The words, lowest numbers first.
    pub fn words(&self) -> &[u64] {
        &self.0
    }
}

impl FromIterator<u32> for Bits {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Bits {
        let mut out = Bits::default();
        numbers.into_iter().for_each(|number| out.put(number));
        out
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A square of bits on its diagonal: what was in column `b` of row `a` is in column `a` of row `b`.
pub(crate) fn transposed(rows: &[Bits]) -> Vec<Bits> {
    let size = rows.len();
    let wide = size.div_ceil(64);
    let mut out = vec![vec![0_u64; wide]; size];
    for (block, sixty_four) in rows.chunks(64).enumerate() {
        for word in 0..wide {
            let mut square = [0_u64; 64];
            for (into, row) in square.iter_mut().zip(sixty_four) {
                *into = row.0.get(word).copied().unwrap_or(0);
            }
            if square.iter().all(|word| *word == 0) {
                continue;
            }
            transpose(&mut square);
            for (row, bits) in out.iter_mut().skip(word * 64).zip(square) {
                if let Some(place) = row.get_mut(block) {
                    *place = bits;
                }
            }
        }
    }
    out.into_iter().map(Bits).collect()
}

/// 64 rows of 64 bits, by halves of halves (Warren, Hacker's Delight, 7-3).
fn transpose(square: &mut [u64; 64]) {
    let (mut width, mut mask) = (32_usize, 0x0000_0000_ffff_ffff_u64);
    while width > 0 {
        let mut at = 0_usize;
        while at < 64 {
            let (Some(low), Some(high)) = (square.get(at).copied(), square.get(at + width).copied()) else { break };
            let swap = ((low >> width) ^ high) & mask;
            if let Some(place) = square.get_mut(at) {
                *place = low ^ (swap << width);
            }
            if let Some(place) = square.get_mut(at + width) {
                *place = high ^ swap;
            }
            at = (at + width + 1) & !width;
        }
        width /= 2;
        mask ^= mask << width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_numbers() {
        let mut set: Bits = [3, 64, 200].into_iter().collect();
        assert!(set.has(64) && !set.has(65) && !set.has(100_000));
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 64, 200]);
        set.take(64);
        assert_eq!(set.count(), 2);
        assert_eq!(Bits::below(65).iter().last(), Some(64));
        let mut all = Bits::below(300);
        all.keep(&set);
        assert_eq!(all.iter().collect::<Vec<_>>(), [3, 200]);
        assert!(set.without(&set.clone()).is_empty());
        assert_eq!(set.both(&Bits::below(64)).iter().collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn a_square_is_turned_over() {
        for size in [1_u32, 5, 63, 64, 65, 130, 200] {
            let rows: Vec<Bits> =
                (0..size).map(|row| (0..size).filter(|column| (row * 7 + column * 3) % 5 < 2).collect()).collect();
            let turned = transposed(&rows);
            for row in 0..size {
                for column in 0..size {
                    assert_eq!(
                        turned[column as usize].has(row),
                        rows[row as usize].has(column),
                        "{size}: {row}, {column}"
                    );
                }
            }
        }
    }
}
