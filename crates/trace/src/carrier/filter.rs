//! Security groups.

use super::*;

impl<'a> Carrier<'_, 'a, '_> {
    pub(super) fn filter_subnet(
        &mut self,
        network: &'a NetworkName,
        subnet: Option<&'a SubnetName>,
        out: bool,
        packet: &Packet,
    ) {
        let group =
            subnet.and_then(|subnet| self.world.design.networks.get(network)?.subnets.get(subnet)?.nsg.as_ref());
        if let Some(group) = group {
            self.filter(group, model_direction(out), packet, network, &subnet_words(network, subnet));
        }
    }

    /// A security group. What answers something that passed passes.
    pub(super) fn filter(
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
    pub(super) fn platform_filter(
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

    pub(super) fn matches(&self, list: &[AddressMatch], address: IpAddr, network: &'a NetworkName) -> Option<bool> {
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
    pub(super) fn in_virtual_network(&self, address: IpAddr, network: &'a NetworkName) -> bool {
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
