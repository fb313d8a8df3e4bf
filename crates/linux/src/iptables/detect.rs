//! Which iptables a node uses.

use super::{Iptables, Variant, legacy_tables};
use causeway_addr::Family;

/// A variant and the reason for it, to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// Rules of the node's other programs live here.
    pub variant: Variant,
    /// What tells so.
    pub because: String,
}

/// The chains that the kubelet leaves in table mangle for those who want to know which iptables it uses.
const HINTS: [&str; 2] = ["KUBE-IPTABLES-HINT", "KUBE-KUBELET-CANARY"];

/// Finds out which variant the node's other programs use: the kubelet's hint in nf_tables, then in the legacy tables, then
/// rules of any kind, then what the plain program is. `None` when there is no iptables at all.
pub fn detect(family: Family) -> Option<Detected> {
    let nft = Iptables::find(family, Variant::Nft).ok();
    let legacy = Iptables::find(family, Variant::Legacy).ok();
    // Asking the legacy program about a table creates it, so it is asked about those that are there only.
    let tables = legacy_tables(family);
    let there = |variant, table: &str| variant == Variant::Nft || tables.iter().any(|name| name == table);
    let programs: Vec<&Iptables> = [&nft, &legacy].into_iter().flatten().collect();
    for program in &programs {
        let saved =
            if there(program.variant, "mangle") { program.save("mangle").unwrap_or_default() } else { String::new() };
        if let Some(hint) = HINTS.iter().find(|hint| declares(&saved, hint)) {
            let because = format!("chain {hint} is in table mangle of {}", program.variant);
            return Some(Detected { variant: program.variant, because });
        }
    }
    for program in &programs {
        let saved = if there(program.variant, "nat") { program.save("nat").unwrap_or_default() } else { String::new() };
        let rules = saved.lines().filter(|line| line.starts_with("-A ")).count();
        if rules > 0 {
            let because = format!("table nat of {} has {rules} rules", program.variant);
            return Some(Detected { variant: program.variant, because });
        }
    }
    if let Some(variant) = Iptables::plain_variant(family)
        && programs.iter().any(|program| program.variant == variant)
    {
        let because = format!("nobody has rules yet, and the plain program is of the variant {variant}");
        return Some(Detected { variant, because });
    }
    let only = programs.first()?;
    Some(Detected {
        variant: only.variant,
        because: format!("only the programs of the variant {} are there", only.variant),
    })
}

/// The text of `iptables-save` has a chain.
fn declares(saved: &str, chain: &str) -> bool {
    saved.lines().any(|line| line.strip_prefix(':').and_then(|rest| rest.split(' ').next()) == Some(chain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_found_by_their_whole_name() {
        let saved =
            "*mangle\n:PREROUTING ACCEPT [0:0]\n:KUBE-IPTABLES-HINT-2 - [0:0]\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n";
        assert!(declares(saved, HINTS[1]));
        assert!(!declares(saved, HINTS[0]));
    }
}
