//! What whoever enforces policies has to know of an index: who has which address, and what a class may do on every port.

use crate::classes::{At, ClassId, Who};
use crate::index::{Index, Pod, Seat};
use crate::rows::{Outcome, Row};
use causeway_addr::{Cidr, Family};
use causeway_model::design::Protocol;
use causeway_model::policy::{Direction, PolicyTier};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

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
    /// Everybody whose address is known, by address: pods, nodes, and pods on the network of a node that is not known itself, or not
    /// by this address.
    pub fn addresses(&self) -> impl Iterator<Item = (IpAddr, Seat)> + '_ {
        let all: BTreeSet<IpAddr> = self.addresses.keys().chain(self.on_host.keys()).copied().collect();
        all.into_iter().filter_map(|address| Some((address, self.seat_of_address(address)?)))
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

    /// Whether a policy speaks of a class in a direction, or may: one that nobody has evaluated. Where none does, everything is let
    /// through.
    pub fn is_selected(&self, class: ClassId, direction: Direction) -> bool {
        let class = self.classes.get(class);
        let applies = class.and_then(|class| class.applies.get(direction as usize));
        applies.is_some_and(|applies| !applies.is_empty())
            || class.is_some_and(|class| !self.unread_of(class).is_empty())
    }

    /// What tells a class of pods from the others, in words: its namespace, the labels and ports that policies ask about, and where its
    /// addresses lie. It does not depend on the order in which things became known.
    pub fn name_of(&self, class: ClassId) -> String {
        let Some(key) = self.classes.get(class).map(|class| &class.key) else { return String::new() };
        let Who::Pod { labels, ports, .. } = &key.who else { return format!("{:?}", key.at) };
        let text = |word: &crate::words::Word| self.words.text(*word);
        let namespace = self.space(key).map_or("", |space| text(&space.name));
        let mut parts: Vec<String> =
            labels.iter().map(|(key, value)| format!("{}={}", text(key), text(value))).collect();
        parts.extend(ports.iter().map(|(name, protocol, port)| format!("{}:{protocol:?}/{port}", text(name))));
        parts.sort();
        format!("{namespace} {} {:?}", parts.join(" "), key.at)
    }

    /// Whether a rule of a tier may deny a class something, in a direction.
    pub fn has_deniers(&self, class: ClassId, direction: Direction) -> bool {
        let Some(class) = self.classes.get(class) else { return false };
        self.rules_of(class, direction).any(|(policy, _)| policy.source.tier != PolicyTier::NetworkPolicy)
    }

    /// Everyone because of whom a class has nothing it is not given, in a direction: the NetworkPolicies that select it, and policies that
    /// nobody has evaluated. By name, in order.
    pub fn isolated_by(&self, class: ClassId, direction: Direction) -> Vec<Arc<str>> {
        let Some(class) = self.classes.get(class) else { return Vec::new() };
        let policies = self.rules_of(class, direction).map(|(policy, _)| policy);
        let policies = policies.filter(|policy| policy.source.tier == PolicyTier::NetworkPolicy);
        let mut names: Vec<Arc<str>> = policies.map(|policy| policy.name.clone()).collect();
        names.extend(self.unread_of(class).into_iter().map(Arc::from));
        names.sort();
        names
    }

    /// What a class may do, for all ports: as sender if the direction is egress, else as receiver.
    pub fn answers(&self, class: ClassId, direction: Direction) -> Vec<Answer<'_>> {
        let row = self.classes.get(class).and_then(|class| self.row(class, direction));
        let all = row.into_iter().flat_map(Row::stretches);
        all.map(|(protocol, first, last, outcome)| Answer { protocol, first, last, outcome }).collect()
    }
}
