//! Any bytes: reading them as Kubernetes objects keeps the promises of the importer.
#![no_main]

#[path = "../../crates/read/tests/it/kubernetes/promises.rs"]
mod promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| promises::of_translating(bytes));
