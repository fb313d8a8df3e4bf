//! The API server: how it is reached, what its subnet needs, and the names it has.

use crate::design::Version;

facts! {
    /// How an API server can be reached: public, private link, VNet integration (public or private).
    ACCESS_MODES: &[&str] = &["public", "private link", "API server VNet integration"],
        "cp.access_modes" Doc 2026-4-15 "plan-control-plane-networking.md, api-server-vnet-integration.md";
    /// A private link endpoint takes one address of the first node pool's subnet; deleting or changing it breaks
    /// the cluster.
    PRIVATE_ENDPOINT_ADDRESSES: u64 = 1,
        "cp.private.endpoint_subnet" Doc 2026-8-5 "private-clusters.md"
        "may move when the first pool changes over a stop and start";
    /// Private DNS zone of a private cluster: `system` (default, in the node resource group), `none` (public name
    /// only), or a zone's resource id.
    PRIVATE_ZONE_MODES: &[&str] = &["system", "none", "custom"],
        "cp.private.dns_zone_modes" Doc 2026-8-5 "private-clusters.md"
        "custom needs a user-assigned identity with rights on zone and VNet; the subzone's name is 32 characters at most";
    /// Names of the zone VNet integration uses when private; `{region}` and `{subzone}` stand for themselves.
    VNET_INTEGRATION_ZONES: &[&str] = &["private.{region}.azmk8s.io", "{subzone}.private.{region}.azmk8s.io"],
        "cp.private.zone_vnet_integration" Doc 2026-8-5 "private-clusters.md";
    /// No private zone together with no public name leaves nothing that resolves.
    ZONE_NONE_WITHOUT_PUBLIC_NAME: bool = false, "cp.private.invalid_combination" Doc 2026-8-5 "private-clusters.md";
    /// A zone can only be changed from `system` or custom to `none`; nodes get a new image.
    ZONE_CAN_CHANGE_TO_NONE_ONLY: bool = true, "cp.private.zone_update" Doc 2026-8-5 "private-clusters.md";
    /// AKS links the zone to the nodes' VNet only. Peered VNets and custom DNS servers need their own link or a
    /// forwarder to the platform resolver.
    ZONE_LINKED_TO_NODE_VNET_ONLY: bool = true, "cp.private.zone_links" Doc 2026-8-5 "private-clusters.md";
    /// Authorized ranges work with private clusters.
    PRIVATE_TAKES_AUTHORIZED_RANGES: bool = false,
        "cp.private.authorized_ranges" Doc 2026-8-5 "private-clusters.md, api-server-authorized-ip-ranges.md";
    /// Private clusters need a Standard load balancer.
    PRIVATE_NEEDS_STANDARD_LB: bool = true, "cp.private.standard_lb_only" Doc 2026-8-5 "private-clusters.md";
    /// The longest prefix of a VNet-integrated API server's subnet.
    SUBNET_LONGEST: u8 = 28, "cp.vnetint.subnet_min" Doc 2026-4-15 "api-server-vnet-integration.md";
    /// Addresses a cluster takes there, at least; several clusters of the VNet may share the subnet.
    ADDRESSES_PER_CLUSTER: u64 = 9, "cp.vnetint.reserved_ips" Doc 2026-4-15 "api-server-vnet-integration.md";
    /// The delegation that subnet needs and keeps to itself.
    DELEGATION: &str = "Microsoft.ContainerService/managedClusters",
        "cp.vnetint.delegation" Doc 2026-4-15 "api-server-vnet-integration.md"
        "apiserver-subnet-delegation-owner: AKS Automatic delegates it by itself, so none yet is accepted there";
    /// Ports nodes need towards the API server subnet.
    NODE_PORTS: &[u16] = &[443, 4443],
        "cp.vnetint.ports" Doc 2026-4-15 "api-server-vnet-integration.md, concepts-network.md"
        "and 9988 from AzureLoadBalancer";
    /// With VNet integration nodes talk to the internal load balancer's address; the tunnel stays for pods of
    /// overlay and own plugins.
    NODES_USE_PRIVATE_IP: bool = true,
        "cp.vnetint.node_path" Doc 2026-4-15 "api-server-vnet-integration.md, plan-control-plane-networking.md"
        "brief-konnectivity-scope";
    /// VNet integration can be switched off again.
    CAN_BE_DISABLED: bool = false,
        "cp.vnetint.one_way" Doc 2026-4-15 "api-server-vnet-integration.md"
        "enabling it needs a restart and a new node image; the address changes, the name does not";
    /// Regions without VNet integration.
    NOT_IN_REGIONS: &[&str] = &["qatarcentral"],
        "cp.vnetint.limits" Doc 2026-4-15 "api-server-vnet-integration.md"
        "no VNet encryption with v4 and later node sizes; dual stack needs overlay and Kubernetes 1.26.3";
    /// The role a cluster's identity needs on the API server subnet and the node subnet.
    IDENTITY_ROLE: &str = "Network Contributor", "cp.vnetint.identity" Doc 2026-4-15 "api-server-vnet-integration.md";
    /// Other VNets reach a VNet-integrated API server through a private link service in the cluster's VNet and the
    /// zone `private.<region>.azmk8s.io`.
    PRIVATE_LINK_SERVICE: bool = true, "cp.vnetint.pls" Doc 2026-3-3 "private-apiserver-vnet-integration-cluster.md";
    /// VNet integration is generally available.
    GENERALLY_AVAILABLE: bool = true,
        "cp.vnetint.status" Doc 2026-4-15 "api-server-vnet-integration.md"
        "apiserver-vnetint-status: an older plan page calls it preview";
    /// The tunnel from API server to nodes: TCP port on the API server, its protocol negotiation must not be rewritten.
    TUNNEL_PORT: u16 = 443,
        "egr.konnectivity" Doc 2026-6-18 "outbound-rules-control-egress.md, tunnel-connectivity-issues.md"
        "blocked: logs, exec and webhooks fail; the kubelet port 10250 must be open between nodes";
}

