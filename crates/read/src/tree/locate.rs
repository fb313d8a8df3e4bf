//! The bytes of a part of a scalar, for texts inside texts: a YAML file in a ConfigMap, an address in a JSON string.
//!
//! The scalar is read once more from its own bytes, this time noting which bytes gave which part of the text. If that
//! does not give the text the scalar has (it was made by an importer), the answer is the whole scalar.

use super::build::line_and_column;
use super::json_scalar;
use super::{Entry, Limits, Node, Scalar, Style, SyntaxError, Value};
use causeway_model::source::{Sources, Span};
use std::ops::Range;
use std::sync::Arc;

/// The bytes of a file that a part of a scalar's text was written in. `inner` counts bytes of the unescaped text.
///
/// Where the way back cannot be told it is the whole scalar.
pub fn locate_in_scalar(sources: &Sources, node: &Node, inner: Range<usize>) -> Span {
    Origins::of(sources, node).locate(inner)
}

/// Reads the YAML or JSON a scalar holds. The spans of trees and errors point into the file the scalar stands in.
///
/// # Errors
///
/// As [`super::parse`]; also when the node is no scalar.
pub fn parse_in_scalar(sources: &Sources, node: &Node, limits: &Limits) -> Result<Vec<Node>, Vec<SyntaxError>> {
    let Some(text) = node.text() else {
        return Err(vec![SyntaxError {
            span: node.span,
            message: format!("{} stands where a text is expected", node.type_name()),
            help: "write the content as a text block (`|`)".to_owned(),
        }]);
    };
    let origins = Origins::of(sources, node);
    let file = sources.text(node.span.file);
    let places = |at: usize| line_and_column(file, origins.locate(at..at).start as usize);
    match super::parse_with_places(text, node.span.file, limits, &places) {
        Ok(documents) => Ok(documents.iter().map(|document| origins.moved(document)).collect()),
        Err(mut errors) => {
            for error in &mut errors {
                error.span = origins.locate(error.span.start as usize..error.span.end as usize);
            }
            Err(errors)
        }
    }
}

/// A part of a scalar's text and the bytes of the file it comes from. Where both have the same bytes, `verbatim`.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    text: Range<usize>,
    raw: Range<usize>,
    verbatim: bool,
}

/// Where the text of a scalar comes from; no pieces if that is not known.
struct Origins<'n> {
    whole: Span,
    text: &'n str,
    pieces: Vec<Piece>,
}

impl<'n> Origins<'n> {
    fn of(sources: &Sources, node: &'n Node) -> Origins<'n> {
        let whole = node.span;
        let (text, pieces) = match &node.value {
            Value::Scalar(scalar) => {
                (scalar.text.as_ref(), trace(sources.text(whole.file), whole, scalar).unwrap_or_default())
            }
            _ => ("", Vec::new()),
        };
        Origins { whole, text, pieces }
    }

    fn locate(&self, inner: Range<usize>) -> Span {
        // Also refuses ranges that are reversed, too long, or in the middle of a character.
        if self.text.get(inner.clone()).is_none() || self.pieces.is_empty() {
            return self.whole;
        }
        let start = self.start_of(inner.start);
        let end = if inner.is_empty() { start } else { self.end_of(inner.end) };
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Span { file: self.whole.file, start, end: end.max(start) },
            _ => self.whole,
        }
    }

    /// The byte that gave the byte `at` of the text; behind the last for the end of the text.
    fn start_of(&self, at: usize) -> usize {
        let index = self.pieces.partition_point(|piece| piece.text.end <= at);
        match self.pieces.get(index) {
            Some(piece) if piece.verbatim => piece.raw.start + at.saturating_sub(piece.text.start),
            Some(piece) => piece.raw.start,
            None => self.pieces.last().map_or(0, |piece| piece.raw.end),
        }
    }

    /// The byte behind the one that gave the byte before `at` of the text.
    fn end_of(&self, at: usize) -> usize {
        let index = self.pieces.partition_point(|piece| piece.text.end < at);
        match self.pieces.get(index) {
            Some(piece) if piece.verbatim => piece.raw.start + at.saturating_sub(piece.text.start),
            Some(piece) => piece.raw.end,
            None => self.pieces.last().map_or(0, |piece| piece.raw.end),
        }
    }

