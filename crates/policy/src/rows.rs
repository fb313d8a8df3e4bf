//! What a class may do with every other one: worked out for one port, or for all ports and kept.

use crate::bits::Bits;
use crate::classes::{Class, ClassId, NOBODY};
use crate::doubts::{World, is_tie};
use crate::ends::Verdict;
use crate::index::Index;
use crate::rules::{Compiled, Rule, RulePeers, RulePort};
use crate::sets::Member;
use causeway_model::design::Protocol;
use causeway_model::policy::{Direction, PolicyTier};
use std::collections::BTreeSet;

/// What comes out for every class at the other end.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outcome {
    /// Classes that are let through.
    pub allowed: Bits,
    /// Classes of which it is not known.
    pub unsure: Bits,
    /// How many classes there were; later ones get what [`NOBODY`] gets.
    size: usize,
}

impl Outcome {
    /// The verdict on one class.
    #[inline]
    pub fn of(&self, class: ClassId) -> Verdict {
        let class = if (class as usize) < self.size { class } else { NOBODY };
        if self.allowed.has(class) {
            Verdict::Allowed
        } else if self.unsure.has(class) {
            Verdict::Uncertain
        } else {
            Verdict::Denied
        }
    }
}

/// The outcomes of a class for every port, in one direction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// Where something changes: protocol and first port, sorted.
    starts: Vec<(Protocol, u16)>,
    /// The outcome from there on.
    outcome: Vec<u16>,
    outcomes: Vec<Outcome>,
}

impl Row {
    #[inline]
    pub(crate) fn of(&self, class: ClassId, protocol: Protocol, port: u16) -> Verdict {
        let at = self.starts.partition_point(|start| *start <= (protocol, port));
        let outcome =
            at.checked_sub(1).and_then(|at| self.outcome.get(at)).and_then(|at| self.outcomes.get(*at as usize));
        outcome.map_or(Verdict::Uncertain, |outcome| outcome.of(class))
    }

    /// Stretches of ports with their outcome: protocol, first and last port.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = (Protocol, u16, u16, &Outcome)> {
        self.starts.iter().zip(&self.outcome).enumerate().filter_map(|(at, ((protocol, first), outcome))| {
            let next = self.starts.get(at + 1).filter(|(next, _)| next == protocol);
            let last = next.map_or(u16::MAX, |(_, port)| port.saturating_sub(1));
            Some((*protocol, *first, last, self.outcomes.get(*outcome as usize)?))
        })
    }
}

/// Whom a rule's ports leave.
enum Cover {
    Nobody,
    Everybody,
    Some(Bits),
}

impl Cover {
    fn add(&mut self, other: Cover) {
        match (&mut *self, other) {
            (Cover::Everybody, _) | (_, Cover::Nobody) => {}
            (Cover::Some(mine), Cover::Some(theirs)) => mine.add(&theirs),
            (_, other) => *self = other,
        }
    }

    fn is_nobody(&self) -> bool {
        matches!(self, Cover::Nobody)
    }
}

/// Protocols rows tell apart; every other one is like ICMP: no rule with ports matches it.
pub(crate) const PROTOCOLS: [Protocol; 4] = [Protocol::Tcp, Protocol::Udp, Protocol::Icmp, Protocol::Sctp];

/// A protocol as rows know it.
pub(crate) fn known(protocol: Protocol) -> Protocol {
    if PROTOCOLS.contains(&protocol) { protocol } else { Protocol::Icmp }
}

