//! The way of people, pipelines and GitOps to a private API server.

use crate::egress::ground::Ground;
use crate::egress::private_api::{CALLERS, endpoint_subnet};
use crate::egress::routes::Hop;
use crate::names::api_server;
use crate::say::{cited, listed};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{About, control_plane, routing};
use causeway_model::finding::Finding;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A private API server and where it answers.
struct Server<'a> {
    name: &'a ClusterName,
    cluster: &'a Cluster,
    network: &'a NetworkName,
    /// Its address, else the range it is in.
    ranges: Vec<Cidr>,
}

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    let design = ground.design;
    let callers: Vec<(&HostName, &Host)> = design
        .hosts
        .iter()
        .filter(|(_, host)| {
            host.role.as_deref().is_some_and(|role| CALLERS.iter().any(|caller| caller.eq_ignore_ascii_case(role)))
        })
        .collect();
    let servers: Vec<Server> =
        design.clusters.iter().filter_map(|(name, cluster)| server(design, name, cluster)).collect();
    if callers.is_empty() || servers.is_empty() {
        return;
    }
    // Which machine is meant for which cluster is not stated: one that reaches some cluster is meant for that, unless nobody reaches
    // this one.
    let reached: Vec<Vec<bool>> =
        servers.iter().map(|server| callers.iter().map(|(_, host)| reaches(ground, server, host)).collect()).collect();
    let idle: BTreeSet<usize> =
        (0..callers.len()).filter(|at| reached.iter().all(|row| row.get(*at) == Some(&false))).collect();
    for (server, row) in servers.iter().zip(&reached) {
        let nobody = !row.contains(&true);
        let lost: Vec<&(&HostName, &Host)> = callers
            .iter()
            .enumerate()
            .filter(|(at, _)| row.get(*at) == Some(&false) && (nobody || idle.contains(at)))
            .map(|(_, caller)| caller)
            .collect();
        if !lost.is_empty() {
            out.push(no_path(design, server, &lost));
        }
        let there: Vec<&(&HostName, &Host)> =
            callers.iter().zip(row).filter(|(_, reached)| **reached).map(|(caller, _)| caller).collect();
        out.extend(no_name(design, server, &there));
    }
}

fn server<'a>(design: &'a Design, name: &'a ClusterName, cluster: &'a Cluster) -> Option<Server<'a>> {
    let api = &cluster.api_server;
    let reference = match api.access {
        ApiAccess::Public => return None,
        ApiAccess::VnetIntegration if api.public == Some(true) => return None,
        ApiAccess::VnetIntegration => api.subnet.as_ref(),
        ApiAccess::Private => endpoint_subnet(cluster),
    };
    let network = match reference {
        Some(reference) => &reference.network,
        None => cluster.networks().into_iter().next()?,
    };
    let (network, value) = design.networks.get_key_value(network)?;
    let subnet = reference.and_then(|reference| design.subnet(reference));
    let ranges = match (api.private_ip, subnet) {
        (Some(ip), _) => vec![Cidr::host(ip)],
        (None, Some(subnet)) if !subnet.prefixes.is_empty() => subnet.prefixes.clone(),
        _ => value.prefixes.clone(),
    };
    // A network that is only referred to says nothing about its peers.
    (!value.prefixes.is_empty()).then_some(Server { name, cluster, network, ranges })
}

fn overlaps(shown: &[Cidr], ranges: &[Cidr]) -> bool {
    shown.iter().any(|shown| ranges.iter().any(|range| range.overlaps(shown)))
}

/// Whether some way leads from a machine to the API server; where that can't be told, it is taken to.
fn reaches<'a>(ground: &Ground<'a>, server: &Server<'a>, host: &'a Host) -> bool {
    let design = ground.design;
    let Some(from) = &host.network else { return false };
    if from == server.network || has_endpoint_of_its_own(design, from) {
        return true;
    }
    let Some((from, network)) = design.networks.get_key_value(from) else { return true };
    if network.kind == NetworkKind::OnPremises {
        return site_reaches(ground, server, from, network);
    }
    let peered = |network: &NetworkName, peer: &NetworkName, seen: &[Cidr], own: &[Cidr]| {
        ground.peers(network).any(|(other, peering)| {
            other == peer
                && peering.connected
                && overlaps(design.shown(peering, peer), seen)
                && overlaps(design.shown(peering, network), own)
        })
    };
    if peered(from, server.network, &server.ranges, &[Cidr::host(host.ip)]) {
        return true;
    }
    if network.prefixes.is_empty() {
        return true;
    }
    // By a route of its own: through an appliance in a network that has a way on, or through a gateway.
    let subnet = ground.subnet_at(from, host.ip).and_then(|subnet| network.subnets.get(subnet));
    let Some(subnet) = subnet else { return false };
    server.ranges.iter().any(|range| {
        ground.routes.decide(from, subnet, range).iter().any(|decision| match decision.hop {
            Hop::Appliance(ip) => {
                let at = design
                    .networks
                    .iter()
                    .find(|(_, network)| network.prefixes.iter().any(|prefix| prefix.contains(ip)));
                at.is_none_or(|(at, _)| {
                    at == server.network
                        || ground.peers(at).any(|(peer, peering)| peer == server.network && peering.connected)
                })
            }
            Hop::Gateway | Hop::Unknown => true,
            _ => false,
        })
    })
}

