//! `causeway check`.

use super::{Checked, checked, look_in, print};
use crate::cli::{CheckArgs, FormatKind};
use crate::{Exit, output};
use causeway_report::human::Look;
use causeway_report::{Report, human, json, junit, sarif};

const KNOWN: &[FormatKind] = &[FormatKind::Human, FormatKind::Json, FormatKind::Sarif, FormatKind::Junit];

pub(crate) fn run(args: &CheckArgs) -> Result<Exit, clap::Error> {
    let formats = output::formats(&args.format, KNOWN, "check")?;
    let Checked { sources, read, answer } = match checked(&args.input, &args.threshold, &formats) {
        Ok(checked) => checked,
        Err(exit) => return Ok(exit),
    };
    let threshold = args.threshold.threshold();
    let certificate = args.certificate.then(|| causeway_engine::addresses::certificate(&read.design));
    let report =
        Report { design: &read.design, sources, answer, threshold: &threshold, certificate: certificate.as_deref() };
    let look = Look { checklist: args.checklist, ..args.input.read.look() };
    let mut exit = if report.tally().fails() { Exit::Findings } else { Exit::Fine };
    for format in &formats {
        let text = match format.kind {
            FormatKind::Json => json::check(&report),
            FormatKind::Sarif => sarif::check(&report),
            FormatKind::Junit => junit::check(&report),
            _ => human::check(&report, &look_in(format, &look)),
        };
        exit = exit.max(print(format, &text, args.input.read.color));
    }
    Ok(exit)
}
