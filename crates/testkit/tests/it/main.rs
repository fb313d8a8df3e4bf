//! The house: what holds for the source as a whole.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "these tests read the source, start cargo, and fail by panicking"
)]

mod arrows;
mod fleet;
mod lengths;
mod map;
mod orphans;
mod portable;
mod source;
