//! Security rules the platform implies, and those a cluster needs.

use crate::design::Protocol;

/// A rule every security group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultRule {
    /// Asked last, in this order.
    pub priority: u32,
    /// Its name.
    pub name: &'static str,
    /// Source: a service tag or `*`.
    pub source: &'static str,
    /// Destination: a service tag or `*`.
    pub destination: &'static str,
    /// Allows; else denies.
    pub allow: bool,
}

/// One end of a needed flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// Addresses nodes have.
    Nodes,
    /// Addresses pods have.
    Pods,
    /// The API server's subnet.
    ApiServerSubnet,
    /// The service tag.
    AzureLoadBalancer,
}

/// A flow a cluster needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// From.
    pub from: Party,
    /// To.
    pub to: Party,
    /// `None` = all.
    pub protocol: Option<Protocol>,
    /// Empty = all.
    pub ports: &'static [u16],
    /// Only with API server VNet integration.
    pub vnet_integration_only: bool,
    /// What for.
    pub because: &'static str,
}

facts! {
    /// AKS puts no security group on a subnet and changes none there; it manages one on the nodes' interfaces. A
    /// subnet's group must be opened by its owner, for LoadBalancer Services as well.
    SUBNET_GROUP_IS_THE_USERS: bool = true,
        "nsg.management" Doc 2026-7-10 "concepts-network-cni-overview.md, faq.yml, support-policies.md, custom-nsg-blocks-traffic.md"
        "brief-nsg-subnet: a LoadBalancer Service opens the interface's group only";
    /// Inbound rules every group ends with.
    DEFAULT_INBOUND: &[DefaultRule] = &[
            DefaultRule { priority: 65_000, name: "AllowVnetInBound", source: "VirtualNetwork", destination: "VirtualNetwork", allow: true },
            DefaultRule { priority: 65_001, name: "AllowAzureLoadBalancerInBound", source: "AzureLoadBalancer", destination: "*", allow: true },
            DefaultRule { priority: 65_500, name: "DenyAllInBound", source: "*", destination: "*", allow: false },
        ],
        "nsg.defaults_inbound" Doc 2022-8-23 "custom-nsg-blocks-traffic.md";
    /// Flows a cluster needs wherever deny rules could hit them.
    NEEDED: &[Needed] = &[
            Needed { from: Party::Nodes, to: Party::Nodes, protocol: None, ports: &[], vnet_integration_only: false, because: "node to node, and pods behind their node's address" },
            Needed { from: Party::Nodes, to: Party::Pods, protocol: None, ports: &[], vnet_integration_only: false, because: "service traffic" },
            Needed { from: Party::Pods, to: Party::Nodes, protocol: None, ports: &[], vnet_integration_only: false, because: "service traffic" },
            Needed { from: Party::Pods, to: Party::Pods, protocol: None, ports: &[], vnet_integration_only: false, because: "pods, services and DNS" },
            Needed { from: Party::Nodes, to: Party::ApiServerSubnet, protocol: Some(Protocol::Tcp), ports: &[443, 4443], vnet_integration_only: true, because: "nodes to the API server" },
            Needed { from: Party::AzureLoadBalancer, to: Party::ApiServerSubnet, protocol: Some(Protocol::Tcp), ports: &[9988], vnet_integration_only: true, because: "probe of the API server" },
        ],
        "nsg.required.table" Doc 2026-4-15 "concepts-network.md, api-server-vnet-integration.md"
        "nsg-node-pod-direction: pages name one direction each between nodes and pods; both are needed";
    /// Subnet rules see pod addresses in overlay, because packets cross the subnet unwrapped.
    OVERLAY_IS_NOT_ENCAPSULATED: bool = true,
        "mode.overlay.encapsulation" Doc 2026-7-31 "concepts-network-azure-cni-overlay.md";
    /// Traffic within the node range, and between nodes and pods, must pass in flat modes as well.
    FLAT_NEEDS_IT_TOO: bool = true, "nsg.required.flat" Doc 2026-7-10 "concepts-network-cni-overview.md, faq.yml";
    /// Between pools: DNS from every pool to the one with CoreDNS, and the kubelet's port.
    BETWEEN_POOLS: &[(Protocol, u16)] = &[(Protocol::Udp, 53), (Protocol::Tcp, 53), (Protocol::Tcp, 10_250)],
        "nsg.between_pools" Doc 2024-9-23 "traffic-between-node-pools-is-blocked.md";
    /// `loadBalancerSourceRanges` must name the pod CIDR when pods call the Service's public address, from
    /// Kubernetes 1.25.
    SOURCE_RANGES_NEED_POD_CIDR: bool = true,
        "nsg.lb_source_ranges" Doc 2024-1-23 "configure-load-balancer-standard.md";
    /// Host ports on node public addresses need allow rules in the interface's and the subnet's group.
    NODE_PUBLIC_IP_NEEDS_RULES: bool = true, "nsg.node_public_ip" Doc 2026-6-17 "use-node-public-ips.md";
    /// Ports of the gateway manager an Application Gateway's subnet must let in: v1, v2. Load balancer probes and
    /// outbound internet must pass as well.
    APPLICATION_GATEWAY_PORTS: ((u16, u16), (u16, u16)) = ((65_503, 65_534), (65_200, 65_535)),
        "nsg.appgw" DocOld 2021-6-14 "configuration-infrastructure.md";
}

/// Outbound rules every group ends with; the counterpart of [`DEFAULT_INBOUND`].
pub const DEFAULT_OUTBOUND: &[DefaultRule] = &[
    DefaultRule {
        priority: 65_000,
        name: "AllowVnetOutBound",
        source: "VirtualNetwork",
        destination: "VirtualNetwork",
        allow: true,
    },
    DefaultRule { priority: 65_001, name: "AllowInternetOutBound", source: "*", destination: "Internet", allow: true },
    DefaultRule { priority: 65_500, name: "DenyAllOutBound", source: "*", destination: "*", allow: false },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_and_pods_need_both_directions() {
        let needs = |from, to| {
            NEEDED.value.iter().any(|needed| (needed.from, needed.to) == (from, to) && !needed.vnet_integration_only)
        };
        assert!(needs(Party::Nodes, Party::Pods) && needs(Party::Pods, Party::Nodes));
    }

    #[test]
    fn default_rules_are_asked_in_order_and_end_with_a_denial() {
        for rules in [DEFAULT_INBOUND.value, DEFAULT_OUTBOUND] {
            assert!(rules.windows(2).all(|pair| pair[0].priority < pair[1].priority));
            assert!(rules.last().is_some_and(|rule| !rule.allow));
        }
    }
}
