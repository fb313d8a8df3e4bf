//! Exports of Azure: what comes of them, whatever shape, order, case or wrapping they come in.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]

mod aks;
mod edge;
mod estate;
mod fabric;
mod forms;
mod holders;
mod promises;
mod robust;

use causeway_model::finding::Finding;
use causeway_model::source::{FileId, Sources};
use causeway_read::azure::{Kind, resources, translate};
use causeway_read::files::MemoryFiles;
use causeway_read::tree::{Limits, Node, parse, to_yaml};
use causeway_read::{Input, Loaded, load};

/// What came of some exports.
struct Translated {
    /// The design tree as YAML.
    yaml: String,
    /// Notes as `line: message`.
    notes: Vec<String>,
    findings: Vec<Finding>,
    tree: Node,
    sources: Sources,
}

fn translated(texts: &[&str]) -> Translated {
    translated_as(texts, None)
}

fn translated_as(texts: &[&str], forced: Option<Kind>) -> Translated {
    let (mut sources, mut notes, mut findings, mut all) = (Sources::default(), Vec::new(), Vec::new(), Vec::new());
    for (at, text) in texts.iter().enumerate() {
        let file = sources.add(&format!("{at}.json"), (*text).into());
        for document in parse(text, file, &Limits::default()).unwrap() {
            all.extend(resources(&document, forced, &mut notes));
        }
    }
    let tree = translate(all, &mut notes, &mut findings);
    let line = |span| sources.position(span).line;
    let notes = notes.iter().map(|note| format!("{}: {}", note.at.map_or(0, line), note.message)).collect();
    Translated { yaml: to_yaml(&tree), notes, findings, tree, sources }
}

/// The tree of exports of which nothing may be noted.
fn yaml(texts: &[&str]) -> String {
    let translated = translated(texts);
    assert_eq!(translated.notes, [""; 0]);
    assert_eq!(translated.findings, []);
    translated.yaml
}

/// One document.
fn document(text: &str) -> Node {
    parse(text, FileId(0), &Limits::default()).unwrap().remove(0)
}

/// Everything read as one, by the whole way.
fn loaded(texts: &[&str]) -> Loaded {
    let input = |(at, text): (usize, &&str)| Input {
        name: format!("{at}.json"),
        bytes: text.as_bytes().to_vec(),
        kind: None,
        found: false,
    };
    load(texts.iter().enumerate().map(input).collect(), &MemoryFiles::default())
}

/// Exports must make a design: every field known, every reference found. What reading has to say against it.
fn errors(texts: &[&str]) -> Vec<String> {
    match loaded(texts).outcome {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.message).collect(),
    }
}

/// The design tree of everything.
fn whole(texts: &[&str]) -> Node {
    loaded(texts).outcome.unwrap().tree
}

/// An id in the subscription of the small examples.
fn id(group: &str, path: &str) -> String {
    format!("/subscriptions/s/resourceGroups/{group}/providers/Microsoft.Network/{path}")
}

/// A network of the small examples.
fn network(name: &str, body: &str) -> String {
    format!(r#"{{"id": "{}", "name": "{name}", {body}}}"#, id("g", &format!("virtualNetworks/{name}")))
}
