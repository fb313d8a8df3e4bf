//! YAML 1.2 to tree: drives the event parser, gives every value its exact bytes, expands aliases within a budget.

use super::build::{Builder, Closed, Measure, Places, to_u32};
use super::resolve;
use super::yaml_errors;
use super::yaml_places;
use super::{Limits, Node, Scalar, Style, SyntaxError, Value};
use causeway_model::source::FileId;
use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span as EventSpan, StrInput, StructureStyle, Tag};
use std::collections::BTreeMap;
use std::ops::Range;

pub(super) fn parse(
    text: &str,
    file: FileId,
    limits: &Limits,
    places: Places<'_>,
) -> Result<Vec<Node>, Vec<SyntaxError>> {
    let mut reader = Reader {
        text,
        limits,
        builder: Builder::new(text, file, limits, places),
        anchors: BTreeMap::new(),
        alias_nodes: 0,
        documents: Vec::new(),
        brackets_from: None,
    };
    reader.read();
    let mut errors = reader.builder.errors;
    if errors.is_empty() {
        return Ok(reader.documents);
    }
    errors.sort_by_key(|error| error.span.start);
    errors.truncate(limits.errors.max(1));
    Err(errors)
}

/// A value an alias may stand for. Under its anchor while it is still open, there is nothing to stand for.
type Anchored = Option<(Node, Measure)>;

struct Reader<'t> {
    text: &'t str,
    limits: &'t Limits,
    builder: Builder<'t>,
    anchors: BTreeMap<usize, Anchored>,
    /// Values that aliases added so far.
    alias_nodes: usize,
    documents: Vec<Node>,
    /// How deep the outermost open `[` or `{` stands.
    brackets_from: Option<usize>,
}

impl<'t> Reader<'t> {
    fn read(&mut self) {
        let mut options = granit_parser::options! {
            // One more than is allowed, so that it is the builder that says which value is too deep.
            flow_nesting_limit: self.limits.depth.saturating_add(1),
            block_nesting_limit: self.limits.depth.saturating_add(1),
        };
        options.set_emit_comments(false);
        let mut parser = Parser::new_from_str_with_options(self.text, options);
        loop {
            let stopped = match parser.next_event() {
                None => return,
                Some(Ok((event, span))) => self.event(event, &span),
                Some(Err(error)) => Err(self.syntax_error(&error)),
            };
            if let Err(error) = stopped {
                self.builder.errors.push(error);
                self.builder.abandon();
                self.brackets_from = None;
                if !self.next_document(&mut parser) {
                    return;
                }
            }
        }
    }

    /// After an error, goes on with the next document, so that its errors are reported too.
    fn next_document(&mut self, parser: &mut Parser<'t, StrInput<'t>>) -> bool {
        self.builder.errors.len() < self.limits.errors && matches!(parser.proceed_next_document(), Ok(true))
    }

    fn syntax_error(&self, error: &ScanError) -> SyntaxError {
        let at = error.marker().byte_offset().unwrap_or(self.text.len());
        let (span, message, help) = yaml_errors::explain(self.text, at, error.kind(), self.limits.depth);
        self.builder.error(span.start, span.end, message, help)
    }

