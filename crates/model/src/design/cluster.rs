//! Clusters: mode, ranges, egress, pools, masquerade, ingress.

use super::names::*;
use super::value::*;
use super::workload::{Namespace, Node, Pod, PolicyObject, Service};
use causeway_addr::Cidr;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Azure region, as written.
    pub location: Option<String>,
    /// What the cluster's identity may do; `None` = not stated.
    pub subnet_permissions: Option<Vec<SubnetRef>>,
    /// `None` = not stated and not derivable: answers that need it are unknown.
    pub mode: Option<Mode>,
    /// Kubernetes version; `None` = not stated.
    pub version: Option<Version>,
    /// Default azure.
    pub dataplane: Dataplane,
    /// eBPF host routing is on: iptables rules of the node are bypassed.
    pub ebpf_host_routing: bool,
    /// `None` = not stated.
    pub network_policy: Option<PolicyEngine>,
    /// Overlay, kubenet and byo: one per family. Defaults are filled in and listed as assumed.
    pub pod_cidrs: Vec<Cidr>,
    /// One per family.
    pub service_cidrs: Vec<Cidr>,
    /// Cluster DNS.
    pub dns_service_ip: Option<IpAddr>,
    /// Default IPv4 only.
    pub ip_families: Vec<IpFamily>,
    /// How packets reach the internet.
    pub outbound: Outbound,
    /// How the API server is reached.
    pub api_server: ApiServer,
    /// kube-proxy.
    pub kube_proxy: KubeProxy,
    /// Node pools.
    pub pools: BTreeMap<PoolName, Pool>,
    /// On top of surge.
    pub headroom: Headroom,
    /// Settings of the pod subnet's address management.
    pub ipam: Ipam,
    /// Node masquerade; `None` = what the platform ships for the mode.
    pub masquerade: Option<Masquerade>,
    /// What a node really exempts, when it differs from the files.
    pub observed_exempt: Option<Vec<Cidr>>,
    /// Ingress controllers and gateways.
    pub ingress: Vec<Ingress>,
    /// Known nodes.
    pub nodes: BTreeMap<NodeName, Node>,
    /// Known namespaces.
    pub namespaces: BTreeMap<String, Namespace>,
    /// Known pods, sorted by namespace and name.
    pub pods: Vec<Pod>,
    /// Known services, sorted by namespace and name.
    pub services: Vec<Service>,
    /// Policies as Kubernetes writes them.
    pub policies: Vec<PolicyObject>,
    /// Price tier; `None` = not stated.
    pub tier: Option<Tier>,
    /// LocalDNS is on; `None` = not stated.
    pub local_dns: Option<bool>,
    /// Node auto-provisioning (Karpenter) adds nodes by itself.
    pub node_auto_provisioning: bool,
    /// AKS Automatic.
    pub automatic: bool,
    /// Load balancer SKU as written; `None` = not stated (standard).
    pub load_balancer_sku: Option<String>,
    /// The retired HTTP application routing add-on is on.
    pub http_application_routing: bool,
    /// The Open Service Mesh add-on is on.
    pub open_service_mesh: bool,
    /// Virtual nodes (pods in Azure Container Instances) are on.
    pub virtual_nodes: Option<VirtualNodes>,
    /// A static egress gateway is on.
    pub static_egress_gateway: bool,
}

/// Virtual nodes: pods that run in Azure Container Instances instead of on nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VirtualNodes {
    /// Where their pods get addresses; `None` = not stated.
    pub subnet: Option<SubnetRef>,
}

/// How a cluster's packets reach the internet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// The type; when not stated the platform's default, with `stated` false.
    pub kind: OutboundType,
    /// The user wrote it.
    pub stated: bool,
    /// Load balancer and managed NAT gateway: number of outbound IPv4 addresses. `None` = not stated (1).
    pub ips: Option<u32>,
    /// False when that number can't be told (an outbound prefix of unknown size): one must not be assumed.
    pub ips_known: bool,
    /// The same for IPv6.
    pub ipv6_ips: Option<u32>,
    /// Known outbound addresses.
    pub public_ips: Vec<IpAddr>,
    /// Load balancer: `allocatedOutboundPorts`. `None` or 0 = automatic by pool size.
    pub ports_per_node: Option<u32>,
    /// `None` = the type's default.
    pub idle_timeout_minutes: Option<u32>,
}

