//! Carries a packet between machines: filters, routes, peerings, gateways, firewalls, and the ways out to the internet.

mod appliance;
mod filter;
mod internet;
mod routes;
mod site;

use crate::answer::{Decision, Direction, Missing, Owner, Verdict};
use crate::fabric::{Arrival, Entry};
use crate::node::Machine;
use crate::stand_in;
use crate::story::{Keeper, Rewrite, Story, reversed};
use crate::target::of_model;
use crate::who::is_public;
use crate::world::{Holder, World};
use causeway_addr::{Cidr, Family};
use causeway_dataplane::packet::{Packet, Protocol as Transport};
use causeway_model::design::*;
use causeway_model::facts::special;
use std::net::IpAddr;

const MOST_HOPS: usize = 24;

/// Where a packet is in the fabric: just behind an interface of a subnet.
#[derive(Debug, Clone, Copy)]
struct Spot<'a> {
    network: &'a NetworkName,
    subnet: Option<&'a SubnetName>,
    pool: Option<(&'a ClusterName, &'a PoolName)>,
    /// An appliance sent it, so it did not begin in this network.
    forwarded: bool,
    /// A private endpoint sends: it follows no route table.
    endpoint: bool,
}

/// Where a route leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leads<'a> {
    Vnet,
    Peer(&'a NetworkName, &'a Peering),
    Gateway(&'a NetworkName),
    Appliance(IpAddr),
    UnknownAppliance,
    Internet,
    Nowhere,
}

struct Chosen<'a> {
    leads: Leads<'a>,
    owner: Owner,
    object: String,
    rule: Option<String>,
    because: String,
}

pub(crate) fn carry<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    entry: Entry<'a>,
    packet: Packet,
) -> (Arrival<'a>, Packet) {
    let endpoint = matches!(entry.who, Some(Holder::PrivateEndpoint(..)));
    let spot = Spot { network: entry.network, subnet: entry.subnet, pool: entry.pool, forwarded: false, endpoint };
    let mut carrier = Carrier { world, story, direction };
    if !endpoint {
        if let Some(Holder::Host(name, host)) = entry.who
            && let Some(group) = &host.nsg
        {
            carrier.filter(group, model_direction(true), &packet, spot.network, &format!("host/{name}"));
        }
        carrier.filter_subnet(spot.network, spot.subnet, true, &packet);
    }
    carrier.on(spot, packet)
}

pub(crate) fn from_site<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    site: &'a NetworkName,
    _who: Option<Holder<'a>>,
    packet: Packet,
) -> (Arrival<'a>, Packet) {
    let mut carrier = Carrier { world, story, direction };
    carrier.out_of_site(site, packet)
}

pub(crate) fn from_internet<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    _who: Option<Holder<'a>>,
    packet: Packet,
) -> (Arrival<'a>, Packet) {
    let mut carrier = Carrier { world, story, direction };
    carrier.in_from_internet(packet)
}

/// The load balancer hands a packet to a node: the filters in front of it.
pub(crate) fn enter<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    machine: &Machine<'a>,
    network: &'a NetworkName,
    service: &'a Service,
    packet: &Packet,
) {
    let mut carrier = Carrier { world, story, direction };
    if !service.source_ranges.is_empty() && !service.source_ranges.iter().any(|range| range.contains(packet.source)) {
        let object = format!("clusters.{}", machine.cluster);
        let because = format!(
            "`loadBalancerSourceRanges` of service/{}/{} leave {} out",
            service.namespace, service.name, packet.source
        );
        let decision = Decision::new(Owner::LoadBalancer, object, because);
        carrier.story.obstacle(
            direction,
            Verdict::Dropped,
            decision,
            "add the client's range to the service's source ranges",
        );
    }
    let entry = machine.entry(world, packet.family());
    let network = entry.map_or(network, |entry| entry.network);
    carrier.filter_subnet(network, entry.and_then(|entry| entry.subnet), false, packet);
    let at = format!("load balancer of {}", machine.cluster);
    carrier.story.hop(
        direction,
        at,
        format!("handed to {}", machine.words()),
        (Owner::LoadBalancer, String::new()),
        *packet,
        *packet,
    );
}

