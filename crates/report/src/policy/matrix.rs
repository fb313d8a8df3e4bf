//! Truth tables.

use super::Asked;
use crate::json::to_text;
use crate::text::printable;
use causeway_model::design::Protocol;
use causeway_model::policy::Direction;
use causeway_policy::{Cell, End, Matrix};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

/// Rows a table for people has at most.
pub const MOST_ROWS: usize = 30;

/// Columns for the number of a row.
const LEAD: usize = 5;

/// A name that is not shortened before the columns are drawn closer together.
const SHORT_NAME: usize = 24;

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
    family: Option<&'static str>,
    #[serde(rename = "leftOut")]
    left_out: Vec<String>,
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

/// `TCP/80`; of what has no ports the protocol alone.
pub(super) fn port(protocol: Protocol, port: u16) -> String {
    let word = protocol.as_str().to_ascii_uppercase();
    match protocol {
        Protocol::Tcp | Protocol::Udp | Protocol::Sctp => format!("{word}/{port}"),
        _ => word,
    }
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
    matrix.row(from, direction).into_iter().map(Cell::symbol).collect()
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
        missing: asked.missing_of_all(),
        not_enforced: asked.not_enforced(),
        family: asked.family_word(),
        left_out: asked.left_out(),
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
                let word = |direction: Direction| matrix.cell(from, to, Some(direction)).as_str();
                out.push_str(&format!(
                    "{},{sender},{receiver},{},{},{}\n",
                    port(*protocol, *number),
                    word(Direction::Egress),
                    word(Direction::Ingress),
                    matrix.cell(from, to, None).as_str()
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

/// For people: what both directions allow, in so many columns.
pub fn matrix_human(asked: &Asked<'_>, tables: &Tables, width: usize) -> String {
    let mut out = String::new();
    let mut by_family = false;
    for ((protocol, number), matrix) in tables {
        out.push_str(&format!(
            "{} as {} reads policies: rows send, columns receive\n\n",
            port(*protocol, *number),
            asked.engine
        ));
        if matrix.is_empty() {
            out.push_str(match (asked.index.pods().next(), asked.family_word()) {
                (Some(_), Some("ipv6")) => "no pod has an ipv6 address\n\n",
                (Some(_), Some(_)) => "no pod has an ipv4 address\n\n",
                _ => "there are no pods\n\n",
            });
            continue;
        }
        if matrix.len() > MOST_ROWS {
            let pods = matrix.len();
            out.push_str(&format!(
                "{pods} pods are too many for a table on a screen: ask for `--format csv`, `json` or `svg`\n\n"
            ));
            continue;
        }
        by_family |= grid(matrix, width, &mut out);
    }
    out.push_str(". allowed   X denied   ? depends on something that is not known\n");
    if by_family {
        out.push_str("4 allowed over ipv4 only   6 allowed over ipv6 only\n");
    }
    asked.notes_of_all(&mut out);
    out
}

/// A table, as narrow as it has to be: three columns a pod, two, or one. Says whether a pair differs between families.
fn grid(matrix: &Matrix, width: usize, out: &mut String) -> bool {
    let names: Vec<String> = matrix.ends().map(name).map(|name| printable(&name).into_owned()).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let room = |step: usize| width.saturating_sub(LEAD + step * names.len());
    let step = match (3, 2) {
        (wide, _) if longest <= room(wide) => wide,
        (_, narrow) if longest.min(SHORT_NAME) <= room(narrow) => narrow,
        _ => 1,
    };
    let wide = longest.min(room(step).max(8));
    if step == 3 {
        out.push_str(&format!("{:1$}", "", LEAD + wide));
        (1..=names.len()).for_each(|at| out.push_str(&format!(" {at:>2}")));
        out.push('\n');
    } else {
        // Numbers stand upright.
        for digit in [10, 1] {
            out.push_str(&format!("{:1$}", "", LEAD + wide));
            for at in 1..=names.len() {
                let shown = if at < digit { " ".to_owned() } else { (at / digit % 10).to_string() };
                out.push_str(&format!("{shown:>step$}"));
            }
            out.push('\n');
        }
    }
    let mut by_family = false;
    for (from, name) in names.iter().enumerate() {
        out.push_str(&format!("{:>3}  {:wide$}", from + 1, shortened(name, wide)));
        for cell in matrix.row(from, None) {
            by_family |= matches!(cell, Cell::Only(_));
            out.push_str(&format!("{:>step$}", cell.symbol()));
        }
        out.push('\n');
    }
    out.push('\n');
    by_family
}

/// A name in at most so many columns: its start and its end, which tell most.
fn shortened(name: &str, most: usize) -> String {
    let length = name.chars().count();
    if length <= most {
        return name.to_owned();
    }
    let start = most.saturating_sub(1) / 2;
    let end = most.saturating_sub(1 + start);
    let first: String = name.chars().take(start).collect();
    let last: String = name.chars().skip(length.saturating_sub(end)).collect();
    format!("{first}…{last}")
}
