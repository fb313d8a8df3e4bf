//! Losing a node, losing a zone.

use super::count::Count;
use super::demand::Phase;
use super::rows::{Row, User};
use causeway_model::design::Cluster;
use std::collections::{BTreeMap, BTreeSet};

/// Addresses held after a loss at the maximum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Losses {
    /// A node is replaced while its addresses are still held.
    pub(crate) node: Count,
    /// The worst zone's nodes are taken by the other zones while their addresses are still held. Unknown where a pool's zones are.
    pub(crate) zone: Count,
}

/// Works out both.
pub(crate) fn of(row: &Row) -> Losses {
    let at_max = row.users_hold(Phase::AtMax) + row.others;
    let any = row.users.iter().any(|user| user.nodes(Phase::AtMax) != Count::NONE);
    let replacement = if any { row.costliest_node() } else { Count::NONE };
    Losses { node: at_max + replacement, zone: at_max + worst_zone(row) }
}

/// Addresses that the nodes of the worst zone take once more in the other zones. Nodes of a pool are spread evenly over its zones,
/// so a zone has the quotient rounded up.
fn worst_zone(row: &Row) -> Count {
    if row.users.iter().any(|user| user.pool.zones.is_empty()) {
        return Count::at_least(0);
    }
    let clusters: BTreeMap<_, &Cluster> = row.users.iter().map(|user| (user.cluster_name, user.cluster)).collect();
    let zones: BTreeSet<&str> = clusters
        .values()
        .flat_map(|cluster| cluster.pools.values())
        .flat_map(|pool| pool.zones.iter().map(String::as_str))
        .collect();
    zones
        .into_iter()
        .map(|zone| {
            let spread: Count = row.users.iter().map(|user| share(user, zone).times(user.per_node.addresses)).sum();
            let moved: Count = clusters
                .iter()
                .map(|(name, cluster)| {
                    let here = row.users.iter().filter(|user| user.cluster_name == *name);
                    moving_in(here, cluster, zone)
                })
                .sum();
            spread + moved
        })
        .fold(Count::NONE, Count::max)
}

/// Nodes of a user's pool in a zone that its other zones take over.
fn share(user: &User, zone: &str) -> Count {
    let zones = &user.pool.zones;
    let many = u64::try_from(zones.len()).unwrap_or(u64::MAX);
    if many < 2 || !zones.iter().any(|known| known == zone) {
        return Count::NONE;
    }
    user.nodes(Phase::AtMax).map(|nodes| nodes.div_ceil(many))
}

/// Addresses for nodes of pools that have only the lost zone: the cluster's pools of other zones take them, and each range has to
/// have room for all of them, since which one is asked nobody states.
fn moving_in<'a>(users: impl Iterator<Item = &'a User<'a>>, cluster: &Cluster, zone: &str) -> Count {
    let cost = users
        .filter(|user| user.pool.zones.iter().any(|known| known != zone))
        .map(|user| user.per_node.addresses)
        .fold(Count::NONE, Count::max);
    cluster
        .pools
        .iter()
        .filter(|(_, pool)| pool.zones.iter().all(|known| known == zone) && !pool.zones.is_empty())
        .map(|(name, pool)| super::demand::Nodes::of(cluster, name, pool).at(pool, Phase::AtMax).times(cost))
        .sum()
}
