//! Any text: reading it as an address, prefix or range keeps its promises.
#![no_main]

#[path = "../../crates/addr/tests/it/promises.rs"]
mod promises;

libfuzzer_sys::fuzz_target!(|text: &str| promises::of_reading(text));
