//! Clusters.

mod access;
mod ingress;
mod mode;
mod outbound;
mod pools;

pub(super) use ingress::application_gateways;
pub(super) use pools::{UNKNOWN_NETWORK, unknown_subnet};

use super::inventory::Object;
use super::kind::Kind;
use super::resource::ResourceId;
use super::translate::{Translation, section};
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_addr::parse_address;
use causeway_model::codes;
use causeway_model::design::Version;
use causeway_model::finding::Finding;
use causeway_model::source::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A cluster with its pools, in the order of their names.
struct Cluster {
    object: Object,
    pools: Vec<Object>,
}

impl Cluster {
    /// A value of the network profile.
    fn network(&self, key: &str) -> Option<&Node> {
        self.object.path(&["networkProfile", key])
    }

    /// A list of the network profile, or the one value beside it (`podCidrs` and `podCidr`).
    fn network_texts(&self, many: &str, one: &str) -> Vec<Node> {
        let found = self.object.first(|body| {
            let profile = prop(body, "networkProfile")?;
            // The single one repeats the first of the list.
            let found = texts(profile, many, "");
            let found = if found.is_empty() { texts(profile, many, one) } else { found };
            (!found.is_empty()).then_some(found)
        });
        found.unwrap_or_default().into_iter().filter_map(copy).collect()
    }

    /// Something besides single pools was said about the cluster.
    fn is_described(&self) -> bool {
        ["networkProfile", "agentPoolProfiles", "apiServerAccessProfile"]
            .iter()
            .any(|key| self.object.get(key).is_some())
    }

    fn label(&self) -> String {
        format!("the cluster `{}`", self.object.name)
    }
}

pub(super) fn clusters(cx: &mut Translation) -> Vec<(Arc<str>, Span, Node)> {
    let clusters: Vec<Cluster> = cx
        .inventory
        .of(Kind::Cluster)
        .map(|object| Cluster {
            object: object.clone(),
            pools: cx.inventory.parts(&object.id, Kind::NodePool).cloned().collect(),
        })
        .collect();
    let mut ingresses = ingress::of_clusters(cx, &clusters);
    let mut out = Vec::new();
    for cluster in &clusters {
        let ingress = ingresses.remove(&cluster.object.id);
        let node = self::cluster(cx, cluster, ingress);
        out.extend(cx.name(&cluster.object.id).map(|name| (name, cluster.object.name_span, node)));
    }
    out
}

/// The resource group of the nodes, in lower case: as stated, else as AKS names it by itself.
pub(super) fn node_resource_group(cluster: &Object) -> Option<String> {
    if let Some(stated) = cluster.get("nodeResourceGroup").and_then(Node::text) {
        return Some(stated.to_lowercase());
    }
    let location = cluster.get("location").and_then(Node::text)?;
    let location: String = location.chars().filter(|letter| !letter.is_whitespace()).collect();
    Some(format!("mc_{}_{}_{location}", cluster.id.group()?, cluster.id.name()).to_lowercase())
}

/// Nodes reach the API server through a private endpoint on their subnet.
pub(super) fn has_private_endpoint(cluster: &Object) -> bool {
    let on = |key: &str| cluster.path(&["apiServerAccessProfile", key]).and_then(truth) == Some(true);
    on("enablePrivateCluster") && !on("enableVnetIntegration")
}

/// The subnets in which API servers stand, with the cluster of each.
pub(super) fn api_subnets(cx: &Translation) -> BTreeMap<ResourceId, ResourceId> {
    let clusters = cx.inventory.of(Kind::Cluster);
    clusters
        .filter_map(|cluster| {
            let (subnet, _) = cluster.first(|body| reference(prop(body, "apiServerAccessProfile")?, "subnetId"))?;
            Some((cx.inventory.settled(&subnet), cluster.id.clone()))
        })
        .collect()
}

