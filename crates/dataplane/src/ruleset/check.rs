//! What a kernel would refuse of a ruleset, found without one.

use super::{Ask, ChainKind, End, Hook, Match, Part, Ruleset, Set, Table, TableFamily, TableId, Verdict};
use crate::evaluate::MOST_JUMPS;
use crate::nftables::objects::leads_to;
use causeway_addr::Family;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Bytes of the names of tables, chains, sets and counters (`NFT_NAME_MAXLEN` less the end).
const LONGEST_NAME: usize = 255;
/// Bytes of a comment in a rule's user data, as nft writes them.
const LONGEST_COMMENT: usize = 127;

/// Something a kernel would refuse, or that would never do what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// In this table.
    pub table: TableId,
    /// In this chain; empty = about the table.
    pub chain: String,
    /// In this rule, from 0.
    pub rule: Option<usize>,
    /// What.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table `{}`", self.table)?;
        if !self.chain.is_empty() {
            write!(f, ", chain `{}`", self.chain)?;
        }
        if let Some(rule) = self.rule {
            write!(f, ", rule {}", rule + 1)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Everything a kernel would refuse.
pub fn problems(ruleset: &Ruleset) -> Vec<Problem> {
    let mut found = Vec::new();
    for (id, table) in &ruleset.tables {
        let mut say = |chain: &str, rule: Option<usize>, what: String| {
            found.push(Problem { table: id.clone(), chain: chain.to_owned(), rule, what });
        };
        names(id, table, &mut say);
        let depths = Depths::of(table);
        let reached = reached(table);
        let only = |chain: &str, kind: Option<ChainKind>, hooks: &[Hook]| {
            let all = |from: &Vec<(ChainKind, Hook)>| {
                from.iter().all(|(of, hook)| kind.is_none_or(|kind| kind == *of) && hooks.contains(hook))
            };
            reached.get(chain).is_none_or(all)
        };
        for (name, chain) in &table.chains {
            if depths.loops.contains(name.as_str()) {
                say(name, None, "it leads back to itself".to_owned());
            }
            if let Some(base) = &chain.base {
                if base.kind == ChainKind::Nat && base.hook == Hook::Forward {
                    say(name, None, "no nat chain is called for packets passing through".to_owned());
                }
                if depths.jumps.get(name.as_str()).is_some_and(|jumps| *jumps > MOST_JUMPS) {
                    say(name, None, format!("more than {MOST_JUMPS} jumps lie in one another"));
                }
            }
            for (number, rule) in chain.rules.iter().enumerate() {
                let mut say = |what: String| say(name, Some(number), what);
                for condition in &rule.matches {
                    if let Match::In { set, .. } = condition {
                        match table.sets.get(set) {
                            None => say(format!("there is no set `{set}`")),
                            Some(Set::Prefixes(prefixes)) if !has(id.family, prefixes.family()) => {
                                say(format!("set `{set}` is of {}, which this table never sees", prefixes.family()));
                            }
                            Some(Set::Tuples(_)) => say(format!("set `{set}` is of tuples, not of addresses")),
                            Some(_) => {}
                        }
                    }
                    if let Match::Marked { bits: 0, .. } = condition {
                        say("a mark without bits is asked for".to_owned());
                    }
                    if let Match::Tuple { of, set } = condition {
                        tuple(id.family, table, of, set, false, &mut say);
                    }
                }
                if let Some(counter) = rule.counter.as_ref().filter(|counter| !table.counters.contains(*counter)) {
                    say(format!("there is no counter `{counter}`"));
                }
                if let Some(sample) = &rule.sample {
                    if !table.limits.contains_key(&sample.limit) {
                        say(format!("there is no limit `{}`", sample.limit));
                    }
                    if sample.prefix.len() > LONGEST_COMMENT {
                        say(format!("what is said of a packet has more than {LONGEST_COMMENT} bytes"));
                    }
                }
                if rule.comment.len() > LONGEST_COMMENT {
                    say(format!("the comment has more than {LONGEST_COMMENT} bytes"));
                }
                match &rule.verdict {
                    Some(Verdict::Jump(target) | Verdict::Goto(target)) => match table.chains.get(target) {
                        None => say(format!("there is no chain `{target}`")),
                        Some(chain) if chain.base.is_some() => say(format!("`{target}` is entered by the kernel only")),
                        Some(_) => {}
                    },
                    Some(Verdict::Lead { of, map }) => tuple(id.family, table, of, map, true, &mut say),
                    Some(Verdict::Masquerade { .. }) if !only(name, Some(ChainKind::Nat), &[Hook::Postrouting]) => {
                        say("only nat chains at postrouting may masquerade".to_owned());
                    }
                    Some(Verdict::Source(address)) => {
                        if !only(name, Some(ChainKind::Nat), &[Hook::Postrouting, Hook::Input]) {
                            say("only nat chains at postrouting and input may translate the source".to_owned());
                        }
                        if !has(id.family, Family::of(*address)) {
                            say(format!("{address} is of a family this table never sees"));
                        }
                    }
                    Some(Verdict::Redirect(ends)) => {
                        if !only(name, Some(ChainKind::Nat), &[Hook::Prerouting, Hook::Output]) {
                            say("only nat chains at prerouting and output may translate the destination".to_owned());
                        }
                        redirect(id.family, ends, &mut say);
                    }
                    Some(Verdict::Mark { bits: 0, .. }) => say("a mark without bits".to_owned()),
                    Some(Verdict::Reject)
                        if !only(
                            name,
                            Some(ChainKind::Filter),
                            &[Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output],
                        ) =>
                    {
                        say("only filter chains before postrouting may reject".to_owned());
                    }
                    _ => {}
                }
            }
        }
    }
    found
}

fn has(table: TableFamily, family: Family) -> bool {
    match table {
        TableFamily::Inet => true,
        TableFamily::Ip => family == Family::V4,
        TableFamily::Ip6 => family == Family::V6,
    }
}

/// A new destination is there, and all of one family that the table sees.
fn redirect(family: TableFamily, ends: &[End], say: &mut impl FnMut(String)) {
    if ends.is_empty() {
        say("there is nowhere to redirect to".to_owned());
    }
    for end in ends.iter().filter(|end| !has(family, Family::of(end.address))) {
        say(format!("{} is of a family this table never sees", end.address));
    }
    let families: BTreeSet<Family> = ends.iter().map(|end| Family::of(end.address)).collect();
    if families.len() > 1 {
        say("new destinations of two families".to_owned());
    }
}

/// What is asked for must be what the set has keys of, and where chains are asked for they must lead to some.
fn tuple(family: TableFamily, table: &Table, of: &[Ask], name: &str, leads: bool, say: &mut impl FnMut(String)) {
    let tuples = match table.sets.get(name) {
        Some(Set::Tuples(tuples)) => tuples,
        Some(Set::Prefixes(_)) => return say(format!("set `{name}` is of addresses, not of tuples")),
        None => return say(format!("there is no set `{name}`")),
    };
    if leads != tuples.leads {
        say(format!("keys of set `{name}` {}", if leads { "lead nowhere" } else { "lead to chains" }));
    }
    let address = match family {
        TableFamily::Ip => Some(Part::Address(Family::V4)),
        TableFamily::Ip6 => Some(Part::Address(Family::V6)),
        TableFamily::Inet => None,
    };
    let asked: Vec<Option<Part>> = of
        .iter()
        .map(|ask| match ask {
            Ask::Beginner(_) | Ask::Answerer(_) | Ask::Address(..) => address,
            Ask::Protocol => Some(Part::Protocol),
            Ask::Port => Some(Part::Port),
        })
        .collect();
    if asked.iter().any(Option::is_none) {
        say("tuples with addresses are for tables of one family".to_owned());
    } else if !asked.iter().flatten().eq(&tuples.parts) {
        say(format!("the keys of set `{name}` are of other parts"));
    }
    for chain in tuples.entries.iter().filter(|_| tuples.leads).filter_map(leads_to) {
        match table.chains.get(&chain) {
            None => say(format!("there is no chain `{chain}`")),
            Some(chain) if chain.base.is_some() => {
                say("chains that the kernel enters are entered by it only".to_owned())
            }
            Some(_) => {}
        }
    }
}

fn names(id: &TableId, table: &Table, say: &mut impl FnMut(&str, Option<usize>, String)) {
    let objects = table.counters.iter().chain(table.limits.keys());
    let names = table.sets.keys().chain(objects).chain(table.chains.keys()).chain([&id.name]);
    for name in names.filter(|name| name.is_empty() || name.len() > LONGEST_NAME) {
        say("", None, format!("`{name}` has {} bytes, and a name has 1 to {LONGEST_NAME}", name.len()));
    }
}

/// The chains a chain leads to, and whether by a jump.
fn targets<'a>(table: &'a Table, chain: &str) -> impl Iterator<Item = (&'a str, bool)> {
    let rules = table.chains.get(chain).map(|chain| chain.rules.as_slice()).unwrap_or_default();
    rules.iter().flat_map(|rule| match &rule.verdict {
        Some(Verdict::Jump(target)) => vec![(target.as_str(), true)],
        Some(Verdict::Goto(target)) => vec![(target.as_str(), false)],
        Some(Verdict::Lead { map, .. }) => led_to(table, map).into_iter().map(|target| (target, false)).collect(),
        _ => Vec::new(),
    })
}

