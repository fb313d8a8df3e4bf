//! Text out: what the engine answers, for people, for programs and for pipelines.
//!
//! Pure: a [`Report`] in, text out. The same report gives the same bytes.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod capacity;
mod certificate;
pub mod difference;
mod excerpt;
pub mod human;
pub mod import;
pub mod json;
pub mod junit;
pub mod lists;
pub mod pages;
mod place;
pub mod policy;
pub mod questions;
pub mod sarif;
mod tally;
mod text;
pub mod trace;

pub use tally::{Tally, Threshold};

use causeway_engine::Answer;
use causeway_engine::addresses::DomainCertificate;
use causeway_model::design::Design;
use causeway_model::finding::Finding;
use causeway_model::source::{Sources, Span};
use causeway_trace::Trace;
use trace::Traced;

/// What was checked and what came out: everything a printer needs.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What was checked.
    pub design: &'a Design,
    /// The texts it was read from.
    pub sources: &'a Sources,
    /// What came out.
    pub answer: &'a Answer,
    /// What counts.
    pub threshold: &'a Threshold,
    /// The proof that no range overlaps another, where it was asked for.
    pub certificate: Option<&'a [DomainCertificate]>,
}

impl<'a> Report<'a> {
    /// The place of a finding in the user's own files.
    fn span(&self, finding: &Finding) -> Option<Span> {
        finding.at.or_else(|| self.design.places.nearest(&finding.object))
    }

    /// The places of a finding's other objects, each with its words; nothing for one that stands at the finding's own place.
    fn related(&self, finding: &'a Finding) -> Vec<(Option<Span>, &'a str, &'a str)> {
        finding
            .related
            .iter()
            .map(|(object, words)| (self.design.places.nearest(object), object.as_str(), words.as_str()))
            .collect()
    }

    /// What became of a flow of the same design.
    fn traced<'b>(&self, trace: &'b Trace) -> Traced<'b>
    where
        'a: 'b,
    {
        Traced { design: self.design, sources: self.sources, trace }
    }

    /// How many there are of each kind.
    pub fn tally(&self) -> Tally {
        Tally::of(self.answer, self.threshold)
    }
}

/// Something that makes an input unusable, as the printers need it.
#[derive(Debug, Clone, Copy)]
pub struct Trouble<'a> {
    /// Where; `None` when it is about a whole file or the call.
    pub at: Option<Span>,
    /// What is wrong.
    pub message: &'a str,
    /// What to do; may be empty.
    pub help: &'a str,
}
