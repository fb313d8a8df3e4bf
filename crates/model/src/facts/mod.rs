//! Platform facts as typed, dated tables.

pub mod limits;
