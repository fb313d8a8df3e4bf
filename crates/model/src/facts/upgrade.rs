//! What an upgrade adds, waits for and refuses. The arithmetic is in [`crate::arithmetic::surge`].

use super::Setting;
use crate::arithmetic::surge;
use crate::design::Version;

facts! {
    /// Percent of a pool that surges when it states nothing, rounded up and at least one node.
    MAX_SURGE_DEFAULT_PERCENT: u64 = surge::DEFAULT_PERCENT,
        "upg.max_surge.default" Doc 2026-7-7 "upgrade-aks-node-pools-rolling.md, upgrade-capacity-cost-planning.md, insufficientsubnetsize-error-advanced-networking.md, configure-load-balancer-standard.md"
        "max-surge-default: pages say one node and 10 %; the larger of both counts";
    /// Percent of a pool recommended in production; 10 to 20 above 500 nodes, 50 for development.
    MAX_SURGE_RECOMMENDED_PERCENT: u64 = 33,
        "upg.max_surge.recommended" Doc 2026-6-22 "upgrade-aks-node-pools-rolling.md, upgrade-options.md";
    /// A percentage of the pool's nodes is rounded up to whole nodes, and capped at the nodes there are to upgrade.
    PERCENT_ROUNDS_UP: bool = true, "upg.max_surge.percent_rounding" Doc 2026-5-29 "upgrade-aks-node-pools-rolling.md";
    /// maxSurge counts per pool; all pools of a cluster may surge at once.
    POOLS_SURGE_TOGETHER: bool = true, "upg.max_surge.scope" Doc 2026-5-29 "upgrade-aks-node-pools-rolling.md";
    /// maxUnavailable when not stated. With 0 maxSurge must be positive; can't be set on system pools; takes no
    /// addresses.
    MAX_UNAVAILABLE_DEFAULT: u64 = 0, "upg.max_unavailable.default" Doc 2026-5-29 "upgrade-aks-node-pools-rolling.md";
    /// From this version an upgrade that can't get its full surge tries again with one node.
    FALLS_BACK_TO_ONE_FROM: Version = Version::new(1, 35),
        "upg.surge_fallback" Doc 2026-5-29 "upgrade-aks-node-pools-rolling.md"
        "plan for the full surge all the same";
    /// With maxUnavailable 0 an upgrade fails when fewer than maxSurge nodes can be created.
    FAILS_WITHOUT_SURGE: bool = true, "upg.insufficient_surge" Doc 2026-6-22 "upgrade-options.md";
    /// Every surge node takes what a node takes: in node-subnet mode `(nodes + surge) * (1 + maxPods)` in all.
    SURGE_TAKES_FULL_ADDRESSES: bool = true,
        "upg.formula.total_ips" Doc 2026-7-7 "upgrade-capacity-cost-planning.md, upgrade-options.md, concepts-network-ip-address-planning.md";
    /// Nodes whose addresses must be free at least, whatever maxSurge says.
    FREE_NODES_AT_LEAST: u64 = 1, "upg.n_plus_one" Doc 2026-4-16 "concepts-network-ip-address-planning.md";
    /// Minutes a node may take to drain.
    DRAIN_MINUTES: Setting = Setting { default: 30, min: 5, max: 1_440 },
        "upg.drain_timeout" Doc 2026-5-29 "upgrade-aks-node-pools-rolling.md";
    /// Minutes to wait after each node.
    SOAK_MINUTES: Setting = Setting { default: 0, min: 0, max: 30 },
        "upg.soak" Doc 2026-5-29 "upgrade-aks-node-pools-rolling.md";
    /// Nodes that can't be drained may stay cordoned up to maxSurge.
    BLOCKED_NODES_UP_TO_SURGE: bool = true, "upg.undrainable_cordon_max_blocked" Doc 2026-6-22 "upgrade-options.md";
    /// A blue/green upgrade holds so many times the pool's nodes while it lasts; maxUnavailable does not apply.
    BLUE_GREEN_FACTOR: u64 = 2, "upg.blue_green" Derived 2024-11-6 "blue-green-node-pool-upgrade.md";
    /// Node auto-provisioning has a maxSurge.
    AUTO_PROVISIONING_SURGES: bool = false, "upg.nap" Doc 2026-7-7 "upgrade-capacity-cost-planning.md";
}

/// Whether a pool can be upgraded with these settings at all: both zero leaves nothing to start with.
pub const fn can_start(max_surge: u64, max_unavailable: u64) -> bool {
    max_surge > 0 || max_unavailable > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_needs_surge_or_unavailability() {
        assert!(!can_start(0, 0));
        assert!(can_start(1, 0) && can_start(0, 1));
    }

    #[test]
    fn timeouts_have_bounds() {
        assert!(DRAIN_MINUTES.value.allows(5) && !DRAIN_MINUTES.value.allows(4) && !DRAIN_MINUTES.value.allows(1_441));
        assert!(SOAK_MINUTES.value.allows(0) && !SOAK_MINUTES.value.allows(31));
    }
}
