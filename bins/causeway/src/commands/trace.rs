//! `causeway trace`.

use super::{look_in, print, refuse};
use crate::cli::FormatKind;
use crate::cli::trace::TraceArgs;
use crate::progress::Progress;
use crate::{Exit, inputs, output};
use causeway_model::design::{Design, NodeName};
use causeway_read::Loaded;
use causeway_read::diagnostic::InputError;
use causeway_report::human::{self, Look};
use causeway_report::trace::{self as report, Dump, Question, Traced, World, ask};
use std::path::Path;

const KNOWN: &[FormatKind] =
    &[FormatKind::Human, FormatKind::Json, FormatKind::Mermaid, FormatKind::Svg, FormatKind::Sarif];
const KNOWN_OF_MATRIX: &[FormatKind] = &[FormatKind::Human, FormatKind::Json];

/// `FILE` or `node/NAME=FILE`.
fn observed(design: &Design, given: &str) -> Result<Dump, clap::Error> {
    let (node, file) = match given.strip_prefix("node/").and_then(|rest| rest.split_once('=')) {
        Some((node, file)) => (Some(NodeName::from(node)), file),
        None => (None, given),
    };
    if let Some(node) = &node
        && !design.clusters.values().any(|cluster| cluster.nodes.contains_key(node))
    {
        return Err(output::wrong(&format!("`--observed {given}`: there is no node `{node}`")));
    }
    let text = inputs::text(Path::new(file)).map_err(|reason| output::wrong(&format!("`{file}`: {reason}")))?;
    Dump::read(file, node, &text).map_err(|reason| output::wrong(&reason))
}

pub(crate) fn run(args: &TraceArgs) -> Result<Exit, clap::Error> {
    let formats = match args.matrix {
        true => output::formats(&args.format, KNOWN_OF_MATRIX, "trace --matrix")?,
        false => output::formats(&args.format, KNOWN, "trace")?,
    };
    let how = &args.input.read;
    let progress = Progress::start("reading");
    let Loaded { sources, outcome } = inputs::load(&args.input.paths, how.kind);
    drop(progress);
    let read = match outcome {
        Ok(read) => read,
        Err(errors) => return Ok(refuse(&sources, &errors, how.color, &formats)),
    };
    let design = &read.design;
    output::say(&human::notes(design, &sources, &Look { color: false, ..how.look() }), how.color);
    let mut world = World::new(design);
    for given in &args.observed {
        world.observe(observed(design, given)?);
    }
    let look = how.look();
    if args.matrix {
        let cells = report::matrix(&world);
        let fine = cells.iter().all(|cell| report::as_expected(&cell.trace, args.wanted()));
        let mut exit = if fine { Exit::Fine } else { Exit::Findings };
        for format in &formats {
            let text = match format.kind {
                FormatKind::Json => report::matrix_json(design, &sources, &cells),
                _ => report::matrix_human(&cells, &look_in(format, &look)),
            };
            exit = exit.max(print(format, &text, how.color));
        }
        return Ok(exit);
    }
    let question = Question {
        from: args.from.clone().unwrap_or_default(),
        to: args.to.clone().unwrap_or_default(),
        port: None,
        protocol: args.proto,
        family: args.family,
        strict: args.strict,
    };
    let trace = match ask(&world, &question) {
        Ok(trace) => trace,
        Err(unasked) => {
            let help = unasked.help.unwrap_or_default();
            let error = InputError { at: None, message: unasked.message, help };
            return Ok(refuse(&sources, &[error], how.color, &formats));
        }
    };
    let traced = Traced { design, sources: &sources, trace: &trace };
    let mut exit = if report::as_expected(&trace, args.wanted()) { Exit::Fine } else { Exit::Findings };
    for format in &formats {
        let text = match format.kind {
            FormatKind::Json => report::json(&traced),
            FormatKind::Mermaid => report::mermaid(&traced),
            FormatKind::Svg => report::svg(&traced),
            FormatKind::Sarif => report::sarif(&traced, args.wanted()),
            _ => report::human(&traced, &look_in(format, &look)),
        };
        exit = exit.max(print(format, &text, how.color));
    }
    Ok(exit)
}
