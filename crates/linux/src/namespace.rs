//! Network namespaces, held by descriptors.
//!
//! A socket keeps the namespace it was made in, so one thread can drive many: enter, open the socket, come back. Namespaces that
//! nobody pins to a path vanish with the descriptors that hold them, so a process that is killed leaves none behind.

mod own;

pub use own::{Isolation, isolate, mount_empty};

use crate::system::SystemError;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A network namespace.
#[derive(Debug)]
pub struct Namespace {
    file: File,
    name: String,
}

impl Namespace {
    /// The namespace this thread is in.
    ///
    /// # Errors
    ///
    /// Where `/proc` is not mounted.
    pub fn current() -> Result<Namespace, SystemError> {
        Namespace::open_as(Path::new("/proc/thread-self/ns/net"), "the current one")
    }

    /// A new, empty namespace; this thread stays where it is. The name is for messages only.
    ///
    /// # Errors
    ///
    /// EPERM without CAP_SYS_ADMIN in the user namespace; ENOSPC at the limit `user.max_net_namespaces`.
    pub fn create(name: &str) -> Result<Namespace, SystemError> {
        let home = Namespace::current()?;
        unshare(CloneFlags::CLONE_NEWNET)
            .map_err(|errno| SystemError::new(format!("create network namespace `{name}`"), errno))?;
        let made = Namespace::open_as(Path::new("/proc/thread-self/ns/net"), name);
        home.settle()?;
        made
    }

    /// A namespace that is pinned to a path (`/run/netns/NAME`), or that a process is in (`/proc/PID/ns/net`).
    ///
    /// # Errors
    ///
    /// The path is not there, or is no network namespace (EINVAL).
    pub fn open(path: &Path) -> Result<Namespace, SystemError> {
        let namespace = Namespace::open_as(path, &path.display().to_string())?;
        // Only a descriptor of nsfs can be entered; entering is the check, and it costs a microsecond.
        namespace.enter(|| ())?;
        Ok(namespace)
    }

    fn open_as(path: &Path, name: &str) -> Result<Namespace, SystemError> {
        let file = File::open(path)
            .map_err(|error| SystemError::io(format!("open network namespace `{}`", path.display()), &error))?;
        Ok(Namespace { file, name: name.to_owned() })
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Another descriptor of the same namespace.
    ///
    /// # Errors
    ///
    /// At the limit of open files.
    pub fn try_clone(&self) -> Result<Namespace, SystemError> {
        let file = self
            .file
            .try_clone()
            .map_err(|error| SystemError::io(format!("hold network namespace `{}` twice", self.name), &error))?;
        Ok(Namespace { file, name: self.name.clone() })
    }

    /// What tells namespaces of one boot apart; equal when two descriptors hold the same one.
    ///
    /// # Errors
    ///
    /// Never seen; `fstat` may fail.
    pub fn identity(&self) -> Result<(u64, u64), SystemError> {
        let data = self
            .file
            .metadata()
            .map_err(|error| SystemError::io(format!("identify network namespace `{}`", self.name), &error))?;
        Ok((data.dev(), data.ino()))
    }

    /// Runs something on this thread inside the namespace and comes back. Threads started inside stay inside; sockets opened
    /// and programs started inside belong to it.
    ///
    /// # Errors
    ///
    /// EPERM without CAP_SYS_ADMIN over it. If coming back is refused (never seen: the descriptor is held), the thread is left
    /// inside and the error says so; what ran has run.
    pub fn enter<T>(&self, run: impl FnOnce() -> T) -> Result<T, SystemError> {
        let mut guard = Return { home: Some(Namespace::current()?) };
        self.settle()?;
        let value = run();
        if let Some(home) = guard.home.take() {
            home.settle()?;
        }
        Ok(value)
    }

    /// Moves this thread into the namespace for good.
    ///
    /// # Errors
    ///
    /// EPERM without CAP_SYS_ADMIN over it; EINVAL when it is no network namespace.
    pub fn settle(&self) -> Result<(), SystemError> {
        setns(&self.file, CloneFlags::CLONE_NEWNET)
            .map_err(|errno| SystemError::new(format!("enter network namespace `{}`", self.name), errno))
    }

    /// Binds the namespace to a path, so that it outlives this process and others can open it; the file is made.
    ///
    /// # Errors
    ///
    /// EEXIST if the path is taken; EPERM without CAP_SYS_ADMIN over the mount namespace.
    pub fn pin(&self, path: &Path) -> Result<(), SystemError> {
        let wanted = || format!("pin network namespace `{}` to `{}`", self.name, path.display());
        File::create_new(path).map_err(|error| SystemError::io(wanted(), &error))?;
        let from = format!("/proc/thread-self/fd/{}", self.file.as_raw_fd());
        let none: Option<&str> = None;
        mount(Some(from.as_str()), path, none, MsFlags::MS_BIND, none).map_err(|errno| {
            // An empty file of that name would be taken for a namespace.
            let _ = std::fs::remove_file(path);
            SystemError::new(wanted(), errno)
        })
    }

    /// Takes a pinned namespace off its path. It goes on as long as something else holds it.
    ///
    /// # Errors
    ///
    /// Nothing is mounted there, or the file can't be removed.
    pub fn unpin(path: &Path) -> Result<(), SystemError> {
        let wanted = || format!("unpin network namespace `{}`", path.display());
        match umount2(path, MntFlags::MNT_DETACH) {
            // Not a mount: half of an earlier `unpin` or `pin`.
            Ok(()) | Err(Errno::EINVAL) => {}
            Err(errno) => return Err(SystemError::new(wanted(), errno)),
        }
        std::fs::remove_file(path).map_err(|error| SystemError::io(wanted(), &error))
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Takes the thread home when what ran inside panics.
struct Return {
    home: Option<Namespace>,
}

impl Drop for Return {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            // Already unwinding: there is nobody to tell, and nothing better to do.
            let _ = home.settle();
        }
    }
}
