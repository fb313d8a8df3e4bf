//! Tables of others: the chain of the agent before, and rules that get packets before ours.

use super::objects::{ChainObject, Expression, ObservedTable, Op, RuleObject, VerdictObject};
use crate::ruleset::{ChainKind, Hook, TableFamily, TableId};
use crate::{iptables, masquerade};
use causeway_addr::Family;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The chain all packets on their way out meet, in iptables' words.
const POSTROUTING: &str = "POSTROUTING";

/// Removes the agent's chain and the rules of POSTROUTING that lead to it, in whatever words their comment is written, from a table
/// iptables keeps in nf_tables (`ip nat`, `ip6 nat`). Everything else stays: where a rule of somebody else's leads to the chain too,
/// the chain stays for it and is emptied.
///
/// Nothing when there is nothing of the agent's, when the name is that of a chain the kernel enters by itself, or when the chain is somebody
/// else's: it is the agent's if it has the agents' usual name, or if one of its rules or of the jumps to it has an agent's comment.
pub fn take_over(table: &TableId, observed: &ObservedTable, chain: &str) -> Vec<Op> {
    let chains = &observed.objects.chains;
    if chains.get(chain).is_some_and(|chain| chain.base.is_some() || chain.foreign_base.is_some()) {
        return Vec::new();
    }
    let own = chains.get(chain).into_iter().flat_map(|chain| &chain.rules);
    let posts = chains.get(POSTROUTING).into_iter().flat_map(|chain| &chain.rules);
    let jumps = posts.filter(|rule| targets(rule).any(|target| target == chain));
    if chain != iptables::CHAIN && !own.chain(jumps).any(is_agents) {
        return Vec::new();
    }
    let mut ops = Vec::new();
    let mut kept = false;
    for (name, found) in chains.iter().filter(|(name, _)| *name != chain) {
        let handles = observed.handles.get(name).into_iter().flatten();
        let leading = found.rules.iter().zip(handles).filter(|(rule, _)| targets(rule).any(|target| target == chain));
        for (_, handle) in leading {
            if name == POSTROUTING {
                ops.push(Op::DeleteRule { table: table.clone(), chain: name.clone(), handle: *handle });
            } else {
                kept = true;
            }
        }
    }
    match chains.get(chain) {
        Some(found) if kept && !found.rules.is_empty() => {
            ops.push(Op::FlushChain { table: table.clone(), name: chain.to_owned() });
        }
        Some(_) if !kept => ops.push(Op::DeleteChain { table: table.clone(), name: chain.to_owned() }),
        _ => {}
    }
    ops
}

/// Whether an agent wrote a rule, by its comment: that of nft, or that of the extension of iptables.
fn is_agents(rule: &RuleObject) -> bool {
    let words = iptables::COMMENTS.as_bytes();
    let says = |expression: &Expression| match expression {
        Expression::Other { name, extension, data } if name == "match" && extension == "comment" => {
            data.windows(words.len()).any(|part| part == words)
        }
        _ => false,
    };
    rule.comment.trim_start_matches('"').starts_with(iptables::COMMENTS) || rule.expressions.iter().any(says)
}

/// A rule of somebody else's that may translate packets before ours are asked.
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
    /// How it translates: `masquerade`, `snat`, `MASQUERADE`, ...
    pub how: String,
    /// The base chain that leads to it.
    pub base: String,
    /// That chain's priority; lower is earlier.
    pub priority: i32,
    /// Every packet that gets to the rule is translated; false = it has conditions.
    pub everything: bool,
    /// Whose it is, where the name of the chain says so.
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
        let what = if self.everything { "every packet" } else { "packets" };
        write!(f, " translates {what} ({how}) before ours, from chain `{base}` at priority {priority}")
    }
}

