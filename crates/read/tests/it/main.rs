//! Reading, end to end: texts in, models or errors out.

mod azure;
mod design;
mod masquerade;
mod masquerade_promises;
mod tree;
mod tree_promises;