/// The chains keys of a set lead to, as far as they are there.
fn led_to<'a>(table: &'a Table, map: &str) -> BTreeSet<&'a str> {
    let Some(Set::Tuples(tuples)) = table.sets.get(map) else { return BTreeSet::new() };
    let chains = tuples.entries.iter().filter(|_| tuples.leads).filter_map(leads_to);
    chains.filter_map(|chain| table.chains.get_key_value(&chain).map(|(name, _)| name.as_str())).collect()
}

/// For each chain that base chains lead to: of which kind and where they are.
fn reached(table: &Table) -> BTreeMap<&str, Vec<(ChainKind, Hook)>> {
    let mut reached: BTreeMap<&str, Vec<(ChainKind, Hook)>> = BTreeMap::new();
    for (name, chain) in &table.chains {
        let Some(base) = &chain.base else { continue };
        let mut seen = BTreeSet::new();
        let mut open = vec![name.as_str()];
        while let Some(name) = open.pop() {
            if seen.insert(name) {
                reached.entry(name).or_default().push((base.kind, base.hook));
                open.extend(targets(table, name).map(|(target, _)| target));
            }
        }
    }
    reached
}

/// How deep jumps lie in one another.
struct Depths<'a> {
    /// By chain, for those from which every way ends.
    jumps: BTreeMap<&'a str, usize>,
    /// Chains from which some way never does.
    loops: BTreeSet<&'a str>,
}

