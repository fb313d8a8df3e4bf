//! Rules as data: the one form that is evaluated, printed and loaded.
//!
//! The words and the order of evaluation are those of nf_tables (nft(8)): a packet meets every base chain of its hook, lower
//! priority number first; `accept` ends one base chain, `drop` ends everything; in nat chains, which only the first packet of
//! a connection meets, the first chain that translates wins and `accept` or `return` never stops a later one.
//! How a back end stores a set (one interval set, a hash set per prefix length, a list of rules) is its own affair.

mod check;

pub use check::{Problem, problems};

pub use crate::nftables::objects::numbered_chain;
use crate::nftables::objects::{CHAIN_NUMBER, KeyType, Keys, leads_to};
use crate::prefixes::{self, PrefixSet};
use causeway_addr::Family;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

/// All tables that are ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// Tables by family and name.
    pub tables: BTreeMap<TableId, Table>,
}

/// What tells tables apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId {
    /// The packets it sees.
    pub family: TableFamily,
    /// Its name, at most 255 bytes.
    pub name: String,
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.family.as_str(), self.name)
    }
}

/// The packets a table sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableFamily {
    /// IPv4 and IPv6.
    Inet,
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
}

impl TableFamily {
    /// Its name in nft's language.
    pub fn as_str(self) -> &'static str {
        match self {
            TableFamily::Inet => "inet",
            TableFamily::Ip => "ip",
            TableFamily::Ip6 => "ip6",
        }
    }
}

/// One table: chains and what their rules refer to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Sets by name.
    pub sets: BTreeMap<String, Set>,
    /// Named counters; they outlive the rules that count on them.
    pub counters: BTreeSet<String>,
    /// Named limits, which rules share: how many packets all of them together tell of.
    pub limits: BTreeMap<String, Rate>,
    /// Chains by name.
    pub chains: BTreeMap<String, Chain>,
}

/// How often something may happen: a bucket of `burst` that fills by so many a second. A limit that is there never changes its rate:
/// another rate has another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate {
    /// A second.
    pub per_second: u32,
    /// At once, after a quiet time.
    pub burst: u32,
}

/// Packets that are told of, as far as a limit lets them be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// The limit, by name.
    pub limit: String,
    /// The group of nfnetlink_log whose listener is told.
    pub group: u16,
    /// What is said of the packet, at most 127 bytes.
    pub prefix: String,
}

/// A set that rules look addresses up in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    /// An address is in the set when any prefix contains it.
    Prefixes(PrefixSet),
    /// Values side by side, found whole.
    Tuples(Tuples),
}

/// A set, or a map, of values side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuples {
    /// What a key is made of.
    pub parts: Vec<Part>,
    /// Each key leads to a chain.
    pub leads: bool,
    /// The keys as [`Tuples::key`] writes them; where they lead to chains each with the number of its chain ([`numbered_chain`]), in
    /// network byte order, behind it.
    pub entries: Keys,
}

/// One value of a tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// An address; of a prefix its first.
    Address(Family),
    /// A transport protocol.
    Protocol,
    /// A port.
    Port,
}

/// A value to write into a tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// An address.
    Address(IpAddr),
    /// An IP protocol by its number.
    Protocol(u8),
    /// A port.
    Port(u16),
}

impl Tuples {
    /// None yet.
    pub fn new(parts: Vec<Part>, leads: bool) -> Tuples {
        let mut tuples = Tuples { parts, leads, entries: Keys::default() };
        tuples.entries = Keys::new(tuples.key_width() + if leads { CHAIN_NUMBER } else { 0 });
        tuples
    }

    /// Bytes of a key.
    pub fn key_width(&self) -> usize {
        usize::try_from(self.key_type().width).unwrap_or_default()
    }

    /// What a key is to nf_tables.
    pub fn key_type(&self) -> KeyType {
        KeyType::concatenated(self.parts.iter().map(|part| match part {
            Part::Address(Family::V4) => KeyType::IPV4,
            Part::Address(Family::V6) => KeyType::IPV6,
            Part::Protocol => KeyType::PROTOCOL,
            Part::Port => KeyType::PORT,
        }))
    }

    /// A key: every value begins at a multiple of four bytes, unless there is only one.
    pub fn key(values: &[Value]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for value in values {
            match value {
                Value::Address(address) => prefixes::with_octets(*address, |octets| bytes.extend_from_slice(octets)),
                Value::Protocol(number) => bytes.push(*number),
                Value::Port(port) => bytes.extend(port.to_be_bytes()),
            }
            if values.len() > 1 {
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
        }
        bytes
    }

    /// The chain a key leads to.
    pub fn chain(&self, key: &[u8]) -> Option<String> {
        leads_to(self.entries.beginning(key)?)
    }
}

/// A list of rules, tried in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// Where the kernel enters it; `None` = only by jump or goto.
    pub base: Option<BaseChain>,
    /// Its rules in order.
    pub rules: Vec<Rule>,
}

