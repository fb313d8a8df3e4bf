//! One address, two holders.

use super::ground::{Ground, first_of, listed};
use causeway_addr::{Cidr, overlaps};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::address;
use causeway_model::finding::Finding;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// An object and the address it has in some space (a network, the pods of a cluster, its services).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holder {
    kind: Kind,
    words: String,
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Host,
    Endpoint,
    Firewall,
    ApiServer,
    Node,
    Pod,
    Frontend,
    Gateway,
    Service,
}

/// Where an address means one thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Space<'a> {
    Network(&'a NetworkName),
    Pods(&'a ClusterName),
    Services(&'a ClusterName),
}

#[derive(Default)]
struct Book<'a>(BTreeMap<(Space<'a>, IpAddr), Vec<Holder>>);

impl<'a> Book<'a> {
    fn add(&mut self, space: Space<'a>, ip: IpAddr, kind: Kind, words: String, path: String) {
        let holders = self.0.entry((space, ip)).or_default();
        holders.push(Holder { kind, words, path });
    }
}

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    let mut book = Book::default();
    let design = ground.design;
    for (name, host) in &design.hosts {
        if let Some(network) = &host.network {
            book.add(
                Space::Network(network),
                host.ip,
                Kind::Host,
                format!("host `{name}`"),
                format!("hosts.{name}.ip"),
            );
        }
    }
    for (name, endpoint) in &design.private_endpoints {
        if let Some(ip) = endpoint.ip {
            let words = format!("private endpoint `{name}`");
            book.add(
                Space::Network(&endpoint.subnet.network),
                ip,
                Kind::Endpoint,
                words,
                format!("privateEndpoints.{name}.ip"),
            );
        }
    }
    for (name, firewall) in &design.firewalls {
        if let (Some(subnet), Some(ip)) = (&firewall.subnet, firewall.private_ip) {
            book.add(
                Space::Network(&subnet.network),
                ip,
                Kind::Firewall,
                format!("firewall `{name}`"),
                format!("firewalls.{name}.privateIp"),
            );
        }
    }
    for (name, cluster) in &design.clusters {
        of_cluster(&mut book, name, cluster);
        blocks(name, cluster, out);
    }
    for ((_, ip), holders) in book.0 {
        if collide(&holders) {
            out.push(finding(ground, ip, holders));
        }
    }
}

fn of_cluster<'a>(book: &mut Book<'a>, name: &'a ClusterName, cluster: &'a Cluster) {
    let network = cluster.networks().first().copied();
    for (node, value) in &cluster.nodes {
        let pool = value.pool.as_ref().and_then(|pool| cluster.pools.get(pool));
        let subnet = pool.and_then(|pool| pool.subnet.as_ref());
        let Some(network) = subnet.map(|subnet| &subnet.network).or(network) else {
            continue;
        };
        for ip in &value.ips {
            book.add(
                Space::Network(network),
                *ip,
                Kind::Node,
                format!("node `{node}` of `{name}`"),
                format!("clusters.{name}.nodes.{node}.ip"),
            );
        }
    }
    for (at, pod) in cluster.pods.iter().enumerate().filter(|(_, pod)| !pod.terminated && !pod.host_network) {
        // Whether pods have addresses of the VNet or of their own does not matter among themselves.
        let flat = cluster.mode.is_some_and(Mode::is_flat);
        let space = match network {
            Some(network) if flat => Space::Network(network),
            _ => Space::Pods(name),
        };
        for ip in &pod.ips {
            let words = format!("pod `{}/{}` of `{name}`", pod.namespace, pod.name);
            book.add(space.clone(), *ip, Kind::Pod, words, format!("clusters.{name}.pods.{at}.ip"));
        }
    }
    for (at, service) in cluster.services.iter().enumerate() {
        let words = format!("service `{}/{}` of `{name}`", service.namespace, service.name);
        for ip in &service.cluster_ips {
            book.add(
                Space::Services(name),
                *ip,
                Kind::Service,
                words.clone(),
                format!("clusters.{name}.services.{at}.clusterIp"),
            );
        }
        if let (Some(network), Some(ip)) = (network, service.internal_ip) {
            book.add(
                Space::Network(network),
                ip,
                Kind::Frontend,
                words,
                format!("clusters.{name}.services.{at}.internalIp"),
            );
        }
    }
    // The DNS address is that of a service in kube-system; any other service there is a collision.
    if let Some(ip) = cluster.dns_service_ip {
        let known = |service: &Service| service.namespace == "kube-system" && service.cluster_ips.contains(&ip);
        if !cluster.services.iter().any(known) {
            book.add(
                Space::Services(name),
                ip,
                Kind::Service,
                format!("the DNS of `{name}`"),
                format!("clusters.{name}.dnsServiceIp"),
            );
        }
    }
    // The first address of the range is that of the service every cluster has for its own API server.
    let api_service = |service: &Service| service.namespace == "default" && service.name == "kubernetes";
    if let Some(range) = cluster.service_cidrs.first() {
        let first = |ip: &&IpAddr| range.index_of(**ip) == Some(address::KUBERNETES_SERVICE_OFFSET.value);
        let strangers = cluster.services.iter().filter(|service| !api_service(service));
        let held = cluster.services.iter().any(|service| api_service(service) && !service.cluster_ips.is_empty());
        if let (Some(ip), false) = (strangers.flat_map(|service| &service.cluster_ips).find(first), held) {
            let words = format!("the service `default/kubernetes` of `{name}`");
            book.add(Space::Services(name), *ip, Kind::Service, words, format!("clusters.{name}.serviceCidr"));
        }
    }
    let server = &cluster.api_server;
    if let (Some(network), Some(ip)) =
        (server.subnet.as_ref().map(|subnet| &subnet.network).or(network), server.private_ip)
    {
        book.add(
            Space::Network(network),
            ip,
            Kind::ApiServer,
            format!("the API server of `{name}`"),
            format!("clusters.{name}.apiServer.privateIp"),
        );
    }
    for (at, ingress) in cluster.ingress.iter().enumerate() {
        if let (Some(subnet), Some(ip)) = (&ingress.subnet, ingress.ip) {
            book.add(
                Space::Network(&subnet.network),
                ip,
                Kind::Gateway,
                format!("ingress {at} of `{name}`"),
                format!("clusters.{name}.ingress.{at}.ip"),
            );
        }
    }
}

