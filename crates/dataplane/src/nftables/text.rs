//! Objects and changes in nft's own language, as `nft list table` prints them.

use super::lower::{CT_DIRECTION, CT_STATUS, FIB_ADDRESS_TYPE, FIB_DESTINATION, FULLY_RANDOM, META_FAMILY};
use super::objects::{
    ChainObject, Expression, Header, KeyType, Keys, Op, RuleObject, SetObject, TableObjects, VerdictObject,
};
use crate::prefixes;
use crate::ruleset::{BaseChain, ChainKind, Hook, Policy, TableId};
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
        parts.extend(table.sets.iter().map(|(name, set)| format!("{}", SetText(name, set))));
        parts.extend(table.chains.iter().map(|(name, chain)| format!("{}", ChainText(name, chain))));
        write!(f, "{}}}", parts.join("\n"))
    }
}

struct SetText<'a>(&'a str, &'a SetObject);

impl fmt::Display for SetText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SetText(name, set) = self;
        writeln!(f, "\tset {name} {{\n\t\ttype {}", key_type(set.key))?;
        if let Some(size) = set.size {
            writeln!(f, "\t\tsize {size}")?;
        }
        if set.flags != 0 {
            writeln!(f, "\t\tflags {:#x}", set.flags)?;
        }
        if !set.elements.is_empty() {
            writeln!(f, "\t\telements = {{ {} }}", elements(&set.elements))?;
        }
        writeln!(f, "\t}}")
    }
}

fn key_type(key: KeyType) -> String {
    match key {
        KeyType::IPV4 => "ipv4_addr".to_owned(),
        KeyType::IPV6 => "ipv6_addr".to_owned(),
        KeyType { number, width } => format!("{number} ({width} bytes)"),
    }
}

fn elements(keys: &Keys) -> String {
    let keys: Vec<String> =
        keys.iter().map(|key| prefixes::address(key).map_or_else(|| hex(key), |key| key.to_string())).collect();
    keys.join(", ")
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
        let mut loaded = String::new();
        for expression in &self.0.expressions {
            match expression {
                Expression::Payload { header, offset, length, .. } => loaded = payload(*header, *offset, *length),
                Expression::Meta { key: META_FAMILY, .. } => loaded = "meta nfproto".to_owned(),
                Expression::Meta { key, .. } => loaded = format!("meta {key}"),
                Expression::Fib { result: FIB_ADDRESS_TYPE, flags: FIB_DESTINATION, .. } => {
                    loaded = "fib daddr type".to_owned();
                }
                Expression::Fib { result, flags, .. } => loaded = format!("fib {flags} {result}"),
                Expression::Conntrack { key: CT_STATUS, .. } => loaded = "ct status".to_owned(),
                Expression::Conntrack { key: CT_DIRECTION, .. } => loaded = "ct direction".to_owned(),
                Expression::Conntrack { key, .. } => loaded = format!("ct {key}"),
                Expression::Bitwise { .. } if loaded == "ct status" => {}
                Expression::Bitwise { mask, .. } => {
                    let mask = prefixes::address(mask).map_or_else(|| hex(mask), |mask| mask.to_string());
                    loaded = format!("{loaded} & {mask}");
                }
                Expression::Compare { equal, value, .. } => words.push(compared(&loaded, *equal, value)),
                Expression::Lookup { set, inverted, .. } => {
                    // As nft does, which writes the sign where it would otherwise read a mask and a set.
                    let sign = match (*inverted, loaded.contains('&')) {
                        (true, _) => "!= ",
                        (false, true) => "== ",
                        (false, false) => "",
                    };
                    words.push(format!("{loaded} {sign}@{set}"));
                }
                Expression::CountOn(name) => words.push(format!("counter name \"{name}\"")),
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

fn payload(header: Header, offset: u32, length: u32) -> String {
    match (header, offset, length) {
        (Header::Network, 12, 4) => "ip saddr".to_owned(),
        (Header::Network, 16, 4) => "ip daddr".to_owned(),
        (Header::Network, 8, 16) => "ip6 saddr".to_owned(),
        (Header::Network, 24, 16) => "ip6 daddr".to_owned(),
        (Header::Network, offset, length) => format!("@nh,{},{}", offset * 8, length * 8),
        (Header::Transport, offset, length) => format!("@th,{},{}", offset * 8, length * 8),
    }
}

fn compared(loaded: &str, equal: bool, value: &[u8]) -> String {
    match (loaded, equal, value) {
        ("ct status", false, [0, 0, 0, 0]) => "ct status snat".to_owned(),
        ("ct direction", true, [0]) => "ct direction original".to_owned(),
        ("meta nfproto", true, [2]) => "meta nfproto ipv4".to_owned(),
        ("meta nfproto", true, [10]) => "meta nfproto ipv6".to_owned(),
        ("fib daddr type", true, value) if value == super::lower::ROUTE_LOCAL.to_ne_bytes() => {
            "fib daddr type local".to_owned()
        }
        (loaded, equal, value) => format!("{loaded} {}{}", if equal { "" } else { "!= " }, hex(value)),
    }
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

struct Command<'a>(&'a Op);

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Op::AddTable(table) => write!(f, "add table {table}"),
            Op::DeleteTable(table) => write!(f, "delete table {table}"),
            Op::AddCounter { table, name } => write!(f, "add counter {table} {name}"),
            Op::DeleteCounter { table, name } => write!(f, "delete counter {table} {name}"),
            Op::AddSet { table, name, key, size } => {
                write!(f, "add set {table} {name} {{ type {};", key_type(*key))?;
                size.map_or(Ok(()), |size| write!(f, " size {size};"))?;
                f.write_str(" }")
            }
            Op::DeleteSet { table, name } => write!(f, "delete set {table} {name}"),
            Op::AddElements { table, set, keys } => write!(f, "add element {table} {set} {{ {} }}", elements(keys)),
            Op::DeleteElements { table, set, keys } => {
                write!(f, "delete element {table} {set} {{ {} }}", elements(keys))
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
