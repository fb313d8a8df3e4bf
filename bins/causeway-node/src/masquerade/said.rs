//! Says things once, and again when they change: a state that lasts must not fill the log.

use super::judge::FileVerdict;
use std::collections::{BTreeMap, BTreeSet};

/// Lines that are remembered; beyond that they may be said again.
const MOST_LINES: usize = 256;

/// What was said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    states: BTreeMap<&'static str, String>,
    files: BTreeMap<String, FileVerdict>,
    lines: BTreeSet<String>,
}

impl Said {
    /// True if the state has changed since it was last told: from unset to set, to other words, or back (then `words` is `None`).
    pub(crate) fn once(&mut self, state: &'static str, words: Option<&str>) -> bool {
        match words {
            Some(words) => self.states.insert(state, words.to_owned()).as_deref() != Some(words),
            None => self.states.remove(state).is_some(),
        }
    }

    /// True if this is not what was last said of the file.
    pub(crate) fn file(&mut self, name: &str, verdict: &FileVerdict) -> bool {
        self.files.insert(name.to_owned(), verdict.clone()).as_ref() != Some(verdict)
    }

    /// Forgets files that are gone, so that they are told of when they come back.
    pub(crate) fn only<'a>(&mut self, names: impl Iterator<Item = &'a String>) {
        let names: BTreeSet<&String> = names.collect();
        self.files.retain(|name, _| names.contains(name));
    }

    /// True if this was not said before.
    pub(crate) fn first(&mut self, line: &str) -> bool {
        if self.lines.len() >= MOST_LINES {
            self.lines.clear();
        }
        self.lines.insert(line.to_owned())
    }

    /// Lets it be said again; true if it was said.
    pub(crate) fn forget(&mut self, line: &str) -> bool {
        self.lines.remove(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_told_when_it_changes() {
        let mut said = Said::default();
        assert!(!said.once("x", None), "nothing was wrong");
        assert!(said.once("x", Some("a")));
        assert!(!said.once("x", Some("a")));
        assert!(said.once("x", Some("b")));
        assert!(said.once("x", None), "it is well again");
        assert!(!said.once("x", None));
    }

    #[test]
    fn a_file_that_went_and_came_is_told_of_again() {
        let mut said = Said::default();
        let verdict = FileVerdict { entries: 1, refused: None, help: None, remarks: Vec::new() };
        assert!(said.file("a", &verdict));
        assert!(!said.file("a", &verdict));
        said.only(std::iter::empty());
        assert!(said.file("a", &verdict));
    }

    #[test]
    fn lines_are_said_once() {
        let mut said = Said::default();
        let heard: Vec<&str> = ["a", "b", "a", "c", "b"].into_iter().filter(|line| said.first(line)).collect();
        assert_eq!(heard, ["a", "b", "c"]);
        assert!(said.forget("a") && !said.forget("a"));
        assert!(said.first("a") && !said.first("b"));
    }
}
