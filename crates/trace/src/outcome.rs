//! From what a walk gathered to what it answers, and from several ways to one answer.

use crate::answer::{Decision, Direction, Hop, Missing, Obstacle, Owner, Trace, Verdict};
use crate::story::{Story, reversed};
use causeway_dataplane::packet::Packet;
use causeway_model::design::SubnetRef;
use std::net::IpAddr;

/// What the walk of one way knows besides its story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Walked {
    /// Who asked, as written.
    pub(crate) from: String,
    /// Whom.
    pub(crate) to: String,
    /// The first packet.
    pub(crate) sent: Packet,
    /// The address of the sender's node.
    pub(crate) sender_node: Option<IpAddr>,
    /// The packet as it leaves the sender's node; `None` = it does not, or there is no node.
    pub(crate) left_node: Option<Packet>,
    /// Who rewrote the source on the sender's node; `None` = the packet never left the sender.
    pub(crate) snat_by: Option<Owner>,
    /// The subnet that governed it where it entered the fabric.
    pub(crate) governed_by: Option<SubnetRef>,
    /// The packet as the receiver got it, obstacles aside; `None` = there is no receiver to speak of.
    pub(crate) received: Option<Packet>,
}

/// The answer of one way.
pub(crate) fn settle(walked: Walked, mut story: Story) -> Trace {
    let verdict = verdict(&story);
    let stopped = story.obstacles.iter().any(|obstacle| obstacle.direction == Direction::Forward);
    let received = walked.received.filter(|_| !stopped && !story.doubted_on_the_way);
    let decided_by = match verdict {
        Verdict::Uncertain => None,
        Verdict::Delivered => shaped_by(&story.forward),
        _ => deciding(&story).map(|obstacle| obstacle.decision.clone()),
    };
    let never_left = story.kept_by_sender;
    end_where_it_ends(&walked, &mut story);
    let redirected = story.rewrites.iter().rev().find(|rewrite| {
        (rewrite.before.destination, rewrite.before.destination_port)
            != (rewrite.after.destination, rewrite.after.destination_port)
    });
    Trace {
        from: walked.from,
        to: walked.to,
        sent: Some(walked.sent),
        sender_node: walked.sender_node,
        verdict,
        source_seen: received.map(|packet| packet.source).filter(|source| !source.is_unspecified()),
        source_leaving_node: walked.left_node.map(|packet| packet.source),
        snat_by: walked.snat_by.filter(|_| !never_left),
        dnat_to: redirected.map(|rewrite| (rewrite.after.destination, rewrite.after.destination_port)),
        governed_by_subnet: walked.governed_by,
        decided_by,
        forward: story.forward,
        reply: story.reply,
        obstacles: story.obstacles,
        missing: story.missing,
        notes: story.notes,
        resolution: None,
        resolutions: Vec::new(),
        idle_timeout_seconds: story.idle_timeout_seconds,
        mtu: story.mtu,
        ways: Vec::new(),
    }
}

/// Hops beyond what stops a packet are none: the walk went on only to find what else stands in the way.
fn end_where_it_ends(walked: &Walked, story: &mut Story) {
    let Some(stop) = deciding(story).cloned() else { return };
    let hops = match stop.direction {
        Direction::Forward => {
            story.reply.clear();
            &mut story.forward
        }
        Direction::Reply => &mut story.reply,
    };
    hops.truncate(stop.met);
    let last = hops.last();
    let (before, at) = match (last, stop.direction) {
        (Some(hop), _) => (hop.packet, hop.at.clone()),
        (None, Direction::Forward) => (walked.sent, walked.from.clone()),
        (None, Direction::Reply) => {
            (walked.received.map_or(walked.sent, |packet| reversed(&packet)), walked.to.clone())
        }
    };
    let did = match stop.verdict {
        Verdict::DeniedByPolicy => format!("denied: {}", stop.decision.because),
        _ => format!("dropped: {}", stop.decision.because),
    };
    let (by, object) = (stop.decision.owner, stop.decision.object.clone());
    let said = hops.last().is_some_and(|hop| hop.object == object && hop.by == by && hop.did.contains("drop"));
    if !said {
        hops.push(Hop { at, did, by, object, before, packet: before });
    }
}

