//! Ports for connections that leave to public destinations.
//!
//! Sources: `configure-load-balancer-standard.md` (2024-01-23), `load-balancer-outbound-connections.md` (2023-03-06, the
//! product with the number of addresses and its ceiling), `nat-gateway.md` (2026-07-07), `limit-egress-traffic.md` (2023-12-05).

/// Ports a public address of a load balancer gives to outbound rules.
pub const PORTS_PER_LOAD_BALANCER_IP: u64 = 64_000;

/// The step of `allocatedOutboundPorts`.
pub const PORT_STEP: u64 = 8;

/// The most a node gets under automatic allocation, whatever the number of addresses.
pub const DEFAULT_CEILING: u64 = 1_024;

/// Ports per node and outbound address under automatic allocation: largest pool size of the row, ports.
pub const DEFAULT_TABLE: [(u64, u64); 6] = [(50, 1_024), (100, 512), (200, 256), (400, 128), (800, 64), (1_000, 32)];

/// Ports of a NAT gateway per public address.
pub const PORTS_PER_NAT_GATEWAY_IP: u64 = 64_512;

/// Ports of an Azure Firewall per public address (and, by other accounts, per instance; counted once here).
pub const PORTS_PER_FIREWALL_IP: u64 = 2_496;

/// Ports each node gets by itself when `allocatedOutboundPorts` is 0: `min(table(nodes) * ips, 1024)`. `nodes` is everything in the
/// backend pool, surge counted in. `None` above 1,000 nodes, where the platform publishes no row.
pub fn default_ports(nodes: u64, ips: u64) -> Option<u64> {
    let (_, ports) = DEFAULT_TABLE.iter().find(|(largest, _)| nodes <= *largest)?;
    Some(ports.saturating_mul(ips).min(DEFAULT_CEILING))
}

/// Ports that many outbound addresses of a load balancer offer.
pub fn load_balancer_ports(ips: u64) -> u64 {
    ips.saturating_mul(PORTS_PER_LOAD_BALANCER_IP)
}

/// Ports that many nodes need with a fixed allocation.
pub fn needed(nodes: u64, ports_per_node: u64) -> u64 {
    nodes.saturating_mul(ports_per_node)
}

/// The most nodes a fixed allocation leaves room for, rounded down (the documents round to the nearest, which may be refused).
/// `None` for 0, which means automatic.
pub fn max_nodes(ports_per_node: u64, ips: u64) -> Option<u64> {
    load_balancer_ports(ips).checked_div(ports_per_node)
}

/// Whether the platform takes the number as `allocatedOutboundPorts`: 0 to 64,000 in steps of 8; 0 means automatic.
pub fn is_valid_allocation(ports_per_node: u64) -> bool {
    ports_per_node <= PORTS_PER_LOAD_BALANCER_IP && ports_per_node.is_multiple_of(PORT_STEP)
}

/// The largest fixed allocation that fits: a positive multiple of 8, 64,000 at most. `None` when not even 8 fit.
pub fn largest_allocation(nodes: u64, ips: u64) -> Option<u64> {
    let fair = load_balancer_ports(ips).checked_div(nodes.max(1))?.min(PORTS_PER_LOAD_BALANCER_IP);
    let stepped = fair - fair % PORT_STEP;
    (stepped > 0).then_some(stepped)
}

/// The fewest outbound addresses a fixed allocation needs; at least one.
pub fn smallest_ip_count(nodes: u64, ports_per_node: u64) -> u64 {
    let exact = u128::from(nodes) * u128::from(ports_per_node);
    u64::try_from(exact.div_ceil(u128::from(PORTS_PER_LOAD_BALANCER_IP))).unwrap_or(u64::MAX).max(1)
}

/// Ports of a NAT gateway with that many public addresses; shared by everything behind it, handed out on demand.
pub fn nat_gateway_ports(ips: u64) -> u64 {
    ips.saturating_mul(PORTS_PER_NAT_GATEWAY_IP)
}

/// Ports of an Azure Firewall with that many public addresses of `ports_per_ip` ([`PORTS_PER_FIREWALL_IP`] unless overridden).
pub fn firewall_ports(ips: u64, ports_per_ip: u64) -> u64 {
    ips.saturating_mul(ports_per_ip)
}

