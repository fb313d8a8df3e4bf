//! Azure objects, as the command line prints them and as Resource Manager stores them, become a design tree.
//!
//! Three steps: [`recognise`] says whether a tree holds Azure objects, [`resources`] takes them out of whatever they were
//! wrapped in (lists, `{"value": []}`, Resource Graph answers, templates), [`translate`] makes one design tree of all of
//! them. Other importers (Terraform, what-if) make [`Resource`]s of what they read and share the last step, so there is one
//! translation from Resource Manager's words to ours.
//!
//! Nothing here depends on the order of the input: objects are found by their id, and everything printed is sorted.

mod resource;

pub use resource::{KnownLater, Resource, ResourceId};
