//! The path as a picture: the way there on the left, the way back on the right, what stands in the way below.

use super::{Traced, words};
use crate::text::{printable, wrap, xml};
use causeway_trace::{Decision, Direction, Hop, Owner, Trace, Verdict};
use std::fmt::Write as _;

/// The picture's width, in pixels; every length below is one, too.
const WIDTH: usize = 1040;
const MARGIN: usize = 24;
/// Between the two columns.
const GAP: usize = 32;
const COLUMN: usize = (WIDTH - 2 * MARGIN - GAP) / 2;
const LINE: usize = 17;
const PADDING: usize = 10;
/// Room for an arrow between two boxes.
const ARROW: usize = 30;
/// Ten times the width of a character of the widest monospaced font there is, in twelve pixels.
const TENTHS_OF_CHARACTER: usize = 76;

/// Light by itself, dark where the reader's page is; its ground is its own, so it can be read on any.
const STYLE: &str = "\
text { font: 12px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328; }
.ground { fill: #ffffff; }
.box { fill: #f6f8fa; stroke: #8c959f; }
.bad { fill: #ffebe9; stroke: #cf222e; }
.doubt { fill: #fff8c5; stroke: #9a6700; }
.good { fill: #dafbe1; stroke: #1a7f37; }
.way { stroke: #57606a; stroke-width: 1.5; fill: none; }
.head { fill: #57606a; }
.strong { font-weight: bold; }
.faint { fill: #57606a; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.ground { fill: #0d1117; }
.box { fill: #161b22; stroke: #6e7681; }
.bad { fill: #3d1214; stroke: #f85149; }
.doubt { fill: #332701; stroke: #d29922; }
.good { fill: #0f2d18; stroke: #3fb950; }
.way { stroke: #9198a1; }
.head { fill: #9198a1; }
.faint { fill: #9198a1; }
}";

/// One line of a box.
struct Line {
    text: String,
    class: &'static str,
}

/// A box of lines.
struct Card {
    class: &'static str,
    lines: Vec<Line>,
}

impl Card {
    fn new(class: &'static str) -> Card {
        Card { class, lines: Vec::new() }
    }

    fn add(mut self, text: &str, class: &'static str, width: usize) -> Card {
        for text in fold(&printable(text), columns(width)) {
            self.lines.push(Line { text, class });
        }
        self
    }

    fn height(&self) -> usize {
        self.lines.len() * LINE + 2 * PADDING
    }
}

/// The path as a picture.
pub fn svg(traced: &Traced<'_>) -> String {
    let trace = traced.trace;
    let head = head(trace);
    let (forward, reply) = words::ways(trace);
    let (there, back) = (column(&forward, trace, Direction::Forward), column(&reply, trace, Direction::Reply));
    let below = below(trace);
    let top = MARGIN + head.height() + 2 * LINE;
    let sides = tall(&there, ARROW).max(tall(&back, ARROW));
    let bottom = top + LINE + sides + MARGIN;
    let height = if below.is_empty() { bottom } else { bottom + tall(&below, PADDING) + MARGIN };
    let mut canvas = Canvas(String::new());
    canvas.put(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">"
    ));
    canvas.put(&format!("<title>{}</title>", xml(&printable(&summary(trace)))));
    canvas.put(&format!("<style>\n{STYLE}\n</style>"));
    canvas.put(
        "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path class=\"head\" d=\"M0 0 L8 4 L0 8 z\"/></marker></defs>",
    );
    canvas.put(&format!("<rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>"));
    canvas.card(&head, MARGIN, MARGIN, WIDTH - 2 * MARGIN);
    for (title, hops, cards, left) in
        [("the way there", &forward, &there, MARGIN), ("the way back", &reply, &back, MARGIN + COLUMN + GAP)]
    {
        let text = if cards.is_empty() { format!("{title}: not walked") } else { title.to_owned() };
        canvas.text(left, top, "strong", &text);
        canvas.column(hops, cards, left, top + LINE);
    }
    let mut at = bottom;
    for card in &below {
        canvas.card(card, MARGIN, at, WIDTH - 2 * MARGIN);
        at += card.height() + PADDING;
    }
    canvas.put("</svg>");
    canvas.0
}

/// Characters that fit a box of that width.
fn columns(width: usize) -> usize {
    width.saturating_sub(2 * PADDING) * 10 / TENTHS_OF_CHARACTER
}

/// Cards one below the other.
fn tall(cards: &[Card], gap: usize) -> usize {
    cards.iter().map(|card| card.height() + gap).sum::<usize>().saturating_sub(if cards.is_empty() { 0 } else { gap })
}

fn summary(trace: &Trace) -> String {
    format!("{}: {} to {}", trace.verdict, trace.from, trace.to)
}

fn color(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Delivered => "good",
        Verdict::Uncertain => "doubt",
        _ => "bad",
    }
}

fn head(trace: &Trace) -> Card {
    let width = WIDTH - 2 * MARGIN;
    let mut facts: Vec<String> = Vec::new();
    if let Some(seen) = trace.source_seen {
        facts.push(format!("source seen {seen}"));
    }
    if let Some(owner) = trace.snat_by.filter(|owner| *owner != Owner::None) {
        facts.push(format!("rewritten on the node by {owner}"));
    }
    if let Some((address, port)) = trace.dnat_to {
        facts.push(format!("redirected to {}", words::end(address, Some(port).filter(|port| *port != 0))));
    }
    if let Some(subnet) = &trace.governed_by_subnet {
        facts.push(format!("governed by subnet {subnet}"));
    }
    let mut card = Card::new(color(trace.verdict)).add(&summary(trace), "strong", width);
    if !facts.is_empty() {
        card = card.add(&facts.join("; "), "", width);
    }
    for name in words::names(trace) {
        card = card.add(&name, "", width);
    }
    if let Some(decision) = &trace.decided_by {
        card = card.add(&format!("decided by {}", decided(decision)), "", width);
    }
    card
}

fn decided(decision: &Decision) -> String {
    let object = words::object(&decision.object, decision.rule.as_deref());
    let who = [words::owner(decision.owner), &object].into_iter().filter(|part| !part.is_empty());
    let who = who.collect::<Vec<&str>>().join(", ");
    match (who.is_empty(), decision.because.is_empty()) {
        (true, _) => decision.because.clone(),
        (_, true) => who,
        _ => format!("{who}: {}", decision.because),
    }
}

fn column(hops: &[Hop], trace: &Trace, direction: Direction) -> Vec<Card> {
    let stopped = trace.obstacles.iter().any(|obstacle| obstacle.direction == direction && obstacle.firm);
    hops.iter()
        .enumerate()
        .map(|(at, hop)| {
            let last = at + 1 == hops.len();
            let stands = |object: &str| {
                let mut against = trace.obstacles.iter().filter(|obstacle| obstacle.direction == direction);
                !object.is_empty() && against.any(|obstacle| obstacle.decision.object == object)
            };
            let class = if stands(&hop.object) || (last && stopped) { "bad" } else { "box" };
            let mut card = Card::new(class).add(&hop.at, "strong", COLUMN);
            let by = words::owner(hop.by);
            let did = if by.is_empty() { hop.did.clone() } else { format!("{} [{by}]", hop.did) };
            card = card.add(&did, "", COLUMN);
            let change = words::change(&hop.before, &hop.packet);
            if change.is_empty() { card } else { card.add(&change, "", COLUMN) }
        })
        .collect()
}

fn below(trace: &Trace) -> Vec<Card> {
    let width = WIDTH - 2 * MARGIN;
    let mut cards = Vec::new();
    for obstacle in &trace.obstacles {
        let way = if obstacle.direction == Direction::Forward { "there" } else { "back" };
        let text = format!("{} on the way {way}: {}", obstacle.verdict, decided(&obstacle.decision));
        let mut card = Card::new(if obstacle.firm { "bad" } else { "doubt" }).add(&text, "", width);
        if !obstacle.fix.is_empty() {
            card = card.add(&format!("fix: {}", obstacle.fix), "faint", width);
        }
        cards.push(card);
    }
    for missing in &trace.missing {
        let mut card = Card::new("doubt").add(&format!("not known: {}", missing.fact), "", width);
        if !missing.how.is_empty() {
            card = card.add(&format!("to get it: {}", missing.how), "faint", width);
        }
        cards.push(card);
    }
    cards
}

struct Canvas(String);

impl Canvas {
    fn put(&mut self, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{text}");
    }

    fn text(&mut self, x: usize, y: usize, class: &str, text: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.put(&format!("<text x=\"{x}\" y=\"{y}\"{class}>{}</text>", xml(text)));
    }

    fn card(&mut self, card: &Card, x: usize, y: usize, width: usize) {
        let height = card.height();
        self.put(&format!(
            "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"5\"/>",
            card.class
        ));
        for (at, line) in card.lines.iter().enumerate() {
            self.text(x + PADDING, y + PADDING + LINE * at + 13, line.class, &line.text);
        }
    }

    fn column(&mut self, hops: &[Hop], cards: &[Card], x: usize, mut y: usize) {
        let middle = x + 40;
        for (at, card) in cards.iter().enumerate() {
            self.card(card, x, y, COLUMN);
            y += card.height();
            if let (Some(hop), true) = (hops.get(at), at + 1 < cards.len()) {
                self.put(&format!(
                    "<path class=\"way\" marker-end=\"url(#head)\" d=\"M{middle} {} V{}\"/>",
                    y + 1,
                    y + ARROW - 1
                ));
                for text in fold(&words::packet(&hop.packet), columns(COLUMN - 50)).iter().take(1) {
                    self.text(middle + 12, y + ARROW / 2 + 4, "faint", text);
                }
            }
            y += ARROW;
        }
    }
}

/// A text in lines of at most so many columns; a word that is longer is cut. Whatever is not ASCII is taken to be two columns wide.
fn fold(text: &str, most: usize) -> Vec<String> {
    let wide = |c: char| if c.is_ascii() { 1 } else { 2 };
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let (mut piece, mut used) = (String::new(), 0);
        for c in word.chars() {
            if used + wide(c) > most {
                words.push(std::mem::take(&mut piece));
                used = 0;
            }
            piece.push(c);
            used += wide(c);
        }
        words.push(piece);
    }
    let ascii = text.is_ascii();
    wrap(&words.join(" "), if ascii { most } else { most / 2 })
}
