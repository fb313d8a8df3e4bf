//! What a plain scalar means: YAML 1.2 (core schema, chapter 10.3.2 of the specification, revision 1.2.2) and, for
//! booleans and for what must be quoted, YAML 1.1 (its type repository, 2005).

/// Null in YAML 1.2; nothing at all included.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// A boolean of YAML 1.2 (and JSON).
pub(super) fn bool_12(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A boolean of YAML 1.1.
pub(super) fn bool_11(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => bool_12(text),
    }
}

/// An integer of YAML 1.2: `[-+]?[0-9]+`, `0o[0-7]+`, `0x[0-9a-fA-F]+`.
pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    all(digits, |byte| byte.is_ascii_digit())
        || text.strip_prefix("0o").is_some_and(|digits| all(digits, |byte| matches!(byte, b'0'..=b'7')))
        || text.strip_prefix("0x").is_some_and(|digits| all(digits, |byte| byte.is_ascii_hexdigit()))
}

/// An integer or a floating point number of YAML 1.2, infinity and "not a number" included.
pub(super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    is_integer(text)
        || matches!(unsigned, ".inf" | ".Inf" | ".INF")
        || matches!(text, ".nan" | ".NaN" | ".NAN")
        || is_decimal(unsigned, |byte| byte.is_ascii_digit())
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, with other digits if told so.
fn is_decimal(text: &str, digit: impl Fn(u8) -> bool + Copy) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let mantissa_fits = match fraction {
        None => all(whole, digit),
        Some(fraction) if whole.is_empty() => all(fraction, digit),
        Some(fraction) => all(whole, digit) && fraction.bytes().all(digit),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        all(exponent.strip_prefix(['-', '+']).unwrap_or(exponent), |byte| byte.is_ascii_digit())
    });
    mantissa_fits && exponent_fits
}

fn all(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(fits)
}

/// An integer that fits, by the rules of YAML 1.2 (`010` is ten).
pub(super) fn integer(text: &str) -> Option<i128> {
    if !is_integer(text) {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i128::from_str_radix(digits, 8).ok();
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return i128::from_str_radix(digits, 16).ok();
    }
    text.parse().ok()
}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f64> {
    if let Some(integer) = text.strip_prefix("0o").or(text.strip_prefix("0x")).and_then(|_| integer(text)) {
        #[expect(clippy::cast_precision_loss, reason = "a floating point number is what is asked for")]
        return Some(integer as f64);
    }
    is_number(text).then(|| text.parse::<f64>().ok()).flatten().filter(|number| number.is_finite())
}

/// Whether a reader of YAML 1.1 or 1.2 could take the text for anything but a string.
pub(super) fn looks_typed(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digit = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    is_null(text)
        || bool_11(text).is_some()
        || is_number(text)
        || matches!(text, "=" | "<<")
        || matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan")
        || is_decimal(unsigned, digit)
        || unsigned.strip_prefix("0b").is_some_and(|digits| all(digits, |byte| matches!(byte, b'0' | b'1' | b'_')))
        || unsigned.strip_prefix("0o").is_some_and(|digits| all(digits, |byte| matches!(byte, b'0'..=b'7' | b'_')))
        || unsigned
            .strip_prefix("0x")
            .is_some_and(|digits| all(digits, |byte| byte.is_ascii_hexdigit() || byte == b'_'))
        || is_sexagesimal(unsigned)
        || is_date(text)
}

/// `12:30:45` and `1:30.5`: numbers to base sixty in YAML 1.1.
fn is_sexagesimal(text: &str) -> bool {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole.contains(':') && whole.split(':').all(|part| all(part, |byte| byte.is_ascii_digit() || byte == b'_'))
}

/// Anything that begins like `2026-11-20`.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut number = |longest: usize| {
        parts.next().is_some_and(|part| part.len() <= longest && all(part, |byte| byte.is_ascii_digit()))
    };
    number(4) && number(2) && parts.next().is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_core_schema() {
        for text in
            ["0", "-12", "+3", "0o17", "0xFf", "1.", "1.5", ".5", "-.5", "1e3", "1.5E-3", ".inf", "-.INF", ".nan"]
        {
            assert!(is_number(text), "{text}");
        }
        for text in [
            "", "-", ".", "1e", "e3", "0x", "0o8", "1_000", "1.2.3", "10.0.0.1", "1:2", "0b1", "inf", "NaN", "-.nan",
            "--1", "1 ",
        ] {
            assert!(!is_number(text), "{text}");
        }
        assert_eq!(integer("010"), Some(10));
        assert_eq!(integer("0o17"), Some(15));
        assert_eq!(integer("-0x1"), None);
        assert_eq!(number("0x10"), Some(16.0));
        assert_eq!(number("1e999"), None);
        assert_eq!(number("-1.5e2"), Some(-150.0));
    }

    #[test]
    fn what_another_reader_could_take_for_something_else() {
        for text in [
            "",
            "~",
            "yes",
            "Off",
            "n",
            "1_000",
            "0b11",
            "12:30",
            "1:30.5",
            "2026-11-20",
            "2026-11-20T10:00:00Z",
            "=",
            "<<",
            "-0x1",
            "+.Inf",
            "1_0.5",
        ] {
            assert!(looks_typed(text), "{text}");
        }
        for text in
            ["10.0.0.0/16", "10.0.0.4", "2001:db8::/32", "a", "1.2.3", "v1", "nope", "on-prem", "2026-W2", "fd00:1::"]
        {
            assert!(!looks_typed(text), "{text}");
        }
    }
}
