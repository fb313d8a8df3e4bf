//! Truth tables.

use super::Asked;
use crate::json::to_text;
use crate::text::printable;
use causeway_model::design::Protocol;
use causeway_model::policy::Direction;
use causeway_policy::{End, Matrix};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

/// Rows a table for people has at most.
pub const MOST_ROWS: usize = 30;

/// Matrices by port.
pub type Tables = Vec<((Protocol, u16), Matrix)>;

#[derive(Serialize)]
struct Document<'a> {
    causeway: u32,
    cluster: &'a str,
    engine: &'static str,
    columns: Vec<String>,
    tables: ByPort<'a>,
    missing: Vec<String>,
    #[serde(rename = "notEnforced")]
    not_enforced: Vec<String>,
}

struct ByPort<'a>(&'a Tables);
struct OfPort<'a>(&'a Matrix);
struct Rows<'a>(&'a Matrix, Option<Direction>);

fn name(end: &End) -> String {
    match end {
        End::Pod(namespace, name) => format!("{namespace}/{name}"),
        other => other.to_string(),
    }
}

pub(super) fn port(protocol: Protocol, port: u16) -> String {
    format!("{}/{port}", protocol.as_str().to_ascii_uppercase())
}

impl Serialize for ByPort<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for ((protocol, number), matrix) in self.0 {
            map.serialize_entry(&port(*protocol, *number), &OfPort(matrix))?;
        }
        map.end()
    }
}

impl Serialize for OfPort<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("ingress", &Rows(self.0, Some(Direction::Ingress)))?;
        map.serialize_entry("egress", &Rows(self.0, Some(Direction::Egress)))?;
        map.serialize_entry("combined", &Rows(self.0, None))?;
        map.end()
    }
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (from, end) in self.0.ends().enumerate() {
            map.serialize_entry(&name(end), &row(self.0, from, self.1))?;
        }
        map.end()
    }
}

fn row(matrix: &Matrix, from: usize, direction: Option<Direction>) -> String {
    matrix.row(from, direction).into_iter().map(causeway_policy::Verdict::symbol).collect()
}

pub(super) fn symbol(matrix: &Matrix, from: usize, to: usize, direction: Option<Direction>) -> char {
    match direction {
        Some(direction) => matrix.one_way(from, to, direction).symbol(),
        None => matrix.verdict(from, to).symbol(),
    }
}

/// For programs.
pub fn matrix_json(asked: &Asked<'_>, tables: &Tables) -> String {
    let columns = tables.first().map_or(Vec::new(), |(_, matrix)| matrix.ends().map(name).collect());
    let document = Document {
        causeway: 1,
        cluster: asked.name,
        engine: asked.engine.as_str(),
        columns,
        tables: ByPort(tables),
        missing: asked.missing(),
        not_enforced: asked.not_enforced(),
    };
    to_text(&document)
}

/// For spreadsheets: a row per pair and port.
pub fn matrix_csv(tables: &Tables) -> String {
    let mut out = String::from("port,from,to,egress,ingress,combined\n");
    for ((protocol, number), matrix) in tables {
        let names: Vec<String> = matrix.ends().map(name).map(|name| csv(&name)).collect();
        for (from, sender) in names.iter().enumerate() {
            for (to, receiver) in names.iter().enumerate() {
                let word = |direction: Direction| matrix.one_way(from, to, direction).as_str();
                out.push_str(&format!(
                    "{},{sender},{receiver},{},{},{}\n",
                    port(*protocol, *number),
                    word(Direction::Egress),
                    word(Direction::Ingress),
                    matrix.verdict(from, to).as_str()
                ));
            }
        }
    }
    out
}

/// A value of a comma-separated file. A spreadsheet must not take it for a formula.
pub(super) fn csv(text: &str) -> String {
    let text = printable(text);
    let guarded = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.into_owned() };
    if guarded.contains([',', '"']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

/// For people: what both directions allow.
pub fn matrix_human(asked: &Asked<'_>, tables: &Tables) -> String {
    let mut out = String::new();
    for ((protocol, number), matrix) in tables {
        out.push_str(&format!(
            "{} as {} reads policies: rows send, columns receive\n\n",
            port(*protocol, *number),
            asked.engine
        ));
        if matrix.is_empty() {
            out.push_str("there are no pods\n\n");
            continue;
        }
        if matrix.len() > MOST_ROWS {
            let pods = matrix.len();
            out.push_str(&format!(
                "{pods} pods are too many for a table on a screen: ask for `--format csv`, `json` or `svg`\n\n"
            ));
            continue;
        }
        let names: Vec<String> = matrix.ends().map(name).map(|name| printable(&name).into_owned()).collect();
        let wide = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        out.push_str(&format!("{:wide$}     ", ""));
        for at in 0..names.len() {
            out.push_str(&format!(" {:>2}", at + 1));
        }
        out.push('\n');
        for (from, name) in names.iter().enumerate() {
            out.push_str(&format!("{:>3}  {name:wide$}", from + 1));
            for to in 0..names.len() {
                out.push_str(&format!("  {}", symbol(matrix, from, to, None)));
            }
            out.push('\n');
        }
        out.push('\n');
    }
    out.push_str(". allowed   X denied   ? depends on something that is not known\n");
    asked.notes(&mut out);
    out
}
