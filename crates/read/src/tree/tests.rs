//! Tests of the tree as a whole: what is read, which bytes it has, what is refused.

mod documents;
mod errors;
mod limits;
mod locate;
mod properties;
mod spans;
mod write;

use super::*;
use causeway_model::source::Sources;

/// Reads a text as the only file.
fn read(text: &str) -> Result<Vec<Node>, Vec<SyntaxError>> {
    parse(text, FileId(0), &Limits::default())
}

/// Reads a text that is one document.
fn one(text: &str) -> Node {
    let mut documents = read(text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"));
    assert_eq!(documents.len(), 1, "{text:?}");
    documents.remove(0)
}

fn sources(text: &str) -> Sources {
    let mut sources = Sources::default();
    sources.add("test", text.into());
    sources
}

/// A tree in one line: `'text'` for strings, bare text for what has no quotes, `|text|` for blocks.
fn shape(node: &Node) -> String {
    match &node.value {
        Value::Scalar(Scalar { text, style: Style::Plain }) => text.to_string(),
        Value::Scalar(Scalar { text, style: Style::Quoted }) => format!("'{text}'"),
        Value::Scalar(Scalar { text, style: Style::Block }) => format!("|{text}|"),
        Value::Seq(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let entries = entries.iter().map(|entry| format!("{}: {}", entry.key, shape(&entry.node)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Equal up to spans and to how it was written: the same texts, the same of them strings for certain.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(x), Value::Scalar(y)) => {
            let string = |node: &Node| node.as_str().map(str::to_owned);
            string(a) == string(b) && (x.text == y.text || a.is_null() && b.is_null())
        }
        (Value::Seq(x), Value::Seq(y)) => x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| same(x, y)),
        (Value::Map(x), Value::Map(y)) => {
            x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| x.key == y.key && same(&x.node, &y.node))
        }
        _ => false,
    }
}
