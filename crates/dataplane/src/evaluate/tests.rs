use super::*;
use crate::masquerade::{self, Settings};
use crate::packet::Protocol;
use crate::prefixes::PrefixSet;
use crate::ruleset::{
    AddressField, BaseChain, Chain, ChainKind, Hook, Match, Policy, Rule, Ruleset, Set, Table, TableFamily, Verdict,
};
use causeway_addr::{Cidr, Family};
use causeway_model::masquerade::MasqueradeConfig;
use std::collections::BTreeMap;

fn node() -> Node {
    Node::with_addresses(["10.0.0.4", "10.0.0.5", "fd00::4"].map(|text| Cidr::host(text.parse().unwrap())))
        .masquerading_as("10.0.0.4".parse().unwrap())
        .masquerading_as("fd00::4".parse().unwrap())
}

fn packet(source: &str, destination: &str) -> Packet {
    Packet {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        protocol: Protocol::Tcp,
        source_port: 40_000,
        destination_port: 443,
    }
}

fn ruleset(exempt: &[&str], sources: &[&str]) -> Ruleset {
    let cidrs = |list: &[&str]| -> Vec<Cidr> { list.iter().map(|text| text.parse().unwrap()).collect() };
    let config = MasqueradeConfig { exempt: cidrs(exempt), ipv6: true, ..MasqueradeConfig::default() };
    masquerade::compile(&Settings { config, sources: cidrs(sources), ..Settings::default() })
}

#[test]
fn the_masquerade_does_what_the_reference_does() {
    let rules = ruleset(&["192.168.0.0/16", "fd00:1::/32"], &[]);
    for (source, destination, words, decider, counters) in [
        ("10.244.0.7", "192.168.1.1", "source kept", "destination is exempt", &["exempt"] as &[&str]),
        ("10.244.0.7", "169.254.169.254", "source kept", "destination is exempt", &["exempt"]),
        ("10.244.0.7", "10.0.0.5", "source kept", "destination is this machine", &[]),
        ("10.244.0.7", "127.0.0.9", "source kept", "destination is this machine", &[]),
        (
            "10.244.0.7",
            "8.8.8.8",
            "translated to 10.0.0.4, random port",
            "everything else leaves with the address of the node",
            &["translated", "translated-packets"],
        ),
        (
            "fd00:2::7",
            "2001:db8::1",
            "translated to fd00::4, random port",
            "everything else leaves with the address of the node",
            &["translated", "translated-packets"],
        ),
        ("fd00:2::7", "fe80::1", "source kept", "destination is exempt", &["exempt"]),
    ] {
        let sent = packet(source, destination);
        let fate = evaluate(&rules, Hook::Postrouting, &sent, &node());
        assert_eq!(fate.outcome.to_string(), words, "to {destination}");
        assert_eq!(fate.decided_by.unwrap().comment, decider, "to {destination}");
        assert_eq!(fate.counters.iter().map(|counter| counter.name).collect::<Vec<_>>(), counters, "to {destination}");
        let seen = fate.packet.unwrap();
        assert_eq!(seen.source == sent.source, fate.outcome == Outcome::Kept);
    }
}

#[test]
fn only_the_sources_that_were_asked_for() {
    let rules = ruleset(&[], &["10.244.0.0/16"]);
    let kept = evaluate(&rules, Hook::Postrouting, &packet("10.0.0.9", "8.8.8.8"), &node());
    assert_eq!(kept.outcome, Outcome::Kept);
    assert_eq!(kept.decided_by.unwrap().to_string(), "table `ip causeway-masquerade`, policy of chain `postrouting`");
    let pod = evaluate(&rules, Hook::Postrouting, &packet("10.244.3.3", "8.8.8.8"), &node());
    assert!(matches!(pod.outcome, Outcome::Translated { .. }));
    let six = evaluate(&rules, Hook::Postrouting, &packet("fd00::9", "2001:db8::1"), &node());
    assert_eq!(six.outcome, Outcome::Kept, "sources of one family leave the other alone");
}

