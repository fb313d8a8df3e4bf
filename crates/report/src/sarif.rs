//! For code scanning: SARIF 2.1.0, one run.

use crate::place::Place;
use crate::{Report, Trouble, pages, trace};
use causeway_engine::{Expectation, Outcome};
use causeway_model::codes::Code;
use causeway_model::finding::{Finding, Severity};
use causeway_model::source::{Sources, Span};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The rule of expectations that did not come true; they are no finding code.
const EXPECTATION: &str = "expectation-failed";

/// The answer of `check`.
pub fn check(report: &Report<'_>) -> String {
    let answer = report.answer;
    let mut rules: Vec<Code> = answer
        .findings
        .iter()
        .chain(answer.accepted.iter().map(|(finding, _)| finding))
        .map(|finding| finding.code)
        .collect();
    rules.sort_by_key(|code| code.as_str());
    rules.dedup();
    let mut fingerprints = Fingerprints::default();
    let mut results = Vec::new();
    for finding in &answer.findings {
        let mut result = result(report, finding, &rules, &mut fingerprints);
        if report.threshold.allows(finding) {
            suppress(&mut result, "external", "allowed by `--allow`");
        }
        results.push(result);
    }
    for (finding, because) in &answer.accepted {
        let mut result = result(report, finding, &rules, &mut fingerprints);
        suppress(&mut result, "inSource", because);
        results.push(result);
    }
    let mut rows: Vec<Value> = rules.iter().map(|code| rule(*code)).collect();
    if !answer.expectations.is_empty() {
        let index = rows.len();
        rows.push(expectation_rule());
        for expectation in answer.expectations.iter().filter(|expectation| !expectation.outcome.passed()) {
            results.push(expectation_result(report, expectation, index, &mut fingerprints));
        }
    }
    let files = files(report.sources);
    document(rows, results, json!([{"executionSuccessful": true}]), &files)
}

/// Why there is no answer: a run that was not successful, with notifications instead of results.
pub fn troubles(sources: &Sources, troubles: &[Trouble<'_>]) -> String {
    let notifications: Vec<Value> = troubles
        .iter()
        .map(|trouble| {
            let mut text = trouble.message.to_owned();
            if !trouble.help.is_empty() {
                text.push_str(&format!(" ({})", trouble.help));
            }
            let mut notification = json!({"level": "error", "message": {"text": text}});
            if let (Some(span), Some(fields)) = (trouble.at, notification.as_object_mut()) {
                fields.insert("locations".into(), json!([{"physicalLocation": physical(sources, span)}]));
            }
            notification
        })
        .collect();
    let invocations = json!([{"executionSuccessful": false, "toolExecutionNotifications": notifications}]);
    document(Vec::new(), Vec::new(), invocations, &files(sources))
}

pub(crate) fn document(rules: Vec<Value>, results: Vec<Value>, invocations: Value, files: &[Value]) -> String {
    crate::json::to_text(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "causeway",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": invocations,
            "artifacts": files,
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn rule(code: Code) -> Value {
    let sentence = pages::sentence(code.as_str()).unwrap_or(code.as_str());
    let page = pages::page(code.as_str()).unwrap_or(sentence);
    json!({
        "id": code.as_str(),
        "shortDescription": {"text": sentence},
        "fullDescription": {"text": sentence},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": level(code.severity())},
        "properties": {"tags": [pages::words(code.subject())]},
    })
}

fn expectation_rule() -> Value {
    let sentence = "An expectation of the design did not come true, or could not be evaluated.";
    json!({
        "id": EXPECTATION,
        "shortDescription": {"text": sentence},
        "fullDescription": {"text": sentence},
        "help": {"text": sentence},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["Expectations"]},
    })
}

fn result(report: &Report<'_>, finding: &Finding, rules: &[Code], fingerprints: &mut Fingerprints) -> Value {
    let index = rules.binary_search_by_key(&finding.code.as_str(), |code| code.as_str()).unwrap_or_default();
    let mut message = finding.message.clone();
    for line in &finding.evidence {
        message.push_str(&format!("\n{line}"));
    }
    if !finding.help.is_empty() {
        message.push_str(&format!("\nhelp: {}", finding.help));
    }
    let related: Vec<Value> = report
        .related(finding)
        .into_iter()
        .enumerate()
        .filter_map(|(at, (span, object, words))| {
            Some(json!({
                "id": at,
                "physicalLocation": physical(report.sources, span?),
                "logicalLocations": [{"fullyQualifiedName": object}],
                "message": {"text": words},
            }))
        })
        .collect();
    let fingerprint =
        fingerprints.of(&[&[finding.code.as_str(), &finding.object], strings(&finding.on).as_slice()].concat());
    let mut result = json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": {"text": message},
        "locations": [location(report, report.span(finding), &finding.object)],
        "partialFingerprints": {"causewayFinding/v1": fingerprint},
    });
    if let Some(fields) = result.as_object_mut() {
        if !related.is_empty() {
            fields.insert("relatedLocations".into(), Value::Array(related));
        }
        if let Some(since) = finding.since {
            fields.insert("properties".into(), json!({"since": since.to_string()}));
        }
    }
    result
}

