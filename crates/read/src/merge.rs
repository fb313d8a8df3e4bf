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

/// Collecting lists whose items have a name: two items of one name are one object, and are united as mappings are.
const NAMED_ITEMS: &[&str] = &["clusters.*.pods.*", "clusters.*.services.*", "clusters.*.ingress.*"];

/// Objects as Kubernetes writes them: one value each, which is not put together of two.
const WHOLE: &[&str] = &["clusters.*.masquerade.daemonSet"];

/// Short forms may say less than exports do: the first stands, and that the other one says more is no contradiction.
const SHORT_FORMS: &[&str] = &["clusters.*.services.*.ports", "clusters.*.ingress.*.subnet"];

/// Lists in which more is no contradiction, one value standing for a list of one.
const UNITED: &[&str] = &["clusters.*.pods.*.listens", "clusters.*.ingress.*.ports"];

/// Addresses, of which a short form may state those of one family only.
const PARTLY_STATED: &[&str] = &["clusters.*.nodes.*.ip", "clusters.*.pods.*.ip", "clusters.*.services.*.clusterIp"];

/// Ranges that other objects of the same cluster may extend.
const EXTENDED: &[&str] = &["clusters.*.serviceCidr"];

/// Who said something: two design files must not contradict each other, exports may (and it is reported), and what only follows
/// from an export fills gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Design,
    Export,
    Implied,
}

