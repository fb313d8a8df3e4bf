//! Reading a [`Node`] without matching on it, and making one.

use super::resolve;
use super::{Entry, Node, Scalar, Style, Value};
use causeway_model::source::Span;
use std::sync::Arc;

impl Node {
    /// A text of several lines, written as a block.
    pub fn block(span: Span, text: impl Into<Arc<str>>) -> Node {
        Node { span, value: Value::Scalar(Scalar { text: text.into(), style: Style::Block }) }
    }

    /// A string.
    pub fn str(span: Span, text: impl Into<Arc<str>>) -> Node {
        Node { span, value: Value::Scalar(Scalar { text: text.into(), style: Style::Quoted }) }
    }

    /// A scalar without quotes: a number, a boolean, null or a string, as its text says.
    pub fn plain(span: Span, text: impl Into<Arc<str>>) -> Node {
        Node { span, value: Value::Scalar(Scalar { text: text.into(), style: Style::Plain }) }
    }

    /// A list.
    pub fn seq(span: Span, items: Vec<Node>) -> Node {
        Node { span, value: Value::Seq(Arc::new(items)) }
    }

    /// The text of a scalar, whatever its type.
    pub fn text(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.text.as_ref())
    }

    /// The text of a scalar that is a string in YAML 1.2: quoted, or plain and nothing else.
    pub fn as_str(&self) -> Option<&str> {
        let scalar = self.scalar()?;
        let text = scalar.text.as_ref();
        let is_string = scalar.style != Style::Plain
            || !(resolve::is_null(text) || resolve::bool_12(text).is_some() || resolve::is_number(text));
        is_string.then_some(text)
    }

    /// Null, or a key without a value.
    pub fn is_null(&self) -> bool {
        self.plain_text().is_some_and(resolve::is_null)
    }

    /// A boolean as YAML 1.2 and JSON know it: `true` and `false` (and in upper case), without quotes.
    pub fn as_bool_12(&self) -> Option<bool> {
        self.plain_text().and_then(resolve::bool_12)
    }

    /// A boolean as YAML 1.1 knows it: also `yes`, `no`, `on`, `off`, `y` and `n`, without quotes.
    pub fn as_bool_11(&self) -> Option<bool> {
        self.plain_text().and_then(resolve::bool_11)
    }

    /// An integer that is not negative, by YAML 1.2 (`010` is ten). No quotes.
    pub fn as_u64(&self) -> Option<u64> {
        self.plain_text().and_then(resolve::integer).and_then(|number| u64::try_from(number).ok())
    }

    /// An integer, by YAML 1.2 (`010` is ten). No quotes.
    pub fn as_i64(&self) -> Option<i64> {
        self.plain_text().and_then(resolve::integer).and_then(|number| i64::try_from(number).ok())
    }

    /// A finite number. No quotes.
    pub fn as_f64(&self) -> Option<f64> {
        self.plain_text().and_then(resolve::number)
    }

    /// The items of a list.
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a mapping, in the order written.
    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items of a list; nothing for anything else.
    pub fn items(&self) -> &[Node] {
        self.as_seq().unwrap_or_default()
    }

    /// The entries of a mapping; nothing for anything else.
    pub fn entries(&self) -> &[Entry] {
        self.as_map().unwrap_or_default()
    }

    /// The value under a key, written exactly so.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The entry of a key, written exactly so.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key.as_ref() == key)
    }

    /// The value under a key, in whatever case its ASCII letters are; the exact key wins, then the first.
    pub fn get_ci(&self, key: &str) -> Option<&Node> {
        let mut first = None;
        for entry in self.entries() {
            if entry.key.as_ref() == key {
                return Some(&entry.node);
            }
            if first.is_none() && entry.key.eq_ignore_ascii_case(key) {
                first = Some(&entry.node);
            }
        }
        first
    }

    /// What it is, for messages: `a list`, `a mapping`, `a string`, `a number`, `a boolean`, `nothing` (null).
    pub fn type_name(&self) -> &'static str {
        match &self.value {
            Value::Seq(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Scalar(_) if self.is_null() => "nothing",
            Value::Scalar(_) if self.as_bool_12().is_some() => "a boolean",
            Value::Scalar(_) if self.plain_text().is_some_and(resolve::is_number) => "a number",
            Value::Scalar(_) => "a string",
        }
    }

    fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    fn plain_text(&self) -> Option<&str> {
        self.scalar().filter(|scalar| scalar.style == Style::Plain).map(|scalar| scalar.text.as_ref())
    }
}

/// Makes a mapping, key by key. What is absent is left out, so that importers need no `if`.
#[derive(Debug, Clone)]
pub struct MapBuilder {
    span: Span,
    entries: Vec<Entry>,
}

impl MapBuilder {
    /// A mapping that stands for the bytes of `span`.
    pub fn new(span: Span) -> Self {
        MapBuilder { span, entries: Vec::new() }
    }

    /// Sets a key, unless the value is `None`. A key set before keeps its place and gets the new value. Without a
    /// span of its own the key has that of its value.
    #[must_use]
    pub fn set(
        mut self,
        key: impl AsRef<str>,
        key_span: impl Into<Option<Span>>,
        node: impl Into<Option<Node>>,
    ) -> Self {
        let Some(node) = node.into() else { return self };
        let key = key.as_ref();
        let key_span = key_span.into().unwrap_or(node.span);
        match self.entries.iter_mut().find(|entry| entry.key.as_ref() == key) {
            Some(entry) => *entry = Entry { key: key.into(), key_span, node },
            None => self.entries.push(Entry { key: key.into(), key_span, node }),
        }
        self
    }

    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The mapping.
    pub fn build(self) -> Node {
        Node { span: self.span, value: Value::Map(Arc::new(self.entries)) }
    }
}
