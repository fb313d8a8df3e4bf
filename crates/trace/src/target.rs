//! Where a flow goes: the address a sender would put into its packet, and the port.

use crate::answer::Missing;
use crate::ask::{Question, Unasked};
use crate::node::{Machine, Process, Sender};
use crate::stand_in::{self, Seat};
use crate::who::Party;
use crate::world::World;
use causeway_addr::Family;
use causeway_dataplane::packet::Protocol;
use causeway_model::design::{self, *};
use std::net::IpAddr;

/// Somebody a flow goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// The address in the packet.
    pub(crate) address: IpAddr,
    /// The port in the packet, where it is not the one asked for (a headless service's pods).
    pub(crate) port: Option<u16>,
    /// Who that is.
    pub(crate) words: String,
    /// What was assumed.
    pub(crate) note: Option<String>,
    /// Whom of a cluster the address stands for, where it is nobody's own.
    pub(crate) stands_for: Option<Sender<'a>>,
    /// The pod that is meant; `None` = whoever has the address.
    pub(crate) meant: Option<(&'a ClusterName, &'a Pod)>,
    /// The cluster whose API server it is, where nobody is known to have its address.
    pub(crate) api_server: Option<&'a ClusterName>,
}

impl<'a> Target<'a> {
    /// Somebody at an address.
    pub(crate) fn new(address: IpAddr, words: impl Into<String>) -> Target<'a> {
        Target { address, port: None, words: words.into(), note: None, stands_for: None, meant: None, api_server: None }
    }

    fn note(mut self, note: impl Into<String>) -> Target<'a> {
        self.note = Some(note.into());
        self
    }

    fn standing_for(mut self, sender: Sender<'a>) -> Target<'a> {
        self.stands_for = Some(sender);
        self
    }
}

/// From where it is asked: the same service has other addresses for other clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker<'a> {
    /// A pod or node of a cluster.
    Cluster(&'a ClusterName),
    /// A machine of a network.
    Network(&'a NetworkName),
    /// Somebody on the internet.
    Internet,
}

/// Why there is no address to send to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoTarget {
    /// It can't be asked like this.
    Unasked(Unasked),
    /// The address is not known.
    Missing(Missing),
}

/// The protocol and the port of a question.
///
/// # Errors
///
/// The receiver is known to listen on several ports and none was named; a port with a protocol that has none.
pub(crate) fn port(
    question: &Question,
    party: &Party,
    typed: Option<u16>,
) -> Result<(Protocol, u16, Option<String>), Unasked> {
    let asked = match (typed, question.port) {
        (Some(one), Some(other)) if one != other => {
            return Err(Unasked {
                message: format!("port {one} in `{}` and port {other} apart", question.to),
                help: Some("name one port".to_owned()),
            });
        }
        (one, other) => one.or(other),
    };
    let has_ports = |protocol| matches!(protocol, Protocol::Tcp | Protocol::Udp | Protocol::Sctp);
    if let Some(protocol) = question.protocol.filter(|protocol| !has_ports(*protocol)) {
        return match asked {
            Some(_) => Err(Unasked {
                message: format!("`{}` names a port, and the protocol has none", question.to),
                help: Some("leave the port out, or ask about tcp or udp".to_owned()),
            }),
            None => Ok((protocol, 0, None)),
        };
    }
    let listens = listens(party);
    let fitting: Vec<(Protocol, u16)> = listens
        .iter()
        .filter_map(|(protocol, port)| Some((of_model(*protocol)?, *port)))
        .filter(|(protocol, port)| {
            question.protocol.is_none_or(|asked| asked == *protocol) && asked.is_none_or(|asked| asked == *port)
        })
        .collect();
    if let Some(port) = asked {
        // Of a port alone the protocol it is listened on with, where there is one only.
        let only = fitting.first().filter(|_| fitting.len() == 1).map(|(protocol, _)| *protocol);
        return Ok((question.protocol.or(only).unwrap_or(Protocol::Tcp), port, None));
    }
    match fitting.as_slice() {
        [(protocol, port)] => Ok((*protocol, *port, None)),
        [] => {
            let protocol = question.protocol.unwrap_or(Protocol::Tcp);
            let port = if matches!(party, Party::Node(..)) { 10_250 } else { 443 };
            Ok((protocol, port, Some(format!("no port was named: {port} is assumed"))))
        }
        several => {
            let known: Vec<String> = several.iter().map(|(_, port)| port.to_string()).collect();
            Err(Unasked {
                message: format!("`{}` listens on several ports: {}", question.to, known.join(", ")),
                help: Some(format!("write `{}:PORT`", question.to)),
            })
        }
    }
}

