//! What a YAML scalar is to go-yaml version 2 (`resolve.go`, as vendored by sigs.k8s.io/yaml 1.4).

use super::go;
use granit_parser::Tag;

/// A scalar that got its type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Resolved {
    Null,
    Bool(bool),
    /// As JSON writes it.
    Number(String),
    /// Infinity and "not a number", in Go's words.
    NotFinite(&'static str),
    String(String),
}

impl Resolved {
    fn tag(&self) -> &'static str {
        match self {
            Resolved::Null => "!!null",
            Resolved::Bool(_) => "!!bool",
            Resolved::Number(text) if text.contains(['.', 'e', 'E']) => "!!float",
            Resolved::Number(_) => "!!int",
            Resolved::NotFinite(_) => "!!float",
            Resolved::String(_) => "!!str",
        }
    }
}

/// A tag as the library prints it: `!!int`, `!own`.
pub(super) fn short_tag(tag: &Tag) -> Option<String> {
    if tag.handle().is_empty() && tag.suffix() == "!" || tag.handle() == "!" && tag.suffix().is_empty() {
        return Some("!".to_owned());
    }
    match tag.suffix_in_namespace("tag:yaml.org,2002:") {
        Some(name) => Some(format!("!!{name}")),
        None => Some(tag.original().to_string()),
    }
}

/// The type of a scalar.
///
/// # Errors
/// The library's words, when a tag says something else.
pub(super) fn resolve(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Resolved, String> {
    let tag = tag.and_then(short_tag);
    match tag.as_deref() {
        None if !plain => Ok(Resolved::String(text.to_owned())),
        None => Ok(plain_scalar(text)),
        Some("!!binary") => decode_base64(text)
            .map(Resolved::String)
            .ok_or_else(|| "!!binary value contains invalid base64 data".to_owned()),
        Some(wanted @ ("!!bool" | "!!int" | "!!float" | "!!null" | "!!timestamp")) => {
            let found = plain_scalar(text);
            let fits = found.tag() == wanted
                || wanted == "!!float" && found.tag() == "!!int"
                || wanted == "!!timestamp" && is_date(text);
            if fits { Ok(found) } else { Err(format!("cannot decode {} `{text}` as a {wanted}", found.tag())) }
        }
        // A string by name, or a tag the library has no meaning for.
        Some(_) => Ok(Resolved::String(text.to_owned())),
    }
}

fn plain_scalar(text: &str) -> Resolved {
    let string = || Resolved::String(text.to_owned());
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Resolved::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Resolved::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Resolved::NotFinite("NaN"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Resolved::NotFinite("+Inf");
        }
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::NotFinite("-Inf"),
        _ => {}
    }
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    // No number has a slash, and most of what stands in these files is a prefix.
    if !numeric || text.contains('/') || is_date(text) {
        return string();
    }
    let digits = text.replace('_', "");
    if !text.starts_with('.') {
        match go::parse_int(&digits) {
            Ok(number) => return Resolved::Number(number.to_string()),
            // Larger integers stay integers.
            Err(go::NumberError::Range) => {
                return Resolved::Number(digits.trim_start_matches('+').to_owned());
            }
            Err(go::NumberError::Syntax) => {}
        }
    }
    if is_decimal(&digits)
        && let Ok(number) = digits.parse::<f64>()
        && number.is_finite()
    {
        return Resolved::Number(float_text(number));
    }
    string()
}

/// A finite number as Go's JSON writes it: `8` for `8.0`.
fn float_text(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) { format!("{number:e}") } else { format!("{number}") }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let mantissa_fits = match mantissa.split_once('.') {
        None => all_digits(mantissa),
        Some(("", fraction)) => all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && (fraction.is_empty() || all_digits(fraction)),
    };
    mantissa_fits && exponent.is_none_or(|exponent| all_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)))
}

/// A date is a string in the end, but never a number: `2001-01-01`.
fn is_date(text: &str) -> bool {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    year == 4 && text.as_bytes().get(4) == Some(&b'-')
}

fn decode_base64(text: &str) -> Option<String> {
    let clean: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let digits = clean.strip_suffix(b"==").or_else(|| clean.strip_suffix(b"=")).unwrap_or(&clean);
    if !clean.len().is_multiple_of(4) || digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::new();
    for chunk in digits.chunks(4) {
        let mut bits = 0_u32;
        for byte in chunk {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        let missing = 4 - chunk.len();
        bits <<= 6 * missing;
        let [_, a, b, c] = bits.to_be_bytes();
        out.extend([a, b, c].into_iter().take(3 - missing));
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_of_yaml_1_1() {
        let number = |text: &str| Resolved::Number(text.to_owned());
        let string = |text: &str| Resolved::String(text.to_owned());
        for (text, resolved) in [
            ("yes", Resolved::Bool(true)),
            ("Off", Resolved::Bool(false)),
            ("n", Resolved::Bool(false)),
            ("yEs", string("yEs")),
            ("~", Resolved::Null),
            ("", Resolved::Null),
            ("10", number("10")),
            ("010", number("8")),
            ("08", number("8")),
            ("1_000", number("1000")),
            ("0x1F", number("31")),
            ("+5", number("5")),
            ("1.50", number("1.5")),
            ("1.", number("1")),
            ("1e3", number("1000")),
            (".5", number("0.5")),
            ("12:30", string("12:30")),
            ("10.0.0.0/8", string("10.0.0.0/8")),
            ("10.0.0.0", string("10.0.0.0")),
            ("2001:db8::/32", string("2001:db8::/32")),
            ("2001-01-01", string("2001-01-01")),
            ("-", string("-")),
            ("18446744073709551616", number("18446744073709551616")),
            (".inf", Resolved::NotFinite("+Inf")),
            ("1e999", string("1e999")),
        ] {
            assert_eq!(plain_scalar(text), resolved, "{text}");
        }
    }

    #[test]
    fn binary_scalars_are_decoded() {
        assert_eq!(decode_base64("MTAuMC4wLjAvOA==").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(decode_base64("MTAu\nMC4w"), Some("10.0.0".to_owned()));
        assert_eq!(decode_base64("MTAu*C4w"), None);
        assert_eq!(decode_base64("MTA"), None);
    }
}
