//! What differs between two designs: what counts, and the JSON.

use crate::json::{JsonFinding, finding as json_finding, to_text};
use crate::{Report, Threshold};
use causeway_engine::capacity::{AddressPool, Capacity, Snat};
use causeway_engine::compare::{Difference, Fate, FlowChange, OwnedRange};
use causeway_engine::masquerade::{Seen, SourceChange};
use causeway_engine::{Answer, accept};
use causeway_model::design::Design;
use causeway_model::finding::Finding;
use causeway_model::source::Sources;
use serde::Serialize;

/// One of the two designs, with the texts it was read from.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What was read.
    pub design: &'a Design,
    /// The texts.
    pub sources: &'a Sources,
}

/// Two designs and what differs: everything a printer needs.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// As it was.
    pub old: Side<'a>,
    /// As it is to be.
    pub new: Side<'a>,
    /// What differs.
    pub difference: &'a Difference,
    /// What counts.
    pub threshold: &'a Threshold,
    /// Anything that changes for anybody counts.
    pub deny_change: bool,
}

impl<'a> Comparison<'a> {
    /// A refused step or a new finding counts, or something changes where nothing may.
    pub fn fails(&self) -> bool {
        let refused = self.difference.refused.iter().filter(|finding| self.accepted(finding).is_none());
        let new = self.difference.new.iter().filter(|(_, because)| because.is_none()).map(|(finding, _)| finding);
        refused.chain(new).any(|finding| self.threshold.fails(finding))
            || (self.deny_change && self.difference.concerns_somebody())
    }

    /// Why the new design accepts a step the platform refuses, if it does.
    pub(crate) fn accepted(&self, finding: &Finding) -> Option<&'a str> {
        accept::reason(self.new.design, finding)
    }
}

/// An answer of which only the places of findings are asked.
pub(crate) fn nothing() -> Answer {
    Answer {
        findings: Vec::new(),
        accepted: Vec::new(),
        capacity: Capacity::default(),
        checklist: Vec::new(),
        expectations: Vec::new(),
    }
}

pub(crate) fn report<'a>(side: &Side<'a>, threshold: &'a Threshold, answer: &'a Answer) -> Report<'a> {
    Report { design: side.design, sources: side.sources, answer, threshold, certificate: None }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    causeway: u32,
    old: &'a str,
    new: &'a str,
    refused: Vec<JsonFinding<'a>>,
    sources: Vec<JsonSource<'a>>,
    flows: Vec<JsonFlow<'a>>,
    capacity: Vec<JsonPool<'a>>,
    snat: Vec<JsonPorts<'a>>,
    findings: JsonFindings<'a>,
    ranges: JsonRanges,
    objects: Vec<JsonObject<'a>>,
    summary: JsonSummary,
}

#[derive(Serialize)]
struct JsonSource<'a> {
    cluster: &'a str,
    peer: &'a str,
    before: JsonSeen<'a>,
    after: JsonSeen<'a>,
    machines: &'a [String],
}

/// A representative flow of a pool that differs.
#[derive(Serialize)]
struct JsonFlow<'a> {
    cluster: &'a str,
    pool: &'a str,
    class: &'a str,
    peer: &'a str,
    before: Option<JsonFate<'a>>,
    after: Option<JsonFate<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonFate<'a> {
    verdict: &'static str,
    source_seen: Option<&'a str>,
    owner: &'static str,
    because: &'a str,
}

/// The address a peer sees: whose it is, and in words.
#[derive(Serialize)]
struct JsonSeen<'a> {
    seen: &'static str,
    because: String,
    /// Where some destinations see the pod and the rest the node: those that see the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonPool<'a> {
    pool: &'a str,
    before: Option<&'a AddressPool>,
    after: Option<&'a AddressPool>,
    changes_fit: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonPorts<'a> {
    cluster: &'a str,
    before: Option<&'a Snat>,
    after: Option<&'a Snat>,
    changes_fit: bool,
}