fn cluster(cx: &mut Translation, cluster: &Cluster, ingress: Option<Vec<Node>>) -> Node {
    let object = &cluster.object;
    note_what_differs(cx, cluster);
    note_what_contradicts_itself(cx, cluster);
    let modes = mode::of(cx, cluster);
    let pod_cidr = mode::pod_cidr(cx, cluster, modes.cluster.as_ref());
    let dataplane = words_of(cx, cluster, "networkDataplane", &[("azure", "azure"), ("cilium", "cilium")]);
    let policy = policy(cx, cluster);
    let dns_service_ip = cluster
        .network("dnsServiceIP")
        .filter(|node| node.text().is_some_and(|text| parse_address(text.trim()).is_ok()));
    let families: Vec<Node> = cluster.network_texts("ipFamilies", "ipFamily");
    let families = families.iter().filter_map(|node| word(node, &[("IPv4", "ipv4"), ("IPv6", "ipv6")])).collect();
    let pools: Vec<(Arc<str>, Span, Node)> = cluster
        .pools
        .iter()
        .map(|pool| (pool.name.clone(), pool.name_span, pools::pool(cx, cluster, pool, &modes)))
        .collect();
    MapBuilder::new(object.span())
        .set("location", None, object.get("location").and_then(copy))
        .set("mode", None, modes.cluster.clone())
        .set("version", None, version(cx, cluster))
        .set("dataplane", None, dataplane)
        .set("ebpfHostRouting", None, ebpf_host_routing(cluster))
        .set("networkPolicy", None, policy)
        .set("podCidr", None, pod_cidr)
        .set("serviceCidr", None, one_or_many(cluster.network_texts("serviceCidrs", "serviceCidr")))
        .set("dnsServiceIp", None, dns_service_ip.and_then(copy))
        .set("ipFamilies", None, many(families))
        .set("outbound", None, outbound::outbound(cx, cluster))
        .set("apiServer", None, access::api_server(cx, cluster))
        .set("kubeProxy", None, kube_proxy(cx, cluster))
        .set("pools", None, section(pools))
        .set("ingress", None, ingress.and_then(many))
        .set("tier", None, tier(cx, cluster))
        .set("localDns", None, local_dns(cluster))
        .set("nodeAutoProvisioning", None, node_auto_provisioning(cluster))
        .set("automatic", None, automatic(cluster))
        .set("loadBalancerSku", None, cluster.network("loadBalancerSku").and_then(lower))
        .set("httpApplicationRouting", None, addon(cluster, "httpApplicationRouting"))
        .set("openServiceMesh", None, addon(cluster, "openServiceMesh"))
        .set("virtualNodes", None, virtual_nodes(cx, cluster))
        .set("staticEgressGateway", None, static_egress_gateway(cluster))
        .build()
}

