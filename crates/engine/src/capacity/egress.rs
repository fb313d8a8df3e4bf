//! The ways out of a cluster: gateways and firewalls its subnets lead to, and who shares them.

use super::Snat;
use super::count::Count;
use super::demand::{self, Nodes, Phase};
use super::loads::{self, Flow};
use crate::appliances::Appliances;
use causeway_model::design::{
    Cluster, ClusterName, Design, Firewall, FirewallName, FirewallSnat, NatGateway, NatGatewayName, NetworkName,
    NextHop, PoolName, RoutePrefix, Subnet,
};
use causeway_model::facts::snat as facts;
use std::collections::{BTreeMap, BTreeSet};

/// A cluster's way out, with what the findings need beside the answer.
#[derive(Debug, Clone)]
pub(crate) struct Egress<'a> {
    pub(crate) name: &'a ClusterName,
    pub(crate) cluster: &'a Cluster,
    pub(crate) answer: Snat,
    /// Nodes now.
    pub(crate) now: Count,
    /// Every pool at its maximum, surge and headroom included.
    pub(crate) effective: Count,
    /// Load balancer and managed NAT gateway: outbound addresses.
    pub(crate) ips: u64,
    /// NAT gateways of the subnets the cluster's pools are on.
    pub(crate) gateways: BTreeMap<&'a NatGatewayName, &'a NatGateway>,
    /// Some of these subnets (or the platform's own) has none.
    pub(crate) without_gateway: bool,
    /// Firewalls the default routes of these subnets lead to.
    pub(crate) firewalls: BTreeMap<&'a FirewallName, &'a Firewall>,
    /// Stated loads towards public destinations.
    pub(crate) flows: Vec<Flow<'a>>,
}

/// The way out of every cluster, by name; the answers hold nothing yet but the nodes.
pub(crate) fn all(design: &Design) -> Vec<Egress<'_>> {
    let mut flows = loads::of(design);
    let appliances = Appliances::new(design);
    let clusters = design.clusters.iter();
    clusters
        .map(|(name, cluster)| {
            let flows = flows.remove(name).unwrap_or_default();
            start(design, &appliances, name, cluster, flows)
        })
        .collect()
}

fn start<'a>(
    design: &'a Design,
    appliances: &Appliances<'a>,
    name: &'a ClusterName,
    cluster: &'a Cluster,
    flows: Vec<Flow<'a>>,
) -> Egress<'a> {
    let nodes = |phase| -> Count {
        cluster.pools.iter().map(|(name, pool)| Nodes::of(cluster, name, pool).at(pool, phase)).sum()
    };
    let effective = nodes(Phase::Upgrade) + Count::exact(demand::headroom_nodes(cluster));
    let listed = cluster.outbound.public_ips.iter().filter(|ip| ip.is_ipv4()).count();
    let ips = match cluster.outbound.ips {
        Some(ips) => u64::from(ips),
        None => u64::try_from(listed).unwrap_or(u64::MAX).max(1),
    };
    let subnets = subnets(design, cluster);
    let without_gateway = subnets.is_empty() || subnets.iter().any(|(_, subnet)| subnet.nat_gateway.is_none());
    let gateways = subnets
        .iter()
        .filter_map(|(_, subnet)| design.nat_gateways.get_key_value(subnet.nat_gateway.as_ref()?))
        .collect();
    let firewalls = subnets
        .iter()
        .filter_map(|(network, subnet)| {
            let table = design.route_tables.get(subnet.route_table.as_ref()?)?;
            table.routes.iter().find_map(|route| match (&route.prefix, route.next_hop) {
                (RoutePrefix::Cidr(prefix), NextHop::Appliance(ip)) if prefix.prefix_len() == 0 && prefix.is_v4() => {
                    appliances.at(network, ip)
                }
                _ => None,
            })
        })
        .collect();
    Egress {
        name,
        cluster,
        answer: Snat {
            kind: cluster.outbound.kind,
            effective_nodes: effective.value(),
            ports_per_node: None,
            ports_needed: None,
            ports_available: None,
            largest_valid_ports_per_node: None,
            smallest_ip_count: None,
            fits: None,
            because: Vec::new(),
        },
        now: nodes(Phase::Now),
        effective,
        ips,
        gateways,
        without_gateway,
        firewalls,
        flows,
    }
}

/// The subnets packets of the cluster's nodes and pods are governed by.
fn subnets<'a>(design: &'a Design, cluster: &'a Cluster) -> Vec<(&'a NetworkName, &'a Subnet)> {
    let references: BTreeSet<_> =
        cluster.pools.values().flat_map(|pool| [&pool.subnet, &pool.pod_subnet]).flatten().collect();
    references.into_iter().filter_map(|reference| Some((&reference.network, design.subnet(reference)?))).collect()
}

