//! Limits and quotas of the platform. What ages is read through [`crate::facts::Limits`].

facts! {
    /// Clusters of a subscription.
    CLUSTERS_PER_SUBSCRIPTION: u64 = 5_000,
        "lim.clusters_per_subscription" DocOld 2024-1-12 "container-service-limits.md"
        "newer texts add 100 per region, more on request";
    /// Nodes of a cluster in the standard and premium tiers. Upgrades are blocked at the limit; scale below 3,000
    /// first.
    NODES_PER_CLUSTER: u64 = 5_000,
        "lim.nodes_per_cluster" Doc 2026-7-6 "container-service-limits.md, best-practices-performance-scale-large.md, free-standard-pricing-tiers.md";
    /// Nodes of a cluster in the free tier.
    NODES_PER_CLUSTER_FREE: u64 = 1_000,
        "lim.nodes_per_cluster_free_tier" Doc 2026-7-29 "core-aks-concepts.md, free-standard-pricing-tiers.md, container-service-limits.md"
        "recommended below 10";
    /// Nodes of a pool, surge counted in: above, an upgrade is refused before it starts.
    NODES_PER_POOL: u64 = 1_000,
        "lim.nodes_per_pool" Doc 2026-6-5 "container-service-limits.md, best-practices-performance-scale-large.md, upgrade-aks-node-pools-rolling.md";
    /// Characters of a pool's name: lower-case letters and digits, a letter first. Fewer on Windows.
    POOL_NAME_CHARACTERS: u64 = 12,
        "lim.pool_name_characters" Doc 2025-9-1 "Agent Pools REST reference, API version 2025-09-01"
        "the guides' 6 for Windows pools was not re-read";
    /// Node pools of a cluster.
    POOLS_PER_CLUSTER: u64 = 100, "lim.pools_per_cluster" DocOld 2024-1-12 "container-service-limits.md";
    /// Pods of a node.
    PODS_PER_NODE: u64 = 250,
        "lim.pods_per_node" Doc 2026-4-16 "container-service-limits.md, concepts-network-ip-address-planning.md";
    /// Pods of a Windows node the vendor recommends not to exceed.
    PODS_PER_WINDOWS_NODE: u64 = 110,
        "lim.pods_per_node_windows_recommended" Doc 2026-7-31 "container-service-limits.md, concepts-network-azure-cni-overlay.md";
    /// Services of type LoadBalancer of a cluster.
    LOAD_BALANCER_SERVICES: u64 = 300,
        "lim.lb_services_per_cluster" DocOld 2024-1-12 "container-service-limits.md"
        "one rule each at least; see lim.lb_rules_per_nic";
    /// Load balancer rules per network interface: every Service port is one on every node.
    LOAD_BALANCER_RULES_PER_NIC: u64 = 300,
        "lim.lb_rules_per_nic" Doc 2025-5-13 "use-multiple-standard-load-balancer.md"
        "several load balancers (preview) go beyond";
    /// Private link services per network interface.
    PRIVATE_LINK_SERVICES_PER_NIC: u64 = 8,
        "lim.private_link_services_per_nic" Doc 2025-5-13 "use-multiple-standard-load-balancer.md";
    /// Backend configurations of a load balancer frontend: services x ports x nodes.
    BACKENDS_PER_FRONTEND: u64 = 10_000,
        "lim.lb_backend_ip_configs_per_frontend" Doc 2026-6-5 "best-practices-performance-scale-large.md";
    /// Outbound addresses AKS manages for a load balancer; 1 when not set.
    MANAGED_OUTBOUND_IPS: u64 = 100, "lim.lb_managed_outbound_ips" Doc 2024-1-23 "load-balancer-standard.md";
    /// Nodes up to which Azure NPM is supported; 20,000 pods.
    NPM_NODES: u64 = 250,
        "lim.npm_scale" Doc 2026-8-18 "use-network-policies.md, best-practices-performance-scale-large.md"
        "runs out of memory beyond";
    /// Nodes of a kubenet cluster: one route each.
    KUBENET_NODES: u64 = 400,
        "lim.kubenet_routes" Doc 2026-4-16 "configure-kubenet.md, azure-virtual-network-limits.md"
        "routes-per-table: other pages speak of 600 and 1,000 routes; the kubenet limit stays";
    /// Private addresses in use in a VNet, nodes and pods of flat modes counted.
    PRIVATE_IPS_PER_VNET: u64 = 65_536,
        "lim.vnet_private_ips" DocOld 2022-12-5 "azure-virtual-network-limits.md"
        "flat-ip-ceiling: one page rounds to 64,000";
    /// Private addresses of a VNet and its peers together.
    PRIVATE_IPS_PER_PEERED_GROUP: u64 = 128_000,
        "lim.peered_group_private_ips" DocOld 2022-12-5 "azure-virtual-network-limits.md";
    /// Private addresses of a network interface: what stands behind maxPods 250 in flat modes.
    PRIVATE_IPS_PER_NIC: u64 = 256, "lim.private_ips_per_nic" DocOld 2022-12-5 "azure-virtual-network-limits.md";
    /// Subnets of a VNet.
    SUBNETS_PER_VNET: u64 = 3_000, "lim.subnets_per_vnet" DocOld 2022-12-5 "azure-virtual-network-limits.md";
    /// Peerings of a VNet.
    PEERINGS_PER_VNET: u64 = 500, "lim.peerings_per_vnet" DocOld 2022-12-5 "azure-virtual-network-limits.md";
    /// Route tables of a subscription and region.
    ROUTE_TABLES: u64 = 200, "lim.route_tables" DocOld 2022-12-5 "azure-virtual-network-limits.md";
    /// User-defined routes of a table.
    ROUTES_PER_TABLE: u64 = 400,
        "lim.routes_per_table" DocOld 2022-12-5 "azure-virtual-network-limits.md, configure-kubenet.md"
        "routes-per-table: other pages of 2026 say 600 and 1,000; set routesPerTable where yours is higher";
    /// Rules of a security group.
    NSG_RULES: u64 = 1_000, "lim.nsg_rules" DocOld 2022-12-5 "azure-virtual-network-limits.md";
    /// Security groups of a subscription and region.
    NSGS: u64 = 5_000, "lim.nsgs" DocOld 2022-12-5 "azure-virtual-network-limits.md";
    /// Addresses and ranges per direction in a security group.
    NSG_ADDRESSES: u64 = 4_000, "lim.nsg_addresses" DocOld 2022-12-5 "azure-virtual-network-limits.md";
    /// Concurrent flows of a network interface.
    FLOWS_PER_NIC: u64 = 500_000, "lim.flows_per_nic" DocOld 2022-12-5 "azure-virtual-network-limits.md";
    /// DNS servers of a VNet.
    DNS_SERVERS_PER_VNET: u64 = 20, "lim.dns_servers_per_vnet" DocOld 2022-12-5 "azure-virtual-network-limits.md";
    /// The shortest public IP prefix: 16 addresses.
    PUBLIC_IP_PREFIX_SHORTEST: u64 = 28, "lim.public_ip_prefix" DocOld 2022-12-5 "azure-virtual-network-limits.md";
    /// Nodes behind an internal load balancer the vendor recommends not to exceed.
    INTERNAL_LOAD_BALANCER_NODES: u64 = 750,
        "lim.ilb_recommended_nodes" Doc 2026-6-5 "best-practices-performance-scale-large.md";
    /// Authorized ranges of an API server, without and with VNet integration.
    AUTHORIZED_RANGES: (u64, u64) = (200, 2_000),
        "lim.api_server_authorized_ranges" Doc 2026-8-3 "api-server-authorized-ip-ranges.md"
        "not usable with private clusters; up to two minutes to take effect";
    /// Nodes of a cluster that can be stopped and started.
    STOP_START_NODES: u64 = 100, "lim.stop_start" Doc 2026-6-5 "best-practices-performance-scale-large.md";
    /// DNS zones of application routing.
    APP_ROUTING_DNS_ZONES: u64 = 5, "lim.app_routing_dns_zones" Doc 2026-8-3 "app-routing.md";
    /// Ports a Linux node picks from by itself: first, last.
    NODE_LOCAL_PORTS: (u16, u16) = (32_768, 60_999),
        "lim.node_local_ports" Doc 2026-8-6 "custom-node-configuration-reference.md"
        "28,232 a destination; bounds masquerade on the node";
    /// Ports a Windows node picks from by itself, about.
    WINDOWS_DYNAMIC_PORTS: u64 = 16_000, "lim.windows_dynamic_ports" Doc 2026-8-21 "windows-faq.yml";
}

/// Pods up to which Azure NPM is supported (`lim.npm_scale`).
pub const NPM_PODS: u64 = 20_000;

/// Nodes below which to scale before an upgrade of a cluster at its limit (`lim.nodes_per_cluster`).
pub const UPGRADE_NODES_BELOW: u64 = 3_000;

/// Part of a Windows node's need added because it holds more reserved addresses than a Linux node, in percent;
/// nobody says how many
/// (`unk.windows-reserved`).
pub const WINDOWS_RESERVED_PERCENT: u64 = 10;

/// Ports of a Linux node towards one destination address and port.
pub const fn node_local_port_count() -> u64 {
    let (first, last) = NODE_LOCAL_PORTS.value;
    last as u64 - first as u64 + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn local_ports_of_a_node() {
        assert_eq!(super::node_local_port_count(), 28_232);
    }
}
