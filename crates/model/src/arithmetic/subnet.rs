//! Addresses of IPv4 subnets, and how many a pool or a gateway takes from one.
//!
//! Sources: `concepts-network-azure-cni-overlay.md` (2026-07-31), `concepts-network-ip-address-planning.md` (2026-04-16),
//! `api-server-vnet-integration.md` (2026-04-15), `configuration-infrastructure.md` (2021-06-14).

use std::net::Ipv4Addr;

/// Addresses the platform keeps in every subnet: the first four and the last.
pub const RESERVED_PER_SUBNET: u64 = 5;

/// The first assignable address is this far above the network address.
pub const FIRST_ASSIGNABLE_OFFSET: u32 = 4;

/// The longest prefix a subnet may have: three usable addresses.
pub const SMALLEST_SUBNET: u8 = 29;

/// Addresses of a node's own interface, before any pod.
const NODE: u64 = 1;

/// All addresses of an IPv4 prefix; `None` for a length above 32.
pub fn addresses(prefix_len: u8) -> Option<u64> {
    1_u64.checked_shl(u32::from(32_u8.checked_sub(prefix_len)?))
}

/// What is left of that many addresses of a subnet once the platform has taken its own; never less than none.
pub fn usable(addresses: u64) -> u64 {
    addresses.saturating_sub(RESERVED_PER_SUBNET)
}

/// Usable addresses of a subnet of that length: 251 for 24, 11 for 28, 0 for 30 and longer. `None` above 32.
pub fn usable_of_prefix(prefix_len: u8) -> Option<u64> {
    addresses(prefix_len).map(usable)
}

/// First and last address a machine may get in the subnet: `.4` and `.254` of a /24. `None` where nothing is usable.
/// `network` is the first address of the subnet.
pub fn assignable(network: Ipv4Addr, prefix_len: u8) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let usable = u32::try_from(usable_of_prefix(prefix_len)?).ok()?;
    let first = u32::from(network).checked_add(FIRST_ASSIGNABLE_OFFSET)?;
    let last = first.checked_add(usable.checked_sub(1)?)?;
    Some((first.into(), last.into()))
}

/// The longest prefix with at least that many addresses, reserved ones counted in. `None` when even /0 is too small.
pub fn prefix_for(addresses: u64) -> Option<u8> {
    let bits = addresses.max(1).checked_next_power_of_two()?.trailing_zeros();
    u8::try_from(32_u32.checked_sub(bits)?).ok()
}

/// The longest prefix a subnet may have that offers that many usable addresses: /29 at most, /24 for 251, /23 for 252.
pub fn subnet_for(usable: u64) -> Option<u8> {
    Some(prefix_for(usable.checked_add(RESERVED_PER_SUBNET)?)?.min(SMALLEST_SUBNET))
}

/// Addresses one node takes from its own subnet where pods have theirs elsewhere (every mode but node subnet).
pub fn per_node() -> u64 {
    NODE
}

/// Addresses one node of node-subnet mode takes when it joins: its own and `maxPods` for pods, used or not.
pub fn per_node_with_pods(max_pods: u64) -> u64 {
    max_pods.saturating_add(NODE)
}

/// Addresses `nodes` (surge nodes counted in) take at `per_node` each.
pub fn node_addresses(nodes: u64, per_node: u64) -> u64 {
    nodes.saturating_mul(per_node)
}

/// How many nodes fit into `usable` addresses of which `others` take some; `None` when a node takes nothing.
pub fn nodes_that_fit(usable: u64, others: u64, per_node: u64) -> Option<u64> {
    usable.saturating_sub(others).checked_div(per_node)
}

/// Addresses an API server subnet must offer for that many clusters: nine each.
pub fn api_server_addresses(clusters: u64) -> u64 {
    clusters.saturating_mul(9)
}

/// Addresses of an Application Gateway subnet, reserved ones counted in: one an instance, one a private frontend, five.
pub fn application_gateway_addresses(instances: u64, private_frontends: u64) -> u64 {
    instances.saturating_add(private_frontends).saturating_add(RESERVED_PER_SUBNET)
}

