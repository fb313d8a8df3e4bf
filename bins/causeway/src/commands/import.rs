//! `causeway import`.

use super::refuse;
use crate::cli::ImportArgs;
use crate::progress::Progress;
use crate::{Exit, inputs, output};
use causeway_read::{Loaded, tree};
use causeway_report::human::Look;
use causeway_report::{human, import};

pub(crate) fn run(args: &ImportArgs) -> Result<Exit, clap::Error> {
    if let Some(file) = args.output.as_deref().filter(|file| !args.force && output::is_there(file)) {
        return Err(output::wrong(&format!("`{}` exists; `--force` replaces it", file.display())));
    }
    let progress = Progress::start("reading");
    let Loaded { sources, outcome } = inputs::load(&args.input.paths, args.input.read.kind);
    drop(progress);
    let read = match outcome {
        Ok(read) => read,
        Err(errors) => return Ok(refuse(&sources, &errors, args.input.read.color, &[])),
    };
    let text = format!("{}{}", import::heading(&read.design, &sources), tree::to_yaml(&read.exported()));
    let exit = match &args.output {
        Some(file) => output::file(file, &text),
        None => output::plain(text.as_bytes()),
    };
    let look = Look { verbosity: args.input.read.verbosity(), ..output::look_of_errors(args.input.read.color) };
    output::say(&human::notes(&read.design, &sources, &look), args.input.read.color);
    Ok(exit)
}
