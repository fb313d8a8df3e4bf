//! Objects of the `azapi` provider: Resource Manager's own bodies, as objects or as JSON text.

use super::body::Body;
use super::ids::{self, UPDATE};
use super::network::{NAT_GATEWAY, NETWORK, ROUTE_TABLE, SECURITY_GROUP, SUBNET};
use super::view::{Cx, Got, View};
use crate::azure::{KnownLater, Resource, ResourceId};
use crate::tree::{Entry, Limits, MapBuilder, Node, Value, parse_in_scalar};
use causeway_model::source::Span;
use std::sync::Arc;

/// What an update says of an object, applied once all objects are known.
pub(super) struct Patch {
    pub(super) id: ResourceId,
    pub(super) body: Node,
    pub(super) later: Vec<KnownLater>,
    pub(super) at: Span,
}

pub(super) fn resource<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let attribute = if view.is_data() { "output" } else { "body" };
    let Some((body, later)) = body(cx, view, attribute) else {
        if !view.is_data() {
            let address = cx.address(view);
            cx.unknown(view.at, format!("`{attribute}` of `{address}` is not known: it is left out"));
            cx.push_undescribed(view);
        }
        return;
    };
    let mut whole = Body::new(view.at);
    whole.copy(cx, view, "location", "location");
    for entry in body.entries() {
        whole.set_entry(entry);
    }
    for KnownLater { path, at } in later {
        whole.later(path, at);
    }
    cx.push(view, whole);
}

pub(super) fn update<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) -> Option<Patch> {
    let address = cx.address(view);
    let (Some(id), Some((body, later))) = (cx.id(view).cloned(), body(cx, view, "body")) else {
        cx.unknown(view.at, format!("what `{address}` changes is not known: it is left out"));
        return None;
    };
    Some(Patch { id, body, later, at: view.at })
}

/// Objects this provider only acts on: nothing is known of what an action does.
pub(super) fn is_update(kind: &str) -> bool {
    kind == UPDATE
}

/// The body with its references resolved, and what is known later in it.
fn body<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>, name: &'static str) -> Option<(Node, Vec<KnownLater>)> {
    let (value, marks) = match cx.output(view, name) {
        Got::Known(node) if node.as_map().is_some() => (node.clone(), view.marks(name)),
        Got::Known(node) => (parsed(cx, node)?, Vec::new()),
        // Where something in it must not be shown, the marks say what.
        Got::Later(_) => (view.whole(name).filter(|node| node.as_map().is_some())?.clone(), view.marks(name)),
        Got::Absent => return None,
    };
    let mut later = Vec::new();
    let mut filled = Fill { cx, view, name, later: &mut later };
    let body = filled.node(Some(&value), &marks, &mut Vec::new())?;
    Some((body, later))
}

/// Version 1 of the provider has bodies as text.
fn parsed(cx: &mut Cx, node: &Node) -> Option<Node> {
    match parse_in_scalar(cx.sources, node, &Limits::default()) {
        Ok(documents) => documents.into_iter().next().filter(|body| body.as_map().is_some()),
        Err(_) => {
            cx.not_understood(node.span, "a body that is no JSON");
            None
        }
    }
}

/// Puts ids where a body has values that are not known and refer to objects of the plan.
struct Fill<'c, 'w, 'a> {
    cx: &'c Cx<'w, 'a>,
    view: &'c View<'a>,
    name: &'static str,
    later: &'c mut Vec<KnownLater>,
}

