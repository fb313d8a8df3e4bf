//! Reading, end to end: texts in, models or errors out.

mod azure;
mod design;
mod kubernetes;
mod masquerade;
mod masquerade_promises;
mod terraform;
mod tree;
mod tree_promises;
