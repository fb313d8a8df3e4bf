//! Nodes, and what they say about the pools they are of.

use super::Cx;
use super::kind::Kind;
use super::object::Object;
use super::value::{
    address, at, flag, is_true, items, label, list, mapping, number, one_or_many, prefix, said, text, truth,
};
use crate::tree::{Entry, MapBuilder, Node};
use causeway_model::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Labels that repeat others under old names, or hold nothing but identifiers of the platform.
const NOISE: &[&str] = &[
    "kubernetes.azure.com/cluster",
    "kubernetes.azure.com/consolidated-additional-properties",
    "kubernetes.azure.com/kubelet-identity-client-id",
    "kubernetes.azure.com/kubelet-serving-ca",
    "kubernetes.azure.com/network-subscription",
    "kubernetes.azure.com/node-image-version",
    "kubernetes.azure.com/nodenetwork-vnetguid",
    "kubernetes.azure.com/podnetwork-delegationguid",
    "kubernetes.azure.com/podnetwork-subscription",
    "kubernetes.io/hostname",
];
const NOISE_GROUPS: &[&str] = &["beta.kubernetes.io/", "failure-domain.beta.kubernetes.io/"];

/// Labels that name a node's pool, the first that is there.
const POOL: &[&str] =
    &["kubernetes.azure.com/agentpool", "agentpool", "eks.amazonaws.com/nodegroup", "cloud.google.com/gke-nodepool"];

/// A node that was given, or is named by something that was.
#[derive(Debug)]
pub(super) struct KnownNode<'a> {
    /// The `Node` itself.
    pub(super) object: Option<&'a Object>,
    /// Where it is named first.
    at: Span,
    pool: Option<Node>,
    /// Its addresses as others have them.
    seen: Vec<Node>,
}

/// Every node anything speaks of.
#[derive(Debug, Default)]
pub(super) struct Nodes<'a>(BTreeMap<String, KnownNode<'a>>);

