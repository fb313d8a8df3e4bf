//! How many repairs may follow one another at once.

use std::time::{Duration, Instant};

/// Repairs that may follow at once. Whoever breaks rules in a loop, another agent with other settings perhaps, must not make this one spin.
const BURST: u32 = 256;
/// Time that gives one of them back.
const REFILL: Duration = Duration::from_millis(4);

/// What is left of them.
#[derive(Debug)]
pub(crate) struct Allowance {
    left: u32,
    since: Instant,
}

impl Allowance {
    /// All of them.
    pub(crate) fn new(now: Instant) -> Allowance {
        Allowance { left: BURST, since: now }
    }

    /// Takes one; gives how long to wait before using it.
    pub(crate) fn take(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.since);
        let back = u32::try_from(passed.as_nanos() / REFILL.as_nanos()).unwrap_or(u32::MAX);
        if back >= BURST - self.left {
            *self = Allowance::new(now);
        } else {
            self.left += back;
            self.since += REFILL * back;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Duration::ZERO
            }
            None => {
                self.since += REFILL;
                self.since.saturating_duration_since(now)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_follow_at_once_and_many_are_spread() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let mut now = start;
        for _ in 0..BURST {
            assert_eq!(allowance.take(now), Duration::ZERO);
        }
        for _ in 0..1000 {
            now += allowance.take(now);
        }
        let spent = now.duration_since(start);
        assert!(spent >= REFILL * 990 && spent <= REFILL * 1010, "{spent:?}");
    }

    #[test]
    fn quiet_gives_them_back() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        for _ in 0..BURST {
            allowance.take(start);
        }
        let later = start + REFILL * BURST;
        for _ in 0..BURST {
            assert_eq!(allowance.take(later), Duration::ZERO);
        }
        assert!(allowance.take(later) > Duration::ZERO);
    }
}
