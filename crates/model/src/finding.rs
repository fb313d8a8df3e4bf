//! What is wrong, as data: a stable code, a severity, the object, the evidence and the fix.

use crate::codes::Code;
use crate::source::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How bad it is. Ordered: `Info < Warning < Error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// Works today, hurts later, or depends on something people should decide.
    Warning,
    /// The platform refuses it, or traffic or an operation fails.
    Error,
}

/// One thing a check has to say. The place in the user's file is looked up from `object` (see [`Places`]) unless `at` is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable for ever; has a page under `docs/findings`.
    pub code: Code,
    /// Usually the code's own severity; some codes are milder in stated circumstances.
    pub severity: Severity,
    /// One sentence in the user's words, values in back-ticks, lower case, no full stop.
    pub message: String,
    /// What to do about it, one sentence; empty only where the message already says it.
    pub help: String,
    /// Dotted path of the object in the design, as in `clusters.prod.serviceCidr`.
    pub object: String,
    /// The values concerned (prefixes, addresses, names), sorted as they matter.
    pub on: Vec<String>,
    /// The facts and arithmetic that lead to the message, one step a line.
    pub evidence: Vec<String>,
    /// The date of the platform fact used, if one was.
    pub since: Option<Date>,
    /// Overrides the look-up by `object`: a line inside a masquerade file, say.
    pub at: Option<Span>,
    /// Other places that take part (the other range of an overlap), each with a few words.
    pub related: Vec<(String, String)>,
}

impl Finding {
    /// A finding of the code's own severity with nothing but its message; the rest is set by the `with_*` methods.
    pub fn new(code: Code, object: impl Into<String>, message: impl Into<String>) -> Self {
        Finding {
            code,
            severity: code.severity(),
            message: message.into(),
            help: String::new(),
            object: object.into(),
            on: Vec::new(),
            evidence: Vec::new(),
            since: None,
            at: None,
            related: Vec::new(),
        }
    }

    /// Another severity than the code's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// What to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Adds a value concerned.
    #[must_use]
    pub fn on(mut self, value: impl ToString) -> Self {
        self.on.push(value.to_string());
        self
    }

    /// Adds a line of evidence.
    #[must_use]
    pub fn evidence(mut self, line: impl Into<String>) -> Self {
        self.evidence.push(line.into());
        self
    }

    /// The date of the platform fact it rests on.
    #[must_use]
    pub fn since(mut self, date: Date) -> Self {
        self.since = Some(date);
        self
    }

    /// The exact place, where the object's path is too coarse.
    #[must_use]
    pub fn at(mut self, span: Option<Span>) -> Self {
        self.at = span;
        self
    }

    /// Another place that takes part: its object path and a few words.
    #[must_use]
    pub fn related(mut self, object: impl Into<String>, words: impl Into<String>) -> Self {
        self.related.push((object.into(), words.into()));
        self
    }
}

/// Where each object and field of a design was written. Keys are dotted paths; list items are numbered from 0
/// (`routeTables.pods.routes.0.prefix`). A key that contains a dot itself is kept as it is:
/// `privateDnsZones.privatelink.vaultcore.azure.net.links`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// By the first two steps (`clusters.prod`), then by the rest: the paths of one object stand together, and none of them repeats
    /// what all of them begin with.
    objects: BTreeMap<Box<str>, BTreeMap<Box<str>, Span>>,
}

impl Places {
    /// Remembers where a path was written. The first place wins.
    pub fn insert(&mut self, path: &str, span: Span) {
        let (object, rest) = object_of(path);
        let places = match self.objects.get_mut(object) {
            Some(places) => places,
            None => self.objects.entry(object.into()).or_default(),
        };
        places.entry(rest.into()).or_insert(span);
    }

    /// The place of the path itself, or of the nearest object around it.
    pub fn nearest(&self, path: &str) -> Option<Span> {
        let mut path = path;
        loop {
            if let Some(span) = self.exact(path) {
                return Some(span);
            }
            path = path.rsplit_once('.')?.0;
        }
    }

    /// The place of exactly this path.
    pub fn exact(&self, path: &str) -> Option<Span> {
        let (object, rest) = object_of(path);
        self.objects.get(object)?.get(rest).copied()
    }
}

/// The first two steps of a path, and what follows them with its dot.
fn object_of(path: &str) -> (&str, &str) {
    let second = path.match_indices('.').nth(1).map_or(path.len(), |(at, _)| at);
    path.split_at_checked(second).unwrap_or((path, ""))
}
