//! Expressions, both ways. What is not understood completely becomes [`Expression::Other`] with its bytes, so that it never compares
//! equal to something of ours.

use super::wire::{DATA_VALUE, DATA_VERDICT, LIST_ELEMENT};
use crate::netlink::read::{Attribute, Attributes, Malformed};
use crate::netlink::write;
use causeway_dataplane::nftables::objects::{Expression, Header, Register, VerdictObject};

const NAME: u16 = 1;
const DATA: u16 = 2;
/// `NFT_OBJECT_COUNTER`.
const OBJECT_COUNTER: u32 = 1;
/// `NFT_OBJECT_LIMIT`.
const OBJECT_LIMIT: u32 = 4;
/// `NFT_REG_VERDICT`.
const VERDICT_REGISTER: u32 = 0;

/// `NFT_NG_RANDOM`.
const NUMBERS_AT_RANDOM: u32 = 1;
/// `NFT_REJECT_TCP_RST`.
const REJECT_BY_RESET: u32 = 1;

/// `NFT_BITWISE_MASK_XOR`.
const BITWISE_MASK_XOR: u32 = 0;

/// The register's number on the wire. The kernel names the four 16-byte registers 1 to 4 and the sixteen 4-byte ones from 8 on; they
/// share their memory. Like nft we use the former where one begins.
fn register_number(register: Register) -> u32 {
    let number = u32::from(register.0);
    if number % 4 == 0 { number / 4 + 1 } else { number + 8 }
}

fn register(attribute: &Attribute<'_>) -> Result<Option<Register>, Malformed> {
    Ok(match attribute.be32()? {
        number @ 1..=4 => u8::try_from((number - 1) * 4).ok().map(Register),
        number @ 8..=23 => u8::try_from(number - 8).ok().map(Register),
        _ => None,
    })
}

/// Writes one expression, its attributes in nft's order, as an element of a list of expressions.
pub(super) fn encode(to: &mut write::Attributes<'_>, expression: &Expression) {
    to.nested(LIST_ELEMENT, |to| {
        to.text(NAME, name(expression));
        if let Expression::Other { data, .. } = expression {
            to.nested(DATA, |to| to.header(data));
        } else {
            to.nested(DATA, |to| encode_data(to, expression));
        }
    });
}

fn name(expression: &Expression) -> &str {
    match expression {
        Expression::Payload { .. } => "payload",
        Expression::Bitwise { .. } => "bitwise",
        Expression::Compare { .. } => "cmp",
        Expression::Lookup { .. } | Expression::Lead { .. } => "lookup",
        Expression::Fib { .. } => "fib",
        Expression::Conntrack { .. } => "ct",
        Expression::Meta { .. } => "meta",
        Expression::CountOn(_) | Expression::Within(_) => "objref",
        Expression::Log { .. } => "log",
        Expression::Counter => "counter",
        Expression::Verdict(_) => "immediate",
        Expression::Masquerade { .. } => "masq",
        Expression::Immediate { .. } => "immediate",
        Expression::Number { .. } => "numgen",
        Expression::SetMeta { .. } => "meta",
        Expression::SetConntrack { .. } => "ct",
        Expression::Nat { .. } => "nat",
        Expression::Reject { .. } => "reject",
        Expression::Other { name, .. } => name,
    }
}

