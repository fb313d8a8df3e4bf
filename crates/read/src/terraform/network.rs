//! Virtual networks, subnets and peerings.

use super::body::{Body, list};
use super::view::{Cx, Got, View};
use crate::azure::PEERS_ADDRESSES;
use crate::azure::ResourceId;
use crate::tree::{MapBuilder, Node};

pub(super) const NETWORK: &str = "Microsoft.Network/virtualNetworks";
pub(super) const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";
pub(super) const ROUTE_TABLE: &str = "Microsoft.Network/routeTables";
pub(super) const SECURITY_GROUP: &str = "Microsoft.Network/networkSecurityGroups";
pub(super) const NAT_GATEWAY: &str = "Microsoft.Network/natGateways";

pub(super) fn virtual_network<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    body.copy(cx, view, "address_space", "addressSpace.addressPrefixes");
    pools(cx, view, &mut body, "addressSpace.ipamPoolPrefixAllocations");
    let own_servers = cx.id(view).is_some_and(|id| cx.own.contains(&servers_of(id)));
    if !own_servers {
        body.copy(cx, view, "dns_servers", "dhcpOptions.dnsServers");
    }
    if view.is_data() {
        names_only(cx, view);
        peers(cx, view);
    }
    let id = cx.id(view).cloned();
    for subnet in view.blocks("subnet") {
        inline_subnet(cx, &subnet, id.as_ref(), &mut body);
    }
    cx.push(view, body);
}

/// Marks a network whose servers are an object of their own.
pub(super) fn servers_of(network: &ResourceId) -> String {
    format!("{}/dnsservers", network.key())
}

pub(super) fn dns_servers<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "dns_servers", "dhcpOptions.dnsServers");
    say_of_what_is_named(cx, view, "virtual_network_id", NETWORK, body);
}

/// Says something of the object an attribute has the id of; notes where that is not known.
pub(super) fn say_of_what_is_named<'a>(
    cx: &mut Cx<'_, 'a>,
    view: &View<'a>,
    attribute: &'static str,
    arm: &str,
    body: Body,
) {
    match named(cx, view, attribute, arm) {
        Some((id, at)) => cx.say_of(id, at.span, body),
        None => {
            let address = cx.address(view);
            cx.unknown(view.at, format!("`{attribute}` of `{address}` is not known: what it says is left out"));
        }
    }
}

/// The object an attribute has the id of.
pub(super) fn named<'a>(
    cx: &Cx<'_, 'a>,
    view: &View<'a>,
    attribute: &'static str,
    arm: &str,
) -> Option<(ResourceId, Node)> {
    let node = cx.reference(view, attribute, arm).ok().flatten()?;
    Some((ResourceId::parse(node.text()?)?, node))
}

/// Prefixes that an address pool gives: what it gave is known afterwards only.
fn pools<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, body: &mut Body, path: &str) {
    let mut allocations = Vec::new();
    for (at, pool) in view.blocks("ip_address_pool").into_iter().enumerate() {
        let mut part = Body::new(pool.span());
        part.copy_output(cx, &pool, "allocated_ip_address_prefixes", "allocatedAddressPrefixes");
        part.copy(cx, &pool, "number_of_ip_addresses", "numberOfIpAddresses");
        body.later_in(&format!("{path}.{at}"), &mut part);
        if !part.is_empty() {
            allocations.push(part.build());
        }
    }
    body.set(path, list(allocations));
}

/// A data source has its subnets by name only.
fn names_only<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let Got::Known(names) = cx.get(view, "subnets") else { return };
    let Some(network) = cx.id(view).cloned() else { return };
    let is_described = |name: &str| {
        let subnet = network.child("subnets", name);
        subnet.is_some_and(|subnet| cx.is_own(&subnet) || cx.ids.find(&subnet).is_some())
    };
    let missing: Vec<String> = names
        .items()
        .iter()
        .filter_map(Node::text)
        .filter(|name| !is_described(name))
        .map(|name| format!("`{name}`"))
        .collect();
    if !missing.is_empty() {
        let (count, missing) = (missing.len(), missing.join(", "));
        cx.unknown(names.span, format!("the data source of the network `{}` has {count} subnets by name only, their prefixes are not known: {missing} (give `az network vnet show`)", network.name()));
    }
}

