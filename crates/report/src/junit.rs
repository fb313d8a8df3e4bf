//! For pipelines that show test results and nothing else: JUnit XML.

use crate::human::Look;
use crate::text::xml;
use crate::{Report, Trouble, trace};
use causeway_engine::Outcome;
use causeway_model::finding::Finding;
use causeway_model::source::{Sources, Span};
use causeway_trace::Trace;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One test case.
struct Case {
    class: String,
    name: String,
    place: Option<(String, u32)>,
    result: Outcomes,
}

enum Outcomes {
    Passed(Option<String>),
    Failed { kind: String, message: String, text: String },
    Errored { message: String, text: String },
    Skipped(String),
}

/// The answer of `check`: a suite of findings (a case each; those that count have failed) and one of expectations.
pub fn check(report: &Report<'_>) -> String {
    let mut findings: Vec<Case> = Vec::new();
    for finding in &report.answer.findings {
        let text = text(report, finding);
        let result = if report.threshold.fails(finding) {
            Outcomes::Failed {
                kind: crate::text::severity(finding.severity).to_owned(),
                message: finding.message.clone(),
                text,
            }
        } else {
            Outcomes::Passed(Some(text))
        };
        findings.push(case(report, finding, result));
    }
    for (finding, because) in &report.answer.accepted {
        findings.push(case(report, finding, Outcomes::Skipped(format!("accepted: {because}"))));
    }
    if findings.is_empty() {
        findings.push(Case {
            class: "causeway.check".to_owned(),
            name: "nothing was found".to_owned(),
            place: None,
            result: Outcomes::Passed(None),
        });
    }
    let expectations = report
        .answer
        .expectations
        .iter()
        .map(|expectation| {
            let result = match &expectation.outcome {
                Outcome::Passed(trace) => Outcomes::Passed(Some(told(report, trace))),
                Outcome::Failed { because, trace } => Outcomes::Failed {
                    kind: "expectation".to_owned(),
                    message: because.join("; "),
                    text: told(report, trace),
                },
                Outcome::NotEvaluated(because) => Outcomes::Errored {
                    message: format!("not evaluated: {because}"),
                    text: "an expectation that can't be evaluated counts as failed".to_owned(),
                },
            };
            Case {
                class: "causeway.expect".to_owned(),
                name: expectation.name.clone(),
                place: report.design.places.nearest(&expectation.object).map(|span| place(report.sources, span)),
                result,
            }
        })
        .collect();
    document(&[("findings", findings), ("expectations", expectations)])
}

/// Why there is no answer: a case in error each.
pub fn troubles(sources: &Sources, troubles: &[Trouble<'_>]) -> String {
    let cases = troubles
        .iter()
        .map(|trouble| Case {
            class: "causeway.input".to_owned(),
            name: trouble.message.to_owned(),
            place: trouble.at.map(|span| place(sources, span)),
            result: Outcomes::Errored { message: trouble.message.to_owned(), text: trouble.help.to_owned() },
        })
        .collect();
    document(&[("input", cases)])
}

/// What becomes of a flow, as people read it.
fn told(report: &Report<'_>, trace: &Trace) -> String {
    trace::human(&report.traced(trace), &Look::default())
}

fn case(report: &Report<'_>, finding: &Finding, result: Outcomes) -> Case {
    Case {
        class: format!("causeway.{}", finding.code),
        name: format!("{}: {}", finding.object, finding.message),
        place: report.span(finding).map(|span| place(report.sources, span)),
        result,
    }
}

fn place(sources: &Sources, span: Span) -> (String, u32) {
    let position = sources.position(span);
    (position.file.to_string(), position.line)
}

fn text(report: &Report<'_>, finding: &Finding) -> String {
    let mut text = finding.message.clone();
    if let Some(span) = report.span(finding) {
        let at = report.sources.position(span);
        let _ = write!(text, "\nat {}:{}:{}", at.file, at.line, at.column);
    }
    for line in &finding.evidence {
        let _ = write!(text, "\n{line}");
    }
    if !finding.help.is_empty() {
        let _ = write!(text, "\nhelp: {}", finding.help);
    }
    if report.threshold.allows(finding) {
        text.push_str("\ndoes not count: allowed by `--allow`");
    }
    text
}

fn document(suites: &[(&str, Vec<Case>)]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = || suites.iter().flat_map(|(_, cases)| cases);
    let _ = writeln!(out, "<testsuites name=\"causeway\" {}>", counts(all()));
    for (name, cases) in suites {
        let _ = writeln!(out, "  <testsuite name=\"{name}\" {}>", counts(cases.iter()));
        // Two cases of one name would be taken for one.
        let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for case in cases {
            let times = seen.entry((&case.class, &case.name)).or_default();
            *times += 1;
            write_case(case, *times, &mut out);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.result {
            Outcomes::Passed(_) => {}
            Outcomes::Failed { .. } => failures += 1,
            Outcomes::Errored { .. } => errors += 1,
            Outcomes::Skipped(_) => skipped += 1,
        }
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"0\"")
}

fn write_case(case: &Case, times: usize, out: &mut String) {
    let name = if times > 1 { format!("{} ({times})", case.name) } else { case.name.clone() };
    let _ = write!(out, "    <testcase classname=\"{}\" name=\"{}\" time=\"0\"", xml(&case.class), xml(&name));
    if let Some((file, line)) = &case.place {
        let _ = write!(out, " file=\"{}\" line=\"{line}\"", xml(file));
    }
    match &case.result {
        Outcomes::Passed(None) => {
            out.push_str("/>\n");
            return;
        }
        Outcomes::Passed(Some(text)) => {
            let _ = write!(out, ">\n      <system-out>{}</system-out>", xml(text));
        }
        Outcomes::Failed { kind, message, text } => {
            let _ = write!(
                out,
                ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>",
                xml(kind),
                xml(message),
                xml(text)
            );
        }
        Outcomes::Errored { message, text } => {
            let _ = write!(out, ">\n      <error message=\"{}\">{}</error>", xml(message), xml(text));
        }
        Outcomes::Skipped(message) => {
            let _ = write!(out, ">\n      <skipped message=\"{}\"/>", xml(message));
        }
    }
    out.push_str("\n    </testcase>\n");
}
