//! What holds of every walk, whatever the design: a seed that fails is printed, and `CAUSEWAY_SEED` repeats it.

use crate::plan::{Plan, Policy, RECEIVERS, Rule, SENDERS, rename};
use crate::scenarios::design;
use causeway_dataplane::packet::Protocol;
use causeway_testkit::Random;
use causeway_trace::ask::{Question, ask};
use causeway_trace::matrix::matrix;
use causeway_trace::story::reversed;
use causeway_trace::{Trace, Verdict, World};
use std::collections::BTreeMap;

/// Designs a property is tried with.
const DESIGNS: u64 = 16;

/// More hops than any way has that leads somewhere.
const MOST_HOPS: usize = 64;

fn as_it_is(name: &str) -> String {
    name.to_owned()
}

/// Every flow of a plan that can be asked about, by how it is asked.
fn traces(text: &str, flows: &[(&str, &str)], named: &dyn Fn(&str) -> String) -> BTreeMap<(String, String), Trace> {
    let design = design("chance", text);
    let world = World::new(&design);
    let mut out = BTreeMap::new();
    for (from, to) in flows {
        // A service of the platform that answers datagrams; a ping of whoever is asked without a port.
        let protocol = match to.rsplit_once(':') {
            Some((_, "53")) => Some(Protocol::Udp),
            Some(_) => None,
            None => Some(Protocol::Icmp),
        };
        let question = Question { from: rename(from, named), to: rename(to, named), protocol, ..Question::default() };
        if let Ok(trace) = ask(&world, &question) {
            out.insert(((*from).to_owned(), (*to).to_owned()), trace);
        }
    }
    out
}

fn flows() -> Vec<(&'static str, &'static str)> {
    SENDERS.iter().flat_map(|from| RECEIVERS.iter().map(move |to| (*from, *to))).collect()
}

/// Tries a property with plans, and says with which seed it fails.
fn each_plan(check: impl Fn(&mut Random, &Plan) -> Result<(), String>) {
    let first = Random::seed();
    for seed in (first..).take(usize::try_from(DESIGNS).unwrap()) {
        let mut random = Random::new(seed);
        let plan = Plan::random(&mut random);
        if let Err(why) = check(&mut random, &plan) {
            panic!("CAUSEWAY_SEED={seed}: {why}\n{}", plan.text(&as_it_is));
        }
    }
}

fn ways(trace: &Trace) -> &[Trace] {
    if trace.ways.is_empty() { std::slice::from_ref(trace) } else { &trace.ways }
}

#[test]
fn a_walk_ends_and_its_hops_join() {
    each_plan(|_, plan| {
        for ((from, to), trace) in traces(&plan.text(&as_it_is), &flows(), &as_it_is) {
            for way in ways(&trace) {
                if way.forward.len() > MOST_HOPS || way.reply.len() > MOST_HOPS {
                    return Err(format!("{from} to {to} goes round: {way:#?}"));
                }
                let Some(sent) = way.sent else { continue };
                let mut packet = sent;
                for hop in &way.forward {
                    if hop.before != packet {
                        return Err(format!(
                            "{from} to {to}: the packet changes between hops, before {hop:?}: {way:#?}"
                        ));
                    }
                    packet = hop.packet;
                }
                for hops in way.reply.windows(2) {
                    if hops[1].before != hops[0].packet {
                        return Err(format!(
                            "{from} to {to}: the answer changes between hops, before {:?}: {way:#?}",
                            hops[1]
                        ));
                    }
                }
            }
        }
        Ok(())
    });
}

#[test]
fn the_answer_of_what_arrives_comes_back_to_the_port_it_was_asked_from() {
    each_plan(|_, plan| {
        for ((from, to), trace) in traces(&plan.text(&as_it_is), &flows(), &as_it_is) {
            for way in ways(&trace).iter().filter(|way| way.verdict == Verdict::Delivered) {
                let sent = way.sent.ok_or_else(|| format!("{from} to {to}: delivered and never sent"))?;
                let received = way.forward.last().map_or(sent, |hop| hop.packet);
                let answer = way.reply.last().map_or(reversed(&received), |hop| hop.packet);
                if answer != reversed(&sent) {
                    return Err(format!("{from} to {to}: the answer ends as {answer:?}: {way:#?}"));
                }
                if way.source_seen.is_some_and(|seen| seen != received.source) {
                    return Err(format!("{from} to {to}: not the source that is seen: {way:#?}"));
                }
                if !way.missing.is_empty() || !way.obstacles.is_empty() {
                    return Err(format!("{from} to {to}: delivered in spite of something: {way:#?}"));
                }
            }
        }
        Ok(())
    });
}

