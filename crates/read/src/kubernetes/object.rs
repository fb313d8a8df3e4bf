//! Kubernetes objects taken out of whatever they were wrapped in, told apart, and sorted: nothing after this depends on the
//! order of the input.

use super::kind::Kind;
use super::remarks::Remarks;
use super::value::{at, number, said, text};
use crate::tree::{Entry, MapBuilder, Node};
use causeway_model::codes;
use causeway_model::finding::Finding;
use causeway_model::source::Span;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// An object with a name.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// The kind as written, `Deployment`.
    pub(super) word: String,
    /// Its namespace; of a namespaced kind that states none `default`, of the others none.
    pub(super) namespace: Option<String>,
    /// Its name.
    pub(super) name: String,
    /// Where the name stands.
    pub(super) at: Span,
    /// All of it.
    pub(super) node: Node,
}

impl Object {
    /// `NAMESPACE/NAME`, or the name alone where there is no namespace.
    pub(super) fn who(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether it was read from a cluster rather than written by hand.
    fn is_live(&self) -> bool {
        is_live(&self.node)
    }

    /// Of two states of one object the later one counts; what a cluster has counts more than a manifest.
    fn rank(&self) -> (bool, u64) {
        let version = at(&self.node, &["metadata", "resourceVersion"]).and_then(number);
        (self.is_live(), version.unwrap_or(0))
    }
}

/// The objects of a document: itself, or the items of a list, which may leave out what the list says of them all.
pub(super) fn of_document(document: &Node) -> Vec<Node> {
    let mut out = Vec::new();
    collect(document, &mut out);
    out
}

/// Lists hold lists no deeper than the tree is: its depth is limited.
fn collect(node: &Node, out: &mut Vec<Node>) {
    if let Some(items) = node.as_seq() {
        items.iter().filter(|item| !item.is_null()).for_each(|item| collect(item, out));
        return;
    }
    let kind = text(node, &["kind"]);
    let items = node.get("items").and_then(Node::as_seq);
    let list = items.filter(|_| kind.is_none_or(|kind| kind.ends_with("List")));
    match (list, kind) {
        (Some(items), kind) => {
            let inner = kind.and_then(|kind| kind.strip_suffix("List")).filter(|inner| !inner.is_empty());
            for item in items.iter().filter(|item| !item.is_null()) {
                match inner {
                    Some(inner) => collect(&complete(item, node, inner), out),
                    None => collect(item, out),
                }
            }
        }
        // `items: null` is how Go prints a list of nothing. What has a name of its own is no list.
        (None, Some(kind))
            if kind.ends_with("List") && node.get("items").is_none_or(Node::is_null) && !is_named(node) => {}
        _ => out.push(node.clone()),
    }
}

fn is_named(node: &Node) -> bool {
    said(node, &["metadata", "name"]).is_some()
}

/// An item of a typed list with the list's version and kind, where it does not state its own.
fn complete(item: &Node, list: &Node, kind: &str) -> Node {
    if item.as_map().is_none() || (at(item, &["kind"]).is_some() && at(item, &["apiVersion"]).is_some()) {
        return item.clone();
    }
    let word = list.get("kind").map(|word| Node::str(word.span, kind));
    let mut builder = MapBuilder::new(item.span)
        .set("apiVersion", None, at(item, &["apiVersion"]).or(at(list, &["apiVersion"])).cloned())
        .set("kind", None, at(item, &["kind"]).cloned().or(word));
    for Entry { key, key_span, node } in item.entries() {
        if !matches!(key.as_ref(), "apiVersion" | "kind") {
            builder = builder.set(key, *key_span, node.clone());
        }
    }
    builder.build()
}

/// What tells two objects of a kind apart: the namespace, the name, and [`identity`].
type Key = (Option<String>, String, String);

/// All objects by kind, each kind by namespace and name, each object once.
#[derive(Debug, Default)]
pub(super) struct Inventory(BTreeMap<Kind, Vec<Object>>);

impl Inventory {
    /// Tells kinds and names. What has neither is said.
    pub(super) fn new(nodes: Vec<Node>, remarks: &mut Remarks) -> Inventory {
        let mut known: BTreeMap<Kind, BTreeMap<Key, Vec<Object>>> = BTreeMap::new();
        for node in nodes {
            let Some((kind, object)) = read(node, remarks) else { continue };
            let key = (object.namespace.clone(), object.name.clone(), identity(kind, &object));
            known.entry(kind).or_default().entry(key).or_default().push(object);
        }
        let mut one_of_each = |(kind, objects): (Kind, BTreeMap<Key, Vec<Object>>)| {
            (kind, objects.into_values().filter_map(|twins| settle(kind, twins, remarks)).collect())
        };
        Inventory(known.into_iter().map(&mut one_of_each).collect())
    }

