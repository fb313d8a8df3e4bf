//! Everybody on a subnet who is neither a node nor a pod: private endpoints, machines, frontends, gateways.

use super::count::{Count, many};
use causeway_addr::{Cidr, PrefixMap};
use causeway_model::arithmetic::subnet;
use causeway_model::design::{
    ApiAccess, Cluster, ClusterName, Design, Exposure, FirewallKind, IngressKind, Mode, NetworkName, Pool, ServiceType,
    Subnet, SubnetRef,
};
use causeway_model::facts::Limits;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Somebody on a subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tenant {
    /// In words, as a part of a sum: `2 private endpoints`.
    pub(crate) what: String,
    /// Addresses.
    pub(crate) addresses: Count,
    /// The dotted path of the object that says so.
    pub(crate) object: String,
    /// Does not belong to a cluster's own working: competes with nodes.
    pub(crate) competes: bool,
}

/// The tenants of every subnet that has some.
pub(crate) fn of(design: &Design, limits: &Limits) -> BTreeMap<SubnetRef, Vec<Tenant>> {
    let mut census = Census { map: address_map(design), seen: BTreeSet::new(), tenants: BTreeMap::new() };
    for (name, endpoint) in &design.private_endpoints {
        census.claim(
            &endpoint.subnet,
            endpoint.ip,
            Tenant {
                what: format!("private endpoint `{name}`"),
                addresses: Count::exact(1),
                object: format!("privateEndpoints.{name}"),
                competes: true,
            },
        );
    }
    for (name, firewall) in &design.firewalls {
        let instances = match firewall.kind {
            // The platform numbers its own instances inside a subnet made for it.
            FirewallKind::AzureFirewall => 1,
            FirewallKind::Appliance => u64::from(firewall.instances.unwrap_or(1)).max(1),
        };
        let found = firewall.subnet.clone().or_else(|| {
            let ip = firewall.private_ip?;
            let mut found = design.networks.keys().filter_map(|network| census.find(network, ip));
            // Networks that reuse a range leave it open which one is meant.
            found.next().filter(|_| found.next().is_none())
        });
        if let Some(subnet) = found {
            census.claim(
                &subnet,
                firewall.private_ip,
                Tenant {
                    what: format!("firewall `{name}`"),
                    addresses: Count::exact(instances),
                    object: format!("firewalls.{name}"),
                    competes: true,
                },
            );
        }
    }
    for (name, host) in &design.hosts {
        let found = host.network.as_ref().and_then(|network| census.find(network, host.ip));
        if let Some(subnet) = found {
            census.claim(
                &subnet,
                Some(host.ip),
                Tenant {
                    what: format!("machine `{name}`"),
                    addresses: Count::exact(1),
                    object: format!("hosts.{name}"),
                    competes: true,
                },
            );
        }
    }
    for (name, cluster) in &design.clusters {
        census.services(name, cluster);
        census.provisioned(name, cluster);
        census.api_server(name, cluster, limits.api_server_addresses);
        census.ingress(design, name, cluster);
    }
    for (reference, subnet) in design.subnets() {
        census.stated(&reference, subnet);
    }
    census.tenants
}

/// The subnets of each network by prefix.
fn address_map(design: &Design) -> BTreeMap<NetworkName, PrefixMap<SubnetRef>> {
    let networks = design.networks.iter().map(|(name, network)| {
        let mut map = PrefixMap::new();
        for (subnet, value) in &network.subnets {
            let reference = SubnetRef { network: name.clone(), subnet: subnet.clone() };
            for prefix in &value.prefixes {
                map.insert(*prefix, reference.clone());
            }
        }
        (name.clone(), map)
    });
    networks.collect()
}

/// The pool whose subnet things of the cluster land on by default: a system pool, else any pool where all share one subnet. `None`
/// where neither tells: which pool was made first is not known then.
pub(crate) fn first_pool(cluster: &Cluster) -> Option<&Pool> {
    let mut pools = cluster.pools.values();
    let system = pools.clone().find(|pool| pool.system == Some(true));
    let first = pools.next()?;
    system.or_else(|| pools.all(|pool| pool.subnet == first.subnet).then_some(first))
}

