//! A corner of the system for this process alone.

use crate::system::SystemError;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};
use std::path::Path;

/// How [`isolate`] got its privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// The process was privileged already: new network and mount namespaces in the user namespace it was in.
    Privileged,
    /// A user namespace of its own, in which it is root. The kernel keeps a few things from it: forcing socket buffers,
    /// limits of the whole machine, tap devices.
    UserNamespace,
}

/// Moves this process into network and mount namespaces of its own, and into a user namespace where it has no privileges or
/// where `user_namespace` asks for one. Whatever it does to links, routes, rules and mounts from then on is seen by nobody else.
///
/// Call it before any thread is started: threads that already run would stay outside.
///
/// # Errors
///
/// EINVAL when the process already has several threads; EPERM or ENOSPC where the machine forbids user namespaces
/// (`user.max_user_namespaces`, `kernel.unprivileged_userns_clone`, a container's seccomp profile).
pub fn isolate(user_namespace: bool) -> Result<Isolation, SystemError> {
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads > 1 {
        return Err(SystemError::new(format!("isolate a process of {threads} threads"), Errno::EINVAL));
    }
    let both = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
    let privileged = !user_namespace && unshare(both).is_ok();
    if !privileged {
        let (user, group) = (geteuid(), getegid());
        unshare(both | CloneFlags::CLONE_NEWUSER)
            .map_err(|errno| SystemError::new("create a user, a network and a mount namespace", errno))?;
        // Without this the kernel refuses the group map of a process that could not set groups before.
        put("/proc/self/setgroups", "deny")?;
        put("/proc/self/uid_map", &format!("0 {user} 1"))?;
        put("/proc/self/gid_map", &format!("0 {group} 1"))?;
    }
    // What is mounted from now on must not travel to where the process came from.
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(|errno| SystemError::new("make the mounts private", errno))?;
    Ok(if privileged { Isolation::Privileged } else { Isolation::UserNamespace })
}

/// Lays an empty directory over a path, in this mount namespace only. What was there stays below, unseen.
///
/// # Errors
///
/// The path is no directory, or the process has no mount namespace of its own.
pub fn mount_empty(path: &Path) -> Result<(), SystemError> {
    mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some("mode=0755"))
        .map_err(|errno| SystemError::new(format!("mount an empty directory on `{}`", path.display()), errno))
}

fn put(path: &str, text: &str) -> Result<(), SystemError> {
    std::fs::write(path, text).map_err(|error| SystemError::io(format!("write `{text}` to `{path}`"), &error))
}
