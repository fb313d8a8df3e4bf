//! What the kernel's rule machine does with a packet, from the objects alone.
//!
//! [`crate::evaluate`] answers from rules; this answers from what was made of them, registers and all, and from what was read back
//! out of a kernel. Both must agree.

use super::lower::{CT_DIRECTION, CT_STATUS, FIB_ADDRESS_TYPE, FIB_DESTINATION, FULLY_RANDOM, META_FAMILY};
use super::lower::{CT_PROTOCOL, CT_SOURCE_PORT, CT_SOURCE_V4, CT_SOURCE_V6, CT_STATE, META_PROTOCOL, STATE_NEW};
use super::lower::{ROUTE_LOCAL, STATUS_SOURCE_NAT};
use super::objects::{
    ChainObject, Expression, Header, MAP, Register, RuleObject, TableObjects, VerdictObject, leads_to,
};
use crate::evaluate::{MOST_JUMPS, Missing, Node, Outcome, moment, ports};
use crate::packet::{Packet, Protocol, number as protocol};
use crate::prefixes::with_octets;
use crate::ruleset::{ChainKind, Hook, Policy, TableFamily, TableId};
use causeway_addr::Family;
use std::collections::BTreeMap;

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
    let mut machine =
        Machine { node, packet: *packet, registers: [0; 64], counters: Vec::new(), translated: Some(false), steps: 0 };
    let mut outcome = Outcome::Kept;
    for (table, chain, base) in chains {
        if base.kind == ChainKind::Nat && matches!(outcome, Outcome::Translated { .. }) {
            continue;
        }
        match machine.chain(table, chain) {
            Ok(End::Accept) => {}
            Ok(End::Through) if base.policy == Policy::Accept => {}
            Ok(End::Drop | End::Through) => return (Outcome::Dropped, machine.counters),
            Ok(End::Masquerade(flags)) => {
                let Some(source) = node.masquerade(family) else {
                    return (Outcome::Uncertain(Missing::MasqueradeAddress(family)), machine.counters);
                };
                machine.translated = (source != machine.packet.source).then_some(true);
                machine.packet.source = source;
                let port = ports(packet.protocol, flags & FULLY_RANDOM != 0);
                outcome = Outcome::Translated { source, port };
            }
            Err(missing) => return (Outcome::Uncertain(missing), machine.counters),
        }
    }
    (outcome, machine.counters)
}

/// How a base chain ends.
enum End {
    Accept,
    Drop,
    /// It came to the end, or returned.
    Through,
    Masquerade(u32),
}

/// What one rule says.
enum Said {
    /// Its conditions were not met, or it has no verdict.
    Next,
    Verdict(VerdictObject),
    Masquerade(u32),
}

struct Machine<'n> {
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
                    let translated = self.translated.ok_or(Missing::SourceTranslated)?;
                    let status = if translated { STATUS_SOURCE_NAT } else { 0 };
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
