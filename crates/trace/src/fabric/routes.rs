//! Effective routes: where a subnet sends a packet, and which route says so.
//!
//! The longest prefix wins; of equally long ones a user's, then a learned one, then the platform's. Routes of the platform for the VNet
//! and its peers win over learned ones even when those are longer (azure-facts `route.selection`, `route.preferred_exception`,
//! `route.system_default`). A default route of a user or a gateway takes the `None` routes of private ranges away. The /32 of a private
//! endpoint wins over all of them unless its subnet says that routes apply (`route.private_endpoint_32`).
//!
//! What is learned is kept once, with the gateway that learned it, so the index grows with the design and not with its peerings.

use crate::answer::Owner;
use crate::world::{Holder, World};
use causeway_addr::{Cidr, PrefixMap, special};
use causeway_model::design::{
    Cluster, ClusterName, Design, Firewall, FirewallName, Mode, Network, NetworkKind, NetworkName, NextHop, NodeName,
    PrivateEndpoint, PrivateEndpointName, PrivateEndpointPolicies, RoutePrefix, RouteTable, RouteTableName, Subnet,
    SubnetName,
};
use causeway_model::facts::routing::{self, SystemHop, SystemPrefix};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Routes of all networks, indexed.
#[derive(Debug, Default)]
pub(crate) struct Routes<'a> {
    networks: BTreeMap<&'a NetworkName, Near<'a>>,
    tables: BTreeMap<&'a RouteTableName, Table<'a>>,
    /// Blocks of nodes whose pods are reached by routes, where the platform keeps those in a table nobody described.
    unnamed: BTreeMap<(&'a NetworkName, &'a SubnetName), PrefixMap<(&'a ClusterName, &'a NodeName)>>,
    firewalls: BTreeMap<IpAddr, Vec<(&'a FirewallName, &'a Firewall)>>,
}

/// A way to a prefix that the platform has of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach<'a> {
    /// In the VNet.
    Own,
    /// In a peer, over the peering at that place of the design.
    Peer(&'a NetworkName, usize),
}

#[derive(Debug, Default)]
struct Near<'a> {
    system: PrefixMap<Reach<'a>>,
    /// Networks whose gateway carries this one's packets: itself, or a peer that lends its own.
    gateways: Vec<(&'a NetworkName, Option<usize>)>,
    /// What its own gateway learned, with the site.
    learned: PrefixMap<&'a NetworkName>,
}

#[derive(Debug)]
struct Table<'a> {
    table: &'a RouteTable,
    routes: PrefixMap<usize>,
    tags: Vec<usize>,
    blocks: PrefixMap<(&'a ClusterName, &'a NodeName)>,
}

/// Where a packet goes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way<'a> {
    /// Straight to its destination in the network.
    Own,
    /// Straight to its destination in a peer.
    Peer(&'a NetworkName, usize),
    /// To the gateway of a network, and from there to a site; `None` = to no site that is known.
    Gateway(&'a NetworkName, Option<usize>, Option<&'a NetworkName>),
    /// To the gateway, where there is none.
    NoGateway,
    /// To a firewall or appliance; `None` = an export leaves its address open.
    Appliance(Option<IpAddr>),
    /// To the node whose block of the pod range contains the destination.
    Node(&'a ClusterName, &'a NodeName),
    /// To the internet.
    Internet,
    /// Nowhere.
    Dropped,
}

