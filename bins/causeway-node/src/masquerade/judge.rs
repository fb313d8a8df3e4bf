//! What is to be thought of the configuration directory: a verdict per file, and what the good ones come to together.

use causeway_model::codes;
use causeway_model::finding::Severity;
use causeway_model::masquerade::MasqueradeReader::V2;
use causeway_read::masquerade::{
    Accepted, CONFIG_DIRECTORY, Directory, DirectoryEntry, Flags, Issue, Opened, Rejected, takes_part,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The directory, judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judged {
    /// Every file that takes part, by name.
    pub(crate) files: BTreeMap<String, FileVerdict>,
    /// The directory itself can't be read, in the operating system's words.
    pub(crate) unlistable: Option<String>,
    /// What the good files come to; the built-in list when there is no file at all. `None` = there are files, none of them good.
    pub(crate) accepted: Option<Arc<Accepted>>,
    /// The line the original ends with, where it would.
    pub(crate) original: Option<String>,
}

/// One file, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileVerdict {
    /// Entries of its list that are in effect; 0 when it is refused.
    pub(crate) entries: usize,
    /// Why it is refused: lower case, no full stop.
    pub(crate) refused: Option<String>,
    /// What to do about that.
    pub(crate) help: Option<String>,
    /// What else a careful operator would want to know, worst first.
    pub(crate) remarks: Vec<String>,
}

impl Judged {
    /// Files that are refused.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (&str, &FileVerdict)> {
        self.files.iter().filter(|(_, file)| file.refused.is_some()).map(|(name, file)| (name.as_str(), file))
    }

    /// Nothing is wrong with any file or with the directory.
    pub(crate) fn is_whole(&self) -> bool {
        self.unlistable.is_none() && self.refused().next().is_none()
    }
}

/// Judges a directory that lies at `path`. With `careful`, mistakes that change the meaning and that the original reads over refuse a
/// file.
pub(crate) fn judge(flags: &Flags, careful: bool, path: &Path, directory: &Directory) -> Judged {
    let opened = Opened::new(directory);
    let whole = opened.reference(V2, flags);
    let original = whole.as_ref().err().map(|rejected| at_home(path, &rejected.logged()));
    let entries = match directory {
        Directory::Unlistable(why) => {
            return Judged { unlistable: Some(why.clone()), original, ..Judged::default() };
        }
        Directory::Entries(entries) => entries,
    };
    let issues = opened.strict_beside(V2, flags, &whole);
    let taking_part: Vec<_> = entries.iter().filter(|(name, _)| takes_part(V2, name)).collect();
    let mut files = BTreeMap::new();
    for (name, entry) in &taking_part {
        let own = issues.iter().filter(|issue| issue.file.as_ref() == Some(name));
        let own: Vec<_> = own.collect();
        let verdict = match taking_part.len() {
            1 => verdict(careful, path, entry, &whole, &own),
            _ => verdict(careful, path, entry, &opened.only(|other| other == *name).reference(V2, flags), &own),
        };
        files.insert((*name).clone(), verdict);
    }
    let good = |name: &str| files.get(name).is_some_and(|file| file.refused.is_none());
    let accepted = if files.values().all(|file| file.refused.is_none()) {
        whole.ok()
    } else if files.keys().any(|name| good(name)) {
        opened.only(good).reference(V2, flags).ok()
    } else {
        None
    };
    Judged { files, unlistable: None, accepted: accepted.map(Arc::new), original }
}

fn verdict(
    careful: bool,
    path: &Path,
    entry: &DirectoryEntry,
    alone: &Result<Accepted, Rejected>,
    issues: &[&Issue],
) -> FileVerdict {
    let text = if let DirectoryEntry::File(bytes) = entry { bytes.as_slice() } else { &[] };
    let refusing = |issue: &&Issue| matches!(issue.code, codes::MASQ_CONFIG_REJECTED | codes::MASQ_ITEM_NULL);
    let of_note = |issue: &&Issue| careful && changes_meaning(issue);
    let (entries, refused, cause) = match alone {
        Err(rejected) => {
            let cause = issues.iter().copied().find(refusing);
            (0, Some(at_home(path, &rejected.message)), cause)
        }
        Ok(accepted) => match issues.iter().copied().find(of_note) {
            Some(issue) => (0, Some(issue.message.clone()), Some(issue)),
            None => (accepted.config.exempt.len(), None, None),
        },
    };
    let told = |issue: &&&Issue| issue.severity != Severity::Info && cause.is_none_or(|cause| cause != **issue);
    let mut remarks: Vec<&Issue> = issues.iter().filter(told).copied().collect();
    remarks.sort_by_key(|issue| std::cmp::Reverse(issue.severity));
    FileVerdict {
        entries,
        refused: refused.map(|words| match cause.and_then(|issue| line(text, issue)) {
            Some(line) => format!("line {line}: {words}"),
            None => words,
        }),
        help: cause.map(|issue| issue.help.clone()).filter(|help| !help.is_empty()),
        remarks: remarks.into_iter().map(|issue| remark(text, issue)).collect(),
    }
}

/// Mistakes the original reads over, and that a person did not mean. An empty list has a rule of its own, and booleans of several files
/// contradict one another wherever AKS keeps one of them.
fn changes_meaning(issue: &Issue) -> bool {
    issue.severity != Severity::Info && !matches!(issue.code, codes::MASQ_LIST_EMPTY | codes::MASQ_FILES_CONTRADICT)
}

fn remark(text: &[u8], issue: &Issue) -> String {
    let place = line(text, issue).map_or_else(String::new, |line| format!("line {line}: "));
    let help = if issue.help.is_empty() { String::new() } else { format!("; {}", issue.help) };
    format!("{place}{}{help}", issue.message)
}

fn line(text: &[u8], issue: &Issue) -> Option<usize> {
    let start = issue.range.as_ref()?.start;
    Some(text.get(..start)?.iter().filter(|byte| **byte == b'\n').count() + 1)
}

/// The original knows one directory; its words name the one that was read.
fn at_home(path: &Path, words: &str) -> String {
    let path = path.display().to_string();
    let path = path.trim_end_matches('/');
    if path == CONFIG_DIRECTORY {
        words.to_owned()
    } else {
        words.replacen(&format!("{CONFIG_DIRECTORY}/"), &format!("{path}/"), 1)
    }
}

#[cfg(test)]
mod tests;
