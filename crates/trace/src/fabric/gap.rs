//! Why there is no route to an address, what to change, and where the packet would go then.

use super::routes::{Chosen, Route, Way};
use super::stopped;
use super::walk::{Stand, Step, Walk, place};
use crate::answer::{Decision, Owner};
use crate::who::is_public;
use causeway_dataplane::packet::Packet;
use causeway_model::design::{NetworkKind, NetworkName};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What is missing on the way to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap<'a> {
    pub(super) because: String,
    pub(super) object: String,
    pub(super) fix: String,
    /// The network that has the address.
    pub(super) network: Option<&'a NetworkName>,
    /// The gateway and site that have it.
    pub(super) site: Option<(&'a NetworkName, &'a NetworkName)>,
}

impl<'a> Walk<'_, 'a, '_> {
    /// The packet is dropped here: says why, and goes on as if it were not.
    pub(super) fn no_way(&mut self, stand: Stand<'a>, chosen: &Chosen<'a>, packet: Packet) -> Step<'a> {
        let to = packet.destination;
        let gap = self.search(stand.network, to).or_else(|| self.propagation(stand, to));
        let words = chosen.words(self.world.design);
        let reason = match chosen.way {
            Way::Dropped => format!("{words} drops packets for {to}"),
            Way::Internet => format!("{words} leads to the internet, where {to} is nobody's"),
            Way::NoGateway => format!("{words} leads to a gateway, and no gateway is in reach of `{}`", stand.network),
            Way::Gateway(gateway, ..) => {
                format!("{words} leads to the gateway of `{gateway}`, which knows no site with {to}")
            }
            _ => format!("{words} leads nowhere"),
        };
        let by_user = matches!(chosen.route, Route::User(..));
        let (decision, fix) = match &gap {
            Some(gap) if !by_user => (
                Decision::new(Owner::SystemRoute, gap.object.clone(), format!("{reason}: {}", gap.because)),
                gap.fix.clone(),
            ),
            _ => {
                let fix = match by_user {
                    true => format!("take the route away, or add one for {to} that leads on"),
                    false => format!("give the subnet a route to {to}, or say which network has it"),
                };
                (self.decision(stand, chosen, reason), fix)
            }
        };
        self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
        let by = (chosen.owner(), chosen.object(stand.network));
        self.story.hop(self.direction, place(stand.network, stand.subnet), "dropped", by, packet, packet);
        if by_user {
            return self.past_the_table(stand, packet);
        }
        match gap {
            Some(gap) => self.as_if(stand, &gap, packet),
            None => Step::Done(super::Arrival::Nowhere, packet),
        }
    }

    /// Goes on where the packet would be if nothing were missing.
    pub(super) fn as_if(&mut self, stand: Stand<'a>, gap: &Gap<'a>, packet: Packet) -> Step<'a> {
        match (gap.network, gap.site) {
            (Some(network), _) => self.arrive(network, packet),
            (None, Some((gateway, site))) => self.over_gateway(stand, gateway, site, packet),
            (None, None) => Step::Done(super::Arrival::Nowhere, packet),
        }
    }

    /// Learned routes that the subnet's table does not take.
    fn propagation(&self, stand: Stand<'a>, to: IpAddr) -> Option<Gap<'a>> {
        let (_, gateway, _, site) = self.world.routes.learned(stand.network, to)?;
        let (_, subnet) = self.subnet(stand.network, stand.subnet)?;
        let table = subnet.route_table.as_ref()?;
        Some(Gap {
            because: format!("route table `{table}` does not take what the gateway of `{gateway}` learned of `{site}`"),
            object: format!("routeTables.{table}.bgpPropagation"),
            fix: format!("turn on propagation of gateway routes for `{table}`, or add a route for {to}"),
            network: None,
            site: Some((gateway, site)),
        })
    }

    /// Who has an address that the platform has no route for, and what is between.
    pub(super) fn search(&self, from: &'a NetworkName, to: IpAddr) -> Option<Gap<'a>> {
        let view = self.world.network(from)?;
        for (peer, peering) in &view.peers {
            let at = self.world.design.peerings.iter().position(|known| std::ptr::eq(known, *peering)).unwrap_or(0);
            if !self.world.network(peer).is_some_and(|view| view.contains(to)) {
                continue;
            }
            let (because, field, fix) = if !peering.connected {
                ("the peering is not connected", "", "create the missing half of the peering".to_owned())
            } else {
                (
                    "the peering does not show it",
                    ".only",
                    format!("show the prefix of {to} of `{peer}` over the peering"),
                )
            };
            return Some(Gap {
                because: format!("{to} is in `{peer}`, and {because}"),
                object: format!("peerings.{at}{field}"),
                fix,
                network: Some(peer),
                site: None,
            });
        }
        for (peer, peering) in &view.peers {
            let Some((_, site)) = self.world.routes.site(peer, to) else { continue };
            if self.world.routes.gateways(from).iter().any(|(gateway, _)| gateway == peer) {
                continue;
            }
            let at = self.world.design.peerings.iter().position(|known| std::ptr::eq(known, *peering)).unwrap_or(0);
            return Some(Gap {
                because: format!("{to} is in `{site}` behind the gateway of `{peer}`, which `{from}` does not use"),
                object: format!("peerings.{at}.gatewayTransit"),
                fix: format!(
                    "let `{from}` use the gateway of `{peer}` (gateway transit on both halves of the peering)"
                ),
                network: None,
                site: Some((peer, site)),
            });
        }
        self.further(from, to)
    }

    /// Networks that are not next to this one.
    fn further(&self, from: &'a NetworkName, to: IpAddr) -> Option<Gap<'a>> {
        if is_public(to) {
            return None;
        }
        let mut seen: BTreeSet<&NetworkName> = BTreeSet::from([from]);
        let mut open: Vec<(&'a NetworkName, &'a NetworkName)> =
            self.world.network(from)?.peers.iter().map(|(peer, _)| (*peer, *peer)).collect();
        while let Some((next, first)) = open.pop() {
            if !seen.insert(next) {
                continue;
            }
            let Some(view) = self.world.network(next) else { continue };
            if next != first && view.contains(to) {
                return Some(Gap {
                    because: format!(
                        "{to} is in `{next}`, which `{from}` is not peered with, and peerings are not transitive (`{first}` is between)"
                    ),
                    object: format!("networks.{from}"),
                    fix: format!(
                        "lead packets for it through an appliance in `{first}`, or peer `{from}` with `{next}`"
                    ),
                    network: Some(next),
                    site: None,
                });
            }
            open.extend(view.peers.iter().map(|(peer, _)| (*peer, first)));
        }
        let mut others = self.world.design.networks.iter().filter(|(name, network)| {
            *name != from
                && network.kind == NetworkKind::Vnet
                && network.prefixes.iter().any(|prefix| prefix.prefix_len() > 0 && prefix.contains(to))
        });
        let (name, _) = others.next()?;
        others.next().is_none().then(|| Gap {
            because: format!("{to} is in `{name}`, which `{from}` is not connected with"),
            object: format!("networks.{from}"),
            fix: format!("peer `{from}` with `{name}`"),
            network: Some(name),
            site: None,
        })
    }
}
