//! What differs by mode: a row per mode, each cell a dated fact. The rows stand in `mode_table` (pods outside the VNet) and
//! `mode_table_flat` (pods in it).

use super::{About, Fact, Support, mode_table, mode_table_flat};
use crate::design::{Dataplane, Mode, PolicyEngine, Version};
use jiff::civil::Date;

/// Where pods' addresses come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodsFrom {
    /// The cluster's pod CIDR, outside the VNet.
    PodCidr,
    /// A pod subnet of the VNet.
    PodSubnet,
    /// The node subnet.
    NodeSubnet,
    /// Whatever the plugin says.
    Plugin,
}

/// How addresses are handed to nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// One block of that prefix length when the node joins, whatever maxPods is.
    BlockPerNode(u8),
    /// Batches on demand, the first when the node joins; see [`crate::arithmetic::batches::Batches`].
    Batches,
    /// As many blocks of that prefix length as maxPods + 1 addresses need, when the node joins.
    BlocksForMaxPods(u8),
    /// maxPods addresses (and one for the node) from the node subnet when the node joins.
    MaxPodsPlusOne,
    /// By the plugin.
    Plugin,
}

/// Addresses one node takes from the node subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeTakes {
    /// One.
    One,
    /// One, and one for each of maxPods.
    OnePlusMaxPods,
}

/// The address a peer sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// The pod's own.
    Pod,
    /// Its node's.
    Node,
    /// A public address of the outbound method; the packet left the node with the pod's own.
    PublicFromPod,
    /// A public address of the outbound method; the packet left the node with the node's.
    PublicFromNode,
}

/// Whom a pod talks to, as far as the seen address depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// A pod of the same cluster.
    Pod,
    /// The pod's own node.
    OwnNode,
    /// Another node of the cluster, or a machine of its VNet.
    Vnet,
    /// A machine of a peered VNet.
    PeeredVnet,
    /// A machine behind a VPN or ExpressRoute gateway.
    OnPremises,
    /// A public address.
    Internet,
    /// Azure DNS on port 53 and the instance metadata service on tcp/80.
    Platform,
}

/// The address each class of peers sees, with the masquerade the platform ships; `None` where nobody has
/// established it. A user's own masquerade
/// configuration changes the answer (`flat-no-snat`: this table decides, never the word "flat").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenBy {
    /// [`Peer::Pod`].
    pub pod: Fact<Option<Seen>>,
    /// [`Peer::OwnNode`].
    pub own_node: Fact<Option<Seen>>,
    /// [`Peer::Vnet`].
    pub vnet: Fact<Option<Seen>>,
    /// [`Peer::PeeredVnet`].
    pub peered_vnet: Fact<Option<Seen>>,
    /// [`Peer::OnPremises`].
    pub on_premises: Fact<Option<Seen>>,
    /// [`Peer::Internet`].
    pub internet: Fact<Option<Seen>>,
    /// [`Peer::Platform`].
    pub platform: Fact<Option<Seen>>,
}

impl SeenBy {
    /// The address that peer sees.
    pub const fn by(&self, peer: Peer) -> &Fact<Option<Seen>> {
        match peer {
            Peer::Pod => &self.pod,
            Peer::OwnNode => &self.own_node,
            Peer::Vnet => &self.vnet,
            Peer::PeeredVnet => &self.peered_vnet,
            Peer::OnPremises => &self.on_premises,
            Peer::Internet => &self.internet,
            Peer::Platform => &self.platform,
        }
    }
}

/// From where a pod's own address can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reachable {
    /// Pods of the same cluster.
    pub same_cluster: bool,
    /// Machines of the VNet.
    pub vnet: bool,
    /// Machines of peered VNets.
    pub peered_vnet: bool,
    /// Machines behind a gateway.
    pub on_premises: bool,
    /// The internet.
    pub internet: bool,
}

