//! Clusters and their pools: defaults filled in by mode, each listed.

use super::{Meaning, families};
use crate::document::{self, Many, Named};
use crate::masquerade::Surroundings;
use causeway_addr::Cidr;
use causeway_model::design::*;
use causeway_model::facts::ModeFacts;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Overlay and kubenet, when nothing is stated (azure-facts `mode.overlay.pod_cidr.default`, `mode.kubenet.pod_cidr.default`).
const DEFAULT_POD_CIDR: Cidr = Cidr::v4([10, 244, 0, 0], 16);
/// IPv6 of a dual-stack cluster (azure-facts `mode.overlay.dual_stack`).
const DEFAULT_POD_CIDR_V6: Cidr = Cidr::v6([0xfd12, 0x3456, 0x789a, 0, 0, 0, 0, 0], 64);
/// When nothing is stated (azure-facts `addr.service_cidr.default`).
const DEFAULT_SERVICE_CIDR: Cidr = Cidr::v4([10, 0, 0, 0], 16);
/// IPv6 of a dual-stack cluster.
const DEFAULT_SERVICE_CIDR_V6: Cidr = Cidr::v6([0xfd12, 0x3456, 0x789a, 1, 0, 0, 0, 0], 108);

impl Meaning<'_> {
    pub(super) fn clusters(&mut self, clusters: Named<document::Cluster>) -> BTreeMap<ClusterName, Cluster> {
        clusters
            .0
            .into_iter()
            .map(|(name, cluster)| (ClusterName::from(name.as_str()), self.cluster(&name, cluster)))
            .collect()
    }

    fn cluster(&mut self, name: &str, cluster: document::Cluster) -> Cluster {
        let path = format!("clusters.{name}");
        let mode = cluster.mode.or_else(|| self.implied_mode(&path, &cluster));
        let ip_families = self.ip_families(&path, &cluster);
        let pod_cidrs = self.pod_cidrs(&path, mode, &ip_families, cluster.pod_cidr);
        let service_cidrs = self.service_cidrs(&path, mode, &ip_families, cluster.service_cidr);
        let dns_service_ip = self.dns_service_ip(&path, mode, &service_cidrs, cluster.dns_service_ip);
        let permissions = cluster.identity.and_then(|identity| identity.subnet_permissions).map(|subnets| {
            let path = format!("{path}.identity.subnetPermissions");
            subnets.0.iter().filter_map(|subnet| self.subnet(&path, subnet)).collect()
        });
        let pools = self.pools(&path, mode, cluster.pools.unwrap_or_default());
        let nodes = self.nodes(&path, &pools, cluster.nodes.unwrap_or_default());
        let pods = self.pods(&path, &nodes, cluster.pods.unwrap_or_default());
        let ingress = cluster.ingress.unwrap_or_default().0;
        let kube_proxy = cluster.kube_proxy.unwrap_or_default().0;
        let around = Surroundings {
            ebpf_host_routing: cluster.ebpf_host_routing.unwrap_or(false),
            ipv6: ip_families.contains(&IpFamily::Ipv6),
            ships_agent: mode.is_some_and(|mode| ModeFacts::of(mode).masquerade.value.has_agent()),
        };
        let masquerade = cluster.masquerade.map(|masquerade| self.masquerade(&path, masquerade, around));
        Cluster {
            location: cluster.location,
            subnet_permissions: permissions,
            mode,
            version: cluster.version,
            dataplane: cluster.dataplane.unwrap_or(Dataplane::Azure),
            ebpf_host_routing: cluster.ebpf_host_routing.unwrap_or(false),
            network_policy: cluster.network_policy,
            pod_cidrs,
            service_cidrs,
            dns_service_ip,
            ip_families,
            outbound: self.outbound(&path, mode, cluster.outbound.map(|outbound| outbound.0)),
            api_server: self.api_server(&path, cluster.api_server.map(|server| server.0)),
            kube_proxy: KubeProxy {
                mode: kube_proxy.mode,
                cluster_cidrs: kube_proxy.cluster_cidr.map(|cidrs| cidrs.0),
            },
            pools,
            headroom: cluster.headroom.map_or_else(Headroom::default, |headroom| Headroom {
                emergency_nodes: headroom.emergency_nodes.unwrap_or(0),
                migration_overlap_nodes: headroom.migration_overlap_nodes.unwrap_or(0),
                churn: headroom.churn,
            }),
            ipam: self.ipam(&path, cluster.ipam),
            masquerade,
            observed_exempt: cluster.observed_rules.and_then(|rules| rules.exempt).map(|exempt| exempt.0),
            ingress: ingress
                .into_iter()
                .enumerate()
                .filter_map(|(at, ingress)| self.ingress(&path, at, ingress))
                .collect(),
            nodes,
            namespaces: self.namespaces(cluster.namespaces.unwrap_or_default()),
            pods,
            services: self.services(&path, cluster.services.unwrap_or_default()),
            policies: self.policies(&path, cluster.policies.unwrap_or_default()),
            tier: cluster.tier,
            local_dns: cluster.local_dns,
            node_auto_provisioning: cluster.node_auto_provisioning.unwrap_or(false),
            automatic: cluster.automatic.unwrap_or(false),
            load_balancer_sku: cluster.load_balancer_sku,
            http_application_routing: cluster.http_application_routing.unwrap_or(false),
            open_service_mesh: cluster.open_service_mesh.unwrap_or(false),
            virtual_nodes: cluster.virtual_nodes.map(|nodes| VirtualNodes {
                subnet: nodes.subnet.and_then(|subnet| self.subnet(&format!("{path}.virtualNodes.subnet"), &subnet)),
            }),
            static_egress_gateway: cluster.static_egress_gateway.unwrap_or(false),
        }
    }

    /// A pool with a pod subnet implies a pod-subnet mode; nothing else does.
    fn implied_mode(&mut self, path: &str, cluster: &document::Cluster) -> Option<Mode> {
        if self.places.exact(&format!("{path}.mode")).is_some() {
            return None;
        }
        let pools = cluster.pools.iter().flat_map(|pools| &pools.0);
        if pools.clone().any(|(_, pool)| pool.pod_subnet.is_some()) {
            return Some(self.assume(
                format!("{path}.mode"),
                Mode::PodSubnet,
                Mode::PodSubnet,
                "a pool has a `podSubnet`; dynamic allocation is the platform's default there",
            ));
        }
        self.notes.push(Note {
            kind: NoteKind::Unknown,
            message: format!("the mode of `{path}` is not stated: what depends on it can't be answered"),
            at: self.places.nearest(path),
        });
        None
    }

    fn ip_families(&mut self, path: &str, cluster: &document::Cluster) -> Vec<IpFamily> {
        if let Some(Many(stated)) = &cluster.ip_families
            && !stated.is_empty()
        {
            return stated.clone();
        }
        let ranges = cluster
            .pod_cidr
            .iter()
            .chain(&cluster.service_cidr)
            .flat_map(|cidrs| &cidrs.0)
            .copied()
            .collect::<Vec<_>>();
        let mut seen = families(&ranges);
        seen.sort();
        if seen.is_empty() {
            seen.push(IpFamily::Ipv4);
        }
        let shown = seen.iter().map(|family| family.as_str()).collect::<Vec<_>>().join(", ");
        self.assume(
            format!("{path}.ipFamilies"),
            seen,
            shown,
            "the families of the ranges, else the platform's default",
        )
    }

    fn pod_cidrs(
        &mut self,
        path: &str,
        mode: Option<Mode>,
        wanted: &[IpFamily],
        stated: Option<Many<Cidr>>,
    ) -> Vec<Cidr> {
        let stated = stated.unwrap_or_default().0;
        let defaults = matches!(mode, Some(Mode::Overlay | Mode::Kubenet));
        self.with_defaults(format!("{path}.podCidr"), defaults, wanted, stated, DEFAULT_POD_CIDR, DEFAULT_POD_CIDR_V6)
    }

    fn service_cidrs(
        &mut self,
        path: &str,
        mode: Option<Mode>,
        wanted: &[IpFamily],
        stated: Option<Many<Cidr>>,
    ) -> Vec<Cidr> {
        let stated = stated.unwrap_or_default().0;
        self.with_defaults(
            format!("{path}.serviceCidr"),
            mode.is_some(),
            wanted,
            stated,
            DEFAULT_SERVICE_CIDR,
            DEFAULT_SERVICE_CIDR_V6,
        )
    }

    /// Adds the platform's default for every family that has no range.
    fn with_defaults(
        &mut self,
        path: String,
        defaults: bool,
        wanted: &[IpFamily],
        mut ranges: Vec<Cidr>,
        v4: Cidr,
        v6: Cidr,
    ) -> Vec<Cidr> {
        // A field that was written but could not be read already is an error: no default on top of it.
        if !defaults || (ranges.is_empty() && self.places.exact(&path).is_some()) {
            return ranges;
        }
        for family in wanted {
            if !families(&ranges).contains(family) {
                let default = if *family == IpFamily::Ipv4 { v4 } else { v6 };
                ranges.push(self.assume(path.clone(), default, default, "the platform's default"));
            }
        }
        ranges
    }

    fn dns_service_ip(
        &mut self,
        path: &str,
        mode: Option<Mode>,
        services: &[Cidr],
        stated: Option<IpAddr>,
    ) -> Option<IpAddr> {
        let path = format!("{path}.dnsServiceIp");
        if stated.is_some() || mode.is_none() || self.places.exact(&path).is_some() {
            return stated;
        }
        let tenth = services.first()?.nth(10)?;
        Some(self.assume(
            path,
            tenth,
            tenth,
            "the tenth address of the service range, as the platform's default and most tools have it",
        ))
    }

    fn outbound(&mut self, path: &str, mode: Option<Mode>, outbound: Option<document::Outbound>) -> Outbound {
        let path = format!("{path}.outbound");
        let outbound = outbound.unwrap_or_default();
        let kind = outbound.kind.unwrap_or_else(|| {
            let default = OutboundType::LoadBalancer;
            if mode.is_some() && self.places.exact(&format!("{path}.type")).is_none() {
                self.assume(format!("{path}.type"), default, default, "the platform's default")
            } else {
                default
            }
        });
        Outbound {
            kind,
            stated: outbound.kind.is_some(),
            ips: outbound.ips,
            ips_known: outbound.ips_known.unwrap_or(true),
            ipv6_ips: outbound.ipv6_ips,
            public_ips: outbound.public_ips.unwrap_or_default().0,
            ports_per_node: outbound.ports_per_node,
            idle_timeout_minutes: outbound.idle_timeout_minutes,
        }
    }

    fn api_server(&mut self, path: &str, server: Option<document::ApiServer>) -> ApiServer {
        let path = format!("{path}.apiServer");
        let server = server.unwrap_or_default();
        let ranges = server.authorized_ranges.map(|ranges| {
            let mut out = Vec::new();
            for (at, text) in ranges.0.iter().enumerate() {
                // A single address is as good as its /32: the platform takes both.
                let parsed = if text.contains('/') {
                    Cidr::parse(text).map(|parsed| parsed.cidr)
                } else {
                    causeway_addr::parse_address(text).map(Cidr::host)
                };
                match parsed {
                    Ok(cidr) => out.push(cidr),
                    Err(error) => self.error(
                        &format!("{path}.authorizedRanges.{at}"),
                        error.to_string(),
                        error.hint().unwrap_or_default(),
                    ),
                }
            }
            out
        });
        ApiServer {
            access: server.access.unwrap_or(ApiAccess::Public),
            stated: server.access.is_some(),
            subnet: server.subnet.and_then(|subnet| self.subnet(&format!("{path}.subnet"), &subnet)),
            authorized_ranges: ranges,
            public: server.public,
            private_dns_zone: server.private_dns_zone,
            private_fqdn: server.private_fqdn,
            public_fqdn: server.public_fqdn,
            private_ip: server.private_ip,
        }
    }

    fn ipam(&mut self, path: &str, ipam: Option<document::Ipam>) -> Ipam {
        let (ipam, default) = (ipam.unwrap_or_default(), Ipam::default());
        if ipam.batch == Some(0) {
            self.error(&format!("{path}.ipam.batch"), "a batch has at least one address", "the platform's is 16");
        }
        Ipam {
            batch: ipam.batch.filter(|batch| *batch > 0).unwrap_or(default.batch),
            min_free: ipam.min_free_fraction.unwrap_or(default.min_free),
            host_network_pods_per_node: ipam.host_network_pods_per_node,
        }
    }

    fn ingress(&mut self, path: &str, at: usize, ingress: document::Ingress) -> Option<Ingress> {
        let path = format!("{path}.ingress.{at}");
        let kind = self.required(&path, "kind", ingress.kind)?;
        Some(Ingress {
            kind,
            exposure: ingress.exposure,
            subnet: ingress.subnet.and_then(|subnet| self.subnet(&format!("{path}.subnet"), &subnet)),
            ip: ingress.ip,
            ports: ingress.ports.unwrap_or_default().0,
        })
    }

    fn pools(&mut self, path: &str, mode: Option<Mode>, pools: Named<document::Pool>) -> BTreeMap<PoolName, Pool> {
        let mut out = BTreeMap::new();
        for (name, pool) in pools.0 {
            let path = format!("{path}.pools.{name}");
            out.insert(PoolName::from(name.as_str()), self.pool(&path, mode, pool));
        }
        out
    }

    fn pool(&mut self, path: &str, cluster_mode: Option<Mode>, pool: document::Pool) -> Pool {
        let mode = pool.mode.or(cluster_mode);
        if let Some(own) = pool.mode
            && !(own.uses_pod_subnet() && cluster_mode.is_none_or(Mode::uses_pod_subnet))
            && cluster_mode != Some(own)
        {
            self.error(
                &format!("{path}.mode"),
                format!("a pool's own mode can't be `{own}` in this cluster"),
                "only `podSubnet` and `podSubnetStatic` pools mix in one cluster",
            );
        }
        let size = pool.nodes.unwrap_or_default().0;
        if let (Some(min), Some(max)) = (size.min, size.max)
            && min > max
        {
            self.error(
                &format!("{path}.nodes"),
                format!("`min` {min} is more than `max` {max}"),
                "the autoscaler keeps a pool between `min` and `max`: swap them, or raise `max`",
            );
        }
        if size.count.or(size.min).is_none() {
            self.notes.push(Note {
                kind: NoteKind::Unknown,
                message: format!("the number of nodes of `{path}` is not stated: its capacity can't be answered"),
                at: self.places.nearest(path),
            });
        }
        let max_pods = pool.max_pods.or_else(|| self.default_max_pods(path, mode));
        let pod_subnet = pool.pod_subnet.and_then(|subnet| self.subnet(&format!("{path}.podSubnet"), &subnet));
        Pool {
            nodes: PoolSize { count: size.count, min: size.min, max: size.max },
            max_pods,
            max_surge: pool.max_surge,
            max_unavailable: pool.max_unavailable,
            os: pool.os.unwrap_or(Os::Linux),
            os_sku: pool.os_sku,
            subnet: pool.subnet.and_then(|subnet| self.subnet(&format!("{path}.subnet"), &subnet)),
            pod_subnet,
            mode: pool.mode,
            zones: pool.zones.unwrap_or_default().0,
            node_public_ip: pool.node_public_ip.unwrap_or(false),
            labels: pool.labels.unwrap_or_default().0.into_iter().collect(),
            taints: pool.taints.unwrap_or_default().0,
            system: pool.system,
            vm_size: pool.vm_size,
            availability_set: pool.availability_set.unwrap_or(false),
            blue_green: pool.blue_green.unwrap_or(false),
            allocated: pool.allocated,
        }
    }

    /// The platform's default per mode (azure-facts `mode_matrix.max_pods_default`; `conflicts.max-pods-default-pod-subnet`: plan
    /// with 250 and say so; none is known for static block).
    fn default_max_pods(&mut self, path: &str, mode: Option<Mode>) -> Option<u32> {
        let path = format!("{path}.maxPods");
        if self.places.exact(&path).is_some() {
            return None;
        }
        let (value, because) = match mode? {
            Mode::Overlay => (250, "the platform's default for overlay"),
            Mode::PodSubnet => (250, "planned with the larger of two published defaults, 250 and 110: state it"),
            Mode::NodeSubnet => (30, "the platform's default for node subnet"),
            Mode::Kubenet => (110, "the platform's default for kubenet"),
            Mode::PodSubnetStatic | Mode::Byo => return None,
        };
        Some(self.assume(path, value, value, because))
    }
}
