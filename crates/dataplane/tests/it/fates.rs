//! The rules, what was made of them, and plain words give a packet the same fate.

use crate::generate;
use causeway_addr::Family;
use causeway_dataplane::evaluate::{Missing, Node, Outcome, SourcePort, evaluate};
use causeway_dataplane::masquerade::{Settings, compile};
use causeway_dataplane::nftables::{Growth, interpret, lower};
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_dataplane::ruleset::{Hook, problems};
use proptest::prelude::*;

/// What the documentation says, without a rule in sight.
fn in_words(settings: &Settings, packet: &Packet, node: &Node) -> Outcome {
    let family = packet.family();
    if family == Family::V6 && !settings.config.ipv6 {
        return Outcome::Kept;
    }
    match node.is_local(packet.destination) {
        None => return Outcome::Uncertain(Missing::LocalAddresses),
        Some(true) => return Outcome::Kept,
        Some(false) => {}
    }
    if !settings.sources.is_empty() && !settings.sources.iter().any(|cidr| cidr.contains(packet.source)) {
        return Outcome::Kept;
    }
    if settings.config.kept().contains(packet.destination) {
        return Outcome::Kept;
    }
    let Some(source) = node.masquerade(family) else {
        return Outcome::Uncertain(Missing::MasqueradeAddress(family));
    };
    let port = match (packet.protocol, settings.random_fully) {
        (Protocol::Other(_), _) => SourcePort::None,
        (_, true) => SourcePort::Random,
        (_, false) => SourcePort::KeptIfFree,
    };
    Outcome::Translated { source, port }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn rules_objects_and_words_agree(
        settings in generate::settings(), packets in prop::collection::vec(generate::packet(), 8), node in generate::node(),
        growth in prop::sample::select(vec![Growth::Declared, Growth::ByItself]),
    ) {
        let ruleset = compile(&settings);
        prop_assert_eq!(problems(&ruleset), vec![]);
        let objects = lower(&ruleset, growth);
        for packet in &packets {
            let fate = evaluate(&ruleset, Hook::Postrouting, packet, &node);
            prop_assert_eq!(&fate.outcome, &in_words(&settings, packet, &node), "words, {:?}", packet);
            let (outcome, counters) = interpret(&objects, Hook::Postrouting, packet, &node);
            // Whether the counting chain counts hangs on a port nobody knows; the fate does not.
            let unsure = Outcome::Uncertain(Missing::SourceTranslated);
            if outcome != unsure {
                prop_assert_eq!(&fate.outcome, &outcome, "objects, {:?}", packet);
                let counted: Vec<String> = fate.counters.iter().filter(|counter| counter.unless.is_none())
                    .map(|counter| counter.name.to_owned()).collect();
                prop_assert_eq!(counted, counters);
            } else {
                prop_assert!(fate.counters.iter().any(|counter| counter.unless == Some(Missing::SourceTranslated)));
            }
            let decided = fate.decided_by.is_some();
            prop_assert_eq!(decided, packet.family() == Family::V4 || settings.config.ipv6);
        }
    }
}
