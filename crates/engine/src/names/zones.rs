//! Private zones: those a cluster's network needs and does not see, names that go to the public address instead, and names a zone
//! takes from somebody else.

use super::resolver::{Answerer, is_below, of_network};
use crate::egress::ground::Ground;
use crate::say::{cited, listed};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{private_zones, special};
use causeway_model::finding::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    let design = ground.design;
    let mut networks: BTreeMap<&NetworkName, Vec<&ClusterName>> = BTreeMap::new();
    for (name, cluster) in &design.clusters {
        for network in cluster.networks() {
            networks.entry(network).or_default().push(name);
        }
    }
    let index = Index::new(design);
    for (network, clusters) in &networks {
        not_linked(ground, &index, network, clusters, out);
        public_names(design, network, clusters, out);
    }
}

/// What the design's zones and endpoints are found by.
struct Index<'a> {
    endpoints: BTreeMap<&'a NetworkName, Vec<(IpAddr, &'a PrivateEndpointName)>>,
    zones: BTreeMap<IpAddr, BTreeSet<&'a str>>,
    /// Zones that answer for the names endpoints state, by the network of the endpoint: their records may not have been given.
    by_name: BTreeMap<&'a NetworkName, Vec<(&'a str, &'a PrivateEndpointName)>>,
}

impl<'a> Index<'a> {
    fn new(design: &'a Design) -> Self {
        let mut index = Index { endpoints: BTreeMap::new(), zones: BTreeMap::new(), by_name: BTreeMap::new() };
        for (name, endpoint) in &design.private_endpoints {
            if let Some(ip) = endpoint.ip {
                index.endpoints.entry(&endpoint.subnet.network).or_default().push((ip, name));
            }
        }
        for (domain, zone) in &design.private_dns_zones {
            for address in zone.records.values().flatten() {
                index.zones.entry(*address).or_default().insert(domain);
            }
        }
        for (name, endpoint) in design.private_endpoints.iter().filter(|(_, endpoint)| !endpoint.names.is_empty()) {
            let near = index.by_name.entry(&endpoint.subnet.network).or_default();
            let zones = design.private_dns_zones.keys().map(String::as_str);
            let own = |zone: &&str| endpoint.names.iter().any(|name| private_zones::answers_for(zone, name));
            near.extend(zones.filter(own).map(|zone| (zone, name)));
        }
        index
    }
}

/// Zones whose endpoints are in reach, while the resolver that answers the network is not linked to them.
fn not_linked(
    ground: &Ground,
    index: &Index,
    network: &NetworkName,
    clusters: &[&ClusterName],
    out: &mut Vec<Finding>,
) {
    let design = ground.design;
    let peers: BTreeSet<&NetworkName> =
        ground.peers(network).filter(|(_, peering)| peering.connected).map(|(peer, _)| peer).collect();
    let mut wanted: BTreeMap<&str, (BTreeSet<&PrivateEndpointName>, bool)> = BTreeMap::new();
    for at in peers.iter().copied().chain([network]) {
        for (domain, name) in index.by_name.get(at).into_iter().flatten() {
            let (names, in_own) = wanted.entry(domain).or_default();
            names.insert(name);
            *in_own |= at == network;
        }
    }
    let near = peers.into_iter().chain([network]).filter_map(|at| Some((at == network, index.endpoints.get(at)?)));
    for (own, (ip, name)) in near.flat_map(|(own, endpoints)| endpoints.iter().map(move |endpoint| (own, endpoint))) {
        for domain in index.zones.get(ip).into_iter().flatten() {
            let (names, in_own) = wanted.entry(domain).or_default();
            names.insert(name);
            *in_own |= own;
        }
    }
    for (domain, (names, own)) in wanted {
        let Some(zone) = design.private_dns_zones.get(domain) else { continue };
        let Answerer::Platform(asked) = of_network(design, network, domain) else { continue };
        if zone.links.contains(asked) || !zone.links_known {
            continue;
        }
        let names: Vec<_> = names.into_iter().collect();
        let message = format!(
            "pods of {} can't resolve {} privately: the zone `{domain}` is not linked to `{asked}`, whose resolver they ask",
            listed(clusters),
            listed(&names)
        );
        let mut finding =
            Finding::new(codes::PRIVATE_ZONE_NOT_LINKED, format!("privateDnsZones.{domain}.links"), message)
                // Whether a cluster calls what is in a peered network is not stated.
                .severity(if own { Severity::Error } else { Severity::Warning })
                .help(format!(
                    "link the zone to `{asked}`: without a link the public address comes back, and nothing says so"
                ))
                .on(asked);
        for name in names {
            finding = finding.on(name).related(format!("privateEndpoints.{name}"), "its name is in the zone");
        }
        out.push(cited(finding, special::ZONE_LINK_IS_PER_VNET.about()));
    }
}

