//! Azure objects, as the command line prints them and as Resource Manager stores them, become a design tree.
//!
//! Three steps: [`recognise`] says whether a tree holds Azure objects, [`resources`] takes them out of whatever they were
//! wrapped in (lists, `{"value": []}`, Resource Graph answers, templates), [`translate`] makes one design tree of all of
//! them. Other importers (Terraform, what-if) make [`Resource`]s of what they read and share the last step, so there is one
//! translation from Resource Manager's words to ours.
//!
//! Nothing here depends on the order of the input: objects are found by their id, and everything printed is sorted.
//!
//! What an input says is translated, what it does not say stays away: defaults are the business of the meaning that the
//! design is given later. What is known to exist and not known in value is noted and, where saying nothing would mean
//! "there is none", said: a next hop is `unknown`, a route table or security group that was only referred to is
//! `known: false`, a subnet has no prefix.

mod aks;
mod disagree;
mod dns;
mod endpoints;
mod firewall;
mod inventory;
mod kind;
mod names;
mod nat;
mod network;
mod nic;
mod nsg;
mod occupancy;
mod peering;
mod public;
mod recognise;
mod resource;
mod routes;
mod rules;
mod settle;
mod translate;
mod unread;
mod unwrap;
mod value;

/// Resource Manager's name of the kind of clusters, in lower case.
pub(crate) const CLUSTER: &str = "microsoft.containerservice/managedclusters";

pub use kind::{Kind, WORDS, knows};
pub(crate) use network::PEERS_ADDRESSES;
pub use recognise::{Recognition, other_than, recognise};
pub use resource::{KnownLater, Resource, ResourceId};
pub(crate) use settle::settle;
pub use translate::{translate, translate_change};
pub use unwrap::resources;
