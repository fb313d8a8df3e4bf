//! policy.networking.k8s.io: ClusterNetworkPolicy v1alpha2, AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1.

use super::{Reader, join, unreadable};
use crate::kubernetes::value::{at, text};
use crate::tree::Node;
use causeway_model::policy::*;

const EVERYWHERE: fn() -> PodSet =
    || PodSet { namespaces: Namespaces::Matching(Selector::default()), pods: Selector::default() };

pub(super) fn policy(reader: &mut Reader, id: PolicyId, spec: Option<&Node>) -> Policy {
    let Some(spec) = spec else {
        reader.faults.push(Fault { path: "spec".to_owned(), message: "`spec` is missing".to_owned() });
        return unreadable(id, EVERYWHERE());
    };
    let before = reader.mark();
    let (tier, priority) = standing(reader, id.kind, spec);
    let subject = subject(reader, spec).unwrap_or_else(EVERYWHERE);
    if reader.mark() > before {
        return unreadable(id, subject);
    }
    let ingress = rules(reader, id.kind, spec, "ingress", "from");
    let egress = rules(reader, id.kind, spec, "egress", "to");
    Policy { id, tier, priority, subject, ingress, egress, faults: Vec::new() }
}

fn standing(reader: &mut Reader, kind: PolicyKind, spec: &Node) -> (PolicyTier, u32) {
    let own: &[&str] = match kind {
        PolicyKind::ClusterNetworkPolicy => &["tier", "priority", "subject", "ingress", "egress"],
        PolicyKind::BaselineAdminNetworkPolicy => &["subject", "ingress", "egress"],
        _ => &["priority", "subject", "ingress", "egress"],
    };
    reader.fields(spec, "spec", own);
    let tier = match (kind, text(spec, &["tier"])) {
        (PolicyKind::BaselineAdminNetworkPolicy, _) => return (PolicyTier::Baseline, 0),
        (PolicyKind::ClusterNetworkPolicy, Some("Baseline")) => PolicyTier::Baseline,
        (PolicyKind::ClusterNetworkPolicy, Some("Admin")) | (PolicyKind::AdminNetworkPolicy, _) => PolicyTier::Admin,
        _ => {
            reader.wrong(at(spec, &["tier"]).unwrap_or(spec), "spec.tier", "`Admin` or `Baseline`");
            PolicyTier::Admin
        }
    };
    let stated = at(spec, &["priority"]);
    let priority = stated.and_then(Node::as_u64).and_then(|number| u32::try_from(number).ok());
    match priority.filter(|number| *number <= 1000) {
        Some(priority) => (tier, priority),
        None => {
            reader.wrong(stated.unwrap_or(spec), "spec.priority", "a number from 0 to 1000");
            (tier, 0)
        }
    }
}

fn subject(reader: &mut Reader, spec: &Node) -> Option<PodSet> {
    let path = "spec.subject";
    let Some(subject) = at(spec, &["subject"]) else {
        reader.fault(spec, path, "`spec.subject` is missing".to_owned());
        return None;
    };
    reader.fields(subject, path, &["namespaces", "pods"]);
    let set = pods(reader, subject, path);
    if set.is_none() {
        reader.fault(subject, path, "a subject needs `namespaces` or `pods`".to_owned());
    }
    set
}

/// `namespaces` or `pods`, which subjects and peers share.
fn pods(reader: &mut Reader, node: &Node, path: &str) -> Option<PodSet> {
    if let Some(namespaces) = reader.selector(node, path, "namespaces") {
        return Some(PodSet { namespaces: Namespaces::Matching(namespaces), pods: Selector::default() });
    }
    let pods = at(node, &["pods"])?;
    let path = join(path, "pods");
    if !reader.is_mapping(pods, &path) {
        return None;
    }
    reader.fields(pods, &path, &["namespaceSelector", "podSelector"]);
    let namespaces = reader.selector(pods, &path, "namespaceSelector").unwrap_or_default();
    let pods = reader.selector(pods, &path, "podSelector").unwrap_or_default();
    Some(PodSet { namespaces: Namespaces::Matching(namespaces), pods })
}

