//! Modes whose pods live in the VNet: pod subnet (dynamic and static block) and node subnet.

use super::mode::{
    Allocation, Engines, MaxPods, ModeFacts, NodeTakes, PodCeiling, PodsFrom, Reachable, Seen, SeenBy, Selector,
    Shipped,
};
use super::{Fact, Support};
use crate::arithmetic::pods::{STATIC_BLOCK, STATIC_BLOCKS_LOST};
use crate::design::{Dataplane, Mode, PolicyEngine, Version};

/// Pods of a cluster with dynamic pod subnets the vendor recommends not to exceed.
pub(super) const POD_SUBNET_PODS: u64 = 50_000;

/// Pods of a cluster with static-block pod subnets.
pub(super) const STATIC_BLOCK_PODS: u64 = 1_000_000;

/// Blocks of a static-block pod subnet that are counted as lost.
pub(super) const STATIC_SUBNET_NEED: Fact<u64> = fact!(STATIC_BLOCKS_LOST,
    "mode.static.formula.pod_subnet_ips" Derived 2024-5-21 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md"
    "unk.static-boundary-blocks: inferred; conservative by at most 32 addresses");

/// Pods can be called from everywhere the VNet can be reached from.
const FROM_EVERY_NETWORK: Reachable =
    Reachable { same_cluster: true, vnet: true, peered_vnet: true, on_premises: true, internet: false };

const BOTH: &[Dataplane] = &[Dataplane::Azure, Dataplane::Cilium];

const ENGINES: Engines =
    &[(Dataplane::Azure, &[PolicyEngine::Azure, PolicyEngine::Calico]), (Dataplane::Cilium, &[PolicyEngine::Cilium])];

