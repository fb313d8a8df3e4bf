//! Room: addresses per pool of addresses, and SNAT ports per cluster.

mod argument;
mod count;
mod demand;
mod egress;
mod findings;
mod inventory;
mod loads;
mod losses;
mod needs;
mod rows;
mod services;
mod snat;
mod tenants;

use crate::Context;
use causeway_model::design::{Design, OutboundType};
use causeway_model::finding::Finding;
use serde::Serialize;

/// Address pools and SNAT ports of a design. Serialises as docs/guide/outputs.md states it for `capacity --format json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Capacity {
    /// One row per pool of addresses: node subnets, pod subnets, pod ranges, service ranges; by name.
    pub pools: Vec<AddressPool>,
    /// SNAT by cluster, by name.
    pub clusters: Vec<ClusterPorts>,
}

/// One pool of addresses. Counts are addresses that would be held, by the platform's own arithmetic; `None` is unknown, never "none".
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressPool {
    /// `NETWORK/SUBNET`, `CLUSTER/podCidr` or `CLUSTER/serviceCidr`.
    pub pool: String,
    /// What holds addresses in it.
    pub kind: PoolKind,
    /// The dotted path of the object in the design, for its place.
    #[serde(skip)]
    pub object: String,
    /// The IPv4 range as text (several joined by `, `); `None` where the design leaves it open.
    pub prefix: Option<String>,
    /// All addresses of the range.
    pub total: Option<u64>,
    /// Addresses that can be handed out: less the reserved ones.
    pub usable: Option<u64>,
    /// With the nodes there are now.
    pub now: Option<u64>,
    /// With every pool at its maximum.
    pub at_max: Option<u64>,
    /// With every pool at its maximum, its surge and the stated headroom. What has to fit.
    pub during_upgrade: Option<u64>,
    /// As `during_upgrade` at the end of the stated growth; `None` where no growth is stated as well.
    #[serde(skip)]
    pub after_growth: Option<u64>,
    /// At the maximum, a node lost and replaced while its addresses are still held.
    pub after_node_loss: Option<u64>,
    /// At the maximum, a zone lost and its nodes taken by the other zones while their addresses are still held.
    pub after_zone_loss: Option<u64>,
    /// Whether `during_upgrade` (and so every smaller count but those after a loss) fits; `None` is unknown.
    pub fits: Option<bool>,
    /// Addresses missing for `during_upgrade`: 0 where it fits, `None` where that is unknown.
    pub short_by: Option<u64>,
    /// The longest prefix length with room for `during_upgrade`.
    pub smallest_prefix: Option<u8>,
    /// The arithmetic, one step a line; the last line names what binds. One text in JSON, as every `because`.
    #[serde(serialize_with = "joined")]
    pub because: Vec<String>,
}

/// What holds addresses in a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
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

impl PoolKind {
    /// The word the JSON and the tables use.
    pub fn as_str(self) -> &'static str {
        match self {
            PoolKind::NodeSubnet => "nodeSubnet",
            PoolKind::PodSubnet => "podSubnet",
            PoolKind::PodCidr => "podCidr",
            PoolKind::ServiceCidr => "serviceCidr",
        }
    }
}

/// SNAT ports of one cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClusterPorts {
    /// The cluster.
    pub cluster: String,
    /// Its ports.
    pub snat: Snat,
}

/// Ports for connections to public destinations. `None` is unknown, or does not apply to the type.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snat {
    /// How packets leave.
    #[serde(rename = "type")]
    pub kind: OutboundType,
    /// Nodes that count: every pool at its maximum, surge and headroom included.
    pub effective_nodes: Option<u64>,
    /// Load balancer: ports each node gets.
    pub ports_per_node: Option<u64>,
    /// By the platform's own rule (nodes x ports) for a load balancer; from `loads` where ports are shared on demand.
    pub ports_needed: Option<u64>,
    /// Ports of all outbound addresses.
    pub ports_available: Option<u64>,
    /// Load balancer: the largest fixed allocation for `effective_nodes`, a multiple of 8.
    pub largest_valid_ports_per_node: Option<u64>,
    /// The fewest outbound addresses for `ports_needed`.
    pub smallest_ip_count: Option<u64>,
    /// Whether what is needed is available; `None` is unknown.
    pub fits: Option<bool>,
    /// The arithmetic, one step a line; the last line names what binds. One text in JSON, as every `because`.
    #[serde(serialize_with = "joined")]
    pub because: Vec<String>,
}

fn joined<S: serde::Serializer>(lines: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&lines.join("\n"))
}

/// Works everything out once.
pub fn of(design: &Design) -> Capacity {
    Capacity { pools: rows::all(design).into_iter().map(|row| row.answer).collect(), clusters: snat::answers(design) }
}

/// Findings about room.
pub fn check(cx: &Context, out: &mut Vec<Finding>) {
    findings::check(cx, out);
}