#[derive(Serialize)]
struct JsonFindings<'a> {
    new: Vec<JsonFinding<'a>>,
    gone: Vec<JsonFinding<'a>>,
}

#[derive(Serialize)]
struct JsonRanges {
    added: Vec<JsonRange>,
    removed: Vec<JsonRange>,
}

#[derive(Serialize)]
struct JsonRange {
    object: String,
    range: String,
}

#[derive(Serialize)]
struct JsonObject<'a> {
    object: &'a str,
    change: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonSummary {
    /// Something changes for somebody, or may.
    changes: bool,
    /// Representative flows were walked and compared.
    reachability_compared: bool,
}

/// The answer of `diff`.
pub fn json(comparison: &Comparison<'_>) -> String {
    let Comparison { old, new, difference, threshold, .. } = comparison;
    let none = nothing();
    let (before, after) = (report(old, threshold, &none), report(new, threshold, &none));
    let ranges = |ranges: &[OwnedRange]| -> Vec<JsonRange> {
        let range = |range: &OwnedRange| JsonRange { object: range.object.clone(), range: range.range.to_string() };
        ranges.iter().map(range).collect()
    };
    to_text(&Document {
        causeway: 1,
        old: &old.design.name,
        new: &new.design.name,
        refused: difference
            .refused
            .iter()
            .map(|finding| json_finding(&after, finding, comparison.accepted(finding)))
            .collect(),
        sources: difference.sources.iter().map(source).collect(),
        flows: difference.flows.iter().map(flow).collect(),
        capacity: difference
            .capacity
            .iter()
            .map(|change| JsonPool {
                pool: &change.pool,
                before: change.before.as_ref(),
                after: change.after.as_ref(),
                changes_fit: change.changes_fit(),
            })
            .collect(),
        snat: difference
            .ports
            .iter()
            .map(|change| JsonPorts {
                cluster: &change.cluster,
                before: change.before.as_ref().map(|ports| &ports.snat),
                after: change.after.as_ref().map(|ports| &ports.snat),
                changes_fit: change.changes_fit(),
            })
            .collect(),
        findings: JsonFindings {
            new: difference
                .new
                .iter()
                .map(|(finding, because)| json_finding(&after, finding, because.as_deref()))
                .collect(),
            gone: difference.gone.iter().map(|finding| json_finding(&before, finding, None)).collect(),
        },
        ranges: JsonRanges { added: ranges(&difference.added), removed: ranges(&difference.removed) },
        objects: difference
            .objects
            .iter()
            .map(|change| JsonObject { object: &change.object, change: change.how.as_str() })
            .collect(),
        summary: JsonSummary { changes: difference.concerns_somebody(), reachability_compared: true },
    })
}

fn flow(change: &FlowChange) -> JsonFlow<'_> {
    fn fate(fate: &Fate) -> JsonFate<'_> {
        JsonFate {
            verdict: fate.verdict.as_str(),
            source_seen: fate.source.as_deref(),
            owner: fate.owner.as_str(),
            because: &fate.because,
        }
    }
    JsonFlow {
        cluster: &change.cluster,
        pool: &change.pool,
        class: &change.class,
        peer: &change.peer,
        before: change.before.as_ref().map(fate),
        after: change.after.as_ref().map(fate),
    }
}

fn source(change: &SourceChange) -> JsonSource<'_> {
    let SourceChange { cluster, peer, before, after, machines } = change;
    JsonSource { cluster: cluster.as_str(), peer, before: seen(before), after: seen(after), machines }
}

fn seen(seen: &Seen) -> JsonSeen<'_> {
    let because = seen.to_string();
    let (word, pod, missing) = match seen {
        Seen::Pod => ("pod", None, None),
        Seen::Node => ("node", None, None),
        Seen::Mixed { pod } => ("mixed", Some(pod.iter().map(ToString::to_string).collect()), None),
        Seen::Public(_) => ("public", None, None),
        Seen::Unknown(missing) => ("unknown", None, Some(missing.as_str())),
    };
    JsonSeen { seen: word, because, pod, missing }
}
