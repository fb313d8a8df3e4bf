//! Names and ports a cluster must reach from inside its network, by cloud; and what add-ons ask for besides.

/// Transport or application protocol of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// HTTPS.
    Https,
    /// HTTP.
    Http,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A destination clusters reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// A name (`*.` for any label), a service tag, or words; `<region>` and `<location>` stand for themselves.
    pub to: &'static str,
    /// How.
    pub carrier: Carrier,
    /// On which port.
    pub port: u16,
    /// What for.
    pub purpose: &'static str,
    /// Clusters need it, under the condition if there is one.
    pub required: bool,
    /// When it applies; empty = always.
    pub condition: &'static str,
}

const fn need(
    to: &'static str,
    carrier: Carrier,
    port: u16,
    purpose: &'static str,
    condition: &'static str,
) -> Destination {
    Destination { to, carrier, port, purpose, required: true, condition }
}

const fn wish(
    to: &'static str,
    carrier: Carrier,
    port: u16,
    purpose: &'static str,
    condition: &'static str,
) -> Destination {
    Destination { to, carrier, port, purpose, required: false, condition }
}

facts! {
    /// Dependencies are names; security groups can't express them, so a general outbound denial there is
    /// discouraged. AKS has no inbound dependencies; blocking traffic within the subnet is unsupported.
    NAMES_NOT_ADDRESSES: bool = true, "egr.general" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Network rules of the public cloud.
    NETWORK: &[Destination] = &[
            wish("AzureCloud.<region> or * or regional CIDRs or API server public IP", Carrier::Udp, 1194, "legacy node-to-control-plane tunnel (aks-link)", "not for private clusters or clusters with konnectivity-agent"),
            wish("AzureCloud.<region> or * or regional CIDRs or API server public IP", Carrier::Tcp, 9000, "legacy node-to-control-plane tunnel (tunnel-front)", "not for private clusters or clusters with konnectivity-agent"),
            wish("* or ntp.ubuntu.com", Carrier::Udp, 123, "NTP", "not needed for nodes created after March 2021"),
            need("custom DNS server IPs", Carrier::Udp, 53, "DNS", "only with custom DNS servers"),
            need("API server public IP", Carrier::Tcp, 443, "pods that call the API server by IP", "not for private clusters; alternatively annotate pods with kubernetes.azure.com/set-kube-service-host-fqdn behind an L7 firewall"),
        ],
        "egr.network.public" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names of the public cloud; the firewall tag AzureKubernetesService covers them.
    NAMES: &[Destination] = &[
            need("*.hcp.<location>.azmk8s.io", Carrier::Https, 443, "node and konnectivity to API server; ALPN must not be rewritten", "not needed for private clusters"),
            need("mcr.microsoft.com", Carrier::Https, 443, "system images", ""),
            need("*.data.mcr.microsoft.com", Carrier::Https, 443, "MCR storage", ""),
            need("mcr-0001.mcr-msedge.net", Carrier::Https, 443, "MCR storage/CDN", ""),
            need("management.azure.com", Carrier::Https, 443, "Azure API", ""),
            need("login.microsoftonline.com", Carrier::Https, 443, "Entra ID", ""),
            need("packages.microsoft.com", Carrier::Https, 443, "apt packages", ""),
            need("acs-mirror.azureedge.net", Carrier::Https, 443, "CNI and Kubernetes binaries (being replaced)", ""),
            need("packages.aks.azure.com", Carrier::Https, 443, "CNI and Kubernetes binaries", ""),
        ],
        "egr.fqdn.public" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Network rules in China.
    NETWORK_CHINA: &[Destination] = &[
            need("AzureCloud.<region>", Carrier::Udp, 1194, "tunnel", ""),
            need("AzureCloud.<region>", Carrier::Tcp, 9000, "tunnel", ""),
            need("AzureCloud.<region>", Carrier::Tcp, 22, "tunnel", ""),
            need("ntp.ubuntu.com", Carrier::Udp, 123, "NTP", ""),
            need("custom DNS", Carrier::Udp, 53, "DNS", "custom DNS only"),
            need("API server public IP", Carrier::Tcp, 443, "pods calling API server", ""),
        ],
        "egr.network.china" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names in China.
    NAMES_CHINA: &[Destination] = &[
            need("*.hcp.<location>.cx.prod.service.azk8s.cn", Carrier::Https, 443, "API server", ""),
            need("*.tun.<location>.cx.prod.service.azk8s.cn", Carrier::Https, 443, "API server tunnel", ""),
            need("mcr.microsoft.com", Carrier::Https, 443, "images", ""),
            need("*.data.mcr.microsoft.com", Carrier::Https, 443, "images", ""),
            need("management.chinacloudapi.cn", Carrier::Https, 443, "Azure API", ""),
            need("login.chinacloudapi.cn", Carrier::Https, 443, "Entra ID", ""),
            need("packages.microsoft.com", Carrier::Https, 443, "packages", ""),
            need("*.azk8s.cn", Carrier::Https, 443, "binaries", ""),
            need("mcr.azure.cn", Carrier::Https, 443, "images", ""),
            need("*.data.mcr.azure.cn", Carrier::Https, 443, "images", ""),
        ],
        "egr.fqdn.china" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Network rules of the US government cloud.
    NETWORK_US_GOVERNMENT: &[Destination] = &[
            need("AzureCloud.<region>", Carrier::Udp, 1194, "tunnel", ""),
            need("AzureCloud.<region>", Carrier::Tcp, 9000, "tunnel", ""),
            need("ntp.ubuntu.com", Carrier::Udp, 123, "NTP", ""),
            need("custom DNS", Carrier::Udp, 53, "DNS", "custom DNS only"),
            need("API server public IP", Carrier::Tcp, 443, "pods calling API server", ""),
        ],
        "egr.network.usgov" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names of the US government cloud.
    NAMES_US_GOVERNMENT: &[Destination] = &[
            need("*.hcp.<location>.cx.aks.containerservice.azure.us", Carrier::Https, 443, "API server", ""),
            need("mcr.microsoft.com", Carrier::Https, 443, "images", ""),
            need("*.data.mcr.microsoft.com", Carrier::Https, 443, "images", ""),
            need("management.usgovcloudapi.net", Carrier::Https, 443, "Azure API", ""),
            need("login.microsoftonline.us", Carrier::Https, 443, "Entra ID", ""),
            need("packages.microsoft.com", Carrier::Https, 443, "packages", ""),
            need("acs-mirror.azureedge.net", Carrier::Https, 443, "binaries", ""),
            need("packages.aks.azure.com", Carrier::Https, 443, "binaries", ""),
        ],
        "egr.fqdn.usgov" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names for patches of Linux nodes; without them fixes come with node images only.
    NAMES_LINUX_OPTIONAL: &[Destination] = &[
            wish("security.ubuntu.com", Carrier::Http, 80, "security patches", ""),
            wish("azure.archive.ubuntu.com", Carrier::Http, 80, "security patches", ""),
            wish("changelogs.ubuntu.com", Carrier::Http, 80, "security patches", ""),
            wish("snapshot.ubuntu.com", Carrier::Https, 443, "snapshot patches", ""),
        ],
        "egr.fqdn.optional_linux" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names for pools with GPUs.
    NAMES_GPU: &[Destination] = &[
            need("nvidia.github.io", Carrier::Https, 443, "driver", ""),
            need("us.download.nvidia.com", Carrier::Https, 443, "driver", ""),
            need("download.docker.com", Carrier::Https, 443, "driver", ""),
        ],
        "egr.fqdn.gpu" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names for Windows pools.
    NAMES_WINDOWS: &[Destination] = &[
            need("onegetcdn.azureedge.net", Carrier::Https, 443, "Windows binaries", ""),
            need("go.microsoft.com", Carrier::Https, 443, "Windows binaries", ""),
            need("*.mp.microsoft.com", Carrier::Http, 80, "Windows binaries", ""),
            need("www.msftconnecttest.com", Carrier::Http, 80, "Windows binaries", ""),
            need("ctldl.windowsupdate.com", Carrier::Http, 80, "Windows binaries", ""),
        ],
        "egr.fqdn.windows" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names workload identity needs on tcp/443.
    WORKLOAD_IDENTITY: &[&str] = &[
            "login.microsoftonline.com", "login.chinacloudapi.cn (China)", "login.microsoftonline.us (USGov)",
        ],
        "egr.addon.workload_identity" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names Defender needs on tcp/443.
    DEFENDER: &[&str] = &[
            "login.microsoftonline.com", "*.ods.opinsights.azure.com", "*.oms.opinsights.azure.com",
            "*.cloud.defender.microsoft.com",
        ],
        "egr.addon.defender" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names the Key Vault driver needs on tcp/443.
    KEY_VAULT: &[&str] = &["vault.azure.net", "*.vault.usgovcloudapi.net (USGov)"],
        "egr.addon.keyvault_csi" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names the policy add-on needs on tcp/443.
    POLICY: &[&str] = &[
            "data.policy.core.windows.net", "store.policy.core.windows.net", "dc.services.visualstudio.com",
        ],
        "egr.addon.policy" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names cost analysis needs on tcp/443.
    COST_ANALYSIS: &[&str] = &["management.azure.com", "login.microsoftonline.com"],
        "egr.addon.cost_analysis" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names cluster extensions needs on tcp/443.
    EXTENSIONS: &[&str] = &[
            "<region>.dp.kubernetesconfiguration.azure.com", "mcr.microsoft.com", "*.data.mcr.microsoft.com",
            "arcmktplaceprod.azurecr.io",
            "arcmktplaceprod.<centralindia|japaneast|westus2|westeurope|eastus>.data.azurecr.io",
            "*.ingestion.msftcloudes.com", "*.microsoftmetrics.com", "marketplaceapi.microsoft.com",
        ],
        "egr.addon.cluster_extensions" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names monitoring needs on tcp/443; the service tag AzureMonitor as well.
    MONITOR: &[&str] = &[
            "*.ods.opinsights.azure.com", "*.oms.opinsights.azure.com", "dc.services.visualstudio.com",
            "*.in.applicationinsights.azure.com", "*.monitoring.azure.com", "login.microsoftonline.com",
            "global.handler.control.monitor.azure.com", "*.ingest.monitor.azure.com",
            "*.metrics.ingest.monitor.azure.com", "<region>.handler.control.monitor.azure.com",
        ],
        "egr.addon.monitor" Doc 2026-6-18 "outbound-rules-control-egress.md";
    /// Names that may be blocked.
    IGNORABLE: &[&str] = &["md-*.blob.storage.azure.net"],
        "egr.ignorable" Doc 2026-6-18 "outbound-rules-control-egress.md"
        "umsa*.blob.core.windows.net belongs to the machine agent and must stay open";
    /// What the vendor's own firewall example opens besides the tag; names in network rules need the firewall's DNS
    /// proxy.
    FIREWALL_EXAMPLE: &[&str] = &[
            "network: tcp/9000 and udp/1194 to AzureCloud.<region>", "network: udp/123 to ntp.ubuntu.com",
            "network: tcp/443 to ghcr.io, pkg-containers.githubusercontent.com",
            "network: tcp/443 to docker.io, registry-1.docker.io, production.cloudflare.docker.com",
            "application: FQDN tag AzureKubernetesService on http 80 / https 443",
        ],
        "egr.nat_firewall_example" Doc 2023-12-5 "limit-egress-traffic.md";
}

/// Names a Linux cluster of the public cloud must reach; a private one does without the API server's public name.
pub fn required_names(private_cluster: bool) -> impl Iterator<Item = &'static Destination> {
    NAMES
        .value
        .iter()
        .filter(move |name| name.required && !(private_cluster && name.condition.contains("private clusters")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_clusters_do_without_the_public_name() {
        assert!(required_names(false).any(|name| name.to.contains(".hcp.")));
        assert!(!required_names(true).any(|name| name.to.contains(".hcp.")));
        assert!(required_names(true).any(|name| name.to == "mcr.microsoft.com" && name.port == 443));
    }
}