fn encode_data(to: &mut write::Attributes<'_>, expression: &Expression) {
    match expression {
        Expression::Payload { header, offset, length, to: target } => {
            to.be32(1, register_number(*target));
            to.be32(
                2,
                match header {
                    Header::Network => 1,
                    Header::Transport => 2,
                },
            );
            to.be32(3, *offset);
            to.be32(4, *length);
        }
        Expression::Bitwise { from, to: target, mask, xor } => {
            to.be32(1, register_number(*from));
            to.be32(2, register_number(*target));
            to.be32(6, BITWISE_MASK_XOR);
            to.be32(3, u32::try_from(mask.len()).unwrap_or(u32::MAX));
            to.nested(4, |to| to.bytes(DATA_VALUE, mask));
            to.nested(5, |to| to.bytes(DATA_VALUE, xor));
        }
        Expression::Compare { register, equal, value } => {
            to.be32(1, register_number(*register));
            to.be32(2, u32::from(!*equal));
            to.nested(3, |to| to.bytes(DATA_VALUE, value));
        }
        Expression::Lookup { set, register, inverted } => {
            to.be32(2, register_number(*register));
            to.text(1, set);
            if *inverted {
                to.be32(5, 1);
            }
        }
        Expression::Lead { map, register } => {
            to.be32(2, register_number(*register));
            to.be32(3, VERDICT_REGISTER);
            to.text(1, map);
        }
        Expression::Fib { result, flags, to: target } => {
            to.be32(3, *flags);
            to.be32(2, *result);
            to.be32(1, register_number(*target));
        }
        Expression::Conntrack { key, direction, to: target } => {
            to.be32(2, *key);
            to.be32(1, register_number(*target));
            if let Some(direction) = direction {
                to.u8(3, *direction);
            }
        }
        Expression::Meta { key, to: target } => {
            to.be32(2, *key);
            to.be32(1, register_number(*target));
        }
        Expression::CountOn(counter) => {
            to.be32(1, OBJECT_COUNTER);
            to.text(2, counter);
        }
        Expression::Within(limit) => {
            to.be32(1, OBJECT_LIMIT);
            to.text(2, limit);
        }
        Expression::Log { group, bytes, prefix } => {
            if !prefix.is_empty() {
                to.text(2, prefix);
            }
            to.bytes(1, &group.to_be_bytes());
            if *bytes != 0 {
                to.be32(3, *bytes);
            }
        }
        Expression::Verdict(verdict) => {
            to.be32(1, VERDICT_REGISTER);
            to.nested(2, |to| to.nested(DATA_VERDICT, |to| encode_verdict(to, verdict)));
        }
        Expression::Masquerade { flags } => {
            if *flags != 0 {
                to.be32(1, *flags);
            }
        }
        Expression::Immediate { to: target, value } => {
            to.be32(1, register_number(*target));
            to.nested(2, |to| to.bytes(DATA_VALUE, value));
        }
        Expression::Number { modulus, to: target } => {
            to.be32(1, register_number(*target));
            to.be32(2, *modulus);
            to.be32(3, NUMBERS_AT_RANDOM);
            to.be32(4, 0);
        }
        Expression::SetMeta { key, from } => {
            to.be32(2, *key);
            to.be32(3, register_number(*from));
        }
        Expression::SetConntrack { key, from } => {
            to.be32(2, *key);
            to.be32(4, register_number(*from));
        }
        Expression::Nat { source, family, address, port, flags } => {
            to.be32(1, u32::from(!*source));
            to.be32(2, *family);
            if let Some(address) = address {
                to.be32(3, register_number(*address));
                to.be32(4, register_number(*address));
            }
            if let Some(port) = port {
                to.be32(5, register_number(*port));
                to.be32(6, register_number(*port));
            }
            if *flags != 0 {
                to.be32(7, *flags);
            }
        }
        Expression::Reject { kind, code } => {
            to.be32(1, *kind);
            if *kind != REJECT_BY_RESET {
                to.u8(2, *code);
            }
        }
        Expression::Counter | Expression::Other { .. } => {}
    }
}

pub(super) fn encode_verdict(to: &mut write::Attributes<'_>, verdict: &VerdictObject) {
    let (code, chain) = match verdict {
        VerdictObject::Drop => (0, None),
        VerdictObject::Accept => (1, None),
        VerdictObject::Jump(chain) => (-3, Some(chain)),
        VerdictObject::Goto(chain) => (-4, Some(chain)),
        VerdictObject::Return => (-5, None),
        VerdictObject::Other(code) => (*code, None),
    };
    to.bytes(1, &i32::to_be_bytes(code));
    if let Some(chain) = chain {
        to.text(2, chain);
    }
}

/// Reads a list of expressions.
pub(super) fn decode_list(list: Attributes<'_>) -> Result<Vec<Expression>, Malformed> {
    list.map(|element| decode(element?.nested())).collect()
}

fn decode(attributes: Attributes<'_>) -> Result<Expression, Malformed> {
    let mut name: &[u8] = &[];
    let mut data = Attributes::new(&[]);
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            NAME => name = attribute.text(),
            DATA => data = attribute.nested(),
            _ => {}
        }
    }
    let known = match name {
        b"payload" => payload(data.clone())?,
        b"bitwise" => bitwise(data.clone())?,
        b"cmp" => compare(data.clone())?,
        b"lookup" => lookup(data.clone())?,
        b"fib" => fib(data.clone())?,
        b"ct" => conntrack(data.clone())?,
        b"meta" => meta(data.clone())?,
        b"numgen" => numbers(data.clone())?,
        b"nat" => nat(data.clone())?,
        b"reject" => reject(data.clone())?,
        b"objref" => object(data.clone())?,
        b"log" => log(data.clone())?,
        b"counter" => Some(Expression::Counter),
        b"immediate" => verdict(data.clone())?,
        b"masq" => masquerade(data.clone())?,
        _ => None,
    };
    match known {
        Some(expression) => Ok(expression),
        None => Ok(Expression::Other {
            name: String::from_utf8_lossy(name).into_owned(),
            extension: extension(name, data.clone())?,
            data: data.as_bytes().to_vec(),
        }),
    }
}

