//! What people type.

pub(crate) mod masq_diff;
pub(crate) mod policy;
pub(crate) mod trace;

use causeway_model::codes::Code;
use causeway_model::finding::Severity;
use causeway_read::kind::Kind;
use causeway_report::pages::{self, Topic};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;
use std::path::PathBuf;

const PATHS: &str =
    "Design files, folders of them, or exports of Azure, Terraform and Kubernetes; `-` is standard input";
const EXIT: &str = "\
Exit codes:
  0  nothing at or above the threshold
  1  a finding at or above `--deny`, or an expectation that failed or can't be evaluated
  2  wrong usage, or an input that can't be read or understood";

/// Will this network work? Plans and checks Kubernetes pod networks on scarce addresses.
#[derive(Debug, Parser)]
#[command(name = "causeway", version, max_term_width = 100, arg_required_else_help = true, after_help = EXIT)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Findings, capacity and expectations: the everyday command, and the one for pipelines.
    #[command(after_help = CHECK)]
    Check(CheckArgs),
    /// Follows a packet there and back: who rewrites it, what the other side sees, who decides, what would have to change.
    #[command(after_help = trace::EXAMPLES, long_about = trace::ABOUT)]
    Trace(trace::TraceArgs),
    /// Addresses and SNAT ports: now, at maximum, during an upgrade, after losing a node or a zone.
    #[command(after_help = CAPACITY)]
    Capacity(CapacityArgs),
    /// What changes for whom between two designs: refused steps, source addresses, room, findings.
    #[command(after_help = DIFF, long_about = DIFF_ABOUT)]
    Diff(DiffArgs),
    /// Which destinations see another source address under another masquerade configuration.
    #[command(after_help = masq_diff::EXAMPLES, long_about = masq_diff::ABOUT)]
    MasqDiff(masq_diff::MasqDiffArgs),
    /// What network policies mean: verdicts with the rule that decides, truth tables, lists, exposure, differences.
    #[command(after_help = POLICY)]
    Policy {
        #[command(subcommand)]
        command: policy::PolicyCommand,
    },
    /// Writes what was exported from Azure, Terraform or Kubernetes as one design file.
    #[command(after_help = IMPORT)]
    Import(ImportArgs),
    /// Prints the page of a finding: what it means, why it hurts, how to see it, how to fix it. Or what is not known, and how to find out.
    #[command(after_help = EXPLAIN)]
    Explain(ExplainArgs),
    /// Prints the JSON Schema of the design file, for editors.
    #[command(after_help = SCHEMA)]
    Schema,
    /// Prints completions for a shell.
    #[command(after_help = COMPLETIONS)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Prints the manual page, of the program or of one command.
    Man {
        /// The command.
        command: Option<String>,
    },
}

const CHECK: &str = "\
Examples:
  causeway check design.yaml
  causeway check exports/ --checklist
  az aks show -g GROUP -n CLUSTER -o json | causeway check -
  terraform show -json plan.bin | causeway check - network.yaml --deny warning
  causeway check exports/ --format human --format sarif=causeway.sarif --format junit=causeway.xml

