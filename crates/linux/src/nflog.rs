//! Packets that rules tell of (`log group` in nft's words), over nfnetlink_log (linux/netfilter/nfnetlink_log.h).
//!
//! How many are told of is the rules' affair; a listener that does not keep up loses some, and hears that it did.

use crate::netlink::read::{Malformed, Message};
use crate::netlink::{Error, Protocol, Socket};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, BorrowedFd};

/// `NFNL_SUBSYS_ULOG` << 8 and the messages within it.
const PACKET: u16 = 0x400;
const CONFIGURE: u16 = 0x401;
/// `NFULA_CFG_*`.
const COMMAND: u16 = 1;
const MODE: u16 = 2;
const THRESHOLD: u16 = 5;
/// `NFULNL_CFG_CMD_BIND`, `NFULNL_COPY_PACKET`.
const BIND: u8 = 1;
const COPY_PACKET: u8 = 2;
/// `NFULA_*` of a packet.
const PAYLOAD: u16 = 9;
const PREFIX: u16 = 10;
/// `nfgenmsg`: family, version, group.
const HEADER: usize = 4;
/// Room for some hundred packets that wait to be read.
const RECEIVE_BUFFER: usize = 256 * 1024;

/// A packet that was told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What the rule says of it.
    pub prefix: String,
    /// Who sent it, as it was where the rule stands.
    pub source: IpAddr,
    /// Who would have got it.
    pub destination: IpAddr,
    /// The IP protocol.
    pub protocol: u8,
    /// Source and destination port, of a protocol that has them and a packet that shows them.
    pub ports: Option<(u16, u16)>,
}

/// A socket that hears of the packets of one group in its network namespace.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
}

impl Listener {
    /// Opens one in the current network namespace, which it keeps. `bytes` of each packet are handed over at most.
    ///
    /// # Errors
    /// [`Error::Refused`] without NET_ADMIN, EBUSY where somebody else listens to the group, and where the kernel has no nfnetlink_log.
    pub fn open(group: u16, bytes: u32) -> Result<Listener, Error> {
        let mut socket = Socket::open(Protocol::Netfilter)?;
        socket.grow_receive_buffer(RECEIVE_BUFFER)?;
        let [high, low] = group.to_be_bytes();
        let header = [0, 0, high, low];
        // Several attributes of one message, so that no packet comes before it is known how they come.
        socket.command(CONFIGURE, 0, &header, |to| {
            to.u8(COMMAND, BIND);
            let [a, b, c, d] = bytes.to_be_bytes();
            to.bytes(MODE, &[a, b, c, d, COPY_PACKET, 0]);
            // Each at once: they are few.
            to.be32(THRESHOLD, 1);
        })?;
        Ok(Listener { socket })
    }

    /// Packets that were told of since the last call, `most` at most, without waiting, and whether some were lost.
    ///
    /// # Errors
    /// Where the system call fails or the kernel sends what makes no sense.
    pub fn drain(&mut self, most: usize) -> Result<(Vec<Told>, bool), Error> {
        let mut told = Vec::new();
        let mut lost = false;
        while told.len() < most {
            let there = self.socket.receive(false, &mut |message| {
                if message.kind == PACKET {
                    told.extend(decode(message)?);
                }
                Ok(true)
            });
            match there {
                Ok(true) => {}
                Ok(false) => break,
                Err(Error::Lost) => lost = true,
                Err(error) => return Err(error),
            }
        }
        Ok((told, lost))
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// `None` = no packet of IP.
fn decode(message: &Message<'_>) -> Result<Option<Told>, Malformed> {
    let (_, attributes) = message.split(HEADER)?;
    let (mut prefix, mut packet): (String, &[u8]) = (String::new(), &[]);
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            PREFIX => prefix = attribute.string(),
            PAYLOAD => packet = attribute.payload,
            _ => {}
        }
    }
    Ok(packet_of(packet).map(|told| Told { prefix, ..told }))
}

