//! Small values that several objects share.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every value with the word it is written as in a design file.
            pub const WORDS: &'static [(&'static str, $name)] = &[$(($word, $name::$variant),)*];

            /// The word of the design file.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            /// The value of a word, in any case (exports vary).
            pub fn parse(word: &str) -> Option<Self> {
                Self::WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, value)| *value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// How pods get their addresses.
    Mode {
        /// Azure CNI Overlay: a /24 per node from a private range outside the VNet.
        Overlay = "overlay",
        /// Azure CNI Pod Subnet, dynamic: batches of 16 on demand.
        PodSubnet = "podSubnet",
        /// Azure CNI Pod Subnet, static block: /28 blocks when the node joins.
        PodSubnetStatic = "podSubnetStatic",
        /// Azure CNI Node Subnet (legacy): maxPods + 1 addresses per node.
        NodeSubnet = "nodeSubnet",
        /// kubenet: a /24 and a route per node.
        Kubenet = "kubenet",
        /// Bring your own CNI.
        Byo = "byo",
    }
}

impl Mode {
    /// Pods take addresses of a subnet of the VNet.
    pub fn is_flat(self) -> bool {
        matches!(self, Mode::PodSubnet | Mode::PodSubnetStatic | Mode::NodeSubnet)
    }

    /// Pods live on a subnet of their own.
    pub fn uses_pod_subnet(self) -> bool {
        matches!(self, Mode::PodSubnet | Mode::PodSubnetStatic)
    }

    /// Pods live in the cluster's own range, a /24 per node (`byo`: a range the plugin cuts as it likes).
    pub fn uses_pod_cidr(self) -> bool {
        matches!(self, Mode::Overlay | Mode::Kubenet | Mode::Byo)
    }
}

words! {
    /// What moves packets on the node.
    Dataplane {
        /// iptables and kube-proxy.
        Azure = "azure",
        /// eBPF, no kube-proxy.
        Cilium = "cilium",
    }
}

words! {
    /// Who enforces NetworkPolicies.
    PolicyEngine {
        /// Nobody.
        None = "none",
        /// Azure NPM.
        Azure = "azure",
        /// Calico.
        Calico = "calico",
        /// Cilium.
        Cilium = "cilium",
        /// This product's own.
        Causeway = "causeway",
    }
}

words! {
    /// How a cluster's packets reach the internet.
    OutboundType {
        /// Outbound rules of the cluster's public load balancer.
        LoadBalancer = "loadBalancer",
        /// A NAT gateway AKS creates (managed VNet only).
        ManagedNatGateway = "managedNATGateway",
        /// The same, StandardV2 (preview).
        ManagedNatGatewayV2 = "managedNATGatewayV2",
        /// A NAT gateway on the subnet.
        UserAssignedNatGateway = "userAssignedNATGateway",
        /// A default route to a firewall or appliance.
        UserDefinedRouting = "userDefinedRouting",
        /// Nothing is set up.
        None = "none",
        /// Blocked by the platform (managed VNet only).
        Block = "block",
    }
}

words! {
    /// How clients and nodes reach the API server.
    ApiAccess {
        /// Public endpoint.
        Public = "public",
        /// Private link endpoint in the node subnet.
        Private = "private",
        /// An internal load balancer in a delegated subnet.
        VnetIntegration = "vnetIntegration",
    }
}

words! {
    /// kube-proxy's back end.
    KubeProxyMode {
        /// iptables.
        Iptables = "iptables",
        /// IPVS.
        Ipvs = "ipvs",
        /// nftables.
        Nftables = "nftables",
        /// No kube-proxy.
        None = "none",
    }
}

words! {
    /// Operating system of a pool.
    Os {
        /// Linux.
        Linux = "linux",
        /// Windows.
        Windows = "windows",
    }
}

words! {
    /// Who translates on the node.
    MasqueradeAgent {
        /// ip-masq-agent-v2.
        IpMasqAgentV2 = "ip-masq-agent-v2",
        /// The original of kubernetes-sigs.
        IpMasqAgent = "ip-masq-agent",
        /// Cilium's BPF agent.
        Cilium = "cilium",
        /// This product's node agent.
        Causeway = "causeway",
        /// Nobody.
        None = "none",
    }
}

words! {
    /// What brings requests from outside to pods.
    IngressKind {
        /// Application Gateway with its ingress controller.
        ApplicationGateway = "applicationGateway",
        /// Application Gateway for Containers.
        ApplicationGatewayForContainers = "applicationGatewayForContainers",
        /// nginx, own or application routing.
        Nginx = "nginx",
        /// Istio ingress gateway.
        Istio = "istio",
        /// A Gateway API implementation in the cluster.
        GatewayApi = "gatewayApi",
    }
}

words! {
    /// Who can reach an ingress.
    Exposure {
        /// The internet.
        Public = "public",
        /// Networks that reach the VNet.
        Internal = "internal",
    }
}

words! {
    /// Type of a Kubernetes Service.
    ServiceType {
        /// Inside the cluster.
        ClusterIp = "ClusterIP",
        /// A port on every node.
        NodePort = "NodePort",
        /// A load balancer frontend.
        LoadBalancer = "LoadBalancer",
        /// A name.
        ExternalName = "ExternalName",
    }
}

