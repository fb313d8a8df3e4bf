//! The few habits of Go's standard library that decide what an agent accepts and what it logs.

use std::fmt::Write as _;

/// A text as `%q` prints it.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        escape(&mut out, c, '"');
    }
    out.push('"');
    out
}

/// A byte of a JSON text as its syntax errors print it: in single quotes.
pub(super) fn quote_byte(byte: u8) -> String {
    let mut out = String::from("'");
    match byte {
        b'\'' => out.push_str("\\'"),
        b'"' => out.push('"'),
        other => escape(&mut out, char::from(other), '"'),
    }
    out.push('\'');
    out
}

fn escape(out: &mut String, c: char, quote: char) {
    let code = u32::from(c);
    match c {
        _ if c == quote || c == '\\' => {
            out.push('\\');
            out.push(c);
        }
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        _ if is_printable(c) => out.push(c),
        // Writing to a string does not fail.
        _ if code < 0x20 || code == 0x7f => drop(write!(out, "\\x{code:02x}")),
        _ if code < 0x1_0000 => drop(write!(out, "\\u{code:04x}")),
        _ => drop(write!(out, "\\U{code:08x}")),
    }
}

/// Letters, marks, numbers, punctuation, symbols and the ASCII space.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // Not at the start of the text, where the debug form escapes combining marks as well.
    let shown = format!("a{c}");
    c == '\'' || c == ' ' || (!c.is_whitespace() && shown.escape_debug().eq(shown.chars()))
}

/// Whether a key names a field: JSON keys compare without regard to case, and two letters outside ASCII fold into it.
pub(super) fn same_key(key: &str, field: &str) -> bool {
    let fold = |c: char| match c {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(field.chars().map(fold))
}

/// A boolean as flags take it.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Why a number can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberError {
    Syntax,
    Range,
}

/// A signed number whose prefix says its base: `60`, `0x3c`, `0b1`, `0o17`, `017`; with `_` between digits.
///
/// # Errors
/// No number, or one that does not fit.
pub(super) fn parse_int(text: &str) -> Result<i64, NumberError> {
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, rest) = [("0x", 16), ("0b", 2), ("0o", 8)]
        .iter()
        .find_map(|(prefix, base)| lower.strip_prefix(prefix).map(|rest| (*base, rest)))
        .unwrap_or_else(|| match lower.strip_prefix('0') {
            Some(rest) if !rest.is_empty() => (8, rest),
            _ => (10, lower.as_str()),
        });
    let prefixed = base != 10;
    if rest.starts_with('_') && !prefixed || rest.ends_with('_') || rest.contains("__") {
        return Err(NumberError::Syntax);
    }
    let plain = rest.replace('_', "");
    if plain.is_empty() || !plain.chars().all(|c| c.is_digit(base)) {
        return Err(NumberError::Syntax);
    }
    let value = i128::from_str_radix(&plain, base).map_err(|_| NumberError::Range)?;
    i64::try_from(if negative { -value } else { value }).map_err(|_| NumberError::Range)
}

/// A duration such as `60s`, `1m30s`, `1.5h`, in nanoseconds.
///
/// # Errors
/// The text Go's time package gives.
pub(super) fn parse_duration(text: &str) -> Result<i128, String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let is_unit = |c: char| c != '.' && !c.is_ascii_digit();
        let end = rest.find(is_unit).unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(end).ok_or_else(invalid)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return Err(invalid());
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(end).ok_or_else(invalid)?;
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quote(text)));
        }
        let scale: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => {
                return Err(format!("time: unknown unit {} in duration {}", quote(unit), quote(text)));
            }
        };
        let number = |digits: &str| {
            if digits.is_empty() { Some(0) } else { digits.parse::<i128>().ok() }
        };
        let whole = number(whole).and_then(|whole| whole.checked_mul(scale)).ok_or_else(invalid)?;
        // What lies below a nanosecond is cut; eighteen digits are more than enough for that.
        let fraction: String = fraction.chars().take(18).collect();
        let power = 10_i128.checked_pow(u32::try_from(fraction.len()).unwrap_or(18)).unwrap_or(1);
        let part = number(&fraction).and_then(|part| part.checked_mul(scale)).map_or(0, |part| part / power);
        total = total.checked_add(whole).and_then(|total| total.checked_add(part)).ok_or_else(invalid)?;
        if total > i128::from(i64::MAX) {
            return Err(invalid());
        }
        rest = next;
    }
    Ok(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_go_quotes_them() {
        for (text, quoted) in [
            ("10.0.0.0/8", r#""10.0.0.0/8""#),
            ("", r#""""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("tab\there", r#""tab\there""#),
            ("it's", r#""it's""#),
            ("\u{0}\u{7f}", r#""\x00\x7f""#),
            ("é \u{200b}\u{a0}", "\"é \\u200b\\u00a0\""),
            ("\u{e0001}", r#""\U000e0001""#),
        ] {
            assert_eq!(quote(text), quoted);
        }
        for (byte, quoted) in
            [(b'*', "'*'"), (b'\'', r"'\''"), (b'"', "'\"'"), (b'\n', r"'\n'"), (0xc3, "'Ã'"), (0x80, r"'\u0080'")]
        {
            assert_eq!(quote_byte(byte), quoted);
        }
    }

    #[test]
    fn keys_fold() {
        for key in ["masqLinkLocal", "MasqLinkLocal", "masqlinklocal", "MASQLINKLOCAL", "ma\u{17f}qLin\u{212a}Local"] {
            assert!(same_key(key, "masqLinkLocal"), "{key}");
        }
        for key in ["masqLinkLocalIPv6", "masq-link-local", "masqLinkLoca", ""] {
            assert!(!same_key(key, "masqLinkLocal"), "{key}");
        }
    }

    #[test]
    fn numbers_say_their_base() {
        for (text, number) in [
            ("60", Ok(60)),
            ("-1", Ok(-1)),
            ("0", Ok(0)),
            ("010", Ok(8)),
            ("0x10", Ok(16)),
            ("1_000", Ok(1000)),
            ("0x_ff", Ok(255)),
            ("", Err(NumberError::Syntax)),
            ("60s", Err(NumberError::Syntax)),
            ("08", Err(NumberError::Syntax)),
            ("_1", Err(NumberError::Syntax)),
            ("9223372036854775808", Err(NumberError::Range)),
            ("-9223372036854775808", Ok(i64::MIN)),
        ] {
            assert_eq!(parse_int(text), number, "{text}");
        }
    }

    #[test]
    fn durations_are_read() {
        for (text, nanoseconds) in [
            ("60s", Ok(60_000_000_000)),
            ("1m30s", Ok(90_000_000_000)),
            ("1.5h", Ok(5_400_000_000_000)),
            ("-2ms", Ok(-2_000_000)),
            ("0", Ok(0)),
            (".5s", Ok(500_000_000)),
            ("60", Err(r#"time: missing unit in duration "60""#)),
            ("60x", Err(r#"time: unknown unit "x" in duration "60x""#)),
            ("", Err(r#"time: invalid duration """#)),
            ("s", Err(r#"time: invalid duration "s""#)),
            ("1..2s", Err(r#"time: invalid duration "1..2s""#)),
            ("99999999999h", Err(r#"time: invalid duration "99999999999h""#)),
        ] {
            assert_eq!(parse_duration(text), nanoseconds.map_err(str::to_owned), "{text}");
        }
    }
}
