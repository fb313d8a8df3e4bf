//! What all checks of egress stand on, worked out once.

use super::routes::{DefaultRoute, Routes};
use crate::appliances::Appliances;
use causeway_addr::{Cidr, PrefixMap, special};
use causeway_model::design::*;
use causeway_model::masquerade::{MasqueradeOutcome, MasqueradeReader};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What all checks of egress stand on.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) design: &'a Design,
    pub(crate) routes: Routes<'a>,
    /// Firewalls and appliances by the address routes point at.
    appliances: Appliances<'a>,
    /// The subnets of each network by prefix.
    subnets: BTreeMap<&'a NetworkName, PrefixMap<&'a SubnetName>>,
    /// Machines by the subnet they are in.
    hosts: BTreeMap<(&'a NetworkName, &'a SubnetName), Vec<&'a HostName>>,
    /// Subnets with nodes or pods, and with private endpoints.
    inhabited: BTreeSet<(&'a NetworkName, &'a SubnetName)>,
    endpoints: BTreeSet<(&'a NetworkName, &'a SubnetName)>,
    /// Subnets by the route table on them.
    tables: BTreeMap<&'a RouteTableName, Vec<SubnetRef>>,
    /// Peerings by network: both ends see each other.
    peers: BTreeMap<&'a NetworkName, Vec<(&'a NetworkName, &'a Peering)>>,
    /// Tables with a route to an appliance.
    leading: BTreeSet<&'a RouteTableName>,
    /// Subnets firewalls stand in.
    forwarding: BTreeSet<(&'a NetworkName, &'a SubnetName)>,
}

/// Who of a cluster uses a subnet.
#[derive(Debug, Default)]
pub(crate) struct Uses<'a> {
    /// Pools whose nodes are there.
    pub(crate) nodes: Vec<&'a PoolName>,
    /// Pools whose pods are there.
    pub(crate) pods: Vec<&'a PoolName>,
}

impl Uses<'_> {
    /// Only pods.
    pub(crate) fn pods_only(&self) -> bool {
        self.nodes.is_empty()
    }

    /// "nodes", "pods", "nodes and pods".
    pub(crate) fn words(&self) -> &'static str {
        match (self.nodes.is_empty(), self.pods.is_empty()) {
            (false, false) => "nodes and pods",
            (true, _) => "pods",
            _ => "nodes",
        }
    }
}

