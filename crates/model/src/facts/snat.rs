//! Ports and idle timeouts of what carries connections to the internet. The arithmetic is in [`crate::arithmetic::snat`].

use super::Setting;
use crate::arithmetic::snat;
use crate::design::Version;
use causeway_addr::Cidr;
use jiff::civil::Date;

facts! {
    /// Ports of a load balancer per public address. Every inbound rule on the same frontend uses up a block of eight.
    LB_PORTS_PER_IP: u64 = snat::PORTS_PER_LOAD_BALANCER_IP,
        "snat.ports_per_public_ip_lb" Doc 2024-1-23 "configure-load-balancer-standard.md, load-balancer-outbound-connections.md";
    /// Ports per node and address under automatic allocation: largest pool size of the row, ports. No row above
    /// 1,000 nodes.
    LB_DEFAULT_TABLE: [(u64, u64); 6] = snat::DEFAULT_TABLE,
        "snat.lb_default_table" Doc 2024-1-23 "load-balancer-outbound-connections.md, configure-load-balancer-standard.md"
        "unk.snat-above-1000: nothing is published above; crossing a row halves the ports of existing nodes and can break connections";
    /// The most a node gets under automatic allocation: `min(table * addresses, 1024)`.
    LB_DEFAULT_CEILING: u64 = snat::DEFAULT_CEILING,
        "snat.lb_default_formula" DocOld 2023-3-6 "load-balancer-outbound-connections.md"
        "snat-default-per-frontend: AKS pages do not mention the number of addresses";
    /// `allocatedOutboundPorts`: 0 is automatic by pool size; an explicit value is recommended.
    LB_ALLOCATED_PORTS: Setting = Setting { default: 0, min: 0, max: snat::PORTS_PER_LOAD_BALANCER_IP },
        "snat.lb_default_setting" Doc 2024-1-23 "configure-load-balancer-standard.md";
    /// The step of `allocatedOutboundPorts`.
    LB_PORT_STEP: u64 = snat::PORT_STEP,
        "snat.lb_ports_multiple_of" Doc 2024-1-23 "configure-load-balancer-standard.md";
    /// Explicit allocation is refused unless nodes, surge counted in, times ports fit 64,000 times addresses.
    LB_EXPLICIT_FEASIBLE: bool = true,
        "snat.lb_explicit_formula" Doc 2024-5-6 "configure-load-balancer-standard.md, invalidloadbalancerprofileallocatedoutboundports-error.md"
        "snat-rounding: the documents round to the nearest node, which can be refused; round down";
    /// The error of an allocation that does not fit.
    LB_ERROR: &str = "InvalidLoadBalancerProfileAllocatedOutboundPorts",
        "snat.lb_error" Doc 2024-5-6 "invalidloadbalancerprofileallocatedoutboundports-error.md";
    /// Minutes a connection of the AKS load balancer's outbound rule may idle; a reset is sent afterwards.
    LB_IDLE_MINUTES: Setting = Setting { default: 30, min: 4, max: 120 },
        "snat.lb_idle_timeout" Doc 2024-11-30 "configure-load-balancer-standard.md, load-balancer-outbound-connections.md, improve-network-fault-tolerance-in-aks-using-tcp-keepalive.md"
        "lb-idle-timeout: outbound rule 30 (4 to 120); inbound 4 (annotation 4 to 30); any other load balancer 4";
    /// One port serves connections to different destinations at once: TCP by destination address and port, UDP by
    /// destination address.
    PORTS_ARE_PER_DESTINATION: bool = true,
        "snat.port_reuse_rule" DocOld 2023-3-6 "load-balancer-outbound-connections.md";
    /// Secondary addresses of an interface leave through a load balancer's outbound rule.
    LB_SECONDARY_CONFIGURATIONS: bool = false,
        "snat.lb_secondary_ip_configs" DocOld 2023-3-6 "load-balancer-outbound-connections.md"
        "unk.podsubnet-lb-egress: secondary interface configurations get no outbound rule, yet such clusters work in practice";
    /// Fragments pass load balancer SNAT or a NAT gateway.
    FRAGMENTS_PASS: bool = false,
        "snat.fragments" DocOld 2023-7-10 "load-balancer-outbound-connections.md, nat-gateway-resource.md";
    /// Ports of a NAT gateway per public address; TCP and UDP apart, on demand.
    NAT_GATEWAY_PORTS_PER_IP: u64 = snat::PORTS_PER_NAT_GATEWAY_IP,
        "snat.natgw_ports_per_ip" Doc 2026-7-7 "nat-gateway.md, nat-gateway-resource.md";
    /// Public IPv4 addresses of a NAT gateway. StandardV2 takes as many IPv6 ones beside.
    NAT_GATEWAY_IPS: u64 = 16, "snat.natgw_max_ips" Doc 2026-7-27 "nat-gateway.md, nat-sku.md";
    /// Concurrent connections per public address to one destination.
    NAT_GATEWAY_SAME_DESTINATION: u64 = 50_000,
        "snat.natgw_connections_same_destination" Doc 2026-7-27 "nat-sku.md, nat-gateway-resource.md";
    /// Concurrent connections of a NAT gateway.
    NAT_GATEWAY_CONNECTIONS: u64 = 2_000_000,
        "snat.natgw_total_connections" Doc 2026-7-27 "nat-sku.md, nat-gateway-resource.md";
    /// Gbit/s of a NAT gateway: Standard, StandardV2, one connection through StandardV2.
    NAT_GATEWAY_GBPS: (u64, u64, u64) = (50, 100, 1), "snat.natgw_bandwidth" Doc 2026-7-27 "nat-sku.md";
    /// Packets a second of a NAT gateway: Standard, StandardV2, one connection through StandardV2.
    NAT_GATEWAY_PPS: (u64, u64, u64) = (5_000_000, 10_000_000, 100_000), "snat.natgw_pps" Doc 2026-7-27 "nat-sku.md";
    /// Minutes a TCP connection through a NAT gateway may idle. UDP: 4, not settable.
    NAT_GATEWAY_IDLE_MINUTES: Setting = Setting { default: 4, min: 4, max: 120 },
        "snat.natgw_idle" Doc 2026-7-7 "nat-gateway-resource.md, nat-gateway.md";
    /// Seconds until a port is used again towards the same destination: after TCP FIN, after reset, half open, UDP.
    NAT_GATEWAY_COOLDOWN_SECONDS: (u64, u64, u64, u64) = (65, 16, 30, 65),
        "snat.natgw_port_cooldown" DocOld 2023-7-10 "nat-gateway-resource.md";
    /// Protocols a Standard NAT gateway carries. StandardV2 adds ICMP echo.
    NAT_GATEWAY_PROTOCOLS: &[&str] = &["tcp", "udp"], "snat.natgw_protocols" Doc 2026-7-27 "nat-sku.md";
    /// Subnets of one VNet a NAT gateway serves. One NAT gateway a subnet, none on the gateway subnet.
    NAT_GATEWAY_SUBNETS: u64 = 800,
        "snat.natgw_scope" Doc 2026-7-27 "nat-sku.md, nat-gateway-resource.md, nat-overview.md";
    /// A Standard NAT gateway stands in several zones. StandardV2 does.
    NAT_GATEWAY_ZONE_REDUNDANT: bool = false, "snat.natgw_zone" Doc 2026-7-27 "nat-sku.md, nat-gateway.md";
    /// Regions without StandardV2.
    NAT_GATEWAY_V2_NOT_IN: &[&str] = &[
            "canadaeast", "indonesiacentral", "israelnorthwest", "qatarcentral", "swedensouth", "westindia",
        ],
        "snat.natgw_v2_unavailable_regions" Doc 2026-7-27 "nat-sku.md";
    /// StandardV2 interrupts IPv6 through load balancer outbound rules; adding it can interrupt flows of load
    /// balancers and firewalls.
    NAT_GATEWAY_V2_INTERRUPTS: bool = true, "snat.natgw_v2_known_issue" Doc 2026-7-27 "nat-sku.md";
    /// Public addresses recommended for large clusters, NAT gateway and load balancer alike.
    LARGE_CLUSTER_IPS: u64 = 2,
        "snat.large_cluster_recommendation" Doc 2026-6-5 "best-practices-performance-scale-large.md";
    /// Ports of an Azure Firewall per public address.
    FIREWALL_PORTS_PER_IP: u64 = snat::PORTS_PER_FIREWALL_IP,
        "snat.azure_firewall_ports_per_ip" Doc 2026-7-7 "nat-gateway.md"
        "unk.firewall-ports: other pages say per address and instance; counted once";
    /// Public addresses recommended on an Azure Firewall in front of a cluster.
    FIREWALL_MIN_IPS: u64 = 20, "snat.azure_firewall_min_ips" Doc 2023-12-5 "limit-egress-traffic.md";
    /// Destinations for which network rules of an Azure Firewall leave the source as it is. Application rules
    /// always translate.
    FIREWALL_PRIVATE_RANGES: &[Cidr] = &[
            Cidr::v4([10, 0, 0, 0], 8), Cidr::v4([172, 16, 0, 0], 12), Cidr::v4([192, 168, 0, 0], 16),
            Cidr::v4([100, 64, 0, 0], 10),
        ],
        "snat.azure_firewall_private_ranges" DocOld 2023-8-2 "snat-private-range.md, nat-gateway.md"
        "so a pod range in 10/8 or 100.64/10 is not hidden from on-premises unless configured";
    /// Ports each Windows container network gets on the host with a load balancer; OutboundNAT can be switched off
    /// with a NAT gateway or user-defined routes only, from Kubernetes 1.26.
    WINDOWS_PORTS_ON_HOST: u64 = 64, "snat.windows_outbound_nat" Doc 2026-7-7 "nat-gateway.md";
    /// Static egress gateway: public prefix length and the gateway nodes it carries.
    STATIC_EGRESS_PREFIXES: &[(u8, u64)] = &[(28, 16), (29, 8), (30, 4), (31, 2)],
        "snat.static_egress_gateway" Doc 2026-8-6 "configure-static-egress-gateway.md, container-network-performance-ebpf-host-routing.md"
        "not with pod-subnet modes, dual stack, Windows gateway pools, host-network pods, the autoscaler or eBPF host routing; network policies do not apply to it";
    /// Seconds: TCP keep-alive time, interval, and conntrack's time for established connections. The first is
    /// longer than every idle timeout on the way.
    KEEPALIVE_SECONDS: (u64, u64, u64) = (7_200, 75, 86_400),
        "snat.tcp_keepalive_node_defaults" Doc 2026-8-6 "improve-network-fault-tolerance-in-aks-using-tcp-keepalive.md, custom-node-configuration-reference.md";
    /// The day the platform's default outbound access ended in VNets AKS manages.
    DEFAULT_ACCESS_ENDS: Date = jiff::civil::date(2026, 3, 31),
        "out.default_outbound_access_retired" Doc 2026-1-14 "vm-default-outbound-access-retirement.md"
        "default-outbound-date: 2025-09-30 for new deployments elsewhere; never rely on it";
}

