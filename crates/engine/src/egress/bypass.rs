//! Routes through a firewall that private endpoints are meant to be behind, and are not: the platform's /32 is longer.

use super::ground::Ground;
use super::routes::{Hop, routes_apply};
use crate::say::{cited, listed};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::routing;
use causeway_model::finding::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Endpoints that a route does not catch.
#[derive(Default)]
struct Missed<'a> {
    /// The endpoint's /32 wins over the route.
    by_host_route: BTreeMap<String, &'a SubnetRef>,
    /// The VNet's or peer's own route wins as well, being longer: the route never had these destinations.
    by_system_route: BTreeMap<String, &'a SubnetRef>,
}

pub(super) fn check<'a>(ground: &Ground<'a>, out: &mut Vec<Finding>) {
    let by_network = by_network(ground.design);
    let mut seen = BTreeSet::new();
    let mut missed: BTreeMap<(&RouteTableName, usize), Missed> = BTreeMap::new();
    for cluster in ground.design.clusters.values() {
        for (reference, (subnet, _)) in ground.subnets_of(cluster) {
            let Some(table_name) = &subnet.route_table else { continue };
            let Some(table) = ground.design.route_tables.get(table_name).filter(|table| table.known) else { continue };
            if !seen.insert((&reference.network, table_name)) {
                continue;
            }
            let peers = ground.peers(&reference.network).filter(|(_, peering)| peering.connected);
            let near: BTreeSet<&NetworkName> = peers.map(|(peer, _)| peer).chain([&reference.network]).collect();
            for (address, what, at) in near.iter().filter_map(|network| by_network.get(network)).flatten() {
                let Some((route, exact)) = caught(ground, &reference.network, subnet, table, at, *address) else {
                    continue;
                };
                let missed = missed.entry((table_name, route)).or_default();
                let list = if exact { &mut missed.by_host_route } else { &mut missed.by_system_route };
                list.insert(what.clone(), at);
            }
        }
    }
    for ((table, at), missed) in missed {
        let Some(route) = ground.design.route_tables.get(table).and_then(|table| table.routes.get(at)) else {
            continue;
        };
        if !missed.by_host_route.is_empty() {
            out.push(finding(ground, table, at, route, &missed.by_host_route, true));
        }
        if !missed.by_system_route.is_empty() {
            out.push(finding(ground, table, at, route, &missed.by_system_route, false));
        }
    }
}

type Endpoint<'a> = (IpAddr, String, &'a SubnetRef);

/// Endpoints by the network they are in. Where no address is known the subnet's first one stands for it; endpoints that are only
/// counted have no subnet reference to borrow, and are left to the checks of sharing.
fn by_network(design: &Design) -> BTreeMap<&NetworkName, Vec<Endpoint<'_>>> {
    let mut found: BTreeMap<&NetworkName, Vec<Endpoint>> = BTreeMap::new();
    for (name, endpoint) in &design.private_endpoints {
        let first = || design.subnet(&endpoint.subnet)?.prefixes.iter().find(|prefix| prefix.is_v4()).map(Cidr::first);
        if let Some(address) = endpoint.ip.or_else(first) {
            let what = endpoint.ip.map_or_else(|| name.to_string(), |ip| format!("{name} ({ip})"));
            found.entry(&endpoint.subnet.network).or_default().push((address, what, &endpoint.subnet));
        }
    }
    found
}

/// The user's route through an appliance that covers an endpoint and does not get its packets; true where only the /32 is in the way.
fn caught<'a>(
    ground: &Ground<'a>,
    network: &'a NetworkName,
    subnet: &'a Subnet,
    table: &RouteTable,
    at: &SubnetRef,
    address: IpAddr,
) -> Option<(usize, bool)> {
    let to = Cidr::host(address);
    let decision = ground.routes.decide(network, subnet, &to).first().copied()?;
    let length = |at: usize| match table.routes.get(at)?.prefix {
        RoutePrefix::Cidr(prefix) => Some(prefix.prefix_len()),
        RoutePrefix::ServiceTag(_) => None,
    };
    if let (Hop::Appliance(_), Some(route)) = (decision.hop, decision.route) {
        // A default route is for the internet; a host route is as long as the endpoint's.
        let length = length(route)?;
        if length == 0 || length == to.prefix_len() {
            return None;
        }
        let policies = ground.design.subnet(at).and_then(|subnet| subnet.private_endpoint_policies);
        let wide =
            ground.routes.network_prefix(&at.network, address).is_some_and(|prefix| length < prefix.prefix_len());
        return (!routes_apply(policies) || wide).then_some((route, true));
    }
    if !matches!(decision.hop, Hop::Vnet | Hop::Peer(_)) || decision.route.is_some() {
        return None;
    }
    let wider = table.routes.iter().enumerate().filter_map(|(at, route)| match (&route.prefix, route.next_hop) {
        (RoutePrefix::Cidr(prefix), NextHop::Appliance(_)) if prefix.prefix_len() > 0 && prefix.contains(address) => {
            Some((prefix.prefix_len(), at))
        }
        _ => None,
    });
    wider.max().map(|(_, at)| (at, false))
}

fn finding(
    ground: &Ground,
    table: &RouteTableName,
    at: usize,
    route: &Route,
    endpoints: &BTreeMap<String, &SubnetRef>,
    exact: bool,
) -> Finding {
    let prefix = match &route.prefix {
        RoutePrefix::Cidr(prefix) => prefix.to_string(),
        RoutePrefix::ServiceTag(tag) => tag.clone(),
    };
    let hop = match route.next_hop {
        NextHop::Appliance(ip) => match ground.subnets_with(table).first() {
            Some(subnet) => ground.hop_words(&subnet.network, ip),
            None => format!("the appliance {ip}"),
        },
        _ => "the appliance".to_owned(),
    };
    let names: Vec<&String> = endpoints.keys().collect();
    let message = format!(
        "route `{}` sends `{prefix}` through {hop}, and packets to the private {} {} don't take it",
        route.name,
        crate::say::plural(names.len(), "endpoint", "endpoints"),
        listed(&names)
    );
    let mut finding = Finding::new(
        codes::FIREWALL_BYPASSED_BY_PRIVATE_ENDPOINT_ROUTE,
        format!("routeTables.{table}.routes.{at}"),
        message,
    )
    .severity(if exact { Severity::Error } else { Severity::Warning })
    .help(if exact {
        "set `privateEndpointPolicies: routeTable` (or `enabled`) on the endpoints' subnet, with a route no wider than its network's prefix; or remove the route if they are meant to be reached directly"
    } else {
        "if they are to pass the firewall, add a route for the endpoints' subnet itself and set `privateEndpointPolicies: routeTable` there; if not, accept this finding"
    });
    finding = finding.evidence(if exact {
        "every private endpoint puts a /32 into its own network and the directly peered ones, which is longer than the route".to_owned()
    } else {
        format!("the networks' own prefixes are longer than `{prefix}`, and the /32 of each endpoint is longer still")
    });
    let subnets: BTreeSet<&&SubnetRef> = endpoints.values().collect();
    for subnet in subnets {
        let policies = ground.design.subnet(subnet).and_then(|subnet| subnet.private_endpoint_policies);
        let words = if policies.is_none() {
            "endpoints here; policies are not stated, the default is disabled"
        } else {
            "endpoints here"
        };
        finding = finding.related(subnet.path(), words);
    }
    for name in names {
        finding = finding.on(name);
    }
    cited(finding, routing::PRIVATE_ENDPOINT_BYPASSES_ROUTES.about())
}