/// Where packets of a subnet leave for the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WayOut<'a> {
    /// A user-defined default route.
    Route(&'a RouteTableName, usize, NextHop),
    /// A NAT gateway on the subnet.
    NatGateway(&'a NatGatewayName),
    /// Whatever the cluster's outbound type makes.
    OutboundType,
    /// Not known.
    Unknown,
}

impl<'a> Ground<'a> {
    pub(crate) fn new(design: &'a Design) -> Self {
        let mut subnets: BTreeMap<_, PrefixMap<_>> = BTreeMap::new();
        let mut tables: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (network, value) in &design.networks {
            let map = subnets.entry(network).or_default();
            for (name, subnet) in &value.subnets {
                for prefix in &subnet.prefixes {
                    map.insert(*prefix, name);
                }
                if let Some(table) = &subnet.route_table {
                    let reference = SubnetRef { network: network.clone(), subnet: name.clone() };
                    tables.entry(table).or_default().push(reference);
                }
            }
        }
        let mut hosts: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, host) in &design.hosts {
            let found = host.network.as_ref().and_then(|network| {
                let (network, map) = subnets.get_key_value(network)?;
                Some((*network, *map.longest_match(host.ip)?.1))
            });
            if let Some(at) = found {
                hosts.entry(at).or_default().push(name);
            }
        }
        let mut peers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for peering in &design.peerings {
            let (one, other) = &peering.between;
            if one != other {
                peers.entry(one).or_default().push((other, peering));
                peers.entry(other).or_default().push((one, peering));
            }
        }
        let pools = design.clusters.values().flat_map(|cluster| cluster.pools.values());
        let used = pools.flat_map(|pool| [&pool.subnet, &pool.pod_subnet]).flatten();
        let endpoints = design.private_endpoints.values().map(|endpoint| &endpoint.subnet);
        Ground {
            design,
            routes: Routes::new(design),
            appliances: Appliances::new(design),
            hosts,
            inhabited: used.map(|subnet| (&subnet.network, &subnet.subnet)).collect(),
            endpoints: endpoints.map(|subnet| (&subnet.network, &subnet.subnet)).collect(),
            leading: design.route_tables.iter().filter(|(_, table)| leads(table)).map(|(name, _)| name).collect(),
            forwarding: design
                .firewalls
                .values()
                .filter_map(|firewall| firewall.subnet.as_ref())
                .map(|subnet| (&subnet.network, &subnet.subnet))
                .collect(),
            peers,
            subnets,
            tables,
        }
    }

    /// The networks directly peered with one, with the peering.
    pub(crate) fn peers(
        &self,
        network: &NetworkName,
    ) -> impl Iterator<Item = (&'a NetworkName, &'a Peering)> + use<'_, 'a> {
        self.peers.get(network).into_iter().flatten().copied()
    }

    /// The subnets of a cluster that the design describes, by name.
    pub(crate) fn subnets_of(&self, cluster: &'a Cluster) -> BTreeMap<&'a SubnetRef, (&'a Subnet, Uses<'a>)> {
        let mut found: BTreeMap<&SubnetRef, (&Subnet, Uses)> = BTreeMap::new();
        for (name, pool) in &cluster.pools {
            for (reference, pods) in [(&pool.subnet, false), (&pool.pod_subnet, true)] {
                let Some(reference) = reference else { continue };
                let Some(subnet) = self.design.subnet(reference).filter(|subnet| is_described(subnet)) else {
                    continue;
                };
                let (_, uses) = found.entry(reference).or_insert_with(|| (subnet, Uses::default()));
                if pods { uses.pods.push(name) } else { uses.nodes.push(name) }
            }
        }
        found
    }

    /// The firewall or appliance that routes of a network's subnets mean by an address.
    pub(crate) fn firewall(&self, from: &NetworkName, ip: IpAddr) -> Option<(&'a FirewallName, &'a Firewall)> {
        self.appliances.at(from, ip)
    }

    /// "firewall `hub-fw`", or the address where no firewall is described.
    pub(crate) fn hop_words(&self, from: &NetworkName, ip: IpAddr) -> String {
        match self.firewall(from, ip) {
            Some((name, _)) => format!("firewall `{name}`"),
            None => format!("the appliance {ip}"),
        }
    }

    /// The subnets a route table is on.
    pub(crate) fn subnets_with(&self, table: &RouteTableName) -> &[SubnetRef] {
        self.tables.get(table).map_or(&[], Vec::as_slice)
    }

    /// The subnet of a network that an address is in.
    pub(crate) fn subnet_at(&self, network: &NetworkName, address: IpAddr) -> Option<&'a SubnetName> {
        self.subnets.get(network)?.longest_match(address).map(|(_, name)| *name)
    }

    /// Machines in a subnet.
    pub(crate) fn hosts_in(&self, network: &'a NetworkName, subnet: &'a SubnetName) -> &[&'a HostName] {
        self.hosts.get(&(network, subnet)).map_or(&[], Vec::as_slice)
    }

    /// Nodes or pods of some cluster are in a subnet.
    pub(crate) fn has_cluster(&self, network: &'a NetworkName, subnet: &'a SubnetName) -> bool {
        self.inhabited.contains(&(network, subnet))
    }

    /// Somebody who opens or answers connections is known to be in a subnet.
    pub(crate) fn is_inhabited(&self, network: &'a NetworkName, name: &'a SubnetName, subnet: &Subnet) -> bool {
        self.inhabited.contains(&(network, name))
            || !self.hosts_in(network, name).is_empty()
            || subnet.other.nics > 0
            || subnet.other.load_balancer_frontends > 0
    }

    /// Only private endpoints are known to be in a subnet.
    pub(crate) fn is_for_endpoints(&self, network: &'a NetworkName, name: &'a SubnetName, subnet: &Subnet) -> bool {
        (self.endpoints.contains(&(network, name)) || subnet.other.private_endpoints > 0)
            && !self.is_inhabited(network, name, subnet)
    }

    /// Where IPv4 packets of a subnet leave for the internet.
    pub(crate) fn way_out(&self, subnet: &'a Subnet) -> WayOut<'a> {
        match (self.routes.default_route(subnet), &subnet.nat_gateway) {
            (DefaultRoute::Unknown, _) => WayOut::Unknown,
            // A default route to the internet changes nothing: the NAT gateway and the rest still take it.
            (DefaultRoute::Route(table, at, hop), _) if hop != NextHop::Internet => WayOut::Route(table, at, hop),
            (_, Some(gateway)) => WayOut::NatGateway(gateway),
            _ => WayOut::OutboundType,
        }
    }

    /// Some route of the subnet leads to an appliance.
    pub(crate) fn leads_to_appliance(&self, subnet: &Subnet) -> bool {
        subnet.route_table.as_ref().is_some_and(|table| self.leading.contains(table))
    }

    /// Firewalls stand there, or only private endpoints, whose packets follow no route table.
    pub(crate) fn routes_for_others(&self, network: &'a NetworkName, name: &'a SubnetName, subnet: &Subnet) -> bool {
        self.forwarding.contains(&(network, name)) || self.is_for_endpoints(network, name, subnet)
    }

    /// Whether a hop drops connections of which it sees one direction only: false where that is not known (no firewall with that
    /// address is described), `None` where it does not (it keeps none, or takes the sender's place for that destination).
    pub(crate) fn drops_halves(&self, from: &NetworkName, hop: IpAddr, to: &Cidr) -> Option<bool> {
        let Some((_, firewall)) = self.firewall(from, hop) else { return Some(false) };
        let translates = match firewall.snat {
            FirewallSnat::Always => true,
            FirewallSnat::Never => false,
            FirewallSnat::Internet => !firewall.private_ranges.iter().any(|range| range.overlaps(to)),
        };
        (firewall.stateful && !translates).then_some(true)
    }

    /// The network is the user's own, not one AKS makes.
    pub(crate) fn is_own(&self, network: &NetworkName) -> bool {
        self.design.networks.get(network).is_some_and(|network| !network.managed_by_aks)
    }
}

fn leads(table: &RouteTable) -> bool {
    table.routes.iter().any(|route| matches!(route.next_hop, NextHop::Appliance(_)))
}

/// The design says what the subnet has: one that is only referred to has no prefix, and what is on it is not known.
pub(crate) fn is_described(subnet: &Subnet) -> bool {
    !subnet.prefixes.is_empty()
}

/// The cluster is more than its Kubernetes objects: the platform's side of it is described.
pub(crate) fn is_platform_described(cluster: &Cluster) -> bool {
    cluster.mode.is_some()
        || cluster.outbound.stated
        || cluster.api_server.stated
        || cluster.pools.values().any(|pool| pool.subnet.is_some())
}

/// Whether nodes translate what pods of a pod subnet send to a range; `None` where that is not known.
pub(crate) fn is_translated(cluster: &Cluster, to: &Cidr) -> Option<bool> {
    let exempt = match exempted(cluster)? {
        Exempted::Everything => return Some(false),
        Exempted::Ranges(ranges) => ranges,
    };
    if exempt.iter().any(|range| range.covers(to)) {
        Some(false)
    } else if exempt.iter().any(|range| range.overlaps(to)) {
        None
    } else {
        Some(true)
    }
}

/// The same for public destinations.
pub(crate) fn is_translated_to_internet(cluster: &Cluster) -> Option<bool> {
    match exempted(cluster)? {
        Exempted::Everything => Some(false),
        Exempted::Ranges(ranges) if ranges.iter().any(|range| range.prefix_len() == 0) => Some(false),
        Exempted::Ranges(ranges) if ranges.iter().any(special::touches_public) => None,
        Exempted::Ranges(_) => Some(true),
    }
}

/// What keeps a pod's address.
enum Exempted<'a> {
    /// Nobody translates.
    Everything,
    /// Only these destinations.
    Ranges(&'a [Cidr]),
}

fn exempted(cluster: &Cluster) -> Option<Exempted<'_>> {
    if let Some(exempt) = &cluster.observed_exempt {
        return Some(Exempted::Ranges(exempt));
    }
    let Some(masquerade) = &cluster.masquerade else { return Some(Exempted::Everything) };
    let reader = match masquerade.agent {
        Some(MasqueradeAgent::None) => return Some(Exempted::Everything),
        None if masquerade.files.is_empty() && masquerade.config_maps.is_empty() && masquerade.daemon_set.is_none() => {
            return Some(Exempted::Everything);
        }
        Some(MasqueradeAgent::IpMasqAgent) => MasqueradeReader::Original,
        Some(MasqueradeAgent::Cilium) => MasqueradeReader::Cilium,
        Some(MasqueradeAgent::IpMasqAgentV2 | MasqueradeAgent::Causeway) | None => MasqueradeReader::V2,
    };
    match masquerade.reading.outcomes.get(&reader)? {
        MasqueradeOutcome::Applied { config, .. } => Some(Exempted::Ranges(&config.exempt)),
        MasqueradeOutcome::Refused { .. } => None,
    }
}
