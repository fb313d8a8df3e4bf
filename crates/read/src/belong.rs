//! Which cluster Kubernetes objects are of. They do not say it; their nodes' machines lie in a resource group that does.

use crate::diagnostic::InputError;
use crate::kubernetes;
use crate::tree::Node;
use causeway_model::source::{FileId, Sources, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a cluster is called that nobody names.
const NAMELESS: &str = "kubernetes";
const HELP: &str = "list their files under `manifests` of the cluster in a design file, or check one cluster at a time";

/// The names of the clusters known so far.
fn known(whole: &Node) -> Vec<Arc<str>> {
    let clusters = whole.get("clusters").map(Node::entries).unwrap_or_default();
    clusters.iter().map(|entry| entry.key.clone()).collect()
}

/// The only cluster there is. What says nothing of its cluster can't be of one of several.
pub(crate) fn only_cluster(whole: &Node, at: Span, what: &str) -> Result<Arc<str>, InputError> {
    match known(whole).as_slice() {
        [] => Ok(NAMELESS.into()),
        [only] => Ok(only.clone()),
        names => Err(InputError {
            at: Some(at),
            message: format!("can't tell which of {} clusters {what} of", names.len()),
            help: HELP.to_owned(),
        }),
    }
}

/// Objects by cluster: with one cluster all of them. With several the objects of a file go where its nodes are, and a file
/// without nodes to the cluster the other files of its folder are of, or all other files.
pub(crate) fn by_cluster(
    whole: &Node,
    objects: Vec<Node>,
    sources: &Sources,
    errors: &mut Vec<InputError>,
) -> Vec<(Arc<str>, Vec<Node>)> {
    let mut files: BTreeMap<FileId, Vec<Node>> = BTreeMap::new();
    for object in objects {
        files.entry(object.span.file).or_default().push(object);
    }
    let names = known(whole);
    let hints: BTreeMap<FileId, Vec<String>> =
        files.iter().map(|(file, objects)| (*file, kubernetes::hints(objects))).collect();
    let groups: BTreeSet<&str> = hints.values().flatten().filter_map(|hint| group(hint)).collect();
    let name_of = |file: &FileId| -> Option<Arc<str>> {
        let hints = hints.get(file)?;
        match names.as_slice() {
            [only] => Some(only.clone()),
            [] if groups.len() < 2 => Some(NAMELESS.into()),
            [] => hints.iter().find_map(|hint| group(hint)).map(Arc::from),
            several => {
                let is_named = |name: &&Arc<str>| {
                    hints.iter().any(|hint| hint.contains(&format!("_{}_", name.to_ascii_lowercase())))
                };
                let mut named = several.iter().filter(is_named);
                named.next().filter(|_| named.next().is_none()).cloned()
            }
        }
    };
    let named: BTreeMap<FileId, Arc<str>> = files.keys().filter_map(|file| Some((*file, name_of(file)?))).collect();
    let folder = |file: &FileId| sources.name(*file).rsplit_once('/').map_or("", |(folder, _)| folder);
    let only = |mut names: BTreeSet<&Arc<str>>| match names.len() {
        1 => names.pop_first().cloned(),
        _ => None,
    };
    let mut parts: BTreeMap<Arc<str>, Vec<Node>> = BTreeMap::new();
    for (file, objects) in files {
        let near = || named.iter().filter(|(other, _)| folder(other) == folder(&file)).map(|(_, name)| name).collect();
        let name = named.get(&file).cloned().or_else(|| only(near())).or_else(|| only(named.values().collect()));
        match name {
            Some(name) => parts.entry(name).or_default().extend(objects),
            None => errors.push(InputError {
                at: objects.first().map(|object| object.span),
                message: format!(
                    "can't tell which of {} clusters the objects in `{}` are of",
                    names.len().max(groups.len()),
                    sources.name(file)
                ),
                help: HELP.to_owned(),
            }),
        }
    }
    parts.into_iter().collect()
}

/// The resource group of a cluster's machines, in a hint.
fn group(hint: &str) -> Option<&str> {
    match hint.split_once("/resourcegroups/") {
        Some((_, rest)) => rest.split('/').next().filter(|group| !group.is_empty()),
        None => (!hint.contains('/')).then_some(hint),
    }
}
