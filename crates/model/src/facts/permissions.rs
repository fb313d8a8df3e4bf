//! What the identity of a cluster (or whoever creates it) must be allowed. Actions are written as Azure writes them.

facts! {
    /// On a subnet the cluster uses; Network Contributor covers both.
    SUBNET: &[&str] = &[
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "Microsoft.Network/virtualNetworks/subnets/read",
        ],
        "perm.subnet" Doc 2026-7-31 "aks-service-permissions.md, concepts-network-cni-overview.md, internal-lb.md"
        "custom-role: some pages add roleAssignments/write, which only the creator needs";
    /// For whoever creates the cluster.
    CREATOR: &str = "Microsoft.Authorization/roleAssignments/write",
        "perm.role_assignment_write" Doc 2026-7-10 "concepts-network-cni-overview.md, concepts-network-legacy-cni.md";
    /// The built-in role that covers a subnet.
    SUBNET_ROLE: &str = "Network Contributor",
        "addr.subnet_permissions" Doc 2026-7-10 "concepts-network-cni-overview.md, concepts-network-legacy-cni.md";
    /// For load balancers and their addresses.
    LOAD_BALANCER: &[&str] = &[
            "Microsoft.Network/loadBalancers/read",
            "Microsoft.Network/loadBalancers/write",
            "Microsoft.Network/loadBalancers/delete",
            "Microsoft.Network/publicIPAddresses/read",
            "Microsoft.Network/publicIPAddresses/write",
            "Microsoft.Network/publicIPAddresses/delete",
            "Microsoft.Network/publicIPAddresses/join/action",
        ],
        "perm.lb" Doc 2026-4-19 "aks-service-permissions.md";
    /// For security groups.
    NSG: &[&str] = &["Microsoft.Network/networkSecurityGroups/read", "Microsoft.Network/networkSecurityGroups/write"],
        "perm.nsg" Doc 2026-4-19 "aks-service-permissions.md";
    /// For the route table of kubenet.
    ROUTE_TABLE: &[&str] = &[
            "Microsoft.Network/routeTables/read",
            "Microsoft.Network/routeTables/write",
            "Microsoft.Network/routeTables/routes/read",
            "Microsoft.Network/routeTables/routes/write",
            "Microsoft.Network/routeTables/routes/delete",
        ],
        "perm.route_table" Doc 2026-4-19 "aks-service-permissions.md";
    /// For a private DNS zone of one's own; Private DNS Zone Contributor and Network Contributor cover it.
    PRIVATE_DNS: &str = "Microsoft.Network/privatednszones/*",
        "perm.private_dns" Doc 2026-4-19 "aks-service-permissions.md";
    /// For back end pools by node address.
    JOIN_LOAD_BALANCER: &str = "Microsoft.Network/virtualNetworks/joinLoadBalancer/action",
        "perm.join_lb" Doc 2026-4-19 "aks-service-permissions.md";
    /// For outbound addresses and prefixes of one's own.
    OUTBOUND_ADDRESSES: &[&str] = &[
            "Microsoft.Network/publicIPAddresses/join/action", "Microsoft.Network/publicIPPrefixes/join/action",
        ],
        "perm.outbound_ips" Doc 2026-4-19 "aks-service-permissions.md";
    /// For the Application Gateway ingress controller.
    APPLICATION_GATEWAY: &[&str] = &[
            "Microsoft.Network/applicationGateways/read", "Microsoft.Network/applicationGateways/write",
            "Microsoft.Network/virtualNetworks/subnets/join/action",
        ],
        "perm.appgw" Doc 2026-4-19 "aks-service-permissions.md";
    /// For Application Gateway for Containers: a role with data actions owners lack, and joining the subnet.
    GATEWAY_FOR_CONTAINERS: &str = "AppGw for Containers Configuration Manager",
        "perm.agc" DocOld 2023-7-24 "application-gateway-for-containers-components.md";
    /// Minutes until a granted permission works, at most.
    PROPAGATION_MINUTES: u64 = 60, "perm.propagation_min" Doc 2026-4-16 "configure-kubenet.md";
    /// kubenet with a route table of one's own needs a user-assigned identity that may write subnet and table.
    KUBENET_NEEDS_USER_IDENTITY: bool = true, "perm.kubenet_byo_route_table" Doc 2026-4-16 "configure-kubenet.md";
    /// On the API server subnet and the node subnet, with VNet integration.
    API_SERVER_SUBNET_ROLE: &str = "Network Contributor",
        "perm.apiserver_subnet" Doc 2026-4-15 "api-server-vnet-integration.md";
}
