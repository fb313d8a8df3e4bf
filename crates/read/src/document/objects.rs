//! The objects of the design file. Keys are the contract; the documentation here is what editors show.

use super::leaf::*;
use super::macros::object;
use super::schema::Definitions;
use super::{Context, Document};
use crate::tree::Node as TreeNode;
use causeway_addr::Cidr;
use causeway_model::design::value::*;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::net::IpAddr;

object! {
    /// A network design.
    DesignDocument {
        /// Version of the language: 1.
        "causeway" causeway: u32,
        /// Name of the design.
        "name" name: String,
        /// Virtual networks and on-premises sites.
        "networks" networks: Named<Network>,
        /// Peerings of virtual networks.
        "peerings" peerings: Vec<Peering>,
        /// Route tables.
        "routeTables" route_tables: Named<RouteTable>,
        /// Network security groups.
        "networkSecurityGroups" network_security_groups: Named<SecurityGroup>,
        /// NAT gateways.
        "natGateways" nat_gateways: Named<NatGateway>,
        /// Firewalls and appliances.
        "firewalls" firewalls: Named<Firewall>,
        /// Machines outside the clusters.
        "hosts" hosts: Named<Host>,
        /// Private endpoints.
        "privateEndpoints" private_endpoints: Named<PrivateEndpoint>,
        /// Private DNS zones by domain.
        "privateDnsZones" private_dns_zones: Named<PrivateDnsZone>,
        /// Public names.
        "publicDns" public_dns: Named<PublicName>,
        /// Clusters.
        "clusters" clusters: Named<Cluster>,
        /// Growth to plan for.
        "growth" growth: Growth,
        /// Utilisation above which a range is reported.
        "alarmAt" alarm_at: Share,
        /// What applications open.
        "loads" loads: Vec<Load>,
        /// Answers only people can give, by checklist key.
        "records" records: Named<Record>,
        /// Platform limits that differ from the dated facts.
        "limits" limits: Named<u64>,
        /// Findings people live with.
        "accept" accept: Vec<Acceptance>,
        /// Tests of the network.
        "expect" expect: Vec<Expectation>,
        /// The design before the change, as plans and what-if results carry it.
        "before" before: Raw,
    }

    /// A virtual network or an on-premises site.
    Network {
        /// `vnet` (default) or `onPremises`.
        "kind" kind: Word,
        /// Azure region.
        "location" location: String,
        /// Address space.
        "prefixes" prefixes: Many<Cidr>,
        /// `azure` (default) or a list of addresses, asked in order.
        "dnsServers" dns_servers: Many<String>,
        /// Subnets by name.
        "subnets" subnets: Named<Subnet>,
        /// ExpressRoute or VPN gateway.
        "gateway" gateway: Gateway,
        /// Sites: what their routers accept from the gateway; absent = everything they are told.
        "knows" knows: Many<Cidr>,
        /// Created and owned by AKS.
        "managedByAks" managed_by_aks: bool,
    }

    /// A subnet.
    Subnet {
        /// One prefix, or several.
        "prefix" prefix: Many<Cidr>,
        /// The same as `prefix`.
        "prefixes" prefixes: Many<Cidr>,
        /// Delegated service, as `Microsoft.ContainerService/managedClusters`.
        "delegation" delegation: Many<String>,
        /// NAT gateway by name.
        "natGateway" nat_gateway: String,
        /// Network security group by name.
        "nsg" nsg: String,
        /// Route table by name.
        "routeTable" route_table: String,
        /// `disabled`, `nsg`, `routeTable` or `enabled`: which of them apply to private endpoints here.
        "privateEndpointPolicies" private_endpoint_policies: Word,
        /// Addresses taken by others than nodes and pods.
        "other" other: OtherAddresses,
        /// Service endpoints, as `Microsoft.Storage`.
        "serviceEndpoints" service_endpoints: Many<String>,
        /// The platform's default outbound access.
        "defaultOutboundAccess" default_outbound_access: bool,
    }

    /// Addresses on a subnet that neither nodes nor pods hold.
    OtherAddresses {
        /// Private endpoints that are not listed under `privateEndpoints`.
        "privateEndpoints" private_endpoints: u64,
        /// Internal load balancer frontends that are not listed as services.
        "loadBalancerFrontends" load_balancer_frontends: u64,
        /// Other network interfaces.
        "nics" nics: u64,
    }

    /// ExpressRoute or VPN gateway.
    Gateway {
        /// `expressRoute` or `vpn`.
        "kind" kind: Word,
        /// On-premises networks it reaches.
        "connects" connects: Many<String>,
    }