/// A finding about `clusters.*`, once the cluster's name is known.
pub(crate) fn of_cluster(mut finding: Finding, name: &str) -> Finding {
    if let Some(rest) = finding.object.strip_prefix("clusters.*") {
        finding.object = format!("clusters.{name}{rest}");
    }
    finding
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
    pub(crate) fn add_cluster(&mut self, name: &str, cluster: &mut Node, fragment: Node, origin: Origin) {
        self.node(cluster, fragment, &mut vec!["clusters".into(), name.into()], origin);
    }

    /// Adds a part of a cluster to the tree.
    pub(crate) fn attach(&mut self, whole: &mut Node, name: &str, fragment: Node, origin: Origin) {
        let at = fragment.span;
        let clusters = MapBuilder::new(at).set(name, None, fragment).build();
        self.add(whole, MapBuilder::new(at).set("clusters", None, clusters).build(), origin);
    }

    fn node(&mut self, into: &mut Node, from: Node, path: &mut Vec<Arc<str>>, origin: Origin) {
        if from.is_null() || into.same(&from) || agree(into, &from) {
            return;
        }
        if into.is_null() {
            *into = from;
            return;
        }
        if origin != Origin::Design && is_one_of(path, SHORT_FORMS) {
            return;
        }
        let extends = origin == Origin::Implied && is_one_of(path, EXTENDED);
        let adds = extends || (origin != Origin::Design && is_one_of(path, PARTLY_STATED));
        if ((adds && shares_text(into, &from)) || (origin != Origin::Design && is_one_of(path, UNITED)))
            && let Some(all) = united(into, &from)
        {
            *into = all;
            return;
        }
        // Another range altogether is no extension.
        let origin = if extends { Origin::Export } else { origin };
        match (&mut into.value, &from.value) {
            (Value::Map(entries), Value::Map(more)) if !is_one_of(path, WHOLE) => {
                self.map(Arc::make_mut(entries), more, path, origin);
            }
            (Value::Seq(items), Value::Seq(more)) if is_one_of(path, COLLECTING) => {
                let items = Arc::make_mut(items);
                for item in more.iter() {
                    if items.iter().any(|known| known.same(item)) {
                        continue;
                    }
                    let twin =
                        items.iter_mut().find_map(|known| Some((same_object(known, item, path, origin)?, known)));
                    match twin {
                        Some((name, twin)) => {
                            path.push(name.into());
                            if is_one_of(path, NAMED_ITEMS) {
                                self.node(twin, item.clone(), path, origin);
                            } else {
                                self.conflict(twin, item, path, origin);
                            }
                            path.pop();
                        }
                        None => items.push(item.clone()),
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
        let path = path.join(".");
        let place = self.sources.position(first.span);
        let (one, two) = (shown(first), shown(second));
        match origin {
            Origin::Implied => {}
            Origin::Design => self.errors.push(InputError {
                at: Some(second.span),
                message: format!("`{path}` is defined twice: {one} at {}:{}, {two} here", place.file, place.line),
                help: "keep one of them".to_owned(),
            }),
            Origin::Export => self.findings.push(
                Finding::new(
                    codes::EXPORTS_DISAGREE,
                    path.as_str(),
                    match (&first.value, &second.value) {
                        (Value::Map(_), Value::Map(_)) => format!("two inputs give `{path}`, and not the same"),
                        _ => format!("two inputs disagree about `{path}`: {one}, then {two}"),
                    },
                )
                .help("export again at one time, or leave the older file out; the first one given is used")
                .at(Some(second.span))
                .evidence(match &first.value {
                    Value::Map(_) => format!("the first stands at {}:{}", place.file, place.line),
                    _ => format!("{one} stands at {}:{}", place.file, place.line),
                })
                .related(path.as_str(), "said first"),
            ),
        }
    }
}

fn is_one_of(path: &[Arc<str>], patterns: &[&str]) -> bool {
    patterns.iter().any(|pattern| {
        let mut parts = pattern.split('.');
        path.iter().all(|step| parts.next().is_some_and(|part| part == "*" || part == step.as_ref()))
            && parts.next().is_none()
    })
}

/// The name two items of a list share if they are one object: of one namespace and name, policies of one kind too.
fn same_object(one: &Node, other: &Node, path: &[Arc<str>], origin: Origin) -> Option<String> {
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    let namespace = |node: &Node| text(node, "namespace").unwrap_or_else(|| "default".to_owned());
    let name = |node: &Node| match path.last()?.as_ref() {
        "pods" | "services" => Some(format!("{}/{}", namespace(node), text(node, "name")?)),
        "policies" | "configMaps" => {
            let metadata = node.get("metadata")?;
            let group = text(node, "apiVersion").and_then(|version| Some(version.rsplit_once('/')?.0.to_owned()));
            let kind = [text(node, "kind"), group].into_iter().flatten().collect::<Vec<_>>().join(".");
            Some(format!("{kind}/{}/{}", namespace(metadata), text(metadata, "name")?))
        }
        _ => None,
    };
    if path.last().is_some_and(|last| last.as_ref() == "ingress") {
        // What a person lists twice is two.
        return (origin != Origin::Design && is_same_door(one, other)).then(|| text(one, "kind"))?;
    }
    name(one).filter(|known| name(other).as_ref() == Some(known))
}

/// Whether two entries of `ingress` may be about one door: of one kind, and nothing that is said of both differs.
fn is_same_door(one: &Node, other: &Node) -> bool {
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::text).map(str::to_ascii_lowercase);
    let agree = |key: &str| match (text(one, key), text(other, key)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    let subnets = match (text(one, "subnet"), text(other, "subnet")) {
        (Some(one), Some(other)) => {
            let (one, other) = (crate::kubernetes::subnet_words(&one), crate::kubernetes::subnet_words(&other));
            // A network may have its resource group in front of its name.
            one == other || one.ends_with(&format!(".{other}")) || other.ends_with(&format!(".{one}"))
        }
        _ => true,
    };
    text(one, "kind") == text(other, "kind") && agree("exposure") && agree("ip") && subnets
}

/// Whether two values say the same in different words: quotes, one value for a list of one, other ways to write an address.
fn agree(one: &Node, other: &Node) -> bool {
    let (Some(these), Some(those)) = (texts(one), texts(other)) else { return false };
    let is_same = |one: &str, other: &str| {
        let addresses = (causeway_addr::parse_address(one), causeway_addr::parse_address(other));
        one == other || matches!(addresses, (Ok(one), Ok(other)) if one == other)
    };
    these.len() == those.len() && these.iter().zip(&those).all(|(one, other)| is_same(one, other))
}

/// The texts of a list of scalars, or of one; nothing for anything else.
fn texts(node: &Node) -> Option<Vec<&str>> {
    match &node.value {
        Value::Seq(items) => items.iter().map(|item| item.text().filter(|_| !item.is_null())).collect(),
        Value::Scalar(scalar) => (!node.is_null()).then(|| vec![scalar.text.as_ref()]),
        Value::Map(_) => None,
    }
}

/// Whether two lists of texts, or single ones, have one in common.
fn shares_text(one: &Node, other: &Node) -> bool {
    let (Some(these), Some(those)) = (texts(one), texts(other)) else { return false };
    those.iter().any(|text| these.contains(text))
}

/// Two lists of texts as one, the first one's first. `None` where one is no such list.
fn united(one: &Node, other: &Node) -> Option<Node> {
    fn texts(node: &Node) -> Option<Vec<Node>> {
        match &node.value {
            Value::Seq(items) => items.iter().all(|item| item.text().is_some()).then(|| items.to_vec()),
            Value::Scalar(_) => Some(vec![node.clone()]),
            Value::Map(_) => None,
        }
    }
    let mut all = texts(one)?;
    for item in texts(other)? {
        if !all.iter().any(|known| known.text() == item.text()) {
            all.push(item);
        }
    }
    if all.len() == 1 { all.pop() } else { Some(Node::seq(one.span, all)) }
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
