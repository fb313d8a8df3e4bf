//! How many routes a table takes.

use super::ground::Ground;
use crate::Context;
use crate::say::cited;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{limits, routing};
use causeway_model::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(cx: &Context, ground: &Ground, out: &mut Vec<Finding>) {
    let by_nodes = kubenet_nodes(cx, ground);
    for (name, table) in cx.design.route_tables.iter().filter(|(_, table)| table.known) {
        let object = format!("routeTables.{name}.routes");
        let most = cx.limits.routes_per_table;
        let held = u64::try_from(table.routes.len()).unwrap_or(u64::MAX);
        let clusters = by_nodes.get(name).map_or(&[][..], Vec::as_slice);
        let (own, nodes) = if clusters.is_empty() {
            (held, 0)
        } else {
            // Routes the cloud provider wrote for nodes that exist are counted with the nodes.
            let ranges: Vec<_> = clusters.iter().flat_map(|(_, cluster, _)| &cluster.pod_cidrs).collect();
            let written = |route: &&Route| match &route.prefix {
                RoutePrefix::Cidr(prefix) => ranges.iter().any(|range| range.covers(prefix)),
                RoutePrefix::ServiceTag(_) => false,
            };
            let written = u64::try_from(table.routes.iter().filter(written).count()).unwrap_or(u64::MAX);
            let nodes = clusters.iter().map(|(_, _, nodes)| *nodes).fold(0, u64::saturating_add);
            (held.saturating_sub(written), nodes.max(written))
        };
        let total = own.saturating_add(nodes);
        if total > most {
            let message = if nodes > 0 {
                format!("{nodes} nodes and {own} routes make {total} routes in `{name}`, and a table holds {most}")
            } else {
                format!("`{name}` has {total} routes, and a table holds {most}")
            };
            let mut finding = Finding::new(codes::ROUTE_LIMIT_EXCEEDED, object.as_str(), message)
                .help(if nodes > 0 {
                    "summarise routes, use fewer nodes, or move from kubenet to overlay, which needs no routes; set `limits: {routesPerTable: ...}` where your subscription allows more"
                } else {
                    "summarise prefixes or split the table over subnets; set `limits: {routesPerTable: ...}` where your subscription allows more"
                })
                .on(total);
            for (cluster, _, nodes) in clusters {
                finding = finding
                    .evidence(format!(
                        "`{cluster}`: a route for each of {nodes} nodes at the maximum, surge counted in"
                    ))
                    .related(format!("clusters.{cluster}.pools"), "its nodes");
            }
            out.push(cited(finding, limits::ROUTES_PER_TABLE.about()));
        }
        let tags = table.routes.iter().filter(|route| matches!(route.prefix, RoutePrefix::ServiceTag(_))).count();
        let most_tags = cx.limits.service_tag_routes_per_table;
        let tags = u64::try_from(tags).unwrap_or(u64::MAX);
        if tags > most_tags {
            let message = format!("`{name}` has {tags} routes with service tags, and a table holds {}", most_tags);
            let finding = Finding::new(codes::ROUTE_LIMIT_EXCEEDED, object.as_str(), message)
                .help("use private endpoints, or a default route with rules at the firewall")
                .on(tags);
            out.push(cited(finding, routing::SERVICE_TAG_ROUTES.about()));
        }
    }
}

type ByTable<'a> = BTreeMap<&'a RouteTableName, Vec<(&'a ClusterName, &'a Cluster, u64)>>;

/// The kubenet clusters that write into each table, with their nodes at most.
fn kubenet_nodes<'a>(cx: &Context<'a>, ground: &Ground<'a>) -> ByTable<'a> {
    let mut found: ByTable = BTreeMap::new();
    for (name, cluster) in cx.design.clusters.iter().filter(|(_, cluster)| cluster.mode == Some(Mode::Kubenet)) {
        let nodes = cx.capacity.clusters.iter().find(|ports| ports.cluster == name.as_str());
        let Some(nodes) = nodes.and_then(|ports| ports.snat.effective_nodes) else { continue };
        let subnets = ground.subnets_of(cluster);
        let tables: BTreeSet<_> = subnets.values().filter_map(|(subnet, _)| subnet.route_table.as_ref()).collect();
        // With several tables it is not known which one gets the routes; that is said elsewhere.
        if let ([table], 1) = (tables.iter().collect::<Vec<_>>().as_slice(), tables.len()) {
            found.entry(table).or_default().push((name, cluster, nodes));
        }
    }
    found
}
