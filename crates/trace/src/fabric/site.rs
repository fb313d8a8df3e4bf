//! On-premises sites: what gateways tell them, what their routers accept, and how their packets enter a network.

use super::walk::{Stand, Step, Walk};
use super::{Arrival, stopped};
use crate::answer::{Decision, Missing, Owner};
use crate::who::is_public;
use crate::world::Holder;
use causeway_addr::Cidr;
use causeway_dataplane::packet::Packet;
use causeway_model::design::{NetworkName, SubnetName};
use std::net::IpAddr;

/// The subnet a gateway stands in; its route table governs what comes from sites.
const GATEWAY_SUBNET: &str = "GatewaySubnet";

impl<'a> Walk<'_, 'a, '_> {
    /// Through a gateway to a site.
    pub(super) fn over_gateway(
        &mut self,
        _stand: Stand<'a>,
        gateway: &'a NetworkName,
        site: &'a NetworkName,
        packet: Packet,
    ) -> Step<'a> {
        let object = format!("networks.{gateway}.gateway");
        let at = format!("gateway of {gateway}");
        self.story.hop(
            self.direction,
            at,
            format!("carried to `{site}`"),
            (Owner::SystemRoute, object),
            packet,
            packet,
        );
        let view = self.world.network(site);
        let holder = view.and_then(|view| view.holders(packet.destination).first().copied());
        Step::Done(Arrival::Site(site, holder), packet)
    }

    /// From a machine of a site: its routers have to know the destination.
    pub(super) fn out_of_site(&mut self, site: &'a NetworkName, packet: Packet) -> (Arrival<'a>, Packet) {
        let to = packet.destination;
        let Some(view) = self.world.network(site) else { return (Arrival::Nowhere, packet) };
        let told = self.told(site, to);
        let own = view.network.prefixes.iter().filter(|prefix| prefix.contains(to)).map(Cidr::prefix_len).max();
        if own.is_some_and(|own| told.as_ref().is_none_or(|told| own >= told.prefix.prefix_len())) {
            return (Arrival::Site(site, view.holders(to).first().copied()), packet);
        }
        let accepts =
            |address| view.network.knows.as_ref().is_none_or(|knows| knows.iter().any(|known| known.contains(address)));
        if let Some(told) = told {
            if !told.withheld && accepts(to) {
                return self.enter_gateway(site, &told, packet);
            }
            let (because, object, fix) = if accepts(to) {
                (
                    format!("the gateway of `{}` does not tell `{site}` of {to}: {}", told.gateway, told.because),
                    told.object.clone(),
                    told.fix.clone(),
                )
            } else {
                (
                    format!("routers of `{site}` do not know {to}"),
                    format!("networks.{site}.knows"),
                    format!(
                        "have the routers of `{site}` accept the prefix of {to}, or let packets leave with an address they know"
                    ),
                )
            };
            let decision = Decision::new(Owner::RemoteRouter, object, because);
            self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
            if !accepts(to) && told.withheld {
                let because =
                    format!("the gateway of `{}` does not tell `{site}` of {to}: {}", told.gateway, told.because);
                let decision = Decision::new(Owner::RemoteRouter, told.object.clone(), because);
                self.story.obstacle(self.direction, stopped(self.direction), decision, told.fix.clone());
            }
            return self.enter_gateway(site, &told, packet);
        }
        if let Some(other) = self.other_site(site, to) {
            self.story.lacks(Missing::new(
                format!("whether packets pass from `{site}` to `{other}`"),
                "ask about the part of the way that the design describes",
            ));
            let holder = self.world.network(other).and_then(|view| view.holders(to).first().copied());
            return (Arrival::Site(other, holder), packet);
        }
        if is_public(to) {
            self.story.lacks(Missing::new(
                format!("how `{site}` reaches the internet, and with which address"),
                "ask from a machine on the internet with that address",
            ));
            return self.in_from_internet(packet);
        }
        let because = format!("routers of `{site}` do not know {to}: no gateway tells them");
        let decision = Decision::new(Owner::RemoteRouter, format!("networks.{site}"), because);
        let fix =
            format!("connect the network of {to} with `{site}`, or let packets leave with an address its routers know");
        self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
        (Arrival::Nowhere, packet)
    }

    fn enter_gateway(&mut self, site: &'a NetworkName, told: &Told<'a>, packet: Packet) -> (Arrival<'a>, Packet) {
        let gateway = told.gateway;
        let object = format!("networks.{gateway}.gateway");
        let at = format!("site {site}");
        self.story.hop(
            self.direction,
            at,
            format!("sent to the gateway of `{gateway}`"),
            (Owner::RemoteRouter, object),
            packet,
            packet,
        );
        if told.withheld {
            return match self.arrive(told.network, packet) {
                Step::Done(arrival, packet) => (arrival, packet),
                Step::On(stand, packet) => self.run(stand, packet),
            };
        }
        let subnets = self.world.design.networks.get(gateway).map(|network| &network.subnets);
        let subnet: Option<&'a SubnetName> =
            subnets.and_then(|subnets| subnets.keys().find(|name| name.as_str().eq_ignore_ascii_case(GATEWAY_SUBNET)));
        let stand = Stand { network: gateway, subnet, who: None::<Holder<'a>>, pool: None, from_gateway: true };
        self.run(stand, packet)
    }

    /// The gateway that tells a site of an address: the one with the longest prefix, a network's own before a peer's.
    fn told(&self, site: &NetworkName, to: IpAddr) -> Option<Told<'a>> {
        let mut best: Option<Told<'a>> = None;
        for (name, network) in &self.world.design.networks {
            let connects = network.gateway.as_ref().is_some_and(|gateway| gateway.connects.contains(site));
            if !connects {
                continue;
            }
            let mut offer = |told: Told<'a>| {
                let better = best.as_ref().is_none_or(|known| {
                    (!told.withheld, told.prefix.prefix_len()) > (!known.withheld, known.prefix.prefix_len())
                });
                if better {
                    best = Some(told);
                }
            };
            for prefix in network.prefixes.iter().filter(|prefix| prefix.contains(to)) {
                offer(Told::of(name, name, *prefix));
            }
            let Some(view) = self.world.network(name) else { continue };
            for (peer, peering) in &view.peers {
                let has = self
                    .world
                    .network(peer)
                    .and_then(|view| view.network.prefixes.iter().find(|prefix| prefix.contains(to)));
                let Some(prefix) = has else { continue };
                let shown = self.world.design.shown(peering, peer).iter().find(|prefix| prefix.contains(to));
                let at = self.world.design.peerings.iter().position(|known| std::ptr::eq(known, *peering)).unwrap_or(0);
                match (shown, peering.lends_gateway() == Some(name)) {
                    (Some(shown), true) => offer(Told::of(name, peer, *shown)),
                    (shown, lends) => offer(Told {
                        withheld: true,
                        because: match (lends, shown) {
                            (false, _) => format!("`{peer}` does not use it"),
                            _ => format!("the peering does not show that prefix of `{peer}`"),
                        },
                        object: if lends {
                            format!("peerings.{at}.only")
                        } else {
                            format!("peerings.{at}.gatewayTransit")
                        },
                        fix: if lends {
                            format!("show the prefix of {to} over the peering")
                        } else {
                            format!(
                                "let `{peer}` use the gateway of `{name}` (gateway transit on both halves of the peering)"
                            )
                        },
                        ..Told::of(name, peer, *prefix)
                    }),
                }
            }
        }
        best
    }

    /// Another site that has an address.
    fn other_site(&self, site: &NetworkName, to: IpAddr) -> Option<&'a NetworkName> {
        let gateways = self.world.design.networks.values().filter_map(|network| network.gateway.as_ref());
        gateways.flat_map(|gateway| &gateway.connects).find(|other| {
            *other != site
                && self.world.network(other).is_some_and(|view| {
                    view.network.prefixes.iter().any(|prefix| prefix.prefix_len() > 0 && prefix.contains(to))
                })
        })
    }
}

/// A prefix a gateway has for a site.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told<'a> {
    gateway: &'a NetworkName,
    /// The network with the prefix.
    network: &'a NetworkName,
    prefix: Cidr,
    /// It is not told, for a reason users can remove.
    withheld: bool,
    because: String,
    object: String,
    fix: String,
}

impl<'a> Told<'a> {
    fn of(gateway: &'a NetworkName, network: &'a NetworkName, prefix: Cidr) -> Told<'a> {
        Told {
            gateway,
            network,
            prefix,
            withheld: false,
            because: String::new(),
            object: String::new(),
            fix: String::new(),
        }
    }
}
