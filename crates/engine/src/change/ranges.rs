//! Ranges that can't change, or only grow.

use super::Pair;
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::{Design, Mode, Os, SubnetRef};
use causeway_model::facts::address;
use causeway_model::finding::Finding;
use std::collections::BTreeSet;

/// A service range may be extended from Kubernetes 1.33 on by further ranges, never replaced or shrunk.
pub(super) fn service_cidr(pair: &Pair, out: &mut Vec<Finding>) {
    let (from, to) = (&pair.old.service_cidrs, &pair.new.service_cidrs);
    if from == to || from.is_empty() || to.is_empty() {
        return;
    }
    let kept = from.iter().all(|range| to.contains(range));
    let version = pair.new.version.or(pair.old.version);
    let fact = &address::SERVICE_CIDR_EXTENDABLE_FROM;
    let grows = version.is_some_and(|version| version >= fact.value);
    if kept && grows {
        return;
    }
    let message = if kept {
        format!("the service range can't be extended from {} to {} before Kubernetes 1.33", list(from), list(to))
    } else {
        format!("the service range can't change from {} to {}", list(from), list(to))
    };
    out.push(
        Finding::new(codes::SERVICE_CIDR_IMMUTABLE, format!("{}.serviceCidr", pair.path), message)
            .help("keep the range; from Kubernetes 1.33 on further ranges can be added, anything else needs a new cluster")
            .on(list(from))
            .on(list(to))
            .evidence(fact.cite())
            .since(fact.as_of),
    );
}

/// An overlay range may grow to one range that contains the old one, on Linux only (azure-facts `mode.overlay.pod_cidr.expandable`).
pub(super) fn pod_cidr(pair: &Pair, out: &mut Vec<Finding>) {
    let modes = (pair.old.mode, pair.new.mode);
    let (from, to) = (&pair.old.pod_cidrs, &pair.new.pod_cidrs);
    let entering_overlay = modes == (Some(Mode::NodeSubnet), Some(Mode::Overlay));
    if from == to || from.is_empty() || to.is_empty() || entering_overlay {
        return;
    }
    let reason = if modes.0 == modes.1 && modes.0 != Some(Mode::Overlay) {
        Some("only overlay ranges can grow")
    } else if from.iter().chain(to).any(|range| range.is_v6()) && v6(from) != v6(to) {
        Some("IPv6 pod ranges can't change")
    } else {
        match (v4(from).as_slice(), v4(to).as_slice()) {
            ([old], [new]) if new.covers(old) => None,
            ([old], [new]) if old.covers(new) => Some("a pod range can't shrink"),
            ([_], [_]) => Some("the new range must contain the old one"),
            _ => Some("a pod range stays one contiguous range"),
        }
    };
    let windows = pair.new.pools.values().any(|pool| pool.os == Os::Windows);
    let reason = reason.or(windows.then_some("only clusters without Windows pools can grow their pod range"));
    if let Some(reason) = reason {
        let fact = &address::POD_CIDR_EXPANDABLE;
        out.push(
            Finding::new(
                codes::POD_CIDR_CHANGE_NOT_SUPERSET,
                format!("{}.podCidr", pair.path),
                format!("the pod range can't change from {} to {}: {reason}", list(from), list(to)),
            )
            .help("take one larger range that contains the old one, or build a new cluster")
            .on(list(from))
            .on(list(to))
            .evidence(fact.cite())
            .since(fact.as_of),
        );
    }
}

/// The prefix of a subnet can't change while pools use it (azure-facts `addr.subnet.resizable`): those that are there before and after.
pub(super) fn subnets_in_use(before: &Design, after: &Design, out: &mut Vec<Finding>) {
    let used: BTreeSet<&SubnetRef> = before
        .clusters
        .iter()
        .filter_map(|(name, cluster)| Some((cluster, after.clusters.get(name)?)))
        .flat_map(|(old, new)| old.pools.iter().filter(|(pool, _)| new.pools.contains_key(*pool)))
        .flat_map(|(_, pool)| [&pool.subnet, &pool.pod_subnet])
        .flatten()
        .collect();
    for reference in used {
        let (Some(old), Some(new)) = (before.subnet(reference), after.subnet(reference)) else { continue };
        if old.prefixes.is_empty() || new.prefixes.is_empty() || old.prefixes == new.prefixes {
            continue;
        }
        let fact = &address::SUBNET_IN_USE_RESIZABLE;
        out.push(
            Finding::new(
                codes::MIGRATION_BLOCKED,
                format!("{}.prefix", reference.path()),
                format!(
                    "subnet `{reference}` is in use: its prefix can't change from {} to {}",
                    list(&old.prefixes),
                    list(&new.prefixes)
                ),
            )
            .help("add a new subnet and a new pool on it, move the workloads, delete the old pool")
            .evidence(fact.cite())
            .since(fact.as_of),
        );
    }
}

fn v4(ranges: &[Cidr]) -> Vec<Cidr> {
    ranges.iter().filter(|range| range.is_v4()).copied().collect()
}

fn v6(ranges: &[Cidr]) -> Vec<Cidr> {
    ranges.iter().filter(|range| range.is_v6()).copied().collect()
}

fn list(ranges: &[Cidr]) -> String {
    ranges.iter().map(|range| format!("`{range}`")).collect::<Vec<_>>().join(", ")
}
