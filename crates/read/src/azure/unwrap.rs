//! Taking objects out of whatever they were wrapped in.

use super::kind::Kind;
use super::recognise::{Contents, Identity, contents};
use super::resource::{Resource, ResourceId};
use crate::tree::{Entry, MapBuilder, Node, Value};
use causeway_model::design::{Note, NoteKind};
use causeway_model::source::Span;
use std::sync::Arc;

/// Takes the Azure objects out of a tree: one object, a list, `{"value": []}`, a Resource Graph answer, the resources of a
/// template, and any of them inside each other. `forced` (from `--as`) says what an object is that does not say it
/// itself. What is no object, or can't be used, is noted with its place.
pub fn resources(tree: &Node, forced: Option<Kind>, notes: &mut Vec<Note>) -> Vec<Resource> {
    let mut unwrap = Unwrap { forced, notes, out: Vec::new() };
    unwrap.tree(tree);
    unwrap.out
}

struct Unwrap<'n> {
    forced: Option<Kind>,
    notes: &'n mut Vec<Note>,
    out: Vec<Resource>,
}

impl Unwrap<'_> {
    fn tree(&mut self, tree: &Node) {
        match contents(tree) {
            Contents::Object(Identity::Type(arm)) => self.object(tree, &arm),
            Contents::Object(identity) => self.untyped(tree, identity),
            Contents::List { items, more } => {
                self.goes_on(more);
                self.list(&items);
            }
            Contents::Table { columns, rows, more } => {
                self.goes_on(more);
                for row in rows {
                    self.tree(&as_object(columns, row));
                }
            }
            Contents::Template(resources) => {
                for resource in resources {
                    self.template_resource(resource, None);
                }
            }
            Contents::Dictionary(values) => values.into_iter().for_each(|value| self.tree(value)),
            Contents::Other => match self.forced {
                Some(kind) if matches!(tree.value, Value::Map(_)) => self.part(tree, kind),
                _ => self.note(
                    NoteKind::NotUnderstood,
                    format!("{} that is no Azure object", tree.type_name()),
                    tree.span,
                ),
            },
        }
    }

    /// Effective routes are rows of one table, not objects: one note for all of them.
    fn list(&mut self, items: &[&Node]) {
        let effective = |item: &Node| matches!(contents(item), Contents::Object(Identity::Kind(Kind::EffectiveRoutes)));
        let (routes, others): (Vec<&Node>, Vec<&Node>) = items.iter().copied().partition(|item| effective(item));
        if let Some(first) = routes.first() {
            self.effective_routes(routes.len(), first.span);
        }
        others.into_iter().for_each(|item| self.tree(item));
    }

    fn effective_routes(&mut self, count: usize, at: Span) {
        self.note(
            NoteKind::NotUnderstood,
            format!("an effective route table with {count} routes is what one interface saw, not what was configured: it has no part in the design"),
            at,
        );
    }

    fn untyped(&mut self, tree: &Node, identity: Identity) {
        match (identity, self.forced) {
            (_, Some(kind)) | (Identity::Kind(kind), None) => self.part(tree, kind),
            (Identity::Unclear(kinds), None) => {
                let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{}`", kind.as_str())).collect();
                self.note(
                    NoteKind::NotUnderstood,
                    format!("an object that could be {}: say which with `--as`", kinds.join(" or ")),
                    tree.span,
                );
            }
            (Identity::Type(arm), None) => self.object(tree, &arm),
        }
    }

    /// An object whose kind is known though it does not say it.
    fn part(&mut self, tree: &Node, kind: Kind) {
        match kind {
            Kind::EffectiveRoutes => self.effective_routes(1, tree.span),
            Kind::NetworkProfile => self.wrapped(tree, Kind::Cluster, "networkProfile", tree.clone()),
            Kind::RuleCollection => {
                self.wrapped(
                    tree,
                    Kind::RuleCollectionGroup,
                    "ruleCollections",
                    Node::seq(tree.span, vec![tree.clone()]),
                );
            }
            _ => self.object(tree, kind.arm()),
        }
    }

    /// A part of an object becomes a nameless object that says only this.
    fn wrapped(&mut self, tree: &Node, kind: Kind, key: &str, value: Node) {
        let body = MapBuilder::new(tree.span).set(key, None, value).build();
        self.out.push(Resource {
            kind: kind.arm().to_owned(),
            id: None,
            name: "".into(),
            name_span: tree.span,
            parent: None,
            body,
            later: Vec::new(),
        });
    }

    fn object(&mut self, tree: &Node, arm: &str) {
        let id = tree.get_ci("id").and_then(Node::text).and_then(ResourceId::parse);
        let id = id.or_else(|| id_of_columns(tree, arm));
        let stated = tree.get_ci("name").filter(|name| name.text().is_some_and(|text| !text.is_empty()));
        let (name, name_span): (Arc<str>, Span) = match (stated, &id) {
            (Some(name), _) => (last_name(name.text().unwrap_or_default()).into(), name.span),
            (None, Some(id)) => (id.name().into(), tree.get_ci("id").map_or(tree.span, |id| id.span)),
            (None, None) => ("".into(), tree.span),
        };
        let bare = tree.entries().iter().all(|entry| is_envelope(&entry.key) || entry.node.is_null());
        if bare {
            let what = if name.is_empty() { arm } else { &name };
            self.note(
                NoteKind::Unknown,
                format!("`{what}` is listed without its properties: export the object itself (`az resource list` leaves them out)"),
                tree.span,
            );
            return;
        }
        self.out.push(Resource {
            kind: arm.to_owned(),
            id,
            name,
            name_span,
            parent: None,
            body: tree.clone(),
            later: Vec::new(),
        });
    }

    fn template_resource(&mut self, tree: &Node, above: Option<(&str, &str)>) {
        let (Some(name), Some(own)) =
            (tree.get_ci("name").and_then(Node::text), tree.get_ci("type").and_then(Node::text))
        else {
            self.note(NoteKind::NotUnderstood, "a resource of a template without name or type".to_owned(), tree.span);
            return;
        };
        if let Some(expression) = expression(tree) {
            self.note(
                NoteKind::NotUnderstood,
                format!("the resource `{name}` of the template holds an expression that only Azure resolves: give the answer of `az deployment group what-if --no-pretty-print`, or export the object itself"),
                expression.span,
            );
            return;
        }
        let (arm, names) = match above {
            Some((arm, names)) if !own.contains('.') => (format!("{arm}/{own}"), format!("{names}/{name}")),
            _ => (own.to_owned(), name.to_owned()),
        };
        let arm = arm.to_ascii_lowercase();
        let parts: Vec<&str> = names.split('/').collect();
        match ResourceId::new(None, None, &arm, &parts) {
            Some(id) => {
                let name_span = tree.get_ci("name").map_or(tree.span, |name| name.span);
                self.out.push(Resource {
                    kind: arm.clone(),
                    name: id.name().into(),
                    id: Some(id),
                    name_span,
                    parent: None,
                    body: tree.clone(),
                    later: Vec::new(),
                });
            }
            None => self.note(
                NoteKind::NotUnderstood,
                format!("the name `{names}` does not fit the type `{arm}`"),
                tree.span,
            ),
        }
        for child in tree.get_ci("resources").map_or(&[][..], Node::items) {
            self.template_resource(child, Some((&arm, &names)));
        }
    }

    fn goes_on(&mut self, more: Option<&Node>) {
        if let Some(more) = more {
            self.note(
                NoteKind::Unknown,
                "this list is one page of several: what the other pages hold is not known".to_owned(),
                more.span,
            );
        }
    }

    fn note(&mut self, kind: NoteKind, message: String, at: Span) {
        self.notes.push(Note { kind, message, at: Some(at) });
    }
}

/// Keys every object has, which say nothing about the network.
fn is_envelope(key: &str) -> bool {
    const KEYS: &[&str] = &[
        "id",
        "name",
        "type",
        "location",
        "tags",
        "sku",
        "kind",
        "identity",
        "resourceGroup",
        "managedBy",
        "plan",
        "zones",
        "extendedLocation",
        "etag",
        "createdTime",
        "changedTime",
        "provisioningState",
        "subscriptionId",
        "tenantId",
        "apiVersion",
        "systemData",
        "managedByExtended",
    ];
    KEYS.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// In some answers the name of a part has its parents' names in front.
fn last_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A row of a Resource Graph answer without an id often has what an id is made of.
fn id_of_columns(tree: &Node, arm: &str) -> Option<ResourceId> {
    let text = |key: &str| tree.get_ci(key).and_then(Node::text).filter(|text| !text.is_empty());
    let (group, name) = (text("resourceGroup")?, text("name")?);
    let names: Vec<&str> = name.split('/').collect();
    ResourceId::new(text("subscriptionId"), Some(group), arm, &names)
}

pub(super) fn as_object(columns: &[Node], row: &Node) -> Node {
    let entries = columns.iter().zip(row.items()).filter_map(|(column, cell)| {
        let name = column.get_ci("name")?;
        Some(Entry { key: name.text()?.into(), key_span: name.span, node: cell.clone() })
    });
    Node { span: row.span, value: Value::Map(Arc::new(entries.collect())) }
}

/// The first text in a tree that is a template expression.
fn expression(tree: &Node) -> Option<&Node> {
    match &tree.value {
        Value::Scalar(scalar) => {
            let text = scalar.text.trim();
            (text.starts_with('[') && !text.starts_with("[[") && text.ends_with(']')).then_some(tree)
        }
        Value::Seq(items) => items.iter().find_map(expression),
        Value::Map(entries) => {
            let own = entries.iter().filter(|entry| !["resources", "dependsOn", "tags"].contains(&entry.key.as_ref()));
            own.map(|entry| &entry.node).find_map(expression)
        }
    }
}
