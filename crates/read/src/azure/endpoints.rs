//! Private endpoints.

use super::inventory::{Inventory, Object};
use super::kind::Kind;
use super::nic;
use super::resource::ResourceId;
use super::translate::Translation;
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_model::source::Span;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) fn endpoints(cx: &mut Translation) -> Vec<(Arc<str>, Span, Node)> {
    let own = |endpoint: &&Object| endpoint.is_given() && !is_of_api_server(cx, &endpoint.id);
    let endpoints: Vec<Object> = cx.inventory.of(Kind::PrivateEndpoint).filter(own).cloned().collect();
    let mut out = Vec::new();
    for endpoint in &endpoints {
        let Some(subnet) = cx.subnet_node(endpoint.first(|body| reference(body, "subnet"))) else {
            cx.unknown(
                endpoint.name_span,
                format!("the subnet of the private endpoint `{}` is not known: it is left out", endpoint.name),
            );
            continue;
        };
        let ip = address(cx, endpoint);
        if ip.is_none() {
            cx.unknown(endpoint.name_span, format!("the address of the private endpoint `{}` is not known: give its network interface (`az network nic show`)", endpoint.name));
        }
        let node = MapBuilder::new(endpoint.span())
            .set("ip", None, ip)
            .set("subnet", None, subnet)
            .set("names", None, names(endpoint))
            .set("connection", None, connection(cx, endpoint))
            .build();
        out.extend(cx.name(&endpoint.id).map(|name| (name, endpoint.name_span, node)));
    }
    out
}

/// The first address, as its own configurations say it, its DNS entries, or its interface.
pub(super) fn address(cx: &Translation, endpoint: &Object) -> Option<Node> {
    let own = || endpoint.all("ipConfigurations").into_iter().find_map(nic::address);
    let named = || {
        let entries = endpoint.all("customDnsConfigs").into_iter();
        let addresses = entries.flat_map(|entry| list(entry, "ipAddresses"));
        addresses
            .filter(|address| address.text().is_some_and(|text| causeway_addr::parse_address(text.trim()).is_ok()))
            .find_map(copy)
    };
    let interface = || {
        let mut nics = endpoint.bodies.iter().flat_map(|body| references(body, "networkInterfaces"));
        nics.find_map(|(id, _)| cx.inventory.get(&id)?.all("ipConfigurations").into_iter().find_map(nic::address))
    };
    own().or_else(named).or_else(interface)
}

/// The names it is to be found by. Where a zone group keeps the records the platform lists none.
fn names(endpoint: &Object) -> Option<Node> {
    let mut seen = BTreeSet::new();
    let entries = endpoint.all("customDnsConfigs").into_iter();
    let names =
        entries.filter_map(|entry| text(entry, "fqdn").filter(|name| name.text().is_some_and(|name| !name.is_empty())));
    one_or_many(names.filter(|name| seen.insert(name.text())).filter_map(copy).collect())
}

/// What the owner of the service made of it, where that is not an approval.
fn connection(cx: &mut Translation, endpoint: &Object) -> Option<Node> {
    let automatic = endpoint.all("privateLinkServiceConnections");
    let manual = endpoint.all("manualPrivateLinkServiceConnections");
    let mut states = automatic.into_iter().chain(manual).filter_map(|connection| {
        let state = path(connection, &["privateLinkServiceConnectionState"])
            .or_else(|| path(connection, &["properties", "privateLinkServiceConnectionState"]))?;
        text(state, "status")
    });
    let status = states.find(|status| !status.text().is_some_and(|text| text.eq_ignore_ascii_case("approved")))?;
    let word = match status.text().map(str::to_ascii_lowercase).as_deref() {
        Some(word @ ("pending" | "rejected" | "disconnected")) => word.to_owned(),
        _ => {
            cx.unknown_word(&format!("the connection of the private endpoint `{}`", endpoint.name), status);
            return None;
        }
    };
    Some(Node::str(status.span, word))
}

/// The private endpoint through which nodes reach a private cluster's API server.
pub(super) fn of_cluster<'a>(cx: &'a Translation, cluster: &ResourceId) -> Option<&'a Object> {
    cx.inventory.of(Kind::PrivateEndpoint).find(|endpoint| {
        let of_this = endpoint.id.group().and_then(|group| cx.cluster_of_group(group)) == Some(cluster);
        of_this && endpoint.is_given() && is_of_api_server(cx, &endpoint.id)
    })
}

/// Whether an endpoint is the one AKS makes for a private cluster: `kube-apiserver` in the nodes' resource group. The
/// cluster's API server accounts for its address.
pub(super) fn is_of_api_server(cx: &Translation, endpoint: &ResourceId) -> bool {
    let cluster = endpoint.group().and_then(|group| cx.cluster_of_group(group)).and_then(|id| cx.inventory.get(id));
    cluster.is_some_and(super::aks::has_private_endpoint) && endpoint.name().eq_ignore_ascii_case("kube-apiserver")
}

/// Interfaces of private endpoints, as endpoints and interfaces tell them.
pub(super) fn interfaces(inventory: &Inventory) -> BTreeSet<ResourceId> {
    let endpoints = inventory.of(Kind::PrivateEndpoint).flat_map(|endpoint| &endpoint.bodies);
    let named = endpoints.flat_map(|body| references(body, "networkInterfaces")).map(|(id, _)| inventory.settled(&id));
    let own = inventory.of(Kind::NetworkInterface).filter(|nic| nic.get("privateEndpoint").is_some());
    named.chain(own.map(|nic| nic.id.clone())).collect()
}
