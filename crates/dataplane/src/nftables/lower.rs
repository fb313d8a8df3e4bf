//! From rules to the objects of nf_tables.
//!
//! A set of prefixes becomes a hash set per prefix length: adding a prefix costs the same at any size, and a lookup costs a
//! hash per length present instead of a walk down a tree. A rule that looks addresses up becomes a rule per length.

use super::objects::{
    ChainObject, Expression, Header, KeyType, Keys, MAP, Register, RuleObject, SetObject, TableObjects, VerdictObject,
};
use crate::prefixes::{PrefixSet, with_octets};
use crate::ruleset::{
    AddressField, Ask, End, MarkOf, Match, Rule, Ruleset, Sample, Set, Table, TableFamily, TableId, Tuples, Verdict,
};
use causeway_addr::Family;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The register everything goes through; a rule looks at one thing after the other.
const REGISTER: Register = Register(0);
/// `NFT_FIB_RESULT_ADDRTYPE`.
pub(crate) const FIB_ADDRESS_TYPE: u32 = 3;
/// `NFTA_FIB_F_DADDR`.
pub(crate) const FIB_DESTINATION: u32 = 2;
/// `RTN_LOCAL`.
pub(crate) const ROUTE_LOCAL: u32 = 2;
/// `NFT_CT_STATE`, and its bits.
pub(crate) const CT_STATE: u32 = 0;
pub(crate) const STATE_NEW: u32 = 8;
const STATE_INVALID: u32 = 1;
const STATE_UNTRACKED: u32 = 64;
/// `NFT_CT_PROTOCOL`.
pub(crate) const CT_PROTOCOL: u32 = 10;
/// `NFT_CT_PROTO_SRC`.
pub(crate) const CT_SOURCE_PORT: u32 = 11;
/// `NFT_CT_SRC_IP` and `NFT_CT_SRC_IP6`.
pub(crate) const CT_SOURCE_V4: u32 = 19;
pub(crate) const CT_SOURCE_V6: u32 = 21;
/// `NFT_META_L4PROTO`.
pub(crate) const META_PROTOCOL: u32 = 16;
const TCP: u8 = 6;
/// Where TCP's flags stand, and which is SYN.
const TCP_FLAGS: u32 = 13;
const TCP_SYN: u8 = 2;
/// `NFT_CT_DIRECTION`.
pub(crate) const CT_DIRECTION: u32 = 1;
/// `NFT_CT_STATUS`.
pub(crate) const CT_STATUS: u32 = 2;
/// `IPS_SRC_NAT`.
pub(crate) const STATUS_SOURCE_NAT: u32 = 1 << 4;
/// `IPS_DST_NAT`.
pub(crate) const STATUS_DESTINATION_NAT: u32 = 1 << 5;
/// `NFT_META_MARK`.
pub(crate) const META_MARK: u32 = 3;
/// `NFT_CT_MARK`.
pub(crate) const CT_MARK: u32 = 3;
/// `NFTA_FIB_F_SADDR`.
pub(crate) const FIB_SOURCE: u32 = 1;
/// `NF_NAT_RANGE_MAP_IPS` and `NF_NAT_RANGE_PROTO_SPECIFIED`.
const RANGE_ADDRESS: u32 = 1;
const RANGE_PORT: u32 = 2;
/// `NFPROTO_IPV4` and `NFPROTO_IPV6`.
const PROTOCOL_FAMILY_V4: u32 = 2;
const PROTOCOL_FAMILY_V6: u32 = 10;
/// `NFT_REJECT_ICMP_UNREACH` and `NFT_REJECT_ICMPX_UNREACH`.
pub(crate) const REJECT_ICMP: u32 = 0;
pub(crate) const REJECT_EITHER: u32 = 2;
/// "Port unreachable" of ICMP, of ICMPv6 (`NFT_REJECT_ICMP_UNREACH` takes them), and of either (`NFT_REJECT_ICMPX_PORT_UNREACH`).
const PORT_UNREACHABLE_V4: u8 = 3;
const PORT_UNREACHABLE_V6: u8 = 4;
const PORT_UNREACHABLE: u8 = 1;
/// `NFT_META_NFPROTO`.
pub(crate) const META_FAMILY: u32 = 15;
/// `NF_NAT_RANGE_PROTO_RANDOM_FULLY`.
pub const FULLY_RANDOM: u32 = 16;

