//! What the importer promises for any text at all. Checked here over random objects, and by the fuzz target `azure`.

use causeway_model::source::{FileId, Span};
use causeway_read::azure::{Kind, Resource, recognise, resources, translate};
use causeway_read::document::{Context, DesignDocument, Document};
use causeway_read::tree::{Limits, Node, Value, decode_bytes, parse};

/// Translates the bytes, if they are a text, as if each kind were forced, and checks every promise; panics if one is
/// broken: there is a tree, it has only fields that designs have, and every value and note points into the text.
pub(crate) fn of_translating(bytes: &[u8]) {
    let Ok(text) = decode_bytes(bytes) else { return };
    let Ok(documents) = parse(&text, FileId(0), &Limits::default()) else { return };
    for forced in ["", "aks", "subnet", "rule-collection", "firewall"] {
        let (mut notes, mut findings, mut all) = (Vec::new(), Vec::new(), Vec::<Resource>::new());
        for document in &documents {
            recognise(document);
            all.extend(resources(document, Kind::parse(forced), &mut notes));
        }
        let tree = translate(all, &mut notes, &mut findings);
        let mut context = Context::default();
        DesignDocument::decode(&tree, &mut context);
        let unknown =
            context.errors.iter().map(|error| &error.message).find(|message| message.contains("has no field"));
        assert_eq!(unknown, None);
        points_into(&text, &tree);
        for note in notes {
            note.at.into_iter().for_each(|span| lies_in(&text, span));
            assert!(!note.message.is_empty());
        }
    }
}

fn points_into(text: &str, node: &Node) {
    lies_in(text, node.span);
    match &node.value {
        Value::Scalar(_) => {}
        Value::Seq(items) => items.iter().for_each(|item| points_into(text, item)),
        Value::Map(entries) => entries.iter().for_each(|entry| {
            lies_in(text, entry.key_span);
            points_into(text, &entry.node);
        }),
    }
}

fn lies_in(text: &str, span: Span) {
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} is no part of the text");
}
