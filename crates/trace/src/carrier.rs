//! Holds the place of the fabric until it is there.
#![allow(missing_docs)]
use crate::answer::Direction;
use crate::fabric::{Arrival, Entry};
use crate::node::Machine;
use crate::story::Story;
use crate::world::Holder;
use crate::world::World;
use causeway_dataplane::packet::Packet;
use causeway_model::design::*;
pub fn carry<'a>(
    _world: &World<'a>,
    _story: &mut Story,
    _direction: Direction,
    entry: Entry<'a>,
    packet: Packet,
) -> (Arrival<'a>, Packet) {
    (
        Arrival::At {
            network: entry.network,
            subnet: None,
            holder: _world.network(entry.network).and_then(|v| v.holders(packet.destination).first().copied()),
        },
        packet,
    )
}
pub fn from_site<'a>(
    _world: &World<'a>,
    _story: &mut Story,
    _direction: Direction,
    _site: &'a NetworkName,
    _who: Option<Holder<'a>>,
    packet: Packet,
) -> (Arrival<'a>, Packet) {
    (Arrival::Nowhere, packet)
}
pub fn from_internet<'a>(
    _world: &World<'a>,
    _story: &mut Story,
    _direction: Direction,
    _who: Option<Holder<'a>>,
    packet: Packet,
) -> (Arrival<'a>, Packet) {
    (Arrival::Nowhere, packet)
}
pub fn enter<'a>(
    _world: &World<'a>,
    _story: &mut Story,
    _direction: Direction,
    _machine: &Machine<'a>,
    _network: &'a NetworkName,
    _service: &'a Service,
    _packet: &Packet,
) {
}
pub fn between_nodes<'a>(
    _world: &World<'a>,
    _story: &mut Story,
    _direction: Direction,
    _entry: Entry<'a>,
    _there: Option<Entry<'a>>,
    _packet: &Packet,
) {
}