    /// The objects of a kind, by namespace and name.
    pub(super) fn of(&self, kind: Kind) -> &[Object] {
        self.0.get(&kind).map_or(&[], Vec::as_slice)
    }
}

/// What an object is to whoever enforces policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A node, a namespace, a pod or a policy.
    Known(Identity),
    /// A policy of a kind nobody here knows: the namespace whose pods it may be about, `None` = every one; kind, name, and what was
    /// probably meant, in words, where the kind is nearly another.
    UnknownPolicy(Option<String>, String, String, Option<String>),
    /// A policy for another engine whose kind is nearly one of that engine's: what is to be said of it.
    Misnamed(String),
    /// Something else.
    Other,
}

/// Group and kind, namespace, name.
pub(crate) type Identity = (String, Option<String>, String);

/// The group policies of Kubernetes for whole clusters are in.
const POLICY_GROUP: &str = "policy.networking.k8s.io";

/// What an object is to whoever enforces policies.
///
/// # Errors
/// It is no object with a name.
pub(crate) fn identity_of(node: &Node) -> Result<Subject, String> {
    if node.as_map().is_none() {
        return Err(format!("{} stands where a Kubernetes object is expected", node.type_name()));
    }
    let (Some(api_version), Some(word)) = (text(node, &["apiVersion"]), text(node, &["kind"])) else {
        return Err("an object without `apiVersion` and `kind` is no Kubernetes object".to_owned());
    };
    if (api_version, word) == ("v1", "Status") {
        let said = text(node, &["message"]).unwrap_or("no reason given");
        return Err(format!("this is no object but an answer of the API server: {said}"));
    }
    let kind = Kind::of(api_version, word);
    let of_group = group(api_version) == POLICY_GROUP;
    let near = if matches!(kind, Kind::NoPart | Kind::Unknown) { super::kind::near(api_version, word) } else { None };
    let meant = near.map(|(group, word)| (Kind::of(&format!("{group}/"), word), group, word));
    if !matches!(kind, Kind::Node | Kind::Namespace | Kind::Pod | Kind::Policy)
        && !of_group
        && !matches!(meant, Some((Kind::Node | Kind::Namespace | Kind::Pod | Kind::Policy, ..)))
    {
        return Ok(Subject::Other);
    }
    let name = text(node, &["metadata", "name"]).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| format!("a `{word}` without `metadata.name`"))?.to_owned();
    let stated = || text(node, &["metadata", "namespace"]).unwrap_or("default").to_owned();
    let hint = near.and_then(|_| no_such_kind(node, api_version, word));
    match meant {
        _ if of_group && kind == Kind::Unknown => return Ok(Subject::UnknownPolicy(None, word.to_owned(), name, hint)),
        Some((Kind::Policy, group, known)) if group.ends_with("k8s.io") => {
            let namespace = Kind::Policy.is_namespaced(known).then(stated);
            return Ok(Subject::UnknownPolicy(namespace, word.to_owned(), name, hint));
        }
        // Other engines' are theirs to enforce, whatever they are called.
        Some((Kind::Policy, ..)) => return Ok(Subject::Misnamed(hint.unwrap_or_default())),
        Some(_) => return Err(hint.unwrap_or_default()),
        None => {}
    }
    let namespace =
        kind.is_namespaced(word).then(|| text(node, &["metadata", "namespace"]).unwrap_or("default").to_owned());
    Ok(Subject::Known((format!("{} {word}", group(api_version)), namespace, name)))
}

/// The kind and the name of an object.
pub(crate) fn kind_and_name(node: &Node) -> Option<(String, String)> {
    Some((text(node, &["kind"])?.to_owned(), text(node, &["metadata", "name"])?.to_owned()))
}

/// Whether an object was read from a cluster rather than written by hand.
pub(crate) fn is_live(node: &Node) -> bool {
    at(node, &["metadata", "uid"]).is_some() || at(node, &["metadata", "resourceVersion"]).is_some()
}

/// What tells objects of one [`Kind`] apart beside namespace and name: several kinds of Kubernetes share one here.
fn identity(kind: Kind, object: &Object) -> String {
    match kind {
        Kind::Workload => object.word.clone(),
        Kind::Policy => format!("{} {}", group(text(&object.node, &["apiVersion"]).unwrap_or_default()), object.word),
        _ => String::new(),
    }
}

