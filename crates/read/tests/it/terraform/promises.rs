//! What reading plans and what-if results promises for any bytes. Used by the tests of this crate and by the fuzz target.

use causeway_read::files::MemoryFiles;
use causeway_read::kind::Kind;
use causeway_read::tree::{Node, Value, to_yaml};
use causeway_read::{Input, Loaded, load};

/// Reading ends without a panic, says the same twice, and every place it names lies in the text.
pub(crate) fn of_reading(bytes: &[u8]) {
    for kind in [Kind::Terraform, Kind::WhatIf] {
        let read = || {
            let input = Input { name: "plan.json".into(), bytes: bytes.to_vec(), kind: Some(kind), found: false };
            load(vec![input], &MemoryFiles::default())
        };
        let (one, other) = (read(), read());
        assert_eq!(said(&one), said(&other));
        match &one.outcome {
            Ok(read) => {
                points_into(&one, &read.tree);
                for note in &read.design.notes {
                    assert!(note.at.is_some(), "a note without a place: {}", note.message);
                    note.at.map(|at| one.sources.position(at));
                    assert!(!note.message.is_empty());
                }
            }
            Err(errors) => assert!(!errors.is_empty()),
        }
    }
}

fn said(loaded: &Loaded) -> String {
    match &loaded.outcome {
        Ok(read) => format!("{}{:?}{:?}", to_yaml(&read.tree), read.design.notes, read.design.findings),
        Err(errors) => format!("{errors:?}"),
    }
}

fn points_into(loaded: &Loaded, node: &Node) {
    let text = loaded.sources.text(node.span.file);
    let range = node.span.start as usize..node.span.end as usize;
    assert!(text.get(range).is_some(), "a span outside of the text or inside of a character: {:?}", node.span);
    match &node.value {
        Value::Scalar(_) => {}
        Value::Seq(items) => items.iter().for_each(|item| points_into(loaded, item)),
        Value::Map(entries) => entries.iter().for_each(|entry| points_into(loaded, &entry.node)),
    }
}
