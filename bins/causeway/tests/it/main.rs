//! The whole command, as people and pipelines run it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is what it is for"
)]

mod certificate;
mod checklist;
mod commands;
mod diff;
mod examples;
mod formats;
mod import;
mod inputs;
mod masq_diff;
mod pages;
mod policy;
mod schema;
mod support;
mod trace;
