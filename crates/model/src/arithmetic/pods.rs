//! Addresses pods take, by the way a mode hands them out.
//!
//! Sources: `concepts-network-azure-cni-overlay.md` (2026-07-31), `concepts-network-azure-cni-pod-subnet.md` (2024-05-21),
//! `configure-azure-cni-static-block-allocation.md` (2024-03-18), the IPAM of Azure's CNI (source tree, 2026-08-20),
//! `concepts-network-ip-address-planning.md` (2026-04-16).

/// Prefix length of the block every node of overlay and kubenet takes from the pod CIDR.
pub const NODE_BLOCK: u8 = 24;

/// Prefix length of a block of static allocation.
pub const STATIC_BLOCK: u8 = 28;

/// Addresses of a block of static allocation.
pub const STATIC_BLOCK_ADDRESSES: u64 = 16;

/// Blocks at the ends of a static-block pod subnet that hold the platform's reserved addresses and are counted as lost.
/// Inferred from a published capacity of 1,048,544 = 2^20 - 32; conservative by at most 32 addresses.
pub const STATIC_BLOCKS_LOST: u64 = 2;

/// Pods a pool must have room for over all its nodes.
pub const MIN_PODS_PER_POOL: u64 = 30;

/// Nodes (surge counted in) an overlay or kubenet pod CIDR of that length holds: `2^(24 - length)`; 0 for longer than 24.
pub fn node_blocks(prefix_len: u8) -> u64 {
    NODE_BLOCK
        .checked_sub(prefix_len)
        .and_then(|bits| 1_u64.checked_shl(bits.into()))
        .unwrap_or(0)
}

/// The longest pod CIDR with a block for each of that many nodes (surge counted in); 24 for none or one.
/// `None` when even /0 has too few.
pub fn pod_cidr_for(nodes: u64) -> Option<u8> {
    let bits = nodes.max(1).checked_next_power_of_two()?.trailing_zeros();
    NODE_BLOCK.checked_sub(u8::try_from(bits).ok()?)
}

/// Blocks of /28 a node takes under static allocation: `ceil((maxPods + 1) / 16)`; one address over all is the node's own.
pub fn static_blocks_per_node(max_pods: u64) -> u64 {
    max_pods.saturating_add(1).div_ceil(STATIC_BLOCK_ADDRESSES)
}

/// Addresses of a node's blocks that no pod can ever use, because `maxPods` is reached before. 0 for 15, 31, 47, ... 239.
pub fn static_waste(max_pods: u64) -> u64 {
    static_addresses_per_node(max_pods)
        .saturating_sub(1)
        .saturating_sub(max_pods)
}

/// Addresses of all blocks of a node under static allocation.
pub fn static_addresses_per_node(max_pods: u64) -> u64 {
    static_blocks_per_node(max_pods).saturating_mul(STATIC_BLOCK_ADDRESSES)
}

/// The largest `maxPods` with as many blocks and no waste: `16 * blocks - 1`.
pub fn static_ideal_max_pods(max_pods: u64) -> u64 {
    static_addresses_per_node(max_pods).saturating_sub(1)
}

/// Blocks a pod subnet of that length can hand out: `2^(28 - length) - 2`, never less than none.
pub fn static_blocks(prefix_len: u8) -> u64 {
    STATIC_BLOCK
        .checked_sub(prefix_len)
        .and_then(|bits| 1_u64.checked_shl(bits.into()))
        .unwrap_or(0)
        .saturating_sub(STATIC_BLOCKS_LOST)
}

/// Nodes a static-block pod subnet of that length holds.
pub fn static_nodes(prefix_len: u8, max_pods: u64) -> u64 {
    static_blocks(prefix_len)
        .checked_div(static_blocks_per_node(max_pods))
        .unwrap_or(0)
}

/// The longest static-block pod subnet that can hand out that many blocks. `None` when even /0 has too few.
pub fn static_subnet_for(blocks: u64) -> Option<u8> {
    let bits = blocks
        .checked_add(STATIC_BLOCKS_LOST)?
        .checked_next_power_of_two()?
        .trailing_zeros();
    STATIC_BLOCK.checked_sub(u8::try_from(bits).ok()?)
}

