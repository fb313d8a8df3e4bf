//! Everything between machines: filters, routes, peerings, gateways and sites, firewalls, NAT gateways, load balancers, the internet.
//!
//! A packet enters at an interface and is carried until somebody holds its destination, or nobody does. The same walk serves both
//! directions; on the way back stateful hops ask what they saw ([`crate::story::Story`]).
//!
//! | file | what |
//! |---|---|
//! | `routes` | effective routes of a subnet |
//! | `walk` | from hop to hop |
//! | `filter` | security groups |
//! | `appliance` | firewalls and other appliances |
//! | `outbound` | from a network to the internet: whose address is seen |
//! | `inbound` | from the internet to public addresses |
//! | `site` | on-premises sites: what they know, what they are told |
//! | `gap` | why there is no route, and where the packet would go if there were |

mod appliance;
mod filter;
mod gap;
mod inbound;
mod outbound;
pub(crate) mod routes;
mod site;
mod walk;

pub(crate) use appliance::owner as owner_of_appliance;

#[cfg(test)]
mod tests;

use crate::answer::{Direction, Owner, Verdict};
use crate::node::Machine;
use crate::story::Story;
use crate::world::{Holder, World};
use causeway_dataplane::packet::Packet;
use causeway_model::design::{ClusterName, NetworkName, PoolName, Service, SubnetName};
use std::net::IpAddr;

/// Who puts a packet into the fabric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The network the interface is in.
    pub network: &'a NetworkName,
    /// The subnet that owns the packet's source address: its route table, security group and NAT gateway apply. `None` = the address is in
    /// no described subnet of the network.
    pub subnet: Option<&'a SubnetName>,
    /// Who sends; `None` = somebody nobody described.
    pub who: Option<Holder<'a>>,
    /// The node's cluster and pool, where a node sends (for itself or for a pod): outbound type and public addresses of nodes hang on them.
    pub pool: Option<(&'a ClusterName, &'a PoolName)>,
}

/// Where a packet ended up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival<'a> {
    /// At an interface in a network. For a [`Holder::Frontend`] inbound filters of the node that gets it are still to be asked
    /// (`enter`); for everybody else they were. With a destination in a kubenet cluster's pod range the holder is the pod, or the node
    /// whose block it is in.
    At {
        /// The network.
        network: &'a NetworkName,
        /// The subnet the destination address is in.
        subnet: Option<&'a SubnetName>,
        /// Who holds the address; `None` = nobody who is described.
        holder: Option<Holder<'a>>,
    },
    /// At a machine on the internet; `None` = one nobody described.
    Internet(Option<Holder<'a>>),
    /// At a machine of a site; `None` = one nobody described.
    Site(&'a NetworkName, Option<Holder<'a>>),
    /// At a service of the platform: DNS (168.63.129.16) or instance metadata (169.254.169.254).
    Platform,
    /// Nowhere: what stopped it is noted in the story, and there is no way to go on as if it had not.
    Nowhere,
}

/// Carries a packet from an interface to whoever holds its destination.
///
/// Where the public address a packet leaves with is not known, the source becomes the unspecified address (`0.0.0.0`, `::`): nobody's, and
/// a rewriting is remembered all the same, so answers find their way.
pub fn carry<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    entry: Entry<'a>,
    packet: Packet,
) -> (Arrival<'a>, Packet) {
    walk::Walk { world, story, direction }.leave(entry, packet)
}

/// A load balancer hands a packet to a node: the filters in front of it. The packet still has the frontend's address, which load balancers
/// do not rewrite (floating IP).
pub(crate) fn enter<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    machine: &Machine<'a>,
    network: &'a NetworkName,
    service: &'a Service,
    packet: &Packet,
) {
    let entry = machine.entry(world, packet.family());
    let (network, subnet) = entry.map_or((network, None), |entry| (entry.network, entry.subnet));
    let mut walk = walk::Walk { world, story, direction };
    walk.enter(network, subnet, (machine.cluster, service), packet);
    let at = format!("load balancer of {}", machine.cluster);
    let did = format!("handed to {}", machine.words());
    walk.story.hop(direction, at, did, (Owner::LoadBalancer, String::new()), *packet, *packet);
}

/// Asks the filters of the subnets between two nodes whose packets cross the network without any of its routes: an overlay's, which are not
/// encapsulated (azure-facts `mode.overlay.encapsulation`).
pub(crate) fn between_nodes<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    entry: Entry<'a>,
    there: Option<Entry<'a>>,
    packet: &Packet,
) {
    let mut walk = walk::Walk { world, story, direction };
    walk.filters_out(entry.network, entry.subnet, None, packet);
    if let Some(there) = there {
        walk.filters_in(there.network, there.subnet, None, packet);
    }
    let at = walk::place(entry.network, entry.subnet);
    let did = "carried to the other node as it is";
    walk.story.hop(direction, at, did, (Owner::SystemRoute, String::new()), *packet, *packet);
}

/// A packet of a machine on the internet.
pub fn from_internet<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    _who: Option<Holder<'a>>,
    packet: Packet,
) -> (Arrival<'a>, Packet) {
    walk::Walk { world, story, direction }.in_from_internet(packet)
}

/// A packet of a machine of a site.
pub fn from_site<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    site: &'a NetworkName,
    _who: Option<Holder<'a>>,
    packet: Packet,
) -> (Arrival<'a>, Packet) {
    walk::Walk { world, story, direction }.out_of_site(site, packet)
}

/// The address nobody has: a public one that is not known.
fn nobody(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// What becomes of a flow whose packet is stopped in that direction.
fn stopped(direction: Direction) -> Verdict {
    match direction {
        Direction::Forward => Verdict::Dropped,
        Direction::Reply => Verdict::ReplyLost,
    }
}
