//! No file that looks like source and is never compiled.

use crate::source::{files, name, packages, read};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files cargo starts from: crate roots, binaries, integration tests, benches, examples.
fn roots(folder: &Path, files: &[PathBuf]) -> Vec<PathBuf> {
    let starts = |path: &&PathBuf| {
        let parts: Vec<_> = path.strip_prefix(folder).unwrap().iter().filter_map(|part| part.to_str()).collect();
        matches!(
            parts.as_slice(),
            ["build.rs"]
                | ["src", "lib.rs" | "main.rs"]
                | ["src", "bin", _]
                | ["tests" | "benches" | "examples", _]
                | ["tests" | "benches" | "examples", _, "main.rs"]
        )
    };
    files.iter().filter(|path| path.starts_with(folder)).filter(starts).cloned().collect()
}

/// The names of the modules a file declares without their bodies.
fn declared(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter_map(|line| {
            let line = line.strip_prefix("pub").map_or(line, |rest| match rest.strip_prefix('(') {
                Some(rest) => rest.split_once(')').map_or("", |(_, rest)| rest),
                None => rest,
            });
            line.trim_start().strip_prefix("mod ")?.strip_suffix(';').map(|name| name.trim().to_owned())
        })
        .collect()
}

/// Where the modules of a file lie: beside a root or a `mod.rs`, else in a folder of the file's name.
fn folder_of_modules(path: &Path, root: bool) -> PathBuf {
    let stem = path.file_stem().unwrap();
    let parent = path.parent().unwrap();
    if root || stem == "mod" { parent.to_owned() } else { parent.join(stem) }
}

fn visit(path: &Path, root: bool, seen: &mut BTreeSet<PathBuf>) {
    if !seen.insert(path.to_owned()) {
        return;
    }
    let folder = folder_of_modules(path, root);
    for module in declared(&read(path)) {
        for file in [folder.join(format!("{module}.rs")), folder.join(&module).join("mod.rs")] {
            if file.exists() {
                visit(&file, false, seen);
            }
        }
    }
}

#[test]
fn every_file_is_declared_by_a_module() {
    let files = files();
    let mut seen = BTreeSet::new();
    for (_, folder) in packages() {
        for root in roots(&folder, &files) {
            visit(&root, true, &mut seen);
        }
    }
    let orphans: Vec<String> = files.iter().filter(|path| !seen.contains(*path)).map(|path| name(path)).collect();
    assert!(orphans.is_empty(), "no module declares\n{}", orphans.join("\n"));
}

#[test]
fn declarations_are_seen_however_they_are_written() {
    let text = "mod a;\npub mod b;\npub(crate) mod c;\n    mod d;\nmod e {}\n// mod f;\nuse mod_g;\n";
    assert_eq!(declared(text), ["a", "b", "c", "d"]);
}
