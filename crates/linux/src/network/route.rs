//! Routes, neighbours and the rules that choose a routing table.

use super::batch::Batch;
use super::link::{Mac, family, octets};
use crate::netlink::write::{Attributes, flag};
use causeway_addr::{Cidr, Family};
use nix::libc;
use std::net::IpAddr;

/// A route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSpec {
    /// The addresses it is for; `0.0.0.0/0` and `::/0` = all that no other route is for.
    pub destination: Cidr,
    /// What happens to their packets.
    pub kind: RouteKind,
    /// The neighbour that takes them; `None` = the destination itself is on the link.
    pub via: Option<IpAddr>,
    /// The link they leave by; `None` = the one the neighbour is on.
    pub link: Option<String>,
    /// The neighbour is on the link even if no address says so.
    pub on_link: bool,
    /// The source of packets that this machine sends without having chosen one.
    pub source: Option<IpAddr>,
    /// The largest packet in bytes on this way.
    pub mtu: Option<u32>,
    /// Of several routes for one prefix the lowest number wins; `None` = 0 with IPv4, 1024 with IPv6.
    pub metric: Option<u32>,
    /// The table it stands in.
    pub table: Table,
}

/// What happens to packets of a route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RouteKind {
    /// They go on.
    #[default]
    Unicast,
    /// They are for this machine, whether an address of it says so or not. With `0.0.0.0/0` by `lo` a namespace answers for every
    /// address there is.
    Local,
    /// They are dropped in silence.
    Blackhole,
    /// They are dropped, and the sender is told that there is no such host.
    Unreachable,
    /// They are dropped, and the sender is told that it may not.
    Prohibit,
}

/// A routing table, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Table(pub u32);

impl Table {
    /// The table everybody uses.
    pub const MAIN: Table = Table(254);
    /// The table of this machine's own addresses, which is asked first.
    pub const LOCAL: Table = Table(255);
}

impl Default for Table {
    fn default() -> Self {
        Table::MAIN
    }
}

/// A neighbour that is known without asking, and never forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeighbourSpec {
    /// Its address.
    pub address: IpAddr,
    /// Its hardware address.
    pub mac: Mac,
    /// The link it is on.
    pub link: String,
}

/// A rule that chooses a routing table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSpec {
    /// Packets of this family.
    pub family: Family,
    /// Lower numbers are asked first; table local is at 0, main at 32766.
    pub priority: u32,
    /// Only packets from here.
    pub source: Option<Cidr>,
    /// Only packets to here.
    pub destination: Option<Cidr>,
    /// Only packets that come in by this link; `lo` = those this machine sends.
    pub incoming: Option<String>,
    /// Only packets with this mark in these bits: (mark, mask).
    pub mark: Option<(u32, u32)>,
    /// Where their route is looked up.
    pub table: Table,
}

const RTA_METRICS_MTU: u16 = 2;
const RTA_VIA: u16 = 18;
const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FR_ACT_TO_TABLE: u8 = 1;
const RTNH_F_ONLINK: u32 = 4;

impl RouteSpec {
    /// A way to a prefix by a neighbour.
    pub fn via(destination: Cidr, neighbour: IpAddr, link: &str) -> RouteSpec {
        RouteSpec { via: Some(neighbour), on_link: true, ..RouteSpec::on(destination, link) }
    }

    /// A prefix that is on a link.
    pub fn on(destination: Cidr, link: &str) -> RouteSpec {
        RouteSpec {
            destination,
            kind: RouteKind::Unicast,
            via: None,
            link: Some(link.to_owned()),
            on_link: false,
            source: None,
            mtu: None,
            metric: None,
            table: Table::MAIN,
        }
    }

    /// A prefix whose packets are for this machine.
    pub fn local(destination: Cidr) -> RouteSpec {
        RouteSpec { kind: RouteKind::Local, ..RouteSpec::on(destination, "lo") }
    }

    pub(super) fn add(&self, batch: &mut Batch, link: Option<u32>) {
        self.push(batch, "add", (libc::RTM_NEWROUTE, flag::CREATE | flag::EXCL), link);
    }

    pub(super) fn delete(&self, batch: &mut Batch, link: Option<u32>) {
        self.push(batch, "delete", (libc::RTM_DELROUTE, 0), link);
    }

