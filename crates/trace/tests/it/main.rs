//! Traces of whole designs, read from text.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly, as tests do"
)]

mod names;
mod plan;
mod properties;
mod receivers;
mod scenarios;
