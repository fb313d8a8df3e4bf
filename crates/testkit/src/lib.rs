//! Development only: designs and exports of any size, made from a seed; namespaces with a pod, a node and a world in them, and
//! what other programs say about them. The tests of the house itself lie beside.

mod fleet;
#[cfg(target_os = "linux")]
pub mod lab;
pub mod naive;
#[cfg(target_os = "linux")]
pub mod oracle;
pub mod policies;
mod random;
mod scenarios;
pub mod trial;

pub use fleet::{Fleet, azure, design};
pub use random::Random;
pub use scenarios::{Scenario, scenarios};
