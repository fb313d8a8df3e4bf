//! Plans and states of Terraform, and what-if results: what comes of them. Each case is a document with the design tree and
//! the notes it must come to beside it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]

mod cases;

use causeway_read::files::MemoryFiles;
use causeway_read::tree::to_yaml;
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
