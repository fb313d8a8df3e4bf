//! Azure Firewalls: their addresses, when they translate, and their rules (see [`super::rules`]).

use super::inventory::Object;
use super::kind::Kind;
use super::public::PublicAddresses;
use super::resource::ResourceId;
use super::rules::{self, Collected};
use super::translate::Translation;
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_model::source::Span;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What `IANAPrivateRanges` stands for in a firewall's settings (Microsoft Learn, `azure/firewall/snat-private-range`, 2025).
const IANA_PRIVATE_RANGES: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

pub(super) fn firewalls(cx: &mut Translation) -> Vec<(Arc<str>, Span, Node)> {
    let firewalls: Vec<Object> =
        cx.inventory.of(Kind::Firewall).filter(|firewall| firewall.is_given()).cloned().collect();
    let mut out = Vec::new();
    for firewall in &firewalls {
        let name = cx.name(&firewall.id);
        let node = self::firewall(cx, firewall);
        out.extend(name.map(|name| (name, firewall.name_span, node)));
    }
    policies_of_no_firewall(cx, &firewalls);
    out
}

fn firewall(cx: &mut Translation, firewall: &Object) -> Node {
    let configurations = firewall.all("ipConfigurations");
    let subnet = configurations.iter().find_map(|configuration| reference(configuration, "subnet"));
    let addresses: Vec<(ResourceId, &Node)> =
        configurations.iter().filter_map(|configuration| reference(configuration, "publicIPAddress")).collect();
    let public = PublicAddresses::of(cx, &format!("the firewall `{}`", firewall.name), &addresses, &[]);
    let hub = firewall.get("hubIPAddresses");
    let hub_address = || {
        let address = text(hub?, "privateIPAddress")?;
        causeway_addr::parse_address(address.text()?.trim()).ok()?;
        copy(address)
    };
    let private =
        configurations.iter().find_map(|configuration| super::nic::address(configuration)).or_else(hub_address);
    let (public_ips, public_count) = match hub.and_then(|hub| prop(hub, "publicIPs")) {
        Some(hub) => hub_public(hub),
        None if public.all_by_value() => (public.list(), None),
        None => (public.list(), public.count()),
    };
    if private.is_none() {
        cx.unknown(firewall.name_span, format!("the private address of the firewall `{}` is not known", firewall.name));
    }
    let chain = policies(cx, firewall);
    let collected = rules(cx, firewall, &chain);
    let (snat, ranges) = translation(cx, firewall, &chain);
    MapBuilder::new(firewall.span())
        .set("kind", None, Node::str(firewall.name_span, "azureFirewall"))
        .set("subnet", None, cx.subnet_node(subnet))
        .set("privateIp", None, private)
        .set("publicIps", None, public_ips)
        .set("publicIpCount", None, public_count)
        .set("snat", None, snat)
        .set("privateRanges", None, ranges)
        .set("instances", None, firewall.path(&["autoscaleConfiguration", "minCapacity"]).and_then(copy_number))
        .set("rules", None, many(collected.rules))
        .set("dnat", None, many(collected.dnat))
        .set(
            "policy",
            None,
            firewall.first(|body| reference(body, "firewallPolicy")).map(|(_, at)| Node::plain(at.span, "true")),
        )
        .build()
}

/// A firewall in a virtual hub has its addresses by value, or only their number.
fn hub_public(hub: &Node) -> (Option<Node>, Option<Node>) {
    let addresses: Vec<Node> = list(hub, "addresses")
        .into_iter()
        .filter_map(|address| text(address, "address"))
        .filter(|address| address.text().is_some_and(|text| causeway_addr::parse_address(text.trim()).is_ok()))
        .filter_map(copy)
        .collect();
    let count =
        prop(hub, "count").filter(|count| number(count) != u64::try_from(addresses.len()).ok()).and_then(copy_number);
    (one_or_many(addresses), count)
}

/// The firewall's policy and those it builds on, the base first.
fn policies(cx: &mut Translation, firewall: &Object) -> Vec<Object> {
    let mut chain: Vec<Object> = Vec::new();
    let mut next =
        firewall.first(|body| reference(body, "firewallPolicy")).map(|(id, at)| (cx.inventory.settled(&id), at.span));
    let mut seen = BTreeSet::new();
    while let Some((id, at)) = next.take() {
        if !seen.insert(id.clone()) {
            break;
        }
        // Rule collection groups may have been given without the policy itself.
        let groups = cx.inventory.parts(&id, Kind::RuleCollectionGroup).next().is_some();
        let policy = cx.inventory.get(&id).cloned();
        match policy {
            Some(policy) if policy.is_given() || groups => {
                next = policy
                    .first(|body| reference(body, "basePolicy"))
                    .map(|(id, at)| (cx.inventory.settled(&id), at.span));
                chain.push(policy);
            }
            _ => cx.unknown(at, format!("the firewall policy `{}` was not given: its rules are not known", id.name())),
        }
    }
    chain.reverse();
    chain
}

