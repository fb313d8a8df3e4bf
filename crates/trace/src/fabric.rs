//! Everything between machines: filters, routes, peerings, gateways and sites, firewalls, NAT gateways, load balancers, the internet.
//!
//! A packet enters at an interface and is carried until somebody holds its destination, or nobody does. The same walk serves both
//! directions; on the way back stateful hops ask what they saw ([`crate::story::Story`]).

use crate::world::Holder;
use causeway_model::design::*;

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
    /// (`enter`); for everybody else they were.
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
