//! What pools ask for: how many nodes in which phase, and what one node takes from a range.

use super::count::Count;
use causeway_model::arithmetic::batches::Batches;
use causeway_model::arithmetic::{pods, subnet, surge};
use causeway_model::design::{Cluster, Design, Factor, Mode, Node, NodeName, Pool, PoolName};
use causeway_model::facts::ModeFacts;

/// A moment the room of a range is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The nodes there are.
    Now,
    /// An upgrade of the nodes there are.
    UpgradeNow,
    /// Every pool at its maximum.
    AtMax,
    /// The maximum and every pool's surge at once.
    Upgrade,
    /// The same at the end of the stated growth.
    Growth(Factor),
}

/// Nodes of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nodes {
    /// Now.
    pub(crate) now: Count,
    /// At most, without an upgrade.
    pub(crate) max: Count,
}

impl Nodes {
    /// The nodes of a pool. Where nodes are added by auto-provisioning, no maximum is known unless one of the pools states one.
    pub(crate) fn of(cluster: &Cluster, name: &PoolName, pool: &Pool) -> Nodes {
        let now = Count::of(pool.nodes.now().map(u64::from));
        // A list may be shorter than the pool, never longer.
        let listed = listed(cluster, name);
        let now = if now.at_least < listed && now.exact { Count::exact(listed) } else { now };
        let grown = if outgrown(pool, listed).is_some() { listed } else { 0 };
        let max = match (pool.nodes.count, pool.nodes.min, pool.nodes.max) {
            (count, _, Some(max)) => Count::exact(u64::from(max.max(count.unwrap_or(0))).max(grown)),
            (Some(count), None, None) => Count::exact(u64::from(count).max(grown)),
            // A lower bound without an upper one: an autoscaler whose limit nobody stated.
            _ => Count::at_least(now.at_least),
        };
        let max = if sizes_itself(cluster) { Count::at_least(max.at_least) } else { max };
        Nodes { now, max }
    }

    /// Nodes in a phase, surge counted in where the phase has one.
    pub(crate) fn at(self, pool: &Pool, phase: Phase) -> Count {
        let surging = |nodes: u64| nodes.saturating_add(surge_nodes(pool, nodes));
        match phase {
            Phase::Now => self.now,
            Phase::UpgradeNow => self.now.map(surging),
            Phase::AtMax => self.max,
            Phase::Upgrade => self.max.map(surging),
            Phase::Growth(factor) => self.max.map(|nodes| surging(factor.times(nodes))),
        }
    }
}

/// Nodes of a pool that are listed.
pub(crate) fn listed(cluster: &Cluster, name: &PoolName) -> u64 {
    let nodes = cluster.nodes.values().filter(|node| node.pool.as_ref() == Some(name));
    u64::try_from(nodes.count()).unwrap_or(u64::MAX)
}

/// The most nodes a pool is said to have, where more are listed than an upgrade of these explains.
pub(crate) fn outgrown(pool: &Pool, listed: u64) -> Option<u64> {
    let most = u64::from(pool.nodes.most()?);
    (listed > most.saturating_add(surge_nodes(pool, most))).then_some(most)
}

/// Label of the nodes that node auto-provisioning makes: they are of no pool.
const PROVISIONED: &str = "karpenter.sh/nodepool";

/// Listed nodes that auto-provisioning made.
pub(crate) fn provisioned(cluster: &Cluster) -> impl Iterator<Item = (&NodeName, &Node)> {
    let known = |node: &Node| node.pool.as_ref().is_some_and(|pool| cluster.pools.contains_key(pool));
    cluster.nodes.iter().filter(move |(_, node)| node.labels.contains_key(PROVISIONED) && !known(node))
}

/// Nodes are added without a pool of the design growing, and nobody said how far.
pub(crate) fn sizes_itself(cluster: &Cluster) -> bool {
    (cluster.node_auto_provisioning || cluster.automatic) && cluster.pools.values().all(|pool| pool.nodes.max.is_none())
}

/// Surge nodes of a pool that has so many: what it states, else one and at least a tenth; all of them again for blue/green.
pub(crate) fn surge_nodes(pool: &Pool, nodes: u64) -> u64 {
    if pool.blue_green {
        return nodes;
    }
    surge::of(nodes, pool.max_surge)
}

/// The pool's surge in words.
pub(crate) fn surge_words(pool: &Pool) -> String {
    match (pool.blue_green, pool.max_surge) {
        (true, _) => "blue/green doubles it".to_owned(),
        (false, Some(share)) => format!("maxSurge {share}"),
        (false, None) => "maxSurge not stated, so one node and at least 10%".to_owned(),
    }
}

/// Nodes of the cluster's headroom: they join on top of surge.
pub(crate) fn headroom_nodes(cluster: &Cluster) -> u64 {
    u64::from(cluster.headroom.emergency_nodes).saturating_add(u64::from(cluster.headroom.migration_overlap_nodes))
}

/// The factor of the stated growth, never less than one: a design doesn't shrink.
pub(crate) fn growth(design: &Design) -> Option<Factor> {
    design.growth.map(|growth| growth.nodes).filter(|factor| factor.thousandths > 1000)
}

/// What a node takes from one range, and how that number comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PerNode {
    /// Addresses.
    pub(crate) addresses: Count,
    /// In words.
    pub(crate) how: String,
    /// Under dynamic allocation: pods of a full node that need an address.
    pub(crate) pods: Option<u64>,
    /// Addresses that come in whole /28 blocks.
    pub(crate) in_blocks: bool,
}

