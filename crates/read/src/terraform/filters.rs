//! Route tables and network security groups, with their parts inside or beside them.

use super::body::Body;
use super::view::{Cx, Got, View};
use crate::azure::ResourceId;

pub(super) fn route_table<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    match cx.get(view, "bgp_route_propagation_enabled") {
        Got::Absent => body.copy(cx, view, "disable_bgp_route_propagation", "disableBgpRoutePropagation"),
        _ => body.copy_negated(cx, view, "bgp_route_propagation_enabled", "disableBgpRoutePropagation"),
    }
    parts(cx, view, &mut body, "route", "routes", of_route);
    cx.push(view, body);
}

pub(super) fn route<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    of_route(cx, view, &mut body);
    cx.push(view, body);
}

fn of_route<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, body: &mut Body) {
    body.copy(cx, view, "address_prefix", "addressPrefix");
    body.copy(cx, view, "next_hop_type", "nextHopType");
    // Where it is not known, the translation says so for the route.
    if let Got::Known(address) = cx.get(view, "next_hop_in_ip_address") {
        body.set("nextHopIpAddress", address.clone());
    }
}

pub(super) fn security_group<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    parts(cx, view, &mut body, "security_rule", "securityRules", of_rule);
    cx.push(view, body);
}

pub(super) fn security_rule<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    of_rule(cx, view, &mut body);
    cx.push(view, body);
}

fn of_rule<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, body: &mut Body) {
    for (attribute, path) in [
        ("priority", "priority"),
        ("direction", "direction"),
        ("access", "access"),
        ("protocol", "protocol"),
        ("source_port_range", "sourcePortRange"),
        ("source_port_ranges", "sourcePortRanges"),
        ("destination_port_range", "destinationPortRange"),
        ("destination_port_ranges", "destinationPortRanges"),
    ] {
        body.copy(cx, view, attribute, path);
    }
    for (one, many, path) in [
        ("source_address_prefix", "source_address_prefixes", "sourceAddressPrefixes"),
        ("destination_address_prefix", "destination_address_prefixes", "destinationAddressPrefixes"),
    ] {
        body.copy_addresses(cx, view, one, path);
        body.copy_addresses(cx, view, many, path);
    }
    for (attribute, path) in [
        ("source_application_security_group_ids", "sourceApplicationSecurityGroups"),
        ("destination_application_security_group_ids", "destinationApplicationSecurityGroups"),
    ] {
        body.refer_to_all(cx, view, attribute, "Microsoft.Network/applicationSecurityGroups", path);
    }
}

/// Parts that stand in the whole, but for those that are objects of the configuration: of these the whole repeats what
/// was there before.
fn parts<'a>(
    cx: &mut Cx<'_, 'a>,
    whole: &View<'a>,
    body: &mut Body,
    block: &'static str,
    step: &str,
    read: fn(&Cx<'_, 'a>, &View<'a>, &mut Body),
) {
    // A whole without parts has none, which is not the same as one of which nothing is known.
    let id: Option<ResourceId> = cx.id(whole).cloned();
    for (at, part) in whole.blocks(block).into_iter().enumerate() {
        let Got::Known(name) = cx.get(&part, "name") else {
            body.later(format!("{step}.{at}.name"), part.span());
            continue;
        };
        let Some(own) = id.as_ref().and_then(|id| id.child(step, name.text()?)) else { continue };
        if cx.is_own(&own) {
            continue;
        }
        let mut inner = Body::new(part.span());
        read(cx, &part, &mut inner);
        cx.say_of(own, name.span, inner);
    }
}
