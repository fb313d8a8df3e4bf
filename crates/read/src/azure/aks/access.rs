//! How the API server is reached.

use super::super::endpoints;
use super::super::resource::ResourceId;
use super::super::translate::Translation;
use super::super::value::*;
use super::Cluster;
use crate::tree::{MapBuilder, Node};

pub(super) fn api_server(cx: &mut Translation, cluster: &Cluster) -> Option<Node> {
    let profile = cluster.object.get("apiServerAccessProfile");
    if profile.is_none() && !cluster.is_described() {
        return None;
    }
    let on = |key: &str| profile.and_then(|profile| prop(profile, key)).filter(|node| truth(node) == Some(true));
    let (private, integrated) = (on("enablePrivateCluster"), on("enableVnetIntegration"));
    // A cluster that says nothing of it is public, so the whole profile stands for the answer.
    let nowhere = profile.map_or(cluster.object.name_span, |profile| profile.span);
    let access = match (integrated, private) {
        (Some(node), _) => Node::str(node.span, "vnetIntegration"),
        (None, Some(node)) => Node::str(node.span, "private"),
        (None, None) => Node::str(nowhere, "public"),
    };
    let endpoint = endpoints::of_cluster(cx, &cluster.object.id).filter(|_| private.is_some() && integrated.is_none());
    let stated = profile.and_then(|profile| reference(profile, "subnetId"));
    let subnet = cx.subnet_node(stated.or_else(|| endpoint?.first(|body| reference(body, "subnet")))).or_else(|| {
        let (subnet, span) = cx.api_endpoints.get(&cluster.object.id)?;
        Some(Node::str(*span, cx.subnet_name(subnet)?))
    });
    let ranges = profile.and_then(|profile| prop(profile, "authorizedIPRanges"));
    let ranges = ranges.map(|ranges| {
        Node::seq(ranges.span, ranges.items().iter().filter(|range| !range.is_null()).filter_map(copy).collect())
    });
    let public = integrated.map(|node| boolean(private.unwrap_or(node), private.is_none()));
    // Of a cluster that is not private the platform states it too, and it means nothing there.
    let public_name = private
        .filter(|_| integrated.is_none())
        .and_then(|_| prop(profile?, "enablePrivateClusterPublicFQDN"))
        .and_then(|node| Some(boolean(node, truth(node)?)));
    let builder = MapBuilder::new(nowhere)
        .set("access", None, access.clone())
        .set("subnet", None, subnet)
        .set("authorizedRanges", None, ranges)
        .set("public", None, public)
        .set("privateDnsZone", None, profile.and_then(private_dns_zone))
        .set("privateFqdn", None, private.and_then(|_| copy(cluster.object.get("privateFqdn")?)))
        .set("publicFqdn", None, public_name)
        .set("privateIp", None, endpoint.and_then(|endpoint| endpoints::address(cx, endpoint)))
        .build();
    Some(if builder.entries().len() == 1 { access } else { builder })
}

/// `system`, `none`, or the name of the zone whose id is stated.
fn private_dns_zone(profile: &Node) -> Option<Node> {
    let zone = text(profile, "privateDNSZone")?;
    word(zone, &[("system", "system"), ("none", "none")]).or_else(|| {
        let id = ResourceId::parse(zone.text()?)?;
        Some(Node::str(zone.span, id.name().to_ascii_lowercase()))
    })
}
