//! What capacity has to say: ranges without room, limits of the platform, ports.

mod frontends;
mod limits;
mod listed;
mod ports;
mod room;
mod settings;
mod stranded;

use super::count::many;
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
        out.extend(stranded::planned(row));
        out.extend(row.users.iter().filter_map(stranded::leaked));
    }
    listed::check(cx.design, out);
    frontends::check(cx, out);
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
