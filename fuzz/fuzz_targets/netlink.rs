//! Any bytes: reading them as messages of nf_tables ends, without a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = causeway_linux::nftables::decode(bytes);
});
