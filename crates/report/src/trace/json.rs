//! For programs. Fields are added, never renamed or removed.

use super::{Traced, words};
use crate::json::to_text;
use crate::place::Place;
use causeway_dataplane::packet::Packet;
use causeway_trace::names::{Answer, Remedy, Step};
use causeway_trace::{Decision, Hop, Missing, Obstacle};
use serde::Serialize;
use std::net::IpAddr;

/// A trace as it stands in every document; a field that does not apply is null, lists never are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JsonTrace<'a> {
    /// Only on the outermost.
    #[serde(skip_serializing_if = "Option::is_none")]
    causeway: Option<u32>,
    from: &'a str,
    to: &'a str,
    verdict: &'static str,
    source_seen: Option<IpAddr>,
    source_leaving_node: Option<IpAddr>,
    snat_by: Option<&'static str>,
    dnat_to: Option<String>,
    governed_by_subnet: Option<String>,
    decided_by: Option<JsonDecision<'a>>,
    sent: Option<JsonPacket>,
    sender_node: Option<IpAddr>,
    forward: Vec<JsonHop<'a>>,
    reply: Vec<JsonHop<'a>>,
    obstacles: Vec<JsonObstacle<'a>>,
    missing: Vec<JsonMissing<'a>>,
    notes: &'a [String],
    resolves: Option<&'static str>,
    resolution: Option<JsonResolution<'a>>,
    resolutions: Vec<JsonResolution<'a>>,
    idle_timeout_seconds: Option<u64>,
    mtu: Option<u32>,
    ways: Vec<JsonTrace<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonDecision<'a> {
    owner: &'static str,
    object: Option<&'a str>,
    rule: Option<&'a str>,
    because: &'a str,
    source: Option<Place>,
}

#[derive(Debug, Serialize)]
struct JsonHop<'a> {
    at: &'a str,
    did: &'a str,
    by: &'static str,
    packet: JsonPacket,
    before: JsonPacket,
    object: Option<&'a str>,
    source: Option<Place>,
}

#[derive(Debug, Serialize)]
struct JsonPacket {
    src: IpAddr,
    dst: IpAddr,
    proto: String,
    sport: Option<u16>,
    dport: Option<u16>,
}

#[derive(Debug, Serialize)]
struct JsonObstacle<'a> {
    direction: &'static str,
    verdict: &'static str,
    owner: &'static str,
    object: Option<&'a str>,
    rule: Option<&'a str>,
    because: &'a str,
    fix: &'a str,
    firm: bool,
    source: Option<Place>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonResolution<'a> {
    name: &'a str,
    verdict: &'static str,
    addresses: &'a [IpAddr],
    aliases: &'a [String],
    /// Who decided.
    object: Option<&'a str>,
    source: Option<Place>,
    steps: Vec<JsonStep<'a>>,
    public_access_disabled: Option<bool>,
    remedy: Option<JsonRemedy<'a>>,
    missing: Vec<JsonMissing<'a>>,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct JsonStep<'a> {
    asked: &'a str,
    name: &'a str,
    said: &'a str,
    object: Option<&'a str>,
    source: Option<Place>,
}

#[derive(Debug, Serialize)]
struct JsonRemedy<'a> {
    object: Option<&'a str>,
    because: &'a str,
    fix: &'a str,
    source: Option<Place>,
}

#[derive(Debug, Serialize)]
struct JsonMissing<'a> {
    fact: &'a str,
    how: &'a str,
}

/// For programs.
pub fn json(traced: &Traced<'_>) -> String {
    to_text(&JsonTrace { causeway: Some(1), ..value(traced) })
}

