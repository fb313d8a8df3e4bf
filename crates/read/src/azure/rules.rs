//! Firewall rules: those of policies and the classic ones of a firewall itself. Network rules become rules of the design
//! and translation rules its `dnat`; rules by name (application rules) have no place in it and are noted.

use super::kind::Kind;
use super::translate::Translation;
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_addr::{AddressRange, parse_address};
use causeway_model::source::Span;

/// Rules in the order in which the firewall asks them.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) rules: Vec<Node>,
    pub(super) dnat: Vec<Node>,
}

const ACCESSES: &[(&str, &str)] = &[("Allow", "allow"), ("Deny", "deny")];
const PROTOCOLS: &[(&str, &str)] = &[("TCP", "tcp"), ("UDP", "udp"), ("ICMP", "icmp"), ("Any", "*"), ("*", "*")];

/// A rule collection of a policy.
pub(super) fn of_policy(cx: &mut Translation, collection: &Node, out: &mut Collected) {
    let action = path(collection, &["action", "type"]);
    for rule in list(collection, "rules") {
        let kind = text(rule, "ruleType").and_then(Node::text).unwrap_or_default().to_ascii_lowercase();
        match kind.as_str() {
            "networkrule" => network(cx, rule, action, "ipProtocols", out),
            "natrule" => nat(cx, rule, "ipProtocols", out),
            "applicationrule" => application(cx, rule),
            _ => cx.not_understood(rule.span, format!("{} is of a type this version does not know", label(rule))),
        }
    }
}

/// A rule collection of a firewall without a policy; `key` is the list it stands in.
pub(super) fn classic(cx: &mut Translation, key: &str, collection: &Node, out: &mut Collected) {
    let action = path(collection, &["action", "type"]);
    for rule in list(collection, "rules") {
        match key {
            "networkRuleCollections" => network(cx, rule, action, "protocols", out),
            "natRuleCollections" => nat(cx, rule, "protocols", out),
            _ => application(cx, rule),
        }
    }
}

/// The design's rules have one protocol each, so a rule of several becomes several.
fn network(cx: &mut Translation, rule: &Node, action: Option<&Node>, protocols: &str, out: &mut Collected) {
    let access = action.and_then(|action| word(action, ACCESSES));
    let Some(access) = access else {
        cx.not_understood(
            action.unwrap_or(rule).span,
            format!("the action of {} is not known: it is left out", label(rule)),
        );
        return;
    };
    let source = addresses(cx, rule, "sourceAddresses", "sourceIpGroups", None);
    let destination = addresses(cx, rule, "destinationAddresses", "destinationIpGroups", Some("destinationFqdns"));
    let ports = ports(cx, rule, "destinationPorts");
    for (at, protocol) in self::protocols(cx, rule, protocols) {
        out.rules.push(
            MapBuilder::new(rule.span)
                .set("name", None, text(rule, "name").and_then(copy))
                .set("source", None, source.clone())
                .set("destination", None, destination.clone())
                .set("protocol", None, Node::str(at, protocol))
                .set("ports", None, ports.clone())
                .set("access", None, access.clone())
                .build(),
        );
    }
}

fn nat(cx: &mut Translation, rule: &Node, protocols: &str, out: &mut Collected) {
    let address = |node: Option<&Node>| {
        node.filter(|node| node.text().is_some_and(|text| parse_address(text.trim()).is_ok())).and_then(copy)
    };
    let public = address(list(rule, "destinationAddresses").first().copied());
    let target = text(rule, "translatedAddress");
    let to = address(target);
    if to.is_none() {
        let at = text(rule, "translatedFqdn").or(target).unwrap_or(rule);
        cx.unknown(at.span, format!("where {} leads is not known by address", label(rule)));
    }
    let to_port = text(rule, "translatedPort").and_then(copy_number);
    let mut translated = Vec::new();
    for port in list(rule, "destinationPorts") {
        match copy_number(port).filter(|port| port.as_u64().is_some_and(|port| (1..=65_535).contains(&port))) {
            Some(port) => translated.push(port),
            None => cx.not_understood(
                port.span,
                format!("the ports of {}: the design translates one port at a time", label(rule)),
            ),
        }
    }
    for (at, protocol) in self::protocols(cx, rule, protocols) {
        for port in &translated {
            out.dnat.push(
                MapBuilder::new(rule.span)
                    .set("name", None, text(rule, "name").and_then(copy))
                    .set("publicIp", None, public.clone())
                    .set("protocol", None, Node::str(at, protocol))
                    .set("port", None, port.clone())
                    .set("to", None, to.clone())
                    .set("toPort", None, to_port.clone())
                    .build(),
            );
        }
    }
}

