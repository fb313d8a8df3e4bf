//! What the user wrote, typed: the design file field by field, before names are resolved and defaults filled in.
//!
//! One macro states each object once; the decoder, the list of known fields (for "did you mean") and the JSON Schema all come
//! from it, so they can't drift apart. Decoding goes on after an error: everything wrong is reported in one run.

mod leaf;
mod macros;
mod objects;
mod schema;

pub use leaf::*;
pub use objects::*;
pub use schema::json_schema;

use crate::diagnostic::InputError;
use crate::tree;
use causeway_model::finding::{Finding, Places};
use causeway_model::source::Span;

/// A part of the design file: can be read from a tree, and can say its JSON Schema.
pub trait Document: Sized {
    /// Reads the value. `None` after an error, which is in the context.
    fn decode(node: &tree::Node, cx: &mut Context) -> Option<Self>;

    /// The JSON Schema of the value; definitions of objects go to `defs`.
    fn schema(defs: &mut schema::Definitions) -> serde_json::Value;
}

/// What decoding collects beside the values.
#[derive(Debug, Default)]
pub struct Context {
    path: String,
    /// Everything that is wrong.
    pub errors: Vec<InputError>,
    /// Findings about single values (host bits).
    pub findings: Vec<Finding>,
    /// Where each path was written.
    pub places: Places,
}

impl Context {
    /// The dotted path of what is being read.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Reads something one step further down, and remembers where it was written.
    pub fn within<T>(&mut self, step: &str, span: Span, read: impl FnOnce(&mut Context) -> T) -> T {
        let length = self.enter(step, span);
        let value = read(self);
        self.path.truncate(length);
        value
    }

    /// Goes one step down; answers how long the path was. Apart, because `within` is compiled once for every field there is.
    fn enter(&mut self, step: &str, span: Span) -> usize {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(step);
        self.places.insert(self.path.as_str(), span);
        length
    }

    /// Notes an error at a place.
    pub fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(InputError { at: Some(span), message: message.into(), help: help.into() });
    }

    /// Notes that a value has the wrong type or an unreadable text.
    pub fn expected<T>(&mut self, node: &tree::Node, what: &str) -> Option<T> {
        self.unexpected(node, what);
        None
    }

    fn unexpected(&mut self, node: &tree::Node, what: &str) {
        let subject = if self.path.is_empty() { "the design".to_owned() } else { format!("`{}`", self.path) };
        let found = match &node.value {
            tree::Value::Scalar(scalar) if !node.is_null() => format!("`{}`", shorten(&scalar.text)),
            _ => node.type_name().to_owned(),
        };
        self.error(node.span, format!("{subject} must be {what}, not {found}"), "");
    }

    /// The entries of a mapping, or an error.
    pub fn mapping<'a>(&mut self, node: &'a tree::Node, what: &str) -> Option<&'a [tree::Entry]> {
        match &node.value {
            tree::Value::Map(entries) => Some(entries),
            _ => self.expected(node, what),
        }
    }

    /// Notes a field nobody knows, with the nearest known one.
    pub fn unknown_field(&mut self, entry: &tree::Entry, known: &[&str]) {
        let subject = if self.path.is_empty() { "a design".to_owned() } else { format!("`{}`", self.path) };
        let help = match causeway_model::suggest::nearest(&entry.key, known.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("known fields: {}", known.join(", ")),
        };
        self.error(entry.key_span, format!("{subject} has no field `{}`", entry.key), help);
    }
}

/// A value as quoted in a message: never a screenful.
fn shorten(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or("").replace('\n', " ")),
        None => text.replace('\n', " "),
    }
}
