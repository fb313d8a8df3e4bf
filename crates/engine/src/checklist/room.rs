//! Lines about room: node subnets at the maximum plus surge, pods at the maximum plus growth.

use super::desk::Desk;
use super::judgement::Judgement;
use super::ranges::state;
use crate::capacity::AddressPool;
use causeway_model::codes::{self, Code};
use causeway_model::design::{Cluster, ClusterName, Mode};
use causeway_model::finding::Severity;
use std::collections::BTreeSet;

/// A range that is too small, or that the platform does not take.
const TOO_SMALL: &[Code] = &[
    codes::SUBNET_FULL,
    codes::NO_ROOM_FOR_MAX,
    codes::NO_ROOM_FOR_SURGE,
    codes::POD_CIDR_EXHAUSTED,
    codes::SUBNET_SIZE_REFUSED,
];

/// The node subnet holds the maximum plus surge.
pub(super) fn node_subnets(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    let mut seen = BTreeSet::new();
    for (name, cluster) in desk.clusters(&mut line) {
        sizes(desk, &mut line, name, cluster, Mode::NodeSubnet);
        for (pool_name, pool) in &cluster.pools {
            let Some(subnet) = &pool.subnet else {
                line.unknown(
                    format!("which subnet pool `{pool_name}` of `{name}` is on is not stated"),
                    state(&format!("clusters.{name}.pools.{pool_name}.subnet")),
                );
                continue;
            };
            if seen.insert(subnet.to_string()) {
                during_upgrade(desk, &mut line, &subnet.to_string());
            }
        }
    }
    line
}

/// The pod range holds the maximum plus growth.
pub(super) fn pod_ranges(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    let mut seen = BTreeSet::new();
    for (name, cluster) in desk.clusters(&mut line) {
        let mode_path = format!("clusters.{name}.mode");
        if cluster.mode.is_none() || desk.is_assumed(&mode_path) {
            line.unknown(format!("the mode of `{name}` is not stated"), state(&mode_path));
        }
        if cluster.mode == Some(Mode::Byo) {
            line.unknown(
                format!("the plugin of `{name}` is its own affair: how it cuts its range is not known"),
                "its own account of the pod range",
            );
            continue;
        }
        sizes(desk, &mut line, name, cluster, Mode::PodSubnet);
        let path = format!("clusters.{name}.podCidr");
        if cluster.mode.is_some_and(Mode::uses_pod_cidr) && (desk.is_assumed(&path) || cluster.pod_cidrs.is_empty()) {
            line.unknown(format!("`{path}` is not stated"), state(&path));
        }
        for pool in ranges_of_pods(name, cluster) {
            if seen.insert(pool.clone()) {
                after_growth(desk, &mut line, &pool);
            }
        }
    }
    line
}

/// The address pools that a cluster's pods take addresses from, by name.
fn ranges_of_pods(name: &ClusterName, cluster: &Cluster) -> BTreeSet<String> {
    cluster
        .pools
        .values()
        .filter_map(|pool| match cluster.mode_of(pool)? {
            Mode::PodSubnet | Mode::PodSubnetStatic => pool.pod_subnet.as_ref().map(ToString::to_string),
            Mode::NodeSubnet => pool.subnet.as_ref().map(ToString::to_string),
            Mode::Overlay | Mode::Kubenet | Mode::Byo => Some(format!("{name}/podCidr")),
        })
        .collect()
}

