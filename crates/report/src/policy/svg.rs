//! Truth tables as a picture.

use super::matrix::{Tables, port};
use crate::text::xml;
use causeway_addr::Family;
use causeway_model::design::Protocol;
use causeway_policy::{Cell, End, Verdict};
use std::fmt::Write as _;

/// A square's side.
const CELL: usize = 14;

/// One picture with a table for each port: green is allowed, red denied, yellow not known; each square says so too.
pub fn matrix_svg(tables: &Tables) -> String {
    let names: Vec<String> = tables.first().map_or(Vec::new(), |(_, matrix)| {
        matrix
            .ends()
            .map(|end| match end {
                End::Pod(namespace, name) => format!("{namespace}/{name}"),
                other => other.to_string(),
            })
            .collect()
    });
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let margin = 12 + longest * 7;
    let side = names.len() * CELL;
    let titles = tables.iter().map(|((protocol, number), _)| title(*protocol, *number).chars().count());
    let wide = 24 + titles.max().unwrap_or(0) * 7;
    let (width, each) = ((margin + side + 12).max(wide), margin + side + 40);
    let height = each * tables.len().max(1);
    let mut out = String::new();
    let mut put = |text: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{text}");
    };
    put(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"monospace\" font-size=\"11\">"
    ));
    put(format!("<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"));
    for (at, ((protocol, number), matrix)) in tables.iter().enumerate() {
        let top = at * each + 24;
        put(format!("<text x=\"12\" y=\"{}\" font-weight=\"bold\">{}</text>", top - 8, title(*protocol, *number)));
        for (row, name) in names.iter().enumerate() {
            let name = xml(name);
            let middle = row * CELL + CELL - 3;
            put(format!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>",
                margin - 4,
                top + margin + middle
            ));
            let (x, y) = (margin + middle, top + margin - 4);
            put(format!("<text x=\"{x}\" y=\"{y}\" transform=\"rotate(-90 {x} {y})\">{name}</text>"));
        }
        for from in 0..matrix.len() {
            for to in 0..matrix.len() {
                let cell = matrix.cell(from, to, None);
                let (color, word) = match cell {
                    Cell::Is(Verdict::Allowed) => ("#7fbf7f", "allowed"),
                    Cell::Is(Verdict::Denied) => ("#d9534f", "denied"),
                    Cell::Is(Verdict::Uncertain) => ("#f0d060", "not known"),
                    Cell::Only(Family::V4) => ("#e8a05c", "allowed over ipv4 only"),
                    Cell::Only(Family::V6) => ("#e8a05c", "allowed over ipv6 only"),
                };
                let (x, y) = (margin + to * CELL, top + margin + from * CELL);
                let title = match (names.get(from), names.get(to)) {
                    (Some(from), Some(to)) => xml(&format!("{from} to {to}: {word}")),
                    _ => String::new(),
                };
                put(format!(
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{0}\" height=\"{0}\" fill=\"{color}\"><title>{title}</title></rect>",
                    CELL - 1
                ));
                if word != "allowed" {
                    let mark = cell.symbol();
                    put(format!("<text x=\"{}\" y=\"{}\" font-size=\"9\">{mark}</text>", x + 4, y + 10));
                }
            }
        }
    }
    put("</svg>".to_owned());
    out
}

/// What stands above a table.
fn title(protocol: Protocol, number: u16) -> String {
    format!("{}: rows send, columns receive", port(protocol, number))
}
