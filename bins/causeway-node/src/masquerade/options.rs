//! What the agent is told on its command line.

use crate::arguments::{self, Ended, Spelled, boolean};
use crate::keeping::log::LogFormat;
use causeway_addr::{Cidr, CidrError, Family};
use causeway_dataplane::iptables::{ChainName, check_name};
use causeway_model::masquerade::MasqueradeReader;
use causeway_read::masquerade::{FlagError, Flags, parse_flags};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Characters of a chain's name that iptables takes.
const LONGEST_CHAIN: usize = 28;

const EXAMPLES: &str = "\
Examples:
  causeway-node masquerade --v=2 --resync-interval=60        as ip-masq-agent-v2 is started
  causeway-node masquerade --dry-run --config-dir ./config   print the rules, and what would change here
  causeway-node masquerade --once                            put the rules in place and end
  causeway-node masquerade --cleanup                         take everything away

Flags may have one dash or two; a boolean is set to false with `=`: --random-fully=false.
Exit status: 0 done; 2 wrong usage or a refused configuration; 3 this machine can't; 255 with --exit-on-error.";

/// Translates the source of packets that leave a node to the node's address, except to the destinations its configuration lists.
/// Takes the flags and files of ip-masq-agent-v2.
#[derive(Debug, Parser)]
#[command(name = "causeway-node masquerade", version, after_help = EXAMPLES, disable_help_flag = true, disable_version_flag = true)]
struct Written {
    /// The agent's chain in the nat table: the one that is written with `--backend iptables`, and that is taken over from
    /// ip-masq-agent-v2 otherwise
    #[arg(long, value_name = "NAME", default_value = "IP-MASQ-AGENT")]
    masq_chain: String,
    /// Use the longer built-in list while there is no file
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false")]
    nomasq_all_reserved_ranges: String,
    /// Translate IPv6 as well, and take IPv6 prefixes
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false")]
    enable_ipv6: String,
    /// Seconds between two looks at everything, besides those that changes cause
    #[arg(long, value_name = "SECONDS", default_value = "60", allow_negative_numbers = true)]
    resync_interval: String,
    /// How much is logged; 2 prints the configuration at every look
    #[arg(long, value_name = "LEVEL", default_value = "0", allow_negative_numbers = true)]
    v: String,

    /// Where the files are whose names start with `ip-masq`
    #[arg(long, value_name = "DIR", default_value = causeway_read::masquerade::CONFIG_DIRECTORY)]
    config_dir: PathBuf,
    /// Refuse files with mistakes the original reads over, and refuse all files when one is refused
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = boolean)]
    strict: bool,
    /// Apply a list that shrinks to nothing while running
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = boolean)]
    allow_empty: bool,
    /// End at the first error, in the words and with the status (255) of the original
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = boolean)]
    exit_on_error: bool,
    /// Entries a file may have
    #[arg(long, value_name = "COUNT", default_value_t = causeway_read::masquerade::MAX_ENTRIES)]
    max_cidrs: usize,
    /// Translate packets from these prefixes only (comma-separated, or several times); default: whoever sends
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    source_cidrs: Vec<String>,
    /// Choose source ports at random, so that connections that start together don't collide; default: true, with iptables false, where
    /// the rules are those of the original
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    random_fully: Option<bool>,
    /// What holds the rules: a table of its own in nf_tables, or the original's chain through iptables
    #[arg(long, value_enum, value_name = "BACKEND", default_value = "auto")]
    backend: Backend,
    /// Also write the merged configuration here, for a data plane that reads one file (Cilium's); a folder gets `ip-masq-agent`
    #[arg(long, value_name = "PATH")]
    merged_config: Option<PathBuf>,
    /// Serve /metrics, /healthz and /readyz here; default: nowhere
    #[arg(long, value_name = "[HOST]:PORT", default_value = "")]
    metrics_address: String,
    /// The form of the log
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,

    /// Read the configuration once, put the rules in place, end. With a refused file: end with 2 and touch nothing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = boolean)]
    once: bool,
    /// Print the rules and what would change in this kernel; change nothing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = boolean)]
    dry_run: bool,
    /// Remove every rule of this agent and of ip-masq-agent-v2, and end
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = boolean)]
    cleanup: bool,

    /// Port ranges of the kubernetes-sigs agent: refused
    #[arg(long, value_name = "RANGES", hide = true)]
    to_ports: Option<String>,
    #[command(flatten)]
    logging: Logging,
}

