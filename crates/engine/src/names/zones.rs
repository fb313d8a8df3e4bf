//! Private zones: those a cluster's network needs and does not see, names that go to the public address instead, and names a zone
//! takes from somebody else.

use super::resolver::{Answerer, is_below, of_network};
use crate::say::{cited, listed};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::special;
use causeway_model::finding::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub(super) fn check(design: &Design, out: &mut Vec<Finding>) {
    let mut networks: BTreeMap<&NetworkName, Vec<&ClusterName>> = BTreeMap::new();
    for (name, cluster) in &design.clusters {
        for network in cluster.networks() {
            networks.entry(network).or_default().push(name);
        }
    }
    for (network, clusters) in &networks {
        not_linked(design, network, clusters, out);
        public_names(design, network, clusters, out);
    }
}

/// The endpoints a zone's records point at, in a network or its direct peers; true where one is in the network itself.
fn endpoints<'a>(
    zone: &PrivateDnsZone,
    near: &BTreeMap<IpAddr, (&'a PrivateEndpointName, bool)>,
) -> (Vec<&'a PrivateEndpointName>, bool) {
    let addresses: BTreeSet<&IpAddr> = zone.records.values().flatten().collect();
    let found: Vec<_> = addresses.into_iter().filter_map(|address| near.get(address)).collect();
    let own = found.iter().any(|(_, own)| *own);
    (found.into_iter().map(|(name, _)| *name).collect(), own)
}

/// Zones whose endpoints are in reach, while the resolver that answers the network is not linked to them.
fn not_linked(design: &Design, network: &NetworkName, clusters: &[&ClusterName], out: &mut Vec<Finding>) {
    let peers: BTreeSet<&NetworkName> =
        design.peers(network).filter(|(_, peering)| peering.connected).map(|(peer, _)| peer).collect();
    let near: BTreeMap<IpAddr, (&PrivateEndpointName, bool)> = design
        .private_endpoints
        .iter()
        .filter_map(|(name, endpoint)| {
            let own = &endpoint.subnet.network == network;
            (own || peers.contains(&endpoint.subnet.network)).then_some((endpoint.ip?, (name, own)))
        })
        .collect();
    if near.is_empty() {
        return;
    }
    for (domain, zone) in &design.private_dns_zones {
        let Answerer::Platform(asked) = of_network(design, network, domain) else { continue };
        if zone.links.contains(asked) {
            continue;
        }
        let (names, own) = endpoints(zone, &near);
        if names.is_empty() {
            continue;
        }
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
            let (linked, others): (Vec<_>, Vec<_>) = zones.partition(|(_, zone)| zone.links.contains(asked));
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
fn record<'a>(zone: &'a PrivateDnsZone, domain: &str, name: &str) -> Option<&'a [IpAddr]> {
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
