//! Links and their addresses.

use super::batch::Batch;
use crate::namespace::Namespace;
use crate::netlink::write::{Attributes, flag};
use crate::system::SystemError;
use nix::errno::Errno;
use nix::libc;
use std::fmt;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::str::FromStr;

/// A link to make or to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkSpec {
    /// Its name, at most 15 bytes.
    pub name: String,
    /// What it is.
    pub kind: LinkKind,
    /// The number it gets; `None` = the kernel chooses. Giving it saves a list of links.
    pub index: Option<u32>,
    /// Its hardware address; `None` = the kernel chooses.
    pub mac: Option<Mac>,
    /// The largest packet in bytes; `None` = the driver's default.
    pub mtu: Option<u32>,
    /// Switch it on, after it has its addresses.
    pub up: bool,
    /// The bridge it becomes a port of.
    pub master: Option<String>,
    /// Its addresses. IPv6 addresses are usable at once: nobody is asked whether they are taken.
    pub addresses: Vec<AddressSpec>,
    /// Let the kernel add an address of fe80::/64 of its own; false = only those listed.
    pub link_local: bool,
}

/// What a link is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LinkKind {
    /// There already: `lo`, or one that was made elsewhere.
    #[default]
    Existing,
    /// A bridge without ports.
    Bridge,
    /// One end of a pair; the other end is described here.
    Veth(PeerSpec),
}

/// The other end of a veth pair. It can't be made switched on: its own namespace does that, as with any existing link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerSpec {
    /// The namespace it goes to, by [`Namespace::name`]; `None` = stays.
    pub namespace: Option<String>,
    /// Its name there.
    pub name: String,
    /// The number it gets there. Not the number this end has here: the kernel takes a pair of equal numbers for one link, and
    /// lets packets pass only after its next round, up to a second later (linkwatch, seen with Linux 6.18).
    pub index: Option<u32>,
    /// Its hardware address.
    pub mac: Option<Mac>,
    /// The largest packet in bytes; both ends should agree.
    pub mtu: Option<u32>,
}

/// A hardware address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

/// An address and the length of the prefix that is on the link: `10.0.0.4/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressSpec {
    /// The address.
    pub address: IpAddr,
    /// Bits of it that all neighbours share.
    pub prefix_length: u8,
}

/// A text that is no address of the kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}")]
pub struct NotUnderstood {
    /// The text.
    pub text: String,
    /// What it should be.
    pub what: &'static str,
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Mac {
    type Err = NotUnderstood;

    fn from_str(text: &str) -> Result<Mac, NotUnderstood> {
        let wrong = || NotUnderstood { text: text.to_owned(), what: "a hardware address such as `02:00:00:00:00:01`" };
        let byte = |part: &str| {
            // A sign would be taken for part of a number.
            let digits = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
            u8::from_str_radix(part, 16).ok().filter(|_| digits)
        };
        let parts: Option<Vec<u8>> = text.split(':').map(byte).collect();
        parts.and_then(|parts| parts.try_into().ok()).map(Mac).ok_or_else(wrong)
    }
}

impl fmt::Display for AddressSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_length)
    }
}

impl FromStr for AddressSpec {
    type Err = NotUnderstood;

    /// Without a length the address stands alone (32 or 128).
    fn from_str(text: &str) -> Result<AddressSpec, NotUnderstood> {
        let wrong = || NotUnderstood { text: text.to_owned(), what: "an address such as `10.0.0.4/24`" };
        let (address, length) = text.split_once('/').unzip();
        let address: IpAddr = address.unwrap_or(text).parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix_length = length.map_or(Ok(longest), str::parse).map_err(|_| wrong())?;
        if prefix_length > longest { Err(wrong()) } else { Ok(AddressSpec { address, prefix_length }) }
    }
}

const NEW_LINK: u16 = libc::RTM_NEWLINK;
const CREATE: u16 = flag::CREATE | flag::EXCL;
pub(super) const IFF_UP: u32 = 1;
// Of linux/if_link.h; libc has them for one of the C libraries only.
pub(super) const IFLA_ADDRESS: u16 = 1;
pub(super) const IFLA_IFNAME: u16 = 3;
pub(super) const IFLA_MTU: u16 = 4;
pub(super) const IFLA_MASTER: u16 = 10;
pub(super) const IFLA_LINKINFO: u16 = 18;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_NET_NS_FD: u16 = 28;
pub(super) const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const GEN_MODE_NONE: u8 = 1;
const IFA_F_NODAD: u32 = 2;

/// `struct ifinfomsg`.
fn header(index: u32, flags: u32, change: u32) -> Vec<u8> {
    let head = [[0; 4], index.to_ne_bytes(), flags.to_ne_bytes(), change.to_ne_bytes()];
    head.concat()
}

fn basics(into: &mut Attributes<'_>, name: &str, mac: Option<Mac>, mtu: Option<u32>) {
    if !name.is_empty() {
        into.text(IFLA_IFNAME, name);
    }
    if let Some(Mac(bytes)) = mac {
        into.bytes(IFLA_ADDRESS, &bytes);
    }
    if let Some(mtu) = mtu {
        into.native32(IFLA_MTU, mtu);
    }
}

