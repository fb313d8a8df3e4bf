//! What a real kernel, nft, iptables and conntrack say to what this room writes and reads.
//!
//! The process moves into user, network and mount namespaces of its own before any thread starts, and each test gets a fresh network
//! namespace: no privilege is needed and nothing on the machine changes. With `CAUSEWAY_PRIVILEGED=1` it keeps the privileges it has,
//! as an agent on a node does. With `CAUSEWAY_REQUIRE_ORACLES=1` a test that lacks a program fails instead of saying so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly, as tests do"
)]

mod conntrack;
mod fixture;
mod listener;
mod network;
mod nft;
mod nftables;
mod programs;
mod storm;

use causeway_linux::namespace::{isolate, mount_empty};
use causeway_testkit::trial::{self, CannotProve, Trial};
use nix::sched::{CloneFlags, unshare};
use std::path::Path;
use std::process::ExitCode;

type Test = (&'static str, fn() -> Result<(), CannotProve>);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(nftables::CHILD_WITHOUT_PRIVILEGE) => return nftables::child_without_privilege(),
        Some(nftables::CHILD_WITH_NET_ADMIN) => return nftables::child_with_net_admin(),
        _ => {}
    }
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| value == "1");
    // The lock file of iptables lies in /run: ours must not wait for the machine's, nor need its owner.
    if let Err(error) = isolate(!set("CAUSEWAY_PRIVILEGED")).and_then(|_| mount_empty(Path::new("/run"))) {
        eprintln!("nothing can be proved here: {error}");
        return ExitCode::from(101);
    }
    let tests =
        [nftables::TESTS, nft::TESTS, listener::TESTS, conntrack::TESTS, storm::TESTS, network::TESTS, programs::TESTS]
            .concat();
    let trials: Vec<Trial> = tests.into_iter().map(trial).collect();
    trial::run(&trials, arguments, set("CAUSEWAY_REQUIRE_ORACLES"))
}

fn trial((name, test): Test) -> Trial {
    Trial::needing(name, move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("a fresh network namespace");
        test()
    })
}
