//! Promises that hold whatever the configuration, the packet and the state of the kernel.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what stands here are tests, which fail loudly"
)]

mod fates;
mod generate;
mod iptables;
mod iptables_promises;
mod plans;
mod policy;
mod reasons;
