//! The walk.

use super::{Counter, Fate, Known, Matched, Missing, Node, Outcome, Place, SourcePort, Step};
use crate::packet::{Packet, Protocol};
use crate::ruleset::{
    AddressField, Ask, BaseChain, Chain, ChainKind, End, Hook, MarkOf, Match, Policy, Rule, Ruleset, Set, Table,
    TableFamily, TableId, Tuples, Value, Verdict,
};
use causeway_addr::{Cidr, Family};
use std::net::IpAddr;

/// `NFT_JUMP_STACK_SIZE`: jumps that may wait to come back at once.
pub const MOST_JUMPS: usize = 16;
/// Rules looked at in one walk before it is called broken; a loop-free ruleset of ours meets a few hundred.
const MOST_STEPS: usize = 100_000;

/// Walks the first packet of a connection through all base chains of a hook.
pub fn evaluate<'a>(ruleset: &'a Ruleset, hook: Hook, packet: &Packet, node: &Node) -> Fate<'a> {
    through(&[ruleset], hook, packet, node, Known::default())
}

/// Walks it through all base chains of a hook that several rulesets have together, with what is known of it from hooks before. Tables of
/// the same name in several of them are different tables.
pub fn through<'a>(rulesets: &[&'a Ruleset], hook: Hook, packet: &Packet, node: &Node, known: Known) -> Fate<'a> {
    let fate = Fate {
        outcome: Outcome::Kept,
        packet: Some(*packet),
        decided_by: None,
        counters: Vec::new(),
        path: Vec::new(),
        known,
    };
    let mut walk = Walk { node, packet: *packet, source_translated: Some(false), nat_done: false, fate };
    if Family::of(packet.source) != Family::of(packet.destination) {
        walk.end(Outcome::Uncertain(Missing::Broken("a packet of two families".to_owned())), None);
        return walk.fate;
    }
    for (table, name, chain, base) in base_chains(rulesets, hook, packet.family()) {
        if base.kind == ChainKind::Nat && walk.nat_done {
            continue;
        }
        if !walk.base_chain(table, name, chain, base) {
            break;
        }
    }
    walk.fate
}

/// When a base chain is entered, relative to the others of its hook. All nat chains are called from one place; their own priority only
/// orders them there.
pub(crate) fn moment(base: &BaseChain) -> (i32, i32) {
    /// `NF_IP_PRI_NAT_DST` and `NF_IP_PRI_NAT_SRC`.
    const DESTINATION: i32 = -100;
    const SOURCE: i32 = 100;
    match (base.kind, base.hook) {
        (ChainKind::Filter, _) => (base.priority, 0),
        (ChainKind::Nat, Hook::Prerouting | Hook::Output) => (DESTINATION, base.priority),
        (ChainKind::Nat, _) => (SOURCE, base.priority),
    }
}

/// What a masquerade does to the port of a protocol.
pub(crate) fn ports(protocol: Protocol, fully_random: bool) -> SourcePort {
    match (protocol, fully_random) {
        (Protocol::Other(_), _) => SourcePort::None,
        (_, true) => SourcePort::Random,
        (_, false) => SourcePort::KeptIfFree,
    }
}

type Entered<'a> = ((&'a TableId, &'a Table), &'a str, &'a Chain, BaseChain);

/// The base chains of a hook in their order; of those at the same moment, by table and name.
fn base_chains<'a>(rulesets: &[&'a Ruleset], hook: Hook, family: Family) -> Vec<Entered<'a>> {
    let tables = rulesets.iter().flat_map(|ruleset| &ruleset.tables).filter(|(id, _)| match id.family {
        TableFamily::Inet => true,
        TableFamily::Ip => family == Family::V4,
        TableFamily::Ip6 => family == Family::V6,
    });
    let mut chains: Vec<Entered<'_>> = tables
        .flat_map(|(id, table)| table.chains.iter().map(move |(name, chain)| ((id, table), name.as_str(), chain)))
        .filter_map(|(table, name, chain)| Some((table, name, chain, chain.base.filter(|base| base.hook == hook)?)))
        .collect();
    chains.sort_by_key(|(_, _, _, base)| moment(base));
    chains
}

struct Walk<'a, 'n> {
    node: &'n Node,
    packet: Packet,
    /// What `ct status snat` says; `None` = not known.
    source_translated: Option<bool>,
    nat_done: bool,
    fate: Fate<'a>,
}

