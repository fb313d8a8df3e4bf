//! Private endpoints whose names do not lead to them though the zone is seen: no record, an old record, or a connection that its
//! owner did not approve.

use super::resolver::{Answerer, of_network};
use super::zones::record;
use crate::egress::ground::Ground;
use crate::say::{cited, listed};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{control_plane, private_zones, special};
use causeway_model::finding::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// An endpoint in reach of clusters.
struct Reached<'a> {
    name: &'a PrivateEndpointName,
    endpoint: &'a PrivateEndpoint,
    /// Networks of clusters that reach it.
    from: BTreeSet<&'a NetworkName>,
    /// It is in one of them.
    own: bool,
}

impl Reached<'_> {
    /// Whether a cluster calls what is in a peered network is not stated.
    fn severity(&self, certain: bool) -> Severity {
        if self.own && certain { Severity::Error } else { Severity::Warning }
    }

    fn finding(&self, message: String, certain: bool) -> Finding {
        Finding::new(codes::PRIVATE_ENDPOINT_UNREACHABLE, format!("privateEndpoints.{}", self.name), message)
            .severity(self.severity(certain))
            .on(self.name)
    }
}

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    let reached = reached(ground);
    for endpoint in &reached {
        const STATE: &str = "only an approved connection carries packets (`privateLinkServiceConnectionState`)";
        match endpoint.endpoint.connection {
            Some(state @ (EndpointConnection::Rejected | EndpointConnection::Disconnected)) => {
                let what = if state == EndpointConnection::Rejected { "was rejected" } else { "is disconnected" };
                let message = format!(
                    "the connection of private endpoint `{}` {what}: nobody answers at its address",
                    endpoint.name
                );
                out.push(endpoint.finding(message, true).evidence(STATE).help(
                    "have the owner of the service approve it; a rejected or disconnected endpoint has to be made again",
                ));
            }
            Some(EndpointConnection::Pending) => {
                let message = format!(
                    "nobody has approved the connection of private endpoint `{}` yet: it carries nothing until then",
                    endpoint.name
                );
                out.push(
                    endpoint.finding(message, false).evidence(STATE).help("have the owner of the service approve it"),
                );
            }
            Some(EndpointConnection::Approved) | None => {}
        }
        out.extend(by_name(ground.design, endpoint));
    }
    strays(ground.design, &reached, out);
}

fn reached<'a>(ground: &Ground<'a>) -> Vec<Reached<'a>> {
    let networks: BTreeSet<&NetworkName> = ground.design.clusters.values().flat_map(Cluster::networks).collect();
    let mut near: BTreeMap<&NetworkName, BTreeSet<&'a NetworkName>> = BTreeMap::new();
    for network in networks {
        let Some((network, _)) = ground.design.networks.get_key_value(network) else { continue };
        let peers = ground.peers(network).filter(|(_, peering)| peering.connected).map(|(peer, _)| peer);
        for at in peers.chain([network]) {
            near.entry(at).or_default().insert(network);
        }
    }
    let endpoints = ground.design.private_endpoints.iter().filter_map(|(name, endpoint)| {
        let from = near.get(&endpoint.subnet.network)?.clone();
        let own = from.contains(&endpoint.subnet.network);
        Some(Reached { name, endpoint, from, own })
    });
    endpoints.collect()
}

