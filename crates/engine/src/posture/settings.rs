//! Settings worth a second look: who may call the API server, public addresses, surge and density, filters, resolvers.

use crate::egress::ground::{Ground, is_described, is_platform_described};
use crate::say::{cited, is_found, listed, plural};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{ModeFacts, limits, nsg, snat, special, upgrade};
use causeway_model::finding::Finding;

/// Pods per node below which a node's share of daemons and its price weigh heavily.
const FEW_PODS: u32 = 50;

pub(super) fn of_cluster(ground: &Ground, path: &str, cluster: &Cluster, out: &mut Vec<Finding>) {
    if !is_platform_described(cluster) {
        return;
    }
    open_api_server(path, cluster, out);
    pools(ground.design, path, cluster, out);
    subnets(ground, cluster, out);
}

fn open_api_server(path: &str, cluster: &Cluster, out: &mut Vec<Finding>) {
    let server = &cluster.api_server;
    let public = match server.access {
        ApiAccess::Public => true,
        ApiAccess::VnetIntegration => server.public == Some(true),
        ApiAccess::Private => false,
    };
    let everybody = server
        .authorized_ranges
        .as_ref()
        .is_none_or(|ranges| ranges.is_empty() || ranges.iter().any(|range| range.prefix_len() == 0));
    // What nobody stated is for the checklist: a default is no decision.
    if !public || !everybody || !server.stated {
        return;
    }
    let message =
        "everybody on the internet may call the API server: it is public and no ranges are allowed in particular";
    let finding = Finding::new(codes::API_SERVER_OPEN_TO_INTERNET, format!("{path}.apiServer"), message)
        .help("set `authorizedRanges` to the addresses people, pipelines and the cluster's own nodes come from, or make the API server private");
    out.push(cited(finding, limits::AUTHORIZED_RANGES.about()));
}

fn pools(design: &Design, path: &str, cluster: &Cluster, out: &mut Vec<Finding>) {
    let mut without_surge: Vec<&PoolName> = Vec::new();
    for (name, pool) in &cluster.pools {
        let object = format!("{path}.pools.{name}");
        if pool.node_public_ip {
            let finding = Finding::new(
                codes::NODE_PUBLIC_IP,
                format!("{object}.nodePublicIp"),
                format!("nodes of pool `{name}` have public addresses: each is a machine on the internet"),
            )
            .help("remove `nodePublicIp`; bring traffic in by a load balancer and out by a NAT gateway or firewall");
            out.push(cited(finding, nsg::NODE_PUBLIC_IP_NEEDS_RULES.about()));
        }
        // Where a pod costs an address of its own a low number may be what the subnet allows.
        let free = matches!(cluster.mode_of(pool), Some(Mode::Overlay | Mode::Kubenet | Mode::PodSubnet));
        if let (Some(pods), Some(mode), true) =
            (pool.max_pods.filter(|pods| *pods < FEW_PODS), cluster.mode_of(pool), free)
            && pool.system != Some(true)
        {
            let message = format!("pool `{name}` takes {pods} pods a node, and a node's addresses allow more");
            let finding = Finding::new(codes::MAX_PODS_LOW, format!("{object}.maxPods"), message)
                .help("plan with 110 unless something else limits density: it can't be changed later, only with a new pool")
                .on(pods);
            out.push(cited(finding, ModeFacts::of(mode).max_pods.default.about()));
        }
        let is_named = is_found(design, codes::MAX_SURGE_NOT_SET, &format!("{object}.maxSurge"));
        if pool.max_surge.is_none() && !pool.blue_green && !is_named {
            without_surge.push(name);
        }
    }
    let by_itself = cluster.automatic || cluster.node_auto_provisioning;
    if !without_surge.is_empty() && !by_itself {
        let message = format!(
            "{} {} {} no `maxSurge`: documents disagree whether an upgrade adds one node or 10%",
            plural(without_surge.len(), "pool", "pools"),
            listed(&without_surge),
            plural(without_surge.len(), "states", "state")
        );
        let mut finding = Finding::new(codes::MAX_SURGE_NOT_SET, format!("{path}.pools"), message).help(
            "state `maxSurge`, 33% for most pools and 10 to 20% for large ones, and see that the subnet holds it",
        );
        for name in without_surge {
            finding = finding.on(name).related(format!("{path}.pools.{name}"), "nothing stated");
        }
        out.push(cited(finding, upgrade::MAX_SURGE_DEFAULT_PERCENT.about()));
    }
}

