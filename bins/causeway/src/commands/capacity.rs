//! `causeway capacity`.

use super::{Checked, checked, look_in, print};
use crate::cli::{CapacityArgs, FormatKind};
use crate::{Exit, output};
use causeway_report::{Report, capacity};

const KNOWN: &[FormatKind] = &[FormatKind::Human, FormatKind::Json];

pub(crate) fn run(args: &CapacityArgs) -> Result<Exit, clap::Error> {
    let formats = output::formats(&args.format, KNOWN, "capacity")?;
    let Checked { sources, read, answer } = match checked(&args.input, &args.threshold, &formats) {
        Ok(checked) => checked,
        Err(exit) => return Ok(exit),
    };
    let threshold = args.threshold.threshold();
    let report = Report { design: &read.design, sources, answer, threshold: &threshold, certificate: None };
    let look = args.input.read.look();
    let mut exit = if capacity::fails(&report) { Exit::Findings } else { Exit::Fine };
    for format in &formats {
        let text = match format.kind {
            FormatKind::Json => capacity::json(&answer.capacity),
            _ => capacity::human(&report, &look_in(format, &look)),
        };
        exit = exit.max(print(format, &text, args.input.read.color));
    }
    Ok(exit)
}
