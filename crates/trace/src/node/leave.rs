//! A packet of somebody on the node.

use super::admit::let_out;
use super::deliver::{deliver, receiver};
use super::rules::Leaving;
use super::services::{Serving, served};
use super::{Endpoint, Exit, Machine, Process, Sender, Via};
use crate::answer::{Direction, Missing};
use crate::fabric::Entry;
use crate::story::{Story, reversed};
use crate::world::{Holder, World};
use causeway_dataplane::packet::Packet;
use causeway_model::design::Mode;

/// A packet leaves a pod or a process of a node. `chosen` is the endpoint the walk chose among [`super::Choices::Endpoints`].
///
/// An answer is what the node remembers of its request: what was rewritten on the way in is undone, and nothing else is translated.
pub fn leave<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    sender: &Sender<'a>,
    packet: Packet,
    chosen: Option<&Endpoint<'a>>,
) -> Exit<'a> {
    let forward = direction == Direction::Forward;
    let serving = chosen.filter(|_| forward).and_then(|_| served(world, &sender.machine, true, &packet));
    leave_served(world, story, direction, sender, packet, (chosen, serving.as_ref()))
}

/// The same where it is known what the node's rules do with the packet.
pub(crate) fn leave_served<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    sender: &Sender<'a>,
    packet: Packet,
    (chosen, serving): (Option<&Endpoint<'a>>, Option<&Serving>),
) -> Exit<'a> {
    let machine = &sender.machine;
    let passing = Passing { machine, process: Some(sender.process), chosen };
    if direction == Direction::Reply {
        let packet = undone(story, machine, packet);
        return passing.onward(world, story, direction, packet, None);
    }
    story.pass(machine.keeper(), packet);
    let packet = match (chosen, serving) {
        (Some(endpoint), Some(serving)) => redirected(story, machine, packet, endpoint, serving),
        _ => packet,
    };
    let_out(world, story, machine, sender.process, &packet);
    passing.onward(world, story, direction, packet, serving)
}

/// The packet with an endpoint as its destination.
pub(super) fn redirected<'a>(
    story: &mut Story,
    machine: &Machine<'a>,
    packet: Packet,
    endpoint: &Endpoint<'a>,
    serving: &Serving,
) -> Packet {
    let after = Packet { destination: endpoint.address, destination_port: endpoint.port, ..packet };
    let service = format!("service/{}/{}", endpoint.service.namespace, endpoint.service.name);
    let did = format!("destination translated to {} port {}, for {service}", endpoint.address, endpoint.port);
    let by = (serving.owner, serving.object.clone());
    story.hop(Direction::Forward, machine.words(), did, by, packet, after);
    if after != packet {
        story.remember(machine.keeper(), serving.owner, packet, after);
    }
    after
}

/// An answer with everything undone that the node did to its request.
pub(super) fn undone(story: &mut Story, machine: &Machine, packet: Packet) -> Packet {
    let keeper = machine.keeper();
    let mut packet = packet;
    // Each rewriting is undone once.
    for _ in 0..story.rewrites.len() {
        let Some(rewrite) = story.undo(&keeper, &packet) else { break };
        let (by, before) = (rewrite.by, reversed(&rewrite.before));
        if before == packet {
            break;
        }
        let did = match before.source != packet.source || before.source_port != packet.source_port {
            true => format!("source translated back to {}", before.source),
            false => format!("destination translated back to {}", before.destination),
        };
        let object = format!("clusters.{}", machine.cluster);
        story.hop(Direction::Reply, machine.words(), did, (by, object), packet, before);
        packet = before;
    }
    packet
}

/// Who a packet on a node is of.
pub(super) struct Passing<'p, 'a> {
    pub(super) machine: &'p Machine<'a>,
    /// Who sends it; `None` = it came from outside.
    pub(super) process: Option<Process<'a>>,
    pub(super) chosen: Option<&'p Endpoint<'a>>,
}

impl<'a> Passing<'_, 'a> {
    /// Where a packet goes once its destination is settled.
    pub(super) fn onward(
        &self,
        world: &World<'a>,
        story: &mut Story,
        direction: Direction,
        packet: Packet,
        serving: Option<&Serving>,
    ) -> Exit<'a> {
        let machine = self.machine;
        let Some(view) = world.cluster(machine.cluster) else { return Exit::Nowhere };
        let forward = direction == Direction::Forward;
        let of_pod = matches!(self.process, Some(Process::Pod(_)));
        let own = machine.has(world, packet.destination);
        if own == Some(true) {
            if forward && of_pod && view.in_pod_cidr(packet.source) {
                story.note("towards its own node a pod is seen with its own address: nobody has said so (unk.overlay-own-node)");
            }
            if forward {
                story.pass(machine.keeper(), packet);
            }
            return Exit::Node { packet };
        }
        if forward && of_pod && own.is_none() && machine.of.is_some() && view.cluster.nodes.len() > 1 {
            let how = "import the pods as they run (`kubectl get pods -A -o wide`)";
            story.lacks(Missing::new(format!("whether {} is {}", packet.destination, machine.words()), how));
        }
        let near = receiver(world, view, machine, self.chosen, packet.destination);
        let leaving = Leaving { world, view, machine, process: self.process, serving, near: near.is_some() };
        if let Some(pod) = near {
            return deliver(world, story, direction, &leaving, pod, packet);
        }
        let packet = match direction {
            Direction::Forward => {
                leaving.block(story, &packet);
                leaving.translate(story, packet)
            }
            Direction::Reply => packet,
        };
        if forward {
            story.pass(machine.keeper(), packet);
        }
        let Some(node_entry) = machine.entry(world, packet.family()) else {
            story.lacks(Missing::new(
                format!("the subnet of {}", machine.words()),
                format!(
                    "write `clusters.{}.pools` with their `subnet`, and the nodes with their pool",
                    machine.cluster
                ),
            ));
            return Exit::Nowhere;
        };
        if view.in_pod_cidr(packet.destination) {
            let mode = machine.mode(view);
            if mode == Some(Mode::Byo) {
                let how = "ask whoever runs the cluster's own CNI plugin, or trace with `--observed`";
                story.lacks(Missing::new("how the cluster's own CNI plugin carries packets between nodes", how));
            }
            let via = if mode == Some(Mode::Kubenet) { Via::RouteTable } else { Via::Overlay };
            let pod = self.chosen.filter(|end| end.address == packet.destination).and_then(|end| end.pod);
            let pod = pod.or_else(|| view.pod_at(packet.destination));
            let there = pod.map(|pod| Machine::of_pod(world, machine.cluster, pod));
            let node = there.and_then(|there| there.node).or_else(|| view.node_of_block(packet.destination));
            return Exit::Peer { packet, via, node, pod, entry: node_entry };
        }
        Exit::Fabric { packet, entry: self.entry(world, node_entry, &packet) }
    }

    /// Where a packet enters the network: the subnet that owns its source address.
    fn entry(&self, world: &World<'a>, node: Entry<'a>, packet: &Packet) -> Entry<'a> {
        let Some(Process::Pod(pod)) = self.process else { return node };
        let Some(network) = world.network(node.network) else { return node };
        match network.subnet_of(packet.source) {
            Some((subnet, _)) if self.machine.has(world, packet.source) != Some(true) => Entry {
                subnet: Some(subnet),
                who: pod.map(|pod| Holder::Pod(self.machine.cluster, pod)).or(node.who),
                ..node
            },
            _ => node,
        }
    }
}
