//! The agent on a node.

mod arguments;
mod keeping;
mod masquerade;
mod policy;

use arguments::Ended;
use masquerade::options::{self, Manner};
use std::io::Write as _;
use std::process::ExitCode;

/// Names under which the program is the agent it replaces, without the name of a subcommand.
const REPLACED: [&str; 2] = ["ip-masq-agent-v2", "ip-masq-agent"];

const USAGE: &str = "\
The agent on a node: runs the rules that were checked.

Usage: causeway-node COMMAND [FLAGS]

Commands:
  masquerade  Translate the source of packets that leave the node, except to the destinations that are listed
  policy      Enforce network policies for the pods of the node

`causeway-node COMMAND --help` lists its flags. Started as `ip-masq-agent-v2` or `ip-masq-agent`, or with a flag as its first
argument, the program is `masquerade`.
";

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// What was asked for is done.
    Fine,
    /// Wrong usage, or a configuration that is refused.
    Usage,
    /// This machine can't: the kernel, a permission, a missing program.
    Machine,
    /// As the original ends at an error.
    Original,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Usage => 2,
            Exit::Machine => 3,
            Exit::Original => 255,
        })
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    run(&words).into()
}

fn run(words: &[String]) -> Exit {
    let (program, arguments) = words.split_first().map_or(("", words), |(program, rest)| (program.as_str(), rest));
    let name = program.rsplit('/').next().unwrap_or(program);
    if REPLACED.contains(&name) {
        return masquerade(Manner::DropIn, arguments);
    }
    match arguments.split_first() {
        Some((first, rest)) if first == "masquerade" => masquerade(Manner::Subcommand, rest),
        Some((first, rest)) if first == "policy" => policy::run(rest),
        Some((first, [])) if ["--help", "-help", "-h", "help"].contains(&first.as_str()) => print(USAGE),
        Some((first, [])) if ["--version", "-V"].contains(&first.as_str()) => version(),
        Some((first, _)) if first.starts_with('-') => masquerade(Manner::DropIn, arguments),
        Some((first, _)) => {
            eprint!("error: no command `{first}`\n\n{USAGE}");
            Exit::Usage
        }
        None => {
            eprint!("{USAGE}");
            Exit::Usage
        }
    }
}

fn masquerade(manner: Manner, arguments: &[String]) -> Exit {
    match options::read(manner, arguments) {
        Ok(options) => masquerade::run(options),
        Err(Ended::Help) => print(&options::command().render_long_help().to_string()),
        Err(Ended::Version) => version(),
        Err(Ended::Refused(message)) => {
            eprintln!("{message}\n\n{}\n\n`--help` lists the flags", options::command().render_usage());
            Exit::Usage
        }
    }
}

fn version() -> Exit {
    print(concat!("causeway-node ", env!("CARGO_PKG_VERSION"), "\n"))
}

/// Data goes to standard output; a reader that went away is no error.
fn print(text: &str) -> Exit {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Exit::Fine
}
