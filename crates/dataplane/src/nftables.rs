//! nf_tables as data: what a kernel should hold, what it holds, and the way from one to the other.

pub mod objects;
