//! Packets and owners in few words.

use crate::text::printable;
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_trace::{Hop, Owner, Trace, Verdict};
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

/// What a hop did, who did it, and what it made of the packet. What the hop's own words say already is not said again.
pub(super) fn hop(hop: &Hop) -> String {
    let by = match owner(hop.by) {
        "" => String::new(),
        owner => format!(" [{owner}]"),
    };
    let (before, after) = (&hop.before, &hop.packet);
    let told = |address: IpAddr| hop.did.contains(&address.to_string());
    let ends = (before.source != after.source, before.destination != after.destination);
    let ports = has_ports(before.protocol)
        && (before.source_port, before.destination_port) != (after.source_port, after.destination_port);
    let change = match ends {
        (true, false) if !ports && told(after.source) => format!(", was {}", before.source),
        (false, true) if !ports && told(after.destination) => format!(", was {}", before.destination),
        _ => match change(before, after) {
            change if change.is_empty() => change,
            change => format!(": {change}"),
        },
    };
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

/// What a name resolves to: `kv.vault.azure.net: resolvesPrivate, 10.0.9.4`, each answer where several may come.
pub(super) fn names(trace: &Trace) -> Vec<String> {
    let answers = if trace.resolutions.is_empty() { trace.resolution.as_slice() } else { trace.resolutions.as_slice() };
    let one = |answer: &causeway_trace::names::Answer| {
        let addresses: Vec<String> = answer.addresses.iter().map(ToString::to_string).collect();
        let to = if addresses.is_empty() { String::new() } else { format!(", {}", addresses.join(" ")) };
        format!("{}: {}{to}", answer.name, answer.verdict)
    };
    answers.iter().map(one).collect()
}

/// `4 minutes`, `90 seconds`.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        60 => "1 minute".to_owned(),
        seconds if seconds > 0 && seconds.is_multiple_of(60) => format!("{} minutes", seconds / 60),
        seconds => crate::text::count(usize::try_from(seconds).unwrap_or(usize::MAX), "second"),
    }
}

/// WHERE without its port: a place, not a question.
fn place_of(to: &str) -> String {
    causeway_trace::who::split_port(to).map_or(to, |(place, _)| place).to_owned()
}

/// The ways of a picture: the hops of each direction, with whoever sends before and whoever receives behind them where no hop of theirs
/// says so already.
pub(super) fn ways(trace: &Trace) -> (Vec<Hop>, Vec<Hop>) {
    let (from, to) = (trace.from.clone(), place_of(&trace.to));
    let quiet = |at: &str, did: &str, packet: Packet| Hop {
        at: at.to_owned(),
        did: did.to_owned(),
        by: Owner::None,
        object: String::new(),
        before: packet,
        packet,
    };
    let with_ends = |hops: &[Hop], first: (&str, &str), last: Option<(&str, &str)>, start: Option<Packet>| {
        let mut out: Vec<Hop> = Vec::new();
        let start = hops.first().map(|hop| hop.before).or(start);
        if let Some(start) = start.filter(|_| hops.first().is_none_or(|hop| hop.at != first.0)) {
            out.push(quiet(first.0, first.1, start));
        }
        out.extend(hops.iter().cloned());
        let end = out.last().map(|hop| (hop.at.clone(), hop.packet));
        if let (Some((at, did)), Some((before, packet))) = (last, end)
            && before != at
        {
            out.push(quiet(at, did, packet));
        }
        out
    };
    let arrives = trace.source_seen.is_some().then_some((to.as_str(), "receives it"));
    let there = with_ends(&trace.forward, (&from, "sends"), arrives, trace.sent);
    let answered = trace.verdict == Verdict::Delivered;
    let answer = there.last().filter(|_| answered).map(|hop| causeway_trace::story::reversed(&hop.packet));
    let start = answer.filter(|_| arrives.is_some());
    let home = answered.then_some((from.as_str(), "receives the answer"));
    let back = with_ends(&trace.reply, (&to, "answers"), home, start);
    (there, back)
}
