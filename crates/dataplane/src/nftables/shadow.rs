//! Rules of others that keep packets from what ours say: that translate before ours are asked or after ours let go, or that turn
//! connection tracking off, without which nothing is translated.

use super::foreign::owner;
use super::objects::{Expression, ObservedTable, RuleObject, VerdictObject};
use crate::masquerade;
use crate::ruleset::{BaseChain, ChainKind, Hook, TableFamily, TableId};
use crate::unmarked::{Act, Holds, Step, Takes, translating};
use causeway_addr::Family;
use std::collections::BTreeMap;
use std::fmt;

/// Connection tracking sees a packet at this priority (`NF_IP_PRI_CONNTRACK`); what turns it off afterwards turns off nothing.
const CONNECTION_TRACKING: i32 = -200;
/// `NFT_META_MARK`.
const MARK: u32 = 3;
/// The comment of NodeLocal DNSCache's rules, in its source.
const LOCAL_DNS: &str = "NodeLocal DNS Cache";

/// What a rule keeps ours from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It translates before ours are asked.
    Before,
    /// It translates what ours let go.
    After,
    /// Packets it takes are not translated by anybody.
    Untracked,
}

/// A rule of somebody else's that decides about packets instead of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// Its table.
    pub table: TableId,
    /// Its chain.
    pub chain: String,
    /// Its position in the chain, from 0.
    pub rule: usize,
    /// Its comment; empty = none.
    pub comment: String,
    /// How it translates: `masquerade`, `snat`, `MASQUERADE`, ...; `notrack` where it keeps others from it.
    pub how: String,
    /// What it keeps ours from.
    pub effect: Effect,
    /// The base chain that leads to it.
    pub base: String,
    /// That chain's priority; lower is earlier.
    pub priority: i32,
    /// Which packets.
    pub takes: Takes,
    /// Whose it is, where that shows.
    pub owner: Option<&'static str>,
}

impl fmt::Display for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shadow { table, chain, rule, how, base, priority, .. } = self;
        write!(f, "table `{table}`: rule {} of chain `{chain}`", rule + 1)?;
        if !self.comment.is_empty() {
            write!(f, " (`{}`)", self.comment)?;
        }
        if let Some(owner) = self.owner {
            write!(f, ", of {owner},")?;
        }
        let what = match self.takes {
            Takes::Everything => "every packet",
            Takes::Some => "packets",
            Takes::Marked => "packets with a mark",
        };
        match self.effect {
            Effect::Before => write!(f, " translates {what} ({how}) before ours")?,
            Effect::After => write!(f, " translates {what} ({how}) that ours let go")?,
            Effect::Untracked => {
                write!(f, " turns connection tracking off for {what} ({how}), so that they are not translated")?
            }
        }
        write!(f, ", from chain `{base}` at priority {priority}")
    }
}

/// What rules reached from a base chain can do about packets of ours; `None` = nothing. At the same priority as ours the chain that was
/// registered last comes first, so it counts as earlier.
pub fn effect(base: &BaseChain) -> Option<Effect> {
    match (base.kind, base.hook) {
        (ChainKind::Nat, Hook::Postrouting) if base.priority <= masquerade::PRIORITY => Some(Effect::Before),
        (ChainKind::Nat, Hook::Postrouting) => Some(Effect::After),
        (ChainKind::Filter, Hook::Prerouting | Hook::Output) if base.priority < CONNECTION_TRACKING => {
            Some(Effect::Untracked)
        }
        _ => None,
    }
}

