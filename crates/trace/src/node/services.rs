//! Where service translation may send a packet.

use super::{Choices, Machine};
use crate::answer::Missing;
use crate::world::World;
use causeway_dataplane::packet::Packet;

/// Where a node may send a packet on whose way it is. `inside`: the packet comes from a pod or a process of the node, not from outside.
pub fn choices<'a>(world: &World<'a>, machine: &Machine<'a>, inside: bool, packet: &Packet) -> Choices<'a> {
    let _ = inside;
    let Some(view) = world.cluster(machine.cluster) else { return Choices::NotAService };
    if view.service_at(packet.destination).is_none() {
        return Choices::NotAService;
    }
    Choices::Unknown(Missing::new("where the service leads", "name a pod of it"))
}
