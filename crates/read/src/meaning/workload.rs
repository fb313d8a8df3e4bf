//! Nodes, namespaces, pods, services, policies.

use super::Meaning;
use crate::document::{self, Named, Raw};
use crate::tree::Node as TreeNode;
use causeway_model::design::*;
use std::collections::{BTreeMap, BTreeSet};

impl Meaning<'_> {
    pub(super) fn nodes(
        &mut self,
        path: &str,
        pools: &BTreeMap<PoolName, Pool>,
        nodes: Named<document::Node>,
    ) -> BTreeMap<NodeName, Node> {
        let mut out = BTreeMap::new();
        for (name, node) in nodes.0 {
            let path = format!("{path}.nodes.{name}");
            let pool = node.pool.and_then(|pool| {
                let known: BTreeSet<&str> = pools.keys().map(PoolName::as_str).collect();
                if known.contains(pool.as_str()) {
                    return Some(PoolName::from(pool.as_str()));
                }
                let help = causeway_model::suggest::nearest(&pool, known.iter().copied()).map_or_else(
                    || "add the pool to the cluster's `pools`".to_owned(),
                    |nearest| format!("did you mean `{nearest}`?"),
                );
                self.error(&format!("{path}.pool"), format!("unknown pool `{pool}`"), help);
                None
            });
            let value = Node {
                ips: node.ip.unwrap_or_default().0,
                pool,
                zone: node.zone,
                pod_cidrs: node.pod_cidr.unwrap_or_default().0,
                labels: node.labels.unwrap_or_default().0.into_iter().collect(),
            };
            out.insert(NodeName::from(name.as_str()), value);
        }
        out
    }

    pub(super) fn namespaces(&mut self, namespaces: Named<document::Namespace>) -> BTreeMap<String, Namespace> {
        namespaces
            .0
            .into_iter()
            .map(|(name, namespace)| {
                (name, Namespace { labels: namespace.labels.unwrap_or_default().0.into_iter().collect() })
            })
            .collect()
    }

    pub(super) fn pods(&mut self, path: &str, nodes: &BTreeMap<NodeName, Node>, pods: Vec<document::Pod>) -> Vec<Pod> {
        let mut out = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, pod) in pods.into_iter().enumerate() {
            let path = format!("{path}.pods.{at}");
            let Some(name) = self.required(&path, "name", pod.name) else { continue };
            let namespace = pod.namespace.unwrap_or_else(|| "default".to_owned());
            if !seen.insert((namespace.clone(), name.clone())) {
                self.error(&path, format!("pod `{namespace}/{name}` is given twice"), "keep one of them");
            }
            let node = pod.node.and_then(|node| {
                if nodes.contains_key(node.as_str()) {
                    return Some(NodeName::from(node.as_str()));
                }
                let help = causeway_model::suggest::nearest(&node, nodes.keys().map(NodeName::as_str)).map_or_else(
                    || "add the node to the cluster's `nodes`".to_owned(),
                    |nearest| format!("did you mean `{nearest}`?"),
                );
                self.error(&format!("{path}.node"), format!("unknown node `{node}`"), help);
                None
            });
            let ports = self.listens(&format!("{path}.listens"), &pod.listens.unwrap_or_default().0);
            out.push(Pod {
                name,
                namespace,
                node,
                ips: pod.ip.unwrap_or_default().0,
                labels: pod.labels.unwrap_or_default().0.into_iter().collect(),
                listens: ports.iter().map(|(_, protocol, port)| (*protocol, *port)).collect(),
                named_ports: ports
                    .into_iter()
                    .filter_map(|(name, protocol, port)| Some((name?, (protocol, port))))
                    .collect(),
                host_network: pod.host_network.unwrap_or(false),
                terminated: pod.terminated.unwrap_or(false),
                template_of: pod.template_of,
            });
        }
        out
    }

    pub(super) fn services(&mut self, path: &str, services: Vec<document::Service>) -> Vec<Service> {
        let mut out = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, service) in services.into_iter().enumerate() {
            let path = format!("{path}.services.{at}");
            let Some(name) = self.required(&path, "name", service.name) else { continue };
            let namespace = service.namespace.unwrap_or_else(|| "default".to_owned());
            if !seen.insert((namespace.clone(), name.clone())) {
                self.error(&path, format!("service `{namespace}/{name}` is given twice"), "keep one of them");
            }
            out.push(Service {
                name,
                namespace,
                kind: service.kind.unwrap_or(ServiceType::ClusterIp),
                cluster_ips: service.cluster_ip.unwrap_or_default().0,
                internal: service.internal.unwrap_or(service.internal_ip.is_some()),
                internal_ip: service.internal_ip,
                internal_subnet: service.internal_subnet,
                public_ip: service.public_ip,
                ports: self.service_ports(&format!("{path}.ports"), &service.ports.unwrap_or_default().0),
                selector: service.selector.unwrap_or_default().0.into_iter().collect(),
                external_traffic_policy: service.external_traffic_policy.unwrap_or(TrafficPolicy::Cluster),
                source_ranges: service.source_ranges.unwrap_or_default().0,
                health_port: service.health_port,
                annotations: service.annotations.unwrap_or_default().0.into_iter().collect(),
                routed_ports: service.routed_ports.unwrap_or_default().0,
            });
        }
        out
    }

    pub(super) fn policies(&mut self, path: &str, policies: Vec<Raw>) -> Vec<PolicyObject> {
        let mut out = Vec::new();
        let mut seen = BTreeMap::new();
        for (at, Raw(node)) in policies.into_iter().enumerate() {
            let path = format!("{path}.policies.{at}");
            let text = |node: &TreeNode, key: &str| node.get(key).and_then(TreeNode::text).map(str::to_owned);
            let (kind, api_version) = (text(&node, "kind"), text(&node, "apiVersion"));
            let metadata = node.get("metadata");
            let name = metadata.and_then(|metadata| text(metadata, "name"));
            let (Some(kind), Some(api_version), Some(name)) = (kind, api_version, name) else {
                self.error(
                    &path,
                    "a policy needs `apiVersion`, `kind` and `metadata.name`",
                    "write it as Kubernetes does",
                );
                continue;
            };
            let namespace = metadata.and_then(|metadata| text(metadata, "namespace"));
            let cluster_wide = ["Cluster", "Admin", "Baseline", "Global"].iter().any(|word| kind.contains(word));
            let namespace = namespace.or_else(|| (!cluster_wide).then(|| "default".to_owned()));
            let reading = crate::kubernetes::policy::read(&node);
            let json = node.to_json().to_string();
            if let Some(id) = reading.as_ref().map(|reading| reading.policy.id.clone()) {
                match seen.get(&id) {
                    Some(known) if *known == json => continue,
                    Some(_) => {
                        self.error(&path, format!("`{id}` is given twice, and not the same"), "leave one of them out");
                    }
                    None => drop(seen.insert(id, json.clone())),
                }
            }
            let meaning = reading.map(|reading| {
                self.within.extend(reading.places.into_iter().map(|(part, span)| (format!("{path}.{part}"), span)));
                reading.policy
            });
            let selects = match &meaning {
                Some(_) => None,
                None => crate::kubernetes::policy::selects(&node, namespace.as_deref()),
            };
            out.push(PolicyObject { kind, api_version, name, namespace, json, meaning, selects });
        }
        out
    }
}
