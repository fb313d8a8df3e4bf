//! Network security groups. The platform's default rules are implied by the design and left out.

use super::inventory::Object;
use super::kind::Kind;
use super::translate::Translation;
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_model::source::Span;
use std::sync::Arc;

pub(super) fn groups(cx: &mut Translation) -> Vec<(Arc<str>, Span, Node)> {
    let groups: Vec<Object> = cx.inventory.of(Kind::SecurityGroup).cloned().collect();
    let mut out = Vec::new();
    for group in &groups {
        let rules: Vec<Object> = cx.inventory.parts(&group.id, Kind::SecurityRule).cloned().collect();
        let mut rules: Vec<(u64, Node)> = rules.iter().filter_map(|rule| self::rule(cx, rule)).collect();
        // Outbound and inbound rules have priorities of their own; the sort is stable, so equal ones stay in the order of their names.
        rules.sort_by_key(|(order, _)| *order);
        let rules: Vec<Node> = rules.into_iter().map(|(_, rule)| rule).collect();
        let known = known(group, rules.is_empty());
        let node = MapBuilder::new(group.span())
            .set("rules", None, many(rules).or_else(|| empty(group, "securityRules")))
            .set("known", None, known)
            .build();
        out.extend(cx.name(&group.id).map(|name| (name, group.name_span, node)));
    }
    out
}

/// `known: false` for an object that was only referred to: what it says is not known, which is not the same as nothing.
pub(super) fn known(object: &Object, without_parts: bool) -> Option<Node> {
    (!object.is_given() && without_parts).then(|| Node::plain(object.name_span, "false"))
}

/// An empty list, where the object has one.
pub(super) fn empty(object: &Object, key: &str) -> Option<Node> {
    object.get(key).filter(|list| list.items().is_empty()).map(|list| Node::seq(list.span, Vec::new()))
}

fn rule(cx: &mut Translation, rule: &Object) -> Option<(u64, Node)> {
    let what = format!("the security rule `{}`", rule.name);
    let priority = rule.get("priority").and_then(|node| Some((number(node)?, copy_number(node)?)));
    let direction =
        rule.get("direction").and_then(|node| word(node, &[("Inbound", "inbound"), ("Outbound", "outbound")]));
    let access = rule.get("access").and_then(|node| word(node, &[("Allow", "allow"), ("Deny", "deny")]));
    let (Some((order, priority)), Some(direction), Some(access)) = (priority, direction, access) else {
        cx.unknown(rule.span(), format!("{what} has no priority, direction or access that is known: it is left out"));
        return None;
    };
    let protocols =
        [("*", "*"), ("Any", "*"), ("Tcp", "tcp"), ("Udp", "udp"), ("Icmp", "icmp"), ("Esp", "esp"), ("Ah", "ah")];
    let protocol = rule.get("protocol").and_then(|node| {
        let known = word(node, &protocols);
        if known.is_none() {
            cx.unknown_word(&format!("the protocol of {what}"), node);
        }
        known
    });
    let source = addresses(rule, "source");
    let destination = addresses(rule, "destination");
    for (side, found) in [("source", &source), ("destination", &destination)] {
        if found.is_none() {
            cx.unknown(rule.span(), format!("the {side} of {what} is not known: it is taken for any"));
        }
    }
    let node = MapBuilder::new(rule.span())
        .set("name", None, Node::str(rule.name_span, rule.name.clone()))
        .set("priority", None, priority)
        .set("direction", None, direction)
        .set("access", None, access)
        .set("protocol", None, protocol)
        .set("source", None, source)
        .set("sourcePorts", None, ports(rule, "sourcePortRanges", "sourcePortRange"))
        .set("destination", None, destination)
        .set("ports", None, ports(rule, "destinationPortRanges", "destinationPortRange"))
        .build();
    Some((order, node))
}

/// Addresses of one side, groups of machines among them.
fn addresses(rule: &Object, side: &str) -> Option<Node> {
    let many = format!("{side}AddressPrefixes");
    let one = format!("{side}AddressPrefix");
    let mut found: Vec<Node> =
        rule.first(|body| some(texts(body, &many, &one))).unwrap_or_default().into_iter().filter_map(copy).collect();
    let groups = format!("{side}ApplicationSecurityGroups");
    for (group, at) in rule.all(&groups).into_iter().filter_map(id_of) {
        found.push(Node::str(at.span, format!("asg:{}", group.name())));
    }
    one_or_many(found)
}

fn ports(rule: &Object, many: &str, one: &str) -> Option<Node> {
    one_or_many(
        rule.first(|body| some(texts(body, many, one))).unwrap_or_default().into_iter().filter_map(copy).collect(),
    )
}

fn some(nodes: Vec<&Node>) -> Option<Vec<&Node>> {
    (!nodes.is_empty()).then_some(nodes)
}
