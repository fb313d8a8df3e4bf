//! Addresses of nodes, pods, services and gateways of a cluster.

use super::ground::Ground;
use super::held::{Place, hold, public};
use causeway_addr::Cidr;
use causeway_addr::special::Class;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{ModeFacts, address};
use causeway_model::finding::{Finding, Severity};
use std::net::IpAddr;

pub(super) fn check(ground: &Ground, name: &ClusterName, cluster: &Cluster, out: &mut Vec<Finding>) {
    for (node, value) in &cluster.nodes {
        if !is_virtual(node, value) {
            nodes(ground, name, cluster, node, value, out);
        }
    }
    for (at, pod) in cluster.pods.iter().enumerate() {
        pods(ground, name, cluster, at, pod, out);
    }
    for (at, service) in cluster.services.iter().enumerate() {
        services(ground, name, cluster, at, service, out);
    }
    let server = &cluster.api_server;
    let place = Place::subnets(ground.design, &server.subnet);
    let path = format!("clusters.{name}.apiServer.privateIp");
    hold(ground, out, &format!("the API server of `{name}`"), path, server.private_ip, place);
    for (at, ingress) in cluster.ingress.iter().enumerate() {
        let inside =
            |ip: &IpAddr| ingress.exposure == Some(Exposure::Internal) || Class::of(&Cidr::host(*ip)).is_private();
        let ip = ingress.ip.filter(inside);
        let place = Place::subnets(ground.design, &ingress.subnet);
        hold(ground, out, &format!("ingress {at} of `{name}`"), format!("clusters.{name}.ingress.{at}.ip"), ip, place);
    }
    let path = format!("clusters.{name}.outbound.publicIps");
    public(out, &format!("cluster `{name}`"), &path, &cluster.outbound.public_ips);
}

/// Virtual nodes (container instances) have pods' addresses, on a subnet of their own.
fn is_virtual(name: &NodeName, node: &Node) -> bool {
    name.as_str().starts_with("virtual-node") || node.labels.get("type").is_some_and(|kind| kind == "virtual-kubelet")
}

fn pool_of<'c>(cluster: &'c Cluster, node: &Node) -> Option<&'c Pool> {
    cluster.pools.get(node.pool.as_ref()?)
}

/// The subnets of one pool, or of all where the pool is not known; `None` if any of them is not known.
fn subnets<'c>(
    cluster: &'c Cluster,
    pool: Option<&'c Pool>,
    which: impl Fn(&'c Pool) -> Option<&'c SubnetRef>,
) -> Option<Vec<&'c SubnetRef>> {
    match pool {
        Some(pool) => which(pool).map(|subnet| vec![subnet]),
        None => cluster.pools.values().map(which).collect(),
    }
}

fn nodes(
    ground: &Ground,
    name: &ClusterName,
    cluster: &Cluster,
    node: &NodeName,
    value: &Node,
    out: &mut Vec<Finding>,
) {
    let pool = pool_of(cluster, value);
    let place =
        subnets(cluster, pool, |pool| pool.subnet.as_ref()).and_then(|subnets| Place::subnets(ground.design, subnets));
    let path = format!("clusters.{name}.nodes.{node}.ip");
    hold(ground, out, &format!("node `{node}` of `{name}`"), path, value.ips.iter().copied(), place);
    let mode = pool.map_or(cluster.mode, |pool| cluster.mode_of(pool));
    if matches!(mode, Some(Mode::Overlay | Mode::Kubenet)) {
        for block in &value.pod_cidrs {
            out.extend(block_of(ground, name, cluster, node, block));
        }
    }
}

