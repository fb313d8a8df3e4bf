//! Delivery to a pod of the node.

use super::admit::admit;
use super::rules::Leaving;
use super::{Endpoint, Exit, Machine};
use crate::answer::{Decision, Direction, Owner, Verdict};
use crate::stand_in;
use crate::story::Story;
use crate::target::of_model;
use crate::world::{ClusterView, World};
use causeway_addr::Family;
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_model::design::Pod;
use std::net::IpAddr;

/// The pod of this node that has an address; `Some(None)` = one that nobody described. `None` = none of this node.
pub(super) fn receiver<'a>(
    world: &World<'a>,
    view: &ClusterView<'a>,
    machine: &Machine<'a>,
    chosen: Option<&Endpoint<'a>>,
    address: IpAddr,
) -> Option<Option<&'a Pod>> {
    let chosen = chosen.filter(|end| end.address == address).and_then(|end| end.pod);
    let named = chosen.filter(|pod| !pod.host_network).or_else(|| view.pod_at(address));
    if let Some(pod) = named {
        return (Machine::of_pod(world, machine.cluster, pod).keeper() == machine.keeper()).then_some(Some(pod));
    }
    // An address stands for a pod that has none yet.
    let stands = |pod: &&Pod| {
        pod.ips.is_empty()
            && !pod.host_network
            && stand_in::pod_address(world, machine.cluster, pod, Family::of(address)) == Some(address)
    };
    machine.of.filter(stands).map(Some)
}

/// Delivers to a pod of the node.
pub(super) fn deliver<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    leaving: &Leaving<'_, 'a>,
    pod: Option<&'a Pod>,
    packet: Packet,
) -> Exit<'a> {
    let machine = leaving.machine;
    if direction == Direction::Reply {
        return Exit::Pod { packet, pod };
    }
    // Filters are asked before the source is translated.
    admit(world, story, direction, machine, pod, &packet);
    let packet = leaving.translate(story, packet);
    if let Some(pod) = pod {
        listens(world, story, machine, pod, &packet);
    }
    story.pass(machine.keeper(), packet);
    Exit::Pod { packet, pod }
}

/// A pod that is known to answer on other ports alone answers with a refusal.
fn listens<'a>(world: &World<'a>, story: &mut Story, machine: &Machine<'a>, pod: &'a Pod, packet: &Packet) {
    let has_ports = matches!(packet.protocol, Protocol::Tcp | Protocol::Udp | Protocol::Sctp);
    let open = |(protocol, port): &(causeway_model::design::Protocol, u16)| {
        of_model(*protocol) == Some(packet.protocol) && *port == packet.destination_port
    };
    if !has_ports || pod.listens.is_empty() || pod.listens.iter().any(open) {
        return;
    }
    let known: Vec<String> = pod.listens.iter().map(|(protocol, port)| format!("{protocol}/{port}")).collect();
    let at = world
        .cluster(machine.cluster)
        .and_then(|view| view.cluster.pods.iter().position(|known| std::ptr::eq(known, pod)));
    let object =
        at.map_or(format!("clusters.{}", machine.cluster), |at| format!("clusters.{}.pods.{at}", machine.cluster));
    let because = format!(
        "nothing listens on port {} of pod/{}/{}, which refuses: it answers on {}",
        packet.destination_port,
        pod.namespace,
        pod.name,
        known.join(", ")
    );
    let decision = Decision::new(Owner::None, object, because);
    story.obstacle(
        Direction::Forward,
        Verdict::Dropped,
        decision,
        "use a port the pod answers on, or list the port in `listens`",
    );
}