/// The fewest nodes a pool of that `maxPods` must have, so that it has room for 30 pods; `None` when `maxPods` is 0.
pub fn smallest_pool(max_pods: u64) -> Option<u64> {
    (max_pods > 0).then(|| MIN_PODS_PER_POOL.div_ceil(max_pods))
}

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
    /// Percent of a batch that must stay free, else another batch is asked for.
    pub min_free_percent: u64,
    /// Percent of a batch above which addresses are given back.
    pub max_free_percent: u64,
    /// The most addresses a node holds.
    pub max_per_node: u64,
}

impl Default for Batches {
    /// The platform's values: 16, 50 %, 150 %, 250.
    fn default() -> Self {
        Batches {
            batch: 16,
            min_free_percent: 50,
            max_free_percent: 150,
            max_per_node: 250,
        }
    }
}

impl Batches {
    /// The platform's corrections of settings that make no sense: no maximum becomes 250, a batch is at least 1 and at most the
    /// maximum, the first threshold 1 to 100 percent, the second at least 100 above it.
    #[must_use]
    pub fn corrected(self) -> Self {
        let max_per_node = if self.max_per_node < 1 {
            250
        } else {
            self.max_per_node
        };
        let min_free_percent = self.min_free_percent.clamp(1, 100);
        Batches {
            batch: self.batch.clamp(1, max_per_node),
            min_free_percent,
            max_free_percent: self
                .max_free_percent
                .max(min_free_percent.saturating_add(100)),
            max_per_node,
        }
    }

    /// What a node does when its subnet is exhausted: one address at a time, one spare, giving back from two.
    #[must_use]
    pub fn exhausted(self) -> Self {
        Batches {
            batch: 1,
            min_free_percent: 100,
            max_free_percent: 200,
            max_per_node: self.corrected().max_per_node,
        }
    }

    /// Addresses that must stay free, rounded half up as the platform does: 8 of 16.
    pub fn min_free(self) -> u64 {
        half_up(self.corrected().batch, self.corrected().min_free_percent)
    }

    /// Free addresses at which a node gives back, rounded half up as the platform does: 24 of 16.
    pub fn max_free(self) -> u64 {
        half_up(self.corrected().batch, self.corrected().max_free_percent)
    }

