//! What the YAML parser refuses, in words of someone who writes network designs.

use granit_parser::ErrorKind;
use std::ops::Range;

/// Said by the reader of keys as well.
pub(super) const NO_TABS: (&str, &str) = ("a tab is used for indentation", "indent with spaces");

/// The bytes to point at, what is wrong, and what to do.
pub(super) fn explain(text: &str, at: usize, kind: &ErrorKind, depth: usize) -> (Range<usize>, String, &'static str) {
    let at = floor_char(text, at.min(text.len()));
    let next = text.get(at..).and_then(|rest| rest.chars().next());
    let range = at..at + next.map_or(0, char::len_utf8);
    let (message, help) = words(text, at, next, kind, depth);
    // The parser notices a tab when it is past it.
    let range = match at.checked_sub(1) {
        Some(tab) if help == NO_TABS.1 && text.get(tab..at) == Some("\t") => tab..at,
        _ => range,
    };
    (range, message, help)
}

fn words(text: &str, at: usize, next: Option<char>, kind: &ErrorKind, depth: usize) -> (String, &'static str) {
    let known = |message: &str, help: &'static str| (message.to_owned(), help);
    match kind {
        ErrorKind::MappingValueNotAllowed => known(
            "`:` cannot stand here",
            "indent the keys of one mapping equally, put a space after each `:`, and a value that contains `: ` in quotes",
        ),
        ErrorKind::UnclosedQuotedScalar => {
            known("this quote is never closed", "close it, or remove it if it belongs to the text of a block")
        }
        ErrorKind::InvalidQuotedScalarIndent => known(
            "the quoted text goes on in a line that is not indented",
            "close the quote in the line before, or indent this line",
        ),
        ErrorKind::UnclosedFlowCollection { open } => {
            let close = if *open == '{' { '}' } else { ']' };
            (format!("this `{open}` is never closed"), if close == '}' { "add the `}`" } else { "add the `]`" })
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("`{open}` is closed by `{close}`"), "close it with its own bracket")
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            known("this bracket closes nothing", "remove it, or put the text in quotes")
        }
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            known("a `,` or the closing bracket is missing before this", "separate the values with `,`")
        }
        ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation | ErrorKind::TabNotAllowed => {
            known(NO_TABS.0, NO_TABS.1)
        }
        ErrorKind::UnknownAnchor => {
            known("no anchor of this name stands before this alias", "define it with `&name`, or put the `*` in quotes")
        }
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => (
            format!("the control character U+{:04X} is not allowed in YAML", u32::from(*character)),
            "remove it, or write it as an escape in double quotes",
        ),
        ErrorKind::UnexpectedCharacter { character } => {
            (format!("a value cannot begin with `{character}`"), "put it in quotes")
        }
        ErrorKind::BlockSequenceEntryNotAllowed => {
            known("a list item cannot begin here", "put the `-` in a line of its own, below the key")
        }
        ErrorKind::ExpectedBlockSequenceEntry | ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation
            if starts_with_tab(text, at) =>
        {
            known(NO_TABS.0, NO_TABS.1)
        }
        ErrorKind::ExpectedBlockSequenceEntry => known(
            "this is not an item of the list above",
            "begin items with `- `; indent the items of one list equally",
        ),
        ErrorKind::ExpectedBlockMappingKey => {
            known("this is not a key of the mapping above", "indent the keys of one mapping equally")
        }
        ErrorKind::SimpleKeyExpected if matches!(next, Some('{' | '[')) => {
            known("this is not a key of the mapping above", "indent it below its key, or remove it")
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            known("a `:` is missing after this key", "write `key: value`, with a space after the `:`")
        }
        ErrorKind::ExpectedDocumentStart
            if text.get(at..).is_some_and(|rest| rest.starts_with('%')) || next.is_none() =>
        {
            known("a directive must be followed by `---`", "put the text in quotes if it is not meant as a directive")
        }
        ErrorKind::ExpectedDocumentStart => known(
            "this line does not belong to what stands above it",
            "indent it as the lines above, or begin a new document with `---`",
        ),
        ErrorKind::InvalidIndentation => {
            known("this line is not indented as the lines above", "indent with the same number of spaces")
        }
        ErrorKind::RecursionLimitExceeded => (
            format!("lists and mappings stand more than {depth} deep in each other"),
            "no document this program reads is that deep",
        ),
        ErrorKind::InvalidColonPlacement => {
            known("`:` cannot stand here", "close the bracket above, or separate the values with `,`")
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => known(
            "there is text after the closing quote",
            "put the whole value in quotes; a quote inside it is written twice (`''`) or as `\\\"`",
        ),
        ErrorKind::MissingAnchorOrAliasName => {
            known("`&` and `*` begin an anchor or an alias, but no name follows", "put the text in quotes")
        }
        ErrorKind::InvalidBlockScalarHeader => {
            known("there is text in the line of the `|` or `>`", "begin the text in the next line")
        }
        ErrorKind::UnexpectedEofImplicitFlowMapping => known("there is nothing before this `,`", "remove it"),
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape => {
            known("this text has an escape YAML does not know", "write `\\\\` for a backslash, or use single quotes")
        }
        ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate => {
            known("half of a surrogate pair stands alone in this text", "write both halves, or the character itself")
        }
        ErrorKind::UndeclaredTagHandle => known("this tag is not declared", "remove the tag, or put the `!` in quotes"),
        ErrorKind::BomInsideDocument => {
            known("a byte order mark stands inside the text", "remove it (files were joined together)")
        }
        other => {
            (format!("this is not YAML: {}", lower_first(&other.to_string())), "correct it, or put the text in quotes")
        }
    }
}

fn starts_with_tab(text: &str, at: usize) -> bool {
    let line = text.get(..at).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    line.trim_start_matches(' ').starts_with('\t')
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn floor_char(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
