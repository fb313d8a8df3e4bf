//! From rules to the objects of nf_tables.
//!
//! A set of prefixes becomes a hash set per prefix length: adding a prefix costs the same at any size, and a lookup costs a
//! hash per length present instead of a walk down a tree. A rule that looks addresses up becomes a rule per length.

use super::objects::{
    ChainObject, Expression, Header, KeyType, Keys, Register, RuleObject, SetObject, TableObjects, VerdictObject,
};
use crate::prefixes::PrefixSet;
use crate::ruleset::{AddressField, Match, Rule, Ruleset, Set, Table, TableFamily, TableId, Verdict};
use causeway_addr::Family;
use std::collections::BTreeMap;

/// The register everything goes through; a rule looks at one thing after the other.
const REGISTER: Register = Register(0);
/// `NFT_FIB_RESULT_ADDRTYPE`.
pub(crate) const FIB_ADDRESS_TYPE: u32 = 3;
/// `NFTA_FIB_F_DADDR`.
pub(crate) const FIB_DESTINATION: u32 = 2;
/// `RTN_LOCAL`.
pub(crate) const ROUTE_LOCAL: u32 = 2;
/// `NFT_CT_DIRECTION`.
pub(crate) const CT_DIRECTION: u32 = 1;
/// `NFT_CT_STATUS`.
pub(crate) const CT_STATUS: u32 = 2;
/// `IPS_SRC_NAT`.
pub(crate) const STATUS_SOURCE_NAT: u32 = 1 << 4;
/// `NFT_META_NFPROTO`.
pub(crate) const META_FAMILY: u32 = 15;
/// `NF_NAT_RANGE_PROTO_RANDOM_FULLY`.
pub const FULLY_RANDOM: u32 = 16;

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
    let mut objects = TableObjects { counters: table.counters.clone(), ..TableObjects::default() };
    for (name, set) in &table.sets {
        let Set::Prefixes(prefixes) = set;
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
    SetObject { key, size: growth.size(elements.len()), flags: 0, elements }
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
    let apart = heads.len() > 1 && matches!(rule.verdict, None | Some(Verdict::Jump(_)));
    let last = match (&rule.verdict, apart) {
        (None, true) => Some(Verdict::Return),
        (Some(Verdict::Jump(target)), true) => Some(Verdict::Goto(target.clone())),
        (verdict, _) => verdict.clone(),
    };
    let rules = heads.into_iter().map(|mut expressions| {
        expressions.extend(rule.counter.clone().map(Expression::CountOn));
        expressions.extend(last.as_ref().map(verdict_expression));
        RuleObject { expressions, comment: rule.comment.clone() }
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
                None => Vec::new(),
            },
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

fn verdict_expression(verdict: &Verdict) -> Expression {
    Expression::Verdict(match verdict {
        Verdict::Accept => VerdictObject::Accept,
        Verdict::Drop => VerdictObject::Drop,
        Verdict::Return => VerdictObject::Return,
        Verdict::Jump(chain) => VerdictObject::Jump(chain.clone()),
        Verdict::Goto(chain) => VerdictObject::Goto(chain.clone()),
        Verdict::Masquerade { fully_random } => {
            return Expression::Masquerade { flags: if *fully_random { FULLY_RANDOM } else { 0 } };
        }
    })
}

#[cfg(test)]
mod tests;