/// Addresses `associations` Application Gateways for Containers take from one subnet of a flat network: 256 each, reserved ones counted in.
pub fn gateway_for_containers_addresses(associations: u64) -> u64 {
    associations.saturating_mul(256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usable_addresses_by_length() {
        for (prefix_len, total, left) in [
            (0, 1 << 32, (1 << 32) - 5),
            (8, 16_777_216, 16_777_211),
            (16, 65_536, 65_531),
            (21, 2_048, 2_043),
            (22, 1_024, 1_019),
            (24, 256, 251),
            (25, 128, 123),
            (26, 64, 59),
            (27, 32, 27),
            (28, 16, 11),
            (29, 8, 3),
            (30, 4, 0),
            (31, 2, 0),
            (32, 1, 0),
        ] {
            assert_eq!(addresses(prefix_len), Some(total), "/{prefix_len}");
            assert_eq!(usable_of_prefix(prefix_len), Some(left), "/{prefix_len}");
        }
        assert_eq!(addresses(33), None);
        assert_eq!(usable_of_prefix(255), None);
    }

    #[test]
    fn first_and_last_assignable() {
        let net = |text: &str| text.parse::<Ipv4Addr>().unwrap();
        assert_eq!(assignable(net("10.240.0.0"), 24), Some((net("10.240.0.4"), net("10.240.0.254"))));
        assert_eq!(assignable(net("10.0.0.0"), 29), Some((net("10.0.0.4"), net("10.0.0.6"))));
        assert_eq!(assignable(net("10.0.0.0"), 30), None);
        assert_eq!(assignable(net("0.0.0.0"), 0), Some((net("0.0.0.4"), net("255.255.255.254"))));
        assert_eq!(assignable(net("255.255.255.255"), 29), None, "not the first address of a /29");
    }

    #[test]
    fn prefixes_for_needs() {
        for (need, prefix_len) in [
            (0, 32),
            (1, 32),
            (2, 31),
            (38, 26),
            (256, 24),
            (257, 23),
            (372, 23),
            (408, 23),
            (512, 23),
            (1891, 21),
            (1 << 32, 0),
        ] {
            assert_eq!(prefix_for(need), Some(prefix_len), "{need}");
        }
        assert_eq!(prefix_for((1 << 32) + 1), None);
        assert_eq!(prefix_for(u64::MAX), None);
        for (need, prefix_len) in
            [(0, 29), (3, 29), (4, 28), (11, 28), (12, 27), (251, 24), (252, 23), (2043, 21), (2044, 20)]
        {
            assert_eq!(subnet_for(need), Some(prefix_len), "{need}");
        }
        assert_eq!(subnet_for(u64::MAX), None);
    }

    #[test]
    fn node_subnet_mode_takes_a_block_per_node() {
        assert_eq!(node_addresses(50 + 10 + 1, per_node_with_pods(30)), 1891);
        assert_eq!(node_addresses(10 + 2, per_node_with_pods(30)), 372);
        assert_eq!(nodes_that_fit(251, 0, per_node_with_pods(30)), Some(8));
        assert_eq!(nodes_that_fit(1019, 0, per_node_with_pods(30)), Some(32));
        assert_eq!(nodes_that_fit(65_531, 0, per_node_with_pods(250)), Some(261));
        assert_eq!(nodes_that_fit(251, 4, per_node_with_pods(30)), Some(7), "four other interfaces cost a node");
        assert_eq!(nodes_that_fit(251, 0, per_node()), Some(251));
        assert_eq!(nodes_that_fit(3, 9, per_node()), Some(0));
        assert_eq!(nodes_that_fit(3, 0, 0), None);
        assert_eq!(node_addresses(u64::MAX, per_node_with_pods(u64::MAX)), u64::MAX);
    }

    #[test]
    fn subnets_of_api_servers_and_gateways() {
        for (clusters, prefix_len, fits) in [(1, 28, true), (2, 28, false), (3, 27, true), (4, 27, false)] {
            assert_eq!(
                api_server_addresses(clusters) <= usable_of_prefix(prefix_len).unwrap(),
                fits,
                "{clusters} in /{prefix_len}"
            );
        }
        assert_eq!(application_gateway_addresses(32, 1), 38);
        assert_eq!(prefix_for(gateway_for_containers_addresses(2)), Some(23));
    }
}
