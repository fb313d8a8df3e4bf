//! What network policies mean: NetworkPolicy, ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy, together.
//!
//! An [`Index`] is fed with [`Event`]s and knows no client. Ends that no policy tells apart share a class; who a policy is about
//! and who its peers are is a set of classes; what a class may do is worked out when it is asked and kept until something it
//! rests on changes. [`Index::verdict`] answers fast, [`Index::explain`] says who decided, [`Matrix`] has all of it.
//!
//! A flow is asked about as it is where policies are enforced: after every translation.
//!
//! Pure: no I/O, no clock; the same input gives the same bytes.

mod audit;
mod bits;
mod changes;
mod classes;
mod connections;
pub mod dialect;
mod difference;
mod doubts;
mod ends;
mod enrol;
mod exposure;
pub mod families;
mod index;
mod matrix;
mod names;
mod ports;
mod rows;
mod rules;
mod rules_of_node;
mod seats;
mod sets;
mod several;
mod walk;
mod way;
pub mod who;
mod words;
pub mod world;

pub use audit::Shadowed;
pub use bits::Bits;
pub use classes::ClassId;
pub use connections::{Connection, Party, Stretch, connections, from_ingress_controller};
pub use dialect::{Dialect, Engine, Known};
pub use difference::{Change, Difference, difference};
pub use ends::{End, Event, Flow, NodeInfo, PodInfo, PodRanges, Verdict};
pub use exposure::{Exposure, exposure};
pub use index::{Index, Seat, Touched};
pub use matrix::{Cell, Matrix};
pub use ports::PortSet;
pub use rows::Outcome;
pub use rules_of_node::Answer;
pub use walk::{Explanation, Said, Step};
pub use way::{Entry, Way};
