//! Which route a packet takes.

use super::*;

impl<'a> Carrier<'_, 'a, '_> {
    pub(super) fn route(&mut self, spot: &Spot<'a>, packet: &Packet) -> Chosen<'a> {
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
}

fn gateway_of<'a>(world: &World<'a>, network: &'a NetworkName) -> Option<&'a NetworkName> {
    let design = world.design;
    if design.networks.get(network)?.gateway.is_some() {
        return Some(network);
    }
    let lends = world.network(network)?.peers.iter().find(|(peer, peering)| peering.lends_gateway() == Some(*peer));
    lends.map(|(peer, _)| *peer)
}
