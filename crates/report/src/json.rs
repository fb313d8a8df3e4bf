//! For programs: the stable JSON. Fields are added, never renamed or removed.

use crate::certificate::{self, JsonCertificate};
use crate::place::Place;
use crate::trace::{self, JsonTrace};
use crate::{Report, Trouble};
use causeway_engine::{capacity::Capacity, checklist};
use causeway_model::design::{Assumption, Note, NoteKind};
use causeway_model::finding::{Finding, Severity};
use causeway_model::source::Sources;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    causeway: u32,
    design: &'a str,
    findings: Vec<JsonFinding<'a>>,
    accepted: Vec<JsonFinding<'a>>,
    capacity: &'a Capacity,
    expectations: Vec<JsonExpectation<'a>>,
    checklist: Vec<JsonLine<'a>>,
    assumed: Vec<JsonAssumption<'a>>,
    not_understood: Vec<JsonNote<'a>>,
    not_known_yet: Vec<JsonNote<'a>>,
    left_out: Vec<JsonNote<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Vec<JsonCertificate<'a>>>,
    summary: Summary,
}

#[derive(Serialize)]
pub(crate) struct JsonFinding<'a> {
    code: &'static str,
    severity: Severity,
    message: &'a str,
    help: &'a str,
    object: &'a str,
    on: &'a [String],
    source: Option<Place>,
    evidence: &'a [String],
    since: Option<String>,
    related: Vec<JsonRelated<'a>>,
    /// The code is allowed: the finding does not count.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allowed: bool,
    /// Why people live with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonRelated<'a> {
    object: &'a str,
    message: &'a str,
    source: Option<Place>,
}

#[derive(Serialize)]
struct JsonExpectation<'a> {
    name: &'a str,
    passed: bool,
    evaluated: bool,
    because: String,
    trace: Option<JsonTrace<'a>>,
    object: &'a str,
    source: Option<Place>,
}

#[derive(Serialize)]
struct JsonLine<'a> {
    key: &'a str,
    section: &'a str,
    line: &'a str,
    answer: &'static str,
    because: &'a str,
    needs: &'a str,
}

#[derive(Serialize)]
struct JsonAssumption<'a> {
    object: &'a str,
    value: &'a str,
    because: &'a str,
}

#[derive(Serialize)]
struct JsonNote<'a> {
    message: &'a str,
    source: Option<Place>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    errors: usize,
    warnings: usize,
    infos: usize,
    expectations_failed: usize,
    accepted: usize,
    allowed: usize,
    /// Ranges of which it is unknown whether they hold what is planned.
    unknown: usize,
}

/// The answer of `check`.
pub fn check(report: &Report<'_>) -> String {
    let Report { design, sources, answer, .. } = report;
    let tally = report.tally();
    let notes = |kind| -> Vec<JsonNote<'_>> {
        design.notes.iter().filter(|note| note.kind == kind).map(|note| json_note(note, sources)).collect()
    };
    to_text(&Document {
        causeway: 1,
        design: &design.name,
        findings: answer.findings.iter().map(|finding| self::finding(report, finding, None)).collect(),
        accepted: answer
            .accepted
            .iter()
            .map(|(finding, because)| self::finding(report, finding, Some(because)))
            .collect(),
        capacity: &answer.capacity,
        expectations: answer
            .expectations
            .iter()
            .map(|expectation| {
                let source = design.places.nearest(&expectation.object).map(|span| Place::of(sources, span));
                let outcome = &expectation.outcome;
                JsonExpectation {
                    name: &expectation.name,
                    passed: outcome.passed(),
                    evaluated: outcome.evaluated(),
                    because: outcome.because(),
                    trace: outcome.trace().map(|trace| trace::value(&report.traced(trace))),
                    object: &expectation.object,
                    source,
                }
            })
            .collect(),
        checklist: answer.checklist.iter().map(json_line).collect(),
        assumed: design
            .assumed
            .iter()
            .map(|Assumption { object, value, because }| JsonAssumption { object, value, because })
            .collect(),
        not_understood: notes(NoteKind::NotUnderstood).into_iter().chain(notes(NoteKind::Refused)).collect(),
        not_known_yet: notes(NoteKind::Unknown),
        left_out: notes(NoteKind::LeftOut),
        certificate: report.certificate.map(|lists| lists.iter().map(certificate::json).collect()),
        summary: Summary {
            errors: tally.errors,
            warnings: tally.warnings,
            infos: tally.infos,
            expectations_failed: tally.expectations_failed,
            accepted: tally.accepted,
            allowed: tally.allowed,
            unknown: tally.unknown,
        },
    })
}

/// Why there is no answer: `{"causeway": 1, "errors": [{"message", "help", "source"}]}`.
pub fn troubles(sources: &Sources, troubles: &[Trouble<'_>]) -> String {
    #[derive(Serialize)]
    struct JsonError<'a> {
        message: &'a str,
        help: &'a str,
        source: Option<Place>,
    }
    #[derive(Serialize)]
    struct Errors<'a> {
        causeway: u32,
        errors: Vec<JsonError<'a>>,
    }
    let errors = troubles
        .iter()
        .map(|trouble| JsonError {
            message: trouble.message,
            help: trouble.help,
            source: trouble.at.map(|span| Place::of(sources, span)),
        })
        .collect();
    to_text(&Errors { causeway: 1, errors })
}

/// A finding with its place in the user's files; with the reason it is accepted for, if it is.
pub(crate) fn finding<'a>(report: &Report<'a>, finding: &'a Finding, because: Option<&'a str>) -> JsonFinding<'a> {
    let place = |span| Place::of(report.sources, span);
    JsonFinding {
        code: finding.code.as_str(),
        severity: finding.severity,
        message: &finding.message,
        help: &finding.help,
        object: &finding.object,
        on: &finding.on,
        source: report.span(finding).map(place),
        evidence: &finding.evidence,
        since: finding.since.map(|date| date.to_string()),
        related: report
            .related(finding)
            .into_iter()
            .map(|(span, object, message)| JsonRelated { object, message, source: span.map(place) })
            .collect(),
        allowed: report.threshold.allows(finding),
        because,
    }
}

fn json_line(line: &checklist::Line) -> JsonLine<'_> {
    let checklist::Line { key, section, line, answer, because, needs } = line;
    JsonLine { key, section, line, answer: answer.as_str(), because, needs }
}

fn json_note<'a>(note: &'a Note, sources: &Sources) -> JsonNote<'a> {
    JsonNote { message: &note.message, source: note.at.map(|span| Place::of(sources, span)) }
}

/// Indented, with a line end. Serialising plain data with string keys into memory cannot fail; should it ever, the text says so
/// and is no JSON, so that nobody takes it for an answer.
pub(crate) fn to_text(value: &impl Serialize) -> String {
    match serde_json::to_string_pretty(value) {
        Ok(mut text) => {
            text.push('\n');
            text
        }
        Err(error) => format!("the answer can't be written as JSON: {error}\n"),
    }
}