fn subnets(ground: &Ground, cluster: &Cluster, out: &mut Vec<Finding>) {
    let subnets = ground.subnets_of(cluster);
    for (reference, (subnet, _)) in subnets.iter().filter(|(_, (subnet, _))| !subnet.service_endpoints.is_empty()) {
        let message = format!(
            "`{reference}` reaches {} by service endpoints: the services keep public addresses, and the route passes every firewall by",
            listed(&subnet.service_endpoints)
        );
        let finding = Finding::new(codes::SERVICE_ENDPOINTS_INSTEAD_OF_PRIVATE_LINK, format!("{}.serviceEndpoints", reference.path()), message)
            .help("use private endpoints for what must not be public, and take the service endpoint off when nothing needs it")
            .on(reference);
        out.push(cited(finding, causeway_model::facts::routing::OPTIONAL_SYSTEM.about()));
    }
}

pub(super) fn of_networks(ground: &Ground, out: &mut Vec<Finding>) {
    for (name, network) in &ground.design.networks {
        if network.kind == NetworkKind::Vnet && !network.managed_by_aks {
            out.extend(without_group(ground, name, network));
        }
        let used = network.kind == NetworkKind::Vnet && network.subnets.values().any(is_described);
        if let (DnsServers::Custom(servers), true) = (&network.dns_servers, used)
            && let [only] = servers.as_slice()
            && *only != std::net::IpAddr::V4(special::PLATFORM_DNS.value)
        {
            let finding = Finding::new(
                codes::SINGLE_DNS_SERVER,
                format!("networks.{name}.dnsServers"),
                format!("`{name}` has one DNS server, {only}: when it is down, no node resolves a name"),
            )
            .help("name a second server with the same answers, or use the platform's resolver")
            .on(only);
            out.push(cited(finding, special::COREDNS_UPSTREAM.about()));
        }
    }
    for (name, firewall) in &ground.design.firewalls {
        if firewall.kind == FirewallKind::AzureFirewall && firewall.policy == Some(false) {
            let finding = Finding::new(
                codes::FIREWALL_WITHOUT_POLICY,
                format!("firewalls.{name}"),
                format!("firewall `{name}` has rules of its own and no firewall policy"),
            )
            .help("move its rules to a firewall policy: it is what new features come to, and what several firewalls can share")
            .on(name);
            out.push(cited(finding, snat::FIREWALL_PRIVATE_RANGES.about()));
        }
    }
}

/// Subnets with nodes or pods that have no security group of the user's. A design that speaks of no group at all leaves filters
/// out; a subnet that states its endpoint policies is described in full, as exports do.
fn without_group<'a>(ground: &Ground<'a>, name: &'a NetworkName, network: &'a Network) -> Option<Finding> {
    let speaks = !ground.design.security_groups.is_empty();
    let bare: Vec<&SubnetName> = network
        .subnets
        .iter()
        .filter(|(subnet, value)| value.nsg.is_none() && is_described(value) && ground.has_cluster(name, subnet))
        .filter(|(_, value)| speaks || value.private_endpoint_policies.is_some())
        .map(|(subnet, _)| subnet)
        .collect();
    if bare.is_empty() {
        return None;
    }
    let message = format!(
        "{} {} of `{name}` {} no security group: only the one the platform manages on the nodes' interfaces filters",
        plural(bare.len(), "subnet", "subnets"),
        listed(&bare),
        plural(bare.len(), "has", "have")
    );
    let mut finding = Finding::new(codes::SUBNET_WITHOUT_NSG, format!("networks.{name}.subnets"), message)
        .help("put a security group on the subnets; its default rules keep the internet out and let the VNet and the load balancer in");
    for subnet in bare {
        finding =
            finding.on(format!("{name}/{subnet}")).related(format!("networks.{name}.subnets.{subnet}"), "no group");
    }
    Some(cited(finding, nsg::SUBNET_GROUP_IS_THE_USERS.about()))
}
