//! What whoever enforces policies has to know of an index: who has which address, and what a class may do on every port.

use crate::classes::{At, ClassId, Who};
use crate::index::{Index, Pod, Seat};
use crate::rows::{Outcome, Row};
use causeway_addr::{Cidr, Family};
use causeway_model::design::Protocol;
use causeway_model::policy::Direction;
use std::net::IpAddr;

/// Ports on which a class has the same answers for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The protocol. ICMP stands for every one that has no ports.
    pub protocol: Protocol,
    /// The first port.
    pub first: u16,
    /// The last one.
    pub last: u16,
    /// The answers.
    pub outcome: &'a Outcome,
}

impl Index {
    /// Everybody whose address is known, by address.
    pub fn addresses(&self) -> impl Iterator<Item = (IpAddr, Seat)> + '_ {
        self.addresses.keys().filter_map(|address| Some((*address, self.seat_of_address(*address)?)))
    }

    /// Addresses of pods with a network of their own on a node, or of pods of which it is not known where they run; those with `true`
    /// are known to be there.
    pub fn pods_of_node<'a>(&'a self, node: &'a str) -> impl Iterator<Item = (IpAddr, bool)> + 'a {
        let pods = self.pods.values().flat_map(|pods| pods.values());
        let here =
            pods.filter(move |Pod { info, .. }| !info.host_network && info.node.as_deref().is_none_or(|on| on == node));
        here.flat_map(|Pod { info, .. }| info.ips.iter().map(|ip| (*ip, info.node.is_some())))
    }

    /// The prefixes policies ask about, and everything, with the class of their addresses that are neither a pod's nor a node's and in
    /// no longer prefix.
    pub fn outside(&self) -> Vec<(Cidr, ClassId)> {
        let mut out: Vec<(Cidr, ClassId)> = Vec::new();
        for (id, class) in self.classes.iter().filter(|(_, class)| class.key.who == Who::Outside) {
            match class.key.at {
                At::In(_, Some(cidr)) => out.push((cidr, id)),
                At::In(family, None) => out.push((family.everything(), id)),
                At::Somewhere(_) => {}
            }
        }
        // A policy that asks about everything has a class of its own for it, and nobody is left in the other.
        let asked = |family: Family| self.prefixes.iter().any(|(cidr, _)| cidr == family.everything());
        out.retain(|(cidr, id)| {
            let none = self.classes.get(*id).is_some_and(|class| matches!(class.key.at, At::In(_, None)));
            !(none && asked(cidr.family()))
        });
        out.sort_unstable();
        out
    }

    /// Whether a policy speaks of a class in a direction. Where none does, everything is let through.
    pub fn is_selected(&self, class: ClassId, direction: Direction) -> bool {
        let class = self.classes.get(class);
        class.and_then(|class| class.applies.get(direction as usize)).is_some_and(|applies| !applies.is_empty())
    }

    /// What a class may do, for all ports: as sender if the direction is egress, else as receiver.
    pub fn answers(&self, class: ClassId, direction: Direction) -> Vec<Answer<'_>> {
        let row = self.classes.get(class).and_then(|class| self.row(class, direction));
        let all = row.into_iter().flat_map(Row::stretches);
        all.map(|(protocol, first, last, outcome)| Answer { protocol, first, last, outcome }).collect()
    }
}
