//! One flow, tier by tier: who decided, and why.

use crate::classes::{Class, ClassId, Who};
use crate::dialect::Known;
use crate::doubts::{World, is_tie};
use crate::ends::{End, Flow, Verdict};
use crate::index::{Index, Seat};
use crate::rows::known;
use crate::rules::{Compiled, Rule, RulePeers};
use crate::sets::{Member, SetId, SetKey};
use causeway_model::design::Protocol;
use causeway_model::policy::{Action, Direction, PolicyId, PolicyRule, PolicyTier};
use std::fmt;

/// What became of a flow, direction by direction and tier by tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The sender's policies about what goes out, then the receiver's about what comes in.
    pub steps: Vec<Step>,
    /// What is not known, where the verdict is uncertain.
    pub missing: Vec<String>,
}

/// What one tier says of one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The tier; `None` = what holds without any policy.
    pub tier: Option<PolicyTier>,
    /// Whose policies: egress the sender's, ingress the receiver's.
    pub direction: Direction,
    /// What it says.
    pub said: Said,
    /// The policy; of a denial by NetworkPolicies the first that selects the pod.
    pub policy: Option<PolicyId>,
    /// The rule of it, counted from 0.
    pub rule: Option<usize>,
    /// The rule's own name.
    pub rule_name: Option<String>,
    /// In words.
    pub because: String,
}

/// What a tier says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// It lets it through.
    Allowed,
    /// It drops it.
    Denied,
    /// It leaves it to the next tier.
    Passed,
    /// Nothing.
    Nothing,
    /// It depends on something that is not known.
    Uncertain,
}

impl Said {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Said::Allowed => "allowed",
            Said::Denied => "denied",
            Said::Passed => "passed",
            Said::Nothing => "nothing",
            Said::Uncertain => "uncertain",
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Explanation {
    /// The verdict of a direction.
    pub fn of(&self, direction: Direction) -> Verdict {
        let last = self.steps.iter().rfind(|step| step.direction == direction);
        match last.map(|step| step.said) {
            Some(Said::Denied) => Verdict::Denied,
            Some(Said::Uncertain) => Verdict::Uncertain,
            _ => Verdict::Allowed,
        }
    }

    /// The verdict of both.
    pub fn verdict(&self) -> Verdict {
        self.of(Direction::Egress).and(self.of(Direction::Ingress))
    }

    /// The step that decided: the first that does not let it through, else the last that says why it may.
    pub fn decided_by(&self) -> Option<&Step> {
        let verdict = self.verdict();
        let wanted = match verdict {
            Verdict::Denied => Said::Denied,
            Verdict::Uncertain => Said::Uncertain,
            Verdict::Allowed => Said::Allowed,
        };
        let mut found = self.steps.iter().filter(|step| step.said == wanted);
        match verdict {
            Verdict::Allowed => {
                let by_policy = self.steps.iter().rev().find(|step| step.said == wanted && step.policy.is_some());
                by_policy.or_else(|| found.next_back())
            }
            _ => found.next(),
        }
    }
}

impl Index {
    /// What becomes of a flow and why; `None` if an end names a pod or node that is not there.
    pub fn explain(&self, flow: &Flow) -> Option<Explanation> {
        let (from, to) = self.seats(flow)?;
        let Some(flows) = self.readings(flow) else {
            return Some(self.walk_of(Some((&flow.from, &flow.to)), from, to, flow.protocol, flow.port));
        };
        let answers = flows.into_iter().map(|(name, from, to)| {
            (name, self.walk_of(Some((&flow.from, &flow.to)), from, to, flow.protocol, flow.port))
        });
        let answers: Vec<(String, Explanation)> = answers.collect();
        if answers.is_empty() {
            return Some(Explanation::of_strangers());
        }
        Explanation::of_all(answers, "which of these it is", "give the family, or the end itself")
    }

    /// What rules of the tiers deny a class, or may, in a direction and towards another class: stretches of ports, each with the policy.
    /// What is denied because nothing allows it is not among them.
    pub fn denials(&self, class: ClassId, direction: Direction, other: ClassId) -> Vec<(Protocol, u16, u16, PolicyId)> {
        let Some(known) = self.classes.get(class) else { return Vec::new() };
        let cuts: Vec<(Protocol, u16)> = self.cuts(known, direction).into_iter().collect();
        let mut out: Vec<(Protocol, u16, u16, PolicyId)> = Vec::new();
        for (at, (protocol, first)) in cuts.iter().enumerate() {
            let next = cuts.get(at + 1).filter(|(next, _)| next == protocol);
            let last = next.map_or(u16::MAX, |(_, port)| port.saturating_sub(1));
            let Some(by) = self.denied_by(class, direction, other, *protocol, *first) else { continue };
            match out.last_mut() {
                Some((of, _, end, known)) if of == protocol && *known == by && end.checked_add(1) == Some(*first) => {
                    *end = last;
                }
                _ => out.push((*protocol, *first, last, by)),
            }
        }
        out
    }

