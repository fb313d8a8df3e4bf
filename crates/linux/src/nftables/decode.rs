//! Messages of nf_tables into plain values. Works on bytes alone.

use super::wire::{self, message};
use super::{Generation, expression, userdata};
use crate::netlink::read::{Attribute, Attributes, Malformed, Message, Messages, Role};
use causeway_dataplane::nftables::objects::{self, Count, KeyType, Keys, RuleObject, VerdictObject};
use causeway_dataplane::ruleset::{BaseChain, Rate, TableId};

/// A bit in [`causeway_dataplane::nftables::objects::SetObject::flags`] that no kernel knows: the set has elements that are more than a key
/// (a catch-all element, an end of an interval), so it is not one of ours however its keys look.
pub const FLAG_STRANGE_ELEMENTS: u32 = 1 << 31;

/// `nfgenmsg`.
const HEADER: usize = 4;

/// One message of nf_tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A table.
    Table {
        /// Which; `None` = of a family that is not looked at.
        id: Option<TableId>,
        /// `NFT_TABLE_F_*`; 1 = dormant.
        flags: u32,
    },
    /// A chain.
    Chain {
        /// Its table.
        table: Option<TableId>,
        /// Its name.
        name: String,
        /// Where the kernel enters it.
        base: Option<BaseChain>,
        /// The same in words where [`BaseChain`] has none.
        foreign_base: Option<String>,
    },
    /// A rule.
    Rule {
        /// Its table.
        table: Option<TableId>,
        /// Its chain.
        chain: String,
        /// The kernel's number for it.
        handle: u64,
        /// What it is.
        rule: RuleObject,
    },
    /// A set, without its elements.
    Set {
        /// Its table.
        table: Option<TableId>,
        /// Its name.
        name: String,
        /// What the keys are.
        key: KeyType,
        /// Room for this many.
        size: Option<u32>,
        /// `NFT_SET_*`.
        flags: u32,
        /// Its keys lead to chains: it is a map of verdicts.
        leads: bool,
    },
    /// Some elements of a set, in the kernel's order.
    Elements {
        /// The set's table.
        table: Option<TableId>,
        /// The set.
        set: String,
        /// Those that are keys, or keys with the number of a chain behind, and nothing else; of the width of the first.
        keys: Keys,
        /// There are others.
        strange: bool,
    },
    /// A named counter.
    Counter {
        /// Its table.
        table: Option<TableId>,
        /// Its name.
        name: String,
        /// What it shows.
        count: Count,
    },
    /// A named limit of packets.
    Limit {
        /// Its table.
        table: Option<TableId>,
        /// Its name.
        name: String,
        /// How much; `None` = something that has no word here.
        rate: Option<Rate>,
    },
    /// The generation, or the end of a change that made it.
    Generation {
        /// Its number.
        number: Generation,
        /// The process that made the change.
        process: Option<u32>,
        /// That process's name, up to 15 bytes.
        name: String,
    },
    /// Anything else, or the removal of something: only the table it is in.
    Other {
        /// The table, where it is of a family that is looked at.
        table: Option<TableId>,
    },
}

/// The messages of nf_tables in the bytes of one datagram.
///
/// # Errors
/// Bytes that are not what linux/netfilter/nf_tables.h says.
pub fn decode(bytes: &[u8]) -> Result<Vec<Seen>, Malformed> {
    let mut seen = Vec::new();
    for message in Messages::new(bytes) {
        let message = message?;
        if message.role()? == Role::Data {
            seen.push(decode_message(&message)?);
        }
    }
    Ok(seen)
}

/// Family and attributes of a message.
fn open<'a>(message: &Message<'a>) -> Result<(u8, Attributes<'a>), Malformed> {
    let (header, attributes) = message.split(HEADER)?;
    Ok((header.first().copied().unwrap_or(0), attributes))
}

/// One message of nf_tables.
pub(super) fn decode_message(message: &Message<'_>) -> Result<Seen, Malformed> {
    let (family, attributes) = open(message)?;
    match message.kind {
        message::NEW_TABLE => table(family, attributes),
        message::NEW_CHAIN => chain(family, attributes),
        message::NEW_RULE => rule(family, attributes),
        message::NEW_SET => set(family, attributes),
        message::NEW_ELEMENTS => {
            let mut keys = Keys::default();
            let (table, set, strange) = elements(family, attributes, &mut keys)?;
            Ok(Seen::Elements { table, set, keys, strange })
        }
        message::NEW_OBJECT => object(family, attributes),
        message::NEW_GENERATION => generation(attributes),
        _ => Ok(Seen::Other { table: table_of(message)? }),
    }
}

/// Only the table a message is about.
pub(super) fn table_of(message: &Message<'_>) -> Result<Option<TableId>, Malformed> {
    let (family, attributes) = open(message)?;
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == wire::TABLE {
            return Ok(wire::table_id(family, attribute.text()));
        }
    }
    Ok(None)
}

