//! Azure Firewalls, their policies and rules, and groups of addresses.

use super::body::{Body, list};
use super::egress::PUBLIC_IP;
use super::network::{SUBNET, named, say_of_what_is_named};
use super::view::{Cx, Got, View};
use crate::tree::{MapBuilder, Node};

const FIREWALL: &str = "Microsoft.Network/azureFirewalls";
const POLICY: &str = "Microsoft.Network/firewallPolicies";
const IP_GROUP: &str = "Microsoft.Network/ipGroups";

pub(super) fn firewall<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    body.refer(cx, view, "firewall_policy_id", POLICY, "firewallPolicy");
    let mut configurations = Vec::new();
    for (at, configuration) in view.blocks("ip_configuration").into_iter().enumerate() {
        let mut part = Body::new(configuration.span());
        part.copy(cx, &configuration, "name", "name");
        part.refer(cx, &configuration, "subnet_id", SUBNET, "subnet");
        part.refer(cx, &configuration, "public_ip_address_id", PUBLIC_IP, "publicIPAddress");
        // Where it is not known, the translation says so for the whole firewall.
        if let Got::Known(address) = cx.output(&configuration, "private_ip_address") {
            part.set("privateIPAddress", address.clone());
        }
        body.later_in(&format!("ipConfigurations.{at}"), &mut part);
        configurations.push(part.build());
    }
    body.set("ipConfigurations", list(configurations));
    if let Some(hub) = view.block("virtual_hub") {
        if let Got::Known(address) = cx.output(&hub, "private_ip_address") {
            body.set("hubIPAddresses.privateIPAddress", address.clone());
        }
        body.copy(cx, &hub, "public_ip_count", "hubIPAddresses.publicIPs.count");
        match cx.output(&hub, "public_ip_addresses") {
            Got::Known(addresses) => {
                let one = |node: &Node| MapBuilder::new(node.span).set("address", None, node.clone()).build();
                let addresses = addresses.items().iter().filter(|node| !node.is_null()).map(one).collect();
                body.set("hubIPAddresses.publicIPs.addresses", list(addresses));
            }
            Got::Later(at) => body.later("hubIPAddresses.publicIPs.addresses", at),
            Got::Absent => {}
        }
    }
    // A firewall without a policy has its settings as one text.
    match cx.get(view, "private_ip_ranges") {
        Got::Known(ranges) => {
            let text: Vec<&str> = ranges.items().iter().filter_map(Node::text).collect();
            if !text.is_empty() {
                let setting = Node::str(ranges.span, text.join(","));
                let settings = MapBuilder::new(ranges.span).set("Network.SNAT.PrivateRanges", None, setting).build();
                body.set("additionalProperties", settings);
            }
        }
        Got::Later(at) => body.later("additionalProperties", at),
        Got::Absent => {}
    }
    cx.push(view, body);
}

pub(super) fn policy<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    body.refer(cx, view, "base_policy_id", POLICY, "basePolicy");
    body.copy(cx, view, "private_ip_ranges", "snat.privateRanges");
    if let Some(on) = cx.is_on(view, "auto_learn_private_ranges_enabled") {
        body.set("snat.autoLearnPrivateRanges", Node::str(on.span, "Enabled"));
    }
    cx.push(view, body);
}

pub(super) fn rule_collection_group<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "priority", "priority");
    let mut collections = Vec::new();
    for (block, kind) in [
        ("nat_rule_collection", "NatRule"),
        ("network_rule_collection", "NetworkRule"),
        ("application_rule_collection", "ApplicationRule"),
    ] {
        for collection in view.blocks(block) {
            let mut part = Body::new(collection.span());
            part.copy(cx, &collection, "name", "name");
            part.copy(cx, &collection, "priority", "priority");
            part.copy(cx, &collection, "action", "action.type");
            let rules: Vec<Node> = collection
                .blocks("rule")
                .iter()
                .map(|rule| self::rule(cx, rule, Some(kind), "ipProtocols", &mut part))
                .collect();
            part.set("rules", list(rules));
            body.later_in(&format!("ruleCollections.{}", collections.len()), &mut part);
            collections.push(part.build());
        }
    }
    body.set("ruleCollections", list(collections));
    cx.push(view, body);
}

/// A rule collection of a firewall without a policy, an object of its own.
pub(super) fn classic<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>, path: &str) {
    let mut part = Body::new(view.at);
    part.copy(cx, view, "name", "name");
    part.copy(cx, view, "priority", "priority");
    part.copy(cx, view, "action", "action.type");
    let rules: Vec<Node> =
        view.blocks("rule").iter().map(|rule| self::rule(cx, rule, None, "protocols", &mut part)).collect();
    part.set("rules", list(rules));
    let mut body = Body::new(view.at);
    body.later_in(&format!("{path}.0"), &mut part);
    body.set(path, Node::seq(view.at, vec![part.build()]));
    match cx.by_name(view, "azure_firewall_name", FIREWALL) {
        Some((id, at)) => cx.say_of(id, at, body),
        None => {
            let address = cx.address(view);
            cx.unknown(view.at, format!("which firewall `{address}` is of is not known: its rules are left out"));
        }
    }
}

fn rule<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, kind: Option<&'static str>, protocols: &str, whole: &mut Body) -> Node {
    let mut body = Body::new(view.span());
    body.set("ruleType", kind.map(|kind| Node::str(view.span(), kind)));
    for (attribute, path) in [
        ("name", "name"),
        ("destination_fqdns", "destinationFqdns"),
        ("destination_ports", "destinationPorts"),
        ("translated_address", "translatedAddress"),
        ("translated_fqdn", "translatedFqdn"),
        ("translated_port", "translatedPort"),
    ] {
        body.copy(cx, view, attribute, path);
    }
    // Protocols of application rules are blocks with ports, and nobody reads them.
    body.copy(cx, view, "protocols", protocols);
    for (attribute, path) in [
        ("source_addresses", "sourceAddresses"),
        ("destination_addresses", "destinationAddresses"),
        ("destination_address", "destinationAddresses"),
    ] {
        body.copy_addresses(cx, view, attribute, path);
    }
    for (attribute, path) in [("source_ip_groups", "sourceIpGroups"), ("destination_ip_groups", "destinationIpGroups")]
    {
        let (ids, missing) = cx.references(view, attribute, IP_GROUP);
        body.set(path, list(ids));
        if let Some(at) = missing {
            body.later(path, at);
        }
    }
    whole.later_in("rules", &mut body);
    body.build()
}

pub(super) fn ip_group<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    let has_own = cx.id(view).is_some_and(|id| cx.own.contains(&cidrs_of(id)));
    if !has_own {
        body.copy(cx, view, "cidrs", "ipAddresses");
    }
    cx.push(view, body);
}

/// Marks a group whose addresses are objects of their own.
pub(super) fn cidrs_of(group: &crate::azure::ResourceId) -> String {
    format!("{}/cidrs", group.key())
}

pub(super) fn ip_group_cidr<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    match cx.get(view, "cidr") {
        Got::Known(cidr) => body.set("ipAddresses", Node::seq(cidr.span, vec![cidr.clone()])),
        Got::Later(at) => body.later("ipAddresses", at),
        Got::Absent => {}
    }
    if named(cx, view, "ip_group_id", IP_GROUP).is_some() {
        say_of_what_is_named(cx, view, "ip_group_id", IP_GROUP, body);
    }
}
