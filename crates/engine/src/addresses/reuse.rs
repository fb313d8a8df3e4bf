//! One pod range in several clusters: fine where pods never meet, not where their packets share routes.

use super::ground::{Ground, MOST_NAMES, listed};
use super::shadow::{Private, PrivateKind};
use causeway_addr::{Cidr, overlaps};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::address;
use causeway_model::finding::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// Why two clusters can't simply share a range.
enum Clash {
    /// Both write routes for it into one table.
    Kubenet(String),
    /// The overlay reaches into the gateway's subnet, and nobody says what happens with two.
    Gateways(NetworkName),
    /// The mode of one is not known, and they share a subnet or route table.
    Unknown(String),
}

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    let mut pods: Vec<Private> = ground
        .design
        .clusters
        .iter()
        .flat_map(|(name, cluster)| Private::of(name, cluster))
        .filter(|private| private.kind == PrivateKind::Pods)
        .collect();
    pods.sort_by_cached_key(|private| (ground.written(&private.path()), private.name));
    let entries: Vec<(Cidr, &Private)> = pods.iter().map(|private| (private.range, private)).collect();
    // Prefixes nest, so all that overlap lie in the widest of them.
    let mut groups: BTreeMap<Cidr, BTreeSet<usize>> = BTreeMap::new();
    for (one, other) in overlaps(&entries) {
        let (Some((_, first)), Some((_, second))) = (entries.get(one), entries.get(other)) else {
            continue;
        };
        if first.name == second.name {
            continue;
        }
        match clash(ground, first, second) {
            Some(clash) => out.push(serious(ground, first, second, &clash)),
            None => {
                let wider = if first.range.covers(&second.range) { first.range } else { second.range };
                groups.entry(wider).or_default().extend([one, other]);
            }
        }
    }
    for members in widest(groups).into_values() {
        let members: Vec<&Private> = members.iter().filter_map(|at| pods.get(*at)).collect();
        out.extend(harmless(ground, &members));
    }
}

/// Groups inside a wider group belong to it.
fn widest(groups: BTreeMap<Cidr, BTreeSet<usize>>) -> BTreeMap<Cidr, BTreeSet<usize>> {
    let mut merged: BTreeMap<Cidr, BTreeSet<usize>> = BTreeMap::new();
    for (range, members) in groups {
        match merged.last_entry() {
            Some(mut wider) if wider.key().covers(&range) => wider.get_mut().extend(members),
            _ => drop(merged.insert(range, members)),
        }
    }
    merged
}

fn clash(ground: &Ground, one: &Private, other: &Private) -> Option<Clash> {
    let modes = [one.cluster.mode, other.cluster.mode];
    let kubenet = modes.contains(&Some(Mode::Kubenet));
    if (kubenet || modes.contains(&None))
        && let Some(shared) = shared_routes(ground, one.cluster, other.cluster)
    {
        return Some(match modes {
            [Some(Mode::Kubenet), Some(Mode::Kubenet)] => Clash::Kubenet(shared),
            _ => Clash::Unknown(shared),
        });
    }
    if modes == [Some(Mode::Overlay); 2] && has_gateway(one.cluster) && has_gateway(other.cluster) {
        let networks = one.cluster.networks();
        let shared = other.cluster.networks().into_iter().find(|network| networks.contains(network))?;
        return Some(Clash::Gateways(shared.clone()));
    }
    None
}

fn has_gateway(cluster: &Cluster) -> bool {
    cluster.ingress.iter().any(|ingress| ingress.kind == IngressKind::ApplicationGatewayForContainers)
}

/// A route table or subnet that nodes of both clusters use.
fn shared_routes(ground: &Ground, one: &Cluster, other: &Cluster) -> Option<String> {
    let tables = ground.tables_of(one);
    if let Some(table) = ground.tables_of(other).into_iter().find(|table| tables.contains(table)) {
        return Some(format!("route table `{table}`"));
    }
    let subnets: BTreeSet<&SubnetRef> = one.pools.values().filter_map(|pool| pool.subnet.as_ref()).collect();
    let both = other.pools.values().filter_map(|pool| pool.subnet.as_ref()).find(|subnet| subnets.contains(subnet))?;
    Some(format!("subnet `{both}`"))
}

fn serious(ground: &Ground, first: &Private, second: &Private, clash: &Clash) -> Finding {
    let both = format!("{} overlaps `{}` of cluster `{}`", second.words(), first.range, first.name);
    let (severity, message, evidence) = match clash {
        Clash::Kubenet(shared) => (
            Severity::Error,
            format!("{both}, and both share {shared}"),
            "each kubenet node has a route for its pods in that table: one prefix can lead to one node only".to_owned(),
        ),
        Clash::Gateways(network) => (
            Severity::Warning,
            format!("{both}, and both have an Application Gateway for Containers in network `{network}`"),
            format!(
                "the gateway's subnet is part of the overlay; what two overlays of one range do there is not documented (unk.agc-shared-pod-cidr): {}",
                address::POD_CIDR_REUSABLE.cite()
            ),
        ),
        Clash::Unknown(shared) => (
            Severity::Warning,
            format!("{both}, and both share {shared}"),
            "fine if both are overlay clusters; with kubenet, routes to pods in the shared table collide".to_owned(),
        ),
    };
    let finding = Finding::new(codes::POD_CIDR_REUSED, second.path(), message)
        .severity(severity)
        .on(second.range)
        .evidence(evidence)
        .related(first.path(), format!("pod range of `{}`", first.name))
        .since(address::POD_CIDR_REUSABLE.as_of)
        .help(second.way_out(ground));
    ground.mention_default(finding, &second.path(), &second.range)
}

/// One remark for all clusters that share a range, on the second of them: the first had it to itself.
fn harmless(ground: &Ground, members: &[&Private]) -> Option<Finding> {
    let [_, second, ..] = members else {
        return None;
    };
    let names: Vec<&ClusterName> = members.iter().map(|private| private.name).collect();
    let fact = address::POD_CIDR_REUSABLE;
    let mut finding = Finding::new(
        codes::POD_CIDR_REUSED,
        second.path(),
        format!("pod range `{}` is used by clusters {}", second.range, listed(&names)),
    )
    .on(second.range)
    .evidence(format!(
        "pods of different clusters never meet with these addresses, so this is no fault: {}",
        fact.cite()
    ));
    for private in members.iter().filter(|private| private.name != second.name).take(MOST_NAMES) {
        finding = finding.related(private.path(), format!("pod range `{}` of `{}`", private.range, private.name));
    }
    let of_mode = |mode| -> Vec<&ClusterName> {
        members.iter().filter(|private| private.cluster.mode == mode).map(|private| private.name).collect()
    };
    for (mode, words) in [
        (Some(Mode::Kubenet), "are kubenet: fine while they share no subnet and no route table"),
        (Some(Mode::Byo), "bring their own CNI: fine only if it never routes pod addresses outside the cluster"),
        (None, "do not state their mode: fine only if their pods stay inside the cluster"),
    ] {
        let names = of_mode(mode);
        if !names.is_empty() {
            finding = finding.evidence(format!("{} {words}", listed(&names)));
        }
    }
    let finding = ground.mention_default(finding, &second.path(), &second.range);
    Some(
        finding
            .since(fact.as_of)
            .help("nothing to do, unless a mesh spans these clusters or flow logs must tell them apart by pod address"),
    )
}
