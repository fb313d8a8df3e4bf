//! Whether what a design expects of its network is so.

use crate::answer::{Trace, Verdict};
use crate::ask::{Question, ask};
use crate::target::of_model;
use crate::world::World;
use causeway_addr::parse_address;
use causeway_model::design::{Expectation, Protocol};
use std::net::IpAddr;

/// What came of an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// It is so.
    pub passed: bool,
    /// What is not as expected, a line each; empty when it passed.
    pub because: Vec<String>,
    /// The flow; `None` = it can't be asked.
    pub trace: Option<Trace>,
}

/// Walks the flow an expectation is about and holds what it asserts against what came of it. What is not asserted is not asked; an
/// uncertain answer fails whatever is asserted.
pub fn judge(world: &World, expectation: &Expectation) -> Judged {
    let question = Question {
        from: expectation.from.clone(),
        to: expectation.to.clone(),
        protocol: expectation.protocol.and_then(|protocol: Protocol| of_model(protocol)),
        ..Question::default()
    };
    let trace = match ask(world, &question) {
        Ok(trace) => trace,
        Err(unasked) => {
            let because = vec![match unasked.help {
                Some(help) => format!("{}; {help}", unasked.message),
                None => unasked.message,
            }];
            return Judged { passed: false, because, trace: None };
        }
    };
    let mut because = Vec::new();
    // A name is asked about for its own sake where nothing of the packet is asserted.
    let only_name = !expectation.asserts.is_empty() && expectation.asserts.keys().all(|field| field == "resolves");
    if trace.verdict == Verdict::Uncertain && !only_name {
        because.push(match trace.missing.first() {
            Some(missing) => format!("uncertain without {}", missing.fact),
            None => "uncertain".to_owned(),
        });
    }
    // Whichever way the flow takes, it has to be so; a verdict that holds of some ways only is uncertain, and said above.
    let ways = if trace.ways.is_empty() { std::slice::from_ref(&trace) } else { trace.ways.as_slice() };
    for (field, wanted) in &expectation.asserts {
        let fits = |way: &&Trace| {
            let found = values(way, field);
            !found.is_empty() && wanted.iter().any(|wanted| all(field, &found, |found| is(way, wanted, found)))
        };
        if let Some(way) = ways.iter().find(|way| !fits(way)) {
            let found = values(way, field);
            let found = found.first().map_or("nothing", String::as_str);
            because.push(format!("{field} is {found}, not {}", wanted.join(" or ")));
        }
    }
    Judged { passed: because.is_empty(), because, trace: Some(trace) }
}

/// Of a name every answer it may get has to be the one that is wanted; of everything else one way to write it is enough.
fn all(field: &str, found: &[String], fits: impl Fn(&String) -> bool) -> bool {
    if field == "resolves" { found.iter().all(fits) } else { found.iter().any(fits) }
}

/// What a field of a trace says, in every way outputs and people write it.
fn values(trace: &Trace, field: &str) -> Vec<String> {
    let one = |value: Option<String>| value.into_iter().collect();
    let decided = trace.decided_by.as_ref();
    match field {
        "verdict" => vec![trace.verdict.to_string()],
        "sourceSeen" => one(trace.source_seen.map(|ip| ip.to_string())),
        "sourceLeavingNode" => one(trace.source_leaving_node.map(|ip| ip.to_string())),
        "snatBy" => one(trace.snat_by.map(|owner| owner.to_string())),
        "dnatTo" => trace.dnat_to.map_or(Vec::new(), |(ip, port)| match ip {
            IpAddr::V4(ip) => vec![format!("{ip}:{port}"), ip.to_string()],
            IpAddr::V6(ip) => vec![format!("[{ip}]:{port}"), ip.to_string()],
        }),
        "governedBySubnet" => one(trace.governed_by_subnet.as_ref().map(ToString::to_string)),
        "decidedBy.owner" => one(decided.map(|decision| decision.owner.to_string())),
        "decidedBy.object" => decided.map_or(Vec::new(), |decision| {
            // An object is named by its path, or as people call it.
            let last = decision.object.rsplit('.').find(|part| part.parse::<usize>().is_err());
            let mut out = vec![decision.object.clone()];
            out.extend(last.map(str::to_owned));
            out
        }),
        "decidedBy.rule" => one(decided.and_then(|decision| decision.rule.clone())),
        "resolves" => {
            trace.resolution.iter().chain(&trace.resolutions).map(|answer| answer.verdict.to_string()).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether what was found is what was wanted: `pod` is the sender's own address, `node` its node's.
fn is(trace: &Trace, wanted: &str, found: &str) -> bool {
    let as_address = |text: &str| parse_address(text).ok();
    match wanted {
        "pod" => trace.sent.is_some_and(|packet| as_address(found) == Some(packet.source)),
        "node" => trace.sender_node.is_some() && as_address(found) == trace.sender_node,
        _ => match (as_address(wanted), as_address(found)) {
            (Some(wanted), Some(found)) => wanted == found,
            _ => wanted == found || found.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.')),
        },
    }
}