/// Rules of others that decide about packets of a family instead of ours, earlier ones first.
pub fn shadows(family: Family, observed: &BTreeMap<TableId, ObservedTable>) -> Vec<Shadow> {
    let ours = masquerade::table(family);
    let same_packets = |id: &TableId| id.family == TableFamily::Inet || id.family == ours.family;
    let mut found = Vec::new();
    for (id, table) in
        observed.iter().filter(|(id, table)| **id != ours && same_packets(id) && table.objects.flags & 1 == 0)
    {
        let chains = &table.objects.chains;
        let bases = chains.iter().filter_map(|(name, chain)| Some((name, chain.base?, effect(&chain.base?)?)));
        for (name, base, effect) in bases {
            let steps = chains
                .iter()
                .filter(|(other, chain)| *other == name || (chain.base.is_none() && chain.foreign_base.is_none()))
                .map(|(name, chain)| (name.as_str(), chain.rules.iter().map(|rule| step(rule, effect)).collect()))
                .collect();
            for ((chain, at), (how, takes)) in translating(&steps, name) {
                let rule = chains.get(chain).and_then(|chain| chain.rules.get(at));
                let comment = rule.map(comment).unwrap_or_default();
                let owner = owner(id, chain).or(comment.starts_with(LOCAL_DNS).then_some("NodeLocal DNSCache"));
                found.push(Shadow {
                    table: id.clone(),
                    chain: chain.to_owned(),
                    rule: at,
                    comment,
                    how: how.to_owned(),
                    effect,
                    base: name.clone(),
                    priority: base.priority,
                    takes,
                    owner,
                });
            }
        }
    }
    found.sort_by_key(|shadow| shadow.priority);
    found
}

/// What a rule says about a packet without a mark.
fn step(rule: &RuleObject, effect: Effect) -> Step {
    let mut step = Step { holds: Holds::Always, asks_mark: false, marks: false, act: Act::Nothing };
    // Registers that hold something made of the mark.
    let mut registers: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for expression in &rule.expressions {
        match expression {
            Expression::Counter | Expression::CountOn(_) | Expression::Log { .. } => {}
            Expression::Within(_) => step.holds = Holds::Perhaps,
            Expression::Meta { key: MARK, to } => {
                registers.insert(to.0, vec![0; 4]);
            }
            Expression::Meta { to, .. }
            | Expression::Payload { to, .. }
            | Expression::Fib { to, .. }
            | Expression::Conntrack { to, .. } => {
                registers.remove(&to.0);
            }
            Expression::Bitwise { from, to, mask, xor } => {
                let made = registers.get(&from.0).filter(|value| value.len() == mask.len()).map(|value| {
                    value.iter().zip(mask).zip(xor).map(|((value, mask), xor)| (value & mask) ^ xor).collect()
                });
                match made {
                    Some(made) => registers.insert(to.0, made),
                    None => registers.remove(&to.0),
                };
            }
            Expression::Compare { register, equal, value } => match registers.get(&register.0) {
                Some(held) => {
                    step.asks_mark = true;
                    if (held == value) != *equal {
                        step.holds = Holds::Never;
                    }
                }
                None => step.holds = step.holds.min(Holds::Perhaps),
            },
            Expression::Lookup { .. } => step.holds = step.holds.min(Holds::Perhaps),
            Expression::Verdict(verdict) => {
                step.act = match verdict {
                    VerdictObject::Return => Act::Return,
                    VerdictObject::Jump(chain) => Act::Jump(chain.clone()),
                    VerdictObject::Goto(chain) => Act::Goto(chain.clone()),
                    VerdictObject::Accept | VerdictObject::Drop | VerdictObject::Other(_) => Act::End,
                };
            }
            Expression::Lead { .. } => {
                step.holds = step.holds.min(Holds::Perhaps);
                step.act = Act::Anywhere;
            }
            Expression::Immediate { to, .. } | Expression::Number { to, .. } => {
                registers.remove(&to.0);
            }
            Expression::SetMeta { .. } => step.marks = true,
            Expression::SetConntrack { .. } => {}
            Expression::Nat { .. } => step.act = taken("snat", effect, false),
            Expression::Reject { .. } => step.act = Act::End,
            Expression::Masquerade { .. } => step.act = taken("masquerade", effect, false),
            Expression::Other { name, extension, data } => {
                other(&mut step, name, extension, data, effect, &mut registers)
            }
        }
        if step.act != Act::Nothing {
            break;
        }
    }
    step
}

/// A statement that takes packets from ours, where it stands in a chain in which it can.
fn taken(how: &str, effect: Effect, untracks: bool) -> Act {
    if (effect == Effect::Untracked) == untracks { Act::Translate(how.to_owned()) } else { Act::Nothing }
}

