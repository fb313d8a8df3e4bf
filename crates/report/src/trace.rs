//! A packet's way in print: for people, for programs, for pull requests, and as a picture.

mod human;
mod json;
mod mermaid;
mod sarif;
mod svg;
mod words;

#[cfg(test)]
mod tests;

pub use human::human;
pub(crate) use human::{Depth, body, headline};
pub use json::json;
pub(crate) use json::{JsonTrace, value};
pub use mermaid::mermaid;
pub(crate) use sarif::code_flows;
pub use sarif::sarif;
pub use svg::svg;

use crate::place::Place;
use causeway_model::design::Design;
use causeway_model::source::{Sources, Span};
use causeway_trace::{Trace, Verdict};

/// A trace, with what is needed to say where things were written.
#[derive(Debug, Clone, Copy)]
pub struct Traced<'a> {
    /// What was walked through.
    pub design: &'a Design,
    /// The texts it was read from.
    pub sources: &'a Sources,
    /// What came out.
    pub trace: &'a Trace,
}

impl<'a> Traced<'a> {
    /// Another trace through the same design.
    pub(crate) fn with<'b>(self, trace: &'b Trace) -> Traced<'b>
    where
        'a: 'b,
    {
        Traced { design: self.design, sources: self.sources, trace }
    }

    fn span(&self, object: &str) -> Option<Span> {
        if object.is_empty() { None } else { self.design.places.nearest(object) }
    }

    fn place(&self, object: &str) -> Option<Place> {
        self.span(object).map(|span| Place::of(self.sources, span))
    }
}

/// Whether a verdict is the one that was asked for. One that is uncertain never is: nobody can rely on it.
pub fn as_expected(trace: &Trace, expected: Verdict) -> bool {
    trace.verdict == expected && expected != Verdict::Uncertain
}
