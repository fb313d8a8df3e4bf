//! Platform limits as plain data: what checks compare with. The dated facts are the defaults; a design overrides them by name
//! (`limits: {routesPerTable: 600}`), because quotas are raised and documents age.

use super::{About, address, limits, mode_table, mode_table_flat, snat};
use crate::arithmetic::pods;
use crate::design::Tier;
use std::collections::BTreeMap;

/// One limit: how it is named, read and set, and the fact behind its default.
#[derive(Clone, Copy)]
pub struct Limit {
    /// As written in a design file, camelCase.
    pub name: &'static str,
    /// What it means, one sentence.
    pub meaning: &'static str,
    /// Its value.
    pub get: fn(&Limits) -> u64,
    /// Sets it.
    pub set: fn(&mut Limits, u64),
    /// Where the default is known from.
    pub fact: About,
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])* $field:ident $name:literal = $value:expr, $fact:expr;)*) => {
        /// What checks compare with.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])* pub $field: u64,)*
        }

        impl Default for Limits {
            /// The dated facts.
            fn default() -> Self {
                Limits { $($field: $value,)* }
            }
        }

        /// The names a design may use, in the order of the table.
        pub const NAMES: &[&str] = &[$($name,)*];

        impl Limits {
            /// Every limit, in the order of the table.
            pub const ALL: &'static [Limit] = &[$(Limit {
                name: $name,
                meaning: concat!($($doc),*).trim_ascii_start(),
                get: |limits| limits.$field,
                set: |limits, value| limits.$field = value,
                fact: $fact.about(),
            },)*];
        }
    };
}

