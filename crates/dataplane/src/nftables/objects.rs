//! The objects of nf_tables, close to how the kernel keeps them (linux/netfilter/nf_tables.h), decoded from it and encoded to it by
//! `causeway-linux`. Two tables are the same when these values are equal.

use crate::ruleset::{BaseChain, Rate, TableId};
use std::collections::{BTreeMap, BTreeSet};

/// One table with all that is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableObjects {
    /// `NFT_TABLE_F_*` as the kernel has them: 1 = dormant (its rules see nothing). Tables of ours have 0.
    pub flags: u32,
    /// Sets by name.
    pub sets: BTreeMap<String, SetObject>,
    /// Named counters.
    pub counters: BTreeSet<String>,
    /// Named limits of packets.
    pub limits: BTreeMap<String, Rate>,
    /// Chains by name.
    pub chains: BTreeMap<String, ChainObject>,
}

/// A set of fixed-width keys, found by hashing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetObject {
    /// What the keys are.
    pub key: KeyType,
    /// Room for this many elements (`NFTA_SET_DESC_SIZE`); `None` = grows by itself.
    pub size: Option<u32>,
    /// `NFTA_SET_FLAGS` as the kernel has them; 0 = a plain hash set, [`MAP`] = one whose keys have values. Sets of ours have one of
    /// the two.
    pub flags: u32,
    /// Its keys; where they lead to chains, each with the number of its chain behind it, in network byte order.
    pub elements: Keys,
    /// Its keys lead to chains: it is a map of verdicts, each of them goto a [`numbered_chain`].
    pub leads: bool,
}

/// `NFT_SET_MAP`.
pub const MAP: u32 = 8;

/// Bytes of the number of a chain behind a key.
pub const CHAIN_NUMBER: usize = 4;

/// The chain that keys lead to by its number.
pub fn numbered_chain(number: u32) -> String {
    format!("{NUMBERED}{number:08x}")
}

/// The number of a chain that keys may lead to; `None` = it has another name.
pub fn chain_number(chain: &str) -> Option<u32> {
    let number = u32::from_str_radix(chain.strip_prefix(NUMBERED)?, 16).ok()?;
    (numbered_chain(number) == chain).then_some(number)
}

const NUMBERED: &str = "to-";

/// The chain an entry of a map leads to.
pub fn leads_to(entry: &[u8]) -> Option<String> {
    let number = entry.last_chunk::<CHAIN_NUMBER>()?;
    Some(numbered_chain(u32::from_be_bytes(*number)))
}

/// The type of a set's keys: the number nft's user space gives it, so that `nft list` prints it properly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyType {
    /// nft's number of the type; 7 = ipv4_addr, 8 = ipv6_addr.
    pub number: u32,
    /// Bytes of one key.
    pub width: u32,
}

impl KeyType {
    /// An IPv4 address.
    pub const IPV4: KeyType = KeyType { number: 7, width: 4 };
    /// An IPv6 address.
    pub const IPV6: KeyType = KeyType { number: 8, width: 16 };
    /// An IP protocol.
    pub const PROTOCOL: KeyType = KeyType { number: 12, width: 1 };
    /// A port.
    pub const PORT: KeyType = KeyType { number: 13, width: 2 };

    /// One value behind the other, each beginning at a register: nft's number has six bits for each.
    pub fn concatenated(parts: impl IntoIterator<Item = KeyType>) -> KeyType {
        let mut all = KeyType { number: 0, width: 0 };
        let mut parts = parts.into_iter().peekable();
        while let Some(part) = parts.next() {
            all.number = all.number << 6 | part.number;
            // The last of several is padded like the others.
            let alone = all.width == 0 && parts.peek().is_none();
            all.width += if alone { part.width } else { part.width.next_multiple_of(4) };
        }
        all
    }
}

/// Keys of one width, packed one behind the other in network byte order, sorted, each once.
///
/// Packed because a list may have 65,536 of them and two versions of it are compared at every change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Bytes of one key; 0 only when there is none.
    pub width: usize,
    /// The keys.
    pub bytes: Vec<u8>,
}

/// One chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainObject {
    /// Where the kernel enters it; `None` = only by jump or goto.
    pub base: Option<BaseChain>,
    /// A base chain of a kind, hook or policy that [`BaseChain`] can't say (`type route`, family bridge, ...), as text; never set on ours.
    pub foreign_base: Option<String>,
    /// Its rules in order.
    pub rules: Vec<RuleObject>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleObject {
    /// What it does, in order.
    pub expressions: Vec<Expression>,
    /// nft's comment in the rule's user data; empty = none. At most 127 bytes.
    pub comment: String,
}

