//! Walking over the source.

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A path as seen from the root, with `/` between its parts.
pub(crate) fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Every package of the workspace: its name and its folder.
pub(crate) fn packages() -> Vec<(String, PathBuf)> {
    let mut packages = Vec::new();
    for group in ["crates", "bins"] {
        for folder in folders(&root().join(group)) {
            let manifest = read(&folder.join("Cargo.toml"));
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")).unwrap();
            packages.push((name.trim_end_matches('"').to_owned(), folder));
        }
    }
    packages
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Every Rust file of the workspace, sorted.
pub(crate) fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (_, folder) in packages() {
        walk(&folder, &mut files);
    }
    files.sort();
    assert!(files.len() > 100, "{} files", files.len());
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}
