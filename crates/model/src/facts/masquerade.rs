//! ip-masq-agent-v2, and the configuration the platform ships for it.

use super::mode::Shipped;
use super::special;
use crate::design::{Design, IpFamily, Mode};
use causeway_addr::Cidr;
use std::net::Ipv4Addr;

/// A translation Azure's CNI makes on nodes with pod subnets: source pod subnet, to the node's primary address,
/// IPv4 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlatformSnat {
    /// Towards this address.
    pub destination: Ipv4Addr,
    /// On this protocol.
    pub protocol: crate::design::Protocol,
    /// And port.
    pub port: u16,
}

/// What the platform's own ConfigMap says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippedConfig {
    /// `nonMasqueradeCIDRs`.
    pub non_masquerade: Vec<Cidr>,
    /// `masqLinkLocal`.
    pub link_local: bool,
    /// `masqLinkLocalIPv6`.
    pub link_local_ipv6: bool,
}

facts! {
    /// Destinations exempt while no file exists. They are gone as soon as one does.
    DEFAULT_EXEMPT: &[Cidr] = &[
            Cidr::v4([10, 0, 0, 0], 8), Cidr::v4([172, 16, 0, 0], 12), Cidr::v4([192, 168, 0, 0], 16),
        ],
        "masq.agent.default_non_masq" Code 2025-9-5 "ip-masq-agent-v2, source tree"
        "brief-masq-defaults-dropped: a file without a list masquerades everything";
    /// Link-local destinations are exempt unless a file says otherwise, 169.254.0.0/16 and fe80::/10 alike.
    DEFAULT_LINK_LOCAL_MASQUERADED: bool = false,
        "masq.agent.default_link_local" Code 2025-9-5 "ip-masq-agent-v2, source tree"
        "masq-readme-link-local: a sentence of the agent's own page reads the other way round";
    /// Files of the directory whose names start so are read: lists joined starting from nothing, booleans or-ed.
    FILE_PREFIX: &str = "ip-masq",
        "masq.agent.merge" Code 2025-9-5 "ip-masq-agent-v2, source tree"
        "masq-conflict-detection: contradictions are not reported";
    /// Entries of one file's list, at most; the union may be longer.
    CIDRS_PER_FILE: u64 = 64, "masq.agent.cidr_limit" Code 2025-9-5 "ip-masq-agent-v2, source tree";
    /// What each entry must be; anything else ends the agent.
    ENTRY_RULES: &[&str] = &["a CIDR", "host bits zero", "IPv6 only with --enable-ipv6"],
        "masq.agent.validation" Code 2025-9-5 "ip-masq-agent-v2, source tree";
    /// Table nat: the chain is jumped to from the end of POSTROUTING for destinations that are not local;
    /// link-local, then each entry returns, the rest is masqueraded. Sources are not looked at, so host-network
    /// traffic is covered too.
    CHAIN: &str = "IP-MASQ-AGENT", "masq.agent.iptables" Code 2025-9-5 "ip-masq-agent-v2, source tree";
    /// Ports are chosen at random throughout. The original agent does by default, this one has no such flag.
    RANDOM_FULLY: bool = false,
        "masq.agent.random_fully" Code 2025-9-5 "ip-masq-agent-v2, source tree, kubernetes-sigs/ip-masq-agent README";
    /// The chain is replaced as a whole; rules of others stay; nothing is cleaned up at the end.
    REPLACES_ATOMICALLY: bool = true, "masq.agent.sync" Code 2025-9-5 "ip-masq-agent-v2, source tree";
    /// Seconds between two looks at the files; other flags default to off.
    RESYNC_SECONDS: u64 = 60, "masq.agent.flags" Code 2025-9-5 "ip-masq-agent-v2, source tree";
    /// Where the files are; the agent ends when the directory is missing.
    CONFIG_PATH: &str = "/etc/config/", "masq.agent.config_path" Code 2025-9-5 "ip-masq-agent-v2, source tree";
    /// Capabilities the agent needs, on the host network; not privileged.
    CAPABILITIES: &[&str] = &["NET_ADMIN", "NET_RAW"],
        "masq.agent.capabilities" Code 2025-9-5 "ip-masq-agent-v2, source tree";
    /// The kubelet must not have a non-masquerade CIDR of its own.
    KUBELET_CIDR_CONFLICTS: bool = true, "masq.agent.kubelet_conflict" Code 2025-9-5 "ip-masq-agent-v2, source tree";
    /// The platform's ConfigMap and a user's, in kube-system.
    CONFIG_MAPS: (&str, &str) = ("azure-ip-masq-agent-config-reconciled", "azure-ip-masq-agent-config"),
        "masq.aks_configmaps" Code 2026-8-20 "update-azure-cni.md, azure-container-networking, source tree";
    /// With a platform agent link-local is masqueraded whatever a user's file says, because booleans are or-ed.
    SHIPPED_LINK_LOCAL: bool = true,
        "masq.aks_content" Code 2026-8-20 "azure-container-networking, source tree, ip-masq-agent issue 69, Azure/AKS issue 2653"
        "brief-masq-link-local; unk.kubenet-masq: the list for kubenet is inferred";
    /// Modes on whose nodes the platform runs the agent.
    SHIPPED_ON: &[Mode] = &[Mode::Overlay, Mode::NodeSubnet, Mode::Kubenet],
        "masq.presence" Doc 2026-4-16 "concepts-network-legacy-cni.md, update-azure-cni.md, Azure/AKS issue 1360, Azure/AKS issue 2653";
    /// Translations of Azure's CNI on pod-subnet nodes.
    PLATFORM_SNAT: &[PlatformSnat] = &[
            PlatformSnat { destination: special::PLATFORM_DNS.value, protocol: crate::design::Protocol::Udp, port: 53 },
            PlatformSnat { destination: special::PLATFORM_DNS.value, protocol: crate::design::Protocol::Tcp, port: 53 },
            PlatformSnat { destination: special::METADATA.value, protocol: crate::design::Protocol::Tcp, port: 80 },
        ],
        "masq.podsubnet_cns_snat" Code 2026-8-20 "azure-container-networking, source tree"
        "inserted before a user's masquerade chain; other ports of these addresses are not translated";
    /// The merger beside the agent of some clusters reads the same files, joins lists, ors booleans, and removes
    /// its output when nothing is valid.
    MERGER: &str = "azure-ip-masq-merger", "masq.merger" Code 2026-8-20 "azure-container-networking, source tree";
    /// A rule the vendor shows for clusters that are not AKS exempts one VNet prefix only.
    FALLBACK_RULE_PREFIXES: u64 = 1,
        "masq.iptables_fallback_non_aks" Code 2026-8-20 "azure-container-networking, source tree";
    /// Translation looks at the first packet of a connection only: replies to a connection opened from outside keep
    /// the pod's address.
    REPLIES_KEEP_ADDRESS: bool = true, "masq.conntrack_semantics" Derived 2026-8-21 "Linux netfilter";
    /// With pod subnets a user may run the agent: every destination outside the list sees the node.
    USER_AGENT_ON_POD_SUBNET: bool = true,
        "mode.dyn.source_ip.with_user_ip_masq_agent" Brief 2025-8-12 "early description of the product"
        "keep pod subnet, node subnet and service CIDR in the list";
    /// Under eBPF host routing on pod subnets only the platform's DNS and metadata addresses are masqueraded.
    EBPF_POD_SUBNET_MASQUERADES: &[Ipv4Addr] = &[special::PLATFORM_DNS.value, special::METADATA.value],
        "mode.dyn.source_ip.azure_dns_and_imds" Code 2026-8-20 "azure-container-networking, source tree"
        "unk.ebpf-host-routing-podsubnet";
    /// An internal load balancer Service with `externalTrafficPolicy: Local` can't be reached by machines whose
    /// address lies in kube-proxy's clusterCIDR but outside the cluster.
    INTERNAL_LOCAL_UNREACHABLE: bool = true,
        "mode.node.ilb_etp_local_limit" Doc 2026-4-16 "concepts-network-legacy-cni.md";
}

