//! Rules of pod ranges that hold for one mode only: pod subnets (dynamic and static block), overlay blocks, kubenet, own plugins. What has a
//! counterpart in every mode is in [`crate::facts::ModeFacts`], the arithmetic in [`crate::arithmetic::pods`] and
//! [`crate::arithmetic::batches`].

use crate::arithmetic::pods;

facts! {
    /// Addresses a node of dynamic allocation asks for when it joins, and a planning minimum.
    DYNAMIC_MIN_PER_NODE: u64 = 16,
        "mode.dyn.ipam.planning_minimum_per_node" Doc 2024-7-9 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-dynamic-ip-allocation.md";
    /// Free addresses below which it asks for another batch: half a batch.
    DYNAMIC_ASKS_BELOW: u64 = 8,
        "mode.dyn.ipam.request_threshold" Doc 2024-7-9 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-dynamic-ip-allocation.md, azure-container-networking, source tree";
    /// Free addresses above which it gives a batch back: one and a half.
    DYNAMIC_RELEASES_ABOVE: u64 = 24,
        "mode.dyn.ipam.release_threshold" Code 2026-8-20 "azure-container-networking, source tree"
        "ipam-release-boundary: the design text says above, the first monitor's code at 24";
    /// A node holds `min(batch * ceil(minFree + pods / batch), max)` addresses in the long run.
    DYNAMIC_STEADY_STATE: &str = "min(B * ceil(mf + U / B), max)",
        "mode.dyn.ipam.steady_state_formula" Code 2026-8-20 "azure-container-networking, source tree"
        "host-network pods need none; equal to the documented rule while only growing";
    /// Addresses a node of dynamic allocation holds at most.
    DYNAMIC_MAX_PER_NODE: u64 = 250,
        "mode.dyn.ipam.max_ips_per_node" Code 2026-8-20 "azure-container-networking, source tree"
        "the control plane may set another; 256 of an interface stand above it";
    /// On an exhausted subnet nodes ask one by one: batch, free kept, free given back from.
    DYNAMIC_EXHAUSTED: (u64, u64, u64) = (1, 1, 2),
        "mode.dyn.ipam.exhausted_subnet_behaviour" Code 2026-8-20 "azure-container-networking, source tree";
    /// System pods that are not on the host network take pod-subnet addresses.
    SYSTEM_PODS_COUNT: bool = true,
        "mode.dyn.ipam.system_pods_use_pod_subnet" Doc 2024-7-9 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-dynamic-ip-allocation.md";
    /// An address is free again seconds after its pod is gone: room for churn is needed at full density.
    RELEASE_TAKES: &str = "seconds",
        "mode.dyn.ipam.release_latency" Doc 2026-4-16 "concepts-network-ip-address-planning.md";
    /// What a pod subnet needs: per node 16 times the rounded-up need, churn, five reserved; at most the same for
    /// maxPods.
    DYNAMIC_NEED: &str = "sum over nodes of 16 * ceil(0.5 + pods / 16), churn, 5",
        "mode.dyn.formula.pod_subnet_ips" Derived 2026-8-20 "concepts-network-azure-cni-pod-subnet.md, azure-container-networking, source tree"
        "brief-dynamic-pod-capacity: report both, the batches and full density";
    /// The pod subnet is in the cluster's VNet.
    SAME_VNET: bool = true,
        "mode.dyn.pod_subnet.same_vnet_required" Doc 2024-7-9 "configure-azure-cni-dynamic-ip-allocation.md";
    /// A subnet is dynamic or static block for everyone who uses it.
    ONE_ALLOCATION_PER_SUBNET: bool = true,
        "mode.dyn.pod_subnet.single_allocation_mode" Doc 2024-5-21 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md";
    /// The whole cluster uses one kind of CNI: node-subnet pools and pod-subnet pools can't be mixed, dynamic and
    /// static block pools can.
    KINDS_MIX: bool = false, "mode.dyn.cni_mixing" Doc 2024-7-9 "configure-azure-cni-dynamic-ip-allocation.md";
    /// The shortest prefix of a dynamic pod subnet that makes sense: 65,536 address mappings.
    DYNAMIC_SHORTEST: u8 = 16,
        "mode.dyn.pod_subnet.practical_max_prefix" Doc 2024-3-18 "configure-azure-cni-static-block-allocation.md";
    /// Addresses of nodes and pods of a VNet in dynamic allocation.
    DYNAMIC_ADDRESSES: u64 = 65_536,
        "mode.dyn.max_ips" Doc 2026-4-16 "concepts-network-ip-address-planning.md, configure-azure-cni-static-block-allocation.md, azure-virtual-network-limits.md"
        "flat-ip-ceiling";
    /// A dynamic cluster can become overlay.
    DYNAMIC_TO_OVERLAY: bool = false,
        "mode.dyn.migration_to_overlay" Doc 2024-11-26 "update-azure-cni.md"
        "to be rebuilt; the data plane can become Cilium";
    /// The object that shows what a node holds, in kube-system.
    NODE_NETWORK_CONFIG: &str = "NodeNetworkConfig",
        "mode.dyn.crd" Doc 2024-7-9 "configure-azure-cni-dynamic-ip-allocation.md";
    /// The shortest prefix of a static-block pod subnet: about a million addresses.
    STATIC_SHORTEST: u8 = 12,
        "mode.static.max_pod_subnet" Doc 2024-5-21 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md";
    /// Addresses of the largest static-block pod subnet.
    STATIC_ADDRESSES: u64 = 1_048_544, "mode.static.max_ips" Brief 2025-8-17 "early description of the product";
    /// Addresses of a node's blocks kept as the node's own.
    STATIC_RESERVED_PER_NODE: u64 = 1,
        "mode.static.ipam.reserved_per_node" Doc 2024-5-21 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md";
    /// A node takes `ceil((maxPods + 1) / 16)` blocks.
    STATIC_BLOCKS_PER_NODE: &str = "ceil((maxPods + 1) / 16)",
        "mode.static.ipam.blocks_per_node" Derived 2024-5-21 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md";
    /// maxPods without waste is one less than a multiple of this.
    STATIC_IDEAL_STEP: u64 = pods::STATIC_BLOCK_ADDRESSES,
        "mode.static.ipam.ideal_max_pods" Doc 2024-5-21 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md";
    /// Addresses a node wastes: 16 * blocks - 1 - maxPods.
    STATIC_WASTE: &str = "16 * blocks - 1 - maxPods",
        "mode.static.ipam.waste" Derived 2024-5-21 "concepts-network-azure-cni-pod-subnet.md, configure-azure-cni-static-block-allocation.md";
    /// Nodes a static-block pod subnet holds: `(2^(28 - length) - 2) / blocks`, rounded down.
    STATIC_NODES: &str = "(2^(28 - length) - 2) / blocks per node",
        "mode.static.formula.max_nodes_by_subnet" Derived 2024-5-21 "concepts-network-azure-cni-pod-subnet.md"
        "unk.static-boundary-blocks";
    /// Overlay and kubenet nodes take their /24 in order from the start of the pod CIDR, as seen in samples;
    /// nothing should depend on it.
    BLOCKS_IN_ORDER: bool = true,
        "mode.overlay.ipam.allocation_order" Doc 2026-4-16 "configure-dual-stack.md, configure-kubenet.md";
    /// Addresses of a node's block, of which maxPods lets 250 be used.
    BLOCK_ADDRESSES: u64 = 256,
        "mode.overlay.ipam.node_block_addresses" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-ip-address-planning.md";
    /// Prefix length of a node's IPv6 block as seen in samples; for display, not to refuse anything.
    BLOCK_IPV6: u8 = 80,
        "mode.overlay.ipam.node_block_ipv6" Doc 2023-12-7 "configure-dual-stack.md"
        "unk.ipv6-node-block";
    /// Nodes of an overlay pod CIDR, surge counted in.
    OVERLAY_NODES: &str = "2^(24 - length)",
        "mode.overlay.capacity.nodes_by_pod_cidr" Derived 2026-7-31 "concepts-network-azure-cni-overlay.md, concepts-network-ip-address-planning.md"
        "brief-overlay-pod-capacity, brief-plan-node-vs-pod-capacity: say which of pod CIDR and node subnet bounds the cluster";
    /// The longest overlay pod CIDR.
    OVERLAY_LONGEST: &str = "24 - ceil(log2(nodes + surge))",
        "mode.overlay.formula.pod_cidr_min_prefix" Derived 2026-7-31 "concepts-network-azure-cni-overlay.md";
    /// What AKS compares with the free addresses of a subnet: new nodes, or with an autoscaler the pool's upper
    /// bound, so an idle pool with a large bound can't be created.
    CHECKS_UPPER_BOUND: bool = true,
        "mode.overlay.insufficient_subnet_check" Doc 2025-2-20 "insufficientsubnetsize-error-advanced-networking.md";
    /// The most nodes times the most pods per node is a promise.
    PRODUCT_IS_PROMISED: bool = false,
        "mode.overlay.max_nodes_times_max_pods_allowed" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md";
    /// The nodes of node-subnet mode a subnet holds: `(2^(32 - length) - 5 - others) / (1 + maxPods)`, rounded down.
    NODE_SUBNET_NODES: &str = "(2^(32 - length) - 5 - others) / (1 + maxPods)",
        "mode.node.formula.max_nodes" Derived 2026-4-16 "concepts-network-legacy-cni.md, configure-kubenet.md";
    /// The error page's own formula for node-subnet mode leaves out the node itself.
    NODE_SUBNET_ERROR_FORMULA: &str = "new nodes * maxPods",
        "mode.node.insufficient_subnet_check" Doc 2025-2-20 "insufficientsubnetsize-error-advanced-networking.md"
        "insufficient-subnet-formula: the larger planning formula counts";
    /// A private kubenet cluster with a route table and DNS servers of one's own fails to be created at first:
    /// associate the table from the node resource group, then retry.
    KUBENET_PRIVATE_FAILS_FIRST: bool = true, "mode.kubenet.private_cluster_byo" Doc 2026-8-5 "private-clusters.md";
    /// Some system pods of kubenet have their node's address.
    KUBENET_SYSTEM_PODS_ON_HOST: bool = true, "mode.kubenet.system_pods_host_ip" Doc 2026-4-16 "configure-kubenet.md";
    /// Security groups must let nodes and kubenet pods talk both ways.
    KUBENET_NODES_AND_PODS: bool = true, "mode.kubenet.nsg_required" Doc 2026-4-16 "configure-kubenet.md, faq.yml";
    /// A cluster with a plugin of its own must state a pod CIDR: the control plane routes by it.
    BYO_POD_CIDR_REQUIRED: bool = true, "mode.byo.pod_cidr_required" Doc 2026-4-16 "use-byo-cni.md";
    /// Its service CIDR has the same rules as any.
    BYO_SERVICE_CIDR_SAME_RULES: bool = true, "mode.byo.service_cidr" Doc 2026-4-16 "use-byo-cni.md";
    /// kube-proxy can be switched off there (preview).
    BYO_WITHOUT_KUBE_PROXY: bool = true, "mode.byo.kube_proxy" Doc 2026-1-28 "configure-kube-proxy.md";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::batches::Batches;

    #[test]
    fn the_arithmetic_uses_these_numbers() {
        let platform = Batches::default();
        assert_eq!(
            (platform.min_free(), platform.max_free()),
            (DYNAMIC_ASKS_BELOW.value, DYNAMIC_RELEASES_ABOVE.value)
        );
        assert_eq!((platform.held(0), platform.max_per_node), (DYNAMIC_MIN_PER_NODE.value, DYNAMIC_MAX_PER_NODE.value));
        let exhausted = platform.exhausted();
        assert_eq!((exhausted.batch, exhausted.min_free(), exhausted.max_free()), DYNAMIC_EXHAUSTED.value);
        assert_eq!(pods::static_blocks(STATIC_SHORTEST.value) * pods::STATIC_BLOCK_ADDRESSES, STATIC_ADDRESSES.value);
    }
}