/// Pods of an overlay across nodes: no route has a say, and the security groups of the node subnets see the pods' addresses.
pub(crate) fn between_nodes<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    entry: Entry<'a>,
    there: Option<Entry<'a>>,
    packet: &Packet,
) {
    let mut carrier = Carrier { world, story, direction };
    carrier.filter_subnet(entry.network, entry.subnet, true, packet);
    if let Some(there) = there {
        carrier.filter_subnet(there.network, there.subnet, false, packet);
    }
    let at = subnet_words(entry.network, entry.subnet);
    carrier.story.hop(
        direction,
        at,
        "carried to the other node as it is",
        (Owner::SystemRoute, String::new()),
        *packet,
        *packet,
    );
}

struct Carrier<'w, 'a, 's> {
    world: &'w World<'a>,
    story: &'s mut Story,
    direction: Direction,
}

impl<'a> Carrier<'_, 'a, '_> {
    fn on(&mut self, mut spot: Spot<'a>, mut packet: Packet) -> (Arrival<'a>, Packet) {
        for _ in 0..MOST_HOPS {
            let dst = packet.destination;
            if dst == IpAddr::V4(special::PLATFORM_DNS.value) || special::LINK_LOCAL.contains(dst) {
                let at = subnet_words(spot.network, spot.subnet);
                self.story.hop(
                    self.direction,
                    at,
                    "taken by the platform",
                    (Owner::Platform, String::new()),
                    packet,
                    packet,
                );
                return (Arrival::Platform, packet);
            }
            let chosen = self.route(&spot, &packet);
            let at = subnet_words(spot.network, spot.subnet);
            if chosen.leads == Leads::Nowhere {
                let mut decision = Decision::new(chosen.owner, chosen.object, chosen.because);
                decision.rule = chosen.rule;
                let fix = format!("give the subnet a route to {dst} that leads there, or peer the networks");
                let verdict = self.lost();
                self.story.obstacle(self.direction, verdict, decision, fix);
                return (Arrival::Nowhere, packet);
            }
            self.story.hop(
                self.direction,
                at,
                chosen.because.clone(),
                (chosen.owner, chosen.object.clone()),
                packet,
                packet,
            );
            match chosen.leads {
                Leads::Vnet => match self.deliver(spot.network, packet) {
                    Ok(arrival) => return arrival,
                    Err((next, changed)) => (spot, packet) = (next, changed),
                },
                Leads::Peer(peer, peering) => {
                    let began_here = self.world.network(spot.network).is_some_and(|view| view.contains(packet.source));
                    if spot.forwarded && !began_here && !peering.accepts_forwarded(peer) {
                        let because = format!(
                            "`{peer}` accepts no packets over the peering that did not begin in `{}`",
                            spot.network
                        );
                        let object = self.peering_path(peering);
                        let verdict = self.lost();
                        self.story.obstacle(
                            self.direction,
                            verdict,
                            Decision::new(Owner::SystemRoute, format!("{object}.forwardedTraffic"), because),
                            "allow forwarded traffic on the peering",
                        );
                    }
                    match self.deliver(peer, packet) {
                        Ok(arrival) => return arrival,
                        Err((next, changed)) => (spot, packet) = (next, changed),
                    }
                }
                Leads::Appliance(ip) => match self.appliance(&spot, ip, packet) {
                    Some((next, changed)) => (spot, packet) = (next, changed),
                    None => return (Arrival::Nowhere, packet),
                },
                Leads::UnknownAppliance => {
                    self.story.lacks(Missing::new(
                        "the address of the appliance a route leads to",
                        "apply the plan and export again, or write the route's next hop",
                    ));
                    return (Arrival::Nowhere, packet);
                }
                Leads::Gateway(network) => return self.over_gateway(network, spot, packet),
                Leads::Internet => return self.out(&spot, packet),
                Leads::Nowhere => return (Arrival::Nowhere, packet),
            }
        }
        let decision = Decision::new(Owner::Udr, String::new(), "routes lead in a circle");
        let verdict = self.lost();
        self.story.obstacle(
            self.direction,
            verdict,
            decision,
            "break the circle: a route of each hop leads to the other",
        );
        (Arrival::Nowhere, packet)
    }

    fn lost(&self) -> Verdict {
        match self.direction {
            Direction::Forward => Verdict::Dropped,
            Direction::Reply => Verdict::ReplyLost,
        }
    }

    fn peering_path(&self, peering: &Peering) -> String {
        let at = self.world.design.peerings.iter().position(|known| std::ptr::eq(known, peering));
        at.map_or_else(String::new, |at| format!("peerings.{at}"))
    }

