//! Sockets that send packets as they are, and that see every packet that arrives.

use super::frame::{self, Arrival};
use causeway_addr::Family;
use causeway_dataplane::packet::Packet;
use causeway_linux::namespace::Namespace;
use causeway_linux::system::SystemError;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, recvfrom, sendto,
    socket,
};
use std::net::{IpAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The number of `eth0` of the pod and of the node.
const WAY_OUT: u32 = 2;

/// Sends packets with whatever source they have.
pub(super) struct Sender {
    v4: OwnedFd,
    v6: OwnedFd,
    name: String,
}

impl Sender {
    pub(super) fn open(namespace: &Namespace) -> Result<Sender, SystemError> {
        let open = |family| {
            socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Raw)
                .map_err(|errno| SystemError::new(format!("open a raw socket in `{}`", namespace.name()), errno))
        };
        namespace.enter(|| {
            Ok(Sender {
                v4: open(AddressFamily::Inet)?,
                v6: open(AddressFamily::Inet6)?,
                name: namespace.name().to_owned(),
            })
        })?
    }

    /// Sends one packet. By the time it returns the packet has gone as far as the kernel takes it without waiting.
    pub(super) fn send(&self, packet: &Packet, token: u32) -> Result<(), SystemError> {
        let bytes = frame::write(packet, token);
        let flags = MsgFlags::empty();
        let sent = match packet.destination {
            IpAddr::V4(to) => sendto(self.v4.as_raw_fd(), &bytes, &SockaddrIn::from(SocketAddrV4::new(to, 0)), flags),
            IpAddr::V6(to) => {
                // Link-local addresses are nothing without a link; the sender's way out is number 2 in every place.
                let scope = if to.is_unicast_link_local() { WAY_OUT } else { 0 };
                let to = SockaddrIn6::from(SocketAddrV6::new(to, 0, 0, scope));
                sendto(self.v6.as_raw_fd(), &bytes, &to, flags)
            }
        };
        match sent {
            // A rule that drops what this machine sends is told to the sender.
            Ok(_) | Err(Errno::EPERM) => Ok(()),
            Err(errno) => {
                Err(SystemError::new(format!("send a packet to `{}` from `{}`", packet.destination, self.name), errno))
            }
        }
    }
}

/// Sees what arrives on the links of a namespace, before any rule does.
pub(super) struct Sniffer {
    socket: OwnedFd,
}

impl Sniffer {
    pub(super) fn open(namespace: &Namespace, family: Family) -> Result<Sniffer, SystemError> {
        let protocol = match family {
            Family::V4 => SockProtocol::EthIp,
            Family::V6 => SockProtocol::EthIpv6,
        };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = namespace
            .enter(|| socket(AddressFamily::Packet, SockType::Datagram, flags, protocol))?
            .map_err(|errno| SystemError::new(format!("watch the links of `{}`", namespace.name()), errno))?;
        Ok(Sniffer { socket })
    }

    /// One of our packets that arrived, with the number of the link it came by; `None` when none waits.
    pub(super) fn next(&self) -> Result<Option<(usize, Arrival)>, SystemError> {
        let mut buffer = [0; 2048];
        loop {
            match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut buffer) {
                Ok((length, from)) => {
                    let arrival = buffer.get(..length).and_then(frame::read);
                    if let (Some(arrival), Some(from)) = (arrival, from) {
                        return Ok(Some((from.ifindex(), arrival)));
                    }
                }
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(SystemError::new("see what arrives", errno)),
            }
        }
    }
}

impl AsFd for Sniffer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
