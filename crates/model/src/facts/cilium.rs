//! The Cilium data plane: where it runs, what it bypasses, what its policies can't say.

use crate::design::{Mode, Os, Version};

/// What eBPF host routing needs and does not go with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostRouting {
    /// The oldest Kubernetes.
    pub min_kubernetes: Version,
    /// Node systems.
    pub systems: &'static [&'static str],
    /// Iptables rules of the node's own namespace are bypassed and can't be installed; a masquerade agent that uses
    /// them does nothing.
    pub bypasses_iptables: bool,
    /// Works with IPv4 and IPv6 together.
    pub dual_stack: bool,
    /// What it does not go with.
    pub incompatible: &'static [&'static str],
    /// The label of nodes that have it on.
    pub node_label: &'static str,
}

facts! {
    /// Modes it runs with; it changes neither where addresses come from nor who is seen.
    MODES: &[Mode] = &[Mode::Overlay, Mode::PodSubnet, Mode::PodSubnetStatic, Mode::NodeSubnet],
        "mode.cilium.ipam_modes" Doc 2026-8-5 "azure-cni-powered-by-cilium.md, concepts-network-azure-cni-pod-subnet.md";
    /// Systems of its pools.
    SYSTEMS: &[Os] = &[Os::Linux], "mode.cilium.os" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// It runs kube-proxy.
    KUBE_PROXY: bool = false, "mode.cilium.kube_proxy" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// Its engine is the only one; another one is uninstalled by the update.
    OWN_ENGINE_ONLY: bool = true, "mode.cilium.policy_engine" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// Least Cilium version by Kubernetes minor release.
    VERSIONS: &[(Version, &str)] = &[
            (Version::new(1, 31), "1.16.16"),
            (Version::new(1, 32), "1.17.9"),
            (Version::new(1, 33), "1.17.9"),
            (Version::new(1, 34), "1.18.6"),
            (Version::new(1, 35), "1.18.6"),
            (Version::new(1, 36), "1.18.9"),
        ],
        "mode.cilium.versions" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// `ipBlock` never matches these, not even 0.0.0.0/0; nodes need a CiliumNetworkPolicy with the entities host
    /// and remote-node.
    IP_BLOCK_NEVER_MATCHES: &[&str] = &["pods", "nodes"],
        "mode.cilium.ipblock_cannot_select" Doc 2026-8-5 "azure-cni-powered-by-cilium.md, migrate-from-npm-to-cilium-network-policy.md";
    /// Pods on the host network are policed.
    HOST_NETWORK_POLICED: bool = false,
        "mode.cilium.host_network_pods_policed" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// Identities of a cluster: distinct sets of security-relevant labels.
    IDENTITIES: u64 = 65_535,
        "mode.cilium.identity_limit" Doc 2026-8-5 "azure-cni-powered-by-cilium.md"
        "jobs with changing labels should have those excluded";
    /// The only change of cilium-config that is supported is to exclude labels.
    LABEL_EXCLUSION_ONLY: bool = true, "mode.cilium.configmap_changes" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// The oldest Kubernetes for local redirect policies.
    LOCAL_REDIRECT_FROM: Version = Version::new(1, 29),
        "mode.cilium.local_redirect_policy_min_k8s" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// The oldest Kubernetes for endpoint slices.
    ENDPOINT_SLICES_FROM: Version = Version::new(1, 32),
        "mode.cilium.endpoint_slices_min_k8s" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// The oldest Kubernetes for IPv4 and IPv6 together.
    DUAL_STACK_FROM: Version = Version::new(1, 29),
        "mode.cilium.dual_stack_min_k8s" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// One host port for two protocols works up to Cilium 1.16.
    SAME_HOST_PORT_TWO_PROTOCOLS: bool = false,
        "mode.cilium.same_host_port_different_protocol" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// Cilium masquerades by itself. The shipped agent does it with iptables, or BPF when eBPF host routing is on.
    OWN_MASQUERADE: bool = false, "mode.cilium.masquerade" Code 2026-8-20 "azure-container-networking, source tree";
    /// Ports of 168.63.129.16 pods can't reach.
    WIRESERVER_BLOCKED_PORTS: &[u16] = &[80, 32526],
        "mode.cilium.wireserver_block" Code 2026-8-20 "azure-container-networking, source tree";
    /// eBPF host routing.
    HOST_ROUTING: HostRouting = HostRouting {
            min_kubernetes: Version::new(1, 33),
            systems: &["Ubuntu 24.04", "Azure Linux 3.0"],
            bypasses_iptables: true,
            dual_stack: true,
            incompatible: &["static egress gateway", "confidential virtual machines", "pod sandboxing", "self-managed Istio ambient"],
            node_label: "kubernetes.azure.com/ebpf-host-routing",
        },
        "mode.cilium.ebpf_host_routing" Doc 2026-8-5 "container-network-performance-ebpf-host-routing.md, azure-cni-powered-by-cilium.md"
        "brief-masq-under-ebpf: node NAT by iptables cannot work here; all nodes of the cluster; unk.ebpf-host-routing-podsubnet";
    /// Label of the CiliumNode on which iptables rules of a user were found.
    USER_RULES_LABEL: &str = "kubernetes.azure.com/user-iptables-rules",
        "mode.cilium.iptables_monitor" Code 2026-8-20 "azure-container-networking, source tree";
    /// Features of Advanced Container Networking Services and their oldest Kubernetes.
    ACNS: &[(&str, Version)] = &[
            ("FQDN filtering", Version::new(1, 29)), ("L7 policies", Version::new(1, 29)),
            ("mutual TLS", Version::new(1, 34)), ("eBPF host routing", Version::new(1, 33)),
        ],
        "mode.cilium.acns_features" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// L7 policies: nodes and pods up to which they are supported, whichever is greater.
    L7_SCALE: (u64, u64) = (1_000, 40_000),
        "mode.cilium.l7_scale" Doc 2024-3-14 "container-network-security-l7-policy-concepts.md"
        "latency shows above 3,000 requests a second; not with Istio's L7, not in cluster-wide policies";
    /// Requests a second above which FQDN filtering degrades.
    FQDN_REQUESTS_PER_SECOND: u64 = 1_000,
        "mode.cilium.fqdn_scale" Doc 2024-7-30 "container-network-security-fqdn-filtering-concepts.md";
    /// UDP port of WireGuard between nodes; traffic within a node, of nodes and of host-network pods stays plain.
    WIREGUARD_PORT: u16 = 51_871,
        "mode.cilium.wireguard" Doc 2026-8-5 "container-network-security-wireguard-encryption-concepts.md, azure-cni-powered-by-cilium.md";
    /// The service tag restrictive outbound security groups should allow.
    TELEMETRY_TAG: &str = "AzureMonitor", "mode.cilium.nsg_telemetry" Doc 2026-8-5 "azure-cni-powered-by-cilium.md";
    /// Entries of identity, protocol and port that the policy map of one pod holds, by default.
    POLICY_MAP_ENTRIES: usize = 16_384,
        "cilium.policy_map" Doc 2026-11-20 "docs.cilium.io, network/ebpf/maps (eBPF Maps: Policy, per endpoint)"
        "a default of Cilium itself; AKS allows no change of its configuration but the exclusion of labels";
    /// With LocalDNS a default-deny egress policy must allow this range (Cilium up to 1.16) and the entity host.
    LOCAL_DNS_RANGE: &str = "169.254.10.0/24",
        "mode.cilium.localdns_policy" Doc 2026-8-5 "azure-cni-powered-by-cilium.md, localdns-custom.md"
        "brief-netpol-localdns: port 53 to kube-system alone cuts DNS; the entity alone is enough from Cilium 1.17 with Kubernetes 1.32";
}

/// The least Cilium version of a Kubernetes release; `None` where no document names one.
pub fn version_for(kubernetes: Version) -> Option<&'static str> {
    let of = |version: &Version| (version.major, version.minor) == (kubernetes.major, kubernetes.minor);
    VERSIONS.value.iter().find(|(version, _)| of(version)).map(|(_, cilium)| *cilium)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{ModeFacts, Support};

    #[test]
    fn versions_by_kubernetes() {
        assert_eq!(version_for(Version { major: 1, minor: 33, patch: Some(4) }), Some("1.17.9"));
        assert_eq!(version_for(Version::new(1, 30)), None);
    }

    #[test]
    fn modes_agree_with_the_mode_table() {
        for (_, mode) in Mode::WORDS {
            let runs = ModeFacts::of(*mode).supports_dataplane(crate::design::Dataplane::Cilium) == Support::Yes;
            assert_eq!(MODES.value.contains(mode), runs, "{mode}");
        }
    }
}
