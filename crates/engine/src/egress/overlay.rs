//! Routes for the pods of an overlay: the platform carries their packets itself, and needs none.

use super::ground::Ground;
use crate::say::{cited, listed, plural};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::ModeFacts;
use causeway_model::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};

/// Routes that are wider than the pod range are for everything else in it: a default route, or all private addresses to a firewall.
/// The platform has such routes of its own (`10.0.0.0/8` to nowhere), and pods reach each other all the same.
pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    let mut found: BTreeMap<&RouteTableName, (BTreeSet<usize>, BTreeSet<&ClusterName>)> = BTreeMap::new();
    let clusters = || ground.design.clusters.iter();
    for (name, cluster) in clusters().filter(|(_, cluster)| cluster.mode == Some(Mode::Overlay)) {
        for (subnet, _) in ground.subnets_of(cluster).values() {
            let Some(table) = &subnet.route_table else { continue };
            let Some(value) = ground.design.route_tables.get(table).filter(|value| value.known) else { continue };
            for (at, route) in value.routes.iter().enumerate() {
                if is_for_pods(route, cluster) && !clusters().any(|(_, other)| writes(ground, other, table, route)) {
                    let (routes, of) = found.entry(table).or_default();
                    routes.insert(at);
                    of.insert(name);
                }
            }
        }
    }
    for (table, (routes, clusters)) in found {
        let Some(value) = ground.design.route_tables.get(table) else { continue };
        let named: Vec<(usize, &Route)> = routes.iter().filter_map(|at| Some((*at, value.routes.get(*at)?))).collect();
        let Some(first) = routes.first() else { continue };
        let names: Vec<&str> = named.iter().map(|(_, route)| route.name.as_str()).collect();
        let clusters: Vec<&ClusterName> = clusters.into_iter().collect();
        let several = names.len();
        let message = format!(
            "{} {} {} for pods of the overlay of {}: overlay needs no routes for its pods, and that {} their packets is not documented",
            plural(several, "route", "routes"),
            listed(&names),
            plural(several, "is", "are"),
            listed(&clusters),
            plural(several, "this one takes", "these take"),
        );
        let mut finding = Finding::new(codes::ROUTE_NEVER_MATCHES, format!("routeTables.{table}.routes.{first}"), message)
            .help("remove it: to keep pods from each other use network policies, and for what leaves the cluster write the route for where it goes");
        for (at, route) in named {
            if let RoutePrefix::Cidr(prefix) = &route.prefix {
                finding = finding.on(prefix);
            }
            if at != *first {
                finding = finding.related(format!("routeTables.{table}.routes.{at}"), "for the same pods");
            }
        }
        for cluster in clusters {
            finding = finding.related(format!("clusters.{cluster}.podCidr"), "the pod range");
        }
        out.push(cited(finding, ModeFacts::of(Mode::Overlay).route_table_required.about()));
    }
}

fn is_for_pods(route: &Route, cluster: &Cluster) -> bool {
    match &route.prefix {
        RoutePrefix::Cidr(prefix) => cluster.pod_cidrs.iter().any(|pods| pods.covers(prefix)),
        RoutePrefix::ServiceTag(_) => false,
    }
}

/// A kubenet cluster on the same table has its pods in the range: then the route is for those.
fn writes(ground: &Ground, cluster: &Cluster, table: &RouteTableName, route: &Route) -> bool {
    let mut subnets = cluster.pools.values().filter_map(|pool| ground.design.subnet(pool.subnet.as_ref()?));
    cluster.mode == Some(Mode::Kubenet)
        && is_for_pods(route, cluster)
        && subnets.any(|subnet| subnet.route_table.as_ref() == Some(table))
}
