//! One flow: the verdict, tier by tier, and who decided.

use super::Asked;
use crate::json::to_text;
use crate::place::Place;
use crate::text::{printable, wrap};
use causeway_model::design::Protocol;
use causeway_model::policy::Direction;
use causeway_policy::{Explanation, Flow, Step, Verdict};
use serde::Serialize;

/// Pairs that are printed for people.
const MOST_PAIRS: usize = 30;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    causeway: u32,
    verdict: &'static str,
    engine: &'static str,
    flow: JsonFlow,
    decided_by: JsonDecision,
    tiers: Vec<JsonTier<'a>>,
    missing: Vec<String>,
    #[serde(rename = "notEnforced")]
    not_enforced: Vec<String>,
    /// Every pod behind a service, where one was asked about; the fields above are of the worst of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    backends: Vec<JsonBackend>,
    /// What was made of the question.
    notes: &'a [String],
}

#[derive(Serialize)]
struct JsonFlow {
    from: String,
    to: String,
    protocol: &'static str,
    port: u16,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonDecision {
    owner: &'static str,
    object: Option<String>,
    direction: Option<&'static str>,
    rule: Option<String>,
    because: String,
    source: Option<Place>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonTier<'a> {
    tier: String,
    direction: &'static str,
    verdict: &'static str,
    policy: Option<String>,
    rule: Option<String>,
    rule_name: Option<&'a str>,
    because: &'a str,
}

#[derive(Serialize)]
struct JsonBackend {
    from: String,
    to: String,
    port: u16,
    verdict: &'static str,
}

/// Answers to one question: of every sender and receiver that it means.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Each flow with what becomes of it.
    pub all: Vec<(Flow, Explanation)>,
    /// What was made of the question: names that were resolved, services that were translated.
    pub notes: Vec<String>,
}

impl Answers {
    /// The verdict of all answers: what holds for whichever pod a service picks.
    pub fn verdict(&self) -> Verdict {
        worst(&self.all).map_or(Verdict::Uncertain, |(_, explanation)| explanation.verdict())
    }
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Denied => 0,
        Verdict::Uncertain => 1,
        Verdict::Allowed => 2,
    }
}

/// The answer that counts: denied before uncertain before allowed.
fn worst(answers: &[(Flow, Explanation)]) -> Option<&(Flow, Explanation)> {
    answers.iter().min_by_key(|(_, explanation)| rank(explanation.verdict()))
}

fn tier(step: &Step) -> String {
    step.tier.map_or("default".to_owned(), |tier| tier.to_string())
}

fn rule(step: &Step) -> Option<String> {
    step.rule.map(|rule| format!("spec.{}.{rule}", step.direction))
}

/// For programs.
pub fn explain_json(asked: &Asked<'_>, answers: &Answers) -> String {
    let Some((flow, explanation)) = worst(&answers.all) else { return String::new() };
    let mut missing = explanation.missing.clone();
    missing.extend(asked.missing());
    missing.sort();
    missing.dedup();
    let decided = explanation.decided_by();
    let document = Document {
        causeway: 1,
        verdict: answers.verdict().as_str(),
        engine: asked.engine.as_str(),
        flow: JsonFlow {
            from: flow.from.to_string(),
            to: flow.to.to_string(),
            protocol: flow.protocol.as_str(),
            port: flow.port,
        },
        decided_by: JsonDecision {
            owner: if decided.is_some_and(|step| step.policy.is_some()) { "networkpolicy" } else { "none" },
            object: decided.and_then(|step| step.policy.as_ref()).map(ToString::to_string),
            direction: decided.map(|step| step.direction.as_str()),
            rule: decided.and_then(rule),
            because: decided.map_or(String::new(), |step| step.because.clone()),
            source: decided.and_then(|step| place(asked, step)),
        },
        tiers: explanation
            .steps
            .iter()
            .map(|step| JsonTier {
                tier: tier(step),
                direction: step.direction.as_str(),
                verdict: step.said.as_str(),
                policy: step.policy.as_ref().map(ToString::to_string),
                rule: rule(step),
                rule_name: step.rule_name.as_deref(),
                because: &step.because,
            })
            .collect(),
        missing,
        not_enforced: asked.not_enforced(),
        backends: match answers.all.as_slice() {
            [_] => Vec::new(),
            all => all
                .iter()
                .map(|(flow, explanation)| JsonBackend {
                    from: flow.from.to_string(),
                    to: flow.to.to_string(),
                    port: flow.port,
                    verdict: explanation.verdict().as_str(),
                })
                .collect(),
        },
        notes: &answers.notes,
    };
    to_text(&document)
}

