//! Any bytes: reading them as Kubernetes objects, and asking what their policies mean, keeps the promises.
#![no_main]

#[path = "../../crates/policy/tests/it/promises.rs"]
mod promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| promises::of_asking(bytes));
