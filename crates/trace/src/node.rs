//! What a node does to a packet: policies, services, translation of the source, delivery to its own pods and processes.
//!
//! The walk asks [`choices`] where service translation may send a packet, then [`leave`] for a packet of somebody on the node, or
//! [`arrive`] for one that came from outside. Both do all that is done on the node and say with an [`Exit`] where the packet goes next. What
//! a node remembers of a connection stands in the story under [`Machine::keeper`].
//!
//! Policies are asked on the way: the sender's in [`leave`], the receiver's in [`admit`], which [`leave`] and [`arrive`] call themselves before
//! they deliver to a pod.

mod admit;
mod arrive;
mod deliver;
mod leave;
mod machine;
mod rules;
mod services;

pub use admit::admit;
pub use arrive::arrive;
pub(crate) use arrive::arrive_served;
pub use leave::leave;
pub(crate) use leave::leave_served;
pub use machine::Machine;
pub use services::choices;
pub(crate) use services::{Serving, served_choices};

use crate::answer::{Decision, Missing};
use crate::fabric::Entry;
use causeway_dataplane::packet::Packet;
use causeway_model::design::{NodeName, Pod, Service};
use std::net::IpAddr;

/// Somebody on a node who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender<'a> {
    /// The node.
    pub machine: Machine<'a>,
    /// Who on it.
    pub process: Process<'a>,
}

/// Who sends or receives on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process<'a> {
    /// A pod with an address of its own; `None` = any pod, of which no labels are known.
    Pod(Option<&'a Pod>),
    /// A process of the node, or a pod on its network.
    Host,
}

/// Where service translation may send a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choices<'a> {
    /// It goes where it says.
    NotAService,
    /// To one of these, each as likely; never empty.
    Endpoints(Vec<Endpoint<'a>>),
    /// Nowhere: nobody stands behind the service, or not for this sender. [`leave`] and [`arrive`] say so in the story when they are given
    /// the packet without an endpoint.
    NoEndpoints(Decision),
    /// It can't be said.
    Unknown(Missing),
}

/// An endpoint of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint<'a> {
    /// The service.
    pub service: &'a Service,
    /// The pod; `None` = nobody who is described.
    pub pod: Option<&'a Pod>,
    /// The new destination.
    pub address: IpAddr,
    /// The new port.
    pub port: u16,
}

/// Where a packet goes from a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit<'a> {
    /// Into the network around the node.
    Fabric {
        /// The packet as it leaves.
        packet: Packet,
        /// Where it enters.
        entry: Entry<'a>,
    },
    /// To a pod of the cluster on another node, whose address no virtual network knows.
    Peer {
        /// The packet as it leaves.
        packet: Packet,
        /// How it gets there.
        via: Via,
        /// The receiver's node; `None` = it is not known.
        node: Option<&'a NodeName>,
        /// The receiver; `None` = nobody who is described.
        pod: Option<&'a Pod>,
        /// The node's own subnet: its security group sees the packet with the addresses of the pods.
        entry: Entry<'a>,
    },
    /// Delivered to a pod of this node.
    Pod {
        /// The packet as the pod gets it.
        packet: Packet,
        /// The pod; `None` = nobody who is described.
        pod: Option<&'a Pod>,
    },
    /// Delivered to this node: a process of it, or a pod on its network.
    Node {
        /// The packet as it is received.
        packet: Packet,
    },
    /// It ends here, and why stands in the story.
    Nowhere,
}

/// How pods outside the virtual network reach each other across nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// The platform's own routing domain: no route of the virtual network has a say.
    Overlay,
    /// The cluster's route table, which has a route for each node's block (kubenet).
    RouteTable,
}

#[cfg(test)]
mod tests;