impl LinkSpec {
    /// The message that makes it, if it is not there already.
    pub(super) fn create(&self, batch: &mut Batch, others: &[&Namespace], here: &str) -> Result<(), SystemError> {
        let (name, mac, mtu) = (self.name.clone(), self.mac, self.mtu);
        let head = header(self.index.unwrap_or(0), 0, 0);
        let what = format!("create link `{name}` in network namespace `{here}`");
        match &self.kind {
            LinkKind::Existing => {}
            LinkKind::Bridge => {
                batch.push(what, (NEW_LINK, CREATE), &head, move |into| {
                    basics(into, &name, mac, mtu);
                    into.nested(IFLA_LINKINFO, |info| info.text(IFLA_INFO_KIND, "bridge"));
                });
            }
            LinkKind::Veth(peer) => {
                let namespace = match &peer.namespace {
                    None => None,
                    Some(wanted) => Some(
                        others
                            .iter()
                            .find(|other| other.name() == wanted)
                            .map(|other| other.as_fd().as_raw_fd())
                            .ok_or_else(|| {
                                SystemError::new(format!("{what} with a peer in `{wanted}`"), Errno::ENOENT)
                            })?,
                    ),
                };
                let peer = peer.clone();
                batch.push(what, (NEW_LINK, CREATE), &head, move |into| {
                    basics(into, &name, mac, mtu);
                    into.nested(IFLA_LINKINFO, |info| {
                        info.text(IFLA_INFO_KIND, "veth");
                        info.nested(IFLA_INFO_DATA, |data| {
                            data.nested(VETH_INFO_PEER, |other| {
                                other.header(&header(peer.index.unwrap_or(0), 0, 0));
                                basics(other, &peer.name, peer.mac, peer.mtu);
                                if let Some(namespace) = namespace {
                                    other.bytes(IFLA_NET_NS_FD, &namespace.to_ne_bytes());
                                }
                            });
                        });
                    });
                });
            }
        }
        Ok(())
    }

    /// The messages that make it what it should be, when it is there.
    pub(super) fn configure(
        &self,
        batch: &mut Batch,
        index: u32,
        number: &impl Fn(&str) -> Result<u32, SystemError>,
    ) -> Result<(), SystemError> {
        let name = &self.name;
        if !self.link_local {
            batch
                .push(
                    format!("keep link `{name}` without link-local address"),
                    (NEW_LINK, 0),
                    &header(index, 0, 0),
                    |into| {
                        into.nested(IFLA_AF_SPEC, |families| {
                            families
                                .nested(libc::AF_INET6 as u16, |six| six.u8(IFLA_INET6_ADDR_GEN_MODE, GEN_MODE_NONE));
                        });
                    },
                )
                // A kernel without IPv6 makes no such address.
                .unless(&[Errno::EAFNOSUPPORT]);
        }
        let master = self.master.as_deref().map(number).transpose()?;
        let existing = self.kind == LinkKind::Existing;
        let (mac, mtu) = if existing { (self.mac, self.mtu) } else { (None, None) };
        if master.is_some() || mac.is_some() || mtu.is_some() {
            batch.push(format!("change link `{name}`"), (NEW_LINK, 0), &header(index, 0, 0), move |into| {
                basics(into, "", mac, mtu);
                if let Some(master) = master {
                    into.native32(IFLA_MASTER, master);
                }
            });
        }
        for address in &self.addresses {
            address.add(batch, name, index);
        }
        if self.up {
            batch.push(format!("switch link `{name}` on"), (NEW_LINK, 0), &header(index, IFF_UP, IFF_UP), |_| {});
        }
        Ok(())
    }
}

impl AddressSpec {
    fn add(&self, batch: &mut Batch, link: &str, index: u32) {
        let AddressSpec { address, prefix_length } = *self;
        let family = family(address);
        let scope = if address.is_loopback() { libc::RT_SCOPE_HOST } else { libc::RT_SCOPE_UNIVERSE };
        let mut head = vec![family, prefix_length, 0, scope];
        head.extend(index.to_ne_bytes());
        let what = format!("add address `{self}` to link `{link}`");
        batch.push(what, (libc::RTM_NEWADDR, flag::CREATE | flag::REPLACE), &head, move |into| {
            let bytes = octets(address);
            into.bytes(libc::IFA_LOCAL, &bytes);
            into.bytes(libc::IFA_ADDRESS, &bytes);
            if address.is_ipv6() {
                into.native32(libc::IFA_FLAGS, IFA_F_NODAD);
            }
        });
    }
}

pub(super) fn delete(batch: &mut Batch, name: &str) {
    let text = name.to_owned();
    batch.push(format!("delete link `{name}`"), (libc::RTM_DELLINK, 0), &header(0, 0, 0), move |into| {
        into.text(IFLA_IFNAME, &text);
    });
}

/// The number netlink gives a family.
pub(super) fn family(address: IpAddr) -> u8 {
    let number = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    u8::try_from(number).unwrap_or(0)
}

/// An address in network byte order.
pub(super) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_written() {
        for text in ["10.0.0.4/24", "fd00::4/64", "0.0.0.0/0"] {
            assert_eq!(text.parse::<AddressSpec>().unwrap().to_string(), text);
        }
        assert_eq!("10.0.0.4".parse::<AddressSpec>().unwrap().prefix_length, 32);
        assert_eq!("02:00:00:00:0a:ff".parse::<Mac>().unwrap().to_string(), "02:00:00:00:0a:ff");
    }

    #[test]
    fn nonsense_is_named() {
        for text in ["10.0.0.4/33", "10.0.0/8", "fd00::/129", "", "a/b", "10.0.0.1/ 8"] {
            let error = text.parse::<AddressSpec>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not an address such as `10.0.0.4/24`"));
        }
        for text in ["02:00:00:00:0a", "02:00:00:00:0a:ff:00", "2:0:0:0:0:0", "02-00-00-00-0a-ff", "02:00:00:00:0a:+f"]
        {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }
}
