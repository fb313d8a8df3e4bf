//! Traffic inside the cluster and its VNet that is translated because a range is missing from the list.

use super::view::{Ground, Home, View};
use crate::addresses::ground::listed;
use causeway_addr::{Cidr, RangeSet};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::masquerade as facts;
use causeway_model::finding::{Finding, Severity};
use causeway_trace::translation::Translation;

pub(super) fn check(ground: &Ground, view: &View, out: &mut Vec<Finding>) {
    if let Some(translation) = view.translation().filter(|translation| translation.translates()) {
        hidden(view, translation, out);
        forgotten_prefixes(ground, view, translation, out);
    }
    windows_after_growth(view, out);
    kube_proxy(view, out);
}

/// Pods, and in the pod-subnet modes nodes, whose range no entry covers.
///
/// The service range is no concern: POSTROUTING comes after the translation of services, so the rules see the address of the
/// pod behind it. Nor does it help that the destination is a pod of the same node: only the node's own addresses are local.
fn hidden(view: &View, translation: &Translation, out: &mut Vec<Finding>) {
    let kept = translation.kept();
    for home in &view.pods {
        out.extend(uncovered(&kept, home).map(|missing| {
            let message = format!("packets between pods are translated: {} of the {} is not exempt", listed(&missing), home.words);
            finding(view, translation, home, &missing, message)
                .evidence("pods on other nodes and on the same one see the node's address: the rules look at the destination only")
                .help(format!("add {} to `nonMasqueradeCIDRs`", whole(view, home, &missing)))
        }));
    }
    if !view.cluster.mode.is_some_and(Mode::uses_pod_subnet) {
        return;
    }
    for home in &view.nodes {
        out.extend(uncovered(&kept, home).map(|missing| {
            let message = format!(
                "packets from pods to nodes are translated: {} of the {} is not exempt, so host-network pods and kubelets see nodes instead of pods",
                listed(&missing),
                home.words
            );
            finding(view, translation, home, &missing, message)
                .severity(Severity::Warning)
                .help(format!("add {} to `nonMasqueradeCIDRs`", whole(view, home, &missing)))
        }));
    }
}

fn finding(view: &View, translation: &Translation, home: &Home, missing: &[Cidr], message: String) -> Finding {
    let mut finding = Finding::new(codes::MASQ_HIDES_INTRA_CLUSTER_TRAFFIC, view.list_object(), message)
        .since(facts::CHAIN.as_of)
        .related(&home.object, home.words.clone());
    finding.on.extend(missing.iter().map(ToString::to_string));
    finding.evidence.extend(translation.because.iter().cloned());
    finding.evidence.push(facts::CHAIN.cite());
    finding
}

fn uncovered(kept: &RangeSet, home: &Home) -> Option<Vec<Cidr>> {
    let missing = RangeSet::from_iter([home.cidr]).difference(kept);
    (!missing.is_empty()).then(|| missing.cidrs().collect())
}

/// What to add: the VNet's prefix around a subnet grows with it; the pod range is its own.
fn whole(view: &View, home: &Home, missing: &[Cidr]) -> String {
    if view.is_hidden() {
        return listed(missing);
    }
    let networks = view.cluster.networks();
    let prefix = networks
        .iter()
        .filter_map(|network| view.design.networks.get(*network))
        .flat_map(|network| &network.prefixes)
        .find(|prefix| prefix.covers(&home.cidr));
    match prefix {
        Some(prefix) if *prefix != home.cidr => format!("`{}`, or the VNet's prefix `{prefix}`,", home.cidr),
        _ => format!("`{}`", home.cidr),
    }
}