    fn push(&self, batch: &mut Batch, verb: &str, message: (u16, u16), link: Option<u32>) {
        let (kind, scope) = match self.kind {
            RouteKind::Unicast if self.via.is_none() => (libc::RTN_UNICAST, libc::RT_SCOPE_LINK),
            RouteKind::Unicast => (libc::RTN_UNICAST, libc::RT_SCOPE_UNIVERSE),
            RouteKind::Local => (libc::RTN_LOCAL, libc::RT_SCOPE_HOST),
            RouteKind::Blackhole => (libc::RTN_BLACKHOLE, libc::RT_SCOPE_UNIVERSE),
            RouteKind::Unreachable => (libc::RTN_UNREACHABLE, libc::RT_SCOPE_UNIVERSE),
            RouteKind::Prohibit => (libc::RTN_PROHIBIT, libc::RT_SCOPE_UNIVERSE),
        };
        let flags = if self.on_link { RTNH_F_ONLINK } else { 0 };
        let address = self.destination.first();
        let mut head = vec![family(address), self.destination.prefix_len(), 0, 0];
        // Tables above 255 don't fit here; RTA_TABLE below carries the number.
        head.extend([0, libc::RTPROT_STATIC, scope, kind]);
        head.extend(flags.to_ne_bytes());
        let route = self.clone();
        batch.push(format!("{verb} route `{}`", self.destination), message, &head, move |into| {
            prefix(into, libc::RTA_DST, Some(route.destination));
            into.native32(libc::RTA_TABLE, route.table.0);
            // Packets of the refusing kinds leave by no link; IPv4 insists on that.
            if let Some(link) = link.filter(|_| matches!(route.kind, RouteKind::Unicast | RouteKind::Local)) {
                into.native32(libc::RTA_OIF, link);
            }
            match route.via {
                Some(via) if via.is_ipv6() && address.is_ipv4() => {
                    // RTA_VIA: a neighbour of the other family, with the family in front.
                    let mut bytes = libc::AF_INET6.to_ne_bytes().get(..2).unwrap_or_default().to_vec();
                    bytes.extend(octets(via));
                    into.bytes(RTA_VIA, &bytes);
                }
                Some(via) => into.bytes(libc::RTA_GATEWAY, &octets(via)),
                None => {}
            }
            if let Some(source) = route.source {
                into.bytes(libc::RTA_PREFSRC, &octets(source));
            }
            if let Some(metric) = route.metric {
                into.native32(libc::RTA_PRIORITY, metric);
            }
            if let Some(mtu) = route.mtu {
                into.nested(libc::RTA_METRICS, |metrics| metrics.native32(RTA_METRICS_MTU, mtu));
            }
        });
    }
}

impl NeighbourSpec {
    pub(super) fn add(&self, batch: &mut Batch, link: u32) {
        let mut head = vec![family(self.address), 0, 0, 0];
        head.extend(link.to_ne_bytes());
        head.extend(libc::NUD_PERMANENT.to_ne_bytes());
        head.extend([0, 0]);
        let (address, Mac(mac)) = (octets(self.address), self.mac);
        let what = format!("add neighbour `{}` on link `{}`", self.address, self.link);
        batch.push(what, (libc::RTM_NEWNEIGH, flag::CREATE | flag::REPLACE), &head, move |into| {
            into.bytes(libc::NDA_DST, &address);
            into.bytes(libc::NDA_LLADDR, &mac);
        });
    }
}

impl RuleSpec {
    pub(super) fn add(&self, batch: &mut Batch) {
        let number = match self.family {
            Family::V4 => libc::AF_INET,
            Family::V6 => libc::AF_INET6,
        };
        let length = |prefix: Option<Cidr>| prefix.map_or(0, |prefix| prefix.prefix_len());
        let head = [
            u8::try_from(number).unwrap_or(0),
            length(self.destination),
            length(self.source),
            0,
            0,
            0,
            0,
            FR_ACT_TO_TABLE,
            0,
            0,
            0,
            0,
        ];
        let rule = self.clone();
        let what = format!("add routing rule `{}`", self.priority);
        batch.push(what, (libc::RTM_NEWRULE, flag::CREATE | flag::EXCL), &head, move |into| {
            into.native32(FRA_PRIORITY, rule.priority);
            into.native32(FRA_TABLE, rule.table.0);
            prefix(into, FRA_DST, rule.destination);
            prefix(into, FRA_SRC, rule.source);
            if let Some(link) = &rule.incoming {
                into.text(FRA_IIFNAME, link);
            }
            if let Some((mark, mask)) = rule.mark {
                into.native32(FRA_FWMARK, mark);
                into.native32(FRA_FWMASK, mask);
            }
        });
    }
}

/// A prefix's address; one of length 0 is said by leaving it out.
fn prefix(into: &mut Attributes<'_>, kind: u16, prefix: Option<Cidr>) {
    if let Some(prefix) = prefix.filter(|prefix| prefix.prefix_len() > 0) {
        into.bytes(kind, &octets(prefix.first()));
    }
}