/// Backend configurations a load balancer frontend carries: services x ports x nodes (10,000 at most, `use-multiple-standard-load-balancer.md`, 2025-05-13).
pub fn backend_ip_configurations(services: u64, ports: u64, nodes: u64) -> u64 {
    services.saturating_mul(ports).saturating_mul(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn automatic_ports_by_pool_size() {
        for (nodes, ips, ports) in [
            (1, 1, Some(1024)),
            (48, 1, Some(1024)),
            (50, 1, Some(1024)),
            (51, 1, Some(512)),
            (52, 1, Some(512)),
            (100, 1, Some(512)),
            (100, 2, Some(1024)),
            (100, 3, Some(1024)),
            (101, 1, Some(256)),
            (200, 1, Some(256)),
            (201, 1, Some(128)),
            (400, 1, Some(128)),
            (401, 1, Some(64)),
            (800, 1, Some(64)),
            (801, 1, Some(32)),
            (1000, 1, Some(32)),
            (1000, 100, Some(1024)),
            (1001, 1, None),
            (u64::MAX, 1, None),
            (0, 1, Some(1024)),
            (10, 0, Some(0)),
            (1, u64::MAX, Some(1024)),
        ] {
            assert_eq!(default_ports(nodes, ips), ports, "{nodes} nodes, {ips} addresses");
        }
    }

    #[test]
    fn a_full_row_always_fits_one_address() {
        for (largest, ports) in DEFAULT_TABLE {
            assert!(needed(largest, ports) <= load_balancer_ports(1), "{largest}");
        }
    }

    #[test]
    fn fixed_allocations() {
        assert_eq!(max_nodes(4000, 2), Some(32));
        assert_eq!(max_nodes(1024, 1), Some(62), "63 would need 64,512 ports");
        assert_eq!(max_nodes(0, 1), None);
        assert_eq!(needed(100 + 2, 4000), 408_000);
        assert_eq!(load_balancer_ports(7), 448_000);
        assert_eq!(needed(9, 8000), 72_000);
        assert!(needed(9, 8000) > load_balancer_ports(1));
        for (ports, valid) in
            [(0, true), (8, true), (1000, true), (1001, false), (64_000, true), (64_008, false), (u64::MAX, false)]
        {
            assert_eq!(is_valid_allocation(ports), valid, "{ports}");
        }
    }

    #[test]
    fn the_largest_allocation_fits_and_the_next_does_not() {
        for (nodes, ips, ports) in [
            (1, 1, Some(64_000)),
            (1, 2, Some(64_000)),
            (0, 1, Some(64_000)),
            (62, 1, Some(1032)),
            (63, 1, Some(1008)),
            (9, 1, Some(7104)),
            (8000, 1, Some(8)),
            (8001, 1, None),
            (5, 0, None),
            (u64::MAX, u64::MAX, None),
        ] {
            assert_eq!(largest_allocation(nodes, ips), ports, "{nodes} nodes, {ips} addresses");
            if let Some(ports) = ports
                && ports < PORTS_PER_LOAD_BALANCER_IP
            {
                assert!(needed(nodes, ports) <= load_balancer_ports(ips));
                assert!(needed(nodes, ports + PORT_STEP) > load_balancer_ports(ips));
            }
        }
    }

    #[test]
    fn addresses_needed() {
        for (nodes, ports, ips) in
            [(9, 8000, 2), (102, 4000, 7), (8, 8000, 1), (16, 4000, 1), (17, 4000, 2), (0, 4000, 1), (10, 0, 1)]
        {
            assert_eq!(smallest_ip_count(nodes, ports), ips, "{nodes} x {ports}");
        }
        assert_eq!(smallest_ip_count(u64::MAX, u64::MAX), u64::MAX);
    }

    #[test]
    fn gateways_and_firewalls() {
        assert_eq!(nat_gateway_ports(16), 1_032_192);
        assert_eq!(firewall_ports(20, PORTS_PER_FIREWALL_IP), 49_920);
        assert_eq!(backend_ip_configurations(1, 5, 2001), 10_005);
        assert_eq!(backend_ip_configurations(u64::MAX, 2, 2), u64::MAX);
    }
}
