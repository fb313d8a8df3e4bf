//! What rules of others do to packets nobody marked.
//!
//! kube-proxy and portmap translate what they marked before, and let everything else go. That shows in what their rules do, not in what
//! their chains are called: a packet without a mark is led through them, and either gets to a rule that translates or does not.

use std::collections::{BTreeMap, BTreeSet};

/// Which packets a rule acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Takes {
    /// Only packets with a mark: those of its owner's choosing.
    Marked,
    /// Packets that fulfil some condition.
    Some,
    /// Every packet that nobody marked, but for those that were let go before.
    Everything,
}

/// Whether a rule's conditions hold for a packet without a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holds {
    /// For none.
    Never,
    /// For some.
    Perhaps,
    /// For each.
    Always,
}

/// What a rule does with packets that fulfil its conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// They are translated, by this name, and leave the chain.
    Translate(String),
    /// They go on.
    Nothing,
    /// They leave all chains of this place.
    End,
    /// They go back to where the chain was entered.
    Return,
    /// They go into that chain, and may come back.
    Jump(String),
    /// They go into that chain and come back to where this one was entered.
    Goto(String),
    /// They go into a chain that is not known.
    Anywhere,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Whether its conditions hold while the packet has no mark.
    pub holds: Holds,
    /// Some of them are about the mark.
    pub asks_mark: bool,
    /// It may give packets another mark.
    pub marks: bool,
    /// What it does.
    pub act: Act,
}

/// Rules of chains that translate, of those that can be reached from a chain: by chain and position, how, and which packets.
pub fn translating<'a>(
    chains: &'a BTreeMap<&'a str, Vec<Step>>,
    from: &'a str,
) -> BTreeMap<(&'a str, usize), (&'a str, Takes)> {
    let mut walk = Walk { chains, marked: false, left: BTreeMap::new(), found: BTreeMap::new() };
    walk.enter(from, false);
    let mut found = walk.found;
    // Where no packet without a mark comes by, others do.
    for chain in reachable(chains, from) {
        for (at, step) in chains.get(chain).into_iter().flatten().enumerate() {
            if let Act::Translate(how) = &step.act {
                found.entry((chain, at)).or_insert((how.as_str(), Takes::Marked));
            }
        }
    }
    found
}

struct Walk<'a> {
    chains: &'a BTreeMap<&'a str, Vec<Step>>,
    /// A rule may have given the packet a mark.
    marked: bool,
    /// Chains that were walked, under which conditions, and whether all packets left for good there.
    left: BTreeMap<(&'a str, bool, bool), bool>,
    found: BTreeMap<(&'a str, usize), (&'a str, Takes)>,
}

impl<'a> Walk<'a> {
    /// Enters a chain with a packet; `selected` = it fulfilled conditions to get there. True if no packet comes back.
    fn enter(&mut self, chain: &'a str, selected: bool) -> bool {
        let key = (chain, selected, self.marked);
        if let Some(left) = self.left.get(&key) {
            return *left;
        }
        // The kernel lets no chain lead to itself.
        self.left.insert(key, false);
        let left = self.walk(chain, selected);
        self.left.insert(key, left);
        left
    }

    fn walk(&mut self, chain: &'a str, selected: bool) -> bool {
        let chains = self.chains;
        for (at, step) in chains.get(chain).into_iter().flatten().enumerate() {
            let holds = if step.asks_mark && self.marked { Holds::Perhaps } else { step.holds };
            if holds == Holds::Never {
                continue;
            }
            self.marked |= step.marks;
            let all = holds == Holds::Always;
            let selected = selected || !all;
            match &step.act {
                Act::Nothing => {}
                Act::Translate(how) => {
                    let takes = if selected { Takes::Some } else { Takes::Everything };
                    let found = self.found.entry((chain, at)).or_insert((how, takes));
                    found.1 = found.1.max(takes);
                    if all {
                        return true;
                    }
                }
                Act::End if all => return true,
                Act::Return if all => return false,
                Act::End | Act::Return => {}
                Act::Jump(to) => {
                    if self.enter(to, selected) && all {
                        return true;
                    }
                }
                Act::Goto(to) => {
                    let left = self.enter(to, selected);
                    if all {
                        return left;
                    }
                }
                Act::Anywhere => {
                    for to in chains.keys() {
                        self.enter(to, true);
                    }
                }
            }
        }
        false
    }
}

