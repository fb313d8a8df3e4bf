//! Clusters and their pools, with the names of attributes of the provider's versions 3, 4 and 5.

use super::body::{Body, list};
use super::egress::{PUBLIC_IP, PUBLIC_IP_PREFIX};
use super::network::SUBNET;
use super::view::{Cx, Got, View};
use crate::tree::{MapBuilder, Node};

const APPLICATION_GATEWAY: &str = "Microsoft.Network/applicationGateways";

pub(super) fn cluster<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = common(cx, view);
    network(cx, view, &mut body);
    api_server(cx, view, &mut body);
    let mut pools: Vec<Node> = Vec::new();
    if let Some(pool) = view.block("default_node_pool") {
        pools.push(default_pool(cx, &pool, &mut body));
    }
    for (at, pool) in view.blocks("agent_pool_profile").into_iter().enumerate() {
        pools.push(data_pool(cx, &pool, at, &mut body));
    }
    body.set("agentPoolProfiles", list(pools));
    add_ons(cx, view, &mut body);
    cx.push(view, body);
}

fn common<'a>(cx: &Cx<'_, 'a>, view: &View<'a>) -> Body {
    let mut body = Body::new(view.at);
    body.copy(cx, view, "location", "location");
    // The version that runs says less about the future than the one that is asked for.
    let versions = match cx.get(view, "kubernetes_version") {
        Got::Absent => ["current_kubernetes_version"],
        _ => ["kubernetes_version"],
    };
    body.copy_first(cx, view, &versions, "kubernetesVersion");
    body.copy(cx, view, "node_resource_group", "nodeResourceGroup");
    body.copy(cx, view, "sku_tier", "sku.tier");
    body
}

fn network<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>, body: &mut Body) {
    let Some(profile) = view.block("network_profile") else {
        // A data source does not say; a resource leaves it to the platform.
        if view.is_data() {
            body.later("networkProfile.networkPlugin", view.at);
        }
        return;
    };
    for (attribute, path) in [
        ("network_plugin", "networkPlugin"),
        ("network_plugin_mode", "networkPluginMode"),
        ("network_mode", "networkMode"),
        ("network_policy", "networkPolicy"),
        ("dns_service_ip", "dnsServiceIP"),
        ("ip_versions", "ipFamilies"),
        ("outbound_type", "outboundType"),
        ("load_balancer_sku", "loadBalancerSku"),
    ] {
        body.copy(cx, &profile, attribute, &format!("networkProfile.{path}"));
    }
    body.copy_first(cx, &profile, &["network_data_plane", "ebpf_data_plane"], "networkProfile.networkDataplane");
    for (one, many, path) in [("pod_cidr", "pod_cidrs", "podCidr"), ("service_cidr", "service_cidrs", "serviceCidr")] {
        body.copy(cx, &profile, one, &format!("networkProfile.{path}"));
        body.copy(cx, &profile, many, &format!("networkProfile.{path}s"));
    }
    if view.is_data() {
        // A data source says the plugin and not its mode, nor where pods have their addresses.
        body.later("networkProfile.networkPluginMode", profile.span());
    }
    balancer(cx, &profile, body);
    if let Some(gateway) = profile.block("nat_gateway_profile") {
        let path = |name: &str| format!("networkProfile.natGatewayProfile.{name}");
        body.copy(cx, &gateway, "managed_outbound_ip_count", &path("managedOutboundIPProfile.count"));
        body.copy(cx, &gateway, "idle_timeout_in_minutes", &path("idleTimeoutInMinutes"));
        body.refer_to_all(cx, &gateway, "effective_outbound_ips", PUBLIC_IP, &path("effectiveOutboundIPs"));
    }
    if let Some(advanced) = profile.block("advanced_networking") {
        body.copy(cx, &advanced, "security_enabled", "networkProfile.advancedNetworking.security.enabled");
    }
    if let Got::Known(bridge) = cx.get(&profile, "docker_bridge_cidr") {
        body.set("networkProfile.dockerBridgeCidr", bridge.clone());
    }
}

fn balancer<'a>(cx: &Cx<'_, 'a>, profile: &View<'a>, body: &mut Body) {
    let Some(balancer) = profile.block("load_balancer_profile") else { return };
    let path = |name: &str| format!("networkProfile.loadBalancerProfile.{name}");
    for (attribute, name) in [
        ("managed_outbound_ip_count", "managedOutboundIPs.count"),
        ("managed_outbound_ipv6_count", "managedOutboundIPs.countIPv6"),
        ("outbound_ports_allocated", "allocatedOutboundPorts"),
        ("idle_timeout_in_minutes", "idleTimeoutInMinutes"),
        ("backend_pool_type", "backendPoolType"),
    ] {
        body.copy(cx, &balancer, attribute, &path(name));
    }
    for (attribute, arm, name) in [
        ("outbound_ip_address_ids", PUBLIC_IP, "outboundIPs.publicIPs"),
        ("outbound_ip_prefix_ids", PUBLIC_IP_PREFIX, "outboundIPPrefixes.publicIPPrefixes"),
        ("effective_outbound_ips", PUBLIC_IP, "effectiveOutboundIPs"),
    ] {
        body.refer_to_all(cx, &balancer, attribute, arm, &path(name));
    }
}

