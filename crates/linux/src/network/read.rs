//! What the kernel says there is.

use super::link::{
    AddressSpec, IFF_UP, IFLA_ADDRESS, IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MASTER, IFLA_MTU, Mac,
};
use super::{Address, Link};
use crate::netlink::Error;
use crate::netlink::read::{Attributes, Malformed, Message};
use nix::libc;
use std::net::IpAddr;

const IFF_RUNNING: u32 = 0x40;
const IFLA_OPERSTATE: u16 = 16;
const OPERSTATE_UNKNOWN: u8 = 0;
const OPERSTATE_UP: u8 = 6;

/// A list of links, and of addresses: the message and its header.
pub(super) const LINKS: (u16, &[u8]) = (libc::RTM_GETLINK, &[0; 16]);
pub(super) const ADDRESSES: (u16, &[u8]) = (libc::RTM_GETADDR, &[0; 8]);

/// A list of IPv6 routes: the message and its header.
pub(super) const ROUTES_V6: (u16, &[u8]) = (libc::RTM_GETROUTE, &[AF_INET6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const AF_INET6: u8 = 10;

fn word(header: &[u8], at: usize) -> Result<u32, Error> {
    let bytes = header.get(at..).and_then(|rest| rest.first_chunk::<4>());
    let missing = Malformed::Message { says: at.saturating_add(4), left: header.len() };
    bytes.map(|bytes| u32::from_ne_bytes(*bytes)).ok_or(Error::Malformed(missing))
}

pub(super) fn link(message: &Message<'_>) -> Result<Link, Error> {
    let (head, attributes) = message.split(16)?;
    let flags = word(head, 8)?;
    let mut found = Link {
        index: word(head, 4)?,
        name: String::new(),
        mac: None,
        mtu: 0,
        up: flags & IFF_UP != 0,
        running: flags & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING,
        master: None,
        kind: String::new(),
    };
    let mut state = OPERSTATE_UNKNOWN;
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            IFLA_OPERSTATE => state = attribute.u8()?,
            IFLA_IFNAME => found.name = attribute.string(),
            IFLA_ADDRESS => found.mac = <[u8; 6]>::try_from(attribute.payload).ok().map(Mac),
            IFLA_MTU => found.mtu = attribute.native32()?,
            IFLA_MASTER => found.master = Some(attribute.native32()?),
            IFLA_LINKINFO => found.kind = text_of(attribute.nested(), IFLA_INFO_KIND)?,
            _ => {}
        }
    }
    // Most drivers never say; a veth does, and its state is unknown until the kernel has set it to work.
    found.running &= state == OPERSTATE_UP || (state == OPERSTATE_UNKNOWN && found.kind != "veth");
    Ok(found)
}

fn text_of(attributes: Attributes<'_>, kind: u16) -> Result<String, Error> {
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == kind {
            return Ok(attribute.string());
        }
    }
    Ok(String::new())
}

/// `None` for families other than IPv4 and IPv6.
pub(super) fn address(message: &Message<'_>) -> Result<Option<Address>, Error> {
    let (head, attributes) = message.split(8)?;
    let prefix_length = head.get(1).copied().unwrap_or(0);
    let link = word(head, 4)?;
    let (mut own, mut other) = (None, None);
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            libc::IFA_LOCAL => own = read_ip(attribute.payload),
            libc::IFA_ADDRESS => other = read_ip(attribute.payload),
            _ => {}
        }
    }
    // IPv4 names its own address apart from the peer's; IPv6 has one only.
    Ok(own.or(other).map(|address| Address { link, address: AddressSpec { address, prefix_length } }))
}

fn read_ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

/// The address a route says is this machine's own; `None` for other routes.
pub(super) fn own_address(message: &Message<'_>) -> Result<Option<IpAddr>, Error> {
    let (head, attributes) = message.split(12)?;
    let whole = head.first() == Some(&AF_INET6) && head.get(1) == Some(&128) && head.get(7) == Some(&libc::RTN_LOCAL);
    let mut address = None;
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == libc::RTA_DST {
            address = read_ip(attribute.payload);
        }
    }
    Ok(address.filter(|_| whole))
}
