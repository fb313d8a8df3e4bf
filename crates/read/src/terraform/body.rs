//! Bodies in Resource Manager's words, filled value by value from what a plan says.

use super::view::{Cx, Got, View};
use crate::azure::KnownLater;
use crate::tree::{Entry, MapBuilder, Node};
use causeway_model::source::{FileId, Span};

/// Stands in rules for addresses that are not known.
const UNKNOWN_ADDRESSES: &str = "unknown";

const NOWHERE: Span = Span { file: FileId(0), start: 0, end: 0 };

/// A body in Resource Manager's words, filled value by value.
#[derive(Debug, Default)]
pub(super) struct Body {
    span: Option<Span>,
    root: Vec<(String, Draft)>,
    later: Vec<KnownLater>,
}

#[derive(Debug)]
enum Draft {
    Value(Node),
    Map(Vec<(String, Draft)>),
}

impl Body {
    pub(super) fn new(span: Span) -> Self {
        Body { span: Some(span), ..Body::default() }
    }

    /// Sets a value by its path, `networkProfile.podCidr`; what stands there already stays.
    pub(super) fn set(&mut self, path: &str, value: impl Into<Option<Node>>) {
        let Some(value) = value.into() else { return };
        let mut here = &mut self.root;
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            let at = match here.iter().position(|(key, _)| key == step) {
                Some(at) => at,
                None => {
                    let empty =
                        if steps.peek().is_some() { Draft::Map(Vec::new()) } else { Draft::Value(value.clone()) };
                    here.push((step.to_owned(), empty));
                    here.len() - 1
                }
            };
            match here.get_mut(at) {
                Some((_, Draft::Map(inside))) if steps.peek().is_some() => here = inside,
                _ => return,
            }
        }
    }

    /// A value that is known later, by its path.
    pub(super) fn later(&mut self, path: impl Into<String>, at: Span) {
        self.later.push(KnownLater { path: path.into(), at });
    }

    pub(super) fn take_later(&mut self) -> Vec<KnownLater> {
        std::mem::take(&mut self.later)
    }

    /// Takes over what is known later in a part that stands under `prefix`.
    pub(super) fn later_in(&mut self, prefix: &str, part: &mut Body) {
        for later in part.take_later() {
            self.later(format!("{prefix}.{}", later.path), later.at);
        }
    }

    /// Copies an attribute.
    pub(super) fn copy<'a>(&mut self, cx: &Cx<'_, 'a>, view: &View<'a>, name: &'static str, path: &str) {
        self.put(cx.get(view, name), path);
    }

    /// Copies an attribute that only the platform knows.
    pub(super) fn copy_output<'a>(&mut self, cx: &Cx<'_, 'a>, view: &View<'a>, name: &'static str, path: &str) {
        self.put(cx.output(view, name), path);
    }

    /// Copies the first attribute of several that is set: names differ between versions of the provider.
    pub(super) fn copy_first<'a>(&mut self, cx: &Cx<'_, 'a>, view: &View<'a>, names: &[&'static str], path: &str) {
        let got = names.iter().map(|name| cx.get(view, name)).find(|got| !matches!(got, Got::Absent));
        self.put(got.unwrap_or(Got::Absent), path);
    }

    /// Copies addresses of a rule, one or several. Those that are not known stay as a word nobody knows the addresses of:
    /// left out, the rule would be taken for one without them.
    pub(super) fn copy_addresses<'a>(&mut self, cx: &Cx<'_, 'a>, view: &View<'a>, name: &'static str, path: &str) {
        let unknown = |at: Span| Node::str(at, UNKNOWN_ADDRESSES);
        match cx.get(view, name) {
            Got::Known(node) if node.as_seq().is_some() => {
                let items = node.items().iter();
                let items = items.map(|item| if item.is_null() { unknown(item.span) } else { item.clone() }).collect();
                if node.items().iter().any(Node::is_null) {
                    self.later(path, node.span);
                }
                self.set(path, Node::seq(node.span, items));
            }
            Got::Known(node) => self.set(path, Node::seq(node.span, vec![node.clone()])),
            Got::Later(at) => {
                self.set(path, Node::seq(at, vec![unknown(at)]));
                self.later(path, at);
            }
            Got::Absent => {}
        }
    }

    /// Copies a boolean the other way round.
    pub(super) fn copy_negated<'a>(&mut self, cx: &Cx<'_, 'a>, view: &View<'a>, name: &'static str, path: &str) {
        match cx.get(view, name) {
            Got::Known(node) => {
                let negated = node.text().and_then(|text| match text {
                    "true" => Some("false"),
                    "false" => Some("true"),
                    _ => None,
                });
                self.set(path, negated.map(|text| Node::plain(node.span, text)));
            }
            Got::Later(at) => self.later(path, at),
            Got::Absent => {}
        }
    }

    /// Sets `{id: …}` from an attribute that has an id.
    pub(super) fn refer<'a>(&mut self, cx: &Cx<'_, 'a>, view: &View<'a>, name: &'static str, arm: &str, path: &str) {
        match cx.reference(view, name, arm) {
            Ok(Some(id)) => self.set(path, Self::id(id)),
            Ok(None) => {}
            Err(at) => self.later(path, at),
        }
    }

    /// Sets the id itself, where Resource Manager has it without a wrapping.
    pub(super) fn refer_plainly<'a>(
        &mut self,
        cx: &Cx<'_, 'a>,
        view: &View<'a>,
        name: &'static str,
        arm: &str,
        path: &str,
    ) {
        match cx.reference(view, name, arm) {
            Ok(id) => self.set(path, id),
            Err(at) => self.later(path, at),
        }
    }

    /// Sets a list of `{id: …}` from an attribute that has ids.
    pub(super) fn refer_to_all<'a>(
        &mut self,
        cx: &Cx<'_, 'a>,
        view: &View<'a>,
        name: &'static str,
        arm: &str,
        path: &str,
    ) {
        let (ids, missing) = cx.references(view, name, arm);
        if let Some(at) = missing {
            self.later(path, at);
        }
        self.set(path, list(ids.into_iter().map(Self::id).collect()));
    }

    pub(super) fn id(id: Node) -> Node {
        MapBuilder::new(id.span).set("id", None, id).build()
    }

    fn put(&mut self, got: Got, path: &str) {
        match got {
            Got::Known(node) if node.items().iter().any(Node::is_null) => {
                // Some items are known later: the list would be taken for all there is.
                self.later(path, node.span);
            }
            Got::Known(node) => self.set(path, node.clone()),
            Got::Later(at) => self.later(path, at),
            Got::Absent => {}
        }
    }

    /// Whether a value was set, by its path.
    pub(super) fn has(&self, path: &str) -> bool {
        let mut here = &self.root;
        for step in path.split('.') {
            match here.iter().find(|(key, _)| key == step) {
                Some((_, Draft::Map(inside))) => here = inside,
                Some((_, Draft::Value(_))) => return true,
                None => return false,
            }
        }
        true
    }

    /// Forgets what is known later: it has no part in the design either way.
    pub(super) fn drop_later(&mut self) {
        self.later.clear();
    }

    /// Sets a key of the body itself to a value that was written under that key.
    pub(super) fn set_entry(&mut self, entry: &Entry) {
        if self.root.iter().all(|(key, _)| key.as_str() != entry.key.as_ref()) {
            self.root.push((entry.key.to_string(), Draft::Value(entry.node.clone())));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.root.is_empty() && self.later.is_empty()
    }

    pub(super) fn build(self) -> Node {
        build(self.root, self.span)
    }
}

fn build(entries: Vec<(String, Draft)>, span: Option<Span>) -> Node {
    let entries: Vec<(String, Node)> = entries
        .into_iter()
        .map(|(key, draft)| match draft {
            Draft::Value(node) => (key, node),
            Draft::Map(inside) => (key, build(inside, None)),
        })
        .collect();
    let own = entries.first().map(|(_, node)| node.span);
    let builder = MapBuilder::new(span.or(own).unwrap_or(NOWHERE));
    entries.into_iter().fold(builder, |builder, (key, node)| builder.set(key, None, node)).build()
}

/// A list; `None` for none.
pub(super) fn list(items: Vec<Node>) -> Option<Node> {
    let first = items.first()?.span;
    Some(Node::seq(first, items))
}
