//! What retires, what can be updated to what, and what that needs.

use super::Support;
use crate::design::{Mode, Os, Version};
use jiff::civil::{Date, date};

/// What retires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Retiring {
    /// The kubenet mode.
    Kubenet,
    /// Azure NPM on Linux.
    NpmLinux,
    /// Azure NPM on Windows.
    NpmWindows,
    /// Basic load balancers.
    BasicLoadBalancer,
    /// The platform's default outbound access in VNets AKS manages.
    DefaultOutbound,
    /// ingress-nginx, upstream.
    NginxUpstream,
    /// nginx of application routing.
    NginxAppRouting,
    /// Open Service Mesh.
    OpenServiceMesh,
    /// Pools in availability sets.
    AvailabilitySets,
    /// Azure Linux 2.0 pools.
    AzureLinux2,
    /// Windows Server 2019 pools.
    Windows2019,
    /// Windows Server 2022 pools.
    Windows2022,
    /// Windows Server Annual Channel pools.
    WindowsAnnual,
}

/// A retirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retirement {
    /// What.
    pub what: Retiring,
    /// As the vendor calls it.
    pub name: &'static str,
    /// The last day; where a month is announced, its last.
    pub ends: Date,
    /// When images of its systems are removed.
    pub images_removed: Option<Date>,
    /// Pools of this system only.
    pub os: Option<Os>,
    /// What to use instead.
    pub instead: &'static str,
    /// The document that announces it.
    pub document: &'static str,
}

const fn row(
    what: Retiring,
    name: &'static str,
    ends: Date,
    instead: &'static str,
    document: &'static str,
) -> Retirement {
    Retirement { what, name, ends, images_removed: None, os: None, instead, document }
}

/// A path from one mode to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// From.
    pub from: Mode,
    /// To.
    pub to: Mode,
    /// In place, or not.
    pub supported: Support,
}

