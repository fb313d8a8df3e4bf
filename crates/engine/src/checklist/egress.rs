//! Lines about what leaves a cluster: outbound type, ports, firewall, names, allow-list.

use super::desk::{Desk, names};
use super::judgement::Judgement;
use super::ranges::state;
use super::ways::Ways;
use causeway_model::codes::{self, Code};
use causeway_model::design::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Ports that do not suffice, or just so.
const PORTS: &[Code] = &[
    codes::SNAT_BUDGET_EXCEEDED,
    codes::SNAT_BUDGET_HAS_NO_HEADROOM,
    codes::SNAT_PORTS_HALVE,
    codes::FIREWALL_SNAT_EXHAUSTED,
    codes::OUTBOUND_SETTING_OUT_OF_RANGE,
    codes::NAT_GATEWAY_MISSING,
];

/// What is wrong with the way to and from a firewall.
const ROUTES: &[Code] = &[
    codes::UDR_WITHOUT_DEFAULT_ROUTE,
    codes::ROUTE_TABLE_MISSING,
    codes::ROUTE_NEVER_MATCHES,
    codes::NEXT_HOP_UNREACHABLE,
    codes::ROUTE_LIMIT_EXCEEDED,
    codes::ASYMMETRIC_RETURN_THROUGH_STATEFUL_HOP,
    codes::FIREWALL_BYPASSED_BY_PRIVATE_ENDPOINT_ROUTE,
    codes::PRIVATE_API_ENDPOINT_RETURN_THROUGH_FIREWALL,
    codes::POOLS_DIFFER_IN_EGRESS,
];

/// The outbound type is explicit.
pub(super) fn explicit(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    desk.against(&mut line, &[codes::OUTBOUND_NOT_EXPLICIT]);
    for (name, cluster) in desk.clusters(&mut line) {
        let path = format!("clusters.{name}.outbound.type");
        match (cluster.outbound.stated, cluster.mode) {
            (true, _) => line.yes(format!("`{name}` states `{}`", cluster.outbound.kind)),
            // Whoever knows the mode has seen the network profile, and this is not in it.
            (false, Some(_)) if desk.speaks_of(&[codes::OUTBOUND_NOT_EXPLICIT], &format!("clusters.{name}")) => {}
            (false, Some(_)) => line.no(format!("`{path}` is not stated: the platform decides")),
            (false, None) => line.unknown(format!("the network profile of `{name}` is not known"), state(&path)),
        }
    }
    line
}

/// SNAT is sized; that it is watched people say.
pub(super) fn ports(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    desk.against(&mut line, PORTS);
    for (name, cluster) in desk.clusters(&mut line) {
        let path = format!("clusters.{name}.outbound.type");
        if !cluster.outbound.stated {
            line.unknown(format!("the outbound type of `{name}` is not stated"), state(&path));
            continue;
        }
        let snat =
            desk.cx.capacity.clusters.iter().find(|ports| ports.cluster == name.as_str()).map(|ports| &ports.snat);
        let appliance = || {
            let ways = Ways::of(desk, name, cluster);
            ways.firewalls.is_empty() && !ways.strangers.is_empty()
                || ways.firewalls.values().any(|firewall| firewall.kind == FirewallKind::Appliance)
        };
        let kind = cluster.outbound.kind;
        match snat.and_then(|snat| Some((snat.fits?, snat))) {
            _ if matches!(kind, OutboundType::None | OutboundType::Block) => {
                line.yes(format!("`{name}` has nothing set up towards public destinations (`{kind}`)"));
            }
            Some((true, snat)) => {
                let needed = snat.ports_needed.map_or("what is needed".to_owned(), |needed| needed.to_string());
                let of = snat.ports_available.map_or(String::new(), |available| format!(" of {available}"));
                line.yes(format!("`{name}`: {needed}{of} ports"));
                if desk.design.loads.is_empty() {
                    line.remark("what applications open is not stated (`loads`), so it is not counted");
                }
            }
            Some((false, _)) if line.fails() => {}
            Some((false, snat)) => line.no(format!("`{name}`: {}", snat.because.last().cloned().unwrap_or_default())),
            None if kind == OutboundType::UserDefinedRouting && appliance() => {
                line.yes(format!("`{name}` leaves through an appliance, whose ports are its own affair"));
            }
            None => line.unknown(
                format!("whether the ports of `{name}` suffice is not known"),
                format!(
                    "`loads` towards public destinations, node counts and the addresses of what `{name}` leaves through; \
                     `causeway capacity` names what is missing"
                ),
            ),
        }
    }
    line
}

