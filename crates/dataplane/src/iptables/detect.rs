//! Which iptables a node's other programs use.

use super::save::Saved;
use std::fmt;

/// Where a program that is called iptables keeps its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// In nf_tables (`iptables-nft-restore`).
    Nft,
    /// In the older tables of x_tables, behind one lock for all programs (`iptables-legacy-restore`).
    Legacy,
}

impl Variant {
    /// Its name as the programs print it and carry it in their own.
    pub fn as_str(self) -> &'static str {
        match self {
            Variant::Nft => "nft",
            Variant::Legacy => "legacy",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
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
    /// None of Kubernetes' chains, and both variants have rules.
    Mixed,
    /// Nobody has rules; the plain program is of this variant.
    Plain(Variant),
    /// Nobody has rules, and only the programs of this variant are there.
    Only(Variant),
}

impl Detected {
    /// The variant to use.
    pub fn variant(&self) -> Variant {
        match self {
            Detected::Marked { variant, .. }
            | Detected::Used(variant)
            | Detected::Plain(variant)
            | Detected::Only(variant) => *variant,
            Detected::Mixed => Variant::Nft,
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
            Detected::Mixed => f.write_str("nft, because both variants have rules and nothing says whose they are"),
            Detected::Plain(variant) => {
                write!(f, "{variant}, because neither variant has rules and the plain program is of that one")
            }
            Detected::Only(variant) => {
                write!(f, "{variant}, because neither variant has rules and only the programs of that one are there")
            }
        }
    }
}

/// Chains that the kubelet and kube-proxy make so that others can tell which variant the node uses; the first is made for that alone.
const MARKS: &[&str] = &["KUBE-IPTABLES-HINT", "KUBE-KUBELET-CANARY", "KUBE-PROXY-CANARY"];

/// Tells by what both variants print; `None` = its programs are not there, and what could not be read is empty. `plain` is the variant
/// of the program that is called `iptables` and nothing else. `None` when neither variant is there.
pub fn detect(nft: Option<&Saved>, legacy: Option<&Saved>, plain: Option<Variant>) -> Option<Detected> {
    let there = [nft.map(|saved| (Variant::Nft, saved)), legacy.map(|saved| (Variant::Legacy, saved))];
    let [first, second] = there.map(|there| there.and_then(|(variant, saved)| Some((variant, mark(saved)?))));
    if let Some((variant, chain)) = first.or(second) {
        return Some(Detected::Marked { variant, chain, both: first.is_some() && second.is_some() });
    }
    let variants: Vec<Variant> = there.iter().flatten().map(|(variant, _)| *variant).collect();
    match there.map(|there| there.is_some_and(|(_, saved)| has_rules(saved))) {
        [true, true] => Some(Detected::Mixed),
        [true, false] => Some(Detected::Used(Variant::Nft)),
        [false, true] => Some(Detected::Used(Variant::Legacy)),
        [false, false] => match plain.filter(|plain| variants.contains(plain)) {
            Some(plain) => Some(Detected::Plain(plain)),
            None => variants.first().copied().map(Detected::Only),
        },
    }
}

fn mark(saved: &Saved) -> Option<&'static str> {
    let there = |mark: &str| saved.tables.values().any(|table| table.chains.contains_key(mark));
    MARKS.iter().find(|mark| there(mark)).copied()
}

fn has_rules(saved: &Saved) -> bool {
    saved.tables.values().flat_map(|table| table.chains.values()).any(|chain| !chain.rules.is_empty())
}
