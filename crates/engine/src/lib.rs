//! What the model says about itself: checks -> findings, capacity and SNAT arithmetic, the production checklist.
//!
//! Pure: a [`Design`] and a date in, an [`Answer`] out; the same input gives the same bytes.
//! Each room of checks is a function `check(&Context, &mut Vec<Finding>)` in a module of its own.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod accept;
pub mod addresses;
mod appliances;
pub mod capacity;
pub mod change;
pub mod checklist;
pub mod compare;
pub mod context;
mod egress;
pub mod expect;
mod ingress;
pub mod lifecycle;
pub mod masquerade;
mod names;
mod policies;
mod posture;
mod say;
mod scope;

pub use context::Context;
pub use expect::{Expectation, Outcome};

use causeway_model::design::Design;
use causeway_model::finding::Finding;
use jiff::civil::Date;

/// What [`check`] is asked.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The day life-cycle dates are compared with.
    pub as_of: Date,
}

/// What a check has to say, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Findings nobody accepted, worst first, then by place.
    pub findings: Vec<Finding>,
    /// Findings people live with, each with the reason they gave.
    pub accepted: Vec<(Finding, String)>,
    /// Address pools and SNAT ports.
    pub capacity: capacity::Capacity,
    /// The production checklist, line by line.
    pub checklist: Vec<checklist::Line>,
    /// Tests of the network.
    pub expectations: Vec<Expectation>,
}

/// Runs every check over a design.
pub fn check(design: &Design, options: Options) -> Answer {
    let capacity = capacity::of(design);
    let context = Context::new(design, options, &capacity);
    let mut findings = design.findings.clone();
    scope::check(design, &mut findings);
    addresses::check(&context, &mut findings);
    capacity::check(&context, &mut findings);
    let ground = egress::ground::Ground::new(design);
    egress::check(&context, &ground, &mut findings);
    ingress::check(&context, &ground, &mut findings);
    posture::check(&context, &ground, &mut findings);
    names::check(&ground, &mut findings);
    policies::check(&context, &mut findings);
    lifecycle::check(&context, &mut findings);
    masquerade::check(&context, &mut findings);
    if let Some(before) = &design.before {
        findings.extend(change::check(before, design));
        findings.extend(masquerade::changed(before, design));
    }
    let checklist = checklist::answer(&context, &findings);
    let (findings, accepted) = accept::split(design, findings);
    Answer { findings, accepted, capacity, checklist, expectations: expect::evaluate(design) }
}
