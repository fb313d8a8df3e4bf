//! What connection tracking counts, asked over netlink: /proc/net/nf_conntrack needs user 0, netlink only NET_ADMIN.

use crate::netlink::read::{Attributes, Malformed, Message};
use crate::netlink::{Error, Protocol, Socket};

/// `NFNL_SUBSYS_CTNETLINK` << 8 (linux/netfilter/nfnetlink.h) and the message within it (nfnetlink_conntrack.h).
const GET_STATISTICS_OF_PROCESSORS: u16 = 0x104;
const GET_STATISTICS: u16 = 0x105;
/// `nfgenmsg`: family, version, resource.
const HEADER: [u8; 4] = [0; 4];

/// The table of connections of a network namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Entries now.
    pub entries: u32,
    /// The most there may be (`nf_conntrack_max`); older kernels than 4.18 don't say.
    pub maximum: Option<u32>,
    /// Since the namespace exists, over all processors: entries that could not be inserted because another one was there, a sign of source
    /// ports chosen in order.
    pub insert_failed: u64,
    /// Packets dropped because no entry could be made, mostly because the table was full.
    pub dropped: u64,
    /// Entries thrown out early to make room.
    pub early_dropped: u64,
    /// Packets that could not be tracked.
    pub invalid: u64,
    /// Insertions that met an equal entry and were settled by taking that one.
    pub clashes_resolved: u64,
}

/// A socket that asks for them.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
}

impl Connection {
    /// Opens it in the current network namespace.
    pub fn open() -> Result<Connection, Error> {
        Ok(Connection { socket: Socket::open(Protocol::Netfilter)? })
    }

    /// The counts now.
    pub fn statistics(&mut self) -> Result<Statistics, Error> {
        let mut statistics = Statistics::default();
        self.socket
            .get(GET_STATISTICS, &HEADER, |_| {}, &mut |message| Ok(total(attributes(message)?, &mut statistics)?))?;
        self.socket.dump(GET_STATISTICS_OF_PROCESSORS, &HEADER, |_| {}, &mut |message| {
            Ok(processor(attributes(message)?, &mut statistics)?)
        })?;
        Ok(statistics)
    }
}

fn attributes<'a>(message: &Message<'a>) -> Result<Attributes<'a>, Malformed> {
    message.split(HEADER.len()).map(|(_, attributes)| attributes)
}

/// `CTA_STATS_GLOBAL_*`.
fn total(attributes: Attributes<'_>, statistics: &mut Statistics) -> Result<(), Malformed> {
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            1 => statistics.entries = attribute.be32()?,
            2 => statistics.maximum = Some(attribute.be32()?),
            _ => {}
        }
    }
    Ok(())
}

/// `CTA_STATS_*` of one processor.
fn processor(attributes: Attributes<'_>, statistics: &mut Statistics) -> Result<(), Malformed> {
    for attribute in attributes {
        let attribute = attribute?;
        let counter = match attribute.kind {
            4 => &mut statistics.invalid,
            9 => &mut statistics.insert_failed,
            10 => &mut statistics.dropped,
            11 => &mut statistics.early_dropped,
            14 => &mut statistics.clashes_resolved,
            _ => continue,
        };
        *counter = counter.saturating_add(u64::from(attribute.be32()?));
    }
    Ok(())
}