/// How the API server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiServer {
    /// Public, private link or VNet integration; when not stated public, with `stated` false.
    pub access: ApiAccess,
    /// The user wrote it.
    pub stated: bool,
    /// VNet integration: the delegated subnet. Private: the endpoint's.
    pub subnet: Option<SubnetRef>,
    /// Allowed client ranges; `None` = not stated, empty = everybody.
    pub authorized_ranges: Option<Vec<Cidr>>,
    /// With VNet integration: the endpoint is public all the same.
    pub public: Option<bool>,
    /// Private cluster's zone: `system`, `none` or the zone's name.
    pub private_dns_zone: Option<String>,
    /// The private name the platform gave it: only a cluster that exists has one.
    pub private_fqdn: Option<String>,
    /// A private cluster has a public name as well, which resolves to its private address; `None` = not stated.
    pub public_fqdn: Option<bool>,
    /// Its private address, if known.
    pub private_ip: Option<IpAddr>,
}

/// kube-proxy's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeProxy {
    /// `None` = not stated.
    pub mode: Option<KubeProxyMode>,
    /// What kube-proxy takes for pods; `None` = not stated.
    pub cluster_cidrs: Option<Vec<Cidr>>,
}

/// A node pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// How many nodes.
    pub nodes: PoolSize,
    /// Pods per node. When not stated the mode's default, and listed as assumed; `None` where no default is known.
    pub max_pods: Option<u32>,
    /// Nodes added during an upgrade; `None` = not stated (plan with at least one, 10 % rounded up).
    pub max_surge: Option<Share>,
    /// Nodes that may be missing during an upgrade; default 0.
    pub max_unavailable: Option<Share>,
    /// Default Linux.
    pub os: Os,
    /// The SKU of the system, as `AzureLinux`, `Windows2022`.
    pub os_sku: Option<String>,
    /// Where nodes get their addresses; `None` = a VNet of the platform's.
    pub subnet: Option<SubnetRef>,
    /// Where pods get theirs, in the pod-subnet modes.
    pub pod_subnet: Option<SubnetRef>,
    /// This pool's own allocation, where a cluster mixes dynamic and static block; `None` = the cluster's mode.
    pub mode: Option<Mode>,
    /// Availability zones; empty = not zonal or not stated.
    pub zones: Vec<String>,
    /// Each node has a public address.
    pub node_public_ip: bool,
    /// Node labels.
    pub labels: BTreeMap<String, String>,
    /// Taints as written.
    pub taints: Vec<String>,
    /// System pool; `None` = not stated.
    pub system: Option<bool>,
    /// Virtual machine size.
    pub vm_size: Option<String>,
    /// The nodes are machines of an availability set, not of a scale set.
    pub availability_set: bool,
    /// Blue/green upgrade: every node is doubled while it lasts.
    pub blue_green: bool,
    /// Address batch size and so on may be measured: addresses this pool holds now, from node network configurations.
    pub allocated: Option<u64>,
}

/// How many nodes a pool has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSize {
    /// Now; `None` = not known.
    pub count: Option<u32>,
    /// Autoscaler's lower bound.
    pub min: Option<u32>,
    /// Autoscaler's upper bound; `None` = no autoscaler, the count is the maximum.
    pub max: Option<u32>,
}

impl PoolSize {
    /// Nodes now: the count, else the lower bound.
    pub fn now(self) -> Option<u32> {
        self.count.or(self.min)
    }

    /// The most nodes the pool may have without an upgrade: the larger of the upper bound and the count.
    pub fn most(self) -> Option<u32> {
        self.max.max(self.count).or(self.min)
    }
}

/// Room kept on top of surge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headroom {
    /// Nodes for emergencies.
    pub emergency_nodes: u32,
    /// Nodes of the other colour while a blue/green move lasts.
    pub migration_overlap_nodes: u32,
    /// Pod addresses that rest before reuse, as a share of pods; `None` = none stated.
    pub churn: Option<Share>,
}

/// Settings of the pod subnet's address management (azure-facts `mode.dyn.ipam.*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipam {
    /// Addresses per request; 16.
    pub batch: u32,
    /// Part of a batch that is kept free; 0.5.
    pub min_free: Factor,
    /// Pods per node on the host network, which take no address; `None` = not stated (0).
    pub host_network_pods_per_node: Option<u32>,
}

impl Default for Ipam {
    fn default() -> Self {
        Ipam { batch: 16, min_free: Factor { thousandths: 500 }, host_network_pods_per_node: None }
    }
}

/// Node masquerade as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masquerade {
    /// Who translates; `None` = not stated.
    pub agent: Option<MasqueradeAgent>,
    /// Arguments of the agent.
    pub flags: Vec<String>,
    /// Files of its configuration directory by name.
    pub files: BTreeMap<String, MasqueradeFile>,
    /// The agent's DaemonSet, where it was given.
    pub daemon_set: Option<AgentManifest>,
    /// ConfigMaps that carry (or look as if they should carry) its configuration.
    pub config_maps: Vec<ConfigMap>,
    /// What reading the files gave; filled in by the reader, last of all.
    pub reading: crate::masquerade::MasqueradeReading,
}