/// `NFTA_MATCH_NAME`, `NFTA_TARGET_NAME`: the iptables extension in an expression of nft_compat.
fn extension(name: &[u8], data: Attributes<'_>) -> Result<String, Malformed> {
    if name == b"match" || name == b"target" {
        for attribute in data {
            let attribute = attribute?;
            if attribute.kind == 1 {
                return Ok(attribute.string());
            }
        }
    }
    Ok(String::new())
}

/// Up to seven attributes by number; `None` as a whole when there is one we don't know, because then we don't know what it means.
fn fields<const N: usize>(attributes: Attributes<'_>) -> Result<Option<[Option<Attribute<'_>>; N]>, Malformed> {
    let mut found = [None; N];
    for attribute in attributes {
        let attribute = attribute?;
        match usize::from(attribute.kind).checked_sub(1).and_then(|place| found.get_mut(place)) {
            Some(place) => *place = Some(attribute),
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

fn number(attribute: Option<Attribute<'_>>) -> Result<Option<u32>, Malformed> {
    attribute.map(|attribute| attribute.be32()).transpose()
}

fn target(attribute: Option<Attribute<'_>>) -> Result<Option<Register>, Malformed> {
    Ok(attribute.map(|attribute| register(&attribute)).transpose()?.flatten())
}

/// The bytes in a `nft_data_attributes` nest.
fn value(attribute: Option<Attribute<'_>>) -> Result<Option<Vec<u8>>, Malformed> {
    let Some(attribute) = attribute else { return Ok(None) };
    for inner in attribute.nested() {
        let inner = inner?;
        if inner.kind == DATA_VALUE {
            return Ok(Some(inner.payload.to_vec()));
        }
    }
    Ok(None)
}

fn payload(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([to, base, offset, length]) = fields(data)? else { return Ok(None) };
    let header = match number(base)? {
        Some(1) => Header::Network,
        Some(2) => Header::Transport,
        _ => return Ok(None),
    };
    Ok(match (number(offset)?, number(length)?, target(to)?) {
        (Some(offset), Some(length), Some(to)) => Some(Expression::Payload { header, offset, length, to }),
        _ => None,
    })
}

fn bitwise(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([from, to, length, mask, xor, operation]) = fields(data)? else { return Ok(None) };
    if !matches!(number(operation)?, None | Some(BITWISE_MASK_XOR)) {
        return Ok(None);
    }
    Ok(match (target(from)?, target(to)?, number(length)?, value(mask)?, value(xor)?) {
        (Some(from), Some(to), Some(length), Some(mask), Some(xor))
            if mask.len() == length as usize && xor.len() == mask.len() =>
        {
            Some(Expression::Bitwise { from, to, mask, xor })
        }
        _ => None,
    })
}

fn compare(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([from, operation, with]) = fields(data)? else { return Ok(None) };
    let equal = match number(operation)? {
        Some(0) => true,
        Some(1) => false,
        _ => return Ok(None),
    };
    Ok(match (target(from)?, value(with)?) {
        (Some(register), Some(value)) => Some(Expression::Compare { register, equal, value }),
        _ => None,
    })
}

fn lookup(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([set, from, into, _id, flags]) = fields(data)? else { return Ok(None) };
    let inverted = match number(flags)? {
        None | Some(0) => false,
        Some(1) => true,
        Some(_) => return Ok(None),
    };
    Ok(match (set, target(from)?, number(into)?) {
        (Some(set), Some(register), None) => Some(Expression::Lookup { set: set.string(), register, inverted }),
        (Some(map), Some(register), Some(VERDICT_REGISTER)) if !inverted => {
            Some(Expression::Lead { map: map.string(), register })
        }
        _ => None,
    })
}

fn fib(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([to, result, flags]) = fields(data)? else { return Ok(None) };
    Ok(match (target(to)?, number(result)?, number(flags)?) {
        (Some(to), Some(result), Some(flags)) => Some(Expression::Fib { result, flags, to }),
        _ => None,
    })
}

fn conntrack(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([to, key, direction, from]) = fields(data)? else { return Ok(None) };
    let direction = direction.map(|attribute| attribute.u8()).transpose()?;
    Ok(match (target(to)?, target(from)?, number(key)?) {
        (Some(to), None, Some(key)) => Some(Expression::Conntrack { key, direction, to }),
        (None, Some(from), Some(key)) if direction.is_none() => Some(Expression::SetConntrack { key, from }),
        _ => None,
    })
}

fn meta(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([to, key, from]) = fields(data)? else { return Ok(None) };
    Ok(match (target(to)?, target(from)?, number(key)?) {
        (Some(to), None, Some(key)) => Some(Expression::Meta { key, to }),
        (None, Some(from), Some(key)) => Some(Expression::SetMeta { key, from }),
        _ => None,
    })
}

/// At random and from zero; what counts up, or begins elsewhere, is something else.
fn numbers(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([to, modulus, kind, offset]) = fields(data)? else { return Ok(None) };
    let plain = number(kind)? == Some(NUMBERS_AT_RANDOM) && number(offset)?.unwrap_or(0) == 0;
    Ok(match (target(to)?, number(modulus)?) {
        (Some(to), Some(modulus)) if plain => Some(Expression::Number { modulus, to }),
        _ => None,
    })
}

/// To one address and one port; to ranges of them is something else.
fn nat(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([kind, family, address, address_end, port, port_end, flags]) = fields(data)? else { return Ok(None) };
    let source = match number(kind)? {
        Some(0) => true,
        Some(1) => false,
        _ => return Ok(None),
    };
    let (address, address_end) = (target(address)?, target(address_end)?);
    let (port, port_end) = (target(port)?, target(port_end)?);
    if address_end.is_some_and(|end| Some(end) != address) || port_end.is_some_and(|end| Some(end) != port) {
        return Ok(None);
    }
    let Some(family) = number(family)? else { return Ok(None) };
    Ok(Some(Expression::Nat { source, family, address, port, flags: number(flags)?.unwrap_or(0) }))
}

fn reject(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([kind, code]) = fields(data)? else { return Ok(None) };
    let code = code.map(|attribute| attribute.u8()).transpose()?.unwrap_or(0);
    Ok(number(kind)?.map(|kind| Expression::Reject { kind, code }))
}

fn object(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([kind, name]) = fields(data)? else { return Ok(None) };
    Ok(match (number(kind)?, name) {
        (Some(OBJECT_COUNTER), Some(name)) => Some(Expression::CountOn(name.string())),
        (Some(OBJECT_LIMIT), Some(name)) => Some(Expression::Within(name.string())),
        _ => None,
    })
}

/// To a group, and at once: what waits for several packets, or goes to the kernel's own log, is something else.
fn log(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([group, prefix, bytes, threshold, level, flags]) = fields(data)? else { return Ok(None) };
    let at_once = threshold.map(|attribute| attribute.be16()).transpose()?.unwrap_or(0) == 0;
    let Some(group) = group.filter(|_| at_once && level.is_none() && flags.is_none()) else { return Ok(None) };
    let prefix = prefix.map(|attribute| attribute.string()).unwrap_or_default();
    Ok(Some(Expression::Log { group: group.be16()?, bytes: number(bytes)?.unwrap_or(0), prefix }))
}

fn masquerade(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([flags]) = fields(data)? else { return Ok(None) };
    Ok(Some(Expression::Masquerade { flags: number(flags)?.unwrap_or(0) }))
}

fn verdict(data: Attributes<'_>) -> Result<Option<Expression>, Malformed> {
    let Some([to, what]) = fields(data)? else { return Ok(None) };
    let Some(what) = what else { return Ok(None) };
    if number(to)? != Some(VERDICT_REGISTER) {
        return Ok(match (target(to)?, value(Some(what))?) {
            (Some(to), Some(value)) => Some(Expression::Immediate { to, value }),
            _ => None,
        });
    }
    Ok(decode_verdict(&what)?.map(Expression::Verdict))
}

/// The verdict in a `nft_data_attributes` nest.
pub(super) fn decode_verdict(what: &Attribute<'_>) -> Result<Option<VerdictObject>, Malformed> {
    let mut code = None;
    let mut chain = None;
    for inner in what.nested() {
        let inner = inner?;
        if inner.kind != DATA_VERDICT {
            continue;
        }
        for part in inner.nested() {
            let part = part?;
            match part.kind {
                1 => code = Some(i32::from_be_bytes(part.be32()?.to_be_bytes())),
                2 => chain = Some(part.string()),
                _ => {}
            }
        }
    }
    Ok(match (code, chain) {
        (Some(-3), Some(chain)) => Some(VerdictObject::Jump(chain)),
        (Some(-4), Some(chain)) => Some(VerdictObject::Goto(chain)),
        (Some(0), None) => Some(VerdictObject::Drop),
        (Some(1), None) => Some(VerdictObject::Accept),
        (Some(-5), None) => Some(VerdictObject::Return),
        (Some(code), None) => Some(VerdictObject::Other(code)),
        _ => None,
    })
}
