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

use crate::ruleset::{Ruleset, TableFamily, TableId};
use causeway_addr::{Cidr, Family};
use causeway_policy::Index;

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
    let of_family = |family| (table(family), rules::table(family, &rights::Rights::of(index, site, family)));
    Ruleset { tables: Family::ALL.into_iter().map(of_family).collect() }
}
