//! Which node.

use crate::fabric::Entry;
use crate::stand_in;
use crate::story::Keeper;
use crate::world::{ClusterView, Holder, World};
use causeway_addr::Family;
use causeway_model::design::*;
use std::net::IpAddr;

/// A node, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine<'a> {
    /// Its cluster.
    pub cluster: &'a ClusterName,
    /// Its pool; `None` = not known.
    pub pool: Option<&'a PoolName>,
    /// Which node; `None` = not known, or any of the pool.
    pub node: Option<&'a NodeName>,
    /// The pod it is the node of, which tells nodes apart that are not known.
    pub of: Option<&'a Pod>,
}

impl<'a> Machine<'a> {
    /// A node by name.
    pub fn named(world: &World<'a>, cluster: &'a ClusterName, node: &'a NodeName) -> Machine<'a> {
        let pool = world.cluster(cluster).and_then(|view| view.pool_of(node)).map(|(name, _)| name);
        Machine { cluster, pool, node: Some(node), of: None }
    }

    /// The node a pod runs on: what it says, else whose block its address is of.
    pub fn of_pod(world: &World<'a>, cluster: &'a ClusterName, pod: &'a Pod) -> Machine<'a> {
        let Some(view) = world.cluster(cluster) else {
            return Machine { cluster, pool: None, node: None, of: Some(pod) };
        };
        let known = pod.node.as_ref().and_then(|node| view.cluster.nodes.get_key_value(node)).map(|(name, _)| name);
        let by_block = || pod.ips.iter().find_map(|ip| view.node_of_block(*ip));
        match known.or_else(by_block) {
            Some(node) => Machine { of: Some(pod), ..Machine::named(world, cluster, node) },
            // A node that is named and not described is told apart by its name all the same.
            None => Machine { cluster, pool: only_pool(view), node: pod.node.as_ref(), of: Some(pod) },
        }
    }

    /// Any node of a pool.
    pub fn of_pool(cluster: &'a ClusterName, pool: &'a PoolName) -> Machine<'a> {
        Machine { cluster, pool: Some(pool), node: None, of: None }
    }

    /// Under which name the story keeps what the node remembers.
    pub fn keeper(&self) -> Keeper {
        let node = match (self.node, self.of, self.pool) {
            (Some(node), ..) => node.clone(),
            (None, Some(pod), _) => NodeName::from(format!("the node of {}/{}", pod.namespace, pod.name).as_str()),
            (None, None, Some(pool)) => NodeName::from(format!("a node of {pool}").as_str()),
            (None, None, None) => NodeName::from("a node"),
        };
        Keeper::Node(self.cluster.clone(), node)
    }

    /// How a hop names it.
    pub fn words(&self) -> String {
        match self.keeper() {
            Keeper::Node(_, node) if self.node.is_some() => format!("node/{node}"),
            Keeper::Node(_, node) => node.to_string(),
            _ => String::new(),
        }
    }

    /// What is written about it.
    pub(super) fn described(&self, view: &ClusterView<'a>) -> Option<&'a Node> {
        view.cluster.nodes.get(self.node?)
    }

    /// Its pool, as it is described.
    pub(super) fn described_pool(&self, view: &ClusterView<'a>) -> Option<&'a Pool> {
        view.cluster.pools.get(self.pool?)
    }

    /// The mode its pods get addresses by.
    pub(super) fn mode(&self, view: &ClusterView<'a>) -> Option<Mode> {
        match self.described_pool(view) {
            Some(pool) => view.cluster.mode_of(pool),
            None => view.cluster.mode,
        }
    }

    /// Its address of a family, and whether that is only an example of the addresses its pool has.
    pub fn address(&self, world: &World<'a>, family: Family) -> Option<(IpAddr, bool)> {
        let view = world.cluster(self.cluster)?;
        let own = self.described(view).and_then(|node| node.ips.iter().find(|ip| Family::of(**ip) == family));
        match (own, self.pool) {
            (Some(ip), _) => Some((*ip, false)),
            (None, Some(pool)) => Some((stand_in::node_of_pool(world, self.cluster, pool, family)?, true)),
            (None, None) => None,
        }
    }

    /// Whether it has an address; `None` = it can't be said.
    pub fn has(&self, world: &World<'a>, address: IpAddr) -> Option<bool> {
        let view = world.cluster(self.cluster)?;
        match self.described(view) {
            Some(node) if node.ips.contains(&address) => Some(true),
            // A node that is described with an address of the family has no other.
            Some(node) if node.ips.iter().any(|ip| Family::of(*ip) == Family::of(address)) => Some(false),
            _ if self.address(world, Family::of(address)).is_some_and(|(own, _)| own == address) => Some(true),
            _ => match view.node_at(address) {
                Some(other) => self.node.map(|node| node == other),
                None => Some(false),
            },
        }
    }

    /// The node's own interface in the fabric.
    pub(crate) fn entry(&self, world: &World<'a>, family: Family) -> Option<Entry<'a>> {
        let view = world.cluster(self.cluster)?;
        let who = self.node.and_then(|node| view.cluster.nodes.get_key_value(node));
        let who = who.map(|(name, _)| Holder::Node(self.cluster, name));
        let pool = self.pool.map(|pool| (self.cluster, pool));
        let by_pool = self.described_pool(view).and_then(|pool| pool.subnet.as_ref());
        if let Some((address, false)) = self.address(world, family) {
            let networks = by_pool.map(|subnet| vec![&subnet.network]).unwrap_or_else(|| networks_of(view));
            for network in networks {
                let Some(known) = world.network(network) else { continue };
                if let Some((subnet, _)) = known.subnet_of(address) {
                    return Some(Entry { network: known.name, subnet: Some(subnet), who, pool });
                }
            }
        }
        let subnet = by_pool?;
        let known = world.network(&subnet.network)?;
        let subnet = known.network.subnets.get_key_value(&subnet.subnet).map(|(name, _)| name);
        Some(Entry { network: known.name, subnet, who, pool })
    }
}

fn networks_of<'a>(view: &ClusterView<'a>) -> Vec<&'a NetworkName> {
    view.cluster.networks().into_iter().collect()
}

fn only_pool<'a>(view: &ClusterView<'a>) -> Option<&'a PoolName> {
    view.cluster.pools.keys().next().filter(|_| view.cluster.pools.len() == 1)
}