fn table(family: u8, attributes: Attributes<'_>) -> Result<Seen, Malformed> {
    let mut id = None;
    let mut flags = 0;
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            wire::TABLE => id = wire::table_id(family, attribute.text()),
            wire::table::FLAGS => flags = attribute.be32()?,
            _ => {}
        }
    }
    Ok(Seen::Table { id, flags })
}

fn chain(family: u8, attributes: Attributes<'_>) -> Result<Seen, Malformed> {
    let mut table = None;
    let mut name = String::new();
    let mut hook: Option<(u32, i32)> = None;
    let mut policy = 1;
    let mut kind: &[u8] = b"";
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            wire::TABLE => table = wire::table_id(family, attribute.text()),
            wire::chain::NAME => name = attribute.string(),
            wire::chain::HOOK => hook = Some(place(attribute.nested())?),
            wire::chain::POLICY => policy = attribute.be32()?,
            wire::chain::TYPE => kind = attribute.text(),
            _ => {}
        }
    }
    let (base, foreign_base) = match hook {
        None => (None, None),
        Some((number, priority)) => match (wire::kind(kind), wire::hook(number), wire::policy(policy)) {
            (Some(kind), Some(hook), Some(policy)) if table.is_some() => {
                (Some(BaseChain { kind, hook, priority, policy }), None)
            }
            _ => {
                let kind = String::from_utf8_lossy(kind);
                (None, Some(format!("type {kind} hook {number} priority {priority} policy {policy} family {family}")))
            }
        },
    };
    Ok(Seen::Chain { table, name, base, foreign_base })
}

/// `NFTA_HOOK_*`: number and priority.
fn place(attributes: Attributes<'_>) -> Result<(u32, i32), Malformed> {
    let mut number = None;
    let mut priority = 0;
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            wire::chain::HOOK_NUMBER => number = Some(attribute.be32()?),
            wire::chain::HOOK_PRIORITY => priority = i32::from_be_bytes(attribute.be32()?.to_be_bytes()),
            _ => {}
        }
    }
    Ok((number.ok_or(Malformed::Missing { what: "a base chain", attribute: "hook" })?, priority))
}

fn rule(family: u8, attributes: Attributes<'_>) -> Result<Seen, Malformed> {
    let mut table = None;
    let mut chain = String::new();
    let mut handle = 0;
    let mut rule = RuleObject { expressions: Vec::new(), comment: String::new() };
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            wire::TABLE => table = wire::table_id(family, attribute.text()),
            wire::rule::CHAIN => chain = attribute.string(),
            wire::rule::HANDLE => handle = attribute.be64()?,
            wire::rule::EXPRESSIONS => rule.expressions = expression::decode_list(attribute.nested())?,
            wire::rule::USER_DATA => rule.comment = userdata::decode_comment(attribute.payload),
            _ => {}
        }
    }
    Ok(Seen::Rule { table, chain, handle, rule })
}

fn set(family: u8, attributes: Attributes<'_>) -> Result<Seen, Malformed> {
    let mut table = None;
    let mut name = String::new();
    let mut key = KeyType { number: 0, width: 0 };
    let mut size = None;
    let mut flags = 0;
    let mut leads = false;
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            wire::TABLE => table = wire::table_id(family, attribute.text()),
            wire::set::DATA_TYPE => leads = attribute.be32()? == wire::set::VERDICTS,
            wire::set::NAME => name = attribute.string(),
            wire::set::FLAGS => flags = attribute.be32()? & !FLAG_STRANGE_ELEMENTS,
            wire::set::KEY_TYPE => key.number = attribute.be32()?,
            wire::set::KEY_LENGTH => key.width = attribute.be32()?,
            wire::set::DESCRIPTION => {
                for inner in attribute.nested() {
                    let inner = inner?;
                    if inner.kind == wire::set::DESCRIPTION_SIZE {
                        size = Some(inner.be32()?);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Seen::Set { table, name, key, size, flags, leads })
}

/// Appends the keys to `keys`. Returns the table, the set, and whether there are elements that are not just a key of that width.
pub(super) fn elements(
    family: u8,
    attributes: Attributes<'_>,
    keys: &mut Keys,
) -> Result<(Option<TableId>, String, bool), Malformed> {
    let mut table = None;
    let mut set = String::new();
    let mut strange = false;
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            wire::TABLE => table = wire::table_id(family, attribute.text()),
            wire::set::LIST_SET => set = attribute.string(),
            wire::set::LIST_ELEMENTS => {
                for one in attribute.nested() {
                    match plain_entry(&one?)? {
                        Some((key, chain)) if !key.is_empty() => {
                            let chain = chain.map(u32::to_be_bytes);
                            let chain: &[u8] = chain.as_ref().map_or(&[], |chain| chain);
                            let width = key.len() + chain.len();
                            if keys.width != 0 && keys.width != width {
                                strange = true;
                                continue;
                            }
                            keys.width = width;
                            keys.bytes.extend_from_slice(key);
                            keys.bytes.extend_from_slice(chain);
                        }
                        _ => strange = true,
                    }
                }
            }
            _ => {}
        }
    }
    Ok((table, set, strange))
}

