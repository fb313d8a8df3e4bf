//! The line of the user's file a finding is about, cut to what fits.

use causeway_model::source::{Sources, Span};
use std::ops::Range;

/// Characters of a line that is cut that stand before the place; exports are often one line of megabytes.
const BEFORE: usize = 30;

/// One line, or a cut of it, with the bytes to mark.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Excerpt<'a> {
    pub(crate) file: &'a str,
    /// From 1.
    pub(crate) line: u32,
    /// From 1, in characters, in the whole line.
    pub(crate) column: u32,
    pub(crate) text: String,
    /// Bytes of `text`.
    pub(crate) mark: Range<usize>,
}

/// The first line of a span, cut to at most `longest` characters (and one or two that say it was cut).
pub(crate) fn of(sources: &Sources, span: Span, longest: usize) -> Excerpt<'_> {
    let position = sources.position(span);
    let text = sources.text(span.file);
    let (start, end) = (span.start as usize, (span.end as usize).max(span.start as usize));
    let (before, after) = text.split_at_checked(start).unwrap_or((text, ""));
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line_rest = after.split('\n').next().unwrap_or("").trim_end_matches('\r');
    let head = before.get(line_start..).unwrap_or("");
    // A place of several lines is marked to the end of its first one.
    let marked = line_rest.get(..end - start).unwrap_or(line_rest).trim_end();
    let tail = line_rest.get(marked.len()..).unwrap_or("");

    let mut cut = String::new();
    let head = match head.char_indices().nth_back(BEFORE) {
        Some((at, _)) if longer(head, marked, tail, longest) => {
            cut.push('…');
            head.get(at..).unwrap_or(head)
        }
        _ => head,
    };
    cut.push_str(head);
    let from = cut.len();
    let room = longest.saturating_sub(cut.chars().count()).max(BEFORE);
    match marked.char_indices().nth(room) {
        Some((at, _)) => {
            cut.push_str(marked.get(..at).unwrap_or(marked));
            let to = cut.len();
            cut.push('…');
            return Excerpt {
                file: sources.name(span.file),
                line: position.line,
                column: position.column,
                text: cut,
                mark: from..to,
            };
        }
        None => cut.push_str(marked),
    }
    let to = cut.len();
    let room = longest.saturating_sub(cut.chars().count());
    match tail.char_indices().nth(room) {
        Some((at, _)) => {
            cut.push_str(tail.get(..at).unwrap_or(tail));
            cut.push('…');
        }
        None => cut.push_str(tail),
    }
    Excerpt { file: sources.name(span.file), line: position.line, column: position.column, text: cut, mark: from..to }
}

/// The line is too long to show. Looks at no more of it than it must.
fn longer(head: &str, marked: &str, tail: &str, longest: usize) -> bool {
    [head, marked, tail].into_iter().flat_map(str::chars).nth(longest).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: usize = 92;

    fn excerpt(text: &str, span: Range<u32>) -> (u32, u32, String, String) {
        let mut sources = Sources::default();
        let file = sources.add("a.json", text.into());
        let excerpt = of(&sources, Span { file, start: span.start, end: span.end }, LONGEST);
        (excerpt.line, excerpt.column, excerpt.text.clone(), excerpt.text.get(excerpt.mark).unwrap().to_owned())
    }

    #[test]
    fn a_short_line_is_shown_whole() {
        let text = "a: 1\nprefix: 10.0.0.0/8 # x\r\nb: 2\n";
        assert_eq!(excerpt(text, 13..23), (2, 9, "prefix: 10.0.0.0/8 # x".into(), "10.0.0.0/8".into()));
    }

    #[test]
    fn a_place_of_several_lines_is_marked_on_its_first() {
        let text = "pods:\n  a: 1\n  b: 2\n";
        assert_eq!(excerpt(text, 8..20), (2, 3, "  a: 1".into(), "a: 1".into()));
    }

    #[test]
    fn a_place_in_a_line_of_megabytes_is_cut_out() {
        let text = format!("{{{}\"prefix\":\"10.0.0.0/8\"{}}}", "\"é\":1,".repeat(100_000), ",\"y\":2".repeat(100_000));
        let at = text.find("\"10.").unwrap();
        let at = u32::try_from(at).unwrap();
        let (line, column, text, marked) = excerpt(&text, at..at + 12);
        assert_eq!((line, column), (1, 600_011));
        assert!(text.starts_with('…') && text.ends_with('…'), "{text}");
        assert_eq!(text.chars().count(), LONGEST + 1);
        assert_eq!(marked, "\"10.0.0.0/8\"");
    }

    #[test]
    fn a_huge_value_is_cut_too() {
        let text = format!("a: {}", "x".repeat(1000));
        let (.., text, marked) = excerpt(&text, 3..1003);
        assert!(text.ends_with("x…") && marked.len() < 200, "{text}");
    }

    #[test]
    fn the_end_of_a_file_is_a_place() {
        assert_eq!(excerpt("a: 1\n", 5..5), (2, 1, String::new(), String::new()));
        assert_eq!(excerpt("", 0..0), (1, 1, String::new(), String::new()));
        assert_eq!(excerpt("ab", 90..99), (1, 1, "ab".into(), String::new()));
    }
}
