//! Firewalls and other appliances: rules, connections, translation.

use super::filter::{Matches, Tags, is_protocol, protocol_words};
use super::routes::Way;
use super::walk::{Stand, Step, Walk};
use super::{nobody, stopped};
use crate::answer::{Decision, Direction, Missing, Owner, Verdict};
use crate::story::Keeper;
use crate::world::Holder;
use causeway_dataplane::packet::Packet;
use causeway_model::design::{
    Access, Direction as Towards, DnatRule, Firewall, FirewallKind, FirewallName, FirewallSnat, NetworkName, SubnetName,
};

/// Whose decisions a firewall's are.
pub(crate) fn owner(firewall: &Firewall) -> Owner {
    match firewall.kind {
        FirewallKind::AzureFirewall => Owner::AzureFirewall,
        FirewallKind::Appliance => Owner::Nva,
    }
}

impl<'a> Walk<'_, 'a, '_> {
    /// A packet for somebody else reaches a firewall.
    pub(super) fn appliance(
        &mut self,
        name: &'a FirewallName,
        firewall: &'a Firewall,
        home: &'a NetworkName,
        packet: Packet,
    ) -> Step<'a> {
        let subnet = self.stands_in(firewall, home);
        let stand = Stand::at(home, subnet, Some(Holder::Firewall(name, firewall)));
        // The platform lets no security group onto its own firewall's subnet.
        let filtered = firewall.kind == FirewallKind::Appliance;
        if filtered {
            self.of_subnet(home, subnet, Towards::Inbound, &packet);
        }
        let keeper = Keeper::Appliance(name.clone());
        let after = match self.direction {
            Direction::Reply => self.answer(name, firewall, &keeper, home, packet),
            Direction::Forward => {
                self.rules(name, firewall, home, &packet);
                let after = self.translated(name, firewall, stand, packet);
                if after != packet {
                    self.story.remember_at(Some(home.clone()), keeper.clone(), owner(firewall), packet, after);
                }
                self.story.pass(keeper, after);
                after
            }
        };
        let did = match after == packet {
            true => "passes it on".to_owned(),
            false => format!("passes it on as {} to {}", after.source, after.destination),
        };
        self.story.hop(
            self.direction,
            format!("firewall {name}"),
            did,
            (owner(firewall), format!("firewalls.{name}")),
            packet,
            after,
        );
        if filtered {
            self.of_subnet(home, subnet, Towards::Outbound, &after);
        }
        Step::On(stand, after)
    }

    fn stands_in(&self, firewall: &'a Firewall, home: &NetworkName) -> Option<&'a SubnetName> {
        match (&firewall.subnet, firewall.private_ip) {
            (Some(subnet), _) => Some(&subnet.subnet),
            (None, Some(ip)) => self.world.network(home)?.subnet_of(ip).map(|(name, _)| name),
            (None, None) => None,
        }
    }

    /// An answer at a firewall: what it saw the request of passes, and is translated back.
    fn answer(
        &mut self,
        name: &FirewallName,
        firewall: &'a Firewall,
        keeper: &Keeper,
        home: &'a NetworkName,
        packet: Packet,
    ) -> Packet {
        self.story.answered.push(keeper.clone());
        if let Some(rewrite) = self.story.undo(keeper, &packet) {
            return crate::story::reversed(&rewrite.before);
        }
        if self.story.has_seen(keeper, &packet) {
            return packet;
        }
        if firewall.stateful {
            let because = format!("`{name}` gets an answer to a request it never saw, and drops it");
            let decision = Decision::new(owner(firewall), format!("firewalls.{name}"), because);
            let fix = format!(
                "lead requests through `{name}` as well, or answers past it (a route of the sender's or receiver's subnet)"
            );
            self.story.obstacle(self.direction, Verdict::AsymmetricDrop, decision, fix);
        } else {
            self.rules(name, firewall, home, &packet);
        }
        packet
    }

    /// Network rules, first match first; what none allows is denied.
    fn rules(&mut self, name: &FirewallName, firewall: &'a Firewall, home: &'a NetworkName, packet: &Packet) {
        if firewall.rules.is_empty() && firewall.policy == Some(true) {
            self.story.lacks(Missing::new(
                format!("the rules of the policy of firewall `{name}`"),
                format!("`az network firewall policy rule-collection-group list`, or write them under firewalls.{name}.rules"),
            ));
            return;
        }
        let subnet = self.stands_in(firewall, home);
        let tags = Tags { walk: self, network: home, subnet };
        let mut unclear: Vec<(usize, bool)> = Vec::new();
        let mut decided = (false, None);
        for (at, rule) in firewall.rules.iter().enumerate() {
            let known_port = match self.direction {
                Direction::Forward => packet.destination_port,
                Direction::Reply => packet.source_port,
            };
            let fits = rule.protocol.is_none_or(|wanted| is_protocol(wanted, packet.protocol))
                && (rule.ports.is_empty() || rule.ports.iter().any(|port| port.contains(known_port)));
            let matches = tags.any(&rule.source, packet.source).min(tags.any(&rule.destination, packet.destination));
            let allows = rule.access == Access::Allow;
            match matches {
                _ if !fits => {}
                Matches::No => {}
                Matches::Unclear => unclear.push((at, allows)),
                Matches::Yes => {
                    decided = (allows, Some(at));
                    break;
                }
            }
        }
        let (allows, at) = decided;
        let named = |at: usize| firewall.rules.get(at).map_or("", |rule| rule.name.as_str());
        if let Some((at, _)) = unclear.iter().find(|(_, other)| *other != allows) {
            self.story.lacks(Missing::new(
                format!(
                    "whether rule `{}` of firewall `{name}` matches {} to {}",
                    named(*at),
                    packet.source,
                    packet.destination
                ),
                "write the prefixes that its tags or groups stand for",
            ));
        }
        if allows {
            return;
        }
        let (because, object) = match at {
            Some(at) => (
                format!("rule `{}` of `{name}` denies {} to {}", named(at), packet.source, packet.destination),
                format!("firewalls.{name}.rules.{at}"),
            ),
            None => (
                format!("no rule of `{name}` allows {} to {}", packet.source, packet.destination),
                format!("firewalls.{name}"),
            ),
        };
        let decision = Decision::new(owner(firewall), object, because);
        let decision = match at {
            Some(at) => decision.rule(named(at)),
            None => decision,
        };
        let fix = format!(
            "allow {} from {} to {} port {} in the rules of `{name}`",
            protocol_words(packet.protocol),
            packet.source,
            packet.destination,
            packet.destination_port
        );
        self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
    }

    /// The packet as the firewall sends it on: to the internet as one of its public addresses, elsewhere as its private one.
    fn translated(&mut self, name: &FirewallName, firewall: &'a Firewall, stand: Stand<'a>, packet: Packet) -> Packet {
        let translates = match firewall.snat {
            FirewallSnat::Always => true,
            FirewallSnat::Never => false,
            FirewallSnat::Internet => !firewall.private_ranges.iter().any(|range| range.contains(packet.destination)),
        };
        if !translates {
            return packet;
        }
        let subnet = self.subnet(stand.network, stand.subnet);
        let (chosen, _) = self.world.routes.choose(self.world, stand.network, subnet, packet.destination);
        let leaves = chosen.way == Way::Internet && crate::who::is_public(packet.destination);
        // A NAT gateway on its subnet has the last word on the public address.
        let by_gateway = subnet.is_some_and(|(_, subnet)| subnet.nat_gateway.is_some());
        if leaves && !by_gateway {
            return Packet { source: self.public_address(name, firewall, &packet), ..packet };
        }
        match firewall.private_ip {
            Some(ip) if ip.is_ipv4() == packet.source.is_ipv4() => Packet { source: ip, ..packet },
            _ => {
                self.story.lacks(Missing::new(
                    format!("the private address of firewall `{name}`, which it translates to"),
                    format!("write it at firewalls.{name}.privateIp"),
                ));
                packet
            }
        }
    }

    fn public_address(&mut self, name: &FirewallName, firewall: &'a Firewall, packet: &Packet) -> std::net::IpAddr {
        let mut same = firewall.public_ips.iter().filter(|ip| ip.is_ipv4() == packet.source.is_ipv4());
        let Some(first) = same.next() else {
            self.story.note(format!("the public address of firewall `{name}` is not known"));
            return nobody(packet.source);
        };
        let count = same.count() + 1;
        if count > 1 || firewall.public_ip_count.is_some_and(|known| known > 1) {
            self.story
                .note(format!("firewall `{name}` leaves with any of its public addresses; {first} is one of them"));
        }
        *first
    }

    /// A packet for the firewall's own private address: an answer to what it translated, or something it redirects; `None` = neither.
    pub(super) fn at_own_address(
        &mut self,
        name: &'a FirewallName,
        firewall: &'a Firewall,
        home: &'a NetworkName,
        packet: Packet,
    ) -> Option<Step<'a>> {
        let keeper = Keeper::Appliance(name.clone());
        if self.direction == Direction::Reply {
            if self.story.undo(&keeper, &packet).is_some() {
                return Some(self.appliance(name, firewall, home, packet));
            }
            return None;
        }
        let rule = self.redirection(firewall, &packet)?;
        Some(self.redirect(name, firewall, home, rule, packet))
    }

    /// The rule that redirects a packet.
    pub(super) fn redirection(&self, firewall: &'a Firewall, packet: &Packet) -> Option<(usize, &'a DnatRule)> {
        firewall.dnat.iter().enumerate().find(|(_, rule)| {
            rule.public_ip == Some(packet.destination)
                && rule.port == packet.destination_port
                && rule.protocol.is_none_or(|wanted| is_protocol(wanted, packet.protocol))
        })
    }

    /// Redirected: Azure Firewall takes the sender's place as well, so answers come back through it.
    pub(super) fn redirect(
        &mut self,
        name: &'a FirewallName,
        firewall: &'a Firewall,
        home: &'a NetworkName,
        (at, rule): (usize, &'a DnatRule),
        packet: Packet,
    ) -> Step<'a> {
        let subnet = self.stands_in(firewall, home);
        let stand = Stand::at(home, subnet, Some(Holder::Firewall(name, firewall)));
        let Some(to) = rule.to else {
            self.story.lacks(Missing::new(
                format!("where rule `{}` of firewall `{name}` sends packets", rule.name),
                format!("write it at firewalls.{name}.dnat.{at}.to"),
            ));
            return Step::Done(super::Arrival::Nowhere, packet);
        };
        let takes_place = firewall.kind == FirewallKind::AzureFirewall || firewall.snat == FirewallSnat::Always;
        let source = match firewall.private_ip {
            Some(ip) if takes_place => ip,
            _ => packet.source,
        };
        let after = Packet { source, destination: to, destination_port: rule.to_port, ..packet };
        let keeper = Keeper::Appliance(name.clone());
        self.story.remember_at(Some(home.clone()), keeper.clone(), owner(firewall), packet, after);
        self.story.pass(keeper, after);
        let did = format!("rule `{}` sends it to {to} port {}", rule.name, rule.to_port);
        let by = (owner(firewall), format!("firewalls.{name}.dnat.{at}"));
        self.story.hop(self.direction, format!("firewall {name}"), did, by, packet, after);
        Step::On(stand, after)
    }
}