facts! {
    /// What retires when.
    RETIREMENTS: &[Retirement] = &[
            Retirement { os: Some(Os::Linux), ..row(Retiring::Kubenet, "kubenet", date(2028, 3, 31), "Azure CNI Overlay", "kubenet-retirement.md") },
            Retirement { os: Some(Os::Linux), ..row(Retiring::NpmLinux, "Azure NPM on Linux", date(2028, 9, 30), "Cilium", "azure-network-policy-manager-linux-retirement.md") },
            Retirement { os: Some(Os::Windows), ..row(Retiring::NpmWindows, "Azure NPM on Windows", date(2026, 9, 30), "Calico", "azure-network-policy-manager-windows-retirement.md") },
            row(Retiring::BasicLoadBalancer, "Basic load balancer", date(2025, 9, 30), "Standard load balancer", "basic-load-balancer-retirement.md"),
            row(Retiring::DefaultOutbound, "default outbound access in AKS-managed VNets", date(2026, 3, 31), "an explicit outbound type", "vm-default-outbound-access-retirement.md"),
            row(Retiring::NginxUpstream, "ingress-nginx upstream", date(2026, 3, 31), "the Gateway API", "ingress-nginx-retirement.md"),
            row(Retiring::NginxAppRouting, "nginx of application routing", date(2026, 11, 30), "the Gateway API of application routing", "ingress-nginx-retirement.md"),
            row(Retiring::OpenServiceMesh, "Open Service Mesh add-on", date(2027, 9, 30), "the Istio add-on", "open-service-mesh-retirement.md"),
            row(Retiring::AvailabilitySets, "pools in availability sets", date(2025, 9, 30), "scale sets", "availability-sets-retirement.md"),
            Retirement { images_removed: Some(date(2026, 3, 31)), os: Some(Os::Linux), ..row(Retiring::AzureLinux2, "Azure Linux 2.0", date(2025, 11, 30), "Azure Linux 3.0", "azure-linux-retirement.md") },
            Retirement { images_removed: Some(date(2027, 4, 1)), os: Some(Os::Windows), ..row(Retiring::Windows2019, "Windows Server 2019 pools", date(2026, 3, 1), "Windows Server 2022 or 2025", "windows-server-2019-retirement.md") },
            Retirement { images_removed: Some(date(2029, 6, 30)), os: Some(Os::Windows), ..row(Retiring::Windows2022, "Windows Server 2022 pools", date(2028, 6, 30), "Windows Server 2025", "windows-server-2022-retirement.md") },
            Retirement { images_removed: Some(date(2027, 5, 15)), os: Some(Os::Windows), ..row(Retiring::WindowsAnnual, "Windows Server Annual Channel", date(2026, 5, 15), "a long-term release", "windows-annual-channel-retirement.md") },
        ],
        "ret.table" Doc 2026-8-21 "AKS includes/*-retirement.md" "default-outbound-date, nginx-still-recommended";
    /// Changes of mode; what stands in no row is not offered. Conditional: new pools only.
    PATHS: &[Path] = &[
            Path { from: Mode::NodeSubnet, to: Mode::Overlay, supported: Support::Yes },
            Path { from: Mode::Kubenet, to: Mode::Overlay, supported: Support::Yes },
            Path { from: Mode::PodSubnet, to: Mode::Overlay, supported: Support::No },
            Path { from: Mode::PodSubnet, to: Mode::PodSubnetStatic, supported: Support::Conditional },
        ],
        "mig.ipam" Doc 2024-11-26 "update-azure-cni.md, configure-azure-cni-static-block-allocation.md"
        "static-block-migration: pool by pool, never in place; forward only";
    /// Modes whose data plane can be updated to Cilium, addresses unchanged; kubenet must become overlay first.
    TO_CILIUM: &[Mode] = &[Mode::NodeSubnet, Mode::PodSubnet, Mode::Overlay],
        "mig.dataplane" Doc 2024-11-26 "update-azure-cni.md";
    /// What an update to overlay needs besides the version.
    OVERLAY_NEEDS: &[&str] = &[
            "no dynamic allocation", "no network policy engine", "no Windows pools with Docker",
            "Windows builds from 20348.1668",
        ],
        "mig.overlay.prereq" Doc 2024-11-26 "update-azure-cni.md"
        "policy-on-overlay-upgrade: one page describes kubenet with Calico keeping it; the strict rule counts";
    /// A pod CIDR must be given coming from node subnet; from kubenet the old one is kept unless a larger is given.
    OVERLAY_NEEDS_POD_CIDR: Mode = Mode::NodeSubnet,
        "mig.overlay.pod_cidr" Doc 2024-11-26 "update-azure-cni.md"
        "update-overlay-pod-cidr: one tab of the page leaves it out";
    /// kubenet becomes overlay with a user-assigned identity; AKS detaches the route table.
    KUBENET_NEEDS_USER_IDENTITY: bool = true, "mig.overlay.kubenet" Doc 2024-11-26 "update-azure-cni.md";
    /// Masquerade ranges left over in azure-ip-masq-agent-config break replies after an update to overlay: pods
    /// can't be reached from there. Delete it.
    LEFTOVER_MASQUERADE_BREAKS: bool = true, "mig.overlay.ip_masq_warning" Doc 2024-11-26 "update-azure-cni.md";
    /// An update reimages every pool at once; policies are enforced when all nodes are done.
    REIMAGES_ALL: bool = true, "mig.simultaneous_reimage" Doc 2024-11-26 "update-azure-cni.md";
    /// Mode and data plane are changed one after the other.
    ONE_AT_A_TIME: bool = true, "mig.separate_operations" Doc 2024-11-26 "update-azure-cni.md";
    /// What stands in the way of Cilium.
    CILIUM_BLOCKERS: &[&str] = &["Windows pools", "node auto-provisioning (switch it off, update, switch it on)"],
        "mig.cilium.blockers" Doc 2024-11-26 "update-azure-cni.md";
    /// Longest and only prefix of an Application Gateway for Containers subnet before an update to overlay.
    GATEWAY_SUBNET_BEFORE_OVERLAY: u8 = 24,
        "mig.agc_subnet" DocOld 2025-3-24 "container-networking.md (Application Gateway for Containers)"
        "a /23 there causes an outage";
    /// An engine other than Cilium is removed and replaced by the update.
    ENGINE_IS_REPLACED: bool = true,
        "mig.npm_to_cilium" Doc 2025-7-30 "migrate-from-npm-to-cilium-network-policy.md, update-azure-cni.md";
    /// The mode when no plugin is given. `azure` without a mode is node subnet.
    MODE_WHEN_OMITTED: Mode = Mode::Overlay,
        "mode.overlay.aks_default_when_plugin_omitted" Doc 2026-7-31 "azure-cni-overlay.md"
        "default-cni-when-omitted: older pages say kubenet; warn where a template omits it";
    /// Characters of a node label's value: names of overlay clusters' subnets and the like become labels.
    LABEL_CHARACTERS: u64 = 63, "mode.overlay.name_length_limit" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md";
    /// What overlay does not go with.
    OVERLAY_NOT_WITH: &[&str] = &["availability sets", "DCsv2 sizes", "virtual nodes"],
        "mode.overlay.unsupported" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md";
    /// Azure command-line versions of static block allocation; versions of other features are in their notes.
    STATIC_BLOCK_CLI: &str = "2.75.0",
        "mode.static.min_cli" Doc 2024-3-18 "configure-azure-cni-static-block-allocation.md"
        "static-block-preview: an older page asks for a preview extension";
    /// Azure command-line versions of the Cilium data plane: overlay and pod subnet, node subnet, update of a cluster.
    CILIUM_CLI: (&str, &str, &str) = ("2.48.1", "2.69.0", "2.52.0"),
        "mode.cilium.min_cli" Doc 2026-8-5 "azure-cni-powered-by-cilium.md, update-azure-cni.md";
}

