//! Expectations: what people say becomes of a flow, held to what the walk says.

use causeway_model::design::{Design, Expectation as Stated};
use causeway_trace::expect::{Judged, judge};
use causeway_trace::{Trace, World};

/// What became of one expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Its name.
    pub name: String,
    /// Dotted path in the design.
    pub object: String,
    /// What came out.
    pub outcome: Outcome,
}

/// Outcome of an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that is asserted holds.
    Passed(Box<Trace>),
    /// Something does not, or can't be said.
    Failed {
        /// What does not hold, a line each.
        because: Vec<String>,
        /// What becomes of the flow.
        trace: Box<Trace>,
    },
    /// Can't be evaluated, and why; counts as failed.
    NotEvaluated(String),
}

impl Outcome {
    /// It holds, for sure.
    pub fn passed(&self) -> bool {
        matches!(self, Outcome::Passed(_))
    }

    /// It was asked whether it holds.
    pub fn evaluated(&self) -> bool {
        !matches!(self, Outcome::NotEvaluated(_))
    }

    /// What becomes of the flow, where that can be asked at all.
    pub fn trace(&self) -> Option<&Trace> {
        match self {
            Outcome::Passed(trace) | Outcome::Failed { trace, .. } => Some(trace),
            Outcome::NotEvaluated(_) => None,
        }
    }

    /// Why it does not count as passed, in one line; empty where it does.
    pub fn because(&self) -> String {
        match self {
            Outcome::Passed(_) => String::new(),
            Outcome::Failed { because, .. } => because.join("; "),
            Outcome::NotEvaluated(because) => because.clone(),
        }
    }
}

/// Evaluates every expectation of a design, in its order.
pub fn evaluate(design: &Design) -> Vec<Expectation> {
    if design.expect.is_empty() {
        return Vec::new();
    }
    let world = World::new(design);
    let one = |(at, stated): (usize, &Stated)| Expectation {
        name: stated.name.clone(),
        object: format!("expect.{at}"),
        outcome: outcome(judge(&world, stated)),
    };
    design.expect.iter().enumerate().map(one).collect()
}

fn outcome(judged: Judged) -> Outcome {
    let Judged { passed, because, trace } = judged;
    match (passed, trace) {
        (true, Some(trace)) => Outcome::Passed(Box::new(trace)),
        (false, Some(trace)) => Outcome::Failed { because, trace: Box::new(trace) },
        (_, None) => Outcome::NotEvaluated(because.join("; ")),
    }
}
