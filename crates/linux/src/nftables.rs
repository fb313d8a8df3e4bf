//! nf_tables over netlink: the plain data of [`causeway_dataplane::nftables`] to the kernel and back.
//!
//! A [`Connection`] reads and writes; a [`Listener`] hears of changes, one's own and others'. Both keep the network namespace they were
//! opened in. Reading needs NET_ADMIN too, even the generation.

mod connection;
mod decode;
mod encode;
mod expression;
mod listener;
mod read;
mod userdata;
mod wire;

#[cfg(test)]
mod tests;

pub use connection::Connection;
pub use decode::{FLAG_STRANGE_ELEMENTS, Seen, decode};
pub use encode::{encoded_size, key_size};
pub use listener::{Change, Listener, Notice};
pub use read::{PlacedChain, Reading};

use crate::netlink;
use nix::errno::Errno;

/// The number of a state of all tables of a network namespace. Every change makes a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u32);

/// Why a list of changes was not carried out. None of them was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// EPERM: this process may not write nf_tables here, or a table is owned by another process.
    #[error("the kernel refused the change (EPERM){}", if message.is_empty() { String::new() } else { format!(": {message}") })]
    Refused {
        /// The kernel's own words, or empty.
        message: String,
    },
    /// ERESTART: something changed since the generation the changes were made for. Read again and make them anew.
    #[error("the tables changed since they were read")]
    Stale,
    /// The batch does not fit the socket's send buffer ([`Connection::batch_limit`]): fill sets in several batches, then switch to them.
    #[error("the batch has {size} bytes, more than the {limit} that can be sent at once")]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The bytes that would fit.
        limit: usize,
    },
    /// The kernel said no to some of the changes.
    #[error("{}", .rejections.first().map_or_else(String::new, |first| first.describe(.rejections.len())))]
    Rejected {
        /// At least one, in the order of the changes.
        rejections: Vec<Rejection>,
    },
    /// A change that can't be written; the kernel was not asked.
    #[error("{problem}")]
    Invalid {
        /// Its place in the list.
        op: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The exchange itself failed; whether the changes were made is not known unless the error says so.
    #[error(transparent)]
    Exchange(#[from] netlink::Error),
}

/// The kernel's no to one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The change's place in the list; `None` = the batch as a whole.
    pub op: Option<usize>,
    /// Why.
    pub errno: Errno,
    /// The kernel's own words, or empty.
    pub message: String,
}

impl Rejection {
    fn describe(&self, count: usize) -> String {
        let what = self.op.map_or_else(|| "the batch".to_owned(), |op| format!("change {op}"));
        let words = if self.message.is_empty() { String::new() } else { format!(": {}", self.message) };
        let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
        format!("the kernel answered {} to {what}{words}{more}", self.errno)
    }
}
