//! Objects and changes in nft's own language, as `nft list table` prints them.

use super::lower::{
    CT_DIRECTION, CT_MARK, CT_PROTOCOL, CT_SOURCE_PORT, CT_SOURCE_V4, CT_SOURCE_V6, CT_STATE, CT_STATUS,
};
use super::lower::{
    FIB_ADDRESS_TYPE, FIB_DESTINATION, FIB_SOURCE, FULLY_RANDOM, META_FAMILY, META_MARK, META_PROTOCOL,
};
use super::lower::{REJECT_EITHER, REJECT_ICMP, STATUS_DESTINATION_NAT};
use super::objects::{
    CHAIN_NUMBER, ChainObject, Expression, Header, KeyType, Keys, Op, Register, RuleObject, SetObject, TableObjects,
    VerdictObject, leads_to,
};
use crate::prefixes;
use crate::ruleset::{BaseChain, ChainKind, Hook, Policy, Rate, TableId};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// Tables as nft lists them. Counters stand at zero: what they count is no part of what is wanted.
pub fn tables(tables: &BTreeMap<TableId, TableObjects>) -> String {
    let mut text = String::new();
    for (id, table) in tables {
        let _ = writeln!(text, "{}", Listed(id, table));
    }
    text
}

/// Changes as commands of nft, one a line.
pub fn commands(ops: &[Op]) -> String {
    let mut text = String::new();
    for op in ops {
        let _ = writeln!(text, "{}", Command(op));
    }
    text
}

struct Listed<'a>(&'a TableId, &'a TableObjects);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Listed(id, table) = self;
        writeln!(f, "table {id} {{")?;
        if table.flags & 1 != 0 {
            writeln!(f, "\tflags dormant")?;
        }
        let mut parts: Vec<String> = Vec::new();
        parts.extend(table.counters.iter().map(|name| format!("\tcounter {name} {{\n\t\tpackets 0 bytes 0\n\t}}\n")));
        parts.extend(
            table.limits.iter().map(|(name, rate)| format!("\tlimit {name} {{\n\t\t{}\n\t}}\n", rate_words(*rate))),
        );
        parts.extend(table.sets.iter().map(|(name, set)| format!("{}", SetText(name, set))));
        parts.extend(table.chains.iter().map(|(name, chain)| format!("{}", ChainText(name, chain))));
        write!(f, "{}}}", parts.join("\n"))
    }
}

struct SetText<'a>(&'a str, &'a SetObject);

impl fmt::Display for SetText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SetText(name, set) = self;
        if set.leads {
            writeln!(f, "\tmap {name} {{\n\t\ttype {} : verdict", key_type(set.key))?;
        } else {
            writeln!(f, "\tset {name} {{\n\t\ttype {}", key_type(set.key))?;
        }
        if let Some(size) = set.size {
            writeln!(f, "\t\tsize {size}")?;
        }
        if set.flags != 0 && !set.leads {
            writeln!(f, "\t\tflags {:#x}", set.flags)?;
        }
        if !set.elements.is_empty() {
            writeln!(f, "\t\telements = {{ {} }}", entries(&set.elements, Some(set.key), set.leads))?;
        }
        writeln!(f, "\t}}")
    }
}

fn key_type(key: KeyType) -> String {
    let parts: Option<Vec<&str>> = parts(key.number).map(|(name, _)| name).collect();
    parts.map_or_else(|| format!("{} ({} bytes)", key.number, key.width), |parts| parts.join(" . "))
}

/// The types nft's number stands for, with the bytes of each.
fn parts(number: u32) -> impl Iterator<Item = (Option<&'static str>, usize)> {
    let all = (0..5).rev().map(move |at| number >> (6 * at)).filter(|rest| *rest != 0).map(|rest| rest & 63);
    all.map(|number| match number {
        7 => (Some("ipv4_addr"), 4),
        8 => (Some("ipv6_addr"), 16),
        12 => (Some("inet_proto"), 1),
        13 => (Some("inet_service"), 2),
        _ => (None, 0),
    })
}