    /// The policy of a tier that denies a class something, or may; `None` = it is denied because nothing allows it, or let through.
    fn denied_by(
        &self,
        class: ClassId,
        direction: Direction,
        other: ClassId,
        protocol: Protocol,
        port: u16,
    ) -> Option<PolicyId> {
        let of = Seat { class, policed: true, on_host: false, node: None };
        let other = Seat { class: other, policed: false, on_host: false, node: None };
        let asked = Asked { index: self, ends: None, of, other, direction, protocol: known(protocol), port };
        let steps = asked.steps(&mut Vec::new());
        let last = steps.last().filter(|last| matches!(last.said, Said::Denied | Said::Uncertain))?;
        let by_tier = |step: &&Step| matches!(step.tier, Some(PolicyTier::Admin | PolicyTier::Baseline));
        let by = match last.tier {
            Some(_) => Some(last).filter(by_tier),
            // Which of several is asked first is not defined, or nobody has evaluated a policy.
            None if self.classes.get(class).is_some_and(|class| !self.unread_of(class).is_empty()) => None,
            None => steps.iter().rev().filter(by_tier).find(|step| step.policy.is_some()),
        };
        by.and_then(|step| step.policy.clone())
    }

    pub(crate) fn walk(&self, from: Seat, to: Seat, protocol: Protocol, port: u16) -> Explanation {
        self.walk_of(None, from, to, protocol, port)
    }

    /// The same, of ends with names.
    fn walk_of(&self, ends: Option<(&End, &End)>, from: Seat, to: Seat, protocol: Protocol, port: u16) -> Explanation {
        let protocol = known(protocol);
        let mut out = Explanation { steps: Vec::new(), missing: Vec::new() };
        for (of, other, direction) in [(from, to, Direction::Egress), (to, from, Direction::Ingress)] {
            let swapped = |(from, to)| if direction == Direction::Egress { (from, to) } else { (to, from) };
            let asked = Asked { index: self, ends: ends.map(swapped), of, other, direction, protocol, port };
            let steps = asked.steps(&mut out.missing);
            out.steps.extend(steps);
        }
        out.missing.sort();
        out.missing.dedup();
        out
    }
}

/// Policies with one priority of which one decides what another leaves to what comes after.
struct Tie {
    decided: Said,
    step: Step,
    missing: String,
}

/// One direction of a flow.
struct Asked<'a> {
    index: &'a Index,
    ends: Option<(&'a End, &'a End)>,
    of: Seat,
    other: Seat,
    direction: Direction,
    protocol: Protocol,
    port: u16,
}

