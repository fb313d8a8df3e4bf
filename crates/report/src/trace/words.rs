//! Packets and owners in few words.

use crate::text::printable;
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_trace::{Hop, Owner};
use std::borrow::Cow;
use std::net::IpAddr;

/// `tcp`, `udp`, `sctp`, `icmp`, or the number of another.
pub(super) fn protocol(protocol: Protocol) -> Cow<'static, str> {
    match protocol {
        Protocol::Tcp => "tcp".into(),
        Protocol::Udp => "udp".into(),
        Protocol::Sctp => "sctp".into(),
        Protocol::Icmp => "icmp".into(),
        Protocol::Other(number) => number.to_string().into(),
    }
}

/// Whether the protocol has ports.
pub(super) fn has_ports(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Tcp | Protocol::Udp | Protocol::Sctp)
}

/// `10.0.0.4:443`, `[2001:db8::1]:443`; without a port where there is none.
pub(super) fn end(address: IpAddr, port: Option<u16>) -> String {
    match (address, port) {
        (address, None) => address.to_string(),
        (IpAddr::V4(address), Some(port)) => format!("{address}:{port}"),
        (IpAddr::V6(address), Some(port)) => format!("[{address}]:{port}"),
    }
}

fn port(packet: &Packet, port: u16) -> Option<u16> {
    has_ports(packet.protocol).then_some(port)
}

/// The packet's source.
pub(super) fn source(packet: &Packet) -> String {
    end(packet.source, port(packet, packet.source_port))
}

/// The packet's destination.
pub(super) fn destination(packet: &Packet) -> String {
    end(packet.destination, port(packet, packet.destination_port))
}

/// `10.0.0.4:32768 -> 10.0.1.4:443`.
pub(super) fn packet(packet: &Packet) -> String {
    format!("{} -> {}", source(packet), destination(packet))
}

/// What differs: `source 10.0.0.4 => 10.0.1.4`. A port is only named where it changes. Empty = nothing.
pub(super) fn change(before: &Packet, after: &Packet) -> String {
    let one = |word: &str, old: (IpAddr, u16), new: (IpAddr, u16)| {
        if old == new {
            return None;
        }
        let ports = has_ports(before.protocol) && old.1 != new.1;
        let show = |(address, port): (IpAddr, u16)| end(address, ports.then_some(port));
        Some(format!("{word} {} => {}", show(old), show(new)))
    };
    let parts = [
        one("source", (before.source, before.source_port), (after.source, after.source_port)),
        one("destination", (before.destination, before.destination_port), (after.destination, after.destination_port)),
    ];
    parts.into_iter().flatten().collect::<Vec<String>>().join(", ")
}

/// What a hop did, who did it, and what it made of the packet.
pub(super) fn hop(hop: &Hop) -> String {
    let by = match owner(hop.by) {
        "" => String::new(),
        owner => format!(" [{owner}]"),
    };
    let change = change(&hop.before, &hop.packet);
    let change = if change.is_empty() { change } else { format!(": {change}") };
    format!("{}{by}{change}", hop.did)
}

/// Who did something; empty where nobody in particular did.
pub(super) fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::None => "",
        owner => owner.as_str(),
    }
}

/// An object, with its rule where one decided: ``networkSecurityGroups.pods `deny-all` ``.
pub(super) fn object(object: &str, rule: Option<&str>) -> String {
    let text = match rule {
        Some(rule) if object.is_empty() => format!("`{rule}`"),
        Some(rule) => format!("{object} `{rule}`"),
        None => object.to_owned(),
    };
    printable(&text).into_owned()
}

/// `4 minutes`, `90 seconds`.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        60 => "1 minute".to_owned(),
        seconds if seconds > 0 && seconds.is_multiple_of(60) => format!("{} minutes", seconds / 60),
        seconds => crate::text::count(usize::try_from(seconds).unwrap_or(usize::MAX), "second"),
    }
}
