//! What the system answered when it refused.

use nix::errno::Errno;
use std::fmt;
use std::io::ErrorKind;

/// A refusal of the system: what was wanted, of which object, and why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("can't {wanted}: {}", reason(*errno))]
pub struct SystemError {
    /// What was wanted, with the object's name in back-ticks: "open network namespace `/run/netns/a`".
    pub wanted: String,
    /// The kernel's answer.
    pub errno: Errno,
}

impl SystemError {
    /// A refusal with its errno.
    pub fn new(wanted: impl fmt::Display, errno: Errno) -> SystemError {
        SystemError { wanted: wanted.to_string(), errno }
    }

    /// A refusal that the standard library reports; one that it came to by itself gets the errno that says the same, or EIO.
    pub fn io(wanted: impl fmt::Display, error: &std::io::Error) -> SystemError {
        let by_kind = match error.kind() {
            ErrorKind::TimedOut => Errno::ETIMEDOUT,
            ErrorKind::InvalidInput => Errno::EINVAL,
            ErrorKind::UnexpectedEof => Errno::EPIPE,
            _ => Errno::EIO,
        };
        SystemError::new(wanted, error.raw_os_error().map_or(by_kind, Errno::from_raw))
    }

    /// The process lacks a privilege, now and at the next attempt.
    pub fn is_permission(&self) -> bool {
        matches!(self.errno, Errno::EPERM | Errno::EACCES)
    }

    /// The object is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self.errno, Errno::ENOENT | Errno::ENODEV | Errno::ESRCH | Errno::ENOTDIR)
    }
}

/// The errno in words, lower case, with its name for those who search for it.
fn reason(errno: Errno) -> String {
    format!("{} ({errno:?})", errno.desc().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_object_and_the_reason() {
        let error = SystemError::new("open network namespace `/run/netns/a`", Errno::ENOENT);
        assert_eq!(
            error.to_string(),
            "can't open network namespace `/run/netns/a`: no such file or directory (ENOENT)"
        );
        assert!(error.is_missing() && !error.is_permission());
        assert!(SystemError::io("x", &std::io::Error::from_raw_os_error(1)).is_permission());
    }
}
