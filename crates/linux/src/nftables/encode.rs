//! A list of changes as one batch of messages.

use super::wire::{self, message};
use super::{ApplyError, Generation, expression, userdata};
use crate::netlink::write::{Attributes, Unwritable, Writer, attribute_size, flag};
use causeway_dataplane::nftables::objects::{self, CHAIN_NUMBER, Keys, Op, RuleObject, VerdictObject};
use causeway_dataplane::ruleset::{BaseChain, TableId};

/// `NFT_NAME_MAXLEN` counts the zero byte at the end.
const LONGEST_NAME: usize = 255;
/// `NFT_DATA_VALUE_MAXLEN`: the widest key.
const WIDEST_KEY: usize = 64;
/// Bytes of the name of a chain with a number, and the zero behind it.
const LONGEST_NUMBERED: usize = 12;
/// Keys of one message stay below this, so that the attribute around them has a length of 16 bits.
const LONGEST_LIST: usize = 65_000;

/// A batch, and which change each of its messages belongs to.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// What is sent.
    pub(super) bytes: Vec<u8>,
    /// For the message with the first number + 1 + n: the change it is part of.
    pub(super) changes: Vec<usize>,
}

/// Part of a change that is one message.
struct Piece<'a> {
    change: usize,
    op: &'a Op,
    /// The keys of an element change that go into this message, with the chains they lead to.
    keys: &'a [u8],
}

/// Bytes of the batch that carries out these changes. Compare with `Connection::batch_limit`.
///
/// # Errors
/// [`ApplyError::Invalid`] when a change can't be written at all.
pub fn encoded_size(ops: &[Op]) -> Result<usize, ApplyError> {
    encode(ops, Some(Generation(0)), 1).map(|batch| batch.bytes.len())
}

/// Bytes one key takes in a batch: 16 for IPv4, 28 for IPv6.
pub const fn key_size(width: usize) -> usize {
    attribute_size(attribute_size(attribute_size(width)))
}

/// Bytes one key with the chain it leads to takes in a batch: a verdict is a code and a name.
const fn pair_size(key: usize) -> usize {
    let verdict = attribute_size(4) + attribute_size(LONGEST_NUMBERED);
    attribute_size(attribute_size(attribute_size(key)) + attribute_size(attribute_size(verdict)))
}

/// Writes the batch; its messages are numbered from `first`, the begin message, on. No change that needs writing gives no bytes at all.
pub(super) fn encode(ops: &[Op], expected: Option<Generation>, first: u32) -> Result<Batch, ApplyError> {
    let mut pieces = Vec::with_capacity(ops.len());
    for (change, op) in ops.iter().enumerate() {
        check(op).map_err(|problem| ApplyError::Invalid { op: change, problem })?;
        match op {
            Op::AddElements { keys, .. } | Op::DeleteElements { keys, .. } => {
                let per_message = (LONGEST_LIST / key_size(keys.width)).max(1) * keys.width.max(1);
                pieces.extend(keys.bytes.chunks(per_message).map(|keys| Piece { change, op, keys }));
            }
            Op::AddPairs { pairs, .. } | Op::DeletePairs { pairs, .. } => {
                let size = pair_size(pairs.width.saturating_sub(CHAIN_NUMBER));
                let per_message = (LONGEST_LIST / size).max(1) * pairs.width.max(1);
                pieces.extend(pairs.bytes.chunks(per_message).map(|keys| Piece { change, op, keys }));
            }
            _ => pieces.push(Piece { change, op, keys: &[] }),
        }
    }
    if pieces.is_empty() {
        return Ok(Batch::default());
    }
    let room = pieces.len() * 128 + pieces.iter().map(|piece| piece.keys.len()).sum::<usize>() * 4;
    let mut writer = Writer::reusing(Vec::with_capacity(room));
    let mut sequence = first;
    begin(&mut writer, sequence, expected);
    let last = pieces.len() - 1;
    for (place, piece) in pieces.iter().enumerate() {
        sequence = sequence.wrapping_add(1);
        // Failures are always reported; success only of the last one, so that a large batch does not fill the receive buffer with answers.
        write(&mut writer, piece, sequence, if place == last { flag::ACK } else { 0 });
    }
    end(&mut writer, sequence.wrapping_add(1));
    let bytes = writer.finish().map_err(crate::netlink::Error::from)?;
    Ok(Batch { bytes, changes: pieces.iter().map(|piece| piece.change).collect() })
}

