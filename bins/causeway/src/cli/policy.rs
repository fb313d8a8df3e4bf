//! `causeway policy`: its questions, and what each takes.

use super::{Format, InputArgs, ReadArgs, format};
use causeway_addr::Family;
use causeway_model::design::Protocol;
use causeway_policy::who::PortWord;
use causeway_policy::{Engine, Verdict};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// The verdict on one flow, tier by tier, and the rule that decides.
    #[command(after_help = EXPLAIN)]
    Explain(ExplainFlowArgs),
    /// The truth table: every pod to every pod.
    #[command(after_help = MATRIX)]
    Matrix(MatrixArgs),
    /// Every connection that is allowed, pods that are treated alike in one line.
    #[command(after_help = LIST)]
    List(ListArgs),
    /// What a pod nobody has seen, or an address outside, could reach, and where pods could go.
    #[command(after_help = EXPOSURE)]
    Exposure(ListArgs),
    /// What changes between two states, or between two engines.
    #[command(after_help = DIFF)]
    Diff(PolicyDiffArgs),
}

const EXPLAIN: &str = "\
Examples:
  causeway policy explain manifests/ --from pod/shop/web --to pod/shop/db:5432
  causeway policy explain manifests/ --from internet --to service/shop/web:80
  causeway policy explain manifests/ --from pod/shop/web --to 10.1.2.3:53 --proto udp --engine cilium

The flow is asked about as it is after every translation: of a service the pods behind it are asked.

Exit codes:
  0  allowed, or what `--expect` says
  1  anything else; what depends on something unknown is never 0 without `--expect`
  2  wrong usage, or an input that can't be read or understood";

const MATRIX: &str = "\
Examples:
  causeway policy matrix manifests/ --port 80
  causeway policy matrix manifests/ --port 53 --proto udp --format json
  causeway policy matrix manifests/ --format svg=policies.svg

Without `--port` every port that pods listen on gets a table.";

const LIST: &str = "\
Examples:
  causeway policy list manifests/
  causeway policy list manifests/ --format csv=connections.csv";

const EXPOSURE: &str = "\
Examples:
  causeway policy exposure manifests/
  causeway policy exposure manifests/ --format json";

const DIFF: &str = "\
Examples:
  causeway policy diff main/manifests manifests
  causeway policy diff manifests/ --engines npm,cilium

Exit codes:
  0  nothing changes, or `--deny-change` is not given
  1  with `--deny-change`: something changes, or may
  2  wrong usage, or an input that can't be read or understood";

/// How policies are read.
#[derive(Debug, Args)]
pub(crate) struct ReadingArgs {
    /// How policies are read: strict (the API text), npm, cilium, calico or none [default: the cluster's engine, else strict].
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    pub(crate) engine: Option<Engine>,

    /// Only this address family: ipv4 or ipv6 [default: every family that both ends have; where they differ it is said].
    #[arg(long, value_name = "FAMILY", value_parser = family)]
    pub(crate) family: Option<Family>,

    /// The cluster, where there are several.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainFlowArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Who sends: pod/NAMESPACE/NAME, node/NAME, host/NAME, pool/CLUSTER/NAME, internet, an address or a DNS name.
    #[arg(long, value_name = "WHO")]
    pub(crate) from: String,

    /// Who receives, with the port: the same, service/NAMESPACE/NAME or apiServer/CLUSTER.
    #[arg(long, value_name = "WHERE[:PORT]")]
    pub(crate) to: String,

    /// The destination port, where `--to` does not say it: a number, or the name the pod gives it.
    #[arg(long, value_name = "PORT", value_parser = PortWord::parse)]
    pub(crate) port: Option<PortWord>,

    /// The protocol: tcp, udp, sctp or icmp.
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol, default_value = "tcp")]
    pub(crate) proto: Protocol,

    /// The verdict that is wanted: allowed, denied or uncertain.
    #[arg(long, value_name = "VERDICT", value_parser = verdict, default_value = "allowed")]
    pub(crate) expect: Verdict,

    #[command(flatten)]
    pub(crate) reading: ReadingArgs,

    /// What to print: human or json, to standard output or a FILE; repeat for several [default: human].
    #[arg(long, value_name = "KIND[=FILE]", value_parser = format)]
    pub(crate) format: Vec<Format>,
}

#[derive(Debug, Args)]
pub(crate) struct MatrixArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// A destination port, by number or by the name pods give it; repeat for several.
    #[arg(long, value_name = "PORT", value_parser = PortWord::parse)]
    pub(crate) port: Vec<PortWord>,

    /// A protocol: tcp, udp, sctp or icmp; repeat for several [default: tcp].
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol)]
    pub(crate) proto: Vec<Protocol>,

    #[command(flatten)]
    pub(crate) reading: ReadingArgs,

    /// What to print: human, json, csv or svg, to standard output or a FILE; repeat for several [default: human].
    #[arg(long, value_name = "KIND[=FILE]", value_parser = format)]
    pub(crate) format: Vec<Format>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    #[command(flatten)]
    pub(crate) reading: ReadingArgs,

    /// What to print: human or json, `list` also csv, to standard output or a FILE; repeat for several [default: human].
    #[arg(long, value_name = "KIND[=FILE]", value_parser = format)]
    pub(crate) format: Vec<Format>,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyDiffArgs {
    /// As it was: a design file, a folder, or an export.
    pub(crate) old: PathBuf,

    /// As it is to be: the same; left out where two engines are compared.
    #[arg(required_unless_present = "engines")]
    pub(crate) new: Option<PathBuf>,

    /// Two engines, as `npm,cilium`: the first reads OLD, the second NEW, or both the same.
    #[arg(long, value_name = "ENGINE,ENGINE", value_parser = engine, value_delimiter = ',')]
    pub(crate) engines: Vec<Engine>,

    #[command(flatten)]
    pub(crate) reading: ReadingArgs,

    #[command(flatten)]
    pub(crate) read: ReadArgs,

    /// What to print: human or json, to standard output or a FILE; repeat for several [default: human].
    #[arg(long, value_name = "KIND[=FILE]", value_parser = format)]
    pub(crate) format: Vec<Format>,

    /// Fail if anything changes, or may.
    #[arg(long)]
    pub(crate) deny_change: bool,
}

fn engine(word: &str) -> Result<Engine, String> {
    let known: Vec<&str> = Engine::WORDS.iter().map(|(word, _)| *word).collect();
    Engine::parse(word).ok_or_else(|| format!("known are {}", known.join(", ")))
}

pub(crate) fn family(word: &str) -> Result<Family, String> {
    match word {
        "ipv4" => Ok(Family::V4),
        "ipv6" => Ok(Family::V6),
        _ => Err("known are ipv4 and ipv6".to_owned()),
    }
}

fn protocol(word: &str) -> Result<Protocol, String> {
    let known = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp, Protocol::Icmp];
    let found = Protocol::parse(word).filter(|protocol| known.contains(protocol));
    found.ok_or_else(|| "known are tcp, udp, sctp and icmp".to_owned())
}

fn verdict(word: &str) -> Result<Verdict, String> {
    let all = [Verdict::Allowed, Verdict::Denied, Verdict::Uncertain];
    all.into_iter()
        .find(|verdict| verdict.as_str() == word)
        .ok_or_else(|| "known are allowed, denied, uncertain".into())
}
