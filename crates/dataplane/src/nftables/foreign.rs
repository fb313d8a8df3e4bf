//! Tables of others: the chain of the agent before, and whose chains are whose.

use super::objects::{Expression, ObservedTable, Op, RuleObject, VerdictObject};
use crate::iptables;
use crate::ruleset::TableId;

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

fn targets(rule: &RuleObject) -> impl Iterator<Item = &str> {
    rule.expressions.iter().filter_map(|expression| match expression {
        Expression::Verdict(VerdictObject::Jump(chain) | VerdictObject::Goto(chain)) => Some(chain.as_str()),
        _ => None,
    })
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
