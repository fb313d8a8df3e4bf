//! What people type builds for Linux, macOS and Windows: nothing but the crate `linux` and the node's own programs may name what
//! only one system has.

use crate::source::{files, name, read};

/// What only some systems have.
const NAMES: &[&str] = &[
    "std::os::unix",
    "std::os::linux",
    "std::os::windows",
    "os::fd::",
    "libc::",
    "nix::",
    "rustix::",
    "netlink",
    "windows_sys",
    "target_os",
    "\"/proc/",
    "\"/sys/",
    "\"/dev/",
];

#[test]
fn no_other_room_names_one_system() {
    let mut wrong = Vec::new();
    for path in files() {
        let name = name(&path);
        // Tests may, and say so with `cfg`; benchmarks measure what the system tells.
        if name.starts_with("crates/linux/")
            || name.starts_with("crates/testkit/")
            || name.starts_with("bins/causeway-node/")
            || name.contains("/tests/")
            || name.contains("/benches/")
            || name.ends_with("tests.rs")
        {
            continue;
        }
        for (at, line) in read(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            if let Some(found) = NAMES.iter().find(|known| code.contains(**known)) {
                wrong.push(format!("{name}:{}: {found}", at + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
