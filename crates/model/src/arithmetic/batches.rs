//! Dynamic allocation: nodes ask for pod addresses in batches and give them back in batches.
//!
//! Sources: `concepts-network-azure-cni-pod-subnet.md` (2024-05-21), `configure-azure-cni-dynamic-ip-allocation.md` (2024-07-09), the
//! address management of Azure's CNI (source tree, 2026-08-20).

use crate::design::Ipam;

/// When a node gives addresses back: the design text and the code differ at exactly the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// More than the threshold are free. What Causeway's own allocator does.
    Above,
    /// The threshold is reached. What the platform's first monitor does.
    AtLeast,
}

/// How nodes ask for pod addresses under dynamic allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batches {
    /// Addresses per request.
    pub batch: u64,
    /// Thousandths of a batch that must stay free, else another batch is asked for.
    pub min_free_thousandths: u64,
    /// Thousandths of a batch above which addresses are given back.
    pub max_free_thousandths: u64,
    /// The most addresses a node holds.
    pub max_per_node: u64,
}

impl Default for Batches {
    /// The platform's values: 16, 50 %, 150 %, 250.
    fn default() -> Self {
        Batches { batch: 16, min_free_thousandths: 500, max_free_thousandths: 1_500, max_per_node: 250 }
    }
}

impl From<Ipam> for Batches {
    /// A design's settings; what it can't state is the platform's: the second threshold lies a whole batch above the first.
    fn from(ipam: Ipam) -> Self {
        let min_free_thousandths = u64::from(ipam.min_free.thousandths);
        Batches {
            batch: ipam.batch.into(),
            min_free_thousandths,
            max_free_thousandths: min_free_thousandths + 1_000,
            ..Batches::default()
        }
    }
}

impl Batches {
    /// The platform's corrections of settings that make no sense: no maximum becomes 250, a batch is at least 1 and at most the
    /// maximum, the first threshold 1 to 100 percent, the second at least 100 percent above it.
    #[must_use]
    pub fn corrected(self) -> Self {
        let max_per_node = if self.max_per_node < 1 { 250 } else { self.max_per_node };
        let min_free_thousandths = self.min_free_thousandths.clamp(10, 1_000);
        Batches {
            batch: self.batch.clamp(1, max_per_node),
            min_free_thousandths,
            max_free_thousandths: self.max_free_thousandths.max(min_free_thousandths.saturating_add(1_000)),
            max_per_node,
        }
    }

    /// What a node does when its subnet is exhausted: one address at a time, one spare, giving back from two.
    #[must_use]
    pub fn exhausted(self) -> Self {
        Batches {
            batch: 1,
            min_free_thousandths: 1_000,
            max_free_thousandths: 2_000,
            max_per_node: self.corrected().max_per_node,
        }
    }

    /// Addresses that must stay free, rounded half up as the platform does: 8 of 16.
    pub fn min_free(self) -> u64 {
        half_up(self.corrected().batch, self.corrected().min_free_thousandths)
    }

    /// Free addresses at which a node gives back, rounded half up as the platform does: 24 of 16.
    pub fn max_free(self) -> u64 {
        half_up(self.corrected().batch, self.corrected().max_free_thousandths)
    }

    /// Addresses a node holds for `pods` that need one (host-network pods do not):
    /// `min(batch * ceil(minFree + pods / batch), max)`, the fraction exact. 16 for none, 32 from 9, 48 for 36.
    pub fn held(self, pods: u64) -> u64 {
        self.unclamped(pods).min(u128::from(self.corrected().max_per_node)).try_into().unwrap_or(u64::MAX)
    }

    /// The same without the per-node maximum: 272 for 250 pods.
    pub fn held_unclamped(self, pods: u64) -> u64 {
        self.unclamped(pods).try_into().unwrap_or(u64::MAX)
    }

    fn unclamped(self, pods: u64) -> u128 {
        let Batches { batch, min_free_thousandths, .. } = self.corrected();
        let batch = u128::from(batch);
        // ceil(thousandths/1000 + pods/batch) over the common denominator 1000 * batch.
        let numerator = u128::from(min_free_thousandths) * batch + 1_000 * u128::from(pods);
        batch * numerator.div_ceil(1_000 * batch)
    }

    /// Secondary addresses a node asks for when `primary` addresses of its own come out of the same count: 47 for 25 pods and one.
    pub fn requested(self, pods: u64, primary: u64) -> u64 {
        self.held(pods.saturating_add(primary)).saturating_sub(primary)
    }

    /// The older request rule: another batch whenever fewer than [`min_free`](Self::min_free) are free, up to the maximum, starting with
    /// one batch. Equal to [`held`](Self::held) while a batch halves evenly, as 16 does.
    pub fn held_by_threshold(self, pods: u64) -> u64 {
        let Batches { batch, max_per_node, .. } = self.corrected();
        let wanted = pods.saturating_add(self.min_free()).max(batch);
        wanted.checked_next_multiple_of(batch).unwrap_or(u64::MAX).min(max_per_node)
    }

