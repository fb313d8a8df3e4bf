//! Development only: designs and exports of any size, made from a seed. The tests of the house itself lie beside.

mod fleet;

pub use fleet::{Fleet, azure, design};
