//! The rules, which hardly ever change, and the sets they look into, which do.

use super::Sampling;
use super::rights::{Door, Group, ISOLATED, Rights, TRANSPORTS};
use super::why::{Deniers, names, why};
use crate::nftables::objects::Keys;
use crate::ruleset::{
    AddressField, Ask, BaseChain, Chain, ChainKind, Hook, Match, Part, Policy, Rate, Rule, Sample, Set, Table, Tuples,
    Value, Verdict, numbered_chain,
};
use causeway_addr::{Cidr, Family};
use causeway_model::policy::Direction;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Packets that the sender's policies do not let through.
pub const DENIED_EGRESS: &str = "denied-egress";
/// Packets that the receiver's policies do not let through.
pub const DENIED_INGRESS: &str = "denied-ingress";
/// Packets of pods that are not known yet, and to them.
pub const DENIED_UNKNOWN: &str = "denied-unknown";
/// Packets that belong to no connection, of pods that policies speak of and to them.
pub const DENIED_STRAY: &str = "denied-stray";
/// Packets in the middle of a TCP connection of which the beginning was not seen.
pub const DENIED_WITHOUT_SYN: &str = "denied-without-syn";

const COUNTERS: [&str; 5] = [DENIED_EGRESS, DENIED_INGRESS, DENIED_UNKNOWN, DENIED_STRAY, DENIED_WITHOUT_SYN];

/// Pods of the node that are known; each with itself.
const PODS: &str = "pods";
const ITSELF: &str = "itself";
/// Those that policies speak of, in whatever direction.
const POLICED: &str = "policed";
/// Why a door keeps what shut, by port and by protocol.
pub(super) const WHY_PORTS: &str = "why-ports";
pub(super) const WHY: &str = "why";
/// Sets of a door: ports that are open, ports that are not, protocols of which all others are.
const OPEN: &str = "open";
const SHUT: &str = "shut";
const PROTOCOLS: &str = "protocols";
/// Protocols with ports.
pub(super) const TRANSPORT_PROTOCOLS: &str = "transports";

pub(super) fn rule(matches: Vec<Match>, counter: Option<&str>, verdict: Verdict, comment: &str) -> Rule {
    Rule {
        matches,
        counter: counter.map(str::to_owned),
        sample: None,
        verdict: Some(verdict),
        comment: comment.to_owned(),
    }
}

pub(super) fn has(of: Vec<Ask>, set: impl Into<String>) -> Vec<Match> {
    vec![Match::Tuple { of, set: set.into() }]
}

pub(super) fn goto(chain: &str) -> Verdict {
    Verdict::Goto(chain.to_owned())
}

fn jump(chain: &str) -> Verdict {
    Verdict::Jump(chain.to_owned())
}

/// The map of pods that policies speak of.
fn pods_of(direction: Direction) -> String {
    format!("{direction}-pods")
}

pub(super) fn denied_by(direction: Direction) -> String {
    format!("{direction}-denied")
}

/// The map of pods to the chain that denies them what nothing allows.
fn isolated_of(direction: Direction) -> String {
    format!("{direction}-isolated")
}

/// The counter of a reason, by the number of its chain.
pub(super) fn counter(number: u32) -> String {
    format!("denied-{number:08x}")
}

/// The peers of a group in prefixes of one length.
fn peers_of_length(group: &Group, length: u8) -> String {
    format!("peers-{:08x}-{length}", group.chain)
}

pub(super) fn ports_of(door: u32, what: &str) -> String {
    format!("{what}-{door:08x}")
}

fn own_of_length(length: u8) -> String {
    format!("own-{length}")
}

