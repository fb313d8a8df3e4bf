//! Exports of Azure, whoever printed them, go through one translation into a design tree.

use crate::kind::Kind;
use crate::tree::Node;
use causeway_model::design::Note;
use causeway_model::finding::Finding;

/// Words of `--as` for single kinds of Azure objects.
pub(crate) const AZURE_KINDS: &[&str] = &[];

/// Whether a document is something Azure prints.
pub(crate) fn is_azure(_document: &Node) -> bool {
    false
}

/// Translates all exports together (they refer to each other) into one design tree, with the design before the change under
/// `before` where a plan or a what-if result carries it. `None` without exports.
pub(crate) fn translate(
    _exports: Vec<(Kind, Node)>,
    _notes: &mut Vec<Note>,
    _findings: &mut Vec<Finding>,
) -> Option<Node> {
    None
}
