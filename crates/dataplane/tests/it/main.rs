//! Promises that hold whatever the configuration, the packet and the state of the kernel.

mod fates;
mod generate;
mod iptables;
mod iptables_promises;
mod plans;
