//! Inputs that say different things about one object: the first is believed, and a finding tells.

use super::inventory::Object;
use super::kind::Kind;
use super::network::prefixes;
use super::translate::Translation;
use super::value::*;
use crate::tree::{Node, Value};
use causeway_model::codes;
use causeway_model::finding::Finding;

/// A fact several inputs may state about one object: its field in the design, and where Azure has it.
struct Fact {
    field: &'static str,
    read: fn(&Node) -> Option<(String, Node)>,
}

macro_rules! facts {
    ($($field:literal: $($key:literal).+;)*) => {
        &[$(Fact { field: $field, read: |body| said(path(body, &[$($key),+])?) }),*]
    };
}

const NETWORK: &[Fact] = &[
    Fact { field: "prefixes", read: |body| said(&prefixes(prop(body, "addressSpace")?)?) },
    Fact { field: "dnsServers", read: |body| said(path(body, &["dhcpOptions", "dnsServers"])?) },
];
const SUBNET: &[Fact] = &[
    Fact { field: "prefix", read: |body| said(&prefixes(body)?) },
    Fact { field: "natGateway", read: |body| said(prop(body, "natGateway")?) },
    Fact { field: "nsg", read: |body| said(prop(body, "networkSecurityGroup")?) },
    Fact { field: "routeTable", read: |body| said(prop(body, "routeTable")?) },
    Fact { field: "privateEndpointPolicies", read: |body| said(prop(body, "privateEndpointNetworkPolicies")?) },
];
const POOL: &[Fact] = facts! {
    "nodes": "count";
    "nodes.min": "minCount";
    "nodes.max": "maxCount";
    "maxPods": "maxPods";
    "maxSurge": "upgradeSettings"."maxSurge";
    "subnet": "vnetSubnetID";
    "podSubnet": "podSubnetID";
};
const CLUSTER: &[Fact] = facts! {
    "mode": "networkProfile"."networkPlugin";
    "mode": "networkProfile"."networkPluginMode";
    "podCidr": "networkProfile"."podCidr";
    "serviceCidr": "networkProfile"."serviceCidr";
    "dnsServiceIp": "networkProfile"."dnsServiceIP";
    "outbound": "networkProfile"."outboundType";
    "networkPolicy": "networkProfile"."networkPolicy";
    "loadBalancerSku": "networkProfile"."loadBalancerSku";
    "version": "currentKubernetesVersion";
};
const ROUTE: &[Fact] = facts! {
    "": "addressPrefix";
    "": "nextHopType";
    "": "nextHopIpAddress";
};
const RULE: &[Fact] = facts! {
    "": "priority";
    "": "direction";
    "": "access";
    "": "protocol";
};
const TABLE: &[Fact] = facts! { "bgpPropagation": "disableBgpRoutePropagation"; };
const ENDPOINT: &[Fact] = facts! { "subnet": "subnet"; };
const ADDRESS: &[Fact] = facts! { "": "ipAddress"; };

pub(super) fn report(cx: &mut Translation) {
    let mut found = Vec::new();
    for object in cx.inventory.all().filter(|object| object.bodies.len() > 1) {
        let Some((base, facts)) = facts_of(cx, object) else { continue };
        for fact in facts {
            let mut said = object.bodies.iter().filter_map(fact.read);
            let Some((first, at)) = said.next() else { continue };
            if let Some((second, there)) = said.find(|(second, _)| *second != first) {
                let path = if fact.field.is_empty() { base.clone() } else { format!("{base}.{}", fact.field) };
                let (one, other) = (shown(&at), shown(&there));
                found.push(
                    Finding::new(
                        codes::EXPORTS_DISAGREE,
                        path,
                        format!("two inputs disagree about `{}`: {one}, then {other}", object.name),
                    )
                    .help("export again at one time, or leave the older file out; the first one given is used")
                    .on(first)
                    .on(second)
                    .at(Some(there.span)),
                );
            }
        }
    }
    cx.findings.extend(found);
}

fn facts_of(cx: &Translation, object: &Object) -> Option<(String, &'static [Fact])> {
    let parent = || cx.name(&object.id.parent()?);
    let own = || cx.name(&object.id);
    Some(match object.kind {
        Kind::VirtualNetwork => (format!("networks.{}", own()?), NETWORK),
        Kind::Subnet => (format!("networks.{}.subnets.{}", parent()?, object.name), SUBNET),
        Kind::Cluster => (format!("clusters.{}", own()?), CLUSTER),
        Kind::NodePool => (format!("clusters.{}.pools.{}", parent()?, object.name), POOL),
        Kind::RouteTable => (format!("routeTables.{}", own()?), TABLE),
        Kind::Route => (format!("routeTables.{}", parent()?), ROUTE),
        Kind::SecurityRule => (format!("networkSecurityGroups.{}", parent()?), RULE),
        Kind::PrivateEndpoint => (format!("privateEndpoints.{}", own()?), ENDPOINT),
        Kind::PublicIp => (String::new(), ADDRESS),
        _ => return None,
    })
}

/// A value in a form in which equal values are equal: case and the order of lists do not matter.
fn said(node: &Node) -> Option<(String, Node)> {
    Some((canonical(node)?, node.clone()))
}

fn canonical(node: &Node) -> Option<String> {
    match &node.value {
        Value::Scalar(scalar) => (!node.is_null() && !scalar.text.is_empty())
            .then(|| scalar.text.trim().trim_end_matches('/').to_lowercase()),
        Value::Seq(items) => {
            let mut items: Vec<String> = items.iter().filter_map(canonical).collect();
            items.sort();
            Some(items.join(", "))
        }
        Value::Map(_) => canonical(node.get_ci("id")?),
    }
}

fn shown(node: &Node) -> String {
    let text = |node: &Node| node.text().map(str::to_owned);
    let scalar = match &node.value {
        Value::Map(_) => node.get_ci("id").and_then(text),
        Value::Seq(items) => Some(items.iter().filter_map(text).collect::<Vec<_>>().join(", ")),
        Value::Scalar(_) => text(node),
    };
    format!("`{}`", scalar.unwrap_or_default())
}
