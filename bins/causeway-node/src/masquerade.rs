//! `causeway-node masquerade`: keeps the masquerade of a node as its files say.
//!
//! [`judge`] and [`keep`] decide without touching anything; [`agent`] is one look at everything, with any [`kernel::Kernel`];
//! [`crate::keeping`] waits for what makes another look worth while.

mod agent;
mod backend;
#[cfg(test)]
mod deploy_tests;
mod directory;
mod iptables;
mod judge;
mod keep;
mod kernel;
mod legacy;
mod live;
mod merged;
mod metrics;
mod nft;
pub(crate) mod options;
mod said;
mod status;

use crate::Exit;
use crate::keeping::turn::{self, Next};
use crate::keeping::{log, pages};
use agent::Agent;
use kernel::Kernel;
use live::Live;
use options::{Job, Options};
use status::Status;
use std::sync::{Arc, Mutex};
use tracing::{error, info, warn};

/// Does what the options say.
pub(crate) fn run(options: Options) -> Exit {
    log::start(options.log_format, options.flags.verbosity);
    for remark in &options.remarks {
        warn!("{remark}");
    }
    let opened = match backend::open(&options) {
        Ok(opened) => opened,
        Err(why) if options.job == Job::DryRun => return dry_run(options, Box::new(backend::OutOfReach(why))),
        Err(why) => {
            error!("{why}");
            return if options.exit_on_error { Exit::Original } else { Exit::Machine };
        }
    };
    info!("{}", opened.because);
    match options.job {
        Job::Run => keep_in_place(options, opened.kernel),
        Job::Once => once(options, opened.kernel),
        Job::DryRun => dry_run(options, opened.kernel),
        Job::Cleanup => clean(opened.kernel),
    }
}

/// Keeps the rules in place until told to end.
fn keep_in_place(options: Options, kernel: Box<dyn Kernel>) -> Exit {
    let signals = match turn::signals() {
        Ok(signals) => signals,
        Err(error) => return turn::cannot(&error),
    };
    let patience = options.resync + turn::PATIENCE;
    let status: agent::Shared = Arc::new(Mutex::new(Status { patience, ..Status::default() }));
    if let Some(address) = &options.metrics_address {
        pages::start(address, Live::new(Arc::clone(&status)));
    }
    turn::run(Agent::new(options, kernel, status), signals)
}

/// Puts the rules in place and ends. Any refused file leaves the kernel as it is.
#[expect(clippy::disallowed_methods, reason = "nothing tells when others leave the rules alone for a moment")]
fn once(options: Options, kernel: Box<dyn Kernel>) -> Exit {
    let directory = directory::read(&options.config_dir);
    let exit_on_error = options.exit_on_error;
    let mut agent = Agent::new(options, kernel, agent::Shared::default());
    for _ in 0..ONCE_TRIES {
        match agent.once(&directory) {
            Ok(Next::Wait) => {
                let placed = agent.status().in_place;
                return if placed { Exit::Fine } else { Exit::Machine };
            }
            Ok(Next::Retry(wait)) => std::thread::sleep(wait),
            Ok(Next::End(words)) => {
                error!("{words}");
                return Exit::Original;
            }
            Err(agent::Refused) => return if exit_on_error { Exit::Original } else { Exit::Usage },
        }
    }
    Exit::Machine
}

/// Prints the rules, then what would change here.
fn dry_run(options: Options, kernel: Box<dyn Kernel>) -> Exit {
    let directory = directory::read(&options.config_dir);
    let mut agent = Agent::new(options, kernel, agent::Shared::default());
    let Ok(preview) = agent.preview(&directory) else { return Exit::Usage };
    let changes = match preview.changes {
        Ok(changes) if changes.is_empty() => "# nothing would change: these rules are in place\n".to_owned(),
        Ok(changes) => format!("# what would change\n{changes}"),
        Err(why) => format!("# what would change is not known, because this kernel can't be read: {why}\n"),
    };
    crate::print(&format!("# the rules\n{}\n{changes}", preview.rules))
}

/// How often `--once` tries while others keep changing the rules.
const ONCE_TRIES: usize = 6;

fn clean(mut kernel: Box<dyn Kernel>) -> Exit {
    match kernel.clean() {
        Ok(true) => info!("removed the rules of this agent and of ip-masq-agent-v2"),
        Ok(false) => info!("there was nothing to remove"),
        Err(failure) => {
            error!("{failure}");
            return Exit::Machine;
        }
    }
    Exit::Fine
}
