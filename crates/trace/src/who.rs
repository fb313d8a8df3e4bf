//! WHO and WHERE, as people type them, to parties of a flow.

use crate::ask::Unasked;
use crate::world::World;
use causeway_addr::{Cidr, parse_address, special};
use causeway_model::design::*;
use causeway_model::suggest::nearest;
use std::net::IpAddr;

/// One end of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party<'a> {
    /// A pod.
    Pod(&'a ClusterName, &'a Pod),
    /// A node, or a process on its network.
    Node(&'a ClusterName, &'a NodeName),
    /// Any pod of a pool.
    PoolPod(&'a ClusterName, &'a PoolName),
    /// A machine outside the clusters.
    Host(&'a HostName, &'a Host),
    /// A cluster's API server.
    ApiServer(&'a ClusterName),
    /// A service.
    Service(&'a ClusterName, &'a Service),
    /// A private endpoint.
    PrivateEndpoint(&'a PrivateEndpointName, &'a PrivateEndpoint),
    /// Somebody on the internet, no matter who.
    Internet,
    /// Whoever has the address.
    Address(IpAddr),
    /// Whoever the name leads to.
    Name(String),
}

/// WHERE, with its port taken off: `host/erp:443`, `[2001:db8::1]:443`, `10.0.0.4:443`, `example.net`.
///
/// # Errors
///
/// The port is no number from 1 to 65535.
pub fn split_port(text: &str) -> Result<(&str, Option<u16>), Unasked> {
    if let Some(rest) = text.strip_prefix('[')
        && let Some((address, port)) = rest.split_once(']')
    {
        return match port.strip_prefix(':') {
            Some(port) => Ok((address, Some(a_port(port, text)?))),
            None if port.is_empty() => Ok((address, None)),
            None => Err(unasked(format!("`{text}` is no address with a port"), "write `[ADDRESS]:PORT`")),
        };
    }
    match text.rsplit_once(':') {
        // More than one colon without brackets: an IPv6 address on its own.
        Some((name, _)) if name.contains(':') => Ok((text, None)),
        Some((name, port)) => Ok((name, Some(a_port(port, text)?))),
        None => Ok((text, None)),
    }
}

fn a_port(port: &str, text: &str) -> Result<u16, Unasked> {
    match port.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(unasked(format!("`{port}` in `{text}` is no port"), "a port is a number from 1 to 65535")),
    }
}

/// The party a word means.
///
/// # Errors
///
/// Nobody has that name, or several clusters do.
pub fn party<'a>(world: &World<'a>, word: &str) -> Result<Party<'a>, Unasked> {
    let design = world.design;
    if let Ok(address) = parse_address(word.trim_start_matches('[').trim_end_matches(']')) {
        return Ok(Party::Address(address));
    }
    let parts: Vec<&str> = word.split('/').collect();
    match parts.as_slice() {
        ["internet"] => Ok(Party::Internet),
        ["host", name] => match design.hosts.get_key_value(*name) {
            Some((name, host)) => Ok(Party::Host(name, host)),
            None => Err(nobody("host", name, design.hosts.keys().map(HostName::as_str))),
        },
        ["privateEndpoint", name] => match design.private_endpoints.get_key_value(*name) {
            Some((name, endpoint)) => Ok(Party::PrivateEndpoint(name, endpoint)),
            None => {
                Err(nobody("private endpoint", name, design.private_endpoints.keys().map(PrivateEndpointName::as_str)))
            }
        },
        ["apiServer", cluster] => Ok(Party::ApiServer(cluster_named(world, cluster)?.0)),
        [cluster, "apiServer"] => Ok(Party::ApiServer(cluster_named(world, cluster)?.0)),
        ["pool", cluster, pool] | [cluster, "pool", pool] => {
            let (name, cluster) = cluster_named(world, cluster)?;
            match cluster.pools.get_key_value(*pool) {
                Some((pool, _)) => Ok(Party::PoolPod(name, pool)),
                None => Err(nobody("pool", pool, cluster.pools.keys().map(PoolName::as_str))),
            }
        }
        ["pod" | "service" | "node", ..] => in_some_cluster(world, word, &parts),
        [cluster, "pod" | "service" | "node", ..] => {
            let (name, cluster) = cluster_named(world, cluster)?;
            let inside = parts.get(1..).unwrap_or_default();
            in_cluster(name, cluster, inside).unwrap_or_else(|| Err(not_there(word, inside, &[(name, cluster)])))
        }
        [name] if name.contains('.') && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => Err(unasked(
            format!("`{name}` is no address"),
            "four numbers from 0 to 255 without leading zeros, as 10.0.0.4",
        )),
        [name] if name.contains('.') && is_dns_name(name) => Ok(Party::Name((*name).to_owned())),
        [name] if is_dns_name(name) => Err(unasked(
            format!("`{name}` is nobody"),
            "write `pod/NAMESPACE/NAME`, `service/NAMESPACE/NAME`, `node/NAME`, `host/NAME`, `pool/CLUSTER/NAME`, \
             `apiServer/CLUSTER`, `internet`, an address, or a DNS name with a dot",
        )),
        _ => Err(unasked(
            format!("`{word}` is nobody"),
            "write `pod/NAMESPACE/NAME`, `service/NAMESPACE/NAME`, `node/NAME`, `host/NAME`, `pool/CLUSTER/NAME`, \
             `apiServer/CLUSTER`, `internet`, an address or a DNS name; with several clusters `CLUSTER/` goes in front",
        )),
    }
}