    /// What a node that once held addresses for `peak` pods still holds when `pods` are left: it gives back whole batches, and only
    /// while the threshold is passed, so up to 24 addresses a node lie idle.
    pub fn held_after_peak(self, peak: u64, pods: u64, release: Release) -> u64 {
        let Batches { batch, .. } = self.corrected();
        let held = self.held_by_threshold(peak.max(pods));
        let kept = match release {
            Release::Above => pods.saturating_add(self.max_free()),
            Release::AtLeast => pods.saturating_add(self.max_free()).saturating_sub(1),
        };
        if held <= kept { held } else { kept - kept % batch }
    }
}

/// So many thousandths of a number, a half rounded up.
fn half_up(of: u64, thousandths: u64) -> u64 {
    let exact = u128::from(of) * u128::from(thousandths);
    ((exact + 500) / 1_000).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dynamic_need_by_pods() {
        let platform = Batches::default();
        for (pods, held) in [
            (0, 16),
            (1, 16),
            (8, 16),
            (9, 32),
            (24, 32),
            (25, 48),
            (36, 48),
            (40, 48),
            (41, 64),
            (104, 112),
            (110, 128),
            (232, 240),
            (233, 250),
            (250, 250),
            (300, 250),
        ] {
            assert_eq!(platform.held(pods), held, "{pods}");
            assert_eq!(platform.held_by_threshold(pods), held, "{pods} by threshold");
        }
        assert_eq!(platform.held_unclamped(250), 272);
        assert_eq!(platform.requested(25, 1), 47);
        assert_eq!((platform.min_free(), platform.max_free()), (8, 24));
        assert_eq!(platform.held(u64::MAX), 250);
        assert_eq!(platform.held_unclamped(u64::MAX), u64::MAX);
    }

    #[test]
    fn both_request_rules_agree_for_even_batches() {
        for batch in [2, 4, 8, 16, 32, 64] {
            let batches = Batches { batch, ..Batches::default() };
            for pods in 0..=250 {
                assert_eq!(batches.held(pods), batches.held_by_threshold(pods), "batch {batch}, {pods} pods");
            }
        }
    }

    #[test]
    fn addresses_left_idle_after_a_peak() {
        let platform = Batches::default();
        for (peak, pods, above, at_least) in [
            (8, 8, 16, 16),
            (100, 100, 112, 112),
            (100, 88, 112, 96),
            (100, 89, 112, 112),
            (100, 87, 96, 96),
            (250, 0, 16, 16),
            (24, 8, 32, 16),
            (24, 7, 16, 16),
            (24, 9, 32, 32),
            (0, 40, 48, 48),
            (250, 230, 250, 250),
            (250, 225, 240, 240),
        ] {
            assert_eq!(platform.held_after_peak(peak, pods, Release::Above), above, "{peak} then {pods}");
            assert_eq!(
                platform.held_after_peak(peak, pods, Release::AtLeast),
                at_least,
                "{peak} then {pods}, at the threshold"
            );
        }
    }

    #[test]
    fn nonsense_settings_are_corrected_as_the_platform_does() {
        let zero = Batches { batch: 0, min_free_thousandths: 0, max_free_thousandths: 0, max_per_node: 0 };
        assert_eq!(
            zero.corrected(),
            Batches { batch: 1, min_free_thousandths: 10, max_free_thousandths: 1_010, max_per_node: 250 }
        );
        let large = Batches { batch: 500, min_free_thousandths: 4_000, max_free_thousandths: 100, max_per_node: 100 };
        assert_eq!(
            large.corrected(),
            Batches { batch: 100, min_free_thousandths: 1_000, max_free_thousandths: 2_000, max_per_node: 100 }
        );
        assert_eq!(zero.held(u64::MAX), 250);
    }

    #[test]
    fn an_exhausted_subnet_gives_single_addresses() {
        let exhausted = Batches::default().exhausted();
        assert_eq!((exhausted.min_free(), exhausted.max_free()), (1, 2));
        assert_eq!(exhausted.held(10), 11);
        assert_eq!(exhausted.held(0), 1);
    }

    #[test]
    fn a_design_states_batch_and_free_part() {
        use crate::design::Factor;
        assert_eq!(Batches::from(Ipam::default()), Batches::default());
        let own = Ipam { batch: 32, min_free: Factor { thousandths: 250 }, ..Ipam::default() };
        assert_eq!(
            (Batches::from(own).min_free(), Batches::from(own).held(24), Batches::from(own).held(25)),
            (8, 32, 64)
        );
    }
}