/// Some things are rightly described twice: a frontend by several services and by the ingress behind it, a firewall by a host that
/// is its DNS proxy, a private API server by its private endpoint.
fn collide(holders: &[Holder]) -> bool {
    let same = |one: Kind, other: Kind| {
        let shared = |kind| matches!(kind, Kind::Frontend | Kind::Gateway);
        let aliases =
            [(Kind::Host, Kind::Firewall), (Kind::Endpoint, Kind::ApiServer), (Kind::Firewall, Kind::Firewall)];
        (shared(one) && shared(other)) || aliases.contains(&(one.min(other), one.max(other)))
    };
    let mut others = holders.iter();
    while let Some(one) = others.next() {
        if others.clone().any(|other| !same(one.kind, other.kind)) {
            return true;
        }
    }
    false
}

fn finding(ground: &Ground, ip: IpAddr, mut holders: Vec<Holder>) -> Finding {
    holders.sort_by_cached_key(|holder| (ground.written(&holder.path), holder.path.clone()));
    let words: Vec<&str> = holders.iter().map(|holder| holder.words.as_str()).collect();
    let (object, others) = match holders.split_last() {
        Some((last, others)) => (last.path.clone(), others),
        None => (String::new(), &[][..]),
    };
    let message = match words.as_slice() {
        [one, other] => format!("{other} has address `{ip}`, which {one} has too"),
        _ => format!("address `{ip}` is held by {} objects", words.len()),
    };
    let mut finding = Finding::new(codes::ADDRESS_USED_TWICE, object, message)
        .on(ip)
        .evidence(format!("holders: {}", words.join(", ")))
        .help("give each its own address; if the export is old, export all of it again");
    for other in others.iter().take(super::ground::MOST_NAMES) {
        finding = finding.related(other.path.clone(), format!("{} has it too", other.words));
    }
    finding
}

/// Blocks of two nodes share no address.
fn blocks(name: &ClusterName, cluster: &Cluster, out: &mut Vec<Finding>) {
    if cluster.mode.is_some_and(Mode::is_flat) {
        return;
    }
    let entries: Vec<(Cidr, &NodeName)> = cluster
        .nodes
        .iter()
        .flat_map(|(node, value)| value.pod_cidrs.iter().map(move |block| (*block, node)))
        .collect();
    let mut collisions: BTreeMap<usize, Vec<&NodeName>> = BTreeMap::new();
    for (one, other) in overlaps(&entries) {
        if let Some((_, earlier)) = entries.get(one) {
            collisions.entry(other).or_default().push(earlier);
        }
    }
    for (later, earlier) in collisions {
        let Some((block, node)) = entries.get(later) else {
            continue;
        };
        let message = format!(
            "node `{node}` of `{name}` has pod block `{block}`, which overlaps that of node {}",
            first_of(&earlier)
        );
        let mut finding =
            Finding::new(codes::ADDRESS_USED_TWICE, format!("clusters.{name}.nodes.{node}.podCidr"), message)
                .on(block)
                .evidence(format!("nodes with addresses of it: {}", listed(&earlier)))
                .help("the platform gives every node a block of its own: export the nodes again");
        for other in earlier.iter().take(super::ground::MOST_NAMES) {
            finding =
                finding.related(format!("clusters.{name}.nodes.{other}.podCidr"), format!("block of node `{other}`"));
        }
        out.push(finding);
    }
}
