//! What Azure's address management says of nodes: who holds how many addresses, in which batches.

use super::Cx;
use super::kind::Kind;
use super::nodes::KnownNode;
use super::object::Object;
use super::value::{address, at, flag, items, mapping, number, prefix, said, text};
use crate::tree::{MapBuilder, Node};
use causeway_model::codes;
use causeway_model::design::NoteKind;
use causeway_model::finding::Finding;
use causeway_model::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

fn containers(config: &Object) -> impl Iterator<Item = &Node> {
    items(&config.node, &["status", "networkContainers"])
}

fn is_overlay(container: &Node) -> bool {
    text(container, &["type"]).is_some_and(|kind| kind.eq_ignore_ascii_case("overlay"))
}

/// The block of the pod range a node has, for clusters whose nodes do not say it themselves.
pub(super) fn blocks(cx: &Cx<'_>, node: &str) -> Vec<Node> {
    let configs = cx.all.of(Kind::NodeNetworkConfig).iter().filter(|config| config.name == node);
    let mut blocks = Vec::new();
    for container in configs.flat_map(containers).filter(|container| is_overlay(container)) {
        for block in ["primaryIP", "primaryIPV6"].iter().filter_map(|key| said(container, &[key])) {
            let is_block = block.text().is_some_and(|text| text.contains('/')) && prefix(block).is_some();
            if is_block && !blocks.iter().any(|known: &Node| known.text() == block.text()) {
                blocks.push(block.clone());
            }
        }
    }
    blocks
}

/// Addresses of a pod subnet the nodes of a pool hold now, their own ones there included; nothing unless it is known of every node.
pub(super) fn allocated(cx: &Cx<'_>, members: &[(&str, &KnownNode<'_>)]) -> Option<Node> {
    let configs = cx.all.of(Kind::NodeNetworkConfig);
    let (mut total, mut span) = (0u64, None);
    for (name, _) in members {
        let config = configs.iter().find(|config| config.name == *name)?;
        let mut containers = containers(config).filter(|container| !is_overlay(container)).peekable();
        containers.peek()?;
        for container in containers {
            total = total.checked_add(held(container)?)?;
        }
        span = span.or(Some(config.at));
    }
    span.map(|span| Node::plain(span, total.to_string()))
}

/// Addresses of one network container: single ones, or blocks. `None` when one can't be read.
fn held(container: &Node) -> Option<u64> {
    let assigned = items(container, &["ipAssignments"]).map(|assignment| at(assignment, &["ip"]));
    let all = assigned.chain(said(container, &["primaryIP"]).map(Some));
    let mut single: BTreeSet<IpAddr> = BTreeSet::new();
    let mut blocks = BTreeSet::new();
    for address_or_block in all {
        let node = address_or_block?;
        match address(node) {
            Some(address) => {
                single.insert(address);
            }
            None => {
                blocks.insert(prefix(node)?);
            }
        }
    }
    let in_blocks: u128 = blocks.iter().map(|block| block.size()).fold(0, u128::saturating_add);
    let outside = single.iter().filter(|address| !blocks.iter().any(|block| block.contains(**address))).count();
    u64::try_from(in_blocks).ok()?.checked_add(u64::try_from(outside).ok()?)
}

/// `ipam`: the settings all nodes share.
pub(super) fn settings(cx: &mut Cx<'_>) -> Option<Node> {
    let configs = cx.all.of(Kind::NodeNetworkConfig);
    let dynamic = |config: &&Object| containers(config).any(|container| !is_overlay(container));
    let scalers: Vec<&Node> =
        configs.iter().filter(dynamic).filter_map(|config| at(&config.node, &["status", "scaler"])).collect();
    let first = scalers.first()?;
    let shared = |key: &str| {
        let value = number(at(first, &[key])?)?;
        let same = scalers.iter().all(|scaler| at(scaler, &[key]).and_then(number) == Some(value));
        Some((at(first, &[key])?.span, value, same))
    };
    let mut section = MapBuilder::new(first.span);
    if let Some((span, batch, same)) = shared("batchSize") {
        if !same {
            cx.remarks.not_understood(span, "nodes ask for addresses in batches of different sizes: one is expected");
        } else if batch > 0 {
            section = section.set("batch", None, Node::plain(span, batch.to_string()));
        }
    }
    if let Some((span, percent @ 1..=100, true)) = shared("requestThresholdPercent") {
        let fraction = format!("{}.{:02}", percent / 100, percent % 100);
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.').to_owned();
        section = section.set("minFreeFraction", None, Node::plain(span, fraction));
    }
    mapping(section)
}

