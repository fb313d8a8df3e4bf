//! Through firewalls and appliances: rules, translation, and what they remember.

use super::*;

impl<'a> Carrier<'_, 'a, '_> {
    /// Through a firewall or appliance.
    pub(super) fn appliance(&mut self, spot: &Spot<'a>, ip: IpAddr, packet: Packet) -> Option<(Spot<'a>, Packet)> {
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

    pub(super) fn judge(&mut self, name: &FirewallName, firewall: &Firewall, packet: &Packet) {
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
}
