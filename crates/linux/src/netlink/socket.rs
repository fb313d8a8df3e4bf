//! A netlink socket of the network namespace it was opened in.

use super::Error;
use super::read::{Malformed, Message, Messages, Role, flag};
use super::write::{self, Attributes, Writer};
use netlink_sys::SocketAddr;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::sockopt;
use nix::sys::socket::{getsockopt, setsockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use std::os::fd::{AsFd, BorrowedFd};

/// Linux sends lists in pieces of up to 32 KiB when the receive buffer offered is large enough.
const RECEIVE_BUFFER: usize = 64 * 1024;
/// `netlink_sendmsg` wants this much of the send buffer for itself (net/netlink/af_netlink.c).
const SEND_OVERHEAD: usize = 32;
/// The kernel answers at once; a netlink socket that is silent for this long will stay so.
const PATIENCE_SECONDS: u32 = 10;

/// The families of netlink that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Links, addresses, routes.
    Route,
    /// nf_tables, connection tracking.
    Netfilter,
}

impl Protocol {
    fn number(self) -> isize {
        match self {
            Protocol::Route => netlink_sys::protocols::NETLINK_ROUTE,
            Protocol::Netfilter => netlink_sys::protocols::NETLINK_NETFILTER,
        }
    }
}

/// A bound socket. It keeps the network namespace it was opened in, whatever the thread does later.
#[derive(Debug)]
pub struct Socket {
    socket: netlink_sys::Socket,
    port: u32,
    sequence: u32,
    send_limit: usize,
    buffer: Vec<u8>,
}

