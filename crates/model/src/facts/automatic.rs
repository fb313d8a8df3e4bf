//! AKS Automatic, node auto-provisioning, virtual nodes and what is different on Windows.

use super::Fact;
use crate::design::{Mode, OutboundType};

facts! {
    /// Mode of AKS Automatic; its data plane is Cilium, its API server VNet-integrated, LocalDNS and
    /// auto-provisioning are on.
    AUTOMATIC_MODE: Mode = Mode::Overlay,
        "auto.network" Doc 2026-8-5 "intro-aks-automatic.md, azure-cni-powered-by-cilium.md, api-server-vnet-integration.md";
    /// Modes node auto-provisioning works with; a plugin of one's own is allowed and unsupported.
    AUTO_PROVISIONING_MODES: &[Mode] = &[Mode::Overlay, Mode::NodeSubnet, Mode::Byo],
        "nap.networking" Doc 2026-2-15 "node-auto-provisioning-networking.md, node-auto-provisioning.md"
        "not with Calico, dynamic pod subnets, Windows, IPv6, stop and start, a change of outbound type or a Basic load balancer; subnets can't be changed";
    /// maxPods of nodes it makes: node subnet, overlay, own plugin, others.
    AUTO_PROVISIONING_MAX_PODS: (u32, u32, u32, u32) = (30, 250, 250, 110),
        "nap.max_pods_default" Doc 2026-7-5 "node-auto-provisioning-aksnodeclass.md";
    /// What virtual nodes need: a flat mode, Linux, a subnet of their own in the cluster's VNet, Network
    /// Contributor on it.
    VIRTUAL_NODES_NEED: &[&str] = &[
            "a flat mode", "a subnet of their own", "Linux",
            "Network Contributor on the subnet for aciconnectorlinux-<cluster>",
        ],
        "vn.requirements" Doc 2023-11-6 "virtual-nodes.md, virtual-nodes-cli.md"
        "virtual-nodes-vnet: a sentence says another VNet, the steps the same one";
    /// What virtual nodes can't do.
    VIRTUAL_NODES_LIMITS: &[&str] = &[
            "VNet peering", "network policies", "outbound to the internet with security groups", "init containers",
            "DaemonSets", "IPv6", "API server authorized ranges", "persistent volumes", "managed identity", "Istio",
        ],
        "vn.limits" Doc 2023-11-6 "virtual-nodes.md, istio-about.md";
    /// Windows nodes keep the client's address of a load-balanced connection.
    WINDOWS_KEEPS_CLIENT_ADDRESS: bool = false, "win.client_ip" Doc 2026-8-21 "windows-faq.yml";
    /// Minutes until Windows drops an idle TCP connection; not settable.
    WINDOWS_TCP_TIMEOUT_MINUTES: u64 = 4, "win.tcp_timeout_min" Doc 2026-8-21 "windows-faq.yml";
    /// Policy engines of Windows pools: Azure NPM until it retires, Calico.
    WINDOWS_ENGINES: &[crate::design::PolicyEngine] = &[
            crate::design::PolicyEngine::Azure, crate::design::PolicyEngine::Calico,
        ],
        "win.policy" Doc 2026-8-18 "use-network-policies.md, windows-best-practices.md";
    /// Windows nodes translate traffic to subnets added later until they are reimaged.
    WINDOWS_TRANSLATES_NEW_SUBNETS: bool = true, "win.snat_new_subnet" Doc 2025-9-26 "node-pool-unique-subnet.md";
    /// A cluster can start with a Windows pool.
    WINDOWS_FIRST_POOL: bool = false, "win.last_pool_only" Doc 2026-7-13 "create-node-pools.md";
    /// Windows pools are supported by modes as in [`crate::facts::ModeFacts::windows`], never with Cilium, network
    /// isolation or auto-provisioning.
    WINDOWS_NOT_WITH: &[&str] = &[
            "the Cilium data plane", "kubenet", "network isolated clusters", "node auto-provisioning",
        ],
        "win.modes" Doc 2026-8-5 "concepts-network-cni-overview.md, concepts-network-azure-cni-overlay.md, concepts-network-azure-cni-pod-subnet.md, azure-cni-powered-by-cilium.md, windows-best-practices.md";
}

/// Windows nodes hold more reserved addresses than Linux nodes; nobody says how many. The value is the planned
/// surplus in percent.
pub const WINDOWS_RESERVED: Fact<u64> = fact!(super::limits::WINDOWS_RESERVED_PERCENT,
    "win.reserved_ips" Doc 2026-7-15 "aks-legacy-migration.md"
    "unk.windows-reserved: ask, or add a tenth");

/// Outbound types of AKS Automatic in a VNet of one's own (`auto.network`); in the managed VNet it is a managed NAT
/// gateway.
pub const AUTOMATIC_OWN_VNET_OUTBOUND: &[OutboundType] =
    &[OutboundType::LoadBalancer, OutboundType::UserAssignedNatGateway, OutboundType::UserDefinedRouting];