words! {
    /// `externalTrafficPolicy` of a Service.
    TrafficPolicy {
        /// Any node's pods; the client's address is lost.
        Cluster = "Cluster",
        /// Only pods of the node that received it; the client's address is kept.
        Local = "Local",
    }
}

words! {
    /// Transport protocol.
    Protocol {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
        /// ICMP and ICMPv6.
        Icmp = "icmp",
        /// SCTP.
        Sctp = "sctp",
        /// IPsec ESP.
        Esp = "esp",
        /// IPsec AH.
        Ah = "ah",
    }
}

words! {
    /// Address family.
    IpFamily {
        /// IPv4.
        Ipv4 = "ipv4",
        /// IPv6.
        Ipv6 = "ipv6",
    }
}

words! {
    /// Price tier of the control plane.
    Tier {
        /// No uptime promise; up to 1,000 nodes.
        Free = "free",
        /// Up to 5,000 nodes.
        Standard = "standard",
        /// Long-term support.
        Premium = "premium",
    }
}

/// Ports a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortMatch {
    /// `*`
    Any,
    /// From first to last, both included.
    Range(u16, u16),
}

impl PortMatch {
    /// Whether it matches a port.
    pub fn contains(self, port: u16) -> bool {
        match self {
            PortMatch::Any => true,
            PortMatch::Range(first, last) => (first..=last).contains(&port),
        }
    }
}

impl fmt::Display for PortMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PortMatch::Any => f.write_str("*"),
            PortMatch::Range(first, last) if first == last => write!(f, "{first}"),
            PortMatch::Range(first, last) => write!(f, "{first}-{last}"),
        }
    }
}

/// A number of nodes, absolute or as a share of the pool (`maxSurge`, `churn`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Share {
    /// So many.
    Count(u32),
    /// Percent of the pool, 0 to 100 (surge may state more). Rounded up to whole nodes.
    Percent(u32),
}

impl Share {
    /// `5` or `"10%"`.
    pub fn parse(text: &str) -> Option<Share> {
        match text.strip_suffix('%') {
            Some(percent) => percent.parse().ok().map(Share::Percent),
            None => text.parse().ok().map(Share::Count),
        }
    }

    /// Of a total, rounded up.
    pub fn of(self, total: u64) -> u64 {
        match self {
            Share::Count(count) => u64::from(count),
            Share::Percent(percent) => crate::arithmetic::ratio_up(total, percent.into(), 100),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Share::Count(count) => write!(f, "{count}"),
            Share::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// A factor with three decimals, kept whole so that output is the same everywhere: `2.0` is 2000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor {
    /// Thousandths.
    pub thousandths: u32,
}

impl Factor {
    /// A decimal number, `1.5`; at most three decimals, not negative.
    pub fn parse(text: &str) -> Option<Factor> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let decimals: u32 = format!("{decimals:0<3}").parse().ok()?;
        let whole: u32 = whole.parse().ok()?;
        Some(Factor { thousandths: whole.checked_mul(1000)?.checked_add(decimals)? })
    }

    /// A whole number times the factor, rounded up.
    pub fn times(self, value: u64) -> u64 {
        crate::arithmetic::ratio_up(value, self.thousandths.into(), 1000)
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.thousandths / 1000, format!("{:03}", self.thousandths % 1000));
        let decimals = decimals.trim_end_matches('0');
        if decimals.is_empty() { write!(f, "{whole}") } else { write!(f, "{whole}.{decimals}") }
    }
}

/// A Kubernetes version, `1.33` or `1.33.4`; ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 1.
    pub major: u32,
    /// The minor release.
    pub minor: u32,
    /// The patch; `None` = any.
    pub patch: Option<u32>,
}

impl Version {
    /// Major and minor.
    pub const fn new(major: u32, minor: u32) -> Self {
        Version { major, minor, patch: None }
    }

    /// `1.33`, `1.33.4`, `v1.33.4`, `1.33.4-aks`.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split(['-', '+']).next().unwrap_or(text);
        let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        let patch = match parts.next() {
            None => None,
            Some(patch) => Some(patch?),
        };
        parts.next().is_none().then_some(Version { major, minor, patch })
    }

    /// At least this minor release.
    pub fn at_least(self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_round_up() {
        assert_eq!(Share::parse("10%").map(|share| share.of(11)), Some(2));
        assert_eq!(Share::parse("3").map(|share| share.of(100)), Some(3));
        assert_eq!(Share::parse("ten"), None);
    }

    #[test]
    fn factors_are_exact() {
        assert_eq!(Factor::parse("2.0"), Some(Factor { thousandths: 2000 }));
        assert_eq!(Factor::parse("1.25").map(|factor| factor.times(3)), Some(4));
        assert_eq!(Factor::parse("1.2345"), None);
        assert_eq!(Factor::parse("-1"), None);
        assert_eq!(Factor { thousandths: 1250 }.to_string(), "1.25");
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(Version::parse("1.9").unwrap() < Version::parse("1.33").unwrap());
        assert!(Version::parse("v1.33.4").unwrap().at_least(1, 33));
        assert_eq!(Version::parse("latest"), None);
    }
}
