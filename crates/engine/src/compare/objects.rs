//! Objects that packets meet on their way, and whether they say the same. Numbers of nodes, growth, records and the like are no part.

use super::{How, ObjectChange};
use crate::masquerade::effective;
use causeway_model::design::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Everything that differs, sorted by path.
pub(super) fn compare(old: &Design, new: &Design) -> Vec<ObjectChange> {
    let mut out = Out(BTreeSet::new());
    out.named("networks", &old.networks, &new.networks, |out, path, old, new| {
        out.fields(
            path,
            &[
                ("kind", old.kind == new.kind),
                ("prefixes", same(&old.prefixes, &new.prefixes)),
                ("dnsServers", old.dns_servers == new.dns_servers),
                ("gateway", old.gateway == new.gateway),
                ("knows", old.knows == new.knows),
            ],
        );
        out.named(&format!("{path}.subnets"), &old.subnets, &new.subnets, subnet);
    });
    out.named("peerings", &peerings(old), &peerings(new), whole);
    out.named("routeTables", &old.route_tables, &new.route_tables, |out, path, old, new| {
        let routes = |table: &RouteTable| {
            table.routes.iter().map(|route| (route.prefix.clone(), route.next_hop)).collect::<Vec<_>>()
        };
        let alike = old.known == new.known && old.bgp_propagation == new.bgp_propagation;
        out.changed_unless(path, alike && same(&routes(old), &routes(new)));
    });
    out.named("networkSecurityGroups", &old.security_groups, &new.security_groups, |out, path, old, new| {
        let rules = |group: &SecurityGroup| {
            group.rules.iter().cloned().map(|rule| SecurityRule { name: String::new(), ..rule }).collect::<Vec<_>>()
        };
        out.changed_unless(path, old.known == new.known && same(&rules(old), &rules(new)));
    });
    out.named("natGateways", &old.nat_gateways, &new.nat_gateways, whole);
    out.named("firewalls", &old.firewalls, &new.firewalls, |out, path, old, new| {
        let nameless = |firewall: &Firewall| {
            let mut firewall = firewall.clone();
            firewall.rules.iter_mut().for_each(|rule| rule.name.clear());
            firewall.dnat.iter_mut().for_each(|rule| rule.name.clear());
            firewall
        };
        out.changed_unless(path, nameless(old) == nameless(new));
    });
    out.named("hosts", &old.hosts, &new.hosts, whole);
    out.named("privateEndpoints", &old.private_endpoints, &new.private_endpoints, whole);
    out.named("privateDnsZones", &old.private_dns_zones, &new.private_dns_zones, |out, path, old, new| {
        let alike = old.records == new.records && old.fallback_to_internet == new.fallback_to_internet;
        out.changed_unless(path, alike && same(&old.links, &new.links));
    });
    out.named("publicDns", &old.public_dns, &new.public_dns, whole);
    out.named("clusters", &old.clusters, &new.clusters, cluster);
    for name in new.clusters.keys() {
        let path = format!("clusters.{name}.masquerade");
        out.changed_unless(&path, same_translation(old, new, name));
    }
    out.0.into_iter().collect()
}

struct Out(BTreeSet<ObjectChange>);

impl Out {
    fn push(&mut self, object: String, how: How) {
        self.0.insert(ObjectChange { object, how });
    }

    fn changed_unless(&mut self, path: &str, same: bool) {
        if !same {
            self.push(path.to_owned(), How::Changed);
        }
    }

    /// Fields of an object that is on both sides.
    fn fields(&mut self, path: &str, fields: &[(&str, bool)]) {
        for (field, same) in fields {
            self.changed_unless(&format!("{path}.{field}"), *same);
        }
    }

    /// Objects by name: those on one side only, and those that differ.
    fn named<K: Display + Ord, V>(
        &mut self,
        path: &str,
        old: &BTreeMap<K, V>,
        new: &BTreeMap<K, V>,
        mut each: impl FnMut(&mut Out, &str, &V, &V),
    ) {
        for (name, value) in new {
            let path = format!("{path}.{name}");
            match old.get(name) {
                Some(before) => each(self, &path, before, value),
                None => self.push(path, How::Added),
            }
        }
        for name in old.keys().filter(|name| !new.contains_key(name)) {
            self.push(format!("{path}.{name}"), How::Removed);
        }
    }
}

fn whole<V: PartialEq>(out: &mut Out, path: &str, old: &V, new: &V) {
    out.changed_unless(path, old == new);
}

/// The same things, in whatever order.
fn same<T: PartialEq>(old: &[T], new: &[T]) -> bool {
    old == new
        || (old.len() == new.len()
            && old.iter().all(|one| new.contains(one))
            && new.iter().all(|one| old.contains(one)))
}

