//! Hearing of changes to nf_tables.

use super::Generation;
use super::decode::{self, Seen};
use super::wire::{self, message};
use crate::netlink::{Error, Protocol, Socket};
use causeway_dataplane::ruleset::TableId;
use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};

/// Room for the notifications of some 10,000 changed elements.
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A transaction.
    Change(Change),
    /// Notifications were lost; anything may have changed.
    Lost,
}

/// One transaction, of whomever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The state after it; `None` = its end was not heard.
    pub generation: Option<Generation>,
    /// The number of the socket it came from; [`super::Connection::port`] for one's own.
    pub port: u32,
    /// The process, as seen from the first PID namespace of the machine.
    pub process: Option<u32>,
    /// Its name, up to 15 bytes.
    pub process_name: String,
    /// Tables in which something was made, changed or removed, of the families inet, ip and ip6.
    pub tables: BTreeSet<TableId>,
}

/// A socket that hears of every transaction in its network namespace. iptables-legacy makes none.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    listening: bool,
    /// The transaction whose notifications are coming in.
    pending: Option<Change>,
}

impl Listener {
    /// Opens one in the current network namespace, which it keeps, and listens.
    ///
    /// # Errors
    /// [`Error::Refused`] without NET_ADMIN.
    pub fn open() -> Result<Listener, Error> {
        let mut socket = Socket::open(Protocol::Netfilter)?;
        socket.grow_receive_buffer(RECEIVE_BUFFER)?;
        let mut listener = Listener { socket, listening: false, pending: None };
        listener.resume()?;
        Ok(listener)
    }

    /// Stops listening. Worth it around large changes of one's own: the kernel then writes no notification per element, and none are lost.
    /// What others do meanwhile is not heard: read back after [`Listener::resume`], never before.
    ///
    /// # Errors
    /// Where the system call fails.
    pub fn pause(&mut self) -> Result<(), Error> {
        if self.listening {
            self.socket.leave(wire::GROUP)?;
            self.listening = false;
        }
        Ok(())
    }

    /// Listens again.
    ///
    /// # Errors
    /// [`Error::Refused`] without NET_ADMIN.
    pub fn resume(&mut self) -> Result<(), Error> {
        if !self.listening {
            self.socket.join(wire::GROUP)?;
            self.listening = true;
        }
        Ok(())
    }

    /// Everything that was heard since the last call, without waiting. Wait with poll() on the descriptor.
    ///
    /// # Errors
    /// Where the system call fails or the kernel sends what makes no sense.
    pub fn drain(&mut self) -> Result<Vec<Notice>, Error> {
        let mut notices = Vec::new();
        let Listener { socket, pending, .. } = self;
        loop {
            let heard = socket.receive(false, &mut |message| {
                take(message, pending, &mut notices)?;
                Ok(true)
            });
            match heard {
                Ok(true) => {}
                Ok(false) => return Ok(notices),
                Err(Error::Lost) => {
                    *pending = None;
                    notices.push(Notice::Lost);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn take(
    message: &crate::netlink::read::Message<'_>,
    pending: &mut Option<Change>,
    notices: &mut Vec<Notice>,
) -> Result<(), Error> {
    // Other subsystems and error messages don't come to this group.
    if message.kind & 0xff00 != message::NEW_TABLE & 0xff00 {
        return Ok(());
    }
    if pending.as_ref().is_some_and(|change| change.port != message.port)
        && let Some(cut) = pending.take()
    {
        notices.push(Notice::Change(cut));
    }
    let change = pending.get_or_insert_with(|| Change { port: message.port, ..Change::default() });
    if message.kind == message::NEW_GENERATION {
        if let Seen::Generation { number, process, name } = decode::decode_message(message)? {
            change.generation = Some(number);
            change.process = process;
            change.process_name = name;
        }
        if let Some(whole) = pending.take() {
            notices.push(Notice::Change(whole));
        }
    } else if let Some(table) = decode::table_of(message)? {
        change.tables.insert(table);
    }
    Ok(())
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
