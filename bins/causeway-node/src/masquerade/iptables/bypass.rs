//! Rules of others that keep packets from our chain: the jump to it stands last, and what ends the walk before it leaves packets
//! untranslated.

use crate::masquerade::kernel::Shadowing;
use causeway_addr::Family;
use causeway_dataplane::iptables::{Meaning, POSTROUTING, Rule, Saved, TABLE, Target};
use causeway_dataplane::masquerade::Settings;
use causeway_dataplane::nftables::owner;
use causeway_dataplane::ruleset::{TableFamily, TableId};
use std::collections::BTreeSet;

/// What lets packets go before they come to the jump to chain `ours`, unless they would have kept their source there too.
pub(super) fn bypasses(settings: &Settings, family: Family, saved: &Saved, ours: &str) -> Vec<Shadowing> {
    let table = TableId {
        family: if family == Family::V4 { TableFamily::Ip } else { TableFamily::Ip6 },
        name: TABLE.to_owned(),
    };
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![POSTROUTING.to_owned()];
    while let Some(name) = open.pop() {
        let Some(chain) = saved.chain(TABLE, &name).filter(|_| seen.insert(name.clone())) else { continue };
        let first = name == POSTROUTING;
        if first && chain.policy.as_deref() == Some("DROP") {
            let words = format!("table `{table}`: the policy of chain `{name}` drops packets that keep their source");
            found.push(Shadowing { owner: "unknown", expected: false, words });
        }
        for (at, rule) in chain.rules.iter().enumerate() {
            let meaning = rule.meaning();
            let how = match &meaning.target {
                Some(Target::Chain(target)) if first && target == ours => break,
                _ if never_ours(settings, family, &meaning) => continue,
                Some(Target::Accept) => "ACCEPT",
                Some(Target::Drop) => "DROP",
                Some(Target::Return) if first => "RETURN",
                // Nothing comes back from there to the chain that everything begins in.
                Some(Target::Goto(_)) if first => "goto",
                Some(Target::Chain(target) | Target::Goto(target)) => {
                    open.push(target.clone());
                    continue;
                }
                _ => continue,
            };
            let whose = owner(&table, &name);
            let by = whose.map_or_else(String::new, |owner| format!(", of {owner},"));
            let words = format!(
                "table `{table}`: rule {} of chain `{name}`{by} lets packets go ({how}) before our jump, and they are not translated",
                at + 1
            );
            let expected = whose.is_some() && has_conditions(rule);
            found.push(Shadowing { owner: whose.unwrap_or("unknown"), expected, words });
        }
    }
    found
}

/// No packet that it takes would be translated by us.
fn never_ours(settings: &Settings, family: Family, meaning: &Meaning) -> bool {
    // A prefix behind an exclamation mark is one that packets are not of.
    if meaning.others.iter().any(|word| word == "!") {
        return false;
    }
    let local = settings.link_local(family);
    let exempt = || settings.config.exempt.iter().chain(&local);
    let kept = meaning.destination.is_some_and(|to| exempt().any(|prefix| prefix.covers(&to)));
    let sources = &settings.sources;
    let others = meaning.source.is_some_and(|from| !sources.iter().any(|source| source.overlaps(&from)));
    kept || (others && !sources.is_empty())
}

fn has_conditions(rule: &Rule) -> bool {
    let Meaning { source, destination, not_local, others, .. } = rule.meaning();
    source.is_some() || destination.is_some() || not_local || !others.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_dataplane::iptables::{CHAIN, parse};
    use causeway_model::masquerade::MasqueradeConfig;

    fn found(sources: &[&str], rules: &str) -> Vec<String> {
        let chains = [POSTROUTING, "X", "Y", "KUBE-POSTROUTING", CHAIN].map(|chain| match chain {
            POSTROUTING => format!(":{chain} ACCEPT [0:0]\n"),
            _ => format!(":{chain} - [0:0]\n"),
        });
        let jump = "-A POSTROUTING -m addrtype ! --dst-type LOCAL -j IP-MASQ-AGENT\n-A POSTROUTING -j ACCEPT\n";
        let saved = parse(&format!("*nat\n{}{rules}\n{jump}COMMIT\n", chains.concat())).unwrap();
        let cidrs = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let config = MasqueradeConfig { exempt: cidrs(&["10.0.0.0/8"]), ..MasqueradeConfig::default() };
        let settings = Settings { config, sources: cidrs(sources), random_fully: false };
        let found = bypasses(&settings, Family::V4, &saved, CHAIN).into_iter();
        let shown = |rule: Shadowing| {
            let (_, rest) = rule.words.split_once(": ").unwrap();
            let how = rest.split(['(', ')']).nth(1).unwrap();
            format!("{how} of {}{}", rule.owner, if rule.expected { ", expected" } else { "" })
        };
        found.map(shown).collect()
    }

    #[test]
    fn what_ends_the_walk_before_our_jump_is_found() {
        for (rules, expected) in [
            ("-A POSTROUTING -j ACCEPT", "ACCEPT of unknown"),
            ("-A POSTROUTING -s 10.244.0.0/16 -j RETURN", "RETURN of unknown"),
            ("-A POSTROUTING ! -d 10.0.0.0/8 -j RETURN", "RETURN of unknown"),
            ("-A POSTROUTING -d 8.0.0.0/7 -j ACCEPT", "ACCEPT of unknown"),
            ("-A POSTROUTING -g X", "goto of unknown"),
            ("-A POSTROUTING -j X\n-A X -g Y\n-A Y -o eth1 -j ACCEPT", "ACCEPT of unknown"),
            (
                "-A POSTROUTING -j KUBE-POSTROUTING\n-A KUBE-POSTROUTING -o x -j ACCEPT",
                "ACCEPT of kube-proxy, expected",
            ),
            ("-A POSTROUTING -j KUBE-POSTROUTING\n-A KUBE-POSTROUTING -j ACCEPT", "ACCEPT of kube-proxy"),
        ] {
            assert_eq!(found(&[], rules), [expected], "{rules}");
        }
    }

    #[test]
    fn what_changes_nothing_for_us_is_not() {
        for rules in [
            "",
            "-A POSTROUTING -d 10.1.0.0/16 -j ACCEPT",
            "-A POSTROUTING -d 169.254.169.254/32 -j RETURN",
            "-A POSTROUTING -j KUBE-POSTROUTING\n-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
            "-A POSTROUTING -j X\n-A X -g Y\n-A Y -j RETURN",
            "-A POSTROUTING -d 10.0.0.0/9 -j X\n-A X -j ACCEPT",
            "-A X -j ACCEPT",
        ] {
            assert_eq!(found(&[], rules), [""; 0], "{rules}");
        }
        assert_eq!(found(&["10.244.0.0/16"], "-A POSTROUTING -s 10.9.0.0/16 -j RETURN"), [""; 0]);
        assert_eq!(found(&["10.244.0.0/16"], "-A POSTROUTING -s 10.0.0.0/8 -j RETURN"), ["RETURN of unknown"]);
    }

    #[test]
    fn a_policy_that_drops_is_found() {
        let saved = parse("*nat\n:POSTROUTING DROP [0:0]\nCOMMIT\n").unwrap();
        let words = &bypasses(&Settings::default(), Family::V4, &saved, CHAIN)[0].words;
        assert!(words.contains("the policy of chain `POSTROUTING` drops packets"), "{words}");
    }
}