pub(super) fn table(family: Family, rights: &Rights, sampling: Option<&Sampling>) -> Table {
    let mut counters: BTreeSet<String> = COUNTERS.map(str::to_owned).into();
    counters.extend(rights.reasons.keys().map(|number| counter(*number)));
    let limits = sampling.map(|sampling| (limit(sampling.rate), sampling.rate)).into_iter().collect();
    let mut table = Table { sets: sets(family, rights), counters, limits, chains: BTreeMap::new() };
    let mut add = |name: &str, base: Option<BaseChain>, rules: Vec<Rule>| {
        table.chains.insert(name.to_owned(), Chain { base, rules });
    };
    let own: BTreeSet<u8> = rights.own.iter().map(Cidr::prefix_len).collect();
    let base = BaseChain { kind: ChainKind::Filter, hook: Hook::Forward, priority: 0, policy: Policy::Accept };
    add("forward", Some(base), forward(family, &own));
    add("stray", None, stray(family, &own));
    let whole = family.width();
    for (chain, counter, unknown) in [
        ("from-own", DENIED_UNKNOWN, Ask::Beginner(whole)),
        ("to-own", DENIED_UNKNOWN, Ask::Answerer(whole)),
        ("stray-from-own", DENIED_STRAY, Ask::Address(AddressField::Source, whole)),
        ("stray-to-own", DENIED_STRAY, Ask::Address(AddressField::Destination, whole)),
    ] {
        if !own.is_empty() {
            let known = rule(has(vec![unknown], PODS), None, Verdict::Return, "a pod that is known");
            add(
                chain,
                None,
                vec![known, rule(Vec::new(), Some(counter), Verdict::Drop, "a pod that is not known yet")],
            );
        }
    }
    for direction in Direction::ALL {
        let counter = if direction == Direction::Egress { DENIED_EGRESS } else { DENIED_INGRESS };
        // Which of them it is, is asked only of what is denied anyway.
        let lead = Verdict::Lead { of: vec![own_end(direction, whole)], map: isolated_of(direction) };
        let whose = rule(Vec::new(), None, lead, "whose pod it is");
        let denied = rule(Vec::new(), Some(counter), Verdict::Drop, "no policy lets it through");
        add(&denied_by(direction), None, vec![whose, denied]);
        let to = rule(Vec::new(), None, goto(&denied_by(direction)), "what nothing allows");
        let isolated = if direction == Direction::Ingress { ISOLATED[0] } else { ISOLATED[1] };
        add(&numbered_chain(isolated), None, vec![to]);
        let lead = Verdict::Lead { of: vec![own_end(direction, whole)], map: pods_of(direction) };
        add(direction.as_str(), None, vec![rule(Vec::new(), None, lead, "pods that policies speak of")]);
    }
    for group in &rights.groups {
        add(&numbered_chain(group.chain), None, of_group(group));
    }
    for (number, door) in &rights.doors {
        add(&numbered_chain(*number), None, of_door(*number, door));
        if !Deniers::of(door).is_empty() {
            add(&why_of(*number), None, why(*number, door));
        }
    }
    for (number, why) in &rights.reasons {
        let total = if why.direction == Direction::Egress { DENIED_EGRESS } else { DENIED_INGRESS };
        let first = Rule { verdict: None, ..rule(Vec::new(), Some(total), Verdict::Drop, "") };
        let last = rule(Vec::new(), Some(&counter(*number)), Verdict::Drop, &names(&why.policies));
        add(&numbered_chain(*number), None, vec![first, last]);
    }
    if let Some(sampling) = sampling {
        let reasons: BTreeSet<String> = rights.reasons.keys().map(|number| numbered_chain(*number)).collect();
        for (name, chain) in &mut table.chains {
            let drops = chain.rules.iter_mut().filter(|rule| rule.verdict == Some(Verdict::Drop));
            for rule in drops {
                let prefix =
                    if reasons.contains(name) { name.clone() } else { rule.counter.clone().unwrap_or_default() };
                rule.sample = Some(Sample { limit: limit(sampling.rate), group: sampling.group, prefix });
            }
        }
    }
    table
}

/// The name of a limit, which never changes its rate.
fn limit(rate: Rate) -> String {
    format!("told-{}-{}", rate.per_second, rate.burst)
}

/// The chain that says why a door keeps something shut.
fn why_of(door: u32) -> String {
    format!("{WHY}-{door:08x}")
}

