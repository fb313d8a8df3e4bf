//! Addresses of the platform itself, and names inside a cluster.

use crate::design::Version;
use causeway_addr::Cidr;
use std::net::Ipv4Addr;

facts! {
    /// Azure DNS, DHCP, the machine agent, and the source of load balancer probes; the same everywhere. Blocked
    /// probes make back ends unhealthy.
    PLATFORM_DNS: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16),
        "ip.wireserver_dns" DocOld 2019-5-15 "what-is-ip-address-168-63-129-16.md, private-clusters.md";
    /// The instance metadata service, tcp/80; pods reach it unless restricted, host-network pods always.
    METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254),
        "ip.imds" Doc 2025-5-30 "imds-restriction.md"
        "restricting it breaks the Application Gateway ingress controller and Container Insights";
    /// LocalDNS listens on these, one for each kind of dnsPolicy.
    LOCAL_DNS: [Ipv4Addr; 2] = [Ipv4Addr::new(169, 254, 10, 10), Ipv4Addr::new(169, 254, 10, 11)],
        "ip.localdns" Doc 2026-7-6 "localdns-custom.md";
    /// IPv6 probes come from a link-local address, which Azure Linux can't route to a pod: use
    /// `externalTrafficPolicy: Local`.
    IPV6_PROBE_NEEDS_LOCAL: bool = true,
        "ip.lb_ipv6_probe" Doc 2026-7-31 "azure-cni-overlay.md"
        "ipv6-etp-local: an error on Azure Linux pools, a warning elsewhere";
    /// Where CoreDNS asks by default: the node's resolver, which asks the platform.
    COREDNS_UPSTREAM: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16),
        "dns.coredns" Doc 2026-8-5 "dns-concepts.md, configure-kubenet.md, private-clusters.md";
    /// The oldest Kubernetes for LocalDNS; nodes of four or more cores with Azure Linux or Ubuntu 22.04 and later.
    LOCAL_DNS_FROM: Version = Version::new(1, 31),
        "dns.localdns" Doc 2026-7-6 "localdns-custom.md, dns-concepts.md"
        "set per pool; enabling it reimages the pool";
    /// Rules a LocalDNS configuration is checked against.
    LOCAL_DNS_RULES: &[&str] = &[
            "vnetDNSOverrides \".\" must not forward to ClusterCoreDNS", "cluster.local must not forward to VnetDNS",
            "ForceTCP excludes serveStale Verify",
        ],
        "dns.localdns_validation" Doc 2026-7-6 "localdns-custom.md";
    /// `cluster.local` goes to CoreDNS over TCP; everything else to the VNet's servers or CoreDNS by dnsPolicy.
    LOCAL_DNS_CLUSTER_OVER_TCP: bool = true, "dns.localdns_defaults" Doc 2026-7-6 "localdns-custom.md";
    /// A change of a VNet's DNS servers reaches nodes with a reimage of the pool only.
    DNS_CHANGE_NEEDS_REIMAGE: bool = true, "dns.custom_dns_change" Doc 2026-7-6 "localdns-custom.md";
    /// NodeLocal DNSCache beside LocalDNS is recommended.
    NODE_LOCAL_DNS_WITH_LOCAL_DNS: bool = false, "dns.nodelocaldns_with_localdns" Doc 2026-7-6 "localdns-custom.md";
    /// What a default-deny egress policy must allow for names: ports of CoreDNS in kube-system; with LocalDNS this
    /// range and the entity host as well.
    LOCAL_DNS_RANGE: Cidr = Cidr::v4([169, 254, 10, 0], 24),
        "dns.netpol_default_deny" Doc 2026-8-5 "localdns-custom.md, azure-cni-powered-by-cilium.md"
        "brief-netpol-localdns: port 53 to kube-system alone cuts DNS when LocalDNS is on";
    /// A public name is an alias of its privatelink name; which of the two addresses comes back is decided by the
    /// zone the resolver sees. Without a link the public one comes back silently.
    PRIVATE_LINK_BY_ALIAS: bool = true, "pdns.mechanism" DocOld 2023-10-11 "private-endpoint-dns.md";
    /// A zone must be linked to the VNet from which the platform resolver is asked; one zone a name, a zone serves
    /// one endpoint of a resource.
    ZONE_LINK_IS_PER_VNET: bool = true,
        "pdns.link_requirement" DocOld 2023-10-11 "private-endpoint-dns.md, private-clusters.md";
    /// Records of a container registry in `privatelink.azurecr.io`, by label.
    REGISTRY_RECORDS: &[&str] = &["{registry}", "{registry}.{region}.data"],
        "pdns.acr_records" Doc 2025-6-20 "network-isolated.md";
    /// Addresses a private endpoint takes: one for each member of its sub-resource; a registry one, and one for
    /// each data region.
    ADDRESSES_PER_ENDPOINT_MEMBER: u64 = 1, "pdns.subnet_sizing" Derived 2025-6-20 "network-isolated.md";
}

/// Where link-local addresses live; the masquerade agent exempts it unless told otherwise.
pub const LINK_LOCAL: Cidr = Cidr::v4([169, 254, 0, 0], 16);

/// The same for IPv6.
pub const LINK_LOCAL_IPV6: Cidr = Cidr::v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platform_addresses_lie_where_expected() {
        assert!(LINK_LOCAL.contains(METADATA.value.into()) && !LINK_LOCAL.contains(PLATFORM_DNS.value.into()));
        assert!(LOCAL_DNS.value.iter().all(|ip| LOCAL_DNS_RANGE.value.contains((*ip).into())));
        assert!(LINK_LOCAL_IPV6.contains("fe80::1".parse().unwrap()));
    }
}
