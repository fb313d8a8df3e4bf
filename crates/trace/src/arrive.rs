//! Who takes a packet where it arrives, and what they need to take it.

use crate::answer::{Decision, Direction, Missing, Owner, Verdict};
use crate::fabric::{self, Arrival};
use crate::node::{Machine, Sender};
use crate::target::of_model;
use crate::walk::{Taker, Walk};
use crate::who::is_public;
use crate::world::Holder;
use causeway_dataplane::packet::Packet;
use causeway_model::design::*;
use causeway_model::facts::special;
use std::net::IpAddr;

/// More stretches than this between nodes and fabric are a loop.
const MOST_STRETCHES: usize = 24;

impl<'a> Walk<'_, 'a, '_> {
    /// Goes on from where the fabric left a packet.
    pub(crate) fn arrived(
        &mut self,
        direction: Direction,
        arrival: Arrival<'a>,
        packet: Packet,
    ) -> Option<(Taker<'a>, Packet)> {
        if !self.may_go_on(direction) {
            return None;
        }
        match arrival {
            Arrival::At { network, subnet, holder } => self.at(direction, network, subnet, holder, packet),
            Arrival::Internet(who) => {
                if direction == Direction::Forward {
                    if let Some(Holder::Host(name, host)) = who {
                        self.listens(&format!("hosts.{name}"), &format!("host/{name}"), &host.listens, &packet, true);
                    }
                    self.public_api_server(&packet);
                }
                Some((Taker::Internet(who), packet))
            }
            Arrival::Site(site, who) => {
                if direction == Direction::Forward {
                    match who {
                        Some(Holder::Host(name, host)) => {
                            let (object, words) = (format!("hosts.{name}"), format!("host/{name}"));
                            self.listens(&object, &words, &host.listens, &packet, true);
                        }
                        _ => self.assume(&packet, site),
                    }
                }
                Some((Taker::Site(site, who), packet))
            }
            Arrival::Platform => Some((Taker::Platform, packet)),
            Arrival::Nowhere => None,
        }
    }

    fn at(
        &mut self,
        direction: Direction,
        network: &'a NetworkName,
        subnet: Option<&'a SubnetName>,
        holder: Option<Holder<'a>>,
        packet: Packet,
    ) -> Option<(Taker<'a>, Packet)> {
        let forward = direction == Direction::Forward;
        let taker = Taker::Machine(network, subnet, holder);
        match holder {
            Some(Holder::Node(cluster, node)) => {
                self.at_node(direction, &Machine::named(self.world, cluster, node), packet)
            }
            Some(Holder::Pod(cluster, pod)) => {
                self.at_node(direction, &Machine::of_pod(self.world, cluster, pod), packet)
            }
            Some(Holder::Frontend(cluster, service)) => {
                self.behind_frontend(direction, network, cluster, service, packet)
            }
            Some(Holder::Host(name, host)) => {
                if forward {
                    self.listens(&format!("hosts.{name}"), &format!("host/{name}"), &host.listens, &packet, true);
                }
                Some((taker, packet))
            }
            Some(Holder::PrivateEndpoint(name, endpoint)) => {
                if forward {
                    self.private_endpoint(name, endpoint, &packet);
                }
                Some((taker, packet))
            }
            Some(Holder::ApiServer(_) | Holder::Ingress(..)) => Some((taker, packet)),
            Some(Holder::Firewall(name, _)) => {
                if forward {
                    let because = format!("the packet is for firewall `{name}` itself, and no rule of it sends it on");
                    let decision = Decision::new(Owner::AzureFirewall, format!("firewalls.{name}.dnat"), because);
                    let fix = "write a `dnat` rule for the port, or send to the machine behind it";
                    self.story.obstacle(direction, Verdict::Dropped, decision, fix);
                    return None;
                }
                Some((taker, packet))
            }
            Some(Holder::NatGateway(_) | Holder::Outbound(_)) => Some((taker, packet)),
            None => {
                // Somebody who stands for the nodes or pods of a pool is no machine of its own.
                if let Some(sender) = self.stands_for(packet.destination) {
                    return self.at_node(direction, &sender.machine, packet);
                }
                if forward {
                    self.assume(&packet, network);
                }
                Some((taker, packet))
            }
        }
    }

