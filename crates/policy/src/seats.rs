//! Who has an address, and who is next to whom.

use crate::classes::{At, Class, ClassKey, Who};
use crate::index::{Index, Seat};
use crate::rules::Compiled;
use crate::sets::Member;
use causeway_addr::{Cidr, Family};
use causeway_model::policy::Direction;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Where somebody nobody knows may be a pod or a node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unseen {
    /// Ranges of nodes.
    pub(crate) nodes: Vec<Cidr>,
    /// Addresses of others in the ranges of pods or nodes.
    pub(crate) others: BTreeSet<IpAddr>,
}

impl Index {
    /// The index for questions about any address: one in the range of pods or in one of these, which nodes have, is a pod or node nobody
    /// has seen, unless it is among `others`. Without this, what nobody has is outside.
    #[must_use]
    pub fn with_ranges_of_nodes(mut self, nodes: Vec<Cidr>, others: BTreeSet<IpAddr>) -> Index {
        let prefixes: Vec<Cidr> = self.prefixes().collect();
        self.unseen = Some(Unseen { nodes, others });
        let nowhere = Family::ALL.map(|family| At::In(family, None));
        let all = prefixes.iter().map(|prefix| At::In(prefix.family(), Some(*prefix))).chain(nowhere);
        for at in all {
            for who in self.unseen_in(&at) {
                self.hold(ClassKey { who, at: at.clone() });
            }
        }
        self
    }

    /// The classes of addresses somewhere that are no pod's or node's that is known.
    fn unseen_in(&self, at: &At) -> Vec<Who> {
        let At::In(family, prefix) = at else { return Vec::new() };
        let Some(Unseen { nodes, .. }) = &self.unseen else { return Vec::new() };
        let around = prefix.unwrap_or_else(|| family.everything());
        let meets = |ranges: &[Cidr]| ranges.iter().any(|range| range.overlaps(&around));
        let (pods, nodes) = (meets(&self.pod_ranges), meets(nodes));
        let kinds = [(true, false, pods), (false, true, nodes), (true, true, pods && nodes)];
        kinds.into_iter().filter(|(.., there)| *there).map(|(pod, node, _)| Who::Unseen { pod, node }).collect()
    }

    pub(crate) fn hold_outside(&mut self, at: &At) {
        for who in [vec![Who::Outside], self.unseen_in(at)].concat() {
            self.hold(ClassKey { who, at: at.clone() });
        }
    }

    pub(crate) fn release_outside(&mut self, at: &At) {
        for who in [vec![Who::Outside], self.unseen_in(at)].concat() {
            if let Some(class) = self.classes.find(&ClassKey { who, at: at.clone() }) {
                self.release(class);
            }
        }
    }

    /// Ranges in which somebody nobody knows may be a pod or a node.
    pub(crate) fn ranges_of_unseen(&self) -> Vec<Cidr> {
        let nodes = self.unseen.iter().flat_map(|unseen| unseen.nodes.iter());
        let pods = self.pod_ranges.iter().filter(|_| self.unseen.is_some());
        pods.chain(nodes).copied().collect()
    }

    pub(crate) fn seat_of_address(&self, address: IpAddr) -> Option<Seat> {
        if let Some((_, seat)) = self.addresses.get(&address) {
            return Some(*seat);
        }
        let family = Family::of(address);
        if let Some((namespace, name)) = self.on_host.get(&address).and_then(BTreeSet::first) {
            let seats = &self.pod(namespace, name)?.seats;
            return seats.iter().find(|(known, _)| *known == family).map(|(_, seat)| *seat);
        }
        let in_any = |ranges: &[Cidr]| ranges.iter().any(|range| range.contains(address));
        let unseen = self.unseen.as_ref().filter(|unseen| !unseen.others.contains(&address));
        let (pod, node) = unseen.map_or((false, false), |unseen| (in_any(&self.pod_ranges), in_any(&unseen.nodes)));
        let who = if pod || node { Who::Unseen { pod, node } } else { Who::Outside };
        let class = self.classes.find(&ClassKey { who, at: self.at(address) })?;
        Some(Seat { class, policed: false, on_host: false, node: None })
    }

    /// Where an address sits if it is outside, for one that may be.
    pub(crate) fn if_outside(&self, seat: Seat) -> Option<Seat> {
        let key = &self.classes.get(seat.class)?.key;
        if !matches!(key.who, Who::Unseen { .. }) {
            return None;
        }
        let class = self.classes.find(&ClassKey { who: Who::Outside, at: key.at.clone() })?;
        Some(Seat { class, ..seat })
    }

    /// Whether one is a pod and the other its own node.
    pub(crate) fn next_to(&self, one: &Seat, other: &Seat) -> Member {
        let (pod, host) = match (one.policed, other.policed) {
            (true, false) => (one, other),
            (false, true) => (other, one),
            _ => return Member::No,
        };
        if !host.on_host {
            let class = self.classes.get(host.class).map(|class| &class.key);
            let Some(ClassKey { who: Who::Unseen { node: true, .. }, at }) = class else { return Member::No };
            // A node with an address of that family has no other one.
            let own = pod.node.and_then(|node| self.nodes.get(self.words.text(node)));
            let told = own.is_some_and(|node| node.ips.iter().any(|ip| Family::of(*ip) == at.family()));
            return if told { Member::No } else { Member::Maybe };
        }
        match (pod.node, host.node) {
            (Some(one), Some(other)) if one == other => Member::Yes,
            (Some(_), Some(_)) => Member::No,
            _ => Member::Maybe,
        }
    }

    /// Whether policies may say something of what an end does: pods, a pod nobody has seen, and nodes that a policy nobody evaluates
    /// selects.
    pub(crate) fn is_spoken_of(&self, seat: Seat, direction: Direction) -> bool {
        seat.policed || self.classes.get(seat.class).is_some_and(|class| self.may_be_spoken_of(class, direction))
    }

    /// The same of what is no pod that is known.
    pub(crate) fn may_be_spoken_of(&self, class: &Class, direction: Direction) -> bool {
        match class.key.who {
            Who::Unseen { pod, .. } => (pod && self.has_policies(direction)) || !self.unread_of(class).is_empty(),
            Who::Node { .. } | Who::UnknownNode => !self.unread_of(class).is_empty(),
            _ => false,
        }
    }

    /// Whether any policy that is enforced is about a direction.
    fn has_policies(&self, direction: Direction) -> bool {
        let about = |policy: &Compiled| policy.rules.get(direction as usize).is_some_and(Option::is_some);
        self.policies.iter().flatten().any(|policy| policy.enforced && about(policy))
    }
}