fn expectation_result(
    report: &Report<'_>,
    expectation: &Expectation,
    index: usize,
    fingerprints: &mut Fingerprints,
) -> Value {
    let text = match &expectation.outcome {
        Outcome::NotEvaluated(because) => format!("`{}` was not evaluated: {because}", expectation.name),
        outcome => {
            let told = outcome.trace().map_or(String::new(), |trace| format!("\n{}", trace::message(trace)));
            format!("`{}` failed: {}{told}", expectation.name, outcome.because())
        }
    };
    let mut result = json!({
        "ruleId": EXPECTATION,
        "ruleIndex": index,
        "level": "error",
        "message": {"text": text},
        "locations": [location(report, report.design.places.nearest(&expectation.object), &expectation.object)],
        "partialFingerprints": {"causewayFinding/v1": fingerprints.of(&[EXPECTATION, &expectation.name])},
    });
    if let Some(trace) = expectation.outcome.trace() {
        trace::code_flows(&report.traced(trace), &mut result);
    }
    result
}

fn strings(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

fn suppress(result: &mut Value, kind: &str, because: &str) {
    if let Some(fields) = result.as_object_mut() {
        let suppression = json!([{"kind": kind, "status": "accepted", "justification": because}]);
        fields.insert("suppressions".into(), suppression);
    }
}

fn location(report: &Report<'_>, span: Option<Span>, object: &str) -> Value {
    let logical = json!([{"fullyQualifiedName": object}]);
    match span {
        Some(span) => json!({"physicalLocation": physical(report.sources, span), "logicalLocations": logical}),
        None => json!({"logicalLocations": logical}),
    }
}

pub(crate) fn physical(sources: &Sources, span: Span) -> Value {
    let Place { line, column, end_line, end_column, .. } = Place::of(sources, span);
    json!({
        "artifactLocation": {"uri": uri(sources.name(span.file)), "index": span.file.0},
        "region": {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column},
    })
}

pub(crate) fn files(sources: &Sources) -> Vec<Value> {
    sources.files().map(|(_, name)| json!({"location": {"uri": uri(name)}})).collect()
}

/// A file's name as a URI reference: relative names stay relative.
fn uri(name: &str) -> String {
    let name = name.replace('\\', "/");
    let drive = name.get(1..3) == Some(":/") && name.starts_with(|c: char| c.is_ascii_alphabetic());
    let (scheme, path) = match (name.starts_with('/'), drive) {
        (true, _) => ("file://", name.as_str()),
        (_, true) => ("file:///", name.as_str()),
        _ => ("", name.strip_prefix("./").unwrap_or(&name)),
    };
    let mut out = String::from(scheme);
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            b':' if drive && at == 1 => out.push(':'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Fingerprints that stay when lines move: of what a finding is about, not where it stands. A repeated one is numbered.
#[derive(Default)]
pub(crate) struct Fingerprints(BTreeMap<u64, u32>);

impl Fingerprints {
    pub(crate) fn of(&mut self, parts: &[&str]) -> String {
        let hash = fnv(parts);
        let times = self.0.entry(hash).or_default();
        *times += 1;
        format!("{hash:016x}:{times}")
    }
}

/// FNV-1a of 64 bits over the parts with a separator no part contains.
fn fnv(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_uri_references() {
        assert_eq!(uri("designs/prod net.yaml"), "designs/prod%20net.yaml");
        assert_eq!(uri("./a.json"), "a.json");
        assert_eq!(uri("/etc/ä.yaml"), "file:///etc/%C3%A4.yaml");
        assert_eq!(uri("C:\\x\\a.json"), "file:///C:/x/a.json");
        assert_eq!(uri("a:b.json"), "a%3Ab.json");
    }

    #[test]
    fn fingerprints_tell_parts_apart_and_number_repetitions() {
        let mut fingerprints = Fingerprints::default();
        let one = fingerprints.of(&["ab", "c"]);
        assert_ne!(one, fingerprints.of(&["a", "bc"]));
        assert_eq!(fingerprints.of(&["ab", "c"]), one.replace(":1", ":2"));
    }
}
