//! Links, addresses, routes, neighbours and policy routing of one network namespace, as plain data in and few batches out.
//!
//! A batch is one send; the kernel works on its messages in order before the call returns. Unlike nf_tables it is no transaction:
//! a message that is refused leaves the ones before it in force. Whoever builds a namespace throws it away on failure; whoever
//! adds a link deletes it, which takes its addresses, routes and neighbours along.

mod batch;
mod link;
mod read;
mod route;

pub use link::{AddressSpec, LinkKind, LinkSpec, Mac, NotUnderstood, PeerSpec};
pub use route::{NeighbourSpec, RouteKind, RouteSpec, RuleSpec, Table};

use crate::event;
use crate::namespace::Namespace;
use crate::netlink::read::Message;
use crate::netlink::{Error, Protocol, Socket};
use crate::system::SystemError;
use batch::Batch;
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// What a namespace should get. Names of links refer to those listed here and to those that are there already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Links, made or changed in this order.
    pub links: Vec<LinkSpec>,
    /// Routes, in this order: a gateway must be reachable by what stands before it.
    pub routes: Vec<RouteSpec>,
    /// Neighbours that need not be asked for.
    pub neighbours: Vec<NeighbourSpec>,
    /// Rules that choose the routing table.
    pub rules: Vec<RuleSpec>,
}

/// A link as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number, by which the kernel knows it.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its hardware address, where it has one of six bytes.
    pub mac: Option<Mac>,
    /// The largest packet in bytes.
    pub mtu: u32,
    /// It is switched on.
    pub up: bool,
    /// It is switched on, has a carrier, and carries packets (RFC 2863's state is up).
    pub running: bool,
    /// The number of the bridge it is a port of.
    pub master: Option<u32>,
    /// The driver: `veth`, `bridge`, ...; empty for hardware and `lo`.
    pub kind: String,
}

/// An address of a link as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The link's number.
    pub link: u32,
    /// The address and the prefix it is in.
    pub address: AddressSpec,
}

/// A way to change one namespace's network.
#[derive(Debug)]
pub struct Network {
    socket: Socket,
    name: String,
}

impl Network {
    /// Of the namespace this thread is in; it stays with that one, wherever the thread goes.
    ///
    /// # Errors
    ///
    /// At the limit of open files.
    pub fn open() -> Result<Network, SystemError> {
        Network::named("the current one")
    }

    /// Of another namespace.
    ///
    /// # Errors
    ///
    /// As [`Network::open`] and [`Namespace::enter`].
    pub fn open_in(namespace: &Namespace) -> Result<Network, SystemError> {
        namespace.enter(|| Network::named(namespace.name()))?
    }

    fn named(name: &str) -> Result<Network, SystemError> {
        let socket = Socket::open(Protocol::Route)
            .map_err(|error| refused(&format!("open a route socket in network namespace `{name}`"), &error))?;
        Ok(Network { socket, name: name.to_owned() })
    }

    /// Makes everything a specification lists. Two sends at most, and a list of links between them where a link is referred to whose
    /// number is not given: one send if every link carries its [`LinkSpec::index`].
    ///
    /// `others` are the namespaces that peers of veth pairs go to, found by [`Namespace::name`].
    ///
    /// # Errors
    ///
    /// The first refusal, which names its object. Later messages of the same send were tried nevertheless.
    pub fn apply(&mut self, wanted: &NetworkSpec, others: &[&Namespace]) -> Result<(), SystemError> {
        // The loopback link is the first of every namespace.
        let mut numbers = BTreeMap::from([("lo".to_owned(), 1)]);
        numbers.extend(wanted.links.iter().filter_map(|link| Some((link.name.clone(), link.index?))));
        let mut batch = Batch::default();
        for link in &wanted.links {
            link.create(&mut batch, others, &self.name)?;
        }
        let unknown = wanted.link_names().any(|name| !numbers.contains_key(name));
        if unknown {
            batch.send(&mut self.socket)?;
            batch = Batch::default();
            numbers.extend(self.links()?.into_iter().map(|link| (link.name, link.index)));
        }
        let number = |name: &str| {
            let missing =
                || SystemError::new(format!("find link `{name}` in network namespace `{}`", self.name), Errno::ENODEV);
            numbers.get(name).copied().ok_or_else(missing)
        };
        for link in &wanted.links {
            link.configure(&mut batch, number(&link.name)?, &number)?;
        }
        for neighbour in &wanted.neighbours {
            neighbour.add(&mut batch, number(&neighbour.link)?);
        }
        for route in &wanted.routes {
            route.add(&mut batch, route.link.as_deref().map(number).transpose()?);
        }
        for rule in &wanted.rules {
            rule.add(&mut batch);
        }
        batch.send(&mut self.socket)
    }

    /// Removes a link; with a veth its peer goes too, with a bridge only itself.
    ///
    /// # Errors
    ///
    /// ENODEV when it is not there.
    pub fn delete_link(&mut self, name: &str) -> Result<(), SystemError> {
        let mut batch = Batch::default();
        link::delete(&mut batch, name);
        batch.send(&mut self.socket)
    }