    /// To an interface of a network; `Err` = it goes on from there.
    fn deliver(
        &mut self,
        network: &'a NetworkName,
        packet: Packet,
    ) -> Result<(Arrival<'a>, Packet), (Spot<'a>, Packet)> {
        let Some(view) = self.world.network(network) else { return Ok((Arrival::Nowhere, packet)) };
        let subnet = view.subnet_of(packet.destination).map(|(name, _)| name);
        let holder = view.holders(packet.destination).first().copied();
        if let Some(Holder::Firewall(name, firewall)) = holder
            && self.direction == Direction::Reply
            && let Some(rewrite) = self.story.undo(&Keeper::Appliance(name.clone()), &packet).cloned()
        {
            return Err(self.undone(name, firewall, network, &rewrite, packet));
        }
        let filtered = match holder {
            Some(Holder::PrivateEndpoint(_, endpoint)) => {
                let policies =
                    self.world.design.subnet(&endpoint.subnet).and_then(|subnet| subnet.private_endpoint_policies);
                matches!(policies, Some(PrivateEndpointPolicies::Nsg | PrivateEndpointPolicies::Enabled))
            }
            // The node behind it is asked for.
            Some(Holder::Frontend(..)) => false,
            _ => true,
        };
        if filtered {
            self.filter_subnet(network, subnet, false, &packet);
            if let Some(Holder::Host(name, host)) = holder
                && let Some(group) = &host.nsg
            {
                self.filter(group, model_direction(false), &packet, network, &format!("host/{name}"));
            }
        }
        Ok((Arrival::At { network, subnet, holder }, packet))
    }

    fn undone(
        &mut self,
        name: &'a FirewallName,
        firewall: &'a Firewall,
        network: &'a NetworkName,
        rewrite: &Rewrite,
        packet: Packet,
    ) -> (Spot<'a>, Packet) {
        let after = reversed(&rewrite.before);
        self.story.hop(
            self.direction,
            format!("firewall {name}"),
            "its own translation undone",
            (rewrite.by, format!("firewalls.{name}")),
            packet,
            after,
        );
        self.story.answered.push(Keeper::Appliance(name.clone()));
        (self.behind(firewall, network), after)
    }

    fn behind(&self, firewall: &'a Firewall, network: &'a NetworkName) -> Spot<'a> {
        let subnet = match (&firewall.subnet, firewall.private_ip) {
            (Some(subnet), _) => Some(&subnet.subnet),
            (None, Some(ip)) => self.world.network(network).and_then(|view| view.subnet_of(ip)).map(|(name, _)| name),
            _ => None,
        };
        let network = firewall.subnet.as_ref().map_or(network, |subnet| &subnet.network);
        Spot { network, subnet, pool: None, forwarded: true, endpoint: false }
    }

    fn in_some_network(&self, address: IpAddr) -> bool {
        self.world
            .design
            .networks
            .values()
            .any(|network| network.prefixes.iter().any(|prefix| prefix.contains(address)))
    }
}

fn model_direction(out: bool) -> causeway_model::design::Direction {
    if out { causeway_model::design::Direction::Outbound } else { causeway_model::design::Direction::Inbound }
}

fn owner_of(firewall: &Firewall) -> Owner {
    match firewall.kind {
        FirewallKind::AzureFirewall => Owner::AzureFirewall,
        FirewallKind::Appliance => Owner::Nva,
    }
}

fn same_family(one: IpAddr, other: IpAddr) -> bool {
    one.is_ipv4() == other.is_ipv4()
}

fn subnet_words(network: &NetworkName, subnet: Option<&SubnetName>) -> String {
    subnet.map_or_else(|| format!("network {network}"), |subnet| format!("subnet {network}/{subnet}"))
}

fn keeper_words(keeper: &Keeper) -> String {
    match keeper {
        Keeper::Node(_, node) => format!("node/{node}"),
        Keeper::Appliance(name) => format!("firewall {name}"),
        Keeper::UnknownAppliance(ip) => format!("the appliance {ip}"),
        Keeper::NatGateway(name) => format!("NAT gateway {name}"),
        Keeper::LoadBalancer(cluster) => format!("load balancer of {cluster}"),
        Keeper::Platform => "the machine".to_owned(),
        Keeper::Filter(subnet) => format!("subnet {subnet}"),
    }
}
