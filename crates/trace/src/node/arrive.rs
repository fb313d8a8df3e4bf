//! A packet from outside, at a node.

use super::admit::admit;
use super::leave::{onward, redirected, undone};
use super::{Endpoint, Exit, Machine, Process, Sender};
use crate::answer::Direction;
use crate::story::Story;
use crate::world::World;
use causeway_dataplane::packet::Packet;

/// A packet arrives at a node: for a pod of it, for the node itself, for a port of the node that a service has, or for the address of a
/// load balancer that leaves the destination as it is. `chosen` is the endpoint the walk chose among [`super::Choices::Endpoints`].
pub fn arrive<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    machine: &Machine<'a>,
    packet: Packet,
    chosen: Option<&Endpoint<'a>>,
) -> Exit<'a> {
    let packet = match (direction, chosen) {
        (Direction::Reply, _) => undone(story, machine, packet),
        (Direction::Forward, Some(endpoint)) => redirected(story, machine, packet, endpoint),
        (Direction::Forward, None) => packet,
    };
    let Some(view) = world.cluster(machine.cluster) else { return Exit::Nowhere };
    if machine.has(world, packet.destination) == Some(true) {
        if direction == Direction::Forward {
            story.pass(machine.keeper(), packet);
        }
        return Exit::Node { packet };
    }
    if let Some(pod) = view.pod_at(packet.destination) {
        let there = Machine::of_pod(world, machine.cluster, pod);
        if there.keeper() == machine.keeper() {
            admit(world, story, direction, machine, Some(pod), &packet);
            if direction == Direction::Forward {
                story.pass(machine.keeper(), packet);
            }
            return Exit::Pod { packet, pod: Some(pod) };
        }
    }
    let sender = Sender { machine: *machine, process: Process::Host };
    onward(world, story, direction, &sender, packet, chosen)
}
