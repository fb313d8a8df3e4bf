//! Route tables, security groups and NAT gateways of a pod subnet that translated packets no longer meet.

use super::view::View;
use crate::addresses::ground::listed;
use causeway_addr::{Cidr, Family, RangeSet};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{masquerade as facts, special};
use causeway_model::finding::Finding;
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(super) fn check(view: &View, out: &mut Vec<Finding>) {
    if !view.cluster.mode.is_some_and(Mode::uses_pod_subnet) {
        return;
    }
    let Some(translation) = view.translation().filter(|translation| translation.translates()) else { return };
    // The platform's own addresses are no subnet's business.
    let mut left = translation.kept();
    for cidr in [special::LINK_LOCAL, Cidr::host(IpAddr::V4(special::PLATFORM_DNS.value))] {
        left.insert(cidr);
    }
    if left.is_superset(&RangeSet::from_iter([Family::V4.everything()])) {
        return;
    }
    let mut pairs: BTreeMap<(&SubnetRef, &SubnetRef), Vec<&PoolName>> = BTreeMap::new();
    for (name, pool) in &view.cluster.pools {
        if let (Some(pods), Some(nodes)) = (&pool.pod_subnet, &pool.subnet) {
            pairs.entry((pods, nodes)).or_default().push(name);
        }
    }
    for ((pods, nodes), pools) in pairs {
        let (Some(pod_subnet), Some(node_subnet)) = (view.design.subnet(pods), view.design.subnet(nodes)) else {
            continue;
        };
        let differing = differing(pod_subnet, node_subnet);
        let (Some(first), false) = (pools.first(), differing.is_empty()) else { continue };
        let controls: Vec<String> =
            differing.iter().map(|control| format!("{} `{}`", control.kind, control.name)).collect();
        let message = format!(
            "what nodes translate is governed by the node subnet `{nodes}`: {} of the pod subnet `{pods}` {} not apply to it",
            joined(&controls),
            if controls.len() == 1 { "does" } else { "do" }
        );
        let mut finding = Finding::new(
            codes::POD_SUBNET_CONTROL_BYPASSED_BY_MASQUERADE,
            format!("{}.pools.{first}.podSubnet", view.path),
            message,
        )
        .help(format!("put the same on `{nodes}`, or accept this finding if egress is governed there on purpose"))
        .evidence(format!("translated: every destination but {}", listed(&translation.config.exempt)))
        .evidence(facts::USER_AGENT_ON_POD_SUBNET.cite())
        .since(facts::USER_AGENT_ON_POD_SUBNET.as_of)
        .related(nodes.path(), "node subnet");
        for control in &differing {
            finding.on.push(control.name.clone());
            finding
                .evidence
                .push(format!("{}: `{}` on `{pods}`, {} on `{nodes}`", control.kind, control.name, control.instead));
            finding = finding.related(format!("{}.{}", pods.path(), control.field), control.kind);
        }
        out.push(finding);
    }
}

/// A control of the pod subnet that the node subnet does not have.
struct Control {
    kind: &'static str,
    field: &'static str,
    name: String,
    /// What the node subnet has in its place.
    instead: String,
}

fn differing(pods: &Subnet, nodes: &Subnet) -> Vec<Control> {
    let control = |kind, field, pods: Option<String>, nodes: Option<String>| {
        let name = pods.filter(|pods| nodes.as_ref() != Some(pods))?;
        Some(Control {
            kind,
            field,
            name,
            instead: nodes.map_or_else(|| "none".to_owned(), |nodes| format!("`{nodes}`")),
        })
    };
    [
        control("the route table", "routeTable", name(&pods.route_table), name(&nodes.route_table)),
        control("the security group", "nsg", name(&pods.nsg), name(&nodes.nsg)),
        control("the NAT gateway", "natGateway", name(&pods.nat_gateway), name(&nodes.nat_gateway)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn name<T: ToString>(name: &Option<T>) -> Option<String> {
    name.as_ref().map(ToString::to_string)
}

fn joined(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
