//! Who may use whom, asked of cargo itself.

use crate::source::{packages, root};
use std::collections::BTreeSet;
use std::process::Command;

/// Each room with all of the workspace it may reach, directly or not.
const ARROWS: &[(&str, &[&str])] = &[
    ("causeway-addr", &[]),
    ("causeway-model", &["causeway-addr"]),
    ("causeway-read", &["causeway-addr", "causeway-model"]),
    ("causeway-policy", &["causeway-addr", "causeway-model"]),
    ("causeway-trace", &["causeway-addr", "causeway-model", "causeway-policy", "causeway-dataplane"]),
    (
        "causeway-engine",
        &["causeway-addr", "causeway-model", "causeway-policy", "causeway-dataplane", "causeway-trace"],
    ),
    (
        "causeway-report",
        &[
            "causeway-addr",
            "causeway-model",
            "causeway-policy",
            "causeway-dataplane",
            "causeway-trace",
            "causeway-engine",
        ],
    ),
    (
        "causeway",
        &[
            "causeway-addr",
            "causeway-model",
            "causeway-policy",
            "causeway-dataplane",
            "causeway-trace",
            "causeway-engine",
            "causeway-read",
            "causeway-report",
        ],
    ),
    ("causeway-dataplane", &["causeway-addr", "causeway-model", "causeway-policy"]),
    ("causeway-linux", &["causeway-addr", "causeway-model", "causeway-policy", "causeway-dataplane"]),
    (
        "causeway-node",
        &[
            "causeway-addr",
            "causeway-model",
            "causeway-read",
            "causeway-policy",
            "causeway-dataplane",
            "causeway-linux",
        ],
    ),
    (
        "causeway-testkit",
        &["causeway-addr", "causeway-model", "causeway-policy", "causeway-dataplane", "causeway-linux"],
    ),
];

/// Rooms that are plain data in, plain data out.
const PURE: &[&str] = &[
    "causeway-addr",
    "causeway-model",
    "causeway-policy",
    "causeway-trace",
    "causeway-read",
    "causeway-engine",
    "causeway-report",
    "causeway-dataplane",
];

/// What would bring effects in: kernel, network, processes, an executor, a database, randomness, a clock of its own.
const EFFECTS: &[&str] = &[
    "libc",
    "nix",
    "rustix",
    "socket2",
    "netlink-sys",
    "netlink-packet-core",
    "tokio",
    "async-std",
    "smol",
    "futures",
    "hyper",
    "reqwest",
    "ureq",
    "axum",
    "kube",
    "rusqlite",
    "rand",
    "getrandom",
    "chrono",
    "time",
    "walkdir",
    "tempfile",
];

/// Every package a package is built with; development and build dependencies aside.
fn built_with(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    names.filter(|name| name != package).collect()
}

#[test]
fn every_room_is_on_the_list() {
    let listed: BTreeSet<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    let packages = packages();
    let there: BTreeSet<&str> = packages.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(listed, there);
}

#[test]
fn arrows_point_inward() {
    for (room, allowed) in ARROWS {
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let used = built_with(room);
        let rooms: BTreeSet<&str> =
            used.iter().map(String::as_str).filter(|name| name.starts_with("causeway")).collect();
        let wrong: Vec<&&str> = rooms.difference(&allowed).collect();
        assert!(wrong.is_empty(), "{room} must not use {wrong:?}");
    }
}

#[test]
fn pure_rooms_bring_no_effects_in() {
    for room in PURE {
        let used = built_with(room);
        let effects: Vec<&&str> = EFFECTS.iter().filter(|effect| used.contains(**effect)).collect();
        assert!(effects.is_empty(), "{room} uses {effects:?}");
    }
}
