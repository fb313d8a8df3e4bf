//! What listed nodes and pods say about addresses in use, where a pool's are all listed.

use causeway_model::arithmetic::batches::Batches;
use causeway_model::design::{Cluster, PoolName};
use std::collections::BTreeMap;

/// The nodes of a pool, each with its pods that need an address of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    pods: Vec<u64>,
}

impl Inventory {
    /// Pods that need an address.
    pub(crate) fn pods(&self) -> u64 {
        self.pods.iter().copied().fold(0, u64::saturating_add)
    }

    /// Addresses the nodes hold for them, in whole batches.
    pub(crate) fn held(&self, batches: Batches) -> u64 {
        self.pods.iter().map(|pods| batches.held(*pods)).fold(0, u64::saturating_add)
    }

    /// The most the nodes may hold for them by the platform's own rule, since they give back only what exceeds a threshold.
    pub(crate) fn at_most(&self, batches: Batches) -> u64 {
        let each = |pods: &u64| batches.held(*pods).max(pods.saturating_add(batches.max_free()));
        self.pods.iter().map(each).fold(0, u64::saturating_add)
    }
}

/// The pools whose nodes and pods are all listed: as many nodes as the pool has, and pods on every one (system pods run everywhere, so a
/// node without any was exported without its pods).
pub(crate) fn of(cluster: &Cluster) -> BTreeMap<&PoolName, Inventory> {
    let mut on_node: BTreeMap<&str, u64> = BTreeMap::new();
    for pod in cluster.pods.iter().filter(|pod| !pod.terminated) {
        if let Some(node) = &pod.node {
            let needing = on_node.entry(node.as_str()).or_default();
            *needing = needing.saturating_add(u64::from(!pod.host_network));
        }
    }
    let mut pools: BTreeMap<&PoolName, Option<Inventory>> = BTreeMap::new();
    for (name, node) in &cluster.nodes {
        let Some(pool) = &node.pool else { continue };
        let inventory = pools.entry(pool).or_insert_with(|| Some(Inventory::default()));
        match on_node.get(name.as_str()) {
            Some(needing) => {
                if let Some(inventory) = inventory {
                    inventory.pods.push(*needing);
                }
            }
            None => *inventory = None,
        }
    }
    pools
        .into_iter()
        .filter_map(|(pool, inventory)| {
            let inventory = inventory?;
            let nodes = u64::try_from(inventory.pods.len()).ok()?;
            let stated = cluster.pools.get(pool)?.nodes.count.map(u64::from)?;
            (nodes == stated).then_some((pool, inventory))
        })
        .collect()
}
