//! The log: one line an event on standard error, for people or for machines.

use std::io::IsTerminal as _;
use tracing::Level;

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people.
    Text,
    /// An object for machines.
    Json,
}

/// Starts the log. `verbosity` is the original's `-v`: 4 and above tell more.
pub(crate) fn start(format: LogFormat, verbosity: i32) {
    let level = if verbosity >= 4 { Level::DEBUG } else { Level::INFO };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