/// Bytes of a sampled packet that are told: the headers of IPv6 with some extensions, and the ports behind them.
const SAMPLED: u32 = 160;

/// How hash sets get room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Growth {
    /// The set says how many keys it will hold, with room to spare, and the kernel makes a fixed table; a set that is full is
    /// replaced by a larger one.
    #[default]
    Declared,
    /// No size is declared; the kernel's table grows and shrinks.
    ByItself,
}

impl Growth {
    /// The size to declare for that many keys: the next power of two that leaves at least a quarter free, 64 at least.
    pub fn size(self, keys: usize) -> Option<u32> {
        match self {
            Growth::ByItself => None,
            Growth::Declared => {
                let room = keys.saturating_add(keys / 3).max(64).checked_next_power_of_two();
                Some(room.and_then(|room| u32::try_from(room).ok()).unwrap_or(u32::MAX))
            }
        }
    }
}

/// The objects of every table.
pub fn lower(ruleset: &Ruleset, growth: Growth) -> BTreeMap<TableId, TableObjects> {
    ruleset.tables.iter().map(|(id, table)| (id.clone(), lower_table(id.family, table, growth))).collect()
}

/// The name of the hash set that holds the prefixes of one length of a set.
pub fn set_of_length(set: &str, length: u8) -> String {
    format!("{set}-{length}")
}

fn lower_table(family: TableFamily, table: &Table, growth: Growth) -> TableObjects {
    let (counters, limits) = (table.counters.clone(), table.limits.clone());
    let mut objects = TableObjects { counters, limits, ..TableObjects::default() };
    for (name, set) in &table.sets {
        let prefixes = match set {
            Set::Prefixes(prefixes) => prefixes,
            Set::Tuples(tuples) => {
                objects.sets.insert(name.clone(), tuple_object(tuples, growth));
                continue;
            }
        };
        for (length, keys) in prefixes.lengths() {
            objects.sets.insert(set_of_length(name, *length), set_object(prefixes.family(), keys.clone(), growth));
        }
    }
    objects.chains = lower_chains(family, table);
    objects
}

/// The chains of a table. They depend on which lengths a set has, and on nothing else of it.
pub(crate) fn lower_chains(family: TableFamily, table: &Table) -> BTreeMap<String, ChainObject> {
    let mut chains = BTreeMap::new();
    for (name, chain) in &table.chains {
        let mut rules = Vec::new();
        for (number, rule) in chain.rules.iter().enumerate() {
            lower_rule(family, table, name, number, rule, &mut rules, &mut chains);
        }
        chains.insert(name.clone(), ChainObject { base: chain.base, foreign_base: None, rules });
    }
    chains
}

pub(crate) fn set_object(family: Family, elements: Keys, growth: Growth) -> SetObject {
    let key = match family {
        Family::V4 => KeyType::IPV4,
        Family::V6 => KeyType::IPV6,
    };
    SetObject { key, size: growth.size(elements.len()), flags: 0, elements, leads: false }
}

fn tuple_object(tuples: &Tuples, growth: Growth) -> SetObject {
    let elements = tuples.entries.clone();
    let flags = if tuples.leads { MAP } else { 0 };
    SetObject { key: tuples.key_type(), size: growth.size(elements.len()), flags, elements, leads: tuples.leads }
}

