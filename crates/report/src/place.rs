//! A span as people and editors say it.

use causeway_model::source::{Sources, Span};
use serde::Serialize;

/// A stretch of a file: lines and columns from 1, the end exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) end_line: u32,
    pub(crate) end_column: u32,
}

impl Place {
    pub(crate) fn of(sources: &Sources, span: Span) -> Place {
        let start = sources.position(span);
        let end = sources.position(Span { start: span.end.max(span.start), ..span });
        Place {
            file: start.file.to_string(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}
