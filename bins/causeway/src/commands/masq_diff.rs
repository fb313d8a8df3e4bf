//! `causeway masq-diff`.

use super::{look_in, print, refuse};
use crate::cli::FormatKind;
use crate::cli::masq_diff::MasqDiffArgs;
use crate::inputs::{self, Given};
use crate::progress::Progress;
use crate::{Exit, output};
use causeway_engine::masquerade::lists::{self, Listed};
use causeway_model::design::Masquerade;
use causeway_model::masquerade::MasqueradeReader;
use causeway_model::source::Sources;
use causeway_read::diagnostic::InputError;
use causeway_read::masquerade::{Flags, outcome, outcome_of};
use causeway_report::human::Verbosity;
use causeway_report::lists::{Lists, human, json};
use std::path::Path;

const KNOWN: &[FormatKind] = &[FormatKind::Human, FormatKind::Json];

pub(crate) fn run(args: &MasqDiffArgs) -> Result<Exit, clap::Error> {
    let formats = output::formats(&args.format, KNOWN, "masq-diff")?;
    let paths = [Some(&args.old), Some(&args.new), args.design.as_ref()];
    if paths.into_iter().flatten().filter(|path| path.as_path() == Path::new("-")).count() > 1 {
        return Err(output::wrong("only one of the inputs can come from standard input"));
    }
    let progress = Progress::start("reading and comparing");
    let (old, new) = (read(args, &args.old), read(args, &args.new));
    let design = args.design.as_ref().map(|path| inputs::load(std::slice::from_ref(path), None));
    drop(progress);
    let (design, about) = match design.map(|loaded| (loaded.sources, loaded.outcome)) {
        Some((_, Ok(read))) => (Some(read.design), None),
        Some((sources, Err(errors))) => (None, Some((sources, errors))),
        None => (None, None),
    };
    let (old, new) = match (old, new, about) {
        (Ok(old), Ok(new), None) => (old, new),
        (old, new, about) => {
            let refused = [old.err(), new.err(), about].into_iter().flatten();
            let exits = refused.map(|(sources, errors)| refuse(&sources, &errors, args.color, &formats));
            return Ok(exits.max().unwrap_or(Exit::Usage));
        }
    };
    let changes = lists::changes(&old, &new, design.as_ref());
    let (old_name, new_name) = (inputs::name(&args.old), inputs::name(&args.new));
    let lists = Lists { old: (&old_name, &old), new: (&new_name, &new), changes: &changes };
    let look = output::look(args.color, Verbosity::Normal);
    let mut exit = if lists.fails(args.deny_change) { Exit::Findings } else { Exit::Fine };
    for format in &formats {
        let text = match format.kind {
            FormatKind::Json => json(&lists),
            _ => human(&lists, &look_in(format, &look)),
        };
        exit = exit.max(print(format, &text, args.color));
    }
    Ok(exit)
}

/// What nodes make of one of the two.
fn read(args: &MasqDiffArgs, path: &Path) -> Result<Listed, (Sources, Vec<InputError>)> {
    let reader = MasqueradeReader::from(args.agent);
    let defaults = Flags::defaults(reader);
    let flags = Flags {
        enable_ipv6: args.enable_ipv6,
        all_reserved_ranges: args.nomasq_all_reserved_ranges,
        max_entries: args.max_cidrs.unwrap_or(defaults.max_entries),
        ..defaults
    };
    let loaded = match inputs::masquerade(path) {
        Given::Files(directory) => return Ok(Listed::from(&outcome(reader, &flags, &directory))),
        Given::Design(loaded) => loaded,
    };
    let sources = loaded.sources;
    let read = loaded.outcome.map_err(|errors| (sources, errors))?;
    let judge = |masquerade: &Masquerade| outcome_of(masquerade, reader, &flags);
    lists::of_design(&read.design, judge).map_err(|why| {
        let message = format!("`{}` holds no masquerade configuration: {why}", inputs::name(path));
        let help = "give the agent's file or folder, its ConfigMap, or a design with one cluster".to_owned();
        (Sources::default(), vec![InputError { at: None, message, help }])
    })
}
