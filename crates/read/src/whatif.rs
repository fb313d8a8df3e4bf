//! Results of ARM what-if (`az deployment ... what-if --no-pretty-print`) become Azure resources: what there is and what there
//! will be. The payloads are Resource Manager's own, so nothing is translated here.
//!
//! What-if says of a change what becomes of an object: `Create`, `Delete`, `Modify`, `NoChange`, `Ignore` (it is there and not
//! in the template), `Deploy` (asked for with ids only: it is deployed, and nobody says what changes) and `Unsupported`.

use crate::azure::{self, KnownLater, Resource, ResourceId};
use crate::terraform::{Undescribed, foreign_note, is_unrelated_arm, left_out_note};
use crate::tree::{MapBuilder, Node, Value};
use causeway_model::design::{Note, NoteKind};
use causeway_model::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// What a result says.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// What there will be.
    pub(crate) after: Vec<Resource>,
    /// What there is; `None` where nothing changes.
    pub(crate) before: Option<Vec<Resource>>,
    /// Ids, in lower case, of objects that exist and are changed or removed.
    pub(crate) changed: BTreeSet<String>,
    /// Clusters that are listed and not described.
    pub(crate) undescribed: Vec<Undescribed>,
}

/// Reads one result.
pub(crate) fn read(document: &Node, notes: &mut Vec<Note>) -> Reading {
    let mut reader = Reader {
        out: Reading::default(),
        before: Vec::new(),
        changes: false,
        bare: None,
        foreign: BTreeMap::new(),
        unrelated: BTreeMap::new(),
        notes,
    };
    let part = |key: &str| document.get_ci(key).or_else(|| document.get_ci("properties")?.get_ci(key));
    for change in part("changes").map_or(&[][..], Node::items) {
        reader.change(change);
    }
    let possible = part("potentialChanges").map_or(&[][..], Node::items);
    if let Some(first) = possible.first() {
        let message = format!("{} changes that what-if calls possible: they are not in the design", possible.len());
        reader.note(NoteKind::Unknown, first.span, message);
    }
    if let Some(error) = part("error").filter(|error| !error.is_null()) {
        let code = error.get_ci("code").and_then(Node::text).unwrap_or("an error").to_owned();
        reader.note(NoteKind::Unknown, error.span, format!("what-if failed with `{code}`: what it says is not all"));
    }
    reader.finish()
}

struct Reader<'n> {
    out: Reading,
    before: Vec<Resource>,
    changes: bool,
    /// Objects that are listed and not described.
    bare: Option<(usize, Span)>,
    foreign: BTreeMap<String, (usize, Span)>,
    unrelated: BTreeMap<String, (usize, Span)>,
    notes: &'n mut Vec<Note>,
}

impl Reader<'_> {
    fn change(&mut self, change: &Node) {
        let Some(written) = change.get_ci("resourceId").filter(|id| id.text().is_some()) else {
            self.note(NoteKind::NotUnderstood, change.span, "a change that does not say of what".to_owned());
            return;
        };
        // Resource groups and subscriptions have ids of another sort.
        let Some(id) = written.text().and_then(ResourceId::parse) else { return };
        if !azure::knows(id.kind()) {
            let kinds = if is_unrelated_arm(id.kind()) { &mut self.unrelated } else { &mut self.foreign };
            kinds.entry(id.kind().to_owned()).or_insert((0, written.span)).0 += 1;
            return;
        }
        let payload = |key: &str| change.get_ci(key).filter(|payload| payload.as_map().is_some());
        let (before, after) = (payload("before"), payload("after"));
        let word = change.get_ci("changeType").and_then(Node::text).unwrap_or_default();
        match word.to_ascii_lowercase().as_str() {
            "create" => {
                self.changes = true;
                self.will_be(&id, written, after, None);
            }
            "delete" => {
                self.is_changed(&id);
                self.was(&id, written, before);
            }
            "modify" => {
                self.is_changed(&id);
                self.was(&id, written, before);
                self.will_be(&id, written, after, before);
            }
            "nochange" | "ignore" | "noeffect" => {
                let payload = after.filter(|after| is_described(after)).or(before);
                self.was(&id, written, payload);
                self.will_be(&id, written, payload, None);
            }
            "deploy" => {
                let message = format!(
                    "`{}` is deployed, and this result does not say what becomes of it: ask for `--result-format FullResourcePayloads`",
                    id.name()
                );
                self.note(NoteKind::Unknown, written.span, message);
                self.undescribed(&id, written);
            }
            "unsupported" => {
                let reason = change.get_ci("unsupportedReason").and_then(Node::text);
                let reason = reason.map(|reason| format!(" ({})", reason.trim_end_matches('.'))).unwrap_or_default();
                let message =
                    format!("what-if can't say what becomes of `{}`{reason}: it is taken as it is", id.name());
                self.note(NoteKind::Unknown, written.span, message);
                // The note above says all there is to say of an object without a payload.
                match before.or(after) {
                    Some(payload) => {
                        self.was(&id, written, Some(payload));
                        self.will_be(&id, written, Some(payload), None);
                    }
                    None => self.undescribed(&id, written),
                }
            }
            _ => {
                let at = change.get_ci("changeType").map_or(change.span, |word| word.span);
                let message = format!(
                    "the change `{word}` of `{}`, which this version does not know: it is taken as it is",
                    id.name()
                );
                self.note(NoteKind::NotUnderstood, at, message);
                self.was(&id, written, before.or(after));
                self.will_be(&id, written, before.or(after), None);
            }
        }
    }

    fn is_changed(&mut self, id: &ResourceId) {
        self.changes = true;
        self.out.changed.insert(id.key().to_owned());
    }

    fn was(&mut self, id: &ResourceId, written: &Node, payload: Option<&Node>) {
        // Of what is only listed, the other side tells.
        if let Some(payload) = payload.filter(|payload| is_described(payload)) {
            self.before.push(resource(id, written, payload));
        }
    }

    fn will_be(&mut self, id: &ResourceId, written: &Node, payload: Option<&Node>, before: Option<&Node>) {
        match payload.filter(|payload| is_described(payload)) {
            Some(payload) => {
                // What a template leaves out of a cluster stays as it is; what it leaves out of a network is removed.
                let keeps = id.kind().starts_with("microsoft.containerservice/");
                let whole = match before {
                    Some(before) if keeps => filled(payload, before),
                    _ => payload.clone(),
                };
                self.out.after.push(resource(id, written, &whole));
            }
            None => {
                self.bare.get_or_insert((0, written.span)).0 += 1;
                self.undescribed(id, written);
            }
        }
    }

    fn undescribed(&mut self, id: &ResourceId, written: &Node) {
        if id.kind().eq_ignore_ascii_case(azure::CLUSTER) {
            self.out.undescribed.push(Undescribed { name: id.name().into(), id: Some(id.clone()), at: written.span });
        }
    }

    fn note(&mut self, kind: NoteKind, at: Span, message: String) {
        self.notes.push(Note { kind, message, at: Some(at) });
    }

    fn finish(mut self) -> Reading {
        if let Some((count, at)) = self.bare {
            let objects = if count == 1 { "one object is".to_owned() } else { format!("{count} objects are") };
            let message = format!(
                "{objects} listed without properties: nothing is known of them (ask for `--result-format FullResourcePayloads`, or give their exports too)"
            );
            self.note(NoteKind::Unknown, at, message);
        }
        for (kind, (count, at)) in &self.foreign {
            self.notes.push(foreign_note(kind, *count, *at));
        }
        self.notes.extend(left_out_note(&self.unrelated));
        self.out.before = self.changes.then_some(self.before);
        self.out
    }
}