/// Flags of the original's logging library: read, and without effect.
#[derive(Debug, clap::Args)]
struct Logging {
    #[arg(long = "add_dir_header", hide = true)]
    add_dir_header: Option<String>,
    #[arg(long, hide = true)]
    alsologtostderr: Option<String>,
    #[arg(long = "log_backtrace_at", hide = true)]
    log_backtrace_at: Option<String>,
    #[arg(long = "log_dir", hide = true)]
    log_dir: Option<String>,
    #[arg(long = "log_file", hide = true)]
    log_file: Option<String>,
    #[arg(long = "log_file_max_size", hide = true)]
    log_file_max_size: Option<String>,
    #[arg(long, hide = true)]
    logtostderr: Option<String>,
    #[arg(long = "one_output", hide = true)]
    one_output: Option<String>,
    #[arg(long = "skip_headers", hide = true)]
    skip_headers: Option<String>,
    #[arg(long = "skip_log_headers", hide = true)]
    skip_log_headers: Option<String>,
    #[arg(long, hide = true)]
    stderrthreshold: Option<String>,
    #[arg(long, hide = true)]
    vmodule: Option<String>,
}

/// What holds the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// nf_tables; where the kernel has none, iptables.
    Auto,
    /// A table of its own in nf_tables, over netlink.
    Nft,
    /// The original's chain, through iptables-restore.
    Iptables,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// Keep the rules in place until told to end.
    Run,
    /// Put them in place.
    Once,
    /// Print them.
    DryRun,
    /// Take them away.
    Cleanup,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// What to do.
    pub(crate) job: Job,
    /// What the original knows, and how many entries a file may have.
    pub(crate) flags: Flags,
    /// Between two looks.
    pub(crate) resync: Duration,
    /// The files' directory.
    pub(crate) config_dir: PathBuf,
    /// Mistakes the original reads over refuse a file.
    pub(crate) strict: bool,
    /// A list may shrink to nothing.
    pub(crate) allow_empty: bool,
    /// The first error ends the program.
    pub(crate) exit_on_error: bool,
    /// Who is translated; empty = everybody.
    pub(crate) sources: Vec<Cidr>,
    /// Source ports are chosen at random; `None` = as the back end does by itself.
    pub(crate) random_fully: Option<bool>,
    /// What holds the rules.
    pub(crate) backend: Backend,
    /// Where the merged configuration goes.
    pub(crate) merged_config: Option<PathBuf>,
    /// Where metrics are served.
    pub(crate) metrics_address: Option<String>,
    /// The form of the log.
    pub(crate) log_format: LogFormat,
    /// What was put up with, one sentence each; logged once there is a log.
    pub(crate) remarks: Vec<String>,
}

/// The command line as clap knows it, for its help and its list of flags.
pub(crate) fn command() -> clap::Command {
    let mut command = Written::command();
    command.build();
    command
}

/// How the arguments were handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As the original gets them: what stands behind the first that is no flag is passed over.
    DropIn,
    /// After the name of the subcommand: whatever is not understood is refused.
    Subcommand,
}

/// Reads the arguments.
///
/// # Errors
/// What ends the program before it begins.
pub(crate) fn read(manner: Manner, arguments: &[String]) -> Result<Options, Ended> {
    let refused = |message: String| Ended::Refused(message);
    let spelled = arguments::spell(&command(), arguments)?;
    let mut remarks = Vec::new();
    if let Some(first) = spelled.unread.first() {
        let message =
            format!("nothing from the argument `{first}` on is read; write flags and values as `--flag=value`");
        match manner {
            Manner::DropIn => remarks.push(message),
            Manner::Subcommand => return Err(refused(message)),
        }
    }
    let flags = parse_flags(MasqueradeReader::V2, &spelled.reference).map_err(|error| match error {
        FlagError::Refused { message, .. } => refused(message),
        FlagError::Help { .. } => Ended::Help,
    })?;
    let written = written(&spelled).map_err(refused)?;
    options(flags, written, remarks).map_err(refused)
}

