//! From what the user wrote to what it means: names resolved, defaults filled in and listed, every semantic error reported.

mod agent;
mod cluster;
mod network;
mod text;
mod who;
mod workload;

use crate::diagnostic::InputError;
use crate::document::{self, Context, DesignDocument, Named};
use causeway_addr::Cidr;
use causeway_model::checklist::Requirement;
use causeway_model::codes::{self, Code};
use causeway_model::design::*;
use causeway_model::finding::{Finding, Places, Severity};
use causeway_model::source::{Sources, Span};
use causeway_model::suggest::nearest;
use std::collections::{BTreeMap, BTreeSet};

/// What a design file defines, by name: references are looked up here.
#[derive(Debug, Default)]
struct Known {
    networks: BTreeSet<String>,
    subnets: BTreeSet<String>,
    route_tables: BTreeSet<String>,
    security_groups: BTreeSet<String>,
    nat_gateways: BTreeSet<String>,
    who: BTreeSet<String>,
}

/// Collects errors and assumptions while meaning is given; looks places up by path.
struct Meaning<'a> {
    known: Known,
    places: &'a Places,
    /// Places within objects that are kept as Kubernetes writes them.
    within: Vec<(String, Span)>,
    sources: &'a Sources,
    errors: Vec<InputError>,
    assumed: Vec<Assumption>,
    findings: Vec<Finding>,
    notes: Vec<Note>,
}

/// Gives a decoded design its meaning.
///
/// # Errors
/// Every semantic error at once: unknown names (with a suggestion), values outside their words, missing required fields.
pub(crate) fn of(document: DesignDocument, context: Context, sources: &Sources) -> Result<Design, Vec<InputError>> {
    let Context { mut errors, findings, places, .. } = context;
    let mut cx = Meaning {
        known: Known::of(&document),
        places: &places,
        within: Vec::new(),
        sources,
        errors: Vec::new(),
        assumed: Vec::new(),
        findings,
        notes: Vec::new(),
    };
    match document.causeway {
        Some(1) => {}
        Some(other) => cx.error(
            "causeway",
            format!("this program reads version 1 of the language, not {other}"),
            "write `causeway: 1`",
        ),
        None => cx.error(
            "",
            "`causeway: 1` is missing: it says which version of the language this is",
            "write `causeway: 1` on top",
        ),
    }
    let design = cx.design(document);
    errors.append(&mut cx.errors);
    let (assumed, findings, notes) = (cx.assumed, cx.findings, cx.notes);
    let within = cx.within;
    if errors.is_empty() {
        let mut places = places;
        within.into_iter().for_each(|(path, span)| places.insert(&path, span));
        Ok(Design { places, assumed, findings, notes, ..design })
    } else {
        errors.sort_by_key(|error| (error.at, error.message.clone()));
        errors.dedup();
        Err(errors)
    }
}

impl Known {
    fn of(document: &DesignDocument) -> Known {
        fn names<T>(named: &Option<Named<T>>) -> BTreeSet<String> {
            named.iter().flat_map(|named| &named.0).map(|(name, _)| name.clone()).collect()
        }
        let subnets = document
            .networks
            .iter()
            .flat_map(|networks| &networks.0)
            .flat_map(|(network, value)| {
                names(&value.subnets).into_iter().map(move |subnet| format!("{network}/{subnet}"))
            })
            .collect();
        Known {
            networks: names(&document.networks),
            subnets,
            route_tables: names(&document.route_tables),
            security_groups: names(&document.network_security_groups),
            nat_gateways: names(&document.nat_gateways),
            who: who::names(document),
        }
    }
}