/// Public addresses of a NAT gateway.
pub(crate) fn gateway_ips(gateway: &NatGateway) -> Option<u64> {
    let listed = gateway.public_ips.iter().filter(|ip| ip.is_ipv4()).count();
    let listed = u64::try_from(listed).ok().filter(|count| *count > 0);
    gateway.public_ip_count.map(u64::from).or(listed)
}

/// Public addresses of a firewall.
pub(crate) fn firewall_ips(firewall: &Firewall) -> Option<u64> {
    let listed = firewall.public_ips.iter().filter(|ip| ip.is_ipv4()).count();
    let listed = u64::try_from(listed).ok().filter(|count| *count > 0);
    firewall.public_ip_count.map(u64::from).or(listed)
}

/// What everybody behind a gateway or firewall opens, per destination.
#[derive(Debug, Default)]
pub(crate) struct Shared<'a> {
    /// Behind NAT gateways: ports, those that cool down after use counted in.
    pub(crate) gateways: BTreeMap<&'a NatGatewayName, BTreeMap<&'a str, Wanted>>,
    /// Behind firewalls.
    pub(crate) firewalls: BTreeMap<&'a FirewallName, BTreeMap<&'a str, Wanted>>,
}

/// Connections towards one destination.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Wanted {
    /// Open at a time.
    pub(crate) open: u64,
    /// Ports closed not long enough ago to be used again.
    pub(crate) cooling: u64,
}

impl Wanted {
    /// Counts a flow in.
    pub(crate) fn add(&mut self, flow: &Flow, cooldown: u64) {
        self.open = self.open.saturating_add(flow.open);
        let cooling = flow.per_second.saturating_mul(cooldown);
        self.cooling = self.cooling.saturating_add(cooling);
    }

    /// Ports.
    pub(crate) fn ports(self) -> u64 {
        self.open.saturating_add(self.cooling)
    }
}

impl<'a> Shared<'a> {
    pub(crate) fn of(all: &[Egress<'a>]) -> Self {
        let (after_close, ..) = facts::NAT_GATEWAY_COOLDOWN_SECONDS.value;
        let mut shared = Shared::default();
        for egress in all {
            for flow in &egress.flows {
                for name in egress.gateways.keys().filter(|_| flow.public) {
                    let wanted = shared.gateways.entry(name).or_default();
                    wanted.entry(flow.to).or_default().add(flow, after_close);
                }
                for (name, firewall) in &egress.firewalls {
                    if translated(firewall, flow) {
                        let wanted = shared.firewalls.entry(name).or_default();
                        // How long a firewall keeps a port after use is not documented.
                        wanted.entry(flow.to).or_default().add(flow, 0);
                    }
                }
            }
        }
        shared
    }
}

/// Whether the firewall gives a flow a port of its own.
fn translated(firewall: &Firewall, flow: &Flow) -> bool {
    match firewall.snat {
        FirewallSnat::Always => true,
        FirewallSnat::Never => false,
        FirewallSnat::Internet => match flow.address {
            Some(address) => !firewall.private_ranges.iter().any(|range| range.contains(address)),
            None => flow.public,
        },
    }
}

/// Connections of the stated loads that share one node, by destination: what a load balancer's share of a node has to carry.
pub(crate) fn busiest_node<'a>(egress: &Egress<'a>) -> Option<(&'a str, u64)> {
    let mut spread: BTreeMap<&str, u64> = BTreeMap::new();
    let mut single: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for flow in egress.flows.iter().filter(|flow| flow.public) {
        match &flow.node {
            Some(node) => {
                let sum = single.entry(flow.to).or_default().entry(node).or_default();
                *sum = sum.saturating_add(flow.open);
            }
            None => {
                let nodes = flow.pool.and_then(|pool| nodes_now(egress.cluster, pool)).unwrap_or(1);
                let sum = spread.entry(flow.to).or_default();
                *sum = sum.saturating_add(flow.open.div_ceil(nodes.max(1)));
            }
        }
    }
    let destinations: BTreeSet<&str> = spread.keys().chain(single.keys()).copied().collect();
    let node_need = |to: &str| {
        let on_nodes = single.get(to);
        // Senders on nodes nobody named may share the busiest one.
        let unnamed = on_nodes.and_then(|nodes| nodes.get("")).copied().unwrap_or(0);
        let named = on_nodes
            .into_iter()
            .flatten()
            .filter(|(node, _)| !node.is_empty())
            .map(|(_, open)| *open)
            .max()
            .unwrap_or(0);
        let even = spread.get(to).copied().unwrap_or(0);
        named.saturating_add(unnamed).saturating_add(even)
    };
    let found = destinations.into_iter().map(|to| (node_need(to), std::cmp::Reverse(to))).max()?;
    let to = egress.flows.iter().map(|flow| flow.to).find(|to| *to == found.1.0)?;
    Some((to, found.0))
}

fn nodes_now(cluster: &Cluster, name: &PoolName) -> Option<u64> {
    let pool = cluster.pools.get(name)?;
    Nodes::of(cluster, name, pool).now.value()
}
