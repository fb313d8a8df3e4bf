//! Where service translation may send a packet.

use super::{Choices, Endpoint, Machine};
use crate::answer::{Decision, Missing, Owner};
use crate::stand_in;
use crate::target::of_model;
use crate::world::{ClusterView, World};
use causeway_addr::{Cidr, Family};
use causeway_dataplane::evaluate::{self, Known, Outcome, through};
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_dataplane::ruleset::{Hook, Ruleset};
use causeway_dataplane::services::{self, Frontend, Kind, Proxy};
use causeway_model::design::*;
use causeway_policy::world::pod_ranges;
use std::net::IpAddr;

/// Where a node may send a packet on whose way it is. `inside`: the packet comes from a pod or a process of the node, not from outside.
pub fn choices<'a>(world: &World<'a>, machine: &Machine<'a>, inside: bool, packet: &Packet) -> Choices<'a> {
    served_choices(world, machine, inside, packet).0
}

/// The same, and what the node knows of the packet by then, where there is somewhere to send it.
pub(crate) fn served_choices<'a>(
    world: &World<'a>,
    machine: &Machine<'a>,
    inside: bool,
    packet: &Packet,
) -> (Choices<'a>, Option<Serving>) {
    let Some(view) = world.cluster(machine.cluster) else { return (Choices::NotAService, None) };
    let asked = Asked { world, view, machine, inside, packet };
    let found = match asked.found() {
        Ok(Some(found)) => found,
        Ok(None) => return (Choices::NotAService, None),
        Err(refused) => return (*refused, None),
    };
    let (ends, serving) = match asked.serving(&found) {
        Ok(served) => served,
        Err(missing) => return (Choices::Unknown(missing), None),
    };
    let to = match &serving.outcome {
        Outcome::Redirected(to) => to,
        Outcome::Uncertain(missing) => {
            let how = "give the node with its addresses (`kubectl get nodes -o yaml`)";
            return (Choices::Unknown(Missing::new(missing.to_string(), how)), None);
        }
        other => return (Choices::NoEndpoints(asked.nobody(&found, other, &ends)), None),
    };
    let of = |end: &causeway_dataplane::ruleset::End| {
        let same = |known: &&Endpoint| known.address == end.address && end.port.is_none_or(|port| port == known.port);
        ends.iter().find(same).copied()
    };
    (Choices::Endpoints(to.iter().filter_map(of).collect()), Some(serving))
}

/// What a node knows of a packet it has translated for a service, and by which rules.
pub(crate) struct Serving {
    pub(super) rules: Ruleset,
    pub(super) known: Known,
    pub(super) owner: Owner,
    /// The service, as findings name it.
    pub(super) object: String,
    outcome: Outcome,
}

/// What the node knows of a packet once it has translated it.
pub(super) fn served<'a>(world: &World<'a>, machine: &Machine<'a>, inside: bool, packet: &Packet) -> Option<Serving> {
    let view = world.cluster(machine.cluster)?;
    let asked = Asked { world, view, machine, inside, packet };
    let found = asked.found().ok().flatten()?;
    asked.serving(&found).ok().map(|(_, serving)| serving)
}

/// A service's port, and how it was reached.
struct Found<'a> {
    service: &'a Service,
    port: &'a ServicePort,
    by: By,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Its own address.
    Cluster,
    /// The address of a load balancer.
    Frontend,
    /// A port of the node.
    NodePort,
}

struct Asked<'w, 'a> {
    world: &'w World<'a>,
    view: &'w ClusterView<'a>,
    machine: &'w Machine<'a>,
    inside: bool,
    packet: &'w Packet,
}

