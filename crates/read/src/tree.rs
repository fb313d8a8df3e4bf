//! What a YAML or JSON text says, before it means anything: a tree in which every value knows its bytes.
//!
//! Scalars keep their text and their style; whether `yes` is a boolean is for the reader of the value to decide
//! (YAML 1.2 in design files, YAML 1.1 where Kubernetes and Go read them).
//!
//! [`decode_bytes`] makes text of a file's bytes, [`parse`] makes trees of the text, [`to_yaml`] writes a tree, and
//! [`locate_in_scalar`] finds the bytes of a part of a scalar.

mod access;
mod build;
mod decode;
mod json;
mod json_scalar;
mod locate;
mod resolve;
mod to_json;
mod write;
mod yaml;
mod yaml_errors;
mod yaml_places;

pub use access::MapBuilder;
pub use decode::{TextError, decode_bytes, decode_bytes_within};
pub use locate::{locate_in_scalar, parse_in_scalar};
pub use write::to_yaml;

use causeway_model::source::{FileId, Span};
use std::sync::Arc;

/// A value and the bytes it was written in.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// For a mapping or sequence, from its first to its last byte. A quoted scalar includes its quotes, a block scalar
    /// has its content lines without the header. Anchors and tags are not included. What an alias stands for keeps the
    /// bytes it was defined in, because there the text can be changed.
    pub span: Span,
    /// What stands there.
    pub value: Value,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar of any type, null included.
    Scalar(Scalar),
    /// A list.
    Seq(Arc<Vec<Node>>),
    /// A mapping, in the order written. Keys are unique: the parser refuses duplicates.
    Map(Arc<Vec<Entry>>),
}

/// One key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: Arc<str>,
    /// The bytes of the key.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

/// A scalar as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// The text after unescaping and unfolding.
    pub text: Arc<str>,
    /// How it was written.
    pub style: Style,
}

/// How a scalar was written. JSON strings are `Quoted`, JSON numbers, booleans and null are `Plain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No quotes: may be null, a boolean, a number or a string.
    Plain,
    /// In quotes: always a string.
    Quoted,
    /// `|` or `>` (always a string).
    Block,
}

/// What a text may ask of the reader before it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text. 128 MiB unless told otherwise.
    pub bytes: usize,
    /// Lists and mappings inside each other, aliases expanded. 128 unless told otherwise.
    pub depth: usize,
    /// Values that aliases and merge keys may add to what is written. 1,000,000 unless told otherwise.
    pub alias_nodes: usize,
    /// Errors reported before the reader gives up on a text. 20 unless told otherwise.
    pub errors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 128 << 20, depth: 128, alias_nodes: 1_000_000, errors: 20 }
    }
}

/// Why a text is no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub span: Span,
    /// What is wrong there: lower case, no full stop.
    pub message: String,
    /// What to do about it; empty when nothing helps.
    pub help: String,
}

/// Reads a YAML or JSON text: one tree per document. Documents that say nothing (empty, or comments only) are left
/// out, so an empty text gives an empty list.
///
/// A text that begins with `{` or `[` is read as JSON (RFC 8259; several values after each other, as in JSON Lines,
/// are several documents) unless it turns out to be YAML written in braces. Keys are unique, aliases and merge keys
/// are expanded (and share memory).
///
/// # Errors
///
/// All that could be found, up to [`Limits::errors`], in the order they stand in the text. There is no tree when
/// there is an error.
pub fn parse(text: &str, file: FileId, limits: &Limits) -> Result<Vec<Node>, Vec<SyntaxError>> {
    parse_with_places(text, file, limits, &|at| build::line_and_column(text, at))
}

/// [`parse`], told where people see a byte of the text.
fn parse_with_places(
    text: &str,
    file: FileId,
    limits: &Limits,
    places: build::Places<'_>,
) -> Result<Vec<Node>, Vec<SyntaxError>> {
    if text.len() > limits.bytes || u32::try_from(text.len()).is_err() {
        return Err(vec![SyntaxError {
            span: Span { file, start: 0, end: 0 },
            message: format!("the text has {} bytes, more than the {} that are read", text.len(), limits.bytes),
            help: "split the file, or export less of it".to_owned(),
        }]);
    }
    let content = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if !content.starts_with(['{', '[']) {
        return yaml::parse(text, file, limits, places)
            .map_err(|errors| text_before_json(text, file, limits).map_or(errors, |error| vec![error]));
    }
    match json::parse(text, file, limits, places) {
        Ok(documents) => Ok(documents),
        Err(failure) if failure.may_be_yaml => match yaml::parse(text, file, limits, places) {
            Ok(documents) => Ok(documents),
            Err(_) if failure.looks_like_json => Err(failure.errors),
            Err(errors) => Err(errors),
        },
        Err(failure) => Err(failure.errors),
    }
}

/// A text that is JSON but for its first lines, as when a command's warnings were written into the same file.
fn text_before_json(text: &str, file: FileId, limits: &Limits) -> Option<SyntaxError> {
    const LINES: usize = 20;
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').take(LINES).enumerate() {
        if line.starts_with(['{', '[']) {
            json::parse(text.get(start..)?, file, limits, &|_| (1, 1)).ok()?;
            return Some(SyntaxError {
                span: Span { file, start: 0, end: build::to_u32(text.get(..start)?.trim_end().len()) },
                message: format!("there is text before the JSON that begins at line {}", index + 1),
                help: "remove it; if a command's warnings are in the file, keep its standard output only".to_owned(),
            });
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests;