/// Where the kernel enters a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseChain {
    /// Which packets of the hook it gets, and what it may do.
    pub kind: ChainKind,
    /// The place on the packet's way.
    pub hook: Hook,
    /// Lower numbers first; iptables' nat POSTROUTING is 100.
    pub priority: i32,
    /// What happens to a packet that reaches the end.
    pub policy: Policy,
}

/// The type of a base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainKind {
    /// Sees every packet.
    Filter,
    /// Sees the first packet of each connection, and may translate it.
    Nat,
}

/// The places where netfilter asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Before the route is chosen, for packets from outside.
    Prerouting,
    /// Packets for this machine.
    Input,
    /// Packets passing through.
    Forward,
    /// Packets this machine's processes send.
    Output,
    /// Just before a packet leaves, whoever sent it.
    Postrouting,
}

/// What happens at the end of a base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// The packet goes on.
    Accept,
    /// The packet ends.
    Drop,
}

/// All matches true: count, then the verdict. A rule with no verdict only counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Everything that must be true; none = always.
    pub matches: Vec<Match>,
    /// The named counter that is raised when it matches.
    pub counter: Option<String>,
    /// A sample of what matches is told of; nothing becomes of a packet by that.
    pub sample: Option<Sample>,
    /// What then happens.
    pub verdict: Option<Verdict>,
    /// Why the rule is there; a person reads it in listings and traces.
    pub comment: String,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// The address is in a set of its table.
    In {
        /// Which address.
        field: AddressField,
        /// The set's name.
        set: String,
    },
    /// The route says the destination is one of this machine's own addresses (`fib daddr type local`).
    LocalDestination,
    /// The connection's source was translated, by whomever (`ct status snat`).
    SourceTranslated,
    /// The packet goes in the direction of the connection's first packet (`ct direction original`).
    OriginalDirection,
    /// These values of the packet, side by side, are a key of a set. False where the packet or its connection has no such value.
    Tuple {
        /// The values.
        of: Vec<Ask>,
        /// The set's name.
        set: String,
    },
    /// Connection tracking has nothing to say of the packet: it belongs to no connection, or is not followed
    /// (`ct state invalid,untracked`).
    NoConnection,
    /// It would begin a TCP connection without asking for one: no SYN (`ct state new tcp flags & syn == 0`).
    BeginsWithoutSyn,
    /// It begins a connection (`ct state new`).
    Begins,
    /// The route says the source is one of this machine's own addresses (`fib saddr type local`).
    LocalSource,
    /// The connection's destination was translated, by whomever (`ct status dnat`).
    DestinationTranslated,
    /// All of these bits of a mark are set.
    Marked {
        /// Whose mark.
        of: MarkOf,
        /// The bits; at least one.
        bits: u32,
    },
}

/// A value of a packet, or of the connection it belongs to.
///
/// Of the connection the ends are asked for as they are after every translation of the destination and before any of the source: who
/// began it, and who answers. Packets of both directions, and errors about them, have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Who began the connection, the first so many bits (`ct original saddr`).
    Beginner(u8),
    /// Who answers, the first so many bits (`ct reply saddr`).
    Answerer(u8),
    /// The connection's transport protocol (`ct protocol`).
    Protocol,
    /// The port of whoever answers (`ct reply proto-src`).
    Port,
    /// An address of the packet itself, the first so many bits.
    Address(AddressField, u8),
}

/// An address of the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressField {
    /// Who it is from.
    Source,
    /// Where it goes.
    Destination,
}

/// Whose mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkOf {
    /// The packet's: gone when it leaves the machine.
    Packet,
    /// The connection's: its packets of both directions have it.
    Connection,
}

/// A new destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    /// The address.
    pub address: IpAddr,
    /// The port; `None` = as it was.
    pub port: Option<u16>,
}

/// What a rule does with a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// End this base chain, go on.
    Accept,
    /// End the packet.
    Drop,
    /// Back to the calling chain; from a base chain, its policy.
    Return,
    /// Into another chain of the table, and back.
    Jump(String),
    /// Into another chain of the table, never back to this one.
    Goto(String),
    /// Into the chain these values of the packet, side by side, lead to, never back to this one. Where they lead nowhere the rule does
    /// not match.
    Lead {
        /// The values.
        of: Vec<Ask>,
        /// The set of keys that lead to chains.
        map: String,
    },
    /// The source becomes the address of the interface it leaves by, chosen by the route.
    Masquerade {
        /// Source ports are chosen at random, which avoids lost insertions when many flows start at once.
        fully_random: bool,
    },
    /// The source becomes this address.
    Source(IpAddr),
    /// The destination becomes one of these, each as likely. Of one family; at least one.
    Redirect(Vec<End>),
    /// Bits of a mark are set, and the next rule is asked.
    Mark {
        /// Whose mark.
        of: MarkOf,
        /// The bits; at least one.
        bits: u32,
    },
    /// End the packet, and tell its sender that nobody answers on the port.
    Reject,
}
