//! Which iptables a node's other programs use.

use super::save::Saved;
use std::fmt;

/// The two programs that are called iptables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// Rules kept in nf_tables (`iptables-nft-restore`).
    Nft,
    /// Rules of their own in the kernel (`iptables-legacy-restore`).
    Legacy,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Variant::Nft => "nft",
            Variant::Legacy => "legacy",
        })
    }
}

/// Which variant the node uses, and what says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detected {
    /// Kubernetes' chains are there.
    Marked {
        /// In this variant.
        variant: Variant,
        /// The chain that says so.
        chain: &'static str,
        /// They are in the other as well: rules of both are evaluated, and one of the two is probably a leftover.
        both: bool,
    },
    /// None of Kubernetes' chains; one variant has rules and the other has none.
    Used(Variant),
    /// Nothing says anything.
    Unknown,
}

impl Detected {
    /// The variant to use; with nothing to go by, nft.
    pub fn variant(&self) -> Variant {
        match self {
            Detected::Marked { variant, .. } | Detected::Used(variant) => *variant,
            Detected::Unknown => Variant::Nft,
        }
    }
}

impl fmt::Display for Detected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Detected::Marked { variant, chain, both } => {
                write!(f, "{variant}, because chain `{chain}` is there")?;
                if *both { f.write_str("; Kubernetes' chains are in the other variant too") } else { Ok(()) }
            }
            Detected::Used(variant) => write!(f, "{variant}, because only that variant has rules"),
            Detected::Unknown => f.write_str("nft, because neither variant has rules"),
        }
    }
}

/// Chains that the kubelet and kube-proxy make so that others can tell which variant the node uses; the first is made for that alone.
const MARKS: &[&str] = &["KUBE-IPTABLES-HINT", "KUBE-KUBELET-CANARY", "KUBE-PROXY-CANARY"];

/// Tells by what both variants print; `None` = the program is not there, or printed nothing that could be read.
pub fn detect(nft: Option<&Saved>, legacy: Option<&Saved>) -> Detected {
    let marked =
        [(Variant::Nft, nft), (Variant::Legacy, legacy)].map(|(variant, saved)| Some((variant, mark(saved?)?)));
    let [first, second] = marked;
    if let Some((variant, chain)) = first.or(second) {
        return Detected::Marked { variant, chain, both: first.is_some() && second.is_some() };
    }
    match (nft.is_some_and(has_rules), legacy.is_some_and(has_rules)) {
        (true, false) => Detected::Used(Variant::Nft),
        (false, true) => Detected::Used(Variant::Legacy),
        _ => Detected::Unknown,
    }
}

fn mark(saved: &Saved) -> Option<&'static str> {
    let there = |mark: &str| saved.tables.values().any(|table| table.chains.contains_key(mark));
    MARKS.iter().find(|mark| there(mark)).copied()
}

fn has_rules(saved: &Saved) -> bool {
    saved.tables.values().flat_map(|table| table.chains.values()).any(|chain| !chain.rules.is_empty())
}
