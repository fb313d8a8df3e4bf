//! Several trees become one: mappings are united, lists that collect are joined, and what is said twice must agree.

use crate::diagnostic::InputError;
use crate::tree::{Entry, MapBuilder, Node, Value};
use causeway_model::codes;
use causeway_model::finding::Finding;
use causeway_model::source::Sources;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Lists that collect what several files say; any other list is one value.
const COLLECTING: &[&str] = &[
    "peerings",
    "loads",
    "accept",
    "expect",
    "clusters.*.ingress",
    "clusters.*.manifests",
    "clusters.*.pods",
    "clusters.*.services",
    "clusters.*.policies",
    "clusters.*.masquerade.configMaps",
];

/// Who said something: two design files must not contradict each other, exports may (and it is reported).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Design,
    Export,
}

/// What merging collects.
#[derive(Debug)]
pub(crate) struct Merge<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) errors: Vec<InputError>,
    pub(crate) findings: Vec<Finding>,
}

impl Merge<'_> {
    /// Adds a tree to another. What was there first wins where they contradict.
    pub(crate) fn add(&mut self, into: &mut Node, from: Node, origin: Origin) {
        self.node(into, from, &mut Vec::new(), origin);
    }

    /// Adds what Kubernetes objects say to one cluster.
    pub(crate) fn add_cluster(&mut self, cluster: &mut Node, fragment: Node, origin: Origin) {
        self.node(cluster, fragment, &mut vec!["clusters".into(), "*".into()], origin);
    }

    /// Adds a part of a cluster to the cluster it is of: the only one there is, or the one its hints name.
    pub(crate) fn attach(&mut self, whole: &mut Node, fragment: Node, hints: &[String]) {
        let at = fragment.span;
        let names: Vec<Arc<str>> = whole
            .get("clusters")
            .map_or_else(Vec::new, |clusters| clusters.entries().iter().map(|entry| entry.key.clone()).collect());
        let named: Vec<&Arc<str>> = names
            .iter()
            .filter(|name| hints.iter().any(|hint| hint.contains(&format!("_{}_", name.to_ascii_lowercase()))))
            .collect();
        let name: Arc<str> = match (names.as_slice(), named.as_slice()) {
            ([], _) => "kubernetes".into(),
            ([only], _) => only.clone(),
            (_, [one]) => (*one).clone(),
            _ => {
                self.errors.push(InputError {
                    at: Some(at),
                    message: format!("can't tell which of {} clusters these objects are of", names.len()),
                    help: "list their files under `manifests` of the cluster in a design file, or check one cluster at a time".to_owned(),
                });
                return;
            }
        };
        let clusters = MapBuilder::new(at).set(&name, None, fragment).build();
        let tree = MapBuilder::new(at).set("clusters", None, clusters).build();
        self.add(whole, tree, Origin::Export);
    }

    fn node(&mut self, into: &mut Node, from: Node, path: &mut Vec<Arc<str>>, origin: Origin) {
        if from.is_null() || into.same(&from) {
            return;
        }
        if into.is_null() {
            *into = from;
            return;
        }
        match (&mut into.value, &from.value) {
            (Value::Map(entries), Value::Map(more)) => self.map(Arc::make_mut(entries), more, path, origin),
            (Value::Seq(items), Value::Seq(more)) if collects(path) => {
                let items = Arc::make_mut(items);
                for item in more.iter() {
                    if !items.iter().any(|known| known.same(item)) {
                        items.push(item.clone());
                    }
                }
            }
            _ => self.conflict(into, &from, path, origin),
        }
    }

    fn map(&mut self, entries: &mut Vec<Entry>, more: &[Entry], path: &mut Vec<Arc<str>>, origin: Origin) {
        let known: BTreeMap<Arc<str>, usize> =
            entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
        for entry in more {
            match known.get(&entry.key).and_then(|at| entries.get_mut(*at)) {
                Some(twin) => {
                    path.push(entry.key.clone());
                    self.node(&mut twin.node, entry.node.clone(), path, origin);
                    path.pop();
                }
                None => entries.push(entry.clone()),
            }
        }
    }

    fn conflict(&mut self, first: &Node, second: &Node, path: &[Arc<str>], origin: Origin) {
        // `name` and the language's version are no facts about a network: the first file's stand.
        if matches!(path, [only] if matches!(only.as_ref(), "name" | "causeway")) {
            return;
        }
        let path = path.join(".");
        let place = self.sources.position(first.span);
        let (one, two) = (shown(first), shown(second));
        match origin {
            Origin::Design => self.errors.push(InputError {
                at: Some(second.span),
                message: format!("`{path}` is defined twice: {one} at {}:{}, {two} here", place.file, place.line),
                help: "keep one of them".to_owned(),
            }),
            Origin::Export => self.findings.push(
                Finding::new(
                    codes::EXPORTS_DISAGREE,
                    path.as_str(),
                    format!("two inputs disagree about `{path}`: {one}, then {two}"),
                )
                .help("export again at one time, or leave the older file out; the first one given is used")
                .at(Some(second.span))
                .evidence(format!("{one} stands at {}:{}", place.file, place.line))
                .related(path.as_str(), "said first"),
            ),
        }
    }
}

fn collects(path: &[Arc<str>]) -> bool {
    COLLECTING.iter().any(|pattern| {
        let mut parts = pattern.split('.');
        path.iter().all(|step| parts.next().is_some_and(|part| part == "*" || part == step.as_ref()))
            && parts.next().is_none()
    })
}

/// A value as quoted in a message.
fn shown(node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) => format!("`{}`", scalar.text),
        Value::Seq(items) if items.len() <= 6 && items.iter().all(|item| item.text().is_some()) => {
            format!("`[{}]`", items.iter().filter_map(Node::text).collect::<Vec<_>>().join(", "))
        }
        Value::Seq(items) => format!("a list of {}", items.len()),
        Value::Map(entries) => format!("a mapping of {}", entries.len()),
    }
}
