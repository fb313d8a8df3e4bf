//! Tests that ask a real kernel. They run in a user and network namespace of their own, made before any thread starts, each test in a
//! fresh network namespace; so they need no privilege, change nothing on the machine, and fail loudly where namespaces are refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly, as tests do"
)]

mod conntrack;
mod listener;
mod nft;
mod nftables;
mod storm;

use nix::sched::{CloneFlags, unshare};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};

type Test = (&'static str, fn());

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|argument| argument == nftables::CHILD_WITHOUT_PRIVILEGE) {
        return nftables::child_without_privilege();
    }
    let tests: Vec<Test> = [nftables::TESTS, nft::TESTS, listener::TESTS, conntrack::TESTS, storm::TESTS].concat();
    if arguments.iter().any(|argument| argument == "--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let exact = arguments.iter().any(|argument| argument == "--exact");
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    own_user_namespace();
    let mut failed = Vec::new();
    let mut ran = 0;
    for (name, test) in tests {
        let wanted = |filter: &&&String| if exact { filter.as_str() == name } else { name.contains(filter.as_str()) };
        if !filters.is_empty() && !filters.iter().any(|filter| wanted(&filter)) {
            continue;
        }
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace is refused here: nothing can be proved");
        ran += 1;
        let passed = catch_unwind(AssertUnwindSafe(test)).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        if !passed {
            failed.push(name);
        }
    }
    println!(
        "\ntest result: {}. {} passed; {} failed",
        if failed.is_empty() { "ok" } else { "FAILED" },
        ran - failed.len(),
        failed.len()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Becomes user 0 of a user namespace of its own, whoever runs this.
fn own_user_namespace() {
    let (user, group) = (nix::unistd::getuid(), nix::unistd::getgid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
        .expect("user and network namespaces are refused here: nothing can be proved");
    std::fs::write("/proc/self/setgroups", "deny").expect("setgroups");
    std::fs::write("/proc/self/uid_map", format!("0 {user} 1")).expect("uid_map");
    std::fs::write("/proc/self/gid_map", format!("0 {group} 1")).expect("gid_map");
}

/// Runs a program and returns what it printed. That it is missing or fails is a failure of the test: it is the oracle.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("`{program}` is needed to prove this: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