/// What the zones that are seen have for an endpoint's names.
fn by_name(design: &Design, reached: &Reached) -> Option<Finding> {
    let mut missing: Option<(&str, &str, &PrivateDnsZone)> = None;
    let mut other: Option<(&str, &str, Vec<IpAddr>)> = None;
    for name in &reached.endpoint.names {
        for network in &reached.from {
            let zones = design.private_dns_zones.iter().filter(|(domain, zone)| {
                let asked = of_network(design, network, domain);
                private_zones::answers_for(domain, name)
                    && matches!(asked, Answerer::Platform(asked) if zone.links.contains(asked))
            });
            let Some((domain, zone)) = zones.max_by_key(|(domain, _)| domain.len()) else { continue };
            match held(zone, domain, name) {
                // One right record is enough: endpoints of several addresses have one for each.
                Some(addresses) if reached.endpoint.ip.is_none_or(|ip| addresses.contains(&ip)) => return None,
                Some(addresses) => other = other.or(Some((name, domain, addresses.to_vec()))),
                None => missing = missing.or(Some((name, domain, zone))),
            }
        }
    }
    let endpoint = reached.name;
    if let (Some((name, domain, addresses)), Some(ip)) = (other, reached.endpoint.ip) {
        // One service may have endpoints in several networks and one zone.
        let twins = design.private_endpoints.values().filter(|twin| twin.ip.is_some_and(|ip| addresses.contains(&ip)));
        if twins.count() > 0 {
            return None;
        }
        let subnet = design.subnet(&reached.endpoint.subnet);
        let beside = subnet.is_some_and(|subnet| {
            let inside = |ip: &IpAddr| subnet.prefixes.iter().any(|prefix| prefix.contains(*ip));
            subnet.other.private_endpoints == 0 && addresses.iter().all(inside)
        });
        let message = format!(
            "`{name}` leads to {}, and its private endpoint `{endpoint}` has {ip}: the record in `{domain}` is another's, or old",
            listed(&addresses)
        );
        let finding = reached
            .finding(message, beside)
            .help(format!("set the record to {ip}, or let a DNS zone group of the endpoint keep it"))
            .on(name)
            .related(format!("privateDnsZones.{domain}.records"), "the record");
        return Some(cited(finding, special::PRIVATE_LINK_BY_ALIAS.about()));
    }
    let (name, domain, zone) = missing?;
    if zone.records.is_empty() && !zone.records_known {
        return None;
    }
    let what = if zone.fallback_to_internet { "resolves to its public address" } else { "does not resolve" };
    let message = format!(
        "`{name}` {what} though private endpoint `{endpoint}` is there: the linked zone `{domain}` has no record of it"
    );
    let finding = reached
        .finding(message, zone.records_known)
        .help("add the record, or let a DNS zone group of the endpoint keep it")
        .on(name)
        .related(format!("privateDnsZones.{domain}"), "the zone");
    Some(cited(finding, special::ZONE_LINK_IS_PER_VNET.about()))
}

/// What a zone has for a public name: the record is called by the name's first labels, how many of them the service decides.
fn held<'a>(zone: &'a PrivateDnsZone, domain: &str, name: &str) -> Option<&'a [IpAddr]> {
    if let Some(own) = record(zone, domain, name) {
        return Some(own);
    }
    let labels: Vec<&str> = name.trim_end_matches('.').split('.').collect();
    let starts = (1..labels.len()).rev().filter_map(|many| labels.get(..many));
    starts.map(|labels| format!("{}.{domain}", labels.join("."))).find_map(|name| record(zone, domain, &name))
}

/// Records that lead into a subnet of endpoints to an address none of them has, beside an endpoint that no record leads to.
fn strays(design: &Design, reached: &[Reached], out: &mut Vec<Finding>) {
    let recorded: BTreeSet<IpAddr> =
        design.private_dns_zones.values().flat_map(|zone| zone.records.values().flatten()).copied().collect();
    let mut unnamed: BTreeMap<&SubnetRef, Vec<&Reached>> = BTreeMap::new();
    for endpoint in reached {
        let lost = endpoint.endpoint.ip.is_some_and(|ip| !recorded.contains(&ip));
        if lost && endpoint.endpoint.names.is_empty() {
            unnamed.entry(&endpoint.endpoint.subnet).or_default().push(endpoint);
        }
    }
    let taken: BTreeSet<IpAddr> = design
        .private_endpoints
        .values()
        .filter_map(|endpoint| endpoint.ip)
        .chain(design.hosts.values().map(|host| host.ip))
        .collect();
    for (reference, endpoints) in unnamed {
        let Some(subnet) = design.subnet(reference).filter(|subnet| subnet.other.private_endpoints == 0) else {
            continue;
        };
        let inside = |ip: &IpAddr| subnet.prefixes.iter().any(|prefix: &Cidr| prefix.contains(*ip));
        // The platform keeps the record of an API server.
        let services =
            |domain: &str| private_zones::is_zone(domain) && !control_plane::is_private_link_zone(domain, None);
        for (domain, zone) in design.private_dns_zones.iter().filter(|(domain, _)| services(domain)) {
            for (label, addresses) in &zone.records {
                let Some(stray) = addresses.iter().find(|ip| inside(ip) && !taken.contains(*ip)) else { continue };
                let names: Vec<&PrivateEndpointName> = endpoints.iter().map(|endpoint| endpoint.name).collect();
                let message = format!(
                    "`{label}.{domain}` leads to {stray} in `{reference}`, where no private endpoint is described, and no record leads to {}",
                    listed(&names)
                );
                let mut finding = Finding::new(
                    codes::PRIVATE_ENDPOINT_UNREACHABLE,
                    format!("privateDnsZones.{domain}.records"),
                    message,
                )
                .severity(Severity::Warning)
                .help("if the record is old, set it to the endpoint's address; if it is another endpoint's, describe that one")
                .on(stray);
                for name in names {
                    finding = finding.related(format!("privateEndpoints.{name}"), "no record leads to it");
                }
                out.push(cited(finding, special::PRIVATE_LINK_BY_ALIAS.about()));
            }
        }
    }
}