impl Asked<'_> {
    fn step(&self, tier: Option<PolicyTier>, said: Said, because: impl Into<String>) -> Step {
        let (direction, because) = (self.direction, because.into());
        Step { tier, direction, said, policy: None, rule: None, rule_name: None, because }
    }

    fn steps(&self, missing: &mut Vec<String>) -> Vec<Step> {
        let class = self.index.classes.get(self.of.class);
        let unread = class.map(|class| self.index.unread_of(class)).unwrap_or_default();
        if let Some(class) = class
            && !self.of.policed
            && unread.is_empty()
            && self.index.may_be_spoken_of(class, self.direction)
        {
            let (name, _) = self.names();
            missing.push(format!(
                "who has {name}: it is in a range where pods have theirs, and none that is known has it"
            ));
            let because = format!("a policy for {} may select the pod that has {name}", self.direction);
            return vec![self.step(None, Said::Uncertain, because)];
        }
        if !self.of.policed && unread.is_empty() {
            let who = if self.of.on_host {
                "a node, and what runs on its network, is not what policies are about"
            } else {
                "policies are about pods, not about addresses outside"
            };
            return vec![self.step(None, Said::Allowed, who)];
        }
        let Some(class) = class else {
            return vec![self.step(None, Said::Uncertain, "the pod is not known")];
        };
        let mut worlds = self.index.worlds(class, self.direction).into_iter();
        let Some(likely) = worlds.next() else { return Vec::new() };
        let mut steps = if self.of.policed { self.steps_in(likely, class, missing) } else { Vec::new() };
        if !unread.is_empty() {
            missing.extend(unread.iter().map(|name| format!("what `{name}` says: it is not evaluated")));
            let more = unread.len().saturating_sub(1);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let first = unread.first().copied().unwrap_or_default();
            let because = format!("it depends on what `{first}`{more} says, which is not evaluated");
            steps.push(self.step(None, Said::Uncertain, because));
            return steps;
        }
        let said = |steps: &[Step]| match steps.last().map(|step| step.said) {
            Some(Said::Denied) => Said::Denied,
            Some(Said::Uncertain) => Said::Uncertain,
            _ => Said::Allowed,
        };
        let verdict = said(&steps);
        // Worlds that differ in one thing come before those that differ in several.
        let mut open: Vec<Vec<String>> = Vec::new();
        for other in worlds {
            let mut of_other = Vec::new();
            if said(&self.steps_in(other, class, &mut of_other)) != verdict {
                let between = self.index.between(likely, other, class, self.direction);
                open.push([between, of_other].concat());
            }
        }
        open.sort_by_key(Vec::len);
        if let Some(found) = open.into_iter().next() {
            let first = found.first().map_or("", |first| first.split([':', ';']).next().unwrap_or(first));
            steps.push(self.step(None, Said::Uncertain, format!("it depends on {first}")));
            missing.extend(found);
        }
        steps
    }

    /// What is said in one world.
    fn steps_in(&self, world: World, class: &Class, missing: &mut Vec<String>) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut ties: Vec<Tie> = Vec::new();
        if world.tiered {
            let (step, tie) = self.first_match(world, class, PolicyTier::Admin, missing);
            steps.push(step);
            ties.extend(tie);
        }
        if steps.last().is_none_or(|step| matches!(step.said, Said::Nothing | Said::Passed)) {
            steps.push(self.network_policies(world, class, missing));
            if steps.last().is_some_and(|step| step.said == Said::Nothing) {
                if world.tiered {
                    let (step, tie) = self.first_match(world, class, PolicyTier::Baseline, missing);
                    steps.push(step);
                    ties.extend(tie);
                }
                if steps.last().is_some_and(|step| matches!(step.said, Said::Nothing | Said::Passed)) {
                    steps.push(self.step(
                        None,
                        Said::Allowed,
                        "without a policy that says otherwise everybody talks to everybody",
                    ));
                }
            }
        }
        for tie in ties {
            if steps.last().is_some_and(|step| !matches!(step.said, Said::Uncertain) && step.said != tie.decided) {
                missing.push(tie.missing);
                steps.push(tie.step);
            }
        }
        steps
    }

    /// What the first rule that matches says. Which of several policies with one priority is asked first is not defined: what they
    /// say differently is not sure.
    fn first_match(
        &self,
        world: World,
        class: &Class,
        tier: PolicyTier,
        missing: &mut Vec<String>,
    ) -> (Step, Option<Tie>) {
        let of_tier = self.index.rules_in(world, class, self.direction, tier);
        for peers in of_tier.chunk_by(|(one, _), (other, _)| is_tie(one, other)) {
            // By policy: the first rule that matches, or may.
            let found: Vec<(&Compiled, usize, &Rule, Member)> = peers
                .iter()
                .filter_map(|(policy, rules)| {
                    let mut known = rules.iter().enumerate().map(|(at, rule)| {
                        match (self.matches(rule, class), self.index.may_select(policy, class)) {
                            (Member::Yes, true) => (at, rule, Member::Maybe),
                            (member, _) => (at, rule, member),
                        }
                    });
                    let (at, rule, member) = known.find(|(.., member)| *member != Member::No)?;
                    Some((*policy, at, rule, member))
                })
                .collect();
            let Some((first, _, wanted, _)) =
                found.iter().find(|(.., member)| *member == Member::Yes).or(found.first())
            else {
                continue;
            };
            let sure = |action: Action| {
                found.iter().find(|(_, _, rule, member)| *member == Member::Yes && rule.action == action)
            };
            let doubted =
                found.iter().find(|(_, _, rule, member)| *member == Member::Maybe && sure(rule.action).is_none());
            if let Some((policy, at, rule, _)) = doubted {
                let because = self.doubt(policy, rule, missing);
                return (self.by(policy, Some(*at), self.step(Some(tier), Said::Uncertain, because)), None);
            }
            let said = |action: Action| match action {
                Action::Accept => Said::Allowed,
                Action::Deny => Said::Denied,
                Action::Pass => Said::Passed,
            };
            let other =
                found.iter().find(|(_, _, rule, member)| *member == Member::Yes && rule.action != wanted.action);
            let Some((other, ..)) = other else {
                let because = format!("the first rule that matches says {}", wanted.action);
                let at = found.iter().find(|(.., member)| *member == Member::Yes).map(|(_, at, ..)| *at);
                return (self.by(first, at, self.step(Some(tier), said(wanted.action), because)), None);
            };
            let (one, other, priority) = (&first.source.id, &other.source.id, first.source.priority);
            let because = format!("`{one}` and `{other}` have priority {priority} both and say different things");
            let unknown = format!("which of `{one}` and `{other}` is asked first: both have priority {priority}");
            let step = self.by(first, None, self.step(Some(tier), Said::Uncertain, because));
            if sure(Action::Pass).is_none() || (sure(Action::Accept).is_some() && sure(Action::Deny).is_some()) {
                missing.push(unknown);
                return (step, None);
            }
            // One decides, and the other leaves it to what comes after.
            let decided = if sure(Action::Accept).is_some() { Said::Allowed } else { Said::Denied };
            let passed = Step { said: Said::Passed, ..step.clone() };
            return (passed, Some(Tie { decided, step, missing: unknown }));
        }
        (self.step(Some(tier), Said::Nothing, "no rule matches"), None)
    }

    fn network_policies(&self, world: World, class: &Class, missing: &mut Vec<String>) -> Step {
        let tier = Some(PolicyTier::NetworkPolicy);
        let of_tier = || self.index.rules_in(world, class, self.direction, PolicyTier::NetworkPolicy);
        let mut perhaps = None;
        let mut isolating = Vec::new();
        for (policy, rules) in of_tier() {
            isolating.push(policy);
            for (at, rule) in rules.iter().enumerate() {
                match self.matches(rule, class) {
                    Member::No => {}
                    Member::Yes => {
                        let step = self.step(tier, Said::Allowed, "a rule of a policy that selects the pod allows it");
                        return self.by(policy, Some(at), step);
                    }
                    Member::Maybe => perhaps = perhaps.or(Some((policy, at, rule))),
                }
            }
        }
        let Some(first) = isolating.first().copied() else {
            return self.step(tier, Said::Nothing, format!("no policy for {} selects the pod", self.direction));
        };
        let next_to = self.index.next_to(&self.of, &self.other);
        if next_to != Member::No {
            let always = "the pod's own node is always let in";
            let open = match (self.direction, self.index.dialect.own_node_is_open) {
                (Direction::Ingress, _) => Some((Said::Allowed, always.to_owned())),
                (_, Known::Yes) => Some((Said::Allowed, "a pod may always talk to its own node".to_owned())),
                (_, Known::NotSaid) => {
                    let engine = self.index.dialect.engine;
                    missing.push(format!("whether `{engine}` lets pods talk to their own node whatever policies say"));
                    Some((
                        Said::Uncertain,
                        format!("whether `{engine}` leaves the way to the own node open is a setting"),
                    ))
                }
                (_, Known::No) => None,
            };
            match open {
                Some((said, because)) if next_to == Member::Yes => return self.step(tier, said, because),
                Some(_) => {
                    missing.push(self.placement());
                    let because = "whether this is the pod's own node is not known";
                    return self.step(tier, Said::Uncertain, because);
                }
                None => {}
            }
        }
        if let Some((policy, at, rule)) = perhaps {
            let because = self.doubt(policy, rule, missing);
            return self.by(policy, Some(at), self.step(tier, Said::Uncertain, because));
        }
        let names: Vec<String> = isolating.iter().take(4).map(|policy| format!("`{}`", policy.source.id)).collect();
        let more = isolating.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let because = match isolating.len() {
            1 => "it selects the pod, and none of its rules allows it".to_owned(),
            _ => format!("{}{more} select the pod, and none of their rules allows it", names.join(", ")),
        };
        self.by(first, None, self.step(tier, Said::Denied, because))
    }

    fn by(&self, policy: &Compiled, rule: Option<usize>, step: Step) -> Step {
        let written: Option<&PolicyRule> =
            rule.and_then(|rule| policy.source.rules(self.direction).and_then(|rules| rules.get(rule)));
        let rule_name = written.and_then(|rule| rule.name.clone());
        Step { policy: Some(policy.source.id.clone()), rule, rule_name, ..step }
    }

    /// The pod, and who is at the other end, as they were asked about.
    fn names(&self) -> (String, String) {
        let shown = |end: Option<&End>, else_: &str| end.map_or_else(|| else_.to_owned(), |end| format!("`{end}`"));
        (shown(self.ends.map(|ends| ends.0), "the pod"), shown(self.ends.map(|ends| ends.1), "the other end"))
    }

    /// What is not known where it is not known whether the other end is the pod's own node.
    fn placement(&self) -> String {
        let (pod, other) = self.names();
        match (self.of.node, self.other.node, self.other.on_host) {
            (_, _, false) => {
                format!("whether {other} is a node's address, of the node that {pod} runs on: no node has it")
            }
            (None, None, _) => format!("which nodes {pod} and {other} run on"),
            (None, ..) => format!("which node {pod} runs on"),
            (_, None, _) => format!("which node {other} runs on"),
            _ => format!("whether {other} is the node of {pod}"),
        }
    }

    /// Why a match is not sure.
    fn doubt(&self, policy: &Compiled, rule: &Rule, missing: &mut Vec<String>) -> String {
        let id = &policy.source.id;
        if rule.faulty {
            let fault = policy.source.faults.first().map_or("", |fault| fault.message.as_str());
            missing.push(format!("what `{id}` means: {fault}"));
            return "the rule can't be read".to_owned();
        }
        let unseen = |class: ClassId| {
            self.index.classes.get(class).and_then(|class| self.index.space(&class.key)).filter(|space| !space.seen)
        };
        let by_labels = |of: ClassId, sets: &[SetId]| {
            let mut known = sets.iter().filter_map(|set| self.index.sets.get(*set));
            known.any(|set| matches!(set.key, SetKey::Pods { .. }) && set.maybe.has(of))
        };
        let peers = match &rule.peers {
            RulePeers::Of(sets) => sets.as_slice(),
            RulePeers::Anyone => &[],
        };
        for (of, sets) in [(self.of.class, &[policy.subject][..]), (self.other.class, peers)] {
            if let Some(space) = unseen(of).filter(|_| by_labels(of, sets)) {
                let name = self.index.words.text(space.name);
                missing
                    .push(format!("the labels of namespace `{name}`, for `{id}`: there is no Namespace object of it"));
                return format!("it depends on the labels of namespace `{name}`, which are not known");
            }
        }
        let other = self.index.classes.get(self.other.class);
        if let Some(Who::Unseen { pod, node }) = other.map(|class| &class.key.who)
            && self.peer(rule) == Member::Maybe
        {
            let (_, name) = self.names();
            let whose = match (pod, node) {
                (true, true) => "pods and nodes",
                (true, false) => "pods",
                _ => "nodes",
            };
            missing.push(format!(
                "who has {name}: it is in a range where {whose} have theirs, and none that is known has it"
            ));
            return format!("whether the rule matches depends on who has {name}");
        }
        let by_node = |set: &SetId| {
            self.index
                .sets
                .get(*set)
                .is_some_and(|set| matches!(set.key, SetKey::Nodes(_)) && set.maybe.has(self.other.class))
        };
        let unknown_node = other.is_some_and(|class| class.key.who == Who::UnknownNode);
        if unknown_node && peers.iter().any(by_node) && self.peer(rule) == Member::Maybe {
            let (_, name) = self.names();
            missing.push(format!(
                "the labels of the node whose network {name} is on, for `{id}`: there is no Node object of it"
            ));
            return format!("it depends on the labels of the node whose network {name} is on, which are not known");
        }
        if self.peer(rule) == Member::Maybe {
            missing.push(format!("which addresses the ends have, for `{id}`"));
            return "whether the rule matches depends on an address that is not known".to_owned();
        }
        missing.push(format!("how `{}` reads the ports of `{id}`", self.index.dialect.engine));
        format!("`{}` is not reliable on ports of this shape", self.index.dialect.engine)
    }

    fn matches(&self, rule: &Rule, class: &Class) -> Member {
        if rule.faulty {
            return Member::Maybe;
        }
        match (
            self.index.port_matches(rule, class, self.other.class, self.direction, self.protocol, self.port),
            self.peer(rule),
        ) {
            (Member::No, _) | (_, Member::No) => Member::No,
            (Member::Yes, Member::Yes) => Member::Yes,
            _ => Member::Maybe,
        }
    }

    fn peer(&self, rule: &Rule) -> Member {
        let RulePeers::Of(sets) = &rule.peers else { return Member::Yes };
        let known = || sets.iter().filter_map(|set| self.index.sets.get(*set));
        if known().any(|set| set.sure.has(self.other.class)) {
            Member::Yes
        } else if known().any(|set| set.maybe.has(self.other.class)) {
            Member::Maybe
        } else {
            Member::No
        }
    }
}
