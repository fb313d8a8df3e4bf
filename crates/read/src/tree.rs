//! What a YAML or JSON text says, before it means anything: a tree in which every value knows its bytes.
//!
//! Scalars keep their text and their style; whether `yes` is a boolean is for the reader of the value to decide
//! (YAML 1.2 in design files, YAML 1.1 where Kubernetes and Go read them).

use causeway_model::source::Span;
use std::sync::Arc;

/// A value and the bytes it was written in.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// For a mapping or sequence, from its first to its last byte.
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