/// Any of the ways to let less through, and what it was.
fn tightened(random: &mut Random, plan: &Plan) -> (Plan, String) {
    let mut tight = plan.clone();
    let group = usize::try_from(random.below(3)).unwrap();
    let what = match random.below(6) {
        0 | 1 => {
            let mut rule = Rule { allows: false, ..Rule::random(random, true, 0) };
            rule.name = "tight".to_owned();
            // No two rules of a direction have the same priority.
            rule.priority = 100 + 10 * u32::try_from(random.below(4)).unwrap() + 9;
            tight.groups[group].push(rule.clone());
            format!("{rule:?} in group {group}")
        }
        2 => {
            let rules = &mut tight.groups[group];
            let allowing = rules.iter().position(|rule| rule.allows);
            allowing.map_or("nothing".to_owned(), |at| format!("without {:?}", rules.remove(at)))
        }
        3 => {
            let rule = Rule { allows: false, ..Rule::random(random, false, 0) };
            let at = usize::try_from(random.below(tight.firewall.len() as u64 + 1)).unwrap();
            tight.firewall.insert(at, Rule { name: "tight".to_owned(), ..rule.clone() });
            format!("{rule:?} in the firewall at {at}")
        }
        4 => {
            let allowing = tight.firewall.iter().position(|rule| rule.allows);
            allowing.map_or("nothing".to_owned(), |at| format!("the firewall without {:?}", tight.firewall.remove(at)))
        }
        _ => {
            let with_rules = tight.policies.iter_mut().find(|policy| !policy.rules.is_empty());
            match with_rules.filter(|_| random.below(2) == 0) {
                Some(policy) => format!("a policy without {:?}", policy.rules.pop()),
                None => {
                    let policy = Policy { rules: Vec::new(), ..Policy::random(random, 9) };
                    tight.policies.push(policy.clone());
                    format!("{policy:?}")
                }
            }
        }
    };
    (tight, what)
}

#[test]
fn a_tighter_filter_lets_nothing_new_through() {
    each_plan(|random, plan| {
        let flows = flows();
        let before = traces(&plan.text(&as_it_is), &flows, &as_it_is);
        for _ in 0..12 {
            let (tight, what) = tightened(random, plan);
            let after = traces(&tight.text(&as_it_is), &flows, &as_it_is);
            for (flow, trace) in &after {
                let was = before.get(flow).ok_or_else(|| format!("{flow:?} could not be asked before: {what}"))?;
                if trace.verdict == Verdict::Delivered && was.verdict != Verdict::Delivered {
                    return Err(format!("{flow:?} was {} before {what}: {was:#?}\n{trace:#?}", was.verdict));
                }
            }
        }
        Ok(())
    });
}

/// A name that sorts as it did.
fn longer(name: &str) -> String {
    format!("zz-{name}")
}

/// A name that sorts somewhere else.
fn elsewhere(name: &str) -> String {
    let sum: u32 = name.bytes().map(u32::from).sum();
    format!("zz{}-{name}", sum * 7 % 10)
}

#[test]
fn other_names_change_names_alone() {
    each_plan(|_, plan| {
        let flows = flows();
        let before = traces(&plan.text(&as_it_is), &flows, &as_it_is);
        let same_order = traces(&plan.text(&longer), &flows, &longer);
        let other_order = traces(&plan.text(&elsewhere), &flows, &elsewhere);
        if before.len() != same_order.len() || before.len() != other_order.len() {
            return Err("another number of flows".to_owned());
        }
        for (flow, trace) in &before {
            let (one, other) = (format!("{trace:#?}"), format!("{:#?}", same_order[flow]).replace("zz-", ""));
            if let Some((line, renamed)) = one.lines().zip(other.lines()).find(|(one, other)| one != other) {
                return Err(format!("{flow:?}: `{line}` becomes `{renamed}`"));
            }
            // Which of several ways comes first is by name.
            let seen = |trace: &Trace| {
                let mut ways: Vec<_> = ways(trace).iter().map(summary).collect();
                ways.sort();
                (trace.verdict, ways)
            };
            let (one, other) = (seen(trace), seen(&other_order[flow]));
            if one != other {
                return Err(format!("{flow:?}: {one:?} becomes {other:?}: {trace:#?}"));
            }
        }
        Ok(())
    });
}

#[test]
fn the_matrix_changes_its_names_alone() {
    each_plan(|_, plan| {
        let cells = |named: &dyn Fn(&str) -> String| {
            let design = design("chance", &plan.text(named));
            format!("{:#?}", matrix(&World::new(&design)))
        };
        let (one, other) = (cells(&as_it_is), cells(&longer).replace("zz-", ""));
        match one.lines().zip(other.lines()).find(|(one, other)| one != other) {
            Some((line, renamed)) => Err(format!("`{line}` becomes `{renamed}`")),
            None if one.contains("Cell {") => Ok(()),
            None => Err("no cells".to_owned()),
        }
    });
}

/// What a trace says beside names.
fn summary(way: &Trace) -> String {
    let mut obstacles: Vec<_> = way.obstacles.iter().map(|found| (found.verdict, found.decision.owner)).collect();
    obstacles.sort();
    let decided = way.decided_by.as_ref().map(|decision| decision.owner);
    format!("{} {:?} {:?} {decided:?} {obstacles:?}", way.verdict, way.snat_by, way.governed_by_subnet.is_some())
}

#[test]
fn the_same_design_gives_the_same_bytes() {
    each_plan(|_, plan| {
        let text = plan.text(&as_it_is);
        let (one, other) = (traces(&text, &flows(), &as_it_is), traces(&text, &flows(), &as_it_is));
        // Asked the other way round of one world, too: an answer does not hang on the questions before it.
        let mut backwards = flows();
        backwards.reverse();
        let third = traces(&text, &backwards, &as_it_is);
        if format!("{one:?}") == format!("{other:?}") && one == third { Ok(()) } else { Err("other bytes".to_owned()) }
    });
}

/// The plans are worth something: many flows arrive, many do not, for every reason.
#[test]
fn plans_have_something_of_everything() {
    let mut verdicts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for seed in 0..60 {
        let plan = Plan::random(&mut Random::new(seed));
        for trace in traces(&plan.text(&as_it_is), &flows(), &as_it_is).values() {
            *verdicts.entry(trace.verdict).or_default() += 1;
        }
    }
    for (_, verdict) in Verdict::WORDS {
        assert!(verdicts.get(verdict).is_some_and(|count| *count > 20), "{verdict}: {verdicts:?}");
    }
}
