//! Text in: design files, masquerade files, Kubernetes, Azure and Terraform documents become the model.
//!
//! The way of a byte: text -> [`tree`] (every value knows its bytes) -> design tree -> document -> `Design`.

pub mod azure;
pub mod diagnostic;
pub mod files;
mod suggest;
pub mod tree;