fn listens(party: &Party) -> Vec<(design::Protocol, u16)> {
    match party {
        Party::Pod(_, pod) => pod.listens.clone(),
        Party::Host(_, host) => host.listens.clone(),
        Party::PrivateEndpoint(_, endpoint) => endpoint.listens.clone(),
        Party::Service(_, service) => service.ports.iter().map(|port| (port.protocol, port.port)).collect(),
        Party::ApiServer(_) => vec![(design::Protocol::Tcp, 443)],
        _ => Vec::new(),
    }
}

/// A protocol of the model as packets have it; `None` = one without meaning here.
pub(crate) fn of_model(protocol: design::Protocol) -> Option<Protocol> {
    match protocol {
        design::Protocol::Tcp => Some(Protocol::Tcp),
        design::Protocol::Udp => Some(Protocol::Udp),
        design::Protocol::Sctp => Some(Protocol::Sctp),
        design::Protocol::Icmp => Some(Protocol::Icmp),
        design::Protocol::Esp => Some(Protocol::Other(50)),
        design::Protocol::Ah => Some(Protocol::Other(51)),
    }
}

/// The addresses of a party as an asker would use them, of every family; names aside.
///
/// # Errors
///
/// The party has no address, or none that is known.
pub(crate) fn targets<'a>(
    world: &World<'a>,
    party: &Party<'a>,
    asker: Asker<'a>,
    port: (Protocol, u16),
) -> Result<Vec<Target<'a>>, NoTarget> {
    let words = party.words();
    let each = |ips: &[IpAddr]| -> Vec<Target<'a>> { ips.iter().map(|ip| Target::new(*ip, words.clone())).collect() };
    let found = match party {
        Party::Address(address) => match asker {
            // The first address of the service range is the API server's service (azure-facts `addr.kubernetes_default_ip`).
            Asker::Cluster(cluster) if is_kubernetes(world, cluster, *address) => {
                let mut found = api_server(world, cluster, asker, &format!("apiServer/{cluster}"))?;
                for target in &mut found {
                    let note = target.note.take().map_or(String::new(), |note| format!("; {note}"));
                    target.note =
                        Some(format!("{address} is the service `kubernetes`: it leads to the API server{note}"));
                }
                return Ok(found);
            }
            _ => each(&[*address]),
        },
        Party::Host(_, host) => each(&[host.ip]),
        Party::PrivateEndpoint(_, endpoint) => each(&endpoint.ip.into_iter().collect::<Vec<_>>()),
        Party::Node(cluster, node) => world
            .design
            .clusters
            .get(*cluster)
            .and_then(|cluster| cluster.nodes.get(*node))
            .map_or(Vec::new(), |node| each(&node.ips)),
        Party::Pod(cluster, pod) => pod_targets(world, cluster, pod, &words),
        Party::PoolPod(cluster, pool) => Family::ALL
            .into_iter()
            .filter_map(|family| stand_in::pod_of_pool(world, cluster, pool, family, Seat::Receiver))
            .map(|address| {
                let sender = Sender { machine: Machine::of_pool(cluster, pool), process: Process::Pod(None) };
                let note = format!("{address} stands for any pod of {words}");
                Target::new(address, words.clone()).note(note).standing_for(sender)
            })
            .collect(),
        Party::Internet => Family::ALL
            .into_iter()
            .map(|family| stand_in::on_internet(world, family == Family::V6))
            .map(|address| Target::new(address, words.clone()).note(format!("{address} stands for the internet")))
            .collect(),
        Party::ApiServer(cluster) => return api_server(world, cluster, asker, &words),
        Party::Service(cluster, service) => return service_targets(world, cluster, service, asker, port, &words),
        Party::Name(_) => Vec::new(),
    };
    if found.is_empty() {
        let how = "write its address in the design, or import the object that has it (`kubectl get ... -o yaml`, `az ... -o json`)";
        return Err(NoTarget::Missing(Missing::new(format!("the address of {words}"), how)));
    }
    Ok(found)
}

