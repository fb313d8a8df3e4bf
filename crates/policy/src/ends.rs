//! What the index is told, and what it is asked.

use causeway_addr::{Cidr, Family};
use causeway_model::design::Protocol;
use causeway_model::policy::{Policy, PolicyId};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// A change of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A namespace is there, with these labels. Every namespace has `kubernetes.io/metadata.name` besides.
    Namespace(String, BTreeMap<String, String>),
    /// It is gone.
    NamespaceGone(String),
    /// A node is there.
    Node(NodeInfo),
    /// It is gone.
    NodeGone(String),
    /// A pod is there. One that has ended is gone.
    Pod(PodInfo),
    /// It is gone: namespace, name.
    PodGone(String, String),
    /// A policy is there.
    Policy(Policy),
    /// It is gone.
    PolicyGone(PolicyId),
}

/// A pod, as far as policies see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodInfo {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its addresses; empty = not known yet.
    pub ips: Vec<IpAddr>,
    /// The node it runs on, if known.
    pub node: Option<String>,
    /// It uses the node's network: to policies it is the node.
    pub host_network: bool,
    /// Ports by name.
    pub ports: BTreeMap<String, (Protocol, u16)>,
}

/// A node, as far as policies see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeInfo {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its addresses.
    pub ips: Vec<IpAddr>,
}

/// One end of a flow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A pod: namespace, name.
    Pod(String, String),
    /// A node by name.
    Node(String),
    /// Whoever has the address.
    Address(IpAddr),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Pod(namespace, name) => write!(f, "pod/{namespace}/{name}"),
            End::Node(name) => write!(f, "node/{name}"),
            End::Address(address) => write!(f, "{address}"),
        }
    }
}

/// The first packet of a connection, as it is where policies are asked: after every translation. Replies are not asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Who sends.
    pub from: End,
    /// Who receives.
    pub to: End,
    /// The protocol.
    pub protocol: Protocol,
    /// The destination port; of protocols without ports 0.
    pub port: u16,
    /// The address family where the ends leave it open; `None` = the first one both have.
    pub family: Option<Family>,
}

/// Where pods' addresses come from: what a block means for a pod whose address is not known yet.
pub type PodRanges = Vec<Cidr>;

/// What becomes of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Policies let it through.
    Allowed,
    /// A policy drops it.
    Denied,
    /// It depends on something that is not known.
    Uncertain,
}

impl Verdict {
    /// Of two verdicts that both have to allow.
    #[must_use]
    pub fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Denied, _) | (_, Verdict::Denied) => Verdict::Denied,
            (Verdict::Uncertain, _) | (_, Verdict::Uncertain) => Verdict::Uncertain,
            _ => Verdict::Allowed,
        }
    }

    /// `allowed`, `denied` or `uncertain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Allowed => "allowed",
            Verdict::Denied => "denied",
            Verdict::Uncertain => "uncertain",
        }
    }

    /// As a matrix shows it: `.`, `X` or `?`.
    pub fn symbol(self) -> char {
        match self {
            Verdict::Allowed => '.',
            Verdict::Denied => 'X',
            Verdict::Uncertain => '?',
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
