//! NetworkPolicy engines: where each works, how far, and how they differ. By mode see [`crate::facts::ModeFacts::supports_engine`].

use super::Support;
use crate::design::{Os, PolicyEngine};
use jiff::civil::Date;

/// Where engines differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// What about.
    pub topic: &'static str,
    /// Azure NPM.
    pub npm: &'static str,
    /// Cilium.
    pub cilium: &'static str,
}

/// What Azure NPM can't do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NpmLimits {
    /// Nodes beyond which it runs out of memory.
    pub nodes: u64,
    /// Pods beyond which it does.
    pub pods: u64,
    /// It handles IPv6.
    pub ipv6: bool,
    /// What Windows lacks.
    pub not_on_windows: &'static [&'static str],
    /// `ipBlock` sections of a policy that are safe.
    pub ip_blocks: u64,
}

facts! {
    /// Systems an engine runs on. Calico is not tested by AKS.
    ENGINES: &[(PolicyEngine, &[Os])] = &[
            (PolicyEngine::Cilium, &[Os::Linux]),
            (PolicyEngine::Azure, &[Os::Linux, Os::Windows]),
            (PolicyEngine::Calico, &[Os::Linux, Os::Windows]),
        ],
        "np.engines" Doc 2026-8-18 "use-network-policies.md"
        "NPM on Windows Server 2022 only, and no new ones; Calico on Windows with the azure plugin only";
    /// Without an engine every pod talks to every pod and NetworkPolicy objects do nothing. AKS Automatic has Cilium.
    DEFAULT: PolicyEngine = PolicyEngine::None,
        "np.default" Doc 2026-8-18 "use-network-policies.md, concepts-network.md, quotas-skus-regions.md";
    /// Last day of Azure NPM: Linux, Windows.
    NPM_ENDS: (Date, Date) = (jiff::civil::date(2028, 9, 30), jiff::civil::date(2026, 9, 30)),
        "np.npm.retirement" Doc 2026-1-14 "azure-network-policy-manager-linux-retirement.md, azure-network-policy-manager-windows-retirement.md";
    /// Limits of Azure NPM.
    NPM: NpmLimits = NpmLimits { nodes: 250, pods: 20_000, ipv6: false, not_on_windows: &["named ports", "SCTP", "negative label or namespace selectors", "except in ipBlock"], ip_blocks: 4 },
        "np.npm.limits" Doc 2026-8-18 "use-network-policies.md";
    /// How NPM and Cilium read the same policy.
    DIFFERENCES: &[Difference] = &[
            Difference { topic: "ipBlock", npm: "matches pods and nodes", cilium: "never matches pods or nodes" },
            Difference { topic: "egress to the own node", npm: "allowed by itself", cilium: "blocked unless allowed" },
            Difference { topic: "ingress through a load balancer or node port with policy Cluster", npm: "passes by ingress policies", cilium: "enforced" },
            Difference { topic: "named ports", npm: "fine", cilium: "unreliable when one name has several numbers" },
            Difference { topic: "endPort", npm: "fine", cilium: "from 1.17" },
        ],
        "np.npm.vs_cilium" Doc 2025-7-30 "migrate-from-npm-to-cilium-network-policy.md";
    /// Calico goes with node auto-provisioning, and with IPv4 and IPv6 together. With kubenet it is CNI and engine,
    /// with the azure plugin engine only.
    CALICO_WITH_AUTO_PROVISIONING_OR_DUAL_STACK: bool = false,
        "np.calico" Doc 2026-8-18 "use-network-policies.md, node-auto-provisioning-networking.md, azure-cni-overlay.md";
    /// Installing or removing an engine reimages every pool at once.
    INSTALL_REIMAGES_ALL: bool = true, "np.install_effect" Doc 2026-8-18 "use-network-policies.md";
    /// Azure NPM works with kube-proxy in IPVS mode.
    NPM_WITH_IPVS: bool = false, "np.kube_proxy_ipvs" Doc 2026-1-28 "configure-kube-proxy.md";
    /// Policies may not see the original addresses of load-balanced traffic: use `loadBalancerSourceRanges`.
    LOAD_BALANCER_REWRITES: bool = true, "np.lb_rewrite" Doc 2026-8-18 "use-network-policies.md";
    /// Policies apply to what leaves through a static egress gateway.
    STATIC_EGRESS_POLICED: bool = false, "np.static_egress" Doc 2026-8-6 "configure-static-egress-gateway.md";
    /// Policies apply to pods on virtual nodes.
    VIRTUAL_NODES_POLICED: bool = false, "np.virtual_nodes" Doc 2023-11-6 "virtual-nodes.md";
    /// A policy that exists by itself.
    BUILT_IN: &str = "kube-system/konnectivity-agent",
        "np.konnectivity_policy" Doc 2022-8-23 "custom-nsg-blocks-traffic.md";
}

/// Whether an engine enforces on pools of that system. None never does; this product's own engine is not the
/// platform's to know.
pub fn enforces_on(engine: PolicyEngine, os: Os) -> Support {
    match ENGINES.value.iter().find(|(of, _)| *of == engine) {
        Some((_, systems)) if systems.contains(&os) && os == Os::Windows => Support::Conditional,
        Some((_, systems)) if systems.contains(&os) => Support::Yes,
        Some(_) => Support::No,
        None if engine == PolicyEngine::None => Support::No,
        None => Support::Unknown,
    }
}

/// The last day of Azure NPM on a system.
pub fn npm_ends(os: Os) -> Date {
    match os {
        Os::Linux => NPM_ENDS.value.0,
        Os::Windows => NPM_ENDS.value.1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_by_system() {
        for (engine, linux, windows) in [
            (PolicyEngine::None, Support::No, Support::No),
            (PolicyEngine::Azure, Support::Yes, Support::Conditional),
            (PolicyEngine::Calico, Support::Yes, Support::Conditional),
            (PolicyEngine::Cilium, Support::Yes, Support::No),
            (PolicyEngine::Causeway, Support::Unknown, Support::Unknown),
        ] {
            assert_eq!(
                (enforces_on(engine, Os::Linux), enforces_on(engine, Os::Windows)),
                (linux, windows),
                "{engine}"
            );
        }
    }

    #[test]
    fn npm_ends_on_windows_first() {
        assert!(npm_ends(Os::Windows) < npm_ends(Os::Linux));
    }
}
