//! Life cycle: what retires, what does not go together, subnets and engines that are used in ways the platform refuses.

mod combination;
mod enforcement;
mod pools;
mod retiring;
mod subnets;

use crate::Context;
use causeway_model::design::{Cluster, Os};
use causeway_model::facts::About;
use causeway_model::finding::Finding;

/// All checks of the life cycle.
pub fn check(cx: &Context, out: &mut Vec<Finding>) {
    let users = pools::users(cx.design);
    for (name, cluster) in &cx.design.clusters {
        let path = format!("clusters.{name}");
        retiring::check(cx, &path, cluster, out);
        combination::check(cx, &path, cluster, out);
        pools::check(cx.design, &path, cluster, &users, out);
        enforcement::check(cx, &path, cluster, out);
    }
    subnets::check(cx, out);
}

/// A finding that rests on a fact.
fn cited(finding: Finding, about: About) -> Finding {
    finding.evidence(about.to_string()).since(about.as_of)
}

fn has_windows(cluster: &Cluster) -> bool {
    cluster.pools.values().any(|pool| pool.os == Os::Windows)
}
