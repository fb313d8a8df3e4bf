//! Pools that leave in different ways: where a pod lands decides which way its packets go.

use super::ground::{Ground, WayOut, is_described};
use crate::say::{cited, listed};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::nsg;
use causeway_model::finding::Finding;
use std::collections::BTreeMap;

/// What a subnet does to packets that leave it, names left out: two tables with the same routes are the same.
#[derive(PartialEq)]
struct Treatment<'a> {
    routes: Option<(bool, Vec<(&'a RoutePrefix, NextHop)>)>,
    nat_gateway: Option<&'a NatGatewayName>,
    filter: Vec<&'a SecurityRule>,
}

pub(super) fn check<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    for pods in [false, true] {
        let mut by_subnet: BTreeMap<&SubnetRef, Vec<&PoolName>> = BTreeMap::new();
        for (name, pool) in &cluster.pools {
            if let Some(reference) = if pods { &pool.pod_subnet } else { &pool.subnet } {
                by_subnet.entry(reference).or_default().push(name);
            }
        }
        let mut treated: Vec<(&SubnetRef, Vec<&PoolName>, Treatment)> = Vec::new();
        for (reference, pools) in by_subnet {
            let Some(subnet) = ground.design.subnet(reference).filter(|subnet| is_described(subnet)) else { continue };
            if let Some(treatment) = treatment(ground, subnet) {
                treated.push((reference, pools, treatment));
            }
        }
        out.extend(difference(path, if pods { "pods" } else { "nodes" }, &treated));
    }
    public_addresses(ground, path, cluster, out);
}

/// `None` where it is not known.
fn treatment<'a>(ground: &Ground<'a>, subnet: &'a Subnet) -> Option<Treatment<'a>> {
    let routes = match subnet.route_table.as_ref().and_then(|table| ground.design.route_tables.get(table)) {
        Some(table) if !table.known => return None,
        Some(table) => {
            let mut routes: Vec<_> = table.routes.iter().map(|route| (&route.prefix, route.next_hop)).collect();
            routes.sort_by_key(|(prefix, _)| match prefix {
                RoutePrefix::Cidr(cidr) => (Some(*cidr), ""),
                RoutePrefix::ServiceTag(tag) => (None, tag.as_str()),
            });
            let propagates = table.bgp_propagation != Some(false);
            // A table that says nothing is none.
            (!routes.is_empty() || !propagates).then_some((propagates, routes))
        }
        None => None,
    };
    let mut filter: Vec<&SecurityRule> =
        match subnet.nsg.as_ref().and_then(|group| ground.design.security_groups.get(group)) {
            Some(group) if !group.known => return None,
            Some(group) => group.rules.iter().filter(|rule| rule.direction == Direction::Outbound).collect(),
            None => Vec::new(),
        };
    filter.sort_by_key(|rule| rule.priority);
    // Behind a default route a NAT gateway has nothing to do.
    let nat_gateway = match ground.way_out(subnet) {
        WayOut::Route(..) => None,
        _ => subnet.nat_gateway.as_ref(),
    };
    Some(Treatment { routes, nat_gateway, filter })
}

fn difference(path: &str, what: &str, treated: &[(&SubnetRef, Vec<&PoolName>, Treatment)]) -> Option<Finding> {
    let (_, _, first) = treated.first()?;
    let mut kinds = Vec::new();
    let differs = |by: fn(&Treatment, &Treatment) -> bool| treated.iter().any(|(_, _, other)| by(first, other));
    if differs(|one, other| one.routes != other.routes) {
        kinds.push("routes");
    }
    if differs(|one, other| one.nat_gateway != other.nat_gateway) {
        kinds.push("NAT gateways");
    }
    if differs(|one, other| !same_filter(&one.filter, &other.filter)) {
        kinds.push("outbound security rules");
    }
    if kinds.is_empty() {
        return None;
    }
    let subnets: Vec<_> = treated.iter().map(|(reference, ..)| *reference).collect();
    let message = format!("{what} of this cluster leave {} with different {}", listed(&subnets), kinds.join(" and "));
    let mut finding = Finding::new(codes::POOLS_DIFFER_IN_EGRESS, format!("{path}.pools"), message).help(
        "put the same route table, NAT gateway and security group on all of them; if a pool is meant to differ, taint it and accept this finding",
    );
    for (reference, pools, treatment) in treated {
        let gateway = treatment.nat_gateway.map_or("none".to_owned(), |name| format!("`{name}`"));
        let routes = treatment.routes.as_ref().map_or(0, |(_, routes)| routes.len());
        finding = finding
            .on(reference)
            .evidence(format!(
                "`{reference}` (pools {}): {routes} routes, NAT gateway {gateway}, {} outbound rules",
                listed(pools),
                treatment.filter.len()
            ))
            .related(reference.path(), "one of the subnets");
    }
    Some(cited(finding, nsg::BETWEEN_POOLS.about()))
}

/// Names and numbers of rules don't matter, only what they do and in which order.
fn same_filter(one: &[&SecurityRule], other: &[&SecurityRule]) -> bool {
    let same = |(one, other): (&&SecurityRule, &&SecurityRule)| {
        (one.access, one.protocol) == (other.access, other.protocol)
            && (&one.source, &one.destination) == (&other.source, &other.destination)
            && (&one.source_ports, &one.ports) == (&other.source_ports, &other.ports)
    };
    one.len() == other.len() && one.iter().zip(other).all(same)
}

/// A public address of a node comes before the load balancer: those nodes are seen with addresses of their own.
fn public_addresses<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    let by_load_balancer = |pool: &&(&PoolName, &Pool)| {
        let subnet = pool.1.subnet.as_ref().and_then(|reference| ground.design.subnet(reference));
        cluster.outbound.kind == OutboundType::LoadBalancer
            && subnet.is_none_or(|subnet| ground.way_out(subnet) == WayOut::OutboundType)
    };
    let pools: Vec<(&PoolName, &Pool)> = cluster.pools.iter().collect();
    let concerned: Vec<&(&PoolName, &Pool)> = pools.iter().filter(by_load_balancer).collect();
    let (with, without): (Vec<_>, Vec<_>) = concerned.into_iter().partition(|(_, pool)| pool.node_public_ip);
    if with.is_empty() || without.is_empty() {
        return;
    }
    let (with, without): (Vec<_>, Vec<_>) =
        (with.iter().map(|(name, _)| *name).collect(), without.iter().map(|(name, _)| *name).collect());
    let message = format!(
        "nodes of {} leave with public addresses of their own, those of {} with the load balancer's",
        listed(&with),
        listed(&without)
    );
    let mut finding = Finding::new(codes::POOLS_DIFFER_IN_EGRESS, format!("{path}.pools"), message)
        .help("remove `nodePublicIp`, or put a NAT gateway on the subnets: it comes before both");
    for name in with {
        finding = finding.on(name).related(format!("{path}.pools.{name}"), "nodes have public addresses");
    }
    out.push(cited(finding, causeway_model::facts::routing::EGRESS_ORDER.about()));
}
