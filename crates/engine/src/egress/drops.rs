//! Routes to nowhere that take packets a cluster can't do without: between its own nodes and pods.

use super::ground::Ground;
use crate::say::cited;
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::routing;
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;

/// The prefix length of a kubenet node's block of the pod range: routes as long as it, or longer, take its packets.
const NODE_BLOCK: u8 = 24;

pub(super) fn check<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    let subnets = ground.subnets_of(cluster);
    let mut found: BTreeMap<(&RouteTableName, usize), (&SubnetRef, String, Severity)> = BTreeMap::new();
    for (reference, (subnet, uses)) in &subnets {
        let Some(name) = &subnet.route_table else { continue };
        let Some(table) = ground.design.route_tables.get(name).filter(|table| table.known) else { continue };
        let dropping = |at: usize| table.routes.get(at).is_some_and(|route| route.next_hop == NextHop::None);
        for (other, (target, target_uses)) in &subnets {
            if other.network != reference.network {
                continue;
            }
            for prefix in &target.prefixes {
                let decisions = ground.routes.decide(&reference.network, subnet, prefix);
                for at in decisions.iter().filter_map(|decision| decision.route).filter(|at| dropping(*at)) {
                    let what = format!("packets to {} in `{other}`", target_uses.words());
                    found.entry((name, at)).or_insert((reference, what, Severity::Error));
                }
            }
        }
        // In the other modes pods are on subnets, or in a domain of the platform's own.
        if cluster.mode != Some(Mode::Kubenet) || uses.pods_only() {
            continue;
        }
        for pods in &cluster.pod_cidrs {
            for (at, prefix) in
                table.routes.iter().enumerate().filter_map(|(at, route)| Some((at, within(route, pods)?)))
            {
                let severity = if prefix.prefix_len() >= NODE_BLOCK { Severity::Error } else { Severity::Warning };
                let what = if severity == Severity::Error {
                    format!("packets to pods in `{prefix}`")
                } else {
                    format!("packets to pods of `{pods}` that no node's own route catches")
                };
                found.entry((name, at)).or_insert((reference, what, severity));
            }
        }
    }
    for ((table, at), (reference, what, severity)) in found {
        let Some(route) = ground.design.route_tables.get(table).and_then(|table| table.routes.get(at)) else {
            continue;
        };
        let finding = Finding::new(
            codes::NEXT_HOP_UNREACHABLE,
            format!("routeTables.{table}.routes.{at}.nextHop"),
            format!("route `{}` leads nowhere: it drops {what}, sent from `{reference}`", route.name),
        )
        .severity(severity)
        .help("remove the route, or keep it off the ranges of the cluster's nodes and pods")
        .on(&route.name)
        .related(reference.path(), "the table is on it")
        .related(path.to_owned(), "the cluster");
        out.push(cited(finding, routing::SELECTION.about()));
    }
}

/// The prefix of a route to nowhere that is for a pod range.
fn within(route: &Route, pods: &Cidr) -> Option<Cidr> {
    match &route.prefix {
        RoutePrefix::Cidr(prefix) if route.next_hop == NextHop::None => {
            (prefix.prefix_len() > 0 && prefix.overlaps(pods)).then_some(*prefix)
        }
        _ => None,
    }
}
