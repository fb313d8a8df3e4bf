//! Bytes of YAML values that the event parser does not point at itself.

use std::ops::Range;

/// The first `-` of a block list. The parser points at it, except when the list is not indented under its key: then it
/// points behind it.
pub(super) fn first_dash(text: &str, key_end: Option<usize>, start: usize) -> usize {
    let Some(key_end) = key_end else { return start };
    let mut at = key_end;
    while let Some(between) = text.get(at..start) {
        match between.chars().next() {
            Some('-') => return at,
            Some('#') => at += between.find('\n').unwrap_or(between.len()),
            Some('&' | '!') => at += between.find(char::is_whitespace).unwrap_or(between.len()),
            Some(other) => at += other.len_utf8(),
            None => break,
        }
    }
    start
}

/// Where the value of a key would stand that has none: behind its `:`.
pub(super) fn after_colon(text: &str, key_end: Option<usize>, bytes: Range<usize>) -> Range<usize> {
    let key_end = key_end.filter(|end| *end <= bytes.start);
    let rest = key_end.and_then(|end| text.get(end..)).unwrap_or_default();
    match (key_end, rest.trim_start_matches([' ', '\t']).strip_prefix(':')) {
        (Some(key_end), Some(after)) => {
            let at = key_end + rest.len() - after.len();
            at..at
        }
        _ => bytes,
    }
}

/// The lines of a block scalar: from its first (after the indentation, unless it is blank) to the last that is not
/// blank, without its line break. The parser's span leaves out leading blank lines and has the trailing ones.
pub(super) fn content_lines(text: &str, bytes: Range<usize>, content: &str) -> Range<usize> {
    let before = text.get(..bytes.start).unwrap_or_default();
    if is_blank(content) {
        // Nothing to see: the end of the header. The parser points somewhere between the header and what follows.
        let header = text.get(bytes.start..).filter(|rest| rest.starts_with(['|', '>']));
        let header = header.and_then(|rest| rest.lines().next());
        let end = header.map_or(before.trim_end().len(), |header| bytes.start + header.trim_end().len());
        return end..end;
    }
    let mut start = bytes.start;
    let mut line = before.rfind('\n').map_or(0, |at| at + 1);
    while let Some(above) = line.checked_sub(1).and_then(|end| text.get(..end)) {
        let above_start = above.rfind('\n').map_or(0, |at| at + 1);
        if above.get(above_start..).is_none_or(|above| !is_blank(above)) {
            break;
        }
        start = above_start;
        line = above_start;
    }
    let mut lines = text.get(start..bytes.end).unwrap_or_default();
    loop {
        lines = lines.trim_end_matches(['\r', '\n']);
        match lines.rfind('\n') {
            Some(at) if lines.get(at..).is_some_and(is_blank) => lines = lines.get(..at).unwrap_or_default(),
            _ => return start..start + lines.len(),
        }
    }
}

/// A tab among the spaces a line begins with, up to `start`. The event parser lets some of them pass; no other reader
/// of YAML does.
pub(super) fn indenting_tab(text: &str, start: usize) -> Option<usize> {
    let line_start = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let before = text.get(line_start..start)?;
    let is_indentation = before.chars().all(|char| matches!(char, ' ' | '\t' | '-' | '?' | '\u{feff}'));
    before.find('\t').filter(|_| is_indentation).map(|at| line_start + at)
}

fn is_blank(line: &str) -> bool {
    line.trim_matches([' ', '\t', '\r', '\n']).is_empty()
}
