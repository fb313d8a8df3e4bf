//! The only room that talks to the kernel. It speaks the plain data of `causeway-dataplane` and has no opinion about what is allowed.

pub mod conntrack;
pub mod event;
pub mod iptables;
pub mod namespace;
pub mod netlink;
pub mod network;
pub mod nflog;
pub mod nftables;
pub mod signal;
pub mod sysctl;
pub mod system;
pub mod watch;
