//! What stands above an imported design.

use crate::text::printable;
use causeway_model::codes;
use causeway_model::design::{Design, NoteKind};
use causeway_model::source::{Sources, Span};

/// A comment that says where the design came from, and what its inputs hold that the design can't say: what was not understood, what
/// is known to exist and not known in value, and where two inputs disagree.
pub fn heading(design: &Design, sources: &Sources) -> String {
    let names: Vec<String> = sources.files().map(|(_, name)| printable(name).into_owned()).collect();
    let mut out = format!("# Written by `causeway import` from {}\n", names.join(", "));
    let notes = |kind| -> Vec<(Option<Span>, &str)> {
        let own = design.notes.iter().filter(|note| note.kind == kind);
        own.map(|note| (note.at, note.message.as_str())).collect()
    };
    let disagreed = design.findings.iter().filter(|finding| finding.code == codes::EXPORTS_DISAGREE);
    for (title, lines) in [
        ("What an API server would refuse", notes(NoteKind::Refused)),
        ("Not understood, and no part of this design", notes(NoteKind::NotUnderstood)),
        ("Not known from what was given: checks of this design can't know it either", notes(NoteKind::Unknown)),
        (
            "Where inputs disagreed, this design has the first",
            disagreed.map(|finding| (finding.at, finding.message.as_str())).collect(),
        ),
    ] {
        if lines.is_empty() {
            continue;
        }
        out.push_str(&format!("#\n# {title}:\n"));
        for (at, message) in lines {
            let place = at.map(|at| sources.position(at));
            let place = place.map(|at| format!("{}:{}:{}: ", printable(&at.file), at.line, at.column));
            out.push_str(&format!("#   {}{}\n", place.unwrap_or_default(), printable(message)));
        }
    }
    out
}