fn rules(cx: &mut Translation, firewall: &Object, chain: &[Object]) -> Collected {
    let mut out = Collected::default();
    for policy in chain {
        let mut groups: Vec<Object> = cx.inventory.parts(&policy.id, Kind::RuleCollectionGroup).cloned().collect();
        groups.sort_by_key(|group| (group.get("priority").and_then(number), group.name.to_lowercase()));
        for group in &groups {
            let mut collections = group.all("ruleCollections");
            collections.sort_by_key(|collection| prop(collection, "priority").and_then(number));
            for collection in collections {
                rules::of_policy(cx, collection, &mut out);
            }
        }
        let missing: Vec<(ResourceId, Span)> = policy
            .bodies
            .iter()
            .flat_map(|body| references(body, "ruleCollectionGroups"))
            .filter(|(id, _)| !cx.inventory.get(id).is_some_and(Object::is_given))
            .map(|(id, at)| (id, at.span))
            .collect();
        for (id, at) in missing {
            cx.unknown(at, format!("the rule collection group `{}` was not given: its rules are not known (give `az network firewall policy rule-collection-group list`)", id.name()));
        }
    }
    for key in ["natRuleCollections", "networkRuleCollections", "applicationRuleCollections"] {
        let mut collections = firewall.all(key);
        collections.sort_by_key(|collection| prop(collection, "priority").and_then(number));
        for collection in collections {
            rules::classic(cx, key, collection, &mut out);
        }
    }
    out
}

/// When the firewall translates sources: `always` where no range is private, `never` where all are, else the private ranges.
fn translation(cx: &mut Translation, firewall: &Object, chain: &[Object]) -> (Option<Node>, Option<Node>) {
    let of_policy = chain.iter().rev().find_map(|policy| policy.path(&["snat", "privateRanges"]));
    if let Some(learned) = chain
        .iter()
        .rev()
        .find_map(|policy| policy.path(&["snat", "autoLearnPrivateRanges"]))
        .filter(|node| truth(node) == Some(true))
    {
        cx.unknown(
            learned.span,
            format!("the firewall `{}` learns private ranges by itself: which they are is not known", firewall.name),
        );
    }
    // Settings of a firewall without a policy are one text with commas.
    let own = firewall
        .get("additionalProperties")
        .and_then(|properties| properties.get_ci("Network.SNAT.PrivateRanges"))
        .filter(|node| !node.is_null());
    let (span, texts): (Span, Vec<(String, Span)>) = match (of_policy, own) {
        (Some(list), _) => (
            list.span,
            list.items().iter().filter_map(|node| Some((node.text()?.trim().to_owned(), node.span))).collect(),
        ),
        (None, Some(text)) => {
            let parts = text.text().unwrap_or_default().split(',').map(|part| (part.trim().to_owned(), text.span));
            (text.span, parts.filter(|(part, _)| !part.is_empty()).collect())
        }
        (None, None) => return (None, None),
    };
    match texts.as_slice() {
        [] => return (None, None),
        [(only, at)] if only == "255.255.255.255/32" => return (Some(Node::str(*at, "always")), None),
        [(only, at)] if only == "0.0.0.0/0" => return (Some(Node::str(*at, "never")), None),
        _ => {}
    }
    let mut ranges = Vec::new();
    for (text, at) in texts {
        if text.eq_ignore_ascii_case("IANAPrivateRanges") {
            ranges.extend(IANA_PRIVATE_RANGES.iter().map(|range| Node::str(at, *range)));
        } else if causeway_addr::Cidr::parse(&text).is_ok() {
            ranges.push(Node::str(at, text));
        } else if let Ok(address) = causeway_addr::parse_address(&text) {
            ranges.push(Node::str(at, causeway_addr::Cidr::host(address).to_string()));
        } else {
            cx.not_understood(at, format!("`{text}` among the private ranges of the firewall `{}`", firewall.name));
        }
    }
    let ranges = (!ranges.is_empty()).then(|| Node::seq(span, ranges));
    (None, ranges)
}

fn policies_of_no_firewall(cx: &mut Translation, firewalls: &[Object]) {
    let mut used: BTreeSet<ResourceId> = BTreeSet::new();
    for firewall in firewalls {
        let mut next =
            firewall.first(|body| reference(body, "firewallPolicy")).map(|(id, _)| cx.inventory.settled(&id));
        while let Some(id) = next.take().filter(|id| used.insert(id.clone())) {
            next = cx
                .inventory
                .get(&id)
                .and_then(|policy| policy.first(|body| reference(body, "basePolicy")))
                .map(|(id, _)| cx.inventory.settled(&id));
        }
    }
    let unused: Vec<(Arc<str>, Span)> = cx
        .inventory
        .of(Kind::FirewallPolicy)
        .filter(|policy| !used.contains(&policy.id))
        .map(|policy| (policy.name.clone(), policy.name_span))
        .collect();
    for (name, at) in unused {
        cx.unknown(at, format!("no firewall that was given uses the policy `{name}`: its rules are left out"));
    }
}