    /// A peering, both directions.
    Peering {
        /// The two networks.
        "between" between: Vec<String>,
        /// The side whose gateway the other one uses.
        "gatewayTransit" gateway_transit: String,
        /// Packets that did not start in the peer are accepted; default false.
        "forwardedTraffic" forwarded_traffic: bool,
        /// Where the sides differ: the only one that accepts such packets.
        "forwardedTrafficInto" forwarded_into: String,
        /// Subnet peering: the prefixes a side shows; absent = all.
        "only" only: Named<Many<Cidr>>,
        /// Whether both halves exist; default true.
        "connected" connected: bool,
    }

    /// A route table.
    RouteTable {
        /// Routes from the gateway are added; default true.
        "bgpPropagation" bgp_propagation: bool,
        /// User-defined routes.
        "routes" routes: Vec<Route>,
        /// `false` = it exists, but what it says is not known; default true.
        "known" known: bool,
    }

    /// A user-defined route.
    Route {
        /// Its name.
        "name" name: String,
        /// A prefix or a service tag.
        "prefix" prefix: String,
        /// `{appliance: ADDRESS}`, `internet`, `vnet`, `gateway` or `none`.
        "nextHop" next_hop: OrWord<NextHop>,
    }

    /// Where a route leads.
    NextHop {
        /// Address of the appliance; `unknown` where it is not known yet.
        "appliance" appliance: String,
        /// `internet`, `vnet`, `gateway` or `none`.
        "kind" kind: String,
    }

    /// A network security group; the platform's default rules are implied.
    SecurityGroup {
        /// Rules.
        "rules" rules: Vec<SecurityRule>,
        /// `false` = it exists, but what it says is not known; default true.
        "known" known: bool,
    }

    /// A rule of a network security group.
    SecurityRule {
        /// Its name.
        "name" name: String,
        /// 100 to 4096, lowest first.
        "priority" priority: u32,
        /// `inbound` or `outbound`.
        "direction" direction: Word,
        /// `allow` or `deny`.
        "access" access: Word,
        /// `tcp`, `udp`, `icmp`, `esp`, `ah` or `*`.
        "protocol" protocol: Word,
        /// Prefixes, addresses, service tags, `asg:NAME` or `*`.
        "source" source: Many<String>,
        /// Ports or ranges; default `*`.
        "sourcePorts" source_ports: Many<String>,
        /// Prefixes, addresses, service tags, `asg:NAME` or `*`.
        "destination" destination: Many<String>,
        /// Ports or ranges; default `*`.
        "ports" ports: Many<String>,
    }

    /// A NAT gateway.
    NatGateway {
        /// Public addresses.
        "publicIps" public_ips: Many<IpAddr>,
        /// How many public addresses, where they are not known by value.
        "publicIpCount" public_ip_count: u32,
        /// 4 (default) to 120.
        "idleTimeoutMinutes" idle_timeout_minutes: u32,
    }

    /// A firewall or appliance.
    Firewall {
        /// `azureFirewall` or `nva`.
        "kind" kind: Word,
        /// The subnet it stands in, `NETWORK/SUBNET`.
        "subnet" subnet: String,
        /// The address routes point at.
        "privateIp" private_ip: IpAddr,
        /// Public addresses.
        "publicIps" public_ips: Many<IpAddr>,
        /// How many public addresses, where they are not known by value.
        "publicIpCount" public_ip_count: u32,
        /// Keeps connections; default true.
        "stateful" stateful: bool,
        /// `internet` (default), `always` or `never`.
        "snat" snat: Word,
        /// Destinations left untranslated; default RFC 1918 and RFC 6598.
        "privateRanges" private_ranges: Many<Cidr>,
        /// Instances sharing the ports.
        "instances" instances: u32,
        /// Network rules; default deny.
        "rules" rules: Vec<FirewallRule>,
        /// Inbound translation.
        "dnat" dnat: Vec<DnatRule>,
        /// A firewall policy is attached.
        "policy" policy: bool,
    }

    /// A network rule of a firewall.
    FirewallRule {
        /// Its name.
        "name" name: String,
        /// Prefixes, addresses, tags or `*`.
        "source" source: Many<String>,
        /// Prefixes, addresses, tags or `*`.
        "destination" destination: Many<String>,
        /// `tcp`, `udp`, `icmp` or `*`.
        "protocol" protocol: Word,
        /// Ports or ranges.
        "ports" ports: Many<String>,
        /// `allow` (default) or `deny`.
        "access" access: Word,
    }

    /// Inbound translation of a firewall.
    DnatRule {
        /// Its name.
        "name" name: String,
        /// The address clients call.
        "publicIp" public_ip: IpAddr,
        /// `tcp` or `udp`.
        "protocol" protocol: Word,
        /// The port clients call.
        "port" port: u16,
        /// Where it goes.
        "to" to: IpAddr,
        /// The port there; default `port`.
        "toPort" to_port: u16,
    }

