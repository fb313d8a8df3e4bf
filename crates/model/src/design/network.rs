//! Networks and what carries packets between them.

use super::names::*;
use super::value::{PortMatch, Protocol};
use causeway_addr::Cidr;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What a network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NetworkKind {
    /// An Azure virtual network.
    Vnet,
    /// A site behind a gateway.
    OnPremises,
}

/// A virtual network or an on-premises site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Virtual network or site.
    pub kind: NetworkKind,
    /// Azure region, as written.
    pub location: Option<String>,
    /// Address space, host bits truncated, in the order written.
    pub prefixes: Vec<Cidr>,
    /// The servers given to machines of the network.
    pub dns_servers: DnsServers,
    /// By name. Empty for sites.
    pub subnets: BTreeMap<SubnetName, Subnet>,
    /// The ExpressRoute or VPN gateway in the network.
    pub gateway: Option<Gateway>,
    /// Sites: what their routers accept from the gateway. `None` = everything they are told.
    pub knows: Option<Vec<Cidr>>,
    /// The network is created and owned by AKS (no subnet was named by the cluster's pools).
    pub managed_by_aks: bool,
}

/// Where machines of a network send their name queries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsServers {
    /// 168.63.129.16, the platform resolver.
    Azure,
    /// These, asked in order.
    Custom(Vec<IpAddr>),
}

/// A subnet of a virtual network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// At least one; several for dual stack or multi-prefix subnets. Empty when the export leaves it open (an address pool decides).
    pub prefixes: Vec<Cidr>,
    /// Service names of delegations, as `Microsoft.ContainerService/managedClusters`.
    pub delegations: Vec<String>,
    /// The NAT gateway its machines leave through.
    pub nat_gateway: Option<NatGatewayName>,
    /// The security group on the subnet.
    pub nsg: Option<SecurityGroupName>,
    /// The route table on the subnet.
    pub route_table: Option<RouteTableName>,
    /// Whether filters and routes apply to private endpoints in it; `None` = not stated.
    pub private_endpoint_policies: Option<PrivateEndpointPolicies>,
    /// Addresses taken by others than nodes and pods.
    pub other: OtherAddresses,
    /// Service endpoints, as `Microsoft.Storage`.
    pub service_endpoints: Vec<String>,
    /// The platform's default outbound access; `None` = not stated.
    pub default_outbound_access: Option<bool>,
}

/// Addresses on a subnet that neither nodes nor pods hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OtherAddresses {
    /// Private endpoints that are not objects of the design themselves.
    pub private_endpoints: u64,
    /// Internal load balancer frontends.
    pub load_balancer_frontends: u64,
    /// Network interfaces of machines that are no nodes.
    pub nics: u64,
    /// Application gateways that are no ingress of a cluster of the design. How many addresses each holds is not told.
    pub application_gateways: u64,
}

/// `privateEndpointNetworkPolicies` of a subnet (azure-facts `route.private_endpoint_32`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateEndpointPolicies {
    /// The /32 route wins over user-defined routes and security groups are not applied. The platform's default.
    Disabled,
    /// Security groups apply.
    Nsg,
    /// User-defined routes apply.
    RouteTable,
    /// Both apply.
    Enabled,
}

/// A virtual network gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// ExpressRoute or VPN.
    pub kind: GatewayKind,
    /// Sites it reaches.
    pub connects: Vec<NetworkName>,
}

/// What a gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayKind {
    /// Private circuit.
    ExpressRoute,
    /// Tunnel over the internet.
    Vpn,
}

/// A peering of two virtual networks, both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peering {
    /// The two sides.
    pub between: (NetworkName, NetworkName),
    /// The side whose gateway the other one is to use.
    pub gateway_transit: Option<NetworkName>,
    /// False when that side's half says it does not let its gateway be used.
    pub gateway_transit_allowed: bool,
    /// Packets that did not start in the peer are accepted.
    pub forwarded_traffic: bool,
    /// Where the two sides differ: the only one that accepts them. `forwarded_traffic` is false then.
    pub forwarded_into: Option<NetworkName>,
    /// Subnet peering: the prefixes a side shows. A side that is absent shows all its prefixes.
    pub only: BTreeMap<NetworkName, Vec<Cidr>>,
    /// False when an export says the peering is not `Connected` (one half is missing).
    pub connected: bool,
}

