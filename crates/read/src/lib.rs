//! Text in: design files, masquerade files, Kubernetes, Azure and Terraform documents become the model.
//!
//! The way of a byte: text -> [`tree`] (every value knows its bytes) -> design tree -> document -> `Design`.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod azure;
mod belong;
pub mod diagnostic;
pub mod document;
mod expand;
mod exports;
pub mod files;
pub mod kind;
pub mod kubernetes;
pub mod load;
pub mod masquerade;
mod meaning;
mod merge;
mod terraform;
pub mod tree;
mod whatif;

pub use load::{Input, Loaded, Read, State, load, state};
