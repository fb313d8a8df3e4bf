//! Limits that a design may override, by name.

/// Names of limits that a design may override under `limits`.
pub const NAMES: &[&str] = &["routesPerTable"];