fn forward(family: Family, own: &BTreeSet<u8>) -> Vec<Rule> {
    let whole = family.width();
    let itself = has(vec![Ask::Beginner(whole), Ask::Answerer(whole)], ITSELF);
    let mut rules = vec![
        rule(vec![Match::NoConnection], None, goto("stray"), "no connection"),
        rule(itself, None, Verdict::Accept, "a pod to itself"),
    ];
    for length in own.iter().rev() {
        rules.push(rule(has(vec![Ask::Beginner(*length)], own_of_length(*length)), None, jump("from-own"), ""));
        rules.push(rule(has(vec![Ask::Answerer(*length)], own_of_length(*length)), None, jump("to-own"), ""));
    }
    for direction in [Direction::Egress, Direction::Ingress] {
        rules.push(rule(Vec::new(), None, jump(direction.as_str()), ""));
    }
    rules
}

fn stray(family: Family, own: &BTreeSet<u8>) -> Vec<Rule> {
    let whole = family.width();
    let mut rules = Vec::new();
    for field in [AddressField::Source, AddressField::Destination] {
        let policed = has(vec![Ask::Address(field, whole)], POLICED);
        rules.push(rule(policed, Some(DENIED_STRAY), Verdict::Drop, "a pod that policies speak of"));
    }
    for length in own.iter().rev() {
        for (field, chain) in [(AddressField::Source, "stray-from-own"), (AddressField::Destination, "stray-to-own")] {
            rules.push(rule(has(vec![Ask::Address(field, *length)], own_of_length(*length)), None, jump(chain), ""));
        }
    }
    rules
}

/// The pod policies are about, and whoever is at the other end.
fn own_end(direction: Direction, length: u8) -> Ask {
    if direction == Direction::Egress { Ask::Beginner(length) } else { Ask::Answerer(length) }
}

fn other_end(direction: Direction, length: u8) -> Ask {
    if direction == Direction::Egress { Ask::Answerer(length) } else { Ask::Beginner(length) }
}

/// The chain of pods with the same rights.
fn of_group(group: &Group) -> Vec<Rule> {
    let begins = vec![Match::BeginsWithoutSyn];
    let mut rules =
        vec![rule(begins, Some(DENIED_WITHOUT_SYN), Verdict::Drop, "the middle of a connection nobody saw begin")];
    // The longest prefix comes first.
    for length in group.peers.keys().map(|(length, _)| *length).collect::<BTreeSet<u8>>().iter().rev() {
        let map = peers_of_length(group, *length);
        let lead = Verdict::Lead { of: vec![other_end(group.direction, *length)], map };
        rules.push(rule(Vec::new(), None, lead, &format!("peers by {length} bits")));
    }
    rules.push(rule(Vec::new(), None, goto(&denied_by(group.direction)), "nobody else"));
    rules
}

/// The chain of ports.
fn of_door(number: u32, door: &Door) -> Vec<Rule> {
    let denied = match Deniers::of(door).is_empty() {
        true => goto(&denied_by(door.direction)),
        false => goto(&why_of(number)),
    };
    let port = |what: &str| has(vec![Ask::Protocol, Ask::Port], ports_of(number, what));
    let mut rules = Vec::new();
    if !door.open.is_empty() {
        rules.push(rule(port(OPEN), None, Verdict::Return, "ports that are open"));
    }
    if !door.shut.is_empty() {
        rules.push(rule(port(SHUT), None, denied.clone(), "ports that are not"));
    }
    let all = TRANSPORTS.iter().all(|(_, protocol)| door.protocols.contains(protocol));
    // Where nothing is left to tell apart the last rule says it.
    let everything = all && door.other;
    if !door.protocols.is_empty() && !everything {
        let protocols = has(vec![Ask::Protocol], ports_of(number, PROTOCOLS));
        rules.push(rule(protocols, None, Verdict::Return, "other ports of these protocols"));
    }
    if door.other {
        if !all {
            let transports = has(vec![Ask::Protocol], TRANSPORT_PROTOCOLS);
            rules.push(rule(transports, None, denied, "other ports"));
        }
        rules.push(rule(Vec::new(), None, Verdict::Return, if all { "" } else { "protocols without ports" }));
    } else {
        rules.push(rule(Vec::new(), None, denied, "nothing else"));
    }
    rules
}

