//! What the importer promises for any text at all. Checked here over random changes to the cases, and by the fuzz target
//! `kubernetes`.

use causeway_model::design::Note;
use causeway_model::source::{Sources, Span};
use causeway_read::files::MemoryFiles;
use causeway_read::kind::Kind;
use causeway_read::kubernetes::{objects, translate};
use causeway_read::tree::{Limits, Node, Value, decode_bytes, parse, to_yaml};
use causeway_read::{Input, load};

/// Reads the bytes, if they are a text, as Kubernetes objects, and checks every promise; panics if one is broken: whatever stands
/// in the objects, what comes of them is a part of a design that can be read (but for policies without a name, which are
/// refused), every value and note points into the text, and the order of the objects does not matter.
pub(crate) fn of_translating(bytes: &[u8]) {
    let Ok(text) = decode_bytes(bytes) else { return };
    let mut sources = Sources::default();
    let file = sources.add("objects", text.as_ref().into());
    let Ok(documents) = parse(&text, file, &Limits::default()) else { return };
    let all: Vec<Node> = documents.iter().flat_map(objects).collect();
    let told = |all: Vec<Node>| {
        let (mut notes, mut findings) = (Vec::new(), Vec::new());
        let fragment = translate(all, &sources, &mut notes, &mut findings);
        (fragment, notes, findings)
    };
    let (fragment, notes, findings) = told(all.clone());
    points_into(&text, &fragment.tree);
    points_into(&text, &fragment.implied);
    for Note { message, at, .. } in &notes {
        at.iter().for_each(|span| lies_in(&text, *span));
        assert!(!message.is_empty());
    }
    let (backwards, notes_backwards, findings_backwards) = told(all.into_iter().rev().collect());
    assert_eq!(to_yaml(&backwards.tree), to_yaml(&fragment.tree));
    assert_eq!(to_yaml(&backwards.implied), to_yaml(&fragment.implied));
    assert_eq!((notes_backwards, findings_backwards), (notes, findings));

    let input = Input { name: "objects".to_owned(), bytes: bytes.to_vec(), kind: Some(Kind::Kubernetes), found: false };
    if let Err(errors) = load(vec![input], &MemoryFiles::default()).outcome {
        let refused = |message: &str| {
            let starts = ["a policy needs", "`objects` says nothing", "`objects` is not of the kind `kubernetes`"];
            // Two groups of the API may have one policy between them.
            let twice = message.ends_with("is given twice, and not the same");
            twice || starts.iter().any(|start| message.starts_with(start))
        };
        let other = errors.iter().find(|error| !refused(&error.message) && !error.message.contains("nothing to read"));
        assert_eq!(other, None);
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