    /// A machine outside the clusters.
    Host {
        /// Its address.
        "ip" ip: IpAddr,
        /// A network, or `internet`.
        "network" network: String,
        /// Ports it answers on, as `tcp/443`.
        "listens" listens: Many<String>,
        /// `jump`, `ci` or `gitops` where it matters.
        "role" role: String,
        /// Security group on its interface.
        "nsg" nsg: String,
        /// It is a DNS server.
        "dns" dns: DnsServer,
    }

    /// A DNS server.
    DnsServer {
        /// Domain suffix (`.` = the rest) to `azure` or addresses.
        "forwards" forwards: Named<Many<String>>,
    }

    /// A private endpoint.
    PrivateEndpoint {
        /// Its address.
        "ip" ip: IpAddr,
        /// Its subnet, `NETWORK/SUBNET`.
        "subnet" subnet: String,
        /// Ports it answers on, as `tcp/443`.
        "listens" listens: Many<String>,
    }

    /// A private DNS zone.
    PrivateDnsZone {
        /// Networks it is linked to.
        "links" links: Many<String>,
        /// Host label to addresses.
        "records" records: Named<Many<IpAddr>>,
        /// Names not found are asked on the internet; default false.
        "fallbackToInternet" fallback_to_internet: bool,
    }

    /// A public name.
    PublicName {
        /// The name it is an alias of.
        "cname" cname: String,
        /// Its addresses.
        "address" address: Many<IpAddr>,
        /// `enabled` or `disabled`.
        "publicAccess" public_access: Word,
    }

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
    }

    /// The cluster's identity.
    Identity {
        /// Subnets it may join, `NETWORK/SUBNET`.
        "subnetPermissions" subnet_permissions: Many<String>,
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

    /// A node.
    Node {
        /// Its address, one per family.
        "ip" ip: Many<IpAddr>,
        /// Its pool.
        "pool" pool: String,
        /// Its zone.
        "zone" zone: String,
        /// Overlay and kubenet: its block.
        "podCidr" pod_cidr: Many<Cidr>,
        /// Node labels.
        "labels" labels: Named<String>,
    }

    /// A namespace.
    Namespace {
        /// Its labels.
        "labels" labels: Named<String>,
    }

    /// A pod.
    Pod {
        /// Its name.
        "name" name: String,
        /// Its namespace; default `default`.
        "namespace" namespace: String,
        /// The node it runs on.
        "node" node: String,
        /// Its address, one per family.
        "ip" ip: Many<IpAddr>,
        /// Its labels.
        "labels" labels: Named<String>,
        /// Ports it answers on, as `tcp/8080` or `http=tcp/8080`.
        "listens" listens: Many<String>,
        /// It uses the node's network.
        "hostNetwork" host_network: bool,
        /// It has ended.
        "terminated" terminated: bool,
        /// The workload whose template it stands for, as `Deployment/app`.
        "templateOf" template_of: String,
    }

    /// A service.
    Service {
        /// Its name.
        "name" name: String,
        /// Its namespace; default `default`.
        "namespace" namespace: String,
        /// `ClusterIP` (default), `NodePort`, `LoadBalancer` or `ExternalName`.
        "type" kind: ServiceType,
        /// Cluster address, one per family.
        "clusterIp" cluster_ip: Many<IpAddr>,
        /// Frontend inside the VNet.
        "internalIp" internal_ip: IpAddr,
        /// The load balancer is internal; default: `internalIp` is given.
        "internal" internal: bool,
        /// The subnet its internal frontend is in, by name.
        "internalSubnet" internal_subnet: String,
        /// Frontend on the internet.
        "publicIp" public_ip: IpAddr,
        /// Ports, as `tcp/80->8080`, `tcp/80->http` or `tcp/80->8080@30080`.
        "ports" ports: Many<String>,
        /// Labels of its pods.
        "selector" selector: Named<String>,
        /// `Cluster` (default) or `Local`.
        "externalTrafficPolicy" external_traffic_policy: TrafficPolicy,
        /// Clients let in; empty = all.
        "sourceRanges" source_ranges: Many<Cidr>,
        /// Health check node port.
        "healthPort" health_port: u16,
        /// Annotations.
        "annotations" annotations: Named<String>,
    }

    /// Growth to plan for.
    Growth {
        /// Nodes at the end of the period over the maximum now.
        "nodes" nodes: Factor,
        /// The period.
        "months" months: u32,
    }

    /// What an application opens.
    Load {
        /// Who.
        "from" from: String,
        /// Where, with port.
        "to" to: String,
        /// New connections per second.
        "perSecond" per_second: u64,
        /// Connections open at a time.
        "concurrent" concurrent: u64,
        /// How long one lasts.
        "seconds" seconds: u64,
        /// Interval of keep-alives.
        "keepAliveSeconds" keep_alive_seconds: u64,
    }

    /// An answer only people can give.
    Record {
        /// When.
        "on" on: Date,
        /// Who says so.
        "by" by: String,
        /// `false` = the answer is no; default true.
        "answer" answer: bool,
        /// In words, or where it is written.
        "note" note: String,
    }

    /// A finding people live with.
    Acceptance {
        /// The code.
        "finding" finding: String,
        /// The object, and everything below it.
        "on" on: String,
        /// Why.
        "because" because: String,
    }

    /// A test of the network.
    Expectation {
        /// Its name.
        "name" name: String,
        /// Who.
        "from" from: String,
        /// Where, with port.
        "to" to: String,
        /// `tcp` (default), `udp`, `icmp` or `sctp`.
        "proto" proto: Word,
        /// One verdict, or a list of those that are fine.
        "verdict" verdict: Many<String>,
        /// An address, `pod` or `node`.
        "sourceSeen" source_seen: Many<String>,
        /// The source when it leaves the node.
        "sourceLeavingNode" source_leaving_node: Many<String>,
        /// Who rewrote the source on the node.
        "snatBy" snat_by: Many<String>,
        /// Where the destination was rewritten to.
        "dnatTo" dnat_to: Many<String>,
        /// The subnet whose routes, filters and NAT gateway applied.
        "governedBySubnet" governed_by_subnet: Many<String>,
        /// Who decided.
        "decidedBy" decided_by: OrWord<DecidedBy>,
        /// `resolvesPrivate`, `resolvesPublic` or `nxdomain`.
        "resolves" resolves: Many<String>,
    }

    /// Who decided a packet's fate.
    DecidedBy {
        /// Kind of owner.
        "owner" owner: Many<String>,
        /// The object.
        "object" object: Many<String>,
        /// The rule.
        "rule" rule: Many<String>,
    }
}