/// Lowers one rule. A rule with alternatives (a set of several lengths) that does not end the chain would act once per alternative
/// that matches; it becomes a jump to a chain of its own, which is left at the first.
fn lower_rule(
    family: TableFamily,
    table: &Table,
    chain: &str,
    number: usize,
    rule: &Rule,
    into: &mut Vec<RuleObject>,
    chains: &mut BTreeMap<String, ChainObject>,
) {
    let heads = alternatives(family, table, rule);
    if let Some(sample) = &rule.sample {
        let told = |head: &Vec<Expression>| {
            let mut expressions = head.clone();
            let Sample { limit, group, prefix } = sample.clone();
            expressions.push(Expression::Within(limit));
            expressions.push(Expression::Log { group, bytes: SAMPLED, prefix });
            RuleObject { expressions, comment: String::new() }
        };
        into.extend(heads.iter().map(told));
    }
    let apart = heads.len() > 1 && matches!(rule.verdict, None | Some(Verdict::Jump(_) | Verdict::Mark { .. }));
    let last = match (&rule.verdict, apart) {
        (None, true) => Some(Verdict::Return),
        (Some(Verdict::Jump(target)), true) => Some(Verdict::Goto(target.clone())),
        (verdict, _) => verdict.clone(),
    };
    let rules = heads.into_iter().flat_map(|mut head| {
        head.extend(rule.counter.clone().map(Expression::CountOn));
        let ways = last.as_ref().map_or_else(|| vec![Vec::new()], |verdict| verdict_expressions(family, verdict));
        // A mark does not leave the chain by itself.
        let leave =
            (apart && matches!(last, Some(Verdict::Mark { .. }))).then_some(Expression::Verdict(VerdictObject::Return));
        let rule = |way: Vec<Expression>| {
            let expressions = head.iter().cloned().chain(way).chain(leave.clone()).collect();
            RuleObject { expressions, comment: rule.comment.clone() }
        };
        ways.into_iter().map(rule).collect::<Vec<_>>()
    });
    if apart {
        let name = format!("{chain}.{number}");
        chains.insert(name.clone(), ChainObject { base: None, foreign_base: None, rules: rules.collect() });
        let jump = Expression::Verdict(VerdictObject::Jump(name));
        into.push(RuleObject { expressions: vec![jump], comment: rule.comment.clone() });
    } else {
        into.extend(rules);
    }
}

/// The ways a rule's matches can be true: one list of expressions each. None when a set it asks for is empty.
fn alternatives(family: TableFamily, table: &Table, rule: &Rule) -> Vec<Vec<Expression>> {
    let mut ways = vec![Vec::new()];
    for condition in &rule.matches {
        let tails = match condition {
            Match::In { field, set } => match table.sets.get(set) {
                Some(Set::Prefixes(prefixes)) => lookups(family, prefixes, *field, set),
                Some(Set::Tuples(_)) | None => Vec::new(),
            },
            Match::Tuple { of, set } => match table.sets.get(set) {
                Some(Set::Tuples(_)) => {
                    let mut way = load(family, of);
                    way.push(Expression::Lookup { set: set.clone(), register: REGISTER, inverted: false });
                    vec![way]
                }
                Some(Set::Prefixes(_)) | None => Vec::new(),
            },
            Match::NoConnection => vec![vec![
                Expression::Conntrack { key: CT_STATE, direction: None, to: REGISTER },
                mask((STATE_INVALID | STATE_UNTRACKED).to_ne_bytes().to_vec()),
                compare(false, vec![0; 4]),
            ]],
            Match::BeginsWithoutSyn => vec![vec![
                Expression::Meta { key: META_PROTOCOL, to: REGISTER },
                compare(true, vec![TCP]),
                Expression::Conntrack { key: CT_STATE, direction: None, to: REGISTER },
                mask(STATE_NEW.to_ne_bytes().to_vec()),
                compare(false, vec![0; 4]),
                Expression::Payload { header: Header::Transport, offset: TCP_FLAGS, length: 1, to: REGISTER },
                mask(vec![TCP_SYN]),
                compare(true, vec![0]),
            ]],
            Match::Begins => vec![vec![
                Expression::Conntrack { key: CT_STATE, direction: None, to: REGISTER },
                mask(STATE_NEW.to_ne_bytes().to_vec()),
                compare(false, vec![0; 4]),
            ]],
            Match::LocalSource => vec![vec![
                Expression::Fib { result: FIB_ADDRESS_TYPE, flags: FIB_SOURCE, to: REGISTER },
                compare(true, ROUTE_LOCAL.to_ne_bytes().to_vec()),
            ]],
            Match::DestinationTranslated => vec![vec![
                Expression::Conntrack { key: CT_STATUS, direction: None, to: REGISTER },
                mask(STATUS_DESTINATION_NAT.to_ne_bytes().to_vec()),
                compare(false, vec![0; 4]),
            ]],
            Match::Marked { of, bits } => {
                let load = match of {
                    MarkOf::Packet => Expression::Meta { key: META_MARK, to: REGISTER },
                    MarkOf::Connection => Expression::Conntrack { key: CT_MARK, direction: None, to: REGISTER },
                };
                let bits = bits.to_ne_bytes().to_vec();
                vec![vec![load, mask(bits.clone()), compare(true, bits)]]
            }
            Match::LocalDestination => vec![vec![
                Expression::Fib { result: FIB_ADDRESS_TYPE, flags: FIB_DESTINATION, to: REGISTER },
                compare(true, ROUTE_LOCAL.to_ne_bytes().to_vec()),
            ]],
            Match::SourceTranslated => vec![vec![
                Expression::Conntrack { key: CT_STATUS, direction: None, to: REGISTER },
                mask(STATUS_SOURCE_NAT.to_ne_bytes().to_vec()),
                compare(false, vec![0; 4]),
            ]],
            Match::OriginalDirection => vec![vec![
                Expression::Conntrack { key: CT_DIRECTION, direction: None, to: REGISTER },
                compare(true, vec![0]),
            ]],
        };
        ways = ways
            .iter()
            .flat_map(|head| tails.iter().map(move |tail| head.iter().chain(tail).cloned().collect()))
            .collect();
    }
    ways
}