/// Minutes an inbound connection of a Service's load balancer rule may idle; annotation
/// `azure-load-balancer-tcp-idle-timeout` (`lb.annotations`).
pub const INBOUND_IDLE_MINUTES: Setting = Setting { default: 4, min: 4, max: 30 };

/// Minutes any load balancer that is not AKS's lets a connection idle (`lb-idle-timeout`).
pub const OTHER_LB_IDLE_MINUTES: u64 = 4;

/// The oldest Kubernetes whose Windows pools can switch OutboundNAT off (`snat.windows_outbound_nat`).
pub const WINDOWS_OUTBOUND_NAT_OFF_FROM: Version = Version::new(1, 26);

/// Gateway nodes a public prefix of a static egress gateway carries; `None` for a length that is not offered.
pub fn static_egress_nodes(prefix_len: u8) -> Option<u64> {
    STATIC_EGRESS_PREFIXES.value.iter().find(|(len, _)| *len == prefix_len).map(|(_, nodes)| *nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_timeouts_have_bounds() {
        for (minutes, outbound, inbound) in [
            (3, false, false),
            (4, true, true),
            (30, true, true),
            (31, true, false),
            (45, true, false),
            (120, true, false),
            (121, false, false),
        ] {
            assert_eq!(LB_IDLE_MINUTES.value.allows(minutes), outbound, "{minutes} outbound");
            assert_eq!(INBOUND_IDLE_MINUTES.allows(minutes), inbound, "{minutes} inbound");
        }
    }

    #[test]
    fn static_egress_prefixes() {
        assert_eq!(static_egress_nodes(30), Some(4));
        assert_eq!(static_egress_nodes(27), None);
    }
}
