//! For pages that draw: a Mermaid sequence diagram.

use super::{Traced, words};
use causeway_trace::{Direction, Hop, Trace, Verdict};
use std::fmt::Write as _;

/// The way there with solid arrows, the way back with dashed ones, and what each hop did beside it.
pub fn mermaid(traced: &Traced<'_>) -> String {
    let trace = traced.trace;
    let mut out = String::from("sequenceDiagram\n");
    let (forward, reply) = words::ways(trace);
    let mut places: Vec<&str> = Vec::new();
    for hop in forward.iter().chain(&reply) {
        if !places.contains(&hop.at.as_str()) {
            places.push(&hop.at);
        }
    }
    if places.is_empty() {
        places.push(&trace.from);
    }
    let mut put = |text: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {text}");
    };
    for (at, place) in places.iter().enumerate() {
        put(format!("participant h{at} as {}", escaped(place)));
    }
    for name in words::names(trace) {
        put(format!("Note over h0: {}", message(&name)));
    }
    for line in way(&forward, &places, "->>") {
        put(line);
    }
    lost(trace, Direction::Forward, &forward, &places).into_iter().for_each(&mut put);
    for line in way(&reply, &places, "-->>") {
        put(line);
    }
    lost(trace, Direction::Reply, &reply, &places).into_iter().for_each(&mut put);
    let over = match places.len() {
        0 | 1 => "h0".to_owned(),
        several => format!("h0,h{}", several - 1),
    };
    let seen = trace.source_seen.map_or(String::new(), |seen| format!(", source seen {seen}"));
    put(format!("Note over {over}: {}", message(&format!("{}: {} to {}{seen}", trace.verdict, trace.from, trace.to))));
    for missing in &trace.missing {
        put(format!("Note over {over}: {}", message(&format!("not known: {}", missing.fact))));
    }
    out
}

fn id(places: &[&str], place: &str) -> usize {
    places.iter().position(|known| *known == place).unwrap_or(0)
}

fn way(hops: &[Hop], places: &[&str], arrow: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut previous: Option<&Hop> = None;
    for hop in hops {
        let here = id(places, &hop.at);
        if let Some(from) = previous.map(|hop| id(places, &hop.at)).filter(|from| *from != here) {
            lines.push(format!("h{from}{arrow}h{here}: {}", message(&words::packet(&hop.before))));
        }
        lines.push(format!("Note over h{here}: {}", message(&words::hop(hop))));
        previous = Some(hop);
    }
    lines
}

/// Where the packet ends that does not arrive.
fn lost(trace: &Trace, direction: Direction, hops: &[Hop], places: &[&str]) -> Vec<String> {
    let last = hops.last().map_or(0, |hop| id(places, &hop.at));
    let stops = trace
        .obstacles
        .iter()
        .filter(|obstacle| obstacle.direction == direction && obstacle.verdict != Verdict::Delivered && obstacle.firm);
    stops
        .map(|obstacle| {
            let object = words::object(&obstacle.decision.object, obstacle.decision.rule.as_deref());
            let by = [obstacle.decision.owner.as_str(), &object].join(" ");
            let text = format!("{} by {}: {}", obstacle.verdict, by.trim(), obstacle.decision.because);
            format!("h{last}-xh{last}: {}", message(&text))
        })
        .collect()
}

/// A text as it may stand in a message or a note, where a colon is nothing but a colon.
fn message(text: &str) -> String {
    escaped(text).replace("#58;", ":").replace("#62;", ">")
}

/// A text as it may stand anywhere, in a participant's name too: whatever Mermaid could take for its own is written as its number.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | '/' | '_' | '(' | ')' | '[' | ']' | ',' | '-' | '=' => {
                out.push(c)
            }
            '\n' | '\t' => out.push(' '),
            // What HTML and XML can't hold, or a terminal would act on, is no part of a name anybody reads.
            c if c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c) => {
                out.push('\u{fffd}');
            }
            c if c.is_alphanumeric() => out.push(c),
            c => out.push_str(&format!("#{};", u32::from(c))),
        }
    }
    let trimmed = out.trim();
    if trimmed.is_empty() { "-".to_owned() } else { trimmed.to_owned() }
}
