//! Objects that go into the design as Kubernetes writes them, without what only the cluster's own book-keeping needs.

use super::Cx;
use super::kind::Kind;
use super::object::Object;
use super::value::{at, list};
use crate::tree::{MapBuilder, Node};

/// A mapping with some of its keys, in the order written.
pub(super) fn keep(node: &Node, keys: &[&str]) -> Node {
    let kept = node.entries().iter().filter(|entry| keys.contains(&entry.key.as_ref()) && !entry.node.is_null());
    kept.fold(MapBuilder::new(node.span), |builder, entry| builder.set(&entry.key, entry.key_span, entry.node.clone()))
        .build()
}

/// A mapping with some of its keys, one of them replaced.
pub(super) fn replace(node: Node, key: &str, value: Option<Node>) -> Node {
    let Some(value) = value else { return node };
    let mut builder = MapBuilder::new(node.span);
    for entry in node.entries() {
        let value = if entry.key.as_ref() == key { value.clone() } else { entry.node.clone() };
        builder = builder.set(&entry.key, entry.key_span, value);
    }
    builder.build()
}

/// Version, kind, and what names an object, with the parts that say something.
pub(super) fn object(node: &Node, metadata: &[&str], parts: &[&str]) -> Node {
    let keys: Vec<&str> = ["apiVersion", "kind", "metadata"].into_iter().chain(parts.iter().copied()).collect();
    let named = at(node, &["metadata"]).map(|written| keep(written, metadata));
    replace(keep(node, &keys), "metadata", named)
}

/// `policies` of a cluster: what allows or denies traffic, for the room that knows what it means.
pub(super) fn policies(cx: &mut Cx<'_>) -> Option<Node> {
    let policies = cx.all.of(Kind::Policy);
    let mut sorted: Vec<&Object> = policies.iter().collect();
    sorted.sort_by_key(|policy| (&policy.namespace, &policy.name, &policy.word));
    let mut out = Vec::new();
    for policy in sorted {
        let rules = at(&policy.node, &["spec"]).or_else(|| at(&policy.node, &["specs"]));
        if rules.is_none_or(|rules| rules.as_map().is_none() && rules.as_seq().is_none()) {
            let at = rules.map_or(policy.at, |rules| rules.span);
            cx.remarks.not_understood(at, format!("{} `{}` has no rules that can be read", policy.word, policy.who()));
        }
        out.push(object(&policy.node, &["name", "namespace", "labels"], &["spec", "specs"]));
    }
    let span = out.first().map(|first: &Node| first.span)?;
    list(span, out)
}