/// The oldest Kubernetes a cluster can be updated to overlay with (`mig.overlay.prereq`).
pub const OVERLAY_FROM: Version = Version::new(1, 27);

/// A retirement by what retires.
pub fn retirement(what: Retiring) -> Option<&'static Retirement> {
    RETIREMENTS.value.iter().find(|row| row.what == what)
}

/// Whether a cluster can be updated from one mode to another in place. Conditional: new pools only.
pub fn path(from: Mode, to: Mode) -> Support {
    if from == to {
        return Support::Yes;
    }
    PATHS.value.iter().find(|path| (path.from, path.to) == (from, to)).map_or(Support::No, |path| path.supported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ModeFacts;
    use std::collections::BTreeSet;

    #[test]
    fn paths_between_modes() {
        for (from, to, supported) in [
            (Mode::NodeSubnet, Mode::Overlay, Support::Yes),
            (Mode::Kubenet, Mode::Overlay, Support::Yes),
            (Mode::PodSubnet, Mode::Overlay, Support::No),
            (Mode::PodSubnet, Mode::PodSubnetStatic, Support::Conditional),
            (Mode::Overlay, Mode::NodeSubnet, Support::No),
            (Mode::Overlay, Mode::Overlay, Support::Yes),
            (Mode::Kubenet, Mode::PodSubnet, Support::No),
            (Mode::NodeSubnet, Mode::PodSubnet, Support::No),
        ] {
            assert_eq!(path(from, to), supported, "{from} to {to}");
        }
    }

    #[test]
    fn paths_and_dates_agree_with_the_mode_table() {
        for (_, from) in Mode::WORDS {
            for (_, to) in Mode::WORDS {
                let in_place = from != to && path(*from, *to) == Support::Yes;
                assert_eq!(ModeFacts::of(*from).becomes.value.contains(to), in_place, "{from} to {to}");
            }
            assert_eq!(TO_CILIUM.value.contains(from), ModeFacts::of(*from).to_cilium.value.is_possible(), "{from}");
        }
        assert_eq!(ModeFacts::of(Mode::Kubenet).retires.value, retirement(Retiring::Kubenet).map(|row| row.ends));
        for (os, what) in [(Os::Linux, Retiring::NpmLinux), (Os::Windows, Retiring::NpmWindows)] {
            assert_eq!(Some(crate::facts::policy::npm_ends(os)), retirement(what).map(|row| row.ends));
        }
    }

    #[test]
    fn every_retirement_stands_once() {
        let whats: BTreeSet<_> = RETIREMENTS.value.iter().map(|row| row.what).collect();
        assert_eq!(whats.len(), RETIREMENTS.value.len());
        for row in RETIREMENTS.value {
            assert!(row.images_removed.is_none_or(|removed| removed > row.ends), "{}", row.name);
        }
    }
}
