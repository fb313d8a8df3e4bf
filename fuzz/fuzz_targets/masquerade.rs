//! Any bytes: reading them as masquerade files, and any words: reading them as arguments, keeps the promises.
#![no_main]

#[path = "../../crates/read/tests/it/masquerade_promises.rs"]
mod masquerade_promises;

libfuzzer_sys::fuzz_target!(|input: (&[u8], &[u8], bool, Vec<&str>)| {
    let (first, second, enable_ipv6, arguments) = input;
    masquerade_promises::of_reading(first, second, enable_ipv6);
    masquerade_promises::of_arguments(&arguments);
});