/// A 32-bit register of the rule machine, `NFT_REG32_00` + this number; 0 to 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register(pub u8);

/// What nf_tables rules are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Bytes of the packet into a register.
    Payload {
        /// From which header.
        header: Header,
        /// Bytes from its start.
        offset: u32,
        /// How many.
        length: u32,
        /// The first register they go to.
        to: Register,
    },
    /// `to = (from & mask) ^ xor`.
    Bitwise {
        /// Read from here.
        from: Register,
        /// Written here.
        to: Register,
        /// And.
        mask: Vec<u8>,
        /// Exclusive or.
        xor: Vec<u8>,
    },
    /// Go on only if the register is equal, or not equal, to a value.
    Compare {
        /// Read from here.
        register: Register,
        /// Must be equal; false = must differ.
        equal: bool,
        /// The value, in the byte order the loading expression leaves it.
        value: Vec<u8>,
    },
    /// Go on only if the register is a key of the set.
    Lookup {
        /// The set of the same table.
        set: String,
        /// Read from here.
        register: Register,
        /// Must not be in it.
        inverted: bool,
    },
    /// Ends the rule with the verdict of a key; goes on if it is not in the map.
    Lead {
        /// The map of the same table.
        map: String,
        /// Read from here.
        register: Register,
    },
    /// What the routing table says of an address.
    Fib {
        /// `NFT_FIB_RESULT_*`: 1 = interface index, 2 = name, 3 = address type.
        result: u32,
        /// `NFTA_FIB_F_*`: 1 = source address, 2 = destination address, ...
        flags: u32,
        /// Written here.
        to: Register,
    },
    /// What connection tracking knows.
    Conntrack {
        /// `NFT_CT_*`: 0 = state, 1 = direction, 2 = status, ...
        key: u32,
        /// For keys that are asked of one direction: 0 = original, 1 = reply.
        direction: Option<u8>,
        /// Written here.
        to: Register,
    },
    /// What the kernel knows of the packet.
    Meta {
        /// `NFT_META_*`: 3 = mark, 4 = iif, 5 = oif, 6 = iifname, 7 = oifname, 15 = nfproto, 16 = l4proto, ...
        key: u32,
        /// Written here.
        to: Register,
    },
    /// A value into a register.
    Immediate {
        /// Written here.
        to: Register,
        /// In the byte order the expression that reads it wants.
        value: Vec<u8>,
    },
    /// A random number from 0 to below the modulus.
    Number {
        /// The modulus.
        modulus: u32,
        /// Written here.
        to: Register,
    },
    /// Sets what the kernel knows of the packet.
    SetMeta {
        /// As in [`Expression::Meta`].
        key: u32,
        /// Read from here.
        from: Register,
    },
    /// Sets what connection tracking knows.
    SetConntrack {
        /// As in [`Expression::Conntrack`].
        key: u32,
        /// Read from here.
        from: Register,
    },
    /// Raises a named counter.
    CountOn(String),
    /// Go on only while a named limit lasts.
    Within(String),
    /// Tells the listeners of a group of nfnetlink_log of the packet.
    Log {
        /// The group.
        group: u16,
        /// Bytes of the packet that are handed over; 0 = all.
        bytes: u32,
        /// What is said of it.
        prefix: String,
    },
    /// Raises the rule's own counter. Its numbers are not part of what the rule is.
    Counter,
    /// Ends the rule.
    Verdict(VerdictObject),
    /// Translates the source to the address of the outgoing interface.
    Masquerade {
        /// `NF_NAT_RANGE_*`; 16 = fully random.
        flags: u32,
    },
    /// Translates an end of the connection to what stands in registers.
    Nat {
        /// `NFT_NAT_*`: the source; false = the destination.
        source: bool,
        /// `NFPROTO_*`: 2 = IPv4, 10 = IPv6.
        family: u32,
        /// The address.
        address: Option<Register>,
        /// The port, in network byte order.
        port: Option<Register>,
        /// `NF_NAT_RANGE_*`, with those the kernel adds: 1 = there is an address, 2 = there is a port.
        flags: u32,
    },
    /// Ends the packet and tells its sender.
    Reject {
        /// `NFT_REJECT_*`: 0 = by ICMP or ICMPv6, 1 = by a TCP reset, 2 = by either ICMP.
        kind: u32,
        /// The ICMP code; 0 for a reset.
        code: u8,
    },
    /// Anything else, with its name and, where there is one, the name of the iptables extension inside (`target MASQUERADE`).
    Other {
        /// The expression's name.
        name: String,
        /// The iptables extension, or empty.
        extension: String,
        /// Its attributes as the kernel sent them.
        data: Vec<u8>,
    },
}

