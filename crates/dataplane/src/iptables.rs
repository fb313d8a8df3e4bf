//! The masquerade as the chain of ip-masq-agent-v2, for nodes where people want to see that one.
//!
//! The rules are the reference's own, word for word (ip-masq-agent-v2, its source tree of 2025-09-05, and what `iptables-save` of 1.8.9
//! shows of them): a chain with a RETURN for link-local destinations, one per exempt prefix, a MASQUERADE at the end, and a jump to it
//! appended to POSTROUTING. What differs is only what the reference leaves to chance: prefixes stand in their own order.
//!
//! Two things the reference does not have are there only where settings ask for them: `--random-fully` on MASQUERADE
//! ([`Settings::random_fully`], which whoever wants exactly the reference's rules leaves off), and one MASQUERADE per source where only some
//! sources are translated.

mod detect;
mod interpret;
mod observed;
mod plan;
mod rule;
mod save;
mod steps;

pub use detect::{Detected, Variant, detect};
pub use interpret::interpret;
pub use observed::{Observed, observe};
pub use plan::{Plan, plan, remove, taken};
pub use rule::{Meaning, Rule, Target};
pub use save::{Chain, SaveError, SaveProblem, Saved, SavedTable, parse};
pub use steps::{Sought, steps};

use crate::masquerade::Settings;
use causeway_addr::{Cidr, Family};
use thiserror::Error;

/// The chain's usual name.
pub const CHAIN: &str = "IP-MASQ-AGENT";
/// The chain all packets on their way out meet.
pub const POSTROUTING: &str = "POSTROUTING";
/// The table it is in.
pub const TABLE: &str = "nat";
/// Bytes a chain's name may have (`XT_EXTENSION_MAXNAMELEN` less the end and a sign).
pub const LONGEST_NAME: usize = 28;

const KEPT: &str = "ip-masq-agent: local traffic is not subject to MASQUERADE";
const TRANSLATED: &str = "ip-masq-agent: outbound traffic is subject to MASQUERADE (must be last in chain)";
const JUMP_START: &str =
    "ip-masq-agent: ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom ";
const JUMP_END: &str = " chain";

/// A chain's name that iptables would not take, or that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ChainName {
    /// Nothing.
    #[error("a chain needs a name")]
    Empty,
    /// More than [`LONGEST_NAME`].
    #[error("a chain's name has at most 28 characters")]
    Long,
    /// White space, quotes, a leading dash or exclamation mark, control characters.
    #[error("a chain's name has letters, digits, `-`, `_`, `.` and the like, and begins with a letter or digit")]
    Characters,
    /// A chain or target that iptables has by itself.
    #[error("iptables has a chain or target of that name by itself")]
    Taken,
    /// A chain of another program.
    #[error("chains of that name are made by {0}")]
    Others(&'static str),
}

/// How names begin that other programs give their chains, and which programs: their sources as of 2025.
const OTHERS: &[(&str, &str)] = &[
    ("KUBE-", "Kubernetes"),
    ("CNI-", "plugins of the container network interface"),
    ("CILIUM_", "Cilium"),
    ("OLD_CILIUM_", "Cilium"),
    ("cali-", "Calico"),
    ("ANTREA-", "Antrea"),
    ("FLANNEL-", "flannel"),
    ("WEAVE", "Weave Net"),
    ("AWS-SNAT-CHAIN", "the network plugin of AWS"),
    ("ISTIO_", "Istio"),
    ("DOCKER", "Docker"),
    ("NETAVARK-", "Podman"),
    ("LIBVIRT_", "libvirt"),
    ("SWIFT", "the platform's own translation"),
];

/// Whether a chain may have that name.
///
/// # Errors
///
/// Why not.
pub fn check_name(name: &str) -> Result<(), ChainName> {
    const TAKEN: &[&str] = &[
        "PREROUTING",
        "INPUT",
        "FORWARD",
        "OUTPUT",
        "POSTROUTING",
        "ACCEPT",
        "DROP",
        "QUEUE",
        "RETURN",
        "MASQUERADE",
        "SNAT",
        "DNAT",
        "NETMAP",
        "REDIRECT",
        "MARK",
        "CONNMARK",
        "LOG",
        "REJECT",
    ];
    if name.is_empty() {
        Err(ChainName::Empty)
    } else if name.len() > LONGEST_NAME {
        Err(ChainName::Long)
    } else if TAKEN.contains(&name) {
        Err(ChainName::Taken)
    } else if let Some((_, whose)) = OTHERS.iter().find(|(prefix, _)| name.starts_with(prefix)) {
        Err(ChainName::Others(whose))
    } else if !name.starts_with(|c: char| c.is_ascii_alphanumeric())
        || !name.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\' | '#' | '*' | '!'))
    {
        Err(ChainName::Characters)
    } else {
        Ok(())
    }
}

/// The rules of a family: the chain, and the jump to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The chain's name.
    pub chain: String,
    /// Its rules in order.
    pub rules: Vec<Rule>,
    /// The rule of POSTROUTING that leads to it.
    pub jump: Rule,
}

/// What a family's nat table should have.
pub fn wanted(settings: &Settings, family: Family, chain: &str) -> Wanted {
    let link_local = settings.link_local(family);
    let exempt = settings.config.exempt.iter().filter(|cidr| cidr.family() == family);
    let mut exempt: Vec<Cidr> = exempt.copied().collect();
    exempt.sort();
    exempt.dedup();
    let kept = |destination: &Cidr| Rule::new([("-d", destination)], &[], KEPT, &["-j", "RETURN"]);
    let mut rules: Vec<Rule> = link_local.iter().chain(&exempt).map(kept).collect();
    let target: &[&str] =
        if settings.random_fully { &["-j", "MASQUERADE", "--random-fully"] } else { &["-j", "MASQUERADE"] };
    if settings.sources.is_empty() {
        rules.push(Rule::new([], &[], TRANSLATED, target));
    } else {
        let mut sources: Vec<Cidr> = settings.sources.iter().filter(|cidr| cidr.family() == family).copied().collect();
        sources.sort();
        sources.dedup();
        rules.extend(sources.iter().map(|source| Rule::new([("-s", source)], &[], TRANSLATED, target)));
    }
    let comment = format!("\"{JUMP_START}{chain}{JUMP_END}\"");
    let jump = Rule::new([], &["-m", "addrtype", "!", "--dst-type", "LOCAL"], &comment, &["-j", chain]);
    Wanted { chain: chain.to_owned(), rules, jump }
}

/// What the comments of all rules of all agents begin with, behind the literal quotes of one of them.
pub(crate) const COMMENTS: &str = "ip-masq-agent: ";

/// Whether an agent wrote a rule, by its comment.
fn is_agents(rule: &Rule) -> bool {
    rule.meaning().comment.is_some_and(|comment| comment.trim_start_matches('"').starts_with(COMMENTS))
}

/// The chain an agent's jump leads to, by the words of its comment, with the literal quotes of ip-masq-agent-v2 or without them as its
/// ancestor has it.
fn agents_chain(meaning: &Meaning) -> Option<&str> {
    let Some(Target::Chain(chain)) = &meaning.target else { return None };
    let comment = meaning.comment.as_deref()?.trim_matches('"');
    let named = comment.strip_prefix(JUMP_START)?.strip_suffix(JUMP_END)?;
    (named == chain).then_some(chain)
}

#[cfg(test)]
mod tests;
