//! The engine's integration tests.

mod change;
