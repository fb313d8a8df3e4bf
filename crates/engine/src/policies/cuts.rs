//! Flows that have to work and that a policy denies, put together by the rule that does it.

use super::Cx;
use crate::say::listed;
use causeway_addr::Cidr;
use causeway_model::codes::Code;
use causeway_model::design::*;
use causeway_model::finding::{Finding, Severity};
use causeway_model::policy::{Direction, PolicyId, PolicyTier};
use causeway_policy::{End, Flow, Index, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The rule that denies a flow; a policy that selects the pod and allows nothing of the kind has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Denial {
    pub(super) policy: PolicyId,
    pub(super) tier: Option<PolicyTier>,
    pub(super) direction: Direction,
    pub(super) rule: Option<usize>,
    /// In words, what it says.
    pub(super) because: String,
}

/// Who denies a flow; `None` where it is let through, or where that is not sure.
pub(super) fn denial(index: &Index, flow: &Flow) -> Option<Denial> {
    let explained = index.explain(flow)?;
    let direction = [Direction::Egress, Direction::Ingress]
        .into_iter()
        .find(|direction| explained.of(*direction) == Verdict::Denied)?;
    let step = explained.steps.into_iter().rfind(|step| step.direction == direction)?;
    Some(Denial { policy: step.policy?, tier: step.tier, direction, rule: step.rule, because: step.because })
}

/// A flow over TCP, or another protocol.
pub(super) fn flow(from: &End, to: &End, protocol: Protocol, port: u16) -> Flow {
    Flow { from: from.clone(), to: to.clone(), protocol, port, family: None }
}

/// What is cut by each rule.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    by_rule: BTreeMap<(PolicyId, Direction, Option<usize>), Cut>,
}

/// What one rule cuts.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// Who can't send.
    pub(super) from: BTreeSet<String>,
    /// Who can't be reached, with protocol and port.
    pub(super) to: BTreeSet<String>,
    because: String,
    more: BTreeSet<String>,
    mild: bool,
}

impl Cuts {
    /// Adds a flow that is cut.
    pub(super) fn add(&mut self, denial: Denial, from: &str, to: String) -> &mut Cut {
        let cut = self.by_rule.entry((denial.policy, denial.direction, denial.rule)).or_default();
        cut.from.insert(from.to_owned());
        cut.to.insert(to);
        cut.because = denial.because;
        cut
    }

    /// A finding for each rule; what it says is made of the policy, the direction and what is cut.
    pub(super) fn report(
        self,
        cx: &Cx<'_>,
        code: Code,
        words: impl Fn(&PolicyId, Direction, &Cut) -> (String, String),
        out: &mut Vec<Finding>,
    ) {
        for ((policy, direction, rule), cut) in self.by_rule {
            let (message, help) = words(&policy, direction, &cut);
            let path = cx.path(&policy, rule.map(|rule| (direction, rule)));
            let mut finding = Finding::new(code, path, message).help(help);
            finding.on = cut.to.iter().cloned().collect();
            let what = match direction {
                Direction::Egress => "what goes out of the sender is denied",
                Direction::Ingress => "what comes in to the receiver is denied",
            };
            finding.evidence.push(format!("{what}: {}", cut.because));
            if cut.mild {
                finding.severity = Severity::Info;
            }
            finding.evidence.extend(cut.more);
            out.push(doubted(cx, finding));
        }
    }
}

impl Cut {
    /// It may be otherwise for this reason.
    pub(super) fn doubt(&mut self, reason: String) {
        self.mild = true;
        self.more.insert(reason);
    }

    /// Something to know about it.
    pub(super) fn note(&mut self, line: String) {
        self.more.insert(line);
    }

    /// Who can't send, in words.
    pub(super) fn senders(&self) -> String {
        listed(&self.from.iter().collect::<Vec<_>>())
    }

    /// Who can't be reached, in words.
    pub(super) fn receivers(&self) -> String {
        listed(&self.to.iter().collect::<Vec<_>>())
    }
}

/// Milder where policies that are not evaluated may say otherwise.
pub(super) fn doubted(cx: &Cx<'_>, mut finding: Finding) -> Finding {
    if !cx.has_foreign() {
        return finding;
    }
    finding.severity = match finding.severity {
        Severity::Error => Severity::Warning,
        _ => Severity::Info,
    };
    finding.evidence("policies of the engine's own kinds are there and may say otherwise: they are not evaluated")
}

/// Addresses that stand for all of a range: one for every stretch that policies tell apart, and the one Azure gives out first.
pub(super) fn samples(index: &Index, range: Cidr) -> Vec<IpAddr> {
    let inside = index.prefixes().filter(|prefix| range.covers(prefix) && *prefix != range);
    let mut out: Vec<IpAddr> = inside.map(|prefix| prefix.first()).collect();
    out.push(range.nth(4).unwrap_or(range.first()));
    out.push(range.last());
    out.sort_unstable();
    out.dedup();
    out
}

/// The pods of a cluster that run, those that policies and labels make alike only once.
pub(super) fn alive(cluster: &Cluster, wanted: impl Fn(&Pod) -> bool) -> Vec<&Pod> {
    let mut seen = BTreeSet::new();
    let pods = cluster.pods.iter().filter(|pod| !pod.terminated && wanted(pod));
    pods.filter(|pod| seen.insert((&pod.namespace, &pod.labels, pod.host_network, &pod.node))).collect()
}

/// A pod as an end.
pub(super) fn end(pod: &Pod) -> End {
    End::Pod(pod.namespace.clone(), pod.name.clone())
}

/// A pod by its name.
pub(super) fn shown(pod: &Pod) -> String {
    format!("{}/{}", pod.namespace, pod.name)
}

/// The value of a label.
pub(super) fn label<'a>(pod: &'a Pod, key: &str) -> Option<&'a str> {
    pod.labels.get(key).map(String::as_str)
}