fn application(cx: &mut Translation, rule: &Node) {
    cx.not_understood(
        rule.span,
        format!("{} works on names and addresses of requests: rules of the design work on addresses", label(rule)),
    );
}

fn protocols(cx: &mut Translation, rule: &Node, key: &str) -> Vec<(Span, &'static str)> {
    let mut out = Vec::new();
    for protocol in list(rule, key) {
        let text = protocol.text().unwrap_or_default();
        match PROTOCOLS.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(text)) {
            Some((_, ours)) => out.push((protocol.span, *ours)),
            None => cx.unknown_word(&format!("a protocol of {}", label(rule)), protocol),
        }
    }
    out
}

/// Addresses of a rule: prefixes, service tags, ranges (as prefixes), what its groups hold. A group that was not given and
/// a name stay as a word whose addresses nobody knows, so that the rule is neither lost nor taken for any.
fn addresses(cx: &mut Translation, rule: &Node, direct: &str, groups: &str, names: Option<&str>) -> Option<Node> {
    let mut out: Vec<Node> = list(rule, direct).into_iter().flat_map(spread).collect();
    for (group, at) in references(rule, groups) {
        let held = cx.inventory.get(&group).filter(|object| object.kind == Kind::IpGroup && object.is_given());
        match held.map(|group| group.all("ipAddresses").into_iter().flat_map(spread).collect::<Vec<_>>()) {
            Some(held) => out.extend(held),
            None => {
                let span = at.span;
                out.push(Node::str(span, format!("ipGroup.{}", group.name())));
                cx.unknown(
                    span,
                    format!(
                        "the addresses of the group `{}` are not known: give `az network ip-group show`",
                        group.name()
                    ),
                );
            }
        }
    }
    for name in names.map(|names| list(rule, names)).unwrap_or_default() {
        if let Some(text) = name.text() {
            out.push(Node::str(name.span, format!("fqdn.{text}")));
            cx.unknown(name.span, format!("the addresses of `{text}` in {} are not known", label(rule)));
        }
    }
    one_or_many(out)
}

/// One entry of an address list; a range becomes the prefixes it is made of.
fn spread(node: &Node) -> Vec<Node> {
    let Some(text) = node.text() else { return Vec::new() };
    let range = text.split_once('-').and_then(|(first, last)| {
        let (first, last) = (parse_address(first.trim()).ok()?, parse_address(last.trim()).ok()?);
        AddressRange::new(first, last)
    });
    match range {
        Some(range) => range.cidrs().map(|cidr| Node::str(node.span, cidr.to_string())).collect(),
        None => copy(node).into_iter().collect(),
    }
}

fn ports(cx: &mut Translation, rule: &Node, key: &str) -> Option<Node> {
    let found: Vec<Node> = list(rule, key).into_iter().filter_map(copy).collect();
    if found.is_empty() {
        cx.unknown(rule.span, format!("the ports of {} are not known: they are taken for any", label(rule)));
    }
    one_or_many(found)
}

fn label(rule: &Node) -> String {
    match text(rule, "name").and_then(Node::text) {
        Some(name) => format!("the firewall rule `{name}`"),
        None => "a firewall rule".to_owned(),
    }
}
