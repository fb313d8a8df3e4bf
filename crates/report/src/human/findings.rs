//! Findings and errors, each with the line it is about.

use super::{Look, Verbosity};
use crate::excerpt::{self, Excerpt};
use crate::text::printable;
use crate::{Report, Trouble, text};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet, Title};
use causeway_model::codes::Code;
use causeway_model::finding::{Finding, Severity};
use causeway_model::source::{Sources, Span};
use std::collections::BTreeMap;

/// Other places of one finding that are shown; the rest is counted.
const MOST_RELATED: usize = 6;

/// Findings of one code that are only worth knowing and shown one by one; more would bury the others.
const MOST_INFOS: usize = 8;

/// Excerpts are cut before they are rendered; the renderer would cut the place out of a long one.
fn renderer(look: &Look) -> Renderer {
    let renderer = if look.color { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).term_width(usize::MAX / 4)
}

/// Characters of a line that fit beside its number.
fn longest(look: &Look) -> usize {
    look.width.saturating_sub(8).max(40)
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    }
}

/// Findings nobody accepted.
pub(super) fn open(report: &Report<'_>, look: &Look, out: &mut String) {
    let renderer = renderer(look);
    let mut infos: BTreeMap<Code, usize> = BTreeMap::new();
    for finding in &report.answer.findings {
        if finding.severity == Severity::Info && !look.says(Verbosity::Verbose) {
            let seen = infos.entry(finding.code).or_default();
            *seen += 1;
            if *seen > MOST_INFOS {
                continue;
            }
        }
        let allowed = report.threshold.allows(finding).then_some("does not count: allowed by `--allow`");
        one(report, finding, allowed, &renderer, look, out);
    }
    for (code, count) in infos.into_iter().filter(|(_, count)| *count > MOST_INFOS) {
        let more = text::count(count - MOST_INFOS, "more finding");
        out.push_str(&format!("info[{code}]: {more} of this code (`-v` lists them)\n"));
        if look.says(Verbosity::Normal) {
            out.push('\n');
        }
    }
}

/// Findings people live with: in full only where asked for.
pub(super) fn accepted(report: &Report<'_>, look: &Look, out: &mut String) {
    if !look.says(Verbosity::Verbose) {
        return;
    }
    let renderer = renderer(look);
    for (finding, because) in &report.answer.accepted {
        let accepted = format!("accepted: {because}");
        one(report, finding, Some(&accepted), &renderer, look, out);
    }
}

/// One finding by itself.
pub(super) fn single(report: &Report<'_>, finding: &Finding, remark: Option<&str>, look: &Look, out: &mut String) {
    let allowed = report.threshold.allows(finding).then_some("does not count: allowed by `--allow`");
    one(report, finding, remark.or(allowed), &renderer(look), look, out);
}

fn one(
    report: &Report<'_>,
    finding: &Finding,
    remark: Option<&str>,
    renderer: &Renderer,
    look: &Look,
    out: &mut String,
) {
    let message = printable(&finding.message);
    let title = level(finding.severity).primary_title(message.as_ref()).id(finding.code.as_str());
    if !look.says(Verbosity::Normal) {
        let place = report.span(finding).map(|span| report.sources.position(span));
        out.push_str(&renderer.render(&[Group::with_title(title)]));
        if let Some(place) = place {
            out.push_str(&format!(" ({}:{}:{})", printable(&place.file), place.line, place.column));
        }
        out.push('\n');
        return;
    }
    let mut shown = Shown::new(title);
    let here = report.span(finding);
    shown = match here {
        Some(span) => shown.excerpt(excerpt::of(report.sources, span, longest(look)), AnnotationKind::Primary, None),
        // The name of a whole section is no place anyone could go to.
        None if !finding.object.contains('.') => shown,
        None => shown.element(Origin::path(finding.object.clone())),
    };
    let related = report.related(finding);
    let elsewhere = |place: &Option<Span>| place.is_some() && *place != here;
    for (place, _, words) in related.iter().filter(|(place, ..)| elsewhere(place)).take(MOST_RELATED) {
        let Some(place) = place else { continue };
        shown = shown.excerpt(excerpt::of(report.sources, *place, longest(look)), AnnotationKind::Context, Some(words));
    }
    for (_, object, words) in related.iter().filter(|(place, ..)| !elsewhere(place)) {
        shown = shown.element(note(&format!("{object}: {words}"), look));
    }
    let hidden = related.iter().filter(|(place, ..)| elsewhere(place)).count().saturating_sub(MOST_RELATED);
    if hidden > 0 {
        shown = shown.element(note(&format!("and {}", text::count(hidden, "more place")), look));
    }
    for line in &finding.evidence {
        shown = shown.element(note(line, look));
    }
    if let Some(since) = finding.since {
        shown = shown.element(note(&format!("as the platform's documents had it on {since}"), look));
    }
    if let Some(remark) = remark {
        shown = shown.element(note(remark, look));
    }
    if !finding.help.is_empty() {
        shown = shown.element(Level::HELP.message(broken(&finding.help, look)));
    }
    shown.render(renderer, out);
}

