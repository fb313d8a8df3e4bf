//! NAT gateways, public addresses and load balancers.

use super::body::{Body, list};
use super::network::named;
use super::view::{Cx, Got, View};
use crate::azure::ResourceId;
use crate::tree::Node;

pub(super) const PUBLIC_IP: &str = "Microsoft.Network/publicIPAddresses";
pub(super) const PUBLIC_IP_PREFIX: &str = "Microsoft.Network/publicIPPrefixes";
const LOAD_BALANCER: &str = "Microsoft.Network/loadBalancers";

pub(super) fn nat_gateway<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    body.copy(cx, view, "idle_timeout_in_minutes", "idleTimeoutInMinutes");
    body.copy(cx, view, "sku_name", "sku.name");
    for (attribute, arm, path) in [
        ("public_ip_address_ids", PUBLIC_IP, "publicIpAddresses"),
        ("public_ip_prefix_ids", PUBLIC_IP_PREFIX, "publicIpPrefixes"),
    ] {
        body.refer_to_all(cx, view, attribute, arm, path);
    }
    // The addresses of a gateway are objects of their own. A gateway that exists may have some from elsewhere; one that is
    // made here has those that are made with it.
    let has = |key: &'static str| cx.id(view).is_some_and(|id| cx.gathered.contains_key(&(id.clone(), key)));
    let none = !has("publicIpAddresses") && !has("publicIpPrefixes");
    if none && !view.is_fresh() && !body.has("publicIpAddresses") && !body.has("publicIpPrefixes") {
        body.later("publicIpAddresses", view.at);
    }
    cx.push(view, body);
}

/// An address or prefix of a NAT gateway: all of one gateway are put together at the end.
pub(super) fn nat_association<'a>(
    cx: &mut Cx<'_, 'a>,
    view: &View<'a>,
    attribute: &'static str,
    arm: &str,
    path: &'static str,
) {
    let Some((gateway, _)) = named(cx, view, "nat_gateway_id", "Microsoft.Network/natGateways") else {
        let address = cx.address(view);
        cx.unknown(view.at, format!("which NAT gateway `{address}` is about is not known: it is left out"));
        return;
    };
    let ids = cx.reference(view, attribute, arm);
    let found = cx.gathered.entry((gateway, path)).or_default();
    match ids {
        Ok(Some(id)) => found.push(Body::id(id)),
        Ok(None) => {}
        // It counts, though nobody knows which one it is.
        Err(at) => {
            let unknown = ResourceId::new(None, None, arm, &[&format!("unknown-{}", found.len() + 1)]);
            found.extend(unknown.map(|id| Body::id(Node::str(at, id.as_str()))));
        }
    }
}

/// What several objects say of one, as one resource each.
pub(super) fn say_what_was_gathered(cx: &mut Cx) {
    for ((id, path), items) in std::mem::take(&mut cx.gathered) {
        let Some(at) = items.first().map(|item| item.span) else { continue };
        let mut body = Body::new(at);
        body.set(path, list(items));
        cx.say_of(id, at, body);
    }
}

pub(super) fn public_ip<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    body.copy_output(cx, view, "ip_address", "ipAddress");
    body.copy(cx, view, "ip_version", "publicIPAddressVersion");
    cx.push(view, body);
}

pub(super) fn public_ip_prefix<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    body.copy_output(cx, view, "ip_prefix", "ipPrefix");
    body.copy(cx, view, "prefix_length", "prefixLength");
    body.copy(cx, view, "ip_version", "publicIPAddressVersion");
    cx.push(view, body);
}

pub(super) fn load_balancer<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    body.copy(cx, view, "sku", "sku.name");
    let frontends = frontends(cx, view, "frontend_ip_configuration", "frontendIPConfigurations", &mut body);
    body.set("frontendIPConfigurations", list(frontends));
    cx.push(view, body);
}

/// Addresses a gateway or load balancer answers on.
pub(super) fn frontends<'a>(
    cx: &Cx<'_, 'a>,
    view: &View<'a>,
    block: &'static str,
    path: &str,
    whole: &mut Body,
) -> Vec<Node> {
    let mut out = Vec::new();
    for (at, frontend) in view.blocks(block).into_iter().enumerate() {
        let mut part = Body::new(frontend.span());
        part.copy(cx, &frontend, "name", "name");
        if let (Some(owner), Got::Known(name)) = (cx.id(view), cx.get(&frontend, "name")) {
            let id = name.text().and_then(|name| owner.child(path, name));
            part.set("id", id.map(|id| Node::str(name.span, id.as_str())));
        }
        part.refer(cx, &frontend, "subnet_id", super::network::SUBNET, "subnet");
        part.refer(cx, &frontend, "public_ip_address_id", PUBLIC_IP, "publicIPAddress");
        part.refer(cx, &frontend, "public_ip_prefix_id", PUBLIC_IP_PREFIX, "publicIPPrefix");
        if part.has("subnet") {
            part.copy_output(cx, &frontend, "private_ip_address", "privateIPAddress");
        }
        whole.later_in(&format!("{path}.{at}"), &mut part);
        out.push(part.build());
    }
    out
}

pub(super) fn outbound_rule<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let Some((balancer, at)) = named(cx, view, "loadbalancer_id", LOAD_BALANCER) else {
        let address = cx.address(view);
        cx.unknown(view.at, format!("which load balancer `{address}` is of is not known: it is left out"));
        return;
    };
    let mut rule = Body::new(view.at);
    rule.copy(cx, view, "name", "name");
    rule.copy(cx, view, "allocated_outbound_ports", "allocatedOutboundPorts");
    rule.copy(cx, view, "idle_timeout_in_minutes", "idleTimeoutInMinutes");
    let mut frontends = Vec::new();
    for frontend in view.blocks("frontend_ip_configuration") {
        if let Got::Known(name) = cx.get(&frontend, "name") {
            let id = name.text().and_then(|name| balancer.child("frontendIPConfigurations", name));
            frontends.extend(id.map(|id| Body::id(Node::str(name.span, id.as_str()))));
        }
    }
    rule.set("frontendIPConfigurations", list(frontends));
    let mut body = Body::new(view.at);
    body.later_in("outboundRules.0", &mut rule);
    body.set("outboundRules", Node::seq(view.at, vec![rule.build()]));
    cx.say_of(balancer, at.span, body);
}