fn subnet(out: &mut Out, path: &str, old: &Subnet, new: &Subnet) {
    out.fields(
        path,
        &[
            ("prefix", same(&old.prefixes, &new.prefixes)),
            ("natGateway", old.nat_gateway == new.nat_gateway),
            ("nsg", old.nsg == new.nsg),
            ("routeTable", old.route_table == new.route_table),
            ("privateEndpointPolicies", old.private_endpoint_policies == new.private_endpoint_policies),
            ("serviceEndpoints", same(&old.service_endpoints, &new.service_endpoints)),
            ("defaultOutboundAccess", old.default_outbound_access == new.default_outbound_access),
        ],
    );
}

/// Peerings by their two sides, whichever is written first.
fn peerings(design: &Design) -> BTreeMap<String, Peering> {
    let between = |peering: &Peering| {
        let (one, other) = &peering.between;
        if one <= other { (one.clone(), other.clone()) } else { (other.clone(), one.clone()) }
    };
    design
        .peerings
        .iter()
        .map(|peering| {
            let (one, other) = between(peering);
            (format!("{one}-{other}"), Peering { between: (one, other), ..peering.clone() })
        })
        .collect()
}

fn cluster(out: &mut Out, path: &str, old: &Cluster, new: &Cluster) {
    out.fields(
        path,
        &[
            ("mode", old.mode == new.mode),
            ("dataplane", old.dataplane == new.dataplane),
            ("ebpfHostRouting", old.ebpf_host_routing == new.ebpf_host_routing),
            ("networkPolicy", old.network_policy == new.network_policy),
            ("podCidr", same(&old.pod_cidrs, &new.pod_cidrs)),
            ("serviceCidr", same(&old.service_cidrs, &new.service_cidrs)),
            ("dnsServiceIp", old.dns_service_ip == new.dns_service_ip),
            ("ipFamilies", same(&old.ip_families, &new.ip_families)),
            ("outbound", outbound(&old.outbound) == outbound(&new.outbound)),
            ("apiServer", api_server(&old.api_server) == api_server(&new.api_server)),
            ("kubeProxy", old.kube_proxy == new.kube_proxy),
            ("ingress", same(&old.ingress, &new.ingress)),
            ("localDns", old.local_dns == new.local_dns),
        ],
    );
    out.named(&format!("{path}.pools"), &old.pools, &new.pools, |out, path, old, new| {
        out.fields(
            path,
            &[
                ("subnet", old.subnet == new.subnet),
                ("podSubnet", old.pod_subnet == new.pod_subnet),
                ("mode", old.mode == new.mode),
                ("os", old.os == new.os),
                ("nodePublicIp", old.node_public_ip == new.node_public_ip),
            ],
        );
    });
    out.named(&format!("{path}.namespaces"), &old.namespaces, &new.namespaces, whole);
    out.named(&format!("{path}.services"), &services(old), &services(new), whole);
    out.named(&format!("{path}.policies"), &policies(old), &policies(new), whole);
}

/// Whether the type was stated or is the platform's own choice is the same to a packet.
fn outbound(outbound: &Outbound) -> Outbound {
    let mut outbound = Outbound { stated: true, ..outbound.clone() };
    outbound.public_ips.sort();
    outbound
}

fn api_server(server: &ApiServer) -> ApiServer {
    ApiServer { stated: true, ..server.clone() }
}

/// The nodes translate as before: nothing was written anew, or what was comes to the same.
fn same_translation(old: &Design, new: &Design, name: &ClusterName) -> bool {
    let (Some(before), Some(after)) = (old.clusters.get(name), new.clusters.get(name)) else { return true };
    if masquerade(&before.masquerade) == masquerade(&after.masquerade)
        && before.observed_exempt == after.observed_exempt
    {
        return true;
    }
    let (was, is) = (effective(old, name), effective(new, name));
    was.known()
        .zip(is.known())
        .is_some_and(|(was, is)| was.by == is.by && was.platform_snat == is.platform_snat && was.kept() == is.kept())
}

/// What the agent reads, without where it was written.
fn masquerade(masquerade: &Option<Masquerade>) -> Option<impl PartialEq> {
    let masquerade = masquerade.as_ref()?;
    let texts = |files: &BTreeMap<String, MasqueradeFile>| -> BTreeMap<String, String> {
        files.iter().map(|(name, file)| (name.clone(), file.text.clone())).collect()
    };
    let maps: Vec<_> =
        masquerade.config_maps.iter().map(|map| (map.name.clone(), map.namespace.clone(), texts(&map.data))).collect();
    Some((masquerade.agent, masquerade.flags.clone(), texts(&masquerade.files), masquerade.daemon_set.clone(), maps))
}

fn services(cluster: &Cluster) -> BTreeMap<String, &Service> {
    cluster.services.iter().map(|service| (format!("{}/{}", service.namespace, service.name), service)).collect()
}

fn policies(cluster: &Cluster) -> BTreeMap<String, &PolicyObject> {
    cluster
        .policies
        .iter()
        .map(|policy| {
            let namespace = policy.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}/"));
            (format!("{}/{namespace}{}", policy.kind, policy.name), policy)
        })
        .collect()
}
