//! A folder of manifests as a source. A file that did not change is not read again; one that can't be read keeps what it said last.

use super::source::{Key, Object, Source, Standing, Stated};
use causeway_model::design::Cluster;
use causeway_policy::{Event, world};
use causeway_read::State;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Bytes of one file that are read: a dump of a large cluster has some hundred megabytes.
const LARGEST: u64 = 1 << 30;
/// How often a folder that changes while it is read is read again at once; then the next change wakes the agent anyway.
const TRIES: usize = 4;
/// A file that was written to more recently may be in the middle of it. The kernel's clock of files ticks 100 to 1,000 times a second.
const YOUNG: Duration = Duration::from_millis(20);
/// The link of a ConfigMap volume that is swapped when its contents change.
const GENERATION: &str = "..data";
/// Remarks of one file that are kept.
const MOST_REMARKS: usize = 20;

/// What tells one state of a file from another, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(data: &Metadata) -> Stamp {
        Stamp {
            inode: (data.dev(), data.ino()),
            size: data.size(),
            modified: (data.mtime(), data.mtime_nsec()),
            changed: (data.ctime(), data.ctime_nsec()),
        }
    }
}

/// Objects, each as often as it is stated.
type Objects = BTreeMap<Key, Vec<Object>>;

/// What is known of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// The state of it that was read; `None` = to be read, whatever its state is.
    stamp: Option<Stamp>,
    /// Tells the bytes that were read well from others.
    content: Option<[u64; 2]>,
    /// What it said when it could last be read.
    good: Option<Objects>,
    /// Why it can't be read as it is now.
    pub(crate) trouble: Option<String>,
    /// What was not understood of it.
    pub(crate) remarks: Vec<String>,
    /// When it was last read well.
    pub(crate) read_at: Option<SystemTime>,
}

impl Known {
    /// Objects that are in effect.
    pub(crate) fn objects(&self) -> usize {
        self.good.as_ref().map_or(0, |good| good.values().map(Vec::len).sum())
    }

    /// What it says was never known.
    pub(crate) fn is_silent(&self) -> bool {
        self.good.is_none()
    }
}

