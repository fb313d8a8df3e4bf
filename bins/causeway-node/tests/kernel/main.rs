//! Packets in namespaces of this process: what leaves a node whose kernel holds our rules.
//!
//! The process moves into namespaces of its own before anything else happens, as the machine's root or as nobody in particular.
//! With `CAUSEWAY_REQUIRE_ORACLES=1` a test that lacks something (a program, a privilege) fails instead of saying so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what stands here are tests, which fail loudly and ask the system"
)]

mod agent;
mod bypass;
mod differential;
mod enforce;
mod ground;
mod model;
mod order;
mod others;
mod packets;
mod policy;
mod robust;
mod rules;
mod services;
mod storm;
mod takeover;
mod witnesses;

use causeway_linux::namespace::{isolate, mount_empty};
use causeway_testkit::trial::{self, Trial};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let strict = std::env::var_os("CAUSEWAY_REQUIRE_ORACLES").is_some_and(|value| value == "1");
    let user = std::env::var_os("CAUSEWAY_USER_NAMESPACE").is_some_and(|value| value == "1");
    // The lock file of iptables lies in /run: ours must not wait for the machine's, nor need its owner.
    if let Err(error) = isolate(user).and_then(|_| mount_empty(Path::new("/run"))) {
        eprintln!("nothing can be proved here: {error}");
        return ExitCode::from(101);
    }
    let parts = [
        ground::trials(),
        packets::trials(),
        witnesses::trials(),
        order::trials(),
        others::trials(),
        takeover::trials(),
        agent::trials(),
        bypass::trials(),
        robust::trials(),
        differential::trials(),
        policy::trials(),
        services::trials(),
        enforce::trials(),
    ];
    let trials: Vec<Trial> = parts.into_iter().flatten().collect();
    trial::run(&trials, std::env::args().skip(1), strict)
}
