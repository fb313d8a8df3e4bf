//! Modes whose pods live outside the VNet: overlay, kubenet, and what is known of a plugin of one's own.

use super::Support;
use super::mode::{
    Allocation, MaxPods, ModeFacts, NodeTakes, PodCeiling, PodsFrom, Reachable, Seen, SeenBy, Selector, Shipped,
};
use crate::arithmetic::pods::NODE_BLOCK;
use crate::design::{Dataplane, Mode, PolicyEngine};
use jiff::civil::date;

/// Pods of an overlay cluster above which a warning is due.
pub(super) const OVERLAY_PODS: u64 = 200_000;

/// Pods of an overlay cluster above which no document promises anything.
pub(super) const OVERLAY_PODS_AT_MOST: u64 = 250_000;

/// Pods can only be called from within the cluster.
const OWN_CLUSTER_ONLY: Reachable =
    Reachable { same_cluster: true, vnet: false, peered_vnet: false, on_premises: false, internet: false };

/// Azure CNI Overlay.
pub(super) static OVERLAY: ModeFacts = ModeFacts {
    mode: Mode::Overlay,
    name: "Azure CNI Overlay",
    selector: Selector {
        network_plugin: "azure",
        network_plugin_mode: Some("overlay"),
        pod_subnet: false,
        pod_ip_allocation_mode: None,
    },
    pods_from: PodsFrom::PodCidr,
    allocation: fact!(Allocation::BlockPerNode(NODE_BLOCK),
        "mode.overlay.ipam.node_block" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-ip-address-planning.md"
        "brief-overlay-pod-capacity: rules of thumb multiply nodes by maxPods and under-count; surge nodes take a block as well; unk.ipv6-node-block: /80 for IPv6 is only seen in samples"),
    node_takes: fact!(NodeTakes::One,
        "mode.overlay.formula.node_subnet_ips" Derived 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-ip-address-planning.md, internal-lb.md"),
    max_pods: MaxPods {
        default: fact!(Some(250),
            "mode.overlay.max_pods.default" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-ip-address-planning.md, node-auto-provisioning-aksnodeclass.md"),
        planned: Some(250),
        min: fact!(Some(10),
            "mode.overlay.max_pods.min" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-ip-address-planning.md"
            "the pool must have room for 30 pods in all"),
        max: fact!(Some(250),
            "mode.overlay.max_pods.max" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-ip-address-planning.md"
            "110 recommended for Windows"),
    },
    max_nodes: fact!(5_000,
        "mode.overlay.max_nodes" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, plan-pod-networking.md, best-practices-performance-scale-large.md"
        "standard or premium tier"),
    max_pods_cluster: fact!(PodCeiling { recommended: Some(OVERLAY_PODS), at_most: Some(OVERLAY_PODS_AT_MOST) },
        "mode.overlay.max_pods_cluster" Doc 2026-6-5 "best-practices-performance-scale-large.md"
        "pods-per-cluster-overlay: older pages say 250,000; nodes times maxPods is no promise"),
    seen: SeenBy {
        pod: fact!(Some(Seen::Pod),
            "mode.overlay.source_ip.same_cluster_pod" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-cni-overview.md"),
        own_node: fact!(Some(Seen::Pod),
            "mode.overlay.source_ip.same_cluster_node" Derived 2026-7-31 "concepts-network-azure-cni-overlay.md"
            "unk.overlay-own-node: the masquerade jump leaves local destinations out, so the pod's address is expected on its own node; other nodes see the node's"),
        vnet: fact!(Some(Seen::Node),
            "mode.overlay.source_ip.vnet" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-cni-overview.md"),
        peered_vnet: fact!(Some(Seen::Node),
            "mode.overlay.source_ip.peered_vnet" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-cni-overview.md"),
        on_premises: fact!(Some(Seen::Node),
            "mode.overlay.source_ip.on_prem" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-cni-overview.md"),
        internet: fact!(Some(Seen::PublicFromNode),
            "mode.overlay.source_ip.internet" Doc 2026-8-5 "concepts-network-azure-cni-overlay.md, concepts-network-cni-overview.md, egress-outboundtype.md"),
        platform: fact!(Some(Seen::Node),
            "mode.overlay.source_ip.azure_dns_and_imds" Code 2026-8-20 "azure-container-networking, source tree, Azure/AKS issue 2653"),
    },
    reachable: fact!(Some(OWN_CLUSTER_ONLY),
        "mode.overlay.pods_directly_reachable" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-cni-overview.md"
        "Application Gateway for Containers reaches pods all the same"),
    dataplanes: fact!(Some(&[Dataplane::Azure, Dataplane::Cilium]),
        "mode.overlay.dataplanes" Doc 2026-8-5 "concepts-network-azure-cni-overlay.md, azure-cni-powered-by-cilium.md"),
    policy_engines: fact!(Some(&[(Dataplane::Azure, &[PolicyEngine::Calico, PolicyEngine::Azure]), (Dataplane::Cilium, &[PolicyEngine::Cilium])]),
        "mode.overlay.network_policy.engines" Doc 2026-8-18 "concepts-network-azure-cni-overlay.md, use-network-policies.md"),
    windows: fact!(Support::Conditional,
        "mode.overlay.windows" Doc 2026-8-5 "concepts-network-azure-cni-overlay.md, azure-cni-powered-by-cilium.md"
        "Windows Server 2022 and 2025; not with the Cilium data plane"),
    dual_stack: fact!(Support::Conditional,
        "mode.overlay.dual_stack" Doc 2026-7-31 "azure-cni-overlay.md, configure-dual-stack.md"
        "the only mode; not with Azure NPM, Calico, a Standard NAT gateway or virtual nodes; IPv6 alone is not supported"),
    virtual_nodes: fact!(Support::No,
        "mode.overlay.virtual_nodes" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, virtual-nodes.md"
        "overlay-virtual-nodes-and-flat: one page seems to include overlay"),
    application_gateway: fact!(Support::Conditional,
        "mode.overlay.agic" Doc 2026-7-10 "concepts-network-cni-overview.md, ingress-controller-overview.md"
        "agic-overlay-version: ingress controller 1.9.1 (older page 1.8.0); gateway subnet /24 at most, delegated to Microsoft.Network/applicationGateways, one deployment a subnet, same VNet as the nodes"),
    gateway_for_containers: fact!(Support::Conditional,
        "mode.overlay.agc" DocOld 2025-3-24 "concepts-network-cni-overview.md, container-networking.md (Application Gateway for Containers)"
        "subnet exactly /24, one deployment a subnet, same VNet as the nodes; controller 1.5.2 or later"),
    delegated_node_subnet: fact!(Support::No,
        "mode.overlay.delegated_node_subnet_allowed" Doc 2026-7-10 "concepts-network-cni-overview.md"
        "delegation: one support article seems to ask for it"),
    machines_among_pods: fact!(Support::No,
        "mode.overlay.pod_cidr.must_not_overlap" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, update-azure-cni.md"
        "the pod CIDR is outside the VNet"),
    shared_subnet: fact!(Support::Yes,
        "mode.overlay.subnet_sharing_across_clusters" Doc 2026-7-10 "concepts-network-cni-overview.md"),
    route_table_required: fact!(Some(false),
        "mode.overlay.udr_required" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md"),
    masquerade: fact!(Shipped::ExemptsPodCidrs,
        "mode.overlay.ip_masq_agent" Code 2026-8-20 "update-azure-cni.md, azure-container-networking, source tree"
        "ignored while eBPF host routing is on: BPF masquerade takes over; brief-masq-link-local: link-local is masqueraded whatever a user's file says"),
    node_auto_provisioning: fact!(Support::Yes,
        "nap.networking" Doc 2026-2-15 "node-auto-provisioning-networking.md, node-auto-provisioning.md"),
    static_egress_gateway: fact!(Support::Conditional,
        "snat.static_egress_gateway" Doc 2026-8-6 "configure-static-egress-gateway.md, container-network-performance-ebpf-host-routing.md"
        "not with dual stack or eBPF host routing"),
    private_link_service: fact!(Support::Yes, "lb.pls" Doc 2026-7-31 "internal-lb.md"),
    network_isolated: fact!(Support::Yes,
        "egr.network_isolated" Doc 2026-6-15 "concepts-network-isolated.md, network-isolated.md"),
    becomes: fact!(&[],
        "mig.ipam" Doc 2024-11-26 "update-azure-cni.md, configure-azure-cni-static-block-allocation.md"
        "nothing leads out of overlay"),
    to_cilium: fact!(Support::Conditional, "mig.dataplane" Doc 2024-11-26 "update-azure-cni.md" "Linux pools only"),
    retires: fact!(None, "ret.table" Doc 2026-8-21 "AKS includes/*-retirement.md"),
    min_kubernetes: fact!(None,
        "mig.overlay.prereq" Doc 2024-11-26 "update-azure-cni.md"
        "an update from another mode needs 1.27"),
    tunnel_with_vnet_integration: fact!(true,
        "cp.vnetint.node_path" Doc 2026-4-15 "api-server-vnet-integration.md, plan-control-plane-networking.md"),
};

/// kubenet.
pub(super) static KUBENET: ModeFacts = ModeFacts {
    mode: Mode::Kubenet,
    name: "kubenet",
    selector: Selector {
        network_plugin: "kubenet",
        network_plugin_mode: None,
        pod_subnet: false,
        pod_ip_allocation_mode: None,
    },
    pods_from: PodsFrom::PodCidr,
    allocation: fact!(Allocation::BlockPerNode(NODE_BLOCK),
        "mode.kubenet.ipam.node_block" Doc 2026-4-16 "configure-kubenet.md"),
    node_takes: fact!(NodeTakes::One,
        "mode.kubenet.formula.node_subnet_ips" Derived 2026-4-16 "configure-kubenet.md, insufficientsubnetsize-error-advanced-networking.md"),
    max_pods: MaxPods {
        default: fact!(Some(110),
            "mode.kubenet.max_pods.default" Doc 2026-4-16 "configure-kubenet.md, concepts-network-ip-address-planning.md"
            "kubenet-portal-max-pods: 30 when created in the portal"),
        planned: Some(110),
        min: fact!(Some(10),
            "mode.kubenet.max_pods.min" Doc 2026-4-16 "concepts-network-ip-address-planning.md"
            "the pool must have room for 30 pods in all"),
        max: fact!(Some(250),
            "mode.kubenet.max_pods.max" Doc 2026-4-16 "configure-kubenet.md, concepts-network-ip-address-planning.md"),
    },
    max_nodes: fact!(400,
        "mode.kubenet.max_nodes" Doc 2026-7-31 "configure-kubenet.md, concepts-network-azure-cni-overlay.md"
        "routes-per-table: one route a node; the limit stays at 400 whatever other pages say of routes"),
    max_pods_cluster: fact!(PodCeiling { recommended: None, at_most: None },
        "lim.kubenet_routes" Doc 2026-4-16 "configure-kubenet.md, azure-virtual-network-limits.md"
        "400 nodes times maxPods"),
    seen: SeenBy {
        pod: fact!(Some(Seen::Pod),
            "mode.kubenet.source_ip" Doc 2026-7-10 "configure-kubenet.md, concepts-network-cni-overview.md"),
        own_node: fact!(Some(Seen::Pod),
            "masq.agent.iptables" Code 2025-9-5 "ip-masq-agent-v2, source tree"
            "the masquerade jump leaves local destinations out"),
        vnet: fact!(Some(Seen::Node),
            "mode.kubenet.source_ip" Doc 2026-7-10 "configure-kubenet.md, concepts-network-cni-overview.md"),
        peered_vnet: fact!(Some(Seen::Node),
            "mode.kubenet.source_ip" Doc 2026-7-10 "configure-kubenet.md, concepts-network-cni-overview.md"),
        on_premises: fact!(Some(Seen::Node),
            "mode.kubenet.source_ip" Doc 2026-7-10 "configure-kubenet.md, concepts-network-cni-overview.md"),
        internet: fact!(Some(Seen::PublicFromNode),
            "mode.kubenet.source_ip" Doc 2026-7-10 "configure-kubenet.md, concepts-network-cni-overview.md"),
        platform: fact!(None,
            "mode.kubenet.ip_masq_agent" Issue 2026-8-21 "Azure/AKS issue 2653, Azure/AgentBaker pull request 537"
            "unk.kubenet-masq: not stated by any page"),
    },
    reachable: fact!(Some(OWN_CLUSTER_ONLY),
        "mode.kubenet.pods_directly_reachable" Doc 2026-7-10 "configure-kubenet.md, concepts-network-cni-overview.md"),
    dataplanes: fact!(Some(&[Dataplane::Azure]),
        "mode.kubenet.dataplanes" Doc 2026-4-16 "configure-kubenet.md"
        "a bridge and iptables of its own; no direct path to Cilium"),
    policy_engines: fact!(Some(&[(Dataplane::Azure, &[PolicyEngine::Calico])]),
        "mode.kubenet.network_policy.engines" Doc 2026-8-18 "configure-kubenet.md, use-network-policies.md, concepts-network-azure-cni-overlay.md"),
    windows: fact!(Support::No,
        "mode.kubenet.windows" Doc 2026-7-10 "configure-kubenet.md, concepts-network-cni-overview.md"),
    dual_stack: fact!(Support::No,
        "mode.overlay.dual_stack" Doc 2026-7-31 "azure-cni-overlay.md, configure-dual-stack.md"
        "overlay only"),
    virtual_nodes: fact!(Support::No, "mode.kubenet.virtual_nodes" Doc 2026-4-16 "configure-kubenet.md"),
    application_gateway: fact!(Support::Conditional,
        "mode.kubenet.agic" Doc 2026-7-10 "concepts-network-cni-overview.md, configuration-infrastructure.md"
        "the cluster's route table must be on the gateway's subnet as well"),
    gateway_for_containers: fact!(Support::No,
        "mode.kubenet.agc" Doc 2026-7-10 "concepts-network-cni-overview.md, container-networking.md (Application Gateway for Containers)"),
    delegated_node_subnet: fact!(Support::No,
        "mode.overlay.delegated_node_subnet_allowed" Doc 2026-7-10 "concepts-network-cni-overview.md"),
    machines_among_pods: fact!(Support::No,
        "mode.kubenet.pod_cidr.default" Doc 2026-4-16 "configure-kubenet.md"
        "the pod CIDR is outside the VNet"),
    shared_subnet: fact!(Support::No,
        "mode.kubenet.subnet_shareable" Doc 2026-7-10 "configure-kubenet.md, concepts-network-cni-overview.md"),
    route_table_required: fact!(Some(true),
        "mode.kubenet.route_table" Doc 2026-4-16 "configure-kubenet.md"
        "one a cluster, on all its subnets before creation; created by AKS in a managed VNet"),
    masquerade: fact!(Shipped::ExemptsPodCidrs,
        "mode.kubenet.ip_masq_agent" Issue 2026-8-21 "Azure/AKS issue 2653, Azure/AgentBaker pull request 537"
        "unk.kubenet-masq: inferred from reports, overridable by stating the files"),
    node_auto_provisioning: fact!(Support::Unknown,
        "nap.networking" Doc 2026-2-15 "node-auto-provisioning-networking.md, node-auto-provisioning.md"),
    static_egress_gateway: fact!(Support::Unknown,
        "snat.static_egress_gateway" Doc 2026-8-6 "configure-static-egress-gateway.md, container-network-performance-ebpf-host-routing.md"),
    private_link_service: fact!(Support::Yes, "lb.pls" Doc 2026-7-31 "internal-lb.md"),
    network_isolated: fact!(Support::No, "mode.kubenet.network_isolated" Doc 2026-6-15 "concepts-network-isolated.md"),
    becomes: fact!(&[Mode::Overlay],
        "mig.ipam" Doc 2024-11-26 "update-azure-cni.md, configure-azure-cni-static-block-allocation.md"),
    to_cilium: fact!(Support::No, "mig.dataplane" Doc 2024-11-26 "update-azure-cni.md" "to overlay first"),
    retires: fact!(Some(date(2028, 3, 31)), "mode.kubenet.retirement" Doc 2026-1-14 "kubenet-retirement.md"),
    min_kubernetes: fact!(None, "mode_matrix.min_kubernetes" Derived 2026-7-10 "concepts-network-cni-overview.md"),
    tunnel_with_vnet_integration: fact!(false,
        "cp.vnetint.node_path" Doc 2026-4-15 "api-server-vnet-integration.md, plan-control-plane-networking.md"),
};

/// A plugin of one's own.
pub(super) static BYO: ModeFacts = ModeFacts {
    mode: Mode::Byo,
    name: "bring your own CNI",
    selector: Selector {
        network_plugin: "none",
        network_plugin_mode: None,
        pod_subnet: false,
        pod_ip_allocation_mode: None,
    },
    pods_from: PodsFrom::Plugin,
    allocation: fact!(Allocation::Plugin, "mode.byo.ipam" Doc 2026-4-16 "use-byo-cni.md"),
    node_takes: fact!(NodeTakes::One,
        "mode.byo.formula.node_subnet_ips" Derived 2026-4-16 "use-byo-cni.md"
        "pods take none unless the plugin uses VNet addresses"),
    max_pods: MaxPods {
        default: fact!(None,
            "mode.byo.max_pods" Doc 2026-7-5 "use-byo-cni.md, node-auto-provisioning-aksnodeclass.md"
            "kubelet density only; node auto-provisioning takes 250"),
        planned: None,
        min: fact!(None, "mode.byo.max_pods" Doc 2026-7-5 "use-byo-cni.md, node-auto-provisioning-aksnodeclass.md"),
        max: fact!(Some(250),
            "mode.byo.max_pods" Doc 2026-7-5 "use-byo-cni.md, node-auto-provisioning-aksnodeclass.md"),
    },
    max_nodes: fact!(5_000,
        "lim.nodes_per_cluster" Doc 2026-7-6 "container-service-limits.md, best-practices-performance-scale-large.md, free-standard-pricing-tiers.md"),
    max_pods_cluster: fact!(PodCeiling { recommended: None, at_most: None },
        "mode.byo.ipam" Doc 2026-4-16 "use-byo-cni.md"
        "the plugin's affair"),
    seen: SeenBy {
        pod: fact!(None, "mode.byo.source_ip" Doc 2026-4-16 "use-byo-cni.md"),
        own_node: fact!(None, "mode.byo.source_ip" Doc 2026-4-16 "use-byo-cni.md"),
        vnet: fact!(None, "mode.byo.source_ip" Doc 2026-4-16 "use-byo-cni.md"),
        peered_vnet: fact!(None, "mode.byo.source_ip" Doc 2026-4-16 "use-byo-cni.md"),
        on_premises: fact!(None, "mode.byo.source_ip" Doc 2026-4-16 "use-byo-cni.md"),
        internet: fact!(None, "mode.byo.source_ip" Doc 2026-4-16 "use-byo-cni.md"),
        platform: fact!(None, "mode.byo.source_ip" Doc 2026-4-16 "use-byo-cni.md"),
    },
    reachable: fact!(None, "mode.byo.source_ip" Doc 2026-4-16 "use-byo-cni.md"),
    dataplanes: fact!(None, "mode.byo.support" Doc 2026-4-16 "use-byo-cni.md"),
    policy_engines: fact!(None, "mode.byo.support" Doc 2026-4-16 "use-byo-cni.md"),
    windows: fact!(Support::Unknown, "mode.byo.support" Doc 2026-4-16 "use-byo-cni.md"),
    dual_stack: fact!(Support::Unknown, "mode.byo.support" Doc 2026-4-16 "use-byo-cni.md"),
    virtual_nodes: fact!(Support::Unknown, "mode.byo.support" Doc 2026-4-16 "use-byo-cni.md"),
    application_gateway: fact!(Support::Unknown, "mode.byo.support" Doc 2026-4-16 "use-byo-cni.md"),
    gateway_for_containers: fact!(Support::Unknown, "mode.byo.support" Doc 2026-4-16 "use-byo-cni.md"),
    delegated_node_subnet: fact!(Support::No, "mode.byo.delegated_node_subnet_allowed" Doc 2026-4-16 "use-byo-cni.md"),
    machines_among_pods: fact!(Support::Unknown, "mode.byo.ipam" Doc 2026-4-16 "use-byo-cni.md"),
    shared_subnet: fact!(Support::Unknown, "mode.byo.support" Doc 2026-4-16 "use-byo-cni.md"),
    route_table_required: fact!(None, "mode.byo.route_table_created" Doc 2026-4-16 "use-byo-cni.md" "AKS creates none"),
    masquerade: fact!(Shipped::Plugin,
        "masq.presence" Doc 2026-4-16 "concepts-network-legacy-cni.md, update-azure-cni.md, Azure/AKS issue 1360, Azure/AKS issue 2653"
        "AKS ships no agent"),
    node_auto_provisioning: fact!(Support::Conditional,
        "nap.networking" Doc 2026-2-15 "node-auto-provisioning-networking.md, node-auto-provisioning.md"
        "allowed, the plugin itself is unsupported"),
    static_egress_gateway: fact!(Support::Unknown,
        "snat.static_egress_gateway" Doc 2026-8-6 "configure-static-egress-gateway.md, container-network-performance-ebpf-host-routing.md"),
    private_link_service: fact!(Support::Unknown, "lb.pls" Doc 2026-7-31 "internal-lb.md"),
    network_isolated: fact!(Support::Unknown,
        "egr.network_isolated" Doc 2026-6-15 "concepts-network-isolated.md, network-isolated.md"),
    becomes: fact!(&[],
        "mig.ipam" Doc 2024-11-26 "update-azure-cni.md, configure-azure-cni-static-block-allocation.md"),
    to_cilium: fact!(Support::No,
        "mig.dataplane" Doc 2024-11-26 "update-azure-cni.md"
        "the managed data plane needs the azure plugin"),
    retires: fact!(None, "ret.table" Doc 2026-8-21 "AKS includes/*-retirement.md"),
    min_kubernetes: fact!(None,
        "mode.byo.min_versions" Doc 2026-4-16 "use-byo-cni.md"
        "needs API version 2022-06-01 and Azure CLI 2.39.0"),
    tunnel_with_vnet_integration: fact!(true,
        "cp.vnetint.node_path" Doc 2026-4-15 "api-server-vnet-integration.md, plan-control-plane-networking.md"),
};
