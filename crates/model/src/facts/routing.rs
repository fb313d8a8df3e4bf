//! Routes the platform makes, how one is chosen, and what users may set.

use causeway_addr::Cidr;

/// What a route of the platform matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemPrefix {
    /// Every prefix of the VNet.
    Vnet,
    /// Every prefix a directly peered VNet shows.
    Peers,
    /// What the gateway learned or was configured with.
    Gateway,
    /// Public ranges of a service with an endpoint on the subnet.
    ServiceEndpoint,
    /// A fixed prefix.
    Cidr(Cidr),
}

/// Where a route of the platform leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemHop {
    /// Within the VNet.
    VirtualNetwork,
    /// To the peer.
    VnetPeering,
    /// To the gateway.
    VirtualNetworkGateway,
    /// To the service.
    ServiceEndpoint,
    /// To the internet.
    Internet,
    /// Dropped.
    None,
}

/// Who made a route. Of equally long prefixes the smallest wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A user's route table.
    User,
    /// A gateway.
    Bgp,
    /// The platform.
    System,
}

/// How outbound traffic to the internet leaves, in the order the platform asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Egress {
    /// A user-defined default route to an appliance or gateway.
    UserDefinedRoute,
    /// A NAT gateway on the subnet.
    NatGateway,
    /// A public address on the machine.
    InstancePublicIp,
    /// An outbound rule of a load balancer.
    LoadBalancer,
    /// The platform's default access.
    Default,
}

facts! {
    /// The longest matching prefix wins; of equally long ones user-defined, then BGP, then system.
    SELECTION: [Origin; 3] = [Origin::User, Origin::Bgp, Origin::System],
        "route.selection" DocOld 2023-5-27 "virtual-networks-udr-overview.md";
    /// System routes for the VNet, its peers and service endpoints win even over more specific BGP routes.
    SYSTEM_BEATS_BGP: &[SystemHop] = &[SystemHop::VirtualNetwork, SystemHop::VnetPeering, SystemHop::ServiceEndpoint],
        "route.preferred_exception" DocOld 2023-5-27 "virtual-networks-udr-overview.md";
    /// Routes every subnet has. Private destinations without a better route are dropped. A VNet prefix that
    /// contains one of the ranges takes its `None` route away.
    SYSTEM: &[(SystemPrefix, SystemHop)] = &[
            (SystemPrefix::Vnet, SystemHop::VirtualNetwork),
            (SystemPrefix::Cidr(Cidr::v4([0, 0, 0, 0], 0)), SystemHop::Internet),
            (SystemPrefix::Cidr(Cidr::v4([10, 0, 0, 0], 8)), SystemHop::None),
            (SystemPrefix::Cidr(Cidr::v4([172, 16, 0, 0], 12)), SystemHop::None),
            (SystemPrefix::Cidr(Cidr::v4([192, 168, 0, 0], 16)), SystemHop::None),
            (SystemPrefix::Cidr(Cidr::v4([100, 64, 0, 0], 10)), SystemHop::None),
        ],
        "route.system_default" DocOld 2023-5-27 "virtual-networks-udr-overview.md";
    /// Routes a subnet has with peerings, a gateway or service endpoints.
    OPTIONAL_SYSTEM: &[(SystemPrefix, SystemHop)] = &[
            (SystemPrefix::Peers, SystemHop::VnetPeering),
            (SystemPrefix::Gateway, SystemHop::VirtualNetworkGateway),
            (SystemPrefix::ServiceEndpoint, SystemHop::ServiceEndpoint),
        ],
        "route.optional_system" DocOld 2023-5-27 "virtual-networks-udr-overview.md";
    /// Next hops users may set, as ARM writes them. A gateway must be a VPN one; an appliance's interface needs IP
    /// forwarding and should stand in another subnet.
    USER_NEXT_HOPS: &[&str] = &["VirtualAppliance", "VirtualNetworkGateway", "VnetLocal", "Internet", "None"],
        "route.udr_next_hops" DocOld 2023-5-27 "virtual-networks-udr-overview.md";
    /// Route tables of a subnet, at most.
    TABLES_PER_SUBNET: u64 = 1,
        "route.table_per_subnet" Doc 2023-12-5 "limit-egress-traffic.md, virtual-networks-udr-overview.md";
    /// Routes with service tags of a table.
    SERVICE_TAG_ROUTES: u64 = 25, "route.service_tag_routes" DocOld 2023-5-27 "virtual-networks-udr-overview.md";
    /// A private endpoint puts a /32 into its VNet and the directly peered ones, which bypasses user-defined routes
    /// unless the endpoint
    /// subnet's `privateEndpointNetworkPolicies` is RouteTableEnabled or Enabled. Disabled is the default.
    PRIVATE_ENDPOINT_BYPASSES_ROUTES: bool = true,
        "route.private_endpoint_32" DocOld 2022-7-26 "disable-private-endpoint-network-policy.md"
        "security groups do not see the traffic either, unless NetworkSecurityGroupEnabled or Enabled";
    /// A peer's peers get routes.
    PEERING_IS_TRANSITIVE: bool = false,
        "route.peering_non_transitive" Derived 2023-5-27 "virtual-networks-udr-overview.md";
    /// A default route to an appliance on an Application Gateway v2 subnet.
    APPLICATION_GATEWAY_DEFAULT_ROUTE: bool = false,
        "route.udr_appgw" DocOld 2021-6-14 "configuration-infrastructure.md"
        "with kubenet and the ingress controller the cluster's table must be on the subnet";
    /// Who carries traffic to the internet, first match.
    EGRESS_ORDER: [Egress; 5] = [Egress::UserDefinedRoute, Egress::NatGateway, Egress::InstancePublicIp, Egress::LoadBalancer, Egress::Default],
        "out.precedence" DocOld 2022-12-6 "nat-overview.md";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_win_then_bgp() {
        assert!(Origin::User < Origin::Bgp && Origin::Bgp < Origin::System);
        assert_eq!(SELECTION.value, [Origin::User, Origin::Bgp, Origin::System]);
    }

    #[test]
    fn private_destinations_are_dropped_by_default() {
        let hop = |ip: &str| {
            let ip = ip.parse().unwrap();
            SYSTEM
                .value
                .iter()
                .filter_map(|(prefix, hop)| match prefix {
                    SystemPrefix::Cidr(cidr) if cidr.contains(ip) => Some((cidr.prefix_len(), *hop)),
                    _ => None,
                })
                .max_by_key(|(len, _)| *len)
                .map(|(_, hop)| hop)
        };
        assert_eq!(hop("172.16.5.5"), Some(SystemHop::None));
        assert_eq!(hop("100.100.0.1"), Some(SystemHop::None));
        assert_eq!(hop("8.8.8.8"), Some(SystemHop::Internet));
        assert_eq!(hop("172.32.0.1"), Some(SystemHop::Internet));
    }
}