/// One file of the agent's configuration directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasqueradeFile {
    /// The bytes as the agent would read them.
    pub text: String,
    /// What `text` is in the user's files: the reader of masquerade files maps its own findings back with it.
    /// `lines[i]` is the span of line `i`; empty where no mapping is known.
    pub lines: Vec<crate::source::Span>,
}

impl MasqueradeFile {
    /// The place of a range of bytes of `text` in the user's files. Exact where a line stands there as it is; the whole
    /// line where it was escaped or folded. `None` where no mapping is known.
    pub fn place(&self, range: std::ops::Range<usize>) -> Option<crate::source::Span> {
        let (first, last) = (self.line_of(range.start), self.line_of(range.end.max(range.start)));
        let (from, to) = (self.lines.get(first.0)?, self.lines.get(last.0)?);
        if from.file != to.file {
            return Some(*from);
        }
        let within = |span: &crate::source::Span, (line, column): (usize, usize)| {
            let length = self.text.split('\n').nth(line).map_or(0, str::len);
            let verbatim = usize::try_from(span.end.saturating_sub(span.start)) == Ok(length);
            verbatim.then(|| span.start.saturating_add(u32::try_from(column).unwrap_or(u32::MAX)).min(span.end))
        };
        let start = within(from, first).unwrap_or(from.start);
        let end = within(to, last).unwrap_or(to.end);
        Some(crate::source::Span { file: from.file, start, end: end.max(start) })
    }

    /// The line a byte is in and its offset there.
    fn line_of(&self, at: usize) -> (usize, usize) {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        let line = before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        (line, before.len() - start)
    }
}

/// What matters of the DaemonSet that runs a masquerade agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentManifest {
    /// Its name.
    pub name: String,
    /// Its namespace; `None` = not written (`default`).
    pub namespace: Option<String>,
    /// `spec.template.spec.hostNetwork`.
    pub host_network: bool,
    /// Command and arguments of the agent's container.
    pub args: Vec<String>,
    /// Image of the agent's container.
    pub image: Option<String>,
    /// `securityContext.privileged`.
    pub privileged: bool,
    /// Added capabilities.
    pub capabilities: Vec<String>,
    /// Volumes: where they are mounted and the ConfigMaps they come from.
    pub mounts: Vec<AgentMount>,
    /// `nodeSelector` and affinity leave Linux nodes out, as far as can be told; the selector as written.
    pub node_selector: BTreeMap<String, String>,
    /// Taints tolerated: `true` when every taint is.
    pub tolerates_all: bool,
}

impl AgentManifest {
    /// It runs our own agent, which takes the place of ip-masq-agent-v2: told by the program, or by the name of an image that starts it.
    pub fn is_causeway(&self) -> bool {
        const PROGRAM: &str = "causeway-node";
        let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let program = self.args.first().filter(|first| !first.starts_with('-'));
        match program {
            Some(program) => last(program) == PROGRAM,
            None => self.image.as_deref().is_some_and(|image| last(image).starts_with(PROGRAM)),
        }
    }
}

/// A volume of the agent's container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentMount {
    /// `mountPath`.
    pub path: String,
    /// `subPath`, which never sees updates.
    pub sub_path: Option<String>,
    /// ConfigMaps behind it (a `configMap` volume, or the sources of a `projected` one) with the file names they give, `None` = all keys.
    pub config_maps: Vec<MountedConfigMap>,
    /// `hostPath`, where it is one.
    pub host_path: Option<String>,
}

/// A ConfigMap behind a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedConfigMap {
    /// Its name.
    pub name: String,
    /// `optional: true`.
    pub optional: bool,
    /// `items`: key to path; `None` = all keys under their own names.
    pub items: Option<BTreeMap<String, String>>,
}

/// A ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigMap {
    /// Its name.
    pub name: String,
    /// Its namespace; `None` = not written.
    pub namespace: Option<String>,
    /// Its keys.
    pub data: BTreeMap<String, MasqueradeFile>,
}

/// An ingress controller or gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingress {
    /// What it is.
    pub kind: IngressKind,
    /// Who can reach it; `None` = not stated.
    pub exposure: Option<Exposure>,
    /// The subnet it needs.
    pub subnet: Option<SubnetRef>,
    /// Its frontend address, if known.
    pub ip: Option<IpAddr>,
    /// Ports it listens on; empty = 80 and 443.
    pub ports: Vec<u16>,
}