fn place(asked: &Asked<'_>, step: &Step) -> Option<Place> {
    asked.place(step.policy.as_ref()?, step.rule.map(|rule| (step.direction, rule)))
}

/// For people.
pub fn explain_human(asked: &Asked<'_>, answers: &Answers, width: usize) -> String {
    let mut out = String::new();
    let Some((flow, explanation)) = worst(&answers.all) else { return out };
    let head = format!(
        "{}: {} to {} on {} as {} reads policies",
        answers.verdict(),
        flow.from,
        flow.to,
        on(flow),
        asked.engine
    );
    out.push_str(&format!("{}\n", printable(&head)));
    for note in &answers.notes {
        wrap(&printable(note), width.saturating_sub(2)).iter().for_each(|line| out.push_str(&format!("  {line}\n")));
    }
    out.push('\n');
    for (direction, words) in [
        (Direction::Egress, "what the sender's policies say"),
        (Direction::Ingress, "what the receiver's policies say"),
    ] {
        out.push_str(&format!("  {words} ({direction})\n"));
        for step in explanation.steps.iter().filter(|step| step.direction == direction) {
            let by = step.policy.as_ref().map_or(String::new(), |policy| {
                let name = step.rule_name.as_ref().map_or(String::new(), |name| format!(" `{name}`"));
                let rule = rule(step).map_or(String::new(), |rule| format!(", {rule}{name}"));
                format!("{policy}{rule}: ")
            });
            let text = printable(&format!("{by}{}", step.because)).into_owned();
            let mut lines = wrap(&text, width.saturating_sub(30).max(30)).into_iter();
            let first = lines.next().unwrap_or_default();
            out.push_str(&format!("    {:14} {:10} {first}\n", tier(step), step.said));
            lines.for_each(|line| out.push_str(&format!("{:30}{line}\n", "")));
        }
    }
    if let Some((step, place)) = explanation.decided_by().and_then(|step| Some((step, place(asked, step)?))) {
        let policy = step.policy.as_ref().map_or(String::new(), ToString::to_string);
        out.push_str(&format!("\ndecided by {policy} at {}:{}:{}\n", place.file, place.line, place.column));
    }
    if answers.all.len() > 1 {
        pairs(answers, &mut out);
    }
    if !explanation.missing.is_empty() {
        out.push('\n');
    }
    for line in &explanation.missing {
        out.push_str(&format!("not known: {}\n", printable(line)));
    }
    asked.notes(&mut out);
    out
}

/// `tcp/80`; of what has no ports the protocol alone.
fn on(flow: &Flow) -> String {
    match flow.protocol {
        Protocol::Tcp | Protocol::Udp | Protocol::Sctp => format!("{}/{}", flow.protocol, flow.port),
        other => other.to_string(),
    }
}

/// All that was asked, what counts first.
fn pairs(answers: &Answers, out: &mut String) {
    let mut all: Vec<&(Flow, Explanation)> = answers.all.iter().collect();
    all.sort_by_key(|(_, explanation)| rank(explanation.verdict()));
    let one_sender = all.iter().all(|(flow, _)| all.first().is_some_and(|(first, _)| first.from == flow.from));
    out.push_str(if one_sender { "\neach receiver\n" } else { "\neach pair\n" });
    for (flow, explanation) in all.iter().take(MOST_PAIRS) {
        let from = if one_sender { String::new() } else { format!("{} to ", flow.from) };
        let line = format!("  {:10} {from}{} on {}", explanation.verdict(), flow.to, on(flow));
        out.push_str(&format!("{}\n", printable(&line)));
    }
    let more = all.len().saturating_sub(MOST_PAIRS);
    if more > 0 {
        out.push_str(&format!("  and {more} more; `--format json` has all of them\n"));
    }
}
