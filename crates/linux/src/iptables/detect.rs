//! Asks the programs of both variants what tells which one a node uses.

use super::{Iptables, Variant, legacy_tables};
use causeway_addr::Family;
use causeway_dataplane::iptables::{self, Detected, Saved};

/// The tables that tell: the kubelet leaves its hints in `mangle`, and whoever translates has rules in `nat`.
const TELLING: [&str; 2] = ["mangle", "nat"];

/// Finds out which variant the node's other programs use. `None` when there is no iptables at all.
pub fn detect(family: Family) -> Option<Detected> {
    let nft = Iptables::find(family, Variant::Nft).ok().map(|program| saved(&program, &TELLING));
    // Asking the legacy program about a table creates it, so it is asked about those that are there only.
    let tables = legacy_tables(family);
    let there: Vec<&str> = TELLING.into_iter().filter(|table| tables.iter().any(|name| name == table)).collect();
    let legacy = Iptables::find(family, Variant::Legacy).ok().map(|program| saved(&program, &there));
    iptables::detect(nft.as_ref(), legacy.as_ref(), Iptables::plain_variant(family))
}

/// What of the tables can be read; nothing of those that can't.
fn saved(program: &Iptables, tables: &[&str]) -> Saved {
    let texts = tables.iter().filter_map(|table| program.save(table).ok());
    let read = texts.filter_map(|text| iptables::parse(&text).ok());
    Saved { tables: read.flat_map(|saved| saved.tables).collect(), ..Saved::default() }
}