/// A batch that changes nothing, held against a generation.
pub(super) fn empty(generation: Generation, first: u32) -> Result<Vec<u8>, Unwritable> {
    let mut writer = Writer::new();
    begin(&mut writer, first, Some(generation));
    end(&mut writer, first.wrapping_add(1));
    writer.finish()
}

fn begin(writer: &mut Writer, sequence: u32, expected: Option<Generation>) {
    writer.message(wire::BATCH_BEGIN, 0, sequence, &wire::header(0, wire::SUBSYSTEM_OF_BATCH), |to| {
        if let Some(Generation(number)) = expected {
            to.be32(wire::BATCH_GENERATION, number);
        }
    });
}

fn end(writer: &mut Writer, sequence: u32) {
    writer.message(wire::BATCH_END, 0, sequence, &wire::header(0, wire::SUBSYSTEM_OF_BATCH), |_| {});
}

/// The kernel would cut or refuse these, with less to say about it.
fn check(op: &Op) -> Result<(), String> {
    let (table, names): (&TableId, Vec<&str>) = match op {
        Op::AddTable(table) | Op::DeleteTable(table) => (table, vec![]),
        Op::AddCounter { table, name }
        | Op::DeleteCounter { table, name }
        | Op::AddLimit { table, name, .. }
        | Op::DeleteLimit { table, name }
        | Op::DeleteSet { table, name }
        | Op::AddChain { table, name, .. }
        | Op::DeleteChain { table, name }
        | Op::FlushChain { table, name } => (table, vec![name]),
        Op::AddSet { table, name, key, .. } | Op::AddMap { table, name, key, .. } => {
            if key.width == 0 || key.width as usize > WIDEST_KEY {
                return Err(format!("set `{name}` has keys of {} bytes; 1 to {WIDEST_KEY} are possible", key.width));
            }
            (table, vec![name])
        }
        Op::AddPairs { table, map, pairs } | Op::DeletePairs { table, map, pairs } => {
            let width = pairs.width;
            let fits = width > CHAIN_NUMBER && width <= WIDEST_KEY + CHAIN_NUMBER;
            if !fits || !pairs.bytes.len().is_multiple_of(width) {
                return Err(format!("what is put into map `{map}` are not keys with the number of a chain each"));
            }
            (table, vec![map])
        }
        Op::AddElements { table, set, keys } | Op::DeleteElements { table, set, keys } => {
            check_keys(set, keys)?;
            (table, vec![set])
        }
        Op::AddRule { table, chain, rule } => {
            if rule.comment.len() > userdata::LONGEST_COMMENT || rule.comment.contains('\0') {
                return Err(format!(
                    "the comment `{}` has more than {} bytes, or a zero byte",
                    rule.comment.escape_debug(),
                    userdata::LONGEST_COMMENT
                ));
            }
            (table, vec![chain])
        }
        Op::DeleteRule { table, chain, .. } => (table, vec![chain]),
    };
    for name in names.into_iter().chain([table.name.as_str()]) {
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains('\0') {
            return Err(format!(
                "the name `{}` is empty, has more than {LONGEST_NAME} bytes, or a zero byte",
                name.escape_debug()
            ));
        }
    }
    Ok(())
}

