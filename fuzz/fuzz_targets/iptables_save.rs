//! Any text: reading it as what iptables-save prints, and planning from it, keeps the promises.
#![no_main]

#[path = "../../crates/dataplane/tests/it/iptables_promises.rs"]
mod iptables_promises;

libfuzzer_sys::fuzz_target!(|text: &str| iptables_promises::of_text(text));
