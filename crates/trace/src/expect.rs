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
    for (field, wanted) in &expectation.asserts {
        let found = values(&trace, field);
        if !wanted.iter().any(|wanted| found.iter().any(|found| is(&trace, wanted, found))) {
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(" or ") };
            because.push(format!("{field} is {found}, not {}", wanted.join(" or ")));
        }
    }
    Judged { passed: because.is_empty(), because, trace: Some(trace) }
}

/// What a field of a trace says, as outputs write it. Where ways differ in it each of them counts only if all say the same.
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
        "resolves" => one(trace.resolution.as_ref().map(|answer| answer.verdict.to_string())),
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