/// Whether an address is that of the service `kubernetes`, and no service that is described has it.
pub(crate) fn is_kubernetes(world: &World, cluster: &ClusterName, address: IpAddr) -> bool {
    let Some(view) = world.cluster(cluster) else { return false };
    let first = view.cluster.service_cidrs.first().map(causeway_addr::Cidr::first);
    let next = match first {
        Some(IpAddr::V4(first)) => u32::from(first).checked_add(1).map(|next| IpAddr::V4(next.into())),
        Some(IpAddr::V6(first)) => u128::from(first).checked_add(1).map(|next| IpAddr::V6(next.into())),
        None => None,
    };
    next == Some(address) && view.service_at(address).is_none()
}

fn pod_targets<'a>(world: &World<'a>, cluster: &'a ClusterName, pod: &'a Pod, words: &str) -> Vec<Target<'a>> {
    let node = |pod: &Pod| {
        let node = world.design.clusters.get(cluster)?.nodes.get(pod.node.as_ref()?)?;
        Some(node.ips.clone())
    };
    if pod.host_network {
        let ips = if pod.ips.is_empty() { node(pod).unwrap_or_default() } else { pod.ips.clone() };
        return ips.into_iter().map(|ip| Target::new(ip, words)).collect();
    }
    if !pod.ips.is_empty() {
        let meant = Some((cluster, pod));
        return pod.ips.iter().map(|ip| Target { meant, ..Target::new(*ip, words) }).collect();
    }
    let stands = Family::ALL.into_iter().filter_map(|family| stand_in::pod_address(world, cluster, pod, family));
    stands
        .map(|ip| Target::new(ip, words).note(format!("the address of {words} is not known: {ip} stands for it")))
        .collect()
}

fn api_server<'a>(
    world: &World<'a>,
    name: &'a ClusterName,
    asker: Asker<'a>,
    words: &str,
) -> Result<Vec<Target<'a>>, NoTarget> {
    let Some(cluster) = world.design.clusters.get(name) else { return Ok(Vec::new()) };
    let api = &cluster.api_server;
    // With VNet integration the endpoint may be public besides: those outside use that one.
    let besides = api.access == ApiAccess::VnetIntegration && asker == Asker::Internet;
    if besides && api.public.is_none() {
        return Err(NoTarget::Missing(Missing::new(
            format!("whether {words} has a public endpoint besides"),
            format!("write `clusters.{name}.apiServer.public`; `az aks show --query apiServerAccessProfile` tells"),
        )));
    }
    let private = api.access != ApiAccess::Public && !(besides && api.public == Some(true));
    if let Some(ip) = api.private_ip.filter(|_| private) {
        return Ok(vec![Target::new(ip, words)]);
    }
    let public = || {
        let address = stand_in::on_internet(world, false);
        let note = format!("the public address of {words} is not known: {address} stands for it");
        Target { api_server: Some(name), ..Target::new(address, words).note(note) }
    };
    if !private {
        return Ok(vec![public()]);
    }
    let subnet = match (&api.subnet, api.access) {
        (Some(subnet), _) => Some(subnet.clone()),
        // The endpoint of a private cluster stands in the subnet of the first pool (azure-facts `cp.private.endpoint_subnet`).
        (None, _) => cluster.pools.values().find_map(|pool| pool.subnet.clone()),
    };
    let found = subnet.and_then(|reference| {
        let address = stand_in::in_subnet(
            world,
            &reference.network,
            world.design.subnet(&reference)?,
            Family::V4,
            Seat::ApiServer(cluster.pools.len()),
        )?;
        Some((reference, address))
    });
    match found {
        Some((reference, address)) => {
            let note = format!("the address of {words} is not known: {address} of `{reference}` stands for it");
            Ok(vec![Target { api_server: Some(name), ..Target::new(address, words).note(note) }])
        }
        None => Err(NoTarget::Missing(Missing::new(
            format!("the private address of {words}"),
            format!(
                "write `clusters.{name}.apiServer.privateIp` or `.subnet`; `az network private-endpoint list` shows it"
            ),
        ))),
    }
}

