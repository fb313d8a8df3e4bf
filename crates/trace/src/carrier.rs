//! Carries a packet between machines: filters, routes, peerings, gateways, firewalls, and the ways out to the internet.

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
    carrier.from_site(site, packet)
}

pub(crate) fn from_internet<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    _who: Option<Holder<'a>>,
    packet: Packet,
) -> (Arrival<'a>, Packet) {
    let mut carrier = Carrier { world, story, direction };
    carrier.from_internet(packet)
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
                Leads::Gateway(network) => return self.to_site(network, spot, packet),
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

    /// Through a firewall or appliance.
    fn appliance(&mut self, spot: &Spot<'a>, ip: IpAddr, packet: Packet) -> Option<(Spot<'a>, Packet)> {
        let near = self.world.network(spot.network)?;
        let networks = std::iter::once(near.name).chain(near.peers.iter().map(|(peer, _)| *peer));
        let found = networks.filter_map(|network| self.world.network(network)).find_map(|view| {
            view.holders(ip).iter().find_map(|holder| match holder {
                Holder::Firewall(name, firewall) => Some((*name, *firewall, view.name)),
                _ => None,
            })
        });
        let Some((name, firewall, network)) = found else {
            self.story.lacks(Missing::new(
                format!("what the appliance at {ip} does with the packet"),
                "describe it under `firewalls`, or import it (`az network firewall list -o json`)",
            ));
            return None;
        };
        let owner = owner_of(firewall);
        let keeper = Keeper::Appliance(name.clone());
        let at = format!("firewall {name}");
        let object = format!("firewalls.{name}");
        if self.direction == Direction::Reply {
            if let Some(rewrite) = self.story.undo(&keeper, &packet).cloned() {
                return Some(self.undone(name, firewall, network, &rewrite, packet));
            }
            self.story.answered.push(keeper.clone());
            if firewall.stateful && !self.story.has_seen(&keeper, &packet) {
                let because = format!("firewall `{name}` has not seen the request of this answer, and drops it");
                let fix = "lead both directions over the firewall, or neither; or have it translate the source";
                self.story.obstacle(
                    self.direction,
                    Verdict::AsymmetricDrop,
                    Decision::new(owner, object.clone(), because),
                    fix,
                );
            }
            self.story.hop(self.direction, at, "passes the firewall", (owner, object), packet, packet);
            return Some((self.behind(firewall, network), packet));
        }
        self.judge(name, firewall, &packet);
        let inside = firewall.private_ranges.iter().any(|range| range.contains(packet.destination));
        let translates = match firewall.snat {
            FirewallSnat::Always => true,
            FirewallSnat::Never => false,
            FirewallSnat::Internet => !inside,
        };
        let to_internet = is_public(packet.destination) && !self.in_some_network(packet.destination);
        let source = match (translates, to_internet) {
            (true, true) => Some(
                firewall.public_ips.iter().copied().find(|ip| same_family(*ip, packet.source)).unwrap_or_else(|| {
                    let address = stand_in::on_internet(self.world, packet.source.is_ipv6());
                    self.story
                        .note(format!("the public address of firewall `{name}` is not known: {address} stands for it"));
                    address
                }),
            ),
            (true, false) => firewall.private_ip,
            (false, _) => None,
        };
        let after = source.map_or(packet, |source| Packet { source, ..packet });
        let did = match source {
            Some(source) => format!("let through, source translated to {source}"),
            None => "let through".to_owned(),
        };
        self.story.hop(self.direction, at, did, (owner, object), packet, after);
        if after != packet {
            self.story.remember(keeper.clone(), owner, packet, after);
        }
        if firewall.stateful {
            self.story.pass(keeper, after);
            self.story.idle_timeout(240);
        }
        let behind = self.behind(firewall, network);
        Some((Spot { forwarded: after == packet, ..behind }, after))
    }

    fn judge(&mut self, name: &FirewallName, firewall: &Firewall, packet: &Packet) {
        let owner = owner_of(firewall);
        let matches = |rule: &FirewallRule| {
            let protocol = rule.protocol.is_none_or(|protocol| of_model(protocol) == Some(packet.protocol));
            let has_ports = matches!(packet.protocol, Transport::Tcp | Transport::Udp | Transport::Sctp);
            let ports = !has_ports
                || rule.ports.is_empty()
                || rule.ports.iter().any(|port| port.contains(packet.destination_port));
            let side = |list: &[AddressMatch], address: IpAddr| {
                let known = list.iter().any(|item| match item {
                    AddressMatch::Any => true,
                    AddressMatch::Cidr(cidr) => cidr.contains(address),
                    _ => false,
                });
                let unknown = list
                    .iter()
                    .any(|item| matches!(item, AddressMatch::Tag(_) | AddressMatch::ApplicationSecurityGroup(_)));
                if known {
                    Some(true)
                } else if unknown {
                    None
                } else {
                    Some(false)
                }
            };
            match (protocol && ports, side(&rule.source, packet.source), side(&rule.destination, packet.destination)) {
                (false, ..) | (_, Some(false), _) | (_, _, Some(false)) => Some(false),
                (true, Some(true), Some(true)) => Some(true),
                _ => None,
            }
        };
        for (at, rule) in firewall.rules.iter().enumerate() {
            match (matches(rule), rule.access) {
                (Some(false), _) => {}
                (Some(true), Access::Allow) => return,
                (Some(true), Access::Deny) => {
                    let because = format!("rule `{}` of firewall `{name}` denies it", rule.name);
                    let decision =
                        Decision::new(owner, format!("firewalls.{name}.rules.{at}"), because).rule(rule.name.clone());
                    return self.story.obstacle(
                        self.direction,
                        Verdict::Dropped,
                        decision,
                        "allow the flow in a rule before it",
                    );
                }
                (None, _) => {
                    self.story.lacks(Missing::new(
                        format!("whether rule `{}` of firewall `{name}` matches the packet", rule.name),
                        "write its prefixes instead of tags and groups",
                    ));
                    return;
                }
            }
        }
        let because = format!(
            "no rule of firewall `{name}` allows {} to {} port {}",
            packet.source, packet.destination, packet.destination_port
        );
        let decision = Decision::new(owner, format!("firewalls.{name}.rules"), because);
        self.story.obstacle(
            self.direction,
            Verdict::Dropped,
            decision,
            "add a rule that allows the flow, with the source as the firewall sees it",
        );
    }

    fn in_some_network(&self, address: IpAddr) -> bool {
        self.world
            .design
            .networks
            .values()
            .any(|network| network.prefixes.iter().any(|prefix| prefix.contains(address)))
    }

    /// Over a gateway to the site that has the destination.
    fn to_site(&mut self, gateway: &'a NetworkName, spot: Spot<'a>, packet: Packet) -> (Arrival<'a>, Packet) {
        let sites = self.world.design.networks.get(gateway).and_then(|network| network.gateway.as_ref());
        let mut sites =
            sites.into_iter().flat_map(|gateway| &gateway.connects).filter_map(|site| self.world.network(site));
        let Some(site) = sites.find(|site| site.contains(packet.destination)) else {
            self.story.lacks(Missing::new(
                format!("which site behind the gateway of `{gateway}` has {}", packet.destination),
                "describe the site as a network of kind onPremises that the gateway connects",
            ));
            return (Arrival::Nowhere, packet);
        };
        let _ = spot;
        let at = format!("gateway of {gateway}");
        self.story.hop(
            self.direction,
            at,
            format!("to site `{}`", site.name),
            (Owner::RemoteRouter, format!("networks.{gateway}.gateway")),
            packet,
            packet,
        );
        let holder = site.holders(packet.destination).first().copied();
        (Arrival::Site(site.name, holder), packet)
    }

    fn from_site(&mut self, site: &'a NetworkName, packet: Packet) -> (Arrival<'a>, Packet) {
        let design = self.world.design;
        if self.world.network(site).is_some_and(|view| view.contains(packet.destination)) {
            let holder = self.world.network(site).and_then(|view| view.holders(packet.destination).first().copied());
            return (Arrival::Site(site, holder), packet);
        }
        if is_public(packet.destination) && !self.in_some_network(packet.destination) {
            self.story.note(format!("how `{site}` reaches the internet is not part of the design: it is taken to"));
            return self.from_internet(packet);
        }
        let knows = design.networks.get(site).and_then(|network| network.knows.as_ref());
        let gateways = design
            .networks
            .iter()
            .filter(|(_, network)| network.gateway.as_ref().is_some_and(|gateway| gateway.connects.contains(site)));
        let mut told_by = None;
        for (name, _) in gateways {
            let Some(view) = self.world.network(name) else { continue };
            if view.contains(packet.destination) {
                told_by = Some((name, None));
                break;
            }
            let lends = view.peers.iter().find(|(peer, peering)| {
                peering.lends_gateway() == Some(name)
                    && design.shown(peering, peer).iter().any(|prefix| prefix.contains(packet.destination))
            });
            if let Some((peer, _)) = lends {
                told_by = Some((name, Some(*peer)));
            }
        }
        let verdict = self.lost();
        let object = format!("networks.{site}.knows");
        if knows.is_some_and(|known| !known.iter().any(|range| range.contains(packet.destination))) {
            let because = format!("routers of `{site}` know no way to {}", packet.destination);
            self.story.obstacle(
                self.direction,
                verdict,
                Decision::new(Owner::RemoteRouter, object, because),
                format!(
                    "have the routers of `{site}` accept the range, or translate the source to an address they know"
                ),
            );
            return (Arrival::Nowhere, packet);
        }
        let Some((gateway, peer)) = told_by else {
            let because = format!("no gateway tells `{site}` a way to {}", packet.destination);
            self.story.obstacle(
                self.direction,
                verdict,
                Decision::new(Owner::RemoteRouter, format!("networks.{site}"), because),
                "show the range over the gateway (peering with gateway transit), or translate the source",
            );
            return (Arrival::Nowhere, packet);
        };
        self.story.hop(
            self.direction,
            format!("site {site}"),
            format!("over the gateway of `{gateway}`"),
            (Owner::RemoteRouter, object),
            packet,
            packet,
        );
        let to = peer.unwrap_or(gateway);
        // A route table on the gateway's own subnet decides what comes in over it.
        let subnet = design.networks.get(gateway).and_then(|network| {
            network.subnets.keys().find(|name| name.as_str().eq_ignore_ascii_case("GatewaySubnet"))
        });
        if subnet.is_some() {
            let spot = Spot { network: gateway, subnet, pool: None, forwarded: false, endpoint: false };
            return self.on(spot, packet);
        }
        match self.deliver(to, packet) {
            Ok(arrival) => arrival,
            Err((spot, packet)) => self.on(spot, packet),
        }
    }

    fn from_internet(&mut self, packet: Packet) -> (Arrival<'a>, Packet) {
        if self.direction == Direction::Reply {
            let found = self.story.rewrites.iter().rev().find(|rewrite| reversed(&rewrite.after) == packet).cloned();
            let Some(rewrite) = found else { return (Arrival::Internet(None), packet) };
            let after = reversed(&rewrite.before);
            if let Keeper::Appliance(name) = &rewrite.keeper
                && let Some((name, firewall)) = self.world.design.firewalls.get_key_value(name)
                && let Some(network) = firewall.subnet.as_ref().map(|subnet| &subnet.network)
            {
                let (spot, packet) = self.undone(name, firewall, network, &rewrite, packet);
                return self.on(spot, packet);
            }
            let at = keeper_words(&rewrite.keeper);
            self.story.hop(
                self.direction,
                at,
                "its own translation undone",
                (rewrite.by, String::new()),
                packet,
                after,
            );
            let home = self.home(&rewrite.keeper, after.destination);
            return match home {
                Some(network) => match self.deliver(network, after) {
                    Ok(arrival) => arrival,
                    Err((spot, packet)) => self.on(spot, packet),
                },
                None => (Arrival::Nowhere, after),
            };
        }
        let holders = self.world.public_holders(packet.destination);
        let verdict = self.lost();
        match holders.first().copied() {
            Some(Holder::Firewall(name, firewall)) => {
                let rule = firewall.dnat.iter().enumerate().find(|(_, rule)| {
                    rule.public_ip.is_none_or(|ip| ip == packet.destination)
                        && rule.port == packet.destination_port
                        && rule.protocol.is_none_or(|protocol| of_model(protocol) == Some(packet.protocol))
                });
                let Some((at, rule)) = rule else {
                    let because = format!(
                        "firewall `{name}` sends port {} of {} nowhere",
                        packet.destination_port, packet.destination
                    );
                    self.story.obstacle(
                        self.direction,
                        verdict,
                        Decision::new(owner_of(firewall), format!("firewalls.{name}.dnat"), because),
                        "write a `dnat` rule",
                    );
                    return (Arrival::Nowhere, packet);
                };
                let Some(to) = rule.to else {
                    self.story.lacks(Missing::new(
                        format!("where rule `{}` of firewall `{name}` leads", rule.name),
                        "write `to` of the rule",
                    ));
                    return (Arrival::Nowhere, packet);
                };
                // What a firewall sends on from outside comes from its own address (it is the only way the answer comes back over it).
                let source = firewall.private_ip.unwrap_or(packet.source);
                let after = Packet { source, destination: to, destination_port: rule.to_port, ..packet };
                let object = format!("firewalls.{name}.dnat.{at}");
                self.story.hop(
                    self.direction,
                    format!("firewall {name}"),
                    format!("destination translated to {to}:{}", rule.to_port),
                    (owner_of(firewall), object),
                    packet,
                    after,
                );
                self.story.remember(Keeper::Appliance(name.clone()), owner_of(firewall), packet, after);
                self.story.pass(Keeper::Appliance(name.clone()), after);
                let Some(network) = firewall.subnet.as_ref().map(|subnet| &subnet.network) else {
                    return (Arrival::Nowhere, after);
                };
                let spot = self.behind(firewall, network);
                self.on(Spot { forwarded: false, ..spot }, after)
            }
            Some(holder @ Holder::Frontend(cluster, _)) => {
                let network =
                    self.world.design.clusters.get(cluster).and_then(|cluster| cluster.networks().into_iter().next());
                match network {
                    Some(network) => (Arrival::At { network, subnet: None, holder: Some(holder) }, packet),
                    None => (Arrival::Nowhere, packet),
                }
            }
            Some(holder @ Holder::Host(..)) => (Arrival::Internet(Some(holder)), packet),
            Some(holder @ Holder::Ingress(cluster, _)) => {
                let network =
                    self.world.design.clusters.get(cluster).and_then(|cluster| cluster.networks().into_iter().next());
                network.map_or((Arrival::Nowhere, packet), |network| {
                    (Arrival::At { network, subnet: None, holder: Some(holder) }, packet)
                })
            }
            Some(Holder::NatGateway(name)) => {
                let because = format!("NAT gateway `{name}` lets nothing in that it has not let out");
                self.story.obstacle(
                    self.direction,
                    verdict,
                    Decision::new(Owner::NatGateway, format!("natGateways.{name}"), because),
                    "publish the service with a load balancer",
                );
                (Arrival::Nowhere, packet)
            }
            Some(_) => {
                let because =
                    format!("nothing listens behind {}: it is an address for what goes out", packet.destination);
                self.story.obstacle(
                    self.direction,
                    verdict,
                    Decision::new(Owner::LoadBalancer, String::new(), because),
                    "publish a service at it",
                );
                (Arrival::Nowhere, packet)
            }
            None if is_public(packet.destination) => (Arrival::Internet(None), packet),
            None => {
                let because =
                    format!("{} is a private address: nobody on the internet has a route to it", packet.destination);
                self.story.obstacle(
                    self.direction,
                    verdict,
                    Decision::new(Owner::SystemRoute, String::new(), because),
                    "publish a public address: a load balancer, an ingress or a firewall rule",
                );
                (Arrival::Nowhere, packet)
            }
        }
    }

    fn home(&self, keeper: &Keeper, address: IpAddr) -> Option<&'a NetworkName> {
        let design = self.world.design;
        let contains = |name: &&'a NetworkName| self.world.network(name).is_some_and(|view| view.contains(address));
        match keeper {
            Keeper::LoadBalancer(cluster) => design.clusters.get(cluster)?.networks().into_iter().find(contains),
            Keeper::NatGateway(gateway) => design
                .networks
                .iter()
                .filter(|(_, network)| {
                    network.subnets.values().any(|subnet| subnet.nat_gateway.as_ref() == Some(gateway))
                })
                .map(|(name, _)| name)
                .find(contains),
            _ => design.networks.keys().find(contains),
        }
    }

    /// Out to the internet.
    fn out(&mut self, spot: &Spot<'a>, packet: Packet) -> (Arrival<'a>, Packet) {
        let verdict = self.lost();
        if self.direction == Direction::Reply {
            // An answer leaves as what its request came in as.
            return match self.story.rewrites.iter().rev().find(|rewrite| reversed(&rewrite.after) == packet).cloned() {
                Some(rewrite) => {
                    let after = reversed(&rewrite.before);
                    self.story.hop(
                        self.direction,
                        keeper_words(&rewrite.keeper),
                        "its own translation undone",
                        (rewrite.by, String::new()),
                        packet,
                        after,
                    );
                    (Arrival::Internet(None), after)
                }
                None => (Arrival::Internet(None), packet),
            };
        }
        let own_public = is_public(packet.source) && !self.in_some_network(packet.source);
        if own_public && is_public(packet.destination) {
            // An appliance already gave it a public address of its own.
            let holder = self.world.public_holders(packet.destination).first().copied();
            return (Arrival::Internet(holder), packet);
        }
        if !is_public(packet.destination) {
            let because = format!("{} is a private address: the internet has no way to it", packet.destination);
            self.story.obstacle(
                self.direction,
                verdict,
                Decision::new(Owner::SystemRoute, String::new(), because),
                "route it to whoever knows it",
            );
            return (Arrival::Nowhere, packet);
        }
        let subnet = spot.subnet.and_then(|subnet| self.world.design.networks.get(spot.network)?.subnets.get(subnet));
        let holder = self.world.public_holders(packet.destination).first().copied();
        let leave =
            |this: &mut Self, keeper: Keeper, owner: Owner, object: String, known: Option<IpAddr>, what: &str| {
                let source = known.unwrap_or_else(|| {
                    let address = stand_in::on_internet(this.world, packet.source.is_ipv6());
                    this.story.note(format!("the public address of {what} is not known: {address} stands for it"));
                    address
                });
                let after = Packet { source, ..packet };
                this.story.hop(
                    this.direction,
                    what.to_owned(),
                    format!("source translated to {source}"),
                    (owner, object),
                    packet,
                    after,
                );
                this.story.remember(keeper, owner, packet, after);
                (Arrival::Internet(holder), after)
            };
        let known = |ips: &[IpAddr]| ips.iter().copied().find(|ip| same_family(*ip, packet.source));
        if let Some(name) = subnet.and_then(|subnet| subnet.nat_gateway.as_ref()) {
            let gateway = self.world.design.nat_gateways.get(name);
            if packet.protocol == Transport::Icmp {
                let because = format!("NAT gateway `{name}` carries TCP and UDP only");
                self.story.obstacle(
                    self.direction,
                    verdict,
                    Decision::new(Owner::NatGateway, format!("natGateways.{name}"), because),
                    "ask over TCP",
                );
            }
            self.story
                .idle_timeout(u64::from(gateway.and_then(|gateway| gateway.idle_timeout_minutes).unwrap_or(4)) * 60);
            let ips = gateway.map_or(&[][..], |gateway| &gateway.public_ips);
            return leave(
                self,
                Keeper::NatGateway(name.clone()),
                Owner::NatGateway,
                format!("natGateways.{name}"),
                known(ips),
                &format!("NAT gateway {name}"),
            );
        }
        let Some((cluster, pool)) = spot.pool else {
            self.story.note("the machine leaves through the platform's default access, or a public address of its own");
            return leave(self, Keeper::Platform, Owner::Platform, String::new(), None, "the machine");
        };
        let Some(value) = self.world.design.clusters.get(cluster) else { return (Arrival::Nowhere, packet) };
        if value.pools.get(pool).is_some_and(|pool| pool.node_public_ip) {
            return leave(
                self,
                Keeper::Platform,
                Owner::Platform,
                format!("clusters.{cluster}.pools.{pool}.nodePublicIp"),
                None,
                "the node",
            );
        }
        let object = format!("clusters.{cluster}.outbound");
        match value.outbound.kind {
            OutboundType::LoadBalancer => {
                self.story.idle_timeout(u64::from(value.outbound.idle_timeout_minutes.unwrap_or(30)) * 60);
                leave(
                    self,
                    Keeper::LoadBalancer(cluster.clone()),
                    Owner::LoadBalancer,
                    object,
                    known(&value.outbound.public_ips),
                    &format!("load balancer of {cluster}"),
                )
            }
            OutboundType::ManagedNatGateway
            | OutboundType::ManagedNatGatewayV2
            | OutboundType::UserAssignedNatGateway => {
                self.story.idle_timeout(u64::from(value.outbound.idle_timeout_minutes.unwrap_or(4)) * 60);
                leave(
                    self,
                    Keeper::LoadBalancer(cluster.clone()),
                    Owner::NatGateway,
                    object,
                    known(&value.outbound.public_ips),
                    &format!("NAT gateway of {cluster}"),
                )
            }
            kind => {
                let because = format!(
                    "with outbound type `{kind}` nothing takes packets to the internet, and no route leads to an appliance"
                );
                self.story.obstacle(
                    self.direction,
                    verdict,
                    Decision::new(Owner::SystemRoute, object, because),
                    "add a default route to an appliance, or choose another outbound type",
                );
                (Arrival::Nowhere, packet)
            }
        }
    }

    fn route(&mut self, spot: &Spot<'a>, packet: &Packet) -> Chosen<'a> {
        let dst = packet.destination;
        let design = self.world.design;
        let mut best: Option<((u8, u8), Chosen<'a>)> = None;
        let mut consider = |prefix: Cidr, rank: u8, chosen: Chosen<'a>| {
            if !prefix.contains(dst) {
                return;
            }
            let key = (prefix.prefix_len(), rank);
            if best.as_ref().is_none_or(|(known, _)| key > *known) {
                best = Some((key, chosen));
            }
        };
        let system = |leads, object: String, because: String| Chosen {
            leads,
            owner: Owner::SystemRoute,
            object,
            rule: None,
            because,
        };
        let Some(view) = self.world.network(spot.network) else {
            return system(Leads::Nowhere, String::new(), "the network is not described".to_owned());
        };
        let subnet = spot.subnet.and_then(|subnet| view.network.subnets.get(subnet));
        let table = subnet.and_then(|subnet| subnet.route_table.as_ref()).filter(|_| !spot.endpoint);
        let mut bgp = true;
        let mut endpoint_prefix = None;
        // Private endpoints of the network and its direct peers have a route of their own.
        for (network, _) in
            std::iter::once((view.name, None)).chain(view.peers.iter().map(|(peer, peering)| (*peer, Some(*peering))))
        {
            let holders = self.world.network(network).map_or(&[][..], |view| view.holders(dst));
            if let Some(Holder::PrivateEndpoint(name, endpoint)) =
                holders.iter().find(|holder| matches!(holder, Holder::PrivateEndpoint(..)))
            {
                let policies = design.subnet(&endpoint.subnet).and_then(|subnet| subnet.private_endpoint_policies);
                if !matches!(policies, Some(PrivateEndpointPolicies::RouteTable | PrivateEndpointPolicies::Enabled)) {
                    endpoint_prefix = Some((*name, network));
                }
            }
        }
        if let Some(name) = table {
            match design.route_tables.get(name) {
                Some(table) if table.known => {
                    bgp = table.bgp_propagation != Some(false);
                    for (at, route) in table.routes.iter().enumerate() {
                        let RoutePrefix::Cidr(prefix) = &route.prefix else { continue };
                        let (leads, words) = match route.next_hop {
                            NextHop::Appliance(ip) => (Leads::Appliance(ip), format!("to the appliance {ip}")),
                            NextHop::UnknownAppliance => (Leads::UnknownAppliance, "to an appliance".to_owned()),
                            NextHop::Internet => (Leads::Internet, "to the internet".to_owned()),
                            NextHop::Vnet => (Leads::Vnet, "within the network".to_owned()),
                            NextHop::Gateway => (
                                gateway_of(self.world, view.name).map_or(Leads::Nowhere, Leads::Gateway),
                                "to the gateway".to_owned(),
                            ),
                            NextHop::None => (Leads::Nowhere, "nowhere".to_owned()),
                        };
                        let because = format!("route `{}` of table `{name}` leads {prefix} {words}", route.name);
                        consider(
                            *prefix,
                            3,
                            Chosen {
                                leads,
                                owner: Owner::Udr,
                                object: format!("routeTables.{name}.routes.{at}"),
                                rule: Some(route.name.clone()),
                                because,
                            },
                        );
                    }
                }
                _ => self.story.lacks(Missing::new(
                    format!("the routes of table `{name}`"),
                    "import it (`az network route-table list -o json`)",
                )),
            }
        }
        for prefix in &view.network.prefixes {
            consider(
                *prefix,
                1,
                system(Leads::Vnet, format!("networks.{}", view.name), format!("{prefix} is in the network")),
            );
        }
        for (peer, peering) in view.peers.iter().filter(|(_, peering)| peering.connected) {
            for prefix in design.shown(peering, peer) {
                consider(
                    *prefix,
                    1,
                    system(
                        Leads::Peer(peer, peering),
                        self.peering_path(peering),
                        format!("{prefix} is shown by the peer `{peer}`"),
                    ),
                );
            }
        }
        if bgp {
            let lends = |(_, peering): &&(&'a NetworkName, &'a Peering)| {
                peering.lends_gateway().is_some_and(|lender| lender != view.name)
            };
            let lent = view.peers.iter().filter(lends).map(|(peer, _)| *peer);
            for gateway in std::iter::once(view.name).chain(lent) {
                let Some(value) = design.networks.get(gateway).and_then(|network| network.gateway.as_ref()) else {
                    continue;
                };
                for site in value.connects.iter().filter_map(|site| design.networks.get(site)) {
                    for prefix in &site.prefixes {
                        consider(
                            *prefix,
                            2,
                            system(
                                Leads::Gateway(gateway),
                                format!("networks.{gateway}.gateway"),
                                format!("the gateway of `{gateway}` leads to {prefix}"),
                            ),
                        );
                    }
                }
            }
        }
        let within = |range: &Cidr| view.network.prefixes.iter().any(|prefix| prefix.covers(range));
        if Family::of(dst) == Family::V4 {
            for (net, len) in [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16), ([100, 64, 0, 0], 10)]
            {
                let range = Cidr::v4(net, len);
                if !within(&range) {
                    consider(
                        range,
                        1,
                        system(
                            Leads::Nowhere,
                            String::new(),
                            format!("the platform drops what goes to {range} and has no better route"),
                        ),
                    );
                }
            }
        }
        let everything = Family::of(dst).everything();
        consider(
            everything,
            1,
            system(Leads::Internet, String::new(), "the platform's default route leads to the internet".to_owned()),
        );
        if let Some((name, network)) = endpoint_prefix {
            let because = format!("private endpoint `{name}` has a route of its own, /32");
            let leads = if network == view.name {
                Leads::Vnet
            } else {
                let peer = view.peers.iter().find(|(peer, _)| *peer == network);
                peer.map_or(Leads::Vnet, |(peer, peering)| Leads::Peer(peer, peering))
            };
            return Chosen {
                leads,
                owner: Owner::PrivateEndpointRoute,
                object: format!("privateEndpoints.{name}"),
                rule: None,
                because,
            };
        }
        best.map_or_else(|| system(Leads::Nowhere, String::new(), "no route".to_owned()), |(_, chosen)| chosen)
    }

    fn filter_subnet(&mut self, network: &'a NetworkName, subnet: Option<&'a SubnetName>, out: bool, packet: &Packet) {
        let group =
            subnet.and_then(|subnet| self.world.design.networks.get(network)?.subnets.get(subnet)?.nsg.as_ref());
        if let Some(group) = group {
            self.filter(group, model_direction(out), packet, network, &subnet_words(network, subnet));
        }
    }

    /// A security group. What answers something that passed passes.
    fn filter(
        &mut self,
        name: &SecurityGroupName,
        way: causeway_model::design::Direction,
        packet: &Packet,
        network: &'a NetworkName,
        at: &str,
    ) {
        if self.direction == Direction::Reply {
            return;
        }
        let Some(group) = self.world.design.security_groups.get(name).filter(|group| group.known) else {
            return self.story.lacks(Missing::new(
                format!("the rules of security group `{name}`"),
                "import it (`az network nsg list -o json`)",
            ));
        };
        if let Some(tag) = platform_tag(packet) {
            return self.platform_filter(name, group, way, packet, tag);
        }
        let mut rules: Vec<(usize, &SecurityRule)> =
            group.rules.iter().enumerate().filter(|(_, rule)| rule.direction == way).collect();
        rules.sort_by_key(|(place, rule)| (rule.priority, *place));
        for (place, rule) in rules {
            let protocol = rule.protocol.is_none_or(|protocol| of_model(protocol) == Some(packet.protocol));
            let has_ports = matches!(packet.protocol, Transport::Tcp | Transport::Udp);
            let ports = rule
                .ports
                .iter()
                .any(|port| *port == PortMatch::Any || (has_ports && port.contains(packet.destination_port)));
            let sources = rule.source_ports.is_empty()
                || rule
                    .source_ports
                    .iter()
                    .any(|port| *port == PortMatch::Any || (has_ports && port.contains(packet.source_port)));
            if !(protocol && (ports || rule.ports.is_empty()) && sources) {
                continue;
            }
            let source = self.matches(&rule.source, packet.source, network);
            let destination = self.matches(&rule.destination, packet.destination, network);
            match (source, destination) {
                (Some(false), _) | (_, Some(false)) => continue,
                (Some(true), Some(true)) => {}
                _ => {
                    return self.story.lacks(Missing::new(
                        format!(
                            "whether rule `{}` of security group `{name}` matches {} to {}",
                            rule.name, packet.source, packet.destination
                        ),
                        "write prefixes instead of tags and groups whose addresses are not known",
                    ));
                }
            }
            if rule.access == Access::Deny {
                let because = format!("rule `{}` ({}) of security group `{name}` denies it", rule.name, rule.priority);
                let object = format!("networkSecurityGroups.{name}.rules.{place}");
                let fix = format!(
                    "allow {} to {} port {} before priority {}",
                    packet.source, packet.destination, packet.destination_port, rule.priority
                );
                self.story.obstacle(
                    self.direction,
                    Verdict::Dropped,
                    Decision::new(Owner::Nsg, object, because).rule(rule.name.clone()),
                    fix,
                );
            }
            let _ = at;
            return;
        }
        let inside = |address: IpAddr| self.in_virtual_network(address, network);
        let passes = match way {
            causeway_model::design::Direction::Outbound => {
                (inside(packet.source) && inside(packet.destination))
                    || (is_public(packet.destination) && !inside(packet.destination))
            }
            causeway_model::design::Direction::Inbound => {
                (inside(packet.source) && inside(packet.destination))
                    || packet.source == IpAddr::V4(special::PLATFORM_DNS.value)
            }
        };
        if !passes {
            let rule = match way {
                causeway_model::design::Direction::Outbound => "DenyAllOutBound",
                causeway_model::design::Direction::Inbound => "DenyAllInBound",
            };
            let because = format!("no rule of security group `{name}` allows it: `{rule}` denies it");
            let fix = format!("allow {} to {} port {}", packet.source, packet.destination, packet.destination_port);
            self.story.obstacle(
                self.direction,
                Verdict::Dropped,
                Decision::new(Owner::Nsg, format!("networkSecurityGroups.{name}"), because).rule(rule),
                fix,
            );
        }
    }

    /// The platform's own services are behind no security group but rules that name their tag.
    fn platform_filter(
        &mut self,
        name: &SecurityGroupName,
        group: &SecurityGroup,
        way: causeway_model::design::Direction,
        packet: &Packet,
        tag: &str,
    ) {
        let names = |rule: &SecurityRule| {
            rule.destination
                .iter()
                .any(|item| matches!(item, AddressMatch::Tag(known) if known.eq_ignore_ascii_case(tag)))
        };
        let mut rules: Vec<(usize, &SecurityRule)> =
            group.rules.iter().enumerate().filter(|(_, rule)| rule.direction == way && names(rule)).collect();
        rules.sort_by_key(|(place, rule)| (rule.priority, *place));
        let Some((place, rule)) = rules.first().filter(|(_, rule)| rule.access == Access::Deny) else { return };
        let because = format!("rule `{}` of security group `{name}` denies `{tag}`", rule.name);
        let object = format!("networkSecurityGroups.{name}.rules.{place}");
        let decision = Decision::new(Owner::Nsg, object, because).rule(rule.name.clone());
        let fix = format!("allow {} before priority {}", packet.destination, rule.priority);
        self.story.obstacle(self.direction, Verdict::Dropped, decision, fix);
    }

    fn matches(&self, list: &[AddressMatch], address: IpAddr, network: &'a NetworkName) -> Option<bool> {
        if list.is_empty() {
            return Some(true);
        }
        let mut unknown = false;
        for item in list {
            match item {
                AddressMatch::Any => return Some(true),
                AddressMatch::Cidr(cidr) if cidr.contains(address) => return Some(true),
                AddressMatch::Cidr(_) => {}
                AddressMatch::Tag(tag) => match tag.to_ascii_lowercase().as_str() {
                    "virtualnetwork" if self.in_virtual_network(address, network) => return Some(true),
                    "internet" if !self.in_virtual_network(address, network) && is_public(address) => {
                        return Some(true);
                    }
                    "azureloadbalancer" if address == IpAddr::V4(special::PLATFORM_DNS.value) => return Some(true),
                    "virtualnetwork" | "internet" | "azureloadbalancer" => {}
                    _ if is_public(address) => unknown = true,
                    _ => {}
                },
                AddressMatch::ApplicationSecurityGroup(_) => unknown = unknown || !is_public(address),
            }
        }
        if unknown { None } else { Some(false) }
    }

    /// The tag `VirtualNetwork`: the network, its peers, sites behind gateways, and pods of overlays on it.
    fn in_virtual_network(&self, address: IpAddr, network: &'a NetworkName) -> bool {
        let design = self.world.design;
        let Some(view) = self.world.network(network) else { return false };
        if view.contains(address) || address == IpAddr::V4(special::PLATFORM_DNS.value) {
            return true;
        }
        let of_site = |network: &NetworkName| {
            let gateway = design.networks.get(network).and_then(|network| network.gateway.as_ref());
            gateway
                .into_iter()
                .flat_map(|gateway| &gateway.connects)
                .filter_map(|site| design.networks.get(site))
                .any(|site| site.prefixes.iter().any(|prefix| prefix.contains(address)))
        };
        if of_site(view.name) {
            return true;
        }
        let by_peer = view.peers.iter().any(|(peer, peering)| {
            design.shown(peering, peer).iter().any(|prefix| prefix.contains(address))
                || (peering.lends_gateway() == Some(*peer) && of_site(peer))
        });
        by_peer
            || self
                .world
                .clusters()
                .any(|cluster| cluster.in_pod_cidr(address) && cluster.cluster.networks().contains(network))
    }
}

/// The service tag of a platform service a packet is for.
fn platform_tag(packet: &Packet) -> Option<&'static str> {
    if packet.destination == IpAddr::V4(special::METADATA.value) {
        Some("AzurePlatformIMDS")
    } else if packet.destination == IpAddr::V4(special::PLATFORM_DNS.value) {
        Some("AzurePlatformDNS")
    } else {
        None
    }
}

fn model_direction(out: bool) -> causeway_model::design::Direction {
    if out { causeway_model::design::Direction::Outbound } else { causeway_model::design::Direction::Inbound }
}

fn gateway_of<'a>(world: &World<'a>, network: &'a NetworkName) -> Option<&'a NetworkName> {
    let design = world.design;
    if design.networks.get(network)?.gateway.is_some() {
        return Some(network);
    }
    let lends = world.network(network)?.peers.iter().find(|(peer, peering)| peering.lends_gateway() == Some(*peer));
    lends.map(|(peer, _)| *peer)
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
