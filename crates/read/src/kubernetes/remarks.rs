//! What reading Kubernetes objects has to say: collected, counted, and told in an order of its own.

use causeway_model::design::{Note, NoteKind};
use causeway_model::finding::Finding;
use causeway_model::source::Span;
use std::collections::BTreeMap;

/// Collects notes and findings.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    notes: Vec<Note>,
    findings: Vec<Finding>,
    /// By kind: how many, and the first of them.
    no_part: BTreeMap<String, (usize, Span)>,
    unknown_kinds: BTreeMap<(String, String), Unknown>,
    /// By what is to be said of them: who.
    groups: BTreeMap<(NoteKind, String), Group>,
}

#[derive(Debug)]
struct Unknown {
    count: usize,
    first: (String, String),
    at: Span,
}

/// Objects of which the same is to be said, with their places.
type Group = BTreeMap<String, Span>;

/// Names in one note.
const SHOWN: usize = 5;

impl Remarks {
    /// Something that was read and has no part in any answer.
    pub(super) fn not_understood(&mut self, at: Span, message: impl Into<String>) {
        self.notes.push(Note { kind: NoteKind::NotUnderstood, message: message.into(), at: Some(at) });
    }

    /// Something the API server would refuse.
    pub(super) fn refused(&mut self, at: Span, message: impl Into<String>) {
        self.notes.push(Note { kind: NoteKind::Refused, message: message.into(), at: Some(at) });
    }

    /// The same thing to be said of one object after the other: one note, with the names. `what` follows the names.
    pub(super) fn each(&mut self, kind: NoteKind, what: &str, who: String, at: Span) {
        self.groups.entry((kind, what.to_owned())).or_default().insert(who, at);
    }

    /// A finding that reading alone can make.
    pub(super) fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// An object without a part in the network: counted.
    pub(super) fn no_part(&mut self, word: &str, at: Span) {
        let (count, first) = self.no_part.entry(word.to_owned()).or_insert((0, at));
        *count += 1;
        *first = (*first).min(at);
    }

    /// An object of a kind nobody here knows: one note for each kind.
    pub(super) fn unknown_kind(&mut self, api_version: &str, word: &str, who: (&str, &str), at: Span) {
        let first = (who.0.to_owned(), who.1.to_owned());
        let kind = (api_version.to_owned(), word.to_owned());
        let known = self.unknown_kinds.entry(kind).or_insert_with(|| Unknown { count: 0, first: first.clone(), at });
        known.count += 1;
        if (&first, at) < (&known.first, known.at) {
            (known.first, known.at) = (first, at);
        }
    }

    /// Gives everything away, in an order that does not depend on the order of the input.
    pub(super) fn tell(mut self, notes: &mut Vec<Note>, findings: &mut Vec<Finding>) {
        for ((api_version, word), unknown) in std::mem::take(&mut self.unknown_kinds) {
            let many = if unknown.count == 1 { "1 object".to_owned() } else { format!("{} objects", unknown.count) };
            let kind = format!("{api_version} {word}");
            let hint = hint(&word).map(|hint| format!(": {hint}")).unwrap_or_default();
            self.not_understood(unknown.at, format!("{many} of kind `{}`{hint}", kind.trim()));
        }
        for ((kind, what), group) in std::mem::take(&mut self.groups) {
            let mut names: Vec<String> = group.keys().take(SHOWN).map(|name| format!("`{name}`")).collect();
            if group.len() > SHOWN {
                names.push(format!("{} more", group.len() - SHOWN));
            }
            let at = group.into_values().next();
            self.notes.push(Note { kind, message: format!("{}: {what}", names.join(", ")), at });
        }
        if let Some(at) = self.no_part.values().map(|(_, at)| *at).min() {
            let counts: Vec<String> = self.no_part.iter().map(|(word, (count, _))| format!("{count} {word}")).collect();
            let message = format!("left out, without a part in the network: {}", counts.join(", "));
            self.notes.push(Note { kind: NoteKind::LeftOut, message, at: Some(at) });
        }
        self.notes.sort_by(|one, other| (one.kind, &one.message, one.at).cmp(&(other.kind, &other.message, other.at)));
        self.findings.sort_by(|one, other| (&one.object, &one.message).cmp(&(&other.object, &other.message)));
        notes.append(&mut self.notes);
        findings.append(&mut self.findings);
    }
}

/// What to give instead of kinds that only become objects later.
fn hint(word: &str) -> Option<&'static str> {
    match word {
        "Kustomization" => Some("give the output of `kubectl kustomize`"),
        "HelmRelease" | "HelmChart" => Some("give the output of `helm template`, or what the cluster has"),
        _ => None,
    }
}