fn other(
    step: &mut Step,
    name: &str,
    extension: &str,
    data: &[u8],
    effect: Effect,
    registers: &mut BTreeMap<u8, Vec<u8>>,
) {
    const VERDICT: u32 = 0;
    let leads_on = |kind| number(data, kind).is_none_or(|register| register == VERDICT);
    match (name, extension) {
        ("match", "comment") => {}
        ("match", "mark") => match mark_match(data) {
            Some(holds) => {
                step.asks_mark = true;
                if !holds {
                    step.holds = Holds::Never;
                }
            }
            None => step.holds = step.holds.min(Holds::Perhaps),
        },
        ("nat", _) => step.act = taken("snat", effect, false),
        ("masq", _) => step.act = taken("masquerade", effect, false),
        ("target", "MASQUERADE" | "SNAT" | "NETMAP") => step.act = taken(extension, effect, false),
        ("notrack", _) => step.act = taken("notrack", effect, true),
        ("target", "NOTRACK") => step.act = taken(extension, effect, true),
        ("target", "CT") if untracks(data) => step.act = taken("CT --notrack", effect, true),
        // `meta` and `ct` that are not understood set something.
        ("target", "MARK" | "CONNMARK") | ("meta", _) => step.marks = true,
        ("target" | "ct" | "log" | "objref", _) => {}
        // Into a register that holds data.
        ("immediate", _) if !leads_on(1) => registers.clear(),
        ("immediate", _) => step.act = Act::Anywhere,
        // A map: of verdicts, or of data.
        ("lookup", _) => {
            step.holds = step.holds.min(Holds::Perhaps);
            match attribute(data, 3) {
                Some(_) if leads_on(3) => step.act = Act::Anywhere,
                _ => registers.clear(),
            }
        }
        ("bitwise" | "byteorder" | "payload" | "hash" | "numgen" | "fib" | "rt" | "socket", _) => registers.clear(),
        _ => step.holds = step.holds.min(Holds::Perhaps),
    }
}

/// The comment of a rule: nft's, or that of the extension of iptables.
fn comment(rule: &RuleObject) -> String {
    if !rule.comment.is_empty() {
        return rule.comment.clone();
    }
    let inside = rule.expressions.iter().find_map(|expression| match expression {
        Expression::Other { name, extension, data } if name == "match" && extension == "comment" => information(data),
        _ => None,
    });
    let text = inside.unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// Whether a packet without a mark passes a `-m mark` (`xt_mark_mtinfo1`: mark, mask, inverted; revision 1).
fn mark_match(data: &[u8]) -> Option<bool> {
    let information = information(data).filter(|_| number(data, 2) == Some(1))?;
    let mark = u32::from_ne_bytes(information.get(..4)?.try_into().ok()?);
    let inverted = *information.get(8)? != 0;
    Some((mark == 0) != inverted)
}

/// Whether a `-j CT` has `--notrack` (`xt_ct_target_info`: begins with 16 bits of flags, `XT_CT_NOTRACK` = 1).
fn untracks(data: &[u8]) -> bool {
    let flags = information(data).and_then(|information| information.get(..2)?.try_into().ok());
    flags.is_none_or(|flags| u16::from_ne_bytes(flags) & 1 != 0)
}

/// `NFTA_MATCH_INFO`, `NFTA_TARGET_INFO`.
fn information(data: &[u8]) -> Option<&[u8]> {
    attribute(data, 3)
}

fn number(data: &[u8], kind: u16) -> Option<u32> {
    Some(u32::from_be_bytes(attribute(data, kind)?.try_into().ok()?))
}

/// The payload of a netlink attribute (struct nlattr: length with these four bytes, kind; padded to four).
fn attribute(mut data: &[u8], kind: u16) -> Option<&[u8]> {
    const HEADER: usize = 4;
    const KIND: u16 = 0x3fff;
    loop {
        let length = usize::from(u16::from_ne_bytes(data.get(..2)?.try_into().ok()?));
        let found = u16::from_ne_bytes(data.get(2..HEADER)?.try_into().ok()?) & KIND;
        let payload = data.get(HEADER..length)?;
        if found == kind {
            return Some(payload);
        }
        data = data.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests;
