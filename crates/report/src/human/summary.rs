//! What stands below the findings: expectations, the checklist, and how much there is of everything.

use super::{Look, Verbosity};
use crate::text::{count, printable, wrap};
use crate::{Report, trace};
use causeway_engine::Outcome;
use causeway_engine::checklist::Answer;

/// Expectations: those that did not come true with what becomes of their flow, the others where they are asked for.
pub(super) fn expectations(report: &Report<'_>, look: &Look, out: &mut String) {
    let all = &report.answer.expectations;
    let shown: Vec<_> = all.iter().filter(|one| !one.outcome.passed() || look.says(Verbosity::Verbose)).collect();
    if shown.is_empty() {
        return;
    }
    out.push_str("Expectations\n");
    for expectation in shown {
        let name = printable(&expectation.name);
        let because = expectation.outcome.because();
        let line = match &expectation.outcome {
            Outcome::Passed(_) => format!("passed: {name}"),
            Outcome::Failed { .. } => format!("failed: {name}: {}", printable(&because)),
            Outcome::NotEvaluated(_) => format!("not evaluated: {name}: {}", printable(&because)),
        };
        indented("  ", &line, look, out);
        if let Outcome::Failed { trace, .. } = &expectation.outcome {
            let traced = report.traced(trace);
            let depth = trace::Depth::from(look.verbosity);
            out.push_str(&format!("\n    {}\n", trace::headline(trace, look.color)));
            out.push_str(&trace::body(&traced, depth, "    ", look.width));
            out.push('\n');
        }
    }
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
}

/// The production checklist: the answer first, so that a column of them can be read down.
pub(super) fn checklist(report: &Report<'_>, look: &Look, out: &mut String) {
    const INDENT: &str = "             ";
    out.push_str("Production checklist\n");
    let mut section = "";
    for line in &report.answer.checklist {
        if line.section != section {
            section = line.section;
            out.push_str(&format!("  {section}\n"));
        }
        out.push_str(&format!("    {:7}  {} ({})\n", line.answer.as_str(), line.line, line.key));
        if look.says(Verbosity::Normal) {
            indented(INDENT, &printable(&line.because), look, out);
            if !line.needs.is_empty() {
                indented(INDENT, &format!("needs: {}", printable(&line.needs)), look, out);
            }
        }
    }
    let of = |answer| report.answer.checklist.iter().filter(|line| line.answer == answer).count();
    out.push_str(&format!("  {} yes, {} no, {} unknown\n\n", of(Answer::Yes), of(Answer::No), of(Answer::Unknown)));
}

fn indented(indent: &str, text: &str, look: &Look, out: &mut String) {
    for line in wrap(text, look.width.saturating_sub(indent.len()).max(20)) {
        out.push_str(indent);
        out.push_str(&line);
        out.push('\n');
    }
}

/// The last line.
pub(super) fn summary(report: &Report<'_>, _look: &Look, out: &mut String) {
    let tally = report.tally();
    let mut parts = vec![count(tally.errors, "error"), count(tally.warnings, "warning"), count(tally.infos, "info")];
    if tally.accepted > 0 {
        parts.push(format!("{} accepted", tally.accepted));
    }
    if tally.allowed > 0 {
        parts.push(format!("{} allowed", tally.allowed));
    }
    if tally.expectations > 0 {
        let passed = tally.expectations - tally.expectations_failed;
        parts.push(format!("expectations passed: {passed} of {}", tally.expectations));
    }
    if tally.unknown > 0 {
        parts.push(format!("room unknown for {}", count(tally.unknown, "range")));
    }
    let verdict = match (tally.fails(), tally.unknown) {
        (true, _) => "failed",
        (false, 0) => "passed",
        (false, _) => "passed as far as it is known",
    };
    out.push_str(&format!("`{}` {verdict}: {}\n", printable(&report.design.name), parts.join(", ")));
}
