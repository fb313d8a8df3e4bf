//! What happens to a packet that meets a ruleset.
//!
//! The walk is the kernel's (net/netfilter/nf_tables_core.c and nf_nat_core.c of Linux 6.18): base chains of a hook by priority, all nat
//! chains together at the place of nat whatever their own priority, which only orders them among themselves; the first nat chain that
//! translates ends the asking, a nat chain that accepts or returns does not.
//! A fact that is not known is never guessed: where the fate hangs on one, that is the answer.

mod facts;
mod walk;

pub use facts::{Missing, Node};
pub use walk::{MOST_JUMPS, evaluate, through};
pub(crate) use walk::{moment, ports};

use crate::packet::Packet;
use crate::ruleset::{End, TableId};
use std::fmt;
use std::net::IpAddr;

/// What happened to a packet, and why. Parts point into the ruleset that was walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate<'a> {
    /// What happened.
    pub outcome: Outcome,
    /// The packet as it goes on; `None` = it was dropped, or it is not known. Of its source port see [`SourcePort`].
    pub packet: Option<Packet>,
    /// Who decided. Of several that let it pass, the last rule, or the first policy where no rule did. `None` = it met no chain.
    pub decided_by: Option<Place<'a>>,
    /// Named counters that were raised by one packet, in order.
    pub counters: Vec<Counter<'a>>,
    /// The rules it met, in order.
    pub path: Vec<Step<'a>>,
    /// What the machine knows of it besides, for the next hook.
    pub known: Known,
}

/// What a machine knows of a packet besides its bytes, from one hook to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// The packet's mark.
    pub mark: u32,
    /// The connection's.
    pub connection_mark: u32,
    /// The connection's destination was translated.
    pub destination_translated: bool,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on with another source, which may be the one it had.
    Translated {
        /// The new source.
        source: IpAddr,
        /// What became of its port.
        port: SourcePort,
    },
    /// It goes on with one of these destinations, each as likely.
    Redirected(Vec<End>),
    /// It goes on as it was.
    Kept,
    /// It ends here.
    Dropped,
    /// It ends here, and its sender is told.
    Rejected,
    /// It can't be said without this.
    Uncertain(Missing),
}

/// What a translation does to the source port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourcePort {
    /// The same, unless another connection has it.
    KeptIfFree,
    /// Any.
    Random,
    /// The protocol has none.
    None,
}

/// A rule of a ruleset, or the end of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a TableId,
    /// The chain.
    pub chain: &'a str,
    /// The rule's position, from 0; `None` = the base chain's policy.
    pub rule: Option<usize>,
    /// The rule's comment.
    pub comment: &'a str,
}

/// A rule that was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<'a> {
    /// Where.
    pub place: Place<'a>,
    /// Whether its conditions were true.
    pub matched: Matched,
}

/// Whether a rule's conditions were true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    /// All of them.
    Yes,
    /// One was not.
    No,
    /// It can't be said without this.
    Unknown(Missing),
}

/// A counter that was raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter<'a> {
    /// Its table.
    pub table: &'a TableId,
    /// Its name.
    pub name: &'a str,
    /// It may also not have been, for want of this.
    pub unless: Option<Missing>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Translated { source, port } => {
                let port = match port {
                    SourcePort::KeptIfFree => "port kept if free",
                    SourcePort::Random => "random port",
                    SourcePort::None => "no port",
                };
                write!(f, "translated to {source}, {port}")
            }
            Outcome::Kept => f.write_str("source kept"),
            Outcome::Redirected(ends) => {
                f.write_str("redirected to ")?;
                for (at, end) in ends.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { " or " })?;
                    match (end.port, end.address) {
                        (Some(port), address) => write!(f, "{}", std::net::SocketAddr::new(address, port))?,
                        (None, address) => write!(f, "{address}")?,
                    }
                }
                Ok(())
            }
            Outcome::Dropped => f.write_str("dropped"),
            Outcome::Rejected => f.write_str("rejected"),
            Outcome::Uncertain(missing) => write!(f, "uncertain: {missing} not known"),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            Some(rule) => write!(f, "table `{}`, chain `{}`, rule {}", self.table, self.chain, rule + 1)?,
            None => write!(f, "table `{}`, policy of chain `{}`", self.table, self.chain)?,
        }
        if self.comment.is_empty() { Ok(()) } else { write!(f, " (`{}`)", self.comment) }
    }
}

#[cfg(test)]
mod tests;
