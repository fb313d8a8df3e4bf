//! The proof that no range overlaps another, for people and for whoever checks it.

use crate::text::printable;
use causeway_engine::addresses::DomainCertificate;
use serde::Serialize;
use std::borrow::Cow;

/// One list.
#[derive(Serialize)]
pub(crate) struct JsonCertificate<'a> {
    object: &'a str,
    about: &'a str,
    disjoint: bool,
    ranges: Vec<JsonRange<'a>>,
    overlaps: &'a [(String, String)],
    missing: &'a [String],
}

#[derive(Serialize)]
struct JsonRange<'a> {
    first: String,
    last: String,
    owner: &'a str,
}

pub(crate) fn json(certificate: &DomainCertificate) -> JsonCertificate<'_> {
    let DomainCertificate { object, about, proof, missing } = certificate;
    let (ranges, overlaps): (_, &[(String, String)]) = match proof {
        Ok(ranges) => (ranges.as_slice(), &[]),
        Err(overlaps) => (&[][..], overlaps),
    };
    let ranges = ranges
        .iter()
        .map(|range| JsonRange { first: range.first.to_string(), last: range.last.to_string(), owner: &range.owner })
        .collect();
    JsonCertificate { object, about, disjoint: proof.is_ok(), ranges, overlaps, missing }
}

/// The lists one after the other, each with what it says nothing about.
pub(crate) fn human(certificates: &[DomainCertificate], out: &mut String) {
    out.push_str("Certificate: in each list every range ends before the next one begins\n");
    for DomainCertificate { object, about, proof, missing } in certificates {
        out.push_str(&format!("  {} ({})\n", printable(about), printable(object)));
        match proof {
            Ok(ranges) => {
                let lines: Vec<(String, String, Cow<'_, str>)> = ranges
                    .iter()
                    .map(|range| (range.first.to_string(), range.last.to_string(), printable(&range.owner)))
                    .collect();
                let first = lines.iter().map(|(first, ..)| first.len()).max().unwrap_or(0);
                let last = lines.iter().map(|(_, last, _)| last.len()).max().unwrap_or(0);
                for (from, to, owner) in lines {
                    out.push_str(&format!("    {from:first$} - {to:last$}  {owner}\n"));
                }
            }
            Err(overlaps) => {
                out.push_str("    no proof:\n");
                for (one, other) in overlaps {
                    out.push_str(&format!("      {} overlaps {}\n", printable(one), printable(other)));
                }
            }
        }
        for missing in missing {
            out.push_str(&format!("    says nothing about: {}\n", printable(missing)));
        }
    }
    out.push('\n');
}