/// A node's block is a /24 of the pod range.
fn block_of(ground: &Ground, name: &ClusterName, cluster: &Cluster, node: &NodeName, block: &Cidr) -> Option<Finding> {
    let mode = cluster.mode?;
    let facts = ModeFacts::of(mode);
    let wanted = facts.node_block();
    let inside = cluster.pod_cidrs.iter().any(|range| range.covers(block));
    let message = if !inside && !cluster.pod_cidrs.is_empty() {
        let ranges = super::ground::listed(&cluster.pod_cidrs);
        format!("node `{node}` of `{name}` has pod block `{block}`, which is not in the pod range {ranges}")
    } else if let Some(wanted) = wanted.filter(|wanted| block.is_v4() && block.prefix_len() != *wanted) {
        format!("node `{node}` of `{name}` has pod block `{block}`, but every node gets a /{wanted}")
    } else {
        return None;
    };
    let mut finding =
        Finding::new(codes::ADDRESS_OUTSIDE_RANGE, format!("clusters.{name}.nodes.{node}.podCidr"), message)
            .on(block)
            .related(format!("clusters.{name}.podCidr"), "pod range of the cluster")
            .help("correct the block or the cluster's `podCidr`; after a renumbering, export both again");
    for range in &cluster.pod_cidrs {
        finding = ground.mention_default(finding, &format!("clusters.{name}.podCidr"), range);
    }
    Some(finding.since(facts.allocation.as_of).evidence(facts.allocation.cite()))
}

fn pods(ground: &Ground, name: &ClusterName, cluster: &Cluster, at: usize, pod: &Pod, out: &mut Vec<Finding>) {
    if pod.terminated || pod.ips.is_empty() {
        return;
    }
    let node = pod.node.as_ref().and_then(|node| cluster.nodes.get_key_value(node));
    if node.is_some_and(|(name, node)| is_virtual(name, node)) {
        return;
    }
    let pool = node.and_then(|(_, node)| pool_of(cluster, node));
    let mode = pool.map_or(cluster.mode, |pool| cluster.mode_of(pool));
    let on_subnets = |which: fn(&Pool) -> Option<&SubnetRef>| {
        subnets(cluster, pool, which).and_then(|subnets| Place::subnets(ground.design, subnets))
    };
    let place = match mode {
        _ if pod.host_network => on_subnets(|pool| pool.subnet.as_ref()),
        Some(Mode::NodeSubnet) => on_subnets(|pool| pool.subnet.as_ref()),
        Some(Mode::PodSubnet | Mode::PodSubnetStatic) => on_subnets(|pool| pool.pod_subnet.as_ref()),
        Some(Mode::Overlay | Mode::Kubenet) => Some(match node {
            Some((node, value)) if !value.pod_cidrs.is_empty() => {
                Place::range(format!("the pod block of its node `{node}`"), &value.pod_cidrs)
            }
            _ => Place::range(format!("the pod range of `{name}`"), &cluster.pod_cidrs),
        }),
        Some(Mode::Byo) => Some(Place {
            severity: Severity::Warning,
            because: Some("the plugin may have a range of its own, but the platform routes to pods by `podCidr` (mode.byo.pod_cidr_required)".to_owned()),
            ..Place::range(format!("the pod range of `{name}`"), &cluster.pod_cidrs)
        }),
        None => None,
    };
    let who = format!("pod `{}/{}` of `{name}`", pod.namespace, pod.name);
    let ips = pod.ips.iter().copied().filter(|ip| !on_container_instances(ground, cluster, *ip));
    hold(ground, out, &who, format!("clusters.{name}.pods.{at}.ip"), ips, place);
}

/// Pods of virtual nodes live on a subnet delegated to container instances.
fn on_container_instances(ground: &Ground, cluster: &Cluster, ip: IpAddr) -> bool {
    cluster.networks().into_iter().any(|network| {
        ground.fabric.subnets_in(network, &Cidr::host(ip)).iter().any(|(_, subnet)| {
            ground.design.subnet(subnet).is_some_and(|subnet| {
                subnet
                    .delegations
                    .iter()
                    .any(|service| service.to_ascii_lowercase().starts_with("microsoft.containerinstance/"))
            })
        })
    })
}

