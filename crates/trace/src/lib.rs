//! A packet's way through a network, there and back.
//!
//! One concrete flow is walked through the model, hop by hop, as a simulation: what a node does is asked of the same rules its kernel is
//! given (`causeway_dataplane`), what policies say of `causeway_policy`, what the fabric between machines does of [`fabric`]. The answer is
//! a [`Trace`]: a verdict, who decided, the packet as each hop saw it, and everything that stands in the way, not just the first of it.
//! A fact that is not known is never guessed: then the verdict is [`Verdict::Uncertain`] and names the fact.
//!
//! Pure: no I/O, no clock; the same input gives the same bytes.

pub mod answer;
mod arrive;
pub mod ask;
mod asking;
pub mod expect;
mod explore;
pub mod fabric;
pub mod matrix;
pub mod names;
pub mod node;
pub mod observed;
mod origin;
mod outcome;
mod stand_in;
pub mod story;
mod target;
pub mod translation;
mod walk;
pub mod who;
pub mod world;

pub use answer::{Decision, Direction, Hop, Missing, Obstacle, Owner, Trace, Verdict};
pub use ask::{Question, Unasked};
pub use world::World;
