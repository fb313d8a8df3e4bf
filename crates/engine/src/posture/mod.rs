//! What other tools look at as well: filters that cut the cluster off or leave it open, settings worth a second look, workloads that
//! do not fit together.

pub(crate) mod filter;
mod node_traffic;
mod open;
mod required_egress;
mod settings;
mod workloads;

use crate::Context;
use crate::egress::ground::Ground;
use causeway_model::design::*;
use causeway_model::finding::Finding;

/// All of them.
pub(crate) fn check(cx: &Context, ground: &Ground, out: &mut Vec<Finding>) {
    for (name, cluster) in &cx.design.clusters {
        let path = format!("clusters.{name}");
        node_traffic::check(ground, &path, cluster, out);
        required_egress::check(ground, &path, cluster, out);
        settings::of_cluster(ground, &path, cluster, out);
        workloads::check(&path, cluster, out);
    }
    settings::of_networks(ground, out);
    open::check(cx.design, out);
}

/// The security group on a subnet, if what it says is known.
pub(crate) fn group_on<'a>(
    design: &'a Design,
    subnet: &'a Subnet,
) -> Option<(&'a SecurityGroupName, &'a SecurityGroup)> {
    let name = subnet.nsg.as_ref()?;
    design.security_groups.get(name).filter(|group| group.known).map(|group| (name, group))
}

fn rule_path(group: &SecurityGroupName, at: usize) -> String {
    format!("networkSecurityGroups.{group}.rules.{at}")
}

fn rule_name(group: &SecurityGroup, at: usize) -> &str {
    group.rules.get(at).map_or("", |rule| rule.name.as_str())
}