fn lookups(family: TableFamily, prefixes: &PrefixSet, field: AddressField, set: &str) -> Vec<Vec<Expression>> {
    let (header_family, saddr, daddr, length) = match prefixes.family() {
        Family::V4 => (2, 12, 16, 4),
        Family::V6 => (10, 8, 24, 16),
    };
    let offset = match field {
        AddressField::Source => saddr,
        AddressField::Destination => daddr,
    };
    let mut guard = Vec::new();
    match (family, prefixes.family()) {
        (TableFamily::Ip, Family::V4) | (TableFamily::Ip6, Family::V6) => {}
        (TableFamily::Inet, _) => {
            guard.push(Expression::Meta { key: META_FAMILY, to: REGISTER });
            guard.push(compare(true, vec![header_family]));
        }
        // A packet of this table never has an address of that family.
        _ => return Vec::new(),
    }
    prefixes
        .lengths()
        .keys()
        .map(|prefix| {
            let mut expressions = guard.clone();
            expressions.push(Expression::Payload { header: Header::Network, offset, length, to: REGISTER });
            if *prefix < prefixes.family().width() {
                expressions.push(mask(netmask(prefixes.family(), *prefix)));
            }
            let set = set_of_length(set, *prefix);
            expressions.push(Expression::Lookup { set, register: REGISTER, inverted: false });
            expressions
        })
        .collect()
}

/// Loads values side by side.
fn load(family: TableFamily, of: &[Ask]) -> Vec<Expression> {
    let mut into = Vec::new();
    // Tables of both families have no addresses of one width: tuples with addresses are for tables of one.
    let six = family == TableFamily::Ip6;
    let (ct_source, saddr, daddr, length) = if six { (CT_SOURCE_V6, 8, 24, 16) } else { (CT_SOURCE_V4, 12, 16, 4) };
    let width = if six { Family::V6 } else { Family::V4 };
    let mut to = REGISTER;
    for ask in of {
        let masked = |bits: u8, into: &mut Vec<Expression>| {
            if bits < width.width() {
                let mask = netmask(width, bits);
                into.push(Expression::Bitwise { from: to, to, xor: vec![0; mask.len()], mask });
            }
        };
        let registers = match ask {
            Ask::Beginner(bits) | Ask::Answerer(bits) => {
                let direction = Some(u8::from(matches!(ask, Ask::Answerer(_))));
                into.push(Expression::Conntrack { key: ct_source, direction, to });
                masked(*bits, &mut into);
                length / 4
            }
            Ask::Address(field, bits) => {
                let offset = if *field == AddressField::Source { saddr } else { daddr };
                into.push(Expression::Payload { header: Header::Network, offset, length, to });
                masked(*bits, &mut into);
                length / 4
            }
            Ask::Protocol => {
                into.push(Expression::Conntrack { key: CT_PROTOCOL, direction: None, to });
                1
            }
            Ask::Port => {
                into.push(Expression::Conntrack { key: CT_SOURCE_PORT, direction: Some(1), to });
                1
            }
        };
        to = Register(to.0.saturating_add(u8::try_from(registers).unwrap_or(u8::MAX)));
    }
    into
}