limits! {
    /// Nodes of a cluster in the standard and premium tiers.
    nodes_per_cluster "nodesPerCluster" = limits::NODES_PER_CLUSTER.value, limits::NODES_PER_CLUSTER;
    /// Nodes of a cluster in the free tier.
    nodes_per_cluster_free "nodesPerClusterFree" = limits::NODES_PER_CLUSTER_FREE.value, limits::NODES_PER_CLUSTER_FREE;
    /// Nodes of a pool, surge counted in.
    nodes_per_pool "nodesPerPool" = limits::NODES_PER_POOL.value, limits::NODES_PER_POOL;
    /// Node pools of a cluster.
    pools_per_cluster "poolsPerCluster" = limits::POOLS_PER_CLUSTER.value, limits::POOLS_PER_CLUSTER;
    /// Nodes of a kubenet cluster, one route each.
    kubenet_nodes "kubenetNodes" = limits::KUBENET_NODES.value, limits::KUBENET_NODES;
    /// Pods of an overlay cluster above which a warning is due.
    overlay_pods_per_cluster "overlayPodsPerCluster" = mode_table::OVERLAY_PODS, mode_table::OVERLAY.max_pods_cluster;
    /// Pods of an overlay cluster above which no document promises anything.
    overlay_pods_per_cluster_at_most "overlayPodsPerClusterAtMost" = mode_table::OVERLAY_PODS_AT_MOST, mode_table::OVERLAY.max_pods_cluster;
    /// Pods of a cluster with dynamic pod subnets the vendor recommends not to exceed.
    pod_subnet_pods_per_cluster "podSubnetPodsPerCluster" = mode_table_flat::POD_SUBNET_PODS, mode_table_flat::POD_SUBNET.max_pods_cluster;
    /// Pods of a cluster with static-block pod subnets.
    static_block_pods_per_cluster "staticBlockPodsPerCluster" = mode_table_flat::STATIC_BLOCK_PODS, mode_table_flat::POD_SUBNET_STATIC.max_pods_cluster;
    /// Blocks of a static-block pod subnet counted as lost to the reserved addresses at its ends.
    static_blocks_lost "staticBlocksLost" = pods::STATIC_BLOCKS_LOST, mode_table_flat::STATIC_SUBNET_NEED;
    /// Extra addresses a Windows node is planned with, in percent of a Linux node's.
    windows_reserved_percent "windowsReservedPercent" = limits::WINDOWS_RESERVED_PERCENT, super::automatic::WINDOWS_RESERVED;
    /// Private addresses in use in a VNet.
    private_ips_per_vnet "privateIpsPerVnet" = limits::PRIVATE_IPS_PER_VNET.value, limits::PRIVATE_IPS_PER_VNET;
    /// Private addresses of a VNet and its peers together.
    private_ips_per_peered_group "privateIpsPerPeeredGroup" = limits::PRIVATE_IPS_PER_PEERED_GROUP.value, limits::PRIVATE_IPS_PER_PEERED_GROUP;
    /// Private addresses of a network interface.
    private_ips_per_nic "privateIpsPerNic" = limits::PRIVATE_IPS_PER_NIC.value, limits::PRIVATE_IPS_PER_NIC;
    /// Subnets of a VNet.
    subnets_per_vnet "subnetsPerVnet" = limits::SUBNETS_PER_VNET.value, limits::SUBNETS_PER_VNET;
    /// Peerings of a VNet.
    peerings_per_vnet "peeringsPerVnet" = limits::PEERINGS_PER_VNET.value, limits::PEERINGS_PER_VNET;
    /// DNS servers of a VNet.
    dns_servers_per_vnet "dnsServersPerVnet" = limits::DNS_SERVERS_PER_VNET.value, limits::DNS_SERVERS_PER_VNET;
    /// The shortest prefix length of a VNet's ranges.
    shortest_vnet_prefix "shortestVnetPrefix" = address::VNET_SHORTEST.value as u64, address::VNET_SHORTEST;
    /// The shortest prefix length of an IPv4 subnet.
    shortest_subnet_prefix "shortestSubnetPrefix" = address::SUBNET_SHORTEST.value as u64, address::SUBNET_SHORTEST;
    /// The longest prefix length of an IPv4 subnet.
    longest_subnet_prefix "longestSubnetPrefix" = address::SUBNET_LONGEST.value as u64, address::SUBNET_LONGEST;
    /// The shortest prefix length of an IPv4 service CIDR.
    shortest_service_prefix "shortestServicePrefix" = address::SERVICE_CIDR_SHORTEST.value as u64, address::SERVICE_CIDR_SHORTEST;
    /// Route tables of a subscription and region.
    route_tables "routeTables" = limits::ROUTE_TABLES.value, limits::ROUTE_TABLES;
    /// User-defined routes of a table.
    routes_per_table "routesPerTable" = limits::ROUTES_PER_TABLE.value, limits::ROUTES_PER_TABLE;
    /// Routes with service tags of a table.
    service_tag_routes_per_table "serviceTagRoutesPerTable" = super::routing::SERVICE_TAG_ROUTES.value, super::routing::SERVICE_TAG_ROUTES;
    /// Security groups of a subscription and region.
    nsgs "nsgs" = limits::NSGS.value, limits::NSGS;
    /// Rules of a security group.
    nsg_rules "nsgRules" = limits::NSG_RULES.value, limits::NSG_RULES;
    /// Addresses and ranges per direction in a security group.
    nsg_addresses "nsgAddresses" = limits::NSG_ADDRESSES.value, limits::NSG_ADDRESSES;
    /// Concurrent flows of a network interface.
    flows_per_nic "flowsPerNic" = limits::FLOWS_PER_NIC.value, limits::FLOWS_PER_NIC;
    /// Services of type LoadBalancer of a cluster.
    load_balancer_services "loadBalancerServices" = limits::LOAD_BALANCER_SERVICES.value, limits::LOAD_BALANCER_SERVICES;
    /// Load balancer rules per network interface.
    load_balancer_rules_per_nic "loadBalancerRulesPerNic" = limits::LOAD_BALANCER_RULES_PER_NIC.value, limits::LOAD_BALANCER_RULES_PER_NIC;
    /// Services x ports x nodes behind a load balancer frontend.
    backends_per_frontend "backendsPerFrontend" = limits::BACKENDS_PER_FRONTEND.value, limits::BACKENDS_PER_FRONTEND;
    /// Nodes behind an internal load balancer the vendor recommends not to exceed.
    internal_load_balancer_nodes "internalLoadBalancerNodes" = limits::INTERNAL_LOAD_BALANCER_NODES.value, limits::INTERNAL_LOAD_BALANCER_NODES;
    /// Outbound addresses AKS manages for a load balancer.
    managed_outbound_ips "managedOutboundIps" = limits::MANAGED_OUTBOUND_IPS.value, limits::MANAGED_OUTBOUND_IPS;
    /// Public addresses of a NAT gateway.
    nat_gateway_ips "natGatewayIps" = snat::NAT_GATEWAY_IPS.value, snat::NAT_GATEWAY_IPS;
    /// SNAT ports of an Azure Firewall per public address.
    snat_ports_per_firewall_ip "snatPortsPerFirewallIp" = snat::FIREWALL_PORTS_PER_IP.value, snat::FIREWALL_PORTS_PER_IP;
    /// Public addresses of an Azure Firewall in front of a cluster, at least.
    firewall_ips "firewallIps" = snat::FIREWALL_MIN_IPS.value, snat::FIREWALL_MIN_IPS;
    /// Authorized ranges of an API server.
    authorized_ranges "authorizedRanges" = limits::AUTHORIZED_RANGES.value.0, limits::AUTHORIZED_RANGES;
    /// Authorized ranges of an API server with VNet integration.
    authorized_ranges_vnet_integration "authorizedRangesVnetIntegration" = limits::AUTHORIZED_RANGES.value.1, limits::AUTHORIZED_RANGES;
    /// Addresses a cluster takes from an API server subnet.
    api_server_addresses "apiServerAddresses" = super::control_plane::ADDRESSES_PER_CLUSTER.value, super::control_plane::ADDRESSES_PER_CLUSTER;
    /// Nodes up to which Azure NPM is supported.
    npm_nodes "npmNodes" = limits::NPM_NODES.value, limits::NPM_NODES;
    /// Pods up to which Azure NPM is supported.
    npm_pods "npmPods" = limits::NPM_PODS, limits::NPM_NODES;
    /// Identities of a cluster with the Cilium data plane.
    cilium_identities "ciliumIdentities" = super::cilium::IDENTITIES.value, super::cilium::IDENTITIES;
}