#[test]
fn what_is_not_known_is_named() {
    let rules = ruleset(&["192.168.0.0/16"], &[]);
    let blind = Node { local: None, ..node() };
    let fate = evaluate(&rules, Hook::Postrouting, &packet("10.244.0.7", "8.8.8.8"), &blind);
    assert_eq!(fate.outcome.to_string(), "uncertain: the node's own addresses not known");
    assert_eq!(fate.packet, None);
    let nameless = Node { masquerade_v4: None, ..node() };
    let fate = evaluate(&rules, Hook::Postrouting, &packet("10.244.0.7", "8.8.8.8"), &nameless);
    assert_eq!(fate.outcome, Outcome::Uncertain(Missing::MasqueradeAddress(Family::V4)));
    assert_eq!(fate.decided_by.unwrap().rule, Some(1));
    // What comes from the node itself keeps its address; whether the kernel marks it as translated depends on the port.
    let fate = evaluate(&rules, Hook::Postrouting, &packet("10.0.0.4", "8.8.8.8"), &node());
    assert!(matches!(fate.outcome, Outcome::Translated { .. }));
    assert_eq!(fate.counters.last().unwrap().unless, Some(Missing::SourceTranslated));
}

fn rule(verdict: Verdict, comment: &str) -> Rule {
    Rule { matches: Vec::new(), counter: None, sample: None, verdict: Some(verdict), comment: comment.to_owned() }
}

fn chain(base: Option<(ChainKind, i32, Policy)>, rules: Vec<Rule>) -> Chain {
    let base = base.map(|(kind, priority, policy)| BaseChain { kind, hook: Hook::Postrouting, priority, policy });
    Chain { base, rules }
}

fn table(name: &str, chains: Vec<(&str, Chain)>) -> (TableId, Table) {
    let chains = chains.into_iter().map(|(name, chain)| (name.to_owned(), chain)).collect();
    (TableId { family: TableFamily::Inet, name: name.to_owned() }, Table { chains, ..Table::default() })
}

fn fate_of(tables: Vec<(TableId, Table)>) -> (Outcome, Option<String>, Vec<String>) {
    let rules = Ruleset { tables: tables.into_iter().collect() };
    let fate = evaluate(&rules, Hook::Postrouting, &packet("10.244.0.7", "8.8.8.8"), &node());
    let path = fate.path.iter().map(|step| step.place.comment.to_owned()).collect();
    (fate.outcome, fate.decided_by.map(|place| place.comment.to_owned()), path)
}

#[test]
fn a_return_in_one_nat_chain_does_not_stop_a_later_one() {
    let accept = Some((ChainKind::Nat, 50, Policy::Accept));
    let later = Some((ChainKind::Nat, 101, Policy::Accept));
    let masquerade = || rule(Verdict::Masquerade { fully_random: false }, "masquerade");
    for early in [Verdict::Return, Verdict::Accept] {
        let (outcome, decider, _) = fate_of(vec![
            table("early", vec![("nat", chain(accept, vec![rule(early, "exempt")]))]),
            table("later", vec![("nat", chain(later, vec![masquerade()]))]),
        ]);
        assert!(matches!(outcome, Outcome::Translated { port: SourcePort::KeptIfFree, .. }));
        assert_eq!(decider.unwrap(), "masquerade");
    }
    let (outcome, _, path) = fate_of(vec![
        table("early", vec![("nat", chain(accept, vec![masquerade()]))]),
        table("later", vec![("nat", chain(later, vec![rule(Verdict::Drop, "never asked")]))]),
    ]);
    assert!(matches!(outcome, Outcome::Translated { .. }));
    assert_eq!(path, ["masquerade"]);
}

