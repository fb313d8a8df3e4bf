//! A pod, its node and a world that answers for every address, in network namespaces of this process.
//!
//! ```text
//!   pod  eth0 ---- pod0  node  eth0 ---- eth0  world   everything else
//!                              eth1 ---- eth1          SECOND
//! ```
//!
//! The node forwards and does nothing else until rules are loaded into it. Packets are sent and seen as they are, so that a probe
//! says what left, not what a stack made of it; connections of real sockets show that answers find their way back.
//! Everything that would have to be asked for (neighbours, tentative addresses) is known beforehand: nothing waits.

mod connection;
pub mod frame;
mod socket;
pub mod topology;

use causeway_addr::Family;
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_linux::event;
use causeway_linux::namespace::Namespace;
use causeway_linux::system::SystemError;
use connection::Listener;
use socket::{Sender, Sniffer};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::Duration;

/// Where something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A pod of the node.
    Pod,
    /// The node itself.
    Node,
    /// Everything else.
    World,
}

impl Place {
    /// Its name, which is also its namespace's.
    pub fn name(self) -> &'static str {
        match self {
            Place::Pod => "pod",
            Place::Node => "node",
            Place::World => "world",
        }
    }
}

/// Something to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Who sends it.
    pub from: Place,
    /// The packet.
    pub packet: Packet,
}

/// What became of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrived.
    Seen {
        /// Here; [`Place::Node`] = it never left the node.
        at: Place,
        /// As this packet.
        packet: Packet,
    },
    /// It did not arrive, though packets that were sent after it did.
    Lost,
}

impl Fate {
    /// The source it arrived with.
    pub fn source(&self) -> Option<IpAddr> {
        match self {
            Fate::Seen { packet, .. } => Some(packet.source),
            Fate::Lost => None,
        }
    }
}

/// More packets than this may not wait to be looked at: a sniffer's buffer holds about 200.
const BURST: usize = 64;
/// How long a packet may take that the kernel left to another thread. Only packets that are lost cost this time.
const PATIENCE: Duration = Duration::from_millis(250);
/// The loopback link's number.
const LOOPBACK: usize = 1;

/// The three namespaces and what sends and sees in them.
pub struct Lab {
    pod: Namespace,
    node: Namespace,
    world: Namespace,
    from_pod: Sender,
    from_node: Sender,
    from_world: Sender,
    sniffers: Vec<(Place, Sniffer)>,
    listener: Listener,
    /// The number of the probe sent last.
    token: u32,
    /// How many connections were asked for.
    connections: u32,
    patience: Duration,
}

impl Lab {
    /// Builds it. The process must have namespaces of its own ([`causeway_linux::namespace::isolate`]).
    ///
    /// # Errors
    ///
    /// What the kernel refused.
    pub fn new() -> Result<Lab, SystemError> {
        let [pod, node, world] = [Place::Pod, Place::Node, Place::World].map(|place| Namespace::create(place.name()));
        let (pod, node, world) = (pod?, node?, world?);
        topology::build(&pod, &node, &world)?;
        let mut sniffers = Vec::new();
        for (place, namespace) in [(Place::Pod, &pod), (Place::Node, &node), (Place::World, &world)] {
            for family in Family::ALL {
                sniffers.push((place, Sniffer::open(namespace, family)?));
            }
        }
        Ok(Lab {
            from_pod: Sender::open(&pod)?,
            from_node: Sender::open(&node)?,
            from_world: Sender::open(&world)?,
            listener: Listener::open(&world)?,
            sniffers,
            pod,
            node,
            world,
            token: 0,
            connections: 0,
            patience: PATIENCE,
        })
    }

    /// The namespace of a place.
    pub fn namespace(&self, place: Place) -> &Namespace {
        match place {
            Place::Pod => &self.pod,
            Place::Node => &self.node,
            Place::World => &self.world,
        }
    }

    /// Runs something in the node's namespace: that is where rules are loaded.
    ///
    /// # Errors
    ///
    /// As [`Namespace::enter`].
    pub fn on_node<T>(&self, run: impl FnOnce() -> T) -> Result<T, SystemError> {
        self.node.enter(run)
    }

