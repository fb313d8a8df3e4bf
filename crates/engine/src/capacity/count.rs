//! Sums of which a part may be unknown.

use std::iter::Sum;
use std::ops::Add;

/// A number that is known, or known to be at least so much. Arithmetic saturates at the largest number, which is always "too many".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    /// What is certain.
    pub(crate) at_least: u64,
    /// Nothing is missing from it.
    pub(crate) exact: bool,
}

impl Count {
    /// Nothing, for certain.
    pub(crate) const NONE: Count = Count::exact(0);

    /// A known number.
    pub(crate) const fn exact(value: u64) -> Count {
        Count { at_least: value, exact: true }
    }

    /// A lower bound.
    pub(crate) const fn at_least(value: u64) -> Count {
        Count { at_least: value, exact: false }
    }

    /// Known, or nothing certain.
    pub(crate) fn of(value: Option<u64>) -> Count {
        value.map_or(Count::at_least(0), Count::exact)
    }

    /// The number, where it is known.
    pub(crate) fn value(self) -> Option<u64> {
        self.exact.then_some(self.at_least)
    }

    /// The product. A known zero makes it a known zero, whatever the other side is.
    pub(crate) fn times(self, other: Count) -> Count {
        let zero = |count: Count| count.exact && count.at_least == 0;
        Count {
            at_least: self.at_least.saturating_mul(other.at_least),
            exact: (self.exact && other.exact) || zero(self) || zero(other),
        }
    }

    /// The larger of both; known only if both are.
    pub(crate) fn max(self, other: Count) -> Count {
        Count { at_least: self.at_least.max(other.at_least), exact: self.exact && other.exact }
    }

    /// A function that never falls, applied.
    pub(crate) fn map(self, rising: impl FnOnce(u64) -> u64) -> Count {
        Count { at_least: rising(self.at_least), exact: self.exact }
    }

    /// Whether it is within a limit: `false` as soon as what is certain exceeds it, `None` while the rest is unknown.
    pub(crate) fn within(self, limit: Option<u64>) -> Option<bool> {
        let limit = limit?;
        if self.at_least > limit { Some(false) } else { self.exact.then_some(true) }
    }
}

impl Add for Count {
    type Output = Count;

    fn add(self, other: Count) -> Count {
        Count { at_least: self.at_least.saturating_add(other.at_least), exact: self.exact && other.exact }
    }
}

impl Sum for Count {
    fn sum<I: Iterator<Item = Count>>(counts: I) -> Count {
        counts.fold(Count::NONE, Add::add)
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.exact {
            write!(f, "{}", self.at_least)
        } else if self.at_least == 0 {
            f.write_str("unknown")
        } else {
            write!(f, "at least {}", self.at_least)
        }
    }
}

/// `1 node`, `2 nodes`.
pub(crate) fn many(count: u64, one: &str, more: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {more}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_part_makes_a_lower_bound() {
        let sum: Count = [Count::exact(3), Count::of(None), Count::exact(4)].into_iter().sum();
        assert_eq!(sum, Count::at_least(7));
        assert_eq!(sum.value(), None);
        assert_eq!(sum.to_string(), "at least 7");
        assert_eq!(Count::of(None).to_string(), "unknown");
    }

    #[test]
    fn only_what_is_known_fits() {
        assert_eq!(Count::exact(5).within(Some(5)), Some(true));
        assert_eq!(Count::exact(6).within(Some(5)), Some(false));
        assert_eq!(Count::at_least(5).within(Some(5)), None);
        assert_eq!(Count::at_least(6).within(Some(5)), Some(false));
        assert_eq!(Count::exact(1).within(None), None);
    }

    #[test]
    fn no_nodes_cost_nothing_whatever_a_node_costs() {
        assert_eq!(Count::NONE.times(Count::of(None)), Count::NONE);
        assert_eq!(Count::exact(3).times(Count::at_least(1)), Count::at_least(3));
        assert_eq!(Count::exact(u64::MAX) + Count::exact(1), Count::exact(u64::MAX));
    }
}
