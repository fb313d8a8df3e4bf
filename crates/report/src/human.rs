//! For people: the excerpt under each finding, tables, and a summary.

mod difference;
mod findings;
mod notes;
mod summary;

pub use difference::difference;

use crate::{Report, Trouble, capacity, certificate};
use causeway_model::design::Design;
use causeway_model::source::Sources;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// A line per finding, and the summary.
    Quiet,
    /// Findings with their excerpts, tables, and how much was assumed.
    Normal,
    /// Also every assumed default, everything that was not understood, and accepted findings.
    Verbose,
}

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// With ANSI colours. They carry no meaning of their own.
    pub color: bool,
    /// Columns there are.
    pub width: usize,
    /// How much is said.
    pub verbosity: Verbosity,
    /// The production checklist too.
    pub checklist: bool,
}

impl Default for Look {
    fn default() -> Self {
        Look { color: false, width: 100, verbosity: Verbosity::Normal, checklist: false }
    }
}

impl Look {
    fn says(&self, least: Verbosity) -> bool {
        self.verbosity >= least
    }
}

/// The whole answer of `check`.
pub fn check(report: &Report<'_>, look: &Look) -> String {
    let mut out = String::new();
    findings::open(report, look, &mut out);
    findings::accepted(report, look, &mut out);
    if look.says(Verbosity::Normal) {
        summary::expectations(report, look, &mut out);
        out.push_str(&capacity::tables(&report.answer.capacity, look));
    }
    if look.checklist {
        summary::checklist(report, look, &mut out);
    }
    if let Some(certificates) = report.certificate {
        certificate::human(certificates, &mut out);
    }
    notes::notes(report.design, report.sources, look, &mut out);
    summary::summary(report, look, &mut out);
    out
}

/// What was assumed and what was not understood: in full where asked for, else how much of it there is.
pub fn notes(design: &Design, sources: &Sources, look: &Look) -> String {
    let mut out = String::new();
    notes::notes(design, sources, look, &mut out);
    out
}

/// Why there is no answer.
pub fn troubles(sources: &Sources, troubles: &[Trouble<'_>], look: &Look) -> String {
    let mut out = String::new();
    findings::troubles(sources, troubles, look, &mut out);
    out
}