fn rules(reader: &mut Reader, kind: PolicyKind, spec: &Node, direction: &str, ends: &str) -> Option<Vec<PolicyRule>> {
    let rules = reader.list(spec, "spec", direction)?;
    Some(rules.into_iter().map(|(path, rule)| self::rule(reader, kind, rule, &path, ends)).collect())
}

fn rule(reader: &mut Reader, kind: PolicyKind, node: &Node, path: &str, ends: &str) -> PolicyRule {
    let before = reader.mark();
    let matching = if kind == PolicyKind::ClusterNetworkPolicy { "protocols" } else { "ports" };
    if reader.is_mapping(node, path) {
        reader.fields(node, path, &["name", "action", ends, matching]);
    }
    let action = action(reader, kind, node, path);
    let peers = reader.list(node, path, ends).unwrap_or_default();
    if peers.is_empty() {
        reader.fault(node, path, format!("`{path}` needs `{ends}` with at least one peer"));
    }
    let peers =
        peers.into_iter().flat_map(|(path, peer)| self::peers(reader, peer, &path, ends)).collect::<Vec<Peer>>();
    let ports = reader.list(node, path, matching).filter(|ports| !ports.is_empty());
    let ports: Option<Vec<PolicyPort>> = ports.map(|ports| {
        let read = |(path, port): (String, &Node)| match kind {
            PolicyKind::ClusterNetworkPolicy => reader.cluster_protocol(port, &path),
            _ => reader.admin_port(port, &path),
        };
        ports.into_iter().filter_map(read).collect()
    });
    let outside = |peer: &Peer| !matches!(peer, Peer::Pods(_));
    let named = |port: &PolicyPort| matches!(port, PolicyPort::Named { .. });
    if ends == "to" && peers.iter().any(outside) && ports.iter().flatten().any(named) {
        let message = "a named port can't stand beside `networks`, `nodes` or `domainNames`: they have none".to_owned();
        reader.fault(node, path, message);
    }
    let name = text(node, &["name"]).map(str::to_owned);
    PolicyRule { name, action, peers: Peers::Of(peers), ports, faulty: reader.mark() > before }
}

fn action(reader: &mut Reader, kind: PolicyKind, node: &Node, path: &str) -> Action {
    let accept = if kind == PolicyKind::ClusterNetworkPolicy { "Accept" } else { "Allow" };
    match text(node, &["action"]) {
        Some(word) if word == accept => Action::Accept,
        Some("Deny") => Action::Deny,
        Some("Pass") if kind != PolicyKind::BaselineAdminNetworkPolicy => Action::Pass,
        _ => {
            let words = match kind {
                PolicyKind::BaselineAdminNetworkPolicy => "`Allow` or `Deny`".to_owned(),
                _ => format!("`{accept}`, `Deny` or `Pass`"),
            };
            reader.wrong(at(node, &["action"]).unwrap_or(node), &join(path, "action"), &words);
            Action::Deny
        }
    }
}

fn peers(reader: &mut Reader, node: &Node, path: &str, ends: &str) -> Vec<Peer> {
    if !reader.is_mapping(node, path) {
        return Vec::new();
    }
    let known: &[&str] = match ends {
        "to" => &["namespaces", "pods", "nodes", "networks", "domainNames"],
        _ => &["namespaces", "pods"],
    };
    reader.fields(node, path, known);
    if node.entries().iter().filter(|entry| known.contains(&entry.key.as_ref()) && !entry.node.is_null()).count() != 1 {
        reader.fault(node, path, "a peer needs exactly one of its fields".to_owned());
        return Vec::new();
    }
    if let Some(set) = pods(reader, node, path) {
        return vec![Peer::Pods(set)];
    }
    if let Some(nodes) = reader.selector(node, path, "nodes") {
        return vec![Peer::Nodes(nodes)];
    }
    if let Some(networks) = reader.list(node, path, "networks") {
        let read = |(path, item): (String, &Node)| reader.cidr(item, &path);
        return networks
            .into_iter()
            .filter_map(read)
            .map(|cidr| Peer::Block(IpBlock { cidr, except: Vec::new() }))
            .collect();
    }
    let names = reader.list(node, path, "domainNames").unwrap_or_default();
    vec![Peer::Names(names.into_iter().filter_map(|(_, name)| name.text()).map(str::to_owned).collect())]
}
