//! Worked examples: what the platform's pages say of a case, held to the whole product from the text of a design on.
//!
//! Arithmetic has its examples beside `capacity`, address by address cases beside `ranges` and `masquerade`; here stand those that
//! need several rooms, and designs that must come out without an error.

mod changes;
mod designs;
mod limits;
mod sources;

use crate::support::design;
use causeway_engine::{Answer, Options, check};
use causeway_model::finding::Severity;

fn answer(text: &str) -> Answer {
    check(&design(text), Options { as_of: "2026-11-20".parse().unwrap() })
}

/// Codes of findings of at least this severity, sorted, each once.
fn codes(text: &str, least: Severity) -> Vec<&'static str> {
    let answer = answer(text);
    let mut codes: Vec<_> = answer
        .findings
        .iter()
        .filter(|finding| finding.severity >= least)
        .map(|finding| finding.code.as_str())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn errors(text: &str) -> Vec<&'static str> {
    codes(text, Severity::Error)
}
