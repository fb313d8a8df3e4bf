//! What the kernel's rule machine does with a packet, from the objects alone.
//!
//! [`crate::evaluate`] answers from rules; this answers from what was made of them, registers and all, and from what was read back
//! out of a kernel. Both must agree.

use super::lower::{CT_DIRECTION, CT_MARK, CT_STATUS, FIB_ADDRESS_TYPE, FIB_DESTINATION, FIB_SOURCE, FULLY_RANDOM};
use super::lower::{CT_PROTOCOL, CT_SOURCE_PORT, CT_SOURCE_V4, CT_SOURCE_V6, CT_STATE, META_PROTOCOL, STATE_NEW};
use super::lower::{META_FAMILY, META_MARK, STATUS_DESTINATION_NAT};
use super::lower::{ROUTE_LOCAL, STATUS_SOURCE_NAT};
use super::objects::{
    ChainObject, Expression, Header, MAP, Register, RuleObject, TableObjects, VerdictObject, leads_to,
};
use crate::evaluate::{Known, MOST_JUMPS, Missing, Node, Outcome, moment, ports};
use crate::packet::{Packet, Protocol, number as protocol};
use crate::prefixes::{self, with_octets};
use crate::ruleset::{self, ChainKind, Hook, Policy, TableFamily, TableId};
use causeway_addr::Family;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// `RTN_UNICAST`; that a destination is broadcast or multicast is not known here.
const ROUTE_UNICAST: u32 = 1;
const MOST_STEPS: usize = 1_000_000;

/// Walks the first packet of a connection through all base chains of a hook, and gives its fate and the named counters it raised.
pub fn interpret(
    tables: &BTreeMap<TableId, TableObjects>,
    hook: Hook,
    packet: &Packet,
    node: &Node,
) -> (Outcome, Vec<String>) {
    let (outcome, counters, _) = interpret_known(tables, hook, packet, node, Known::default());
    (outcome, counters)
}

/// The same, with what is known of the packet from hooks before, and what is known of it then. Where dice are thrown for a destination every
/// way is walked: the fate has all of them, the counters are those of the first.
pub fn interpret_known(
    tables: &BTreeMap<TableId, TableObjects>,
    hook: Hook,
    packet: &Packet,
    node: &Node,
    known: Known,
) -> (Outcome, Vec<String>, Known) {
    // Dice that come up zero, by the order they are thrown in; the last of them is the one to try next.
    let mut thrown: Vec<bool> = Vec::new();
    let mut first: Option<(Outcome, Vec<String>, Known)> = None;
    for _ in 0..MOST_STEPS {
        let mut dice = Dice { thrown: std::mem::take(&mut thrown), at: 0 };
        let way = interpret_way(tables, hook, packet, node, known, &mut dice);
        thrown = dice.thrown;
        match &mut first {
            None => first = Some(way),
            Some((Outcome::Redirected(ends), ..)) => match way.0 {
                Outcome::Redirected(others) => ends.extend(others),
                other => return (other, way.1, way.2),
            },
            Some((outcome, ..)) if *outcome == way.0 => {}
            Some(_) => return way,
        }
        while thrown.pop_if(|zero| !*zero).is_some() {}
        match thrown.last_mut() {
            Some(last) => *last = false,
            None => break,
        }
    }
    first.unwrap_or((Outcome::Kept, Vec::new(), known))
}

/// What random numbers are: zero first, then not.
struct Dice {
    thrown: Vec<bool>,
    at: usize,
}

impl Dice {
    fn throw(&mut self) -> bool {
        let zero = match self.thrown.get(self.at) {
            Some(zero) => *zero,
            None => {
                self.thrown.push(true);
                true
            }
        };
        self.at += 1;
        zero
    }
}

