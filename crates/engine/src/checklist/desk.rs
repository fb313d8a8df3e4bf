//! What lies on the table when lines are answered: findings by code, records, assumed defaults, address pools by name.

use super::judgement::Judgement;
use crate::appliances::Appliances;
use crate::capacity::AddressPool;
use crate::{Context, accept};
use causeway_model::codes::Code;
use causeway_model::design::{Cluster, ClusterName, Design, Record};
use causeway_model::finding::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// Everything a line is answered from.
pub(super) struct Desk<'a> {
    pub(super) cx: &'a Context<'a>,
    pub(super) design: &'a Design,
    found: BTreeMap<Code, Vec<&'a Finding>>,
    assumed: BTreeSet<&'a str>,
    pools: BTreeMap<&'a str, &'a AddressPool>,
    /// By the address routes point at.
    pub(super) appliances: Appliances<'a>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(cx: &'a Context<'a>, findings: &'a [Finding]) -> Self {
        let mut found: BTreeMap<Code, Vec<&Finding>> = BTreeMap::new();
        for finding in findings {
            found.entry(finding.code).or_default().push(finding);
        }
        Desk {
            cx,
            design: cx.design,
            found,
            assumed: cx.design.assumed.iter().map(|assumption| assumption.object.as_str()).collect(),
            appliances: Appliances::new(cx.design),
            pools: cx.capacity.pools.iter().map(|pool| (pool.pool.as_str(), pool)).collect(),
        }
    }

    /// The clusters; a design without one leaves the line open.
    pub(super) fn clusters(
        &self,
        line: &mut Judgement,
    ) -> impl Iterator<Item = (&'a ClusterName, &'a Cluster)> + use<'a> {
        if self.design.clusters.is_empty() {
            line.unknown("the design has no cluster", "the cluster: a design file, or `az aks show -o json`");
        }
        self.design.clusters.iter()
    }

    /// The address pool of that name, where capacity was worked out.
    pub(super) fn pool(&self, name: &str) -> Option<&'a AddressPool> {
        self.pools.get(name).copied()
    }

    /// The value at a path was filled in and not stated.
    pub(super) fn is_assumed(&self, path: &str) -> bool {
        self.assumed.contains(path)
    }

    /// The path itself was written by somebody.
    pub(super) fn is_stated(&self, path: &str) -> bool {
        self.design.places.exact(path).is_some()
    }

    /// Findings of these codes, of at least this severity, on objects that matter.
    pub(super) fn found(
        &self,
        codes: &[Code],
        least: Severity,
        matters: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = &'a Finding> {
        let all: Vec<&Finding> = codes
            .iter()
            .filter_map(|code| self.found.get(code))
            .flatten()
            .copied()
            .filter(|finding| finding.severity >= least && matters(&finding.object))
            .collect();
        all.into_iter()
    }

    /// A warning or error of one of these codes is about the object or something below it.
    pub(super) fn speaks_of(&self, codes: &[Code], path: &str) -> bool {
        let below =
            |object: &str| object.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.found(codes, Severity::Warning, below).next().is_some()
    }

    /// Every warning and error of these codes speaks against a line.
    pub(super) fn against(&self, line: &mut Judgement, codes: &[Code]) {
        for finding in self.found(codes, Severity::Warning, |_| true) {
            line.no(self.words(finding));
        }
    }

    /// A finding as a reason: code, object, message, and why people live with it where they do.
    pub(super) fn words(&self, finding: &Finding) -> String {
        let accepted = accept::reason(self.design, finding)
            .map_or(String::new(), |because| format!(" (accepted: {because}; that does not make it a yes)"));
        format!("`{}` on `{}`: {}{accepted}", finding.code, finding.object, finding.message)
    }

    /// A line the design alone answers. People can contradict it where it is not proved, not vouch for it.
    pub(super) fn by_design(&self, key: &str, mut line: Judgement) -> Judgement {
        let Some(record) = self.design.records.get(key) else { return line };
        let words = said(record);
        match (record.answer, line.holds(), line.fails()) {
            (false, true, _) => line.remark(format!("{words}, which the design disproves")),
            (false, false, _) => line.no(words),
            (true, true, _) => line.remark(words),
            (true, _, true) => line.remark(format!("{words}, which the design disproves")),
            (true, ..) => line.remark(format!("{words}, which the design can't confirm")),
        }
        line
    }

    /// A line that needs a record, and a design that does not contradict it: what the design leaves open stays open.
    pub(super) fn by_both(&self, key: &str, mut line: Judgement) -> Judgement {
        self.with_record(key, &mut line);
        line
    }

    /// A line that the design may settle; a record answers it where the design can't.
    pub(super) fn by_record_unless_settled(&self, key: &str, mut line: Judgement) -> Judgement {
        if line.holds() || line.fails() {
            return self.by_design(key, line);
        }
        if self.design.records.get(key).is_some_and(|record| record.answer && !self.is_to_come(record)) {
            line.settle();
        }
        self.with_record(key, &mut line);
        line
    }

    fn with_record(&self, key: &str, line: &mut Judgement) {
        let Some(record) = self.design.records.get(key) else {
            if !line.fails() {
                line.unknown(
                    "nobody has put it on record",
                    format!("`records: {{{key}: {{on: DATE, by: WHO, note: WHERE}}}}`"),
                );
            }
            return;
        };
        let words = said(record);
        match (record.answer, line.fails()) {
            (false, _) => line.no(words),
            (true, true) => line.remark(format!("{words}, which the design disproves")),
            (true, false) if self.is_to_come(record) => line.unknown(
                format!("{words}, which is after the day this was checked for, {}", self.cx.as_of),
                format!("`records.{key}` of a day that has come"),
            ),
            (true, false) if line.open() => line.remark(words),
            (true, false) => line.vouch(words),
        }
    }

    /// Dated after the day the design is checked for: a plan and no experience.
    fn is_to_come(&self, record: &Record) -> bool {
        record.on.is_some_and(|on| on > self.cx.as_of)
    }
}

/// A record in words, with its date: how old it may be is for people to judge.
fn said(record: &Record) -> String {
    let answer = if record.answer { "yes" } else { "no" };
    let on = record.on.map_or(" without a date".to_owned(), |on| format!(" on {on}"));
    let by = record.by.as_ref().map_or(" by nobody named".to_owned(), |by| format!(" by {by}"));
    let note = record.note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
    format!("{answer} on record{on}{by}{note}")
}

/// "`a`, `b`": the first few names; the rest is counted.
pub(super) fn names<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = items.into_iter().map(|item| format!("`{item}`")).collect();
    let rest = all.len().saturating_sub(6);
    let shown = all.iter().take(6).cloned().collect::<Vec<_>>().join(", ");
    if rest > 0 { format!("{shown} and {rest} more") } else { shown }
}
