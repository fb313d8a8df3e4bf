//! Numbers that look random and are the same for the same seed.

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// From the variable `CAUSEWAY_SEED`, else one that is different each time. Print it: it repeats the run.
    ///
    /// # Panics
    ///
    /// When the variable is no number.
    #[expect(
        clippy::disallowed_methods,
        clippy::panic,
        reason = "the seed of a test comes from outside, and nothing runs without it"
    )]
    pub fn seed() -> u64 {
        match std::env::var("CAUSEWAY_SEED") {
            Ok(text) => text.parse().unwrap_or_else(|_| panic!("CAUSEWAY_SEED is `{text}`, not a number")),
            Err(_) => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                since.map_or(1, |since| u64::from(since.subsec_nanos()) ^ (since.as_secs() << 20))
            }
        }
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "an endless list is no iterator one wants to collect")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 128 bits.
    pub fn wide(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// True once in `every` times.
    pub fn once_in(&mut self, every: u64) -> bool {
        self.below(every) == 0
    }

    /// One of these; `None` when there are none.
    pub fn one_of<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(usize::try_from(self.below(from.len() as u64)).unwrap_or(0))
    }
}
