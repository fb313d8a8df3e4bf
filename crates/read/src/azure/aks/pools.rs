//! Node pools.

use super::super::inventory::{Inventory, Object};
use super::super::kind::Kind;
use super::super::resource::ResourceId;
use super::super::translate::Translation;
use super::super::value::*;
use super::Cluster;
use super::mode::Modes;
use crate::tree::{Entry, MapBuilder, Node};
use causeway_model::codes;
use causeway_model::design::Share;
use causeway_model::finding::{Finding, Severity};

pub(super) fn pool(cx: &mut Translation, cluster: &Cluster, pool: &Object, modes: &Modes) -> Node {
    let label = format!("the pool `{}` of {}", pool.name, cluster.label());
    note_what_differs(cx, pool, &label);
    let mut word_of = |key: &str, words: &[(&str, &'static str)]| {
        let node = pool.get(key)?;
        let known = word(node, words);
        if known.is_none() {
            cx.unknown_word(&format!("`{key}` of {label}"), node);
        }
        known
    };
    let os = word_of("osType", &[("Linux", "linux"), ("Windows", "windows")]);
    let system = word_of("mode", &[("System", "true"), ("User", "false"), ("Gateway", "false")]);
    let system = system.map(|node| Node::plain(node.span, node.text().unwrap_or_default()));
    let blue_green = pool
        .get("upgradeStrategy")
        .filter(|node| node.text().is_some_and(|text| text.eq_ignore_ascii_case("BlueGreen")));
    let surge = share(cx, pool, "maxSurge", &label);
    let unavailable = share(cx, pool, "maxUnavailable", &label);
    let size = size(cx, cluster, pool, &label);
    let pod_subnet = cx.subnet_node(pool.first(|body| reference(body, "podSubnetID")));
    let pod_subnet = pod_subnet.or_else(|| no_id(pool, "podSubnetID"));
    MapBuilder::new(pool.span())
        .set("nodes", None, size)
        .set("maxPods", None, pool.get("maxPods").and_then(stated_number))
        .set("maxSurge", None, surge)
        .set("maxUnavailable", None, unavailable)
        .set("os", None, os)
        .set("osSku", None, system_sku(pool))
        .set("subnet", None, subnet(cx, cluster, pool))
        .set("podSubnet", None, pod_subnet)
        .set("mode", None, modes.pools.get(&pool.id).cloned())
        .set("zones", None, list_of(pool, "availabilityZones"))
        .set("nodePublicIp", None, pool.get("enableNodePublicIP").and_then(|node| Some(boolean(node, truth(node)?))))
        .set("labels", None, labels(pool))
        .set("taints", None, list_of(pool, "nodeTaints"))
        .set("system", None, system)
        .set("vmSize", None, pool.get("vmSize").and_then(copy))
        .set("availabilitySet", None, availability_set(pool))
        .set("blueGreen", None, blue_green.map(|node| boolean(node, true)))
        .build()
}

/// The system's SKU. That of Azure Linux does not tell the version, which the image of the nodes does: `AKSAzureLinux-V2gen2-…`
/// is version 2.0, and so is what it was called before, `AKSCBLMariner-V2…`.
fn system_sku(pool: &Object) -> Option<Node> {
    let stated = pool.get("osSKU");
    let image = pool.get("nodeImageVersion").and_then(Node::text).unwrap_or_default().to_ascii_lowercase();
    let is_second = ["aksazurelinux-v2", "akscblmariner-v2"].iter().any(|start| image.starts_with(start));
    match stated {
        Some(node) if is_second && node.text().is_some_and(|text| text.eq_ignore_ascii_case("AzureLinux")) => {
            Some(Node::str(node.span, "AzureLinux2"))
        }
        _ => stated.and_then(copy),
    }
}

/// What the pool's machines are of. A pool of its own has the resource's type beside it, and prints this one under another name.
fn availability_set(pool: &Object) -> Option<Node> {
    let keys = ["type", "typePropertiesType"];
    let mut types = pool.bodies.iter().flat_map(|body| keys.map(|key| prop(body, key))).flatten();
    let stated = types.find(|node| node.text().is_some_and(|text| text.eq_ignore_ascii_case("AvailabilitySet")))?;
    Some(boolean(stated, true))
}

/// The bounds count only while the autoscaler is on. Pools of single machines have their numbers per machine size.
fn size(cx: &mut Translation, cluster: &Cluster, pool: &Object, label: &str) -> Option<Node> {
    let scale = pool.path(&["virtualMachinesProfile", "scale"]);
    let machines = |key: &str, inner: &str| {
        let entries = match scale.and_then(|scale| prop(scale, key))? {
            node if node.as_map().is_some() => vec![node],
            node => node.items().iter().collect(),
        };
        let first = entries.first()?.span;
        let sum = entries.iter().try_fold(0_u64, |sum, entry| sum.checked_add(number(prop(entry, inner)?)?));
        Some(Node::plain(first, sum?.to_string()))
    };
    let count = pool.get("count").and_then(stated_number).or_else(|| machines("manual", "count"));
    let min = pool.get("minCount").and_then(stated_number).or_else(|| machines("autoscale", "minCount"));
    let max = pool.get("maxCount").and_then(stated_number).or_else(|| machines("autoscale", "maxCount"));
    let scales = pool.get("enableAutoScaling").and_then(truth).unwrap_or(max.is_some());
    if !scales {
        return count;
    }
    // Such a pool is printed, and no autoscaler runs it: the upper bound is what it is counted with.
    let swapped =
        min.as_ref().zip(max.as_ref()).filter(|(min, max)| number(min) > number(max) && number(max).is_some());
    if let (Some((low, high)), Some(name)) = (swapped, cx.name(&cluster.object.id)) {
        let (low_text, high_text) = (low.text().unwrap_or_default(), high.text().unwrap_or_default());
        let finding = Finding::new(
            codes::COMBINATION_UNSUPPORTED,
            format!("clusters.{name}.pools.{}", pool.name),
            format!("the fewest nodes of {label} are {low_text}, more than the most, {high_text}"),
        )
        .help("the autoscaler keeps a pool between the two: swap them, or raise `maxCount`; `maxCount` is used")
        .at(Some(low.span));
        cx.findings.push(finding);
    }
    let min = if swapped.is_some() { None } else { min.clone() };
    let span = count.as_ref().or(min.as_ref()).or(max.as_ref())?.span;
    Some(MapBuilder::new(span).set("count", None, count).set("min", None, min).set("max", None, max).build())
}

/// A number as it is stated. What is no number stays what it is: the design's own reading refuses it at its place, where
/// leaving it out would pass for a pool that says nothing.
fn stated_number(node: &Node) -> Option<Node> {
    let raw = || match node.text() {
        Some(text) if text.trim().is_empty() => None,
        Some(_) => Some(node.clone()),
        // A mapping could pass for one of the design's own.
        None => Some(Node::str(node.span, node.type_name())),
    };
    copy_number(node).or_else(raw)
}

/// A number or a percentage, which Azure has as text.
fn share(cx: &mut Translation, pool: &Object, key: &str, label: &str) -> Option<Node> {
    let stated =
        pool.path(&["upgradeSettings", key]).filter(|node| node.text().is_some_and(|text| !text.trim().is_empty()))?;
    match Share::parse(stated.text()?.trim()) {
        Some(Share::Count(count)) => Some(Node::plain(stated.span, count.to_string())),
        Some(Share::Percent(_)) => copy(stated),
        None => {
            cx.unknown_word(&format!("`{key}` of {label}"), stated);
            not_a_share(cx, pool, key, stated);
            None
        }
    }
}

/// A surge that is stated and is none: planned with the default, and not to be taken for one that is not stated.
fn not_a_share(cx: &mut Translation, pool: &Object, key: &str, stated: &Node) {
    let cluster = pool.id.parent().and_then(|id| cx.name(&id));
    let (Some(cluster), Some(word), "maxSurge") = (cluster, stated.text(), key) else { return };
    let message = format!(
        "`maxSurge` of pool `{}` is `{word}`, which is neither a number nor a percentage: the default is planned with",
        pool.name
    );
    let finding =
        Finding::new(codes::MAX_SURGE_NOT_SET, format!("clusters.{cluster}.pools.{}.maxSurge", pool.name), message)
            .severity(Severity::Warning)
            .help("write a number of nodes, or a percentage such as `33%`")
            .on(word)
            .evidence("a share of a pool is a whole number, with `%` behind it or without")
            .at(Some(stated.span));
    cx.findings.push(finding);
}

/// The nodes' subnet. A pool that names none is in the network AKS makes in the nodes' resource group; where that network
/// was given, it is known.
fn subnet(cx: &Translation, cluster: &Cluster, pool: &Object) -> Option<Node> {
    if let Some(stated) = pool.first(|body| reference(body, "vnetSubnetID")) {
        return cx.subnet_node(Some(stated));
    }
    if let Some(stated) = no_id(pool, "vnetSubnetID") {
        return Some(stated);
    }
    if let Some(unknown) = unknown_subnet(&cx.inventory, pool) {
        return cx.subnet_name(&unknown).map(|name| Node::str(pool.name_span, name));
    }
    let own =
        |network: &&Object| network.id.group().and_then(|group| cx.cluster_of_group(group)) == Some(&cluster.object.id);
    let network = cx.inventory.of(Kind::VirtualNetwork).filter(|network| network.is_given()).find(own)?;
    let subnets: Vec<&Object> = cx.inventory.parts(&network.id, Kind::Subnet).collect();
    let named = subnets.iter().find(|subnet| subnet.name.eq_ignore_ascii_case("aks-subnet"));
    let subnet = named.or(subnets.first().filter(|_| subnets.len() == 1))?;
    Some(Node::str(pool.name_span, cx.subnet_name(&subnet.id)?))
}

/// What stands where the id of a subnet should, and is none: it stays what it is, and names no subnet there is.
fn no_id(pool: &Object, key: &str) -> Option<Node> {
    let stated = pool.get(key)?;
    let text = stated.text().map(str::trim).filter(|text| !text.is_empty())?;
    ResourceId::parse(text).is_none().then(|| Node::str(stated.span, text))
}

/// The network of subnets of which nothing is known.
pub(in crate::azure) const UNKNOWN_NETWORK: &str = "unknown";

/// Stands for the subnet of a pool whose id is known only after the change: it exists, and all that is known of it is that
/// it is in the network of the cluster's other pools, because the platform wants all pools in one.
pub(in crate::azure) fn unknown_subnet(inventory: &Inventory, pool: &Object) -> Option<ResourceId> {
    let is_later = pool.is_later("vnetSubnetID") && pool.first(|body| reference(body, "vnetSubnetID")).is_none();
    if pool.kind != Kind::NodePool || !is_later {
        return None;
    }
    let cluster = pool.id.parent()?;
    let subnets = inventory.parts(&cluster, Kind::NodePool).filter_map(|other| {
        other.first(|body| reference(body, "vnetSubnetID").or_else(|| reference(body, "podSubnetID")))
    });
    let mut networks = subnets.filter_map(|(subnet, _)| inventory.settled(&subnet).parent());
    match networks.next() {
        Some(network) => network.child("subnets", &format!("{UNKNOWN_NETWORK}-{}-{}", cluster.name(), pool.name)),
        None => {
            let name = format!("{}-{}", cluster.name(), pool.name);
            ResourceId::new(None, None, Kind::Subnet.arm(), &[UNKNOWN_NETWORK, &name])
        }
    }
}

fn list_of(pool: &Object, key: &str) -> Option<Node> {
    many(pool.get(key)?.items().iter().filter(|item| !item.is_null()).filter_map(copy).collect())
}

fn labels(pool: &Object) -> Option<Node> {
    let labels = pool.get("nodeLabels")?;
    let mut entries: Vec<&Entry> = labels.entries().iter().filter(|entry| !entry.node.is_null()).collect();
    entries.sort_by(|one, other| one.key.cmp(&other.key));
    let builder = MapBuilder::new(labels.span);
    let builder =
        entries.into_iter().fold(builder, |builder, entry| builder.set(&entry.key, entry.key_span, copy(&entry.node)));
    (!builder.is_empty()).then(|| builder.build())
}

fn note_what_differs(cx: &mut Translation, pool: &Object, label: &str) {
    if let Some(state) = pool
        .path(&["powerState", "code"])
        .filter(|code| code.text().is_some_and(|text| text.eq_ignore_ascii_case("Stopped")))
    {
        cx.unknown(state.span, format!("{label} is stopped: it is counted as if it ran"));
    }
    if let Some(mode) =
        pool.get("mode").filter(|node| node.text().is_some_and(|text| text.eq_ignore_ascii_case("Gateway")))
    {
        cx.not_understood(mode.span, format!("{label} is an egress gateway: its own addresses are not in the design"));
    }
}
