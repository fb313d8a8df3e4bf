//! The engine's integration tests.

mod capacity;
mod change;
mod ranges;