    /// Addresses a node holds for `pods` that need one (host-network pods do not):
    /// `min(batch * ceil(minFree + pods / batch), max)`, the fraction exact. 16 for none, 32 from 9, 48 for 36.
    pub fn held(self, pods: u64) -> u64 {
        self.unclamped(pods)
            .min(u128::from(self.corrected().max_per_node))
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// The same without the per-node maximum: 272 for 250 pods.
    pub fn held_unclamped(self, pods: u64) -> u64 {
        self.unclamped(pods).try_into().unwrap_or(u64::MAX)
    }

    fn unclamped(self, pods: u64) -> u128 {
        let Batches {
            batch,
            min_free_percent,
            ..
        } = self.corrected();
        let batch = u128::from(batch);
        // ceil(percent/100 + pods/batch) over the common denominator 100 * batch.
        let numerator = u128::from(min_free_percent) * batch + 100 * u128::from(pods);
        batch * numerator.div_ceil(100 * batch)
    }

    /// Secondary addresses a node asks for when `primary` addresses of its own come out of the same count: 47 for 25 pods and one.
    pub fn requested(self, pods: u64, primary: u64) -> u64 {
        self.held(pods.saturating_add(primary))
            .saturating_sub(primary)
    }

    /// The older request rule: another batch whenever fewer than [`min_free`](Self::min_free) are free, up to the maximum, starting with
    /// one batch. Equal to [`held`](Self::held) while a batch halves evenly, as 16 does.
    pub fn held_by_threshold(self, pods: u64) -> u64 {
        let Batches {
            batch,
            max_per_node,
            ..
        } = self.corrected();
        let wanted = pods.saturating_add(self.min_free()).max(batch);
        wanted
            .checked_next_multiple_of(batch)
            .unwrap_or(u64::MAX)
            .min(max_per_node)
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
        if held <= kept {
            held
        } else {
            kept - kept % batch
        }
    }
}

/// `percent` of `of`, a half rounded up.
fn half_up(of: u64, percent: u64) -> u64 {
    let exact = u128::from(of) * u128::from(percent);
    ((exact + 50) / 100).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlay_blocks_by_length() {
        for (prefix_len, nodes) in [
            (0, 1 << 24),
            (8, 65_536),
            (11, 8192),
            (12, 4096),
            (14, 1024),
            (15, 512),
            (16, 256),
            (18, 64),
            (23, 2),
            (24, 1),
            (25, 0),
            (32, 0),
            (255, 0),
        ] {
            assert_eq!(node_blocks(prefix_len), nodes, "/{prefix_len}");
        }
    }

    #[test]
    fn overlay_pod_cidr_by_nodes() {
        for (nodes, prefix_len) in [
            (0, Some(24)),
            (1, Some(24)),
            (2, Some(23)),
            (3, Some(22)),
            (256, Some(16)),
            (257, Some(15)),
            (260, Some(15)),
            (1000, Some(14)),
            (1024, Some(14)),
            (5000, Some(11)),
            (1 << 24, Some(0)),
            ((1 << 24) + 1, None),
            (u64::MAX, None),
        ] {
            assert_eq!(pod_cidr_for(nodes), prefix_len, "{nodes}");
        }
    }

    #[test]
    fn static_blocks_of_a_node() {
        for (max_pods, blocks, ideal, waste) in [
            (10, 1, 15, 5),
            (15, 1, 15, 0),
            (16, 2, 31, 15),
            (30, 2, 31, 1),
            (31, 2, 31, 0),
            (32, 3, 47, 15),
            (47, 3, 47, 0),
            (48, 4, 63, 15),
            (110, 7, 111, 1),
            (239, 15, 239, 0),
            (250, 16, 255, 5),
        ] {
            assert_eq!(static_blocks_per_node(max_pods), blocks, "{max_pods}");
            assert_eq!(static_ideal_max_pods(max_pods), ideal, "{max_pods}");
            assert_eq!(static_waste(max_pods), waste, "{max_pods}");
            assert_eq!(static_waste(ideal), 0, "{ideal}");
        }
        assert!(static_blocks_per_node(u64::MAX) > 0);
    }

    #[test]
    fn static_subnets() {
        for (prefix_len, max_pods, blocks, nodes) in [
            (16, 30, 4094, 2047),
            (13, 250, 32_766, 2047),
            (28, 30, 0, 0),
            (27, 15, 0, 0),
            (26, 15, 2, 2),
            (26, 16, 2, 1),
            (30, 15, 0, 0),
            (12, 15, 65_534, 65_534),
        ] {
            assert_eq!(static_blocks(prefix_len), blocks, "/{prefix_len}");
            assert_eq!(
                static_nodes(prefix_len, max_pods),
                nodes,
                "/{prefix_len}, {max_pods}"
            );
        }
        for (blocks, prefix_len) in [
            (0, Some(27)),
            (1, Some(26)),
            (2, Some(26)),
            (3, Some(25)),
            (4094, Some(16)),
            (4095, Some(15)),
            (u64::MAX, None),
        ] {
            assert_eq!(static_subnet_for(blocks), prefix_len, "{blocks}");
        }
    }

    #[test]
    fn a_pool_has_room_for_thirty_pods() {
        for (max_pods, nodes) in [
            (0, None),
            (10, Some(3)),
            (14, Some(3)),
            (15, Some(2)),
            (29, Some(2)),
            (30, Some(1)),
            (250, Some(1)),
        ] {
            assert_eq!(smallest_pool(max_pods), nodes, "{max_pods}");
        }
    }

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
            assert_eq!(
                platform.held_by_threshold(pods),
                held,
                "{pods} by threshold"
            );
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
            let batches = Batches {
                batch,
                ..Batches::default()
            };
            for pods in 0..=250 {
                assert_eq!(
                    batches.held(pods),
                    batches.held_by_threshold(pods),
                    "batch {batch}, {pods} pods"
                );
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
            assert_eq!(
                platform.held_after_peak(peak, pods, Release::Above),
                above,
                "{peak} then {pods}"
            );
            assert_eq!(
                platform.held_after_peak(peak, pods, Release::AtLeast),
                at_least,
                "{peak} then {pods}, at the threshold"
            );
        }
    }

    #[test]
    fn nonsense_settings_are_corrected_as_the_platform_does() {
        let zero = Batches {
            batch: 0,
            min_free_percent: 0,
            max_free_percent: 0,
            max_per_node: 0,
        };
        assert_eq!(
            zero.corrected(),
            Batches {
                batch: 1,
                min_free_percent: 1,
                max_free_percent: 101,
                max_per_node: 250
            }
        );
        let large = Batches {
            batch: 500,
            min_free_percent: 400,
            max_free_percent: 10,
            max_per_node: 100,
        };
        assert_eq!(
            large.corrected(),
            Batches {
                batch: 100,
                min_free_percent: 100,
                max_free_percent: 200,
                max_per_node: 100
            }
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
}