fn service_targets<'a>(
    world: &World<'a>,
    cluster: &'a ClusterName,
    service: &'a Service,
    asker: Asker<'a>,
    (protocol, port): (Protocol, u16),
    words: &str,
) -> Result<Vec<Target<'a>>, NoTarget> {
    if asker == Asker::Cluster(cluster) {
        if !service.cluster_ips.is_empty() {
            return Ok(service.cluster_ips.iter().map(|ip| Target::new(*ip, words)).collect());
        }
        return behind(world, cluster, service, (protocol, port), words);
    }
    // A public client uses the public frontend, everybody else the internal one where there is one.
    let frontend = match asker {
        Asker::Internet => service.public_ip.or(service.internal_ip),
        _ => service.internal_ip.or(service.public_ip),
    };
    match frontend {
        Some(ip) => Ok(vec![Target::new(ip, words).note(format!("from outside its cluster {words} is {ip}"))]),
        None if service.kind == ServiceType::LoadBalancer => Err(NoTarget::Missing(Missing::new(
            format!("the load balancer address of {words}"),
            "write `internalIp` or `publicIp`, or import the service as it runs (`kubectl get services -A -o yaml`)",
        ))),
        None => Err(NoTarget::Unasked(Unasked {
            message: format!("{words} has no address outside its cluster"),
            help: Some("ask from a pod of the cluster, about a node's port, or make it a LoadBalancer".to_owned()),
        })),
    }
}

/// The pods of a service whose own address is not known, or that has none.
fn behind<'a>(
    world: &World<'a>,
    name: &'a ClusterName,
    service: &'a Service,
    (protocol, port): (Protocol, u16),
    words: &str,
) -> Result<Vec<Target<'a>>, NoTarget> {
    let Some(cluster) = world.design.clusters.get(name) else { return Ok(Vec::new()) };
    let asked = service.ports.iter().find(|known| of_model(known.protocol) == Some(protocol) && known.port == port);
    let Some(asked) = asked else {
        let known: Vec<String> = service.ports.iter().map(|port| format!("{}/{}", port.protocol, port.port)).collect();
        return Err(NoTarget::Unasked(Unasked {
            message: format!("{words} has no port {port}"),
            help: Some(format!("it has {}", known.join(", "))),
        }));
    };
    let mut out = Vec::new();
    for (pod, target_port) in causeway_policy::who::behind(cluster, service, asked) {
        for target in pod_targets(world, name, pod, &format!("pod/{}/{}", pod.namespace, pod.name)) {
            let note = format!("{words} has no cluster address that is known: its pods are asked themselves");
            out.push(Target { port: Some(target_port), ..target }.note(note));
        }
    }
    if out.is_empty() {
        return Err(NoTarget::Missing(Missing::new(
            format!("the cluster address and the pods of {words}"),
            "import the service and its pods as they run (`kubectl get services,pods -A -o yaml`)",
        )));
    }
    Ok(out)
}