    /// How long a packet may take that the kernel left to another thread. Whoever shortens it asks again before a packet counts as
    /// lost that should have arrived.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// A packet of a connection that was never there before, from this source to this destination.
    ///
    /// # Panics
    ///
    /// An echo request has no port but its number, so the lab has run out of new ones after 40,000 connections of any kind.
    pub fn packet(&mut self, source: IpAddr, destination: IpAddr, protocol: Protocol) -> Packet {
        let (lap, port) = (self.connections / 40_000, self.connections % 40_000);
        assert!(lap == 0 || protocol != Protocol::Icmp, "a number used again would belong to an older connection");
        self.connections = self.connections.wrapping_add(1);
        let source_port = u16::try_from(20_000 + port).unwrap_or(20_000);
        let destination_port = u16::try_from(30_000 + lap % 30_000).unwrap_or(30_000);
        Packet { source, destination, protocol, source_port, destination_port }
    }

    /// Sends probes and says what became of each, in their order. Give every probe a connection of its own ([`Lab::packet`]): later
    /// packets of one connection are translated as its first was.
    ///
    /// # Errors
    ///
    /// A packet that could not even be sent, because its sender has no route.
    pub fn probe(&mut self, probes: &[Probe]) -> Result<Vec<Fate>, SystemError> {
        let mut fates = Vec::with_capacity(probes.len());
        for burst in probes.chunks(BURST) {
            fates.extend(self.burst(burst)?);
        }
        Ok(fates)
    }

    fn burst(&mut self, probes: &[Probe]) -> Result<Vec<Fate>, SystemError> {
        let first = self.token.wrapping_add(1);
        let mut open = BTreeMap::new();
        for (place, probe) in probes.iter().enumerate() {
            self.token = self.token.wrapping_add(1);
            open.insert(self.token, place);
            let sender = match probe.from {
                Place::Pod => &self.from_pod,
                Place::Node => &self.from_node,
                Place::World => &self.from_world,
            };
            sender.send(&probe.packet, self.token)?;
        }
        debug_assert!(open.contains_key(&first), "every probe has a number");
        let mut fates = vec![Fate::Lost; probes.len()];
        self.collect(probes, &mut open, &mut fates)?;
        while !open.is_empty() {
            let descriptors: Vec<_> = self.sniffers.iter().map(|(_, sniffer)| sniffer.as_fd()).collect();
            if !event::wait(&descriptors, Some(self.patience))?.contains(&true) {
                break;
            }
            self.collect(probes, &mut open, &mut fates)?;
        }
        Ok(fates)
    }

    fn collect(
        &self,
        probes: &[Probe],
        open: &mut BTreeMap<u32, usize>,
        fates: &mut [Fate],
    ) -> Result<(), SystemError> {
        for (at, sniffer) in &self.sniffers {
            while let Some((link, arrival)) = sniffer.next()? {
                // On the node only what it sent to itself has arrived; the rest passes through.
                if *at == Place::Node && link != LOOPBACK {
                    continue;
                }
                let Some(place) = open.get(&arrival.token).copied() else { continue };
                // The number alone could be met by chance in somebody else's packet.
                let sent = probes.get(place).filter(|sent| sent.packet.protocol == arrival.packet.protocol);
                if let (Some(_), Some(fate)) = (sent, fates.get_mut(place)) {
                    *fate = Fate::Seen { at: *at, packet: arrival.packet };
                    open.remove(&arrival.token);
                }
            }
        }
        Ok(())
    }

    /// Opens a TCP connection from a place to an address in the world, says something and waits for the answer. Gives the source the
    /// world saw.
    ///
    /// # Errors
    ///
    /// The connection was refused or timed out, or the answer did not come back (EPROTO).
    pub fn connect(&mut self, from: Place, to: IpAddr) -> Result<IpAddr, SystemError> {
        let namespace = match from {
            Place::Pod => &self.pod,
            Place::Node => &self.node,
            Place::World => &self.world,
        };
        self.listener.connect(namespace, to)
    }
}
