//! Any bytes: reading them as YAML or JSON keeps the promises of the tree.
#![no_main]

#[path = "../../crates/read/tests/it/tree_promises.rs"]
mod tree_promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tree_promises::of_reading(bytes));
