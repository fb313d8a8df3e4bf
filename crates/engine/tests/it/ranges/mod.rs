//! Checks of ranges and addresses.

mod certificate;
mod fabricate;
mod table;