impl Fill<'_, '_, '_> {
    fn node(&mut self, value: Option<&Node>, marks: &[&Node], path: &mut Vec<String>) -> Option<Node> {
        let set = |mark: &&&Node| mark.as_bool_12() == Some(true);
        if let Some(mark) = marks.iter().find(set) {
            if let Some(id) = self.id(path, mark.span) {
                return Some(id);
            }
            self.later.push(KnownLater { path: path.join("."), at: mark.span });
            return None;
        }
        match value.map(|value| &value.value) {
            Some(Value::Map(entries)) => {
                let span = value.map_or(self.view.at, |value| value.span);
                Some(self.map(span, entries, marks, path))
            }
            Some(Value::Seq(items)) => {
                let span = value.map_or(self.view.at, |value| value.span);
                let mut out = Vec::new();
                for (at, item) in items.iter().enumerate() {
                    let inner: Vec<&Node> = marks.iter().filter_map(|mark| mark.items().get(at)).collect();
                    path.push(at.to_string());
                    out.extend(self.node(Some(item), &inner, path));
                    path.pop();
                }
                Some(Node::seq(span, out))
            }
            _ => value.cloned(),
        }
    }

    fn map(&mut self, span: Span, entries: &[Entry], marks: &[&Node], path: &mut Vec<String>) -> Node {
        let mut builder = MapBuilder::new(span);
        for entry in entries {
            let inner: Vec<&Node> = marks.iter().filter_map(|mark| mark.get(&entry.key)).collect();
            let node = self.inside(&entry.key, Some(&entry.node), &inner, path);
            builder = builder.set(&entry.key, entry.key_span, node);
        }
        // What is not known is not among the values.
        for entry in marks.iter().flat_map(|mark| mark.entries()) {
            if entries.iter().all(|known| known.key != entry.key) {
                let node = self.inside(&entry.key, None, &[&entry.node], path);
                builder = builder.set(&entry.key, entry.key_span, node);
            }
        }
        builder.build()
    }

    fn inside(
        &mut self,
        key: &Arc<str>,
        value: Option<&Node>,
        marks: &[&Node],
        path: &mut Vec<String>,
    ) -> Option<Node> {
        let is_wrapping = key.as_ref() == "properties";
        if !is_wrapping {
            path.push(key.to_string());
        }
        // A mapping of which nothing is known stands in the marks only.
        let empty = marks.iter().find(|mark| mark.as_map().is_some()).map(|mark| MapBuilder::new(mark.span).build());
        let node = self.node(value.or(empty.as_ref()), marks, path);
        if !is_wrapping {
            path.pop();
        }
        node
    }

    /// The id of the only object of the plan that can stand at this place.
    fn id(&self, path: &[String], at: Span) -> Option<Node> {
        let arm = referred(path)?;
        let targets = self.cx.targets_of(self.view, self.name, arm);
        match targets.as_slice() {
            [only] => Some(Node::str(at, only.as_str())),
            _ => None,
        }
    }
}

/// The type of what a place in a body refers to.
fn referred(path: &[String]) -> Option<&'static str> {
    let mut names =
        path.iter().rev().filter(|step| step.parse::<usize>().is_err()).map(|step| step.to_ascii_lowercase());
    let last = names.next()?;
    let key = if last == "id" { names.next()? } else { last };
    Some(match key.as_str() {
        "subnet" | "vnetsubnetid" | "podsubnetid" | "subnetid" => SUBNET,
        "virtualnetwork" | "remotevirtualnetwork" => NETWORK,
        "routetable" => ROUTE_TABLE,
        "networksecuritygroup" => SECURITY_GROUP,
        "natgateway" => NAT_GATEWAY,
        "publicipaddress" | "publicipaddresses" | "publicips" => super::egress::PUBLIC_IP,
        "publicipprefix" | "publicipprefixes" => super::egress::PUBLIC_IP_PREFIX,
        "firewallpolicy" | "basepolicy" => "Microsoft.Network/firewallPolicies",
        "privatednszone" => super::names::PRIVATE_DNS_ZONE,
        _ => return None,
    })
}

/// Applies updates to the objects they are about.
pub(super) fn apply(patches: Vec<Patch>, resources: &mut Vec<Resource>) {
    for patch in patches {
        match resources.iter_mut().find(|resource| resource.id.as_ref() == Some(&patch.id)) {
            Some(resource) => {
                resource.body = merged(&flat(&resource.body), &flat(&patch.body));
                resource.later.extend(patch.later);
            }
            None => resources.push(Resource {
                kind: patch.id.kind().to_owned(),
                name: patch.id.name().into(),
                name_span: patch.at,
                parent: None,
                body: patch.body,
                later: patch.later,
                id: Some(patch.id),
            }),
        }
    }
}

/// What stands under `properties` moves up, where the command line has it.
fn flat(node: &Node) -> Node {
    let builder = MapBuilder::new(node.span);
    let entries = node.entries().iter().flat_map(|entry| match entry.key.eq_ignore_ascii_case("properties") {
        true => entry.node.entries().to_vec(),
        false => vec![entry.clone()],
    });
    entries.fold(builder, |builder, entry| builder.set(&entry.key, entry.key_span, entry.node)).build()
}

/// The second wins; mappings are united, lists replaced, as Resource Manager does it.
fn merged(first: &Node, second: &Node) -> Node {
    let (Some(one), Some(other)) = (first.as_map(), second.as_map()) else { return second.clone() };
    let mut builder = MapBuilder::new(first.span);
    for entry in one {
        let node = match second.get_ci(&entry.key) {
            Some(update) => merged(&entry.node, update),
            None => entry.node.clone(),
        };
        builder = builder.set(&entry.key, entry.key_span, node);
    }
    for entry in other.iter().filter(|entry| first.get_ci(&entry.key).is_none()) {
        builder = builder.set(&entry.key, entry.key_span, entry.node.clone());
    }
    builder.build()
}

/// The type an object states, without its version.
pub(super) fn type_of(instance: &super::plan::Instance) -> Option<Arc<str>> {
    ids::arm_of(instance)
}