impl Index {
    /// The answers of a class for all ports, kept until something they rest on changes.
    pub(crate) fn row<'a>(&self, class: &'a Class, direction: Direction) -> Option<&'a Row> {
        class.rows.get(direction as usize).map(move |row| row.get_or_init(|| self.work_out(class, direction)))
    }

    fn work_out(&self, class: &Class, direction: Direction) -> Row {
        let mut row = Row::default();
        for (protocol, port) in self.cuts(class, direction) {
            let outcome = self.outcome(class, direction, protocol, port);
            let known = row.outcomes.iter().position(|known| *known == outcome).unwrap_or_else(|| {
                row.outcomes.push(outcome);
                row.outcomes.len() - 1
            });
            let known = u16::try_from(known).unwrap_or(u16::MAX);
            // Where nothing changes nothing starts.
            let same =
                row.starts.last().is_some_and(|(last, _)| *last == protocol) && row.outcome.last() == Some(&known);
            if !same {
                row.starts.push((protocol, port));
                row.outcome.push(known);
            }
        }
        row
    }

    /// Where the ports of rules begin and end.
    pub(crate) fn cuts(&self, class: &Class, direction: Direction) -> BTreeSet<(Protocol, u16)> {
        let mut out: BTreeSet<(Protocol, u16)> = PROTOCOLS.iter().map(|protocol| (*protocol, 0)).collect();
        let mut cut = |protocol: Protocol, first: u16, last: u16| {
            out.insert((protocol, first));
            out.extend(last.checked_add(1).map(|next| (protocol, next)));
        };
        for port in
            self.rules_of(class, direction).flat_map(|(_, rules)| rules).flat_map(|rule| rule.ports.iter().flatten())
        {
            match port {
                RulePort::All(_) => {}
                RulePort::Range { protocol, first, sure_to, last } => {
                    cut(*protocol, *first, *sure_to);
                    cut(*protocol, *first, *last);
                }
                RulePort::Named { name, .. } => {
                    self.classes.numbers(*name).for_each(|(protocol, port, _)| cut(protocol, port, port));
                }
            }
        }
        out
    }

    /// The policies about a class that speak of a direction, in order.
    pub(crate) fn rules_of(&self, class: &Class, direction: Direction) -> impl Iterator<Item = (&Compiled, &[Rule])> {
        let applies = class.applies.get(direction as usize).map(Vec::as_slice).unwrap_or_default();
        applies.iter().filter_map(move |policy| {
            let policy = self.policy(*policy)?;
            Some((policy, policy.rules.get(direction as usize)?.as_deref()?))
        })
    }

    /// Whether it is not known that a policy selects a class: nobody has seen the labels of the namespace.
    pub(crate) fn may_select(&self, policy: &Compiled, class: &Class) -> bool {
        let subject = self.sets.get(policy.subject).filter(|subject| !subject.maybe.is_empty());
        subject.is_some_and(|subject| self.classes.find(&class.key).is_some_and(|own| subject.maybe.has(own)))
    }

    /// What a class may do with every other one, on one port.
    pub(crate) fn outcome(&self, class: &Class, direction: Direction, protocol: Protocol, port: u16) -> Outcome {
        let size = self.classes.size();
        if !self.unread_of(class).is_empty() || self.may_be_spoken_of(class, direction) {
            return Outcome { allowed: Bits::default(), unsure: Bits::below(size), size };
        }
        let mut worlds = self.worlds(class, direction).into_iter();
        let in_world = |world: World| self.outcome_in(world, class, direction, protocol, port);
        let Some(mut out) = worlds.next().map(in_world) else { return Outcome::default() };
        // Sure is only what is so in every one.
        for other in worlds.map(in_world) {
            out.unsure.add(&other.unsure);
            out.unsure.add(&out.allowed.without(&other.allowed));
            out.unsure.add(&other.allowed.without(&out.allowed));
            out.allowed = out.allowed.both(&other.allowed).without(&out.unsure);
        }
        out
    }

    fn outcome_in(&self, world: World, class: &Class, direction: Direction, protocol: Protocol, port: u16) -> Outcome {
        let size = self.classes.size();
        let mut out = Outcome { size, ..Outcome::default() };
        let mut undecided = Bits::below(size);
        let mut either = Either::default();
        let mut selected = false;
        let (mut accepted, mut perhaps) = (Bits::default(), Bits::default());
        let first_match = |tier: PolicyTier, undecided: &mut Bits, out: &mut Outcome, either: &mut Either| {
            let policies = self.rules_in(world, class, direction, tier);
            self.first_match(&policies, class, direction, protocol, port, undecided, out, either);
        };
        if world.tiered {
            first_match(PolicyTier::Admin, &mut undecided, &mut out, &mut either);
        }
        for (_, rules) in self.rules_in(world, class, direction, PolicyTier::NetworkPolicy) {
            selected = true;
            for rule in rules {
                self.hits(rule, class, direction, protocol, port, &mut accepted, &mut perhaps);
            }
        }
        if selected {
            accepted.keep(&undecided);
            perhaps.keep(&undecided);
            perhaps.remove(&accepted);
            out.allowed.add(&accepted);
            out.unsure.add(&perhaps);
            return either.settle(out);
        }
        if world.tiered {
            first_match(PolicyTier::Baseline, &mut undecided, &mut out, &mut either);
        }
        out.allowed.add(&undecided);
        either.settle(out)
    }

    /// The first rule of a tier that matches decides; what it passes, and what none matches, stays undecided. Which of several
    /// policies with one priority is asked first is not defined: what they say differently is not sure.
    #[expect(clippy::too_many_arguments, reason = "one question in all its parts")]
    fn first_match(
        &self,
        of_tier: &[(&Compiled, &[Rule])],
        class: &Class,
        direction: Direction,
        protocol: Protocol,
        port: u16,
        undecided: &mut Bits,
        out: &mut Outcome,
        either: &mut Either,
    ) {
        let mut passed = Bits::default();
        for peers in of_tier.chunk_by(|(one, _), (other, _)| is_tie(one, other)) {
            let (mut sure, mut maybe): ([Bits; 3], [Bits; 3]) = Default::default();
            for (policy, rules) in peers {
                let mut open = undecided.clone();
                for rule in *rules {
                    let (mut hit, mut perhaps) = (Bits::default(), Bits::default());
                    self.hits(rule, class, direction, protocol, port, &mut hit, &mut perhaps);
                    if self.may_select(policy, class) {
                        perhaps.add(&std::mem::take(&mut hit));
                    }
                    hit.keep(&open);
                    perhaps.keep(&open);
                    perhaps.remove(&hit);
                    open.remove(&hit);
                    open.remove(&perhaps);
                    if let (Some(sure), Some(maybe)) =
                        (sure.get_mut(rule.action as usize), maybe.get_mut(rule.action as usize))
                    {
                        sure.add(&hit);
                        maybe.add(&perhaps);
                    }
                }
            }
            let [accepted, denied, passes] = &sure;
            let [perhaps_accepted, perhaps_denied, perhaps_passed] = &maybe;
            let mut doubted = perhaps_accepted.without(accepted);
            doubted.add(&perhaps_denied.without(denied));
            doubted.add(&perhaps_passed.without(passes));
            doubted.add(&accepted.both(denied));
            // Where one passes what another decides, it depends on what comes after.
            either.allowed.add(&accepted.both(passes).without(&doubted));
            either.denied.add(&denied.both(passes).without(&doubted));
            out.allowed.add(&accepted.without(denied).without(passes).without(&doubted));
            passed.add(&passes.without(&doubted));
            for bits in sure.iter().chain(&maybe) {
                undecided.remove(bits);
            }
            out.unsure.add(&doubted);
        }
        undecided.add(&passed);
    }

    /// Adds whom a rule matches, for certain and perhaps.
    #[expect(clippy::too_many_arguments, reason = "one question in all its parts")]
    fn hits(
        &self,
        rule: &Rule,
        class: &Class,
        direction: Direction,
        protocol: Protocol,
        port: u16,
        sure: &mut Bits,
        maybe: &mut Bits,
    ) {
        if rule.faulty {
            maybe.add(&Bits::below(self.classes.size()));
            return;
        }
        let (on_port, perhaps_on_port) = self.cover(rule, class, direction, protocol, port);
        if on_port.is_nobody() && perhaps_on_port.is_nobody() {
            return;
        }
        let everybody;
        let peers: Vec<(&Bits, &Bits)> = match &rule.peers {
            RulePeers::Anyone => {
                everybody = (Bits::below(self.classes.size()), Bits::default());
                vec![(&everybody.0, &everybody.1)]
            }
            RulePeers::Of(sets) => {
                sets.iter().filter_map(|set| self.sets.get(*set)).map(|set| (&set.sure, &set.maybe)).collect()
            }
        };
        for (peer, perhaps) in peers {
            add(sure, peer, &on_port);
            add(maybe, perhaps, &on_port);
            add(maybe, peer, &perhaps_on_port);
            add(maybe, perhaps, &perhaps_on_port);
        }
    }

    /// Whom the ports of a rule leave, for certain and perhaps.
    fn cover(&self, rule: &Rule, class: &Class, direction: Direction, protocol: Protocol, port: u16) -> (Cover, Cover) {
        let Some(ports) = &rule.ports else { return (Cover::Everybody, Cover::Nobody) };
        let (mut sure, mut maybe) = (Cover::Nobody, Cover::Nobody);
        for stated in ports {
            match stated {
                RulePort::All(of) if *of == protocol => sure = Cover::Everybody,
                RulePort::Range { protocol: of, first, sure_to, last } if *of == protocol => {
                    if (*first..=*sure_to).contains(&port) {
                        sure = Cover::Everybody;
                    } else if (*first..=*last).contains(&port) {
                        maybe = Cover::Everybody;
                    }
                }
                RulePort::Named { protocol: of, name } if of.is_none_or(|of| of == protocol) => {
                    let Some(have) = self.classes.named.get(&(*name, protocol, port)) else { continue };
                    if !self.dialect.tells_named_ports_apart && self.classes.numbers(*name).nth(1).is_some() {
                        maybe = Cover::Everybody;
                    } else if direction == Direction::Egress {
                        sure.add(Cover::Some(have.clone()));
                    } else if self.classes.find(&class.key).is_some_and(|own| have.has(own)) {
                        sure = Cover::Everybody;
                    }
                }
                _ => {}
            }
        }
        (sure, maybe)
    }
}

