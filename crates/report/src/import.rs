//! What stands above an imported design.

use crate::text::printable;
use causeway_model::source::Sources;

/// A comment that says where the design came from.
pub fn heading(sources: &Sources) -> String {
    let names: Vec<String> = sources.files().map(|(_, name)| printable(name).into_owned()).collect();
    format!("# Written by `causeway import` from {}\n", names.join(", "))
}
