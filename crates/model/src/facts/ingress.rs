//! Load balancers of Services, gateways in front of clusters, and the subnets gateways need.

use super::Setting;
use crate::design::Version;
use jiff::civil::Date;

/// What an Application Gateway's subnet needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplicationGatewaySubnet {
    /// Recommended prefix length for v2.
    pub recommended_v2: u8,
    /// Most instances of v2.
    pub max_instances_v2: u64,
    /// Recommended prefix length for v1.
    pub recommended_v1: u8,
    /// Most instances of v1.
    pub max_instances_v1: u64,
    /// Shortest prefix in front of an overlay cluster: the subnet may be a /24 at most.
    pub shortest_for_overlay: u8,
    /// Delegation in front of an overlay cluster.
    pub delegation_for_overlay: &'static str,
}

/// What the subnet of an Application Gateway for Containers needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayForContainersSubnet {
    /// Longest prefix.
    pub longest: u8,
    /// The only length in front of an overlay cluster.
    pub exactly_for_overlay: u8,
    /// Addresses an association takes.
    pub addresses: u64,
    /// Addresses that must be free before, by one guide.
    pub free_before: u64,
    /// The delegation it needs.
    pub delegation: &'static str,
}

/// A subnet whose name is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewaySubnet {
    /// The name.
    pub name: &'static str,
    /// Longest prefix.
    pub longest: u8,
}

