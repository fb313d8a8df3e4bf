//! What two states, or two engines, let through differently.

use super::Asked;
use super::connections::{over, party, pods};
use crate::json::to_text;
use crate::text::printable;
use causeway_policy::{Difference, PortSet, families};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    causeway: u32,
    cluster: &'a str,
    old_engine: &'static str,
    new_engine: &'static str,
    changes: Vec<JsonChange>,
    pods_gone: &'a [String],
    pods_new: &'a [String],
    engines_differ: Vec<String>,
    missing: Vec<String>,
    family: Option<&'static str>,
    other_families: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonChange {
    from: String,
    to: String,
    gained: Option<String>,
    lost: Option<String>,
    unsure: Option<String>,
    from_pods: Vec<String>,
    to_pods: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<&'static str>,
}

fn ports(ports: &PortSet) -> Option<String> {
    (!ports.is_empty()).then(|| ports.to_string())
}

/// In which ways the two engines depart from the API text, where they are not the same one.
fn engines(old: &Asked<'_>, new: &Asked<'_>) -> Vec<String> {
    if old.engine == new.engine {
        return Vec::new();
    }
    let of = |asked: &Asked<'_>| {
        let engine = asked.engine;
        asked.index.dialect().departures().into_iter().map(move |sentence| format!("{engine}: {sentence}"))
    };
    of(old).chain(of(new)).collect()
}

fn missing(old: &Asked<'_>, new: &Asked<'_>) -> Vec<String> {
    let mut all = old.missing();
    all.extend(new.missing());
    all.sort();
    all.dedup();
    all
}

/// For programs.
pub fn difference_json(old: &Asked<'_>, new: &Asked<'_>, difference: &Difference) -> String {
    let changes = difference
        .changes
        .iter()
        .map(|change| JsonChange {
            from: party(new, &change.from),
            to: party(new, &change.to),
            gained: ports(&change.gained),
            lost: ports(&change.lost),
            unsure: ports(&change.unsure),
            from_pods: pods(&change.from),
            to_pods: pods(&change.to),
            family: change.family.map(families::word),
        })
        .collect();
    to_text(&Document {
        causeway: 1,
        cluster: new.name,
        old_engine: old.engine.as_str(),
        new_engine: new.engine.as_str(),
        changes,
        pods_gone: &difference.gone,
        pods_new: &difference.new,
        engines_differ: engines(old, new),
        missing: missing(old, new),
        family: new.family_word(),
        other_families: &difference.other_families,
    })
}

/// For people: `+` is let through now, `-` no longer, `?` depends on something that is not known.
pub fn difference_human(old: &Asked<'_>, new: &Asked<'_>, difference: &Difference) -> String {
    let mut out = String::new();
    for change in &difference.changes {
        for (sign, set) in [("+", &change.gained), ("-", &change.lost), ("?", &change.unsure)] {
            if let Some(set) = ports(set) {
                let ends = (party(new, &change.from), party(new, &change.to));
                let line = format!("{sign} {} => {} : {set}{}", ends.0, ends.1, over(change.family));
                out.push_str(&format!("{}\n", printable(&line)));
            }
        }
    }
    if difference.changes.is_empty() {
        out.push_str("nothing changes for the pods that are in both\n");
    }
    let other = "with an address of a family in one of the two only";
    for (words, pods) in
        [("no longer there", &difference.gone), ("new", &difference.new), (other, &difference.other_families)]
    {
        if !pods.is_empty() {
            out.push_str(&format!("{words}, and not compared: {}\n", printable(&pods.join(", "))));
        }
    }
    for sentence in engines(old, new) {
        out.push_str(&format!("{sentence}\n"));
    }
    for line in missing(old, new) {
        out.push_str(&format!("not known: {}\n", printable(&line)));
    }
    out
}
