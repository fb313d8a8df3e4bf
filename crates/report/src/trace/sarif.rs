//! For code scanning: a failing trace as a result whose code flow leads through the user's own files.

use super::{Traced, words};
use crate::sarif::{Fingerprints, document, files, physical};
use causeway_trace::{Hop, Trace, Verdict};
use serde_json::{Value, json};

/// The rule of flows that do not come to what is wanted.
const RULE: &str = "flow-not-delivered";

/// The answer of `trace`; `wanted` are the verdicts that are no failure.
pub fn sarif(traced: &Traced<'_>, wanted: &[Verdict]) -> String {
    let sentence = "A flow does not come to the verdict it should.";
    let rule = json!({
        "id": RULE,
        "shortDescription": {"text": sentence},
        "fullDescription": {"text": sentence},
        "help": {"text": "`causeway trace` follows the flow hop by hop and tells everything that would have to change."},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["Traces"]},
    });
    let mut results = Vec::new();
    if !super::as_expected(traced.trace, wanted) {
        results.push(result(traced));
    }
    document(vec![rule], results, json!([{"executionSuccessful": true}]), &files(traced.sources))
}

fn result(traced: &Traced<'_>) -> Value {
    let trace = traced.trace;
    let mut fingerprints = Fingerprints::default();
    let decided = trace.decided_by.as_ref().map_or("", |decision| decision.object.as_str());
    let level = if trace.verdict == Verdict::Uncertain { "warning" } else { "error" };
    let mut result = json!({
        "ruleId": RULE,
        "ruleIndex": 0,
        "level": level,
        "message": {"text": message(trace)},
        "locations": locations(traced),
        "partialFingerprints": {"causewayFinding/v1": fingerprints.of(&[RULE, &trace.from, &trace.to, trace.verdict.as_str(), decided])},
    });
    code_flows(traced, &mut result);
    result
}

/// What became of the flow, and everything that would have to change.
pub(crate) fn message(trace: &Trace) -> String {
    let mut text = super::headline(trace, false);
    for obstacle in &trace.obstacles {
        let object = words::object(&obstacle.decision.object, obstacle.decision.rule.as_deref());
        text.push_str(&format!(
            "\n{}: {}",
            [obstacle.decision.owner.as_str(), &object].join(" ").trim(),
            obstacle.decision.because
        ));
        if !obstacle.fix.is_empty() {
            text.push_str(&format!("\nhelp: {}", obstacle.fix));
        }
    }
    for missing in &trace.missing {
        text.push_str(&format!("\nnot known: {} ({})", missing.fact, missing.how));
    }
    text
}

/// Where who decided was written, else the first obstacle, else the first hop that was written anywhere.
fn locations(traced: &Traced<'_>) -> Value {
    let trace = traced.trace;
    let decided = trace.decided_by.iter().map(|decision| &decision.object);
    let obstacles = trace.obstacles.iter().map(|obstacle| &obstacle.decision.object);
    let hops = trace.forward.iter().map(|hop| &hop.object);
    let mut objects = decided.chain(obstacles).chain(hops);
    match objects.find_map(|object| Some((object, traced.span(object)?))) {
        Some((object, span)) => json!([{
            "physicalLocation": physical(traced.sources, span),
            "logicalLocations": [{"fullyQualifiedName": object}],
        }]),
        None => json!([]),
    }
}

/// Adds the way there and the way back, as far as their hops' objects were written in files; and the obstacles.
pub(crate) fn code_flows(traced: &Traced<'_>, result: &mut Value) {
    let trace = traced.trace;
    let mut order = 0;
    let mut flow = |name: &str, hops: &[Hop]| {
        let mut locations: Vec<Value> = Vec::new();
        for hop in hops {
            order += 1;
            let Some(span) = traced.span(&hop.object) else { continue };
            locations.push(json!({
                "executionOrder": order,
                "location": {
                    "physicalLocation": physical(traced.sources, span),
                    "logicalLocations": [{"fullyQualifiedName": hop.object}],
                    "message": {"text": format!("{}: {}", hop.at, words::hop(hop))},
                },
                "state": {"packet": {"text": words::packet(&hop.packet)}},
            }));
        }
        (!locations.is_empty()).then(|| json!({"id": name, "message": {"text": name}, "locations": locations}))
    };
    let flows: Vec<Value> =
        [flow("the way there", &trace.forward), flow("the way back", &trace.reply)].into_iter().flatten().collect();
    let related: Vec<Value> = trace
        .obstacles
        .iter()
        .enumerate()
        .filter_map(|(at, obstacle)| {
            let span = traced.span(&obstacle.decision.object)?;
            Some(json!({
                "id": at,
                "physicalLocation": physical(traced.sources, span),
                "logicalLocations": [{"fullyQualifiedName": obstacle.decision.object}],
                "message": {"text": obstacle.decision.because},
            }))
        })
        .collect();
    let Some(fields) = result.as_object_mut() else { return };
    if !flows.is_empty() {
        fields.insert("codeFlows".into(), json!([{"threadFlows": flows}]));
    }
    if !related.is_empty() {
        fields.insert("relatedLocations".into(), Value::Array(related));
    }
}
