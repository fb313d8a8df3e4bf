//! What the policy agent is told on its command line.

use crate::keeping::log::LogFormat;
use causeway_addr::Cidr;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  causeway-node policy --manifests ./manifests --dry-run           print the rules, and what would change here
  causeway-node policy --manifests /etc/causeway/manifests         keep the rules in place, on the node of the host name
  causeway-node policy --manifests ./manifests --node-name aks-1 --pod-cidrs 10.244.3.0/24 --metrics-address :9106
  causeway-node policy --manifests ./manifests --once              put the rules in place and end
  causeway-node policy --cleanup                                   take everything away

A folder of manifests has files ending in .yaml, .yml or .json with nodes, namespaces, pods and policies, in any cut: one file of
`kubectl get nodes,namespaces,pods,networkpolicies -A -o yaml`, a file for each object, or a mounted ConfigMap.
Exit status: 0 done; 2 wrong usage or manifests that can't be read; 3 this machine can't.";

/// Enforces network policies for the pods of this node, as manifests say: NetworkPolicy, ClusterNetworkPolicy, AdminNetworkPolicy and
/// BaselineAdminNetworkPolicy.
#[derive(Debug, Clone, Parser)]
#[command(name = "causeway-node policy", version, after_help = EXAMPLES)]
pub(crate) struct Written {
    /// The folder of manifests, which is watched
    #[arg(long, value_name = "DIR", required_unless_present = "cleanup")]
    manifests: Option<PathBuf>,
    /// The node, as pods name it in `spec.nodeName`; default: the host name
    #[arg(long, value_name = "NAME", env = "NODE_NAME")]
    node_name: Option<String>,
    /// Ranges from which only pods of this node have addresses: an address in them gets nothing through until the pod that has it is
    /// known; default: `spec.podCIDRs` of the node's object, if there is one; `none` = none
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pod_cidrs: Vec<String>,
    /// Seconds between two looks at everything, besides those that changes cause
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    resync_interval: u64,
    /// Serve /metrics, /healthz and /readyz here; default: nowhere
    #[arg(long, value_name = "[HOST]:PORT")]
    metrics_address: Option<String>,
    /// Denied packets that are told of in the log, a second and address family; 0 = none
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=1000))]
    deny_log_rate: u32,
    /// The group of nfnetlink_log they come by; another one where somebody else listens to it
    #[arg(long, value_name = "NUMBER", default_value_t = 4617)]
    deny_log_group: u16,
    /// The form of the log
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// How much is logged; 4 tells every repair
    #[arg(long, value_name = "LEVEL", default_value_t = 0)]
    v: i32,

    /// Read the manifests once, put the rules in place, end. With a file that can't be read: end with 2 and touch nothing
    #[arg(long, conflicts_with_all = ["dry_run", "cleanup"])]
    once: bool,
    /// Print the rules and what would change in this kernel; change nothing
    #[arg(long, conflicts_with = "cleanup")]
    dry_run: bool,
    /// Remove every rule of this agent, and end
    #[arg(long)]
    cleanup: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// Keep the rules in place.
    Run,
    /// Put them in place and end.
    Once,
    /// Print them.
    DryRun,
    /// Remove them.
    Cleanup,
}

/// Everything the agent is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) job: Job,
    pub(crate) manifests: PathBuf,
    pub(crate) node: String,
    /// Ranges of the node's pods; `None` = as the node's object says.
    pub(crate) pod_ranges: Option<Vec<Cidr>>,
    pub(crate) resync: std::time::Duration,
    pub(crate) metrics_address: Option<String>,
    /// Denied packets told of a second; 0 = none.
    pub(crate) log_rate: u32,
    pub(crate) log_group: u16,
    pub(crate) log_format: LogFormat,
    pub(crate) verbosity: i32,
}

/// Reads the arguments. `host` = the name of this machine.
///
/// # Errors
/// What is to be printed instead: help, or what is wrong.
pub(crate) fn read(arguments: &[String], host: Option<String>) -> Result<Options, clap::Error> {
    let words = std::iter::once("causeway-node policy".to_owned()).chain(arguments.iter().cloned());
    let written = Written::from_arg_matches(&Written::command().try_get_matches_from(words)?)?;
    options(written, host).map_err(|message| Written::command().error(clap::error::ErrorKind::ValueValidation, message))
}

fn options(written: Written, host: Option<String>) -> Result<Options, String> {
    let job = match (written.once, written.dry_run, written.cleanup) {
        (true, ..) => Job::Once,
        (_, true, _) => Job::DryRun,
        (.., true) => Job::Cleanup,
        _ => Job::Run,
    };
    if let Some(address) = &written.metrics_address
        && !matches!(address.rsplit_once(':').map(|(_, port)| port.parse::<u16>()), Some(Ok(_)))
    {
        return Err(format!("`--metrics-address={address}` is no address to listen at; write `host:port` or `:port`"));
    }
    let node = written.node_name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).or(host);
    let node = node.ok_or("this machine has no name: give `--node-name`")?;
    let mut ranges = Vec::new();
    let none = written.pod_cidrs.iter().any(|text| text == "none");
    if none && written.pod_cidrs.len() > 1 {
        return Err("`--pod-cidrs`: `none` stands alone".to_owned());
    }
    for text in written.pod_cidrs.iter().filter(|_| !none) {
        ranges.push(text.trim().parse::<Cidr>().map_err(|error| {
            let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
            format!("`--pod-cidrs`: {error}{hint}")
        })?);
    }
    ranges.sort();
    ranges.dedup();
    Ok(Options {
        job,
        manifests: written.manifests.unwrap_or_default(),
        node,
        pod_ranges: (none || !ranges.is_empty()).then_some(ranges),
        resync: std::time::Duration::from_secs(written.resync_interval),
        metrics_address: written.metrics_address.filter(|address| !address.is_empty()),
        log_rate: written.deny_log_rate,
        log_group: written.deny_log_group,
        log_format: written.log_format,
        verbosity: written.v,
    })
}

#[cfg(test)]
mod tests;