/// A raw error number out of an I/O error of `netlink-sys`.
fn errno(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

fn call(name: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::Call { call: name, errno: errno(&error) }
}

fn option(name: &'static str) -> impl Fn(Errno) -> Error {
    move |errno| Error::Call { call: name, errno }
}

impl Socket {
    /// Opens and binds a socket in the current network namespace. It is bound before anything else: an unbound socket hears no notifications.
    pub fn open(protocol: Protocol) -> Result<Socket, Error> {
        let mut socket = netlink_sys::Socket::new(protocol.number()).map_err(call("socket"))?;
        let address = socket.bind_auto().map_err(call("bind"))?;
        // Errors come with words, and without the request, which may be megabytes.
        socket.set_ext_ack(true).map_err(call("setsockopt NETLINK_EXT_ACK"))?;
        socket.set_cap_ack(true).map_err(call("setsockopt NETLINK_CAP_ACK"))?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::seconds(i64::from(PATIENCE_SECONDS)))
            .map_err(option("setsockopt SO_RCVTIMEO"))?;
        let mut socket = Socket { socket, port: address.port_number(), sequence: 0, send_limit: 0, buffer: Vec::new() };
        socket.send_limit = socket.read_send_limit()?;
        Ok(socket)
    }

    /// The socket's number; the kernel names it in notifications of what this socket caused.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// The most bytes one [`Socket::send`] takes.
    pub fn send_limit(&self) -> usize {
        self.send_limit
    }

    /// Makes room for sends of up to `bytes`, as far as this process may: beyond the limit of every user where it has NET_ADMIN in the
    /// first user namespace, up to `net.core.wmem_max` otherwise. Never makes the room smaller. Returns the new limit.
    pub fn grow_send_limit(&mut self, bytes: usize) -> Result<usize, Error> {
        if bytes <= self.send_limit {
            return Ok(self.send_limit);
        }
        // The kernel doubles what it is given, for its own overhead, and counts the doubled value.
        let wanted = bytes.saturating_add(SEND_OVERHEAD).div_ceil(2).min(i32::MAX as usize / 2);
        if setsockopt(&self.socket, sockopt::SndBufForce, &wanted).is_err() {
            let maximum = getsockopt(&self.socket, sockopt::SndBuf).map_err(option("getsockopt SO_SNDBUF"))?;
            setsockopt(&self.socket, sockopt::SndBuf, &wanted).map_err(option("setsockopt SO_SNDBUF"))?;
            let now = getsockopt(&self.socket, sockopt::SndBuf).map_err(option("getsockopt SO_SNDBUF"))?;
            if now < maximum {
                setsockopt(&self.socket, sockopt::SndBuf, &(maximum / 2)).map_err(option("setsockopt SO_SNDBUF"))?;
            }
        }
        self.send_limit = self.read_send_limit()?;
        Ok(self.send_limit)
    }

    fn read_send_limit(&self) -> Result<usize, Error> {
        let size = getsockopt(&self.socket, sockopt::SndBuf).map_err(option("getsockopt SO_SNDBUF"))?;
        Ok(size.saturating_sub(SEND_OVERHEAD))
    }

    /// Makes room for notifications that wait to be read, as far as this process may.
    pub fn grow_receive_buffer(&mut self, bytes: usize) -> Result<(), Error> {
        let wanted = bytes.min(i32::MAX as usize / 2);
        if setsockopt(&self.socket, sockopt::RcvBufForce, &wanted).is_err() {
            setsockopt(&self.socket, sockopt::RcvBuf, &wanted).map_err(option("setsockopt SO_RCVBUF"))?;
        }
        Ok(())
    }

    /// Joins a multicast group.
    pub fn join(&mut self, group: u32) -> Result<(), Error> {
        self.socket.add_membership(group).map_err(|error| match errno(&error) {
            Errno::EPERM => Error::Refused { message: String::new() },
            errno => Error::Call { call: "setsockopt NETLINK_ADD_MEMBERSHIP", errno },
        })
    }

    /// Leaves a multicast group.
    pub fn leave(&mut self, group: u32) -> Result<(), Error> {
        self.socket.drop_membership(group).map_err(call("setsockopt NETLINK_DROP_MEMBERSHIP"))
    }

    /// A number for the next request; never 0, which is the number of notifications.
    pub fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.checked_add(1).unwrap_or(1);
        self.sequence
    }

    /// Numbers for a batch of `count` requests, so that they ascend without going round: the first one.
    pub fn next_sequences(&mut self, count: u32) -> u32 {
        let first = self.sequence.checked_add(1).filter(|first| first.checked_add(count).is_some()).unwrap_or(1);
        self.sequence = first.saturating_add(count);
        first
    }

    /// Sends bytes to the kernel, whole or not at all. The kernel works on them before this returns.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() > self.send_limit {
            return Err(Error::TooLarge { size: bytes.len(), limit: self.send_limit });
        }
        loop {
            match self.socket.send_to(bytes, &SocketAddr::new(0, 0), 0) {
                Ok(_) => return Ok(()),
                Err(error) => match errno(&error) {
                    Errno::EINTR => {}
                    Errno::EMSGSIZE => return Err(Error::TooLarge { size: bytes.len(), limit: self.send_limit }),
                    Errno::EPERM => return Err(Error::Refused { message: String::new() }),
                    errno => return Err(Error::Call { call: "sendto", errno }),
                },
            }
        }
    }

    /// Receives one datagram from the kernel (from nobody else) and hands its messages to `each`, until that returns false.
    /// Returns false when nothing was there: at once with `wait` false, after the patience otherwise.
    pub fn receive(
        &mut self,
        wait: bool,
        each: &mut dyn FnMut(&Message<'_>) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.receive_into(&mut buffer, wait).and_then(|there| {
            if there {
                for message in Messages::new(&buffer) {
                    if !each(&message?)? {
                        break;
                    }
                }
            }
            Ok(there)
        });
        self.buffer = buffer;
        result
    }

    fn receive_into(&self, buffer: &mut Vec<u8>, wait: bool) -> Result<bool, Error> {
        let flags = libc::MSG_TRUNC | if wait { 0 } else { libc::MSG_DONTWAIT };
        loop {
            buffer.clear();
            buffer.reserve(RECEIVE_BUFFER);
            match self.socket.recv_from(buffer, flags) {
                Ok((length, _)) if length > buffer.len() => return Err(Malformed::Cut(length).into()),
                Ok((_, sender)) if sender.port_number() == 0 => return Ok(true),
                Ok(_) => {}
                Err(error) => match errno(&error) {
                    Errno::EINTR => {}
                    Errno::EAGAIN => return Ok(false),
                    Errno::ENOBUFS => return Err(Error::Lost),
                    errno => return Err(Error::Call { call: "recvfrom", errno }),
                },
            }
        }
    }

    /// Throws away what waits to be read, so that the answers to a failed request don't meet the next one.
    pub fn discard(&mut self) {
        loop {
            match self.receive(false, &mut |_| Ok(true)) {
                Ok(false) => return,
                Ok(true) | Err(Error::Lost | Error::Malformed(_)) => {}
                Err(_) => return,
            }
        }
    }

    /// Asks for one thing: its answer's messages are handed to `each`. For requests the kernel answers with a single message.
    pub fn get(
        &mut self,
        kind: u16,
        header: &[u8],
        body: impl FnOnce(&mut Attributes<'_>),
        each: &mut dyn FnMut(&Message<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let sequence = self.request(kind, 0, header, body)?;
        self.answers(sequence, each, |role| matches!(role, Role::Data))
    }

    /// Asks for a list: each item is handed to `each`. [`Error::Interrupted`] when the list changed while the kernel wrote it; then ask again.
    pub fn dump(
        &mut self,
        kind: u16,
        header: &[u8],
        body: impl FnOnce(&mut Attributes<'_>),
        each: &mut dyn FnMut(&Message<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let sequence = self.request(kind, write::flag::DUMP, header, body)?;
        self.answers(sequence, each, |_| false)
    }

    /// Asks for something to be done, and waits for the acknowledgement.
    pub fn command(
        &mut self,
        kind: u16,
        flags: u16,
        header: &[u8],
        body: impl FnOnce(&mut Attributes<'_>),
    ) -> Result<(), Error> {
        let sequence = self.request(kind, flags | write::flag::ACK, header, body)?;
        self.answers(sequence, &mut |_| Ok(()), |_| false)
    }

    fn request(
        &mut self,
        kind: u16,
        flags: u16,
        header: &[u8],
        body: impl FnOnce(&mut Attributes<'_>),
    ) -> Result<u32, Error> {
        let sequence = self.next_sequence();
        let mut writer = Writer::new();
        writer.message(kind, flags, sequence, header, body);
        let bytes = writer.finish()?;
        self.send(&bytes)?;
        Ok(sequence)
    }

    /// Reads answers to request `sequence` until the end of the list, an acknowledgement, an error, or data for which `last` is true.
    fn answers(
        &mut self,
        sequence: u32,
        each: &mut dyn FnMut(&Message<'_>) -> Result<(), Error>,
        last: impl Fn(&Role<'_>) -> bool,
    ) -> Result<(), Error> {
        let port = self.port;
        let mut ended = false;
        let mut interrupted = false;
        while !ended {
            let there = self.receive(true, &mut |message| {
                if message.sequence != sequence || message.port != port {
                    return Ok(true);
                }
                interrupted |= message.flags & flag::INTERRUPTED != 0;
                let role = message.role()?;
                ended = last(&role);
                match role {
                    Role::Data => each(message)?,
                    Role::Acknowledged | Role::Done(None) => ended = true,
                    Role::Failed(failure) | Role::Done(Some(failure)) => {
                        // A list whose table or chain vanished ends so; what was listed is still of two generations.
                        return Err(match failure.errno {
                            Errno::EINTR => Error::Interrupted,
                            errno => Error::from_answer(errno, failure.message()),
                        });
                    }
                    Role::Overrun => return Err(Error::Lost),
                    Role::Nothing => {}
                }
                Ok(!ended)
            });
            match there {
                Ok(true) => {}
                Ok(false) => return Err(Error::NoReply { seconds: PATIENCE_SECONDS }),
                Err(error) => {
                    self.discard();
                    return Err(error);
                }
            }
        }
        if interrupted { Err(Error::Interrupted) } else { Ok(()) }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
