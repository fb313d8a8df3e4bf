//! Platform facts as typed, dated tables.
