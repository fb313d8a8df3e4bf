//! What people type to compare two masquerade configurations.

use super::{Color, Format, format};
use causeway_model::masquerade::MasqueradeReader;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub(super) const ABOUT: &str = "\
Which destinations see another source address under another masquerade configuration.

Both configurations are read as the agent reads them, entry by entry and with everything it
refuses. What they exempt is compared over all IPv4 and IPv6 addresses, so an entry that another
one covers, or that is written in another way, makes no difference.";

pub(super) const EXAMPLES: &str = "\
Examples:
  causeway masq-diff ip-masq-agent.old ip-masq-agent
  causeway masq-diff config/ new-config/ --design design.yaml
  kubectl get configmap -n kube-system azure-ip-masq-agent-config -o yaml |
    causeway masq-diff - ip-masq-agent.yaml --deny-change --format json

Exit codes:
  0  both are compared, whatever changes
  1  the new one is refused by the agent; or with `--deny-change` a destination sees another
     address, or it can't be said because the old one is refused
  2  wrong usage, or an input that can't be read or understood";

#[derive(Debug, Args)]
pub(crate) struct MasqDiffArgs {
    /// As it was: the agent's file, its folder, a ConfigMap, manifests or a design; `-` is standard input.
    pub(crate) old: PathBuf,

    /// As it is to be: the same.
    pub(crate) new: PathBuf,

    /// Say who lives where: a design file, a folder, or an export.
    #[arg(long, value_name = "PATH")]
    pub(crate) design: Option<PathBuf>,

    /// The agent that reads files and ConfigMaps which don't say by whom they are read.
    #[arg(long, value_enum, value_name = "AGENT", default_value_t)]
    pub(crate) agent: Agent,

    /// That agent runs with `--enable-ipv6`.
    #[arg(long)]
    pub(crate) enable_ipv6: bool,

    /// That agent runs with `--nomasq-all-reserved-ranges`.
    #[arg(long)]
    pub(crate) nomasq_all_reserved_ranges: bool,

    /// Entries of one file that agent takes, where it is causeway-node with `--max-cidrs`.
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_cidrs: Option<usize>,

    /// What to print: human or json, to standard output or a FILE; repeat for several [default: human].
    #[arg(long, value_name = "KIND[=FILE]", value_parser = format)]
    pub(crate) format: Vec<Format>,

    /// Fail if any destination sees another address.
    #[arg(long)]
    pub(crate) deny_change: bool,

    /// When to colour; colour carries no meaning of its own.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) color: Color,
}

/// A program that reads masquerade files.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Agent {
    /// ip-masq-agent-v2, and causeway-node, which reads as that one does.
    #[default]
    #[value(name = "ip-masq-agent-v2")]
    Second,
    /// The agent of kubernetes-sigs.
    #[value(name = "ip-masq-agent")]
    Original,
    /// Cilium's own.
    Cilium,
    /// AKS' merger in front of Cilium.
    #[value(name = "azure-ip-masq-merger")]
    Merger,
}

impl From<Agent> for MasqueradeReader {
    fn from(agent: Agent) -> Self {
        match agent {
            Agent::Second => MasqueradeReader::V2,
            Agent::Original => MasqueradeReader::Original,
            Agent::Cilium => MasqueradeReader::Cilium,
            Agent::Merger => MasqueradeReader::Merger,
        }
    }
}