fn services(
    ground: &Ground,
    name: &ClusterName,
    cluster: &Cluster,
    at: usize,
    service: &Service,
    out: &mut Vec<Finding>,
) {
    let who = format!("service `{}/{}` of `{name}`", service.namespace, service.name);
    let path = format!("clusters.{name}.services.{at}");
    let extendable = address::SERVICE_CIDR_EXTENDABLE_FROM;
    let mut place = Place::range(format!("the service range of `{name}`"), &cluster.service_cidrs);
    if cluster.version.is_some_and(|version| version >= extendable.value) {
        place.severity = Severity::Warning;
        place.because = Some(format!(
            "from Kubernetes {} on ServiceCIDR objects may add ranges; list them under `serviceCidr`: {}",
            extendable.value,
            extendable.cite()
        ));
    }
    hold(ground, out, &who, format!("{path}.clusterIp"), service.cluster_ips.iter().copied(), Some(place));
    if let Some(ip) = service.internal_ip {
        hold(ground, out, &who, format!("{path}.internalIp"), [ip], frontend_place(ground, name, cluster, service, ip));
    }
    out.extend(no_such_subnet(ground, cluster, service, &who, &path));
    public(out, &who, &format!("{path}.publicIp"), service.public_ip.as_slice());
}

/// An internal frontend asks for a subnet that the cluster's network does not have.
fn no_such_subnet(ground: &Ground, cluster: &Cluster, service: &Service, who: &str, path: &str) -> Option<Finding> {
    let wanted = service.internal_subnet.as_deref()?;
    // A frontend that has an address has found its subnet.
    if service.kind != ServiceType::LoadBalancer || !service.internal || service.internal_ip.is_some() {
        return None;
    }
    let names = cluster.networks();
    let networks: Vec<&Network> = names.iter().filter_map(|name| ground.design.networks.get(*name)).collect();
    let described = networks.len() == names.len()
        && !networks.is_empty()
        && networks.iter().all(|network| {
            let known = |subnet: &Subnet| !subnet.prefixes.is_empty();
            !network.prefixes.is_empty() && network.subnets.values().all(known)
        });
    let has = |network: &&Network| network.subnets.keys().any(|subnet| subnet.as_str().eq_ignore_ascii_case(wanted));
    if !described || networks.iter().any(has) {
        return None;
    }
    let subnets: Vec<String> =
        networks.iter().flat_map(|network| network.subnets.keys().map(ToString::to_string)).collect();
    let message = format!("{who} asks for a frontend on subnet `{wanted}`, which the cluster's network does not have");
    Some(
        Finding::new(codes::ADDRESS_OUTSIDE_RANGE, format!("{path}.internalSubnet"), message)
            .on(wanted)
            .evidence(format!("the subnets there are: {}", super::ground::listed(&subnets)))
            .help("name a subnet of the cluster's VNet, or create this one: until then the service gets no frontend"),
    )
}

/// Where an internal frontend has to be: the subnet the service asks for, else a subnet of the nodes.
fn frontend_place(
    ground: &Ground,
    name: &ClusterName,
    cluster: &Cluster,
    service: &Service,
    ip: IpAddr,
) -> Option<Place> {
    let nodes = subnets(cluster, None, |pool| pool.subnet.as_ref())?;
    let network = &nodes.first()?.network;
    if let Some(subnet) = &service.internal_subnet {
        let subnet = SubnetRef { network: network.clone(), subnet: SubnetName::from(subnet.as_str()) };
        return Place::subnets(ground.design, [&subnet]);
    }
    let place = Place::subnets(ground.design, nodes.iter().copied())?;
    let elsewhere = !ground.fabric.subnets_in(network, &Cidr::host(ip)).is_empty();
    if elsewhere && !place.holds(ip) {
        return Some(Place {
            words: format!("a node subnet of `{name}`"),
            severity: Severity::Warning,
            because: Some("without the annotation `azure-load-balancer-internal-subnet` (`internalSubnet`) a frontend is on a subnet of the nodes".to_owned()),
            ..place
        });
    }
    Some(place)
}
