//! Asking nf_tables, and changing it.

use super::encode::{self, Batch};
use super::wire::{self, message};
use super::{ApplyError, Generation, Rejection, Seen, decode};
use crate::netlink::read::{Malformed, Role};
use crate::netlink::{Error, Protocol, Socket};
use causeway_dataplane::nftables::objects::Op;
use nix::errno::Errno;

/// What the send buffer is asked to hold: 65,536 IPv6 keys are 1.8 MB. It is a limit, not memory that is taken.
const WANTED_BATCH: usize = 16 * 1024 * 1024;

/// A socket for requests to nf_tables.
#[derive(Debug)]
pub struct Connection {
    pub(super) socket: Socket,
}

impl Connection {
    /// Opens one in the current network namespace, which it keeps.
    ///
    /// # Errors
    /// Where sockets can't be made. Lack of privilege shows at the first request.
    pub fn open() -> Result<Connection, Error> {
        let mut socket = Socket::open(Protocol::Netfilter)?;
        socket.grow_send_limit(WANTED_BATCH)?;
        Ok(Connection { socket })
    }

    /// The socket's number: changes made here carry it in [`super::Change::port`].
    pub fn port(&self) -> u32 {
        self.socket.port()
    }

    /// The most bytes one batch may have ([`super::encoded_size`]). 16 MiB with NET_ADMIN in the first user namespace, otherwise what
    /// `net.core.wmem_max` allows.
    pub fn batch_limit(&self) -> usize {
        self.socket.send_limit()
    }

    /// The number of the present state.
    ///
    /// # Errors
    /// [`Error::Refused`] without NET_ADMIN.
    pub fn generation(&mut self) -> Result<Generation, Error> {
        let mut found = None;
        self.socket.get(message::GET_GENERATION, &wire::header(0, 0), |_| {}, &mut |message| {
            if let Seen::Generation { number, .. } = decode::decode_message(message)? {
                found = Some(number);
            }
            Ok(())
        })?;
        Ok(found.ok_or(Malformed::Missing { what: "the answer", attribute: "generation" })?)
    }

    /// Makes all these changes in one transaction, or none. With a generation given: only if that is still the present one.
    /// Changes that say nothing (no keys) write nothing.
    ///
    /// # Errors
    /// See [`ApplyError`]; after each of them except [`ApplyError::Exchange`] nothing was changed.
    pub fn apply(&mut self, ops: &[Op], expected: Option<Generation>) -> Result<(), ApplyError> {
        // More messages than changes only where keys need several; a message has at least 2,000 keys.
        let most = ops.len() as u64 + self.batch_limit() as u64 / 1024 + 16;
        let first = self.socket.next_sequences(u32::try_from(most).unwrap_or(u32::MAX / 2));
        let batch = encode::encode(ops, expected, first)?;
        if batch.bytes.is_empty() {
            return Ok(());
        }
        match self.socket.send(&batch.bytes) {
            Ok(()) => {}
            Err(Error::TooLarge { size, limit }) => return Err(ApplyError::TooLarge { size, limit }),
            Err(Error::Refused { message }) => return Err(ApplyError::Refused { message }),
            Err(error) => return Err(error.into()),
        }
        let answers = self.answers(&batch, first);
        if answers.is_err() {
            self.socket.discard();
        }
        answers
    }

    /// Whether `generation` is the present one and the transaction that made it is over.
    ///
    /// The kernel counts the generation up before it makes a transaction visible, piece by piece (`nf_tables_commit`), so its number alone
    /// does not say that all of it is there. A batch without changes waits for the transaction that is under way, is held against the
    /// generation, and makes no new one.
    pub(super) fn settled(&mut self, generation: Generation) -> Result<bool, Error> {
        let first = self.socket.next_sequences(2);
        self.socket.send(&encode::empty(generation, first)?)?;
        let mut failed = None;
        let port = self.socket.port();
        while self.socket.receive(false, &mut |message| {
            if message.port == port
                && message.sequence == first
                && let Role::Failed(failure) = message.role()?
            {
                failed = Some((failure.errno, failure.message()));
            }
            Ok(true)
        })? {}
        match failed {
            None => Ok(true),
            Some((Errno::ERESTART, _)) => Ok(false),
            Some((errno, message)) => Err(Error::from_answer(errno, message)),
        }
    }

    /// The kernel has worked the batch off before `send` returned: everything it has to say is in the receive buffer, in the order of the
    /// messages, the acknowledgement we asked for at the last change being the end when all went well.
    fn answers(&mut self, batch: &Batch, first: u32) -> Result<(), ApplyError> {
        let port = self.socket.port();
        let last = first.saturating_add(u32::try_from(batch.changes.len()).unwrap_or(u32::MAX));
        let mut rejections: Vec<Rejection> = Vec::new();
        let mut acknowledged = false;
        loop {
            let there = self.socket.receive(false, &mut |message| {
                if message.port != port || message.sequence < first || message.sequence > last.saturating_add(1) {
                    return Ok(true);
                }
                match message.role()? {
                    Role::Acknowledged => acknowledged |= message.sequence == last,
                    Role::Failed(failure) => {
                        let place = (message.sequence - first).checked_sub(1);
                        let op = place.and_then(|place| batch.changes.get(place as usize)).copied();
                        rejections.push(Rejection { op, errno: failure.errno, message: failure.message() });
                    }
                    Role::Overrun => return Err(Error::Lost),
                    Role::Data | Role::Done(_) | Role::Nothing => {}
                }
                Ok(true)
            })?;
            if acknowledged && rejections.is_empty() {
                return Ok(());
            }
            if !there {
                break;
            }
        }
        let refused = rejections.iter().find(|rejection| rejection.errno == Errno::EPERM);
        if let Some(refused) = refused {
            return Err(ApplyError::Refused { message: refused.message.clone() });
        }
        if rejections.iter().any(|rejection| rejection.errno == Errno::ERESTART) {
            return Err(ApplyError::Stale);
        }
        if rejections.is_empty() {
            return Err(ApplyError::Exchange(Error::NoReply { seconds: 0 }));
        }
        Err(ApplyError::Rejected { rejections })
    }
}