/// A data source has its peers by id, and of its peerings nothing more.
fn peers<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let (Got::Known(peers), Some(network)) = (cx.get(view, "vnet_peerings"), cx.id(view).cloned()) else { return };
    // The prefixes of all peers together, in no order that tells whose they are.
    let addresses = match cx.get(view, "vnet_peerings_addresses") {
        Got::Known(addresses) if !addresses.items().is_empty() => Some(addresses),
        _ => None,
    };
    if let Some(addresses) = addresses.filter(|_| peers.entries().len() > 1) {
        cx.unknown(addresses.span, format!("which of the peers of `{}` has which of the {} prefixes is not in the data source: those no other network here has are taken for one peer's (give `az network vnet peering list`)", network.name(), addresses.items().len()));
    }
    for entry in peers.entries() {
        let Some(id) = network.child("virtualNetworkPeerings", &entry.key) else { continue };
        if cx.is_own(&id) || cx.ids.find(&id).is_some() {
            continue;
        }
        let mut body = Body::new(entry.node.span);
        body.set("remoteVirtualNetwork", Body::id(entry.node.clone()));
        body.set(&format!("{PEERS_ADDRESSES}.addressPrefixes"), addresses.cloned());
        cx.unknown(entry.node.span, format!("what the peering `{}` of `{}` lets through is not in the data source: it is taken for what the platform does by itself (give `az network vnet peering list`)", entry.key, network.name()));
        cx.say_of(id, entry.key_span, body);
    }
}

/// A subnet that stands in its network. Where it is an object of its own too, that one counts; the network then repeats
/// what was there before.
fn inline_subnet<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>, network: Option<&ResourceId>, whole: &mut Body) {
    let Got::Known(name) = cx.get(view, "name") else {
        whole.later("subnets.0.name", view.span());
        return;
    };
    let Some(id) = network.and_then(|network| network.child("subnets", name.text()?)) else { return };
    let mut body = Body::new(view.span());
    if !cx.is_own(&id) {
        of_subnet(cx, view, &mut body);
    }
    for (attribute, arm, path) in
        [("security_group", SECURITY_GROUP, "networkSecurityGroup"), ("route_table_id", ROUTE_TABLE, "routeTable")]
    {
        if !cx.own.contains(&association(&id, path)) {
            body.refer(cx, view, attribute, arm, path);
        }
    }
    if !body.is_empty() {
        cx.say_of(id, name.span, body);
    }
}

/// Marks a subnet for which an association of that kind is an object of the configuration.
pub(super) fn association(subnet: &ResourceId, what: &str) -> String {
    format!("{}/{what}", subnet.key())
}

pub(super) fn subnet<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    of_subnet(cx, view, &mut body);
    for (attribute, written, arm, path) in [
        ("network_security_group_id", "network_security_group_id_wo", SECURITY_GROUP, "networkSecurityGroup"),
        ("route_table_id", "route_table_id_wo", ROUTE_TABLE, "routeTable"),
    ] {
        match cx.written_only(view, written, arm) {
            Some(Ok(id)) => body.set(path, Body::id(id)),
            Some(Err(at)) => body.later(path, at),
            None => {
                let is_own = cx.id(view).is_some_and(|id| cx.own.contains(&association(id, path)));
                if !is_own {
                    body.refer(cx, view, attribute, arm, path);
                }
            }
        }
    }
    cx.push(view, body);
}