/// A site reaches what its gateways' networks reach, if its routers accept it.
fn site_reaches(ground: &Ground, server: &Server, site: &NetworkName, value: &Network) -> bool {
    if value.knows.as_ref().is_some_and(|knows| !overlaps(knows, &server.ranges)) {
        return false;
    }
    let design = ground.design;
    let connects = |network: &NetworkName| {
        design
            .networks
            .get(network)
            .and_then(|network| network.gateway.as_ref())
            .is_some_and(|gateway| gateway.connects.contains(site))
    };
    connects(server.network)
        || ground.peers(server.network).any(|(peer, peering)| {
            connects(peer) && peering.connected && overlaps(design.shown(peering, server.network), &server.ranges)
        })
}

/// Another network may have a private endpoint for the API server.
fn has_endpoint_of_its_own(design: &Design, network: &NetworkName) -> bool {
    let endpoints: BTreeSet<IpAddr> = design
        .private_endpoints
        .values()
        .filter(|endpoint| &endpoint.subnet.network == network)
        .filter_map(|endpoint| endpoint.ip)
        .collect();
    let zones = design.private_dns_zones.iter().filter(|(name, _)| control_plane::is_private_link_zone(name, None));
    !endpoints.is_empty()
        && zones.flat_map(|(_, zone)| zone.records.values().flatten()).any(|address| endpoints.contains(address))
}

fn who(callers: &[&(&HostName, &Host)]) -> String {
    listed(&callers.iter().map(|(name, _)| format!("host/{name}")).collect::<Vec<_>>())
}

fn finding(server: &Server, callers: &[&(&HostName, &Host)], message: String, help: &str, about: About) -> Finding {
    let mut finding =
        Finding::new(codes::CLIENT_PATH_MISSING, format!("clusters.{}.apiServer", server.name), message).help(help);
    for (name, host) in callers {
        let role = host.role.as_deref().unwrap_or("caller");
        finding = finding.on(format!("host/{name}")).related(format!("hosts.{name}"), role);
    }
    cited(finding, about)
}

fn no_path(design: &Design, server: &Server, callers: &[&(&HostName, &Host)]) -> Finding {
    let message = format!(
        "no way leads from {} to the private API server of `{}` in `{}`",
        who(callers),
        server.name,
        server.network
    );
    let help = "peer the client's network with this one, put a client where a way exists, or use `az aks command invoke`, which needs none";
    let mut finding = finding(server, callers, message, help, routing::PEERING_IS_TRANSITIVE.about());
    for (name, host) in callers {
        finding = finding.evidence(match &host.network {
            None => format!("`host/{name}` is on the internet"),
            Some(network) if design.networks.get(network).is_some_and(|network| network.kind == NetworkKind::OnPremises) => {
                format!("`host/{name}` is at `{network}`, and no gateway in reach of `{}` connects it, or it does not accept the range", server.network)
            }
            Some(network) => format!("`host/{name}` is in `{network}`, which is not peered with `{}`; a peer's peers are not reached", server.network),
        });
    }
    finding
}

/// The zone of the API server's name is in the design, and a client's resolver does not see it.
fn no_name(design: &Design, server: &Server, callers: &[&(&HostName, &Host)]) -> Option<Finding> {
    let (zone, value) = api_server::zone(design, server.cluster, server.network)?;
    if !value.links_known {
        return None;
    }
    let links = &value.links;
    let blind: Vec<&(&HostName, &Host)> = callers
        .iter()
        .filter(|(_, host)| {
            let network = host.network.as_ref().and_then(|name| Some((name, design.networks.get(name)?)));
            network.is_some_and(|(name, network)| {
                network.kind == NetworkKind::Vnet && network.dns_servers == DnsServers::Azure && !links.contains(name)
            })
        })
        .copied()
        .collect();
    if blind.is_empty() {
        return None;
    }
    let message = format!(
        "{} can't resolve the API server of `{}`: the zone `{zone}` is not linked to their network",
        who(&blind),
        server.name
    );
    let help = "link the zone to the clients' networks, or use the cluster's public name if it has one";
    let finding = finding(server, &blind, message, help, control_plane::ZONE_LINKED_TO_NODE_VNET_ONLY.about());
    Some(finding.related(format!("privateDnsZones.{zone}"), "the zone"))
}