/// Port of the health probe of a VNet-integrated API server, from `AzureLoadBalancer` (`cp.vnetint.ports`).
pub const PROBE_PORT: u16 = 9988;

/// The kubelet's port, open between nodes (`egr.konnectivity`).
pub const KUBELET_PORT: u16 = 10250;

/// The oldest Kubernetes for dual stack with VNet integration is 1.26.3 (`cp.vnetint.limits`).
pub const DUAL_STACK_FROM: Version = Version { major: 1, minor: 26, patch: Some(3) };

/// Whether a name is one a private cluster's own zone may have in the public cloud:
/// `privatelink.<region>.azmk8s.io` or a subzone of it.
/// `region` in lower case without spaces, `None` = any.
pub fn is_private_link_zone(zone: &str, region: Option<&str>) -> bool {
    zone_region(zone, "privatelink").is_some_and(|of| region.is_none_or(|region| region.eq_ignore_ascii_case(of)))
}

/// The same for VNet integration: `private.<region>.azmk8s.io` or a subzone.
pub fn is_vnet_integration_zone(zone: &str, region: Option<&str>) -> bool {
    zone_region(zone, "private").is_some_and(|of| region.is_none_or(|region| region.eq_ignore_ascii_case(of)))
}

/// The region of `[subzone.]<kind>.<region>.azmk8s.io`; the subzone is one label of 1 to 32 characters.
fn zone_region<'a>(zone: &'a str, kind: &str) -> Option<&'a str> {
    let mut labels = zone.trim_end_matches('.').rsplit('.');
    let (top, domain, region, word) = (labels.next()?, labels.next()?, labels.next()?, labels.next()?);
    let known =
        top.eq_ignore_ascii_case("io") && domain.eq_ignore_ascii_case("azmk8s") && word.eq_ignore_ascii_case(kind);
    let subzone = labels.next().is_none_or(|subzone| (1..=32).contains(&subzone.len()));
    (known && !region.is_empty() && subzone && labels.next().is_none()).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_names() {
        for (zone, private_link, vnet_integration) in [
            ("privatelink.westeurope.azmk8s.io", true, false),
            ("prod.privatelink.westeurope.azmk8s.io", true, false),
            ("a.b.privatelink.westeurope.azmk8s.io", false, false),
            ("private.westeurope.azmk8s.io", false, true),
            ("prod.private.westeurope.azmk8s.io", false, true),
            ("privatelink.azmk8s.io", false, false),
            ("privatelink.westeurope.azmk8s.cn", false, false),
            ("azmk8s.io", false, false),
            ("", false, false),
            ("an-uncommonly-long-name-of-a-subzone.privatelink.westeurope.azmk8s.io", false, false),
        ] {
            assert_eq!(is_private_link_zone(zone, None), private_link, "{zone}");
            assert_eq!(is_vnet_integration_zone(zone, None), vnet_integration, "{zone}");
        }
        assert!(is_private_link_zone("privatelink.westeurope.azmk8s.io", Some("WestEurope")));
        assert!(!is_private_link_zone("privatelink.westeurope.azmk8s.io", Some("northeurope")));
    }
}