/// The first obstacle that stands whatever is missing decides; without one, anything that is missing makes it uncertain.
fn verdict(story: &Story) -> Verdict {
    match deciding(story) {
        Some(firm) => firm.verdict,
        None if story.missing.is_empty() => Verdict::Delivered,
        None => Verdict::Uncertain,
    }
}

/// The first obstacle nothing unknown could remove.
fn deciding(story: &Story) -> Option<&Obstacle> {
    story.obstacles.iter().find(|obstacle| obstacle.firm)
}

/// Who shaped a delivered flow most: the last to rewrite it on its way, else the last to choose its way.
fn shaped_by(forward: &[Hop]) -> Option<Decision> {
    let mut owned = forward.iter().rev().filter(|hop| hop.by != Owner::None);
    let rewrote = owned.clone().find(|hop| hop.before != hop.packet);
    let hop = rewrote.or_else(|| owned.next())?;
    Some(Decision { owner: hop.by, object: hop.object.clone(), rule: None, because: hop.did.clone() })
}

/// One answer of several ways. Ways that come to the same are one; ways that do not make it uncertain, with each of them told.
pub(crate) fn together(mut ways: Vec<Trace>, more: bool, what: &str) -> Option<Trace> {
    let mut kinds: Vec<Trace> = Vec::new();
    for way in &ways {
        if !kinds.iter().any(|kind| alike(kind, way)) {
            kinds.push(way.clone());
        }
    }
    let agree = kinds.iter().all(|kind| kind.verdict == kinds.first().map_or(kind.verdict, |first| first.verdict));
    let count = ways.len();
    ways.truncate(1);
    let mut first = ways.into_iter().next()?;
    if more {
        first.missing.push(Missing::new(
            format!("what becomes of more than {count} ways the flow may take ({what})"),
            "ask about one of them by its own name or address",
        ));
        if first.verdict == Verdict::Delivered {
            first.verdict = Verdict::Uncertain;
            first.decided_by = None;
        }
    }
    if kinds.len() < 2 {
        if count > 1 {
            first.notes.push(format!("{count} ways ({what}) come to the same; this is one of them"));
        }
        return Some(first);
    }
    if agree {
        first.notes.push(format!("{count} ways ({what}) come to the same verdict and differ in what is seen"));
        if kinds.iter().any(|kind| kind.source_seen != first.source_seen) {
            first.notes.push(format!("the source seen depends on the way: {}", sources(&kinds)));
        }
        if kinds.iter().any(|kind| kind.snat_by != first.snat_by) {
            first.snat_by = None;
        }
    } else {
        let verdicts: Vec<String> = kinds.iter().map(|kind| format!("{} ({})", kind.verdict, way(kind))).collect();
        first.missing.push(Missing::new(
            format!("which way the flow takes, of those that differ: {}", verdicts.join("; ")),
            "ask about each by its own name or address",
        ));
        first.verdict = Verdict::Uncertain;
        first.decided_by = None;
        first.source_seen = None;
    }
    first.ways = kinds;
    Some(first)
}

/// Nobody who reads the answers would tell the two ways apart but by names.
fn alike(one: &Trace, other: &Trace) -> bool {
    let key = |trace: &Trace| {
        let decided = trace.decided_by.as_ref().map(|decision| (decision.owner, decision.object.clone()));
        let objects: Vec<_> = trace.obstacles.iter().map(|obstacle| obstacle.decision.object.clone()).collect();
        (trace.verdict, trace.snat_by, trace.source_seen, trace.governed_by_subnet.clone(), decided, objects)
    };
    key(one) == key(other)
}

fn sources(kinds: &[Trace]) -> String {
    let mut seen: Vec<String> =
        kinds.iter().map(|kind| kind.source_seen.map_or("none".to_owned(), |source| source.to_string())).collect();
    seen.sort();
    seen.dedup();
    seen.join(", ")
}

fn way(trace: &Trace) -> String {
    match trace.dnat_to {
        Some((address, port)) => format!("to {address} port {port}"),
        None => trace.to.clone(),
    }
}