fn written(spelled: &Spelled) -> Result<Written, String> {
    let words = std::iter::once("causeway-node".to_owned()).chain(spelled.flags.iter().cloned());
    let matches = Written::command().args_override_self(true).try_get_matches_from(words);
    let written = matches.and_then(|matches| Written::from_arg_matches(&matches));
    written.map_err(|error| {
        let text = error.render().to_string();
        text.lines().next().unwrap_or("").trim_start_matches("error: ").to_owned()
    })
}

fn options(mut flags: Flags, written: Written, mut remarks: Vec<String>) -> Result<Options, String> {
    if written.to_ports.is_some() {
        let message = "`--to-ports` is not available: which ports a flow gets decides which flows collide, and the kernel chooses \
                       best among all of them; remove the flag";
        return Err(message.to_owned());
    }
    if flags.masq_chain.is_empty() || flags.masq_chain.len() > LONGEST_CHAIN {
        return Err(format!("`--masq-chain={}` must have 1 to {LONGEST_CHAIN} characters", flags.masq_chain));
    }
    let plain = |c: char| c.is_ascii_graphic() && !"\"'`!".contains(c);
    if flags.masq_chain.starts_with('-') || !flags.masq_chain.chars().all(plain) {
        return Err(format!("`--masq-chain={}` is no name of a chain", flags.masq_chain));
    }
    if let Err(why @ (ChainName::Taken | ChainName::Others(_))) = check_name(&flags.masq_chain) {
        return Err(format!("`--masq-chain={}` is taken: {why}", flags.masq_chain));
    }
    let port = written.metrics_address.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    if !written.metrics_address.is_empty() && !matches!(port, Some(Ok(_))) {
        return Err(format!(
            "`--metrics-address={}` is no address to listen at; write `host:port` or `:port`",
            written.metrics_address
        ));
    }
    flags.max_entries = written.max_cidrs;
    let resync = match u64::try_from(flags.resync_interval) {
        Ok(seconds @ 1..) => Duration::from_secs(seconds),
        _ => {
            remarks.push(format!("`--resync-interval={}` is taken for one second", flags.resync_interval));
            Duration::from_secs(1)
        }
    };
    let jobs = [(written.once, Job::Once), (written.dry_run, Job::DryRun), (written.cleanup, Job::Cleanup)];
    let mut jobs = jobs.into_iter().filter(|(wanted, _)| *wanted).map(|(_, job)| job);
    let job = jobs.next().unwrap_or(Job::Run);
    if jobs.next().is_some() {
        return Err("`--once`, `--dry-run` and `--cleanup` exclude one another".to_owned());
    }
    Ok(Options {
        job,
        sources: sources(&written.source_cidrs, flags.enable_ipv6)?,
        flags,
        resync,
        config_dir: written.config_dir,
        strict: written.strict,
        allow_empty: written.allow_empty,
        exit_on_error: written.exit_on_error,
        random_fully: written.random_fully,
        backend: written.backend,
        merged_config: written.merged_config,
        metrics_address: Some(written.metrics_address).filter(|address| !address.is_empty()),
        log_format: written.log_format,
        remarks,
    })
}

fn sources(texts: &[String], ipv6: bool) -> Result<Vec<Cidr>, String> {
    let mut sources = Vec::new();
    for text in texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let cidr: Cidr = text.parse().map_err(|error: CidrError| {
            let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
            format!("`--source-cidrs`: {error}{hint}")
        })?;
        if cidr.family() == Family::V6 && !ipv6 {
            return Err(format!("`--source-cidrs`: `{text}` is IPv6; add `--enable-ipv6`"));
        }
        sources.push(cidr);
    }
    sources.sort();
    sources.dedup();
    Ok(sources)
}

#[cfg(test)]
mod tests;