/// A key, and the number of the chain it leads to.
type Entry<'a> = (&'a [u8], Option<u32>);

/// The key of an element and the number of the chain it leads to, if it does, when it has nothing else that matters.
fn plain_entry<'a>(element: &Attribute<'a>) -> Result<Option<Entry<'a>>, Malformed> {
    let mut key = None;
    let mut chain = None;
    let mut plain = true;
    for attribute in element.nested() {
        let attribute = attribute?;
        match attribute.kind {
            wire::set::ELEMENT_KEY => key = value(&attribute)?,
            wire::set::ELEMENT_DATA => match expression::decode_verdict(&attribute)? {
                Some(VerdictObject::Goto(name)) => {
                    chain = objects::chain_number(&name);
                    plain &= chain.is_some();
                }
                _ => plain = false,
            },
            wire::set::ELEMENT_FLAGS => plain &= attribute.be32()? == 0,
            wire::set::ELEMENT_KEY_END => plain = false,
            // A comment, a counter, an expiry: sets of ours have none of them, and a set that may is told apart by its own flags.
            _ => {}
        }
    }
    Ok(key.filter(|_| plain).map(|key| (key, chain)))
}

fn value<'a>(attribute: &Attribute<'a>) -> Result<Option<&'a [u8]>, Malformed> {
    let mut found = None;
    for value in attribute.nested() {
        let value = value?;
        if value.kind == wire::DATA_VALUE {
            found = Some(value.payload);
        }
    }
    Ok(found)
}

/// The same of a whole message, without making a [`Seen`] of it: large sets come in thousands of messages.
pub(super) fn collect_elements(message: &Message<'_>, keys: &mut Keys) -> Result<bool, Malformed> {
    let (family, attributes) = open(message)?;
    elements(family, attributes, keys).map(|(_, _, strange)| strange)
}

fn object(family: u8, attributes: Attributes<'_>) -> Result<Seen, Malformed> {
    let mut table = None;
    let mut name = String::new();
    let mut kind = 0;
    let mut count = Count::default();
    let mut data = Attributes::new(&[]);
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            wire::TABLE => table = wire::table_id(family, attribute.text()),
            wire::object::NAME => name = attribute.string(),
            wire::object::TYPE => kind = attribute.be32()?,
            wire::object::DATA => data = attribute.nested(),
            _ => {}
        }
    }
    if kind == wire::object::LIMIT {
        return Ok(Seen::Limit { table, name, rate: rate(data)? });
    }
    if kind != wire::object::COUNTER {
        return Ok(Seen::Other { table });
    }
    for attribute in data {
        let attribute = attribute?;
        match attribute.kind {
            wire::object::COUNTER_BYTES => count.bytes = attribute.be64()?,
            wire::object::COUNTER_PACKETS => count.packets = attribute.be64()?,
            _ => {}
        }
    }
    Ok(Seen::Counter { table, name, count })
}

/// So many packets a second.
fn rate(data: Attributes<'_>) -> Result<Option<Rate>, Malformed> {
    let (mut per_second, mut unit, mut burst, mut plain) = (0, 0, 0, true);
    for attribute in data {
        let attribute = attribute?;
        match attribute.kind {
            wire::object::LIMIT_RATE => per_second = attribute.be64()?,
            wire::object::LIMIT_UNIT => unit = attribute.be64()?,
            wire::object::LIMIT_BURST => burst = attribute.be32()?,
            wire::object::LIMIT_TYPE => plain &= attribute.be32()? == wire::object::LIMIT_PACKETS,
            wire::object::LIMIT_FLAGS => plain &= attribute.be32()? == 0,
            _ => {}
        }
    }
    let per_second = u32::try_from(per_second).ok().filter(|_| plain && unit == 1);
    Ok(per_second.map(|per_second| Rate { per_second, burst }))
}

fn generation(attributes: Attributes<'_>) -> Result<Seen, Malformed> {
    let mut number = None;
    let mut process = None;
    let mut name = String::new();
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            wire::generation::ID => number = Some(attribute.be32()?),
            wire::generation::PROCESS => process = Some(attribute.be32()?),
            wire::generation::PROCESS_NAME => name = attribute.string(),
            _ => {}
        }
    }
    let number = number.ok_or(Malformed::Missing { what: "a generation", attribute: "number" })?;
    Ok(Seen::Generation { number: Generation(number), process, name })
}
