//! Blocks nodes take for their pods: a /24 in overlay and kubenet, /28 blocks under static allocation.
//!
//! Sources: `concepts-network-azure-cni-overlay.md` (2026-07-31), `configure-azure-cni-static-block-allocation.md` (2024-03-18),
//! `concepts-network-ip-address-planning.md` (2026-04-16).

pub use super::batches::{Batches, Release};

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
    NODE_BLOCK.checked_sub(prefix_len).and_then(|bits| 1_u64.checked_shl(bits.into())).unwrap_or(0)
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
    static_addresses_per_node(max_pods).saturating_sub(1).saturating_sub(max_pods)
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
    static_blocks_losing(prefix_len, STATIC_BLOCKS_LOST)
}

/// The same with another number of blocks lost at the ends (the loss is inferred, so a design may override it).
pub fn static_blocks_losing(prefix_len: u8, lost: u64) -> u64 {
    let all = STATIC_BLOCK.checked_sub(prefix_len).and_then(|bits| 1_u64.checked_shl(bits.into()));
    all.unwrap_or(0).saturating_sub(lost)
}

/// Nodes a static-block pod subnet of that length holds.
pub fn static_nodes(prefix_len: u8, max_pods: u64) -> u64 {
    static_blocks(prefix_len).checked_div(static_blocks_per_node(max_pods)).unwrap_or(0)
}

/// The longest static-block pod subnet that can hand out that many blocks. `None` when even /0 has too few.
pub fn static_subnet_for(blocks: u64) -> Option<u8> {
    static_subnet_losing(blocks, STATIC_BLOCKS_LOST)
}

/// The same with another number of blocks lost at the ends.
pub fn static_subnet_losing(blocks: u64, lost: u64) -> Option<u8> {
    let bits = blocks.checked_add(lost)?.max(1).checked_next_power_of_two()?.trailing_zeros();
    STATIC_BLOCK.checked_sub(u8::try_from(bits).ok()?)
}

/// The fewest nodes a pool of that `maxPods` must have, so that it has room for 30 pods; `None` when `maxPods` is 0.
pub fn smallest_pool(max_pods: u64) -> Option<u64> {
    (max_pods > 0).then(|| MIN_PODS_PER_POOL.div_ceil(max_pods))
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
            assert_eq!(static_nodes(prefix_len, max_pods), nodes, "/{prefix_len}, {max_pods}");
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
    fn the_inferred_loss_can_be_overridden() {
        assert_eq!((static_blocks_losing(28, 0), static_blocks_losing(24, 0)), (1, 16));
        assert_eq!(
            (static_subnet_losing(0, 0), static_subnet_losing(16, 0), static_subnet_losing(1, 1)),
            (Some(28), Some(24), Some(27))
        );
    }

    #[test]
    fn a_pool_has_room_for_thirty_pods() {
        for (max_pods, nodes) in
            [(0, None), (10, Some(3)), (14, Some(3)), (15, Some(2)), (29, Some(2)), (30, Some(1)), (250, Some(1))]
        {
            assert_eq!(smallest_pool(max_pods), nodes, "{max_pods}");
        }
    }
}