/// The group of an API version: nothing for the core.
pub(super) fn group(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

/// What is to be said of an object whose kind is nearly one that there is.
fn no_such_kind(node: &Node, api_version: &str, word: &str) -> Option<String> {
    let hint = super::kind::meant(api_version, word)?;
    let who = text(node, &["metadata", "name"]).unwrap_or("without a name");
    let shown = format!("{api_version} {word}");
    Some(format!("no kind is called `{}` (object `{who}`): {hint}", shown.trim()))
}

fn read(node: Node, remarks: &mut Remarks) -> Option<(Kind, Object)> {
    if node.as_map().is_none() {
        remarks.not_understood(node.span, format!("{} stands where a Kubernetes object is expected", node.type_name()));
        return None;
    }
    let Some(word) = text(&node, &["kind"]).map(str::to_owned) else {
        remarks.not_understood(node.span, "an object without `kind` is no Kubernetes object".to_owned());
        return None;
    };
    let api_version = text(&node, &["apiVersion"]).unwrap_or_default();
    let kind = Kind::of(api_version, &word);
    if word == "Status" && api_version == "v1" {
        let said = text(&node, &["message"]).unwrap_or("no reason given");
        remarks.not_understood(node.span, format!("this is no object but an answer of the API server: {said}"));
        return None;
    }
    if matches!(kind, Kind::NoPart | Kind::Unknown)
        && let Some(words) = no_such_kind(&node, api_version, &word)
    {
        let at_kind = at(&node, &["kind"]).map_or(node.span, |kind| kind.span);
        remarks.refused(at_kind, words);
        return None;
    }
    match kind {
        Kind::NoPart => {
            remarks.no_part(&word, node.span);
            return None;
        }
        Kind::Unknown => {
            let who = text(&node, &["metadata", "name"]).unwrap_or("without a name");
            let place = (text(&node, &["metadata", "namespace"]).unwrap_or_default(), who);
            remarks.unknown_kind(api_version, &word, place, node.span);
            return None;
        }
        _ => {}
    }
    let named = said(&node, &["metadata", "name"]);
    let (name, at) = match named {
        Some(name) => (name.text().unwrap_or_default().to_owned(), name.span),
        // The meaning of the design refuses it: a policy that can't be told apart must not go missing.
        None if kind == Kind::Policy => (String::new(), node.span),
        None => {
            remarks.not_understood(node.span, format!("a `{word}` without `metadata.name` is left out"));
            return None;
        }
    };
    let namespace =
        kind.is_namespaced(&word).then(|| text(&node, &["metadata", "namespace"]).unwrap_or("default").to_owned());
    Some((kind, Object { word, namespace, name, at, node }))
}

/// Whether policies mean something else of one state of an object than of the other: a policy itself, or labels and ports.
fn says_otherwise(kind: Kind, one: &Object, other: &Object) -> bool {
    let differ = |path: &[&str]| match (at(&one.node, path), at(&other.node, path)) {
        (Some(one), Some(other)) => !one.same(other),
        (one, other) => one.is_some() != other.is_some(),
    };
    match kind {
        Kind::Policy => true,
        Kind::Namespace | Kind::Node => differ(&["metadata", "labels"]),
        Kind::Pod | Kind::Workload => {
            let template = if kind == Kind::Pod { &[] } else { super::pods::template_path(one) };
            let parts: [&[&str]; 2] = [&["metadata", "labels"], &["spec", "hostNetwork"]];
            parts.iter().any(|part| differ(&[template, part].concat()))
        }
        _ => false,
    }
}

/// One object, given once or more often. Which of the states counts does not depend on their order.
fn settle(kind: Kind, mut twins: Vec<Object>, remarks: &mut Remarks) -> Option<Object> {
    if twins.len() > 1 {
        twins
            .sort_by_cached_key(|object| (Reverse(object.rank()), object.node.to_json().to_string(), object.node.span));
    }
    let mut twins = twins.into_iter();
    let one = twins.next()?;
    // Of what a cluster had at several times the last state is the right one; manifests have no time.
    if let Some(other) = twins.find(|other| !one.is_live() && !other.node.same(&one.node)) {
        if says_otherwise(kind, &one, &other) {
            let what = format!("{} `{}` is given twice, and not the same: leave one of them out", one.word, one.who());
            remarks.refused(other.at, what);
        }
        remarks.finding(
            Finding::new(
                codes::EXPORTS_DISAGREE,
                format!("clusters.*.{}", kind.section()),
                format!("{} `{}` is given twice, and not the same", one.word, one.who()),
            )
            .help("leave one of them out; only one was used")
            .on(one.who())
            .at(Some(other.at)),
        );
    }
    Some(one)
}
