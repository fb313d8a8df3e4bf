//! Kubernetes objects become parts of a cluster.

use crate::tree::{MapBuilder, Node};
use causeway_model::design::Note;
use causeway_model::finding::Finding;
use causeway_model::source::{FileId, Span};

/// What objects say about the cluster they are of.
#[derive(Debug, Clone)]
pub struct ClusterFragment {
    /// A mapping in the language of `clusters.NAME`.
    pub tree: Node,
    /// Lower-case texts that may name the cluster (provider ids of nodes, as `.../mc_rg_name_region/...`).
    pub hints: Vec<String>,
}

/// The objects of a document: itself, or the items of a list.
pub fn objects(document: &Node) -> Vec<Node> {
    vec![document.clone()]
}

/// Translates objects of one cluster into its part of a design.
pub fn translate(objects: Vec<Node>, _notes: &mut Vec<Note>, _findings: &mut Vec<Finding>) -> ClusterFragment {
    let span = objects.first().map_or(Span { file: FileId(0), start: 0, end: 0 }, |object| object.span);
    ClusterFragment { tree: MapBuilder::new(span).build(), hints: Vec::new() }
}