/// Whose route it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// A user's, by its place in the table.
    User(&'a RouteTableName, usize),
    /// The cluster's, in a table it keeps.
    Block(Option<&'a RouteTableName>, &'a ClusterName, &'a NodeName),
    /// The /32 of a private endpoint.
    Endpoint(&'a PrivateEndpointName),
    /// Learned by the gateway of a network.
    Learned(&'a NetworkName),
    /// The platform's, for a prefix of a VNet.
    System(Reach<'a>),
    /// The platform's, for private ranges or the rest.
    Default,
}

/// The route that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chosen<'a> {
    pub(crate) way: Way<'a>,
    pub(crate) route: Route<'a>,
    pub(crate) prefix: Cidr,
}

/// What is not known of the routes that could decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt<'a> {
    /// The table is only known to exist.
    Table(&'a RouteTableName),
    /// A route for a service tag, whose prefixes are not known here.
    Tag(&'a RouteTableName, usize),
}

impl<'a> Routes<'a> {
    pub(crate) fn new(design: &'a Design) -> Routes<'a> {
        let mut routes = Routes::default();
        for (name, table) in &design.route_tables {
            let mut map = PrefixMap::new();
            let mut tags = Vec::new();
            for (at, route) in table.routes.iter().enumerate() {
                match &route.prefix {
                    RoutePrefix::Cidr(prefix) if map.get(prefix).is_none() => {
                        map.insert(*prefix, at);
                    }
                    RoutePrefix::Cidr(_) => {}
                    RoutePrefix::ServiceTag(_) => tags.push(at),
                }
            }
            routes.tables.insert(name, Table { table, routes: map, tags, blocks: PrefixMap::new() });
        }
        for (name, network) in &design.networks {
            routes.networks.insert(name, near(design, name, network));
        }
        for (at, peering) in design.peerings.iter().enumerate().filter(|(_, peering)| peering.connected) {
            let (one, other) = &peering.between;
            for (from, to) in [(one, other), (other, one)] {
                let (Some(near), true) = (routes.networks.get_mut(from), from != to) else { continue };
                for prefix in design.shown(peering, to) {
                    if near.system.get(prefix).is_none() {
                        near.system.insert(*prefix, Reach::Peer(to, at));
                    }
                }
                let has_gateway = design.networks.get(to).is_some_and(|network| network.gateway.is_some());
                if peering.lends_gateway() == Some(to) && has_gateway {
                    near.gateways.push((to, Some(at)));
                }
            }
        }
        for (name, firewall) in &design.firewalls {
            if let Some(ip) = firewall.private_ip {
                routes.firewalls.entry(ip).or_default().push((name, firewall));
            }
        }
        for (name, cluster) in design.clusters.iter().filter(|(_, cluster)| cluster.mode == Some(Mode::Kubenet)) {
            routes.add_blocks(design, name, cluster);
        }
        routes
    }

    /// kubenet reaches pods by a route a node, in the table of the cluster's subnets.
    fn add_blocks(&mut self, design: &'a Design, name: &'a ClusterName, cluster: &'a Cluster) {
        for reference in cluster.pools.values().filter_map(|pool| pool.subnet.as_ref()) {
            let table = design.subnet(reference).and_then(|subnet| subnet.route_table.as_ref());
            let map = match table.and_then(|table| self.tables.get_mut(table)) {
                Some(table) => &mut table.blocks,
                None => self.unnamed.entry((&reference.network, &reference.subnet)).or_default(),
            };
            for (node, value) in &cluster.nodes {
                for block in &value.pod_cidrs {
                    map.insert(*block, (name, node));
                }
            }
        }
    }

    /// How the platform itself reaches an address from a network; `None` = it has no route of its own.
    pub(crate) fn reach(&self, network: &NetworkName, address: IpAddr) -> Option<(Cidr, Reach<'a>)> {
        let (prefix, reach) = self.networks.get(network)?.system.longest_match(address)?;
        Some((prefix, *reach))
    }

    /// Networks whose gateway a network uses, itself among them, with the peering to them.
    pub(crate) fn gateways(&self, network: &NetworkName) -> &[(&'a NetworkName, Option<usize>)] {
        self.networks.get(network).map_or(&[], |near| near.gateways.as_slice())
    }

    /// The site behind a network's own gateway that has an address.
    pub(crate) fn site(&self, gateway: &NetworkName, address: IpAddr) -> Option<(Cidr, &'a NetworkName)> {
        let (prefix, site) = self.networks.get(gateway)?.learned.longest_match(address)?;
        Some((prefix, *site))
    }

    /// The longest prefix that gateways in reach of a network learned.
    pub(crate) fn learned(
        &self,
        network: &NetworkName,
        address: IpAddr,
    ) -> Option<(Cidr, &'a NetworkName, Option<usize>, &'a NetworkName)> {
        let mut best: Option<(Cidr, &'a NetworkName, Option<usize>, &'a NetworkName)> = None;
        for (gateway, peering) in self.gateways(network) {
            if let Some((prefix, site)) = self.site(gateway, address)
                && best.is_none_or(|(known, ..)| prefix.prefix_len() > known.prefix_len())
            {
                best = Some((prefix, gateway, *peering, site));
            }
        }
        best
    }

    /// Firewalls by the address routes point at.
    pub(crate) fn firewalls(&self, address: IpAddr) -> &[(&'a FirewallName, &'a Firewall)] {
        self.firewalls.get(&address).map_or(&[], Vec::as_slice)
    }

    /// The user's route for an address.
    pub(crate) fn user(&self, subnet: &'a Subnet, address: IpAddr) -> Option<(Cidr, &'a RouteTableName, usize)> {
        let name = subnet.route_table.as_ref()?;
        let (prefix, at) = self.tables.get(name)?.routes.longest_match(address)?;
        Some((prefix, name, *at))
    }

    /// Where a subnet of a network sends a packet. `subnet: None` = one without a table.
    pub(crate) fn choose(
        &self,
        world: &World<'a>,
        network: &'a NetworkName,
        subnet: Option<(&'a SubnetName, &'a Subnet)>,
        to: IpAddr,
    ) -> (Chosen<'a>, Option<Doubt<'a>>) {
        let host = Cidr::host(to);
        let system = self.reach(network, to);
        let table = subnet.and_then(|(_, subnet)| {
            let name = subnet.route_table.as_ref()?;
            Some((name, self.tables.get(name)?))
        });
        if let Some((name, endpoint)) = endpoint_at(world, network, system, to)
            && !routes_apply(world, endpoint)
        {
            let way = match system {
                Some((_, Reach::Peer(peer, at))) => Way::Peer(peer, at),
                _ => Way::Own,
            };
            return (Chosen { way, route: Route::Endpoint(name), prefix: host }, None);
        }
        let learns = table.is_none_or(|(_, table)| table.table.bgp_propagation != Some(false));
        let learned = if learns && system.is_none() { self.learned(network, to) } else { None };
        let platform = match (system, learned) {
            (Some((prefix, reach)), _) => {
                let way = match reach {
                    Reach::Own => Way::Own,
                    Reach::Peer(peer, at) => Way::Peer(peer, at),
                };
                Some(Chosen { way, route: Route::System(reach), prefix })
            }
            (None, Some((prefix, gateway, peering, site))) => {
                let way = Way::Gateway(gateway, peering, Some(site));
                Some(Chosen { way, route: Route::Learned(gateway), prefix })
            }
            (None, None) => None,
        };
        let block = match (table, subnet) {
            (Some((name, table)), _) => table.blocks.longest_match(to).map(|found| (found, Some(name))),
            (None, Some((name, _))) => self
                .unnamed
                .get(&(network, name))
                .and_then(|blocks| blocks.longest_match(to))
                .map(|found| (found, None)),
            _ => None,
        };
        let mut users: Option<Chosen<'a>> = block.map(|((prefix, (cluster, node)), table)| Chosen {
            way: Way::Node(cluster, node),
            route: Route::Block(table, cluster, node),
            prefix,
        });
        if let Some((name, table)) = table
            && let Some((prefix, at)) = table.routes.longest_match(to)
            && users.is_none_or(|known| prefix.prefix_len() >= known.prefix.prefix_len())
            && let Some(route) = table.table.routes.get(*at)
        {
            let way = self.of_user(network, route.next_hop, system, to);
            users = Some(Chosen { way, route: Route::User(name, *at), prefix });
        }
        let chosen = match (users, platform) {
            (Some(user), Some(other)) if user.prefix.prefix_len() < other.prefix.prefix_len() => other,
            (Some(user), _) => match none_route(to) {
                // A user's default route takes the platform's `None` routes away, a longer one that is still shorter does not.
                Some(none) if platform.is_none() && (1..none.prefix_len()).contains(&user.prefix.prefix_len()) => {
                    Chosen { way: Way::Dropped, route: Route::Default, prefix: none }
                }
                _ => user,
            },
            (None, Some(other)) => match none_route(to) {
                Some(none) if system.is_none() && (1..none.prefix_len()).contains(&other.prefix.prefix_len()) => {
                    Chosen { way: Way::Dropped, route: Route::Default, prefix: none }
                }
                _ => other,
            },
            (None, None) => match none_route(to) {
                Some(none) => Chosen { way: Way::Dropped, route: Route::Default, prefix: none },
                None => Chosen { way: Way::Internet, route: Route::Default, prefix: host.family().everything() },
            },
        };
        (chosen, table.and_then(|(name, table)| doubt(name, table, &chosen, to)))
    }

    fn of_user(
        &self,
        network: &'a NetworkName,
        hop: NextHop,
        system: Option<(Cidr, Reach<'a>)>,
        to: IpAddr,
    ) -> Way<'a> {
        match hop {
            NextHop::Appliance(ip) => Way::Appliance(Some(ip)),
            NextHop::UnknownAppliance => Way::Appliance(None),
            NextHop::Internet => Way::Internet,
            NextHop::None => Way::Dropped,
            // For a range of a peer or a site the packet stays in the VNet and finds nobody.
            NextHop::Vnet if matches!(system, Some((_, Reach::Own))) => Way::Own,
            NextHop::Vnet => Way::Dropped,
            NextHop::Gateway => match (self.learned(network, to), self.gateways(network).first()) {
                (Some((_, gateway, peering, site)), _) => Way::Gateway(gateway, peering, Some(site)),
                (None, Some((gateway, peering))) => Way::Gateway(gateway, *peering, None),
                (None, None) => Way::NoGateway,
            },
        }
    }
}

fn near<'a>(design: &'a Design, name: &'a NetworkName, network: &'a Network) -> Near<'a> {
    let mut near = Near::default();
    if network.kind != NetworkKind::Vnet {
        return near;
    }
    for prefix in &network.prefixes {
        near.system.insert(*prefix, Reach::Own);
    }
    if let Some(gateway) = &network.gateway {
        near.gateways.push((name, None));
        for (site, value) in gateway.connects.iter().filter_map(|site| design.networks.get_key_value(site)) {
            for prefix in &value.prefixes {
                if near.learned.get(prefix).is_none() {
                    near.learned.insert(*prefix, site);
                }
            }
        }
    }
    near
}

/// The private endpoint at an address, in the network or a direct peer.
fn endpoint_at<'a>(
    world: &World<'a>,
    network: &'a NetworkName,
    system: Option<(Cidr, Reach<'a>)>,
    to: IpAddr,
) -> Option<(&'a PrivateEndpointName, &'a PrivateEndpoint)> {
    let owner = match system?.1 {
        Reach::Own => network,
        Reach::Peer(peer, _) => peer,
    };
    world.network(owner)?.holders(to).iter().find_map(|holder| match holder {
        Holder::PrivateEndpoint(name, endpoint) => Some((*name, *endpoint)),
        _ => None,
    })
}

/// Whether user-defined routes apply to a private endpoint.
fn routes_apply(world: &World, endpoint: &PrivateEndpoint) -> bool {
    let policies = world.design.subnet(&endpoint.subnet).and_then(|subnet| subnet.private_endpoint_policies);
    matches!(policies, Some(PrivateEndpointPolicies::RouteTable | PrivateEndpointPolicies::Enabled))
}

/// The platform's route that drops what is for a private range, where no other has it.
fn none_route(to: IpAddr) -> Option<Cidr> {
    let listed = routing::SYSTEM.value.iter().find_map(|(prefix, hop)| match prefix {
        SystemPrefix::Cidr(cidr) if *hop == SystemHop::None && cidr.contains(to) => Some(*cidr),
        _ => None,
    });
    listed.or_else(|| {
        let host = Cidr::host(to);
        if special::is_unique_local(&host) || special::is_link_local(&host) { Some(host) } else { None }
    })
}

/// What could decide otherwise, were it known.
fn doubt<'a>(name: &'a RouteTableName, table: &Table<'a>, chosen: &Chosen<'a>, to: IpAddr) -> Option<Doubt<'a>> {
    if !table.table.known {
        return Some(Doubt::Table(name));
    }
    let exact = matches!(chosen.route, Route::User(..)) && chosen.prefix.is_host();
    if exact || !crate::who::is_public(to) {
        return None;
    }
    let tag = table.tags.iter().find(|at| {
        let hop = table.table.routes.get(**at).map(|route| route.next_hop);
        let same = match (hop, chosen.way) {
            (Some(NextHop::Internet), Way::Internet) | (Some(NextHop::None), Way::Dropped) => true,
            (Some(NextHop::Appliance(ip)), Way::Appliance(known)) => known == Some(ip),
            _ => false,
        };
        !same
    });
    tag.map(|at| Doubt::Tag(name, *at))
}