/// Numbers the arithmetic rests on and nobody stated. `maxPods` counts only where pods take addresses one by one or at once.
fn sizes(desk: &Desk, line: &mut Judgement, name: &ClusterName, cluster: &Cluster, for_pods_of: Mode) {
    if cluster.pools.is_empty() {
        line.unknown(format!("the pools of `{name}` are not listed"), state(&format!("clusters.{name}.pools")));
    }
    for (pool_name, pool) in &cluster.pools {
        let path = format!("clusters.{name}.pools.{pool_name}");
        let whose = format!("pool `{pool_name}` of `{name}`");
        if pool.nodes.most().is_none() {
            line.unknown(format!("the number of nodes of {whose} is not stated"), state(&format!("{path}.nodes")));
        } else if pool.nodes.count.is_none() && pool.nodes.max.is_none() {
            line.unknown(format!("the maximum of {whose} is not stated"), state(&format!("{path}.nodes.max")));
        }
        let mode = cluster.mode_of(pool);
        let counts = match for_pods_of {
            Mode::NodeSubnet => mode == Some(Mode::NodeSubnet),
            _ => mode.is_some_and(Mode::is_flat),
        };
        if counts && (pool.max_pods.is_none() || desk.is_assumed(&format!("{path}.maxPods"))) {
            line.unknown(format!("`maxPods` of {whose} is not stated"), state(&format!("{path}.maxPods")));
        }
        if pool.max_surge.is_none() && !pool.blue_green {
            line.unknown(
                format!("`maxSurge` of {whose} is not stated, and documents disagree on its default"),
                state(&format!("{path}.maxSurge")),
            );
        }
    }
}

/// One range during an upgrade at the maximum.
fn during_upgrade(desk: &Desk, line: &mut Judgement, name: &str) {
    let Some(pool) = desk.pool(name) else {
        line.unknown(format!("nothing is known of `{name}` but its name"), format!("the prefix of `{name}`"));
        return;
    };
    if against(desk, line, pool, TOO_SMALL) {
        return;
    }
    match (pool.fits, pool.during_upgrade.zip(pool.usable)) {
        (Some(true), Some((need, usable))) => {
            line.yes(format!("`{name}`: {need} of {usable} usable addresses during an upgrade"));
        }
        (Some(false), _) => line.no(short(pool)),
        _ => open(line, pool, "an upgrade at the maximum"),
    }
}

/// One range after the stated growth.
fn after_growth(desk: &Desk, line: &mut Judgement, name: &str) {
    let Some(pool) = desk.pool(name) else {
        line.unknown(format!("nothing is known of `{name}` but its name"), format!("the prefix of `{name}`"));
        return;
    };
    let mut codes = TOO_SMALL.to_vec();
    codes.push(codes::NO_ROOM_FOR_GROWTH);
    if against(desk, line, pool, &codes) {
        return;
    }
    if pool.fits == Some(false) {
        return line.no(short(pool));
    }
    let Some(growth) = desk.design.growth else {
        return line.unknown(
            "no growth is stated",
            "`growth: {nodes: FACTOR, months: MONTHS}` in the design; `nodes: 1` if none is expected",
        );
    };
    // A factor of one or less asks for nothing more than today's maximum.
    let need = if growth.nodes.thousandths > 1000 { pool.after_growth } else { pool.during_upgrade };
    match (pool.fits, need.zip(pool.usable)) {
        (Some(true), Some((need, usable))) if need <= usable => {
            line.yes(format!("`{name}`: {need} of {usable} usable addresses after growth by {}", growth.nodes));
        }
        (Some(true), Some((need, usable))) => {
            line.no(format!("`{name}` has {usable} usable addresses, and growth by {} needs {need}", growth.nodes))
        }
        _ => open(line, pool, "the stated growth"),
    }
}

/// Findings about the range itself.
fn against(desk: &Desk, line: &mut Judgement, pool: &AddressPool, codes: &[Code]) -> bool {
    let around = pool.object.strip_suffix(".prefix").unwrap_or(&pool.object);
    let mut any = false;
    for finding in desk.found(codes, Severity::Warning, |object| object == pool.object || object == around) {
        line.no(desk.words(finding));
        any = true;
    }
    any
}

fn short(pool: &AddressPool) -> String {
    let by = pool.short_by.map_or("too few".to_owned(), |short| format!("{short} too few"));
    format!("`{}` has {by} addresses for an upgrade at the maximum", pool.pool)
}

fn open(line: &mut Judgement, pool: &AddressPool, what: &str) {
    let missing = if pool.prefix.is_none() {
        format!("the prefix of `{}`", pool.pool)
    } else {
        format!("what `causeway capacity` names as unknown for `{}`", pool.pool)
    };
    line.unknown(format!("whether `{}` holds {what} can't be worked out", pool.pool), missing);
}