fn entries(entries: &Keys, key: Option<KeyType>, leads: bool) -> String {
    let width = entries.width.saturating_sub(if leads { CHAIN_NUMBER } else { 0 });
    let texts = entries.iter().map(|entry| {
        let head = entry.get(..width).unwrap_or_default();
        let plain = || prefixes::address(head).map_or_else(|| hex(head), |address| address.to_string());
        let head = key.and_then(|key| words(head, key)).unwrap_or_else(plain);
        leads_to(entry).filter(|_| leads).map_or(head.clone(), |chain| format!("{head} : goto {chain}"))
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// A key part by part; `None` where a part is of a type without a name here.
fn words(key: &[u8], of: KeyType) -> Option<String> {
    let mut rest = key;
    let mut texts = Vec::new();
    for (name, width) in parts(of.number) {
        let (value, after) = rest.split_at_checked(width)?;
        // The next part begins at a multiple of four bytes.
        rest = after.get(width.next_multiple_of(4) - width..).unwrap_or_default();
        texts.push(match (name?, value) {
            ("ipv4_addr" | "ipv6_addr", value) => prefixes::address(value)?.to_string(),
            ("inet_proto", [6]) => "tcp".to_owned(),
            ("inet_proto", [17]) => "udp".to_owned(),
            ("inet_proto", [132]) => "sctp".to_owned(),
            ("inet_proto", [number]) => number.to_string(),
            ("inet_service", [high, low]) => u16::from_be_bytes([*high, *low]).to_string(),
            (_, value) => hex(value),
        });
    }
    Some(texts.join(" . "))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = "0x".to_owned();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

struct ChainText<'a>(&'a str, &'a ChainObject);

impl fmt::Display for ChainText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ChainText(name, chain) = self;
        writeln!(f, "\tchain {name} {{")?;
        if let Some(base) = &chain.base {
            writeln!(f, "\t\t{}", BaseText(base))?;
        }
        if let Some(base) = &chain.foreign_base {
            writeln!(f, "\t\t{base}")?;
        }
        for rule in &chain.rules {
            writeln!(f, "\t\t{}", RuleText(rule))?;
        }
        writeln!(f, "\t}}")
    }
}

struct BaseText<'a>(&'a BaseChain);

impl fmt::Display for BaseText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0.kind {
            ChainKind::Filter => "filter",
            ChainKind::Nat => "nat",
        };
        let hook = match self.0.hook {
            Hook::Prerouting => "prerouting",
            Hook::Input => "input",
            Hook::Forward => "forward",
            Hook::Output => "output",
            Hook::Postrouting => "postrouting",
        };
        let policy = match self.0.policy {
            Policy::Accept => "accept",
            Policy::Drop => "drop",
        };
        write!(f, "type {kind} hook {hook} priority {}; policy {policy};", Priority(self.0))
    }
}

/// nft names the usual priorities, and those up to ten away from them by their distance.
struct Priority<'a>(&'a BaseChain);

impl fmt::Display for Priority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMED: &[(&str, i32)] =
            &[("raw", -300), ("mangle", -150), ("dstnat", -100), ("filter", 0), ("security", 50), ("srcnat", 100)];
        let usual = NAMED.iter().filter(|(name, _)| match *name {
            "dstnat" => self.0.hook == Hook::Prerouting,
            "srcnat" => self.0.hook == Hook::Postrouting,
            _ => true,
        });
        let near = usual.min_by_key(|(_, priority)| self.0.priority.abs_diff(*priority));
        match near.map(|(name, priority)| (name, self.0.priority.saturating_sub(*priority))) {
            Some((name, 0)) => f.write_str(name),
            Some((name, more @ 1..=10)) => write!(f, "{name} + {more}"),
            Some((name, less @ -10..=-1)) => write!(f, "{name} - {}", -less),
            _ => write!(f, "{}", self.0.priority),
        }
    }
}

struct RuleText<'a>(&'a RuleObject);

