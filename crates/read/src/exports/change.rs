//! A change and what it changes: exports tell how things are, a plan tells what becomes of some of them.

use crate::azure::{Resource, ResourceId};
use crate::tree::{MapBuilder, Node};
use std::collections::BTreeSet;

/// Lists of parts, with the step of their ids.
const PARTS: &[(&str, &str)] = &[
    ("subnets", "subnets"),
    ("virtualNetworkPeerings", "virtualNetworkPeerings"),
    ("securityRules", "securityRules"),
    ("routes", "routes"),
    ("agentPoolProfiles", "agentPools"),
];

/// Adds the parts that stand in objects that change.
pub(super) fn add_parts<'r>(changed: &mut BTreeSet<String>, resources: impl Iterator<Item = &'r Resource>) {
    let mut found = Vec::new();
    for resource in resources {
        let Some(id) = resource.id.as_ref().filter(|id| changed.contains(id.key())) else { continue };
        for (list, step) in PARTS {
            let inner = resource.body.get_ci("properties").and_then(|inner| inner.get_ci(list));
            let parts = inner.or_else(|| resource.body.get_ci(list)).map_or(&[][..], Node::items);
            found.extend(parts.iter().filter_map(|part| own_id(part, id, step)));
        }
    }
    changed.extend(found.into_iter().map(|id| id.key().to_owned()));
}

/// An exported object without what a plan changes or removes. `None` where nothing is left; of an object that changes, its
/// parts that don't are. `touched` are single values of objects that stay.
pub(super) fn without(
    mut resource: Resource,
    changed: &BTreeSet<String>,
    touched: &BTreeSet<(String, &'static str)>,
) -> Option<Resource> {
    let nothing = changed.is_empty() && touched.is_empty();
    let Some(id) = resource.id.clone().filter(|_| !nothing) else { return Some(resource) };
    let is_changed = changed.contains(id.key());
    let body = Pruning { changed, touched }.body(&resource.body, &id, is_changed);
    if is_changed && body.entries().is_empty() {
        return None;
    }
    resource.body = body;
    Some(resource)
}

struct Pruning<'c> {
    changed: &'c BTreeSet<String>,
    touched: &'c BTreeSet<(String, &'static str)>,
}

impl Pruning<'_> {
    /// The body without parts and values that change; with nothing but parts where the object itself does.
    fn body(&self, body: &Node, id: &ResourceId, only_parts: bool) -> Node {
        let mut builder = MapBuilder::new(body.span);
        for entry in body.entries() {
            let key = entry.key.as_ref();
            if self.is_touched(id, key) {
                continue;
            }
            let step = PARTS.iter().find(|(list, _)| list.eq_ignore_ascii_case(key)).map(|(_, step)| *step);
            let node = match step {
                _ if key.eq_ignore_ascii_case("properties") => Some(self.body(&entry.node, id, only_parts)),
                Some(step) => self.parts(&entry.node, id, step),
                None if only_parts => None,
                None => Some(entry.node.clone()),
            };
            builder = builder.set(key, entry.key_span, node.filter(|node| !only_parts || !is_hollow(node)));
        }
        builder.build()
    }

    fn is_touched(&self, id: &ResourceId, key: &str) -> bool {
        let own = self.touched.range((id.key().to_owned(), "")..).take_while(|(of, _)| of == id.key());
        own.map(|(_, value)| value).any(|value| value.eq_ignore_ascii_case(key))
    }

    fn parts(&self, list: &Node, id: &ResourceId, step: &str) -> Option<Node> {
        let part = |part: &Node| match own_id(part, id, step) {
            Some(own) if self.changed.contains(own.key()) => None,
            Some(own) => Some(self.body(part, &own, false)),
            None => Some(part.clone()),
        };
        Some(Node::seq(list.span, list.as_seq()?.iter().filter_map(part).collect()))
    }
}

fn is_hollow(node: &Node) -> bool {
    node.entries().is_empty() && node.items().is_empty()
}

/// The id of a part, as it says, else by its name.
fn own_id(part: &Node, whole: &ResourceId, step: &str) -> Option<ResourceId> {
    let stated = part.get_ci("id").and_then(Node::text).and_then(ResourceId::parse);
    stated.or_else(|| whole.child(step, part.get_ci("name")?.text()?))
}

/// The design with the one before the change in it.
pub(super) fn with_before(tree: &Node, before: Node) -> Node {
    let builder = MapBuilder::new(tree.span);
    let all = tree.entries().iter();
    all.fold(builder, |builder, entry| builder.set(&entry.key, entry.key_span, entry.node.clone()))
        .set("before", None, before)
        .build()
}