impl Limits {
    /// The limit of that name.
    pub fn find(name: &str) -> Option<&'static Limit> {
        Self::ALL.iter().find(|limit| limit.name == name)
    }

    /// The dated facts with a design's own numbers instead. Names that are no limit come back beside; nothing else
    /// is changed by them.
    pub fn with_overrides(overrides: &BTreeMap<String, u64>) -> (Limits, Vec<&str>) {
        let mut limits = Limits::default();
        let mut unknown = Vec::new();
        for (name, value) in overrides {
            match Self::find(name) {
                Some(limit) => (limit.set)(&mut limits, *value),
                None => unknown.push(name.as_str()),
            }
        }
        (limits, unknown)
    }

    /// The limits that differ from the dated facts, with the value in force.
    pub fn overridden(&self) -> impl Iterator<Item = (&'static Limit, u64)> {
        let facts = Limits::default();
        Self::ALL
            .iter()
            .filter(move |limit| (limit.get)(self) != (limit.get)(&facts))
            .map(|limit| (limit, (limit.get)(self)))
    }

    /// Nodes a cluster of that tier may have; the standard tier's where none is stated.
    pub fn nodes_for(&self, tier: Option<Tier>) -> u64 {
        match tier {
            Some(Tier::Free) => self.nodes_per_cluster_free,
            Some(Tier::Standard | Tier::Premium) | None => self.nodes_per_cluster,
        }
    }

    /// Authorized ranges an API server takes.
    pub fn authorized_ranges_for(&self, vnet_integration: bool) -> u64 {
        if vnet_integration { self.authorized_ranges_vnet_integration } else { self.authorized_ranges }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_reach_their_own_field() {
        let names: BTreeSet<_> = Limits::ALL.iter().map(|limit| limit.name).collect();
        assert_eq!(names.len(), Limits::ALL.len());
        for (number, limit) in (1_000_000..).zip(Limits::ALL) {
            let mut limits = Limits::default();
            (limit.set)(&mut limits, number);
            assert_eq!((limit.get)(&limits), number, "{}", limit.name);
            assert_eq!(
                limits.overridden().map(|(limit, value)| (limit.name, value)).collect::<Vec<_>>(),
                [(limit.name, number)]
            );
            assert!(limit.meaning.ends_with('.') && !limit.meaning.starts_with(' '), "{}", limit.meaning);
        }
    }

    #[test]
    fn a_design_overrides_by_name() {
        let wanted = BTreeMap::from([("routesPerTable".to_owned(), 600), ("routesPerTabel".to_owned(), 1)]);
        let (limits, unknown) = Limits::with_overrides(&wanted);
        assert_eq!((limits.routes_per_table, limits.kubenet_nodes), (600, 400));
        assert_eq!(unknown, ["routesPerTabel"]);
    }

    #[test]
    fn defaults_are_the_facts() {
        let limits = Limits::default();
        assert_eq!((limits.routes_per_table, limits.subnets_per_vnet, limits.shortest_service_prefix), (400, 3000, 13));
        assert_eq!((limits.authorized_ranges_for(false), limits.authorized_ranges_for(true)), (200, 2000));
        assert_eq!((limits.nodes_for(Some(Tier::Free)), limits.nodes_for(None)), (1_000, 5_000));
    }
}
