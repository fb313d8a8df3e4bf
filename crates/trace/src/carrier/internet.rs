//! Out to the internet, and in from it.

use super::*;

impl<'a> Carrier<'_, 'a, '_> {
    pub(super) fn in_from_internet(&mut self, packet: Packet) -> (Arrival<'a>, Packet) {
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

    pub(super) fn home(&self, keeper: &Keeper, address: IpAddr) -> Option<&'a NetworkName> {
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
    pub(super) fn out(&mut self, spot: &Spot<'a>, packet: Packet) -> (Arrival<'a>, Packet) {
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
}
