//! The production checklist: every line answered yes, no or unknown, with the reason.

use crate::Context;
use causeway_model::finding::Finding;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The stable key a record answers it by.
    pub key: &'static str,
    /// The line in words.
    pub line: &'static str,
    /// The answer.
    pub answer: Answer,
    /// Why.
    pub because: String,
    /// What it would need to know; empty unless the answer is unknown.
    pub needs: String,
}

/// An answer of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Holds.
    Yes,
    /// Does not hold.
    No,
    /// Can't be told.
    Unknown,
}

/// Answers every line.
pub fn answer(_cx: &Context, _findings: &[Finding]) -> Vec<Line> {
    Vec::new()
}
