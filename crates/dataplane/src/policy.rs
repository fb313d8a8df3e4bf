//! From what policies mean to the rules of one node.
//!
//! A packet costs the same whatever the number of policies: the address of the pod leads to the chain of all pods with the same
//! rights, there the address at the other end leads to the chain of all peers with the same ports, and there the port is looked up.
//! Each is one look into a hash; the one in the middle is done once per length of prefix that policies of the node tell apart.
//!
//! The questions are put to the connection a packet belongs to, not to the packet: who began it, who answers, on which port. So answers
//! pass because what began was let through, nothing passes for having passed before, and a connection that a change forbids ends
//! with its next packet in either direction.
//!
//! Packets between a node and its own pods pass other hooks, and are always let through: the API says so of them.

mod rights;
mod rules;
mod why;

use crate::ruleset::{Rate, Ruleset, TableFamily, TableId, numbered_chain};
use causeway_addr::{Cidr, Family};
use causeway_model::policy::Direction;
use causeway_policy::Index;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use rules::{DENIED_EGRESS, DENIED_INGRESS, DENIED_STRAY, DENIED_UNKNOWN, DENIED_WITHOUT_SYN};

/// The node rules are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its name, as pods say where they run.
    pub node: String,
    /// Ranges from which only pods of this node have addresses. A pod in them that is not known yet may send and receive nothing;
    /// empty = pods that are not known are let through.
    pub pod_ranges: Vec<Cidr>,
}

/// Denied packets that are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// The group of nfnetlink_log they are told to.
    pub group: u16,
    /// How many, in each family, whatever denies them.
    pub rate: Rate,
}

/// Why packets are denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// In this direction, seen from the pod.
    pub direction: Direction,
    /// The policies, by kind, namespace and name, in order. A rule of a tier that denies has one. Where a packet is denied because nothing
    /// allows it, these are all that isolate the pod in this direction: each of them, alone, would deny it too.
    pub policies: Vec<Arc<str>>,
    /// The counter of its packets.
    pub counter: String,
}

/// The rules of a node, and what its counters and samples stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Enforced {
    /// The rules.
    pub ruleset: Ruleset,
    /// By family and what a sample says. What is denied for another reason than policies says the name of its counter.
    pub reasons: BTreeMap<(Family, String), Reason>,
    /// Pods of the node that policies speak of, by direction, in either family.
    pub selected: [usize; 2],
}

/// The table that holds the rules of a family.
pub fn table(family: Family) -> TableId {
    let family = match family {
        Family::V4 => TableFamily::Ip,
        Family::V6 => TableFamily::Ip6,
    };
    TableId { family, name: "causeway-policy".to_owned() }
}

/// The rules of a node. What the index is not certain of is not let through.
pub fn compile(index: &Index, site: &Site) -> Ruleset {
    enforce(index, site, None).ruleset
}

/// The same, with what its counters stand for, and a sample of what is denied told of.
pub fn enforce(index: &Index, site: &Site, sampling: Option<&Sampling>) -> Enforced {
    let mut enforced = Enforced::default();
    for family in Family::ALL {
        let rights = rights::Rights::of(index, site, family);
        enforced.ruleset.tables.insert(table(family), rules::table(family, &rights, sampling));
        for (direction, selected) in Direction::ALL.into_iter().zip(&mut enforced.selected) {
            let groups = rights.groups.iter().filter(|group| group.direction == direction);
            *selected += groups.map(|group| group.pods.len()).sum::<usize>();
        }
        for (number, why) in rights.reasons {
            let reason = Reason { direction: why.direction, policies: why.policies, counter: rules::counter(number) };
            enforced.reasons.insert((family, numbered_chain(number)), reason);
        }
    }
    enforced
}
