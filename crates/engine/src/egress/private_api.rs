//! The private API server among the nodes: clients come straight, answers may not go back the same way.

use super::ground::Ground;
use super::routes::{Hop, routes_apply};
use crate::say::{cited, listed};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{control_plane, routing};
use causeway_model::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Roles of machines that call an API server.
pub(crate) const CALLERS: &[&str] = &["jump", "ci", "gitops"];

pub(super) fn check<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    let Some(reference) = endpoint_subnet(cluster) else { return };
    let Some(subnet) = ground.design.subnet(reference) else { return };
    // With the policies off no route applies to the endpoint: both directions go straight.
    if !routes_apply(subnet.private_endpoint_policies) || !ground.leads_to_appliance(subnet) {
        return;
    }
    let Some((network, _)) = ground.design.networks.get_key_value(&reference.network) else { return };
    let mut found: BTreeMap<(IpAddr, Option<usize>), Vec<&HostName>> = BTreeMap::new();
    for (name, host) in &ground.design.hosts {
        let caller =
            host.role.as_deref().is_some_and(|role| CALLERS.iter().any(|caller| caller.eq_ignore_ascii_case(role)));
        let answers = ground.routes.decide(network, subnet, &Cidr::host(host.ip));
        let Some((Hop::Appliance(ip), route)) = answers.first().map(|answer| (answer.hop, answer.route)) else {
            continue;
        };
        if caller
            && requests_come_straight(ground, host, reference, subnet)
            && ground.drops_halves(network, ip, &Cidr::host(host.ip)) == Some(true)
        {
            found.entry((ip, route)).or_default().push(name);
        }
    }
    for ((ip, route), hosts) in found {
        let message = format!(
            "the private API server in `{reference}` answers {} through {}, which has not seen the requests",
            listed(&hosts.iter().map(|host| format!("host/{host}")).collect::<Vec<_>>()),
            ground.hop_words(network, ip)
        );
        let mut finding = Finding::new(
            codes::PRIVATE_API_ENDPOINT_RETURN_THROUGH_FIREWALL,
            format!("{path}.apiServer"),
            message,
        )
        .help("send the clients through the same firewall, set `privateEndpointPolicies: disabled` on the endpoint's subnet, or give the API server a subnet of its own (VNet integration)")
        .on(reference)
        .evidence(control_plane::PRIVATE_ENDPOINT_ADDRESSES.cite());
        if let (Some(at), Some(table)) = (route, &subnet.route_table) {
            finding = finding.related(format!("routeTables.{table}.routes.{at}"), "the route answers take");
        }
        for host in hosts {
            finding = finding.on(format!("host/{host}")).related(format!("hosts.{host}"), "a client");
        }
        out.push(cited(finding, routing::PRIVATE_ENDPOINT_BYPASSES_ROUTES.about()));
    }
}

/// Where the private endpoint of the API server stands: as stated, else where the only node subnet is.
pub(crate) fn endpoint_subnet(cluster: &Cluster) -> Option<&SubnetRef> {
    if cluster.api_server.access != ApiAccess::Private {
        return None;
    }
    cluster.api_server.subnet.as_ref().or_else(|| {
        let subnets: BTreeSet<_> = cluster.pools.values().filter_map(|pool| pool.subnet.as_ref()).collect();
        match subnets.into_iter().collect::<Vec<_>>().as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    })
}

/// A client's packets to the endpoint's subnet meet no appliance.
fn requests_come_straight(ground: &Ground, host: &Host, to: &SubnetRef, endpoint: &Subnet) -> bool {
    let Some((name, network)) = host.network.as_ref().and_then(|name| ground.design.networks.get_key_value(name))
    else {
        return false;
    };
    if network.kind == NetworkKind::OnPremises {
        return false;
    }
    let subnet = ground.subnet_at(name, host.ip).and_then(|subnet| network.subnets.get(subnet));
    let (Some(subnet), Some(range)) = (subnet, endpoint.prefixes.iter().find(|range| range.is_v4())) else {
        return false;
    };
    let same = name == &to.network && std::ptr::eq(subnet, endpoint);
    !same && ground.routes.decide(name, subnet, range).iter().any(|decision| decision.hop.is_direct())
}