/// The route through the firewall was tested from pods: settled where nothing leaves through one.
pub(super) fn firewall_route(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    let mut any = false;
    for (name, cluster) in desk.clusters(&mut line) {
        let ways = Ways::of(desk, name, cluster);
        for (because, needs) in &ways.open {
            line.unknown(because.as_str(), needs.as_str());
        }
        if ways.any() {
            any = true;
            let firewalls =
                names(ways.firewalls.keys().map(|name| name.as_str()).chain(ways.strangers.iter().map(String::as_str)));
            line.unknown(format!("`{name}` leaves through {firewalls}"), "a test from a pod, not only from a node");
        } else if ways.open.is_empty() && !cluster.pools.is_empty() {
            line.yes(format!("no subnet of `{name}` has a route to a firewall or appliance"));
        }
        any |= cluster.outbound.kind == OutboundType::UserDefinedRouting;
    }
    if any {
        desk.against(&mut line, ROUTES);
    }
    line
}

/// Platform services resolve to private addresses. Nobody follows a name here, so only what can't work is certain.
pub(super) fn private_names(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    let design = desk.design;
    let homes: BTreeSet<&NetworkName> = desk.clusters(&mut line).flat_map(|(_, cluster)| cluster.networks()).collect();
    let mut recorded: BTreeMap<IpAddr, Vec<(&String, &PrivateDnsZone)>> = BTreeMap::new();
    for (name, zone) in &design.private_dns_zones {
        let addresses: BTreeSet<IpAddr> = zone.records.values().flatten().copied().collect();
        for address in addresses {
            recorded.entry(address).or_default().push((name, zone));
        }
    }
    let mut good = 0;
    for (name, endpoint) in &design.private_endpoints {
        let Some(ip) = endpoint.ip else {
            line.unknown(
                format!("the address of private endpoint `{name}` is not known"),
                state(&format!("privateEndpoints.{name}.ip")),
            );
            continue;
        };
        let zones = recorded.get(&ip).map_or(&[][..], Vec::as_slice);
        if zones.is_empty() && design.private_dns_zones.is_empty() && !desk.is_stated("privateDnsZones") {
            line.unknown(
                "the design lists no private DNS zone",
                "`privateDnsZones`, or `az network private-dns zone list -o json` with links and record sets",
            );
            continue;
        }
        if zones.is_empty() {
            line.no(format!("no private zone has a record of endpoint `{name}` ({ip}): its name goes public"));
            continue;
        }
        let unlinked: Vec<&NetworkName> = homes
            .iter()
            .copied()
            .filter(|home| design.networks.get(*home).is_some_and(|network| network.dns_servers == DnsServers::Azure))
            .filter(|home| !zones.iter().any(|(_, zone)| zone.links.contains(*home)))
            .collect();
        // An endpoint of another region is no business of this network's names, unless its zone serves nobody here at all.
        let near = homes.contains(&endpoint.subnet.network) && unlinked.contains(&&endpoint.subnet.network);
        if near || (!homes.is_empty() && unlinked.len() == homes.len()) {
            line.no(format!(
                "zone {} has endpoint `{name}`, and {} is not linked to it",
                names(zones.iter().map(|(zone, _)| zone)),
                names(&unlinked)
            ));
        } else {
            good += 1;
        }
    }
    if good > 0 {
        let plural = if good == 1 { " has its record" } else { "s have their records" };
        line.remark(format!("{good} private endpoint{plural} in a zone that is linked"));
    }
    line
}

/// The egress allow-list is written down: where a firewall's rules are part of the design, they are it.
pub(super) fn allow_list(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    for (name, cluster) in desk.clusters(&mut line) {
        if cluster.outbound.kind == OutboundType::Block {
            line.yes(format!("the platform blocks everything that leaves `{name}`"));
            continue;
        }
        let ways = Ways::of(desk, name, cluster);
        for (because, needs) in &ways.open {
            line.unknown(because.as_str(), needs.as_str());
        }
        for stranger in &ways.strangers {
            line.unknown(
                format!("`{name}` leaves through the appliance {stranger}, whose rules are not in the design"),
                "its rules under `firewalls`",
            );
        }
        for (firewall, value) in &ways.firewalls {
            let open = value.rules.iter().find(|rule| lets_everything_out(rule));
            let allowed = value.rules.iter().filter(|rule| rule.access == Access::Allow).count();
            if let Some(rule) = open {
                line.no(format!("rule `{}` of firewall `{firewall}` allows everything", rule.name));
            } else if allowed == 0 {
                line.unknown(
                    format!("firewall `{firewall}` has no rule in the design"),
                    format!("its rules under `firewalls.{firewall}.rules`"),
                );
            } else {
                let plural = if allowed == 1 { "" } else { "s" };
                line.yes(format!(
                    "firewall `{firewall}` lists what may leave in {allowed} rule{plural} and denies the rest"
                ));
            }
        }
        if !ways.any() && ways.open.is_empty() {
            line.unknown(format!("nothing in the design filters what leaves `{name}`"), "");
        }
    }
    line
}

fn lets_everything_out(rule: &FirewallRule) -> bool {
    rule.access == Access::Allow
        && rule.protocol.is_none()
        && rule.destination.contains(&AddressMatch::Any)
        && rule.source.contains(&AddressMatch::Any)
        && rule.ports.iter().any(|ports| matches!(ports, PortMatch::Any | PortMatch::Range(0..=1, u16::MAX)))
}