impl fmt::Display for RuleText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<String> = Vec::new();
        // What each register holds, in words.
        let mut loaded: BTreeMap<Register, String> = BTreeMap::new();
        for expression in &self.0.expressions {
            match expression {
                Expression::Payload { header, offset, length, to } => {
                    loaded.insert(*to, payload(*header, *offset, *length));
                }
                Expression::Meta { key, to } => {
                    loaded.insert(*to, meta(*key));
                }
                Expression::Fib { result: FIB_ADDRESS_TYPE, flags: FIB_DESTINATION, to } => {
                    loaded.insert(*to, "fib daddr type".to_owned());
                }
                Expression::Fib { result: FIB_ADDRESS_TYPE, flags: FIB_SOURCE, to } => {
                    loaded.insert(*to, "fib saddr type".to_owned());
                }
                Expression::Immediate { to, value } => {
                    let words = match (prefixes::address(value), value.as_slice()) {
                        (_, [high, low]) => u16::from_be_bytes([*high, *low]).to_string(),
                        (Some(address), _) => address.to_string(),
                        (None, value) => hex(value),
                    };
                    loaded.insert(*to, words);
                }
                Expression::Number { modulus, to } => {
                    loaded.insert(*to, format!("numgen random mod {modulus}"));
                }
                Expression::SetMeta { key, from } => {
                    let value = loaded.get(from).map(String::as_str).unwrap_or_default();
                    words.push(format!("{} set {value}", meta(*key)));
                }
                Expression::SetConntrack { key, from } => {
                    let value = loaded.get(from).map(String::as_str).unwrap_or_default();
                    words.push(format!("{} set {value}", conntrack(*key, None)));
                }
                Expression::Nat { source, address, port, .. } => {
                    let of = |register: &Option<Register>| {
                        register.and_then(|register| loaded.get(&register)).map(String::as_str).unwrap_or_default()
                    };
                    let what = if *source { "snat" } else { "dnat" };
                    let address = of(address);
                    words.push(match port {
                        Some(_) if address.contains(':') => format!("{what} to [{address}]:{}", of(port)),
                        Some(_) => format!("{what} to {address}:{}", of(port)),
                        None => format!("{what} to {address}"),
                    });
                }
                Expression::Reject { kind, code } => words.push(reject(*kind, *code)),
                Expression::Fib { result, flags, to } => {
                    loaded.insert(*to, format!("fib {flags} {result}"));
                }
                Expression::Conntrack { key, direction, to } => {
                    loaded.insert(*to, conntrack(*key, *direction));
                }
                Expression::Bitwise { from, to, mask, xor } => {
                    let before = loaded.get(from).cloned().unwrap_or_default();
                    if before == "ct state" {
                        loaded.insert(*to, states(mask));
                    } else if before == "ct status" && *mask == STATUS_DESTINATION_NAT.to_ne_bytes() {
                        loaded.insert(*to, "ct status dnat".to_owned());
                    } else if matches!(before.as_str(), "meta mark" | "ct mark") {
                        loaded.insert(*to, marks(&before, mask, xor));
                    } else if before != "ct status" {
                        let mask = prefixes::address(mask).map_or_else(|| hex(mask), |mask| mask.to_string());
                        loaded.insert(*to, format!("{before} & {mask}"));
                    }
                }
                Expression::Compare { register, equal, value } => {
                    let of = loaded.get(register).map(String::as_str).unwrap_or_default();
                    words.push(compared(of, *equal, value));
                }
                Expression::Lookup { set, register, inverted } => {
                    let of = side_by_side(&loaded, *register);
                    // As nft does, which writes the sign where it would otherwise read a mask and a set.
                    let sign = match (*inverted, of.contains('&')) {
                        (true, _) => "!= ",
                        (false, true) => "== ",
                        (false, false) => "",
                    };
                    words.push(format!("{of} {sign}@{set}"));
                }
                Expression::Lead { map, register } => {
                    words.push(format!("{} vmap @{map}", side_by_side(&loaded, *register)));
                }
                Expression::CountOn(name) => words.push(format!("counter name \"{name}\"")),
                Expression::Within(limit) => words.push(format!("limit name \"{limit}\"")),
                Expression::Log { group, bytes, prefix } => {
                    let prefix = if prefix.is_empty() { String::new() } else { format!(" prefix \"{prefix}\"") };
                    let bytes = if *bytes == 0 { String::new() } else { format!(" snaplen {bytes}") };
                    words.push(format!("log{prefix} group {group}{bytes}"));
                }
                Expression::Counter => words.push("counter".to_owned()),
                Expression::Verdict(verdict) => words.push(verdict_words(verdict)),
                Expression::Masquerade { flags: FULLY_RANDOM } => words.push("masquerade fully-random".to_owned()),
                Expression::Masquerade { flags: 0 } => words.push("masquerade".to_owned()),
                Expression::Masquerade { flags } => words.push(format!("masquerade flags {flags}")),
                Expression::Other { name, extension, .. } => {
                    words.push(format!("xt {name} {extension}").trim_end().to_owned())
                }
            }
        }
        if !self.0.comment.is_empty() {
            words.push(format!("comment \"{}\"", self.0.comment));
        }
        f.write_str(&words.join(" "))
    }
}

