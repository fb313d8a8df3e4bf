//! The network as plain typed data: what a design means, what a finding says, what the platform promises.
//!
//! No I/O, no clock; the same input gives the same bytes.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod arithmetic;
pub mod checklist;
pub mod codes;
pub mod design;
pub mod facts;
pub mod finding;
pub mod masquerade;
pub mod policy;
pub mod source;
pub mod suggest;
