//! Where the state of the cluster comes from: objects, and changes of them.
//!
//! Whoever gives them, a folder of files or a client of the API server, gives every object with the places it stands in, and later
//! those that changed. Nothing behind this knows of files.

use causeway_addr::Cidr;
use causeway_model::policy::{Policy, PolicyId};
use causeway_policy::{NodeInfo, PodInfo};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What names an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// A policy.
    Policy(PolicyId),
    /// A policy nobody here can evaluate: the namespace whose pods it may select, `None` = every one, and its kind and name.
    Unread(Option<String>, String),
    /// A namespace.
    Namespace(String),
    /// A node.
    Node(String),
    /// A pod: namespace, name.
    Pod(String, String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Policy(id) => write!(f, "{id}"),
            Key::Unread(_, name) => f.write_str(name),
            Key::Namespace(name) => write!(f, "Namespace/{name}"),
            Key::Node(name) => write!(f, "Node/{name}"),
            Key::Pod(namespace, name) => write!(f, "Pod/{namespace}/{name}"),
        }
    }
}

/// An object, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Object {
    /// What it says.
    Policy(Box<Policy>),
    /// It is there.
    Unread,
    /// Its labels.
    Namespace(BTreeMap<String, String>),
    /// It, and the ranges its pods take their addresses from.
    Node(NodeInfo, Vec<Cidr>),
    /// It.
    Pod(PodInfo),
}

/// An object as it is now, each time it is stated: where, and what is said there. None = it is gone.
pub(crate) type Stated = Vec<(String, Object)>;

/// How a source is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What it can't say at all, because that was never read: rules must not open anything for its silence.
    pub(crate) silent: Vec<String>,
    /// Ask again after this long, though nothing happens.
    pub(crate) again: Option<Duration>,
}

/// Where the state of the cluster comes from.
pub(crate) trait Source {
    /// Objects that changed since the last time, in no order that matters; the first time, all.
    fn changes(&mut self) -> Vec<(Key, Stated)>;

    /// How it is, as of then.
    fn standing(&self) -> Standing;
}
