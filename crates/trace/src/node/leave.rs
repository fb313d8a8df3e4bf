//! A packet of somebody on the node.

use super::admit::{admit, let_out};
use super::rules::translate_source;
use super::{Endpoint, Exit, Machine, Process, Sender, Via};
use crate::answer::{Direction, Missing, Owner};
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
    let machine = &sender.machine;
    let packet = match direction {
        Direction::Reply => undone(story, machine, packet),
        Direction::Forward => {
            let packet = match chosen {
                Some(endpoint) => redirected(story, machine, packet, endpoint),
                None => packet,
            };
            let_out(world, story, machine, sender.process, &packet);
            packet
        }
    };
    onward(world, story, direction, sender, packet, chosen)
}

/// The packet with an endpoint as its destination.
pub(super) fn redirected<'a>(
    story: &mut Story,
    machine: &Machine<'a>,
    packet: Packet,
    endpoint: &Endpoint<'a>,
) -> Packet {
    let after = Packet { destination: endpoint.address, destination_port: endpoint.port, ..packet };
    let service = format!("service/{}/{}", endpoint.service.namespace, endpoint.service.name);
    let did = format!("destination translated to {}:{} ({service})", endpoint.address, endpoint.port);
    let object = format!("clusters.{}", machine.cluster);
    story.hop(Direction::Forward, machine.words(), did, (Owner::KubeProxy, object), packet, after);
    story.remember(machine.keeper(), Owner::KubeProxy, packet, after);
    after
}

/// An answer with everything undone that the node did to its request.
pub(super) fn undone(story: &mut Story, machine: &Machine, packet: Packet) -> Packet {
    let keeper = machine.keeper();
    let mut packet = packet;
    // Each rewriting is undone once.
    for _ in 0..story.rewrites.len() {
        let Some(rewrite) = story.undo(&keeper, &packet).cloned() else { break };
        let before = reversed(&rewrite.before);
        if before == packet {
            break;
        }
        let did = match before.source != packet.source || before.source_port != packet.source_port {
            true => format!("source translated back to {}", before.source),
            false => format!("destination translated back to {}", before.destination),
        };
        let object = format!("clusters.{}", machine.cluster);
        story.hop(Direction::Reply, machine.words(), did, (rewrite.by, object), packet, before);
        packet = before;
    }
    packet
}

/// Where a packet goes once its destination is settled.
pub(super) fn onward<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    sender: &Sender<'a>,
    packet: Packet,
    chosen: Option<&Endpoint<'a>>,
) -> Exit<'a> {
    let machine = &sender.machine;
    let Some(view) = world.cluster(machine.cluster) else { return Exit::Nowhere };
    if machine.has(world, packet.destination) == Some(true) {
        return Exit::Node { packet };
    }
    let before = packet;
    let packet = match direction {
        Direction::Forward => translate_source(world, story, machine, sender.process, packet, chosen),
        Direction::Reply => packet,
    };
    if direction == Direction::Forward {
        story.pass(machine.keeper(), packet);
    }
    let pod = view.pod_at(packet.destination);
    let there = pod.map(|pod| Machine::of_pod(world, machine.cluster, pod));
    if let (Some(pod), Some(there)) = (pod, there)
        && there.node.is_some()
        && there.node == machine.node
    {
        admit(world, story, direction, machine, Some(pod), &before);
        return Exit::Pod { packet, pod: Some(pod) };
    }
    let Some(node_entry) = machine.entry(world, packet.family()) else {
        story.lacks(Missing::new(
            format!("the subnet of {}", machine.words()),
            format!("write `clusters.{}.pools` with their `subnet`, and the nodes with their pool", machine.cluster),
        ));
        return Exit::Nowhere;
    };
    if view.in_pod_cidr(packet.destination) {
        let via = if machine.mode(view) == Some(Mode::Kubenet) { Via::RouteTable } else { Via::Overlay };
        let node = there.and_then(|there| there.node).or_else(|| view.node_of_block(packet.destination));
        return Exit::Peer { packet, via, node, pod, entry: node_entry };
    }
    Exit::Fabric { packet, entry: entry_of(world, sender, node_entry, &packet) }
}

/// Where a packet enters the network: the subnet that owns its source address.
fn entry_of<'a>(world: &World<'a>, sender: &Sender<'a>, node: Entry<'a>, packet: &Packet) -> Entry<'a> {
    let Process::Pod(pod) = sender.process else { return node };
    let Some(network) = world.network(node.network) else { return node };
    match network.subnet_of(packet.source) {
        Some((subnet, _)) if sender.machine.has(world, packet.source) != Some(true) => {
            Entry { subnet: Some(subnet), who: pod.map(|pod| Holder::Pod(sender.machine.cluster, pod)), ..node }
        }
        _ => node,
    }
}
