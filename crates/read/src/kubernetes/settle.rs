//! What Kubernetes objects say in Azure's words gets the design's names, once everything that was given is in one tree.

use crate::tree::{Entry, Node, Value};
use causeway_model::design::{Mode, Note, NoteKind};
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

/// What follows from the objects of a cluster, without pools the cluster can't have so: where pods live on subnets of the VNet,
/// a pool that is known by its nodes alone has none, and its nodes are of no known pool.
pub(crate) fn fitting(whole: &mut Node, name: &str, implied: Node, notes: &mut Vec<Note>) -> Node {
    let Some(implied_pools) = implied.get("pools").cloned() else { return implied };
    let Some(cluster) = entry_mut(whole, "clusters").and_then(|clusters| entry_mut(&mut clusters.node, name)) else {
        return implied;
    };
    let cluster = &mut cluster.node;
    let mode = cluster.get("mode").and_then(Node::text).and_then(Mode::parse);
    let pools = cluster.get("pools").map(Node::entries).unwrap_or_default();
    let on_subnets =
        mode.is_some_and(Mode::uses_pod_subnet) || pools.iter().any(|pool| pool.node.get("podSubnet").is_some());
    let is_stated = |name: &str| pools.iter().any(|pool| pool.key.as_ref() == name);
    let (kept, dropped): (Vec<Entry>, Vec<Entry>) =
        implied_pools.entries().iter().cloned().partition(|pool| !on_subnets || is_stated(&pool.key));
    for pool in &dropped {
        notes.push(Note {
            kind: NoteKind::Unknown,
            message: format!(
                "pool `{}` of `clusters.{name}` is known by its nodes only: its subnets are not",
                pool.key
            ),
            at: Some(pool.key_span),
        });
    }
    if dropped.is_empty() {
        return implied;
    }
    if let Some(nodes) = entry_mut(cluster, "nodes")
        && let Value::Map(nodes) = &mut nodes.node.value
    {
        for node in Arc::make_mut(nodes) {
            let Value::Map(fields) = &mut node.node.value else { continue };
            let is_dropped = |field: &Entry| {
                field.key.as_ref() == "pool" && dropped.iter().any(|pool| field.node.text() == Some(&pool.key))
            };
            if fields.iter().any(is_dropped) {
                Arc::make_mut(fields).retain(|field| !is_dropped(field));
            }
        }
    }
    let pools = Node { span: implied_pools.span, value: Value::Map(Arc::new(kept)) };
    super::trim::replace(implied, "pools", Some(pools))
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