impl<'a> Nodes<'a> {
    /// Nodes that were given, those pods run on, and those with addresses to hand out.
    pub(super) fn new(cx: &Cx<'a>) -> Nodes<'a> {
        let mut nodes = BTreeMap::new();
        for object in cx.all.of(Kind::Node) {
            let pool = POOL.iter().find_map(|key| label(&object.node, key)).cloned();
            let node = KnownNode { object: Some(object), at: object.at, pool, seen: Vec::new() };
            nodes.insert(object.name.clone(), node);
        }
        let mut nodes = Nodes(nodes);
        for pod in cx.all.of(Kind::Pod) {
            let Some(name) = said(&pod.node, &["spec", "nodeName"]) else { continue };
            let many = items(&pod.node, &["status", "hostIPs"]).filter_map(|ip| said(ip, &["ip"]));
            let mut seen: Vec<&Node> = many.collect();
            if seen.is_empty() {
                seen.extend(said(&pod.node, &["status", "hostIP"]));
            }
            nodes.speak_of(name, &seen);
        }
        for config in cx.all.of(Kind::NodeNetworkConfig) {
            let containers = items(&config.node, &["status", "networkContainers"]);
            let seen: Vec<&Node> = containers.filter_map(|container| said(container, &["nodeIP"])).collect();
            nodes.speak_of(&Node::str(config.at, config.name.as_str()), &seen);
        }
        nodes
    }

    fn speak_of(&mut self, name: &Node, seen: &[&Node]) {
        let Some(text) = name.text() else { return };
        let known = self.0.entry(text.to_owned()).or_insert_with(|| KnownNode {
            object: None,
            at: name.span,
            pool: pool_of_name(text).map(|pool| Node::str(name.span, pool)),
            seen: Vec::new(),
        });
        for ip in seen.iter().filter(|ip| address(ip).is_some()) {
            if !known.seen.iter().any(|other| other.text() == ip.text()) {
                known.seen.push((*ip).clone());
            }
        }
    }

    /// The nodes of each pool.
    pub(super) fn pools(&self) -> BTreeMap<&str, Vec<(&str, &KnownNode<'a>)>> {
        let mut pools: BTreeMap<&str, Vec<(&str, &KnownNode<'a>)>> = BTreeMap::new();
        for (name, node) in &self.0 {
            if let Some(pool) = node.pool.as_ref().and_then(Node::text) {
                pools.entry(pool).or_default().push((name, node));
            }
        }
        pools
    }

    /// `nodes` of a cluster.
    pub(super) fn section(&self, cx: &mut Cx<'_>) -> Option<Node> {
        let mut section: Option<MapBuilder> = None;
        for (name, known) in &self.0 {
            let node = match known.object {
                Some(object) => given(object, known, cx),
                None => MapBuilder::new(known.at)
                    .set("ip", None, one_or_many(known.at, known.seen.clone()))
                    .set("pool", None, known.pool.clone())
                    .build(),
            };
            let builder = section.take().unwrap_or_else(|| MapBuilder::new(known.at));
            section = Some(builder.set(name, known.at, node));
        }
        section.map(MapBuilder::build)
    }
}

/// Nodes of scale sets are called `aks-POOL-NUMBER-vmssINSTANCE`.
fn pool_of_name(name: &str) -> Option<&str> {
    let mut parts = name.split('-');
    let (first, pool, number, instance) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let fits = first == "aks"
        && !pool.is_empty()
        && number.len() == 8
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && instance.strip_prefix("vmss").is_some_and(|instance| !instance.is_empty())
        && parts.next().is_none();
    fits.then_some(pool)
}

fn given(object: &Object, known: &KnownNode<'_>, cx: &mut Cx<'_>) -> Node {
    let node = &object.node;
    let mut ips = Vec::new();
    for entry in items(node, &["status", "addresses"]) {
        if text(entry, &["type"]) != Some("InternalIP") {
            continue;
        }
        if let Some(ip) = said(entry, &["address"]) {
            match address(ip) {
                Some(_) => ips.push(ip.clone()),
                None => cx.strange(object, "status.addresses", ip, "an address"),
            }
        }
    }
    let ips = if ips.is_empty() { known.seen.clone() } else { ips };
    MapBuilder::new(node.span)
        .set("ip", None, one_or_many(object.at, ips))
        .set("pool", None, known.pool.clone())
        .set("zone", None, zone(node))
        .set("podCidr", None, pod_cidrs(object, cx))
        .set("labels", None, labels(object, cx))
        .build()
}

/// Azure writes zones as `westeurope-1`; a bare number there is a fault domain of a machine in no zone.
pub(super) fn zone(node: &Node) -> Option<Node> {
    let zone =
        label(node, "topology.kubernetes.io/zone").or_else(|| label(node, "failure-domain.beta.kubernetes.io/zone"))?;
    let written = zone.text()?;
    if !text(node, &["spec", "providerID"]).is_some_and(|id| id.to_ascii_lowercase().starts_with("azure:")) {
        return Some(zone.clone());
    }
    let region = label(node, "topology.kubernetes.io/region").and_then(Node::text);
    let number = match region {
        Some(region) => written.strip_prefix(region).and_then(|rest| rest.strip_prefix('-')),
        None => written.rsplit_once('-').map(|(_, number)| number),
    };
    number.filter(|number| !number.is_empty()).map(|number| Node::str(zone.span, number))
}

fn pod_cidrs(object: &Object, cx: &mut Cx<'_>) -> Option<Node> {
    let mut cidrs: Vec<&Node> = items(&object.node, &["spec", "podCIDRs"]).collect();
    if cidrs.is_empty() {
        cidrs.extend(said(&object.node, &["spec", "podCIDR"]));
    }
    let given = !cidrs.is_empty();
    let mut out = Vec::new();
    for cidr in cidrs {
        match prefix(cidr) {
            Some(_) => out.push(cidr.clone()),
            None => cx.strange(object, "spec.podCIDRs", cidr, "a prefix"),
        }
    }
    if !given {
        out = super::ipam::blocks(cx, &object.name);
    }
    one_or_many(object.at, out)
}

fn labels(object: &Object, cx: &mut Cx<'_>) -> Option<Node> {
    let labels = at(&object.node, &["metadata", "labels"])?;
    let is_noise = |key: &str| NOISE.contains(&key) || NOISE_GROUPS.iter().any(|group| key.starts_with(group));
    let kept = |entry: &&Entry| !is_noise(&entry.key);
    cx.labels(object, "metadata.labels", labels, labels.entries().iter().filter(kept))
}

/// What the nodes of a cluster say about it and its pools. All of it fills gaps only: whoever states it otherwise is right,
/// because nodes come and go, and not all of them may have been given.
pub(super) fn implied_pools(cx: &Cx<'_>, nodes: &Nodes<'_>) -> Option<Node> {
    let mut section: Option<MapBuilder> = None;
    for (name, members) in nodes.pools() {
        let Some((_, first)) = members.first() else { continue };
        let span = first.pool.as_ref().map_or(first.at, |pool| pool.span);
        let given: Vec<&Object> = members.iter().filter_map(|(_, node)| node.object).collect();
        let whole = given.len() == members.len();
        let count =
            whole.then(|| MapBuilder::new(span).set("count", None, Node::plain(span, given.len().to_string())).build());
        let same = |read: fn(&Node) -> Option<Node>| agreed(&given, read);
        let zones: BTreeMap<String, Node> = given
            .iter()
            .filter_map(|object| zone(&object.node))
            .filter_map(|zone| Some((zone.text()?.to_owned(), zone)))
            .collect();
        let public = given.iter().find_map(|object| {
            let external = items(&object.node, &["status", "addresses"])
                .find(|entry| text(entry, &["type"]) == Some("ExternalIP"))?;
            Some(truth(external.span, true))
        });
        let pool = MapBuilder::new(span)
            .set("nodes", None, count)
            .set("maxPods", None, same(max_pods))
            .set("os", None, same(os))
            .set("osSku", None, same(|node| label(node, "kubernetes.azure.com/os-sku").cloned()))
            .set("zones", None, list(span, zones.into_values().collect()))
            .set("nodePublicIp", None, public)
            .set("system", None, same(system))
            .set("vmSize", None, same(|node| label(node, "node.kubernetes.io/instance-type").cloned()))
            .set("allocated", None, super::ipam::allocated(cx, &members))
            .build();
        let builder = section.take().unwrap_or_else(|| MapBuilder::new(span));
        section = Some(builder.set(name, span, pool));
    }
    section.map(MapBuilder::build)
}

/// What all nodes say, unless they differ or there are none.
fn agreed(nodes: &[&Object], read: impl Fn(&Node) -> Option<Node>) -> Option<Node> {
    let mut values = nodes.iter().map(|object| read(&object.node));
    let first = values.next()??;
    values.all(|value| value.is_some_and(|value| value.text() == first.text())).then_some(first)
}

fn max_pods(node: &Node) -> Option<Node> {
    let pods = at(node, &["status", "capacity", "pods"])?;
    Some(Node::plain(pods.span, number(pods)?.to_string()))
}

fn os(node: &Node) -> Option<Node> {
    let os = label(node, "kubernetes.io/os").or_else(|| said(node, &["status", "nodeInfo", "operatingSystem"]))?;
    matches!(os.text(), Some("linux" | "windows")).then(|| os.clone())
}

fn system(node: &Node) -> Option<Node> {
    let mode = label(node, "kubernetes.azure.com/mode")?;
    match mode.text()? {
        "system" => Some(truth(mode.span, true)),
        "user" => Some(truth(mode.span, false)),
        _ => None,
    }
}

/// What nodes say about their cluster: what moves packets on them (loud), and what only fills gaps.
#[derive(Debug, Default)]
pub(super) struct AboutCluster {
    pub(super) cilium: Option<Node>,
    pub(super) ebpf_host_routing: Option<Node>,
    pub(super) location: Option<Node>,
    pub(super) version: Option<Node>,
    pub(super) families: Option<Node>,
    pub(super) local_dns: Option<Node>,
    pub(super) engine: Option<Node>,
    pub(super) provisioned: Option<Node>,
}

impl AboutCluster {
    pub(super) fn new(cx: &Cx<'_>) -> AboutCluster {
        let nodes: Vec<&Object> = cx.all.of(Kind::Node).iter().collect();
        let first = |key: &str, value: &str| {
            let found = nodes.iter().filter_map(|object| label(&object.node, key));
            found.into_iter().find(|label| label.text() == Some(value)).cloned()
        };
        let is_on = |label: Option<Node>| label.map(|label| truth(label.span, true));
        let local_dns = "kubernetes.azure.com/localdns-state";
        AboutCluster {
            cilium: first("kubernetes.azure.com/ebpf-dataplane", "cilium"),
            ebpf_host_routing: is_on(first("kubernetes.azure.com/ebpf-host-routing", "true")),
            location: agreed(&nodes, |node| label(node, "topology.kubernetes.io/region").cloned()),
            version: version(&nodes),
            families: families(&nodes),
            local_dns: is_on(first(local_dns, "enabled"))
                .or_else(|| first(local_dns, "disabled").map(|label| truth(label.span, false))),
            engine: agreed(&nodes, engine),
            provisioned: nodes
                .iter()
                .find_map(|object| label(&object.node, "karpenter.sh/nodepool"))
                .map(|label| truth(label.span, true)),
        }
    }
}

/// The engine a node was made for.
fn engine(node: &Node) -> Option<Node> {
    let engine = label(node, "kubernetes.azure.com/network-policy")?;
    matches!(engine.text(), Some("none" | "azure" | "calico" | "cilium")).then(|| engine.clone())
}

/// The control plane is never older than the newest node.
fn version(nodes: &[&Object]) -> Option<Node> {
    use causeway_model::design::Version;
    let versions = nodes.iter().filter_map(|object| {
        let node = said(&object.node, &["status", "nodeInfo", "kubeletVersion"])?;
        Some((Version::parse(node.text()?)?, node.span))
    });
    let (version, span) = versions.max_by_key(|(version, span)| (*version, std::cmp::Reverse(*span)))?;
    Some(Node::str(span, version.to_string()))
}

fn families(nodes: &[&Object]) -> Option<Node> {
    let mut seen = BTreeMap::new();
    for object in nodes {
        for entry in items(&object.node, &["status", "addresses"]) {
            let ip = said(entry, &["address"]).filter(|_| text(entry, &["type"]) == Some("InternalIP"));
            if let Some((ip, family)) = ip.and_then(|ip| Some((ip, address(ip)?.is_ipv6()))) {
                seen.entry(family).or_insert(ip.span);
            }
        }
    }
    let word = |(is_v6, span): (bool, Span)| Node::str(span, if is_v6 { "ipv6" } else { "ipv4" });
    // One family is what everybody assumes; an IPv4-only node list says nothing more.
    let families: Vec<Node> = seen.into_iter().map(word).collect();
    (families.len() > 1).then(|| families.first().map(|first| Node::seq(first.span, families.clone())))?
}

/// Lower-case ids of the machines: their resource group names the cluster.
pub(super) fn hints(objects: &[Node]) -> Vec<String> {
    let nodes = objects.iter().filter(|object| {
        let word = |key| text(object, &[key]).unwrap_or_default();
        Kind::of(word("apiVersion"), word("kind")) == Kind::Node
    });
    let ids = nodes.filter_map(|node| {
        let id = said(node, &["spec", "providerID"]);
        // A label is cut off at 63 characters: it only stands in for the id.
        let id = id.or_else(|| label(node, "kubernetes.azure.com/cluster"))?;
        Some(id.text()?.to_ascii_lowercase())
    });
    ids.collect::<BTreeSet<String>>().into_iter().collect()
}

/// What Cilium found on a node: rules of somebody else's that its own path goes around.
pub(super) fn foreign_rules(cx: &mut Cx<'_>) {
    let mut found = Vec::new();
    for object in cx.all.of(Kind::CiliumNode) {
        if let Some(label) = label(&object.node, "kubernetes.azure.com/user-iptables-rules")
            && label.text().is_some_and(is_true)
        {
            found.push((object.name.clone(), label.span));
        }
    }
    for (name, at) in found {
        cx.remarks.each(
            causeway_model::design::NoteKind::Unknown,
            "the node has iptables rules of its own; what they do is not known",
            format!("node {name}"),
            at,
        );
    }
}

/// `namespaces` of a cluster.
pub(super) fn namespaces(cx: &mut Cx<'_>) -> Option<Node> {
    let objects = cx.all.of(Kind::Namespace);
    let mut section = MapBuilder::new(objects.first()?.node.span);
    for object in objects {
        let labels = at(&object.node, &["metadata", "labels"])
            .and_then(|labels| cx.labels(object, "metadata.labels", labels, labels.entries().iter()));
        let namespace = MapBuilder::new(object.node.span).set("labels", None, labels).build();
        section = section.set(&object.name, object.at, namespace);
    }
    mapping(section)
}

/// Whether pods of the node's network are asked of it.
pub(super) fn uses_host_network(spec: &Node) -> Option<Node> {
    let value = at(spec, &["hostNetwork"])?;
    flag(spec, &["hostNetwork"]).filter(|on| *on).map(|on| truth(value.span, on))
}

#[cfg(test)]
mod tests {
    use super::pool_of_name;

    #[test]
    fn pools_are_told_by_the_names_of_scale_set_nodes_only() {
        assert_eq!(pool_of_name("aks-system-12345678-vmss000000"), Some("system"));
        assert_eq!(pool_of_name("aks-system-12345678-vmss00000a"), Some("system"));
        for other in
            ["akswin000000", "aks-system-1234-vmss000000", "aks-default-28dxd", "kind-worker", "aks-a-b-12345678-vmss0"]
        {
            assert_eq!(pool_of_name(other), None, "{other}");
        }
    }
}