impl<'a> Depths<'a> {
    fn of(table: &'a Table) -> Depths<'a> {
        // From the ends upwards: a chain is known once all it leads to is.
        let mut jumps: BTreeMap<&str, usize> = BTreeMap::new();
        let mut open: BTreeSet<&str> = table.chains.keys().map(String::as_str).collect();
        loop {
            let mut known = Vec::new();
            for name in &open {
                let depth = |(target, jump): (&str, bool)| match jumps.get(target) {
                    Some(depth) => Some(depth + usize::from(jump)),
                    // What is not there ends the way, and is said elsewhere.
                    None => (!table.chains.contains_key(target)).then_some(usize::from(jump)),
                };
                let depths: Option<Vec<usize>> = targets(table, name).map(depth).collect();
                known.extend(depths.map(|depths| (*name, depths.into_iter().max().unwrap_or_default())));
            }
            if known.is_empty() {
                return Depths { jumps, loops: open };
            }
            for (name, depth) in known {
                open.remove(name);
                jumps.insert(name, depth);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefixes::PrefixSet;
    use crate::ruleset::{AddressField, BaseChain, Chain, Policy, Rule, Tuples};

    fn rule(verdict: Option<Verdict>) -> Rule {
        Rule { matches: Vec::new(), counter: None, sample: None, verdict, comment: String::new() }
    }

    /// Name, where the kernel enters it, rules.
    type Sketch<'a> = (&'a str, Option<(ChainKind, Hook)>, Vec<Rule>);

    fn said(chains: Vec<Sketch<'_>>) -> Vec<String> {
        let chains = chains.into_iter().map(|(name, base, rules)| {
            let base = base.map(|(kind, hook)| BaseChain { kind, hook, priority: 0, policy: Policy::Accept });
            (name.to_owned(), Chain { base, rules })
        });
        let six = Set::Prefixes(PrefixSet::new(Family::V6, &[]));
        let table = Table { sets: [("six".to_owned(), six)].into(), chains: chains.collect(), ..Table::default() };
        let id = TableId { family: TableFamily::Ip, name: "t".to_owned() };
        let problems = problems(&Ruleset { tables: [(id, table)].into() });
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_kernel_refuses_is_named() {
        let wants = |set: &str| Rule {
            matches: vec![Match::In { field: AddressField::Source, set: set.to_owned() }],
            counter: Some("none".to_owned()),
            sample: None,
            comment: "x".repeat(128),
            ..rule(None)
        };
        let filter = Some((ChainKind::Filter, Hook::Forward));
        let masquerade = || rule(Some(Verdict::Masquerade { fully_random: true }));
        let words = said(vec![
            ("a", filter, vec![wants("none"), wants("six"), rule(Some(Verdict::Jump("b".into()))), masquerade()]),
            ("b", None, vec![rule(Some(Verdict::Goto("c".into()))), rule(Some(Verdict::Jump("a".into())))]),
            ("c", None, vec![rule(Some(Verdict::Jump("b".into()))), rule(Some(Verdict::Jump("d".into())))]),
            ("n", Some((ChainKind::Nat, Hook::Forward)), vec![]),
        ]);
        for wanted in [
            "table `ip t`, chain `a`, rule 1: there is no set `none`",
            "table `ip t`, chain `a`, rule 1: there is no counter `none`",
            "table `ip t`, chain `a`, rule 1: the comment has more than 127 bytes",
            "table `ip t`, chain `a`, rule 2: set `six` is of IPv6, which this table never sees",
            "table `ip t`, chain `a`, rule 4: only nat chains at postrouting may masquerade",
            "table `ip t`, chain `b`: it leads back to itself",
            "table `ip t`, chain `b`, rule 2: `a` is entered by the kernel only",
            "table `ip t`, chain `c`, rule 2: there is no chain `d`",
            "table `ip t`, chain `n`: no nat chain is called for packets passing through",
        ] {
            assert!(words.iter().any(|found| found == wanted), "{wanted} in {words:#?}");
        }
    }

    #[test]
    fn jumps_lie_at_most_so_deep() {
        let names: Vec<String> = (0..19).map(|n| format!("c{n:02}")).collect();
        let ways = |jumps: usize| {
            let chains = names.iter().enumerate().take(jumps + 1).map(|(at, name)| {
                let base = (at == 0).then_some((ChainKind::Filter, Hook::Input));
                let next = (at < jumps).then(|| rule(Some(Verdict::Jump(names[at + 1].clone()))));
                (name.as_str(), base, next.into_iter().collect())
            });
            said(chains.collect())
        };
        assert!(ways(16).is_empty());
        assert_eq!(ways(17), ["table `ip t`, chain `c00`: more than 16 jumps lie in one another"]);
    }

    #[test]
    fn tuples_are_asked_for_what_they_are() {
        let tuples = |parts: &[Part], leads| Set::Tuples(Tuples::new(parts.to_vec(), leads));
        let mut lost = Tuples::new(vec![Part::Protocol], true);
        lost.entries.insert(&[6, 0, 0, 0, 9]);
        lost.entries.insert(&[17, 0, 0, 0, 1]);
        let sets = [
            ("ports", tuples(&[Part::Protocol, Part::Port], false)),
            ("addresses", tuples(&[Part::Address(Family::V6)], false)),
            ("lost", Set::Tuples(lost)),
            ("prefixes", Set::Prefixes(PrefixSet::new(Family::V4, &[]))),
        ];
        let has =
            |of: Vec<Ask>, set: &str| Rule { matches: vec![Match::Tuple { of, set: set.to_owned() }], ..rule(None) };
        let lead = |of: Vec<Ask>, map: &str| rule(Some(Verdict::Lead { of, map: map.to_owned() }));
        let rules = vec![
            has(vec![Ask::Protocol, Ask::Port], "ports"),
            has(vec![Ask::Port, Ask::Protocol], "ports"),
            has(vec![Ask::Beginner(32)], "addresses"),
            has(vec![Ask::Protocol], "lost"),
            has(vec![Ask::Beginner(32)], "prefixes"),
            has(vec![Ask::Beginner(32)], "none"),
            lead(vec![Ask::Protocol, Ask::Port], "ports"),
            lead(vec![Ask::Protocol], "lost"),
        ];
        let base = BaseChain { kind: ChainKind::Filter, hook: Hook::Forward, priority: 0, policy: Policy::Accept };
        let chains = [
            ("a".to_owned(), Chain { base: Some(base), rules }),
            (crate::ruleset::numbered_chain(1), Chain { base: Some(base), rules: Vec::new() }),
        ];
        let sets = sets.map(|(name, set)| (name.to_owned(), set));
        let table = Table { sets: sets.into(), chains: chains.into(), ..Table::default() };
        let id = TableId { family: TableFamily::Ip, name: "t".to_owned() };
        let said: Vec<String> = problems(&Ruleset { tables: [(id, table)].into() })
            .iter()
            .map(|problem| problem.to_string().replace("table `ip t`, chain `a`, ", ""))
            .collect();
        assert_eq!(
            said,
            [
                "rule 2: the keys of set `ports` are of other parts",
                "rule 3: the keys of set `addresses` are of other parts",
                "rule 4: keys of set `lost` lead to chains",
                "rule 4: there is no chain `to-00000009`",
                "rule 4: chains that the kernel enters are entered by it only",
                "rule 5: set `prefixes` is of addresses, not of tuples",
                "rule 6: there is no set `none`",
                "rule 7: keys of set `ports` lead nowhere",
                "rule 8: there is no chain `to-00000009`",
                "rule 8: chains that the kernel enters are entered by it only",
            ]
        );
    }

    #[test]
    fn rules_of_ours_have_no_problem() {
        let config = causeway_model::masquerade::MasqueradeConfig { ipv6: true, ..Default::default() };
        let sources = vec![Family::V4.everything()];
        let settings = crate::masquerade::Settings { config, sources, random_fully: true };
        assert_eq!(problems(&crate::masquerade::compile(&settings)), []);
    }
}
