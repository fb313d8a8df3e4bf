//! What a node's kernel should do with packets, as plain data.
//!
//! A configuration is compiled once, into a [`ruleset::Ruleset`]. Three users read the same value: [`evaluate`] walks a packet
//! through it, [`nftables`] turns it into the objects nf_tables holds and plans the way there from what a kernel holds
//! now, and [`iptables`] writes the same as the chain people know.
//!
//! Nothing here touches a kernel, a clock or a file; the same input gives the same bytes.

pub mod cni;
pub mod evaluate;
pub mod iptables;
pub mod masquerade;
pub mod nftables;
pub mod packet;
pub mod policy;
pub mod prefixes;
pub mod ruleset;
pub mod services;
pub mod unmarked;
