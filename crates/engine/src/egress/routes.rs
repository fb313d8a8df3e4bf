//! Effective routes: where a subnet sends a packet, and which route says so.
//!
//! The longest prefix wins; of equally long ones a user's, then a learned one, then the platform's. Routes of the platform for the
//! VNet and its peers win over learned ones even when those are longer (azure-facts `route.selection`,
//! `route.preferred_exception`, `route.system_default`). The /32 of private endpoints is judged apart.

use causeway_addr::{Cidr, Family, PrefixMap, RangeSet, special};
use causeway_model::design::*;
use causeway_model::facts::routing;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Where a packet goes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hop<'a> {
    /// Straight to its destination in the VNet.
    Vnet,
    /// Straight to its destination in a peered VNet.
    Peer(&'a NetworkName),
    /// To the gateway.
    Gateway,
    /// To a firewall or appliance.
    Appliance(IpAddr),
    /// To the internet.
    Internet,
    /// Nowhere.
    Dropped,
    /// What decides is not known.
    Unknown,
}

impl Hop<'_> {
    /// It reaches its destination without another hop that keeps connections.
    pub(crate) fn is_direct(self) -> bool {
        matches!(self, Hop::Vnet | Hop::Peer(_) | Hop::Gateway)
    }
}

/// What a subnet does with a range of destinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision<'a> {
    /// The destinations.
    pub(crate) range: Cidr,
    /// What becomes of them.
    pub(crate) hop: Hop<'a>,
    /// The user's route that decides, by its place in the table.
    pub(crate) route: Option<usize>,
}

/// The IPv4 default route of a subnet, as far as its own table goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefaultRoute<'a> {
    /// The subnet has no table.
    NoTable,
    /// The table is only known to exist.
    Unknown,
    /// The table has none.
    None(&'a RouteTableName),
    /// The table's route, by its place.
    Route(&'a RouteTableName, usize, NextHop),
}

/// What the routes of one network are made from.
#[derive(Debug, Default)]
struct Near<'a> {
    /// The platform's own: the VNet's prefixes and what peers show.
    system: PrefixMap<Hop<'a>>,
    /// What gateways in reach learned.
    learned: BTreeSet<Cidr>,
    learned_map: PrefixMap<()>,
}

/// Routes of all subnets.
#[derive(Debug)]
pub(crate) struct Routes<'a> {
    design: &'a Design,
    tables: BTreeMap<&'a RouteTableName, PrefixMap<usize>>,
    networks: BTreeMap<&'a NetworkName, Near<'a>>,
}

impl<'a> Routes<'a> {
    pub(crate) fn new(design: &'a Design) -> Self {
        let mut tables = BTreeMap::new();
        for (name, table) in &design.route_tables {
            let mut map = PrefixMap::new();
            for (at, route) in table.routes.iter().enumerate() {
                if let RoutePrefix::Cidr(prefix) = &route.prefix
                    && map.get(prefix).is_none()
                {
                    map.insert(*prefix, at);
                }
            }
            tables.insert(name, map);
        }
        let mut networks: BTreeMap<&NetworkName, Near> = BTreeMap::new();
        for (name, network) in design.networks.iter().filter(|(_, network)| network.kind == NetworkKind::Vnet) {
            let near = networks.entry(name).or_default();
            for prefix in &network.prefixes {
                near.system.insert(*prefix, Hop::Vnet);
            }
            near.learn(design, network.gateway.as_ref());
        }
        for peering in design.peerings.iter().filter(|peering| peering.connected) {
            let (one, other) = &peering.between;
            for (from, to) in [(one, other), (other, one)] {
                let (Some(near), true) = (networks.get_mut(from), from != to) else { continue };
                for prefix in design.shown(peering, to) {
                    if near.system.get(prefix).is_none() {
                        near.system.insert(*prefix, Hop::Peer(to));
                    }
                }
                if peering.lends_gateway() == Some(to) {
                    near.learn(design, design.networks.get(to).and_then(|network| network.gateway.as_ref()));
                }
            }
        }
        Routes { design, tables, networks }
    }

    /// The user's routes of a table that is known.
    fn table(&self, subnet: &'a Subnet) -> Option<(&'a RouteTableName, &'a RouteTable, &PrefixMap<usize>)> {
        let name = subnet.route_table.as_ref()?;
        Some((name, self.design.route_tables.get(name)?, self.tables.get(name)?))
    }

