//! What counts against a design, and how much of it there is.

use causeway_engine::Answer;
use causeway_engine::capacity::{AddressPool, PoolKind};
use causeway_model::codes::Code;
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeSet;

/// What makes a check fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// Findings of this severity and worse.
    pub deny: Severity,
    /// Codes that never count.
    pub allow: BTreeSet<Code>,
}

impl Default for Threshold {
    fn default() -> Self {
        Threshold { deny: Severity::Error, allow: BTreeSet::new() }
    }
}

impl Threshold {
    /// The finding makes the check fail.
    pub fn fails(&self, finding: &Finding) -> bool {
        finding.severity >= self.deny && !self.allows(finding)
    }

    /// The finding's code was taken out of the count.
    pub fn allows(&self, finding: &Finding) -> bool {
        self.allow.contains(&finding.code)
    }
}

/// How many there are of each kind. Accepted findings and those of allowed codes are in no other count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Infos.
    pub infos: usize,
    /// Findings people live with.
    pub accepted: usize,
    /// Findings of codes that never count.
    pub allowed: usize,
    /// Expectations in all.
    pub expectations: usize,
    /// Expectations that did not come true, those that could not be evaluated included.
    pub expectations_failed: usize,
    /// Findings that make the check fail.
    pub failing: usize,
    /// Ranges of nodes and pods of which it is unknown whether they hold what is planned.
    pub unknown: usize,
}

impl Tally {
    pub(crate) fn of(answer: &Answer, threshold: &Threshold) -> Tally {
        let mut tally = Tally {
            accepted: answer.accepted.len(),
            expectations: answer.expectations.len(),
            unknown: answer.capacity.pools.iter().filter(|pool| is_unknown(pool)).count(),
            expectations_failed: answer.expectations.iter().filter(|expectation| !expectation.outcome.passed()).count(),
            ..Tally::default()
        };
        for finding in &answer.findings {
            if threshold.allows(finding) {
                tally.allowed += 1;
                continue;
            }
            tally.failing += usize::from(threshold.fails(finding));
            match finding.severity {
                Severity::Error => tally.errors += 1,
                Severity::Warning => tally.warnings += 1,
                Severity::Info => tally.infos += 1,
            }
        }
        tally
    }

    /// The check failed: a finding counts, or an expectation did not come true.
    pub fn fails(&self) -> bool {
        self.failing > 0 || self.expectations_failed > 0
    }
}

/// Service ranges are left out: without a list of services nobody claims anything about them.
fn is_unknown(pool: &AddressPool) -> bool {
    pool.fits.is_none() && pool.kind != PoolKind::ServiceCidr
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_engine::{Expectation, Outcome};
    use causeway_model::codes;

    fn answer(findings: Vec<Finding>) -> Answer {
        Answer {
            findings,
            accepted: Vec::new(),
            capacity: causeway_engine::capacity::Capacity::default(),
            checklist: Vec::new(),
            expectations: Vec::new(),
        }
    }

    #[test]
    fn warnings_fail_where_they_are_denied_and_allowed_codes_never() {
        let answer = answer(vec![Finding::new(codes::SUBNET_SHARED, "networks.spoke", "shared")]);
        let mut threshold = Threshold::default();
        assert!(!Tally::of(&answer, &threshold).fails());
        threshold.deny = Severity::Warning;
        assert!(Tally::of(&answer, &threshold).fails());
        threshold.allow.insert(codes::SUBNET_SHARED);
        let tally = Tally::of(&answer, &threshold);
        assert!(!tally.fails());
        assert_eq!((tally.warnings, tally.allowed), (0, 1));
    }

    #[test]
    fn an_expectation_that_was_not_evaluated_fails() {
        let mut answer = answer(Vec::new());
        answer.expectations.push(Expectation {
            name: "erp answers".into(),
            object: "expect.0".into(),
            outcome: Outcome::NotEvaluated("no packets".into()),
        });
        assert!(Tally::of(&answer, &Threshold::default()).fails());
    }
}
