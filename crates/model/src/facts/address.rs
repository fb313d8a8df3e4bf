//! Ranges the platform reserves, refuses or fills in, and the arithmetic constants of subnets.

use crate::arithmetic::subnet;
use crate::design::Version;
use causeway_addr::Cidr;
use std::net::Ipv4Addr;

facts! {
    /// No pod, service or VNet range may overlap one of these (`addr.reserved_overlap_rule`); containing one is as
    /// bad as lying in one.
    RESERVED: &[Cidr] = &[
            Cidr::v4([169, 254, 0, 0], 16), Cidr::v4([192, 0, 2, 0], 24), Cidr::v4([172, 30, 0, 0], 16),
            Cidr::v4([172, 31, 0, 0], 16),
        ],
        "addr.reserved_cidrs" Doc 2026-7-10 "concepts-network-cni-overview.md, concepts-network-legacy-cni.md, configure-kubenet.md, use-byo-cni.md"
        "any overlap counts: 172.16.0.0/12 is refused because it contains two of them; brief-service-cidr-reserved: an often recommended plan uses 172.30.0.0/16 and is refused";
    /// Ranges no VNet may contain.
    VNET_FORBIDDEN: &[Cidr] = &[
            Cidr::v4([224, 0, 0, 0], 4), Cidr::v4([255, 255, 255, 255], 32), Cidr::v4([127, 0, 0, 0], 8),
            Cidr::v4([169, 254, 0, 0], 16), Cidr::v4([168, 63, 129, 16], 32),
        ],
        "addr.vnet.forbidden" DocOld 2019-2-12 "virtual-networks-faq.md";
    /// Ranges the platform supports for pods: RFC 1918 and RFC 6598. Public ones are not blocked, but out of support.
    SUPPORTED_FOR_PODS: &[Cidr] = &[
            Cidr::v4([10, 0, 0, 0], 8), Cidr::v4([172, 16, 0, 0], 12), Cidr::v4([192, 168, 0, 0], 16),
            Cidr::v4([100, 64, 0, 0], 10),
        ],
        "mode.overlay.pod_cidr.allowed_ranges" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md"
        "public ranges are not blocked by the platform but are out of support";
    /// Pod CIDR of overlay and kubenet when none is given.
    POD_CIDR_DEFAULT: Cidr = Cidr::v4([10, 244, 0, 0], 16),
        "mode.overlay.pod_cidr.default" Doc 2026-7-31 "azure-cni-overlay.md, configure-kubenet.md";
    /// IPv6 pod CIDR of a dual-stack cluster when none is given, and with it the default of [`POD_CIDR_DEFAULT`]
    /// for IPv4.
    POD_CIDR_DEFAULT_IPV6: Cidr = Cidr::v6([0xfd12, 0x3456, 0x789a, 0, 0, 0, 0, 0], 64),
        "mode.overlay.dual_stack" Doc 2026-7-31 "azure-cni-overlay.md, configure-dual-stack.md";
    /// Service CIDR when none is given.
    SERVICE_CIDR_DEFAULT: Cidr = Cidr::v4([10, 0, 0, 0], 16),
        "addr.service_cidr.default" Doc 2026-7-31 "configure-kubenet.md, azure-cni-overlay.md"
        "sample-service-inside-vnet: published samples leave it inside a 10.0.0.0/8 VNet";
    /// The shortest IPv4 service CIDR accepted.
    SERVICE_CIDR_SHORTEST: u8 = 13,
        "addr.service_cidr.max_size" Doc 2026-7-31 "concepts-network-ip-address-planning.md, concepts-network-azure-cni-overlay.md, use-byo-cni.md"
        "service-cidr-12: documents say smaller than /12, the upstream server takes /12 itself; /12 and shorter are refused here";
    /// The shortest IPv6 service CIDR accepted. The default range is fd12:3456:789a:1::/108.
    SERVICE_CIDR_SHORTEST_IPV6: u8 = 108,
        "addr.service_cidr.ipv6_max" Doc 2026-7-31 "azure-cni-overlay.md, configure-dual-stack.md";
    /// Several clusters may use the same service CIDR.
    SERVICE_CIDR_REUSABLE: bool = true,
        "addr.service_cidr.reusable_across_clusters" Doc 2026-4-16 "concepts-network-ip-address-planning.md";
    /// From this version a service CIDR can be extended by ServiceCIDR objects. It can never be shrunk or replaced;
    /// before, not changed at all.
    SERVICE_CIDR_EXTENDABLE_FROM: Version = Version::new(1, 33),
        "addr.service_cidr.mutable" Doc 2026-7-31 "concepts-network-ip-address-planning.md, concepts-network-azure-cni-overlay.md, concepts-network-legacy-cni.md"
        "brief-service-cidr-immutable: older documents say it can never change";
    /// The platform looks at subnets of the cluster's VNet before an upgrade and refuses it when one overlaps the
    /// service CIDR.
    SERVICE_CIDR_OVERLAP_ERROR: &str = "ServiceCidrOverlapExistingSubnetsCidr",
        "addr.service_cidr.must_not_overlap" Doc 2026-7-31 "concepts-network-legacy-cni.md, concepts-network-azure-cni-overlay.md, concepts-network-ip-address-planning.md"
        "sample-service-inside-vnet: inside the VNet's space but on no subnet is discouraged and possible";
    /// Address of the DNS service when none is given; the tenth above the range's first, by convention.
    DNS_SERVICE_IP_DEFAULT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10),
        "addr.dns_service_ip.default" Doc 2026-4-16 "configure-kubenet.md";
    /// The error of a DNS service address outside the service CIDR. The first usable address is refused as well: it
    /// is the API server's.
    DNS_SERVICE_IP_ERROR: &str = "DnsServiceIpOutOfServiceCidr",
        "addr.dns_service_ip.rules" Doc 2026-7-31 "concepts-network-ip-address-planning.md, concepts-network-azure-cni-overlay.md, concepts-network-legacy-cni.md, use-byo-cni.md";
    /// `kubernetes.default.svc` is so far above the service CIDR's first address.
    KUBERNETES_SERVICE_OFFSET: u128 = 1,
        "addr.kubernetes_default_ip" Doc 2026-4-16 "concepts-network-ip-address-planning.md, concepts-network-legacy-cni.md";
    /// The shortest VNet prefix of a cluster.
    VNET_SHORTEST: u8 = 8, "addr.vnet.max_size" Doc 2026-4-16 "concepts-network-ip-address-planning.md";
    /// Addresses the platform keeps in every subnet: the first four and the last.
    SUBNET_RESERVED: u64 = subnet::RESERVED_PER_SUBNET,
        "addr.subnet.reserved_by_azure" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, virtual-networks-faq.md, configuration-infrastructure.md"
        "reserved-per-subnet: one page says the first three and computes with five";
    /// The first address a machine may get is so far above the subnet's first.
    FIRST_ASSIGNABLE_OFFSET: u32 = subnet::FIRST_ASSIGNABLE_OFFSET,
        "addr.subnet.first_assignable_offset" Derived 2026-7-31 "concepts-network-azure-cni-overlay.md, virtual-networks-faq.md";
    /// The longest IPv4 subnet prefix. Overridable: [`crate::facts::Limits::longest_subnet_prefix`].
    SUBNET_LONGEST: u8 = subnet::SMALLEST_SUBNET,
        "addr.subnet.smallest_ipv4" DocOld 2019-2-12 "virtual-networks-faq.md";
    /// The shortest IPv4 subnet prefix. Overridable: [`crate::facts::Limits::shortest_subnet_prefix`].
    SUBNET_SHORTEST: u8 = 8, "addr.subnet.largest_ipv4" DocOld 2019-2-12 "virtual-networks-faq.md"
        "largest-subnet: an old page says /8, the current one is believed to say /2; AKS caps VNets at /8";
    /// The length of every IPv6 subnet.
    SUBNET_IPV6: u8 = 64, "addr.subnet.ipv6" DocOld 2019-2-12 "virtual-networks-faq.md";
    /// A subnet in use by a node pool can be resized.
    SUBNET_IN_USE_RESIZABLE: bool = false,
        "addr.subnet.resizable" Doc 2025-2-20 "insufficientsubnetsize-error-advanced-networking.md, virtual-networks-faq.md"
        "subnet-expansion: two pages suggest growing it in place; plan with a new pool on a new subnet";
    /// maxPods of a pool, its cluster's VNet and (but for a superset in overlay) its pod CIDR can be changed after
    /// creation.
    CHANGEABLE_LATER: bool = false,
        "addr.cluster_immutable" Doc 2026-7-13 "faq.yml, azure-cni-overlay-pod-expand.md, create-node-pools.md"
        "max-pods-mutable: one page shows an update of maxPods, the others say a new pool is needed";
    /// An overlay pod CIDR can be replaced by one contiguous superset, on clusters with Linux nodes only; not for IPv6.
    POD_CIDR_EXPANDABLE: bool = true,
        "mode.overlay.pod_cidr.expandable" Doc 2026-7-31 "azure-cni-overlay-pod-expand.md, concepts-network-azure-cni-overlay.md"
        "never shrunk, replaced or split; no Windows nodes; while a zone is down new nodes may stay not ready";
    /// Independent overlay clusters may use one pod CIDR, even in one VNet.
    POD_CIDR_REUSABLE: bool = true,
        "mode.overlay.pod_cidr.reusable_across_clusters" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md"
        "brief-shared-overlay-cidr: information, not a fault; unk.agc-shared-pod-cidr: nobody says what happens with Application Gateway for Containers of both clusters in one VNet";
    /// What an overlay pod CIDR may not overlap, in words.
    POD_CIDR_MUST_NOT_OVERLAP: &[&str] = &[
            "any prefix of the cluster's VNet", "the service CIDR", "peered VNets", "on-premises ranges",
            "anything pods must reach",
        ],
        "mode.overlay.pod_cidr.must_not_overlap" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md, update-azure-cni.md"
        "overlay-pod-cidr-scope: one page names the node subnet only; the stricter rule counts. A host inside the pod CIDR becomes unreachable for pods";
    /// All pools of a cluster are in one VNet, on subnets of their own if wanted.
    POOLS_SHARE_VNET: bool = true,
        "addr.node_pools_same_vnet" Doc 2026-7-13 "node-pool-unique-subnet.md, create-node-pools.md";
    /// After a VNet grew, an empty cluster update is needed before a subnet of the new space can be used.
    VNET_GROWTH_NEEDS_UPDATE: bool = true, "addr.vnet_grow_after_create" Doc 2025-9-26 "node-pool-unique-subnet.md";
    /// The bridge of a container runtime on the node; a service CIDR there is worth avoiding.
    DOCKER_BRIDGE: Cidr = Cidr::v4([172, 17, 0, 0], 16),
        "addr.docker_bridge" Derived 2025-11-10 "configure-azure-cni-dynamic-ip-allocation.md, operator-best-practices-network.md"
        "the runtime's own default, not stated by AKS documents";
    /// A service range outside 10.0.0.0/8 is recommended, because many on-premises networks announce all of it.
    ON_PREMISES_ANNOUNCES: Cidr = Cidr::v4([10, 0, 0, 0], 8),
        "addr.onprem_recommendation" Doc 2026-4-16 "concepts-network-legacy-cni.md, configure-kubenet.md";
    /// Node auto-provisioning checks a subnet's range against pod and service ranges.
    AUTO_PROVISIONING_CHECKS_RANGES: bool = false,
        "addr.nap_cidr_validation" Doc 2024-6-13 "node-auto-provisioning-networking.md";
}

