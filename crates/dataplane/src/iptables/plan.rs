//! The way from what is there to what should be there, as text for `iptables-restore --noflush`.
//!
//! One text is one transaction: the chain is emptied and filled, stale jumps go and the right one comes, or nothing of it happens. There is
//! no moment in which the chain is empty. A rule is removed by its own words, never by its number, so that a rule somebody else
//! inserted in the meantime can't be hit: then the transaction fails and is planned again.

use super::rule::Rule;
use super::save::Saved;
use super::{CHAIN, POSTROUTING, TABLE, Wanted, agents_chain, is_agents};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What to do, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// For `iptables-restore --noflush`, with a lock; `None` = nothing to do.
    pub restore: Option<String>,
    /// What differs, in words.
    pub drift: Vec<String>,
}

/// Plans the way. Chains and jumps of the agent under another name, known by the words of the jump's comment, are removed.
///
/// A chain of somebody else's that has the wanted name would be overwritten: [`taken`] tells, and is to be asked before.
///
/// The jump is appended when it is missing and then stays where it is, as the reference leaves it: two programs that both want to be last
/// would never come to rest.
pub fn plan(wanted: &Wanted, observed: &Saved) -> Plan {
    let mut drift = Vec::new();
    let mut lines = Vec::new();
    let chain = wanted.chain.as_str();
    match observed.chain(TABLE, chain) {
        None => drift.push(format!("chain `{chain}` is missing")),
        Some(found) => differences(wanted, &found.rules, &mut drift),
    }
    if !drift.is_empty() {
        lines.push(format!(":{chain} - [0:0]"));
        lines.extend(wanted.rules.iter().map(|rule| format!("-A {chain} {rule}")));
    }
    let jump = wanted.jump.meaning();
    let jumps = jumps(observed, chain);
    // Of several that are right, the last stays: removing by words takes the first.
    let right = jumps.iter().rposition(|rule| rule.meaning() == jump);
    for (_, stale) in jumps.iter().enumerate().filter(|(at, _)| Some(*at) != right) {
        let another = stale.meaning() == jump;
        let what = if another { "there twice" } else { "written in other words" };
        drift.push(format!("the jump from {POSTROUTING} to `{chain}` is {what}"));
        lines.push(format!("-D {POSTROUTING} {stale}"));
    }
    if right.is_none() {
        if jumps.is_empty() {
            drift.push(format!("the jump from {POSTROUTING} to `{chain}` is missing"));
        }
        lines.push(format!("-A {POSTROUTING} {}", wanted.jump));
    }
    for other in agents(observed).into_iter().filter(|other| other != chain) {
        drift.push(format!("chain `{other}` of an agent is left over"));
        removal(observed, &other, &mut lines);
    }
    Plan { restore: transaction(&lines), drift }
}

/// Whether somebody else has a chain of that name: why it is taken for theirs, lower case. A chain is an agent's if it has the agents' usual
/// name, if one of its rules or of the rules that lead to it has an agent's comment, or if it is empty and nobody uses it.
pub fn taken(observed: &Saved, chain: &str) -> Option<String> {
    let found = observed.chain(TABLE, chain)?;
    if found.policy.is_some() {
        return Some(format!("chain `{chain}` is one that packets enter by themselves"));
    }
    let everybody = observed.chains(TABLE).flat_map(|(_, chain)| &chain.rules);
    let leading: Vec<&Rule> = everybody.filter(|rule| rule.leads_to() == Some(chain)).collect();
    let unused = found.rules.is_empty() && leading.is_empty();
    let agents = chain == CHAIN || found.rules.iter().any(is_agents) || leading.into_iter().any(is_agents);
    (!unused && !agents).then(|| {
        format!("chain `{chain}` is somebody else's: neither its rules nor the jumps to it have the comments of ip-masq-agent")
    })
}

/// Removes the chain of that name, unless it is [`taken`], and the jumps to it, and whatever an agent left under another name. `None` = there is nothing to remove.
///
/// A chain that a rule of somebody else's leads to is emptied and stays.
pub fn remove(observed: &Saved, chain: &str) -> Option<String> {
    let mut chains = agents(observed);
    if observed.chain(TABLE, chain).is_some() && taken(observed, chain).is_none() {
        chains.insert(chain.to_owned());
    }
    let mut lines = Vec::new();
    for chain in chains {
        removal(observed, &chain, &mut lines);
    }
    transaction(&lines)
}

fn transaction(lines: &[String]) -> Option<String> {
    if lines.is_empty() {
        return None;
    }
    let mut text = format!("*{TABLE}\n");
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    text.push_str("COMMIT\n");
    Some(text)
}

/// Chains agents' jumps lead to.
fn agents(observed: &Saved) -> BTreeSet<String> {
    let rules = observed.chain(TABLE, POSTROUTING).into_iter().flat_map(|chain| &chain.rules);
    rules.filter_map(|rule| agents_chain(&rule.meaning()).map(str::to_owned)).collect()
}

fn jumps<'a>(observed: &'a Saved, chain: &str) -> Vec<&'a Rule> {
    let rules = observed.chain(TABLE, POSTROUTING).into_iter().flat_map(|chain| &chain.rules);
    rules.filter(|rule| rule.leads_to() == Some(chain)).collect()
}

fn removal(observed: &Saved, chain: &str, lines: &mut Vec<String>) {
    lines.extend(jumps(observed, chain).into_iter().map(|rule| format!("-D {POSTROUTING} {rule}")));
    let Some(found) = observed.chain(TABLE, chain).filter(|found| found.policy.is_none()) else { return };
    let others = observed.chains(TABLE).filter(|(name, _)| *name != POSTROUTING && *name != chain);
    let used = others.flat_map(|(_, other)| &other.rules).any(|rule| rule.leads_to() == Some(chain));
    if !found.rules.is_empty() {
        lines.push(format!("-F {chain}"));
    }
    if !used {
        lines.push(format!("-X {chain}"));
    }
}

fn differences(wanted: &Wanted, found: &[Rule], drift: &mut Vec<String>) {
    let chain = &wanted.chain;
    let same = |(a, b): &(&Rule, &Rule)| a == b || a.meaning() == b.meaning();
    let head = wanted.rules.iter().zip(found).take_while(same).count();
    if head == wanted.rules.len() && head == found.len() {
        return;
    }
    let (want, have) = (wanted.rules.len(), found.len());
    drift.push(match want.cmp(&have) {
        std::cmp::Ordering::Equal => format!("rule {} of chain `{chain}` is another than wanted", head + 1),
        _ => format!("chain `{chain}` has {have} rules instead of {want}, and differs from rule {} on", head + 1),
    });
}
