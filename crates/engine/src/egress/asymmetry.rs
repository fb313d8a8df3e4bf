//! Two ways between the same two subnets, and a hop on one of them that keeps connections.
//!
//! Judged for every subnet of a cluster against the subnets of its own and directly peered VNets, and against the sites their
//! gateways reach (whose packets follow the table of `GatewaySubnet`).

use super::ground::{Ground, is_described, is_translated};
use super::routes::{Decision, Hop};
use crate::say::{cited, listed, plural};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::routing;
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Subnets of the platform and of appliances: what is in them routes for others.
const PLATFORM: &[&str] = &[
    "AzureFirewallSubnet",
    "AzureFirewallManagementSubnet",
    "GatewaySubnet",
    "RouteServerSubnet",
    "AzureBastionSubnet",
];

/// The other end.
struct Far<'a> {
    /// The network whose subnet governs what the other end sends.
    network: &'a NetworkName,
    /// That subnet; `None` where the design does not describe it.
    subnet: Option<&'a Subnet>,
    words: String,
    path: String,
    prefixes: &'a [Cidr],
    /// Somebody is known to be there.
    inhabited: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Only what the cluster's subnet sends passes it.
    Outward,
    /// Only what comes back passes it.
    Inward,
    /// The other end's way back is not known.
    Unknown,
}

/// One finding: a subnet, a firewall, which direction it sees, how sure.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    from: &'a SubnetRef,
    severity: Severity,
    kind: Kind,
    /// The network whose routes name the firewall.
    side: &'a NetworkName,
    firewall: IpAddr,
    object: String,
}

pub(super) fn check<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    let mut found: BTreeMap<Key, Vec<Far>> = BTreeMap::new();
    for (reference, (subnet, uses)) in ground.subnets_of(cluster) {
        for far in ends(ground, reference) {
            if !ground.leads_to_appliance(subnet) && !far.subnet.is_some_and(|far| ground.leads_to_appliance(far)) {
                continue;
            }
            let hidden = |range: &Cidr| uses.pods_only() && is_translated(cluster, range) != Some(false);
            let differing = far
                .prefixes
                .iter()
                .filter(|range| range.prefix_len() > 0 && !hidden(range))
                .find_map(|range| difference(ground, reference, subnet, &far, range));
            if let Some(key) = differing {
                found.entry(key).or_default().push(far);
            }
        }
    }
    out.extend(found.into_iter().map(|(key, fars)| finding(ground, path, &key, &fars)));
}

/// Everything a subnet has a direct or gateway route to.
fn ends<'a>(ground: &Ground<'a>, from: &'a SubnetRef) -> Vec<Far<'a>> {
    let design = ground.design;
    let mut ends = Vec::new();
    let Some((own, _)) = design.networks.get_key_value(&from.network) else { return ends };
    let mut near: Vec<&NetworkName> = vec![own];
    near.extend(ground.peers(own).filter(|(_, peering)| peering.connected).map(|(peer, _)| peer));
    near.sort();
    near.dedup();
    for name in near {
        let Some(network) = design.networks.get(name) else { continue };
        for (subnet_name, subnet) in &network.subnets {
            let is_from = name == &from.network && subnet_name == &from.subnet;
            let platform = PLATFORM.iter().any(|platform| platform.eq_ignore_ascii_case(subnet_name.as_str()));
            if is_from || platform || !is_described(subnet) || ground.routes_for_others(name, subnet_name, subnet) {
                continue;
            }
            ends.push(Far {
                network: name,
                subnet: Some(subnet),
                words: format!("{name}/{subnet_name}"),
                path: format!("networks.{name}.subnets.{subnet_name}"),
                prefixes: &subnet.prefixes,
                inhabited: ground.is_inhabited(name, subnet_name, subnet),
            });
        }
        let Some(gateway) = &network.gateway else { continue };
        let gateway_subnet =
            network.subnets.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case("GatewaySubnet"));
        for site_name in &gateway.connects {
            let Some(site) = design.networks.get(site_name) else { continue };
            if !told(ground, own, name, site, from) {
                continue;
            }
            ends.push(Far {
                network: name,
                subnet: gateway_subnet.map(|(_, subnet)| subnet),
                words: site_name.to_string(),
                path: format!("networks.{name}.gateway"),
                prefixes: &site.prefixes,
                inhabited: true,
            });
        }
    }
    ends
}