/// IPv6 service CIDR of a dual-stack cluster when none is given (`addr.service_cidr.default`).
pub const SERVICE_CIDR_DEFAULT_IPV6: Cidr = Cidr::v6([0xfd12, 0x3456, 0x789a, 1, 0, 0, 0, 0], 108);

/// Where node addresses of an AKS-managed VNet were seen; only for display, the default range is not documented
/// (`unk.managed-vnet-ranges`).
pub const MANAGED_VNET_HINT: Cidr = Cidr::v4([10, 224, 0, 0], 12);

#[cfg(test)]
mod tests {
    use super::*;

    fn reserved(text: &str) -> Vec<String> {
        let range: Cidr = text.parse().unwrap();
        RESERVED.value.iter().filter(|reserved| reserved.overlaps(&range)).map(ToString::to_string).collect()
    }

    #[test]
    fn overlap_with_a_reserved_range_counts_either_way() {
        assert_eq!(reserved("169.254.0.0/16"), ["169.254.0.0/16"]);
        assert_eq!(reserved("172.30.0.0/16"), ["172.30.0.0/16"]);
        assert_eq!(reserved("172.16.0.0/12"), ["172.30.0.0/16", "172.31.0.0/16"]);
        assert_eq!(reserved("172.28.0.0/14"), ["172.30.0.0/16", "172.31.0.0/16"]);
        assert_eq!(reserved("172.30.5.0/24"), ["172.30.0.0/16"]);
        assert!(reserved("172.16.0.0/13").is_empty());
        assert!(reserved("172.29.0.0/16").is_empty());
        assert!(reserved("11.0.0.0/16").is_empty());
    }

    #[test]
    fn defaults_keep_their_own_rules() {
        assert!(SERVICE_CIDR_DEFAULT.value.contains(DNS_SERVICE_IP_DEFAULT.value.into()));
        assert_eq!(
            SERVICE_CIDR_DEFAULT.value.nth(KUBERNETES_SERVICE_OFFSET.value).map(|ip| ip.to_string()).as_deref(),
            Some("10.0.0.1")
        );
        assert!(SERVICE_CIDR_DEFAULT.value.prefix_len() >= SERVICE_CIDR_SHORTEST.value);
        assert!(SERVICE_CIDR_DEFAULT_IPV6.prefix_len() >= SERVICE_CIDR_SHORTEST_IPV6.value);
        assert!(!SERVICE_CIDR_DEFAULT_IPV6.overlaps(&POD_CIDR_DEFAULT_IPV6.value));
    }
}
