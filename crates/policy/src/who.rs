//! WHO and WHERE, as people type them, to ends of a flow.

use crate::ends::End;
use causeway_addr::parse_address;
use causeway_model::design::*;
use causeway_model::suggest::nearest;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An end somebody named, and the port it is asked on where a service translates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The end as it is after translation.
    pub end: End,
    /// The port after translation; `None` = as asked.
    pub port: Option<u16>,
}

/// An address that stands for the internet where policies tell its addresses not apart (RFC 5737). [`Index::explain_internet`] asks
/// about all of them.
///
/// [`Index::explain_internet`]: crate::Index::explain_internet
pub const INTERNET: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));

/// The same of IPv6: the first address that is given out.
pub(crate) const INTERNET_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 1));

/// The ends a word means: one, or the pods behind a service.
///
/// # Errors
/// What is wrong with the word, and what to write instead.
pub fn resolve(
    design: &Design,
    cluster: &Cluster,
    word: &str,
    protocol: Protocol,
    port: u16,
) -> Result<Vec<Target>, String> {
    let one = |end: End| Ok(vec![Target { end, port: None }]);
    let bare = word.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = parse_address(bare) {
        return one(End::Address(address));
    }
    let parts: Vec<&str> = word.split('/').collect();
    match parts.as_slice() {
        ["internet"] => one(End::Address(INTERNET)),
        ["pod", namespace, name] => pod(cluster, namespace, name).and_then(one),
        ["service", namespace, name] => service(cluster, namespace, name, protocol, port),
        ["node", name] => match cluster.nodes.contains_key(*name) {
            true => one(End::Node((*name).to_owned())),
            false => Err(unknown("node", name, cluster.nodes.keys().map(NodeName::as_str))),
        },
        ["host", name] => match design.hosts.get(*name) {
            Some(host) => one(End::Address(host.ip)),
            None => Err(unknown("host", name, design.hosts.keys().map(HostName::as_str))),
        },
        ["apiServer", _] => match cluster.api_server.private_ip {
            Some(address) => one(End::Address(address)),
            None => Err(format!("the address of `{word}` is not known: give the address itself")),
        },
        _ => Err(format!(
            "`{word}` is nobody: write `pod/NAMESPACE/NAME`, `service/NAMESPACE/NAME`, `node/NAME`, `host/NAME`, \
             `internet` or an address"
        )),
    }
}

/// The service that has an address as its own inside the cluster, as [`resolve`] takes it: what is sent there is translated.
pub fn service_at(cluster: &Cluster, word: &str) -> Option<String> {
    let address = parse_address(word.trim_start_matches('[').trim_end_matches(']')).ok()?;
    let found = cluster.services.iter().find(|service| service.cluster_ips.contains(&address))?;
    Some(format!("service/{}/{}", found.namespace, found.name))
}

fn pod(cluster: &Cluster, namespace: &str, name: &str) -> Result<End, String> {
    match cluster.pods.iter().find(|pod| pod.namespace == namespace && pod.name == name) {
        Some(pod) if pod.terminated => {
            Err(format!("pod `{namespace}/{name}` has ended: it has no address, and no policy is about it"))
        }
        Some(_) => Ok(End::Pod(namespace.to_owned(), name.to_owned())),
        None => {
            let known: Vec<String> = cluster.pods.iter().map(|pod| format!("{}/{}", pod.namespace, pod.name)).collect();
            Err(unknown("pod", &format!("{namespace}/{name}"), known.iter().map(String::as_str)))
        }
    }
}

fn service(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    protocol: Protocol,
    port: u16,
) -> Result<Vec<Target>, String> {
    let Some(service) = cluster.services.iter().find(|service| service.namespace == namespace && service.name == name)
    else {
        let known: Vec<String> =
            cluster.services.iter().map(|service| format!("{}/{}", service.namespace, service.name)).collect();
        return Err(unknown("service", &format!("{namespace}/{name}"), known.iter().map(String::as_str)));
    };
    let Some(of_port) = service.ports.iter().find(|known| known.protocol == protocol && known.port == port) else {
        let known: Vec<String> = service.ports.iter().map(|port| format!("{}/{}", port.protocol, port.port)).collect();
        let known = known.join(", ");
        return Err(format!("service `{namespace}/{name}` has no port {protocol}/{port}; it has {known}"));
    };
    let targets: Vec<Target> = behind(cluster, service, of_port)
        .map(|(pod, port)| Target { end: End::Pod(pod.namespace.clone(), pod.name.clone()), port: Some(port) })
        .collect();
    if targets.is_empty() {
        return Err(format!("no pod that is known stands behind service `{namespace}/{name}` on {protocol}/{port}"));
    }
    Ok(targets)
}

/// The pods behind a port of a service, each with its own port.
pub fn behind<'a>(
    cluster: &'a Cluster,
    service: &'a Service,
    port: &'a ServicePort,
) -> impl Iterator<Item = (&'a Pod, u16)> {
    let selected = |pod: &&Pod| {
        pod.namespace == service.namespace
            && !pod.terminated
            && !service.selector.is_empty()
            && service.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
    };
    cluster.pods.iter().filter(selected).filter_map(|pod| {
        let number = match &port.target {
            TargetPort::Number(number) => *number,
            TargetPort::Name(name) => {
                pod.named_ports.get(name).filter(|(known, _)| *known == port.protocol).map(|(_, number)| *number)?
            }
        };
        Some((pod, number))
    })
}

fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let hint = nearest(name, known).map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
    format!("there is no {kind} `{name}`{hint}")
}
