//! Packets as bytes: written whole, with their checksums, and read back on the other side.

use causeway_dataplane::packet::{Packet, Protocol};
use std::net::IpAddr;

/// What tells our packets from everything else on the wire.
const MAGIC: u32 = 0xca05_e3a1;

const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
const SYN: u8 = 2;

/// A packet that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The number it was sent with.
    pub token: u32,
    /// The packet as it arrived.
    pub packet: Packet,
}

/// The first packet of a connection, with a number in it that survives translation.
pub fn write(packet: &Packet, token: u32) -> Vec<u8> {
    let payload = payload(packet, token);
    let number = number(packet);
    match (packet.source, packet.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let length = u16::try_from(20 + payload.len()).unwrap_or(u16::MAX);
            // Version and header length, length, no fragment, 64 hops; the kernel fills the checksum and the number in.
            let mut bytes = vec![0x45, 0];
            bytes.extend(length.to_be_bytes());
            bytes.extend([0, 0, 0x40, 0, 64, number, 0, 0]);
            bytes.extend(source.octets());
            bytes.extend(destination.octets());
            bytes.extend(payload);
            bytes
        }
        (source, destination) => {
            let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
            let mut bytes = vec![0x60, 0, 0, 0];
            bytes.extend(length.to_be_bytes());
            bytes.extend([number, 64]);
            bytes.extend(octets(source));
            bytes.extend(octets(destination));
            bytes.extend(payload);
            bytes
        }
    }
}

fn number(packet: &Packet) -> u8 {
    match packet.protocol {
        Protocol::Tcp => TCP,
        Protocol::Udp => UDP,
        Protocol::Sctp => SCTP,
        Protocol::Icmp if packet.destination.is_ipv4() => ICMP,
        Protocol::Icmp => ICMPV6,
        Protocol::Other(number) => number,
    }
}

fn payload(packet: &Packet, token: u32) -> Vec<u8> {
    let ports = [packet.source_port.to_be_bytes(), packet.destination_port.to_be_bytes()].concat();
    let mark = [MAGIC.to_be_bytes(), token.to_be_bytes()].concat();
    match packet.protocol {
        Protocol::Tcp => {
            let mut bytes = ports;
            bytes.extend(token.to_be_bytes());
            // No acknowledgement, five words of header, SYN, a window, room for the checksum, no urgent data.
            bytes.extend([0, 0, 0, 0, 0x50, SYN, 0x10, 0, 0, 0, 0, 0]);
            with_checksum(packet, TCP, bytes, 16)
        }
        Protocol::Udp => {
            let mut bytes = ports;
            bytes.extend([0, 16, 0, 0]);
            bytes.extend(mark);
            with_checksum(packet, UDP, bytes, 6)
        }
        Protocol::Icmp => {
            let kind = if packet.destination.is_ipv4() { 8 } else { 128 };
            let mut bytes = vec![kind, 0, 0, 0];
            bytes.extend(packet.source_port.to_be_bytes());
            bytes.extend([0, 1]);
            bytes.extend(mark);
            if packet.destination.is_ipv4() {
                let sum = checksum(&bytes).to_be_bytes();
                place(&mut bytes, 2, &sum);
                bytes
            } else {
                with_checksum(packet, ICMPV6, bytes, 2)
            }
        }
        Protocol::Sctp => {
            let mut bytes = ports;
            // No verification tag and room for the checksum; INIT: type 1, 20 bytes, our tag, window, streams, first number.
            bytes.extend([0; 8]);
            bytes.extend([1, 0, 0, 20]);
            bytes.extend(token.to_be_bytes());
            bytes.extend([0, 1, 0, 0, 0, 1, 0, 1]);
            bytes.extend(MAGIC.to_be_bytes());
            let sum = crc32c(&bytes).to_le_bytes();
            place(&mut bytes, 8, &sum);
            bytes
        }
        Protocol::Other(_) => mark,
    }
}

fn with_checksum(packet: &Packet, number: u8, mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut covered = octets(packet.source);
    covered.extend(octets(packet.destination));
    covered.extend(length.to_be_bytes());
    covered.extend([0, 0, 0, number]);
    covered.extend(&bytes);
    let sum = match checksum(&covered) {
        // In UDP zero would mean that there is none.
        0 => 0xffff,
        sum => sum,
    };
    place(&mut bytes, at, &sum.to_be_bytes());
    bytes
}

fn place(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(room) = bytes.get_mut(at..at + value.len()) {
        room.copy_from_slice(value);
    }
}

/// The internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| match pair {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        [high] => u32::from(*high) << 8,
        _ => 0,
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// The checksum of SCTP (RFC 9260, appendix A).
fn crc32c(bytes: &[u8]) -> u32 {
    let fold = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 })
    };
    !bytes.iter().fold(u32::MAX, fold)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// One of our packets; `None` for anything else.
pub fn read(bytes: &[u8]) -> Option<Arrival> {
    let (source, destination, number, rest) = match bytes.first()? >> 4 {
        4 => {
            let header = usize::from(bytes.first()? & 0xf) * 4;
            let address = |at: usize| Some(IpAddr::from(*bytes.get(at..)?.first_chunk::<4>()?));
            (address(12)?, address(16)?, *bytes.get(9)?, bytes.get(header..)?)
        }
        6 => {
            let address = |at: usize| Some(IpAddr::from(*bytes.get(at..)?.first_chunk::<16>()?));
            (address(8)?, address(24)?, *bytes.get(6)?, bytes.get(40..)?)
        }
        _ => return None,
    };
    let half = |at: usize| Some(u16::from_be_bytes(*rest.get(at..)?.first_chunk()?));
    let word = |at: usize| Some(u32::from_be_bytes(*rest.get(at..)?.first_chunk()?));
    let marked = |at: usize| word(at).filter(|magic| *magic == MAGIC).and(word(at + 4));
    let (protocol, token, source_port, destination_port) = match number {
        TCP => (Protocol::Tcp, word(4).filter(|_| rest.get(13) == Some(&SYN))?, half(0)?, half(2)?),
        UDP => (Protocol::Udp, marked(8)?, half(0)?, half(2)?),
        ICMP | ICMPV6 => {
            matches!(rest.first()?, 8 | 128).then_some(())?;
            (Protocol::Icmp, marked(8)?, half(4)?, 0)
        }
        SCTP => (Protocol::Sctp, word(16).filter(|_| word(28) == Some(MAGIC))?, half(0)?, half(2)?),
        other => (Protocol::Other(other), marked(0)?, 0, 0),
    };
    Some(Arrival { token, packet: Packet { source, destination, protocol, source_port, destination_port } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let protocols = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp, Protocol::Icmp, Protocol::Other(47)];
        for protocol in protocols {
            for (source, destination) in [("10.0.0.1", "8.8.8.8"), ("fd00::1", "2001:db8::2")] {
                let mut packet = Packet {
                    source: source.parse().unwrap(),
                    destination: destination.parse().unwrap(),
                    protocol,
                    source_port: 4000,
                    destination_port: 53,
                };
                let arrival = read(&write(&packet, 77)).unwrap();
                if matches!(protocol, Protocol::Icmp | Protocol::Other(_)) {
                    packet.destination_port = 0;
                }
                if matches!(protocol, Protocol::Other(_)) {
                    packet.source_port = 0;
                }
                assert_eq!(arrival, Arrival { token: 77, packet });
            }
        }
        assert_eq!(read(&[0x45; 40]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn checksums_are_those_of_the_standards() {
        // The examples of RFC 1071 and of RFC 3720, appendix B.4.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }
}