/// A word of the network profile; one that is not known is noted.
fn words_of(cx: &mut Translation, cluster: &Cluster, key: &str, words: &[(&str, &'static str)]) -> Option<Node> {
    let node = cluster.network(key)?;
    let known = word(node, words);
    if known.is_none() {
        cx.unknown_word(&format!("`{key}` of {}", cluster.label()), node);
    }
    known
}

fn lower(node: &Node) -> Option<Node> {
    Some(Node::str(node.span, node.text()?.to_ascii_lowercase()))
}

/// In a network profile no policy engine means none. Where Cilium moves the packets it also enforces policies, and
/// templates leave that to it.
fn policy(cx: &mut Translation, cluster: &Cluster) -> Option<Node> {
    let words = [("none", "none"), ("azure", "azure"), ("calico", "calico"), ("cilium", "cilium")];
    if cluster.network("networkPolicy").is_some() {
        return words_of(cx, cluster, "networkPolicy", &words);
    }
    let profile = cluster.object.get("networkProfile")?;
    if cluster.object.is_later("networkPolicy") {
        return None;
    }
    let cilium = cluster
        .network("networkDataplane")
        .filter(|node| node.text().is_some_and(|text| text.eq_ignore_ascii_case("cilium")));
    match cilium {
        Some(node) => Some(Node::str(node.span, "cilium")),
        None => Some(Node::str(
            profile.get_ci("networkPolicy").or_else(|| cluster.network("networkPlugin")).unwrap_or(profile).span,
            "none",
        )),
    }
}

fn version(cx: &mut Translation, cluster: &Cluster) -> Option<Node> {
    let stated = cluster
        .object
        .first(|body| text(body, "currentKubernetesVersion").or_else(|| text(body, "kubernetesVersion")))?;
    if stated.text().and_then(|text| Version::parse(text.trim())).is_none() {
        cx.unknown_word(&format!("the version of {}", cluster.label()), stated);
        return None;
    }
    copy(stated)
}

fn ebpf_host_routing(cluster: &Cluster) -> Option<Node> {
    let mode = cluster.object.path(&["networkProfile", "advancedNetworking", "performance", "accelerationMode"])?;
    Some(boolean(mode, mode.text()?.eq_ignore_ascii_case("BpfVeth")))
}

fn kube_proxy(cx: &mut Translation, cluster: &Cluster) -> Option<Node> {
    let config = cluster.network("kubeProxyConfig")?;
    let stated = prop(config, "mode");
    let mode = match prop(config, "enabled").filter(|enabled| truth(enabled) == Some(false)) {
        Some(off) => Some(Node::str(off.span, "none")),
        None => {
            stated.and_then(|mode| word(mode, &[("IPTABLES", "iptables"), ("IPVS", "ipvs"), ("NFTABLES", "nftables")]))
        }
    };
    if let (None, Some(stated)) = (&mode, stated) {
        cx.unknown_word(&format!("the kube-proxy mode of {}", cluster.label()), stated);
    }
    mode
}

fn tier(cx: &mut Translation, cluster: &Cluster) -> Option<Node> {
    let stated = cluster.object.path(&["sku", "tier"])?;
    // "Paid" is what "Standard" was called until 2023.
    let known =
        word(stated, &[("Free", "free"), ("Standard", "standard"), ("Paid", "standard"), ("Premium", "premium")]);
    if known.is_none() {
        cx.unknown_word(&format!("the tier of {}", cluster.label()), stated);
    }
    known
}

fn automatic(cluster: &Cluster) -> Option<Node> {
    let name = cluster.object.path(&["sku", "name"])?;
    name.text()?.eq_ignore_ascii_case("Automatic").then(|| boolean(name, true))
}

fn node_auto_provisioning(cluster: &Cluster) -> Option<Node> {
    let mode = cluster.object.path(&["nodeProvisioningProfile", "mode"])?;
    mode.text()?.eq_ignore_ascii_case("Auto").then(|| boolean(mode, true))
}

/// On where a pool has it on.
fn local_dns(cluster: &Cluster) -> Option<Node> {
    let stated: Vec<(&Node, bool)> = cluster
        .pools
        .iter()
        .filter_map(|pool| {
            let profile = pool.get("localDNSProfile")?;
            if let Some(state) = prop(profile, "state") {
                return Some((state, truth(state)?));
            }
            let mode = prop(profile, "mode")?;
            match mode.text()?.to_ascii_lowercase().as_str() {
                "required" => Some((mode, true)),
                "disabled" => Some((mode, false)),
                _ => None,
            }
        })
        .collect();
    let (node, on) = stated.iter().find(|(_, on)| *on).or(stated.first())?;
    Some(boolean(node, *on))
}

fn addon(cluster: &Cluster, name: &str) -> Option<Node> {
    let enabled = cluster.object.path(&["addonProfiles", name, "enabled"])?;
    (truth(enabled) == Some(true)).then(|| boolean(enabled, true))
}

/// The add-on of virtual nodes names its subnet alone: it is one of the network the nodes are in.
fn virtual_nodes(cx: &Translation, cluster: &Cluster) -> Option<Node> {
    let addon = cluster.object.path(&["addonProfiles", "aciConnectorLinux"])?;
    let enabled = prop(addon, "enabled").filter(|node| truth(node) == Some(true))?;
    let name = prop(addon, "config").and_then(|config| prop(config, "subnetName")).filter(|node| node.text().is_some());
    let mut networks: Vec<ResourceId> = cluster
        .pools
        .iter()
        .filter_map(|pool| pool.first(|body| reference(body, "vnetSubnetID")))
        .filter_map(|(subnet, _)| cx.inventory.settled(&subnet).parent())
        .collect();
    networks.dedup();
    let subnet = name.zip(networks.first().filter(|_| networks.len() == 1)).and_then(|(name, network)| {
        let id = network.child("subnets", name.text()?.trim())?;
        Some(Node::str(name.span, cx.subnet_name(&id)?))
    });
    Some(MapBuilder::new(enabled.span).set("subnet", None, subnet).build())
}

/// The gateway is switched on in the network profile; a pool of the mode `Gateway` is there for nothing else.
fn static_egress_gateway(cluster: &Cluster) -> Option<Node> {
    let profile = cluster.object.path(&["networkProfile", "staticEgressGatewayProfile", "enabled"]);
    let profile = profile.filter(|node| truth(node) == Some(true));
    let pools = cluster.pools.iter().filter_map(|pool| pool.get("mode"));
    let mut pools = pools.filter(|mode| mode.text().is_some_and(|text| text.eq_ignore_ascii_case("Gateway")));
    profile.or_else(|| pools.next()).map(|node| boolean(node, true))
}

/// One export that says two things: the list of ranges, and beside it a single one that is not of the list.
fn note_what_contradicts_itself(cx: &mut Translation, cluster: &Cluster) {
    let pairs = [("podCidrs", "podCidr"), ("serviceCidrs", "serviceCidr")];
    for (many, one) in pairs {
        let found = cluster.object.first(|body| {
            let profile = prop(body, "networkProfile")?;
            let (all, single) = (texts(profile, many, ""), text(profile, one)?);
            let said = |node: &Node| node.text().map(|text| text.trim().to_lowercase());
            let first = all.first().copied()?;
            (!all.iter().any(|node| said(node) == said(single))).then_some((first, single))
        });
        let Some((first, single)) = found else { continue };
        let Some(name) = cx.name(&cluster.object.id) else { continue };
        let (first_text, single_text) = (first.text().unwrap_or_default(), single.text().unwrap_or_default());
        let finding = Finding::new(
            codes::EXPORTS_DISAGREE,
            format!("clusters.{name}.{one}"),
            format!("`{many}` and `{one}` of {} disagree: `{first_text}`, then `{single_text}`", cluster.label()),
        )
        .help(format!("export the cluster again: `{many}` is used"))
        .on(first_text)
        .on(single_text)
        .at(Some(single.span));
        cx.findings.push(finding);
    }
}

/// What the cluster has and the design has no field for.
fn note_what_differs(cx: &mut Translation, cluster: &Cluster) {
    let (object, label) = (&cluster.object, cluster.label());
    if let Some(profile) = object.get("networkProfile").filter(|profile| profile.as_map().is_none()) {
        cx.unknown_word(&format!("`networkProfile` of {label}"), profile);
    }
    if let Some(state) = object
        .path(&["powerState", "code"])
        .filter(|code| code.text().is_some_and(|text| text.eq_ignore_ascii_case("Stopped")))
    {
        cx.unknown(state.span, format!("{label} is stopped: it is checked as if it ran"));
    }
    if let Some(enabled) =
        object.path(&["addonProfiles", "aciConnectorLinux", "enabled"]).filter(|node| truth(node) == Some(true))
    {
        cx.not_understood(
            enabled.span,
            format!("the virtual nodes of {label}: the addresses of their pods are not counted"),
        );
    }
    if let Some(on) = object
        .path(&["networkProfile", "staticEgressGatewayProfile", "enabled"])
        .filter(|node| truth(node) == Some(true))
    {
        cx.not_understood(
            on.span,
            format!("the static egress gateway of {label}: pods that use it leave through its own addresses"),
        );
    }
    if let Some(on) = object
        .path(&["networkProfile", "loadBalancerProfile", "enableMultipleStandardLoadBalancers"])
        .filter(|node| truth(node) == Some(true))
    {
        cx.not_understood(
            on.span,
            format!("{label} has several load balancers: its outbound addresses are counted as if it had one"),
        );
    }
    if let Some(profile) = object.get("hostedSystemProfile").filter(|profile| flag(profile, "enabled") == Some(true)) {
        cx.not_understood(
            profile.span,
            format!("the system nodes of {label} are hosted by the platform: they are not in the design"),
        );
    }
    if let Some(access) = object.get("publicNetworkAccess").filter(|node| truth(node) == Some(false)) {
        let private = object.path(&["apiServerAccessProfile", "enablePrivateCluster"]).and_then(truth) == Some(true);
        if !private {
            cx.not_understood(
                access.span,
                format!(
                    "the public access to {label} is disabled though it is not private: the design has it as public"
                ),
            );
        }
    }
}
