//! nf_tables: the objects a kernel holds, and the way from what it holds to what it should hold.

mod keys;
pub mod lower;
pub mod objects;

pub use lower::{Growth, lower};
