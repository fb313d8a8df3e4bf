//! Room: addresses per pool of addresses, and SNAT ports per cluster.

use crate::Context;
use causeway_model::design::Design;
use causeway_model::finding::Finding;

/// Address pools and SNAT ports of a design.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Capacity {
    /// One row per pool of addresses: node subnets, pod subnets, pod ranges, service ranges; by name.
    pub pools: Vec<AddressPool>,
    /// SNAT by cluster.
    pub clusters: Vec<ClusterPorts>,
}

/// One pool of addresses (JSON contract: language.md, `capacity --format json`).
#[derive(Debug, Clone, PartialEq)]
pub struct AddressPool {
    /// `NETWORK/SUBNET`, `CLUSTER/podCidr` or `CLUSTER/serviceCidr`.
    pub pool: String,
    /// What holds addresses in it.
    pub kind: PoolKind,
    /// The dotted path of the object in the design, for its place.
    pub object: String,
}

/// What holds addresses in a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PoolKind {
    /// Nodes (and, in node-subnet mode, pods).
    NodeSubnet,
    /// Pods.
    PodSubnet,
    /// A block per node.
    PodCidr,
    /// Services.
    ServiceCidr,
}

/// SNAT ports of one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterPorts {
    /// The cluster.
    pub cluster: String,
}

/// Works everything out once.
pub fn of(_design: &Design) -> Capacity {
    Capacity::default()
}

/// Findings about room.
pub fn check(_cx: &Context, _out: &mut Vec<Finding>) {}
