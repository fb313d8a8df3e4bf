//! From a network to the internet: by which way, and with whose address.
//!
//! A user's route comes first (the walk has asked it already), then a NAT gateway on the subnet, a public address of the machine, the
//! cluster's load balancer, the platform's default access (azure-facts `out.precedence`).

use super::routes::{Chosen, Route};
use super::walk::{Stand, Step, Walk};
use super::{Arrival, nobody, stopped};
use crate::answer::{Decision, Direction, Missing, Owner, Verdict};
use crate::story::Keeper;
use crate::who::is_public;
use crate::world::Holder;
use causeway_addr::Family;
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_model::design::{Cluster, ClusterName, NatGateway, NatGatewayName, OutboundType};
use causeway_model::facts::snat;
use std::net::IpAddr;

impl<'a> Walk<'_, 'a, '_> {
    /// The platform's edge: a packet for the internet.
    pub(super) fn outbound(&mut self, stand: Stand<'a>, chosen: &Chosen<'a>, packet: Packet) -> Step<'a> {
        let holder = self.on_internet(packet.destination);
        self.routed(stand, chosen, "to the internet", packet);
        // An answer of a frontend, or a firewall that has translated: its source is public already.
        if is_public(packet.source) || packet.source.is_unspecified() {
            return self.at_edge(holder, packet);
        }
        // Answers to what came in through a load balancer leave the way they came.
        if self.direction == Direction::Reply
            && let Some(rewrite) = self
                .story
                .rewrites
                .iter()
                .rev()
                .find(|rewrite| rewrite.at.is_some() && crate::story::reversed(&rewrite.after) == packet)
        {
            let after = crate::story::reversed(&rewrite.before);
            let by = rewrite.by;
            self.story.hop(
                self.direction,
                format!("network {}", stand.network),
                "translates the answer back",
                (by, ""),
                packet,
                after,
            );
            return self.at_edge(holder, after);
        }
        if self.direction == Direction::Reply {
            let because = format!("the answer leaves with {}, not with the address the client asked", packet.source);
            let decision = self.decision(stand, chosen, because);
            let fix = "lead answers back through whoever translated the request";
            self.story.obstacle(self.direction, Verdict::ReplyLost, decision, fix);
            return self.at_edge(holder, packet);
        }
        let subnet = self.subnet(stand.network, stand.subnet).map(|(_, subnet)| subnet);
        if let Some(name) = subnet.and_then(|subnet| subnet.nat_gateway.as_ref())
            && packet.source.is_ipv4()
        {
            return self.by_nat_gateway(stand, name, packet);
        }
        match (stand.who, stand.pool) {
            (Some(Holder::Firewall(name, firewall)), _) => {
                let because =
                    format!("`{name}` sends packets to the internet as {}, to which nobody answers", packet.source);
                let decision =
                    Decision::new(super::appliance::owner(firewall), format!("firewalls.{name}.snat"), because);
                let fix = format!("let `{name}` translate sources of packets for the internet");
                self.story.obstacle(self.direction, Verdict::ReplyLost, decision, fix);
                self.at_edge(holder, packet)
            }
            (_, Some((cluster, pool))) => match self.world.design.clusters.get(cluster) {
                Some(value) => {
                    let has_own = value.pools.get(pool).is_some_and(|pool| pool.node_public_ip);
                    let is_node = self.world.cluster(cluster).is_some_and(|view| view.node_at(packet.source).is_some());
                    if has_own && is_node {
                        return self.as_machine(stand, format!("clusters.{cluster}.pools.{pool}.nodePublicIp"), packet);
                    }
                    self.by_outbound_type(stand, chosen, cluster, value, packet)
                }
                None => self.by_default_access(stand, packet),
            },
            _ => self.by_default_access(stand, packet),
        }
    }

    fn at_edge(&mut self, holder: Option<Holder<'a>>, packet: Packet) -> Step<'a> {
        match (self.direction, holder) {
            // One of the design's own public addresses: it comes straight back in.
            (Direction::Forward, Some(Holder::Firewall(..) | Holder::Frontend(..) | Holder::Ingress(..)))
            | (Direction::Reply, Some(Holder::Firewall(..) | Holder::NatGateway(_) | Holder::Outbound(_))) => {
                let (arrival, packet) = self.in_from_internet(packet);
                Step::Done(arrival, packet)
            }
            _ if self.direction == Direction::Reply && packet.destination.is_unspecified() => {
                let (arrival, packet) = self.in_from_internet(packet);
                Step::Done(arrival, packet)
            }
            _ => Step::Done(Arrival::Internet(holder), packet),
        }
    }

    fn translate(
        &mut self,
        stand: Stand<'a>,
        keeper: Keeper,
        by: (Owner, String),
        at: String,
        address: Option<IpAddr>,
        packet: Packet,
    ) -> Step<'a> {
        let after = Packet { source: address.unwrap_or_else(|| nobody(packet.source)), ..packet };
        let did = match address {
            Some(address) => format!("translates the source to {address}"),
            None => "translates the source to a public address that is not known".to_owned(),
        };
        self.story.remember_at(Some(stand.network.clone()), keeper, by.0, packet, after);
        self.story.hop(self.direction, at, did, by, packet, after);
        let holder = self.on_internet(packet.destination);
        self.at_edge(holder, after)
    }

    fn by_nat_gateway(&mut self, stand: Stand<'a>, name: &'a NatGatewayName, packet: Packet) -> Step<'a> {
        let gateway = self.world.design.nat_gateways.get(name);
        let sku = gateway.and_then(|gateway| gateway.sku.as_deref());
        self.carried_by_nat_gateway(
            sku.map(|sku| sku.eq_ignore_ascii_case("StandardV2")),
            format!("natGateways.{name}"),
            &packet,
        );
        let minutes = gateway.and_then(|gateway| gateway.idle_timeout_minutes).map(u64::from);
        self.nat_gateway_idle(minutes, &packet);
        let address = gateway.and_then(|gateway| {
            self.one_of(&gateway.public_ips, count(gateway), &format!("NAT gateway `{name}`"), &packet)
        });
        let by = (Owner::NatGateway, format!("natGateways.{name}"));
        self.translate(stand, Keeper::NatGateway(name.clone()), by, format!("NAT gateway {name}"), address, packet)
    }

    /// Standard ones carry TCP and UDP, StandardV2 ICMP echo as well (azure-facts `snat.natgw_protocols`).
    fn carried_by_nat_gateway(&mut self, second: Option<bool>, object: String, packet: &Packet) {
        let carried = match packet.protocol {
            Protocol::Tcp | Protocol::Udp => true,
            Protocol::Icmp if second == Some(true) => true,
            Protocol::Icmp if second.is_none() => {
                self.story.lacks(Missing::new(
                    format!("the SKU of the NAT gateway at {object}: Standard carries no ICMP, StandardV2 does"),
                    "`az network nat gateway show --query sku.name`, or write its sku",
                ));
                true
            }
            _ => false,
        };
        if !carried {
            let because = format!("a NAT gateway carries no {}", super::filter::protocol_words(packet.protocol));
            let decision = Decision::new(Owner::NatGateway, object, because);
            let fix = "ask with TCP or UDP, or leave another way (StandardV2 carries ICMP echo)";
            self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
        }
    }

    fn nat_gateway_idle(&mut self, minutes: Option<u64>, packet: &Packet) {
        /// UDP is not settable (azure-facts `snat.natgw_idle`).
        const UDP: u64 = 4;
        match packet.protocol {
            Protocol::Tcp => {
                self.story.idle_timeout(60 * minutes.unwrap_or(snat::NAT_GATEWAY_IDLE_MINUTES.value.default))
            }
            Protocol::Udp => self.story.idle_timeout(60 * UDP),
            _ => {}
        }
    }

    /// One of several public addresses; `None` = none is known.
    fn one_of(&mut self, addresses: &[IpAddr], count: Option<u32>, whose: &str, packet: &Packet) -> Option<IpAddr> {
        let mut same = addresses.iter().filter(|ip| ip.is_ipv4() == packet.source.is_ipv4());
        let Some(first) = same.next() else {
            self.story.note(format!("the public address of {whose} is not known"));
            return None;
        };
        if same.next().is_some() || count.is_some_and(|count| count > 1) {
            self.story.note(format!("{whose} leaves with any of its public addresses; {first} is one of them"));
        }
        Some(*first)
    }

    /// A machine with a public address of its own, which the design does not say.
    fn as_machine(&mut self, stand: Stand<'a>, object: String, packet: Packet) -> Step<'a> {
        self.story.note("the machine's own public address is not known");
        let at = format!("network {}", stand.network);
        self.translate(stand, Keeper::Platform, (Owner::Platform, object), at, None, packet)
    }

    fn by_outbound_type(
        &mut self,
        stand: Stand<'a>,
        chosen: &Chosen<'a>,
        name: &'a ClusterName,
        cluster: &'a Cluster,
        packet: Packet,
    ) -> Step<'a> {
        let outbound = &cluster.outbound;
        let object = format!("clusters.{name}.outbound");
        let keeper = Keeper::LoadBalancer(name.clone());
        let minutes = outbound.idle_timeout_minutes.map(u64::from);
        match outbound.kind {
            OutboundType::LoadBalancer => {
                if matches!(packet.protocol, Protocol::Tcp) {
                    self.story.idle_timeout(60 * minutes.unwrap_or(snat::LB_IDLE_MINUTES.value.default));
                }
                if packet.protocol == Protocol::Icmp {
                    self.story.note("load balancer outbound rules are documented for TCP and UDP");
                }
                let in_pod_subnet = self.world.cluster(name).is_some_and(|view| view.node_at(packet.source).is_none());
                if in_pod_subnet {
                    self.story.note("which address pods of a VNet leave with through a load balancer is not documented (unk.podsubnet-lb-egress); taken to be the cluster's");
                }
                let ips = if packet.source.is_ipv6() { outbound.ipv6_ips } else { outbound.ips };
                let address =
                    self.one_of(&outbound.public_ips, ips, &format!("the load balancer of `{name}`"), &packet);
                self.translate(
                    stand,
                    keeper,
                    (Owner::LoadBalancer, object),
                    format!("load balancer of {name}"),
                    address,
                    packet,
                )
            }
            OutboundType::ManagedNatGateway | OutboundType::ManagedNatGatewayV2 => {
                let second = outbound.kind == OutboundType::ManagedNatGatewayV2;
                self.carried_by_nat_gateway(Some(second), object.clone(), &packet);
                self.nat_gateway_idle(minutes, &packet);
                let address =
                    self.one_of(&outbound.public_ips, outbound.ips, &format!("the NAT gateway of `{name}`"), &packet);
                self.translate(
                    stand,
                    keeper,
                    (Owner::NatGateway, object),
                    format!("NAT gateway of {name}"),
                    address,
                    packet,
                )
            }
            OutboundType::UserAssignedNatGateway | OutboundType::UserDefinedRouting => {
                let (owner, because, at, fix) = match outbound.kind {
                    OutboundType::UserAssignedNatGateway => (
                        Owner::NatGateway,
                        "no NAT gateway is on it, though the cluster's packets are to leave through one",
                        "natGateway",
                        "put the NAT gateway on the subnet",
                    ),
                    _ => (
                        Owner::Udr,
                        "no route leads packets for the internet to an appliance, and the cluster has no other way out",
                        "routeTable",
                        "give the subnet's route table a default route to the firewall or appliance",
                    ),
                };
                let object = match (chosen.route, stand.subnet) {
                    (Route::User(..), _) => chosen.object(stand.network),
                    (_, Some(subnet)) => format!("networks.{}.subnets.{subnet}.{at}", stand.network),
                    _ => object,
                };
                let place = super::walk::place(stand.network, stand.subnet);
                let decision = Decision::new(owner, object, format!("{place}: {because}"));
                self.no_way_out(stand, decision, fix, packet)
            }
            OutboundType::None | OutboundType::Block => {
                let owner = if outbound.kind == OutboundType::Block { Owner::Nsg } else { Owner::Platform };
                let because = format!("`{name}` has no way to the internet (outbound type {})", outbound.kind);
                let decision = Decision::new(owner, object, because);
                self.no_way_out(stand, decision, "use a private endpoint, or another outbound type", packet)
            }
        }
    }

    /// Nothing translates, unless the platform's default access does.
    fn no_way_out(&mut self, stand: Stand<'a>, decision: Decision, fix: &str, packet: Packet) -> Step<'a> {
        let subnet = self.subnet(stand.network, stand.subnet).map(|(_, subnet)| subnet);
        if subnet.and_then(|subnet| subnet.default_outbound_access) == Some(true) && decision.owner != Owner::Nsg {
            return self.by_default_access(stand, packet);
        }
        self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
        let after = Packet { source: nobody(packet.source), ..packet };
        let did = "followed as if it left with a public address";
        let at = super::walk::place(stand.network, stand.subnet);
        self.story.hop(self.direction, at, did, (Owner::Platform, ""), packet, after);
        self.story.remember_at(Some(stand.network.clone()), Keeper::Platform, Owner::Platform, packet, after);
        let holder = self.on_internet(packet.destination);
        self.at_edge(holder, after)
    }

    /// A machine without anything: the platform's default access, where the subnet has it.
    fn by_default_access(&mut self, stand: Stand<'a>, packet: Packet) -> Step<'a> {
        let object = match stand.subnet {
            Some(subnet) => format!("networks.{}.subnets.{subnet}.defaultOutboundAccess", stand.network),
            None => format!("networks.{}", stand.network),
        };
        let access = self.subnet(stand.network, stand.subnet).and_then(|(_, subnet)| subnet.default_outbound_access);
        match access {
            _ if Family::of(packet.source) == Family::V6 => {
                let because = format!("{} has no public address, and default outbound access is for IPv4", packet.source);
                let decision = Decision::new(Owner::Platform, object.clone(), because);
                self.story.obstacle(self.direction, stopped(self.direction), decision, "give it a way out for IPv6");
            }
            Some(true) => {}
            Some(false) => {
                let because = format!("{} has no way to the internet: default outbound access is off", packet.source);
                let decision = Decision::new(Owner::Platform, object.clone(), because);
                let fix = "put a NAT gateway on the subnet, or lead its packets through a firewall";
                self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
            }
            None => self.story.lacks(Missing::new(
                format!("how {} leaves for the internet", packet.source),
                format!("put a NAT gateway on the subnet, or state {object} (`az network vnet subnet show --query defaultOutboundAccess`)"),
            )),
        }
        self.story.note("the public address of the platform's default outbound access is not known");
        let at = format!("network {}", stand.network);
        self.translate(stand, Keeper::Platform, (Owner::Platform, object), at, None, packet)
    }
}

fn count(gateway: &NatGateway) -> Option<u32> {
    gateway.public_ip_count
}
