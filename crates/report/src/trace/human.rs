//! For people: the verdict, a line a hop, and what would have to change.

use super::{Traced, words};
use crate::human::{Look, Verbosity};
use crate::text::{printable, wrap};
use causeway_dataplane::packet::Packet;
use causeway_trace::names::{Answer, Remedy};
use causeway_trace::{Decision, Direction, Hop, Missing, Obstacle, Owner, Trace, Verdict};

/// Columns that names of places get before they push the rest aside.
const MOST_AT: usize = 30;

/// How much of a trace is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The verdict and what it rests on.
    Verdict,
    /// Every hop too.
    Hops,
    /// Also the objects of every hop, and every hop of other ways.
    Everything,
}

impl From<Verbosity> for Depth {
    fn from(verbosity: Verbosity) -> Self {
        match verbosity {
            Verbosity::Quiet => Depth::Verdict,
            Verbosity::Normal => Depth::Hops,
            Verbosity::Verbose => Depth::Everything,
        }
    }
}

/// The whole answer of `trace`.
pub fn human(traced: &Traced<'_>, look: &Look) -> String {
    let mut out = headline(traced.trace, look.color);
    out.push('\n');
    out.push_str(&body(traced, look.verbosity.into(), "", look.width));
    out
}

/// `replyLost: pod/shop/web to host/erp:443 over tcp`.
pub(crate) fn headline(trace: &Trace, color: bool) -> String {
    let over = trace.sent.as_ref().map_or(String::new(), |sent| format!(" over {}", words::protocol(sent.protocol)));
    let ends = format!("{} to {}{over}", trace.from, trace.to);
    let verdict = match (color, trace.verdict) {
        (false, verdict) => verdict.as_str().to_owned(),
        (true, Verdict::Delivered) => format!("\u{1b}[1;32m{}\u{1b}[0m", trace.verdict),
        (true, Verdict::Uncertain) => format!("\u{1b}[1;33m{}\u{1b}[0m", trace.verdict),
        (true, _) => format!("\u{1b}[1;31m{}\u{1b}[0m", trace.verdict),
    };
    format!("{verdict}: {}", printable(&ends))
}

/// Everything below the headline, each line behind an indent.
pub(crate) fn body(traced: &Traced<'_>, depth: Depth, indent: &str, width: usize) -> String {
    let mut page = Page { out: String::new(), indent, width: width.saturating_sub(indent.len()).max(60) };
    let trace = traced.trace;
    page.facts(traced);
    page.names(traced, depth);
    if depth != Depth::Verdict {
        if let (true, true, Some(sent)) = (trace.forward.is_empty(), trace.source_seen.is_some(), &trace.sent) {
            page.title("");
            page.title(&format!("The way there: {}, with nothing in between", words::packet(sent)));
        }
        page.way("The way there", &trace.forward, traced, depth);
        page.way("The way back", &trace.reply, traced, depth);
    }
    page.obstacles(traced);
    page.missing(&trace.missing);
    if depth != Depth::Verdict {
        for note in &trace.notes {
            page.text("note: ", note);
        }
    }
    page.ways(traced, depth);
    page.out
}

struct Page<'i> {
    out: String,
    indent: &'i str,
    width: usize,
}