    /// The representative of a pool whose address this is.
    pub(crate) fn stands_for(&self, address: IpAddr) -> Option<Sender<'a>> {
        self.stand_ins.iter().find(|(known, _)| *known == address).map(|(_, sender)| *sender)
    }

    /// Nobody is known to have the address: taken for granted unless the question is strict.
    fn assume(&mut self, packet: &Packet, network: &NetworkName) {
        let address = packet.destination;
        if self.strict {
            self.story.lacks(Missing::new(
                format!("who has {address} in `{network}`"),
                "add the machine as a host, import it (`az network nic list -o json`), or leave `--strict` out",
            ));
        } else {
            self.story.note(format!("the receiver is assumed: nobody in `{network}` is known to have {address}"));
        }
    }

    /// Whether somebody listens. What a machine is known to listen on is all it listens on where the design says so (`is_all`).
    pub(crate) fn listens(
        &mut self,
        object: &str,
        words: &str,
        listens: &[(Protocol, u16)],
        packet: &Packet,
        is_all: bool,
    ) {
        use causeway_dataplane::packet::Protocol as Transport;
        let has_ports = matches!(packet.protocol, Transport::Tcp | Transport::Udp | Transport::Sctp);
        let fits = |(protocol, port): &(Protocol, u16)| {
            of_model(*protocol) == Some(packet.protocol) && *port == packet.destination_port
        };
        if listens.is_empty() || !has_ports || listens.iter().any(fits) {
            return;
        }
        let known: Vec<String> = listens.iter().map(|(protocol, port)| format!("{protocol}/{port}")).collect();
        let said = format!("{words} listens on {}", known.join(", "));
        if !is_all {
            self.story.note(format!("{said}, and port {} is not among that", packet.destination_port));
            return;
        }
        let because = format!("nothing answers on port {}: {said}", packet.destination_port);
        let decision = Decision::new(Owner::None, format!("{object}.listens"), because);
        let fix = "ask for a port it listens on, or correct `listens`";
        self.story.obstacle(Direction::Forward, Verdict::Dropped, decision, fix);
    }

    fn private_endpoint(&mut self, name: &PrivateEndpointName, endpoint: &PrivateEndpoint, packet: &Packet) {
        let object = format!("privateEndpoints.{name}");
        match endpoint.connection {
            None | Some(EndpointConnection::Approved) => {}
            Some(state) => {
                let state = match state {
                    EndpointConnection::Pending => "nobody has approved it yet",
                    EndpointConnection::Rejected => "its connection was rejected",
                    _ => "the service behind it is disconnected",
                };
                let because = format!("private endpoint `{name}` carries nothing: {state}");
                let decision = Decision::new(Owner::Platform, format!("{object}.connection"), because);
                let fix = "have the owner of the service approve the connection";
                self.story.obstacle(Direction::Forward, Verdict::Dropped, decision, fix);
            }
        }
        self.listens(&object, &format!("private endpoint {name}"), &endpoint.listens, packet, true);
    }

    /// The frontend of a load balancer: one of the cluster's nodes gets the packet, with the frontend's address as its destination.
    fn behind_frontend(
        &mut self,
        direction: Direction,
        network: &'a NetworkName,
        cluster: &'a ClusterName,
        service: &'a Service,
        packet: Packet,
    ) -> Option<(Taker<'a>, Packet)> {
        let view = self.world.cluster(cluster)?;
        let nodes: Vec<Machine<'a>> = match view.cluster.nodes.is_empty() {
            false => view.cluster.nodes.keys().map(|node| Machine::named(self.world, view.name, node)).collect(),
            true => view.cluster.pools.keys().map(|pool| Machine::of_pool(view.name, pool)).collect(),
        };
        // With `Local` the load balancer's probe leaves the nodes with a pod of the service only.
        let fitting: Vec<Machine<'a>> = match service.external_traffic_policy {
            TrafficPolicy::Cluster => nodes.clone(),
            TrafficPolicy::Local => {
                let has = |machine: &&Machine<'a>| {
                    let node = machine.node;
                    let mut ports = service.ports.iter();
                    let behind = |port| causeway_policy::who::behind(view.cluster, service, port).next().is_some();
                    let local = |port: &ServicePort| {
                        causeway_policy::who::behind(view.cluster, service, port)
                            .any(|(pod, _)| node.is_some() && Machine::of_pod(self.world, view.name, pod).node == node)
                    };
                    node.is_none() || ports.clone().any(local) || !ports.any(behind)
                };
                nodes.iter().filter(has).copied().collect()
            }
        };
        if fitting.is_empty() {
            let words = format!("service/{}/{}", service.namespace, service.name);
            self.story.lacks(Missing::new(
                format!("the nodes behind the load balancer of {words}"),
                "give the nodes (`kubectl get nodes -o yaml`) or the pools of the cluster",
            ));
            return None;
        }
        let chosen = self.choices.pick(fitting.len());
        let machine = *fitting.get(chosen)?;
        fabric::enter(self.world, &mut self.story, direction, &machine, network, service, &packet);
        self.at_node(direction, &machine, packet)
    }

    /// A packet for a public API server: whether its source may ask.
    fn public_api_server(&mut self, packet: &Packet) {
        let Some(cluster) = self.api_server else { return };
        let Some(api) = self.world.design.clusters.get(cluster).map(|cluster| &cluster.api_server) else { return };
        match &api.authorized_ranges {
            Some(ranges)
                if packet.source.is_unspecified()
                    && !ranges.is_empty()
                    && !ranges.iter().any(|range| range.prefix_len() == 0) =>
            {
                self.story.lacks(Missing::new(
                    format!("whether the authorized ranges of `{cluster}` let the sender in: its public address is not known"),
                    "state the public addresses it leaves with",
                ));
            }
            Some(ranges) if !ranges.is_empty() && !ranges.iter().any(|range| range.contains(packet.source)) => {
                let object = format!("clusters.{cluster}.apiServer.authorizedRanges");
                let because = format!("{} is in none of the authorized ranges", packet.source);
                let fix = format!(
                    "add {}/32 to the authorized ranges, or leave through an address that is in them",
                    packet.source
                );
                self.story.obstacle(
                    Direction::Forward,
                    Verdict::Dropped,
                    Decision::new(Owner::Platform, object, because),
                    fix,
                );
            }
            None => self.story.note("authorized ranges are not stated: everybody is taken to be let in"),
            _ => {}
        }
    }

    /// A private address that no network of the design has: what becomes of the packet there nobody can say.
    pub(crate) fn is_somewhere(&mut self, address: IpAddr) {
        let is_platform = address == IpAddr::V4(special::PLATFORM_DNS.value) || special::LINK_LOCAL.contains(address);
        if !(self.world.is_described(address) || is_platform || is_public(address)) {
            self.story.lacks(Missing::new(
                format!("which network has {address}"),
                "add it to the design (`az network vnet list -o json`, an on-premises network), or ask about another",
            ));
        }
    }

    /// Not if the packet has been going round.
    pub(crate) fn may_go_on(&mut self, direction: Direction) -> bool {
        self.stretches += 1;
        if self.stretches <= MOST_STRETCHES {
            return true;
        }
        let because = "the packet goes round between nodes and network and arrives nowhere";
        let decision = Decision::new(Owner::None, "", because);
        self.story.obstacle(direction, Verdict::Dropped, decision, "break the loop: see the hops that come back");
        false
    }
}