facts! {
    /// An internal load balancer takes its address from the cluster's subnet (one of the pools', where there are
    /// several) unless an annotation names another of the VNet; a public one takes a public address a Service.
    INTERNAL_FRONTEND_IN_NODE_SUBNET: bool = true,
        "lb.service_frontend" Doc 2026-7-31 "load-balancer-standard.md, internal-lb.md";
    /// Annotations of Services, after `service.beta.kubernetes.io/`; inbound only.
    ANNOTATIONS: &[&str] = &[
            "azure-load-balancer-internal",
            "azure-load-balancer-internal-subnet",
            "azure-load-balancer-ipv4",
            "azure-load-balancer-ipv6",
            "azure-dns-label-name",
            "azure-load-balancer-resource-group",
            "azure-allowed-service-tags",
            "azure-allowed-ip-ranges",
            "azure-load-balancer-tcp-idle-timeout",
            "azure-load-balancer-disable-tcp-reset",
            "azure-pls-create",
        ],
        "lb.annotations" Doc 2026-7-31 "configure-load-balancer-standard.md, internal-lb.md";
    /// With `externalTrafficPolicy: Cluster`, the default, pods see a node's address; with `Local` the client's.
    /// Windows nodes never keep it.
    CLUSTER_POLICY_HIDES_CLIENT: bool = true, "lb.client_ip" Doc 2024-1-23 "configure-load-balancer-standard.md";
    /// Seconds between probes, failures until unhealthy. Local: HTTP `/healthz` on the health check node port; UDP
    /// with Cluster: none. Probes come from 168.63.129.16.
    PROBE: (u64, u64) = (5, 2),
        "lb.health_probe" Doc 2024-1-23 "configure-load-balancer-standard.md, what-is-ip-address-168-63-129-16.md"
        "an HTTP appProtocol makes it HTTP on / from Kubernetes 1.24: a service without a page there turns unhealthy";
    /// Back end pools by node address configuration are the old kind, needed for private link services; by node
    /// address the efficient kind.
    BACKEND_POOL_TYPES: &[&str] = &["nodeIPConfiguration", "nodeIP"],
        "lb.backend_pool_types" Doc 2026-7-31 "configure-load-balancer-standard.md, load-balancer-standard.md, internal-lb.md, use-multiple-standard-load-balancer.md";
    /// The only load balancer SKU; Basic retired 2025-09-30. Cannot be changed.
    SKU: &str = "standard", "lb.sku" Doc 2026-1-14 "load-balancer-standard.md, basic-load-balancer-retirement.md";
    /// NAT addresses of a private link service. IPv4, TCP and UDP only; its subnet must not be the pod subnet with
    /// policy Local; never with static block.
    PRIVATE_LINK_SERVICE_NAT_IPS: Setting = Setting { default: 1, min: 1, max: 8 },
        "lb.pls" Doc 2026-7-31 "internal-lb.md"
        "one NAT address when none is stated is our reading";
    /// The label on a pool that keeps its nodes out of load balancers.
    EXCLUDE_LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers",
        "lb.exclude_pool_label" Doc 2024-1-23 "configure-load-balancer-standard.md";
    /// The oldest Kubernetes for several load balancers (preview); outbound always uses the first.
    SEVERAL_LOAD_BALANCERS_FROM: Version = Version::new(1, 28),
        "lb.multi_slb" Doc 2025-5-13 "use-multiple-standard-load-balancer.md";
    /// The subnet of an Application Gateway for Containers. Several on a flat network's subnet take 256 addresses each.
    GATEWAY_FOR_CONTAINERS: GatewayForContainersSubnet = GatewayForContainersSubnet { longest: 24, exactly_for_overlay: 24, addresses: 256, free_before: 250, delegation: "Microsoft.ServiceNetworking/trafficControllers" },
        "ing.agc_subnet" DocOld 2025-3-24 "application-gateway-for-containers-components.md, container-networking.md (Application Gateway for Containers), quickstart AGC managed by ALB controller"
        "one association a gateway; one gateway a subnet in front of overlay";
    /// Its frontend has a private address or a fixed one. It has a public name.
    GATEWAY_FOR_CONTAINERS_PRIVATE: bool = false,
        "ing.agc_frontend" Doc 2026-6-5 "application-gateway-for-containers-components.md, concepts-network-ingress.md";
    /// In front of overlay it must be in the nodes' VNet; peering is not supported.
    GATEWAY_FOR_CONTAINERS_SAME_VNET: bool = true,
        "ing.agc_peering" DocOld 2025-3-24 "container-networking.md (Application Gateway for Containers)";
    /// Headers it adds.
    GATEWAY_FOR_CONTAINERS_HEADERS: &[&str] = &["x-forwarded-for", "x-forwarded-proto", "x-request-id"],
        "ing.agc_xff" DocOld 2023-7-24 "application-gateway-for-containers-components.md";
    /// It reaches pods of overlay directly: the overlay's routing is extended to its subnet.
    GATEWAY_FOR_CONTAINERS_REACHES_PODS: bool = true,
        "mode.overlay.agc_direct_to_pod" DocOld 2025-3-24 "container-networking.md (Application Gateway for Containers)"
        "unk.agc-shared-pod-cidr: two clusters with one pod CIDR in one VNet are not discussed anywhere";
    /// The subnet of an Application Gateway: of its own, v1 and v2 not mixed, instances + private frontends + 5
    /// addresses. The ingress controller needs v2.
    APPLICATION_GATEWAY: ApplicationGatewaySubnet = ApplicationGatewaySubnet {
            recommended_v2: 24,
            max_instances_v2: 125,
            recommended_v1: 26,
            max_instances_v1: 32,
            shortest_for_overlay: 24,
            delegation_for_overlay: "Microsoft.Network/applicationGateways",
        },
        "ing.appgw_subnet" DocOld 2021-6-14 "configuration-infrastructure.md"
        "agic-overlay-version: a subnet of at most a /24 and the delegation count in front of overlay";
    /// Subnets with fixed names, and their longest prefixes.
    GATEWAY_SUBNETS: &[GatewaySubnet] = &[
            GatewaySubnet { name: "AzureFirewallSubnet", longest: 26 },
            GatewaySubnet { name: "GatewaySubnet", longest: 27 },
            GatewaySubnet { name: "AzureBastionSubnet", longest: 26 },
            GatewaySubnet { name: "RouteServerSubnet", longest: 27 },
        ],
        "ing.gateway_subnets" DocOld 2023-8-2 "networking-core.md (microsoft/azure-skills), snat-private-range.md";
    /// Ways in, with what they speak.
    OPTIONS: &[(&str, &str)] = &[
            ("application routing with nginx", "Ingress, in the cluster"),
            ("application routing with the Gateway API", "Gateway API, class approuting-istio"),
            ("Application Gateway for Containers", "Ingress and Gateway API, hosted"),
            ("Istio add-on", "Istio ingress or Gateway API, class istio from asm-1-26"),
            ("Application Gateway ingress controller", "Ingress, add-on or Helm"),
        ],
        "ing.options" Doc 2026-7-1 "concepts-network-ingress.md, app-routing-gateway-api.md, istio-gateway-api.md"
        "istio-gateway-api: two pages still deny the Gateway API for the Istio add-on";
    /// The day after which application routing's nginx gets no more patches; upstream ended in March 2026.
    NGINX_ENDS: Date = jiff::civil::date(2026, 11, 30),
        "ing.nginx_retirement" Doc 2026-1-29 "ingress-nginx-retirement.md"
        "nginx-still-recommended: warn on new designs, point to the Gateway API";
    /// Gateway API bundle by Kubernetes: first minor release of the bundle, bundle.
    GATEWAY_API_BUNDLES: &[(Version, &str)] = &[
            (Version::new(1, 26), "v1.2.1"), (Version::new(1, 34), "v1.3.0"), (Version::new(1, 35), "v1.4.1"),
            (Version::new(1, 36), "v1.5.1"),
        ],
        "ing.gateway_api_bundle" Doc 2026-5-18 "managed-gateway-api.md";
    /// Application routing's Gateway API and the Istio add-on exclude each other.
    APP_ROUTING_WITH_ISTIO: bool = false,
        "ing.approuting_istio_exclusive" Doc 2026-7-1 "app-routing-gateway-api.md, istio-gateway-api.md";
    /// From this version AKS Automatic comes with the Gateway API, before with nginx.
    AUTOMATIC_GATEWAY_API_FROM: Version = Version::new(1, 36),
        "ing.automatic_default" Doc 2026-7-7 "app-routing-gateway-api.md, intro-aks-automatic.md";
    /// What the Istio add-on can't do.
    ISTIO_LIMITS: &[&str] = &[
            "ambient", "several clusters", "Windows", "virtual nodes",
            "together with Open Service Mesh or an Istio of one's own",
        ],
        "ing.istio_addon_limits" Doc 2023-4-9 "istio-about.md";
    /// The Istio add-on's release from which its CNI is the default; before, pods need NET_ADMIN and NET_RAW.
    ISTIO_CNI_FROM: &str = "asm-1-30", "ing.istio_cni" Doc 2026-5-6 "istio-cni.md";
}

/// The subnet of that fixed name, in any case.
pub fn gateway_subnet(name: &str) -> Option<&'static GatewaySubnet> {
    GATEWAY_SUBNETS.value.iter().find(|subnet| subnet.name.eq_ignore_ascii_case(name))
}

/// The Gateway API bundle of a Kubernetes release; `None` for one older than any.
pub fn gateway_api_bundle(kubernetes: Version) -> Option<&'static str> {
    GATEWAY_API_BUNDLES
        .value
        .iter()
        .rev()
        .find(|(from, _)| kubernetes.at_least(from.major, from.minor))
        .map(|(_, bundle)| *bundle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_by_kubernetes() {
        for (minor, bundle) in
            [(25, None), (26, Some("v1.2.1")), (33, Some("v1.2.1")), (34, Some("v1.3.0")), (40, Some("v1.5.1"))]
        {
            assert_eq!(gateway_api_bundle(Version::new(1, minor)), bundle, "1.{minor}");
        }
    }

    #[test]
    fn fixed_names_are_found_in_any_case() {
        assert_eq!(gateway_subnet("azurefirewallsubnet").map(|subnet| subnet.longest), Some(26));
        assert_eq!(gateway_subnet("nodes"), None);
    }
}