/// A site learns the subnet's range from the gateway, so that it answers at all.
fn told(ground: &Ground, own: &NetworkName, gateway: &NetworkName, site: &Network, from: &SubnetRef) -> bool {
    let prefixes = ground.design.subnet(from).map_or(&[][..], |subnet| &subnet.prefixes);
    let accepted =
        |range: &Cidr| site.knows.as_ref().is_none_or(|knows| knows.iter().any(|known| known.overlaps(range)));
    let announced = |range: &Cidr| {
        own == gateway
            || ground.peers(own).any(|(peer, peering)| {
                peer == gateway
                    && peering.lends_gateway() == Some(gateway)
                    && ground.design.shown(peering, own).iter().any(|shown| shown.overlaps(range))
            })
    };
    prefixes.iter().any(|range| accepted(range) && announced(range))
}

/// How the two ways differ, if they do.
fn difference<'a>(
    ground: &Ground<'a>,
    reference: &'a SubnetRef,
    subnet: &'a Subnet,
    far: &Far<'a>,
    range: &Cidr,
) -> Option<Key<'a>> {
    let network = &reference.network;
    let object_of = |decision: &Decision, subnet: Option<&Subnet>, fallback: &str| match (
        decision.route,
        subnet.and_then(|subnet| subnet.route_table.as_ref()),
    ) {
        (Some(at), Some(table)) => format!("routeTables.{table}.routes.{at}"),
        _ => fallback.to_owned(),
    };
    for own in subnet.prefixes.iter().filter(|own| own.family() == range.family()) {
        for there in ground.routes.decide(network, subnet, range) {
            let backs = far.subnet.map_or_else(
                || vec![Decision { range: *own, hop: Hop::Unknown, route: None }],
                |far_subnet| ground.routes.decide(far.network, far_subnet, own),
            );
            for back in backs {
                let (kind, firewall, object) = match (there.hop, back.hop) {
                    (Hop::Appliance(one), Hop::Appliance(other)) if one != other => {
                        (Kind::Outward, one, object_of(&there, Some(subnet), &reference.path()))
                    }
                    (Hop::Appliance(ip), back) if back.is_direct() => {
                        (Kind::Outward, ip, object_of(&there, Some(subnet), &reference.path()))
                    }
                    (there, Hop::Appliance(ip)) if there.is_direct() => {
                        (Kind::Inward, ip, object_of(&back, far.subnet, &far.path))
                    }
                    (Hop::Appliance(ip), Hop::Unknown) if far.subnet.is_none() => {
                        (Kind::Unknown, ip, object_of(&there, Some(subnet), &reference.path()))
                    }
                    _ => continue,
                };
                // Whose routes name the hop, and what it sees of them.
                let (side, to) = if kind == Kind::Inward { (far.network, own) } else { (network, range) };
                let Some(certain) = ground.drops_halves(side, firewall, to) else { continue };
                let severe = certain && far.inhabited && kind != Kind::Unknown;
                let severity = if severe { Severity::Error } else { Severity::Warning };
                return Some(Key { from: reference, severity, kind, side, firewall, object });
            }
        }
    }
    None
}

fn finding(ground: &Ground, path: &str, key: &Key, fars: &[Far]) -> Finding {
    let from = key.from;
    let names: Vec<&str> = fars.iter().map(|far| far.words.as_str()).collect();
    let (far, firewall) = (listed(&names), ground.hop_words(key.side, key.firewall));
    let (message, help) = match key.kind {
        Kind::Outward => (
            format!("packets from `{from}` to {far} go through {firewall}, and what comes back does not"),
            "give the other side a route back through the same hop, let both directions go straight, or translate sources at the hop",
        ),
        Kind::Inward => (
            format!("packets from {far} to `{from}` go through {firewall}, and what goes back does not"),
            "route the way back through the same hop as well, let both directions go straight, or translate sources at the hop",
        ),
        Kind::Unknown => (
            format!(
                "packets from `{from}` to {far} go through {firewall}; whether what comes back does is not known: `GatewaySubnet` is not described"
            ),
            "describe `GatewaySubnet` with its route table: it needs a route for the cluster's subnets through the same hop",
        ),
    };
    let mut finding = Finding::new(codes::ASYMMETRIC_RETURN_THROUGH_STATEFUL_HOP, key.object.as_str(), message)
        .severity(key.severity)
        .help(help)
        .on(from)
        .related(format!("{path}.pools"), "the cluster's pools are there");
    for far in fars {
        finding =
            finding.on(&far.words).related(&far.path, plural(fars.len(), "the other end", "one of the other ends"));
    }
    if ground.firewall(key.side, key.firewall).is_none() {
        finding = finding.evidence(format!(
            "no firewall with the address {} is described: whether it keeps connections or translates is not known",
            key.firewall
        ));
    } else {
        finding =
            finding.evidence(format!("{firewall} keeps connections, and drops what belongs to none it has seen begin"));
    }
    cited(finding, routing::SELECTION.about())
}
