//! The engine's integration tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly, as tests do"
)]

mod capacity;
mod cases;
mod change;
mod checklist;
mod compare;
mod lifecycle;
mod lists;
mod masquerade;
mod policies;
mod policy_cuts;
mod posture;
mod ranges;
mod support;
mod ways;
mod worked;
