//! Addresses all users of a range need together, by phase.

use super::count::Count;
use super::demand::{self, Phase};
use super::rows::User;
use causeway_model::design::{ClusterName, Design, PoolName, Share};
use std::collections::BTreeMap;

/// Addresses needed, with lower bounds where something is unknown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    /// Now, by what is certain.
    pub(crate) certain_now: Count,
    /// Now, every node as full as `maxPods` lets it be where nothing was counted.
    pub(crate) now: Count,
    /// An upgrade today.
    pub(crate) upgrade_now: Count,
    /// At the maximum.
    pub(crate) at_max: Count,
    /// At the maximum with surge and headroom.
    pub(crate) upgrade: Count,
    /// The same after the stated growth.
    pub(crate) growth: Option<Count>,
}

/// What a range's users and the others on it need.
pub(crate) fn of(design: &Design, users: &[User], others: Count) -> Needs {
    let need = |phase| hold(users, phase) + others;
    let certain: Count = users.iter().map(User::certain_now).sum();
    Needs {
        certain_now: certain + others,
        now: need(Phase::Now),
        upgrade_now: need(Phase::UpgradeNow),
        at_max: need(Phase::AtMax),
        upgrade: need(Phase::Upgrade),
        growth: demand::growth(design).map(|factor| need(Phase::Growth(factor))),
    }
}

/// Addresses of users in a phase, headroom and churn counted in where the phase has them.
pub(crate) fn hold(users: &[User], phase: Phase) -> Count {
    let nodes: Count = users.iter().map(|user| user.held(phase)).sum();
    match phase {
        Phase::Now | Phase::AtMax | Phase::UpgradeNow => nodes,
        Phase::Upgrade | Phase::Growth(_) => {
            nodes + clusters(users).map(|cluster| headroom(users, cluster) + churn(users, cluster, phase)).sum()
        }
    }
}

/// The clusters among users, each once.
fn clusters<'a>(users: &'a [User]) -> impl Iterator<Item = &'a ClusterName> {
    let mut last = None;
    // Users come cluster by cluster.
    users.iter().filter_map(move |user| {
        let new = last != Some(user.cluster_name);
        last = Some(user.cluster_name);
        new.then_some(user.cluster_name)
    })
}

fn of_cluster<'a>(users: &'a [User], name: &'a ClusterName) -> impl Iterator<Item = &'a User<'a>> {
    users.iter().filter(move |user| user.cluster_name == name)
}

/// The most a node of any of these users takes, all its roles in the range together.
pub(crate) fn costliest<'a>(users: impl Iterator<Item = &'a User<'a>>) -> Count {
    let mut by_pool: BTreeMap<(&ClusterName, &PoolName), Count> = BTreeMap::new();
    for user in users {
        let sum = by_pool.entry((user.cluster_name, user.pool_name)).or_insert(Count::NONE);
        *sum = *sum + user.per_node.addresses;
    }
    by_pool.into_values().fold(Count::NONE, Count::max)
}

/// Emergency nodes and the other colour of a migration. Which pool they join nobody states, so every range the
/// cluster's nodes can come from has to have room for all of them, at the price of its costliest node.
fn headroom(users: &[User], name: &ClusterName) -> Count {
    let Some(first) = of_cluster(users, name).next() else {
        return Count::NONE;
    };
    Count::exact(demand::headroom_nodes(first.cluster)).times(costliest(of_cluster(users, name)))
}

/// Pod addresses that rest before reuse; only where pods take them one by one.
fn churn(users: &[User], name: &ClusterName, phase: Phase) -> Count {
    let dynamic = || of_cluster(users, name).filter(|user| user.per_node.pods.is_some());
    let Some(first) = dynamic().next() else {
        return Count::NONE;
    };
    match first.cluster.headroom.churn {
        None => Count::NONE,
        Some(share @ Share::Count(_)) => Count::exact(share.of(0)),
        Some(share @ Share::Percent(_)) => {
            let extra = demand::headroom_nodes(first.cluster);
            let densest = dynamic().filter_map(|user| user.per_node.pods).max();
            let pods: Count =
                dynamic().map(|user| user.nodes(phase).times(Count::of(user.per_node.pods))).sum::<Count>()
                    + Count::exact(extra).times(Count::of(densest));
            pods.map(|pods| share.of(pods))
        }
    }
}
