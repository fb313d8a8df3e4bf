//! Files stay short enough to be read.

use crate::source::{files, name, read};

const MOST: usize = 600;

#[test]
fn no_file_is_longer_than_600_lines() {
    let long: Vec<String> = files()
        .iter()
        .map(|path| (name(path), read(path).lines().count()))
        .filter(|(_, lines)| *lines > MOST)
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}