struct Census {
    map: BTreeMap<NetworkName, PrefixMap<SubnetRef>>,
    seen: BTreeSet<(SubnetRef, IpAddr)>,
    tenants: BTreeMap<SubnetRef, Vec<Tenant>>,
}

impl Census {
    /// The subnet of an address in a network.
    fn find(&self, network: &NetworkName, ip: IpAddr) -> Option<SubnetRef> {
        let (_, subnet) = self.map.get(network)?.longest_match(ip)?;
        Some(subnet.clone())
    }

    /// The subnet of an address in any of a cluster's networks.
    fn find_near(&self, cluster: &Cluster, ip: IpAddr) -> Option<SubnetRef> {
        cluster.networks().into_iter().find_map(|network| self.find(network, ip))
    }

    /// Nodes of no pool, each on the subnet its address is of.
    fn provisioned(&mut self, name: &ClusterName, cluster: &Cluster) {
        let mut counts: BTreeMap<SubnetRef, u64> = BTreeMap::new();
        for (_, node) in super::demand::provisioned(cluster) {
            let Some(ip) = node.ips.iter().find(|ip| ip.is_ipv4()) else { continue };
            let Some(subnet) = self.find_near(cluster, *ip) else { continue };
            if self.seen.insert((subnet.clone(), *ip)) {
                let count = counts.entry(subnet).or_default();
                *count = count.saturating_add(1);
            }
        }
        // Where pods have addresses of the node subnet, so have those of these nodes, and how many is not stated.
        let exact = cluster.mode.is_some_and(|mode| mode != Mode::NodeSubnet);
        for (subnet, count) in counts {
            let tenant = Tenant {
                what: format!("{} of `{name}` that node auto-provisioning made", many(count, "node", "nodes")),
                addresses: if exact { Count::exact(count) } else { Count::at_least(count) },
                object: format!("clusters.{name}.nodes"),
                competes: false,
            };
            self.tenants.entry(subnet).or_default().push(tenant);
        }
    }

    /// Counts a tenant, once per address.
    fn claim(&mut self, subnet: &SubnetRef, ip: Option<IpAddr>, tenant: Tenant) {
        if ip.is_some_and(|ip| ip.is_ipv6() || !self.seen.insert((subnet.clone(), ip))) {
            return;
        }
        self.tenants.entry(subnet.clone()).or_default().push(tenant);
    }

    /// Frontends of internal load balancers: in the annotated subnet, else where the address lies, else on the first pool's subnet.
    fn services(&mut self, name: &ClusterName, cluster: &Cluster) {
        for (at, service) in cluster.services.iter().enumerate() {
            let internal = service.internal || service.internal_ip.is_some();
            if service.kind != ServiceType::LoadBalancer || !internal {
                continue;
            }
            let annotated = || {
                let wanted = service.internal_subnet.as_deref()?;
                cluster.networks().into_iter().find_map(|network| {
                    let subnets = self.map.get(network)?;
                    subnets
                        .iter()
                        .map(|(_, subnet)| subnet)
                        .find(|subnet| subnet.subnet.as_str().eq_ignore_ascii_case(wanted))
                        .cloned()
                })
            };
            let subnet = service
                .internal_ip
                .and_then(|ip| self.find_near(cluster, ip))
                .or_else(annotated)
                // An address in no subnet of the cluster's networks is not on the default one, nor is a frontend that asks for another.
                .or_else(|| {
                    let unplaced = service.internal_ip.is_none() && service.internal_subnet.is_none();
                    first_pool(cluster).filter(|_| unplaced)?.subnet.clone()
                });
            if let Some(subnet) = subnet {
                self.claim(
                    &subnet,
                    service.internal_ip,
                    Tenant {
                        what: format!("internal frontend of service `{}/{}`", service.namespace, service.name),
                        addresses: Count::exact(1),
                        object: format!("clusters.{name}.services.{at}"),
                        competes: false,
                    },
                );
            }
        }
    }