fn of_subnet<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, body: &mut Body) {
    match cx.get(view, "address_prefixes") {
        Got::Absent => body.copy(cx, view, "address_prefix", "addressPrefix"),
        _ => body.copy(cx, view, "address_prefixes", "addressPrefixes"),
    }
    pools(cx, view, body, "ipamPoolPrefixAllocations");
    let mut delegations = Vec::new();
    for delegation in view.blocks("delegation") {
        let inner = delegation.block("service_delegation").unwrap_or(delegation);
        match cx.get(&inner, "name") {
            Got::Known(name) => {
                delegations.push(MapBuilder::new(name.span).set("serviceName", None, name.clone()).build());
            }
            Got::Later(at) => body.later("delegations", at),
            Got::Absent => {}
        }
    }
    body.set("delegations", list(delegations));
    body.set("serviceEndpoints", list(service_endpoints(cx, view)));
    policies(cx, view, body);
    body.copy(cx, view, "default_outbound_access_enabled", "defaultOutboundAccess");
}

/// Names, or since version 5 of the provider blocks with a name.
fn service_endpoints<'a>(cx: &Cx<'_, 'a>, view: &View<'a>) -> Vec<Node> {
    let mut names: Vec<Node> = match cx.get(view, "service_endpoints") {
        Got::Known(names) => names.items().iter().filter(|name| name.text().is_some()).cloned().collect(),
        _ => Vec::new(),
    };
    for endpoint in view.blocks("service_endpoint") {
        let name = ["service", "name"].iter().find_map(|key| match cx.get(&endpoint, key) {
            Got::Known(name) => Some(name.clone()),
            _ => None,
        });
        names.extend(name);
    }
    names.into_iter().map(|name| MapBuilder::new(name.span).set("service", None, name).build()).collect()
}

/// What version 4 has as a word older ones have as a boolean; the oldest had it the wrong way round.
fn policies<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, body: &mut Body) {
    const PATH: &str = "privateEndpointNetworkPolicies";
    let (attribute, on, off) = match cx.get(view, "private_endpoint_network_policies") {
        Got::Known(word) => {
            body.set(PATH, word.clone());
            return;
        }
        _ if !matches!(cx.get(view, "private_endpoint_network_policies_enabled"), Got::Absent) => {
            ("private_endpoint_network_policies_enabled", "Enabled", "Disabled")
        }
        _ => ("enforce_private_link_endpoint_network_policies", "Disabled", "Enabled"),
    };
    match cx.get(view, attribute) {
        Got::Known(node) => {
            let word = if node.text() == Some("true") { on } else { off };
            body.set(PATH, Node::str(node.span, word));
        }
        Got::Later(at) => body.later(PATH, at),
        Got::Absent => {}
    }
}

pub(super) fn peering<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.refer(cx, view, "remote_virtual_network_id", NETWORK, "remoteVirtualNetwork");
    for (attribute, path) in [
        ("allow_virtual_network_access", "allowVirtualNetworkAccess"),
        ("allow_forwarded_traffic", "allowForwardedTraffic"),
        ("allow_gateway_transit", "allowGatewayTransit"),
        ("use_remote_gateways", "useRemoteGateways"),
        ("peer_complete_virtual_networks_enabled", "peerCompleteVnets"),
        ("local_subnet_names", "localSubnetNames"),
        ("remote_subnet_names", "remoteSubnetNames"),
    ] {
        body.copy(cx, view, attribute, path);
    }
    cx.push(view, body);
}

/// A subnet gets a route table, a security group or a NAT gateway.
pub(super) fn subnet_association<'a>(
    cx: &mut Cx<'_, 'a>,
    view: &View<'a>,
    attribute: &'static str,
    arm: &str,
    path: &str,
) {
    let mut body = Body::new(view.at);
    body.refer(cx, view, attribute, arm, path);
    say_of_what_is_named(cx, view, "subnet_id", SUBNET, body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_an_object_are_its_own() {
        let subnet = ResourceId::new(None, Some("rg"), SUBNET, &["v", "Nodes"]).unwrap();
        assert_ne!(association(&subnet, "routeTable"), association(&subnet, "networkSecurityGroup"));
        assert!(association(&subnet, "routeTable").starts_with(subnet.key()));
        assert!(servers_of(&subnet.parent().unwrap()).ends_with("/v/dnsservers"));
    }
}
