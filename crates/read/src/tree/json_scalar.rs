//! Strings, numbers and words of JSON.

use std::ops::Range;

/// What is wrong in a string.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StringError {
    /// The text ends first.
    Unclosed,
    /// The line ends first.
    LineBreak,
    /// A control character, and where.
    Control(usize, u8),
    /// No such escape.
    Escape(Range<usize>),
    /// Half of a surrogate pair.
    Surrogate(Range<usize>),
}

/// Reads a string that begins (with its quote) at `start`: the byte after its closing quote. `unescaped` becomes its
/// text if it has escapes, and empty if the bytes between the quotes are the text.
pub(super) fn string(text: &str, start: usize, unescaped: &mut String) -> Result<usize, StringError> {
    unescaped.clear();
    let bytes = text.as_bytes();
    let mut at = start + 1;
    loop {
        let run = bytes.get(at..).unwrap_or_default();
        let length = run.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(run.len());
        let end = at + length;
        let had_escapes = at > start + 1;
        match run.get(length) {
            None => return Err(StringError::Unclosed),
            Some(b'"') => {
                if had_escapes {
                    unescaped.push_str(text.get(at..end).unwrap_or_default());
                }
                return Ok(end + 1);
            }
            Some(b'\\') => {
                unescaped.push_str(text.get(at..end).unwrap_or_default());
                let (character, length) = escape(text, end)?;
                unescaped.push(character);
                at = end + length;
            }
            Some(b'\n' | b'\r') => return Err(StringError::LineBreak),
            Some(byte) => return Err(StringError::Control(end, *byte)),
        }
    }
}

/// The character of the escape at `at`, and how many bytes the escape has.
pub(super) fn escape(text: &str, at: usize) -> Result<(char, usize), StringError> {
    let simple = |character| Ok((character, 2));
    match text.as_bytes().get(at + 1) {
        Some(b'"') => simple('"'),
        Some(b'\\') => simple('\\'),
        Some(b'/') => simple('/'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'n') => simple('\n'),
        Some(b'r') => simple('\r'),
        Some(b't') => simple('\t'),
        Some(b'u') => unicode_escape(text, at),
        Some(_) => {
            let next = text.get(at + 1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            Err(StringError::Escape(at..at + 1 + next))
        }
        None => Err(StringError::Unclosed),
    }
}

fn unicode_escape(text: &str, at: usize) -> Result<(char, usize), StringError> {
    let Some(first) = four_digits(text, at + 2) else {
        // Up to the first character that is no digit of it.
        let digits = text.as_bytes().iter().skip(at + 2).take(4).take_while(|byte| byte.is_ascii_hexdigit()).count();
        return Err(StringError::Escape(at..at + 2 + digits));
    };
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 6));
    }
    let alone = StringError::Surrogate(at..at + 6);
    let is_high = (0xd800..0xdc00).contains(&first);
    if !is_high || text.get(at + 6..at + 8) != Some("\\u") {
        return Err(alone);
    }
    let second = four_digits(text, at + 8).filter(|second| (0xdc00..0xe000).contains(second));
    let Some(second) = second else {
        return Err(alone);
    };
    let character = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
    character.map(|character| (character, 12)).ok_or(alone)
}

fn four_digits(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

/// The run of bytes a number or a bare word is made of.
pub(super) fn word(rest: &str) -> &str {
    let end = rest
        .bytes()
        .position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"'));
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

/// A number of RFC 8259, section 6.
pub(super) fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at).unwrap_or_default(), unsigned.get(at + 1..)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)))
}