impl Peering {
    /// The side whose gateway the other one really uses: both halves agree, and packets pass.
    pub fn lends_gateway(&self) -> Option<&NetworkName> {
        self.gateway_transit.as_ref().filter(|_| self.connected && self.gateway_transit_allowed)
    }

    /// Whether a side accepts packets from the other one that did not start there.
    pub fn accepts_forwarded(&self, into: &NetworkName) -> bool {
        self.forwarded_traffic || self.forwarded_into.as_ref() == Some(into)
    }
}

/// A route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTable {
    /// Whether routes from the gateway are added; `None` = not stated (the platform's default is true).
    pub bgp_propagation: Option<bool>,
    /// In the order written.
    pub routes: Vec<Route>,
    /// False when it is only known to exist (an id in an export): what it says is not known, which is not the same as nothing.
    pub known: bool,
}

/// One user-defined route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// What it matches.
    pub prefix: RoutePrefix,
    /// Where packets go.
    pub next_hop: NextHop,
}

/// What a user-defined route matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoutePrefix {
    /// A prefix.
    Cidr(Cidr),
    /// A service tag, as `AzureCloud.westeurope`; its prefixes are not known here.
    ServiceTag(String),
}

/// Next hop of a user-defined route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextHop {
    /// `VirtualAppliance`.
    Appliance(IpAddr),
    /// `VirtualAppliance` whose address an export leaves open.
    UnknownAppliance,
    /// `Internet`.
    Internet,
    /// `VnetLocal`.
    Vnet,
    /// `VirtualNetworkGateway`.
    Gateway,
    /// `None`: dropped.
    None,
}

/// A network security group. The platform's default rules are implied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityGroup {
    /// In the order written.
    pub rules: Vec<SecurityRule>,
    /// False when it is only known to exist (an id in an export): what it says is not known, which is not the same as nothing.
    pub known: bool,
}

/// One rule of a security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityRule {
    /// Its name.
    pub name: String,
    /// 100 to 4096; the lowest is asked first.
    pub priority: u32,
    /// Inbound or outbound.
    pub direction: Direction,
    /// Allow or deny.
    pub access: Access,
    /// `None` = any.
    pub protocol: Option<Protocol>,
    /// Source addresses; any of them matches.
    pub source: Vec<AddressMatch>,
    /// Source ports; any of them matches.
    pub source_ports: Vec<PortMatch>,
    /// Destination addresses; any of them matches.
    pub destination: Vec<AddressMatch>,
    /// Destination ports; any of them matches.
    pub ports: Vec<PortMatch>,
}

/// Inbound or outbound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the machine.
    Inbound,
    /// From the machine.
    Outbound,
}

/// Allow or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Lets it through.
    Allow,
    /// Drops it.
    Deny,
}

/// What the address field of a security or firewall rule matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressMatch {
    /// `*`
    Any,
    /// A prefix (a single address is a /32 or /128).
    Cidr(Cidr),
    /// A service tag, as `VirtualNetwork`, `AzureLoadBalancer`, `Storage.WestEurope`.
    Tag(String),
    /// An application security group, by name; its members are not known here.
    ApplicationSecurityGroup(String),
}

/// A NAT gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatGateway {
    /// Known public addresses.
    pub public_ips: Vec<IpAddr>,
    /// How many public addresses it has, prefixes counted out; `None` = not known. Never less than `public_ips`.
    pub public_ip_count: Option<u32>,
    /// Default 4 minutes (azure-facts `snat.natgw_idle`).
    pub idle_timeout_minutes: Option<u32>,
    /// `Standard` or `StandardV2`, as written; `None` = not stated.
    pub sku: Option<String>,
}

