//! What Kubernetes objects say in Azure's words gets the design's names, once everything that was given is in one tree.

use crate::tree::{Entry, Node, Value};
use causeway_model::design::{Note, NoteKind};
use std::sync::Arc;

/// Replaces the subnets of `ingress` that are ids of Azure's by names of the design. A subnet the design does not have is said,
/// and left out.
pub(crate) fn settle(whole: &mut Node, notes: &mut Vec<Note>) {
    let networks = whole.get("networks").cloned();
    let Some(clusters) = entry_mut(whole, "clusters") else { return };
    let Value::Map(clusters) = &mut clusters.node.value else { return };
    for cluster in Arc::make_mut(clusters) {
        let Some(ingress) = entry_mut(&mut cluster.node, "ingress") else { continue };
        let Value::Seq(items) = &mut ingress.node.value else { continue };
        if !items.iter().any(|item| item.get("subnet").is_some_and(is_id)) {
            continue;
        }
        for item in Arc::make_mut(items) {
            let Value::Map(entries) = &mut item.value else { continue };
            let entries = Arc::make_mut(entries);
            let Some(at) = entries.iter().position(|entry| entry.key.as_ref() == "subnet" && is_id(&entry.node)) else {
                continue;
            };
            let Some(entry) = entries.get_mut(at) else { continue };
            match networks.as_ref().and_then(|networks| name(networks, &entry.node)) {
                Some(name) => entry.node = Node::str(entry.node.span, name),
                None => {
                    let id = entry.node.text().unwrap_or_default();
                    notes.push(Note {
                        kind: NoteKind::Unknown,
                        message: format!("subnet `{}` of an ingress is not among the networks given", shown(id)),
                        at: Some(entry.node.span),
                    });
                    entries.remove(at);
                }
            }
        }
    }
}

fn entry_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Entry> {
    match &mut node.value {
        Value::Map(entries) => Arc::make_mut(entries).iter_mut().find(|entry| entry.key.as_ref() == key),
        _ => None,
    }
}

/// Whether a value is an id of Azure's.
pub(super) fn is_id(node: &Node) -> bool {
    node.text().is_some_and(|text| text.starts_with('/'))
}

/// The parts of a subnet's id: resource group, network, subnet.
fn parts(id: &str) -> Option<(Option<&str>, &str, &str)> {
    let words: Vec<&str> = id.trim_matches('/').split('/').collect();
    let after = |key: &str| {
        let at = words.iter().position(|word| word.eq_ignore_ascii_case(key))?;
        words.get(at + 1).copied().filter(|word| !word.is_empty())
    };
    Some((after("resourceGroups"), after("virtualNetworks")?, after("subnets")?))
}

/// `NETWORK/SUBNET` of an id in lower case; anything else as it is, in lower case.
pub(crate) fn subnet_words(text: &str) -> String {
    match parts(text).filter(|_| text.starts_with('/')) {
        Some((_, network, subnet)) => format!("{network}/{subnet}").to_ascii_lowercase(),
        None => text.to_ascii_lowercase(),
    }
}

/// The id's last words; the rest names subscriptions.
fn shown(id: &str) -> String {
    parts(id).map_or_else(|| id.to_owned(), |(_, network, subnet)| format!("{network}/{subnet}"))
}

/// The design's name: the network's own, or with its resource group in front.
fn name(networks: &Node, id: &Node) -> Option<String> {
    let (group, network, subnet) = parts(id.text()?)?;
    let full = group.map(|group| format!("{group}.{network}"));
    let fits = |key: &str, wanted: &str| key.eq_ignore_ascii_case(wanted);
    let found = full
        .and_then(|full| networks.entries().iter().find(|entry| fits(&entry.key, &full)))
        .or_else(|| networks.entries().iter().find(|entry| fits(&entry.key, network)))?;
    let subnet = found.node.get("subnets")?.entries().iter().find(|entry| fits(&entry.key, subnet))?;
    Some(format!("{}/{}", found.key, subnet.key))
}
