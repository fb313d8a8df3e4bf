//! The command people type: files, clock, terminal and exit codes. Everything worth a test lives in the libraries.

mod cli;
mod commands;
mod inputs;
mod output;
mod progress;

use clap::Parser as _;
use cli::{Cli, Command};
use std::process::ExitCode;

/// Small values by the hundred thousand are made and kept until the answer is printed; this allocator lays them closer together, which is a
/// fifth of the time of a check of ten fleets (docs/benchmarks.md).
#[cfg(all(unix, not(target_vendor = "apple")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let exit = match cli.command {
        Command::Check(args) => commands::check::run(&args),
        Command::Trace(args) => commands::trace::run(&args),
        Command::Capacity(args) => commands::capacity::run(&args),
        Command::Diff(args) => commands::diff::run(&args),
        Command::MasqDiff(args) => commands::masq_diff::run(&args),
        Command::Policy { command } => commands::policy::run(&command),
        Command::Import(args) => commands::import::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Schema => commands::about::schema(),
        Command::Completions { shell } => commands::about::completions(shell),
        Command::Man { command } => commands::about::man(command.as_deref()),
    };
    exit.map_or_else(|error| usage(&error), ExitCode::from)
}

/// Help that was asked for, or what is wrong with the command line.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell if this can't be printed.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Fine }.into()
}

/// How a command ends. With several reasons the highest wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// Nothing counts against the design.
    Fine,
    /// A finding counts, or an expectation did not come true.
    Findings,
    /// Wrong usage, or an input that can't be read.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
        })
    }
}
