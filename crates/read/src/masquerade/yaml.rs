//! YAML as the agents read it: go-yaml version 2 and the conversion to JSON behind it. Scalars mean what YAML 1.1 says,
//! only the first document counts, a key may stand twice, and keys that are no strings become strings.
//!
//! What is accepted follows those libraries; where YAML itself is broken the words of libyaml are used as far as the two
//! parsers see the same mistake.

use super::scalar::{self, Resolved};
use super::value::{Document, Fault, Frame, Member, Node, Step, Value};
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle, Tag};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// Values that aliases may add. The library has a bound of its own that depends on the size of the text.
const MAX_ALIASED: usize = 100_000;

/// Nesting beyond which the library gives up.
const MAX_DEPTH: usize = 10_000;

/// Reads the first document of a YAML text.
///
/// # Errors
/// What the library says, and where.
pub(super) fn read(bytes: &[u8]) -> Result<Document, Fault> {
    let text = decode(bytes)?;
    let options = granit_parser::options! { flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH };
    let mut parser = Parser::new_from_str_with_options(&text, options);
    let mut reader =
        Reader { text: &text, frames: Vec::new(), flow: Vec::new(), anchors: BTreeMap::new(), aliased: 0, root: None };
    loop {
        match parser.next_event() {
            None => break,
            Some(Err(error)) => return Err(reader.syntax(&error)),
            Some(Ok((Event::DocumentEnd, _))) => break,
            Some(Ok((event, span))) => reader.event(event, &span)?,
        }
    }
    let root = reader.root.take().unwrap_or(Node { range: 0..text.len(), value: Value::Null });
    Ok(Document { root, json: false, more: second_document(&mut parser, &text) })
}

/// Where a second document begins, if one that says something follows. Errors in it are nobody's business: it is not read.
fn second_document<'t>(parser: &mut Parser<'t, StrInput<'t>>, text: &str) -> Option<Range<usize>> {
    loop {
        match parser.next_event()? {
            Ok((Event::DocumentStart(..), span)) => {
                let start = span.byte_range().map_or(0, |range| range.start);
                let rest = text.get(start..).unwrap_or("");
                let says = rest.lines().any(|line| {
                    let line = line.trim().trim_start_matches("---").trim();
                    !line.is_empty() && !line.starts_with('#') && line != "..."
                });
                return says.then(|| start..start + rest.lines().next().map_or(0, str::len));
            }
            Ok((Event::StreamEnd, _)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// The text of the bytes: UTF-8, or UTF-16 with its mark, and no control characters.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks(2).map(|pair| match pair {
            [a, b] => unit([*a, *b]),
            _ => 0xd800,
        });
        char::decode_utf16(units).collect::<Result<String, _>>().map(Cow::Owned).map_err(|_| ("invalid UTF-16", 0))
    };
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
            let at = error.valid_up_to();
            let message = match (bytes.get(at), error.error_len()) {
                (Some(0x80..=0xbf | 0xf8..), _) => "invalid leading UTF-8 octet",
                (_, None) => "incomplete UTF-8 octet sequence",
                _ => "invalid trailing UTF-8 octet",
            };
            (message, at)
        }),
    };
    let text = text.map_err(|(message, at)| convert(format!("yaml: {message}"), at..at + 1))?;
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    let content = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mark = text.len() - content.len();
    match content.char_indices().find(|(_, c)| !allowed(*c) || *c == '\u{feff}') {
        Some((at, c)) => {
            Err(convert("yaml: control characters are not allowed".to_owned(), mark + at..mark + at + c.len_utf8()))
        }
        None => Ok(text),
    }
}

fn convert(message: String, range: Range<usize>) -> Fault {
    Fault { step: Step::Convert, message, range }
}

