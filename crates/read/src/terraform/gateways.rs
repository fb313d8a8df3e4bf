//! Interfaces of machines, gateways to other networks, and gateways for requests.

use super::body::{Body, list};
use super::egress::{PUBLIC_IP, frontends};
use super::network::{SECURITY_GROUP, SUBNET, say_of_what_is_named};
use super::view::{Cx, Got, View};
use crate::tree::Node;

const NETWORK_INTERFACE: &str = "Microsoft.Network/networkInterfaces";
const NETWORK_GATEWAY: &str = "Microsoft.Network/virtualNetworkGateways";
const LOCAL_GATEWAY: &str = "Microsoft.Network/localNetworkGateways";

pub(super) fn network_interface<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    body.copy_first(cx, view, &["ip_forwarding_enabled", "enable_ip_forwarding"], "enableIPForwarding");
    let configurations = frontends(cx, view, "ip_configuration", "ipConfigurations", &mut body);
    let configurations = configurations.into_iter().zip(view.blocks("ip_configuration")).map(|(node, block)| {
        let Got::Known(primary) = cx.get(&block, "primary") else { return node };
        let builder = crate::tree::MapBuilder::new(node.span);
        let builder = node
            .entries()
            .iter()
            .fold(builder, |builder, entry| builder.set(&entry.key, entry.key_span, entry.node.clone()));
        builder.set("primary", None, primary.clone()).build()
    });
    body.set("ipConfigurations", list(configurations.collect()));
    body.refer(cx, view, "network_security_group_id", SECURITY_GROUP, "networkSecurityGroup");
    cx.push(view, body);
}

pub(super) fn interface_security_group<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.refer(cx, view, "network_security_group_id", SECURITY_GROUP, "networkSecurityGroup");
    say_of_what_is_named(cx, view, "network_interface_id", NETWORK_INTERFACE, body);
}

pub(super) fn application_gateway<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    let standing = standing_in(cx, view, "gateway_ip_configuration", "gatewayIPConfigurations", &mut body);
    body.set("gatewayIPConfigurations", list(standing));
    let frontends = frontends(cx, view, "frontend_ip_configuration", "frontendIPConfigurations", &mut body);
    body.set("frontendIPConfigurations", list(frontends));
    let mut ports = Vec::new();
    for (at, port) in view.blocks("frontend_port").into_iter().enumerate() {
        let mut part = Body::new(port.span());
        part.copy(cx, &port, "name", "name");
        part.copy(cx, &port, "port", "port");
        body.later_in(&format!("frontendPorts.{at}"), &mut part);
        ports.push(part.build());
    }
    body.set("frontendPorts", list(ports));
    cx.push(view, body);
}

/// Configurations that say in which subnet a gateway stands.
fn standing_in<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, block: &'static str, path: &str, whole: &mut Body) -> Vec<Node> {
    let mut out = Vec::new();
    for (at, configuration) in view.blocks(block).into_iter().enumerate() {
        let mut part = Body::new(configuration.span());
        part.copy(cx, &configuration, "name", "name");
        part.refer(cx, &configuration, "subnet_id", SUBNET, "subnet");
        part.refer(cx, &configuration, "public_ip_address_id", PUBLIC_IP, "publicIPAddress");
        whole.later_in(&format!("{path}.{at}"), &mut part);
        out.push(part.build());
    }
    out
}

pub(super) fn for_containers<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    cx.push(view, body);
}

pub(super) fn for_containers_subnet<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.set("associationType", Node::str(view.at, "subnets"));
    body.refer(cx, view, "subnet_id", SUBNET, "subnet");
    cx.push(view, body);
}

pub(super) fn network_gateway<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    body.copy(cx, view, "type", "gatewayType");
    body.copy(cx, view, "vpn_type", "vpnType");
    let standing = standing_in(cx, view, "ip_configuration", "ipConfigurations", &mut body);
    body.set("ipConfigurations", list(standing));
    cx.push(view, body);
}

pub(super) fn local_gateway<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    body.copy(cx, view, "address_space", "localNetworkAddressSpace.addressPrefixes");
    cx.push(view, body);
}

pub(super) fn connection<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "type", "connectionType");
    body.refer(cx, view, "virtual_network_gateway_id", NETWORK_GATEWAY, "virtualNetworkGateway1");
    body.refer(cx, view, "peer_virtual_network_gateway_id", NETWORK_GATEWAY, "virtualNetworkGateway2");
    body.refer(cx, view, "local_network_gateway_id", LOCAL_GATEWAY, "localNetworkGateway2");
    cx.push(view, body);
}