#[test]
fn filter_chains_run_around_nat_whatever_its_priority() {
    let filter = |priority| Some((ChainKind::Filter, priority, Policy::Accept));
    let (_, _, path) = fate_of(vec![
        table("a", vec![("late", chain(filter(101), vec![rule(Verdict::Accept, "filter at 101")]))]),
        table("b", vec![("early", chain(filter(99), vec![rule(Verdict::Accept, "filter at 99")]))]),
        table(
            "c",
            vec![(
                "nat",
                chain(Some((ChainKind::Nat, 300, Policy::Accept)), vec![rule(Verdict::Accept, "nat at 300")]),
            )],
        ),
    ]);
    assert_eq!(path, ["filter at 99", "nat at 300", "filter at 101"]);
}

#[test]
fn jump_comes_back_and_goto_does_not() {
    let base = Some((ChainKind::Filter, 0, Policy::Drop));
    let (outcome, _, path) = fate_of(vec![table(
        "t",
        vec![
            ("base", chain(base, vec![rule(Verdict::Jump("a".into()), "1"), rule(Verdict::Accept, "5")])),
            ("a", chain(None, vec![rule(Verdict::Goto("b".into()), "2"), rule(Verdict::Drop, "skipped")])),
            ("b", chain(None, vec![rule(Verdict::Jump("c".into()), "3"), rule(Verdict::Return, "4")])),
            ("c", chain(None, vec![])),
        ],
    )]);
    assert_eq!((outcome, path), (Outcome::Kept, ["1", "2", "3", "4", "5"].map(str::to_owned).to_vec()));
    let goto = vec![rule(Verdict::Goto("empty".into()), "1"), rule(Verdict::Accept, "skipped")];
    let chains = vec![("base", chain(base, goto)), ("empty", chain(None, vec![]))];
    let (outcome, ..) = fate_of(vec![table("t", chains)]);
    assert_eq!(outcome, Outcome::Dropped, "a goto from a base chain ends at its policy");
}

#[test]
fn rules_that_can_not_be_loaded_are_said_to_be_broken() {
    let base = Some((ChainKind::Filter, 0, Policy::Accept));
    let cases = [
        (vec![("base", chain(base, vec![rule(Verdict::Jump("nowhere".into()), "")]))], "no chain `nowhere`"),
        (
            vec![
                ("base", chain(base, vec![rule(Verdict::Jump("a".into()), "")])),
                ("a", chain(None, vec![rule(Verdict::Jump("a".into()), "")])),
            ],
            "more than 16 jumps",
        ),
        (
            vec![
                ("base", chain(base, vec![rule(Verdict::Goto("a".into()), "")])),
                ("a", chain(None, vec![rule(Verdict::Goto("a".into()), "")])),
            ],
            "a walk of more than 100000 rules",
        ),
        (vec![("base", chain(base, vec![rule(Verdict::Goto("base".into()), "")]))], "a jump to base chain `base`"),
    ];
    for (chains, words) in cases {
        let (outcome, ..) = fate_of(vec![table("t", chains)]);
        assert_eq!(outcome, Outcome::Uncertain(Missing::Broken(words.into())));
    }
}

#[test]
fn two_conditions_must_both_be_true() {
    let set = |text: &str| Set::Prefixes(PrefixSet::new(Family::V4, &[text.parse().unwrap()]));
    let wants = |field, set: &str| Match::In { field, set: set.into() };
    let both = Rule {
        matches: vec![wants(AddressField::Source, "pods"), wants(AddressField::Destination, "blocked")],
        ..rule(Verdict::Drop, "both")
    };
    let (id, mut only) = table("t", vec![("base", chain(Some((ChainKind::Filter, 0, Policy::Accept)), vec![both]))]);
    only.sets = BTreeMap::from([("pods".into(), set("10.244.0.0/16")), ("blocked".into(), set("8.0.0.0/8"))]);
    let rules = Ruleset { tables: [(id, only)].into() };
    for (source, destination, outcome) in [
        ("10.244.0.1", "8.8.8.8", Outcome::Dropped),
        ("10.245.0.1", "8.8.8.8", Outcome::Kept),
        ("10.244.0.1", "9.9.9.9", Outcome::Kept),
    ] {
        let fate = evaluate(&rules, Hook::Postrouting, &packet(source, destination), &node());
        assert_eq!(fate.outcome, outcome, "{source} to {destination}");
    }
}
