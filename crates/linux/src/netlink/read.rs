//! Bytes into messages, in place.

use nix::errno::Errno;

/// Flags of received messages (linux/netlink.h).
pub mod flag {
    /// `NLM_F_MULTI`: one of many.
    pub const MULTI: u16 = 0x2;
    /// `NLM_F_DUMP_INTR`: what is listed changed while it was listed.
    pub const INTERRUPTED: u16 = 0x10;
    /// `NLM_F_CAPPED`: an error message without the request in it.
    pub const CAPPED: u16 = 0x100;
    /// `NLM_F_ACK_TLVS`: an error message with attributes.
    pub const WITH_ATTRIBUTES: u16 = 0x200;
}

const KIND_ERROR: u16 = 2;
const KIND_DONE: u16 = 3;
const KIND_OVERRUN: u16 = 4;
const KIND_FIRST_OWN: u16 = 0x10;

const MESSAGE_HEADER: usize = 16;
const ATTRIBUTE_HEADER: usize = 4;
const KIND_MASK: u16 = 0x3fff;

const ERROR_ATTRIBUTE_MESSAGE: u16 = 1;
const ERROR_ATTRIBUTE_OFFSET: u16 = 2;

/// Bytes that are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A message is shorter than its header or longer than what was received.
    #[error("a message says it is {says} bytes long where {left} bytes are left")]
    Message {
        /// The length in its header.
        says: usize,
        /// The bytes there are.
        left: usize,
    },
    /// An attribute is shorter than its header or longer than what it is in.
    #[error("an attribute says it is {says} bytes long where {left} bytes are left")]
    Attribute {
        /// The length in its header.
        says: usize,
        /// The bytes there are.
        left: usize,
    },
    /// A value has the wrong number of bytes.
    #[error("attribute {kind} has {length} bytes instead of {expected}")]
    Length {
        /// The attribute's type.
        kind: u16,
        /// Its bytes.
        length: usize,
        /// The bytes the value has.
        expected: usize,
    },
    /// An attribute that must be there is not.
    #[error("{what} lacks its {attribute}")]
    Missing {
        /// Of what.
        what: &'static str,
        /// Which.
        attribute: &'static str,
    },
    /// A value outside what is documented.
    #[error("{what} is {value}")]
    Value {
        /// Of what.
        what: &'static str,
        /// The value.
        value: u32,
    },
    /// More bytes came than the receive buffer has.
    #[error("a datagram of {0} bytes was cut")]
    Cut(usize),
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its type.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The number of the request it answers; 0 in notifications nobody asked for.
    pub sequence: u32,
    /// The socket it is for, or in notifications the socket that caused it.
    pub port: u32,
    /// What follows the header.
    pub payload: &'a [u8],
}

/// What a message is to the one who waits for answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role<'a> {
    /// Data: the fixed header and the attributes are in the payload.
    Data,
    /// The end of a list, with the error that ended it.
    Done(Option<Failure<'a>>),
    /// The request was carried out.
    Acknowledged,
    /// The request was not carried out.
    Failed(Failure<'a>),
    /// Messages were lost.
    Overrun,
    /// Nothing of interest (`NLMSG_NOOP` and reserved types).
    Nothing,
}

/// The kernel's error, with its extended acknowledgement where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure<'a> {
    /// The number.
    pub errno: Errno,
    /// The kernel's words (`NLMSGERR_ATTR_MSG`), as bytes; empty when it said nothing.
    pub words: &'a [u8],
    /// Where in the request the offending attribute is.
    pub offset: Option<u32>,
}

impl Failure<'_> {
    /// The kernel's words.
    pub fn message(&self) -> String {
        String::from_utf8_lossy(self.words).into_owned()
    }
}

impl<'a> Message<'a> {
    /// What kind of answer it is.
    pub fn role(&self) -> Result<Role<'a>, Malformed> {
        match self.kind {
            KIND_ERROR => Ok(match failure(self.payload, self.flags, true)? {
                None => Role::Acknowledged,
                Some(failure) => Role::Failed(failure),
            }),
            KIND_DONE => Ok(Role::Done(failure(self.payload, self.flags, false)?)),
            KIND_OVERRUN => Ok(Role::Overrun),
            kind if kind < KIND_FIRST_OWN => Ok(Role::Nothing),
            _ => Ok(Role::Data),
        }
    }

    /// The payload's fixed header of `length` bytes and the attributes behind it.
    pub fn split(&self, length: usize) -> Result<(&'a [u8], Attributes<'a>), Malformed> {
        let too_short = Malformed::Message { says: length, left: self.payload.len() };
        let (header, rest) = self.payload.split_at_checked(length).ok_or(too_short)?;
        let padding = length.next_multiple_of(4) - length;
        Ok((header, Attributes::new(rest.get(padding..).unwrap_or_default())))
    }
}

