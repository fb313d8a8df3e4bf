//! The name of a private API server: whether the nodes of its own cluster can resolve it.

use super::resolver::{Answerer, of_network};
use crate::egress::private_api::endpoint_subnet;
use crate::say::cited;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::control_plane;
use causeway_model::finding::Finding;

pub(super) fn check(design: &Design, out: &mut Vec<Finding>) {
    for (name, cluster) in &design.clusters {
        out.extend(nodes(design, name, cluster));
    }
}

/// AKS links the zone to the VNet of the nodes itself, and to no other: where the nodes ask a resolver of another network, that one
/// has to be linked too. Of a cluster that exists the platform's own link can be gone.
fn nodes(design: &Design, name: &ClusterName, cluster: &Cluster) -> Option<Finding> {
    let api = &cluster.api_server;
    let is_private = match api.access {
        ApiAccess::Private => true,
        ApiAccess::VnetIntegration => api.public == Some(false),
        ApiAccess::Public => false,
    };
    let network = match endpoint_subnet(cluster) {
        Some(subnet) => &subnet.network,
        None => cluster.networks().into_iter().next()?,
    };
    if !is_private {
        return None;
    }
    let (domain, zone) = zone(design, cluster, network)?;
    let Answerer::Platform(asked) = of_network(design, network, domain) else { return None };
    let makes_its_own_link = asked == network && api.private_fqdn.is_none();
    if !zone.links_known || zone.links.contains(asked) || makes_its_own_link {
        return None;
    }
    let message = format!(
        "nodes of `{name}` can't resolve their API server: the zone `{domain}` is not linked to `{asked}`, whose resolver they ask"
    );
    let finding = Finding::new(codes::PRIVATE_ZONE_NOT_LINKED, format!("privateDnsZones.{domain}.links"), message)
        .help(format!(
            "link the zone to `{asked}`: nodes that can't find the API server never turn ready, and those there are stop reporting"
        ))
        .on(asked)
        .related(format!("clusters.{name}.apiServer"), "the API server");
    Some(cited(finding, control_plane::ZONE_LINKED_TO_NODE_VNET_ONLY.about()))
}

/// The one zone that has the API server's name: the one stated, the one right below which its name is, else the only one of its kind that its
/// network sees.
pub(crate) fn zone<'a>(
    design: &'a Design,
    cluster: &Cluster,
    network: &NetworkName,
) -> Option<(&'a str, &'a PrivateDnsZone)> {
    let api = &cluster.api_server;
    let stated = api.private_dns_zone.as_deref();
    if stated.is_some_and(|zone| zone.eq_ignore_ascii_case("none")) {
        return None;
    }
    let of_its_kind = |name: &str| match api.access {
        ApiAccess::VnetIntegration => control_plane::is_vnet_integration_zone(name, None),
        _ => control_plane::is_private_link_zone(name, None),
    };
    let named = stated.filter(|zone| !zone.eq_ignore_ascii_case("system"));
    let mut fitting = design.private_dns_zones.iter().filter(|(name, zone)| match (named, &api.private_fqdn) {
        (Some(named), _) => name.eq_ignore_ascii_case(named),
        (None, Some(own)) => own.split_once('.').is_some_and(|(_, zone)| name.eq_ignore_ascii_case(zone)),
        (None, None) => of_its_kind(name) && zone.links.contains(network),
    });
    match (fitting.next(), fitting.next()) {
        (Some((name, zone)), None) => Some((name.as_str(), zone)),
        _ => None,
    }
}