/// Azure CNI Pod Subnet, dynamic allocation.
pub(super) static POD_SUBNET: ModeFacts = ModeFacts {
    mode: Mode::PodSubnet,
    name: "Azure CNI Pod Subnet, dynamic IP allocation",
    selector: Selector {
        network_plugin: "azure",
        network_plugin_mode: None,
        pod_subnet: true,
        pod_ip_allocation_mode: Some("DynamicIndividual"),
    },
    pods_from: PodsFrom::PodSubnet,
    allocation: fact!(Allocation::Batches,
        "mode.dyn.ipam.batch" Doc 2024-7-9 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-dynamic-ip-allocation.md"
        "brief-dynamic-pod-capacity: rules of thumb take nodes times maxPods, which is the upper bound; the batches tell what is held for the pods planned"),
    node_takes: fact!(NodeTakes::One,
        "mode.dyn.formula.node_subnet_ips" Derived 2026-4-16 "concepts-network-ip-address-planning.md"),
    max_pods: MaxPods {
        default: fact!(None,
            "mode.dyn.max_pods.default" Doc 2024-7-9 "configure-azure-cni-dynamic-ip-allocation.md"
            "max-pods-default-pod-subnet: pages say 250 and 110; never assume, plan with 250 and say so"),
        planned: Some(250),
        min: fact!(Some(10),
            "mode.dyn.max_pods.min" Doc 2026-4-16 "concepts-network-ip-address-planning.md"
            "the pool must have room for 30 pods in all"),
        max: fact!(Some(250),
            "mode.dyn.max_pods.max" Doc 2026-4-16 "configure-azure-cni-dynamic-ip-allocation.md, concepts-network-ip-address-planning.md"),
    },
    max_nodes: fact!(5_000,
        "lim.nodes_per_cluster" Doc 2026-7-6 "container-service-limits.md, best-practices-performance-scale-large.md, free-standard-pricing-tiers.md"),
    max_pods_cluster: fact!(PodCeiling { recommended: Some(POD_SUBNET_PODS), at_most: None },
        "mode.dyn.max_pods_cluster" Doc 2026-6-5 "best-practices-performance-scale-large.md"
        "flat-ip-ceiling: recommended; the hard limit is 65,536 addresses of the VNet, see privateIpsPerVnet"),
    seen: SeenBy {
        pod: fact!(Some(Seen::Pod),
            "mode.dyn.source_ip.same_cluster_pod" Doc 2024-5-21 "concepts-network-azure-cni-pod-subnet.md"),
        own_node: fact!(Some(Seen::Pod),
            "mode.dyn.source_ip.vnet" Doc 2026-7-10 "concepts-network-legacy-cni.md, concepts-network-cni-overview.md"),
        vnet: fact!(Some(Seen::Pod),
            "mode.dyn.source_ip.vnet" Doc 2026-7-10 "concepts-network-legacy-cni.md, concepts-network-cni-overview.md"),
        peered_vnet: fact!(Some(Seen::Pod),
            "mode.dyn.source_ip.peered_vnet" Doc 2026-7-10 "concepts-network-legacy-cni.md, concepts-network-cni-overview.md"),
        on_premises: fact!(Some(Seen::Pod),
            "mode.dyn.source_ip.on_prem" Doc 2026-7-10 "concepts-network-legacy-cni.md, concepts-network-cni-overview.md"
            "replies need a route back to the pod subnet"),
        internet: fact!(Some(Seen::PublicFromPod),
            "mode.dyn.source_ip.internet" Doc 2026-7-10 "concepts-network-cni-overview.md, concepts-network-azure-cni-pod-subnet.md"
            "unk.podsubnet-lb-egress: with a load balancer the mechanism is not documented"),
        platform: fact!(Some(Seen::Node),
            "mode.dyn.source_ip.azure_dns_and_imds" Code 2026-8-20 "azure-container-networking, source tree"
            "DNS port 53 and metadata tcp/80 only, IPv4 only; other ports of these addresses see the pod"),
    },
    reachable: fact!(Some(FROM_EVERY_NETWORK),
        "mode.dyn.pods_directly_reachable" Doc 2026-7-10 "concepts-network-cni-overview.md"
        "provided the pod range is routed there"),
    dataplanes: fact!(Some(BOTH), "mode.dyn.dataplanes" Doc 2026-8-5 "azure-cni-powered-by-cilium.md"),
    policy_engines: fact!(Some(ENGINES),
        "mode.dyn.network_policy.engines" Doc 2026-8-5 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-dynamic-ip-allocation.md, azure-cni-powered-by-cilium.md"),
    windows: fact!(Support::Conditional,
        "mode.dyn.windows" Doc 2026-7-10 "concepts-network-cni-overview.md, concepts-network-azure-cni-pod-subnet.md"
        "not Windows Server 2019, not with the Cilium data plane"),
    dual_stack: fact!(Support::No, "mode.dyn.dual_stack" Doc 2023-12-7 "configure-dual-stack.md" "overlay only"),
    virtual_nodes: fact!(Support::Yes,
        "mode.dyn.virtual_nodes" Doc 2026-7-31 "virtual-nodes.md, concepts-network-azure-cni-overlay.md"),
    application_gateway: fact!(Support::Yes, "mode.dyn.agic" Doc 2026-7-10 "concepts-network-cni-overview.md"),
    gateway_for_containers: fact!(Support::Yes,
        "mode.dyn.agc" Doc 2026-7-10 "concepts-network-cni-overview.md, container-networking.md (Application Gateway for Containers)"),
    delegated_node_subnet: fact!(Support::No,
        "mode.dyn.delegated_node_subnet_allowed" Doc 2026-7-10 "concepts-network-cni-overview.md, concepts-network-legacy-cni.md"
        "delegation: a pod subnet delegated by AKS itself is accepted, none is required"),
    machines_among_pods: fact!(Support::No,
        "mode.dyn.vms_in_pod_subnet_allowed" Doc 2026-4-16 "concepts-network-legacy-cni.md"),
    shared_subnet: fact!(Support::Yes,
        "mode.dyn.pod_subnet.per_node_pool" Doc 2024-7-9 "configure-azure-cni-dynamic-ip-allocation.md"
        "pod-subnets-per-cluster: one pod subnet a pool; pools and clusters of the VNet may share it"),
    route_table_required: fact!(Some(false), "mode.dyn.udr_required" Doc 2026-7-10 "concepts-network-cni-overview.md"),
    masquerade: fact!(Shipped::Nothing,
        "mode.dyn.ip_masq_agent" Doc 2026-4-16 "concepts-network-legacy-cni.md"
        "a user may add ip-masq-agent-v2; DNS and metadata are translated by the CNI"),
    node_auto_provisioning: fact!(Support::No,
        "mode.dyn.node_auto_provisioning" Doc 2024-6-13 "node-auto-provisioning-networking.md"),
    static_egress_gateway: fact!(Support::No,
        "mode.dyn.static_egress_gateway" Doc 2026-8-6 "configure-static-egress-gateway.md"),
    private_link_service: fact!(Support::Yes, "lb.pls" Doc 2026-7-31 "internal-lb.md"),
    network_isolated: fact!(Support::Yes,
        "egr.network_isolated" Doc 2026-6-15 "concepts-network-isolated.md, network-isolated.md"),
    becomes: fact!(&[],
        "mig.ipam" Doc 2024-11-26 "update-azure-cni.md, configure-azure-cni-static-block-allocation.md"
        "static-block-migration: new pools may use static block; nothing in place"),
    to_cilium: fact!(Support::Conditional, "mig.dataplane" Doc 2024-11-26 "update-azure-cni.md" "Linux pools only"),
    retires: fact!(None, "ret.table" Doc 2026-8-21 "AKS includes/*-retirement.md"),
    min_kubernetes: fact!(None, "mode_matrix.min_kubernetes" Derived 2026-7-10 "concepts-network-cni-overview.md"),
    tunnel_with_vnet_integration: fact!(false,
        "cp.vnetint.node_path" Doc 2026-4-15 "api-server-vnet-integration.md, plan-control-plane-networking.md"),
};

/// Azure CNI Pod Subnet, static block allocation.
pub(super) static POD_SUBNET_STATIC: ModeFacts = ModeFacts {
    mode: Mode::PodSubnetStatic,
    name: "Azure CNI Pod Subnet, static block allocation",
    selector: Selector {
        network_plugin: "azure",
        network_plugin_mode: None,
        pod_subnet: true,
        pod_ip_allocation_mode: Some("StaticBlock"),
    },
    pods_from: PodsFrom::PodSubnet,
    allocation: fact!(Allocation::BlocksForMaxPods(STATIC_BLOCK),
        "mode.static.ipam.block" Doc 2024-5-21 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md"
        "one address over all blocks of a node is the node's own"),
    node_takes: fact!(NodeTakes::One,
        "mode.static.formula.node_subnet_ips" Derived 2026-4-16 "concepts-network-ip-address-planning.md"),
    max_pods: MaxPods {
        default: fact!(None,
            "mode.static.max_pods.default" Doc 2026-4-16 "concepts-network-ip-address-planning.md"
            "unk.static-max-pods: no page states it; max-pods-default-pod-subnet: plan with 250 and say so"),
        planned: Some(250),
        min: fact!(Some(10),
            "mode.static.max_pods.min" Doc 2026-4-16 "concepts-network-ip-address-planning.md"
            "the pool must have room for 30 pods in all"),
        max: fact!(Some(250), "mode.static.max_pods.max" Doc 2026-4-16 "concepts-network-ip-address-planning.md"),
    },
    max_nodes: fact!(5_000,
        "lim.nodes_per_cluster" Doc 2026-7-6 "container-service-limits.md, best-practices-performance-scale-large.md, free-standard-pricing-tiers.md"),
    max_pods_cluster: fact!(PodCeiling { recommended: None, at_most: Some(STATIC_BLOCK_PODS) },
        "mode.static.max_pods_cluster" Doc 2025-3-24 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md, plan-pod-networking.md"
        "the VNet must be large and contiguous; a pod subnet is /12 at most"),
    seen: SeenBy {
        pod: fact!(Some(Seen::Pod), "mode.static.source_ip" Doc 2026-7-10 "concepts-network-cni-overview.md"),
        own_node: fact!(Some(Seen::Pod), "mode.static.source_ip" Doc 2026-7-10 "concepts-network-cni-overview.md"),
        vnet: fact!(Some(Seen::Pod), "mode.static.source_ip" Doc 2026-7-10 "concepts-network-cni-overview.md"),
        peered_vnet: fact!(Some(Seen::Pod), "mode.static.source_ip" Doc 2026-7-10 "concepts-network-cni-overview.md"),
        on_premises: fact!(Some(Seen::Pod),
            "mode.static.source_ip" Doc 2026-7-10 "concepts-network-cni-overview.md"
            "replies need a route back to the pod subnet"),
        internet: fact!(Some(Seen::PublicFromPod),
            "mode.static.source_ip" Doc 2026-7-10 "concepts-network-cni-overview.md"
            "unk.podsubnet-lb-egress: with a load balancer the mechanism is not documented"),
        platform: fact!(Some(Seen::Node),
            "masq.podsubnet_cns_snat" Code 2026-8-20 "azure-container-networking, source tree"
            "inferred from dynamic allocation"),
    },
    reachable: fact!(Some(FROM_EVERY_NETWORK),
        "mode.static.pods_directly_reachable" Doc 2026-7-10 "concepts-network-cni-overview.md"),
    dataplanes: fact!(Some(BOTH),
        "mode.static.dataplanes" Doc 2026-8-5 "concepts-network-azure-cni-pod-subnet.md, azure-cni-powered-by-cilium.md"),
    policy_engines: fact!(Some(ENGINES),
        "mode.static.network_policy.engines" Doc 2024-5-21 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md"),
    windows: fact!(Support::Conditional,
        "mode.static.windows" Doc 2024-5-21 "concepts-network-azure-cni-pod-subnet.md"
        "not Windows Server 2019, not with the Cilium data plane"),
    dual_stack: fact!(Support::No, "mode.static.dual_stack" Doc 2023-12-7 "configure-dual-stack.md" "overlay only"),
    virtual_nodes: fact!(Support::Unknown,
        "mode.static.virtual_nodes" Doc 2023-11-6 "virtual-nodes.md"
        "unk.static-virtual-nodes"),
    application_gateway: fact!(Support::Yes,
        "mode.static.agic_agc" Doc 2026-7-10 "concepts-network-cni-overview.md, container-networking.md (Application Gateway for Containers)"),
    gateway_for_containers: fact!(Support::Yes,
        "mode.static.agic_agc" Doc 2026-7-10 "concepts-network-cni-overview.md, container-networking.md (Application Gateway for Containers)"),
    delegated_node_subnet: fact!(Support::No,
        "mode.dyn.delegated_node_subnet_allowed" Doc 2026-7-10 "concepts-network-cni-overview.md, concepts-network-legacy-cni.md"),
    machines_among_pods: fact!(Support::No,
        "mode.dyn.vms_in_pod_subnet_allowed" Doc 2026-4-16 "concepts-network-legacy-cni.md"),
    shared_subnet: fact!(Support::Yes,
        "mode.static.pod_subnet.per_node_pool" Doc 2024-3-18 "configure-azure-cni-static-block-allocation.md"
        "one pod subnet a pool; a subnet is dynamic or static block for everyone who uses it"),
    route_table_required: fact!(Some(false), "mode.dyn.udr_required" Doc 2026-7-10 "concepts-network-cni-overview.md"),
    masquerade: fact!(Shipped::Nothing,
        "mode.static.ip_masq_agent" Derived 2026-8-20 "concepts-network-legacy-cni.md, azure-container-networking, source tree"
        "documented for dynamic, by analogy for static block"),
    node_auto_provisioning: fact!(Support::Unknown,
        "nap.networking" Doc 2026-2-15 "node-auto-provisioning-networking.md, node-auto-provisioning.md"),
    static_egress_gateway: fact!(Support::No,
        "snat.static_egress_gateway" Doc 2026-8-6 "configure-static-egress-gateway.md, container-network-performance-ebpf-host-routing.md"),
    private_link_service: fact!(Support::No,
        "mode.static.private_link_service" Doc 2024-5-21 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md"),
    network_isolated: fact!(Support::Yes,
        "egr.network_isolated" Doc 2026-6-15 "concepts-network-isolated.md, network-isolated.md"),
    becomes: fact!(&[], "mode.static.existing_cluster" Doc 2024-3-18 "configure-azure-cni-static-block-allocation.md"),
    to_cilium: fact!(Support::Unknown,
        "mig.dataplane" Doc 2024-11-26 "update-azure-cni.md"
        "not named; new clusters can have it"),
    retires: fact!(None, "ret.table" Doc 2026-8-21 "AKS includes/*-retirement.md"),
    min_kubernetes: fact!(Some(Version::new(1, 28)),
        "mode.static.min_kubernetes" Doc 2024-5-21 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md"
        "static-block-preview: status differs between pages"),
    tunnel_with_vnet_integration: fact!(false,
        "cp.vnetint.node_path" Doc 2026-4-15 "api-server-vnet-integration.md, plan-control-plane-networking.md"),
};

/// Azure CNI Node Subnet.
pub(super) static NODE_SUBNET: ModeFacts = ModeFacts {
    mode: Mode::NodeSubnet,
    name: "Azure CNI Node Subnet",
    selector: Selector {
        network_plugin: "azure",
        network_plugin_mode: None,
        pod_subnet: false,
        pod_ip_allocation_mode: None,
    },
    pods_from: PodsFrom::NodeSubnet,
    allocation: fact!(Allocation::MaxPodsPlusOne,
        "mode.node.ipam.preallocation" Doc 2026-7-7 "concepts-network-legacy-cni.md, configure-kubenet.md, upgrade-capacity-cost-planning.md, upgrade-options.md"),
    node_takes: fact!(NodeTakes::OnePlusMaxPods,
        "mode.node.formula.subnet_ips" Doc 2026-7-7 "concepts-network-ip-address-planning.md, upgrade-capacity-cost-planning.md, upgrade-options.md"
        "insufficient-subnet-formula: an error page computes nodes times maxPods; the larger planning formula counts"),
    max_pods: MaxPods {
        default: fact!(Some(30),
            "mode.node.max_pods.default" Doc 2026-7-5 "concepts-network-ip-address-planning.md, concepts-network-legacy-cni.md, configure-azure-cni-dynamic-ip-allocation.md, container-service-limits.md, node-auto-provisioning-aksnodeclass.md"),
        planned: Some(30),
        min: fact!(Some(10),
            "mode.node.max_pods.min" Doc 2026-4-16 "concepts-network-ip-address-planning.md"
            "the pool must have room for 30 pods in all"),
        max: fact!(Some(250),
            "mode.node.max_pods.max" Doc 2026-4-16 "concepts-network-ip-address-planning.md, container-service-limits.md"),
    },
    max_nodes: fact!(5_000,
        "mode.node.max_nodes" Doc 2026-4-16 "concepts-network-legacy-cni.md, container-service-limits.md"
        "bounded by the subnet and 65,536 addresses of the VNet before"),
    max_pods_cluster: fact!(PodCeiling { recommended: None, at_most: None },
        "mode.node.max_ips" Doc 2025-3-24 "plan-pod-networking.md, azure-virtual-network-limits.md"
        "65,536 addresses of the VNet, see privateIpsPerVnet"),
    seen: SeenBy {
        pod: fact!(Some(Seen::Pod),
            "mode.node.source_ip.same_cluster_pod" Doc 2026-4-16 "concepts-network-legacy-cni.md"),
        own_node: fact!(Some(Seen::Pod),
            "mode.node.source_ip.vnet" Doc 2026-7-10 "concepts-network-legacy-cni.md, concepts-network-cni-overview.md"),
        vnet: fact!(Some(Seen::Pod),
            "mode.node.source_ip.vnet" Doc 2026-7-10 "concepts-network-legacy-cni.md, concepts-network-cni-overview.md"),
        peered_vnet: fact!(Some(Seen::Node),
            "mode.node.source_ip.peered_vnet" Doc 2026-7-10 "concepts-network-legacy-cni.md, concepts-network-cni-overview.md"
            "the shipped agent exempts the cluster's VNet only; a user's entry for the peer's range shows the pod"),
        on_premises: fact!(Some(Seen::Node),
            "mode.node.source_ip.on_prem" Doc 2026-7-10 "concepts-network-legacy-cni.md, concepts-network-cni-overview.md"),
        internet: fact!(Some(Seen::PublicFromNode),
            "mode.node.source_ip.internet" Doc 2026-7-10 "concepts-network-legacy-cni.md, concepts-network-cni-overview.md"),
        platform: fact!(None,
            "mode.node.ip_masq_agent" Issue 2026-4-16 "concepts-network-legacy-cni.md, ip-masq-agent issue 69, ip-masq-agent-v2 issue 3"
            "not stated by any page; follows from the masquerade in force"),
    },
    reachable: fact!(Some(FROM_EVERY_NETWORK),
        "mode.node.pods_directly_reachable" Doc 2026-7-10 "concepts-network-cni-overview.md, concepts-network-legacy-cni.md"
        "replies keep the pod's address; only what pods open towards other networks is masqueraded"),
    dataplanes: fact!(Some(BOTH), "mode.node.dataplanes" Doc 2026-8-5 "azure-cni-powered-by-cilium.md"),
    policy_engines: fact!(Some(ENGINES),
        "mode.node.network_policy.engines" Doc 2026-8-18 "concepts-network-legacy-cni.md, use-network-policies.md, azure-cni-powered-by-cilium.md"),
    windows: fact!(Support::Conditional,
        "mode.node.windows" Doc 2026-7-10 "concepts-network-cni-overview.md"
        "not with the Cilium data plane"),
    dual_stack: fact!(Support::No, "mode.node.dual_stack" Doc 2023-12-7 "configure-dual-stack.md" "overlay only"),
    virtual_nodes: fact!(Support::Yes, "mode.node.virtual_nodes" Doc 2026-4-16 "concepts-network-legacy-cni.md"),
    application_gateway: fact!(Support::Yes, "mode.node.agic_agc" Doc 2026-7-10 "concepts-network-cni-overview.md"),
    gateway_for_containers: fact!(Support::Yes,
        "mode.node.agic_agc" Doc 2026-7-10 "concepts-network-cni-overview.md"
        "agc-node-subnet: one table names the pod-subnet modes only"),
    delegated_node_subnet: fact!(Support::No,
        "mode.node.delegated_node_subnet_allowed" Doc 2026-7-10 "concepts-network-legacy-cni.md, concepts-network-cni-overview.md"),
    machines_among_pods: fact!(Support::Yes,
        "mode.node.vms_in_subnet_allowed" Doc 2026-4-16 "concepts-network-legacy-cni.md"),
    shared_subnet: fact!(Support::Yes,
        "mode_matrix.subnet_shared_by_clusters" Derived 2026-7-10 "concepts-network-cni-overview.md"),
    route_table_required: fact!(Some(false), "mode.node.udr_required" Doc 2026-7-10 "concepts-network-cni-overview.md"),
    masquerade: fact!(Shipped::ExemptsVnetPrefixes,
        "mode.node.ip_masq_agent" Issue 2026-4-16 "concepts-network-legacy-cni.md, ip-masq-agent issue 69, ip-masq-agent-v2 issue 3"
        "kept in step with the VNet; brief-masq-link-local: link-local is masqueraded whatever a user's file says"),
    node_auto_provisioning: fact!(Support::Yes,
        "nap.networking" Doc 2026-2-15 "node-auto-provisioning-networking.md, node-auto-provisioning.md"),
    static_egress_gateway: fact!(Support::Unknown,
        "snat.static_egress_gateway" Doc 2026-8-6 "configure-static-egress-gateway.md, container-network-performance-ebpf-host-routing.md"),
    private_link_service: fact!(Support::Yes, "lb.pls" Doc 2026-7-31 "internal-lb.md"),
    network_isolated: fact!(Support::Yes,
        "egr.network_isolated" Doc 2026-6-15 "concepts-network-isolated.md, network-isolated.md"),
    becomes: fact!(&[Mode::Overlay],
        "mode.node.migration" Doc 2024-11-26 "update-azure-cni.md"
        "not together with a change of data plane"),
    to_cilium: fact!(Support::Conditional, "mig.dataplane" Doc 2024-11-26 "update-azure-cni.md" "Linux pools only"),
    retires: fact!(None, "ret.table" Doc 2026-8-21 "AKS includes/*-retirement.md"),
    min_kubernetes: fact!(None, "mode_matrix.min_kubernetes" Derived 2026-7-10 "concepts-network-cni-overview.md"),
    tunnel_with_vnet_integration: fact!(false,
        "cp.vnetint.node_path" Doc 2026-4-15 "api-server-vnet-integration.md, plan-control-plane-networking.md"),
};
