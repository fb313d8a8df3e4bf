//! Who denies what: asked only of packets that are denied anyway.

use super::rights::{Door, ISOLATED, Ports, TRANSPORTS};
use super::rules::{TRANSPORT_PROTOCOLS, WHY, WHY_PORTS, denied_by, goto, has, ports_of, rule};
use crate::ruleset::{Ask, Rule, Verdict, numbered_chain};
use causeway_model::policy::Direction;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of a comment.
const LONGEST_COMMENT: usize = 127;

/// Policies as a comment has room for them.
pub(super) fn names(policies: &[Arc<str>]) -> String {
    const MORE: usize = 20;
    let mut text = String::new();
    for (at, name) in policies.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let last = at + 1 == policies.len();
        let room = if last { LONGEST_COMMENT } else { LONGEST_COMMENT - MORE };
        if text.len() + comma.len() + name.len() > room {
            text.push_str(&format!("{comma}{} more", policies.len() - at));
            break;
        }
        text.push_str(comma);
        text.push_str(name);
    }
    // A comment stands in quotes.
    text.replace(['"', '\\'], "'")
}

/// Who denies what a door keeps shut: by port where one protocol has several of them, else by protocol.
pub(super) struct Deniers {
    pub(super) ports: Vec<(Ports, u32)>,
    pub(super) protocols: BTreeMap<u8, u32>,
    other: Option<u32>,
}

impl Deniers {
    pub(super) fn of(door: &Door) -> Deniers {
        let mut all = Deniers { ports: Vec::new(), protocols: BTreeMap::new(), other: door.other_denied };
        let isolated = if door.direction == Direction::Ingress { ISOLATED[0] } else { ISOLATED[1] };
        for (_, protocol) in TRANSPORTS {
            let of_protocol: Vec<&(Ports, u32)> = door.denied.iter().filter(|((of, ..), _)| *of == protocol).collect();
            let mut sizes: BTreeMap<u32, u32> = BTreeMap::new();
            for ((_, first, last), why) in &of_protocol {
                *sizes.entry(*why).or_default() += u32::from(*last) - u32::from(*first) + 1;
            }
            let Some((most, _)) = sizes.iter().max_by_key(|(_, size)| **size) else { continue };
            let named: u32 = sizes.values().sum();
            let open = open_ports(door, protocol);
            let rest = 65_536_u32.saturating_sub(named).saturating_sub(open);
            if rest == 0 || sizes.get(most).is_some_and(|size| *size > rest) {
                all.protocols.insert(protocol, *most);
                all.ports.extend(of_protocol.iter().filter(|(_, why)| why != most).map(|entry| **entry));
                if rest > 0 {
                    all.ports.extend(unnamed(door, protocol).into_iter().map(|ports| (ports, isolated)));
                }
            } else {
                all.ports.extend(of_protocol.into_iter().copied());
            }
        }
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ports.is_empty() && self.protocols.is_empty() && self.other.is_none()
    }
}

fn is_open(door: &Door, protocol: u8, port: u16) -> bool {
    let within =
        |ranges: &[Ports]| ranges.iter().any(|(of, first, last)| *of == protocol && (*first..=*last).contains(&port));
    if door.protocols.contains(&protocol) { !within(&door.shut) } else { within(&door.open) }
}

fn open_ports(door: &Door, protocol: u8) -> u32 {
    let size = |ranges: &[Ports]| -> u32 {
        let of = ranges.iter().filter(|(of, ..)| *of == protocol);
        of.map(|(_, first, last)| u32::from(*last) - u32::from(*first) + 1).sum()
    };
    if door.protocols.contains(&protocol) { 65_536 - size(&door.shut) } else { size(&door.open) }
}

/// Ports that are shut and that no rule denies.
fn unnamed(door: &Door, protocol: u8) -> Vec<Ports> {
    let mut out: Vec<Ports> = Vec::new();
    for port in 0..=u16::MAX {
        let named =
            door.denied.iter().any(|((of, first, last), _)| *of == protocol && (*first..=*last).contains(&port));
        if named || is_open(door, protocol, port) {
            continue;
        }
        match out.last_mut() {
            Some((_, _, last)) if last.checked_add(1) == Some(port) => *last = port,
            _ => out.push((protocol, port, port)),
        }
    }
    out
}

/// The chain that says why a door keeps something shut.
pub(super) fn why(number: u32, door: &Door) -> Vec<Rule> {
    let deniers = Deniers::of(door);
    let mut rules = Vec::new();
    let lead = |of: Vec<Ask>, map: &str| Verdict::Lead { of, map: ports_of(number, map) };
    if !deniers.ports.is_empty() {
        rules.push(rule(Vec::new(), None, lead(vec![Ask::Protocol, Ask::Port], WHY_PORTS), "who denies the port"));
    }
    if !deniers.protocols.is_empty() {
        rules.push(rule(Vec::new(), None, lead(vec![Ask::Protocol], WHY), "who denies the protocol"));
    }
    if let Some(other) = deniers.other {
        let transports = has(vec![Ask::Protocol], TRANSPORT_PROTOCOLS);
        rules.push(rule(transports, None, goto(&denied_by(door.direction)), "what nothing allows"));
        rules.push(rule(Vec::new(), None, goto(&numbered_chain(other)), "protocols without ports"));
    } else {
        rules.push(rule(Vec::new(), None, goto(&denied_by(door.direction)), "what nothing allows"));
    }
    rules
}
