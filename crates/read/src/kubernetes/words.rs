//! What the API server takes for a name and for a label, whatever the object.
//!
//! Source: Kubernetes documentation, "Labels and Selectors" and "Object Names and IDs" (November 2026): RFC 1123 names, qualified names.

use crate::tree::Node;

/// Letters and digits at both ends, and what is allowed between them.
fn is_framed(text: &str, between: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    edge(text.bytes().next())
        && edge(text.bytes().next_back())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || between.contains(c))
}

/// A DNS label: at most 63 small letters, digits and hyphens.
pub(super) fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && is_framed(text, "-") && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// A DNS name of at most 253 characters, in small letters. Unlike a label each of its parts may be long.
pub(super) fn is_dns_name(text: &str) -> bool {
    let part = |part: &str| is_framed(part, "-") && !part.bytes().any(|byte| byte.is_ascii_uppercase());
    text.len() <= 253 && text.split('.').all(part)
}

/// The name of a label: at most 63 characters, after a DNS name and a slash if there is one.
pub(super) fn is_label_key(key: &str) -> bool {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    prefix.is_none_or(is_dns_name) && name.len() <= 63 && is_framed(name, "-_.")
}

/// The value of a label: nothing, or at most 63 characters.
pub(super) fn is_label_value(value: &str) -> bool {
    value.is_empty() || (value.len() <= 63 && is_framed(value, "-_."))
}

/// The text of a label's value; Kubernetes takes nothing for the empty text. The tools that send objects read YAML 1.1: `yes` is a
/// boolean to them.
///
/// # Errors
/// What would have to stand there.
pub(super) fn label_text(node: &Node) -> Result<String, &'static str> {
    if node.is_null() {
        return Ok(String::new());
    }
    match node.as_str() {
        None if node.text().is_some() => Err("text: put it in quotes"),
        None => Err("text"),
        Some(_) if node.as_bool_11().is_some() => Err("text: put it in quotes"),
        Some(text) if !is_label_value(text) => {
            Err("a label's value, at most 63 letters, digits, `-`, `_` and `.` between letters or digits")
        }
        Some(text) => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_what_the_api_server_takes() {
        let long = "a".repeat(64);
        for (text, key, value, name) in [
            ("app", true, true, true),
            ("app.kubernetes.io/name", true, false, false),
            ("a.b/", false, false, false),
            ("/a", false, false, false),
            ("A_b.c-d", true, true, false),
            ("-a", false, false, false),
            ("a-", false, false, false),
            ("a b", false, false, false),
            ("UPPER.case/x", false, false, false),
            ("a/b/c", false, false, false),
            ("", false, true, false),
            (long.as_str(), false, false, true),
            ("a..b", true, true, false),
        ] {
            assert_eq!((is_label_key(text), is_label_value(text), is_dns_name(text)), (key, value, name), "{text}");
        }
        assert!(is_dns_label("kube-system") && !is_dns_label("a.b") && !is_dns_label(&long));
    }
}