/// A folder of manifests.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    files: BTreeMap<String, Known>,
    /// Who says what of an object.
    stated: BTreeMap<Key, BTreeMap<String, Vec<Object>>>,
    being_written: BTreeSet<OsString>,
    /// Why the folder can't be read as it is now.
    trouble: Option<String>,
    /// It was read once.
    read: bool,
    again: Option<Duration>,
    /// Files that were read, and of them those that said something else than before, since the start.
    pub(crate) reads: u64,
    pub(crate) parses: u64,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Folder {
        Folder {
            path: path.to_owned(),
            files: BTreeMap::new(),
            stated: BTreeMap::new(),
            being_written: BTreeSet::new(),
            trouble: None,
            read: false,
            again: None,
            reads: 0,
            parses: 0,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The files, by name.
    pub(crate) fn files(&self) -> &BTreeMap<String, Known> {
        &self.files
    }

    /// Why the folder can't be read as it is now.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Files somebody is writing into.
    pub(crate) fn being_written(&mut self, files: &BTreeSet<OsString>) {
        self.being_written.clone_from(files);
    }

    /// Looks at every file, and reads those that changed. Gives the objects that changed.
    fn look(&mut self) -> BTreeSet<Key> {
        self.again = None;
        let mut touched = BTreeSet::new();
        let generation = |path: &Path| std::fs::read_link(path.join(GENERATION)).ok();
        for _ in 0..TRIES {
            let before = generation(&self.path);
            let listed = match list(&self.path, &self.files) {
                Ok(listed) => listed,
                Err(why) => {
                    self.trouble = Some(why);
                    return touched;
                }
            };
            let read = self.read_changed(&listed);
            // A volume whose link was swapped meanwhile gave files of two moments.
            if generation(&self.path) != before || list(&self.path, &self.files).ok().as_ref() != Some(&listed) {
                continue;
            }
            self.trouble = None;
            self.read = true;
            self.take(read, &listed, &mut touched);
            return touched;
        }
        self.again = Some(YOUNG);
        touched
    }

    /// What files that changed say now. Nothing of it is in effect yet.
    fn read_changed(&mut self, listed: &BTreeMap<String, Stamp>) -> BTreeMap<String, Known> {
        let mut read = BTreeMap::new();
        for (name, stamp) in listed {
            let known = self.files.get(name);
            if known.is_some_and(|known| known.stamp == Some(*stamp)) {
                continue;
            }
            let old = known.cloned().unwrap_or_default();
            let young = age(stamp).is_none_or(|age| age < YOUNG);
            if young || self.being_written.contains(&OsString::from(name)) {
                if young {
                    self.again = Some(YOUNG);
                }
                let trouble = Some("somebody is writing it".to_owned());
                // Said of it only when it lasts; until then what is known stands.
                let trouble = if young { old.trouble.clone() } else { trouble };
                read.insert(name.clone(), Known { stamp: None, trouble, ..old });
                continue;
            }
            self.reads += 1;
            let mut new = match open(&self.path.join(name), stamp).map(|bytes| (content(&bytes), bytes)) {
                // A volume that was swapped has new files, most of which say what the old ones did.
                Ok((content, _)) if old.content == Some(content) => Known { trouble: None, ..old },
                Ok((content, bytes)) => match objects(name, bytes) {
                    Ok((good, mut remarks)) => {
                        self.parses += 1;
                        remarks.truncate(MOST_REMARKS);
                        let read_at = Some(SystemTime::now());
                        Known { good: Some(good), content: Some(content), remarks, read_at, ..Known::default() }
                    }
                    Err(trouble) => Known { trouble: Some(trouble), ..old },
                },
                Err(trouble) => Known { trouble: Some(trouble), ..old },
            };
            new.stamp = Some(*stamp);
            read.insert(name.clone(), new);
        }
        read
    }

    /// Puts what was read in effect.
    fn take(&mut self, read: BTreeMap<String, Known>, listed: &BTreeMap<String, Stamp>, touched: &mut BTreeSet<Key>) {
        let gone: Vec<String> = self.files.keys().filter(|name| !listed.contains_key(*name)).cloned().collect();
        for name in gone {
            let Some(known) = self.files.remove(&name) else { continue };
            for key in known.good.into_iter().flat_map(BTreeMap::into_keys) {
                self.state(&name, key, None, touched);
            }
        }
        for (name, mut new) in read {
            let old = self.files.remove(&name).unwrap_or_default();
            // What can't be read has the objects of before, the same ones.
            if new.trouble.is_none() && new.stamp.is_some() {
                let before = old.good.unwrap_or_default();
                let now = new.good.get_or_insert_default();
                for key in before.keys().filter(|key| !now.contains_key(*key)) {
                    self.state(&name, key.clone(), None, touched);
                }
                let differing = now.iter().filter(|(key, objects)| before.get(*key) != Some(*objects));
                for (key, objects) in differing {
                    self.state(&name, key.clone(), Some(objects.clone()), touched);
                }
            }
            self.files.insert(name, new);
        }
    }

    fn state(&mut self, file: &str, key: Key, objects: Option<Vec<Object>>, touched: &mut BTreeSet<Key>) {
        let by_file = self.stated.entry(key.clone()).or_default();
        match objects {
            Some(objects) => by_file.insert(file.to_owned(), objects),
            None => by_file.remove(file),
        };
        if by_file.is_empty() {
            self.stated.remove(&key);
        }
        touched.insert(key);
    }
}

impl Source for Folder {
    fn changes(&mut self) -> Vec<(Key, Stated)> {
        let touched = self.look();
        let stated = |key: &Key| -> Stated {
            let by_file = self.stated.get(key).into_iter().flatten();
            by_file.flat_map(|(file, all)| all.iter().map(|object| (file.clone(), object.clone()))).collect()
        };
        touched.into_iter().map(|key| (key.clone(), stated(&key))).collect()
    }

    fn standing(&self) -> Standing {
        let silent = if self.read {
            let silent = self.files.iter().filter(|(_, known)| known.is_silent());
            silent.map(|(name, _)| format!("file `{name}`")).collect()
        } else {
            vec![format!("folder `{}`", self.path.display())]
        };
        Standing { silent, again: self.again }
    }
}

/// Whether a file is a manifest by its name.
fn is_manifest(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    !name.starts_with('.') && matches!(ending, Some("yaml" | "yml" | "json"))
}

/// Manifests with their state. A directory is none, but where a file of its name was known: that one did not go, it can't be read. A
/// mount whose source is missing leaves such a directory.
fn list(path: &Path, known: &BTreeMap<String, Known>) -> Result<BTreeMap<String, Stamp>, String> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(path).map_err(|error| words(&error))? {
        let name = entry.map_err(|error| words(&error))?.file_name();
        let Some(name) = name.to_str().filter(|name| is_manifest(name)) else { continue };
        match std::fs::metadata(path.join(name)) {
            Ok(data) if data.is_dir() && !known.contains_key(name) => {}
            Ok(data) => {
                files.insert(name.to_owned(), Stamp::of(&data));
            }
            // It went while it was listed, or its link leads nowhere: the latter is a file that can't be read.
            Err(_) if std::fs::symlink_metadata(path.join(name)).is_ok() => {
                let nowhere = Stamp { inode: (0, 0), size: 0, modified: (0, 0), changed: (0, 0) };
                files.insert(name.to_owned(), nowhere);
            }
            Err(_) => {}
        }
    }
    if files.is_empty() {
        // A volume that is not mounted yet looks like this, and must not pass for a cluster without policies.
        return Err("no manifest is in it; a cluster of nothing is said by a file with an empty List".to_owned());
    }
    Ok(files)
}

