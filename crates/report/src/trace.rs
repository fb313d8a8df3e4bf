//! A packet's way in print: for people, for programs, for pull requests, and as a picture.

mod human;
mod json;
mod matrix;
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
pub use matrix::{matrix_human, matrix_json};
pub use mermaid::mermaid;
pub use sarif::sarif;
pub(crate) use sarif::{code_flows, message};
pub use svg::svg;

use crate::place::Place;
use causeway_model::design::Design;
use causeway_model::source::{Sources, Span};

pub use causeway_dataplane::packet::Protocol;
pub use causeway_trace::ask::ask;
pub use causeway_trace::matrix::matrix;
pub use causeway_trace::observed::Dump;
pub use causeway_trace::{Question, Trace, Verdict, World};

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

/// Whether a verdict is one of those that are wanted. One that is uncertain never is: nobody can rely on it.
pub fn as_expected(trace: &Trace, wanted: &[Verdict]) -> bool {
    trace.verdict != Verdict::Uncertain && wanted.contains(&trace.verdict)
}

/// A verdict by its word.
///
/// # Errors
///
/// There is no such verdict.
pub fn verdict(word: &str) -> Result<Verdict, String> {
    let known: Vec<&str> = Verdict::WORDS.iter().map(|(word, _)| *word).collect();
    Verdict::parse(word).ok_or_else(|| format!("known are {}", known.join(", ")))
}

/// A protocol by its word.
///
/// # Errors
///
/// There is no such protocol.
pub fn protocol(word: &str) -> Result<Protocol, String> {
    match word.to_ascii_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        "sctp" => Ok(Protocol::Sctp),
        "icmp" => Ok(Protocol::Icmp),
        _ => Err("known are tcp, udp, icmp and sctp".to_owned()),
    }
}