Findings you live with belong in the design, with the reason:
  accept: [{finding: CODE, on: OBJECT, because: \"...\"}]

Exit codes:
  0  nothing at or above the threshold
  1  a finding at or above `--deny`, or an expectation that failed or can't be evaluated
  2  wrong usage, or an input that can't be read or understood";

const CAPACITY: &str = "\
Examples:
  causeway capacity design.yaml
  causeway capacity exports/ --format json

Exit codes:
  0  everything fits, upgrades counted in, as far as it is known; losing a node or a zone may not, which is a warning
  1  something does not fit, or a finding about capacity is at or above `--deny`
  2  wrong usage, or an input that can't be read or understood";

const DIFF_ABOUT: &str = "\
What changes for whom between two designs.

Compares steps the platform refuses, the source address that each kind of peer sees of pods,
addresses and SNAT ports, findings that appear and disappear, and ranges. Which single packets
still arrive is not compared yet: objects that packets meet on their way and that differ (routes,
security groups, firewalls, peerings, policies, names) are listed, not judged.";

const DIFF: &str = "\
Examples:
  causeway diff main/design.yaml design.yaml
  causeway diff exports-of-yesterday/ exports/ --deny-change
  git show main:network.yaml | causeway diff - network.yaml --format json

Exit codes:
  0  no refused step and no new finding at or above `--deny`
  1  one there is; or with `--deny-change` a step is refused, a source address or what fits
     changes, or an object that packets meet differs
  2  wrong usage, or an input that can't be read or understood";

const POLICY: &str = "\
Examples:
  causeway policy explain manifests/ --from pod/shop/web --to pod/shop/db:5432
  causeway policy matrix manifests/ --port 80
  causeway policy diff manifests/ --engines npm,cilium";

const IMPORT: &str = "\
Examples:
  causeway import exports/ -o design.yaml
  az aks list -o json | causeway import -

Checking the file gives the same findings as checking the exports, but that two of them disagree.
What was not understood or is not known stands as comments on top of the file; how much of it, and
how many defaults were assumed, is said on standard error.";

const EXPLAIN: &str = "\
Examples:
  causeway explain                  # every code, by subject, and every open question
  causeway explain reserved-range
  causeway explain unk.windows-reserved";

const SCHEMA: &str = "\
Example:
  causeway schema > causeway.schema.json
and on the first line of a design file:
  # yaml-language-server: $schema=./causeway.schema.json";

const COMPLETIONS: &str = "\
Example:
  causeway completions bash > ~/.local/share/bash-completion/completions/causeway";

/// What every command that reads a network takes.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    #[arg(value_name = "PATH", required = true, help = PATHS)]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

/// How every command reads and how much it says.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// Take every input for this kind instead of telling it by its content.
    #[arg(long = "as", value_name = "KIND", value_parser = kind)]
    pub(crate) kind: Option<Kind>,

    /// When to colour; colour carries no meaning of its own.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) color: Color,

    /// Say less: a line per finding, and the summary.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Say more: every default that was assumed, and everything that was not understood.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// What makes a command fail.
#[derive(Debug, Args)]
pub(crate) struct ThresholdArgs {
    /// Fail for findings of this severity and worse.
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t)]
    pub(crate) deny: Deny,

    /// A code that never makes it fail (still printed); repeat for several.
    #[arg(long, value_name = "CODE", value_parser = code)]
    pub(crate) allow: Vec<Code>,

    /// The day life-cycle dates are compared with, as 2027-03-31 [default: today].
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) as_of: Option<Date>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// What to print: human, json, sarif or junit, to standard output or a FILE; repeat for several [default: human].
    #[arg(long, value_name = "KIND[=FILE]", value_parser = format)]
    pub(crate) format: Vec<Format>,

    #[command(flatten)]
    pub(crate) threshold: ThresholdArgs,

    /// Answer every line of the production checklist too.
    #[arg(long)]
    pub(crate) checklist: bool,

    /// Print the proof that no range overlaps another: sorted lists anybody can check.
    #[arg(long)]
    pub(crate) certificate: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CapacityArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// What to print: human or json, to standard output or a FILE; repeat for several [default: human].
    #[arg(long, value_name = "KIND[=FILE]", value_parser = format)]
    pub(crate) format: Vec<Format>,

    #[command(flatten)]
    pub(crate) threshold: ThresholdArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// As it was: a design file, a folder, or an export; `-` is standard input.
    pub(crate) old: PathBuf,

    /// As it is to be: the same.
    pub(crate) new: PathBuf,

    #[command(flatten)]
    pub(crate) read: ReadArgs,

    /// What to print: human or json, to standard output or a FILE; repeat for several [default: human].
    #[arg(long, value_name = "KIND[=FILE]", value_parser = format)]
    pub(crate) format: Vec<Format>,

    #[command(flatten)]
    pub(crate) threshold: ThresholdArgs,

    /// Fail if anything changes for anybody, or may.
    #[arg(long)]
    pub(crate) deny_change: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Write the design here instead of to standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Replace FILE if it exists.
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A finding's code, or the name of an open question (`unk.…`) that an answer gives; without one all are listed.
    #[arg(value_name = "CODE", value_parser = topic)]
    pub(crate) topic: Option<Topic>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Color {
    /// Where a person is watching and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A severity on the command line.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Deny {
    /// Errors only.
    #[default]
    Error,
    /// Warnings too.
    Warning,
    /// Everything.
    Info,
}

impl From<Deny> for Severity {
    fn from(deny: Deny) -> Self {
        match deny {
            Deny::Error => Severity::Error,
            Deny::Warning => Severity::Warning,
            Deny::Info => Severity::Info,
        }
    }
}

/// One output: what and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) kind: FormatKind,
    /// `None` is standard output.
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormatKind {
    Human,
    Json,
    Sarif,
    Junit,
    Csv,
    Svg,
    Mermaid,
}

impl FormatKind {
    const WORDS: &[(&str, FormatKind)] = &[
        ("human", FormatKind::Human),
        ("json", FormatKind::Json),
        ("sarif", FormatKind::Sarif),
        ("junit", FormatKind::Junit),
        ("csv", FormatKind::Csv),
        ("svg", FormatKind::Svg),
        ("mermaid", FormatKind::Mermaid),
    ];

    pub(crate) fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

fn format(text: &str) -> Result<Format, String> {
    let (word, file) = match text.split_once('=') {
        Some((word, file)) => (word, Some(file)),
        None => (text, None),
    };
    let known = FormatKind::WORDS.iter().find(|(known, _)| *known == word);
    let kind = known.map(|(_, kind)| *kind).ok_or("known are human, json, sarif, junit, csv, svg and mermaid")?;
    match file {
        Some("") => Err("a file name is missing after `=`".to_owned()),
        Some("-") | None => Ok(Format { kind, file: None }),
        Some(file) => Ok(Format { kind, file: Some(file.into()) }),
    }
}

fn kind(word: &str) -> Result<Kind, String> {
    Kind::parse(word)
}

fn code(word: &str) -> Result<Code, String> {
    pages::parse(word)
}

fn topic(word: &str) -> Result<Topic, String> {
    pages::topic(word)
}

fn date(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "a date is written 2027-03-31".to_owned())
}
