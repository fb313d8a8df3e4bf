//! What was assumed, and what was not understood: never passed over in silence.

use super::{Look, Verbosity};
use crate::text::{count, printable};
use causeway_model::design::{Design, Note, NoteKind};
use causeway_model::source::Sources;

pub(super) fn notes(design: &Design, sources: &Sources, look: &Look, out: &mut String) {
    let of = |kind| -> Vec<&Note> { design.notes.iter().filter(|note| note.kind == kind).collect() };
    let (not_understood, unknown) = (of(NoteKind::NotUnderstood), of(NoteKind::Unknown));
    let refused = of(NoteKind::Refused);
    if look.says(Verbosity::Verbose) {
        if !design.assumed.is_empty() {
            out.push_str("Assumed\n");
            for assumption in &design.assumed {
                let (object, value) = (printable(&assumption.object), printable(&assumption.value));
                out.push_str(&format!("  {object}: {value} ({})\n", printable(&assumption.because)));
            }
            out.push('\n');
        }
        list("What an API server would refuse", &refused, sources, out);
        list("Not understood", &not_understood, sources, out);
        list("Not known yet", &unknown, sources, out);
        list("Left out on purpose", &of(NoteKind::LeftOut), sources, out);
        return;
    }
    let counts: Vec<String> = [
        (design.assumed.len(), "default assumed", "defaults assumed"),
        (refused.len(), "thing an API server would refuse", "things an API server would refuse"),
        (not_understood.len(), "thing not understood", "things not understood"),
        (unknown.len(), "value not known yet", "values not known yet"),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, one, many)| format!("{number} {}", if number == 1 { one } else { many }))
    .collect();
    if look.says(Verbosity::Normal) && !counts.is_empty() {
        out.push_str(&format!("{} (`-v` lists them)\n", counts.join(", ")));
    }
}

fn list(title: &str, notes: &[&Note], sources: &Sources, out: &mut String) {
    if notes.is_empty() {
        return;
    }
    out.push_str(&format!("{title}: {}\n", count(notes.len(), "thing")));
    for note in notes {
        match note.at.map(|span| sources.position(span)) {
            Some(at) => {
                let file = printable(&at.file).into_owned();
                out.push_str(&format!("  {file}:{}:{}: {}\n", at.line, at.column, printable(&note.message)));
            }
            None => out.push_str(&format!("  {}\n", printable(&note.message))),
        }
    }
    out.push('\n');
}
