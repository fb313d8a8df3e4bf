//! The platform's own arithmetic: how many addresses, blocks, surge nodes and SNAT ports things take.
//!
//! Pure functions over plain numbers; every formula names the fact it comes from. Nothing here overflows or panics: sums
//! and products saturate at the largest number, which is always "too many", and a question without an answer
//! (a prefix longer than 32, more nodes than any range holds) gives `None`.
//!
//! | file | what |
//! |---|---|
//! | `subnet` | addresses of a prefix, reserved ones, first and last assignable, smallest prefix for a need, node subnets by mode, gateway and API server subnets |
//! | `pods` | overlay and kubenet node blocks, static blocks, maxPods against the pool's minimum |
//! | `batches` | dynamic allocation: what a node holds for so many pods, and after a peak |
//! | `surge` | surge nodes of a pool |
//! | `snat` | ports per node, nodes per port count, addresses needed, NAT gateway and firewall ports |

pub mod batches;
pub mod pods;
pub mod snat;
pub mod subnet;
pub mod surge;
