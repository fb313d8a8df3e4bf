//! A configuration directory whose files are read into trees once, however many readers are asked about them: a list may have tens of
//! thousands of entries.

use super::flags::Flags;
use super::reference::{self, Accepted, Directory, DirectoryEntry, Rejected};
use super::strict::{self, Issue};
use super::value::{Document, Fault};
use super::{json, yaml};
use causeway_model::masquerade::{MasqueradeOutcome, MasqueradeReader};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A directory, to ask what each reader makes of it as often as one likes.
#[derive(Debug)]
pub struct Opened<'a> {
    /// What is in it by name; or why it can't be listed.
    pub(super) entries: Result<BTreeMap<&'a str, Rc<Held<'a>>>, &'a str>,
}

/// An entry of a directory.
#[derive(Debug)]
pub(super) struct Held<'a> {
    pub(super) entry: &'a DirectoryEntry,
    /// Its text as a tree, once somebody asked.
    tree: OnceCell<Result<Document, Fault>>,
}

impl<'a> Opened<'a> {
    /// Nothing is read yet.
    pub fn new(directory: &'a Directory) -> Opened<'a> {
        let held = |entry| Rc::new(Held { entry, tree: OnceCell::new() });
        let entries = match directory {
            Directory::Unlistable(why) => Err(why.as_str()),
            Directory::Entries(entries) => {
                Ok(entries.iter().map(|(name, entry)| (name.as_str(), held(entry))).collect())
            }
        };
        Opened { entries }
    }

    /// As if these files were all it has. What was read of them is not read again.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Opened<'a> {
        let kept = self.entries().filter(|(name, _)| keep(name)).map(|(name, held)| (name, Rc::clone(held)));
        Opened { entries: self.entries.as_ref().map_err(|why| *why).map(|_| kept.collect()) }
    }

    /// As [`reference()`](super::reference()).
    ///
    /// # Errors
    /// What the reader refuses, in its words.
    pub fn reference(&self, reader: MasqueradeReader, flags: &Flags) -> Result<Accepted, Rejected> {
        reference::read(reader, flags, self)
    }

    /// As [`outcome()`](super::outcome()).
    pub fn outcome(&self, reader: MasqueradeReader, flags: &Flags) -> MasqueradeOutcome {
        reference::told(self.reference(reader, flags))
    }

    /// As [`strict()`](super::strict()).
    pub fn strict(&self, reader: MasqueradeReader, flags: &Flags) -> Vec<Issue> {
        self.strict_beside(reader, flags, &self.reference(reader, flags))
    }

    /// The same where [`Opened::reference`] of the same reader and flags is known already.
    pub fn strict_beside(
        &self,
        reader: MasqueradeReader,
        flags: &Flags,
        reference: &Result<Accepted, Rejected>,
    ) -> Vec<Issue> {
        strict::issues(reader, flags, self, reference.as_ref().err())
    }

    /// Its entries; none when it can't be listed.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &Rc<Held<'a>>)> {
        self.entries.iter().flatten().map(|(name, held)| (*name, held))
    }
}

impl Held<'_> {
    /// The text of a file as a tree, by whichever of the two ways the agents take. What is no file has no text.
    pub(super) fn document(&self) -> Result<&Document, Fault> {
        let bytes = if let DirectoryEntry::File(bytes) = self.entry { bytes.as_slice() } else { &[] };
        let read = || if json::looks_like_json(bytes) { json::read(bytes) } else { yaml::read(bytes) };
        self.tree.get_or_init(read).as_ref().map_err(Fault::clone)
    }
}