/// Where payload bytes are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Header {
    /// Layer 3.
    Network,
    /// Layer 4.
    Transport,
}

/// How a rule ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerdictObject {
    /// NF_ACCEPT.
    Accept,
    /// NF_DROP.
    Drop,
    /// NFT_RETURN.
    Return,
    /// NFT_JUMP.
    Jump(String),
    /// NFT_GOTO.
    Goto(String),
    /// Another code.
    Other(i32),
}

/// A table as it was read: the objects, and what is needed to change single rules of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedTable {
    /// What is in it.
    pub objects: TableObjects,
    /// Handles of each chain's rules, in the order of [`ChainObject::rules`].
    pub handles: BTreeMap<String, Vec<u64>>,
    /// Packets and bytes of each named counter.
    pub counts: BTreeMap<String, Count>,
}

/// What a counter shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Packets; flows, in a nat chain.
    pub packets: u64,
    /// Bytes of those packets.
    pub bytes: u64,
}

/// One change. A list of them is applied whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Make a table with flags 0; one that is there only gets its flags cleared, which wakes a dormant one.
    AddTable(TableId),
    /// Remove a table and all that is in it; an error if it is not there.
    DeleteTable(TableId),
    /// Make a named counter.
    AddCounter {
        /// In this table.
        table: TableId,
        /// Its name.
        name: String,
    },
    /// Remove a named counter.
    DeleteCounter {
        /// In this table.
        table: TableId,
        /// Its name.
        name: String,
    },
    /// Make a named limit.
    AddLimit {
        /// In this table.
        table: TableId,
        /// Its name.
        name: String,
        /// How much.
        rate: Rate,
    },
    /// Remove a named limit.
    DeleteLimit {
        /// In this table.
        table: TableId,
        /// Its name.
        name: String,
    },
    /// Make an empty set.
    AddSet {
        /// In this table.
        table: TableId,
        /// Its name.
        name: String,
        /// What the keys are.
        key: KeyType,
        /// Room for this many; `None` = grows by itself.
        size: Option<u32>,
    },
    /// Remove a set that no rule uses.
    DeleteSet {
        /// In this table.
        table: TableId,
        /// Its name.
        name: String,
    },
    /// Make an empty map of keys that lead to chains.
    AddMap {
        /// In this table.
        table: TableId,
        /// Its name.
        name: String,
        /// What the keys are.
        key: KeyType,
        /// Room for this many; `None` = grows by itself.
        size: Option<u32>,
    },
    /// Put keys with the chains they lead to into a map.
    AddPairs {
        /// In this table.
        table: TableId,
        /// The map.
        map: String,
        /// Each key with the number of its chain behind it.
        pairs: Keys,
    },
    /// Take keys out of a map; an error if one is not in it.
    DeletePairs {
        /// In this table.
        table: TableId,
        /// The map.
        map: String,
        /// Each key with the number of its chain behind it.
        pairs: Keys,
    },
    /// Put keys into a set.
    AddElements {
        /// In this table.
        table: TableId,
        /// The set.
        set: String,
        /// The keys.
        keys: Keys,
    },
    /// Take keys out of a set; an error if one is not in it.
    DeleteElements {
        /// In this table.
        table: TableId,
        /// The set.
        set: String,
        /// The keys.
        keys: Keys,
    },
    /// Make a chain.
    AddChain {
        /// In this table.
        table: TableId,
        /// Its name.
        name: String,
        /// Where the kernel enters it.
        base: Option<BaseChain>,
    },
    /// Remove a chain that no rule leads to, with its rules.
    DeleteChain {
        /// In this table.
        table: TableId,
        /// Its name.
        name: String,
    },
    /// Remove all rules of a chain.
    FlushChain {
        /// In this table.
        table: TableId,
        /// Its name.
        name: String,
    },
    /// Put a rule at the end of a chain.
    AddRule {
        /// In this table.
        table: TableId,
        /// The chain.
        chain: String,
        /// The rule.
        rule: RuleObject,
    },
    /// Remove one rule.
    DeleteRule {
        /// In this table.
        table: TableId,
        /// The chain.
        chain: String,
        /// The kernel's number for it.
        handle: u64,
    },
}
