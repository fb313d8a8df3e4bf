//! The agent on a node.

fn main() {}