/// Pods per node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPods {
    /// What the platform takes when a pool says nothing; `None` where documents disagree or none states it.
    pub default: Fact<Option<u32>>,
    /// What to plan with when a pool says nothing, to be said in the output; `None` = ask.
    pub planned: Option<u32>,
    /// The least accepted; see also [`crate::arithmetic::pods::smallest_pool`]. `None` = the plugin's affair.
    pub min: Fact<Option<u32>>,
    /// The most accepted.
    pub max: Fact<Option<u32>>,
}

/// Pods of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodCeiling {
    /// Above, a warning is due.
    pub recommended: Option<u64>,
    /// Above, no document promises anything.
    pub at_most: Option<u64>,
}

/// The masquerade the platform ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shipped {
    /// An agent that exempts the cluster's pod CIDRs; link-local is masqueraded.
    ExemptsPodCidrs,
    /// An agent that exempts every prefix of the cluster's VNet; link-local is masqueraded.
    ExemptsVnetPrefixes,
    /// No agent.
    Nothing,
    /// The plugin's affair.
    Plugin,
}

impl Shipped {
    /// Whether the platform runs a masquerade agent.
    pub const fn has_agent(self) -> bool {
        matches!(self, Shipped::ExemptsPodCidrs | Shipped::ExemptsVnetPrefixes)
    }
}

/// What `az` and ARM say for the mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selector {
    /// `networkPlugin`.
    pub network_plugin: &'static str,
    /// `networkPluginMode`.
    pub network_plugin_mode: Option<&'static str>,
    /// `podSubnetId` is required.
    pub pod_subnet: bool,
    /// `podIpAllocationMode`.
    pub pod_ip_allocation_mode: Option<&'static str>,
}

/// Policy engines by data plane.
pub type Engines = &'static [(Dataplane, &'static [PolicyEngine])];

/// Everything that differs by mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeFacts {
    /// The mode of the row.
    pub mode: Mode,
    /// As the vendor calls it.
    pub name: &'static str,
    /// How exports say it.
    pub selector: Selector,
    /// Where pods' addresses come from.
    pub pods_from: PodsFrom,
    /// How addresses are handed to nodes.
    pub allocation: Fact<Allocation>,
    /// Addresses a node takes from the node subnet.
    pub node_takes: Fact<NodeTakes>,
    /// Pods per node.
    pub max_pods: MaxPods,
    /// Nodes of a cluster.
    pub max_nodes: Fact<u64>,
    /// Pods of a cluster.
    pub max_pods_cluster: Fact<PodCeiling>,
    /// Who sees which address.
    pub seen: SeenBy,
    /// From where pods can be called; `None` = the plugin's affair.
    pub reachable: Fact<Option<Reachable>>,
    /// Data planes; `None` = the plugin's affair. kubenet's bridge and iptables count as [`Dataplane::Azure`].
    pub dataplanes: Fact<Option<&'static [Dataplane]>>,
    /// Policy engines by data plane; `None` = the plugin's affair.
    pub policy_engines: Fact<Option<Engines>>,
    /// Windows pools.
    pub windows: Fact<Support>,
    /// IPv4 and IPv6 together.
    pub dual_stack: Fact<Support>,
    /// Virtual nodes.
    pub virtual_nodes: Fact<Support>,
    /// Application Gateway with its ingress controller.
    pub application_gateway: Fact<Support>,
    /// Application Gateway for Containers.
    pub gateway_for_containers: Fact<Support>,
    /// A delegated node subnet.
    pub delegated_node_subnet: Fact<Support>,
    /// Virtual machines of others in the range pods live in.
    pub machines_among_pods: Fact<Support>,
    /// Clusters may share the node subnet.
    pub shared_subnet: Fact<Support>,
    /// A route table on the node subnet is part of pod networking.
    pub route_table_required: Fact<Option<bool>>,
    /// The masquerade the platform ships.
    pub masquerade: Fact<Shipped>,
    /// Node auto-provisioning.
    pub node_auto_provisioning: Fact<Support>,
    /// Static egress gateway.
    pub static_egress_gateway: Fact<Support>,
    /// A Service as a private link service.
    pub private_link_service: Fact<Support>,
    /// Network isolated clusters.
    pub network_isolated: Fact<Support>,
    /// Modes the cluster can be updated to in place.
    pub becomes: Fact<&'static [Mode]>,
    /// The data plane can be updated to Cilium in place.
    pub to_cilium: Fact<Support>,
    /// When the mode retires.
    pub retires: Fact<Option<Date>>,
    /// The oldest Kubernetes version; `None` = every supported one.
    pub min_kubernetes: Fact<Option<Version>>,
    /// The tunnel from API server to nodes is kept with VNet integration.
    pub tunnel_with_vnet_integration: Fact<bool>,
}