/// Reads the number at the front of an error or end message: 0 = fine, otherwise a negative error number; then, after the request's
/// header (and the whole request unless capped), the attributes.
fn failure<'a>(payload: &'a [u8], flags: u16, request_follows: bool) -> Result<Option<Failure<'a>>, Malformed> {
    let Some((number, rest)) = payload.split_first_chunk::<4>() else {
        // The end of a list may come without a number from old kernels; that is no error.
        return if request_follows { Err(Malformed::Message { says: 4, left: payload.len() }) } else { Ok(None) };
    };
    let number = i32::from_ne_bytes(*number);
    if number >= 0 {
        return Ok(None);
    }
    let mut failure = Failure { errno: Errno::from_raw(number.saturating_neg()), words: &[], offset: None };
    if flags & flag::WITH_ATTRIBUTES == 0 {
        return Ok(Some(failure));
    }
    let attributes = if request_follows {
        let Some((length, _)) = rest.split_first_chunk::<4>() else { return Ok(Some(failure)) };
        let request = if flags & flag::CAPPED != 0 {
            MESSAGE_HEADER
        } else {
            (u32::from_ne_bytes(*length) as usize).saturating_add(3) & !3
        };
        rest.get(request..).unwrap_or_default()
    } else {
        rest
    };
    for attribute in Attributes::new(attributes) {
        let attribute = attribute?;
        match attribute.kind {
            ERROR_ATTRIBUTE_MESSAGE => failure.words = attribute.text(),
            ERROR_ATTRIBUTE_OFFSET => failure.offset = attribute.native32().ok(),
            _ => {}
        }
    }
    Ok(Some(failure))
}

/// The messages of one datagram.
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// Of these bytes.
    pub fn new(bytes: &'a [u8]) -> Messages<'a> {
        Messages { rest: bytes }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let left = self.rest.len();
        let Some((&[a, b, c, d, k0, k1, f0, f1, s0, s1, s2, s3, p0, p1, p2, p3], _)) =
            self.rest.split_first_chunk::<MESSAGE_HEADER>()
        else {
            self.rest = &[];
            return Some(Err(Malformed::Message { says: MESSAGE_HEADER, left }));
        };
        let says = u32::from_ne_bytes([a, b, c, d]) as usize;
        let Some(payload) = self.rest.get(MESSAGE_HEADER..says) else {
            self.rest = &[];
            return Some(Err(Malformed::Message { says, left }));
        };
        self.rest = self.rest.get(says.saturating_add(3) & !3..).unwrap_or_default();
        Some(Ok(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            port: u32::from_ne_bytes([p0, p1, p2, p3]),
            payload,
        }))
    }
}

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its type, without the flags for nested and network byte order.
    pub kind: u16,
    /// Its bytes.
    pub payload: &'a [u8],
}

impl<'a> Attribute<'a> {
    fn fixed<const N: usize>(&self) -> Result<[u8; N], Malformed> {
        <[u8; N]>::try_from(self.payload).map_err(|_| Malformed::Length {
            kind: self.kind,
            length: self.payload.len(),
            expected: N,
        })
    }

    /// One byte.
    pub fn u8(&self) -> Result<u8, Malformed> {
        self.fixed::<1>().map(|[byte]| byte)
    }

    /// 16 bits in network byte order.
    pub fn be16(&self) -> Result<u16, Malformed> {
        self.fixed().map(u16::from_be_bytes)
    }

    /// 32 bits in network byte order.
    pub fn be32(&self) -> Result<u32, Malformed> {
        self.fixed().map(u32::from_be_bytes)
    }

    /// 64 bits in network byte order.
    pub fn be64(&self) -> Result<u64, Malformed> {
        self.fixed().map(u64::from_be_bytes)
    }

    /// 32 bits in the machine's byte order.
    pub fn native32(&self) -> Result<u32, Malformed> {
        self.fixed().map(u32::from_ne_bytes)
    }

    /// 16 bits in the machine's byte order.
    pub fn native16(&self) -> Result<u16, Malformed> {
        self.fixed().map(u16::from_ne_bytes)
    }

    /// The bytes up to the first zero byte.
    pub fn text(&self) -> &'a [u8] {
        self.payload.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// The same as a string. The kernel takes any bytes for a name; those that are not UTF-8 are shown replaced.
    pub fn string(&self) -> String {
        String::from_utf8_lossy(self.text()).into_owned()
    }

    /// The attributes it is made of.
    pub fn nested(&self) -> Attributes<'a> {
        Attributes::new(self.payload)
    }
}

/// Attributes one behind the other.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Of these bytes.
    pub fn new(bytes: &'a [u8]) -> Attributes<'a> {
        Attributes { rest: bytes }
    }

    /// The bytes not yet read.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let left = self.rest.len();
        if left == 0 {
            return None;
        }
        let Some((&[l0, l1, k0, k1], _)) = self.rest.split_first_chunk::<ATTRIBUTE_HEADER>() else {
            self.rest = &[];
            return Some(Err(Malformed::Attribute { says: ATTRIBUTE_HEADER, left }));
        };
        let says = usize::from(u16::from_ne_bytes([l0, l1]));
        let Some(payload) = self.rest.get(ATTRIBUTE_HEADER..says) else {
            self.rest = &[];
            return Some(Err(Malformed::Attribute { says, left }));
        };
        self.rest = self.rest.get(says.next_multiple_of(4)..).unwrap_or_default();
        Some(Ok(Attribute { kind: u16::from_ne_bytes([k0, k1]) & KIND_MASK, payload }))
    }
}