fn api_server<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, body: &mut Body) {
    let path = |name: &str| format!("apiServerAccessProfile.{name}");
    body.copy(cx, view, "private_cluster_enabled", &path("enablePrivateCluster"));
    body.copy(cx, view, "private_cluster_public_fqdn_enabled", &path("enablePrivateClusterPublicFQDN"));
    body.copy(cx, view, "private_fqdn", "privateFqdn");
    match cx.get(view, "private_dns_zone_id") {
        Got::Known(word) => body.set(&path("privateDNSZone"), word.clone()),
        _ => body.refer_plainly(
            cx,
            view,
            "private_dns_zone_id",
            "Microsoft.Network/privateDnsZones",
            &path("privateDNSZone"),
        ),
    }
    let profile = view.block("api_server_access_profile");
    if let Some(profile) = &profile {
        body.copy(cx, profile, "authorized_ip_ranges", &path("authorizedIPRanges"));
        body.refer_plainly(cx, profile, "subnet_id", SUBNET, &path("subnetId"));
        let integration = ["virtual_network_integration_enabled", "vnet_integration_enabled"];
        body.copy_first(cx, profile, &integration, &path("enableVnetIntegration"));
    }
    if !body.has("apiServerAccessProfile.authorizedIPRanges") {
        body.copy(cx, view, "api_server_authorized_ip_ranges", &path("authorizedIPRanges"));
    }
}

fn default_pool<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, whole: &mut Body) -> Node {
    let mut body = Body::new(view.span());
    body.copy(cx, view, "name", "name");
    body.set("mode", Node::str(view.span(), "System"));
    body.set("osType", Node::str(view.span(), "Linux"));
    of_pool(cx, view, &mut body);
    body.copy(cx, view, "type", "type");
    if let Some(on) = cx.is_on(view, "only_critical_addons_enabled") {
        let taint = Node::str(on.span, "CriticalAddonsOnly=true:NoSchedule");
        body.set("nodeTaints", Node::seq(on.span, vec![taint]));
    }
    whole.later_in("agentPoolProfiles.0", &mut body);
    body.build()
}

/// Pools of a data source, which does not say where pods have their addresses.
fn data_pool<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, at: usize, whole: &mut Body) -> Node {
    let mut body = Body::new(view.span());
    body.copy(cx, view, "name", "name");
    body.copy(cx, view, "count", "count");
    of_pool(cx, view, &mut body);
    body.copy(cx, view, "type", "type");
    body.copy(cx, view, "os_type", "osType");
    body.copy(cx, view, "node_taints", "nodeTaints");
    body.later("podSubnetID", view.span());
    whole.later_in(&format!("agentPoolProfiles.{at}"), &mut body);
    body.build()
}

pub(super) fn pool<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = Body::new(view.at);
    of_pool(cx, view, &mut body);
    body.copy(cx, view, "mode", "mode");
    body.copy(cx, view, "os_type", "osType");
    body.copy(cx, view, "node_taints", "nodeTaints");
    body.copy(cx, view, "priority", "scaleSetPriority");
    if view.is_data() {
        body.later("podSubnetID", view.at);
    }
    cx.push(view, body);
}

fn of_pool<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, body: &mut Body) {
    for (attribute, path) in [
        ("node_count", "count"),
        ("min_count", "minCount"),
        ("max_count", "maxCount"),
        ("max_pods", "maxPods"),
        ("os_sku", "osSKU"),
        ("vm_size", "vmSize"),
        ("node_labels", "nodeLabels"),
    ] {
        body.copy(cx, view, attribute, path);
    }
    body.copy_first(cx, view, &["auto_scaling_enabled", "enable_auto_scaling"], "enableAutoScaling");
    body.copy_first(cx, view, &["node_public_ip_enabled", "enable_node_public_ip"], "enableNodePublicIP");
    body.copy_first(cx, view, &["zones", "availability_zones"], "availabilityZones");
    body.refer_plainly(cx, view, "vnet_subnet_id", SUBNET, "vnetSubnetID");
    body.refer_plainly(cx, view, "pod_subnet_id", SUBNET, "podSubnetID");
    body.copy_first(cx, view, &["pod_ip_allocation_mode"], "podIPAllocationMode");
    if let Some(upgrade) = view.block("upgrade_settings") {
        body.copy(cx, &upgrade, "max_surge", "upgradeSettings.maxSurge");
        body.copy(cx, &upgrade, "max_unavailable", "upgradeSettings.maxUnavailable");
    }
}

