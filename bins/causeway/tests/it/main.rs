//! The whole command, as people and pipelines run it.

mod certificate;
mod commands;
mod examples;
mod formats;
mod import;
mod inputs;
mod pages;
mod schema;
mod support;
