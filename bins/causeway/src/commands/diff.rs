//! `causeway diff`.

use super::{look_in, print, refuse};
use crate::cli::{DiffArgs, FormatKind};
use crate::progress::Progress;
use crate::{Exit, inputs, output};
use causeway_engine::Options;
use causeway_engine::compare::compare;
use causeway_report::difference::{Comparison, Side};
use causeway_report::{difference, human};
use std::path::Path;

const KNOWN: &[FormatKind] = &[FormatKind::Human, FormatKind::Json];

pub(crate) fn run(args: &DiffArgs) -> Result<Exit, clap::Error> {
    let formats = output::formats(&args.format, KNOWN, "diff")?;
    if [&args.old, &args.new].iter().all(|path| path.as_path() == Path::new("-")) {
        return Err(output::wrong("only one of the two designs can come from standard input"));
    }
    let progress = Progress::start("reading and comparing");
    let old = inputs::load(std::slice::from_ref(&args.old), args.read.kind);
    let new = inputs::load(std::slice::from_ref(&args.new), args.read.kind);
    let (before, after) = match (old.outcome, new.outcome) {
        (Ok(before), Ok(after)) => (before.design, after.design),
        (before, after) => {
            drop(progress);
            let refused = [(old.sources, before.err()), (new.sources, after.err())];
            let exits = refused
                .iter()
                .filter_map(|(sources, errors)| Some(refuse(sources, errors.as_ref()?, args.read.color, &formats)));
            return Ok(exits.max().unwrap_or(Exit::Usage));
        }
    };
    let difference = compare(&before, &after, Options { as_of: args.threshold.as_of() });
    drop(progress);
    let threshold = args.threshold.threshold();
    let comparison = Comparison {
        old: Side { design: &before, sources: &old.sources },
        new: Side { design: &after, sources: &new.sources },
        difference: &difference,
        threshold: &threshold,
        deny_change: args.deny_change,
    };
    let look = args.read.look();
    let mut exit = if comparison.fails() { Exit::Findings } else { Exit::Fine };
    for format in &formats {
        let text = match format.kind {
            FormatKind::Json => difference::json(&comparison),
            _ => human::difference(&comparison, &look_in(format, &look)),
        };
        exit = exit.max(print(format, &text, args.read.color));
    }
    Ok(exit)
}