/// Prefixes of the cluster's VNet that were left out. In node-subnet mode the platform's own list has them all; in the
/// pod-subnet modes a list that names one prefix and not another has probably been overtaken by the VNet.
fn forgotten_prefixes(ground: &Ground, view: &View, translation: &Translation, out: &mut Vec<Finding>) {
    let node_subnet = match view.cluster.mode {
        Some(Mode::NodeSubnet) => true,
        Some(mode) if mode.uses_pod_subnet() => false,
        _ => return,
    };
    let kept = translation.kept();
    let inside = view.pod_ranges();
    for network in view.cluster.networks() {
        let Some(value) = view.design.networks.get(network).filter(|network| network.kind == NetworkKind::Vnet) else {
            continue;
        };
        let touched = value.prefixes.iter().any(|prefix| kept.overlaps(prefix));
        for (at, prefix) in value.prefixes.iter().enumerate().filter(|(_, prefix)| prefix.is_v4()) {
            let missing = RangeSet::from_iter([*prefix]).difference(&kept);
            let forgotten =
                if node_subnet { !missing.difference(&inside).is_empty() } else { touched && !kept.overlaps(prefix) };
            // Pods and nodes that live there are a finding of their own.
            if !forgotten || missing.is_empty() {
                continue;
            }
            let missing_cidrs: Vec<Cidr> = missing.cidrs().collect();
            let message = format!(
                "`{prefix}` of the cluster's VNet `{network}` is not exempt, so its machines see nodes instead of pods"
            );
            let mut finding = Finding::new(codes::NAT_EXCEPTIONS_MISS_VNET_PREFIX, view.list_object(), message)
                .severity(if node_subnet { Severity::Error } else { Severity::Warning })
                .help(format!("add `{prefix}` to `nonMasqueradeCIDRs`"))
                .related(format!("networks.{network}.prefixes.{at}"), "prefix of the VNet")
                .since(facts::FALLBACK_RULE_PREFIXES.as_of);
            finding.on.extend(missing_cidrs.iter().map(ToString::to_string));
            let machines = ground.machines_in(network, &missing);
            if !machines.is_empty() {
                finding.evidence.push(format!("there: {}", listed(&machines)));
            }
            let others: Vec<&Cidr> = value.prefixes.iter().filter(|other| kept.overlaps(*other)).collect();
            if !others.is_empty() {
                finding.evidence.push(format!("exempt of the same VNet: {}", listed(&others)));
            }
            finding.evidence.extend(translation.because.iter().cloned());
            out.push(finding);
        }
    }
}

/// Windows nodes keep the exceptions they were made with.
fn windows_after_growth(view: &View, out: &mut Vec<Finding>) {
    let windows: Vec<&PoolName> =
        view.cluster.pools.iter().filter(|(_, pool)| pool.os == Os::Windows).map(|(name, _)| name).collect();
    let Some(before) = view.design.before.as_deref().filter(|_| !windows.is_empty()) else { return };
    if !before.clusters.contains_key(view.name) {
        return;
    }
    for network in view.cluster.networks() {
        let (Some(old), Some(new)) = (before.networks.get(network), view.design.networks.get(network)) else {
            continue;
        };
        let added: Vec<&SubnetName> = new.subnets.keys().filter(|subnet| !old.subnets.contains_key(*subnet)).collect();
        if added.is_empty() {
            continue;
        }
        let message = format!(
            "Windows nodes of {} translate packets to the new {} {} of `{network}` until they are reimaged",
            listed(&windows),
            if added.len() == 1 { "subnet" } else { "subnets" },
            listed(&added)
        );
        let mut finding = Finding::new(codes::NAT_EXCEPTIONS_MISS_VNET_PREFIX, format!("{}.pools", view.path), message)
            .severity(Severity::Warning)
            .help("reimage the Windows pools after the subnets exist (`az aks nodepool upgrade --node-image-only`)")
            .evidence("win.snat_new_subnet: the exceptions of a Windows node are written when it is made");
        finding.on.extend(added.iter().map(ToString::to_string));
        out.push(finding);
    }
}

/// kube-proxy translates calls to services whose source is not in its cluster range.
fn kube_proxy(view: &View, out: &mut Vec<Finding>) {
    let proxy = &view.cluster.kube_proxy;
    let Some(cluster_cidrs) = &proxy.cluster_cidrs else { return };
    if proxy.mode == Some(KubeProxyMode::None)
        || view.cluster.dataplane == Dataplane::Cilium
        || cluster_cidrs.is_empty()
    {
        return;
    }
    let known: RangeSet = cluster_cidrs.iter().copied().collect();
    for home in &view.pods {
        let Some(missing) = uncovered(&known, home) else { continue };
        let message = format!(
            "kube-proxy takes {} for addresses outside the cluster, although pods live there",
            listed(&missing)
        );
        let mut finding = Finding::new(
            codes::KUBE_PROXY_CLUSTER_CIDR_MISSES_PODS,
            format!("{}.kubeProxy.clusterCidr", view.path),
            message,
        )
        .help(format!("let `clusterCidr` cover the {} `{}`", home.words, home.cidr))
        .evidence(format!("clusterCidr is {}", listed(cluster_cidrs)))
        .evidence("calls of these pods to services are translated, so the pods behind see the node")
        .related(&home.object, home.words.clone());
        finding.on.extend(missing.iter().map(ToString::to_string));
        out.push(finding);
    }
}
