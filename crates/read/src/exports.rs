//! Exports of Azure, whoever printed them, go through one translation into a design tree.

use crate::azure::{self, Recognition};
use crate::kind::Kind;
use crate::tree::Node;
use causeway_model::design::Note;
use causeway_model::finding::Finding;

/// Words of `--as` for single kinds of Azure objects.
pub(crate) const AZURE_KINDS: &[&str] = azure::WORDS;

/// Whether a document is something Azure prints.
pub(crate) fn is_azure(document: &Node) -> bool {
    match azure::recognise(document) {
        Recognition::Azure | Recognition::Empty => true,
        Recognition::Ambiguous(_) | Recognition::Other => false,
    }
}

/// Whether a template has a resource without expressions, which only Azure resolves.
pub(crate) fn is_plain_template(document: &Node) -> bool {
    !azure::resources(document, None, &mut Vec::new()).is_empty()
}

/// The kinds an Azure object could be that does not say which it is.
pub(crate) fn candidates(document: &Node) -> Vec<&'static str> {
    match azure::recognise(document) {
        Recognition::Ambiguous(kinds) => kinds.iter().map(|kind| kind.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// Translates all exports together (they refer to each other) into one design tree, with the design before the change under
/// `before` where a plan or a what-if result carries it. `None` without exports.
pub(crate) fn translate(
    exports: Vec<(Kind, Node)>,
    notes: &mut Vec<Note>,
    findings: &mut Vec<Finding>,
) -> Option<Node> {
    if exports.is_empty() {
        return None;
    }
    let mut resources = Vec::new();
    for (kind, document) in &exports {
        if let Kind::Azure(forced) = kind {
            resources.extend(azure::resources(document, forced.and_then(azure::Kind::parse), notes));
        }
    }
    Some(azure::translate(resources, notes, findings))
}
