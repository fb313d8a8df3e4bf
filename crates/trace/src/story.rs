//! What a walk gathers on its way: hops, obstacles, what is not known, and what stateful hops remember.

use crate::answer::{Decision, Direction, Hop, Missing, Obstacle, Owner, Verdict};
use causeway_dataplane::packet::Packet;
use causeway_model::design::{ClusterName, FirewallName, NatGatewayName, NetworkName, NodeName, SubnetRef};
use std::net::IpAddr;

/// What a walk gathered so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story {
    /// Hops of the way there.
    pub forward: Vec<Hop>,
    /// Hops of the way back.
    pub reply: Vec<Hop>,
    /// Everything in the way.
    pub obstacles: Vec<Obstacle>,
    /// What is not known.
    pub missing: Vec<Missing>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// What rewrote the packet on its way there and will rewrite the answer, in order.
    pub rewrites: Vec<Rewrite>,
    /// Stateful hops the packet passed on its way there, with the packet as they saw it (after their own rewriting of it).
    pub passed: Vec<Passed>,
    /// The shortest idle timeout so far, in seconds.
    pub idle_timeout_seconds: Option<u64>,
    /// The smallest MTU so far, in bytes.
    pub mtu: Option<u32>,
    /// Stateful hops the answer passed.
    pub answered: Vec<Keeper>,
    /// The sender's own policies keep the packet from leaving it.
    pub kept_by_sender: bool,
    /// Something was not known before the request arrived, so what the receiver sees is not sure.
    pub doubted_on_the_way: bool,
}

/// Who keeps track of connections.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeper {
    /// A node's connection tracking.
    Node(ClusterName, NodeName),
    /// A firewall or appliance.
    Appliance(FirewallName),
    /// An appliance that is not described, by its address.
    UnknownAppliance(IpAddr),
    /// A NAT gateway.
    NatGateway(NatGatewayName),
    /// A cluster's load balancer, its outbound rules included.
    LoadBalancer(ClusterName),
    /// The platform, for a machine with a public address of its own, or default outbound access.
    Platform,
    /// The security group state of a machine's interface or a subnet: answers to what passed pass as well.
    Filter(SubnetRef),
}

/// A rewriting that is remembered and undone in the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// Who remembers it.
    pub keeper: Keeper,
    /// Who did it.
    pub by: Owner,
    /// The packet as it came.
    pub before: Packet,
    /// The packet as it went on.
    pub after: Packet,
    /// The network whose packets were rewritten, where the fabric did it: the answer goes back there.
    pub at: Option<NetworkName>,
}

/// A stateful hop that saw the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Who.
    pub keeper: Keeper,
    /// The packet as it went on.
    pub packet: Packet,
}

/// The same packet the other way round.
pub fn reversed(packet: &Packet) -> Packet {
    Packet {
        source: packet.destination,
        destination: packet.source,
        source_port: packet.destination_port,
        destination_port: packet.source_port,
        ..*packet
    }
}

impl Story {
    /// Notes a hop.
    pub fn hop(
        &mut self,
        direction: Direction,
        at: impl Into<String>,
        did: impl Into<String>,
        decision: (Owner, impl Into<String>),
        before: Packet,
        packet: Packet,
    ) {
        let (by, object) = decision;
        let hop = Hop { at: at.into(), did: did.into(), by, object: object.into(), before, packet };
        match direction {
            Direction::Forward => self.forward.push(hop),
            Direction::Reply => self.reply.push(hop),
        }
    }

    /// Notes an obstacle. The walk goes on as if it were not there, as far as that makes sense, so that every obstacle is found.
    pub fn obstacle(&mut self, direction: Direction, verdict: Verdict, decision: Decision, fix: impl Into<String>) {
        let firm = self.missing.is_empty();
        let met = match direction {
            Direction::Forward => self.forward.len(),
            Direction::Reply => self.reply.len(),
        };
        let same =
            |known: &Obstacle| known.direction == direction && known.verdict == verdict && known.decision == decision;
        if !self.obstacles.iter().any(same) {
            let obstacle = Obstacle { direction, verdict, decision, fix: fix.into(), firm, met };
            self.obstacles.push(obstacle);
        }
    }

    /// Notes a fact that is not known.
    pub fn lacks(&mut self, missing: Missing) {
        if !self.missing.contains(&missing) {
            self.missing.push(missing);
        }
    }

    /// Notes something worth knowing.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// A stateful hop forgets idle connections after so many seconds.
    pub fn idle_timeout(&mut self, seconds: u64) {
        self.idle_timeout_seconds = Some(self.idle_timeout_seconds.map_or(seconds, |known| known.min(seconds)));
    }

    /// Remembers a rewriting, on the way there.
    pub fn remember(&mut self, keeper: Keeper, by: Owner, before: Packet, after: Packet) {
        self.rewrites.push(Rewrite { keeper, by, before, after, at: None });
    }

    /// Remembers a rewriting of packets of a network, on the way there.
    pub fn remember_at(&mut self, at: Option<NetworkName>, keeper: Keeper, by: Owner, before: Packet, after: Packet) {
        self.rewrites.push(Rewrite { keeper, by, before, after, at });
    }

    /// A stateful hop sees the request.
    pub fn pass(&mut self, keeper: Keeper, packet: Packet) {
        self.passed.push(Passed { keeper, packet });
    }

    /// What an answer becomes at somebody who may have rewritten its request: the latest rewriting that the answer belongs to.
    pub fn undo(&self, keeper: &Keeper, answer: &Packet) -> Option<&Rewrite> {
        self.rewrites.iter().rev().find(|rewrite| rewrite.keeper == *keeper && reversed(&rewrite.after) == *answer)
    }

    /// Whether a stateful hop has seen the request of an answer.
    pub fn has_seen(&self, keeper: &Keeper, answer: &Packet) -> bool {
        self.passed.iter().any(|passed| passed.keeper == *keeper && reversed(&passed.packet) == *answer)
    }
}