impl Page<'_> {
    /// A text behind what leads it in; lines that follow stand below its first character.
    fn text(&mut self, lead: &str, text: &str) {
        let room = lead.chars().count();
        let lines = wrap(&printable(text), self.width.saturating_sub(room).max(30));
        for (at, line) in lines.iter().enumerate() {
            let lead = if at == 0 { lead.to_owned() } else { " ".repeat(room) };
            self.out.push_str(&format!("{}{lead}{line}\n", self.indent));
        }
    }

    fn title(&mut self, title: &str) {
        let line = if title.is_empty() { String::new() } else { format!("{}{title}", self.indent) };
        self.out.push_str(&format!("{line}\n"));
    }

    fn facts(&mut self, traced: &Traced<'_>) {
        let trace = traced.trace;
        let mut fact = |name: &str, value: String| self.text(&format!("  {name:19}"), &value);
        if let Some(seen) = trace.source_seen {
            let whose = whose(trace, seen);
            fact("source seen", format!("{seen}{whose}"));
        }
        match (trace.source_leaving_node, trace.snat_by) {
            (Some(source), Some(Owner::None)) => fact("leaves the node as", format!("{source}, unchanged")),
            (Some(source), Some(owner)) => fact("leaves the node as", format!("{source}, rewritten by {owner}")),
            (Some(source), None) => fact("leaves the node as", source.to_string()),
            (None, Some(owner)) if owner != Owner::None => fact("rewritten by", format!("{owner}, on the node")),
            (None, _) => {}
        }
        if let Some((address, port)) = trace.dnat_to {
            fact("redirected to", words::end(address, Some(port).filter(|port| *port != 0)));
        }
        if let Some(subnet) = &trace.governed_by_subnet {
            fact("governed by", format!("subnet {subnet}: its routes, filters and NAT gateway"));
        }
        if let Some(decision) = &trace.decided_by {
            fact("decided by", decision_words(traced, decision));
        }
        if let Some(seconds) = trace.idle_timeout_seconds {
            fact("idle timeout", format!("{}, the shortest of a stateful hop", words::duration(seconds)));
        }
        if let Some(mtu) = trace.mtu {
            fact("MTU", format!("{mtu} bytes"));
        }
    }

    /// How the receiver's name was resolved: in full where that is all there is to say, else where it is asked for.
    fn names(&mut self, traced: &Traced<'_>, depth: Depth) {
        let trace = traced.trace;
        let answers: Vec<&Answer> = match trace.resolutions.as_slice() {
            [] => trace.resolution.iter().collect(),
            several => several.iter().collect(),
        };
        for (answer, words) in answers.into_iter().zip(words::names(trace)) {
            let aliases: String = answer.aliases.iter().map(|alias| format!(", an alias of {alias}")).collect();
            self.title("");
            self.text("", &format!("The name {words}{aliases}"));
            if depth != Depth::Verdict {
                for (at, step) in answer.steps.iter().enumerate() {
                    let place = if depth == Depth::Everything { place(traced, &step.object) } else { String::new() };
                    self.text(&format!("{:>4}  ", at + 1), &format!("{}{place}: {}", step.asked, step.said));
                }
            }
            if let Some(Remedy { object, because, fix }) = &answer.remedy {
                self.text("      ", &format!("{object}{}: {because}", place(traced, object)));
                self.text("      fix: ", fix);
            }
            if depth != Depth::Verdict {
                answer.notes.iter().for_each(|note| self.text("      note: ", note));
            }
        }
    }

    fn way(&mut self, title: &str, hops: &[Hop], traced: &Traced<'_>, depth: Depth) {
        let Some(first) = hops.first() else { return };
        self.title("");
        self.title(&format!("{title}: {}", words::packet(&first.before)));
        let names: Vec<String> = hops.iter().map(|hop| printable(&hop.at).into_owned()).collect();
        let wide = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(MOST_AT);
        let mut came = first.before;
        for (at, (hop, name)) in hops.iter().zip(&names).enumerate() {
            let lead = format!("{:>4}  {name:wide$}  ", at + 1);
            self.text(&lead, &hop_words(hop, &came));
            came = hop.packet;
            if depth == Depth::Everything && !hop.object.is_empty() {
                let place = place(traced, &hop.object);
                self.text(&format!("      {:wide$}  ", ""), &format!("{}{place}", hop.object));
            }
        }
    }

    fn obstacles(&mut self, traced: &Traced<'_>) {
        let obstacles = &traced.trace.obstacles;
        if obstacles.is_empty() {
            return;
        }
        self.title("");
        self.title("What would have to change, all of it");
        for (at, obstacle) in obstacles.iter().enumerate() {
            let Obstacle { direction, verdict, decision, fix, firm, .. } = obstacle;
            let way = match direction {
                Direction::Forward => "there",
                Direction::Reply => "back",
            };
            let firm = if *firm { "" } else { ", unless what is not known says otherwise" };
            let text = format!("{verdict} on the way {way}: {}{firm}", decision_words(traced, decision));
            self.text(&format!("{:>4}  ", at + 1), &text);
            if !fix.is_empty() {
                self.text("      fix: ", fix);
            }
        }
    }

    fn missing(&mut self, missing: &[Missing]) {
        if missing.is_empty() {
            return;
        }
        self.title("");
        self.title("Not known, and needed");
        for Missing { fact, how } in missing {
            self.text("   -  ", fact);
            if !how.is_empty() {
                self.text("      to get it: ", how);
            }
        }
    }

    fn ways(&mut self, traced: &Traced<'_>, depth: Depth) {
        if traced.trace.ways.is_empty() {
            return;
        }
        self.title("");
        self.title("The ways it may take");
        for (at, way) in traced.trace.ways.iter().enumerate() {
            let to = way.dnat_to.map_or(way.to.clone(), |(address, port)| words::end(address, Some(port)));
            let seen = way.source_seen.map_or(String::new(), |seen| format!(", source seen {seen}"));
            let because = match (&way.decided_by, way.verdict) {
                (Some(decision), verdict) if verdict != Verdict::Delivered => {
                    format!(", by {}", decision_words(traced, decision))
                }
                _ => String::new(),
            };
            self.text(&format!("{:>4}  ", at + 1), &format!("{} to {to}{seen}{because}", way.verdict));
            if depth == Depth::Everything {
                let indent = format!("{}      ", self.indent);
                let inner = body(&traced.with(way), Depth::Hops, &indent, self.width + self.indent.len());
                self.out.push_str(&inner);
            }
        }
    }
}

/// Whose address it is, where that is one of the sender's.
fn whose(trace: &Trace, seen: std::net::IpAddr) -> &'static str {
    match (&trace.sent, trace.sender_node) {
        (_, Some(node)) if node == seen && trace.sent.as_ref().is_some_and(|sent| sent.source == seen) => "",
        (Some(sent), _) if sent.source == seen => ", the sender's own",
        (_, Some(node)) if node == seen => ", its node's",
        _ => "",
    }
}

/// What a hop did. What happened to the packet since the hop before is told as well.
fn hop_words(hop: &Hop, came: &Packet) -> String {
    let since =
        if hop.before == *came { String::new() } else { format!(" (it came as {})", words::packet(&hop.before)) };
    format!("{}{since}", words::hop(hop))
}

fn decision_words(traced: &Traced<'_>, decision: &Decision) -> String {
    let Decision { owner, object, rule, because } = decision;
    let object = words::object(object, rule.as_deref());
    let who = match (owner, object.is_empty()) {
        (Owner::None, _) => object.clone(),
        (owner, true) => owner.to_string(),
        (owner, false) => format!("{owner}, {object}"),
    };
    let place = place(traced, &decision.object);
    match (who.is_empty(), because.is_empty()) {
        (true, _) => because.clone(),
        (false, true) => format!("{who}{place}"),
        (false, false) => format!("{who}{place}: {because}"),
    }
}

/// ` (design.yaml:12:5)`.
fn place(traced: &Traced<'_>, object: &str) -> String {
    traced.place(object).map_or(String::new(), |place| format!(" ({}:{}:{})", place.file, place.line, place.column))
}
