//! Addresses and references as Terraform writes them: `module.net["weu"].azurerm_subnet.this["nodes"].id`.

use crate::tree::Node;
use std::fmt;
use std::sync::Arc;

/// What tells one of several objects of a block apart: its number (`count`) or its key (`for_each`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Number(u64),
    Text(Arc<str>),
}

impl Key {
    /// The `index` of an object in a plan.
    pub(super) fn of(node: &Node) -> Option<Key> {
        match node.as_u64() {
            Some(number) => Some(Key::Number(number)),
            None => Some(Key::Text(node.text()?.into())),
        }
    }

    /// Whether a text says the same key.
    pub(super) fn is(&self, text: &str) -> bool {
        match self {
            Key::Number(number) => text.parse() == Ok(*number),
            Key::Text(key) => key.as_ref() == text,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Number(number) => write!(f, "{number}"),
            Key::Text(text) => f.write_str(text),
        }
    }
}

/// The calls that lead from the root module to a module.
pub(super) type ModulePath = Vec<(Arc<str>, Option<Key>)>;

/// One step of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Name(Arc<str>),
    Key(Key),
}

impl Step {
    pub(super) fn name(&self) -> Option<&Arc<str>> {
        match self {
            Step::Name(name) => Some(name),
            Step::Key(_) => None,
        }
    }
}

/// Takes an address apart. `None` for text that is none.
pub(super) fn steps(text: &str) -> Option<Vec<Step>> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (key, after) = key(inside)?;
            out.push(Step::Key(key));
            rest = after.strip_prefix(']')?;
            rest = match rest.strip_prefix('.') {
                Some("") => return None,
                Some(more) => more,
                None if rest.is_empty() || rest.starts_with('[') => rest,
                None => return None,
            };
            continue;
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        if name.is_empty() {
            return None;
        }
        out.push(Step::Name(name.into()));
        rest = match after.strip_prefix('.') {
            Some("") => return None,
            Some(more) => more,
            None => after,
        };
    }
    (!out.is_empty()).then_some(out)
}

/// A key in brackets, and what follows it: a number, or a text in quotes with escapes.
fn key(text: &str) -> Option<(Key, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(']')?;
        let (number, after) = text.split_at_checked(end)?;
        return Some((Key::Number(number.parse().ok()?), after));
    };
    let mut key = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((Key::Text(key.into()), quoted.get(at + 1..)?)),
            '\\' => key.push(match letters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            }),
            other => key.push(other),
        }
    }
    None
}

/// The path of a module by its address; the root has an empty one.
pub(super) fn module_path(address: &str) -> Option<ModulePath> {
    let mut out = ModulePath::new();
    if address.is_empty() {
        return Some(out);
    }
    let steps = steps(address)?;
    let mut steps = steps.into_iter().peekable();
    while let Some(step) = steps.next() {
        if step.name().map(AsRef::as_ref) != Some("module") {
            return None;
        }
        let Some(Step::Name(name)) = steps.next() else { return None };
        let key = match steps.next_if(|step| matches!(step, Step::Key(_))) {
            Some(Step::Key(key)) => Some(key),
            _ => None,
        };
        out.push((name, key));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Step {
        Step::Name(text.into())
    }

    fn text(text: &str) -> Step {
        Step::Key(Key::Text(text.into()))
    }

    #[test]
    fn addresses_are_taken_apart() {
        let cases = [
            ("var.subnet_id", vec![name("var"), name("subnet_id")]),
            (
                r#"azurerm_subnet.this["a.b[0]\"c"].id"#,
                vec![name("azurerm_subnet"), name("this"), text("a.b[0]\"c"), name("id")],
            ),
            (
                "azurerm_firewall.fw.ip_configuration[0].private_ip_address",
                vec![
                    name("azurerm_firewall"),
                    name("fw"),
                    name("ip_configuration"),
                    Step::Key(Key::Number(0)),
                    name("private_ip_address"),
                ],
            ),
            (r#"module.x["k"][1]"#, vec![name("module"), name("x"), text("k"), Step::Key(Key::Number(1))]),
        ];
        for (address, expected) in cases {
            assert_eq!(steps(address), Some(expected), "{address}");
        }
        for wrong in ["", ".", "a.", "a..b", "a[", "a[x]", "a[0", r#"a["x"#, "a[0]b", "a[0].", "[", "]"] {
            let taken = steps(wrong);
            assert!(taken.is_none() || wrong == "]", "{wrong}: {taken:?}");
        }
    }

    #[test]
    fn modules_have_paths() {
        assert_eq!(module_path(""), Some(vec![]));
        assert_eq!(
            module_path(r#"module.net["weu"].module.inner[2].module.last"#),
            Some(vec![
                ("net".into(), Some(Key::Text("weu".into()))),
                ("inner".into(), Some(Key::Number(2))),
                ("last".into(), None),
            ])
        );
        assert_eq!(module_path("azurerm_subnet.this"), None);
        assert_eq!(module_path("module"), None);
    }
}