    /// The same tree with spans of the outer file. Its depth is limited, it was just parsed.
    fn moved(&self, node: &Node) -> Node {
        let span = self.locate(node.span.start as usize..node.span.end as usize);
        let value = match &node.value {
            Value::Scalar(scalar) => Value::Scalar(scalar.clone()),
            Value::Seq(items) => Value::Seq(Arc::new(items.iter().map(|item| self.moved(item)).collect())),
            Value::Map(entries) => Value::Map(Arc::new(
                entries
                    .iter()
                    .map(|entry| Entry {
                        key: entry.key.clone(),
                        key_span: self.locate(entry.key_span.start as usize..entry.key_span.end as usize),
                        node: self.moved(&entry.node),
                    })
                    .collect(),
            )),
        };
        Node { span, value }
    }
}

fn trace(file: &str, span: Span, scalar: &Scalar) -> Option<Vec<Piece>> {
    let (start, end) = (span.start as usize, span.end as usize);
    let raw = file.get(start..end)?;
    if raw == scalar.text.as_ref() {
        return Some(vec![Piece { text: 0..raw.len(), raw: start..end, verbatim: true }]);
    }
    if scalar.style == Style::Block {
        return literal(file, start, &scalar.text).or_else(|| folded(file, start, &scalar.text));
    }
    let (quote, content) = match raw.chars().next() {
        Some(quote @ ('"' | '\'')) if scalar.style == Style::Quoted && raw.len() >= 2 && raw.ends_with(quote) => {
            (Some(quote), start + 1..end - 1)
        }
        _ => (None, start..end),
    };
    let mut flow = Flow { file, text: String::new(), pieces: Vec::new() };
    flow.read(content, quote)?;
    (flow.text == scalar.text.as_ref()).then_some(flow.pieces)
}

/// Line by line without the indentation: `|` blocks, and `>` blocks of one line.
fn literal(file: &str, start: usize, text: &str) -> Option<Vec<Piece>> {
    let first = file.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let indent = block_indent(file.get(first..)?, text)?;
    let mut pieces = Vec::new();
    let (mut text_at, mut raw_at) = (0, first);
    while text_at < text.len() {
        let line = text.get(text_at..)?.split('\n').next()?;
        let raw_line = file.get(raw_at..)?.split('\n').next()?;
        let visible = raw_line.strip_suffix('\r').unwrap_or(raw_line);
        match visible.get(indent..) {
            Some(content) if content == line => {
                let raw = raw_at + indent..raw_at + indent + line.len();
                pieces.push(Piece { text: text_at..text_at + line.len(), raw, verbatim: true });
            }
            _ if line.is_empty() && visible.trim_matches(' ').is_empty() => {}
            _ => return None,
        }
        text_at += line.len();
        let line_end = raw_at + raw_line.len();
        if text_at < text.len() {
            // The last line of a file may lack the line break its text has.
            let next = (line_end + 1).min(file.len());
            pieces.push(Piece { text: text_at..text_at + 1, raw: raw_at + visible.len()..next, verbatim: false });
            text_at += 1;
            raw_at = next;
        }
    }
    Some(pieces)
}

/// Spaces before the lines of a block: what the first line with something in it has more than its text.
fn block_indent(raw: &str, text: &str) -> Option<usize> {
    let leading = |lines: &str| {
        let line = lines.split('\n').find(|line| !line.trim_matches([' ', '\r']).is_empty())?;
        Some(line.len() - line.trim_start_matches(' ').len())
    };
    leading(raw)?.checked_sub(leading(text)?)
}

