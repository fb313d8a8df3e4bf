//! Scenarios: small networks with what is expected of them, each in a folder of its own.
//!
//! `scenarios/NNN-name/` holds whole designs, one a file: `design.yaml` is the case, `deny.yaml` its twin in which something says no, and
//! `fixed.yaml`, where the case is a failure, the network without it. What is expected stands in each file's own `expect`, derived from the
//! facts and written by hand: a scenario that disagrees with the program shows that one of them is wrong.

use std::path::{Path, PathBuf};

/// A folder of `scenarios/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// The folder's name, as `001-overlay-load-balancer`.
    pub name: String,
    /// Its designs, by file name without `.yaml`: `design`, `deny`, `fixed`.
    pub designs: Vec<(String, String)>,
}

impl Scenario {
    /// A design's text.
    pub fn design(&self, name: &str) -> Option<&str> {
        self.designs.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }
}

/// Every scenario, in order.
///
/// # Panics
///
/// The folder can't be read.
#[expect(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "what tests run on stands in files, and nothing runs without them"
)]
pub fn scenarios() -> Vec<Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let word =
        |name: Option<&std::ffi::OsStr>| name.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let folders = inside(&root).into_iter().filter(|path| path.extension().is_none());
    folders
        .map(|folder| {
            let files = inside(&folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "yaml"));
            let designs = files.map(|file| {
                let text = std::fs::read_to_string(&file);
                (word(file.file_stem()), text.unwrap_or_else(|error| panic!("{}: {error}", file.display())))
            });
            Scenario { name: word(folder.file_name()), designs: designs.collect() }
        })
        .collect()
}