/// A mark with bits set, or the bits of it that are asked for.
fn marks(before: &str, mask: &[u8], xor: &[u8]) -> String {
    let number = |bytes: &[u8]| bytes.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes));
    match (number(mask), number(xor)) {
        (mask, 0) => format!("{before} & {mask:#010x}"),
        (mask, bits) if mask == !bits => format!("{before} | {bits:#010x}"),
        (mask, bits) => format!("{before} & {mask:#010x} ^ {bits:#010x}"),
    }
}

fn reject(kind: u32, code: u8) -> String {
    match (kind, code) {
        // What nft says for itself where it need not say more.
        (REJECT_ICMP, 3 | 4) | (REJECT_EITHER, 1) => "reject".to_owned(),
        (1, _) => "reject with tcp reset".to_owned(),
        (REJECT_ICMP, code) => format!("reject with icmp {code}"),
        (REJECT_EITHER, code) => format!("reject with icmpx {code}"),
        (kind, code) => format!("reject {kind} {code}"),
    }
}

/// The values from a register on.
fn side_by_side(loaded: &BTreeMap<Register, String>, from: Register) -> String {
    loaded.range(from..).map(|(_, words)| words.as_str()).collect::<Vec<_>>().join(" . ")
}

fn meta(key: u32) -> String {
    match key {
        META_FAMILY => "meta nfproto".to_owned(),
        META_PROTOCOL => "meta l4proto".to_owned(),
        META_MARK => "meta mark".to_owned(),
        key => format!("meta {key}"),
    }
}

/// Which states a mask lets through, as nft says them.
fn states(mask: &[u8]) -> String {
    const NAMES: [(u32, &str); 5] = [(1, "invalid"), (2, "established"), (4, "related"), (8, "new"), (64, "untracked")];
    let mask = mask.first_chunk().map_or(0, |mask| u32::from_ne_bytes(*mask));
    let names: Vec<&str> = NAMES.iter().filter(|(bit, _)| mask & bit != 0).map(|(_, name)| *name).collect();
    format!("ct state {}", names.join(","))
}

fn conntrack(key: u32, direction: Option<u8>) -> String {
    let what = match key {
        CT_STATE => "state".to_owned(),
        CT_STATUS => "status".to_owned(),
        CT_MARK => "mark".to_owned(),
        CT_DIRECTION => "direction".to_owned(),
        CT_PROTOCOL => "protocol".to_owned(),
        CT_SOURCE_PORT => "proto-src".to_owned(),
        CT_SOURCE_V4 => "ip saddr".to_owned(),
        CT_SOURCE_V6 => "ip6 saddr".to_owned(),
        key => key.to_string(),
    };
    match direction {
        Some(0) => format!("ct original {what}"),
        Some(_) => format!("ct reply {what}"),
        None => format!("ct {what}"),
    }
}

fn payload(header: Header, offset: u32, length: u32) -> String {
    match (header, offset, length) {
        (Header::Network, 12, 4) => "ip saddr".to_owned(),
        (Header::Network, 16, 4) => "ip daddr".to_owned(),
        (Header::Network, 8, 16) => "ip6 saddr".to_owned(),
        (Header::Network, 24, 16) => "ip6 daddr".to_owned(),
        (Header::Transport, 13, 1) => "tcp flags".to_owned(),
        (Header::Network, offset, length) => format!("@nh,{},{}", offset * 8, length * 8),
        (Header::Transport, offset, length) => format!("@th,{},{}", offset * 8, length * 8),
    }
}

