//! How pods get their addresses: from the plugin, its mode, and what the pools say of pod subnets.

use super::super::inventory::Object;
use super::super::resource::ResourceId;
use super::super::translate::Translation;
use super::super::value::*;
use super::Cluster;
use crate::tree::Node;
use causeway_model::codes;
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;

/// The cluster's mode, and those of pools that have one of their own.
#[derive(Debug, Default)]
pub(super) struct Modes {
    pub(super) cluster: Option<Node>,
    pub(super) pools: BTreeMap<ResourceId, Node>,
}

/// The mode of a cluster. A plugin that is not stated counts as overlay, what the platform takes since 2025
/// (Microsoft Learn, `azure/aks/azure-cni-overlay`), and that is noted.
pub(super) fn of(cx: &mut Translation, cluster: &Cluster) -> Modes {
    let plugin = cluster.network("networkPlugin");
    let plugin_mode = cluster.network("networkPluginMode");
    let overlay = plugin_mode.filter(|mode| mode.text().is_some_and(|text| text.eq_ignore_ascii_case("overlay")));
    if let (Some(mode), None) = (plugin_mode, overlay)
        && mode.text().is_none_or(|text| !text.is_empty() && !text.eq_ignore_ascii_case("none"))
    {
        cx.unknown_word(&format!("the plugin mode of {}", cluster.label()), mode);
        return Modes::default();
    }
    let one =
        |node: &Node, mode: &'static str| Modes { cluster: Some(Node::str(node.span, mode)), pools: BTreeMap::new() };
    let named = plugin.and_then(Node::text).map(|text| text.trim().to_ascii_lowercase());
    match (named.as_deref().filter(|text| !text.is_empty()), plugin) {
        (Some("kubenet"), Some(plugin)) => one(plugin, "kubenet"),
        (Some("none"), Some(plugin)) => one(plugin, "byo"),
        (Some("azure"), Some(plugin)) => match overlay {
            Some(overlay) => one(overlay, "overlay"),
            None => flat(cx, cluster, Some(plugin)),
        },
        (Some(_), Some(plugin)) => {
            cx.unknown_word(&format!("the network plugin of {}", cluster.label()), plugin);
            Modes::default()
        }
        _ => match overlay {
            Some(overlay) => one(overlay, "overlay"),
            None => unstated(cx, cluster),
        },
    }
}

fn unstated(cx: &mut Translation, cluster: &Cluster) -> Modes {
    if cluster.pools.iter().any(|pool| pod_subnet(pool).is_some()) {
        return flat(cx, cluster, None);
    }
    if !cluster.is_described()
        || cluster.object.is_later("networkPlugin")
        || cluster.object.is_later("networkPluginMode")
    {
        return Modes::default();
    }
    let at = cluster.object.get("networkProfile").map_or(cluster.object.name_span, |profile| profile.span);
    let message =
        format!("the network plugin of {} is not stated: overlay is assumed, and it may be kubenet", cluster.label());
    if let Some(name) = cx.name(&cluster.object.id) {
        let finding = Finding::new(codes::MODE_RETIRING, format!("clusters.{name}.mode"), message)
            .severity(Severity::Warning)
            .help("state the plugin and its mode: every range, address and route depends on them")
            .evidence("mode.overlay.aks_default_when_plugin_omitted (azure-cni-overlay.md): the platform takes overlay when no plugin is named")
            .evidence("default-cni-when-omitted: older pages, and the Terraform provider's, say kubenet, which retires")
            .at(Some(at));
        cx.findings.push(finding);
    }
    Modes { cluster: Some(Node::str(at, "overlay")), pools: BTreeMap::new() }
}

/// Pods with addresses of the network: of a subnet of their own (dynamic, static block, or one beside the other), or of
/// the nodes' subnet.
fn flat(cx: &mut Translation, cluster: &Cluster, plugin: Option<&Node>) -> Modes {
    let mut found: Vec<(ResourceId, &'static str, Option<&Node>)> = Vec::new();
    for pool in &cluster.pools {
        let mode = match pod_subnet(pool) {
            None if pool.is_later("podSubnetID") => continue,
            None => ("nodeSubnet", None),
            Some(subnet) => (allocation(cx, pool), Some(subnet)),
        };
        found.push((pool.id.clone(), mode.0, mode.1));
    }
    let with = |mode: &str| found.iter().find(|(_, own, _)| *own == mode);
    let cluster_mode = ["podSubnet", "podSubnetStatic", "nodeSubnet"].into_iter().find_map(with);
    let Some((_, mode, subnet)) = cluster_mode else {
        if let Some(plugin) = plugin {
            cx.unknown(plugin.span, format!("whether pods of {} have a subnet of their own is not known: give its pools (`az aks nodepool list`)", cluster.label()));
        }
        return Modes::default();
    };
    let at = subnet.or(plugin).map_or(cluster.object.name_span, |node| node.span);
    // A pool without a pod subnet has no mode of its own there: it is one whose pods have nowhere to get addresses.
    let own = found.iter().filter(|(_, other, _)| other != mode && *other != "nodeSubnet");
    let pools =
        own.map(|(id, mode, subnet)| (id.clone(), Node::str(subnet.map_or(at, |node| node.span), *mode))).collect();
    Modes { cluster: Some(Node::str(at, *mode)), pools }
}

pub(super) fn pod_subnet(pool: &Object) -> Option<&Node> {
    pool.first(|body| reference(body, "podSubnetID")).map(|(_, at)| at)
}

fn allocation(cx: &mut Translation, pool: &Object) -> &'static str {
    let Some(stated) = pool.get("podIPAllocationMode") else { return "podSubnet" };
    match stated.text().map(str::to_ascii_lowercase).as_deref() {
        Some("staticblock") => "podSubnetStatic",
        Some("dynamicindividual" | "") => "podSubnet",
        _ => {
            cx.unknown_word(&format!("the allocation of pod addresses of the pool `{}`", pool.name), stated);
            "podSubnet"
        }
    }
}

/// The pods' range. Where pods have addresses of the network, a range that is stated all the same means nothing.
pub(super) fn pod_cidr(cx: &mut Translation, cluster: &Cluster, mode: Option<&Node>) -> Option<Node> {
    let ranges = cluster.network_texts("podCidrs", "podCidr");
    let flat = mode.and_then(Node::text).filter(|mode| matches!(*mode, "podSubnet" | "podSubnetStatic" | "nodeSubnet"));
    if let (Some(first), Some(mode)) = (ranges.first(), flat) {
        cx.not_understood(
            first.span,
            format!("the pod range of {}: pods of the mode `{mode}` get addresses of the network", cluster.label()),
        );
        return None;
    }
    one_or_many(ranges)
}
