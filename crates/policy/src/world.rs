//! From a cluster of the model to what the index is told.

use crate::dialect::{Dialect, Engine};
use crate::ends::{Event, NodeInfo, PodInfo, PodRanges};
use crate::index::Index;
use crate::ports::PortSet;
use causeway_addr::Cidr;
use causeway_model::design::{Cluster, Design, Mode, Node, NodeName, PolicyEngine, PolicyObject};
use std::collections::BTreeMap;

/// The engine a cluster says it has, as a dialect; where it says nothing, the API text.
pub fn engine_of(cluster: &Cluster) -> Engine {
    match cluster.network_policy {
        Some(PolicyEngine::Azure) => Engine::Npm,
        Some(PolicyEngine::Cilium) => Engine::Cilium,
        Some(PolicyEngine::Calico) => Engine::Calico,
        Some(PolicyEngine::None) => Engine::None,
        _ => Engine::Strict,
    }
}

/// The index of a cluster, read as an engine does.
pub fn index(design: &Design, cluster: &Cluster, engine: Engine) -> Index {
    let mut by_namespace: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    let mut about = Vec::new();
    for policy in unread(cluster, engine) {
        let name = format!("{}/{}", policy.kind, named(policy));
        match &policy.selects {
            Some(selects) => about.push((name, selects.clone())),
            None => by_namespace.entry(policy.namespace.clone()).or_default().push(name),
        }
    }
    index_of_understood(design, cluster, engine).with_unread(by_namespace).with_unread_about(about)
}

/// The same, of those policies alone that are understood.
pub fn index_of_understood(design: &Design, cluster: &Cluster, engine: Engine) -> Index {
    let dialect = Dialect::of(engine, cluster.version);
    let index = Index::new(dialect, pod_ranges(design, cluster));
    let of_hosts = design.hosts.values().map(|host| host.ip);
    let others = of_hosts.chain(cluster.api_server.private_ip).collect();
    index.with_ranges_of_nodes(node_ranges(design, cluster), others).with(events(cluster))
}

/// Where pods take their addresses from: the pod range, or the subnets of the pools.
pub fn pod_ranges(design: &Design, cluster: &Cluster) -> PodRanges {
    if cluster.mode.is_some_and(|mode| !mode.is_flat()) || cluster.pools.is_empty() {
        return cluster.pod_cidrs.clone();
    }
    let mut out: Vec<Cidr> = Vec::new();
    for pool in cluster.pools.values() {
        let own = match cluster.mode_of(pool) {
            Some(Mode::NodeSubnet) => &pool.subnet,
            _ => &pool.pod_subnet,
        };
        // A pool whose range is not known may have any: then nothing is.
        let Some(subnet) = own.as_ref().and_then(|subnet| design.subnet(subnet)) else { return Vec::new() };
        out.extend(&subnet.prefixes);
    }
    out.sort();
    out.dedup();
    out
}

/// Where nodes take their addresses from: the subnets of the pools that are known.
pub fn node_ranges(design: &Design, cluster: &Cluster) -> Vec<Cidr> {
    let subnets = cluster.pools.values().filter_map(|pool| design.subnet(pool.subnet.as_ref()?));
    let mut out: Vec<Cidr> = subnets.flat_map(|subnet| subnet.prefixes.iter().copied()).collect();
    out.sort();
    out.dedup();
    out
}

/// Everything policies see of a cluster. Pods that have ended are not there.
pub fn events(cluster: &Cluster) -> Vec<Event> {
    let mut out = Vec::new();
    for policy in cluster.policies.iter().filter_map(|policy| policy.meaning.as_ref()) {
        out.push(Event::Policy(policy.clone()));
    }
    for (name, namespace) in &cluster.namespaces {
        out.push(Event::Namespace(name.clone(), namespace.labels.clone()));
    }
    // A node that is only named, by a pod that runs on it, has labels and addresses that nobody told.
    let told = |(_, node): &(&NodeName, &Node)| !(node.ips.is_empty() && node.labels.is_empty());
    for (name, node) in cluster.nodes.iter().filter(told) {
        let mut labels = node.labels.clone();
        labels.entry("kubernetes.io/hostname".to_owned()).or_insert_with(|| name.to_string());
        out.push(Event::Node(NodeInfo { name: name.to_string(), labels, ips: node.ips.clone() }));
    }
    for pod in cluster.pods.iter().filter(|pod| !pod.terminated) {
        out.push(Event::Pod(PodInfo {
            namespace: pod.namespace.clone(),
            name: pod.name.clone(),
            labels: pod.labels.clone(),
            ips: pod.ips.clone(),
            node: pod.node.as_ref().map(ToString::to_string),
            host_network: pod.host_network,
            ports: pod.named_ports.clone(),
        }));
    }
    out
}

/// Ports of pods that stand behind services which Ingresses and routes name, by namespace and name of the pod.
pub fn behind_ingress(cluster: &Cluster) -> BTreeMap<(String, String), PortSet> {
    let mut out: BTreeMap<(String, String), PortSet> = BTreeMap::new();
    for service in cluster.services.iter().filter(|service| !service.routed_ports.is_empty()) {
        for port in service.ports.iter().filter(|port| service.routed_ports.contains(&port.port)) {
            for (pod, number) in crate::who::behind(cluster, service, port) {
                let mut one = PortSet::default();
                one.push(port.protocol, number, number);
                let all = out.entry((pod.namespace.clone(), pod.name.clone())).or_default();
                *all = all.either(&one);
            }
        }
    }
    out
}

/// Policies of kinds that are not understood and that an engine reads. Each engine reads its own kinds and those of Kubernetes; of the
/// API text alone it is not known who enforces it, so that it may be anybody.
fn unread(cluster: &Cluster, engine: Engine) -> impl Iterator<Item = &PolicyObject> {
    let reads = move |policy: &&PolicyObject| {
        let group = policy.api_version.split('/').next().unwrap_or_default();
        let is_of = |suffix: &str| group == suffix || group.ends_with(&format!(".{suffix}"));
        match engine {
            Engine::Strict => true,
            Engine::None => false,
            _ if is_of("k8s.io") => true,
            Engine::Npm => false,
            Engine::Cilium => is_of("cilium.io"),
            Engine::Calico => is_of("projectcalico.org"),
        }
    };
    cluster.policies.iter().filter(|policy| policy.meaning.is_none()).filter(reads)
}

fn named(policy: &PolicyObject) -> String {
    match &policy.namespace {
        Some(namespace) => format!("{namespace}/{}", policy.name),
        None => policy.name.clone(),
    }
}

/// Policies of kinds that are not understood and that an engine reads, by kind. Of the pods they may select nothing is sure.
pub fn foreign(cluster: &Cluster, engine: Engine) -> BTreeMap<String, Vec<String>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for policy in unread(cluster, engine) {
        out.entry(format!("{} ({})", policy.kind, policy.api_version)).or_default().push(named(policy));
    }
    out
}
