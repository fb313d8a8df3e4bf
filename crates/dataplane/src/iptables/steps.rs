//! Rules of a saved table as a packet without a mark meets them.

use super::rule::Rule;
use super::save::Saved;
use crate::unmarked::{Act, Holds, Step};
use std::collections::BTreeMap;

/// What rules are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// Those that translate sources.
    Translation,
    /// Those that turn connection tracking off.
    NoTracking,
}

/// The chains of a table, to be walked by [`crate::unmarked::translating`].
pub fn steps<'a>(saved: &'a Saved, table: &str, sought: Sought) -> BTreeMap<&'a str, Vec<Step>> {
    let chains = saved.tables.get(table).into_iter().flat_map(|table| &table.chains);
    chains.map(|(name, chain)| (name.as_str(), chain.rules.iter().map(|rule| step(rule, sought)).collect())).collect()
}

fn step(rule: &Rule, sought: Sought) -> Step {
    let mut step = Step { holds: Holds::Always, asks_mark: false, marks: false, act: Act::Nothing };
    let words: Vec<&str> = rule.arguments.iter().map(String::as_str).collect();
    let mut rest = words.as_slice();
    loop {
        rest = match rest {
            ["-m", "comment", "--comment", _, rest @ ..] => rest,
            ["-m", "mark", "!", "--mark", value, rest @ ..] => {
                asks(&mut step, value, true);
                rest
            }
            ["-m", "mark", "--mark", value, rest @ ..] => {
                asks(&mut step, value, false);
                rest
            }
            ["-j", target, options @ ..] => {
                step.marks = matches!(*target, "MARK" | "CONNMARK");
                step.act = act(target, options, sought);
                return step;
            }
            ["-g", chain, ..] => {
                step.act = Act::Goto((*chain).to_owned());
                return step;
            }
            [] => return step,
            [_, rest @ ..] => {
                step.holds = step.holds.min(Holds::Perhaps);
                rest
            }
        }
    }
}

/// A target; extensions that do nothing about it are taken for chains that are not there.
fn act(target: &str, options: &[&str], sought: Sought) -> Act {
    match (target, sought) {
        ("MASQUERADE" | "SNAT" | "NETMAP", Sought::Translation) => Act::Translate(target.to_owned()),
        ("NOTRACK", Sought::NoTracking) => Act::Translate(target.to_owned()),
        ("CT", Sought::NoTracking) if options.contains(&"--notrack") => Act::Translate("CT --notrack".to_owned()),
        ("RETURN", _) => Act::Return,
        ("ACCEPT" | "DROP", _) => Act::End,
        (chain, _) => Act::Jump(chain.to_owned()),
    }
}

/// `--mark value/mask`: what is asked of the mark 0.
fn asks(step: &mut Step, value: &str, inverted: bool) {
    let wanted = value.split('/').next().unwrap_or(value);
    let number = wanted.strip_prefix("0x").map_or_else(|| wanted.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
    match number {
        Some(number) => {
            step.asks_mark = true;
            if (number == 0) == inverted {
                step.holds = Holds::Never;
            }
        }
        None => step.holds = step.holds.min(Holds::Perhaps),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iptables::parse;
    use crate::unmarked::{Takes, translating};

    fn takes(rules: &str, sought: Sought) -> Vec<(usize, String, Takes)> {
        let text = format!(
            "*t\n:BASE ACCEPT [0:0]\n:KUBE - [0:0]\n-A BASE -m comment --comment \"to it\" -j KUBE\n{rules}COMMIT\n"
        );
        let saved = parse(&text).unwrap();
        let steps = steps(&saved, "t", sought);
        translating(&steps, "BASE").into_iter().map(|((_, at), (how, takes))| (at, how.to_owned(), takes)).collect()
    }

    #[test]
    fn the_guard_of_kube_proxys_chain_is_understood() {
        let chain = |guard: &str| {
            let rules = format!("{guard}-A KUBE -j MARK --xor-mark 0x4000\n-A KUBE -j MASQUERADE --random-fully\n");
            takes(&rules, Sought::Translation)[0].2
        };
        assert_eq!(chain("-A KUBE -m mark ! --mark 0x4000/0x4000 -j RETURN\n"), Takes::Marked);
        assert_eq!(chain("-A KUBE -m mark --mark 0x0/0x4000 -j RETURN\n"), Takes::Marked);
        assert_eq!(chain("-A KUBE -m mark --mark 0x4000/0x4000 -j RETURN\n"), Takes::Everything);
        assert_eq!(chain("-A KUBE -m mark ! --mark 0x4000/0x4000 -p tcp -j RETURN\n"), Takes::Everything);
        assert_eq!(chain(""), Takes::Everything);
    }

    #[test]
    fn conditions_select() {
        let rules =
            "-A KUBE -s 10.0.0.0/8 -j SNAT --to-source 1.2.3.4\n-A KUBE -m mark --mark 0x2000/0x2000 -j MASQUERADE\n";
        let expected = [(0, "SNAT".to_owned(), Takes::Some), (1, "MASQUERADE".to_owned(), Takes::Marked)];
        assert_eq!(takes(rules, Sought::Translation), expected);
    }

    #[test]
    fn only_what_turns_tracking_off_counts_there() {
        let rules = "-A KUBE -p udp -j CT --zone 1\n-A KUBE -p udp -j CT --notrack\n-A KUBE -j NOTRACK\n";
        let expected = [(1, "CT --notrack".to_owned(), Takes::Some), (2, "NOTRACK".to_owned(), Takes::Everything)];
        assert_eq!(takes(rules, Sought::NoTracking), expected);
        assert_eq!(takes(rules, Sought::Translation), []);
    }
}
