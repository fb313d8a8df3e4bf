//! The configuration directory as it lies on the disk.

use causeway_model::masquerade::MasqueradeReader::V2;
use causeway_read::masquerade::{Directory, DirectoryEntry, takes_part};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Bytes of one file that are read. A ConfigMap holds at most a mebibyte.
const LARGEST: u64 = 4 << 20;
/// How often a directory that changes while it is read is read again at once; then the next change wakes the agent anyway.
const TRIES: usize = 4;
/// The link of a ConfigMap volume that is swapped when its contents change.
const GENERATION: &str = "..data";

/// Reads a directory: files whose names take part with their bytes, others by name only. A ConfigMap volume is read as of one moment.
pub(crate) fn read(path: &Path) -> Directory {
    let generation = || std::fs::read_link(path.join(GENERATION)).ok();
    let mut before = generation();
    let mut directory = list(path);
    for _ in 1..TRIES {
        let after = generation();
        if after == before {
            break;
        }
        before = after;
        directory = list(path);
    }
    directory
}

fn list(path: &Path) -> Directory {
    let mut entries = BTreeMap::new();
    let listing = match std::fs::read_dir(path) {
        Ok(listing) => listing,
        Err(error) => return Directory::Unlistable(words(&error)),
    };
    for entry in listing {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Directory::Unlistable(words(&error)),
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        let found = if takes_part(V2, &name) { open(&entry.path()) } else { DirectoryEntry::File(Vec::new()) };
        entries.insert(name, found);
    }
    Directory::Entries(entries)
}

fn open(path: &Path) -> DirectoryEntry {
    let read = || -> io::Result<DirectoryEntry> {
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            return Ok(DirectoryEntry::Directory);
        }
        if !metadata.is_file() {
            return Ok(DirectoryEntry::Unreadable("not a regular file".to_owned()));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST {
            return Ok(DirectoryEntry::Unreadable(format!("larger than {} MiB", LARGEST >> 20)));
        }
        Ok(DirectoryEntry::File(bytes))
    };
    read().unwrap_or_else(|error| DirectoryEntry::Unreadable(words(&error)))
}

/// An error as Go words it: `no such file or directory`.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.chars().take(1).flat_map(char::to_lowercase).chain(text.chars().skip(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn file(text: &str) -> DirectoryEntry {
        DirectoryEntry::File(text.as_bytes().to_vec())
    }

    #[test]
    fn a_volume_of_a_config_map_is_read_through_its_links() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::create_dir(path.join("..2026_1")).unwrap();
        std::fs::write(path.join("..2026_1/ip-masq-agent"), "a: 1").unwrap();
        symlink("..2026_1", path.join("..data")).unwrap();
        symlink("..data/ip-masq-agent", path.join("ip-masq-agent")).unwrap();
        std::fs::write(path.join("other"), "not looked at").unwrap();
        let Directory::Entries(entries) = read(path) else { panic!("it can be listed") };
        assert_eq!(entries["ip-masq-agent"], file("a: 1"));
        assert_eq!(entries["other"], file(""));
    }

    #[test]
    fn what_is_no_file_is_said_to_be_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::create_dir(path.join("ip-masq-folder")).unwrap();
        symlink("nowhere", path.join("ip-masq-link")).unwrap();
        symlink("/dev/null", path.join("ip-masq-device")).unwrap();
        let Directory::Entries(entries) = read(path) else { panic!("it can be listed") };
        let shown: Vec<String> = entries.iter().map(|(name, entry)| format!("{name}: {entry:?}")).collect();
        assert_eq!(
            shown,
            [
                "ip-masq-device: Unreadable(\"not a regular file\")",
                "ip-masq-folder: Directory",
                "ip-masq-link: Unreadable(\"no such file or directory\")"
            ]
        );
    }

    #[test]
    fn no_directory_is_no_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let gone = Directory::Unlistable("no such file or directory".to_owned());
        assert_eq!(read(&folder.path().join("gone")), gone);
        assert_eq!(read(folder.path()), Directory::Entries(BTreeMap::new()));
    }
}