impl Shorthand for NextHop {
    fn from_scalar(node: &TreeNode, cx: &mut Context) -> Option<Self> {
        Some(NextHop { kind: Some(String::decode(node, cx)?), appliance: None })
    }

    fn scalar_schema(_: &mut Definitions) -> Value {
        json!({ "enum": ["internet", "vnet", "gateway", "none"] })
    }
}

impl Shorthand for Outbound {
    fn from_scalar(node: &TreeNode, cx: &mut Context) -> Option<Self> {
        Some(Outbound { kind: Some(OutboundType::decode(node, cx)?), ..Outbound::default() })
    }

    fn scalar_schema(defs: &mut Definitions) -> Value {
        OutboundType::schema(defs)
    }
}

impl Shorthand for ApiServer {
    fn from_scalar(node: &TreeNode, cx: &mut Context) -> Option<Self> {
        Some(ApiServer { access: Some(ApiAccess::decode(node, cx)?), ..ApiServer::default() })
    }

    fn scalar_schema(defs: &mut Definitions) -> Value {
        ApiAccess::schema(defs)
    }
}

impl Shorthand for KubeProxy {
    fn from_scalar(node: &TreeNode, cx: &mut Context) -> Option<Self> {
        Some(KubeProxy { mode: Some(KubeProxyMode::decode(node, cx)?), ..KubeProxy::default() })
    }

    fn scalar_schema(defs: &mut Definitions) -> Value {
        KubeProxyMode::schema(defs)
    }
}

impl Shorthand for PoolSize {
    fn from_scalar(node: &TreeNode, cx: &mut Context) -> Option<Self> {
        Some(PoolSize { count: Some(u32::decode(node, cx)?), ..PoolSize::default() })
    }

    fn scalar_schema(_: &mut Definitions) -> Value {
        json!({ "type": "integer", "minimum": 0 })
    }
}

impl Shorthand for MasqueradeFile {
    fn from_scalar(node: &TreeNode, _: &mut Context) -> Option<Self> {
        Some(MasqueradeFile { text: Some(Raw(node.clone())), path: None })
    }

    fn scalar_schema(_: &mut Definitions) -> Value {
        json!({ "type": "string" })
    }
}

impl Shorthand for DecidedBy {
    fn from_scalar(node: &TreeNode, cx: &mut Context) -> Option<Self> {
        Some(DecidedBy { owner: Some(Many(vec![String::decode(node, cx)?])), ..DecidedBy::default() })
    }

    fn scalar_schema(_: &mut Definitions) -> Value {
        json!({ "type": "string" })
    }
}
