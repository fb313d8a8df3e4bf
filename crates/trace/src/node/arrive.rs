//! A packet from outside, at a node.

use super::deliver::{deliver, receiver};
use super::leave::{Passing, redirected, undone};
use super::rules::Leaving;
use super::services::{Serving, served};
use super::{Endpoint, Exit, Machine};
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
    let forward = direction == Direction::Forward;
    let serving = chosen.filter(|_| forward).and_then(|_| served(world, machine, false, &packet));
    arrive_served(world, story, direction, machine, packet, (chosen, serving.as_ref()))
}

/// The same where it is known what the node's rules do with the packet.
pub(crate) fn arrive_served<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    machine: &Machine<'a>,
    packet: Packet,
    (chosen, serving): (Option<&Endpoint<'a>>, Option<&Serving>),
) -> Exit<'a> {
    let Some(view) = world.cluster(machine.cluster) else { return Exit::Nowhere };
    let passing = Passing { machine, process: None, chosen };
    if direction == Direction::Reply {
        let packet = undone(story, machine, packet);
        if machine.has(world, packet.destination) == Some(true) {
            return Exit::Node { packet };
        }
        let near = receiver(world, view, machine, None, packet.destination);
        // Somebody on this node asked; an example of an address is nobody's by the design.
        let asked = || view.pod_at(packet.destination).is_none() && story.has_seen(&machine.keeper(), &packet);
        let near = near.or_else(|| asked().then_some(None));
        return match near {
            Some(pod) => Exit::Pod { packet, pod },
            None => passing.onward(world, story, direction, packet, None),
        };
    }
    let packet = match (chosen, serving) {
        (Some(endpoint), Some(serving)) => redirected(story, machine, packet, endpoint, serving),
        _ => packet,
    };
    // Who has the address of a pod nobody described is assumed to be there.
    let described = receiver(world, view, machine, chosen, packet.destination).is_some();
    let block = view.node_of_block(packet.destination);
    let assumed = !described
        && view.in_pod_cidr(packet.destination)
        && view.pod_at(packet.destination).is_none()
        && (block.is_none() || block == machine.node);
    if assumed && chosen.is_none_or(|end| end.address != packet.destination) {
        let leaving = Leaving { world, view, machine, process: None, serving, near: true };
        return deliver(world, story, direction, &leaving, None, packet);
    }
    passing.onward(world, story, direction, packet, serving)
}