/// The ones of a prefix length, in network byte order.
pub(crate) fn netmask(family: Family, length: u8) -> Vec<u8> {
    let ones = u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(length))).unwrap_or(0);
    ones.to_be_bytes().into_iter().take(usize::from(family.width() / 8)).collect()
}

fn mask(mask: Vec<u8>) -> Expression {
    let xor = vec![0; mask.len()];
    Expression::Bitwise { from: REGISTER, to: REGISTER, mask, xor }
}

fn compare(equal: bool, value: Vec<u8>) -> Expression {
    Expression::Compare { register: REGISTER, equal, value }
}

/// What carries a verdict out: the ends of one rule, or of several that are asked one after the other.
fn verdict_expressions(family: TableFamily, verdict: &Verdict) -> Vec<Vec<Expression>> {
    let one = |expression: Expression| vec![vec![expression]];
    let end = |verdict: VerdictObject| one(Expression::Verdict(verdict));
    match verdict {
        Verdict::Accept => end(VerdictObject::Accept),
        Verdict::Drop => end(VerdictObject::Drop),
        Verdict::Return => end(VerdictObject::Return),
        Verdict::Jump(chain) => end(VerdictObject::Jump(chain.clone())),
        Verdict::Goto(chain) => end(VerdictObject::Goto(chain.clone())),
        Verdict::Masquerade { fully_random } => {
            one(Expression::Masquerade { flags: if *fully_random { FULLY_RANDOM } else { 0 } })
        }
        Verdict::Lead { of, map } => {
            let mut way = load(family, of);
            way.push(Expression::Lead { map: map.clone(), register: REGISTER });
            vec![way]
        }
        Verdict::Source(address) => vec![nat(true, &End { address: *address, port: None })],
        Verdict::Redirect(ends) => {
            let ways = ends.iter().enumerate().map(|(at, end)| {
                // Of those that are left each is as likely; the last takes what comes to it.
                let left = u32::try_from(ends.len().saturating_sub(at)).unwrap_or(u32::MAX);
                let mut way = Vec::new();
                if left > 1 {
                    way.push(Expression::Number { modulus: left, to: REGISTER });
                    way.push(compare(true, 0_u32.to_ne_bytes().to_vec()));
                }
                way.extend(nat(false, end));
                way
            });
            ways.collect()
        }
        Verdict::Mark { of, bits } => {
            let (load, store) = match of {
                MarkOf::Packet => {
                    let key = META_MARK;
                    (Expression::Meta { key, to: REGISTER }, Expression::SetMeta { key, from: REGISTER })
                }
                MarkOf::Connection => {
                    let key = CT_MARK;
                    let load = Expression::Conntrack { key, direction: None, to: REGISTER };
                    (load, Expression::SetConntrack { key, from: REGISTER })
                }
            };
            let (mask, xor) = ((!bits).to_ne_bytes().to_vec(), bits.to_ne_bytes().to_vec());
            vec![vec![load, Expression::Bitwise { from: REGISTER, to: REGISTER, mask, xor }, store]]
        }
        Verdict::Reject => one(match family {
            TableFamily::Ip => Expression::Reject { kind: REJECT_ICMP, code: PORT_UNREACHABLE_V4 },
            TableFamily::Ip6 => Expression::Reject { kind: REJECT_ICMP, code: PORT_UNREACHABLE_V6 },
            TableFamily::Inet => Expression::Reject { kind: REJECT_EITHER, code: PORT_UNREACHABLE },
        }),
    }
}

/// Translates to an address and perhaps a port.
fn nat(source: bool, end: &End) -> Vec<Expression> {
    let (family, registers) = match end.address {
        IpAddr::V4(_) => (PROTOCOL_FAMILY_V4, 1),
        IpAddr::V6(_) => (PROTOCOL_FAMILY_V6, 4),
    };
    let mut way = vec![Expression::Immediate { to: REGISTER, value: with_octets(end.address, <[u8]>::to_vec) }];
    let port = end.port.map(|port| {
        let to = Register(REGISTER.0.saturating_add(registers));
        way.push(Expression::Immediate { to, value: port.to_be_bytes().to_vec() });
        to
    });
    let flags = RANGE_ADDRESS | if port.is_some() { RANGE_PORT } else { 0 };
    way.push(Expression::Nat { source, family, address: Some(REGISTER), port, flags });
    way
}

#[cfg(test)]
mod tests;
