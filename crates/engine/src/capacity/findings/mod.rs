//! What capacity has to say: ranges without room, limits of the platform, ports.

mod limits;
mod ports;
mod room;
mod settings;

use super::rows::{self, Row};
use super::snat;
use crate::Context;
use causeway_model::finding::Finding;

/// All findings about room and ports.
pub(super) fn check(cx: &Context, out: &mut Vec<Finding>) {
    let rows = rows::all(cx.design);
    let egress = snat::all(cx.design);
    for row in &rows {
        room::check(cx.design, row, out);
    }
    limits::check(cx.design, &rows, out);
    ports::check(cx.design, &egress, out);
    settings::check(cx.design, out);
}

/// A range in a message: its name and prefix.
fn named(row: &Row) -> String {
    match &row.answer.prefix {
        Some(prefix) => format!("`{}` ({prefix})", row.answer.pool),
        None => format!("`{}`", row.answer.pool),
    }
}

/// `1 node`, `2 nodes`.
fn many(count: u64, one: &str, more: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {more}") }
}
