//! The chain people know does what the rules do, whatever was in the table before, and leaves everything else as it was.

use crate::generate;
use crate::iptables_promises::{of_text, print, restore};
use causeway_addr::Family;
use causeway_dataplane::evaluate::evaluate;
use causeway_dataplane::iptables::{CHAIN, POSTROUTING, Saved, TABLE, Wanted, interpret, parse, plan, remove, wanted};
use causeway_dataplane::masquerade::compile;
use causeway_dataplane::ruleset::Hook;
use proptest::prelude::*;

const EMPTY: &str =
    "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n";

/// Rules that somebody may have left in POSTROUTING.
fn leftovers() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    let comment = |quoted: bool, chain: &str| {
        let words = format!(
            "ip-masq-agent: ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom {chain} chain"
        );
        if quoted { format!("\"\\\"{words}\\\"\"") } else { format!("\"{words}\"") }
    };
    let jump = move |quoted: bool, chain: &str| {
        format!(
            "-A POSTROUTING -m comment --comment {} -m addrtype ! --dst-type LOCAL -j {chain}",
            comment(quoted, chain)
        )
    };
    let rule = prop::sample::select(vec![
        jump(true, CHAIN),
        jump(false, CHAIN),
        jump(true, "OLD-NAME"),
        format!("-A POSTROUTING -j {CHAIN}"),
        "-A POSTROUTING -m comment --comment \"not ours\" -p tcp --dport 1 -j ACCEPT".to_owned(),
        "-A OTHER -m mark ! --mark 0x4000/0x4000 -j RETURN".to_owned(),
        format!("-A {CHAIN} -d 10.0.0.0/8 -j RETURN"),
        "-A OLD-NAME -j MASQUERADE".to_owned(),
    ]);
    (prop::collection::vec(rule, 0..7), any::<bool>()).prop_map(|(rules, chains)| {
        let used = |chain: &str| chains || rules.iter().any(|rule| rule.split(' ').any(|word| word == chain));
        let chains = [CHAIN, "OLD-NAME", "OTHER"].into_iter().filter(|chain| used(chain)).map(str::to_owned).collect();
        (chains, rules)
    })
}

fn table(chains: &[String], rules: &[String]) -> Saved {
    let chains = chains.iter().map(|chain| format!(":{chain} - [0:0]\n"));
    let rules = rules.iter().map(|rule| format!("{rule}\n"));
    parse(&format!("{EMPTY}{}{}COMMIT\n", chains.collect::<String>(), rules.collect::<String>())).unwrap_or_default()
}

/// The rules that are nobody's business but their owners'.
fn others(saved: &Saved) -> Vec<String> {
    let ours = |line: &&str| ["IP-MASQ-AGENT", "MY-CHAIN", "OLD-NAME"].iter().any(|chain| line.contains(chain));
    print(saved).lines().filter(|line| !ours(line)).map(str::to_owned).collect()
}

fn settle(wish: &Wanted, saved: &Saved) -> Result<Saved, TestCaseError> {
    let way = plan(wish, saved);
    prop_assert_eq!(way.restore.is_some(), !way.drift.is_empty());
    let after = match &way.restore {
        Some(text) => restore(saved, text).map_err(|error| TestCaseError::fail(format!("{error} in\n{text}")))?,
        None => saved.clone(),
    };
    // What was written is read back as it is printed.
    let after = parse(&print(&after)).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let again = plan(wish, &after);
    prop_assert!(again.restore.is_none(), "{:?}", again);
    prop_assert_eq!(others(&after), others(saved));
    Ok(after)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_chain_does_what_the_rules_do(
        settings in generate::settings(), (chains, rules) in leftovers(), chain in prop::sample::select(vec![CHAIN, "MY-CHAIN"]),
        packets in prop::collection::vec(generate::packet(), 6), node in generate::node(),
    ) {
        let ruleset = compile(&settings);
        for family in settings.families() {
            let wish = wanted(&settings, family, chain);
            let before = table(&chains, &rules);
            let after = settle(&wish, &before)?;
            let jumps = after.chain(TABLE, POSTROUTING).map(|found| found.rules.iter().filter(|rule| **rule == wish.jump).count());
            prop_assert_eq!(jumps, Some(1));
            // Without rules of others before it, the fate is the rules' own.
            let alone = settle(&wish, &table(&[], &[]))?;
            for packet in packets.iter().filter(|packet| packet.family() == family) {
                let fate = evaluate(&ruleset, Hook::Postrouting, packet, &node);
                prop_assert_eq!(&interpret(&alone, packet, &node), &fate.outcome, "{:?}", packet);
            }
            // Removal leaves what was there before, less everything of the agent's.
            if let Some(text) = remove(&after, chain) {
                let gone = restore(&after, &text).map_err(|error| TestCaseError::fail(format!("{error} in\n{text}")))?;
                prop_assert_eq!(others(&gone), others(&before));
                prop_assert!(gone.chain(TABLE, chain).is_none());
            }
        }
    }

    #[test]
    fn any_text_keeps_the_promises(lines in prop::collection::vec(line(), 0..12)) {
        of_text(&lines.join("\n"));
    }
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec![
            "*nat", "*filter", "COMMIT", "# a remark", ":POSTROUTING ACCEPT [0:0]", ":IP-MASQ-AGENT - [0:0]", ":A - [1:2]",
            "-A POSTROUTING -j IP-MASQ-AGENT", "-A POSTROUTING -g A", "-A A -d 0.0.0.0/0 -j RETURN", "[1:2] -A A ! -s ::/0",
            "-A A -m comment --comment \"a \\\" b\" -j A", "", "-A A \"", "# Table `nat' is incompatible, use 'nft' tool.",
        ]).prop_map(str::to_owned),
        1 => "[ -~]{0,30}",
        1 => any::<String>(),
    ]
}

#[test]
fn both_families_have_their_own_link_local() {
    let settings = causeway_dataplane::masquerade::Settings::default();
    for (family, start) in [(Family::V4, "-d 169.254.0.0/16 "), (Family::V6, "-d fe80::/10 ")] {
        assert!(wanted(&settings, family, CHAIN).rules[0].to_string().starts_with(start));
    }
}
