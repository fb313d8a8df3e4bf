//! nf_tables: the objects a kernel holds, and the way from what it holds to what it should hold.

pub mod difference;
#[cfg(test)]
mod fixtures;
pub mod foreign;
pub mod interpret;
mod keys;
pub mod lower;
mod names;
pub mod objects;
pub mod plan;
pub mod shadow;
pub mod simulate;
pub mod text;

pub use difference::{Difference, What, differences};
pub use foreign::{owner, take_over};
pub use interpret::{interpret, interpret_known};
pub use keys::Change;
pub use lower::{Growth, lower};
pub use names::logical;
pub use plan::{Limits, Plan, cleanup, plan};
pub use shadow::{Effect, Shadow, effect, shadows};
