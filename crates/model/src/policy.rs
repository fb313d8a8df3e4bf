//! Policies as they were written, typed: NetworkPolicy, ClusterNetworkPolicy, AdminNetworkPolicy and
//! BaselineAdminNetworkPolicy in one shape. What they mean together is the room `policy`'s.
//!
//! Sources: the API types of networking.k8s.io/v1 and of policy.networking.k8s.io v1alpha1 and v1alpha2 (November 2026).

mod selector;

pub use selector::{Operator, Requirement, Selector};

use crate::design::value::Protocol;
use causeway_addr::Cidr;
use std::fmt;

/// A policy that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What names it.
    pub id: PolicyId,
    /// Where it stands among the others.
    pub tier: PolicyTier,
    /// Within its tier, lower first, 0 to 1000; NetworkPolicies and the baseline policy of v1alpha1 have none: 0.
    pub priority: u32,
    /// The pods it is about; never pods on the host network.
    pub subject: PodSet,
    /// Rules for what comes in; `None` = it says nothing about that direction. A NetworkPolicy with an empty list lets nothing in.
    pub ingress: Option<Vec<PolicyRule>>,
    /// Rules for what goes out; the same.
    pub egress: Option<Vec<PolicyRule>>,
    /// What could not be read. A rule it is in fails closed: Accept matches nothing, Deny and Pass deny everything.
    pub faults: Vec<Fault>,
}

/// Kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyId {
    /// The kind.
    pub kind: PolicyKind,
    /// The namespace of a NetworkPolicy; `None` for the others.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}

/// Kinds that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// networking.k8s.io/v1.
    NetworkPolicy,
    /// policy.networking.k8s.io/v1alpha2.
    ClusterNetworkPolicy,
    /// policy.networking.k8s.io/v1alpha1.
    AdminNetworkPolicy,
    /// policy.networking.k8s.io/v1alpha1.
    BaselineAdminNetworkPolicy,
}

impl PolicyKind {
    /// The word Kubernetes has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyKind::NetworkPolicy => "NetworkPolicy",
            PolicyKind::ClusterNetworkPolicy => "ClusterNetworkPolicy",
            PolicyKind::AdminNetworkPolicy => "AdminNetworkPolicy",
            PolicyKind::BaselineAdminNetworkPolicy => "BaselineAdminNetworkPolicy",
        }
    }

    /// The kind of a word in a group of the API, in any version.
    pub fn of(api_version: &str, word: &str) -> Option<PolicyKind> {
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        match (group, word) {
            ("networking.k8s.io" | "extensions", "NetworkPolicy") => Some(PolicyKind::NetworkPolicy),
            ("policy.networking.k8s.io", "ClusterNetworkPolicy") => Some(PolicyKind::ClusterNetworkPolicy),
            ("policy.networking.k8s.io", "AdminNetworkPolicy") => Some(PolicyKind::AdminNetworkPolicy),
            ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy") => Some(PolicyKind::BaselineAdminNetworkPolicy),
            _ => None,
        }
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Tiers, in the order they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyTier {
    /// First match decides, and nothing below is asked.
    Admin,
    /// A pod that is selected gets what any rule allows and nothing else.
    NetworkPolicy,
    /// Asked for pods that no NetworkPolicy selects.
    Baseline,
}

impl fmt::Display for PolicyTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            PolicyTier::Admin => "Admin",
            PolicyTier::NetworkPolicy => "NetworkPolicy",
            PolicyTier::Baseline => "Baseline",
        })
    }
}

/// Seen from the pod a policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the pod.
    Ingress,
    /// From the pod.
    Egress,
}

impl Direction {
    /// Both.
    pub const ALL: [Direction; 2] = [Direction::Ingress, Direction::Egress];

    /// `ingress` or `egress`.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Policy {
    /// The rules of a direction; `None` = it says nothing about it.
    pub fn rules(&self, direction: Direction) -> Option<&[PolicyRule]> {
        match direction {
            Direction::Ingress => self.ingress.as_deref(),
            Direction::Egress => self.egress.as_deref(),
        }
    }
}

/// What a rule does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Lets it through.
    Accept,
    /// Drops it.
    Deny,
    /// Leaves it to the next tier.
    Pass,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Action::Accept => "Accept",
            Action::Deny => "Deny",
            Action::Pass => "Pass",
        })
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRule {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// What it does; rules of NetworkPolicies accept.
    pub action: Action,
    /// Who is at the other end.
    pub peers: Peers,
    /// Which ports of the destination; `None` = all, of every protocol.
    pub ports: Option<Vec<PolicyPort>>,
    /// Something in it could not be read: it fails closed.
    pub faulty: bool,
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peers {
    /// Anybody. `stated` = an empty list was written, rather than nothing; Azure NPM tells the two apart.
    Anyone {
        /// An empty list stands there.
        stated: bool,
    },
    /// Any of these.
    Of(Vec<Peer>),
}

/// One peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// Pods that are not on the host network.
    Pods(PodSet),
    /// Addresses, pods' and nodes' among them where the engine sees it that way.
    Block(IpBlock),
    /// Nodes by label: their addresses.
    Nodes(Selector),
    /// Whatever these names resolve to, outside.
    Names(Vec<String>),
}

/// Who a policy is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Pods.
    Pods(PodSet),
    /// Nodes by label, and what shares their network.
    Nodes(Selector),
}

/// Pods by namespace and label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodSet {
    /// The namespaces.
    pub namespaces: Namespaces,
    /// The pods in them.
    pub pods: Selector,
}

/// Namespaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Namespaces {
    /// This one, by name: the policy's own.
    Named(String),
    /// By label.
    Matching(Selector),
}

/// A prefix with holes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IpBlock {
    /// The prefix.
    pub cidr: Cidr,
    /// Prefixes in it that do not count.
    pub except: Vec<Cidr>,
}

impl fmt::Display for IpBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cidr)?;
        for (at, except) in self.except.iter().enumerate() {
            write!(f, "{}{except}", if at == 0 { " except " } else { ", " })?;
        }
        Ok(())
    }
}

/// Ports of the destination.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyPort {
    /// From first to last, both included.
    Range {
        /// TCP, UDP or SCTP.
        protocol: Protocol,
        /// The first port.
        first: u16,
        /// The last one.
        last: u16,
        /// The last one was stated by `endPort`: engines differ in reading it.
        by_end_port: bool,
    },
    /// Every port of a protocol.
    All(Protocol),
    /// A port of the destination pod by its name.
    Named {
        /// TCP, UDP or SCTP; `None` = whichever the pod's port has.
        protocol: Option<Protocol>,
        /// The name.
        name: String,
    },
}

/// Something in a policy that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Dotted path within the object, as `spec.ingress.0.from.1.ipBlock.cidr`.
    pub path: String,
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
}
