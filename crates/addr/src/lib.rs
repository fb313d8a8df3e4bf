//! IP prefixes, range sets and prefix allocation.
