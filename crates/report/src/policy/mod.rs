//! What network policies mean, in print.

mod connections;
mod difference;
mod explain;
mod matrix;
mod svg;

pub use connections::{connections_csv, connections_human, connections_json, exposure_human, exposure_json};
pub use difference::{difference_human, difference_json};
pub use explain::{Answers, explain_human, explain_json};
pub use matrix::{MOST_ROWS, Tables, matrix_csv, matrix_human, matrix_json};
pub use svg::matrix_svg;

use crate::place::Place;
use crate::text::printable;
use causeway_addr::Family;
use causeway_model::design::{Cluster, Design};
use causeway_model::policy::{Direction, PolicyId};
use causeway_model::source::Sources;
use causeway_policy::{Engine, Index, families, world};

/// A cluster whose policies were asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The design.
    pub design: &'a Design,
    /// The texts it was read from.
    pub sources: &'a Sources,
    /// The cluster's name.
    pub name: &'a str,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// How policies were read.
    pub engine: Engine,
    /// The policies.
    pub index: &'a Index,
    /// The address family that was asked for; `None` = every one that both ends have.
    pub family: Option<Family>,
}

impl Asked<'_> {
    /// Where a policy, or one of its rules, was written.
    fn place(&self, policy: &PolicyId, rule: Option<(Direction, usize)>) -> Option<Place> {
        let is = |known: &causeway_model::design::PolicyObject| {
            known.meaning.as_ref().is_some_and(|meaning| meaning.id == *policy)
        };
        let at = self.cluster.policies.iter().position(is)?;
        let mut path = format!("clusters.{}.policies.{at}", self.name);
        if let Some((direction, rule)) = rule {
            path.push_str(&format!(".spec.{direction}.{rule}"));
        }
        self.design.places.nearest(&path).map(|span| Place::of(self.sources, span))
    }

    /// What is not in any answer: policies of kinds that are not understood, and faulty ones.
    pub fn missing(&self) -> Vec<String> {
        let mut out: Vec<String> = world::foreign(self.cluster, self.engine)
            .into_iter()
            .map(|(kind, names)| {
                let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
                let more = names.len().saturating_sub(shown.len());
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("what {kind} says, which is not evaluated: {}{more}", shown.join(", "))
            })
            .collect();
        for policy in self.cluster.policies.iter().filter_map(|policy| policy.meaning.as_ref()) {
            for fault in &policy.faults {
                out.push(format!("what `{}` means: {}", policy.id, fault.message));
            }
        }
        out
    }

    /// Pods that have no address of the family that was asked for.
    pub(crate) fn left_out(&self) -> Vec<String> {
        self.family.map_or(Vec::new(), |family| self.index.without(family))
    }

    /// Pairs of which nothing can be said: they meet in no family.
    pub(crate) fn strangers(&self) -> Option<String> {
        let (one, other) = self.family.is_none().then(|| self.index.strangers()).flatten()?;
        Some(format!("what becomes of pods that have no address family in common, as `{one}` and `{other}`"))
    }

    /// The same, with who is left out: of questions about everybody.
    fn notes_of_all(&self, out: &mut String) {
        let left_out = self.left_out();
        if let (Some(family), [_, ..]) = (self.family, left_out.as_slice()) {
            let shown: Vec<&str> = left_out.iter().take(3).map(String::as_str).collect();
            let more = left_out.len().saturating_sub(shown.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let word = families::word(family);
            out.push_str(&format!("without an {word} address, and left out: {}{more}\n", printable(&shown.join(", "))));
        }
        if let Some(strangers) = self.strangers() {
            out.push_str(&format!("not known: {}\n", printable(&strangers)));
        }
        self.notes(out);
    }

    /// What is not in any answer about everybody.
    fn missing_of_all(&self) -> Vec<String> {
        self.strangers().into_iter().chain(self.missing()).collect()
    }

    /// The word of the family that was asked for.
    fn family_word(&self) -> Option<&'static str> {
        self.family.map(families::word)
    }

    /// Policies the engine has and does not enforce.
    pub(crate) fn not_enforced(&self) -> Vec<String> {
        self.index.unenforced().into_iter().map(ToString::to_string).collect()
    }

    fn notes(&self, out: &mut String) {
        let by = match self.engine {
            Engine::None => "not enforced, as the cluster has no engine".to_owned(),
            engine => format!("not enforced by {engine}"),
        };
        for policy in self.not_enforced() {
            out.push_str(&format!("{by}: {}\n", printable(&policy)));
        }
        for line in self.missing() {
            out.push_str(&format!("not known: {}\n", printable(&line)));
        }
    }
}
