//! Clusters and their pools, as written.

use super::*;
use crate::document::leaf::*;
use crate::document::macros::object;
use crate::document::schema::Definitions;
use crate::document::{Context, Document};
use crate::tree;
use causeway_addr::Cidr;
use causeway_model::design::value::*;
use serde_json::{Value, json};
use std::net::IpAddr;

object! {
    /// A cluster.
    Cluster {
        /// Azure region.
        "location" location: String,
        /// The cluster's identity.
        "identity" identity: Identity,
        /// How pods get their addresses.
        "mode" mode: Mode,
        /// Kubernetes version.
        "version" version: Version,
        /// `azure` (default) or `cilium`.
        "dataplane" dataplane: Dataplane,
        /// eBPF host routing is on.
        "ebpfHostRouting" ebpf_host_routing: bool,
        /// Who enforces NetworkPolicies.
        "networkPolicy" network_policy: PolicyEngine,
        /// Overlay and kubenet: the pods' range, one per family.
        "podCidr" pod_cidr: Many<Cidr>,
        /// The services' range, one per family.
        "serviceCidr" service_cidr: Many<Cidr>,
        /// Address of the cluster DNS.
        "dnsServiceIp" dns_service_ip: IpAddr,
        /// `ipv4` (default), `ipv6`.
        "ipFamilies" ip_families: Many<IpFamily>,
        /// How packets reach the internet.
        "outbound" outbound: OrWord<Outbound>,
        /// How the API server is reached.
        "apiServer" api_server: OrWord<ApiServer>,
        /// kube-proxy.
        "kubeProxy" kube_proxy: OrWord<KubeProxy>,
        /// Node pools by name.
        "pools" pools: Named<Pool>,
        /// Room on top of surge.
        "headroom" headroom: Headroom,
        /// The pod subnet's address management.
        "ipam" ipam: Ipam,
        /// Node masquerade; absent = what the platform ships.
        "masquerade" masquerade: Masquerade,
        /// What a node really has, when it differs from the files.
        "observedRules" observed_rules: ObservedRules,
        /// Ingress controllers and gateways.
        "ingress" ingress: Many<Ingress>,
        /// Files or globs of Kubernetes manifests, or the objects themselves.
        "manifests" manifests: Many<Raw>,
        /// Known nodes by name.
        "nodes" nodes: Named<Node>,
        /// Known namespaces by name.
        "namespaces" namespaces: Named<Namespace>,
        /// Known pods.
        "pods" pods: Vec<Pod>,
        /// Known services.
        "services" services: Vec<Service>,
        /// NetworkPolicy objects as Kubernetes writes them.
        "policies" policies: Vec<Raw>,
        /// `free`, `standard` or `premium`.
        "tier" tier: Tier,
        /// LocalDNS is on.
        "localDns" local_dns: bool,
        /// Node auto-provisioning is on.
        "nodeAutoProvisioning" node_auto_provisioning: bool,
        /// AKS Automatic.
        "automatic" automatic: bool,
        /// `standard` or `basic`.
        "loadBalancerSku" load_balancer_sku: String,
        /// The retired HTTP application routing add-on is on.
        "httpApplicationRouting" http_application_routing: bool,
        /// The Open Service Mesh add-on is on.
        "openServiceMesh" open_service_mesh: bool,
        /// Virtual nodes are on.
        "virtualNodes" virtual_nodes: VirtualNodes,
        /// A static egress gateway is on.
        "staticEgressGateway" static_egress_gateway: bool,
    }

    /// The cluster's identity.
    Identity {
        /// Subnets it may join, `NETWORK/SUBNET`.
        "subnetPermissions" subnet_permissions: Many<String>,
    }

    /// Virtual nodes.
    VirtualNodes {
        /// Their pods' subnet, `NETWORK/SUBNET`.
        "subnet" subnet: String,
    }

    /// How packets reach the internet.
    Outbound {
        /// The outbound type.
        "type" kind: OutboundType,
        /// Number of outbound IPv4 addresses.
        "ips" ips: u32,
        /// `false` = that number can't be told, as for a prefix of unknown size; default true.
        "ipsKnown" ips_known: bool,
        /// Number of outbound IPv6 addresses.
        "ipv6Ips" ipv6_ips: u32,
        /// Known outbound addresses.
        "publicIps" public_ips: Many<IpAddr>,
        /// Load balancer: SNAT ports per node; 0 = automatic.
        "portsPerNode" ports_per_node: u32,
        /// Idle timeout.
        "idleTimeoutMinutes" idle_timeout_minutes: u32,
    }

    /// How the API server is reached.
    ApiServer {
        /// `public`, `private` or `vnetIntegration`.
        "access" access: ApiAccess,
        /// Its subnet, `NETWORK/SUBNET`.
        "subnet" subnet: String,
        /// Client ranges let in; empty = everybody.
        "authorizedRanges" authorized_ranges: Many<String>,
        /// With VNet integration: the endpoint is public all the same.
        "public" public: bool,
        /// `system`, `none`, or the zone's name.
        "privateDnsZone" private_dns_zone: String,
        /// Its private name, of a cluster that exists.
        "privateFqdn" private_fqdn: String,
        /// Private: there is a public name as well, which resolves to the private address.
        "publicFqdn" public_fqdn: bool,
        /// Its private address.
        "privateIp" private_ip: IpAddr,
    }

    /// kube-proxy.
    KubeProxy {
        /// `iptables`, `ipvs`, `nftables` or `none`.
        "mode" mode: KubeProxyMode,
        /// What kube-proxy takes for pods.
        "clusterCidr" cluster_cidr: Many<Cidr>,
    }

