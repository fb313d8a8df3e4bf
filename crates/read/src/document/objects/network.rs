//! Networks and what carries packets between them, as written.

use crate::document::leaf::*;
use crate::document::macros::object;
use crate::document::schema::Definitions;
use crate::document::{Context, Document};
use crate::tree;
use causeway_addr::Cidr;
use serde_json::{Value, json};
use std::net::IpAddr;

object! {
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
        /// Application gateways that are no ingress of a cluster.
        "applicationGateways" application_gateways: u64,
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
        /// `false` = that side's half does not let its gateway be used; default true.
        "gatewayTransitAllowed" gateway_transit_allowed: bool,
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
        /// `Standard` or `StandardV2`.
        "sku" sku: String,
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
        /// The names it is found by, as `kv-prod.vault.azure.net`.
        "names" names: Many<String>,
        /// Ports it answers on, as `tcp/443`.
        "listens" listens: Many<String>,
        /// `approved`, `pending`, `rejected` or `disconnected`.
        "connection" connection: Word,
    }

    /// A private DNS zone.
    PrivateDnsZone {
        /// Networks it is linked to.
        "links" links: Many<String>,
        /// `false` = there are more links than those; default true.
        "linksKnown" links_known: bool,
        /// Host label to addresses.
        "records" records: Named<Many<IpAddr>>,
        /// Whether the zone has no other records than those; default true if there are some.
        "recordsKnown" records_known: bool,
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
}

impl Shorthand for NextHop {
    fn from_scalar(node: &tree::Node, cx: &mut Context) -> Option<Self> {
        Some(NextHop { kind: Some(String::decode(node, cx)?), appliance: None })
    }

    fn scalar_schema(_: &mut Definitions) -> Value {
        json!({ "enum": ["internet", "vnet", "gateway", "none"] })
    }
}