fn is_dns_name(name: &str) -> bool {
    let label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*');
        (1..=63).contains(&label.len()) && label.bytes().all(allowed)
    };
    name.len() <= 253 && name.trim_end_matches('.').split('.').all(label)
}

fn cluster_named<'a>(world: &World<'a>, name: &str) -> Result<(&'a ClusterName, &'a Cluster), Unasked> {
    let clusters = &world.design.clusters;
    match clusters.get_key_value(name) {
        Some(found) => Ok(found),
        None => Err(nobody("cluster", name, clusters.keys().map(ClusterName::as_str))),
    }
}

/// Of a name without a cluster in front: the only cluster that has it.
fn in_some_cluster<'a>(world: &World<'a>, word: &str, parts: &[&str]) -> Result<Party<'a>, Unasked> {
    let clusters: Vec<(&ClusterName, &Cluster)> = world.design.clusters.iter().collect();
    let found: Vec<(&ClusterName, Result<Party, Unasked>)> = clusters
        .iter()
        .filter_map(|(name, cluster)| in_cluster(name, cluster, parts).map(|found| (*name, found)))
        .collect();
    match found.as_slice() {
        [] => Err(not_there(word, parts, &clusters)),
        [_] => found.into_iter().next().map_or_else(|| Err(not_there(word, parts, &clusters)), |(_, found)| found),
        several => {
            let names: Vec<String> = several.iter().map(|(name, _)| format!("`{name}/{word}`")).collect();
            Err(unasked(
                format!("`{word}` is in {} clusters", several.len()),
                format!("put the cluster in front: {}", names.join(" or ")),
            ))
        }
    }
}

/// The object of a cluster; `None` = it has none of that name.
fn in_cluster<'a>(name: &'a ClusterName, cluster: &'a Cluster, parts: &[&str]) -> Option<Result<Party<'a>, Unasked>> {
    match parts {
        ["pod", namespace, pod] => {
            let found = cluster.pods.iter().find(|known| known.namespace == *namespace && known.name == *pod)?;
            Some(match found.terminated {
                true => Err(unasked(
                    format!("pod `{namespace}/{pod}` has ended: it has no address and sends nothing"),
                    "name a pod that runs",
                )),
                false => Ok(Party::Pod(name, found)),
            })
        }
        ["service", namespace, service] => {
            let found = cluster.services.iter().find(|known| known.namespace == *namespace && known.name == *service);
            found.map(|service| Ok(Party::Service(name, service)))
        }
        ["node", node] => cluster.nodes.get_key_value(*node).map(|(node, _)| Ok(Party::Node(name, node))),
        _ => None,
    }
}

fn not_there(word: &str, parts: &[&str], clusters: &[(&ClusterName, &Cluster)]) -> Unasked {
    let mut known: Vec<String> = Vec::new();
    let form = match parts.first() {
        Some(&"pod") => {
            let pods = clusters.iter().flat_map(|(_, cluster)| &cluster.pods);
            known.extend(pods.map(|pod| format!("pod/{}/{}", pod.namespace, pod.name)));
            (3, "pod/NAMESPACE/NAME")
        }
        Some(&"service") => {
            let services = clusters.iter().flat_map(|(_, cluster)| &cluster.services);
            known.extend(services.map(|service| format!("service/{}/{}", service.namespace, service.name)));
            (3, "service/NAMESPACE/NAME")
        }
        _ => {
            let nodes = clusters.iter().flat_map(|(_, cluster)| cluster.nodes.keys());
            known.extend(nodes.map(|node| format!("node/{node}")));
            (2, "node/NAME")
        }
    };
    if parts.len() != form.0 {
        return unasked(format!("`{word}` is nobody"), format!("write `{}`", form.1));
    }
    let asked = parts.join("/");
    let help = match nearest(&asked, known.iter().map(String::as_str)) {
        Some(nearest) => Some(format!("did you mean `{nearest}`?")),
        None if known.is_empty() => {
            Some("the design lists none: `pool/CLUSTER/NAME` stands for any pod of a pool".to_owned())
        }
        None => None,
    };
    Unasked { message: format!("there is no `{word}`"), help }
}

fn nobody<'k>(kind: &str, name: &str, known: impl Iterator<Item = &'k str>) -> Unasked {
    let help = nearest(name, known).map(|nearest| format!("did you mean `{nearest}`?"));
    Unasked { message: format!("there is no {kind} `{name}`"), help }
}

fn unasked(message: impl Into<String>, help: impl Into<String>) -> Unasked {
    Unasked { message: message.into(), help: Some(help.into()) }
}

/// Whether an address belongs to the internet: globally reachable, or one of those set aside for documents, which designs use for it.
pub fn is_public(address: IpAddr) -> bool {
    let host = Cidr::host(address);
    special::is_globally_reachable(&host) || special::is_documentation(&host)
}

impl Party<'_> {
    /// How a person would find it again.
    pub fn words(&self) -> String {
        match self {
            Party::Pod(_, pod) => format!("pod/{}/{}", pod.namespace, pod.name),
            Party::Node(_, node) => format!("node/{node}"),
            Party::PoolPod(cluster, pool) => format!("pool/{cluster}/{pool}"),
            Party::Host(name, _) => format!("host/{name}"),
            Party::ApiServer(cluster) => format!("apiServer/{cluster}"),
            Party::Service(_, service) => format!("service/{}/{}", service.namespace, service.name),
            Party::PrivateEndpoint(name, _) => format!("private endpoint {name}"),
            Party::Internet => "internet".to_owned(),
            Party::Address(address) => address.to_string(),
            Party::Name(name) => name.clone(),
        }
    }
}
