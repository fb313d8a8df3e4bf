//! Others who change our rules again and again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// This many repairs ...
const MANY: usize = 6;
/// ... in this time are no accident, and are remembered as long.
pub(crate) const MEMORY: Duration = Duration::from_secs(60);
/// Whoever put other rules in place this often ...
const REWRITES: usize = 8;
/// ... in this time keeps doing it, as we do: neither wins by being quick.
const RECENT: Duration = Duration::from_secs(10);
/// So they are put right this long after the last time.
const CALM: Duration = Duration::from_secs(1);
/// Rules that must not be missing are put right this long after the next change at the latest.
const BREATH: Duration = Duration::from_millis(20);

/// The last repairs.
#[derive(Debug, Default)]
pub(crate) struct Contest {
    repairs: VecDeque<Instant>,
    rewrites: VecDeque<Instant>,
}

impl Contest {
    /// Rules were put right; `rewritten` = others had put other ones in their place, not just removed ours. True if this happens again and
    /// again.
    pub(crate) fn repaired(&mut self, now: Instant, rewritten: bool) -> bool {
        remember(&mut self.repairs, MANY, now);
        if rewritten {
            remember(&mut self.rewrites, REWRITES, now);
        }
        all_within(&self.repairs, MANY, MEMORY, now)
    }

    /// How long to wait before the next repair. Rules that were removed come back at once, however often; only who writes others in
    /// their place is answered calmly, and only after a while.
    pub(crate) fn patience(&self, now: Instant) -> Duration {
        match self.rewrites.back() {
            Some(last) if all_within(&self.rewrites, REWRITES, RECENT, now) => {
                (*last + CALM).saturating_duration_since(now)
            }
            _ => Duration::ZERO,
        }
    }

    /// The same for rules that protect: as long as the last repair `took`, so that a contest costs half of a processor at most, and never
    /// long enough to get much through.
    pub(crate) fn breath(&self, now: Instant, took: Duration) -> Duration {
        self.patience(now).min(took).min(BREATH)
    }
}

fn remember(times: &mut VecDeque<Instant>, most: usize, now: Instant) {
    times.push_back(now);
    if times.len() > most {
        times.pop_front();
    }
}

fn all_within(times: &VecDeque<Instant>, many: usize, time: Duration, now: Instant) -> bool {
    times.len() >= many && times.front().is_some_and(|first| now.saturating_duration_since(*first) < time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_repairs_are_no_contest_and_many_in_a_row_are() {
        let mut contest = Contest::default();
        let start = Instant::now();
        let told: Vec<bool> = (0..MANY).map(|_| contest.repaired(start, false)).collect();
        assert_eq!(told.iter().position(|told| *told), Some(MANY - 1));
        assert_eq!(contest.patience(start), Duration::ZERO, "what was removed comes back at once");
        let mut seldom = Contest::default();
        assert!((0..40).all(|time| !seldom.repaired(start + MEMORY / 4 * time, true)));
        assert_eq!(seldom.patience(start + MEMORY * 10), Duration::ZERO);
    }

    #[test]
    fn who_writes_other_rules_is_answered_once_a_second_until_he_lets_be() {
        let mut contest = Contest::default();
        let mut now = Instant::now();
        for _ in 0..REWRITES {
            assert_eq!(contest.patience(now), Duration::ZERO);
            contest.repaired(now, true);
        }
        for _ in 0..50 {
            assert_eq!(contest.patience(now), CALM);
            now += CALM;
            assert_eq!(contest.patience(now), Duration::ZERO);
            contest.repaired(now, true);
        }
        assert_eq!(contest.patience(now + RECENT), Duration::ZERO);
    }

    #[test]
    fn rules_that_protect_come_back_in_about_the_time_a_repair_takes() {
        let mut contest = Contest::default();
        let mut now = Instant::now();
        let took = Duration::from_millis(3);
        for _ in 0..REWRITES {
            assert_eq!(contest.breath(now, took), Duration::ZERO, "the first at once");
            contest.repaired(now, true);
        }
        assert_eq!(contest.breath(now, took), took);
        assert_eq!(contest.breath(now, Duration::from_secs(5)), BREATH);
        // A rival who comes a few times a second finds each of his changes answered at once, but for that time.
        for _ in 0..100 {
            now += CALM / 4;
            assert_eq!(contest.breath(now, took), took);
            contest.repaired(now, true);
        }
        assert_eq!(contest.breath(now + CALM, took), Duration::ZERO);
    }
}