    /// The IPv4 default route of a subnet's table.
    pub(crate) fn default_route(&self, subnet: &'a Subnet) -> DefaultRoute<'a> {
        let Some((name, table, routes)) = self.table(subnet) else { return DefaultRoute::NoTable };
        if !table.known {
            return DefaultRoute::Unknown;
        }
        let Some(at) = routes.get(&Family::V4.everything()) else { return DefaultRoute::None(name) };
        table.routes.get(*at).map_or(DefaultRoute::None(name), |route| DefaultRoute::Route(name, *at, route.next_hop))
    }

    /// What a subnet of a network does with a range: disjoint parts, the user's routes named.
    pub(crate) fn decide(&self, network: &'a NetworkName, subnet: &'a Subnet, range: &Cidr) -> Vec<Decision<'a>> {
        let Some(near) = self.networks.get(network) else { return Vec::new() };
        let unknown = [Decision { range: *range, hop: Hop::Unknown, route: None }];
        if self.table(subnet).is_some_and(|(_, table, _)| !table.known) {
            return unknown.to_vec();
        }
        let mut parts: BTreeSet<Cidr> = BTreeSet::from([*range]);
        if let Some((_, _, routes)) = self.table(subnet) {
            parts.extend(routes.covered(range).map(|(cidr, _)| cidr));
        }
        parts.extend(near.system.covered(range).map(|(cidr, _)| cidr));
        if self.learns(subnet) {
            parts.extend(near.learned_map.covered(range).map(|(cidr, _)| cidr));
        }
        let mut decisions: Vec<Decision> = Vec::new();
        for part in &parts {
            // Prefixes inside another one follow it.
            let inside = parts.range(*part..).skip(1).take_while(|inner| part.covers(inner));
            if !inside.copied().collect::<RangeSet>().covers(part) {
                decisions.push(self.of_part(near, subnet, part));
            }
        }
        decisions
    }

    /// How the platform itself reaches an address from a network: in the VNet or a peer; `None` where it has no route.
    pub(crate) fn owner(&self, network: &NetworkName, address: IpAddr) -> Option<Hop<'a>> {
        self.networks.get(network)?.system.longest_match(address).map(|(_, hop)| *hop)
    }

    /// The prefix of a network that an address is in.
    pub(crate) fn network_prefix(&self, network: &NetworkName, address: IpAddr) -> Option<Cidr> {
        let network = self.design.networks.get(network)?;
        network.prefixes.iter().find(|prefix| prefix.contains(address)).copied()
    }

    fn learns(&self, subnet: &Subnet) -> bool {
        let table = subnet.route_table.as_ref().and_then(|table| self.design.route_tables.get(table));
        table.is_none_or(|table| table.bgp_propagation != Some(false))
    }

    fn of_part(&self, near: &Near<'a>, subnet: &'a Subnet, part: &Cidr) -> Decision<'a> {
        let user = self.table(subnet).and_then(|(_, table, routes)| {
            let (prefix, at) = routes.longest_covering(part)?;
            Some((prefix.prefix_len(), *at, table.routes.get(*at)?))
        });
        let system = near.system.longest_covering(part).map(|(prefix, hop)| (prefix.prefix_len(), *hop));
        let learned = match system {
            None if self.learns(subnet) => {
                near.learned_map.longest_covering(part).map(|(prefix, ())| prefix.prefix_len())
            }
            _ => None,
        };
        let others = system.or(learned.map(|length| (length, Hop::Gateway)));
        let (hop, route) = match (user, others) {
            (Some((length, at, route)), others) if others.is_none_or(|(other, _)| length >= other) => {
                (of_user(route.next_hop), Some(at))
            }
            (_, Some((_, hop))) => (hop, None),
            _ if is_private(part) => (Hop::Dropped, None),
            _ => (Hop::Internet, None),
        };
        // `VnetLocal` for a peer's or site's range: the packet stays in the VNet and finds nobody.
        let hop = match (hop, system) {
            (Hop::Vnet, Some((_, Hop::Peer(_))) | None) if route.is_some() => Hop::Dropped,
            (hop, _) => hop,
        };
        Decision { range: *part, hop, route }
    }

    /// The learned prefixes of a network that are default routes.
    pub(crate) fn learns_default(&self, network: &NetworkName) -> bool {
        self.networks.get(network).is_some_and(|near| near.learned.contains(&Family::V4.everything()))
    }
}

impl<'a> Near<'a> {
    fn learn(&mut self, design: &'a Design, gateway: Option<&'a Gateway>) {
        let sites = gateway.into_iter().flat_map(|gateway| &gateway.connects);
        for prefix in sites.filter_map(|site| design.networks.get(site)).flat_map(|site| &site.prefixes) {
            self.learned.insert(*prefix);
            self.learned_map.insert(*prefix, ());
        }
    }
}

/// Whether user-defined routes apply to private endpoints of a subnet.
pub(crate) fn routes_apply(policies: Option<PrivateEndpointPolicies>) -> bool {
    matches!(policies, Some(PrivateEndpointPolicies::RouteTable | PrivateEndpointPolicies::Enabled))
}

fn of_user<'a>(hop: NextHop) -> Hop<'a> {
    match hop {
        NextHop::Appliance(ip) => Hop::Appliance(ip),
        NextHop::UnknownAppliance => Hop::Unknown,
        NextHop::Internet => Hop::Internet,
        NextHop::Vnet => Hop::Vnet,
        NextHop::Gateway => Hop::Gateway,
        NextHop::None => Hop::Dropped,
    }
}

/// Ranges the platform drops without a better route.
fn is_private(range: &Cidr) -> bool {
    routing::SYSTEM.value.iter().any(|(prefix, hop)| match prefix {
        routing::SystemPrefix::Cidr(cidr) => *hop == routing::SystemHop::None && cidr.covers(range),
        _ => false,
    }) || special::is_unique_local(range)
}