struct Reader<'t> {
    text: &'t str,
    frames: Vec<Frame>,
    /// Which of the open lists and mappings are in brackets.
    flow: Vec<bool>,
    /// What an alias stands for; `None` while it is still open.
    anchors: BTreeMap<usize, Option<Node>>,
    aliased: usize,
    root: Option<Node>,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let range = span.byte_range().unwrap_or(0..0);
        match event {
            Event::DocumentStart(_, Some(version)) if (version.major, version.minor) != (1, 1) => {
                Err(convert("yaml: found incompatible YAML document".to_owned(), range))
            }
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), range),
            Event::SequenceStart(style, anchor, _) => self.open(false, style, anchor, range),
            Event::MappingStart(style, anchor, _) => self.open(true, style, anchor, range),
            Event::SequenceEnd | Event::MappingEnd => self.close(&range),
            Event::Alias(id) => self.alias(id, range),
            _ => Ok(()),
        }
    }

    fn open(&mut self, is_map: bool, style: StructureStyle, anchor: usize, range: Range<usize>) -> Result<(), Fault> {
        if self.wants_key() {
            // go-yaml builds the key before it refuses it; what it prints of it depends on its memory.
            return Err(convert(format!("yaml: invalid map key: {}", if is_map { "map" } else { "slice" }), range));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        self.flow.push(style == StructureStyle::Flow);
        self.frames.push(Frame::new(range.start, is_map, anchor));
        Ok(())
    }

    fn close(&mut self, range: &Range<usize>) -> Result<(), Fault> {
        let depth = self.frames.len();
        self.flow.pop();
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let last =
            frame.items.last().map(|node| node.range.end).max(frame.members.last().map(|member| member.node.range.end));
        let end = if range.is_empty() { last.unwrap_or(frame.start) } else { range.end };
        let anchor = frame.anchor;
        let node = frame.close(end, depth);
        self.place(node, anchor)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        range: Range<usize>,
    ) -> Result<(), Fault> {
        let plain = style == ScalarStyle::Plain;
        let nothing = plain && range.is_empty();
        let text = if nothing { "" } else { text };
        if plain && text.starts_with(':') && self.flow.last() == Some(&true) {
            // Inside brackets a colon never begins a scalar to this library.
            return Err(self.parser_fault("did not find expected node content", range));
        }
        let merge = plain && text == "<<" && tag.is_none_or(|tag| scalar::short_tag(tag).as_deref() == Some("!!merge"));
        let resolved =
            scalar::resolve(text, plain, tag).map_err(|message| convert(format!("yaml: {message}"), range.clone()))?;
        if self.wants_key() {
            return self.key(resolved, merge, anchor, range);
        }
        let value = match resolved {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => Value::Bool(value),
            Resolved::Number(text) => Value::Number(text),
            // JSON has no word for it; the error comes when the table is written as JSON.
            Resolved::NotFinite(text) => {
                return Err(convert(format!("json: unsupported value: {text}"), range));
            }
            Resolved::String(text) => Value::String(text),
        };
        self.place(Node { range, value }, anchor)
    }

    fn key(&mut self, resolved: Resolved, merge: bool, anchor: usize, range: Range<usize>) -> Result<(), Fault> {
        let (key, value) = match resolved {
            Resolved::String(text) => (text.clone(), Value::String(text)),
            Resolved::Bool(value) => (value.to_string(), Value::Bool(value)),
            Resolved::Number(text) => (text.clone(), Value::Number(text)),
            Resolved::NotFinite(text) => {
                let key = match text {
                    "+Inf" => ".inf",
                    "-Inf" => "-.inf",
                    _ => ".nan",
                };
                (key.to_owned(), Value::String(key.to_owned()))
            }
            Resolved::Null => {
                return Err(convert("unsupported map key of type: %!s(<nil>), key: <nil>".to_owned(), range));
            }
        };
        if anchor != 0 {
            self.anchors.insert(anchor, Some(Node { range: range.clone(), value }));
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.key = Some((key, range, merge));
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, range: Range<usize>) -> Result<(), Fault> {
        let name = self.text.get(range.clone()).unwrap_or("").trim_start_matches('*');
        let node = match self.anchors.get(&id) {
            Some(Some(node)) => node.clone(),
            Some(None) => {
                return Err(convert(format!("yaml: anchor '{name}' value contains itself"), range));
            }
            None => {
                return Err(convert(format!("yaml: unknown anchor '{name}' referenced"), range));
            }
        };
        self.aliased = self.aliased.saturating_add(size(&node));
        if self.aliased > MAX_ALIASED {
            return Err(convert("yaml: document contains excessive aliasing".to_owned(), range));
        }
        if self.wants_key() {
            let resolved = match node.value {
                Value::String(text) => Resolved::String(text),
                Value::Bool(value) => Resolved::Bool(value),
                Value::Number(text) => Resolved::Number(text),
                Value::Null => Resolved::Null,
                Value::Seq(_) | Value::Map(_) => {
                    return Err(convert(format!("yaml: invalid map key: {}", node.value.go_word()), range));
                }
            };
            return self.key(resolved, false, 0, range);
        }
        self.place(node, 0)
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        if anchor != 0 {
            self.anchors.insert(anchor, Some(node.clone()));
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match frame.key.take() {
            Some((_, _, true)) => return merge(frame, node),
            Some((key, key_range, false)) => frame.members.push(Member { key, key_range, node }),
            None => frame.items.push(node),
        }
        Ok(())
    }

    fn wants_key(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_map && frame.key.is_none())
    }

    /// The words libyaml has for a mistake both parsers see, with its line number.
    fn syntax(&self, error: &ScanError) -> Fault {
        let at = error.marker().byte_offset().unwrap_or(self.text.len()).min(self.text.len());
        let end = self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
        let (message, by_parser) = match error.kind() {
            ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
                ("mapping values are not allowed in this context", false)
            }
            ErrorKind::MappingKeyNotAllowed => ("mapping keys are not allowed in this context", false),
            ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::BlockEntryInFlowCollection => {
                ("block sequence entries are not allowed in this context", false)
            }
            ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => ("could not find expected ':'", false),
            ErrorKind::UnclosedQuotedScalar => ("found unexpected end of stream", false),
            ErrorKind::DocumentIndicatorInQuotedScalar => ("found unexpected document indicator", false),
            ErrorKind::UnknownQuotedScalarEscape => ("found unknown escape character", false),
            ErrorKind::MissingAnchorOrAliasName => ("did not find expected alphabetic or numeric character", false),
            ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
            | ErrorKind::InvalidBlockEntryWhitespace
            | ErrorKind::InvalidMappingValueWhitespace
            | ErrorKind::UnexpectedCharacter { .. } => ("found character that cannot start any token", false),
            ErrorKind::TabAtBlockScalarStart => ("found a tab character where an indentation space is expected", false),
            ErrorKind::UndeclaredTagHandle => ("found undefined tag handle", true),
            ErrorKind::ExpectedBlockMappingKey => ("did not find expected key", true),
            ErrorKind::ExpectedBlockSequenceEntry => ("did not find expected '-' indicator", true),
            ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::UnexpectedEofFlowMapping => {
                ("did not find expected ',' or '}'", true)
            }
            ErrorKind::UnclosedFlowCollection { .. } if self.text.trim_end().ends_with(['[', '{', ',']) => {
                ("did not find expected node content", true)
            }
            ErrorKind::UnclosedFlowCollection { open: '{' } => ("did not find expected ',' or '}'", true),
            ErrorKind::ExpectedFlowSequenceSeparator
            | ErrorKind::UnexpectedEofFlowSequence
            | ErrorKind::UnclosedFlowCollection { .. }
            | ErrorKind::MismatchedFlowCollectionEnd { .. } => ("did not find expected ',' or ']'", true),
            ErrorKind::ExpectedNodeContent | ErrorKind::MisplacedFlowCollectionEnd => {
                ("did not find expected node content", true)
            }
            ErrorKind::ExpectedDocumentStart | ErrorKind::InvalidDocumentEnd => {
                ("did not find expected <document start>", true)
            }
            ErrorKind::UnknownAnchor => {
                let rest = self.text.get(at..).unwrap_or("").trim_start_matches('*');
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect();
                return convert(format!("yaml: unknown anchor '{name}' referenced"), at..end);
            }
            ErrorKind::RecursionLimitExceeded => {
                return convert(format!("yaml: exceeded max depth of {MAX_DEPTH}"), at..end);
            }
            ErrorKind::UnsupportedYamlMajorVersion => ("found incompatible YAML document", true),
            other => return self.line_fault(&other.to_string(), at..end, at, false),
        };
        // What is never closed is noticed at the end of the text.
        let noticed = match error.kind() {
            ErrorKind::UnclosedFlowCollection { .. } | ErrorKind::UnclosedQuotedScalar => self.text.len(),
            _ => at,
        };
        self.line_fault(message, at..end, noticed, by_parser)
    }

    fn parser_fault(&self, message: &str, range: Range<usize>) -> Fault {
        let at = range.start;
        self.line_fault(message, range, at, true)
    }

    /// Mistakes in the order of tokens are reported with the number of the line before, other ones with that of their own;
    /// without any in the first line.
    fn line_fault(&self, message: &str, range: Range<usize>, noticed: usize, by_parser: bool) -> Fault {
        let before = self.lines_before(noticed);
        let place = match before {
            0 => String::new(),
            _ if by_parser => format!("line {before}: "),
            _ => format!("line {}: ", before + 1),
        };
        convert(format!("yaml: {place}{message}"), range)
    }

    fn lines_before(&self, at: usize) -> usize {
        self.text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
    }
}