/// Says more than what every object has.
fn is_described(payload: &Node) -> bool {
    payload.get_ci("properties").is_some_and(|inner| !inner.entries().is_empty())
}

fn resource(id: &ResourceId, written: &Node, payload: &Node) -> Resource {
    let mut later = Vec::new();
    let body = without_expressions(payload, &mut Vec::new(), &mut later);
    let name = payload.get_ci("name").filter(|name| name.text().is_some());
    Resource {
        kind: id.kind().to_owned(),
        id: Some(id.clone()),
        name: id.name().into(),
        name_span: name.map_or(written.span, |name| name.span),
        parent: None,
        body: body.unwrap_or_else(|| MapBuilder::new(payload.span).build()),
        later,
    }
}

/// A payload may hold expressions what-if could not resolve: they are known later.
fn without_expressions(node: &Node, path: &mut Vec<String>, later: &mut Vec<KnownLater>) -> Option<Node> {
    match &node.value {
        Value::Scalar(scalar) => {
            let text = scalar.text.trim();
            if text.starts_with('[') && !text.starts_with("[[") && text.ends_with(']') {
                later.push(KnownLater { path: path.join("."), at: node.span });
                return None;
            }
            Some(node.clone())
        }
        Value::Seq(items) => {
            let mut kept = Vec::new();
            for (at, item) in items.iter().enumerate() {
                path.push(at.to_string());
                kept.extend(without_expressions(item, path, later));
                path.pop();
            }
            Some(Node::seq(node.span, kept))
        }
        Value::Map(entries) => {
            let mut builder = MapBuilder::new(node.span);
            for entry in entries.iter() {
                let skips = entry.key.eq_ignore_ascii_case("properties");
                if !skips {
                    path.push(entry.key.to_string());
                }
                let inner = match entry.key.eq_ignore_ascii_case("tags") {
                    true => Some(entry.node.clone()),
                    false => without_expressions(&entry.node, path, later),
                };
                if !skips {
                    path.pop();
                }
                builder = builder.set(&entry.key, entry.key_span, inner);
            }
            Some(builder.build())
        }
    }
}

/// The first, with what only the second has. Lists are values of their own.
fn filled(first: &Node, second: &Node) -> Node {
    let (Some(one), Some(other)) = (first.as_map(), second.as_map()) else { return first.clone() };
    let mut builder = MapBuilder::new(first.span);
    for entry in one {
        let node = match second.get_ci(&entry.key) {
            Some(old) => filled(&entry.node, old),
            None => entry.node.clone(),
        };
        builder = builder.set(&entry.key, entry.key_span, node);
    }
    for entry in other.iter().filter(|entry| first.get_ci(&entry.key).is_none()) {
        builder = builder.set(&entry.key, entry.key_span, entry.node.clone());
    }
    builder.build()
}
