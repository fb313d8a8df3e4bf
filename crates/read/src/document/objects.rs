//! The objects of the design file. Keys are the contract; the documentation here is what editors show.

mod cluster;
mod network;
mod whole;
mod workload;

pub use cluster::*;
pub use network::*;
pub use whole::*;
pub use workload::*;