fn interpret_way(
    tables: &BTreeMap<TableId, TableObjects>,
    hook: Hook,
    packet: &Packet,
    node: &Node,
    known: Known,
    dice: &mut Dice,
) -> (Outcome, Vec<String>, Known) {
    let family = packet.family();
    let mut chains: Vec<(&TableObjects, &ChainObject, _)> = tables
        .iter()
        .filter(|(id, table)| {
            let seen = match id.family {
                TableFamily::Inet => true,
                TableFamily::Ip => family == Family::V4,
                TableFamily::Ip6 => family == Family::V6,
            };
            seen && table.flags & 1 == 0
        })
        .flat_map(|(_, table)| table.chains.values().map(move |chain| (table, chain)))
        .filter_map(|(table, chain)| Some((table, chain, chain.base.filter(|base| base.hook == hook)?)))
        .collect();
    chains.sort_by_key(|(.., base)| moment(base));
    let mut machine = Machine {
        node,
        packet: *packet,
        registers: [0; 64],
        counters: Vec::new(),
        translated: Some(false),
        steps: 0,
        known,
        dice,
    };
    let mut outcome = Outcome::Kept;
    for (table, chain, base) in chains {
        if base.kind == ChainKind::Nat && matches!(outcome, Outcome::Translated { .. } | Outcome::Redirected(_)) {
            continue;
        }
        match machine.chain(table, chain) {
            Ok(End::Accept) => {}
            Ok(End::Through) if base.policy == Policy::Accept => {}
            Ok(End::Drop | End::Through) => return (Outcome::Dropped, machine.counters, machine.known),
            Ok(End::Reject) => return (Outcome::Rejected, machine.counters, machine.known),
            Ok(End::Masquerade(flags)) => {
                let Some(source) = node.masquerade(family) else {
                    return (Outcome::Uncertain(Missing::MasqueradeAddress(family)), machine.counters, machine.known);
                };
                machine.translated = (source != machine.packet.source).then_some(true);
                machine.packet.source = source;
                let port = ports(packet.protocol, flags & FULLY_RANDOM != 0);
                outcome = Outcome::Translated { source, port };
            }
            Ok(End::Source(source)) => {
                machine.translated = (source != machine.packet.source).then_some(true);
                machine.packet.source = source;
                outcome = Outcome::Translated { source, port: ports(packet.protocol, false) };
            }
            Ok(End::Redirect(end)) => {
                machine.packet.destination = end.address;
                machine.packet.destination_port = end.port.unwrap_or(machine.packet.destination_port);
                machine.known.destination_translated = true;
                outcome = Outcome::Redirected(vec![end]);
            }
            Err(missing) => return (Outcome::Uncertain(missing), machine.counters, machine.known),
        }
    }
    (outcome, machine.counters, machine.known)
}

/// How a base chain ends.
enum End {
    Accept,
    Drop,
    /// It came to the end, or returned.
    Through,
    Masquerade(u32),
    Source(IpAddr),
    Redirect(ruleset::End),
    Reject,
}

/// What one rule says.
enum Said {
    /// Its conditions were not met, or it has no verdict.
    Next,
    Verdict(VerdictObject),
    Masquerade(u32),
    Source(IpAddr),
    Redirect(ruleset::End),
    Reject,
}

struct Machine<'n> {
    known: Known,
    dice: &'n mut Dice,
    node: &'n Node,
    packet: Packet,
    registers: [u8; 64],
    counters: Vec<String>,
    translated: Option<bool>,
    steps: usize,
}

