//! A packet as rules see it.

use causeway_addr::Family;
use std::net::IpAddr;

/// The transport protocol, as far as rules care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// IP protocol 6.
    Tcp,
    /// IP protocol 17.
    Udp,
    /// IP protocol 132.
    Sctp,
    /// ICMP (1) with IPv4, ICMPv6 (58) with IPv6.
    Icmp,
    /// Any other IP protocol number.
    Other(u8),
}

/// The first packet of a connection, at one place on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packet {
    /// Who it says it is from.
    pub source: IpAddr,
    /// Where it goes.
    pub destination: IpAddr,
    /// What it carries.
    pub protocol: Protocol,
    /// Source port; 0 where the protocol has none.
    pub source_port: u16,
    /// Destination port; 0 where the protocol has none.
    pub destination_port: u16,
}

impl Packet {
    /// The family of its destination.
    pub fn family(&self) -> Family {
        match self.destination {
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(_) => Family::V6,
        }
    }
}

/// The IP protocol number of a packet.
pub(crate) fn number(packet: &Packet) -> u8 {
    match (packet.protocol, packet.family()) {
        (Protocol::Tcp, _) => 6,
        (Protocol::Udp, _) => 17,
        (Protocol::Sctp, _) => 132,
        (Protocol::Icmp, Family::V4) => 1,
        (Protocol::Icmp, Family::V6) => 58,
        (Protocol::Other(number), _) => number,
    }
}
