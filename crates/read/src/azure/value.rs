//! Reading Azure's values: keys in any case, at the top or under `properties`, one value or a list of them.

use super::resource::ResourceId;
use crate::tree::{Node, Value};

/// The value of a key, under `properties` or at the top, keys compared without regard to case. Null is as good as absent.
pub(super) fn prop<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let inner = node.get_ci("properties").and_then(|inner| inner.get_ci(key));
    inner.filter(|node| !node.is_null()).or_else(|| node.get_ci(key).filter(|node| !node.is_null()))
}

/// [`prop`] several steps down.
pub(super) fn path<'a>(node: &'a Node, keys: &[&str]) -> Option<&'a Node> {
    keys.iter().try_fold(node, |node, key| prop(node, key))
}

/// The items of a list that are not null; nothing without the list.
pub(super) fn list<'a>(node: &'a Node, key: &str) -> Vec<&'a Node> {
    prop(node, key).map_or_else(Vec::new, |list| list.items().iter().filter(|item| !item.is_null()).collect())
}

/// The text under a key, empty text being as good as absent.
pub(super) fn text<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    prop(node, key).filter(|value| value.text().is_some_and(|text| !text.trim().is_empty()))
}

/// A list of texts and one text, under two keys as Azure likes to have it (`addressPrefixes` and `addressPrefix`).
pub(super) fn texts<'a>(node: &'a Node, many: &str, one: &str) -> Vec<&'a Node> {
    let has_text = |node: &&Node| node.text().is_some_and(|text| !text.trim().is_empty());
    let mut found: Vec<&Node> = list(node, many).into_iter().filter(has_text).collect();
    if let Some(single) = text(node, one)
        && !found.iter().any(|known| known.text() == single.text())
    {
        found.push(single);
    }
    found
}

/// A boolean, also as text.
pub(super) fn truth(node: &Node) -> Option<bool> {
    let text = node.text()?;
    match text.to_ascii_lowercase().as_str() {
        "true" | "enabled" => Some(true),
        "false" | "disabled" => Some(false),
        _ => None,
    }
}

/// The boolean under a key.
pub(super) fn flag(node: &Node, key: &str) -> Option<bool> {
    prop(node, key).and_then(truth)
}

/// A number that is not negative, also as text.
pub(super) fn number(node: &Node) -> Option<u64> {
    node.as_u64().or_else(|| node.text()?.trim().parse().ok())
}

/// The reference under a key: `{"subnet": {"id": "/subscriptions/…"}}`, or the id as text.
pub(super) fn reference<'a>(node: &'a Node, key: &str) -> Option<(ResourceId, &'a Node)> {
    prop(node, key).and_then(id_of)
}

/// The references in a list.
pub(super) fn references<'a>(node: &'a Node, key: &str) -> Vec<(ResourceId, &'a Node)> {
    list(node, key).into_iter().filter_map(id_of).collect()
}

/// The id a value is, or holds under `id`, with the node it stands in.
pub(super) fn id_of(node: &Node) -> Option<(ResourceId, &Node)> {
    let scalar = match node.value {
        Value::Map(_) => node.get_ci("id")?,
        _ => node,
    };
    Some((ResourceId::parse(scalar.text()?)?, scalar))
}

/// A word compared without regard to case, as the design writes it; with the span of the value.
pub(super) fn word(node: &Node, words: &[(&str, &'static str)]) -> Option<Node> {
    let text = node.text()?.trim();
    let (_, ours) = words.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(text))?;
    Some(Node::str(node.span, *ours))
}

/// A text of the export, as a string of the design.
pub(super) fn copy(node: &Node) -> Option<Node> {
    Some(Node::str(node.span, node.text()?.trim()))
}

/// A number of the export, as a number of the design.
pub(super) fn copy_number(node: &Node) -> Option<Node> {
    number(node).map(|number| Node::plain(node.span, number.to_string()))
}

/// A boolean of the design where the export has `node`.
pub(super) fn boolean(node: &Node, value: bool) -> Node {
    Node::plain(node.span, if value { "true" } else { "false" })
}

/// One value as it is, several as a list; `None` for none.
pub(super) fn one_or_many(mut nodes: Vec<Node>) -> Option<Node> {
    match nodes.len() {
        0 => None,
        1 => nodes.pop(),
        _ => many(nodes),
    }
}

/// A list that spans from its first to its last item where they stand in one file; `None` for none.
pub(super) fn many(nodes: Vec<Node>) -> Option<Node> {
    let mut span = nodes.first()?.span;
    for node in &nodes {
        if node.span.file == span.file {
            span.start = span.start.min(node.span.start);
            span.end = span.end.max(node.span.end);
        }
    }
    Some(Node::seq(span, nodes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Limits, parse};
    use causeway_model::source::FileId;

    fn tree(text: &str) -> Node {
        parse(text, FileId(0), &Limits::default()).unwrap().remove(0)
    }

    #[test]
    fn values_are_found_in_both_shapes_and_any_case() {
        for text in [
            r#"{"AddressSpace": {"ADDRESSPREFIXES": ["10.0.0.0/16"]}}"#,
            r#"{"addressSpace": null, "Properties": {"addressspace": {"addressPrefixes": ["10.0.0.0/16"]}}}"#,
        ] {
            let node = tree(text);
            let prefixes = path(&node, &["addressSpace", "addressPrefixes"]).unwrap();
            assert_eq!(prefixes.items().first().and_then(Node::text), Some("10.0.0.0/16"), "{text}");
        }
        assert!(prop(&tree(r#"{"a": null}"#), "a").is_none());
    }

    #[test]
    fn one_and_many_are_united() {
        let read = |text| {
            texts(&tree(text), "prefixes", "prefix")
                .iter()
                .filter_map(|node| node.text().map(str::to_owned))
                .collect::<Vec<_>>()
        };
        assert_eq!(read(r#"{"prefix": "a"}"#), ["a"]);
        assert_eq!(read(r#"{"prefixes": ["a", "b"], "prefix": "a"}"#), ["a", "b"]);
        assert_eq!(read(r#"{"prefixes": [], "prefix": "a"}"#), ["a"]);
        assert_eq!(read(r#"{"prefixes": [null], "prefix": ""}"#), [""; 0]);
    }

    #[test]
    fn numbers_and_booleans_may_be_text() {
        assert_eq!(number(&tree(r#"["3"]"#).items()[0]), Some(3));
        assert_eq!(number(&tree("[3]").items()[0]), Some(3));
        assert_eq!(number(&tree("[-3]").items()[0]), None);
        assert_eq!(truth(&tree(r#"["True"]"#).items()[0]), Some(true));
        assert_eq!(truth(&tree("[1]").items()[0]), None);
    }
}