/// `mode` and `podCidr` of an overlay cluster.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    pub(super) mode: Option<Node>,
    pub(super) pod_cidr: Option<Node>,
}

/// Overlay is told by network containers of that type, which name the whole range too. The other modes need subnets of the
/// VNet, which no Kubernetes object describes: they are left to whoever knows those.
pub(super) fn overlay(cx: &Cx<'_>) -> Overlay {
    let configs = cx.all.of(Kind::NodeNetworkConfig);
    let mut all = configs.iter().flat_map(containers).peekable();
    let Some(first) = all.peek().copied() else { return Overlay::default() };
    let mut ranges: Vec<Node> = Vec::new();
    for container in all {
        if !is_overlay(container) {
            return Overlay::default();
        }
        for key in ["subnetAddressSpace", "subnetAddressSpaceV6"] {
            let range = said(container, &[key]).filter(|range| prefix(range).is_some());
            if let Some(range) = range
                && !ranges.iter().any(|known| known.text() == range.text())
            {
                ranges.push(range.clone());
            }
        }
    }
    let one_per_family = |is_v4: bool| {
        ranges.iter().filter(|range| prefix(range).is_some_and(|range| range.is_v4() == is_v4)).count() <= 1
    };
    if ranges.is_empty() || !one_per_family(true) || !one_per_family(false) {
        return Overlay::default();
    }
    let mode = at(first, &["type"]).map(|kind| Node::str(kind.span, "overlay"));
    ranges.sort_by_key(|range| prefix(range).map(|range| !range.is_v4()));
    Overlay { mode, pod_cidr: super::value::one_or_many(first.span, ranges) }
}

/// What the control plane has noticed about the subnets: said to be exhausted, or found so by a node that asked for more.
pub(super) fn exhausted(cx: &mut Cx<'_>) {
    let mut full: BTreeMap<&str, (Option<Span>, Vec<String>)> = BTreeMap::new();
    for state in cx.all.of(Kind::ClusterSubnetState) {
        if flag(&state.node, &["status", "exhausted"]) == Some(true) {
            let since = text(&state.node, &["status", "timestamp"]).unwrap_or("an unknown time");
            let (place, evidence) = full.entry(&state.name).or_default();
            *place = at(&state.node, &["status", "exhausted"]).map(|node| node.span);
            evidence.push(format!("`status.exhausted` of ClusterSubnetState `{}` is true since {since}", state.who()));
        }
    }
    for config in cx.all.of(Kind::NodeNetworkConfig) {
        for container in containers(config) {
            let Some(status) = said(container, &["status"]) else { continue };
            match status.text().unwrap_or_default() {
                "NCUpdateSuccess" => {}
                "NCUpdateSubnetFullError" => {
                    let subnet = text(container, &["subnetName"]).unwrap_or("unknown");
                    let (place, evidence) = full.entry(subnet).or_default();
                    place.get_or_insert(status.span);
                    evidence
                        .push(format!("node `{}` asked for addresses and got NCUpdateSubnetFullError", config.name));
                }
                other => {
                    let what = format!("the last change of the node's pod addresses ended with {other}");
                    cx.remarks.each(NoteKind::Unknown, &what, format!("node {}", config.name), status.span);
                }
            }
        }
    }
    for (subnet, (place, evidence)) in full {
        let message = format!("the control plane says that pod subnet `{subnet}` is exhausted");
        let mut finding = Finding::new(codes::SUBNET_FULL, "clusters.*.pools", message)
            .help("enlarge the pod subnet, or move a pool to another one; nodes get one address at a time until then")
            .on(subnet)
            .at(place);
        finding.evidence = evidence;
        cx.remarks.finding(finding);
    }
}
