//! Ingress and API server: the subnets they need, frontends that exclude each other, the way in for people and pipelines.

mod api_server;
mod client_path;
mod frontends;
mod gateways;

use crate::Context;
use crate::egress::ground::Ground;
use causeway_model::design::*;
use causeway_model::finding::Finding;
use std::collections::BTreeMap;

/// All checks of ingress and API server.
pub(crate) fn check(cx: &Context, ground: &Ground, out: &mut Vec<Finding>) {
    let tenants = Tenants::new(cx.design);
    for (name, cluster) in &cx.design.clusters {
        let path = format!("clusters.{name}");
        gateways::check(ground, &tenants, name, &path, cluster, out);
        api_server::check(ground, &tenants, &path, cluster, out);
    }
    gateways::beside_pools(ground, &tenants, out);
    frontends::check(cx.design, out);
    client_path::check(ground, out);
}

/// Named objects by the subnet they are in: dotted path and what they are.
struct Tenants<'a> {
    all: BTreeMap<&'a SubnetRef, Vec<Tenant>>,
    /// Clusters that have their API server in a subnet.
    api_servers: BTreeMap<&'a SubnetRef, Vec<&'a ClusterName>>,
    /// Gateways of that kind by subnet: paths.
    gateways: BTreeMap<(&'a SubnetRef, IngressKind), Vec<String>>,
}

struct Tenant {
    path: String,
    words: String,
    kind: TenantKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TenantKind {
    Nodes,
    Pods,
    Endpoint,
    Gateway,
    Firewall,
}

impl<'a> Tenants<'a> {
    fn new(design: &'a Design) -> Self {
        let mut tenants = Tenants { all: BTreeMap::new(), api_servers: BTreeMap::new(), gateways: BTreeMap::new() };
        for (name, cluster) in &design.clusters {
            for (pool_name, pool) in &cluster.pools {
                let path = format!("clusters.{name}.pools.{pool_name}");
                for (subnet, kind, what) in
                    [(&pool.subnet, TenantKind::Nodes, "nodes"), (&pool.pod_subnet, TenantKind::Pods, "pods")]
                {
                    if let Some(subnet) = subnet {
                        tenants.add(subnet, path.clone(), format!("{what} of `{name}/{pool_name}`"), kind);
                    }
                }
            }
            for (at, ingress) in cluster.ingress.iter().enumerate() {
                if let Some(subnet) = &ingress.subnet {
                    let path = format!("clusters.{name}.ingress.{at}");
                    tenants.gateways.entry((subnet, ingress.kind)).or_default().push(path.clone());
                    tenants.add(subnet, path, format!("{} of `{name}`", ingress.kind), TenantKind::Gateway);
                }
            }
            if let (ApiAccess::VnetIntegration, Some(subnet)) = (cluster.api_server.access, &cluster.api_server.subnet)
            {
                tenants.api_servers.entry(subnet).or_default().push(name);
            }
        }
        for (name, endpoint) in &design.private_endpoints {
            let words = format!("the private endpoint `{name}`");
            tenants.add(&endpoint.subnet, format!("privateEndpoints.{name}"), words, TenantKind::Endpoint);
        }
        for (name, firewall) in &design.firewalls {
            if let Some(subnet) = &firewall.subnet {
                tenants.add(subnet, format!("firewalls.{name}"), format!("firewall `{name}`"), TenantKind::Firewall);
            }
        }
        tenants
    }

    fn add(&mut self, subnet: &'a SubnetRef, path: String, words: String, kind: TenantKind) {
        self.all.entry(subnet).or_default().push(Tenant { path, words, kind });
    }

    /// Everybody named who is in a subnet.
    fn of(&self, subnet: &SubnetRef) -> &[Tenant] {
        self.all.get(subnet).map_or(&[], Vec::as_slice)
    }
}

/// The first IPv4 prefix of a subnet that is described.
fn prefix_of(subnet: &Subnet) -> Option<causeway_addr::Cidr> {
    subnet.prefixes.iter().find(|prefix| prefix.is_v4()).copied()
}

fn is_delegated(subnet: &Subnet, service: &str) -> bool {
    subnet.delegations.iter().any(|delegation| delegation.eq_ignore_ascii_case(service))
}