/// Public names and where they lead from a cluster's network.
fn public_names(design: &Design, network: &NetworkName, clusters: &[&ClusterName], out: &mut Vec<Finding>) {
    for (name, public) in &design.public_dns {
        // The name itself first, then what it is an alias of.
        let chain = [Some(name.as_str()), public.cname.as_deref()];
        for step in chain.into_iter().flatten() {
            let Answerer::Platform(asked) = of_network(design, network, step) else { break };
            let zones = design.private_dns_zones.iter().filter(|(domain, _)| is_below(step, domain));
            let (linked, mut others): (Vec<_>, Vec<_>) = zones.partition(|(_, zone)| zone.links.contains(asked));
            others.retain(|(_, zone)| zone.links_known);
            let longest = linked.into_iter().max_by_key(|(domain, _)| domain.len());
            match longest {
                // A zone without any record was given without its records.
                Some((domain, zone)) if !zone.records.is_empty() && record(zone, domain, step).is_none() => {
                    if !zone.fallback_to_internet {
                        out.push(shadowed(name, step, domain, asked, clusters));
                    } else if let Some(held) = other_record(design, step, domain) {
                        out.push(goes_public(name, public, step, asked, clusters, &held));
                    }
                    break;
                }
                Some(_) => break,
                None => {}
            }
            // Not linked: the record exists, and this resolver never sees it.
            if let Some((domain, _)) = others.into_iter().find(|(domain, zone)| record(zone, domain, step).is_some()) {
                out.push(goes_public(
                    name,
                    public,
                    step,
                    asked,
                    clusters,
                    &format!("the zone `{domain}` has it and is not linked to `{asked}`"),
                ));
                break;
            }
        }
    }
}

/// The record of a name in a zone.
pub(super) fn record<'a>(zone: &'a PrivateDnsZone, domain: &str, name: &str) -> Option<&'a [IpAddr]> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let label = name.strip_suffix(&domain.to_ascii_lowercase())?.trim_end_matches('.');
    let label = if label.is_empty() { "@" } else { label };
    let wild = label.split_once('.').map_or("*".to_owned(), |(_, rest)| format!("*.{rest}"));
    let found = |wanted: &str| zone.records.iter().find(|(held, _)| held.eq_ignore_ascii_case(wanted));
    found(label).or_else(|| found(&wild)).map(|(_, addresses)| addresses.as_slice())
}

/// Another zone of the design that has the record.
fn other_record(design: &Design, name: &str, but: &str) -> Option<String> {
    let found = design.private_dns_zones.iter().find(|(domain, zone)| {
        domain.as_str() != but && is_below(name, domain) && record(zone, domain, name).is_some()
    });
    found.map(|(domain, _)| {
        format!("the zone `{domain}` has it, and `{but}` is asked, which falls back to the internet")
    })
}

fn goes_public(
    name: &str,
    public: &PublicName,
    step: &str,
    asked: &NetworkName,
    clusters: &[&ClusterName],
    because: &str,
) -> Finding {
    let refused = public.public_access_disabled == Some(true);
    let addresses: Vec<String> = public.addresses.iter().map(ToString::to_string).collect();
    let what = if addresses.is_empty() { "its public address".to_owned() } else { listed(&addresses) };
    let end = if refused { ", and the service refuses the public path" } else { "" };
    let message =
        format!("`{name}` resolves to {what} from pods of {}, though it has a private endpoint{end}", listed(clusters));
    let mut finding = Finding::new(codes::PRIVATE_ENDPOINT_NAME_GOES_PUBLIC, format!("publicDns.{name}"), message)
        .help(format!("link the zone that holds `{step}` to `{asked}`, or forward the name to a resolver that sees it"))
        .evidence(because)
        .on(name);
    for cluster in clusters {
        finding = finding.related(format!("clusters.{cluster}"), "asks");
    }
    cited(finding, special::PRIVATE_LINK_BY_ALIAS.about())
}

fn shadowed(name: &str, step: &str, domain: &str, asked: &NetworkName, clusters: &[&ClusterName]) -> Finding {
    let message = format!(
        "`{name}` does not resolve from pods of {}: the linked zone `{domain}` answers for `{step}` and has no record of it",
        listed(clusters)
    );
    let finding = Finding::new(codes::PRIVATE_ZONE_SHADOWS_FOREIGN_NAME, format!("privateDnsZones.{domain}"), message)
        .help("add the record if the endpoint is yours; if the name is somebody else's, set `fallbackToInternet: true` on the link")
        .on(name)
        .on(asked)
        .related(format!("publicDns.{name}"), "the name");
    cited(finding, special::ZONE_LINK_IS_PER_VNET.about())
}