/// A firewall or appliance that routes between networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firewall {
    /// Azure Firewall or another appliance.
    pub kind: FirewallKind,
    /// The subnet it stands in.
    pub subnet: Option<SubnetRef>,
    /// The address routes point at.
    pub private_ip: Option<IpAddr>,
    /// Known public addresses.
    pub public_ips: Vec<IpAddr>,
    /// How many public addresses it has; `None` = not known.
    pub public_ip_count: Option<u32>,
    /// Keeps connections; a reply it has not seen the request of is dropped. Default true.
    pub stateful: bool,
    /// When it translates sources.
    pub snat: FirewallSnat,
    /// `snat: internet` leaves these destinations untranslated.
    pub private_ranges: Vec<Cidr>,
    /// Instances that share the ports; `None` = not stated.
    pub instances: Option<u32>,
    /// Default: deny.
    pub rules: Vec<FirewallRule>,
    /// Inbound translation.
    pub dnat: Vec<DnatRule>,
    /// A firewall policy is attached; `None` = not stated.
    pub policy: Option<bool>,
}

/// What a firewall is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirewallKind {
    /// Azure Firewall.
    AzureFirewall,
    /// A network virtual appliance.
    Appliance,
}

/// When a firewall translates sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirewallSnat {
    /// Destinations outside its private ranges.
    Internet,
    /// Everything.
    Always,
    /// Nothing.
    Never,
}

/// A network rule of a firewall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirewallRule {
    /// Its name.
    pub name: String,
    /// Any of them matches.
    pub source: Vec<AddressMatch>,
    /// Any of them matches.
    pub destination: Vec<AddressMatch>,
    /// `None` = any.
    pub protocol: Option<Protocol>,
    /// Any of them matches.
    pub ports: Vec<PortMatch>,
    /// Allow or deny.
    pub access: Access,
}

/// Inbound translation of a firewall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnatRule {
    /// Its name.
    pub name: String,
    /// The address clients call; `None` when an export leaves it open.
    pub public_ip: Option<IpAddr>,
    /// TCP or UDP.
    pub protocol: Option<Protocol>,
    /// The port clients call.
    pub port: u16,
    /// Where it goes.
    pub to: Option<IpAddr>,
    /// The port there.
    pub to_port: u16,
}

/// A machine outside the clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its address.
    pub ip: IpAddr,
    /// The network it is in; `None` = the internet.
    pub network: Option<NetworkName>,
    /// What it answers on.
    pub listens: Vec<(Protocol, u16)>,
    /// Where it matters: `jump`, `ci`, `gitops`.
    pub role: Option<String>,
    /// The security group on its interface.
    pub nsg: Option<SecurityGroupName>,
    /// A DNS server: domain suffix (`.` = the rest) to where it asks.
    pub dns_forwards: BTreeMap<String, Vec<DnsForward>>,
}

/// Where a DNS server sends queries of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsForward {
    /// The platform resolver of the server's network.
    Azure,
    /// Another server.
    Server(IpAddr),
}

/// A private endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateEndpoint {
    /// Its address; `None` when an export leaves it open.
    pub ip: Option<IpAddr>,
    /// Where it stands.
    pub subnet: SubnetRef,
    /// The names it is to be found by, in full, as `kv-prod.vault.azure.net`.
    pub names: Vec<String>,
    /// What it answers on.
    pub listens: Vec<(Protocol, u16)>,
    /// What the owner of the service made of it; `None` = not stated.
    pub connection: Option<EndpointConnection>,
}

/// State of a private endpoint's connection (`privateLinkServiceConnectionState`): only an approved one carries packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointConnection {
    /// Approved.
    Approved,
    /// Nobody has approved it yet.
    Pending,
    /// Refused.
    Rejected,
    /// The service behind it is gone, or its owner removed the connection.
    Disconnected,
}

/// A private DNS zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateDnsZone {
    /// Networks whose platform resolver sees it.
    pub links: Vec<NetworkName>,
    /// False when there are more links than those: an export counts them and they were not given.
    pub links_known: bool,
    /// Host label to addresses.
    pub records: BTreeMap<String, Vec<IpAddr>>,
    /// The zone has no other records than those. Without any, only where that is stated.
    pub records_known: bool,
    /// Names not found here are asked on the internet.
    pub fallback_to_internet: bool,
}

/// A public name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicName {
    /// The name it is an alias of.
    pub cname: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The service behind it refuses the public path; `None` = not stated.
    pub public_access_disabled: Option<bool>,
}
