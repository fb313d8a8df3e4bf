//! What Azure's CNI translates and blocks by itself, as rules.
//!
//! On nodes with pod subnets DNS and instance metadata answer only addresses of the node's interface, so packets of pods to them get the
//! node's (azure-container-networking, source tree of 20 August 2026: chain `SWIFT-POSTROUTING`). Pods must not reach the service that
//! tells the node its goal state, so packets to it end.

use crate::nftables::objects::Keys;
use crate::prefixes::PrefixSet;
use crate::ruleset::{
    AddressField, Ask, BaseChain, Chain, ChainKind, Hook, Match, Part, Policy, Rule, Ruleset, Set, Table, TableFamily,
    TableId, Tuples, Value, Verdict,
};
use causeway_addr::{Cidr, Family};
use causeway_model::design::Protocol;
use causeway_model::facts::{masquerade, special};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Our table, of family `ip`: nothing of this is done for IPv6.
pub const TABLE: &str = "causeway-cni";
/// The nat chain: after kube-proxy, before a masquerade agent, as the jumps stand on nodes.
pub const PRIORITY: i32 = 99;
/// The chain that blocks: `mangle`.
pub const BLOCK_PRIORITY: i32 = -150;
/// Ports of the goal-state service that pods may not reach.
const BLOCKED: [u16; 2] = [80, 32526];

/// What the CNI has been told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whose packets are translated: the pod subnet, IPv4. Empty = nobody's.
    pub pods: Vec<Cidr>,
    /// The node's primary address, which they get; `None` = none are translated.
    pub node: Option<IpAddr>,
    /// Packets passing through to the goal-state service end.
    pub blocks: bool,
}

/// Our table.
pub fn table() -> TableId {
    TableId { family: TableFamily::Ip, name: TABLE.to_owned() }
}

/// The rules.
pub fn compile(settings: &Settings) -> Ruleset {
    let whole = Family::V4.width();
    let asked = || vec![Ask::Address(AddressField::Destination, whole), Ask::Protocol, Ask::Port];
    let parts = [Part::Address(Family::V4), Part::Protocol, Part::Port];
    let base = |kind, hook, priority| Some(BaseChain { kind, hook, priority, policy: Policy::Accept });
    let rule = |matches, verdict, comment: &str| Rule {
        matches,
        counter: None,
        sample: None,
        verdict: Some(verdict),
        comment: comment.to_owned(),
    };
    let mut table_of = Table { counters: BTreeSet::new(), ..Table::default() };
    if let Some(node) = settings.node.filter(|node| node.is_ipv4() && settings.pods.iter().any(Cidr::is_v4)) {
        let services = masquerade::PLATFORM_SNAT.value.iter().map(|snat| {
            Tuples::key(&[
                Value::Address(IpAddr::V4(snat.destination)),
                Value::Protocol(number(snat.protocol)),
                Value::Port(snat.port),
            ])
        });
        let mut tuples = Tuples::new(parts.to_vec(), false);
        let all: Vec<Vec<u8>> = services.collect();
        tuples.entries = Keys::collect(tuples.key_width(), all.iter().map(Vec::as_slice));
        table_of.sets.insert("platform".to_owned(), Set::Tuples(tuples));
        let pods = PrefixSet::new(Family::V4, &settings.pods);
        table_of.sets.insert("pods".to_owned(), Set::Prefixes(pods));
        let translated = vec![
            Match::In { field: AddressField::Source, set: "pods".to_owned() },
            Match::Tuple { of: asked(), set: "platform".to_owned() },
        ];
        let rules = vec![
            rule(vec![Match::LocalDestination], Verdict::Return, "destination is this machine"),
            rule(translated, Verdict::Source(node), "DNS and metadata answer only the node"),
        ];
        let chain = Chain { base: base(ChainKind::Nat, Hook::Postrouting, PRIORITY), rules };
        table_of.chains.insert("postrouting".to_owned(), chain);
    }
    if settings.blocks {
        let mut tuples = Tuples::new(parts.to_vec(), false);
        for port in BLOCKED {
            let address = IpAddr::V4(special::PLATFORM_DNS.value);
            let key =
                Tuples::key(&[Value::Address(address), Value::Protocol(number(Protocol::Tcp)), Value::Port(port)]);
            tuples.entries.insert(&key);
        }
        table_of.sets.insert("blocked".to_owned(), Set::Tuples(tuples));
        let blocked = vec![Match::Tuple { of: asked(), set: "blocked".to_owned() }];
        let rules = vec![rule(blocked, Verdict::Drop, "pods may not reach the goal-state service")];
        let chain = Chain { base: base(ChainKind::Filter, Hook::Forward, BLOCK_PRIORITY), rules };
        table_of.chains.insert("forward".to_owned(), chain);
    }
    Ruleset { tables: BTreeMap::from([(table(), table_of)]) }
}

