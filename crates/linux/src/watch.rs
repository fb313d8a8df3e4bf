//! Noticing that a directory of configuration changed.
//!
//! Directories of ConfigMaps change by a symbolic link that is swapped (`..data`), directories of a host by files written in
//! place, and either may vanish and come back: unmounted, renamed, or made later than the process that watches it. So every
//! directory on the way to it is watched for the next name of the path, and the directory itself for anything.

use crate::system::SystemError;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// A watch on one directory.
#[derive(Debug)]
pub struct Watch {
    directory: PathBuf,
    inotify: Inotify,
    /// Directories on the way, each with the name in it that leads on.
    ancestors: Vec<(WatchDescriptor, OsString)>,
    /// The directory itself; `None` while it is not there.
    own: Option<WatchDescriptor>,
    /// Device and inode of what is watched.
    identity: Option<(u64, u64)>,
    /// Files in it that somebody wrote into and has not closed yet.
    open: BTreeSet<OsString>,
}

impl Watch {
    /// Watches a directory, whether it is there yet or not. Whatever happens from now on is told.
    ///
    /// # Errors
    ///
    /// EMFILE and ENOSPC at the limits `fs.inotify.max_user_instances` and `fs.inotify.max_user_watches`.
    pub fn new(directory: &Path) -> Result<Watch, SystemError> {
        let wanted = || format!("watch directory `{}`", directory.display());
        let absolute = std::path::absolute(directory).map_err(|error| SystemError::io(wanted(), &error))?;
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
            .map_err(|errno| SystemError::new(wanted(), errno))?;
        let mut watch = Watch {
            directory: absolute,
            inotify,
            ancestors: Vec::new(),
            own: None,
            identity: None,
            open: BTreeSet::new(),
        };
        watch.arm().map_err(|errno| SystemError::new(wanted(), errno))?;
        Ok(watch)
    }

    /// The directory is there, as far as events tell.
    pub fn is_present(&self) -> bool {
        self.own.is_some()
    }

    /// Files in the directory that somebody wrote into and has not closed yet, as of [`Watch::changed`]. Writers that were at it before
    /// the watch began, and those that map the file into their memory, are not seen.
    pub fn being_written(&self) -> &BTreeSet<OsString> {
        &self.open
    }

    /// Takes in what happened since the last call; true if the directory should be read again. Several true answers may come
    /// for one change of the writer's; waiting until it is quiet is the caller's affair. The descriptor to wait for may be a
    /// different one afterwards.
    ///
    /// # Errors
    ///
    /// As [`Watch::new`], when the directory has to be watched anew.
    pub fn changed(&mut self) -> Result<bool, SystemError> {
        let (mut changed, mut moved) = (false, false);
        loop {
            match self.inotify.read_events() {
                Ok(events) => {
                    for event in &events {
                        self.follow(event);
                        let effect = self.effect(event);
                        changed |= effect != Effect::None;
                        moved |= effect == Effect::Moved;
                    }
                }
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.failed(errno)),
            }
        }
        if moved {
            // A new instance: the old watches, and events of theirs that still come, are gone with the old one.
            *self = Watch::new(&self.directory)?;
        }
        Ok(changed)
    }

    /// Looks whether the path still leads to the directory that is watched, and watches anew if not; true if the directory should
    /// be read again. For what tells nobody (something mounted over the path, a link further up that was swapped): to be
    /// asked from time to time.
    ///
    /// # Errors
    ///
    /// As [`Watch::new`].
    pub fn verify(&mut self) -> Result<bool, SystemError> {
        let same = identity(&self.directory) == self.identity;
        if !same {
            *self = Watch::new(&self.directory)?;
        }
        Ok(!same)
    }

    fn follow(&mut self, event: &InotifyEvent) {
        let Some(name) = event.name.as_ref().filter(|_| self.own == Some(event.wd)) else { return };
        let ended = AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_MOVED_TO;
        if event.mask.intersects(ended) {
            self.open.remove(name);
        } else if event.mask.contains(AddWatchFlags::IN_MODIFY) {
            self.open.insert(name.clone());
        }
    }

    fn effect(&self, event: &InotifyEvent) -> Effect {
        let gone = AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_UNMOUNT
            | AddWatchFlags::IN_IGNORED
            | AddWatchFlags::IN_Q_OVERFLOW;
        if event.mask.intersects(gone) {
            return Effect::Moved;
        }
        let name = event.name.as_deref();
        // One inode can be both, on a path with a loop of links; then both say what they know.
        if self.ancestors.iter().any(|(watch, next)| *watch == event.wd && name == Some(next.as_os_str())) {
            return Effect::Moved;
        }
        if self.own == Some(event.wd) { Effect::Content } else { Effect::None }
    }

    /// Watches from the root towards the directory, so that what appears behind our back is seen by the watch above it.
    fn arm(&mut self) -> Result<(), Errno> {
        let on_the_way = AddWatchFlags::IN_ONLYDIR
            | AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_MOVED_TO;
        let in_it = on_the_way
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF;
        let mut at = PathBuf::from("/");
        for next in names(&self.directory) {
            match self.inotify.add_watch(&at, on_the_way) {
                Ok(watch) => self.ancestors.push((watch, next.to_owned())),
                // No right to list it: changes of this name are seen by [`Watch::verify`] only.
                Err(Errno::EACCES) => {}
                Err(errno) => return absent(errno),
            }
            at.push(next);
        }
        match self.inotify.add_watch(&self.directory, in_it) {
            Ok(watch) => self.own = Some(watch),
            Err(errno) => return absent(errno),
        }
        self.identity = identity(&self.directory);
        Ok(())
    }

    fn failed(&self, errno: Errno) -> SystemError {
        SystemError::new(format!("watch directory `{}`", self.directory.display()), errno)
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// What an event means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Of no interest: a sibling of a directory on the way.
    None,
    /// Something in the directory changed.
    Content,
    /// The path leads elsewhere now, or nowhere.
    Moved,
}

/// A name on the way that is not there, or no directory, is what the watches above it wait for.
fn absent(errno: Errno) -> Result<(), Errno> {
    match errno {
        Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EACCES => Ok(()),
        other => Err(other),
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let data = std::fs::metadata(path).ok()?;
    data.is_dir().then(|| (data.dev(), data.ino()))
}

fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        Component::ParentDir => Some(OsStr::new("..")),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