impl<'a> Chosen<'a> {
    /// Whose route it is, as an owner of decisions.
    pub(crate) fn owner(&self) -> Owner {
        match self.route {
            Route::User(..) => Owner::Udr,
            Route::Block(..) | Route::Learned(_) | Route::System(_) | Route::Default => Owner::SystemRoute,
            Route::Endpoint(_) => Owner::PrivateEndpointRoute,
        }
    }

    /// Dotted path of what says so.
    pub(crate) fn object(&self, network: &NetworkName) -> String {
        match self.route {
            Route::User(table, at) => format!("routeTables.{table}.routes.{at}"),
            Route::Block(Some(table), ..) => format!("routeTables.{table}"),
            Route::Block(None, cluster, node) => format!("clusters.{cluster}.nodes.{node}"),
            Route::Endpoint(name) => format!("privateEndpoints.{name}"),
            Route::Learned(gateway) => format!("networks.{gateway}.gateway"),
            Route::System(Reach::Peer(_, at)) => format!("peerings.{at}"),
            Route::System(Reach::Own) | Route::Default => format!("networks.{network}"),
        }
    }

    /// The route's name, where users gave it one.
    pub(crate) fn rule(&self, design: &Design) -> Option<String> {
        match self.route {
            Route::User(table, at) => design.route_tables.get(table)?.routes.get(at).map(|route| route.name.clone()),
            _ => None,
        }
    }

    /// The route in words.
    pub(crate) fn words(&self, design: &Design) -> String {
        let prefix = self.prefix;
        match self.route {
            Route::User(table, _) => {
                let name = self.rule(design).unwrap_or_default();
                format!("route `{name}` ({prefix}) of route table `{table}`")
            }
            Route::Block(_, _, node) => format!("the cluster's route for {prefix} to node {node}"),
            Route::Endpoint(name) => format!("the {prefix} route of private endpoint `{name}`"),
            Route::Learned(gateway) => format!("{prefix}, learned by the gateway of `{gateway}`"),
            Route::System(Reach::Own) => format!("the network's own route for {prefix}"),
            Route::System(Reach::Peer(peer, _)) => format!("the peering's route for {prefix} of `{peer}`"),
            Route::Default => format!("the platform's default route for {prefix}"),
        }
    }
}
