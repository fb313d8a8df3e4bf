//! From hop to hop, until somebody holds the destination.

use super::routes::{Chosen, Doubt, Reach, Route, Way};
use super::{Arrival, Entry, stopped};
use crate::answer::{Decision, Direction, Missing, Owner};
use crate::story::{Keeper, Story};
use crate::who::is_public;
use crate::world::{Holder, World};
use causeway_dataplane::packet::Packet;
use causeway_model::design::{
    ClusterName, EndpointConnection, Firewall, FirewallName, GatewayKind, NetworkName, NodeName, PoolName,
    PrivateEndpoint, PrivateEndpointName, PrivateEndpointPolicies, Subnet, SubnetName,
};
use causeway_model::facts::special;
use std::net::IpAddr;

/// Appliances may send a packet on; more hops than this are taken for a circle.
const MOST_HOPS: usize = 16;

/// A packet on its way in one direction.
#[derive(Debug)]
pub(super) struct Walk<'w, 'a, 's> {
    pub(super) world: &'w World<'a>,
    pub(super) story: &'s mut Story,
    pub(super) direction: Direction,
}

/// Where a packet stands, about to be routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stand<'a> {
    pub(super) network: &'a NetworkName,
    pub(super) subnet: Option<&'a SubnetName>,
    /// Who sends it on: the sender, or an appliance.
    pub(super) who: Option<Holder<'a>>,
    pub(super) pool: Option<(&'a ClusterName, &'a PoolName)>,
    /// It came from a site through the network's gateway.
    pub(super) from_gateway: bool,
}