/// How a chain is left.
enum Left<'a> {
    Accepted(Place<'a>),
    Dropped(Place<'a>),
    Rejected(Place<'a>),
    Masqueraded(Place<'a>, bool),
    Sourced(Place<'a>, IpAddr),
    Redirected(Place<'a>, &'a [End]),
    Unknown(Missing, Option<Place<'a>>),
}

impl<'a> Walk<'a, '_> {
    /// Whether the packet goes on to the next base chain.
    fn base_chain(
        &mut self,
        table: (&'a TableId, &'a Table),
        name: &'a str,
        chain: &'a Chain,
        base: BaseChain,
    ) -> bool {
        match self.chain(table, name, chain, base.policy) {
            Left::Accepted(place) => {
                // Of a translated packet the translation is what was decided; and a rule says more than the end of a chain.
                if !self.nat_done && (place.rule.is_some() || self.fate.decided_by.is_none()) {
                    self.fate.decided_by = Some(place);
                }
                true
            }
            Left::Dropped(place) => self.end(Outcome::Dropped, Some(place)),
            Left::Rejected(place) => self.end(Outcome::Rejected, Some(place)),
            Left::Redirected(place, ends) => {
                if ends.is_empty() {
                    return self
                        .end(Outcome::Uncertain(Missing::Broken("nowhere to redirect to".to_owned())), Some(place));
                }
                self.fate.outcome = Outcome::Redirected(ends.to_vec());
                self.fate.decided_by = Some(place);
                self.fate.known.destination_translated = true;
                self.nat_done = true;
                // Of several it is not known which; rules that come after would each see another packet.
                self.fate.packet = match ends {
                    [end] => {
                        self.packet.destination = end.address;
                        self.packet.destination_port = end.port.unwrap_or(self.packet.destination_port);
                        Some(self.packet)
                    }
                    _ => None,
                };
                ends.len() == 1
            }
            Left::Unknown(missing, place) => self.end(Outcome::Uncertain(missing), place),
            Left::Masqueraded(place, fully_random) => {
                let family = self.packet.family();
                let Some(source) = self.node.masquerade(family) else {
                    return self.end(Outcome::Uncertain(Missing::MasqueradeAddress(family)), Some(place));
                };
                self.translated(place, source, fully_random)
            }
            Left::Sourced(place, source) => self.translated(place, source, false),
        }
    }

    fn translated(&mut self, place: Place<'a>, source: IpAddr, fully_random: bool) -> bool {
        self.source_translated = (source != self.packet.source).then_some(true);
        self.packet.source = source;
        self.nat_done = true;
        let port = ports(self.packet.protocol, fully_random);
        self.fate.outcome = Outcome::Translated { source, port };
        self.fate.packet = Some(self.packet);
        self.fate.decided_by = Some(place);
        true
    }

    fn end(&mut self, outcome: Outcome, place: Option<Place<'a>>) -> bool {
        self.fate.outcome = outcome;
        self.fate.packet = None;
        self.fate.decided_by = place.or(self.fate.decided_by);
        false
    }

    fn chain(
        &mut self,
        (id, table): (&'a TableId, &'a Table),
        name: &'a str,
        chain: &'a Chain,
        policy: Policy,
    ) -> Left<'a> {
        let policy_place = Place { table: id, chain: name, rule: None, comment: "" };
        let broken = |what: String| Left::Unknown(Missing::Broken(what), None);
        let mut waiting = Vec::new();
        let mut here = (name, chain);
        let mut rules = chain.rules.iter().enumerate();
        loop {
            let Some((number, rule)) = rules.next() else {
                // The end of a chain is a return without a rule.
                match waiting.pop() {
                    Some((before, rest)) => (here, rules) = (before, rest),
                    None if policy == Policy::Drop => return Left::Dropped(policy_place),
                    None => return Left::Accepted(policy_place),
                }
                continue;
            };
            let place = Place { table: id, chain: here.0, rule: Some(number), comment: &rule.comment };
            if self.fate.path.len() >= MOST_STEPS {
                return broken(format!("a walk of more than {MOST_STEPS} rules"));
            }
            let matched = self.rule(id, table, rule);
            self.fate.path.push(Step { place, matched: matched.clone() });
            match (matched, &rule.verdict) {
                (Matched::No, _) | (_, None) => {}
                (Matched::Unknown(missing), Some(_)) => return Left::Unknown(missing, Some(place)),
                (Matched::Yes, Some(Verdict::Accept)) => return Left::Accepted(place),
                (Matched::Yes, Some(Verdict::Drop)) => return Left::Dropped(place),
                (Matched::Yes, Some(Verdict::Reject)) => return Left::Rejected(place),
                (Matched::Yes, Some(Verdict::Masquerade { fully_random })) => {
                    return Left::Masqueraded(place, *fully_random);
                }
                (Matched::Yes, Some(Verdict::Source(source))) => return Left::Sourced(place, *source),
                (Matched::Yes, Some(Verdict::Redirect(ends))) => return Left::Redirected(place, ends),
                (Matched::Yes, Some(Verdict::Mark { of, bits })) => *self.mark_mut(*of) |= bits,
                (Matched::Yes, Some(Verdict::Return)) => match waiting.pop() {
                    Some((before, rest)) => (here, rules) = (before, rest),
                    None if policy == Policy::Drop => return Left::Dropped(place),
                    None => return Left::Accepted(place),
                },
                (Matched::Yes, Some(Verdict::Jump(_) | Verdict::Goto(_) | Verdict::Lead { .. })) => {
                    let target = match &rule.verdict {
                        Some(Verdict::Jump(target) | Verdict::Goto(target)) => target.clone(),
                        Some(Verdict::Lead { of, map }) => match self.lead(table, of, map) {
                            Ok(Some(target)) => target,
                            Ok(None) => continue,
                            Err(missing) => return Left::Unknown(missing, Some(place)),
                        },
                        _ => continue,
                    };
                    let Some((target, chain)) = table.chains.get_key_value(&target) else {
                        return broken(format!("no chain `{target}`"));
                    };
                    if chain.base.is_some() {
                        return broken(format!("a jump to base chain `{target}`"));
                    }
                    if matches!(rule.verdict, Some(Verdict::Jump(_))) {
                        if waiting.len() >= MOST_JUMPS {
                            return broken(format!("more than {MOST_JUMPS} jumps"));
                        }
                        waiting.push((here, rules));
                    }
                    here = (target, chain);
                    rules = chain.rules.iter().enumerate();
                }
            }
        }
    }

    /// Asks a rule, and counts.
    fn rule(&mut self, id: &'a TableId, table: &'a Table, rule: &'a Rule) -> Matched {
        let mut unknown = None;
        for condition in &rule.matches {
            match self.condition(table, condition) {
                Ok(true) => {}
                Ok(false) => return Matched::No,
                Err(missing) => unknown = unknown.or(Some(missing)),
            }
        }
        if let Some(name) = &rule.counter {
            self.fate.counters.push(Counter { table: id, name, unless: unknown.clone() });
        }
        unknown.map_or(Matched::Yes, Matched::Unknown)
    }

    fn condition(&self, table: &Table, condition: &Match) -> Result<bool, Missing> {
        match condition {
            Match::In { field, set } => match table.sets.get(set) {
                Some(Set::Prefixes(prefixes)) => Ok(prefixes.contains(match field {
                    AddressField::Source => self.packet.source,
                    AddressField::Destination => self.packet.destination,
                })),
                Some(Set::Tuples(_)) => Err(Missing::Broken(format!("set `{set}` is not of addresses"))),
                None => Err(Missing::Broken(format!("no set `{set}`"))),
            },
            Match::Tuple { of, set } => {
                let tuples = tuples(table, set)?;
                Ok(self.key(of).is_some_and(|key| tuples.entries.contains(&key)))
            }
            // It begins a connection, as connections are begun.
            Match::NoConnection | Match::BeginsWithoutSyn => Ok(false),
            Match::Begins => Ok(true),
            Match::LocalSource => self.node.is_local(self.packet.source).ok_or(Missing::LocalAddresses),
            Match::DestinationTranslated => Ok(self.fate.known.destination_translated),
            Match::Marked { of, bits } => Ok(self.mark(*of) & bits == *bits),
            Match::LocalDestination => self.node.is_local(self.packet.destination).ok_or(Missing::LocalAddresses),
            Match::SourceTranslated => self.source_translated.ok_or(Missing::SourceTranslated),
            // It is the first packet of its connection.
            Match::OriginalDirection => Ok(true),
        }
    }

    fn mark(&self, of: MarkOf) -> u32 {
        match of {
            MarkOf::Packet => self.fate.known.mark,
            MarkOf::Connection => self.fate.known.connection_mark,
        }
    }

    fn mark_mut(&mut self, of: MarkOf) -> &mut u32 {
        match of {
            MarkOf::Packet => &mut self.fate.known.mark,
            MarkOf::Connection => &mut self.fate.known.connection_mark,
        }
    }

    /// The chain values lead to.
    fn lead(&self, table: &Table, of: &[Ask], map: &str) -> Result<Option<String>, Missing> {
        let tuples = tuples(table, map)?;
        if !tuples.leads {
            return Err(Missing::Broken(format!("keys of set `{map}` lead nowhere")));
        }
        Ok(self.key(of).and_then(|key| tuples.chain(&key)))
    }

    /// Values side by side; `None` where the packet has not all of them.
    fn key(&self, of: &[Ask]) -> Option<Vec<u8>> {
        let mut values = Vec::with_capacity(of.len());
        let masked = |address, length| Cidr::new(address, length).map(|cidr| Value::Address(cidr.addr()));
        for ask in of {
            values.push(match ask {
                // Between the translation of the destination and that of the source.
                Ask::Beginner(length) | Ask::Address(AddressField::Source, length) => {
                    masked(self.packet.source, *length)?
                }
                Ask::Answerer(length) | Ask::Address(AddressField::Destination, length) => {
                    masked(self.packet.destination, *length)?
                }
                Ask::Protocol => Value::Protocol(crate::packet::number(&self.packet)),
                Ask::Port => Value::Port(self.packet.destination_port),
            });
        }
        Some(Tuples::key(&values))
    }
}

fn tuples<'a>(table: &'a Table, name: &str) -> Result<&'a Tuples, Missing> {
    match table.sets.get(name) {
        Some(Set::Tuples(tuples)) => Ok(tuples),
        Some(Set::Prefixes(_)) => Err(Missing::Broken(format!("set `{name}` is not of tuples"))),
        None => Err(Missing::Broken(format!("no set `{name}`"))),
    }
}