    /// Removes routes. The ones before a refusal are gone.
    ///
    /// # Errors
    ///
    /// ESRCH when one is not there.
    pub fn delete_routes(&mut self, routes: &[RouteSpec]) -> Result<(), SystemError> {
        let links = self.links()?;
        let mut batch = Batch::default();
        for route in routes {
            let found = route.link.as_ref().and_then(|name| links.iter().find(|link| link.name == *name));
            route.delete(&mut batch, found.map(|link| link.index));
        }
        batch.send(&mut self.socket)
    }

    /// The links that are there, by number.
    ///
    /// # Errors
    ///
    /// When they keep changing while they are read.
    pub fn links(&mut self) -> Result<Vec<Link>, SystemError> {
        self.list(read::LINKS, "links", |message| read::link(message).map(Some))
    }

    /// The addresses of all links, in the kernel's order.
    ///
    /// # Errors
    ///
    /// When they keep changing while they are read.
    pub fn addresses(&mut self) -> Result<Vec<Address>, SystemError> {
        self.list(read::ADDRESSES, "addresses", read::address)
    }

    /// Waits until links can carry packets and be reached: switched on, with a carrier, and with their IPv6 addresses in the routing
    /// table. The kernel does the last steps in a thread of its own, shortly after the messages that ask for them; until then
    /// packets are dropped in silence.
    ///
    /// # Errors
    ///
    /// ETIMEDOUT, which names the links that were not ready in time.
    pub fn wait_until_ready(&mut self, links: &[&str], timeout: Duration) -> Result<(), SystemError> {
        // Links, and routes of IPv6.
        const GROUPS: [u32; 2] = [1, 11];
        let name = self.name.clone();
        let listen = |error: Error| refused(&format!("listen to changes of network namespace `{name}`"), &error);
        // Listening begins before anything is read, so that no change falls between the two.
        for group in GROUPS {
            self.socket.join(group).map_err(listen)?;
        }
        let answer = self.wait_for(links, timeout);
        for group in GROUPS {
            self.socket.leave(group).map_err(listen)?;
        }
        self.socket.discard();
        answer
    }

    fn wait_for(&mut self, wanted: &[&str], timeout: Duration) -> Result<(), SystemError> {
        let end = Instant::now().checked_add(timeout);
        loop {
            let waiting = self.not_ready(wanted)?;
            if waiting.is_empty() {
                return Ok(());
            }
            let left = end.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                let what = format!("use link `{}` of network namespace `{}`", waiting.join("`, `"), self.name);
                return Err(SystemError::new(what, Errno::ETIMEDOUT));
            }
            event::wait(&[self.socket.as_fd()], Some(left))?;
        }
    }

    /// Those of the links that are not ready.
    fn not_ready<'a>(&mut self, wanted: &[&'a str]) -> Result<Vec<&'a str>, SystemError> {
        let links = self.links()?;
        let addresses = self.addresses()?;
        let own = self.list(read::ROUTES_V6, "routes", read::own_address)?;
        let ready = |name: &str| {
            let Some(link) = links.iter().find(|link| link.name == name && link.running) else { return false };
            let mut addresses = addresses.iter().filter(|address| address.link == link.index);
            addresses.all(|address| address.address.address.is_ipv4() || own.contains(&address.address.address))
        };
        Ok(wanted.iter().copied().filter(|name| !ready(name)).collect())
    }

    fn list<T>(
        &mut self,
        (kind, header): (u16, &[u8]),
        what: &str,
        read: impl Fn(&Message<'_>) -> Result<Option<T>, Error>,
    ) -> Result<Vec<T>, SystemError> {
        const ATTEMPTS: usize = 20;
        let wanted = format!("list the {what} of network namespace `{}`", self.name);
        for _ in 0..ATTEMPTS {
            let mut found = Vec::new();
            let answer = self.socket.dump(kind, header, |_| {}, &mut |message| {
                found.extend(read(message)?);
                Ok(())
            });
            match answer {
                Ok(()) => return Ok(found),
                Err(Error::Interrupted) => {}
                Err(error) => return Err(refused(&wanted, &error)),
            }
        }
        Err(SystemError::new(wanted, Errno::EINTR))
    }
}

impl NetworkSpec {
    /// Every link that is referred to.
    fn link_names(&self) -> impl Iterator<Item = &str> {
        let links = self.links.iter().flat_map(|link| std::iter::once(&link.name).chain(&link.master));
        let routes = self.routes.iter().filter_map(|route| route.link.as_ref());
        let neighbours = self.neighbours.iter().map(|neighbour| &neighbour.link);
        links.chain(routes).chain(neighbours).map(String::as_str)
    }
}

/// A netlink error as a refusal of something wanted.
fn refused(wanted: &str, error: &Error) -> SystemError {
    let words = match error {
        Error::Kernel { message, .. } | Error::Refused { message } if !message.is_empty() => format!(" ({message})"),
        _ => String::new(),
    };
    SystemError::new(format!("{wanted}{words}"), error.errno().unwrap_or(Errno::EPROTO))
}