impl PerNode {
    fn new(addresses: Count, how: impl Into<String>) -> Self {
        PerNode { addresses, how: how.into(), pods: None, in_blocks: false }
    }
}

/// Pods a node of the pool may run: what the pool states, else what the mode is planned with, and whether it was stated.
pub(crate) fn max_pods(cluster: &Cluster, pool: &Pool) -> Option<(u32, bool)> {
    let planned = || Some((ModeFacts::of(cluster.mode_of(pool)?).max_pods.planned?, false));
    pool.max_pods.map(|stated| (stated, true)).or_else(planned)
}

/// What is added where `maxPods` was planned with and not stated.
fn unless_stated(stated: bool) -> &'static str {
    if stated { "" } else { " (maxPods is not stated, so this is the number to plan with)" }
}

/// What a node takes from its own subnet.
pub(crate) fn from_node_subnet(cluster: &Cluster, pool: &Pool) -> PerNode {
    match (cluster.mode_of(pool), max_pods(cluster, pool)) {
        (Some(Mode::NodeSubnet), Some((max_pods, stated))) => PerNode::new(
            Count::exact(subnet::per_node_with_pods(u64::from(max_pods))),
            format!("1 + {max_pods} a node, reserved when it joins{}", unless_stated(stated)),
        ),
        (Some(Mode::NodeSubnet), None) => {
            PerNode::new(Count::at_least(subnet::per_node()), "1 + maxPods a node, and maxPods is not stated")
        }
        (Some(_), _) => PerNode::new(Count::exact(subnet::per_node()), "1 a node"),
        (None, _) => PerNode::new(Count::at_least(subnet::per_node()), "at least 1 a node; the mode is not stated"),
    }
}

/// What a node takes from its pod subnet.
pub(crate) fn from_pod_subnet(cluster: &Cluster, pool: &Pool) -> PerNode {
    let Some(mode) = cluster.mode_of(pool) else {
        return PerNode::new(Count::of(None), "the mode is not stated");
    };
    match (mode, max_pods(cluster, pool)) {
        (Mode::PodSubnetStatic, Some((max_pods, stated))) => {
            let max_pods = u64::from(max_pods);
            let blocks = pods::static_blocks_per_node(max_pods);
            PerNode {
                in_blocks: true,
                ..PerNode::new(
                    Count::exact(pods::static_addresses_per_node(max_pods)),
                    format!(
                        "ceil(({max_pods} + 1) / 16) = {blocks} blocks of 16 a node, from when it joins{}",
                        unless_stated(stated)
                    ),
                )
            }
        }
        (Mode::PodSubnetStatic, None) => PerNode {
            in_blocks: true,
            ..PerNode::new(
                Count::at_least(pods::STATIC_BLOCK_ADDRESSES),
                "ceil((maxPods + 1) / 16) blocks of 16 a node, and maxPods is not stated",
            )
        },
        (Mode::PodSubnet, Some((max_pods, stated))) => dynamic(cluster, u64::from(max_pods), stated),
        (Mode::PodSubnet, None) => {
            PerNode::new(Count::at_least(batches(cluster).held(0)), "at least one batch a node; maxPods is not stated")
        }
        // Another mode takes nothing from a pod subnet; that it names one is not for arithmetic to judge.
        _ => PerNode::new(Count::NONE, "nothing: pods get no address here in this mode"),
    }
}

fn dynamic(cluster: &Cluster, max_pods: u64, stated: bool) -> PerNode {
    let host = u64::from(cluster.ipam.host_network_pods_per_node.unwrap_or(0));
    let needing = max_pods.saturating_sub(host);
    let batches = batches(cluster);
    let held = batches.held(needing);
    let less = if host > 0 { format!(" less {host} on the host network") } else { String::new() };
    let clamp = if batches.held_unclamped(needing) > held {
        format!(", {} at most", batches.max_per_node)
    } else {
        String::new()
    };
    PerNode {
        pods: Some(needing),
        ..PerNode::new(
            Count::exact(held),
            format!(
                "{held} a full node: {batch} * ceil({min_free} + {needing}/{batch}){clamp}, for {max_pods} pods{less}{note}; \
                 one address a pod would be {needing}",
                batch = batches.batch,
                min_free = cluster.ipam.min_free,
                note = unless_stated(stated),
            ),
        )
    }
}

/// How nodes of the cluster ask for addresses.
pub(crate) fn batches(cluster: &Cluster) -> Batches {
    Batches::from(cluster.ipam).corrected()
}

/// What a node takes from the cluster's pod range.
pub(crate) fn from_pod_cidr(cluster: &Cluster, pool: &Pool) -> PerNode {
    match cluster.mode_of(pool) {
        Some(Mode::Overlay | Mode::Kubenet) => {
            PerNode::new(Count::exact(BLOCK), "a /24 (256 addresses) a node, whatever maxPods is")
        }
        Some(Mode::Byo) => PerNode::new(Count::of(None), "the plugin cuts the range as it likes"),
        Some(_) => PerNode::new(Count::NONE, "nothing: pods get VNet addresses in this mode"),
        None => PerNode::new(Count::of(None), "the mode is not stated"),
    }
}

/// Addresses of a node's block of the pod range.
pub(crate) const BLOCK: u64 = 256;
