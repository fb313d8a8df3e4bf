//! Exports of Azure, whoever printed them, go through one translation into a design tree.

mod change;

use crate::azure::{self, Recognition, Resource};
use crate::kind::Kind;
use crate::terraform::Undescribed;
use crate::tree::Node;
use crate::{terraform, whatif};
use causeway_model::codes;
use causeway_model::design::Note;
use causeway_model::finding::{Finding, Severity};
use causeway_model::source::{Sources, Span};
use std::collections::BTreeSet;

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

/// The first object that is not of the Azure kind a document is forced to be, and what it is instead.
pub(crate) fn other_than(document: &Node, word: &str) -> Option<(Span, String)> {
    azure::other_than(document, azure::Kind::parse(word)?)
}

/// What exports come to.
#[derive(Debug, Default)]
pub(crate) struct Translated {
    /// One design tree, with the design before the change under `before` where a plan or a what-if result carries it. `None`
    /// where the exports hold no object that is understood.
    pub(crate) tree: Option<Node>,
    /// Kubernetes objects that a plan makes in a cluster.
    pub(crate) objects: Vec<Node>,
}

/// Clusters that no export describes: an input with such a one must not look like one without a cluster.
fn not_judged<'a>(listed: &[Undescribed], described: impl Iterator<Item = &'a Resource>) -> Vec<Finding> {
    let clusters: Vec<&Resource> =
        described.filter(|resource| resource.kind.eq_ignore_ascii_case(azure::CLUSTER)).collect();
    let is_known = |one: &Undescribed| {
        clusters.iter().any(|cluster| match (&one.id, &cluster.id) {
            (Some(one), Some(other)) => one == other,
            _ => one.name.eq_ignore_ascii_case(&cluster.name),
        })
    };
    let mut told = BTreeSet::new();
    listed
        .iter()
        .filter(|one| !is_known(one) && told.insert(one.name.to_ascii_lowercase()))
        .map(|one| {
            let message = format!("the cluster `{}` is here, and what it is like is not: it was not judged", one.name);
            Finding::new(codes::NOTHING_TO_CHECK, format!("clusters.{}", one.name), message)
                .severity(Severity::Warning)
                .help("give its export too: `az aks show -o json`")
                .at(Some(one.at))
        })
        .collect()
}

/// Translates all exports together: they refer to each other.
pub(crate) fn translate(
    exports: Vec<(Kind, Node)>,
    sources: &Sources,
    notes: &mut Vec<Note>,
    findings: &mut Vec<Finding>,
) -> Translated {
    let (mut after, mut before, mut exported) = (Vec::new(), Vec::new(), Vec::new());
    let (mut changes, mut objects) = (false, Vec::new());
    let mut undescribed = Vec::new();
    let (mut changed, mut touched) = (BTreeSet::new(), BTreeSet::new());
    for (kind, document) in &exports {
        match kind {
            Kind::Azure(forced) => {
                exported.extend(azure::resources(document, forced.and_then(azure::Kind::parse), notes));
            }
            Kind::Terraform if terraform::is_state(document) => {
                let reading = terraform::read(document, sources, notes);
                exported.extend(reading.after);
                undescribed.extend(reading.undescribed);
                objects.extend(reading.objects);
            }
            Kind::Terraform => {
                let reading = terraform::read(document, sources, notes);
                changes |= reading.before.is_some();
                before.extend(reading.before.unwrap_or_else(|| reading.after.clone()));
                after.extend(reading.after);
                changed.extend(reading.changed);
                touched.extend(reading.touched);
                undescribed.extend(reading.undescribed);
                objects.extend(reading.objects);
            }
            Kind::WhatIf => {
                let reading = whatif::read(document, notes);
                changes |= reading.before.is_some();
                before.extend(reading.before.unwrap_or_else(|| reading.after.clone()));
                after.extend(reading.after);
                changed.extend(reading.changed);
                undescribed.extend(reading.undescribed);
            }
            Kind::Design | Kind::Kubernetes | Kind::Masquerade => {}
        }
    }
    findings.extend(not_judged(&undescribed, after.iter().chain(&exported)));
    change::add_parts(&mut changed, before.iter().chain(&after));
    if before.is_empty() && after.is_empty() && exported.is_empty() {
        return Translated { tree: None, objects };
    }
    // What Azure printed and what a state holds is how things are: of what a plan changes it tells the time before.
    if changes {
        before.extend(exported.iter().cloned());
    }
    after.extend(exported.into_iter().filter_map(|resource| change::without(resource, &changed, &touched)));
    if !changes {
        return Translated { tree: Some(azure::translate(after, notes, findings)), objects };
    }
    let (tree, before) = azure::translate_change(after, before, notes, findings);
    let is_other = !before.entries().is_empty() && !before.same(&tree);
    let tree = if is_other { change::with_before(&tree, before) } else { tree };
    Translated { tree: Some(tree), objects }
}
