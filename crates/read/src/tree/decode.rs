//! Bytes to text: what a file must be before a line of it is read.

use super::build::line_and_column;
use std::borrow::Cow;

/// Why the bytes of a file are no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TextError {
    /// The byte at which it went wrong, from 0.
    pub offset: usize,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

const DEFAULT_LIMIT: usize = 128 << 20;

/// The text of a file of at most 128 MiB: UTF-8, without its byte order mark. Positions in the text are those people
/// see in an editor, which does not show the mark either.
///
/// # Errors
///
/// Empty, too big, UTF-16 or UTF-32, compressed, not UTF-8, or with a NUL byte in it.
pub fn decode_bytes(bytes: &[u8]) -> Result<Cow<'_, str>, TextError> {
    decode_bytes_within(bytes, DEFAULT_LIMIT)
}

/// [`decode_bytes`] with another limit on the number of bytes.
///
/// # Errors
///
/// As [`decode_bytes`].
pub fn decode_bytes_within(bytes: &[u8], limit: usize) -> Result<Cow<'_, str>, TextError> {
    let at_start = |message: String, help: &str| TextError { offset: 0, line: 1, message, help: help.to_owned() };
    if bytes.len() > limit {
        let message = format!("the file has {} bytes, more than the {limit} that are read", bytes.len());
        return Err(at_start(message, "split the file, or export less of it"));
    }
    if let Some(encoding) = other_encoding(bytes) {
        return Err(at_start(
            format!("the file is {encoding}, not UTF-8"),
            "save it as UTF-8; in PowerShell write it with `| Out-File -Encoding utf8` instead of `>`",
        ));
    }
    if let Some(format) = compressed(bytes) {
        return Err(at_start(format!("the file is compressed ({format}), not text"), "unpack it first"));
    }
    let content = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mark = bytes.len() - content.len();
    if content.is_empty() {
        return Err(at_start("the file is empty".to_owned(), "did the command that wrote it fail?"));
    }
    let text = match std::str::from_utf8(content) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let valid = content.get(..at).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default();
            let byte = content.get(at).copied().unwrap_or_default();
            let (line, column) = line_and_column(valid, at);
            let message = match error.error_len() {
                None => format!("the file ends in the middle of a character, at line {line}, column {column}"),
                Some(_) => format!("byte {byte:#04x} at line {line}, column {column} is not UTF-8"),
            };
            let help = "save the file as UTF-8 (it may be in an older encoding such as Windows-1252)".to_owned();
            return Err(TextError { offset: mark + at, line, message, help });
        }
    };
    if let Some(at) = text.bytes().position(|byte| byte == 0) {
        let (line, column) = line_and_column(text, at);
        return Err(TextError {
            offset: mark + at,
            line,
            message: format!("there is a NUL byte at line {line}, column {column}"),
            help: "the file is damaged or not text".to_owned(),
        });
    }
    Ok(Cow::Borrowed(text))
}

/// UTF-16 and UTF-32 by their byte order mark, or by the zero bytes among the first characters (JSON and YAML begin
/// with an ASCII character).
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some("UTF-32 (little endian)"),
        [0, 0, 0xfe, 0xff, ..] => Some("UTF-32 (big endian)"),
        [0xff, 0xfe, ..] => Some("UTF-16 (little endian)"),
        [0xfe, 0xff, ..] => Some("UTF-16 (big endian)"),
        [first, 0, 0, 0, ..] if *first != 0 => Some("UTF-32 (little endian)"),
        [0, 0, 0, last, ..] if *last != 0 => Some("UTF-32 (big endian)"),
        [first, 0, third, 0, ..] if *first != 0 && *third != 0 => Some("UTF-16 (little endian)"),
        [0, second, 0, fourth, ..] if *second != 0 && *fourth != 0 => Some("UTF-16 (big endian)"),
        _ => None,
    }
}

fn compressed(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [b'P', b'K', 3, 4, ..] => Some("zip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_dropped() {
        assert_eq!(decode_bytes(b"\xef\xbb\xbfa: 1").unwrap(), "a: 1");
        assert_eq!(decode_bytes("é: 1".as_bytes()).unwrap(), "é: 1");
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_reason() {
        let cases: &[(&[u8], &str, usize, usize)] = &[
            (b"", "the file is empty", 0, 1),
            (b"\xef\xbb\xbf", "the file is empty", 0, 1),
            (b"\xff\xfe{\0\"\0", "the file is UTF-16 (little endian), not UTF-8", 0, 1),
            (b"\xfe\xff\0{\0\"", "the file is UTF-16 (big endian), not UTF-8", 0, 1),
            (b"\xff\xfe\0\0{\0\0\0", "the file is UTF-32 (little endian), not UTF-8", 0, 1),
            (b"\0\0\xfe\xff\0\0\0{", "the file is UTF-32 (big endian), not UTF-8", 0, 1),
            (b"{\0\"\0", "the file is UTF-16 (little endian), not UTF-8", 0, 1),
            (b"\0{\0\"", "the file is UTF-16 (big endian), not UTF-8", 0, 1),
            (b"a\0\0\0", "the file is UTF-32 (little endian), not UTF-8", 0, 1),
            (b"\x1f\x8b\x08", "the file is compressed (gzip), not text", 0, 1),
            (b"a: 1\nb\xc3\xa4: \xe4x\n", "byte 0xe4 at line 2, column 5 is not UTF-8", 10, 2),
            (b"\xef\xbb\xbfa: \xff", "byte 0xff at line 1, column 4 is not UTF-8", 6, 1),
            (b"a: \xc3", "the file ends in the middle of a character, at line 1, column 4", 3, 1),
            (b"a: 1\nbc\0d", "there is a NUL byte at line 2, column 3", 7, 2),
        ];
        for (bytes, message, offset, line) in cases {
            let error = decode_bytes(bytes).expect_err(message);
            assert_eq!((error.message.as_str(), error.offset, error.line), (*message, *offset, *line));
            assert!(!error.help.is_empty());
        }
    }

    #[test]
    fn too_many_bytes_are_refused() {
        assert!(decode_bytes_within(b"abcd", 4).is_ok());
        let error = decode_bytes_within(b"abcde", 4).unwrap_err();
        assert_eq!(error.message, "the file has 5 bytes, more than the 4 that are read");
    }
}
