//! Private zones, as the platform's resolver sees them from one network.

use super::domain::{above, is_below, relative};
use crate::answer::Missing;
use crate::world::World;
use causeway_model::design::*;
use causeway_model::facts::control_plane;
use std::net::IpAddr;

/// What the zones linked to a network say of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Zone<'a> {
    /// None of them is asked.
    NotSeen,
    /// It has a record.
    Holds {
        /// The zone.
        zone: String,
        /// Dotted path of the record.
        object: String,
        /// Its addresses; empty = it has a record whose addresses are not known.
        addresses: &'a [IpAddr],
    },
    /// It answers for the name and has nothing.
    Nothing(&'a str),
    /// It has nothing and passes the question to the internet.
    FallsBack(&'a str),
    /// It can't be said.
    Unknown(String, Missing),
}

/// What a zone has for a label below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Record<'a> {
    Found(&'a str, &'a [IpAddr]),
    /// Nothing; a wildcard does not help either.
    None,
}

/// What the zones say of a name when it is asked from a network: the one with the longest name answers, alone.
pub(super) fn ask<'a>(world: &World<'a>, network: &NetworkName, name: &str) -> Zone<'a> {
    let design = world.design;
    let fitting = || design.private_dns_zones.iter().filter(|(domain, _)| is_below(name, domain));
    let seen = fitting().filter(|(domain, zone)| is_seen(design, domain, zone, network));
    let best = seen.max_by_key(|(domain, _)| domain.trim_matches('.').len());
    let length = best.map_or(0, |(domain, _)| domain.trim_matches('.').len());
    // Links that were counted and not given may be to this network.
    let hidden = fitting().find(|(domain, zone)| {
        let longer = domain.trim_matches('.').len() > length;
        longer && !zone.links_known && !is_seen(design, domain, zone, network)
    });
    if let Some((domain, _)) = hidden {
        let missing = Missing::new(
            format!("whether the private zone `{domain}` is linked to `{network}`"),
            format!(
                "`az network private-dns link vnet list --zone-name {domain}`, or write `privateDnsZones.{domain}.links`"
            ),
        );
        return Zone::Unknown(domain.clone(), missing);
    }
    if let Some(own) = api_server(design, network, name, length) {
        return own;
    }
    let Some((domain, zone)) = best else { return Zone::NotSeen };
    match record(zone, domain, name) {
        Record::Found(label, addresses) => {
            Zone::Holds { zone: domain.clone(), object: format!("privateDnsZones.{domain}.records.{label}"), addresses }
        }
        Record::None if !zone.records_known => {
            let missing = Missing::new(
                format!("the record of `{name}` in the private zone `{domain}`: its records were not given"),
                format!(
                    "`az network private-dns record-set list --zone-name {domain}`, or write `privateDnsZones.{domain}.records`"
                ),
            );
            Zone::Unknown(domain.clone(), missing)
        }
        Record::None if zone.fallback_to_internet => Zone::FallsBack(domain),
        Record::None => Zone::Nothing(domain),
    }
}

/// Zones that have a record of a name and are not seen from a network: what it would get with a link.
pub(super) fn hidden_record<'a>(
    design: &'a Design,
    network: Option<&NetworkName>,
    name: &str,
) -> Option<(&'a str, &'a PrivateDnsZone)> {
    let zones = design.private_dns_zones.iter().filter(|(domain, zone)| {
        let seen = network.is_some_and(|network| is_seen(design, domain, zone, network));
        !seen && is_below(name, domain) && matches!(record(zone, domain, name), Record::Found(..))
    });
    zones.map(|(domain, zone)| (domain.as_str(), zone)).max_by_key(|(domain, _)| domain.len())
}

/// The addresses any zone of the design has for a name, seen or not.
pub(super) fn any_record<'a>(design: &'a Design, name: &str) -> Option<&'a [IpAddr]> {
    design.private_dns_zones.iter().find_map(|(domain, zone)| {
        let found = is_below(name, domain).then(|| record(zone, domain, name))?;
        match found {
            Record::Found(_, addresses) => Some(addresses),
            Record::None => None,
        }
    })
}

/// A zone is seen where it is linked. The one an AKS cluster is to use is linked by AKS itself, to the network of the nodes and to no other
/// (azure-facts `cp.private.zone_links`); of a cluster that exists that link is among those that were given.
fn is_seen(design: &Design, domain: &str, zone: &PrivateDnsZone, network: &NetworkName) -> bool {
    zone.links.contains(network)
        || design.clusters.values().any(|cluster| {
            let api = &cluster.api_server;
            let named = api.private_dns_zone.as_deref().is_some_and(|own| same(own, domain));
            named && is_private(api) && api.private_fqdn.is_none() && stands_in(cluster, network)
        })
}