/// Rules of others that may translate packets of a family before ours: reachable from a nat chain at postrouting whose priority is
/// not above ours. At the same priority the chain that was registered last comes first, so it counts as earlier.
pub fn shadows(family: Family, observed: &BTreeMap<TableId, ObservedTable>) -> Vec<Shadow> {
    let ours = masquerade::table(family);
    let same_packets = |id: &TableId| id.family == TableFamily::Inet || id.family == ours.family;
    let mut found = Vec::new();
    for (id, table) in observed.iter().filter(|(id, _)| **id != ours && same_packets(id)) {
        let chains = &table.objects.chains;
        for (name, chain) in chains {
            let Some(base) = chain.base.filter(|base| {
                base.kind == ChainKind::Nat && base.hook == Hook::Postrouting && base.priority <= masquerade::PRIORITY
            }) else {
                continue;
            };
            for reached in reachable(chains, name) {
                let rules = chains.get(reached).map(|chain| chain.rules.iter().enumerate()).into_iter().flatten();
                found.extend(rules.filter_map(|(at, rule)| {
                    let (how, everything) = translation(rule)?;
                    Some(Shadow {
                        table: id.clone(),
                        chain: reached.to_owned(),
                        rule: at,
                        comment: rule.comment.clone(),
                        how,
                        base: name.clone(),
                        priority: base.priority,
                        everything,
                        owner: owner(id, reached),
                    })
                }));
            }
        }
    }
    found.sort_by_key(|shadow| shadow.priority);
    found
}

/// Chains whose rules a packet may meet. A verdict map's targets are not known, so one may lead to every chain of the table.
fn reachable<'a>(chains: &'a BTreeMap<String, ChainObject>, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        let Some(chain) = chains.get(name) else { continue };
        if !reached.insert(name) {
            continue;
        }
        for rule in &chain.rules {
            open.extend(targets(rule));
            let maps =
                |e: &Expression| matches!(e, Expression::Other { name, .. } if name == "lookup" || name == "immediate");
            if rule.expressions.iter().any(maps) {
                open.extend(chains.iter().filter(|(_, chain)| chain.base.is_none()).map(|(name, _)| name.as_str()));
            }
        }
    }
    reached
}

fn targets(rule: &RuleObject) -> impl Iterator<Item = &str> {
    rule.expressions.iter().filter_map(|expression| match expression {
        Expression::Verdict(VerdictObject::Jump(chain) | VerdictObject::Goto(chain)) => Some(chain.as_str()),
        _ => None,
    })
}

/// How a rule translates sources, and whether it does so without conditions.
fn translation(rule: &RuleObject) -> Option<(String, bool)> {
    const TARGETS: &[&str] = &["MASQUERADE", "SNAT", "NETMAP"];
    let mut everything = true;
    for expression in &rule.expressions {
        match expression {
            Expression::Masquerade { .. } => return Some(("masquerade".to_owned(), everything)),
            Expression::Other { name, .. } if name == "nat" => return Some(("snat".to_owned(), everything)),
            Expression::Other { name, extension, .. } if name == "target" && TARGETS.contains(&extension.as_str()) => {
                return Some((extension.clone(), everything));
            }
            Expression::Counter | Expression::CountOn(_) => {}
            Expression::Other { name, extension, .. } if name == "match" && extension == "comment" => {}
            _ => everything = false,
        }
    }
    None
}

/// Who makes chains of that name, where it says so.
pub fn owner(table: &TableId, chain: &str) -> Option<&'static str> {
    if table.name == "kube-proxy" || chain.starts_with("KUBE-") {
        return Some("kube-proxy");
    }
    if chain.starts_with("CNI-HOSTPORT-") || table.name == "cni_hostport" {
        return Some("the portmap plugin");
    }
    if chain.starts_with("SWIFT") {
        return Some("the platform's own translation");
    }
    match chain {
        "IP-MASQ-AGENT" => Some("ip-masq-agent"),
        _ => chain.starts_with("CILIUM_").then_some("Cilium"),
    }
}

#[cfg(test)]
mod tests;
