//! Extra nodes an upgrade adds to a pool before it takes old ones away.
//!
//! Source: `upgrade-aks-node-pools-rolling.md` (2026-05-29); the default follows the stricter of two statements
//! (`best-practices-performance-scale-large.md`, 2026-06-05, says 10 %).

use crate::design::Share;

/// Percent of the pool taken when a pool states no maxSurge.
pub const DEFAULT_PERCENT: u64 = 10;

/// Surge nodes of a pool of `nodes`: of what it states, else [`by_default`]. Ask with the pool's largest size for its maximum.
pub fn of(nodes: u64, max_surge: Option<Share>) -> u64 {
    match max_surge {
        Some(Share::Count(count)) => of_count(nodes, count.into()),
        Some(Share::Percent(percent)) => of_percent(nodes, percent.into()),
        None => by_default(nodes),
    }
}

/// Surge nodes of a pool whose maxSurge is a number: that number, but never more than there are nodes to upgrade.
pub fn of_count(nodes: u64, max_surge: u64) -> u64 {
    max_surge.min(nodes)
}

/// Surge nodes of a pool whose maxSurge is a percentage of its nodes: rounded up, never more than there are nodes to upgrade.
pub fn of_percent(nodes: u64, percent: u64) -> u64 {
    super::ratio_up(nodes, percent, 100).min(nodes)
}

/// Surge nodes of a pool that states nothing: a tenth of it, rounded up and at least one, never more than its nodes.
pub fn by_default(nodes: u64) -> u64 {
    of_percent(nodes, DEFAULT_PERCENT).max(1).min(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_up() {
        for (nodes, percent, surge) in [
            (10, 33, 4),
            (100, 33, 33),
            (3, 33, 1),
            (1, 1, 1),
            (10, 10, 1),
            (11, 10, 2),
            (3, 100, 3),
            (3, 200, 3),
            (10, 0, 0),
            (0, 50, 0),
            (u64::MAX, 100, u64::MAX),
            (u64::MAX, u64::MAX, u64::MAX),
        ] {
            assert_eq!(of_percent(nodes, percent), surge, "{percent}% of {nodes}");
        }
    }

    #[test]
    fn what_the_pool_states_counts() {
        for (stated, surge) in [
            (None, 2),
            (Some(Share::Count(5)), 5),
            (Some(Share::Count(0)), 0),
            (Some(Share::Percent(33)), 4),
            (Some(Share::Percent(1)), 1),
        ] {
            assert_eq!(of(11, stated), surge, "{stated:?}");
        }
    }

    #[test]
    fn counts_are_capped() {
        assert_eq!(of_count(3, 5), 3);
        assert_eq!(of_count(5, 3), 3);
        assert_eq!(of_count(5, 0), 0);
        assert_eq!(of_count(0, 3), 0);
    }

    #[test]
    fn the_default_is_at_least_one() {
        for (nodes, surge) in [(0, 0), (1, 1), (9, 1), (10, 1), (11, 2), (100, 10), (101, 11)] {
            assert_eq!(by_default(nodes), surge, "{nodes}");
        }
    }
}
