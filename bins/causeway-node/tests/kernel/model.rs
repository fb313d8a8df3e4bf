//! What the model says of a probe, to be held against what the kernel did.

use causeway_addr::{Cidr, Family};
use causeway_dataplane::evaluate::{Node, Outcome, evaluate};
use causeway_dataplane::masquerade::Settings;
use causeway_dataplane::packet::Packet;
use causeway_dataplane::ruleset::{Hook, Ruleset};
use causeway_model::masquerade::MasqueradeConfig;
use causeway_testkit::lab::Fate;
use causeway_testkit::lab::topology::{NODE, NODE_OTHER, NODE_SECOND, SECOND};
use std::net::IpAddr;

/// A prefix of a text that is right.
pub(crate) fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

/// An address of a text that is right.
pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Settings that exempt these prefixes; both families, link-local exempt, from all sources.
pub(crate) fn settings(exempt: &[&str]) -> Settings {
    let mut exempt: Vec<Cidr> = exempt.iter().map(|text| cidr(text)).collect();
    exempt.sort();
    exempt.dedup();
    let config = MasqueradeConfig { exempt, ipv6: true, ..MasqueradeConfig::default() };
    Settings { config, ..Settings::default() }
}

/// What is known of the lab's node when a packet leaves it for a destination.
pub(crate) fn node(destination: IpAddr) -> Node {
    let family = Family::of(destination);
    let own = [NODE, NODE_SECOND, NODE_OTHER].into_iter();
    let addresses = own.flat_map(|both| Family::ALL.map(|family| Cidr::host(both.of(family))));
    let by = if SECOND.iter().any(|second| second.contains(destination)) { NODE_SECOND } else { NODE };
    Node::with_addresses(addresses).masquerading_as(by.of(family))
}

/// The source a packet should leave the node with; `None` = it should not leave.
pub(crate) fn expected(ruleset: &Ruleset, packet: &Packet) -> Option<IpAddr> {
    match evaluate(ruleset, Hook::Postrouting, packet, &node(packet.destination)).outcome {
        Outcome::Translated { source, .. } => Some(source),
        Outcome::Kept => Some(packet.source),
        Outcome::Dropped | Outcome::Rejected => None,
        Outcome::Redirected(_) => panic!("no destination is translated at postrouting"),
        Outcome::Uncertain(missing) => panic!("everything is known of the lab, but {missing} is asked for"),
    }
}

/// Whether what became of a probe is what was expected: the source, and nothing else of the packet changed but its source port.
pub(crate) fn agrees(expected: Option<IpAddr>, sent: &Packet, fate: &Fate) -> bool {
    match (expected, fate) {
        (None, Fate::Lost) => true,
        (Some(source), Fate::Seen { packet, .. }) => {
            let ports = packet.destination_port == sent.destination_port || packet.destination_port == 0;
            packet.source == source && packet.destination == sent.destination && ports
        }
        _ => false,
    }
}