fn compared(loaded: &str, equal: bool, value: &[u8]) -> String {
    match (loaded, equal, value) {
        ("ct status", false, [0, 0, 0, 0]) => "ct status snat".to_owned(),
        (states, false, [0, 0, 0, 0]) if states.starts_with("ct state ") => states.to_owned(),
        ("meta l4proto", true, [6]) => "meta l4proto tcp".to_owned(),
        ("tcp flags & 0x02", true, [0]) => "tcp flags & syn == 0x0".to_owned(),
        ("ct status dnat", false, [0, 0, 0, 0]) => "ct status dnat".to_owned(),
        (numbers, true, value) if numbers.starts_with("numgen ") => format!("{numbers} {}", native(value)),
        (marks, true, value) if marks.starts_with("meta mark ") || marks.starts_with("ct mark ") => {
            format!("{marks} == {:#010x}", native(value))
        }
        ("fib saddr type", true, value) if value == super::lower::ROUTE_LOCAL.to_ne_bytes() => {
            "fib saddr type local".to_owned()
        }
        ("ct direction", true, [0]) => "ct direction original".to_owned(),
        ("meta nfproto", true, [2]) => "meta nfproto ipv4".to_owned(),
        ("meta nfproto", true, [10]) => "meta nfproto ipv6".to_owned(),
        ("fib daddr type", true, value) if value == super::lower::ROUTE_LOCAL.to_ne_bytes() => {
            "fib daddr type local".to_owned()
        }
        (loaded, equal, value) => format!("{loaded} {}{}", if equal { "" } else { "!= " }, hex(value)),
    }
}

fn native(value: &[u8]) -> u32 {
    value.first_chunk().map_or(0, |value| u32::from_ne_bytes(*value))
}

fn verdict_words(verdict: &VerdictObject) -> String {
    match verdict {
        VerdictObject::Accept => "accept".to_owned(),
        VerdictObject::Drop => "drop".to_owned(),
        VerdictObject::Return => "return".to_owned(),
        VerdictObject::Jump(chain) => format!("jump {chain}"),
        VerdictObject::Goto(chain) => format!("goto {chain}"),
        VerdictObject::Other(code) => format!("verdict {code}"),
    }
}

fn rate_words(rate: Rate) -> String {
    format!("rate {}/second burst {} packets", rate.per_second, rate.burst)
}

struct Command<'a>(&'a Op);

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Op::AddTable(table) => write!(f, "add table {table}"),
            Op::DeleteTable(table) => write!(f, "delete table {table}"),
            Op::AddCounter { table, name } => write!(f, "add counter {table} {name}"),
            Op::DeleteCounter { table, name } => write!(f, "delete counter {table} {name}"),
            Op::AddLimit { table, name, rate } => write!(f, "add limit {table} {name} {{ {}; }}", rate_words(*rate)),
            Op::DeleteLimit { table, name } => write!(f, "delete limit {table} {name}"),
            Op::AddSet { table, name, key, size } => {
                write!(f, "add set {table} {name} {{ type {};", key_type(*key))?;
                size.map_or(Ok(()), |size| write!(f, " size {size};"))?;
                f.write_str(" }")
            }
            Op::AddMap { table, name, key, size } => {
                write!(f, "add map {table} {name} {{ type {} : verdict;", key_type(*key))?;
                size.map_or(Ok(()), |size| write!(f, " size {size};"))?;
                f.write_str(" }")
            }
            Op::AddPairs { table, map, pairs } => {
                write!(f, "add element {table} {map} {{ {} }}", entries(pairs, None, true))
            }
            Op::DeletePairs { table, map, pairs } => {
                write!(f, "delete element {table} {map} {{ {} }}", entries(pairs, None, true))
            }
            Op::DeleteSet { table, name } => write!(f, "delete set {table} {name}"),
            Op::AddElements { table, set, keys } => {
                write!(f, "add element {table} {set} {{ {} }}", entries(keys, None, false))
            }
            Op::DeleteElements { table, set, keys } => {
                write!(f, "delete element {table} {set} {{ {} }}", entries(keys, None, false))
            }
            Op::AddChain { table, name, base: None } => write!(f, "add chain {table} {name}"),
            Op::AddChain { table, name, base: Some(base) } => {
                write!(f, "add chain {table} {name} {{ {} }}", BaseText(base))
            }
            Op::DeleteChain { table, name } => write!(f, "delete chain {table} {name}"),
            Op::FlushChain { table, name } => write!(f, "flush chain {table} {name}"),
            Op::AddRule { table, chain, rule } => write!(f, "add rule {table} {chain} {}", RuleText(rule)),
            Op::DeleteRule { table, chain, handle } => write!(f, "delete rule {table} {chain} handle {handle}"),
        }
    }
}

#[cfg(test)]
mod tests;