impl Meaning<'_> {
    /// Notes an error at the place of a path.
    fn error(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(InputError { at: self.places.nearest(path), message: message.into(), help: help.into() });
    }

    /// Lists a default that is filled in.
    fn assume<T>(&mut self, path: String, value: T, shown: impl ToString, because: &str) -> T {
        self.assumed.push(Assumption { object: path, value: shown.to_string(), because: because.to_owned() });
        value
    }

    /// Notes a finding that only reading can make.
    fn finding(&mut self, code: Code, path: &str, message: String, help: &str) {
        self.findings.push(Finding::new(code, path, message).help(help));
    }

    /// Looks a name up; an unknown one is an error with the nearest known one.
    fn name<T: for<'n> From<&'n str>>(
        &mut self,
        path: &str,
        kind: &str,
        name: &str,
        known: fn(&Known) -> &BTreeSet<String>,
    ) -> Option<T> {
        let names = known(&self.known);
        if names.contains(name) {
            return Some(T::from(name));
        }
        let help = match nearest(name, names.iter().map(String::as_str)) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if names.is_empty() => format!("the design has no {kind}"),
            None => format!(
                "known: {}",
                names.iter().take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            ),
        };
        self.error(path, format!("unknown {kind} `{name}`"), help);
        None
    }

    /// Looks a subnet up, written `NETWORK/SUBNET`.
    fn subnet(&mut self, path: &str, text: &str) -> Option<SubnetRef> {
        let name: String = self.name(path, "subnet", text, |known| &known.subnets)?;
        let (network, subnet) = name.split_once('/')?;
        Some(SubnetRef { network: network.into(), subnet: subnet.into() })
    }

    /// A word out of a closed set, case aside.
    fn word<T: Copy>(&mut self, path: &str, text: &str, words: &[(&str, T)]) -> Option<T> {
        if let Some((_, value)) = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
            return Some(*value);
        }
        let known = words.iter().map(|(word, _)| *word);
        let help = match nearest(text, known.clone()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("one of {}", known.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")),
        };
        self.error(path, format!("`{path}` can't be `{text}`"), help);
        None
    }

    fn design(&mut self, document: DesignDocument) -> Design {
        let networks = self.networks(document.networks.unwrap_or_default());
        let limit_overrides = document.limits.map_or_else(BTreeMap::new, |limits| limits.0.into_iter().collect());
        for name in limit_overrides.keys() {
            self.check_limit(name);
        }
        let alarm_at = document.alarm_at.and_then(|alarm| match alarm {
            Share::Percent(percent) if (1..=100).contains(&percent) => Some(percent),
            _ => {
                self.error(
                    "alarmAt",
                    "`alarmAt` must be a percentage from `1%` to `100%`",
                    "write it as text: `alarmAt: \"80%\"`",
                );
                None
            }
        });
        let name = document.name.unwrap_or_else(|| "design".to_owned());
        self.import_findings(document.import_findings.unwrap_or_default());
        Design {
            name,
            peerings: self.peerings(document.peerings.unwrap_or_default()),
            route_tables: self.route_tables(document.route_tables.unwrap_or_default()),
            security_groups: self.security_groups(document.network_security_groups.unwrap_or_default()),
            nat_gateways: self.nat_gateways(document.nat_gateways.unwrap_or_default()),
            firewalls: self.firewalls(document.firewalls.unwrap_or_default()),
            hosts: self.hosts(document.hosts.unwrap_or_default()),
            private_endpoints: self.private_endpoints(document.private_endpoints.unwrap_or_default()),
            private_dns_zones: self.private_dns_zones(document.private_dns_zones.unwrap_or_default()),
            public_dns: self.public_dns(document.public_dns.unwrap_or_default()),
            clusters: self.clusters(document.clusters.unwrap_or_default()),
            growth: document.growth.and_then(|growth| Some(Growth { nodes: growth.nodes?, months: growth.months })),
            alarm_at,
            loads: self.loads(document.loads.unwrap_or_default()),
            records: self.records(document.records.unwrap_or_default()),
            accept: self.accept(document.accept.unwrap_or_default()),
            expect: self.expect(document.expect.unwrap_or_default()),
            limit_overrides,
            networks,
            exported: false,
            places: Places::default(),
            assumed: Vec::new(),
            notes: Vec::new(),
            findings: Vec::new(),
            before: None,
        }
    }

    /// Findings that reading made of exports this design was imported from: it holds what was taken of them, and could not
    /// make them again.
    fn import_findings(&mut self, found: Vec<document::ImportFinding>) {
        const WORDS: &[(&str, Severity)] =
            &[("error", Severity::Error), ("warning", Severity::Warning), ("info", Severity::Info)];
        for (at, found) in found.into_iter().enumerate() {
            let path = format!("importFindings.{at}");
            let code = self.required(&path, "finding", found.finding).and_then(|code| self.code(&path, &code));
            let message = self.required(&path, "message", found.message);
            let severity = found.severity.map(|word| self.word(&format!("{path}.severity"), &word.0, WORDS));
            let (Some(code), Some(message)) = (code, message) else { continue };
            let mut finding =
                Finding::new(code, found.on.unwrap_or_default(), message).help(found.help.unwrap_or_default());
            finding.severity = severity.flatten().unwrap_or(finding.severity);
            finding.on = found.values.unwrap_or_default().0;
            finding.evidence = found.evidence.unwrap_or_default().0;
            finding.since = found.since;
            finding.at = self.places.exact(&path);
            self.findings.push(finding);
        }
    }

    /// A finding code, or an error at the `finding` below a path.
    fn code(&mut self, path: &str, text: &str) -> Option<Code> {
        let code = Code::parse(text);
        if code.is_none() {
            let help = match nearest(text, codes::ALL.iter().map(|code| code.as_str())) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`causeway explain` lists every code".to_owned(),
            };
            self.error(&format!("{path}.finding"), format!("unknown finding code `{text}`"), help);
        }
        code
    }

    fn check_limit(&mut self, name: &str) {
        let known = causeway_model::facts::overrides::NAMES;
        if !known.contains(&name) {
            let help = match nearest(name, known.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("known limits: {}", known.join(", ")),
            };
            self.error(&format!("limits.{name}"), format!("unknown limit `{name}`"), help);
        }
    }

    fn loads(&mut self, loads: Vec<document::Load>) -> Vec<Load> {
        let mut out = Vec::new();
        for (at, load) in loads.into_iter().enumerate() {
            let path = format!("loads.{at}");
            let from = self.required(&path, "from", load.from);
            let to = self.required(&path, "to", load.to);
            self.check_ends(&path, &from, &to);
            if let (Some(from), Some(to)) = (from, to) {
                out.push(Load {
                    from,
                    to,
                    per_second: load.per_second,
                    concurrent: load.concurrent,
                    seconds: load.seconds,
                    keep_alive_seconds: load.keep_alive_seconds,
                });
            }
        }
        out
    }

    fn records(&mut self, records: Named<document::Record>) -> BTreeMap<String, Record> {
        let keys = || Requirement::ALL.iter().map(|line| line.key());
        for (key, _) in records.0.iter().filter(|(key, _)| keys().all(|known| known != key)) {
            // A record of something else harms nobody, so it is no error; but a mistyped key must not look like an answer.
            let help = match nearest(key, keys()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`causeway check --checklist` prints the key of each line".to_owned(),
            };
            let message = format!("no line of the checklist has the key `{key}`, so this record answers nothing");
            self.finding(codes::RECORD_ANSWERS_NOTHING, &format!("records.{key}"), message, &help);
        }
        records
            .0
            .into_iter()
            .map(|(key, record)| {
                let value =
                    Record { on: record.on, by: record.by, answer: record.answer.unwrap_or(true), note: record.note };
                (key, value)
            })
            .collect()
    }

    fn accept(&mut self, accept: Vec<document::Acceptance>) -> Vec<Acceptance> {
        let mut out = Vec::new();
        for (at, acceptance) in accept.into_iter().enumerate() {
            let path = format!("accept.{at}");
            let finding = self.required(&path, "finding", acceptance.finding);
            let because = self.required(&path, "because", acceptance.because);
            if because.as_ref().is_some_and(|because| because.trim().is_empty()) {
                self.error(
                    &format!("{path}.because"),
                    "`because` is empty",
                    "say why this finding may stand: who reads it later can't ask",
                );
            }
            let Some(finding) = finding else { continue };
            self.code(&path, &finding);
            out.push(Acceptance { finding, on: acceptance.on, because: because.unwrap_or_default() });
        }
        out
    }

    fn expect(&mut self, expect: Vec<document::Expectation>) -> Vec<Expectation> {
        let mut out = Vec::new();
        for (at, expectation) in expect.into_iter().enumerate() {
            let path = format!("expect.{at}");
            let from = self.required(&path, "from", expectation.from);
            let to = self.required(&path, "to", expectation.to);
            self.check_ends(&path, &from, &to);
            let protocol =
                expectation.proto.and_then(|proto| self.word(&format!("{path}.proto"), &proto.0, Protocol::WORDS));
            let mut asserts = BTreeMap::new();
            let decided = expectation.decided_by.unwrap_or_default().0;
            for (field, values) in [
                ("verdict", expectation.verdict),
                ("sourceSeen", expectation.source_seen),
                ("sourceLeavingNode", expectation.source_leaving_node),
                ("snatBy", expectation.snat_by),
                ("dnatTo", expectation.dnat_to),
                ("governedBySubnet", expectation.governed_by_subnet),
                ("decidedBy.owner", decided.owner),
                ("decidedBy.object", decided.object),
                ("decidedBy.rule", decided.rule),
                ("resolves", expectation.resolves),
            ] {
                if let Some(values) = values {
                    self.check_words(&path, field, &values.0);
                    asserts.insert(field.to_owned(), values.0);
                }
            }
            if let (Some(from), Some(to)) = (from, to) {
                let name = expectation.name.unwrap_or_else(|| format!("{from} to {to}"));
                out.push(Expectation { name, from, to, protocol, asserts });
            }
        }
        out
    }

    /// Verdicts, owners and name verdicts are closed sets: a typo must not become an expectation that can never hold.
    fn check_words(&mut self, path: &str, field: &str, values: &[String]) {
        const VERDICTS: &[&str] =
            &["delivered", "dropped", "replyLost", "asymmetricDrop", "deniedByPolicy", "uncertain"];
        const NAMES: &[&str] = &["resolvesPrivate", "resolvesPublic", "nxdomain", "noAnswer"];
        const OWNERS: &[&str] = &[
            "none",
            "ip-masq-agent",
            "kube-proxy",
            "cni",
            "cilium",
            "platform",
            "remote-router",
            "azure-firewall",
            "nva",
            "load-balancer",
            "nat-gateway",
            "udr",
            "nsg",
            "networkpolicy",
            "private-endpoint-route",
            "system-route",
        ];
        let words = match field {
            "verdict" => VERDICTS,
            "resolves" => NAMES,
            "snatBy" | "decidedBy.owner" => OWNERS,
            _ => return,
        };
        let words: Vec<_> = words.iter().map(|word| (*word, ())).collect();
        for value in values {
            self.word(&format!("{path}.{field}"), value, &words);
        }
    }

    fn check_ends(&mut self, path: &str, from: &Option<String>, to: &Option<String>) {
        for (field, end) in [("from", from), ("to", to)] {
            if let Some(end) = end {
                self.check_who(&format!("{path}.{field}"), end);
            }
        }
    }

    /// A field that must be there.
    fn required<T>(&mut self, path: &str, field: &str, value: Option<T>) -> Option<T> {
        let given = self.places.exact(&format!("{path}.{field}")).is_some();
        if value.is_none() && !given {
            self.error(path, format!("`{path}` needs `{field}`"), format!("add `{field}` there"));
        }
        value
    }
}

/// The families of prefixes, in the order first met.
fn families(prefixes: &[Cidr]) -> Vec<IpFamily> {
    let mut families = Vec::new();
    for prefix in prefixes {
        let family = if prefix.is_v4() { IpFamily::Ipv4 } else { IpFamily::Ipv6 };
        if !families.contains(&family) {
            families.push(family);
        }
    }
    families
}
