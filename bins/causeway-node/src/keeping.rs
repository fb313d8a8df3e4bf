//! What keeps rules in place whatever they are about: the loop, the tables in the kernel, the pages and the log.

pub(crate) mod allowance;
pub(crate) mod contest;
pub(crate) mod exposition;
pub(crate) mod failure;
pub(crate) mod log;
pub(crate) mod pages;
pub(crate) mod tables;
pub(crate) mod turn;