/// The headers of a packet.
fn packet_of(bytes: &[u8]) -> Option<Told> {
    let (source, destination, protocol, start) = match bytes.first()? >> 4 {
        4 => {
            let address = |at: usize| Some(Ipv4Addr::from(*bytes.get(at..)?.first_chunk::<4>()?));
            let header = usize::from(bytes.first()? & 15) * 4;
            let fragment = u16::from_be_bytes(*bytes.get(6..)?.first_chunk()?) & 0x1fff;
            // The ports stand in the first piece only.
            let start = (fragment == 0).then_some(header);
            (IpAddr::V4(address(12)?), IpAddr::V4(address(16)?), *bytes.get(9)?, start)
        }
        6 => {
            let address = |at: usize| Some(Ipv6Addr::from(*bytes.get(at..)?.first_chunk::<16>()?));
            let (protocol, start) = behind_extensions(bytes)?;
            (IpAddr::V6(address(8)?), IpAddr::V6(address(24)?), protocol, start)
        }
        _ => return None,
    };
    let port = |at: usize| Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    let has_ports = matches!(protocol, 6 | 17 | 132 | 136 | 33);
    let ports = start.filter(|_| has_ports).and_then(|start| Some((port(start)?, port(start.checked_add(2)?)?)));
    Some(Told { prefix: String::new(), source, destination, protocol, ports })
}

/// The protocol behind the extension headers of IPv6, and where it begins; no place where that is in another fragment or not shown.
fn behind_extensions(bytes: &[u8]) -> Option<(u8, Option<usize>)> {
    const MOST: usize = 16;
    let (mut next, mut at) = (*bytes.get(6)?, 40_usize);
    for _ in 0..MOST {
        let Some(header) = bytes.get(at..) else { return Some((next, None)) };
        let length = |unit: usize, more: usize| header.get(1).map(|length| (usize::from(*length) + more) * unit);
        let size = match next {
            0 | 43 | 60 | 135 => length(8, 1),
            51 => length(4, 2),
            44 => {
                let Some(fragment) = header.get(2..).and_then(|rest| rest.first_chunk()) else {
                    return Some((next, None));
                };
                if u16::from_be_bytes(*fragment) & 0xfff8 != 0 {
                    return Some((*header.first()?, None));
                }
                Some(8)
            }
            _ => return Some((next, Some(at))),
        };
        let (Some(size), Some(protocol)) = (size, header.first()) else { return Some((next, None)) };
        next = *protocol;
        at = at.checked_add(size)?;
    }
    Some((next, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(protocol: u8, fragment: u16, rest: &[u8]) -> Vec<u8> {
        let [high, low] = fragment.to_be_bytes();
        let mut bytes = vec![0x45, 0, 0, 0, 0, 0, high, low, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        bytes.extend(rest);
        bytes
    }

    fn v6(next: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0, 0, 0, next, 64];
        bytes.extend(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1).octets());
        bytes.extend(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2).octets());
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn ports_are_read_where_they_are() {
        let ports = [0x9c, 0x40, 0, 80];
        let behind_options = [[17, 0, 0, 0, 0, 0, 0, 0].as_slice(), &ports].concat();
        let fragment = |offset: u8| [[17, 0, 0, offset, 0, 0, 0, 1].as_slice(), &ports].concat();
        for (bytes, protocol, expected) in [
            (v4(6, 0, &ports), 6, Some((40_000, 80))),
            (v4(6, 0x2000, &ports), 6, Some((40_000, 80))),
            (v4(6, 0x0010, &ports), 6, None),
            (v4(1, 0, &ports), 1, None),
            (v4(17, 0, &ports[..3]), 17, None),
            (v6(132, &ports), 132, Some((40_000, 80))),
            (v6(0, &behind_options), 17, Some((40_000, 80))),
            (v6(44, &fragment(0)), 17, Some((40_000, 80))),
            (v6(44, &fragment(8)), 17, None),
            (v6(0, &[17]), 0, None),
        ] {
            let told = packet_of(&bytes).unwrap();
            assert_eq!((told.protocol, told.ports), (protocol, expected), "{bytes:?}");
        }
        let told = packet_of(&v4(6, 0, &ports)).unwrap();
        assert_eq!((told.source.to_string(), told.destination.to_string()), ("10.0.0.1".into(), "10.0.0.2".into()));
    }

    #[test]
    fn what_is_cut_short_is_no_packet_and_no_panic() {
        let whole = [v4(6, 0, &[1; 8]), v6(60, &[44, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])];
        for bytes in whole {
            for length in 0..bytes.len() {
                let _ = packet_of(&bytes[..length]);
            }
        }
        assert_eq!(packet_of(&[]), None);
        assert_eq!(packet_of(&[0x20; 40]), None);
    }
}