fn note<'a>(text: &str, look: &Look) -> Element<'a> {
    Level::NOTE.message(broken(text, look)).into()
}

/// A text in lines that fit.
fn broken(text: &str, look: &Look) -> String {
    text::wrap(&printable(text), look.width.saturating_sub(14).max(40)).join("\n")
}

/// One message as it grows: what is shown, and what has to be put right in the rendered text.
struct Shown<'a> {
    group: Group<'a>,
    /// Places as they are printed of a line that was cut, and as they should be.
    corrections: Vec<(String, String)>,
}

impl<'a> Shown<'a> {
    fn new(title: Title<'a>) -> Self {
        Shown { group: Group::with_title(title), corrections: Vec::new() }
    }

    fn element(mut self, element: impl Into<Element<'a>>) -> Self {
        self.group = self.group.element(element);
        self
    }

    /// Adds the line of a place.
    fn excerpt(mut self, excerpt: Excerpt<'_>, kind: AnnotationKind, words: Option<&str>) -> Self {
        let (line, column) = (excerpt.line as usize, excerpt.column as usize);
        let path = printable(excerpt.file).into_owned();
        if excerpt.text.trim().is_empty() {
            return self.element(Origin::path(path).line(line).char_column(column));
        }
        let shown = excerpt.text.get(..excerpt.mark.start).map_or(1, |before| before.chars().count() + 1);
        if shown != column {
            self.corrections.push((format!("{path}:{line}:{shown}"), format!("{path}:{line}:{column}")));
        }
        let mut mark = kind.span(excerpt.mark);
        if let Some(words) = words {
            mark = mark.label(printable(words).into_owned());
        }
        self.element(Snippet::source(excerpt.text).line_start(line).path(path).annotation(mark))
    }

    fn render(self, renderer: &Renderer, out: &mut String) {
        let text = renderer.render(&[self.group]);
        if self.corrections.is_empty() {
            out.push_str(&text);
        } else {
            let mut corrections = self.corrections.iter().peekable();
            for line in text.split_inclusive('\n') {
                match corrections
                    .next_if(|(shown, _)| (line.contains("--> ") || line.contains("::: ")) && line.contains(shown))
                {
                    Some((shown, right)) => out.push_str(&line.replacen(shown, right, 1)),
                    None => out.push_str(line),
                }
            }
        }
        out.push_str("\n\n");
    }
}

/// Errors that leave nothing to check.
pub(super) fn troubles(sources: &Sources, troubles: &[Trouble<'_>], look: &Look, out: &mut String) {
    let renderer = renderer(look);
    for trouble in troubles {
        let mut shown = Shown::new(Level::ERROR.primary_title(printable(trouble.message).into_owned()));
        if let Some(span) = trouble.at {
            shown = shown.excerpt(excerpt::of(sources, span, longest(look)), AnnotationKind::Primary, None);
        }
        if !trouble.help.is_empty() {
            shown = shown.element(Level::HELP.message(broken(trouble.help, look)));
        }
        shown.render(&renderer, out);
    }
}
