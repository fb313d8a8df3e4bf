//! Routes of a cluster's own tables into its service or pod range: somebody is expected behind them whom pods can't reach.

use super::ground::Ground;
use super::shadow::{Private, PrivateKind};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeSet;

/// Prefixes that mean "everything private" and nobody in particular.
const EVERYTHING_PRIVATE: &[Cidr] =
    &[Cidr::v4([172, 16, 0, 0], 12), Cidr::v4([192, 168, 0, 0], 16), Cidr::v4([100, 64, 0, 0], 10)];

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    let design = ground.design;
    for (name, cluster) in &design.clusters {
        let subnets =
            cluster.pools.values().flat_map(|pool| [pool.subnet.as_ref(), pool.pod_subnet.as_ref()]).flatten();
        let tables: BTreeSet<&RouteTableName> =
            subnets.filter_map(|subnet| design.subnet(subnet)?.route_table.as_ref()).collect();
        // kubenet and plugins of one's own reach pods by routes.
        let routed = matches!(cluster.mode, Some(Mode::Kubenet | Mode::Byo) | None);
        let ranges = Private::of(name, cluster);
        let ranges = ranges.iter().filter(|private| private.kind == PrivateKind::Services || !routed);
        for private in ranges {
            for table in &tables {
                let Some(value) = design.route_tables.get(*table) else { continue };
                for (at, route) in value.routes.iter().enumerate() {
                    out.extend(judge(design, private, table, at, route));
                }
            }
        }
    }
}

fn judge(design: &Design, private: &Private, table: &RouteTableName, at: usize, route: &Route) -> Option<Finding> {
    let RoutePrefix::Cidr(prefix) = route.prefix else { return None };
    let (behind, code) = match (route.next_hop, private.kind) {
        (NextHop::Gateway, PrivateKind::Services) => ("the gateway", codes::SERVICE_CIDR_OVERLAPS_ONPREM),
        (NextHop::Gateway, PrivateKind::Pods) => ("the gateway", codes::POD_CIDR_OVERLAPS_ONPREM),
        (NextHop::Appliance(_) | NextHop::UnknownAppliance, PrivateKind::Services) => {
            ("an appliance", codes::SERVICE_CIDR_OVERLAPS_PEER)
        }
        (NextHop::Appliance(_) | NextHop::UnknownAppliance, PrivateKind::Pods) => {
            ("an appliance", codes::POD_CIDR_OVERLAPS_PEER)
        }
        (NextHop::Internet | NextHop::Vnet | NextHop::None, _) => return None,
    };
    // A route for everything, or for everything private, says nothing of who is there.
    let wide = prefix.prefix_len() < 9 || EVERYTHING_PRIVATE.contains(&prefix);
    if wide || !prefix.overlaps(&private.range) {
        return None;
    }
    // Networks that are described are judged themselves.
    let shared = if prefix.covers(&private.range) { private.range } else { prefix };
    let mut described = design.networks.values().flat_map(|network| &network.prefixes);
    if described.any(|known| known.overlaps(&shared)) {
        return None;
    }
    let message = format!(
        "{} hides what route `{}` of `{table}` leads to behind {behind}: `{prefix}`",
        private.words(),
        route.name
    );
    let kept = match private.kind {
        PrivateKind::Services => {
            "pods' packets to service addresses are translated on the node and meet no route table"
        }
        PrivateKind::Pods => "packets to the pod range go to the cluster's own pods",
    };
    let finding = Finding::new(code, private.path(), message)
        .severity(Severity::Warning)
        .help("take another range if somebody is there whom pods call; else remove the route")
        .on(shared)
        .evidence(kept)
        .related(format!("routeTables.{table}.routes.{at}"), "the route");
    Some(finding)
}
