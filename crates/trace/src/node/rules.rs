//! Translation of the source, as the node's own rules say.

use super::{Endpoint, Machine, Process};
use crate::answer::{Direction, Missing, Owner};
use crate::story::Story;
use crate::translation::Effective;
use crate::world::World;
use causeway_addr::Cidr;
use causeway_dataplane::evaluate::{self, Outcome, evaluate};
use causeway_dataplane::masquerade::{self, Settings};
use causeway_dataplane::packet::Packet;
use causeway_dataplane::ruleset::Hook;
use causeway_model::design::MasqueradeAgent;

/// What the rules at the end of the node's path make of a packet of somebody on it, or passing through.
pub(super) fn translate_source<'a>(
    world: &World<'a>,
    story: &mut Story,
    machine: &Machine<'a>,
    process: Process<'a>,
    packet: Packet,
    chosen: Option<&Endpoint<'a>>,
) -> Packet {
    let _ = chosen;
    let Some(view) = world.cluster(machine.cluster) else { return packet };
    if process == Process::Host {
        return packet;
    }
    let translation = match view.translation() {
        Effective::Known(translation) => translation,
        Effective::Unknown { missing } => {
            for fact in missing {
                story.lacks(Missing::new(fact.clone(), "state `masquerade` with its files, or the cluster's `mode`"));
            }
            return packet;
        }
    };
    let settings = Settings { config: translation.config.clone(), sources: Vec::new(), random_fully: false };
    if !translation.translates() {
        return packet;
    }
    let rules = masquerade::compile(&settings);
    let own = machine.address(world, packet.family());
    let node = evaluate::Node::with_addresses(own.map(|(address, _)| Cidr::host(address)));
    let node = own.map_or(node.clone(), |(address, _)| node.masquerading_as(address));
    let owner = match translation.by {
        MasqueradeAgent::Cilium => Owner::Cilium,
        _ => Owner::IpMasqAgent,
    };
    let fate = evaluate(&rules, Hook::Postrouting, &packet, &node);
    match (&fate.outcome, fate.packet) {
        (Outcome::Translated { source, .. }, Some(after)) if *source != packet.source => {
            let object = format!("clusters.{}.masquerade", machine.cluster);
            let did = format!("source translated to {source}");
            story.hop(Direction::Forward, machine.words(), did, (owner, object), packet, after);
            story.remember(machine.keeper(), owner, packet, after);
            after
        }
        (Outcome::Uncertain(missing), _) => {
            story.lacks(Missing::new(
                missing.to_string(),
                "give the node with its addresses (`kubectl get nodes -o yaml`)",
            ));
            packet
        }
        _ => packet,
    }
}