/// The trace as it stands in other documents.
pub(crate) fn value<'a>(traced: &Traced<'a>) -> JsonTrace<'a> {
    let trace = traced.trace;
    let hops = |hops: &'a [Hop]| hops.iter().map(|hop| hop_value(traced, hop)).collect();
    JsonTrace {
        causeway: None,
        from: &trace.from,
        to: &trace.to,
        verdict: trace.verdict.as_str(),
        source_seen: trace.source_seen,
        source_leaving_node: trace.source_leaving_node,
        snat_by: trace.snat_by.map(|owner| owner.as_str()),
        dnat_to: trace.dnat_to.map(|(address, port)| words::end(address, Some(port).filter(|port| *port != 0))),
        governed_by_subnet: trace.governed_by_subnet.as_ref().map(ToString::to_string),
        decided_by: trace.decided_by.as_ref().map(|decision| decision_value(traced, decision)),
        sent: trace.sent.as_ref().map(packet),
        sender_node: trace.sender_node,
        forward: hops(&trace.forward),
        reply: hops(&trace.reply),
        obstacles: trace.obstacles.iter().map(|obstacle| obstacle_value(traced, obstacle)).collect(),
        missing: missing_value(&trace.missing),
        notes: &trace.notes,
        resolves: trace.resolution.as_ref().map(|answer| answer.verdict.as_str()),
        resolution: trace.resolution.as_ref().map(|answer| resolution_value(traced, answer)),
        resolutions: trace.resolutions.iter().map(|answer| resolution_value(traced, answer)).collect(),
        idle_timeout_seconds: trace.idle_timeout_seconds,
        mtu: trace.mtu,
        ways: trace.ways.iter().map(|way| value(&traced.with(way))).collect(),
    }
}

fn stated(object: &str) -> Option<&str> {
    Some(object).filter(|object| !object.is_empty())
}

fn packet(packet: &Packet) -> JsonPacket {
    let ports = words::has_ports(packet.protocol);
    JsonPacket {
        src: packet.source,
        dst: packet.destination,
        proto: words::protocol(packet.protocol).into_owned(),
        sport: ports.then_some(packet.source_port),
        dport: ports.then_some(packet.destination_port),
    }
}

fn hop_value<'a>(traced: &Traced<'_>, hop: &'a Hop) -> JsonHop<'a> {
    JsonHop {
        at: &hop.at,
        did: &hop.did,
        by: hop.by.as_str(),
        packet: packet(&hop.packet),
        before: packet(&hop.before),
        object: stated(&hop.object),
        source: traced.place(&hop.object),
    }
}

fn decision_value<'a>(traced: &Traced<'_>, decision: &'a Decision) -> JsonDecision<'a> {
    let Decision { owner, object, rule, because } = decision;
    JsonDecision {
        owner: owner.as_str(),
        object: stated(object),
        rule: rule.as_deref(),
        because,
        source: traced.place(object),
    }
}

fn missing_value(missing: &[Missing]) -> Vec<JsonMissing<'_>> {
    missing.iter().map(|Missing { fact, how }| JsonMissing { fact, how }).collect()
}

fn resolution_value<'a>(traced: &Traced<'_>, answer: &'a Answer) -> JsonResolution<'a> {
    let step = |step: &'a Step| JsonStep {
        asked: &step.asked,
        name: &step.name,
        said: &step.said,
        object: stated(&step.object),
        source: traced.place(&step.object),
    };
    let remedy = |remedy: &'a Remedy| JsonRemedy {
        object: stated(&remedy.object),
        because: &remedy.because,
        fix: &remedy.fix,
        source: traced.place(&remedy.object),
    };
    JsonResolution {
        name: &answer.name,
        verdict: answer.verdict.as_str(),
        addresses: &answer.addresses,
        aliases: &answer.aliases,
        object: stated(&answer.authority),
        source: traced.place(&answer.authority),
        steps: answer.steps.iter().map(step).collect(),
        public_access_disabled: answer.public_access_disabled,
        remedy: answer.remedy.as_ref().map(remedy),
        missing: missing_value(&answer.missing),
        notes: &answer.notes,
    }
}

fn obstacle_value<'a>(traced: &Traced<'_>, obstacle: &'a Obstacle) -> JsonObstacle<'a> {
    let Decision { owner, object, rule, because } = &obstacle.decision;
    JsonObstacle {
        direction: obstacle.direction.as_str(),
        verdict: obstacle.verdict.as_str(),
        owner: owner.as_str(),
        object: stated(object),
        rule: rule.as_deref(),
        because,
        fix: &obstacle.fix,
        firm: obstacle.firm,
        source: traced.place(object),
    }
}