fn number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
        Protocol::Icmp => 1,
        Protocol::Esp => 50,
        Protocol::Ah => 51,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Node, Outcome, evaluate};
    use crate::packet::{self, Packet};
    use crate::ruleset::problems;

    fn packet(source: &str, destination: &str, protocol: packet::Protocol, port: u16) -> Packet {
        let address = |text: &str| text.parse().unwrap();
        let (source, destination) = (address(source), address(destination));
        Packet { source, destination, protocol, source_port: 40_000, destination_port: port }
    }

    #[test]
    fn pods_ask_dns_and_metadata_as_their_node() {
        use packet::Protocol::{Sctp, Tcp, Udp};
        let node: IpAddr = "10.0.0.4".parse().unwrap();
        let settings = Settings { pods: vec!["10.1.0.0/24".parse().unwrap()], node: Some(node), blocks: false };
        let rules = compile(&settings);
        assert_eq!(problems(&rules), []);
        let here = Node::with_addresses([Cidr::host(node)]).masquerading_as(node);
        for (source, destination, protocol, port, translated) in [
            ("10.1.0.9", "168.63.129.16", Udp, 53, true),
            ("10.1.0.9", "168.63.129.16", Tcp, 53, true),
            ("10.1.0.9", "169.254.169.254", Tcp, 80, true),
            ("10.1.0.9", "168.63.129.16", Tcp, 443, false),
            ("10.1.0.9", "168.63.129.16", Sctp, 53, false),
            ("10.1.0.9", "169.254.169.254", Udp, 80, false),
            ("10.1.1.9", "168.63.129.16", Udp, 53, false),
            ("10.1.0.9", "8.8.8.8", Udp, 53, false),
            ("10.1.0.9", "10.0.0.4", Udp, 53, false),
        ] {
            let asked = packet(source, destination, protocol, port);
            let fate = evaluate(&rules, Hook::Postrouting, &asked, &here);
            let expected = if translated { node } else { asked.source };
            assert_eq!(fate.packet.map(|packet| packet.source), Some(expected), "{asked:?}");
        }
    }

    #[test]
    fn nobody_passes_through_to_the_goal_state() {
        use packet::Protocol::{Tcp, Udp};
        let open = compile(&Settings::default());
        let shut = compile(&Settings { blocks: true, ..Settings::default() });
        assert_eq!(problems(&shut), []);
        for (protocol, port, dropped) in [(Tcp, 80, true), (Tcp, 32526, true), (Tcp, 443, false), (Udp, 80, false)] {
            let asked = packet("10.1.0.9", "168.63.129.16", protocol, port);
            let outcome = |rules| evaluate(rules, Hook::Forward, &asked, &Node::default()).outcome;
            assert_eq!(outcome(&open), Outcome::Kept);
            assert_eq!(outcome(&shut), if dropped { Outcome::Dropped } else { Outcome::Kept }, "{asked:?}");
        }
    }
}
