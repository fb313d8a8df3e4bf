//! Masquerade files: the configuration of ip-masq-agent-v2, of the agent it descends from, of Cilium's, and of AKS' merger.
//!
//! Two ways to read them. [`reference()`] does exactly what a program does: it accepts what that one accepts, refuses what it
//! refuses in the same words, and says what ends up in the kernel. [`strict()`] says what a careful operator would want to know
//! before: everything at once, with the bytes it is about, surprises included that the programs pass over.
//!
//! Nothing here knows a design file, so a node agent can use it as it is.
//!
//! Sources: Azure/ip-masq-agent-v2 (2025-09-05), kubernetes-sigs/ip-masq-agent (2026-06-11), Azure/azure-container-networking
//! (2026-08-20), cilium/cilium, Go's `encoding/json`, `flag` and `net` packages, sigs.k8s.io/yaml 1.4, iptables 1.8.9.

mod cidr;
mod fields;
mod flags;
mod given;
mod go;
mod json;
mod opened;
mod reading;
mod reference;
mod scalar;
mod strict;
mod value;
mod yaml;

pub use flags::{FlagError, Flags, known as known_flags, parse as parse_flags, takes_value};
pub use given::plain;
pub use opened::Opened;
pub use reading::{Surroundings, agent_arguments, outcome_of, read};
pub use reference::{
    Accepted, CONFIG_DIRECTORY, Directory, DirectoryEntry, FILE_PREFIX, MAX_ENTRIES, Rejected, SINGLE_FILE, Stage,
    outcome, reference, takes_part,
};
pub use strict::{Issue, strict};