/// Classes of which policies with one priority say different things, one of them that others decide.
#[derive(Default)]
struct Either {
    /// One accepts them.
    allowed: Bits,
    /// One denies them.
    denied: Bits,
}

impl Either {
    /// What others decide must be the same, or nothing is sure.
    fn settle(self, mut out: Outcome) -> Outcome {
        out.unsure.add(&self.allowed.without(&out.allowed));
        out.unsure.add(&self.denied.both(&out.allowed));
        out.allowed.remove(&self.denied);
        out
    }
}

fn add(into: &mut Bits, peers: &Bits, cover: &Cover) {
    match cover {
        Cover::Nobody => {}
        Cover::Everybody => into.add(peers),
        Cover::Some(bits) => into.add(&peers.both(bits)),
    }
}

impl Index {
    /// Whether the ports of a rule match, for one class at the other end.
    pub(crate) fn port_matches(
        &self,
        rule: &Rule,
        class: &Class,
        other: ClassId,
        direction: Direction,
        protocol: Protocol,
        port: u16,
    ) -> Member {
        let (sure, maybe) = self.cover(rule, class, direction, protocol, port);
        let has = |cover: &Cover| match cover {
            Cover::Nobody => false,
            Cover::Everybody => true,
            Cover::Some(bits) => bits.has(other),
        };
        if has(&sure) {
            Member::Yes
        } else if has(&maybe) {
            Member::Maybe
        } else {
            Member::No
        }
    }
}