/// How long ago a file was last written to; `None` = in the future.
fn age(stamp: &Stamp) -> Option<Duration> {
    let (seconds, nanoseconds) = stamp.modified.max(stamp.changed);
    let at = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    match now.checked_sub(at) {
        // A clock that was set back must not keep a file from being read for ever.
        None if at.saturating_sub(now) > Duration::from_secs(1) => Some(Duration::MAX),
        age => age,
    }
}

fn open(path: &Path, stamp: &Stamp) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Result<Vec<u8>, String>> {
        if !std::fs::metadata(path)?.is_file() {
            return Ok(Err("not a regular file".to_owned()));
        }
        let file = File::open(path)?;
        let mut bytes = Vec::new();
        (&file).take(LARGEST + 1).read_to_end(&mut bytes)?;
        if Stamp::of(&file.metadata()?) != *stamp {
            return Ok(Err("it changed while it was read".to_owned()));
        }
        if bytes.len() as u64 > LARGEST {
            return Ok(Err(format!("larger than {} MiB", LARGEST >> 20)));
        }
        Ok(Ok(bytes))
    };
    read().map_err(|error| words(&error))?
}

/// A number that differs where the bytes do, but for one case in 2^128.
fn content(bytes: &[u8]) -> [u64; 2] {
    [0_u8, 1].map(|salt| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(bytes);
        hasher.finish()
    })
}

/// An error without its number: `no such file or directory`.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.chars().take(1).flat_map(char::to_lowercase).chain(text.chars().skip(1)).collect()
}

/// What a file says, and what was not understood of it.
fn objects(name: &str, bytes: Vec<u8>) -> Result<(Objects, Vec<String>), String> {
    let State { clusters, unknown, remarks } = causeway_read::state(name, bytes).map_err(|errors| {
        let more = errors.len().saturating_sub(1);
        let first = errors.into_iter().next().unwrap_or_default();
        if more == 0 { first } else { format!("{first} (and {more} more)") }
    })?;
    let mut objects = Objects::new();
    for (key, object) in clusters.iter().flat_map(of_cluster) {
        objects.entry(key).or_default().push(object);
    }
    for (namespace, kind, name) in unknown {
        objects.insert(Key::Unread(namespace, format!("{kind}/{name}")), vec![Object::Unread]);
    }
    Ok((objects, remarks))
}

fn of_cluster(cluster: &Cluster) -> Vec<(Key, Object)> {
    let mut objects: Vec<(Key, Object)> = Vec::new();
    for event in world::events(cluster) {
        objects.push(match event {
            Event::Policy(policy) => (Key::Policy(policy.id.clone()), Object::Policy(Box::new(policy))),
            Event::Namespace(name, labels) => (Key::Namespace(name), Object::Namespace(labels)),
            Event::Pod(pod) => (Key::Pod(pod.namespace.clone(), pod.name.clone()), Object::Pod(pod)),
            Event::Node(node) => {
                let mut of_name = cluster.nodes.iter().filter(|(name, _)| name.to_string() == node.name);
                let ranges = of_name.next().map(|(_, node)| node.pod_cidrs.clone()).unwrap_or_default();
                (Key::Node(node.name.clone()), Object::Node(node, ranges))
            }
            Event::NamespaceGone(_) | Event::NodeGone(_) | Event::PodGone(..) | Event::PolicyGone(_) => continue,
        });
    }
    // Other engines' kinds are theirs to enforce; of Kubernetes' own nothing may be passed over.
    let unread = cluster.policies.iter().filter(|policy| {
        let group = policy.api_version.split('/').next().unwrap_or_default();
        policy.meaning.is_none() && group.ends_with("k8s.io")
    });
    for policy in unread {
        let name = format!("{}/{}", policy.kind, policy.name);
        objects.push((Key::Unread(policy.namespace.clone(), name), Object::Unread));
    }
    objects
}

#[cfg(test)]
mod tests;
