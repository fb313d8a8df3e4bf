//! kubenet: pod packets between nodes follow routes, so the cluster needs a table of its own on all its subnets.

use super::ground::{Ground, is_described};
use crate::say::{cited, listed};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::ModeFacts;
use causeway_model::finding::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    if cluster.mode != Some(Mode::Kubenet) {
        return;
    }
    let about = ModeFacts::of(Mode::Kubenet).route_table_required.about();
    let subnets: Vec<(&SubnetRef, &Subnet)> = node_subnets(ground, cluster).collect();
    // With user-defined routing the missing table is named already.
    if cluster.outbound.kind != OutboundType::UserDefinedRouting {
        for (reference, _) in subnets.iter().filter(|(_, subnet)| subnet.route_table.is_none()) {
            let runs = !cluster.nodes.is_empty();
            let message = if runs {
                format!("`{reference}` has no route table, and kubenet reaches pods on other nodes by routes only")
            } else {
                format!(
                    "`{reference}` has no route table: kubenet needs one, and the platform makes and owns it if none is there"
                )
            };
            let finding = Finding::new(codes::ROUTE_TABLE_MISSING, reference.path(), message)
                .severity(if runs { Severity::Error } else { Severity::Warning })
                .help("associate a route table with the subnet before the cluster is made, and give the cluster a user-assigned identity that may write to it")
                .on(reference)
                .related(format!("{path}.mode"), "kubenet");
            out.push(cited(finding, about));
        }
    }
    let tables: BTreeSet<&RouteTableName> =
        subnets.iter().filter_map(|(_, subnet)| subnet.route_table.as_ref()).collect();
    if tables.len() > 1 {
        let tables: Vec<_> = tables.into_iter().collect();
        let mut finding = Finding::new(
            codes::ROUTE_TABLE_MISSING,
            format!("{path}.pools"),
            format!("the pools' subnets have different route tables ({}): kubenet writes its routes into one, so pods of the others are not reached", listed(&tables)),
        )
        .help("associate one table with all subnets of the cluster");
        for (reference, subnet) in &subnets {
            if subnet.route_table.is_some() {
                finding = finding.related(format!("{}.routeTable", reference.path()), "one of the tables");
            }
        }
        out.push(cited(finding, about));
    }
}

/// A table that two kubenet clusters share has routes of both, and each removes what it does not know.
pub(super) fn sharing(ground: &Ground, out: &mut Vec<Finding>) {
    let mut users: BTreeMap<&RouteTableName, BTreeSet<&ClusterName>> = BTreeMap::new();
    for (name, cluster) in ground.design.clusters.iter().filter(|(_, cluster)| cluster.mode == Some(Mode::Kubenet)) {
        for (_, subnet) in node_subnets(ground, cluster) {
            if let Some(table) = &subnet.route_table {
                users.entry(table).or_default().insert(name);
            }
        }
    }
    subnets(ground, out);
    for (table, clusters) in users.into_iter().filter(|(_, clusters)| clusters.len() > 1) {
        let clusters: Vec<_> = clusters.into_iter().collect();
        let message = format!(
            "the kubenet clusters {} share the route table `{table}`: each needs one of its own",
            listed(&clusters)
        );
        let mut finding = Finding::new(codes::ROUTE_TABLE_MISSING, format!("routeTables.{table}"), message)
            .help("give every kubenet cluster subnets and a route table of its own");
        for cluster in clusters {
            finding = finding.on(cluster).related(format!("clusters.{cluster}"), "uses it");
        }
        out.push(cited(finding, ModeFacts::of(Mode::Kubenet).route_table_required.about()));
    }
}

/// A subnet has one table, so no two kubenet clusters can be on the same one, whatever table is on it.
fn subnets(ground: &Ground, out: &mut Vec<Finding>) {
    let mut users: BTreeMap<&SubnetRef, BTreeSet<&ClusterName>> = BTreeMap::new();
    for (name, cluster) in ground.design.clusters.iter().filter(|(_, cluster)| cluster.mode == Some(Mode::Kubenet)) {
        for subnet in cluster.pools.values().filter_map(|pool| pool.subnet.as_ref()) {
            users.entry(subnet).or_default().insert(name);
        }
    }
    for (reference, clusters) in users {
        // A table that is known is named as the shared one.
        let has_table = ground.design.subnet(reference).is_some_and(|subnet| subnet.route_table.is_some());
        if clusters.len() < 2 || has_table {
            continue;
        }
        let clusters: Vec<_> = clusters.into_iter().collect();
        let message = format!(
            "the kubenet clusters {} are both on `{reference}`: each needs subnets of its own",
            listed(&clusters)
        );
        let message = if clusters.len() > 2 { message.replacen(" are both on", " are all on", 1) } else { message };
        let mut finding = Finding::new(codes::ROUTE_TABLE_MISSING, reference.path(), message).help(
            "give every kubenet cluster subnets and a route table of its own: each removes routes it does not know",
        );
        for cluster in clusters {
            finding = finding.on(cluster).related(format!("clusters.{cluster}"), "uses it");
        }
        out.push(cited(finding, ModeFacts::of(Mode::Kubenet).shared_subnet.about()));
    }
}

fn node_subnets<'a>(
    ground: &Ground<'a>,
    cluster: &'a Cluster,
) -> impl Iterator<Item = (&'a SubnetRef, &'a Subnet)> + use<'a> {
    let references: BTreeSet<&SubnetRef> = cluster.pools.values().filter_map(|pool| pool.subnet.as_ref()).collect();
    let (design, own): (&Design, BTreeSet<&NetworkName>) = (
        ground.design,
        references.iter().map(|reference| &reference.network).filter(|network| ground.is_own(network)).collect(),
    );
    references
        .into_iter()
        .filter(move |reference| own.contains(&reference.network))
        .filter_map(move |reference| Some((reference, design.subnet(reference).filter(|subnet| is_described(subnet))?)))
}
