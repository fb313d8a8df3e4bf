//! Who takes a packet where it arrives, and what they need to take it.

use crate::answer::{Decision, Direction, Missing, Owner, Verdict};
use crate::fabric::{self, Arrival};
use crate::node::{Machine, Process, Sender};
use crate::story::Keeper;
use crate::target::{Target, of_model};
use crate::walk::{Taker, Walk};
use crate::who::is_public;
use crate::world::Holder;
use causeway_addr::Family;
use causeway_dataplane::packet::Packet;
use causeway_model::arithmetic::subnet::assignable;
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
                    // A public address of the design's own: what it lets in from the internet it lets in from here.
                    if let Some(
                        Holder::Frontend(..)
                        | Holder::Firewall(..)
                        | Holder::Ingress(..)
                        | Holder::NatGateway(_)
                        | Holder::Outbound(_),
                    ) = who
                    {
                        return self.in_from_internet(direction, None, packet);
                    }
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
            Some(Holder::ApiServer(cluster)) => {
                if forward {
                    self.api_server_listens(cluster, &packet);
                }
                Some((taker, packet))
            }
            Some(Holder::Ingress(..)) => Some((taker, packet)),
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
                    match self.api_server {
                        Some(cluster) => self.api_server_listens(cluster, &packet),
                        None => self.nobody_can_have(network, &packet),
                    }
                }
                Some((taker, packet))
            }
        }
    }

    fn api_server_listens(&mut self, cluster: &ClusterName, packet: &Packet) {
        let (object, words) = (format!("clusters.{cluster}.apiServer"), format!("apiServer/{cluster}"));
        self.listens(&object, &words, &[(Protocol::Tcp, 443), (Protocol::Tcp, 4443)], packet, true);
    }

    /// Nobody is known to have the address; of a subnet's first four and its last nobody can be (azure-facts `addr.subnet.reserved_by_azure`).
    fn nobody_can_have(&mut self, network: &'a NetworkName, packet: &Packet) {
        let address = packet.destination;
        let subnet = self.world.network(network).and_then(|view| view.subnets.longest_match(address));
        let Some((prefix, name)) = subnet.filter(|(prefix, _)| prefix.family() == Family::V4) else {
            return self.assume(packet, network);
        };
        let reserved = match (prefix.first(), address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                assignable(first, prefix.prefix_len()).is_none_or(|(first, last)| !(first..=last).contains(&address))
            }
            _ => false,
        };
        if !reserved {
            return self.assume(packet, network);
        }
        let because = format!("{address} is one of the five addresses the platform keeps of subnet `{network}/{name}`");
        let object = format!("networks.{network}.subnets.{name}");
        let decision = Decision::new(Owner::Platform, object, because);
        self.story.obstacle(Direction::Forward, Verdict::Dropped, decision, "ask for an address somebody has");
    }

    /// Whether whoever took the packet is who was meant: another cluster may give the same address to a pod of its own.
    pub(crate) fn is_meant(&mut self, target: &Target<'a>, taker: &Taker<'a>, packet: &Packet) {
        let Some((cluster, pod)) = target.meant else { return };
        let (found, words) = match taker {
            Taker::OnNode(sender) => {
                let found = match sender.process {
                    Process::Pod(Some(other)) => Some(other),
                    _ => None,
                };
                let words = match found {
                    Some(other) => {
                        format!("pod/{}/{} of cluster `{}`", other.namespace, other.name, sender.machine.cluster)
                    }
                    None => format!("cluster `{}`", sender.machine.cluster),
                };
                (sender.machine.cluster == cluster && found.is_none_or(|other| std::ptr::eq(other, pod)), words)
            }
            _ => return,
        };
        if found {
            return;
        }
        let because = format!(
            "{} leads to {words} from here, not to pod/{}/{} of cluster `{cluster}`",
            packet.destination, pod.namespace, pod.name
        );
        let object = format!("clusters.{cluster}.podCidr");
        let fix = "reach it through a load balancer of its cluster: pods outside the VNet have addresses inside their cluster only";
        let decision = Decision::new(Owner::SystemRoute, object, because);
        self.story.obstacle(Direction::Forward, Verdict::Dropped, decision, fix);
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

    /// Every address the last who translated the source may have chosen.
    fn may_be_seen_as(&self, source: IpAddr) -> Vec<IpAddr> {
        let design = self.world.design;
        let last = self.story.rewrites.iter().rev().find(|rewrite| rewrite.after.source == source);
        let known: &[IpAddr] = match last.map(|rewrite| &rewrite.keeper) {
            Some(Keeper::Appliance(name)) => design.firewalls.get(name).map_or(&[], |firewall| &firewall.public_ips),
            Some(Keeper::NatGateway(name)) => design.nat_gateways.get(name).map_or(&[], |gateway| &gateway.public_ips),
            Some(Keeper::LoadBalancer(name)) => {
                design.clusters.get(name).map_or(&[], |cluster| &cluster.outbound.public_ips)
            }
            _ => &[],
        };
        if known.contains(&source) { known.to_vec() } else { vec![source] }
    }

    /// A packet for a public API server: whether its source may ask.
    fn public_api_server(&mut self, packet: &Packet) {
        let Some(cluster) = self.api_server else { return };
        let Some(api) = self.world.design.clusters.get(cluster).map(|cluster| &cluster.api_server) else { return };
        if let Some(ranges) = api.authorized_ranges.as_ref().filter(|ranges| !ranges.is_empty()) {
            // Whoever translates may have several addresses, and takes any of them.
            let inside = |ip: &IpAddr| ranges.iter().any(|range| range.contains(*ip));
            let several = self.may_be_seen_as(packet.source);
            if several.iter().any(inside) && !several.iter().all(inside) {
                let names: Vec<String> = several.iter().map(ToString::to_string).collect();
                self.story.lacks(Missing::new(
                    format!("which of {} the API server sees: not all of them are authorized", names.join(", ")),
                    format!("write every one of them into `clusters.{cluster}.apiServer.authorizedRanges`"),
                ));
                return;
            }
        }
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
        let nobodys = match address {
            IpAddr::V4(address) => address.is_multicast() || address.is_broadcast() || address.is_unspecified(),
            IpAddr::V6(address) => address.is_multicast() || address.is_unspecified(),
        };
        if nobodys {
            let because = format!(
                "{address} is no address of one machine, and virtual networks carry neither multicast nor broadcast"
            );
            let decision = Decision::new(Owner::Platform, "", because);
            self.story.obstacle(Direction::Forward, Verdict::Dropped, decision, "ask for the address of a machine");
            return;
        }
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
