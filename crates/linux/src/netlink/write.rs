//! Messages into bytes.

/// Request flags of `nlmsghdr` (linux/netlink.h).
pub mod flag {
    /// `NLM_F_REQUEST`; the writer sets it itself.
    pub const REQUEST: u16 = 0x1;
    /// `NLM_F_ACK`: answer also when all is well.
    pub const ACK: u16 = 0x4;
    /// `NLM_F_DUMP`: everything of a kind.
    pub const DUMP: u16 = 0x300;
    /// `NLM_F_REPLACE`.
    pub const REPLACE: u16 = 0x100;
    /// `NLM_F_EXCL`: an error if it is there.
    pub const EXCL: u16 = 0x200;
    /// `NLM_F_CREATE`.
    pub const CREATE: u16 = 0x400;
    /// `NLM_F_APPEND`: at the end.
    pub const APPEND: u16 = 0x800;
}

const MESSAGE_HEADER: usize = 16;
const ATTRIBUTE_HEADER: usize = 4;
const NESTED: u16 = 0x8000;

/// A value does not fit the form netlink gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// An attribute's length is a 16-bit number.
    #[error("attribute {kind} would be {length} bytes long; 65,535 is the most")]
    Attribute {
        /// Its type.
        kind: u16,
        /// Its bytes.
        length: usize,
    },
    /// A message's length is a 32-bit number.
    #[error("a message would be {length} bytes long")]
    Message {
        /// Its bytes.
        length: usize,
    },
}

/// Appends messages to one buffer, which is sent in one piece.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    problem: Option<Unwritable>,
}

impl Writer {
    /// An empty buffer.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// Uses an old buffer's memory again.
    pub fn reusing(mut bytes: Vec<u8>) -> Writer {
        bytes.clear();
        Writer { bytes, problem: None }
    }

    /// Appends one message: its fixed header (`nfgenmsg`, `ifinfomsg`, ...; a multiple of 4 bytes), then what `body` writes.
    pub fn message(
        &mut self,
        kind: u16,
        flags: u16,
        sequence: u32,
        header: &[u8],
        body: impl FnOnce(&mut Attributes<'_>),
    ) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(&(flags | flag::REQUEST).to_ne_bytes());
        self.bytes.extend_from_slice(&sequence.to_ne_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(header);
        pad(&mut self.bytes);
        body(&mut Attributes { bytes: &mut self.bytes, problem: &mut self.problem });
        let length = self.bytes.len() - start;
        match u32::try_from(length) {
            Ok(length) => patch(&mut self.bytes, start, &length.to_ne_bytes()),
            Err(_) => self.problem = self.problem.or(Some(Unwritable::Message { length })),
        }
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes, or the first value that could not be written.
    pub fn finish(self) -> Result<Vec<u8>, Unwritable> {
        match self.problem {
            None => Ok(self.bytes),
            Some(problem) => Err(problem),
        }
    }
}

/// The attributes of one message or of one nested attribute.
#[derive(Debug)]
pub struct Attributes<'a> {
    bytes: &'a mut Vec<u8>,
    problem: &'a mut Option<Unwritable>,
}

impl Attributes<'_> {
    /// Bytes as they are.
    pub fn bytes(&mut self, kind: u16, value: &[u8]) {
        let length = ATTRIBUTE_HEADER + value.len();
        let Ok(short) = u16::try_from(length) else {
            *self.problem = self.problem.or(Some(Unwritable::Attribute { kind, length }));
            return;
        };
        self.bytes.extend_from_slice(&short.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        pad(self.bytes);
    }

    /// A text with the zero byte at its end that the kernel expects.
    pub fn text(&mut self, kind: u16, value: &str) {
        let mut bytes = Vec::with_capacity(value.len() + 1);
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(0);
        self.bytes(kind, &bytes);
    }

    /// One byte.
    pub fn u8(&mut self, kind: u16, value: u8) {
        self.bytes(kind, &[value]);
    }

    /// 32 bits in network byte order.
    pub fn be32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// 64 bits in network byte order.
    pub fn be64(&mut self, kind: u16, value: u64) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// 32 bits in the machine's byte order, as rtnetlink wants them.
    pub fn native32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    /// 16 bits in the machine's byte order.
    pub fn native16(&mut self, kind: u16, value: u16) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    /// An attribute made of attributes, marked `NLA_F_NESTED`.
    pub fn nested(&mut self, kind: u16, body: impl FnOnce(&mut Attributes<'_>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 2]);
        self.bytes.extend_from_slice(&(kind | NESTED).to_ne_bytes());
        body(&mut Attributes { bytes: self.bytes, problem: self.problem });
        let length = self.bytes.len() - start;
        match u16::try_from(length) {
            Ok(length) => patch(self.bytes, start, &length.to_ne_bytes()),
            Err(_) => *self.problem = self.problem.or(Some(Unwritable::Attribute { kind, length })),
        }
    }

    /// A header of fixed size inside the attributes (`ifinfomsg` within `VETH_INFO_PEER`).
    pub fn header(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        pad(self.bytes);
    }
}

/// Bytes an attribute with this many bytes of payload takes, padding included.
pub const fn attribute_size(payload: usize) -> usize {
    ATTRIBUTE_HEADER + payload.next_multiple_of(4)
}

/// Bytes of a message that has this many bytes of header and attributes.
pub const fn message_size(payload: usize) -> usize {
    MESSAGE_HEADER + payload.next_multiple_of(4)
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

fn patch(bytes: &mut [u8], start: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(start..start + value.len()) {
        place.copy_from_slice(value);
    }
}
