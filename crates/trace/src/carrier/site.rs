//! Over gateways to sites, and from sites.

use super::*;

impl<'a> Carrier<'_, 'a, '_> {
    /// Over a gateway to the site that has the destination.
    pub(super) fn over_gateway(
        &mut self,
        gateway: &'a NetworkName,
        spot: Spot<'a>,
        packet: Packet,
    ) -> (Arrival<'a>, Packet) {
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

    pub(super) fn out_of_site(&mut self, site: &'a NetworkName, packet: Packet) -> (Arrival<'a>, Packet) {
        let design = self.world.design;
        if self.world.network(site).is_some_and(|view| view.contains(packet.destination)) {
            let holder = self.world.network(site).and_then(|view| view.holders(packet.destination).first().copied());
            return (Arrival::Site(site, holder), packet);
        }
        if is_public(packet.destination) && !self.in_some_network(packet.destination) {
            self.story.note(format!("how `{site}` reaches the internet is not part of the design: it is taken to"));
            return self.in_from_internet(packet);
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
}
