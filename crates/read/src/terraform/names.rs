//! Private endpoints and private DNS zones.

use super::body::{Body, list};
use super::network::{NETWORK, SUBNET};
use super::view::{Cx, Got, View};
use crate::azure::ResourceId;
use crate::tree::{MapBuilder, Node};

const ZONE: &str = "Microsoft.Network/privateDnsZones";

pub(super) fn private_endpoint<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    body.refer(cx, view, "subnet_id", SUBNET, "subnet");
    let mut configurations = Vec::new();
    for (at, configuration) in view.blocks("ip_configuration").into_iter().enumerate() {
        let mut part = Body::new(configuration.span());
        part.copy(cx, &configuration, "name", "name");
        part.copy(cx, &configuration, "private_ip_address", "privateIPAddress");
        body.later_in(&format!("ipConfigurations.{at}"), &mut part);
        configurations.push(part.build());
    }
    let mut connections = Vec::new();
    for connection in view.blocks("private_service_connection") {
        let mut part = Body::new(connection.span());
        part.copy(cx, &connection, "name", "name");
        part.copy(cx, &connection, "private_connection_resource_id", "privateLinkServiceId");
        part.copy(cx, &connection, "subresource_names", "groupIds");
        part.drop_later();
        connections.push(part.build());
        // Without a configuration of its own, this is where the provider writes the address it got.
        if configurations.is_empty() {
            match cx.output(&connection, "private_ip_address") {
                Got::Known(address) => configurations
                    .push(MapBuilder::new(address.span).set("privateIPAddress", None, address.clone()).build()),
                Got::Later(at) => body.later("ipConfigurations.0.privateIPAddress", at),
                Got::Absent => {}
            }
        }
    }
    body.set("ipConfigurations", list(configurations));
    body.set("privateLinkServiceConnections", list(connections));
    let mut entries = Vec::new();
    for entry in view.blocks("custom_dns_configs") {
        let mut part = Body::new(entry.span());
        part.copy(cx, &entry, "fqdn", "fqdn");
        part.copy(cx, &entry, "ip_addresses", "ipAddresses");
        part.drop_later();
        if !part.is_empty() {
            entries.push(part.build());
        }
    }
    body.set("customDnsConfigs", list(entries));
    let nics = view.blocks("network_interface").into_iter().filter_map(|nic| match cx.get(&nic, "id") {
        Got::Known(id) => Some(Body::id(id.clone())),
        _ => None,
    });
    body.set("networkInterfaces", list(nics.collect()));
    records_of_groups(cx, view);
    cx.push(view, body);
}

/// The platform writes the records of an endpoint into the zones of its groups.
fn records_of_groups<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut written = 0;
    for zone in view.blocks("private_dns_zone_configs") {
        let Got::Known(zone_id) = cx.get(&zone, "private_dns_zone_id") else { continue };
        let Some(zone_id) = zone_id.text().and_then(ResourceId::parse) else { continue };
        for set in zone.blocks("record_sets") {
            let (Got::Known(name), Got::Known(addresses)) = (cx.get(&set, "name"), cx.get(&set, "ip_addresses")) else {
                continue;
            };
            let Some(id) = name.text().and_then(|name| zone_id.child("A", name)) else { continue };
            let one = |node: &Node| MapBuilder::new(node.span).set("ipv4Address", None, node.clone()).build();
            let mut body = Body::new(set.span());
            body.set("aRecords", list(addresses.items().iter().filter(|node| !node.is_null()).map(one).collect()));
            if !cx.is_own(&id) {
                cx.say_of(id, name.span, body);
            }
            written += 1;
        }
    }
    let group = view.block("private_dns_zone_group");
    if let (0, Some(group)) = (written, group) {
        let address = cx.address(view);
        cx.unknown(
            group.span(),
            format!("the records that `{address}` gets in its private DNS zones are known after apply"),
        );
    }
}

pub(super) fn zone<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "number_of_record_sets", "numberOfRecordSets");
    body.drop_later();
    body.set("location", Node::str(view.at, "global"));
    if view.is_data() {
        let address = cx.address(view);
        cx.unknown(view.at, format!("`{address}` does not say to which networks the zone is linked nor what it holds: only what the plan adds is known (give `az network private-dns link vnet list`)"));
    }
    cx.push(view, body);
}

pub(super) fn link<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.refer(cx, view, "virtual_network_id", NETWORK, "virtualNetwork");
    body.copy(cx, view, "registration_enabled", "registrationEnabled");
    body.copy(cx, view, "resolution_policy", "resolutionPolicy");
    cx.push(view, body);
}

/// Address records; `key` is what Resource Manager calls the address.
pub(super) fn records<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>, path: &str, key: &str) {
    let mut body = Body::new(view.at);
    match cx.get(view, "records") {
        Got::Known(records) => {
            let one = |node: &Node| MapBuilder::new(node.span).set(key, None, node.clone()).build();
            body.set(path, list(records.items().iter().filter(|node| !node.is_null()).map(one).collect()));
            if records.items().iter().any(Node::is_null) {
                body.later(path, records.span);
            }
        }
        Got::Later(at) => body.later(path, at),
        Got::Absent => {}
    }
    cx.push(view, body);
}

pub(super) fn alias<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "record", "cnameRecord.cname");
    cx.push(view, body);
}

pub(super) const PRIVATE_DNS_ZONE: &str = ZONE;
