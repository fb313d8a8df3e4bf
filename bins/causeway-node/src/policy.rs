//! `causeway-node policy`: enforces network policies for the pods of a node.
//!
//! A [`source`] gives objects and changes of them, a folder of manifests for now; [`world`] makes events of the index of them;
//! [`agent`] compiles what the index means for this node and brings the kernel there; [`denied`] says who is denied by what.

mod agent;
mod denied;
mod folder;
mod live;
mod metrics;
pub(crate) mod options;
mod source;
mod status;
mod world;

use crate::Exit;
use crate::keeping::tables::Tables;
use crate::keeping::turn;
use crate::keeping::{log, pages};
use agent::{Agent, Looked};
use causeway_addr::Family;
use causeway_dataplane::policy::table;
use folder::Folder;
use live::Live;
use options::{Job, Options};
use status::Status;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::{error, info};

/// How often `--once` looks again while a file is being written or others change the rules.
const TRIES: usize = 20;

/// Does what the arguments say.
pub(crate) fn run(arguments: &[String]) -> Exit {
    match options::read(arguments, host_name()) {
        Ok(options) => act(options),
        Err(error) if error.use_stderr() => {
            eprint!("{error}");
            Exit::Usage
        }
        Err(help) => crate::print(&help.to_string()),
    }
}

/// The name of this machine, as Kubernetes writes names of nodes.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty())
}

fn act(options: Options) -> Exit {
    log::start(options.log_format, options.verbosity);
    let tables = Tables::open(Family::ALL.map(table));
    match (options.job, tables) {
        (Job::DryRun, tables) => dry_run(options, tables.map_err(|error| error.to_string())),
        (_, Err(error)) => turn::cannot(&error),
        (Job::Run, Ok(tables)) => keep_in_place(options, tables),
        (Job::Once, Ok(tables)) => once(options, tables),
        (Job::Cleanup, Ok(tables)) => clean(tables),
    }
}

fn agent(options: Options, tables: Option<Tables>, status: agent::Shared) -> Agent {
    let folder = Folder::new(&options.manifests);
    Agent::new(options, folder, tables, status)
}

fn keep_in_place(options: Options, tables: Tables) -> Exit {
    let signals = match turn::signals() {
        Ok(signals) => signals,
        Err(error) => return turn::cannot(&error),
    };
    let patience = options.resync + turn::PATIENCE;
    let status: agent::Shared = Arc::new(Mutex::new(Status { patience, ..Status::default() }));
    let address = options.metrics_address.clone();
    let mut agent = agent(options, Some(tables), Arc::clone(&status));
    agent.listen();
    if let Some(address) = address {
        pages::start(&address, Live::new(status));
    }
    turn::run(agent, signals)
}

/// Puts the rules in place and ends. A file that can't be read leaves the kernel as it is.
#[expect(clippy::disallowed_methods, reason = "nothing tells when a writer is done before the folder is watched")]
fn once(options: Options, tables: Tables) -> Exit {
    let mut agent = agent(options, Some(tables), agent::Shared::default());
    for _ in 0..TRIES {
        match agent.once() {
            Looked::Placed => return Exit::Fine,
            Looked::Refused => return Exit::Usage,
            Looked::Failed => return Exit::Machine,
            Looked::Again(wait) => std::thread::sleep(wait.max(Duration::from_millis(1))),
        }
    }
    Exit::Machine
}

/// Prints the rules, then what would change here.
#[expect(clippy::disallowed_methods, reason = "nothing tells when a writer is done before the folder is watched")]
fn dry_run(options: Options, tables: Result<Tables, String>) -> Exit {
    let (tables, unreachable) = match tables {
        Ok(tables) => (Some(tables), String::new()),
        Err(why) => (None, why),
    };
    let mut agent = agent(options, tables, agent::Shared::default());
    for _ in 0..TRIES {
        match agent.preview() {
            Ok((rules, changes)) => {
                let changes = match changes.unwrap_or(Err(unreachable)) {
                    Ok(changes) if changes.is_empty() => {
                        "# nothing would change: these rules are in place\n".to_owned()
                    }
                    Ok(changes) => format!("# what would change\n{changes}"),
                    Err(why) => format!("# what would change is not known, because this kernel can't be read: {why}\n"),
                };
                return crate::print(&format!("# the rules\n{rules}\n{changes}"));
            }
            Err(Looked::Again(wait)) => std::thread::sleep(wait),
            Err(_) => return Exit::Usage,
        }
    }
    Exit::Usage
}

fn clean(mut tables: Tables) -> Exit {
    match tables.remove(&mut ()) {
        Ok(true) => info!("removed the rules of this agent"),
        Ok(false) => info!("there was nothing to remove"),
        Err(failure) => {
            error!("{failure}");
            return Exit::Machine;
        }
    }
    Exit::Fine
}
