//! Any bytes: reading them as a plan, a state or a what-if result keeps the promises of the importer.
#![no_main]

#[path = "../../crates/read/tests/it/terraform/promises.rs"]
mod promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| promises::of_reading(bytes));
