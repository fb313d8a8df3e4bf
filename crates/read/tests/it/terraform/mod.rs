//! Plans and states of Terraform, and what-if results: what comes of them. Each case is a document with the design tree and
//! the notes it must come to beside it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]

mod cases;
mod changes;
mod promises;
mod references;
mod robust;

use causeway_read::files::MemoryFiles;
use causeway_read::tree::{Node, to_yaml};
use causeway_read::{Input, Loaded, load};

fn loaded(inputs: &[(&str, &str)]) -> Loaded {
    let input = |(name, text): &(&str, &str)| Input {
        name: (*name).to_owned(),
        bytes: text.as_bytes().to_vec(),
        kind: None,
        found: false,
    };
    load(inputs.iter().map(input).collect(), &MemoryFiles::default())
}

/// The design tree as YAML, followed by the notes as comments.
fn read(inputs: &[(&str, &str)]) -> String {
    let loaded = loaded(inputs);
    let read = match &loaded.outcome {
        Ok(read) => read,
        Err(errors) => panic!("{:#?}", errors),
    };
    let mut out = to_yaml(&read.tree);
    for note in &read.design.notes {
        let line = note.at.map_or(0, |span| loaded.sources.position(span).line);
        out.push_str(&format!("# {:?} {line}: {}\n", note.kind, note.message));
    }
    for finding in &read.design.findings {
        out.push_str(&format!("# {}: {}\n", finding.code, finding.message));
    }
    out
}

/// The design tree.
fn tree(inputs: &[(&str, &str)]) -> Node {
    loaded(inputs).outcome.unwrap().tree
}

/// One object of a small plan: type, name in the configuration, what was, what will be, and what of it is known later.
type Object<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>, &'a str);

/// A small plan of objects of the root module.
fn plan(objects: &[Object], configuration: &str) -> String {
    let (mut planned, mut changes) = (Vec::new(), Vec::new());
    for (kind, name, before, after, unknown) in objects {
        let head = format!(r#""address": "{kind}.{name}", "mode": "managed", "type": "{kind}", "name": "{name}""#);
        let actions = match (before, after) {
            (None, _) => r#"["create"]"#,
            (Some(_), None) => r#"["delete"]"#,
            (Some(before), Some(after)) if before == after => r#"["no-op"]"#,
            (Some(_), Some(_)) => r#"["update"]"#,
        };
        planned.extend(after.map(|after| format!(r#"{{{head}, "values": {after}}}"#)));
        changes.push(format!(
            r#"{{{head}, "change": {{"actions": {actions}, "before": {}, "after": {}, "after_unknown": {unknown}}}}}"#,
            before.unwrap_or("null"),
            after.unwrap_or("null"),
        ));
    }
    format!(
        r#"{{"format_version": "1.2", "planned_values": {{"root_module": {{"resources": [{}]}}}},
            "resource_changes": [{}], "configuration": {{"root_module": {configuration}}}}}"#,
        planned.join(","),
        changes.join(",")
    )
}