    fn event(&mut self, event: Event<'t>, span: &EventSpan) -> Result<(), SyntaxError> {
        let bytes = span.byte_range().unwrap_or(0..0);
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), bytes),
            Event::SequenceStart(style, anchor, tag) => {
                let start = match style {
                    StructureStyle::Block => yaml_places::first_dash(self.text, self.builder.key_end(), bytes.start),
                    StructureStyle::Flow => bytes.start,
                };
                self.expect_value("a list", bytes)?;
                self.collection_tag(tag.as_deref(), "seq", start)?;
                self.enter(style);
                self.builder.open_seq(start, anchor)?;
                self.announce(anchor);
                Ok(())
            }
            Event::MappingStart(style, anchor, tag) => {
                let start = bytes.start;
                self.expect_value("a mapping", bytes)?;
                self.collection_tag(tag.as_deref(), "map", start)?;
                self.enter(style);
                self.builder.open_map(start, anchor)?;
                self.announce(anchor);
                Ok(())
            }
            // Without a closing bracket the span of the end event is empty: it ends with its last child.
            Event::SequenceEnd | Event::MappingEnd => {
                let end = (!bytes.is_empty()).then_some(bytes.end);
                if let Some(Closed { node, measure, anchor }) = self.builder.close(end) {
                    self.place(node, measure, anchor);
                }
                self.brackets_from = self.brackets_from.filter(|depth| *depth < self.builder.depth());
                Ok(())
            }
            Event::Alias(id) => self.alias(id, bytes),
            Event::DocumentStart(..) => {
                self.anchors.clear();
                Ok(())
            }
            Event::DocumentEnd => {
                self.documents.extend(self.builder.take_root().filter(|root| !says_nothing(root)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Refuses lists and mappings where a key must stand.
    fn expect_value(&self, what: &str, bytes: Range<usize>) -> Result<(), SyntaxError> {
        if !self.builder.wants_key() {
            return Ok(());
        }
        let help = "write a plain name before the `:`; `{` or `[` at the start of a text needs quotes";
        Err(self.builder.error(bytes.start, bytes.end.max(bytes.start + 1), format!("{what} cannot be a key"), help))
    }

    fn enter(&mut self, style: StructureStyle) {
        if style == StructureStyle::Flow && self.brackets_from.is_none() {
            self.brackets_from = Some(self.builder.depth());
        }
    }

    fn announce(&mut self, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
    }

    fn place(&mut self, node: Node, measure: Measure, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Some((node.clone(), measure)));
        }
        self.builder.place(node, measure);
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        bytes: Range<usize>,
    ) -> Result<(), SyntaxError> {
        let plain = style == ScalarStyle::Plain;
        // What is not written at all comes as `~` with no bytes.
        let (text, bytes) = if plain && bytes.is_empty() {
            ("", yaml_places::after_colon(self.text, self.builder.key_end(), bytes))
        } else {
            (text, bytes)
        };
        let (style, bytes) = match style {
            ScalarStyle::Plain => (Style::Plain, bytes),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => (Style::Quoted, bytes),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                (Style::Block, yaml_places::content_lines(self.text, bytes, text))
            }
        };
        // A block that ends with the file, in the middle of its last line, has no line break there.
        let unfinished = style == Style::Block && !bytes.is_empty() && bytes.end == self.text.len();
        let text = text.strip_suffix('\n').filter(|_| unfinished).unwrap_or(text);
        if self.builder.wants_key() {
            return self.key(text, plain, tag, anchor, bytes);
        }
        let style = self.scalar_style(text, style, tag, &bytes)?;
        let node = self.builder.scalar(text, style, bytes.start, bytes.end);
        self.place(node, Measure::SCALAR, anchor);
        Ok(())
    }

    fn key(
        &mut self,
        text: &str,
        plain: bool,
        tag: Option<&Tag>,
        anchor: usize,
        bytes: Range<usize>,
    ) -> Result<(), SyntaxError> {
        if plain && text.is_empty() {
            let end = self
                .text
                .get(bytes.start..)
                .and_then(|rest| rest.find(':'))
                .map_or(bytes.end, |at| bytes.start + at + 1);
            return Err(self.builder.error(
                bytes.start,
                end,
                "there is a value but no key",
                "write a name before the `:`",
            ));
        }
        if self.brackets_from.is_none()
            && let Some(tab) = yaml_places::indenting_tab(self.text, bytes.start)
        {
            let (message, help) = yaml_errors::NO_TABS;
            return Err(self.builder.error(tab, tab + 1, message, help));
        }
        let merge_tag = tag.is_some_and(|tag| tag.suffix_in_namespace(YAML_TAGS).as_deref() == Some("merge"));
        let mut merge = plain && text == "<<";
        if !merge_tag || !merge {
            // Any scalar is kept as its text, so the tag only has to be one that is known.
            merge &= self.scalar_style(text, Style::Plain, tag, &bytes)? == Style::Plain;
        }
        let span = self.builder.span(bytes.start, bytes.end);
        if anchor != 0 {
            let style = if plain { Style::Plain } else { Style::Quoted };
            let node = self.builder.scalar(text, style, bytes.start, bytes.end);
            self.anchors.insert(anchor, Some((node, Measure::SCALAR)));
        }
        self.builder.key(text, span, merge);
        Ok(())
    }

    fn alias(&mut self, id: usize, bytes: Range<usize>) -> Result<(), SyntaxError> {
        let error = |message: String, help: &str| Err(self.builder.error(bytes.start, bytes.end, message, help));
        let name = self.text.get(bytes.clone()).unwrap_or_default();
        let (node, measure) = match self.anchors.get(&id) {
            Some(Some(anchored)) => anchored.clone(),
            Some(None) => {
                return error(
                    format!("`{name}` stands inside the value it is an alias of"),
                    "a value cannot contain itself",
                );
            }
            None => {
                return error(format!("`{name}` has no anchor"), "define it before it is used, with `&name`");
            }
        };
        if self.builder.wants_key() {
            let Value::Scalar(Scalar { text, .. }) = &node.value else {
                return error(
                    format!("`{name}` is a list or a mapping, which cannot be a key"),
                    "write a plain name before the `:`",
                );
            };
            let span = self.builder.span(bytes.start, bytes.end);
            let text = text.clone();
            self.builder.key(&text, span, false);
            return Ok(());
        }
        self.alias_nodes = self.alias_nodes.saturating_add(measure.nodes);
        if self.alias_nodes > self.limits.alias_nodes {
            let message = format!("aliases expand to more than {} values", self.limits.alias_nodes);
            return error(message, "write the values out, or split the document");
        }
        if self.builder.depth().saturating_add(measure.height) > self.limits.depth {
            return Err(self.builder.too_deep(bytes.start, bytes.end));
        }
        self.builder.place_until(node, measure, to_u32(bytes.end));
        Ok(())
    }

    /// How a tag changes what a scalar is.
    fn scalar_style(
        &self,
        text: &str,
        style: Style,
        tag: Option<&Tag>,
        bytes: &Range<usize>,
    ) -> Result<Style, SyntaxError> {
        let Some(tag) = tag else { return Ok(style) };
        let fits = match tag.suffix_in_namespace(YAML_TAGS).as_deref() {
            // `!` alone says: whatever it looks like, it is a string.
            None if tag.handle().is_empty() && tag.suffix() == "!"
                || tag.handle() == "!" && tag.suffix().is_empty() =>
            {
                return Ok(if style == Style::Plain { Style::Quoted } else { style });
            }
            Some("str") => {
                return Ok(if style == Style::Plain { Style::Quoted } else { style });
            }
            Some("null") => resolve::is_null(text),
            Some("bool") => resolve::bool_12(text).is_some(),
            Some("int") => resolve::is_integer(text),
            Some("float") => resolve::is_number(text),
            _ => return Err(self.unknown_tag(tag, bytes)),
        };
        if fits {
            return Ok(Style::Plain);
        }
        let message = format!("`{text}` is not what its tag `{}` says", tag.original());
        Err(self.builder.error(bytes.start, bytes.end, message, "remove the tag or correct the value"))
    }

    fn collection_tag(&self, tag: Option<&Tag>, own: &str, start: usize) -> Result<(), SyntaxError> {
        let Some(tag) = tag else { return Ok(()) };
        let local = tag.handle().is_empty() && tag.suffix() == "!" || tag.handle() == "!" && tag.suffix().is_empty();
        if local || tag.suffix_in_namespace(YAML_TAGS).as_deref() == Some(own) {
            return Ok(());
        }
        Err(self.unknown_tag(tag, &(start..start + 1)))
    }

    fn unknown_tag(&self, tag: &Tag, bytes: &Range<usize>) -> SyntaxError {
        let help = "what it would make of the value is not known; remove the tag or write the value out";
        self.builder.error(bytes.start, bytes.end, format!("the tag `{}` is not understood here", tag.original()), help)
    }
}

const YAML_TAGS: &str = "tag:yaml.org,2002:";

/// A document of nothing but comments, as between two `---`.
fn says_nothing(root: &Node) -> bool {
    matches!(&root.value, Value::Scalar(scalar) if scalar.style == Style::Plain && scalar.text.is_empty())
}
