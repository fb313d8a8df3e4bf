//! One module per command.

pub(crate) mod about;
pub(crate) mod capacity;
pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod import;
pub(crate) mod masq_diff;
pub(crate) mod policy;
pub(crate) mod trace;

use crate::cli::{Color, Format, FormatKind, InputArgs, ReadArgs, ThresholdArgs};
use crate::progress::Progress;
use crate::{Exit, inputs, output};
use causeway_engine::Answer;
use causeway_model::source::Sources;
use causeway_read::diagnostic::InputError;
use causeway_read::{Loaded, Read};
use causeway_report::human::{Look, Verbosity};
use causeway_report::{Threshold, Trouble, human, json, junit, sarif};
use jiff::civil::Date;

impl ReadArgs {
    fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }

    fn look(&self) -> Look {
        output::look(self.color, self.verbosity())
    }
}

impl ThresholdArgs {
    fn threshold(&self) -> Threshold {
        Threshold { deny: self.deny.into(), allow: self.allow.iter().copied().collect() }
    }

    /// The day that was asked for, else today in UTC.
    #[expect(clippy::disallowed_methods, reason = "this is the rim: the one place that looks at the clock")]
    fn as_of(&self) -> Date {
        self.as_of.unwrap_or_else(|| jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date())
    }
}

/// What was read and what came out.
struct Checked {
    sources: Sources,
    read: Read,
    answer: Answer,
}

/// Reads and checks, or says in every format that was asked for why that can't be.
///
/// What it answers is never given back: the process ends once it is printed, and giving back a fleet piece by piece takes a while.
fn checked(input: &InputArgs, threshold: &ThresholdArgs, formats: &[Format]) -> Result<&'static Checked, Exit> {
    let progress = Progress::start("reading and checking");
    let Loaded { sources, outcome } = inputs::load(&input.paths, input.read.kind);
    let outcome = outcome.map(|read| {
        let answer = causeway_engine::check(&read.design, causeway_engine::Options { as_of: threshold.as_of() });
        (read, answer)
    });
    drop(progress);
    match outcome {
        Ok((read, answer)) => Ok(Box::leak(Box::new(Checked { sources, read, answer }))),
        Err(errors) => Err(refuse(&sources, &errors, input.read.color, formats)),
    }
}

/// Says what is wrong with the input: to people, and in the formats that were asked for, so that no old answer is left lying.
fn refuse(sources: &Sources, errors: &[InputError], color: Color, formats: &[Format]) -> Exit {
    let troubles: Vec<Trouble<'_>> =
        errors.iter().map(|InputError { at, message, help }| Trouble { at: *at, message, help }).collect();
    output::say(&human::troubles(sources, &troubles, &output::look_of_errors(color)), color);
    for format in formats {
        let text = match format.kind {
            FormatKind::Human if format.file.is_none() => continue,
            FormatKind::Human => human::troubles(sources, &troubles, &Look::default()),
            FormatKind::Json => json::troubles(sources, &troubles),
            FormatKind::Sarif => sarif::troubles(sources, &troubles),
            FormatKind::Junit => junit::troubles(sources, &troubles),
            // Tables and pictures have no place for it.
            FormatKind::Csv | FormatKind::Svg | FormatKind::Mermaid => continue,
        };
        print(format, &text, color);
    }
    Exit::Usage
}

/// Prints one output where it belongs.
fn print(format: &Format, text: &str, color: Color) -> Exit {
    match &format.file {
        Some(file) => output::file(file, text),
        None if format.kind == FormatKind::Human => output::data(text, color),
        None => output::plain(text.as_bytes()),
    }
}

/// Files have no colours and no terminal's width.
fn look_in(format: &Format, look: &Look) -> Look {
    match format.file {
        Some(_) => Look { color: false, width: Look::default().width, ..*look },
        None => *look,
    }
}
