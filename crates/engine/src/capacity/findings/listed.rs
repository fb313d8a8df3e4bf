//! More nodes listed than their pool is said to have.

use super::super::demand;
use super::many;
use causeway_model::codes;
use causeway_model::design::Design;
use causeway_model::finding::Finding;

/// The exports are of different days, or of different clusters: what is counted here counts.
pub(super) fn check(design: &Design, out: &mut Vec<Finding>) {
    for (name, cluster) in &design.clusters {
        for (pool_name, pool) in &cluster.pools {
            let listed = demand::listed(cluster, pool_name);
            let Some(most) = demand::outgrown(pool, listed) else { continue };
            let message = format!(
                "pool `{pool_name}` of `{name}` is said to have {} at most, and {listed} of its nodes are listed",
                many(most, "node", "nodes")
            );
            out.push(
                Finding::new(codes::EXPORTS_DISAGREE, format!("clusters.{name}.pools.{pool_name}.nodes"), message)
                    .help("export the cluster and its nodes again, on the same day; until then room is judged with the nodes listed")
                    .on(pool_name)
                    .evidence(format!("an upgrade of {most} adds {}", demand::surge_nodes(pool, most)))
                    .related(format!("clusters.{name}.nodes"), "the nodes"),
            );
        }
    }
}