impl Machine<'_> {
    fn chain(&mut self, table: &TableObjects, chain: &ChainObject) -> Result<End, Missing> {
        let mut waiting = Vec::new();
        let mut rules = chain.rules.iter();
        loop {
            let Some(rule) = rules.next() else {
                match waiting.pop() {
                    Some(before) => rules = before,
                    None => return Ok(End::Through),
                }
                continue;
            };
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return Err(Missing::Broken(format!("a walk of more than {MOST_STEPS} rules")));
            }
            let target = match self.rule(table, rule)? {
                Said::Next => continue,
                Said::Masquerade(flags) => return Ok(End::Masquerade(flags)),
                Said::Source(source) => return Ok(End::Source(source)),
                Said::Redirect(end) => return Ok(End::Redirect(end)),
                Said::Reject => return Ok(End::Reject),
                Said::Verdict(VerdictObject::Accept) => return Ok(End::Accept),
                Said::Verdict(VerdictObject::Drop) => return Ok(End::Drop),
                Said::Verdict(VerdictObject::Other(code)) => {
                    return Err(Missing::Expression(format!("verdict {code}")));
                }
                Said::Verdict(VerdictObject::Return) => {
                    match waiting.pop() {
                        Some(before) => rules = before,
                        None => return Ok(End::Through),
                    }
                    continue;
                }
                Said::Verdict(VerdictObject::Jump(target)) => {
                    if waiting.len() >= MOST_JUMPS {
                        return Err(Missing::Broken(format!("more than {MOST_JUMPS} jumps")));
                    }
                    waiting.push(rules);
                    target
                }
                Said::Verdict(VerdictObject::Goto(target)) => target,
            };
            let target = table.chains.get(&target).ok_or(Missing::Broken(format!("no chain `{target}`")))?;
            rules = target.rules.iter();
        }
    }

    fn rule(&mut self, table: &TableObjects, rule: &RuleObject) -> Result<Said, Missing> {
        let mut rest = rule.expressions.iter();
        while let Some(expression) = rest.next() {
            match expression {
                Expression::Payload { header, offset, length, to } => {
                    let bytes = match header {
                        Header::Network => network_header(&self.packet),
                        Header::Transport => transport_header(&self.packet),
                    };
                    let start = usize::try_from(*offset).unwrap_or(usize::MAX);
                    let end = start.saturating_add(usize::try_from(*length).unwrap_or(usize::MAX));
                    // Bytes that are not there end the rule, as bytes that don't match do.
                    let Some(bytes) = bytes.get(start..end) else { return Ok(Said::Next) };
                    self.store(*to, bytes)?;
                }
                Expression::Bitwise { from, to, mask, xor } => {
                    let value = self.load(*from, mask.len())?;
                    let value = value.iter().zip(mask).zip(xor).map(|((value, mask), xor)| (value & mask) ^ xor);
                    let value: Vec<u8> = value.collect();
                    self.store(*to, &value)?;
                }
                Expression::Compare { register, equal, value } => {
                    if (self.load(*register, value.len())? == value.as_slice()) != *equal {
                        return Ok(Said::Next);
                    }
                }
                Expression::Lookup { set, register, inverted } => {
                    let set = table.sets.get(set).ok_or(Missing::Broken(format!("no set `{set}`")))?;
                    if set.flags != 0 || set.leads {
                        return Err(Missing::Expression(format!("a set with flags {}", set.flags)));
                    }
                    let key = self.load(*register, set.elements.width)?;
                    if set.elements.contains(key) == *inverted {
                        return Ok(Said::Next);
                    }
                }
                Expression::Lead { map, register } => {
                    let set = table.sets.get(map).ok_or(Missing::Broken(format!("no set `{map}`")))?;
                    if set.flags != MAP || !set.leads {
                        return Err(Missing::Expression(format!("a map with flags {}", set.flags)));
                    }
                    let key = self.load(*register, usize::try_from(set.key.width).unwrap_or_default())?;
                    let Some(chain) = set.elements.beginning(key).and_then(leads_to) else { return Ok(Said::Next) };
                    return Ok(Said::Verdict(VerdictObject::Goto(chain)));
                }
                Expression::Fib { result: FIB_ADDRESS_TYPE, flags: FIB_DESTINATION, to } => {
                    let local = self.node.is_local(self.packet.destination).ok_or(Missing::LocalAddresses)?;
                    let kind = if local { ROUTE_LOCAL } else { ROUTE_UNICAST };
                    self.store(*to, &kind.to_ne_bytes())?;
                }
                Expression::Fib { result: FIB_ADDRESS_TYPE, flags: FIB_SOURCE, to } => {
                    let local = self.node.is_local(self.packet.source).ok_or(Missing::LocalAddresses)?;
                    let kind = if local { ROUTE_LOCAL } else { ROUTE_UNICAST };
                    self.store(*to, &kind.to_ne_bytes())?;
                }
                Expression::Immediate { to, value } => self.store(*to, value)?,
                Expression::Number { modulus, to } => {
                    let number = u32::from(*modulus > 1 && !self.dice.throw());
                    self.store(*to, &number.to_ne_bytes())?;
                }
                Expression::Conntrack { key: CT_MARK, direction: None, to } => {
                    self.store(*to, &self.known.connection_mark.to_ne_bytes())?;
                }
                Expression::SetMeta { key: META_MARK, from } => self.known.mark = self.number(*from)?,
                Expression::SetConntrack { key: CT_MARK, from } => self.known.connection_mark = self.number(*from)?,
                Expression::Meta { key: META_MARK, to } => self.store(*to, &self.known.mark.to_ne_bytes())?,
                Expression::Nat { source, address: Some(address), port, .. } => {
                    let width = usize::from(self.packet.family().width() / 8);
                    let address = prefixes::address(self.load(*address, width)?);
                    let address = address.ok_or(Missing::Broken("an address of no family".to_owned()))?;
                    let port = match port {
                        Some(port) => Some(u16::from_be_bytes(self.load(*port, 2)?.try_into().unwrap_or_default())),
                        None => None,
                    };
                    return Ok(match source {
                        true => Said::Source(address),
                        false => Said::Redirect(ruleset::End { address, port }),
                    });
                }
                Expression::Reject { .. } => return Ok(Said::Reject),
                Expression::Conntrack { key: CT_STATE, direction: None, to } => {
                    self.store(*to, &STATE_NEW.to_ne_bytes())?;
                }
                // The tuple of the answers has the ends the other way round, as they are after translation of the destination.
                Expression::Conntrack { key: CT_SOURCE_V4 | CT_SOURCE_V6, direction: Some(direction), to } => {
                    let end = if *direction == 0 { self.packet.source } else { self.packet.destination };
                    if end.is_ipv4() != matches!(expression, Expression::Conntrack { key: CT_SOURCE_V4, .. }) {
                        return Ok(Said::Next);
                    }
                    with_octets(end, |octets| self.store(*to, octets))?;
                }
                Expression::Conntrack { key: CT_PROTOCOL, direction: None, to } => {
                    self.store(*to, &[protocol(&self.packet)])?;
                }
                Expression::Conntrack { key: CT_SOURCE_PORT, direction: Some(direction), to } => {
                    let port = if *direction == 0 { self.packet.source_port } else { self.packet.destination_port };
                    self.store(*to, &port.to_be_bytes())?;
                }
                Expression::Conntrack { key: CT_DIRECTION, direction: None, to } => self.store(*to, &[0])?,
                Expression::Conntrack { key: CT_STATUS, direction: None, to } => {
                    let asks = rest.clone().find_map(|next| match next {
                        Expression::Bitwise { mask, .. } => mask.first_chunk().map(|mask| u32::from_ne_bytes(*mask)),
                        _ => None,
                    });
                    let asks_source = asks.is_none_or(|bits| bits & STATUS_SOURCE_NAT != 0);
                    let translated = self.translated.or((!asks_source).then_some(false));
                    let translated = translated.ok_or(Missing::SourceTranslated)?;
                    let redirected = self.known.destination_translated;
                    let status = if translated { STATUS_SOURCE_NAT } else { 0 }
                        | if redirected { STATUS_DESTINATION_NAT } else { 0 };
                    self.store(*to, &status.to_ne_bytes())?;
                }
                Expression::Meta { key: META_FAMILY, to } => {
                    let family = if self.packet.family() == Family::V4 { 2 } else { 10 };
                    self.store(*to, &[family])?;
                }
                Expression::Meta { key: META_PROTOCOL, to } => self.store(*to, &[protocol(&self.packet)])?,
                Expression::CountOn(name) => self.counters.push(name.clone()),
                // How much of a limit is left is not known; what is only told of goes on either way.
                Expression::Within(_) if rest.clone().all(|next| matches!(next, Expression::Log { .. })) => break,
                Expression::Counter | Expression::Log { .. } => {}
                Expression::Verdict(verdict) => return Ok(Said::Verdict(verdict.clone())),
                Expression::Masquerade { flags } => return Ok(Said::Masquerade(*flags)),
                other => return Err(Missing::Expression(format!("{other:?}"))),
            }
        }
        Ok(Said::Next)
    }

    fn number(&self, from: Register) -> Result<u32, Missing> {
        Ok(self.load(from, 4)?.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes)))
    }

    fn load(&self, from: Register, length: usize) -> Result<&[u8], Missing> {
        let start = usize::from(from.0) * 4;
        self.registers.get(start..start + length).ok_or(Missing::Broken(format!("register {} overrun", from.0)))
    }

    fn store(&mut self, to: Register, bytes: &[u8]) -> Result<(), Missing> {
        let start = usize::from(to.0) * 4;
        let padded = bytes.len().next_multiple_of(4);
        let place = self.registers.get_mut(start..start + padded);
        let place = place.ok_or(Missing::Broken(format!("register {} overrun", to.0)))?;
        let padding = std::iter::repeat(&0);
        place.iter_mut().zip(bytes.iter().chain(padding)).for_each(|(register, byte)| *register = *byte);
        Ok(())
    }
}

/// The fields of the header that a [`Packet`] has; the rest is zero.
fn network_header(packet: &Packet) -> Vec<u8> {
    let mut header = match packet.family() {
        Family::V4 => vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol(packet), 0, 0],
        Family::V6 => vec![0x60, 0, 0, 0, 0, 0, protocol(packet), 64],
    };
    with_octets(packet.source, |octets| header.extend_from_slice(octets));
    with_octets(packet.destination, |octets| header.extend_from_slice(octets));
    header
}

fn transport_header(packet: &Packet) -> Vec<u8> {
    match packet.protocol {
        Protocol::Tcp => {
            let ports = [packet.source_port.to_be_bytes(), packet.destination_port.to_be_bytes()].concat();
            // Five words of header, and SYN: it is the first packet.
            [ports.as_slice(), &[0; 8], &[0x50, 2], &[0; 6]].concat()
        }
        Protocol::Udp | Protocol::Sctp => {
            [packet.source_port.to_be_bytes(), packet.destination_port.to_be_bytes()].concat()
        }
        Protocol::Icmp | Protocol::Other(_) => Vec::new(),
    }
}