/// Chains whose rules a packet may meet.
fn reachable<'a>(chains: &'a BTreeMap<&'a str, Vec<Step>>, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if !reached.insert(name) {
            continue;
        }
        for step in chains.get(name).into_iter().flatten() {
            match &step.act {
                Act::Jump(to) | Act::Goto(to) => open.push(to),
                Act::Anywhere => open.extend(chains.keys()),
                _ => {}
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(holds: Holds, asks_mark: bool, act: Act) -> Step {
        Step { holds, asks_mark, marks: false, act }
    }

    fn masquerade() -> Step {
        step(Holds::Always, false, Act::Translate("M".to_owned()))
    }

    fn takes(chains: &[(&'static str, Vec<Step>)]) -> Vec<Takes> {
        let chains = chains.iter().cloned().collect();
        translating(&chains, "base").into_values().map(|(_, takes)| takes).collect()
    }

    fn led(to: Vec<Step>) -> Vec<Takes> {
        takes(&[("base", vec![step(Holds::Always, false, Act::Jump("to".to_owned()))]), ("to", to)])
    }

    #[test]
    fn a_chain_that_lets_packets_without_a_mark_go_takes_marked_ones() {
        let marks = || Step { marks: true, ..step(Holds::Always, false, Act::Nothing) };
        assert_eq!(led(vec![step(Holds::Always, true, Act::Return), marks(), masquerade()]), [Takes::Marked]);
        assert_eq!(led(vec![step(Holds::Never, true, Act::Translate("M".to_owned()))]), [Takes::Marked]);
        // The other way round it takes all that nobody marked.
        assert_eq!(led(vec![step(Holds::Never, true, Act::Return), marks(), masquerade()]), [Takes::Everything]);
        assert_eq!(led(vec![marks(), masquerade()]), [Takes::Everything]);
    }

    #[test]
    fn a_mark_that_was_just_given_guards_nothing() {
        let guarded = vec![
            Step { marks: true, ..step(Holds::Perhaps, false, Act::Nothing) },
            step(Holds::Always, true, Act::Return),
            masquerade(),
        ];
        assert_eq!(led(guarded), [Takes::Everything]);
    }

    #[test]
    fn conditions_of_a_rule_or_of_the_way_to_it_select_and_exceptions_do_not() {
        let some = |act| step(Holds::Perhaps, false, act);
        assert_eq!(led(vec![some(Act::Translate("M".to_owned()))]), [Takes::Some]);
        assert_eq!(led(vec![some(Act::Return), masquerade()]), [Takes::Everything]);
        assert_eq!(
            takes(&[("base", vec![some(Act::Jump("to".to_owned()))]), ("to", vec![masquerade()])]),
            [Takes::Some]
        );
        assert_eq!(takes(&[("base", vec![some(Act::Anywhere)]), ("to", vec![masquerade()])]), [Takes::Some]);
        assert_eq!(takes(&[("base", vec![some(Act::Return)]), ("to", vec![masquerade()])]), []);
    }

    #[test]
    fn what_comes_after_all_left_is_met_by_nobody_without_a_mark() {
        let goto = |to: &str| step(Holds::Always, false, Act::Goto(to.to_owned()));
        assert_eq!(led(vec![step(Holds::Always, false, Act::End), masquerade()]), [Takes::Marked]);
        assert_eq!(
            takes(&[("base", vec![goto("to"), masquerade()]), ("to", vec![step(Holds::Always, false, Act::Return)])]),
            [Takes::Marked]
        );
    }
}
