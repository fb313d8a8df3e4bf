//! Subnets used in ways the platform refuses: delegated node subnets, machines among pods.

use super::cited;
use crate::Context;
use crate::say::listed;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::ModeFacts;
use causeway_model::finding::Finding;
use std::collections::BTreeMap;

/// What AKS itself delegates pod and API server subnets to.
const AKS: &str = "Microsoft.ContainerService/managedClusters";

pub(super) fn check(cx: &Context, out: &mut Vec<Finding>) {
    let mut nodes: BTreeMap<&SubnetRef, Vec<String>> = BTreeMap::new();
    let mut pods: BTreeMap<&SubnetRef, (Mode, Vec<String>)> = BTreeMap::new();
    for (cluster_name, cluster) in &cx.design.clusters {
        for (pool_name, pool) in &cluster.pools {
            let who = format!("clusters.{cluster_name}.pools.{pool_name}");
            if let Some(subnet) = &pool.subnet {
                nodes.entry(subnet).or_default().push(who.clone());
            }
            if let (Some(subnet), Some(mode)) = (&pool.pod_subnet, cluster.mode_of(pool)) {
                pods.entry(subnet).or_insert_with(|| (mode, Vec::new())).1.push(who);
            }
        }
    }
    for (reference, users) in &nodes {
        let what = if pods.contains_key(reference) { "nodes and pods" } else { "nodes" };
        out.extend(taken(reference, users, what));
    }
    for (reference, (_, users)) in pods.iter().filter(|(reference, _)| !nodes.contains_key(*reference)) {
        out.extend(taken(reference, users, "pods"));
    }
    for (reference, users) in &nodes {
        let Some(subnet) = cx.design.subnet(reference) else { continue };
        for delegation in &subnet.delegations {
            out.push(delegated(reference, delegation, users, "nodes", "node subnets must not be delegated"));
        }
    }
    for (reference, (mode, users)) in &pods {
        let Some(subnet) = cx.design.subnet(reference) else { continue };
        // A subnet that nodes are on too may have no delegation at all, which is said of them.
        let refused = |delegation: &&String| !nodes.contains_key(reference) && !delegation.eq_ignore_ascii_case(AKS);
        for delegation in subnet.delegations.iter().filter(refused) {
            out.push(delegated(reference, delegation, users, "pods", "a pod subnet is delegated to AKS or to nobody"));
        }
        machines(cx, reference, subnet, *mode, out);
        if let Some(nodes) = nodes.get(reference) {
            // A pool that has one subnet for both is told so itself.
            let strangers: Vec<&String> = nodes.iter().filter(|node| !users.contains(node)).collect();
            out.extend(nodes_among_pods(reference, &strangers, users, *mode));
        }
    }
}

/// Subnets whose name says that the platform puts a service of its own there, and nothing else.
const TAKEN: [(&str, &str); 5] = [
    ("GatewaySubnet", "VPN and ExpressRoute gateways"),
    ("AzureFirewallSubnet", "the firewall"),
    ("AzureFirewallManagementSubnet", "the firewall's management"),
    ("AzureBastionSubnet", "Bastion"),
    ("RouteServerSubnet", "the route server"),
];

fn taken(reference: &SubnetRef, users: &[String], what: &str) -> Option<Finding> {
    let (_, whose) = TAKEN.iter().find(|(name, _)| reference.subnet.as_str().eq_ignore_ascii_case(name))?;
    let mut finding = Finding::new(
        codes::COMBINATION_UNSUPPORTED,
        reference.path(),
        format!("{what} are to get addresses in `{reference}`, and a subnet of this name is for {whose} alone"),
    )
    .help("give the pool a subnet of its own");
    for user in users {
        finding = finding.related(user, "uses it");
    }
    Some(finding)
}

fn delegated(reference: &SubnetRef, delegation: &str, users: &[String], what: &str, rule: &str) -> Finding {
    let fact = &ModeFacts::of(Mode::Overlay).delegated_node_subnet;
    let mut finding = Finding::new(
        codes::SUBNET_DELEGATED,
        format!("{}.delegation", reference.path()),
        format!("subnet `{reference}` is delegated to `{delegation}`, and {what} are to get addresses there"),
    )
    .help("remove the delegation, or use another subnet: the platform refuses the pool")
    .on(delegation)
    .evidence(rule);
    for user in users {
        finding = finding.related(user, "uses it");
    }
    cited(finding, fact.about())
}

/// Nodes are machines like others.
fn nodes_among_pods(reference: &SubnetRef, nodes: &[&String], pods: &[String], mode: Mode) -> Option<Finding> {
    let first = nodes.first()?;
    let names: Vec<String> = nodes.iter().map(|node| pool_name(node)).collect();
    let owners: Vec<String> = pods.iter().map(|pods| pool_name(pods)).collect();
    let message = format!(
        "nodes of {} are to be in `{reference}`, the pod subnet of {}: only pods may be there",
        listed(&names),
        listed(&owners)
    );
    let mut finding = Finding::new(codes::VM_IN_POD_SUBNET, format!("{first}.subnet"), message)
        .help("give the nodes a subnet of their own, in the same VNet")
        .on(reference);
    for node in nodes.iter().skip(1) {
        finding = finding.related(format!("{node}.subnet"), "nodes among pods as well");
    }
    for pods in pods {
        finding = finding.related(format!("{pods}.podSubnet"), "pods get addresses there");
    }
    Some(cited(finding, ModeFacts::of(mode).machines_among_pods.about()))
}

/// `CLUSTER/POOL` of a pool's path.
fn pool_name(path: &str) -> String {
    path.strip_prefix("clusters.").unwrap_or(path).replacen(".pools.", "/", 1)
}

fn machines(cx: &Context, reference: &SubnetRef, subnet: &Subnet, mode: Mode, out: &mut Vec<Finding>) {
    let inside = |host: &Host| {
        host.network.as_ref() == Some(&reference.network)
            && subnet.prefixes.iter().any(|prefix| prefix.contains(host.ip))
    };
    let hosts: Vec<_> = cx.design.hosts.iter().filter(|(_, host)| inside(host)).collect();
    if hosts.is_empty() && subnet.other.nics == 0 {
        return;
    }
    let object =
        hosts.first().map_or_else(|| format!("{}.other.nics", reference.path()), |(name, _)| format!("hosts.{name}"));
    let count = u64::try_from(hosts.len()).unwrap_or(u64::MAX).max(subnet.other.nics);
    let mut finding = Finding::new(
        codes::VM_IN_POD_SUBNET,
        object,
        format!(
            "{count} machine{} in `{reference}`, which is a pod subnet: only pods may be there",
            if count == 1 { " is" } else { "s are" }
        ),
    )
    .help("move the machines to a subnet of their own");
    for (name, host) in hosts {
        finding = finding.on(host.ip).related(format!("hosts.{name}"), "a machine among pods");
    }
    out.push(cited(finding, ModeFacts::of(mode).machines_among_pods.about()));
}
