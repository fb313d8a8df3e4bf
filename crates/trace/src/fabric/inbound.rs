//! From the internet: who is behind a public address.

use super::walk::{Stand, Step, Walk};
use super::{Arrival, stopped};
use crate::answer::{Decision, Direction, Missing, Owner};
use crate::story::{Keeper, reversed};
use crate::who::is_public;
use crate::world::Holder;
use causeway_dataplane::packet::Packet;
use causeway_model::design::{ClusterName, Firewall, FirewallName, NetworkName};
use std::net::IpAddr;

impl<'a> Walk<'_, 'a, '_> {
    /// A packet that comes in from the internet.
    pub(super) fn in_from_internet(&mut self, packet: Packet) -> (Arrival<'a>, Packet) {
        if self.direction == Direction::Reply
            && let Some(end) = self.translated_back(packet)
        {
            return end;
        }
        let holder = self.on_internet(packet.destination);
        match holder {
            Some(Holder::Firewall(name, firewall)) => self.at_public_firewall(name, firewall, packet),
            Some(Holder::Frontend(cluster, _)) => {
                let networks = self.world.design.clusters.get(cluster).map(|cluster| cluster.networks());
                match networks.and_then(|networks| networks.into_iter().next()) {
                    Some(network) => (Arrival::At { network, subnet: None, holder }, packet),
                    None => self.homeless(cluster, packet),
                }
            }
            Some(Holder::Ingress(cluster, ingress)) => match &ingress.subnet {
                Some(subnet) => {
                    self.filters_in(&subnet.network, Some(&subnet.subnet), holder, &packet);
                    (Arrival::At { network: &subnet.network, subnet: Some(&subnet.subnet), holder }, packet)
                }
                None => match self
                    .world
                    .design
                    .clusters
                    .get(cluster)
                    .and_then(|cluster| cluster.networks().into_iter().next())
                {
                    Some(network) => (Arrival::At { network, subnet: None, holder }, packet),
                    None => self.homeless(cluster, packet),
                },
            },
            Some(Holder::NatGateway(name)) => {
                let decision = Decision::new(
                    Owner::NatGateway,
                    format!("natGateways.{name}"),
                    format!("NAT gateway `{name}` lets in answers only"),
                );
                self.refuse(decision, "publish the service with a load balancer or a firewall rule", packet)
            }
            Some(Holder::Outbound(cluster)) => {
                let because =
                    format!("{} is an outbound address of `{cluster}`: it lets in answers only", packet.destination);
                let decision = Decision::new(Owner::LoadBalancer, format!("clusters.{cluster}.outbound"), because);
                self.refuse(decision, "publish the service with a frontend of its own", packet)
            }
            holder if is_public(packet.destination) => (Arrival::Internet(holder), packet),
            _ => self.refuse_private(packet),
        }
    }

    fn refuse(&mut self, decision: Decision, fix: &str, packet: Packet) -> (Arrival<'a>, Packet) {
        self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
        (Arrival::Nowhere, packet)
    }

    fn homeless(&mut self, cluster: &ClusterName, packet: Packet) -> (Arrival<'a>, Packet) {
        self.story.lacks(Missing::new(
            format!("the network of cluster `{cluster}`"),
            format!("write the subnets of its pools (clusters.{cluster}.pools)"),
        ));
        (Arrival::Nowhere, packet)
    }

