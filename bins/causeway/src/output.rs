//! Where things are printed: data to standard output or files, everything else to standard error.

use crate::Exit;
use crate::cli::{Cli, Color, Format, FormatKind};
use causeway_report::human::{Look, Verbosity};
use clap::CommandFactory as _;
use clap::error::ErrorKind;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

/// Columns where nobody says how many there are.
const WIDTH: usize = 100;

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
    }
}

/// How things look on standard output.
pub(crate) fn look(color: Color, verbosity: Verbosity) -> Look {
    let choice = match color {
        Color::Auto => anstream::AutoStream::choice(&io::stdout()),
        stated => stated.into(),
    };
    let width =
        if io::stdout().is_terminal() { terminal_size::terminal_size().map(|(width, _)| width.0) } else { None };
    Look {
        color: !matches!(choice, anstream::ColorChoice::Never),
        width: width.map_or(WIDTH, |width| usize::from(width).clamp(60, 160)),
        verbosity,
        checklist: false,
    }
}

/// How things look on standard error.
pub(crate) fn look_of_errors(color: Color) -> Look {
    let choice = match color {
        Color::Auto => anstream::AutoStream::choice(&io::stderr()),
        stated => stated.into(),
    };
    Look { color: !matches!(choice, anstream::ColorChoice::Never), ..Look::default() }
}

/// Prints data. A reader that has seen enough closes the pipe, and that is as good as having read it all.
pub(crate) fn data(text: &str, color: Color) -> Exit {
    let mut stdout = anstream::AutoStream::new(io::stdout().lock(), color.into());
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    finished(written, "standard output")
}

/// Prints data that has no colours, byte by byte.
pub(crate) fn plain(bytes: &[u8]) -> Exit {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    finished(written, "standard output")
}

fn finished(written: io::Result<()>, what: &str) -> Exit {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            say(&format!("error: {what} can't be written: {error}\n"), Color::Auto);
            Exit::Usage
        }
        _ => Exit::Fine,
    }
}

/// Says something beside the data.
pub(crate) fn say(text: &str, color: Color) {
    let mut stderr = anstream::AutoStream::new(io::stderr().lock(), color.into());
    // Nobody is left to tell if this can't be printed.
    let _ = stderr.write_all(text.as_bytes());
}

/// Whether writing a file would replace something.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the rim: the one place that writes files asks what it would replace"
)]
pub(crate) fn is_there(path: &Path) -> bool {
    path.exists()
}

/// Writes a file.
#[expect(clippy::disallowed_methods, reason = "this is the rim: the one place that writes files")]
pub(crate) fn file(path: &Path, text: &str) -> Exit {
    finished(std::fs::write(path, text), &format!("`{}`", path.display()))
}

/// The outputs that were asked for: human on standard output unless something else was.
pub(crate) fn formats(asked: &[Format], known: &[FormatKind], command: &str) -> Result<Vec<Format>, clap::Error> {
    if asked.is_empty() {
        return Ok(vec![Format { kind: FormatKind::Human, file: None }]);
    }
    if let Some(other) = asked.iter().find(|format| !known.contains(&format.kind)) {
        let known: Vec<&str> = known.iter().map(|kind| kind.as_str()).collect();
        return Err(wrong(&format!(
            "`{command}` does not print {}; it prints {}",
            other.kind.as_str(),
            known.join(" and ")
        )));
    }
    if asked.iter().filter(|format| format.file.is_none()).count() > 1 {
        return Err(wrong(
            "only one format can go to standard output; give the others a file, as in `--format sarif=causeway.sarif`",
        ));
    }
    for (at, format) in asked.iter().enumerate() {
        if format.file.is_some() && asked.iter().skip(at + 1).any(|other| other.file == format.file) {
            let file = format.file.as_deref().unwrap_or(Path::new("")).display();
            return Err(wrong(&format!("two formats can't go to the same file `{file}`")));
        }
    }
    Ok(asked.to_vec())
}

/// An error of usage.
pub(crate) fn wrong(message: &str) -> clap::Error {
    Cli::command().error(ErrorKind::ValueValidation, message)
}