/// The entries of a merged mapping are set where the merge key stands: they win over what was written before it, and lose
/// to what comes after. Of several merged mappings the first wins.
fn merge(frame: &mut Frame, node: Node) -> Result<(), Fault> {
    let refused = |range: Range<usize>| {
        Err(convert("yaml: map merge requires map or sequence of maps as the value".to_owned(), range))
    };
    let sources = match node.value {
        Value::Map(members) => vec![members],
        Value::Seq(items) => {
            let mut sources = Vec::new();
            for item in items.into_iter().rev() {
                let Value::Map(members) = item.value else {
                    return refused(item.range);
                };
                sources.push(members);
            }
            sources
        }
        _ => return refused(node.range),
    };
    frame.members.extend(sources.into_iter().flatten());
    Ok(())
}

/// Values in a tree, itself included. The tree is at most [`super::value::KEPT_DEPTH`] deep.
fn size(node: &Node) -> usize {
    match &node.value {
        Value::Seq(items) => items.iter().map(size).fold(1, usize::saturating_add),
        Value::Map(members) => members.iter().map(|member| size(&member.node)).fold(1, usize::saturating_add),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Value {
        read(text.as_bytes()).expect(text).root.value
    }

    fn keys(text: &str) -> Vec<String> {
        let Value::Map(members) = root(text) else { panic!("no mapping: {text}") };
        members.into_iter().map(|member| member.key).collect()
    }

    #[test]
    fn what_is_refused_is_refused_in_the_librarys_words() {
        for (text, message) in [
            ("*", "yaml: did not find expected alphabetic or numeric character"),
            ("a: b: c", "yaml: mapping values are not allowed in this context"),
            ("a: 1\nb: c: d\n", "yaml: line 2: mapping values are not allowed in this context"),
            ("a: [1, 2\n", "yaml: line 1: did not find expected ',' or ']'"),
            ("a: 1\n b: 2\n", "yaml: line 2: mapping values are not allowed in this context"),
            ("a: *nowhere\n", "yaml: unknown anchor 'nowhere' referenced"),
            ("%YAML 1.2\n---\na: 1\n", "yaml: found incompatible YAML document"),
            ("? [a]\n: 1\n", "yaml: invalid map key: slice"),
            ("~: 1\n", "unsupported map key of type: %!s(<nil>), key: <nil>"),
            ("a: .nan\n", "json: unsupported value: NaN"),
            ("a: !!bool maybe\n", "yaml: cannot decode !!str `maybe` as a !!bool"),
            ("<<: 1\n", "yaml: map merge requires map or sequence of maps as the value"),
            ("a: [::/0]\n", "yaml: did not find expected node content"),
            ("a: \u{7}\n", "yaml: control characters are not allowed"),
            ("a: &x [*x]\n", "yaml: anchor 'x' value contains itself"),
        ] {
            let fault = read(text.as_bytes()).expect_err(text);
            assert_eq!(fault.message, message, "{text}");
            assert_eq!(fault.step, Step::Convert);
        }
        assert_eq!(read(b"a: \x80").unwrap_err().message, "yaml: invalid leading UTF-8 octet");
        assert_eq!(read(b"a: \xc3(").unwrap_err().message, "yaml: invalid trailing UTF-8 octet");
    }

    #[test]
    fn only_the_first_document_counts() {
        let document = read(b"a: 1\n---\nb: [\n").unwrap();
        assert_eq!(document.root.range, 0..4);
        assert_eq!(document.more, Some(5..8));
        assert_eq!(read(b"a: 1\n---\n# nothing\n").unwrap().more, None);
        assert_eq!(read(b"---\na: 1\n...\n").unwrap().more, None);
    }

    #[test]
    fn nothing_is_null() {
        for text in ["", "# only a comment\n", "---\n", "\n\n", "~", "null"] {
            assert_eq!(root(text), Value::Null, "{text:?}");
        }
    }

    #[test]
    fn keys_become_strings_and_may_repeat() {
        assert_eq!(keys("a: 1\na: 2\n010: x\nyes: y\n1.5: z\n\"<<\": q\n"), ["a", "a", "8", "true", "1.5", "<<"]);
    }

    #[test]
    fn merged_entries_are_set_where_the_merge_key_stands() {
        assert_eq!(keys("x: &x {a: 1, b: 2}\na: 0\n<<: *x\nb: 3\n"), ["x", "a", "a", "b", "b"]);
    }

    #[test]
    fn texts_in_utf_16_are_read() {
        let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain("a: b".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert!(matches!(read(&bytes).unwrap().root.value, Value::Map(_)));
    }

    #[test]
    fn laughs_are_bounded() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let before = format!("*a{}", level - 1);
            text += &format!("a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(", "));
        }
        assert_eq!(read(text.as_bytes()).unwrap_err().message, "yaml: document contains excessive aliasing");
    }
}