    /// An answer to a request that left with this address.
    fn translated_back(&mut self, packet: Packet) -> Option<(Arrival<'a>, Packet)> {
        let rewrite = self
            .story
            .rewrites
            .iter()
            .rev()
            .find(|rewrite| rewrite.at.is_some() && reversed(&rewrite.after) == packet)?;
        let after = reversed(&rewrite.before);
        let (keeper, by, at) = (rewrite.keeper.clone(), rewrite.by, rewrite.at.clone()?);
        let network = self.world.design.networks.get_key_value(&at).map(|(name, _)| name)?;
        if let Keeper::Appliance(name) = &keeper
            && let Some((name, firewall)) = self.world.design.firewalls.get_key_value(name)
        {
            return Some(self.go_on((name, firewall, network), packet));
        }
        let (place, object) = match &keeper {
            Keeper::NatGateway(name) => (format!("NAT gateway {name}"), format!("natGateways.{name}")),
            Keeper::LoadBalancer(name) if by == Owner::NatGateway => {
                (format!("NAT gateway of {name}"), format!("clusters.{name}.outbound"))
            }
            Keeper::LoadBalancer(name) => (format!("load balancer of {name}"), format!("clusters.{name}.outbound")),
            _ => (format!("network {network}"), String::new()),
        };
        self.story.hop(self.direction, place, "translates the answer back", (by, object), packet, after);
        if let Keeper::UnknownAppliance(ip) = keeper {
            let subnet = self.world.network(network).and_then(|view| view.subnet_of(ip)).map(|(name, _)| name);
            return Some(self.run(Stand::at(network, subnet, None), after));
        }
        // The platform brings it to the machine without asking any table.
        let step = self.arrive(network, after);
        Some(self.finish(step))
    }

    fn finish(&mut self, step: Step<'a>) -> (Arrival<'a>, Packet) {
        match step {
            Step::Done(arrival, packet) => (arrival, packet),
            Step::On(stand, packet) => self.run(stand, packet),
        }
    }

    fn go_on(
        &mut self,
        (name, firewall, network): (&'a FirewallName, &'a Firewall, &'a NetworkName),
        packet: Packet,
    ) -> (Arrival<'a>, Packet) {
        let step = self.appliance(name, firewall, network, packet);
        self.finish(step)
    }

    fn at_public_firewall(
        &mut self,
        name: &'a FirewallName,
        firewall: &'a Firewall,
        packet: Packet,
    ) -> (Arrival<'a>, Packet) {
        let Some(home) = self.home_of(firewall) else {
            self.story.lacks(Missing::new(
                format!("the network firewall `{name}` stands in"),
                format!("write it at firewalls.{name}.subnet"),
            ));
            return (Arrival::Nowhere, packet);
        };
        if self.direction == Direction::Forward {
            if let Some(rule) = self.redirection(firewall, &packet) {
                let step = self.redirect(name, firewall, home, rule, packet);
                return self.finish(step);
            }
            if firewall.dnat.iter().any(|rule| rule.public_ip.is_none() && rule.port == packet.destination_port) {
                self.story.lacks(Missing::new(
                    format!("which public address the inbound rules of firewall `{name}` are for"),
                    format!("write it at firewalls.{name}.dnat"),
                ));
            }
        }
        let because =
            format!("no inbound rule of `{name}` is for {} port {}", packet.destination, packet.destination_port);
        let decision = Decision::new(super::appliance::owner(firewall), format!("firewalls.{name}.dnat"), because);
        let fix = format!("add an inbound rule to `{name}` that says where such packets go");
        self.refuse(decision, &fix, packet)
    }

    fn home_of(&self, firewall: &'a Firewall) -> Option<&'a NetworkName> {
        if let Some(subnet) = &firewall.subnet {
            return Some(&subnet.network);
        }
        let ip = firewall.private_ip?;
        self.owners(ip).into_iter().next()
    }

    fn owners(&self, address: IpAddr) -> Vec<&'a NetworkName> {
        let networks = self.world.design.networks.iter();
        networks
            .filter(|(_, network)| network.prefixes.iter().any(|prefix| prefix.contains(address)))
            .map(|(name, _)| name)
            .collect()
    }

    /// Nobody on the internet has a route to a private address.
    fn refuse_private(&mut self, packet: Packet) -> (Arrival<'a>, Packet) {
        let because = format!("{} is a private address: nobody on the internet reaches it", packet.destination);
        let decision = Decision::new(Owner::SystemRoute, "", because);
        let fix = "publish it with a public frontend or an inbound rule of a firewall, or come in through a gateway";
        self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
        match self.owners(packet.destination).as_slice() {
            [network] => {
                let step = self.arrive(network, packet);
                self.finish(step)
            }
            _ => (Arrival::Nowhere, packet),
        }
    }
}
