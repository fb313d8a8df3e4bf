//! Prefixes in policies that meet the addresses of pods and nodes.

use super::Cx;
use crate::say::{cited, listed};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::facts::cilium;
use causeway_model::finding::{Finding, Severity};
use causeway_model::policy::*;
use causeway_policy::{Engine, world};

/// Ranges of pods and of nodes.
struct Ranges {
    pods: Vec<Cidr>,
    nodes: Vec<Cidr>,
}

/// How a prefix lies to ranges.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lies {
    Apart,
    Within,
    Over,
}

pub(super) fn check(cx: &Cx<'_>, out: &mut Vec<Finding>) {
    let ranges = Ranges { pods: world::pod_ranges(cx.design, cx.cluster), nodes: nodes(cx) };
    if ranges.pods.is_empty() && ranges.nodes.is_empty() {
        return;
    }
    for policy in cx.index.policies() {
        for direction in Direction::ALL {
            for (at, rule) in policy.rules(direction).unwrap_or_default().iter().enumerate() {
                let Peers::Of(peers) = &rule.peers else { continue };
                let by_selector = peers.iter().any(|peer| matches!(peer, Peer::Pods(_)));
                for peer in peers {
                    let Peer::Block(block) = peer else { continue };
                    let place = (cx.path(&policy.id, Some((direction, at))), direction);
                    out.extend(judge(cx, &ranges, policy, rule, place, block, by_selector));
                }
            }
        }
    }
}

fn nodes(cx: &Cx<'_>) -> Vec<Cidr> {
    let subnets = cx.cluster.pools.values().filter_map(|pool| cx.design.subnet(pool.subnet.as_ref()?));
    let mut out: Vec<Cidr> = subnets.flat_map(|subnet| subnet.prefixes.iter().copied()).collect();
    out.extend(cx.cluster.nodes.values().flat_map(|node| &node.ips).map(|ip| Cidr::host(*ip)));
    out.sort();
    out.dedup();
    out
}

fn lies(block: &IpBlock, ranges: &[Cidr]) -> Lies {
    let open = |range: &&Cidr| {
        block.cidr.overlaps(range) && !block.except.iter().any(|hole| hole.covers(range) || hole.covers(&block.cidr))
    };
    let mut lies = Lies::Apart;
    for range in ranges.iter().filter(open) {
        if range.covers(&block.cidr) {
            return Lies::Within;
        }
        lies = Lies::Over;
    }
    lies
}

fn judge(
    cx: &Cx<'_>,
    ranges: &Ranges,
    policy: &Policy,
    rule: &PolicyRule,
    (path, direction): (String, Direction),
    block: &IpBlock,
    by_selector: bool,
) -> Option<Finding> {
    let (pods, nodes) = (lies(block, &ranges.pods), lies(block, &ranges.nodes));
    let id = &policy.id;
    let shown = |what: &str, of: &[Cidr]| {
        let ranges: Vec<&Cidr> = of.iter().filter(|range| range.overlaps(&block.cidr)).collect();
        (!ranges.is_empty()).then(|| format!("{what} have addresses of {}", listed(&ranges)))
    };
    let evidence: Vec<String> =
        [shown("pods", &ranges.pods), shown("nodes", &ranges.nodes)].into_iter().flatten().collect();
    let covers =
        |message: String| Finding::new(codes::IPBLOCK_COVERS_POD_OR_NODE_RANGE, path.as_str(), message).on(block);
    let never = cx.engine == Engine::Cilium;
    let finding = match (never, pods, nodes) {
        (_, Lies::Apart, Lies::Apart) => None,
        (true, Lies::Apart, Lies::Within) | (true, Lies::Over, Lies::Within) if direction == Direction::Egress => {
            let message = format!(
                "`{id}` means nodes by `{block}`, and on Cilium no NetworkPolicy can: the way to them stays closed"
            );
            let mut finding = Finding::new(codes::NODE_EGRESS_NEEDS_ENGINE_POLICY, path.as_str(), message)
                .help("write a CiliumNetworkPolicy with `toEntities: [host, remote-node]` for it")
                .on(block);
            if cx.has_foreign() {
                finding.severity = Severity::Warning;
                finding = finding
                    .evidence("policies of the engine's own kinds are there and may allow it: they are not evaluated");
            }
            Some(cited(finding, cilium::IP_BLOCK_NEVER_MATCHES.about()))
        }
        (true, Lies::Within, _) | (true, _, Lies::Within) => {
            let whom = if pods == Lies::Within { "pods" } else { "nodes" };
            let message = format!(
                "`{id}` means {whom} by `{block}`, and on Cilium a prefix never matches {whom}: the rule does nothing"
            );
            let help = "name pods by `podSelector` and `namespaceSelector`; nodes need a CiliumNetworkPolicy";
            Some(cited(covers(message).help(help), cilium::IP_BLOCK_NEVER_MATCHES.about()))
        }
        // Who wants pods besides says so by selector.
        (true, ..) if by_selector || rule.action != Action::Accept => None,
        (true, ..) => {
            let message = format!(
                "`{block}` in `{id}` covers pods or nodes, and on Cilium it does not match them: they stay cut off"
            );
            let help =
                "add a peer with `namespaceSelector: {}` if pods are meant too; except their ranges if they are not";
            let finding = covers(message).help(help).severity(Severity::Warning);
            Some(cited(finding, cilium::IP_BLOCK_NEVER_MATCHES.about()))
        }
        (false, Lies::Within, _) => {
            let message = format!("`{id}` means pods by `{block}`: a pod's address changes whenever it is made anew");
            Some(covers(message).help("name pods by `podSelector` and `namespaceSelector`").severity(Severity::Warning))
        }
        (false, Lies::Over, _) if rule.action == Action::Accept => {
            let message = format!(
                "`{block}` in `{id}` covers the pods of the cluster too: the rule opens the way {}",
                match direction {
                    Direction::Egress => "to all of them",
                    Direction::Ingress => "for all of them",
                }
            );
            let help = "put the ranges of pods and nodes under `except`, and name pods by their labels";
            Some(covers(message).help(help).severity(Severity::Warning))
        }
        _ => None,
    };
    finding.map(|finding| evidence.into_iter().fold(finding, Finding::evidence))
}