fn check_keys(set: &str, keys: &Keys) -> Result<(), String> {
    let fits = if keys.width == 0 {
        keys.bytes.is_empty()
    } else {
        keys.width <= WIDEST_KEY && keys.bytes.len().is_multiple_of(keys.width)
    };
    if fits {
        Ok(())
    } else {
        Err(format!("{} bytes of keys for set `{set}` are not keys of {} bytes each", keys.bytes.len(), keys.width))
    }
}

fn write(writer: &mut Writer, piece: &Piece<'_>, sequence: u32, ack: u16) {
    let create = flag::CREATE | ack;
    let mut send = |table: &TableId, kind: u16, flags: u16, body: &mut dyn FnMut(&mut Attributes<'_>)| {
        writer.message(kind, flags, sequence, &wire::header(wire::family_number(table.family), 0), |to| {
            to.text(wire::TABLE, &table.name);
            body(to);
        });
    };
    match piece.op {
        // The flags are always said: an existing table that somebody made dormant wakes up.
        Op::AddTable(table) => send(table, message::NEW_TABLE, ack, &mut |to| to.be32(wire::table::FLAGS, 0)),
        Op::DeleteTable(table) => send(table, message::DELETE_TABLE, ack, &mut |_| {}),
        Op::AddCounter { table, name } => send(table, message::NEW_OBJECT, create, &mut |to| {
            to.text(wire::object::NAME, name);
            to.be32(wire::object::TYPE, wire::object::COUNTER);
            to.nested(wire::object::DATA, |to| {
                to.be64(wire::object::COUNTER_BYTES, 0);
                to.be64(wire::object::COUNTER_PACKETS, 0);
            });
        }),
        Op::DeleteCounter { table, name } => send(table, message::DELETE_OBJECT, ack, &mut |to| {
            to.text(wire::object::NAME, name);
            to.be32(wire::object::TYPE, wire::object::COUNTER);
        }),
        Op::AddLimit { table, name, rate } => send(table, message::NEW_OBJECT, create, &mut |to| {
            to.text(wire::object::NAME, name);
            to.be32(wire::object::TYPE, wire::object::LIMIT);
            to.nested(wire::object::DATA, |to| {
                to.be64(wire::object::LIMIT_RATE, u64::from(rate.per_second));
                to.be64(wire::object::LIMIT_UNIT, 1);
                to.be32(wire::object::LIMIT_BURST, rate.burst);
                to.be32(wire::object::LIMIT_TYPE, wire::object::LIMIT_PACKETS);
            });
        }),
        Op::DeleteLimit { table, name } => send(table, message::DELETE_OBJECT, ack, &mut |to| {
            to.text(wire::object::NAME, name);
            to.be32(wire::object::TYPE, wire::object::LIMIT);
        }),
        Op::AddSet { table, name, key, size } => send(table, message::NEW_SET, create, &mut |to| {
            to.text(wire::set::NAME, name);
            to.be32(wire::set::FLAGS, 0);
            to.be32(wire::set::KEY_TYPE, key.number);
            to.be32(wire::set::KEY_LENGTH, key.width);
            // The kernel wants a number by which later messages of the batch may name the set; ours name it by its name.
            to.be32(wire::set::ID, sequence);
            if let Some(size) = size {
                to.nested(wire::set::DESCRIPTION, |to| to.be32(wire::set::DESCRIPTION_SIZE, *size));
            }
        }),
        Op::AddMap { table, name, key, size } => send(table, message::NEW_SET, create, &mut |to| {
            to.text(wire::set::NAME, name);
            to.be32(wire::set::FLAGS, objects::MAP);
            to.be32(wire::set::KEY_TYPE, key.number);
            to.be32(wire::set::KEY_LENGTH, key.width);
            to.be32(wire::set::DATA_TYPE, wire::set::VERDICTS);
            to.be32(wire::set::ID, sequence);
            if let Some(size) = size {
                to.nested(wire::set::DESCRIPTION, |to| to.be32(wire::set::DESCRIPTION_SIZE, *size));
            }
        }),
        Op::DeleteSet { table, name } => {
            send(table, message::DELETE_SET, ack, &mut |to| to.text(wire::set::NAME, name))
        }
        Op::AddElements { table, set, keys } => {
            send(table, message::NEW_ELEMENTS, create, &mut |to| elements(to, set, keys.width, false, piece.keys))
        }
        Op::DeleteElements { table, set, keys } => {
            send(table, message::DELETE_ELEMENTS, ack, &mut |to| elements(to, set, keys.width, false, piece.keys))
        }
        Op::AddPairs { table, map, pairs } => {
            send(table, message::NEW_ELEMENTS, create, &mut |to| elements(to, map, pairs.width, true, piece.keys))
        }
        Op::DeletePairs { table, map, pairs } => {
            send(table, message::DELETE_ELEMENTS, ack, &mut |to| elements(to, map, pairs.width, true, piece.keys))
        }
        Op::AddChain { table, name, base } => send(table, message::NEW_CHAIN, create, &mut |to| {
            to.text(wire::chain::NAME, name);
            if let Some(base) = base {
                base_chain(to, base);
            }
        }),
        Op::DeleteChain { table, name } => {
            send(table, message::DELETE_CHAIN, ack, &mut |to| to.text(wire::chain::NAME, name))
        }
        Op::FlushChain { table, name } => {
            send(table, message::DELETE_RULE, ack, &mut |to| to.text(wire::rule::CHAIN, name))
        }
        Op::AddRule { table, chain, rule } => send(table, message::NEW_RULE, create | flag::APPEND, &mut |to| {
            to.text(wire::rule::CHAIN, chain);
            add_rule(to, rule);
        }),
        Op::DeleteRule { table, chain, handle } => send(table, message::DELETE_RULE, ack, &mut |to| {
            to.text(wire::rule::CHAIN, chain);
            to.be64(wire::rule::HANDLE, *handle);
        }),
    }
}