fn add_ons<'a>(cx: &Cx<'_, 'a>, view: &View<'a>, body: &mut Body) {
    if let Some(profile) = view.block("node_provisioning_profile") {
        body.copy(cx, &profile, "mode", "nodeProvisioningProfile.mode");
    }
    if let Some(on) = cx.is_on(view, "http_application_routing_enabled") {
        body.set("addonProfiles.httpApplicationRouting.enabled", on.clone());
    }
    if let Some(on) = cx.is_on(view, "open_service_mesh_enabled") {
        body.set("addonProfiles.openServiceMesh.enabled", on.clone());
    }
    if let Some(gateway) = view.block("ingress_application_gateway") {
        let path = |name: &str| format!("addonProfiles.ingressApplicationGateway.{name}");
        body.set(&path("enabled"), Node::plain(gateway.span(), "true"));
        body.refer_plainly(cx, &gateway, "gateway_id", APPLICATION_GATEWAY, &path("config.applicationGatewayId"));
        body.copy(cx, &gateway, "effective_gateway_id", &path("config.effectiveApplicationGatewayId"));
        body.refer_plainly(cx, &gateway, "subnet_id", SUBNET, &path("config.subnetId"));
    }
    if let Some(nodes) = view.block("aci_connector_linux") {
        body.set("addonProfiles.aciConnectorLinux.enabled", Node::plain(nodes.span(), "true"));
        body.copy(cx, &nodes, "subnet_name", "addonProfiles.aciConnectorLinux.config.SubnetName");
    }
    for block in ["web_app_routing", "web_app_routing_ingress"] {
        let Some(routing) = view.block(block) else { continue };
        if let Some(on) = cx.is_on(&routing, "istio_enabled") {
            let mode = Node::str(on.span, "Enabled");
            body.set("ingressProfile.webAppRouting.gatewayAPIImplementations.appRoutingIstio.mode", mode);
            if matches!(cx.get(&routing, "default_nginx_controller"), Got::Absent) {
                continue;
            }
        }
        body.set("ingressProfile.webAppRouting.enabled", Node::plain(routing.span(), "true"));
        let path = "ingressProfile.webAppRouting.nginx.defaultIngressControllerType";
        body.copy(cx, &routing, "default_nginx_controller", path);
    }
    for block in ["service_mesh_profile", "service_mesh"] {
        let Some(mesh) = view.block(block) else { continue };
        let gateways =
            [("internal_ingress_gateway_enabled", "Internal"), ("external_ingress_gateway_enabled", "External")];
        let gateways = gateways.into_iter().filter_map(|(attribute, mode)| {
            let on = cx.is_on(&mesh, attribute)?;
            let mode = Node::str(on.span, mode);
            Some(MapBuilder::new(on.span).set("enabled", None, on.clone()).set("mode", None, mode).build())
        });
        body.set("serviceMeshProfile.istio.components.ingressGateways", list(gateways.collect()));
    }
}

/// AKS Automatic: what its networks are is decided by the platform (Azure CNI Overlay with Cilium, a managed NAT gateway
/// unless it has networks of its own).
pub(super) fn automatic<'a>(cx: &mut Cx<'_, 'a>, view: &View<'a>) {
    let mut body = common(cx, view);
    body.set("sku.name", Node::str(view.at, "Automatic"));
    body.set("networkProfile.networkPlugin", Node::str(view.at, "azure"));
    body.set("networkProfile.networkPluginMode", Node::str(view.at, "overlay"));
    body.set("networkProfile.networkDataplane", Node::str(view.at, "cilium"));
    body.set("networkProfile.networkPolicy", Node::str(view.at, "cilium"));
    body.set("nodeProvisioningProfile.mode", Node::str(view.at, "Auto"));
    let path = |name: &str| format!("apiServerAccessProfile.{name}");
    if let Some(access) = view.block("api_server_access") {
        body.copy(cx, &access, "authorized_ip_ranges", &path("authorizedIPRanges"));
        body.refer_plainly(cx, &access, "subnet_id", SUBNET, &path("subnetId"));
    }
    body.set(&path("enableVnetIntegration"), Node::plain(view.at, "true"));
    if let Some(private) = view.block("private_cluster") {
        body.set(&path("enablePrivateCluster"), Node::plain(private.span(), "true"));
        body.copy(cx, &private, "private_dns_zone_id", &path("privateDNSZone"));
    }
    if let Some(hosted) = view.block("hosted_system") {
        body.set("hostedSystemProfile.enabled", Node::plain(hosted.span(), "true"));
        let address = cx.address(view);
        cx.unknown(hosted.span(), format!("the nodes that `{address}` makes for pods by itself are not in the plan: what they take from its subnets is not counted"));
    }
    add_ons(cx, view, &mut body);
    cx.push(view, body);
}
