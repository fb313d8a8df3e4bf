//! The bytes of a part of a scalar, for texts inside texts: a YAML file in a ConfigMap, an address in a JSON string.

use super::{Node, Value};
use causeway_model::source::{Sources, Span};
use std::ops::Range;

/// The bytes of a file that a part of a scalar's text was written in. `inner` counts bytes of the unescaped text.
///
/// Where the way back cannot be told exactly it is the whole scalar.
pub fn locate_in_scalar(sources: &Sources, node: &Node, inner: Range<usize>) -> Span {
    let Value::Scalar(scalar) = &node.value else {
        return node.span;
    };
    if sources.slice(node.span) == scalar.text.as_ref()
        && inner.start <= inner.end
        && inner.end <= scalar.text.len()
    {
        let at = |offset: usize| {
            node.span
                .start
                .saturating_add(u32::try_from(offset).unwrap_or(u32::MAX))
        };
        return Span {
            file: node.span.file,
            start: at(inner.start),
            end: at(inner.end),
        };
    }
    node.span
}