/// Entries of so many bytes: a key, and behind it the number of its chain if it leads to one.
fn elements(to: &mut Attributes<'_>, set: &str, width: usize, lead: bool, entries: &[u8]) {
    let key = if lead { width.saturating_sub(CHAIN_NUMBER) } else { width };
    to.text(wire::set::LIST_SET, set);
    to.nested(wire::set::LIST_ELEMENTS, |to| {
        for entry in entries.chunks(width.max(1)) {
            let chain = objects::leads_to(entry).filter(|_| lead);
            let key = entry.get(..key).unwrap_or_default();
            to.nested(wire::LIST_ELEMENT, |to| {
                to.nested(wire::set::ELEMENT_KEY, |to| to.bytes(wire::DATA_VALUE, key));
                if let Some(chain) = chain {
                    let verdict = VerdictObject::Goto(chain);
                    to.nested(wire::set::ELEMENT_DATA, |to| {
                        to.nested(wire::DATA_VERDICT, |to| expression::encode_verdict(to, &verdict));
                    });
                }
            });
        }
    });
}

fn base_chain(to: &mut Attributes<'_>, base: &BaseChain) {
    to.text(wire::chain::TYPE, wire::kind_name(base.kind));
    to.be32(wire::chain::POLICY, wire::policy_number(base.policy));
    to.nested(wire::chain::HOOK, |to| {
        to.be32(wire::chain::HOOK_NUMBER, wire::hook_number(base.hook));
        to.bytes(wire::chain::HOOK_PRIORITY, &base.priority.to_be_bytes());
    });
}

fn add_rule(to: &mut Attributes<'_>, rule: &RuleObject) {
    to.nested(wire::rule::EXPRESSIONS, |to| {
        for expression in &rule.expressions {
            expression::encode(to, expression);
        }
    });
    let comment = userdata::encode_comment(&rule.comment);
    if !comment.is_empty() {
        to.bytes(wire::rule::USER_DATA, &comment);
    }
}