/// Ranges added to the exempt ones by `--nomasq-all-reserved-ranges` (`masq.agent.default_non_masq`).
pub const ALL_RESERVED: &[Cidr] = &[
    Cidr::v4([100, 64, 0, 0], 10),
    Cidr::v4([192, 0, 0, 0], 24),
    Cidr::v4([192, 0, 2, 0], 24),
    Cidr::v4([192, 88, 99, 0], 24),
    Cidr::v4([198, 18, 0, 0], 15),
    Cidr::v4([198, 51, 100, 0], 24),
    Cidr::v4([203, 0, 113, 0], 24),
    Cidr::v4([240, 0, 0, 0], 4),
];

/// The configuration the platform keeps for a cluster of that mode with these ranges; `None` where it ships no
/// agent or a plugin decides.
/// IPv6 pod CIDRs are not in the list of a dual-stack cluster.
pub fn shipped(mode: Mode, pod_cidrs: &[Cidr], vnet_prefixes: &[Cidr], families: &[IpFamily]) -> Option<ShippedConfig> {
    let exempt = match crate::facts::ModeFacts::of(mode).masquerade.value {
        Shipped::ExemptsPodCidrs => pod_cidrs,
        Shipped::ExemptsVnetPrefixes => vnet_prefixes,
        Shipped::Nothing | Shipped::Plugin => return None,
    };
    Some(ShippedConfig {
        non_masquerade: exempt.iter().copied().filter(Cidr::is_v4).collect(),
        link_local: SHIPPED_LINK_LOCAL.value,
        link_local_ipv6: families.contains(&IpFamily::Ipv6),
    })
}