impl<'a> Stand<'a> {
    pub(super) fn at(network: &'a NetworkName, subnet: Option<&'a SubnetName>, who: Option<Holder<'a>>) -> Stand<'a> {
        Stand { network, subnet, who, pool: None, from_gateway: false }
    }
}

/// What became of a packet at a hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// It is to be routed again, by somebody else.
    On(Stand<'a>, Packet),
    /// It got somewhere.
    Done(Arrival<'a>, Packet),
}

/// An address of the platform itself.
pub(super) fn is_platform(address: IpAddr) -> bool {
    address == IpAddr::V4(special::PLATFORM_DNS.value) || address == IpAddr::V4(special::METADATA.value)
}

impl<'a> Walk<'_, 'a, '_> {
    /// From an interface.
    pub(super) fn leave(&mut self, entry: Entry<'a>, packet: Packet) -> (Arrival<'a>, Packet) {
        if is_platform(packet.destination) {
            return self.ask_platform(entry, packet);
        }
        if self.direction == Direction::Forward || !matches!(entry.who, Some(Holder::PrivateEndpoint(..))) {
            self.filters_out(entry.network, entry.subnet, entry.who, &packet);
        }
        let stand = Stand {
            network: entry.network,
            subnet: entry.subnet,
            who: entry.who,
            pool: entry.pool,
            from_gateway: false,
        };
        self.run(stand, packet)
    }

    /// Platform services are at every machine's side: no route, no security group. They answer machines by their own address; what pods
    /// send there with theirs is answered to nobody (azure-facts `masq.podsubnet_cns_snat`).
    fn ask_platform(&mut self, entry: Entry<'a>, packet: Packet) -> (Arrival<'a>, Packet) {
        let view = entry.pool.and_then(|(cluster, _)| self.world.cluster(cluster));
        if let Some(view) = view
            && self.direction == Direction::Forward
        {
            let is_pod = view.pod_at(packet.source).is_some() || view.in_pod_cidr(packet.source);
            let in_pod_subnet = view.cluster.pools.values().filter_map(|pool| pool.pod_subnet.as_ref()).any(|subnet| {
                self.world
                    .design
                    .subnet(subnet)
                    .is_some_and(|subnet| subnet.prefixes.iter().any(|prefix| prefix.contains(packet.source)))
            });
            if is_pod || (in_pod_subnet && view.node_at(packet.source).is_none()) {
                let because = format!("{} answers machines by their own address, not pods", packet.destination);
                let decision = Decision::new(Owner::Platform, format!("clusters.{}.masquerade", view.name), because);
                let fix = format!("let nodes translate packets to {}/32 to their own address", packet.destination);
                self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
            }
        }
        if self.direction == Direction::Forward {
            self.platform_filters(entry, &packet);
        }
        let at = place(entry.network, entry.subnet);
        self.story.hop(
            self.direction,
            at,
            "answered by the platform, past routes and filters",
            (Owner::Platform, ""),
            packet,
            packet,
        );
        (Arrival::Platform, packet)
    }

    /// From hop to hop.
    pub(super) fn run(&mut self, stand: Stand<'a>, packet: Packet) -> (Arrival<'a>, Packet) {
        let (mut stand, mut packet) = (stand, packet);
        for _ in 0..MOST_HOPS {
            match self.step(stand, packet) {
                Step::On(next, after) => (stand, packet) = (next, after),
                Step::Done(arrival, after) => return (arrival, after),
            }
        }
        let object = self.table_of(stand.network, stand.subnet);
        let because = format!("routes lead packets for {} in a circle", packet.destination);
        let decision = Decision::new(Owner::Udr, object, because);
        let fix = "give the appliances' own subnets routes that lead on to the destination";
        self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
        (Arrival::Nowhere, packet)
    }

    fn step(&mut self, stand: Stand<'a>, packet: Packet) -> Step<'a> {
        let subnet = self.subnet(stand.network, stand.subnet);
        // The answers of a private endpoint follow no table unless its subnet says that routes apply.
        let routed = match stand.who {
            Some(Holder::PrivateEndpoint(_, endpoint)) if !policies(self.world, endpoint).1 => None,
            _ => subnet,
        };
        let (chosen, doubt) = self.world.routes.choose(self.world, stand.network, routed, packet.destination);
        if let Some(doubt) = doubt {
            self.doubt(doubt, packet.destination);
        }
        self.take(stand, chosen, packet)
    }

    fn doubt(&mut self, doubt: Doubt<'a>, to: IpAddr) {
        let missing = match doubt {
            Doubt::Table(table) => Missing::new(
                format!("the routes of route table `{table}`"),
                format!(
                    "`az network route-table show --name {table} -o json`, or write them under routeTables.{table}.routes"
                ),
            ),
            Doubt::Tag(table, at) => Missing::new(
                format!("whether {to} belongs to the service tag of routeTables.{table}.routes.{at}"),
                format!("`az network list-service-tags -o json`, or add a route for {to}/32 to `{table}`"),
            ),
        };
        self.story.lacks(missing);
    }

    fn take(&mut self, stand: Stand<'a>, chosen: Chosen<'a>, packet: Packet) -> Step<'a> {
        match chosen.way {
            Way::Own => {
                self.routed(stand, &chosen, "straight to its destination", packet);
                self.arrive(stand.network, packet)
            }
            Way::Peer(peer, at) => {
                self.cross(stand, peer, at, &packet);
                self.routed(stand, &chosen, &format!("over the peering to `{peer}`"), packet);
                self.arrive(peer, packet)
            }
            Way::Gateway(gateway, _, site) => {
                if matches!(chosen.route, Route::User(..)) {
                    self.user_route_to_gateway(gateway, &chosen, stand.network);
                }
                self.routed(stand, &chosen, &format!("to the gateway of `{gateway}`"), packet);
                match site {
                    Some(site) => self.over_gateway(stand, gateway, site, packet),
                    None => self.no_way(stand, &chosen, packet),
                }
            }
            Way::Node(cluster, node) => {
                self.routed(stand, &chosen, &format!("to node {node}, whose pods have the range"), packet);
                self.at_node(stand.network, cluster, node, packet)
            }
            Way::Appliance(ip) => self.over_appliance(stand, &chosen, ip, packet),
            Way::Internet if is_public(packet.destination) => self.outbound(stand, &chosen, packet),
            Way::Internet | Way::Dropped | Way::NoGateway => self.no_way(stand, &chosen, packet),
        }
    }

    /// ExpressRoute gateways are no next hop that users may set (azure-facts `route.udr_next_hops`).
    fn user_route_to_gateway(&mut self, gateway: &NetworkName, chosen: &Chosen<'a>, network: &NetworkName) {
        let network_of = self.world.design.networks.get(gateway);
        let kind = network_of.and_then(|network| network.gateway.as_ref()).map(|gateway| gateway.kind);
        if kind == Some(GatewayKind::ExpressRoute) {
            self.story.lacks(Missing::new(
                format!("whether {} leads anywhere: users may name VPN gateways only", chosen.words(self.world.design)),
                format!("leave it to the routes the gateway of `{gateway}` learns, or look at the effective routes of an interface in `{network}` (`az network nic show-effective-route-table`)"),
            ));
        }
    }

    /// Notes where a route leads.
    pub(super) fn routed(&mut self, stand: Stand<'a>, chosen: &Chosen<'a>, did: &str, packet: Packet) {
        let did = format!("{}: {did}", chosen.words(self.world.design));
        let at = match stand.who {
            Some(Holder::Firewall(name, _)) => format!("firewall {name}"),
            _ if stand.from_gateway => format!("gateway of {}", stand.network),
            _ => place(stand.network, stand.subnet),
        };
        let decision = (chosen.owner(), chosen.object(stand.network));
        self.story.hop(self.direction, at, did, decision, packet, packet);
    }

    /// Over a peering: packets that did not start in the sending network need its consent.
    pub(super) fn cross(&mut self, stand: Stand<'a>, to: &'a NetworkName, at: usize, packet: &Packet) {
        let Some(peering) = self.world.design.peerings.get(at) else { return };
        let started_here = self.world.network(stand.network).is_none_or(|view| view.contains(packet.source));
        if started_here || packet.source.is_unspecified() || stand.from_gateway || peering.accepts_forwarded(to) {
            return;
        }
        let because = format!(
            "`{to}` takes no packets from `{}` that did not start there, and {} did not",
            stand.network, packet.source
        );
        let decision = Decision::new(Owner::SystemRoute, format!("peerings.{at}.forwardedTraffic"), because);
        let fix = format!("allow forwarded traffic on the half of the peering that belongs to `{to}`");
        self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
    }

    /// At the network that has the destination.
    pub(super) fn arrive(&mut self, network: &'a NetworkName, packet: Packet) -> Step<'a> {
        let Some(view) = self.world.network(network) else { return Step::Done(Arrival::Nowhere, packet) };
        let subnet = view.subnet_of(packet.destination).map(|(name, _)| name);
        let holders = view.holders(packet.destination);
        let holder = holders.first().copied();
        if holders.len() > 1 {
            self.story
                .note(format!("{} of `{network}` is held by more than one; the first is taken", packet.destination));
        }
        match holder {
            Some(Holder::Firewall(name, firewall)) => {
                if let Some(step) = self.at_own_address(name, firewall, network, packet) {
                    return step;
                }
                self.filters_in(network, subnet, holder, &packet);
            }
            Some(Holder::Frontend(..)) => {}
            Some(Holder::PrivateEndpoint(name, endpoint)) => self.at_endpoint(name, endpoint, packet),
            _ => self.filters_in(network, subnet, holder, &packet),
        }
        Step::Done(Arrival::At { network, subnet, holder }, packet)
    }

    fn at_endpoint(&mut self, name: &'a PrivateEndpointName, endpoint: &'a PrivateEndpoint, packet: Packet) {
        if policies(self.world, endpoint).0 {
            let holder = Some(Holder::PrivateEndpoint(name, endpoint));
            let networks = self.world.design.networks.get_key_value(&endpoint.subnet.network);
            if let Some((network, value)) = networks {
                let subnet = value.subnets.get_key_value(&endpoint.subnet.subnet).map(|(name, _)| name);
                self.filters_in(network, subnet, holder, &packet);
            }
        }
        let state = match endpoint.connection {
            Some(EndpointConnection::Pending) => "nobody has approved its connection yet",
            Some(EndpointConnection::Rejected) => "its connection was rejected",
            Some(EndpointConnection::Disconnected) => "its connection was removed on the other side",
            Some(EndpointConnection::Approved) | None => return,
        };
        let decision = Decision::new(
            Owner::Platform,
            format!("privateEndpoints.{name}"),
            format!("private endpoint `{name}` carries no packets: {state}"),
        );
        self.story.obstacle(
            self.direction,
            stopped(self.direction),
            decision,
            "have the owner of the service approve it",
        );
    }

    /// At a node that forwards to its pods.
    pub(super) fn at_node(
        &mut self,
        network: &'a NetworkName,
        cluster: &'a ClusterName,
        node: &'a NodeName,
        packet: Packet,
    ) -> Step<'a> {
        let view = self.world.cluster(cluster);
        let addresses = self.world.design.clusters.get(cluster).and_then(|cluster| cluster.nodes.get(node));
        let subnet = addresses
            .into_iter()
            .flat_map(|node| &node.ips)
            .find_map(|ip| self.world.network(network).and_then(|view| view.subnet_of(*ip)).map(|(name, _)| name));
        let pod = view.and_then(|view| view.pod_at(packet.destination));
        let holder = pod.map_or(Holder::Node(cluster, node), |pod| Holder::Pod(cluster, pod));
        self.filters_in(network, subnet, Some(holder), &packet);
        Step::Done(Arrival::At { network, subnet, holder: Some(holder) }, packet)
    }

    fn over_appliance(
        &mut self,
        stand: Stand<'a>,
        chosen: &Chosen<'a>,
        ip: Option<IpAddr>,
        packet: Packet,
    ) -> Step<'a> {
        let Some(ip) = ip else {
            self.story.lacks(Missing::new(
                format!("the appliance that {} leads to", chosen.words(self.world.design)),
                format!("write its address at {}.nextHop", chosen.object(stand.network)),
            ));
            return self.past_the_table(stand, packet);
        };
        self.routed(stand, chosen, &format!("to the appliance {ip}"), packet);
        if matches!(stand.who, Some(Holder::Firewall(_, firewall)) if firewall.private_ip == Some(ip)) {
            let because = format!("{} leads back to the appliance itself", chosen.words(self.world.design));
            let decision = self.decision(stand, chosen, because);
            self.story.obstacle(
                self.direction,
                stopped(self.direction),
                decision,
                "take the table off the appliance's own subnet, or lead on to the destination there",
            );
            return self.past_the_table(stand, packet);
        }
        let home = match self.world.routes.reach(stand.network, ip) {
            Some((_, Reach::Own)) => stand.network,
            Some((_, Reach::Peer(peer, at))) => {
                self.cross(stand, peer, at, &packet);
                peer
            }
            None => {
                let found = self.search(stand.network, ip);
                let because = format!(
                    "{} leads to {ip}, which is neither in `{}` nor in a connected peer",
                    chosen.words(self.world.design),
                    stand.network
                );
                let decision = self.decision(stand, chosen, because);
                let fix = found.as_ref().map_or_else(
                    || "name an appliance of the network or of a directly peered one".to_owned(),
                    |gap| gap.fix.clone(),
                );
                self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
                match found.and_then(|gap| gap.network) {
                    Some(network) => network,
                    None => match self.only_firewall(ip) {
                        Some((name, firewall)) => return self.appliance(name, firewall, stand.network, packet),
                        None => return self.past_the_table(stand, packet),
                    },
                }
            }
        };
        let holders = self.world.network(home).map_or(&[][..], |view| view.holders(ip));
        let firewall = holders.iter().find_map(|holder| match holder {
            Holder::Firewall(name, firewall) => Some((*name, *firewall)),
            _ => None,
        });
        if let Some((name, firewall)) = firewall.or_else(|| self.only_firewall(ip)) {
            return self.appliance(name, firewall, home, packet);
        }
        if let Some(Holder::Node(cluster, node)) = holders.first()
            && self.world.cluster(cluster).is_some_and(|view| view.in_pod_cidr(packet.destination))
        {
            return self.at_node(home, cluster, node, packet);
        }
        self.unknown_appliance(home, ip, packet)
    }

    /// A firewall that stands in no network, if the address is its alone.
    fn only_firewall(&self, ip: IpAddr) -> Option<(&'a FirewallName, &'a Firewall)> {
        match self.world.routes.firewalls(ip) {
            [(name, firewall)] if firewall.subnet.is_none() => Some((*name, *firewall)),
            _ => None,
        }
    }

    /// Nobody described it: it is taken to forward, and that is said.
    fn unknown_appliance(&mut self, home: &'a NetworkName, ip: IpAddr, packet: Packet) -> Step<'a> {
        self.story.lacks(Missing::new(
            format!("what the appliance {ip} does with the packet"),
            format!("describe it under firewalls with privateIp: {ip} (`az network firewall show`, or its own rules)"),
        ));
        let keeper = Keeper::UnknownAppliance(ip);
        if self.direction == Direction::Forward {
            self.story.pass(keeper, packet);
        }
        let subnet = self.world.network(home).and_then(|view| view.subnet_of(ip)).map(|(name, _)| name);
        let at = place(home, subnet);
        self.story.hop(self.direction, at, format!("{ip} is taken to forward it"), (Owner::Nva, ""), packet, packet);
        let stand = Stand::at(home, subnet, None);
        let (chosen, doubt) = self.world.routes.choose(self.world, home, self.subnet(home, subnet), packet.destination);
        if let Some(doubt) = doubt {
            self.doubt(doubt, packet.destination);
        }
        match chosen.way {
            // Its own subnet leads back to it.
            Way::Appliance(Some(next)) if next == ip => self.past_the_table(stand, packet),
            // It has a way to the internet of its own.
            Way::Internet if is_public(packet.destination) => {
                let after = Packet { source: super::nobody(packet.source), ..packet };
                self.story.remember_at(Some(home.clone()), Keeper::UnknownAppliance(ip), Owner::Nva, packet, after);
                let did = "translates to a public address that is not known";
                self.story.hop(self.direction, format!("appliance {ip}"), did, (Owner::Nva, ""), packet, after);
                Step::Done(Arrival::Internet(self.on_internet(packet.destination)), after)
            }
            _ => self.take(stand, chosen, packet),
        }
    }

    /// As if no user's route were there.
    pub(super) fn past_the_table(&mut self, stand: Stand<'a>, packet: Packet) -> Step<'a> {
        let (chosen, _) = self.world.routes.choose(self.world, stand.network, None, packet.destination);
        match chosen.way {
            Way::Appliance(_) => Step::Done(Arrival::Nowhere, packet),
            Way::Dropped | Way::NoGateway => match self.search(stand.network, packet.destination) {
                Some(gap) => self.as_if(stand, &gap, packet),
                None => Step::Done(Arrival::Nowhere, packet),
            },
            _ => self.take(stand, chosen, packet),
        }
    }

    pub(super) fn decision(&self, stand: Stand<'a>, chosen: &Chosen<'a>, because: String) -> Decision {
        let decision = Decision::new(chosen.owner(), chosen.object(stand.network), because);
        match chosen.rule(self.world.design) {
            Some(rule) => decision.rule(rule),
            None => decision,
        }
    }

    /// The machine of the internet at an address.
    pub(super) fn on_internet(&self, address: IpAddr) -> Option<Holder<'a>> {
        self.world.public_holders(address).first().copied()
    }

    pub(super) fn subnet(
        &self,
        network: &NetworkName,
        subnet: Option<&SubnetName>,
    ) -> Option<(&'a SubnetName, &'a Subnet)> {
        self.world.design.networks.get(network)?.subnets.get_key_value(subnet?)
    }

    /// Dotted path of what routes a subnet's packets.
    pub(super) fn table_of(&self, network: &NetworkName, subnet: Option<&SubnetName>) -> String {
        match self.subnet(network, subnet) {
            Some((_, Subnet { route_table: Some(table), .. })) => format!("routeTables.{table}"),
            Some((name, _)) => format!("networks.{network}.subnets.{name}"),
            None => format!("networks.{network}"),
        }
    }
}

/// Whether security groups, and whether user-defined routes, apply to a private endpoint.
pub(super) fn policies(world: &World, endpoint: &PrivateEndpoint) -> (bool, bool) {
    let policies = world.design.subnet(&endpoint.subnet).and_then(|subnet| subnet.private_endpoint_policies);
    match policies {
        Some(PrivateEndpointPolicies::Nsg) => (true, false),
        Some(PrivateEndpointPolicies::RouteTable) => (false, true),
        Some(PrivateEndpointPolicies::Enabled) => (true, true),
        Some(PrivateEndpointPolicies::Disabled) | None => (false, false),
    }
}

/// A subnet in words.
pub(super) fn place(network: &NetworkName, subnet: Option<&SubnetName>) -> String {
    match subnet {
        Some(subnet) => format!("subnet {network}/{subnet}"),
        None => format!("network {network}"),
    }
}
