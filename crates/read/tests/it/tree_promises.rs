//! What the reader of trees promises for any bytes at all. Checked here over texts that once broke it or are likely
//! to, over random changes to good texts, and by the fuzz target `tree`.

use causeway_model::source::{FileId, Sources, Span};
use causeway_read::tree::{
    Limits, Node, Style, Value, decode_bytes, locate_in_scalar, parse, parse_in_scalar, to_yaml,
};

/// Reads the bytes and checks every promise; panics if one is broken.
pub(crate) fn of_reading(bytes: &[u8]) {
    let text = match decode_bytes(bytes) {
        Ok(text) => text,
        Err(error) => {
            assert!(error.offset <= bytes.len() && error.line > 0, "{error:?}");
            return;
        }
    };
    let mut sources = Sources::default();
    let file = sources.add("any", text.as_ref().into());
    // A small budget, so that the trees stay small enough to be checked.
    let limits = Limits { alias_nodes: 2_000, ..Limits::default() };
    match parse(&text, file, &limits) {
        Ok(documents) => {
            for document in &documents {
                of_tree(document, &sources, 0);
                of_writing(document);
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty() && errors.len() <= limits.errors);
            assert!(errors.is_sorted_by_key(|error| error.span.start), "{errors:?}");
            for error in errors {
                lies_in_file(error.span, &text);
                assert!(
                    !error.message.is_empty() && !error.help.is_empty() && !error.message.ends_with('.'),
                    "{error:?}"
                );
            }
        }
    }
}

fn lies_in_file(span: Span, text: &str) {
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} of {text:?}");
}

fn of_tree(node: &Node, sources: &Sources, depth: usize) {
    let text = sources.text(node.span.file);
    assert!(depth <= 128);
    lies_in_file(node.span, text);
    for item in node.items() {
        of_tree(item, sources, depth + 1);
    }
    let mut keys: Vec<&str> = node.entries().iter().map(|entry| entry.key.as_ref()).collect();
    keys.sort_unstable();
    assert!(keys.iter().zip(keys.iter().skip(1)).all(|(key, next)| key != next), "{keys:?}");
    for entry in node.entries() {
        lies_in_file(entry.key_span, text);
        of_tree(&entry.node, sources, depth + 1);
    }
    let Value::Scalar(scalar) = &node.value else { return };
    let slice = sources.slice(node.span);
    match scalar.style {
        Style::Plain => assert!(
            slice == scalar.text.as_ref() || scalar.text.contains([' ', '\n']) || slice.starts_with(['"', '\'']),
            "{slice:?}"
        ),
        Style::Quoted => assert!(
            slice.starts_with(['"', '\'']) || slice == scalar.text.as_ref() || scalar.text.contains([' ', '\n']),
            "{slice:?}"
        ),
        Style::Block => {}
    }
    let length = scalar.text.len();
    for (start, end) in [(0, length), (length / 2, length), (0, 0), (length / 3, length / 2), (length, length)] {
        lies_in_file(locate_in_scalar(sources, node, start..end), text);
    }
    if depth < 4 && length < 2_000 {
        match parse_in_scalar(sources, node, &Limits { alias_nodes: 200, ..Limits::default() }) {
            Ok(inner) => inner.iter().for_each(|inner| all_lie_in_file(inner, text)),
            Err(errors) => errors.iter().for_each(|error| lies_in_file(error.span, text)),
        }
    }
}

fn all_lie_in_file(node: &Node, text: &str) {
    lies_in_file(node.span, text);
    node.items().iter().for_each(|item| all_lie_in_file(item, text));
    for entry in node.entries() {
        lies_in_file(entry.key_span, text);
        all_lie_in_file(&entry.node, text);
    }
}

fn of_writing(node: &Node) {
    let written = to_yaml(node);
    let again = parse(&written, FileId(0), &Limits::default());
    let Ok([again]) = again.as_deref() else {
        assert!(again.is_ok_and(|documents| documents.len() == 1), "{written:?}");
        return;
    };
    assert!(same(node, again), "{written:?}");
    assert_eq!(to_yaml(again), written);
}

/// Equal but for spans and for how it was written.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(_), Value::Scalar(_)) => {
            a.as_str() == b.as_str() && (a.text() == b.text() || a.is_null() && b.is_null())
        }
        (Value::Seq(x), Value::Seq(y)) => x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| same(x, y)),
        (Value::Map(x), Value::Map(y)) => {
            x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| x.key == y.key && same(&x.node, &y.node))
        }
        _ => false,
    }
}