/// `>` blocks: folding changes spaces and line breaks only, so everything else stands in the same order.
fn folded(file: &str, start: usize, text: &str) -> Option<Vec<Piece>> {
    let is_space = |char: char| matches!(char, ' ' | '\n' | '\r');
    let mut pieces = Vec::new();
    let (mut text_at, mut raw_at) = (0, start);
    while text_at < text.len() {
        let (text_rest, raw_rest) = (text.get(text_at..)?, file.get(raw_at..)?);
        let text_space = text_rest.len() - text_rest.trim_start_matches(is_space).len();
        let raw_space = raw_rest.len() - raw_rest.trim_start_matches(is_space).len();
        if text_space > 0 {
            pieces.push(Piece {
                text: text_at..text_at + text_space,
                raw: raw_at..raw_at + raw_space,
                verbatim: text_rest.get(..text_space) == raw_rest.get(..raw_space),
            });
        }
        text_at += text_space;
        raw_at += raw_space;
        let word = text.get(text_at..)?.split(is_space).next()?;
        if !file.get(raw_at..)?.starts_with(word) || word.is_empty() && text_at < text.len() {
            return None;
        }
        pieces.push(Piece { text: text_at..text_at + word.len(), raw: raw_at..raw_at + word.len(), verbatim: true });
        text_at += word.len();
        raw_at += word.len();
    }
    Some(pieces)
}

/// Reads plain and quoted scalars again, over several lines if need be.
struct Flow<'t> {
    file: &'t str,
    text: String,
    pieces: Vec<Piece>,
}

impl Flow<'_> {
    fn read(&mut self, content: Range<usize>, quote: Option<char>) -> Option<()> {
        let mut at = content.start;
        while at < content.end {
            let rest = self.file.get(at..content.end)?;
            let first = rest.chars().next()?;
            let broken = rest.trim_start_matches([' ', '\t']);
            at = match first {
                ' ' | '\t' | '\r' | '\n' if broken.starts_with(['\r', '\n']) => self.line_break(at, rest),
                '\\' if quote == Some('"') => self.escape(at, rest)?,
                '\'' if quote == Some('\'') => {
                    self.put("'", at..at + 2, false);
                    at + 2
                }
                _ => {
                    let special = |char: char| matches!(char, ' ' | '\t' | '\r' | '\n' | '\\' | '\'');
                    let length =
                        rest.char_indices().skip(1).find(|(_, char)| special(*char)).map_or(rest.len(), |(at, _)| at);
                    self.put(rest.get(..length)?, at..at + length, true);
                    at + length
                }
            };
        }
        Some(())
    }

    fn put(&mut self, text: &str, raw: Range<usize>, verbatim: bool) {
        let start = self.text.len();
        self.text.push_str(text);
        let text = start..self.text.len();
        match self.pieces.last_mut() {
            Some(last) if verbatim && last.verbatim && last.raw.end == raw.start => {
                last.text.end = text.end;
                last.raw.end = raw.end;
            }
            _ => self.pieces.push(Piece { text, raw, verbatim }),
        }
    }

    /// One line break is a space, more are one less; spaces around them are nothing.
    fn line_break(&mut self, at: usize, rest: &str) -> usize {
        let length = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        let breaks = rest.chars().take(length).filter(|char| *char == '\n').count();
        let text = if breaks == 1 { " ".to_owned() } else { "\n".repeat(breaks.saturating_sub(1)) };
        self.put(&text, at..at + length, false);
        at + length
    }

    fn escape(&mut self, at: usize, rest: &str) -> Option<usize> {
        let escaped = rest.chars().nth(1)?;
        let digits = |count: usize| {
            let value = u32::from_str_radix(rest.get(2..2 + count)?, 16).ok()?;
            Some((char::from_u32(value)?, 2 + count))
        };
        let (char, length) = match escaped {
            '\r' | '\n' => {
                // An escaped line break and the indentation after it are nothing.
                let after = rest.get(1..)?.trim_start_matches('\r');
                let after = after.strip_prefix('\n')?.trim_start_matches([' ', '\t']);
                return Some(at + rest.len() - after.len());
            }
            '0' => ('\0', 2),
            'a' => ('\u{7}', 2),
            '\t' => ('\t', 2),
            'v' => ('\u{b}', 2),
            'e' => ('\u{1b}', 2),
            ' ' => (' ', 2),
            'N' => ('\u{85}', 2),
            '_' => ('\u{a0}', 2),
            'L' => ('\u{2028}', 2),
            'P' => ('\u{2029}', 2),
            'x' => digits(2)?,
            'U' => digits(8)?,
            _ => json_scalar::escape(self.file, at).ok()?,
        };
        self.put(char.encode_utf8(&mut [0; 4]), at..at + length, false);
        Some(at + length)
    }
}
