//! From one design to another: steps the platform refuses, and settings that can't change in place.
//!
//! Plans and what-if results carry both designs, so `check` answers from them directly.

mod cluster;
mod pool;
mod ranges;

use causeway_model::codes::{self, Code};
use causeway_model::design::{Cluster, Design};
use causeway_model::finding::Finding;

/// The codes of steps the platform refuses.
pub const CODES: &[Code] = &[
    codes::MIGRATION_BLOCKED,
    codes::OUTBOUND_CHANGE_UNSUPPORTED,
    codes::POD_CIDR_CHANGE_NOT_SUPERSET,
    codes::SERVICE_CIDR_IMMUTABLE,
];

/// One cluster before and after.
struct Pair<'a> {
    before: &'a Design,
    after: &'a Design,
    old: &'a Cluster,
    new: &'a Cluster,
    /// `clusters.NAME`, in the design after.
    path: String,
}

/// Everything the platform refuses on the way from one design to the other. Places are those of the design after the change.
/// Clusters are matched by name; one that is only on one side is created or deleted, which the platform allows.
pub fn check(before: &Design, after: &Design) -> Vec<Finding> {
    let mut out = Vec::new();
    for (name, new) in &after.clusters {
        let Some(old) = before.clusters.get(name) else { continue };
        let pair = Pair { before, after, old, new, path: format!("clusters.{name}") };
        cluster::mode(&pair, &mut out);
        cluster::dataplane(&pair, &mut out);
        cluster::outbound(&pair, &mut out);
        cluster::api_server(&pair, &mut out);
        cluster::network(&pair, &mut out);
        ranges::service_cidr(&pair, &mut out);
        ranges::pod_cidr(&pair, &mut out);
        pool::pools(&pair, &mut out);
    }
    ranges::subnets_in_use(before, after, &mut out);
    out
}
