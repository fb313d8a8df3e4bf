//! Input that can't be used: what is wrong, where, and what to do.

use causeway_model::source::Span;

/// Something that makes input unusable. Any of these means exit code 2 and no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// Where; `None` when it is about a whole file or the call (the message names it).
    pub at: Option<Span>,
    /// What is wrong: lower case, no full stop, the user's words in back-ticks.
    pub message: String,
    /// What to do; may be empty.
    pub help: String,
}

impl From<crate::tree::SyntaxError> for InputError {
    fn from(error: crate::tree::SyntaxError) -> Self {
        InputError { at: Some(error.span), message: error.message, help: error.help }
    }
}
