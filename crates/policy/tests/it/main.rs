//! What policies mean, against what others wrote down.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests read cases from files and fail by panicking"
)]

mod conformance;
mod doubts;
mod naive;
mod promises;
mod robust;
mod storms;
mod support;
mod tables;
mod unknown;