fn sets(family: Family, rights: &Rights) -> BTreeMap<String, Set> {
    let mut sets = BTreeMap::new();
    let mut add = |name: String, parts: Vec<Part>, numbered: bool, entries: &mut dyn Iterator<Item = Vec<u8>>| {
        let mut tuples = Tuples::new(parts, numbered);
        tuples.entries = Keys::collect(tuples.entries.width, entries);
        sets.insert(name, Set::Tuples(tuples));
    };
    let address = || vec![Part::Address(family)];
    let of = |address: &IpAddr| Value::Address(*address);
    let alone = |address: &IpAddr| Tuples::key(&[of(address)]);
    add(PODS.to_owned(), address(), false, &mut rights.pods.iter().map(alone));
    let policed: BTreeSet<&IpAddr> = rights.groups.iter().flat_map(|group| &group.pods).collect();
    add(POLICED.to_owned(), address(), false, &mut policed.into_iter().map(alone));
    let twice = vec![Part::Address(family); 2];
    add(ITSELF.to_owned(), twice, false, &mut rights.pods.iter().map(|pod| Tuples::key(&[of(pod), of(pod)])));
    for length in rights.own.iter().map(Cidr::prefix_len).collect::<BTreeSet<u8>>() {
        let own = rights.own.iter().filter(|range| range.prefix_len() == length);
        add(own_of_length(length), address(), false, &mut own.map(|range| alone(&range.addr())));
    }
    let transports = TRANSPORTS.iter().map(|(_, protocol)| Tuples::key(&[Value::Protocol(*protocol)]));
    add(TRANSPORT_PROTOCOLS.to_owned(), vec![Part::Protocol], false, &mut transports.into_iter());
    for direction in Direction::ALL {
        let groups = rights.groups.iter().filter(|group| group.direction == direction);
        let mut entries =
            groups.flat_map(|group| group.pods.iter().map(|pod| leading(&[Value::Address(*pod)], group.chain)));
        add(pods_of(direction), address(), true, &mut entries);
        let isolated = rights.isolated.iter().filter(|((of, _), _)| *of == direction);
        let mut entries = isolated.map(|((_, pod), why)| leading(&[Value::Address(*pod)], *why));
        add(isolated_of(direction), address(), true, &mut entries);
    }
    for group in &rights.groups {
        for length in group.peers.keys().map(|(length, _)| *length).collect::<BTreeSet<u8>>() {
            let peers = group.peers.iter().filter(|((of, _), _)| *of == length);
            let mut entries = peers.map(|((_, peer), door)| leading(&[Value::Address(*peer)], *door));
            add(peers_of_length(group, length), address(), true, &mut entries);
        }
    }
    for (number, door) in &rights.doors {
        for (what, ranges) in [(OPEN, &door.open), (SHUT, &door.shut)] {
            let ports = ranges.iter().flat_map(|(protocol, first, last)| {
                (*first..=*last).map(|port| Tuples::key(&[Value::Protocol(*protocol), Value::Port(port)]))
            });
            if !ranges.is_empty() {
                add(ports_of(*number, what), vec![Part::Protocol, Part::Port], false, &mut { ports });
            }
        }
        let deniers = Deniers::of(door);
        let by_port = deniers.ports.iter().flat_map(|((protocol, first, last), why)| {
            (*first..=*last).map(|port| leading(&[Value::Protocol(*protocol), Value::Port(port)], *why))
        });
        if !deniers.ports.is_empty() {
            add(ports_of(*number, WHY_PORTS), vec![Part::Protocol, Part::Port], true, &mut { by_port });
        }
        if !deniers.protocols.is_empty() {
            let mut entries =
                deniers.protocols.iter().map(|(protocol, why)| leading(&[Value::Protocol(*protocol)], *why));
            add(ports_of(*number, WHY), vec![Part::Protocol], true, &mut entries);
        }
        if !door.protocols.is_empty() {
            let mut entries = door.protocols.iter().map(|protocol| Tuples::key(&[Value::Protocol(*protocol)]));
            add(ports_of(*number, PROTOCOLS), vec![Part::Protocol], false, &mut entries);
        }
    }
    sets
}

/// A key with the chain it leads to.
fn leading(key: &[Value], chain: u32) -> Vec<u8> {
    let mut bytes = Tuples::key(key);
    bytes.extend(chain.to_be_bytes());
    bytes
}