impl ShippedConfig {
    /// The configuration the platform keeps for a cluster of a design; see [`shipped`]. `None` as well where mode
    /// or ranges are not known.
    pub fn of(design: &Design, cluster: &crate::design::Cluster) -> Option<ShippedConfig> {
        let vnet = cluster.pools.values().find_map(|pool| design.networks.get(&pool.subnet.as_ref()?.network));
        let mode = cluster.mode?;
        shipped(mode, &cluster.pod_cidrs, vnet.map_or(&[], |vnet| &vnet.prefixes), &cluster.ip_families)
            .filter(|config| !config.non_masquerade.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidrs(list: &[&str]) -> Vec<Cidr> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_platform_exempts_pods_or_the_vnet() {
        let pods = cidrs(&["10.244.0.0/16", "fd12:3456:789a::/64"]);
        let vnet = cidrs(&["10.224.0.0/12", "192.168.0.0/16"]);
        for (mode, exempt) in [
            (Mode::Overlay, &["10.244.0.0/16"] as &[&str]),
            (Mode::Kubenet, &["10.244.0.0/16"]),
            (Mode::NodeSubnet, &["10.224.0.0/12", "192.168.0.0/16"]),
        ] {
            let config = shipped(mode, &pods, &vnet, &[IpFamily::Ipv4]).unwrap();
            assert_eq!(
                config,
                ShippedConfig { non_masquerade: cidrs(exempt), link_local: true, link_local_ipv6: false },
                "{mode}"
            );
        }
        assert!(shipped(Mode::Overlay, &pods, &vnet, &[IpFamily::Ipv4, IpFamily::Ipv6]).unwrap().link_local_ipv6);
        for mode in [Mode::PodSubnet, Mode::PodSubnetStatic, Mode::Byo] {
            assert_eq!(shipped(mode, &pods, &vnet, &[IpFamily::Ipv4]), None, "{mode}");
        }
    }

    #[test]
    fn presence_agrees_with_the_mode_table() {
        for (_, mode) in Mode::WORDS {
            assert_eq!(
                SHIPPED_ON.value.contains(mode),
                crate::facts::ModeFacts::of(*mode).masquerade.value.has_agent(),
                "{mode}"
            );
        }
    }
}