    /// A node pool.
    Pool {
        /// Nodes: a number, or count, min and max.
        "nodes" nodes: OrWord<PoolSize>,
        /// Pods per node.
        "maxPods" max_pods: u32,
        /// Nodes added during an upgrade: a number or a percentage.
        "maxSurge" max_surge: Share,
        /// Nodes that may be missing during an upgrade.
        "maxUnavailable" max_unavailable: Share,
        /// `linux` (default) or `windows`.
        "os" os: Os,
        /// SKU of the system, as `AzureLinux`.
        "osSku" os_sku: String,
        /// Nodes' subnet, `NETWORK/SUBNET`.
        "subnet" subnet: String,
        /// Pods' subnet, `NETWORK/SUBNET`.
        "podSubnet" pod_subnet: String,
        /// The pool's own allocation where a cluster mixes `podSubnet` and `podSubnetStatic`.
        "mode" mode: Mode,
        /// Availability zones.
        "zones" zones: Many<String>,
        /// Each node has a public address.
        "nodePublicIp" node_public_ip: bool,
        /// Node labels.
        "labels" labels: Named<String>,
        /// Taints.
        "taints" taints: Many<String>,
        /// A system pool.
        "system" system: bool,
        /// Virtual machine size.
        "vmSize" vm_size: String,
        /// The nodes are machines of an availability set; default false, a scale set.
        "availabilitySet" availability_set: bool,
        /// Upgrades double the pool (blue/green).
        "blueGreen" blue_green: bool,
        /// Pod addresses the pool's nodes hold now.
        "allocated" allocated: u64,
    }

    /// How many nodes.
    PoolSize {
        /// Now.
        "count" count: u32,
        /// Autoscaler's lower bound.
        "min" min: u32,
        /// Autoscaler's upper bound.
        "max" max: u32,
    }

    /// Room on top of surge.
    Headroom {
        /// Nodes for emergencies.
        "emergencyNodes" emergency_nodes: u32,
        /// Nodes of the other colour during a migration.
        "migrationOverlapNodes" migration_overlap_nodes: u32,
        /// Pod addresses resting before reuse: a number or a percentage of pods.
        "churn" churn: Share,
    }

    /// The pod subnet's address management.
    Ipam {
        /// Addresses per request; default 16.
        "batch" batch: u32,
        /// Part of a batch kept free; default 0.5.
        "minFreeFraction" min_free_fraction: Factor,
        /// Pods per node on the host network.
        "hostNetworkPodsPerNode" host_network_pods_per_node: u32,
    }

    /// Node masquerade.
    Masquerade {
        /// `ip-masq-agent-v2`, `ip-masq-agent`, `cilium`, `causeway` or `none`.
        "agent" agent: MasqueradeAgent,
        /// Arguments of the agent.
        "flags" flags: Many<String>,
        /// Files of its configuration directory: text, or `{path: FILE}`.
        "files" files: Named<OrWord<MasqueradeFile>>,
        /// The agent's DaemonSet as Kubernetes writes it.
        "daemonSet" daemon_set: Raw,
        /// ConfigMaps of its configuration as Kubernetes writes them.
        "configMaps" config_maps: Vec<Raw>,
    }

    /// A file of the agent's configuration directory.
    MasqueradeFile {
        /// Where it is, relative to the design file.
        "path" path: String,
        /// What it says.
        "text" text: Raw,
    }

    /// What a node really exempts from masquerading.
    ObservedRules {
        /// Destinations not masqueraded.
        "exempt" exempt: Many<Cidr>,
    }

    /// An ingress controller or gateway.
    Ingress {
        /// What it is.
        "kind" kind: IngressKind,
        /// `public` or `internal`.
        "exposure" exposure: Exposure,
        /// The subnet it needs, `NETWORK/SUBNET`.
        "subnet" subnet: String,
        /// Its frontend address.
        "ip" ip: IpAddr,
        /// Ports; default 80 and 443.
        "ports" ports: Many<u16>,
    }
}

impl Shorthand for Outbound {
    fn from_scalar(node: &tree::Node, cx: &mut Context) -> Option<Self> {
        Some(Outbound { kind: Some(OutboundType::decode(node, cx)?), ..Outbound::default() })
    }

    fn scalar_schema(defs: &mut Definitions) -> Value {
        OutboundType::schema(defs)
    }
}

impl Shorthand for ApiServer {
    fn from_scalar(node: &tree::Node, cx: &mut Context) -> Option<Self> {
        Some(ApiServer { access: Some(ApiAccess::decode(node, cx)?), ..ApiServer::default() })
    }

    fn scalar_schema(defs: &mut Definitions) -> Value {
        ApiAccess::schema(defs)
    }
}

impl Shorthand for KubeProxy {
    fn from_scalar(node: &tree::Node, cx: &mut Context) -> Option<Self> {
        Some(KubeProxy { mode: Some(KubeProxyMode::decode(node, cx)?), ..KubeProxy::default() })
    }

    fn scalar_schema(defs: &mut Definitions) -> Value {
        KubeProxyMode::schema(defs)
    }
}

impl Shorthand for PoolSize {
    fn from_scalar(node: &tree::Node, cx: &mut Context) -> Option<Self> {
        Some(PoolSize { count: Some(u32::decode(node, cx)?), ..PoolSize::default() })
    }

    fn scalar_schema(_: &mut Definitions) -> Value {
        json!({ "type": "integer", "minimum": 0 })
    }
}

impl Shorthand for MasqueradeFile {
    fn from_scalar(node: &tree::Node, _: &mut Context) -> Option<Self> {
        Some(MasqueradeFile { text: Some(Raw(node.clone())), path: None })
    }

    fn scalar_schema(_: &mut Definitions) -> Value {
        json!({ "type": "string" })
    }
}
