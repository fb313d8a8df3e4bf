//! Label selectors and prefixes.

use super::{Reader, join};
use crate::kubernetes::value::{at, text};
use crate::kubernetes::words::{is_label_key, label_text};
use crate::tree::Node;
use causeway_addr::Cidr;
use causeway_model::policy::{Operator, Requirement, Selector};

impl Reader {
    /// The selector under a key; absent and null are `None`.
    pub(super) fn selector(&mut self, node: &Node, path: &str, key: &str) -> Option<Selector> {
        let value = at(node, &[key])?;
        Some(self.selector_of(value, &join(path, key)))
    }

    /// A selector.
    pub(super) fn selector_of(&mut self, node: &Node, path: &str) -> Selector {
        if node.as_map().is_none() {
            self.wrong(node, path, "a label selector");
            return Selector::default();
        }
        self.fields(node, path, &["matchLabels", "matchExpressions"]);
        let mut requirements = Vec::new();
        if let Some(labels) = at(node, &["matchLabels"]) {
            let path = join(path, "matchLabels");
            if labels.as_map().is_none() {
                self.wrong(labels, &path, "a mapping");
            }
            for entry in labels.entries() {
                let field = join(&path, &entry.key);
                self.label_key(&entry.node, &field, &entry.key);
                if let Some(value) = self.label_value(&entry.node, &field) {
                    requirements.push(Requirement { key: entry.key.to_string(), operator: Operator::In(vec![value]) });
                }
            }
        }
        for (path, expression) in self.list(node, path, "matchExpressions").unwrap_or_default() {
            requirements.extend(self.expression(expression, &path));
        }
        Selector::new(requirements)
    }

    fn expression(&mut self, node: &Node, path: &str) -> Option<Requirement> {
        self.fields(node, path, &["key", "operator", "values"]);
        let Some(key) = at(node, &["key"]) else {
            self.fault(node, path, format!("`{path}` needs `key`"));
            return None;
        };
        let Some(word) = key.as_str() else {
            self.wrong(key, &join(path, "key"), "the name of a label, as text");
            return None;
        };
        self.label_key(key, &join(path, "key"), word);
        let (key, before) = (word, self.mark());
        let stated = self.list(node, path, "values").unwrap_or_default();
        let values: Vec<String> =
            stated.into_iter().filter_map(|(path, value)| self.label_value(value, &path)).collect();
        if self.mark() > before {
            return None;
        }
        let operator = match text(node, &["operator"]) {
            Some("In") if !values.is_empty() => Operator::In(values),
            Some("NotIn") if !values.is_empty() => Operator::NotIn(values),
            Some("Exists") if values.is_empty() => Operator::Exists,
            Some("DoesNotExist") if values.is_empty() => Operator::DoesNotExist,
            Some(word @ ("In" | "NotIn")) => {
                self.fault(node, path, format!("`{word}` needs `values`"));
                return None;
            }
            Some(word @ ("Exists" | "DoesNotExist")) => {
                self.fault(node, path, format!("`{word}` takes no `values`"));
                return None;
            }
            _ => {
                let found = at(node, &["operator"]).unwrap_or(node);
                self.wrong(found, &join(path, "operator"), "`In`, `NotIn`, `Exists` or `DoesNotExist`");
                return None;
            }
        };
        Some(Requirement { key: key.to_owned(), operator })
    }

    /// The name of a label: said if it is none.
    fn label_key(&mut self, node: &Node, path: &str, key: &str) {
        if !is_label_key(key) {
            let key: String = key.chars().take(80).collect();
            let message = format!(
                "`{key}` is no name of a label: at most 63 letters, digits, `-`, `_` and `.` between letters or digits, after a DNS \
                 name and `/` if there is one"
            );
            self.fault(node, path, message);
        }
    }

    /// The value of a label. Kubernetes takes nothing for the empty text, and a number or a boolean for a mistake.
    fn label_value(&mut self, node: &Node, path: &str) -> Option<String> {
        match label_text(node) {
            Ok(value) => Some(value),
            Err(wanted) => {
                self.wrong(node, path, wanted);
                None
            }
        }
    }

    /// A prefix. Kubernetes cuts host bits off, as here.
    pub(super) fn cidr(&mut self, node: &Node, path: &str) -> Option<Cidr> {
        let text = node.text().filter(|text| text.contains('/'));
        let cidr = text.and_then(|text| Cidr::parse(text).ok()).map(|parsed| parsed.cidr);
        if cidr.is_none() {
            self.wrong(node, path, "a prefix as 10.0.0.0/8");
        }
        cidr
    }
}