    /// The API server's addresses: one of the private endpoint, or as many as VNet integration takes.
    fn api_server(&mut self, name: &ClusterName, cluster: &Cluster, integrated: u64) {
        let api = &cluster.api_server;
        let object = format!("clusters.{name}.apiServer");
        match api.access {
            ApiAccess::Public => {}
            ApiAccess::Private => {
                let subnet = api
                    .subnet
                    .clone()
                    .or_else(|| self.find_near(cluster, api.private_ip?))
                    .or_else(|| first_pool(cluster)?.subnet.clone());
                if let Some(subnet) = subnet {
                    self.claim(
                        &subnet,
                        api.private_ip,
                        Tenant {
                            what: format!("private API endpoint of `{name}`"),
                            addresses: Count::exact(1),
                            object,
                            competes: false,
                        },
                    );
                }
            }
            ApiAccess::VnetIntegration => {
                if let Some(subnet) = api.subnet.clone() {
                    // One claim, whatever single address of them is known.
                    self.claim(
                        &subnet,
                        None,
                        Tenant {
                            what: format!("API server of `{name}` ({integrated})"),
                            addresses: Count::exact(integrated),
                            object,
                            competes: true,
                        },
                    );
                }
            }
        }
    }

    /// Gateways on a subnet of the cluster, and the frontend of an internal controller nobody listed.
    fn ingress(&mut self, design: &Design, name: &ClusterName, cluster: &Cluster) {
        for (at, ingress) in cluster.ingress.iter().enumerate() {
            let own =
                matches!(ingress.kind, IngressKind::ApplicationGateway | IngressKind::ApplicationGatewayForContainers);
            let listed = cluster.services.iter().any(|service| service.internal || service.internal_ip.is_some());
            let default = || {
                let subnet = first_pool(cluster)?.subnet.clone()?;
                let stated = design.subnet(&subnet)?.other.load_balancer_frontends > 0;
                (!own && !listed && !stated && ingress.exposure == Some(Exposure::Internal)).then_some(subnet)
            };
            let subnet = ingress.subnet.clone().or_else(|| self.find_near(cluster, ingress.ip?)).or_else(default);
            let Some(subnet) = subnet else { continue };
            let addresses = match ingress.kind {
                // As many as it has instances, which nobody states.
                IngressKind::ApplicationGateway => Count::at_least(1),
                IngressKind::ApplicationGatewayForContainers => {
                    Count::exact(subnet::gateway_for_containers_addresses(1))
                }
                IngressKind::Nginx | IngressKind::Istio | IngressKind::GatewayApi => {
                    Count::exact(u64::from(ingress.exposure != Some(Exposure::Public) || ingress.ip.is_some()))
                }
            };
            if addresses == Count::NONE {
                continue;
            }
            self.claim(
                &subnet,
                if own { None } else { ingress.ip },
                Tenant {
                    what: format!("{} of `{name}`", ingress.kind),
                    addresses,
                    object: format!("clusters.{name}.ingress.{at}"),
                    competes: own,
                },
            );
        }
    }

    /// Addresses the subnet itself states for others.
    fn stated(&mut self, reference: &SubnetRef, subnet: &Subnet) {
        let other = subnet.other;
        for (count, field, what, competes) in [
            (other.private_endpoints, "privateEndpoints", "other private endpoints", true),
            (other.load_balancer_frontends, "loadBalancerFrontends", "load balancer frontends", false),
            (other.nics, "nics", "network interfaces of machines", true),
        ] {
            if count > 0 {
                let tenant = Tenant {
                    what: format!("{count} {what}"),
                    addresses: Count::exact(count),
                    object: format!("{}.other.{field}", reference.path()),
                    competes,
                };
                self.claim(reference, None, tenant);
            }
        }
    }
}

/// The IPv4 prefixes of a subnet; others have no part in its arithmetic.
pub(crate) fn ipv4(prefixes: &[Cidr]) -> Vec<Cidr> {
    prefixes.iter().copied().filter(Cidr::is_v4).collect()
}