impl<'a> Asked<'_, 'a> {
    fn cluster(&self) -> &'a Cluster {
        self.view.cluster
    }

    fn path(&self, service: &Service) -> String {
        let at = self.cluster().services.iter().position(|known| std::ptr::eq(known, service));
        let cluster = format!("clusters.{}", self.machine.cluster);
        at.map_or(cluster.clone(), |at| format!("{cluster}.services.{at}"))
    }

    fn owner(&self) -> Owner {
        if self.cluster().dataplane == Dataplane::Cilium { Owner::Cilium } else { Owner::KubeProxy }
    }

    fn speaks(&self, port: &ServicePort) -> bool {
        of_model(port.protocol) == Some(self.packet.protocol)
    }

    /// The service a packet is for; an error says that it is for one that does not take it.
    fn found(&self) -> Result<Option<Found<'a>>, Box<Choices<'a>>> {
        let (to, number) = (self.packet.destination, self.packet.destination_port);
        let of = |service: &'a Service, by: By| {
            let port = service.ports.iter().find(|port| port.port == number && self.speaks(port))?;
            Some(Found { service, port, by })
        };
        let has_ports = matches!(self.packet.protocol, Protocol::Tcp | Protocol::Udp | Protocol::Sctp);
        let none = |service: &'a Service| {
            let name = format!("service/{}/{}", service.namespace, service.name);
            let because = format!("{name} has no such port: {}", asked_for(self.packet));
            Err(Box::new(Choices::NoEndpoints(Decision::new(self.owner(), self.path(service), because))))
        };
        if let Some(service) = self.view.service_at(to) {
            let ipvs = self.cluster().dataplane != Dataplane::Cilium
                && self.cluster().kube_proxy.mode == Some(KubeProxyMode::Ipvs);
            if ipvs && self.packet.protocol == Protocol::Icmp {
                // The node has the addresses of services itself, and answers.
                let fact = format!("whether the node answers a ping of {to}, which IPVS makes an address of its own");
                let how = "try it from a pod on the node (`ping -c 1`)";
                return Err(Box::new(Choices::Unknown(Missing::new(fact, how))));
            }
            return of(service, By::Cluster).map_or_else(|| none(service), |found| Ok(Some(found)));
        }
        let fronted = self.view.fronted_at(to);
        if let Some(found) = fronted.iter().find_map(|service| of(service, By::Frontend)) {
            return Ok(Some(found));
        }
        if let Some(service) = fronted.first() {
            return none(service);
        }
        if self.cluster().service_cidrs.iter().any(|range| range.contains(to)) {
            let how = "import the services as they run (`kubectl get services -A -o yaml`)";
            let what = if self.cluster().dns_service_ip == Some(to) { " (cluster DNS)" } else { "" };
            let missing = Missing::new(format!("which service has the address {to}{what}"), how);
            return Err(Box::new(Choices::Unknown(missing)));
        }
        if !has_ports || self.machine.has(self.world, to) != Some(true) {
            return Ok(None);
        }
        let ports = self.view.node_port(number);
        let found = ports.iter().find(|(_, port)| self.speaks(port));
        Ok(found.map(|(service, port)| Found { service, port, by: By::NodePort }))
    }

    fn proxy(&self) -> Result<Proxy, Missing> {
        let cluster = self.cluster();
        let kind = match (cluster.dataplane, cluster.kube_proxy.mode) {
            (Dataplane::Cilium, _) => Kind::Cilium,
            (_, Some(KubeProxyMode::None)) => {
                let how = format!("state `clusters.{}.kubeProxy.mode` or `dataplane`", self.machine.cluster);
                return Err(Missing::new("what translates services in place of kube-proxy", how));
            }
            (_, Some(KubeProxyMode::Ipvs)) => Kind::Ipvs,
            (_, Some(KubeProxyMode::Nftables)) => Kind::Nftables,
            (_, Some(KubeProxyMode::Iptables) | None) => Kind::Iptables,
        };
        let pods = match (&cluster.kube_proxy.cluster_cidrs, kind) {
            (Some(stated), Kind::Iptables | Kind::Ipvs | Kind::Nftables) => stated.clone(),
            // What AKS tells it: where pods are.
            _ => pod_ranges(self.world.design, cluster),
        };
        Ok(Proxy { kind, pods, masquerade_all: false, node_addresses: Vec::new() })
    }

    /// The endpoints of a service, and what the node's rules do with the packet.
    fn serving(&self, found: &Found<'a>) -> Result<(Vec<Endpoint<'a>>, Serving), Missing> {
        let proxy = self.proxy()?;
        let ends = self.ends(found)?;
        let service = found.service;
        let local = service.external_traffic_policy == TrafficPolicy::Local;
        // Which of them are on this node matters to packets from outside alone.
        let matters = found.by != By::Cluster && (local || proxy.kind == Kind::Cilium);
        let windows = self.machine.described_pool(self.view).is_some_and(|pool| pool.os == Os::Windows);
        if windows && found.by != By::Cluster {
            let how = "ask about a Linux pool, or look at the node itself (`hnsdiag list all`)";
            return Err(Missing::new("how kube-proxy on Windows treats clients of ports and load balancers", how));
        }
        let mut endpoints = Vec::with_capacity(ends.len());
        for end in &ends {
            let here = match end.pod.map(|pod| self.is_here(pod)) {
                Some(None) if matters => {
                    let whose = end.pod.map(|pod| format!("pod/{}/{}", pod.namespace, pod.name)).unwrap_or_default();
                    let how = "import the pods as they run (`kubectl get pods -A -o yaml`)";
                    return Err(Missing::new(format!("whether {whose} runs on {}", self.machine.words()), how));
                }
                Some(here) => here.unwrap_or(false),
                None => false,
            };
            endpoints.push(services::Endpoint { address: end.address, port: end.port, here });
        }
        let frontend = Frontend {
            service: format!("{}/{}", service.namespace, service.name),
            protocol: match found.port.protocol {
                causeway_model::design::Protocol::Udp => 17,
                causeway_model::design::Protocol::Sctp => 132,
                _ => 6,
            },
            port: found.port.port,
            cluster: service.cluster_ips.clone(),
            external: [service.internal_ip, service.public_ip].into_iter().flatten().collect(),
            node_port: found.port.node_port,
            endpoints,
            local,
            sources: service.source_ranges.clone(),
        };
        // A frontend is translated by its own chain alone, so the rules of the others need not be there.
        let rules = services::compile_family(&proxy, &[frontend], self.packet.family());
        let node = node_of(self.world, self.machine);
        let first = through(&[&rules], Hook::Prerouting, self.packet, &node, Known::default());
        let (outcome, known) = (first.outcome, first.known);
        let serving = Serving { rules, known, owner: self.owner(), object: self.path(service), outcome };
        Ok((ends, serving))
    }

    /// Whether a pod is on this node; `None` = it can't be said.
    fn is_here(&self, pod: &'a Pod) -> Option<bool> {
        let there = Machine::of_pod(self.world, self.machine.cluster, pod);
        match (there.node, self.machine.node) {
            (Some(there), Some(here)) => Some(there == here),
            _ if there.keeper() == self.machine.keeper() => Some(true),
            // Another pool is another node.
            _ => match (there.pool, self.machine.pool) {
                (Some(there), Some(here)) if there != here => Some(false),
                _ => None,
            },
        }
    }

    /// Who answers, in the packet's family.
    fn ends(&self, found: &Found<'a>) -> Result<Vec<Endpoint<'a>>, Missing> {
        let service = found.service;
        let name = format!("service/{}/{}", service.namespace, service.name);
        if service.selector.is_empty() {
            let how = "name the endpoint itself (`kubectl get endpointslices -A -o yaml` lists them)";
            return Err(Missing::new(format!("the endpoints of {name}, which selects no pods"), how));
        }
        let pods = self.view.pods_of(&service.namespace);
        if pods.is_empty() {
            let how = "import the pods (`kubectl get pods -A -o yaml`), or write `pods`";
            return Err(Missing::new(format!("the pods behind {name}"), how));
        }
        let family = self.packet.family();
        let mut out = Vec::new();
        for pod in pods.iter().copied() {
            let selected = service.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value));
            let Some(port) = selected.then(|| port_of(found.port, pod)).flatten() else { continue };
            out.push(Endpoint { service, pod: Some(pod), address: self.address(pod, family, &name)?, port });
        }
        Ok(out)
    }

    fn address(&self, pod: &'a Pod, family: Family, name: &str) -> Result<IpAddr, Missing> {
        let own = pod.ips.iter().copied().find(|ip| Family::of(*ip) == family);
        let of_node = || {
            let machine = Machine::of_pod(self.world, self.machine.cluster, pod);
            machine.address(self.world, family).map(|(address, _)| address)
        };
        let stands = || stand_in::pod_address(self.world, self.machine.cluster, pod, family);
        let found = if pod.host_network { own.or_else(of_node) } else { own.or_else(stands) };
        found.ok_or_else(|| {
            let how = "import the pods as they run (`kubectl get pods -A -o yaml`)";
            Missing::new(format!("the {family} address of pod/{}/{}, behind {name}", pod.namespace, pod.name), how)
        })
    }

    /// Why nobody takes a packet.
    fn nobody(&self, found: &Found<'a>, outcome: &Outcome, ends: &[Endpoint]) -> Decision {
        let service = found.service;
        let name = format!("service/{}/{}", service.namespace, service.name);
        let object = self.path(service);
        let node = self.machine.words();
        let guarded = !service.source_ranges.is_empty()
            && found.by == By::Frontend
            && !service.source_ranges.iter().any(|range| range.contains(self.packet.source));
        let decision = |because: String| Decision::new(self.owner(), object.clone(), because);
        match outcome {
            Outcome::Dropped if guarded => {
                let because = format!("{} is not in the source ranges {name} lets in", self.packet.source);
                decision(because).rule("loadBalancerSourceRanges")
            }
            Outcome::Dropped => {
                let because = format!("no pod behind {name} runs on {node}, and `externalTrafficPolicy` is `Local`");
                decision(because).rule("externalTrafficPolicy")
            }
            Outcome::Kept if !self.inside => decision(format!(
                "Cilium does not translate the address of {name} for packets from outside the cluster"
            )),
            _ if ends.is_empty() => decision(format!("no pod stands behind {name} for {}", asked_for(self.packet))),
            _ => decision(format!("{node} takes no packet for {name} from {}", self.packet.source)),
        }
    }
}

fn asked_for(packet: &Packet) -> String {
    let protocol = match packet.protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
        Protocol::Sctp => "SCTP",
        Protocol::Icmp => return "ICMP".to_owned(),
        Protocol::Other(number) => return format!("IP protocol {number}"),
    };
    format!("{protocol} {}", packet.destination_port)
}

/// The port of a pod; `None` = it has none of that name.
fn port_of(port: &ServicePort, pod: &Pod) -> Option<u16> {
    match &port.target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => {
            let named = pod.named_ports.get(name).filter(|(protocol, _)| *protocol == port.protocol);
            named.map(|(_, number)| *number)
        }
    }
}

/// What the rules have to know of a node.
pub(super) fn node_of<'a>(world: &World<'a>, machine: &Machine<'a>) -> evaluate::Node {
    let addresses = Family::ALL.map(|family| machine.address(world, family).map(|(address, _)| address));
    let known = || addresses.iter().flatten().copied();
    if known().next().is_none() {
        return evaluate::Node::default();
    }
    let node = evaluate::Node::with_addresses(known().map(Cidr::host));
    known().fold(node, |node, address| node.masquerading_as(address))
}