impl ModeFacts {
    /// The row of a mode.
    pub const fn of(mode: Mode) -> &'static ModeFacts {
        match mode {
            Mode::Overlay => &mode_table::OVERLAY,
            Mode::Kubenet => &mode_table::KUBENET,
            Mode::Byo => &mode_table::BYO,
            Mode::PodSubnet => &mode_table_flat::POD_SUBNET,
            Mode::PodSubnetStatic => &mode_table_flat::POD_SUBNET_STATIC,
            Mode::NodeSubnet => &mode_table_flat::NODE_SUBNET,
        }
    }

    /// Prefix length of the block a node takes from the pod CIDR, where the mode has such blocks.
    pub const fn node_block(&self) -> Option<u8> {
        match self.allocation.value {
            Allocation::BlockPerNode(prefix_len) => Some(prefix_len),
            _ => None,
        }
    }

    /// Whether the mode runs on that data plane; unknown where the plugin decides.
    pub fn supports_dataplane(&self, dataplane: Dataplane) -> Support {
        match self.dataplanes.value {
            None => Support::Unknown,
            Some(dataplanes) if dataplanes.contains(&dataplane) => Support::Yes,
            Some(_) => Support::No,
        }
    }

    /// Whether the platform offers that policy engine in the mode on that data plane. None at all is always
    /// possible on the iptables
    /// data plane; with Cilium the documents name Cilium only, and whether none can be asked for is unknown. This
    /// product's own engine
    /// is not the platform's to support.
    pub fn supports_engine(&self, dataplane: Dataplane, engine: PolicyEngine) -> Support {
        if engine == PolicyEngine::Causeway {
            return Support::Unknown;
        }
        let Some(table) = self.policy_engines.value else { return Support::Unknown };
        match table.iter().find(|(of, _)| *of == dataplane) {
            Some((_, engines)) if engines.contains(&engine) => Support::Yes,
            Some(_) if engine == PolicyEngine::None => {
                if dataplane == Dataplane::Azure {
                    Support::Yes
                } else {
                    Support::Unknown
                }
            }
            _ => Support::No,
        }
    }

    /// Every fact of the row.
    pub fn index(&self) -> Vec<About> {
        let SeenBy { pod, own_node, vnet, peered_vnet, on_premises, internet, platform } = &self.seen;
        vec![
            self.allocation.about(),
            self.node_takes.about(),
            self.max_pods.default.about(),
            self.max_pods.min.about(),
            self.max_pods.max.about(),
            self.max_nodes.about(),
            self.max_pods_cluster.about(),
            pod.about(),
            own_node.about(),
            vnet.about(),
            peered_vnet.about(),
            on_premises.about(),
            internet.about(),
            platform.about(),
            self.reachable.about(),
            self.dataplanes.about(),
            self.policy_engines.about(),
            self.windows.about(),
            self.dual_stack.about(),
            self.virtual_nodes.about(),
            self.application_gateway.about(),
            self.gateway_for_containers.about(),
            self.delegated_node_subnet.about(),
            self.machines_among_pods.about(),
            self.shared_subnet.about(),
            self.route_table_required.about(),
            self.masquerade.about(),
            self.node_auto_provisioning.about(),
            self.static_egress_gateway.about(),
            self.private_link_service.about(),
            self.network_isolated.about(),
            self.becomes.about(),
            self.to_cilium.about(),
            self.retires.about(),
            self.min_kubernetes.about(),
            self.tunnel_with_vnet_integration.about(),
        ]
    }
}

#[cfg(test)]
mod tests;
