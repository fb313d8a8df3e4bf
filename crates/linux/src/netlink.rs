//! Netlink: the socket, and the bytes of its messages (netlink(7), linux/netlink.h).
//!
//! The codec is our own: [`write::Writer`] appends messages to one buffer that is sent as it is, and [`read`] looks at received bytes in place.
//! Nothing read from a socket is trusted: lengths are checked, and bytes that make no sense are an error, never a panic.

pub mod read;
mod socket;
pub mod write;

#[cfg(test)]
mod tests;

pub use socket::{Protocol, Socket};

use nix::errno::Errno;

/// Why an exchange with the kernel failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// EPERM: the kernel does not let this process do that.
    #[error("the kernel refused it (EPERM){}", said(message))]
    Refused {
        /// The kernel's own words, or empty.
        message: String,
    },
    /// What was read changed while it was read, again and again.
    #[error("what was read kept changing while it was read")]
    Interrupted,
    /// ENOBUFS: messages for us did not fit the socket's receive buffer and are gone.
    #[error("the kernel dropped messages for this socket (ENOBUFS)")]
    Lost,
    /// The kernel did not answer in time.
    #[error("the kernel did not answer within {seconds} s")]
    NoReply {
        /// How long we waited.
        seconds: u32,
    },
    /// A message is larger than the socket's send buffer.
    #[error("a message of {size} bytes does not fit the send buffer of {limit} bytes")]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The bytes that would fit.
        limit: usize,
    },
    /// The kernel answered with an error number.
    #[error("the kernel answered {errno}{}", said(message))]
    Kernel {
        /// The number.
        errno: Errno,
        /// The kernel's own words, or empty.
        message: String,
    },
    /// A system call on the socket failed.
    #[error("{call} failed: {errno}")]
    Call {
        /// Which.
        call: &'static str,
        /// Why.
        errno: Errno,
    },
    /// The bytes received are not a netlink message as documented.
    #[error("the kernel's answer makes no sense: {0}")]
    Malformed(#[from] read::Malformed),
    /// A value can't be written as a netlink attribute.
    #[error("{0}")]
    Unwritable(#[from] write::Unwritable),
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl Error {
    /// The error for a number the kernel answered with.
    pub fn from_answer(errno: Errno, message: String) -> Error {
        match errno {
            Errno::EPERM => Error::Refused { message },
            errno => Error::Kernel { errno, message },
        }
    }

    /// The kernel's number, where there is one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Error::Refused { .. } => Some(Errno::EPERM),
            Error::Lost => Some(Errno::ENOBUFS),
            Error::TooLarge { .. } => Some(Errno::EMSGSIZE),
            Error::Kernel { errno, .. } | Error::Call { errno, .. } => Some(*errno),
            Error::Interrupted | Error::NoReply { .. } | Error::Malformed(_) | Error::Unwritable(_) => None,
        }
    }

    /// The thing that was asked about does not exist.
    pub fn is_not_found(&self) -> bool {
        self.errno() == Some(Errno::ENOENT)
    }
}