/// Two names of one domain.
fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.'))
}

/// Whether a cluster has a subnet in a network.
fn stands_in(cluster: &Cluster, network: &NetworkName) -> bool {
    let subnets = cluster.pools.values().flat_map(|pool| [&pool.subnet, &pool.pod_subnet]);
    subnets.flatten().any(|subnet| subnet.network == *network)
}

fn is_private(api: &ApiServer) -> bool {
    match api.access {
        ApiAccess::Private => true,
        ApiAccess::VnetIntegration => api.public == Some(false),
        ApiAccess::Public => false,
    }
}

/// The zone a private cluster brings along in its node resource group (`system`): no design lists it, and the nodes' network sees it.
fn api_server<'a>(design: &'a Design, network: &NetworkName, name: &str, longer_than: usize) -> Option<Zone<'a>> {
    for (cluster, value) in &design.clusters {
        let api = &value.api_server;
        if !is_private(api) {
            continue;
        }
        let has_record = || {
            let object = format!("clusters.{cluster}.apiServer.privateIp");
            Zone::Holds { zone: "of the API server".to_owned(), object, addresses: api.private_ip.as_slice() }
        };
        match &api.private_fqdn {
            Some(own) => {
                let own = own.trim_end_matches('.');
                let Some((_, domain)) = own.split_once('.') else { continue };
                if !is_below(name, domain) || !stands_in(value, network) {
                    continue;
                }
                let is_own = same(name, own);
                let listed = design.private_dns_zones.iter().find(|(zone, _)| same(zone, domain));
                // A zone that is listed answers for itself, and only what was not given of it is known from here.
                if let Some((zone, listed)) = listed {
                    let unknown = !listed.records_known && record(listed, zone, name) == Record::None;
                    if is_own && unknown && is_seen(design, zone, listed, network) {
                        return Some(has_record());
                    }
                    continue;
                }
                let system = api.private_dns_zone.as_deref().is_none_or(|zone| zone.eq_ignore_ascii_case("system"));
                if system && domain.len() > longer_than {
                    return Some(if is_own { has_record() } else { Zone::Nothing("of the API server") });
                }
            }
            None => {
                let system = api.private_dns_zone.as_deref().is_none_or(|zone| zone.eq_ignore_ascii_case("system"));
                let region = value.location.as_deref().map(|region| region.replace(' ', ""));
                let in_kind = |domain: &str| match api.access {
                    ApiAccess::VnetIntegration => control_plane::is_vnet_integration_zone(domain, region.as_deref()),
                    _ => control_plane::is_private_link_zone(domain, region.as_deref()),
                };
                let possible = longer_than == 0 && above(name).any(in_kind);
                if system && possible && stands_in(value, network) {
                    let missing = Missing::new(
                        format!("the private name of the API server of `{cluster}`"),
                        format!(
                            "`az aks show --query privateFqdn`, or write `clusters.{cluster}.apiServer.privateFqdn` and `.privateIp`"
                        ),
                    );
                    return Some(Zone::Unknown(format!("of the API server of `{cluster}`"), missing));
                }
            }
        }
    }
    None
}

/// The record of a name, else the wildcard that stands for it (RFC 4592: the one right below the closest name that exists).
fn record<'a>(zone: &'a PrivateDnsZone, domain: &str, name: &str) -> Record<'a> {
    let Some(label) = relative(name, domain) else { return Record::None };
    let held = |wanted: &str| {
        let found = zone.records.iter().find(|(held, _)| held.trim_end_matches('.').eq_ignore_ascii_case(wanted));
        found.map(|(held, addresses)| Record::Found(held, addresses))
    };
    if label.is_empty() {
        return held("@").or_else(|| held("")).unwrap_or(Record::None);
    }
    if let Some(own) = held(label) {
        return own;
    }
    let exists = |node: &str| zone.records.keys().any(|held| is_below(held, node));
    // There is something below it: the name exists and has no address.
    if exists(label) {
        return Record::None;
    }
    match above(label).find(|node| exists(node)) {
        Some(encloser) => held(&format!("*.{encloser}")).unwrap_or(Record::None),
        None => held("*").unwrap_or(Record::None),
    }
}
