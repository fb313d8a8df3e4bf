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
    let subject = subject(reader, id.kind, spec).unwrap_or_else(EVERYWHERE);
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

fn subject(reader: &mut Reader, kind: PolicyKind, spec: &Node) -> Option<PodSet> {
    let path = "spec.subject";
    let Some(subject) = at(spec, &["subject"]) else {
        reader.fault(spec, path, "`spec.subject` is missing".to_owned());
        return None;
    };
    reader.one_of(subject, path, &["namespaces", "pods"])?;
    pods(reader, kind, subject, path)
}

/// `namespaces` or `pods`, which subjects and peers share.
fn pods(reader: &mut Reader, kind: PolicyKind, node: &Node, path: &str) -> Option<PodSet> {
    if let Some(namespaces) = reader.selector(node, path, "namespaces") {
        return Some(PodSet { namespaces: Namespaces::Matching(namespaces), pods: Selector::default() });
    }
    let pods = at(node, &["pods"])?;
    let path = join(path, "pods");
    if !reader.is_mapping(pods, &path) {
        return None;
    }
    reader.fields(pods, &path, &["namespaceSelector", "podSelector"]);
    // Only v1alpha2 may leave the first one out.
    let optional = kind == PolicyKind::ClusterNetworkPolicy;
    for key in ["namespaceSelector", "podSelector"] {
        if at(pods, &[key]).is_none() && !(optional && key == "namespaceSelector") {
            reader.fault(pods, &path, format!("`{path}` needs `{key}`; `{{}}` stands for all"));
        }
    }
    let namespaces = reader.selector(pods, &path, "namespaceSelector").unwrap_or_default();
    let pods = reader.selector(pods, &path, "podSelector").unwrap_or_default();
    Some(PodSet { namespaces: Namespaces::Matching(namespaces), pods })
}

fn rules(reader: &mut Reader, kind: PolicyKind, spec: &Node, direction: &str, ends: &str) -> Option<Vec<PolicyRule>> {
    let rules = reader.list(spec, "spec", direction)?;
    let most = most(kind);
    if rules.len() > most {
        let (path, list) = (join("spec", direction), at(spec, &[direction]).unwrap_or(spec));
        reader.fault(list, &path, format!("`{path}` has {} rules, and may have {most}", rules.len()));
    }
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
    let peer_count = peers.len();
    if peers.is_empty() {
        reader.fault(node, path, format!("`{path}` needs `{ends}` with at least one peer"));
    }
    let peers =
        peers.into_iter().flat_map(|(path, peer)| self::peers(reader, kind, peer, &path, ends)).collect::<Vec<Peer>>();
    let ports = reader.list(node, path, matching);
    for (key, list) in [(ends, peer_count), (matching, ports.as_ref().map_or(1, Vec::len))] {
        let (path, stated) = (join(path, key), at(node, &[key]).unwrap_or(node));
        if list > most(kind) {
            reader.fault(stated, &path, format!("`{path}` has {list} items, and may have {}", most(kind)));
        }
    }
    if ports.as_ref().is_some_and(Vec::is_empty) {
        let path = join(path, matching);
        let stated = at(node, &[matching]).unwrap_or(node);
        reader.fault(stated, &path, format!("`{path}` is empty: leave it out to mean every port"));
    }
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
    if peers.iter().any(|peer| matches!(peer, Peer::Names(_))) && action != Action::Accept {
        let accept = accept(kind);
        reader.fault(node, path, format!("`domainNames` can only stand in a rule with `action: {accept}`"));
    }
    let name = self::name(reader, node, path);
    PolicyRule { name, action, peers: Peers::Of(peers), ports, faulty: reader.mark() > before }
}

/// How many items a list may have.
fn most(kind: PolicyKind) -> usize {
    if kind == PolicyKind::ClusterNetworkPolicy { 25 } else { 100 }
}

/// The name of a rule.
fn name(reader: &mut Reader, node: &Node, path: &str) -> Option<String> {
    let stated = at(node, &["name"])?;
    let name = stated.as_str().filter(|name| name.chars().count() <= 100);
    if name.is_none() {
        reader.wrong(stated, &join(path, "name"), "text of at most 100 characters");
    }
    name.map(str::to_owned)
}

/// The word that lets through.
fn accept(kind: PolicyKind) -> &'static str {
    if kind == PolicyKind::ClusterNetworkPolicy { "Accept" } else { "Allow" }
}

fn action(reader: &mut Reader, kind: PolicyKind, node: &Node, path: &str) -> Action {
    let accept = accept(kind);
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

fn peers(reader: &mut Reader, kind: PolicyKind, node: &Node, path: &str, ends: &str) -> Vec<Peer> {
    let known: &[&str] = match (ends, kind) {
        ("to", PolicyKind::BaselineAdminNetworkPolicy) => &["namespaces", "pods", "nodes", "networks"],
        ("to", _) => &["namespaces", "pods", "nodes", "networks", "domainNames"],
        _ => &["namespaces", "pods"],
    };
    if reader.one_of(node, path, known).is_none() {
        return Vec::new();
    }
    if let Some(set) = pods(reader, kind, node, path) {
        return vec![Peer::Pods(set)];
    }
    if let Some(nodes) = reader.selector(node, path, "nodes") {
        return vec![Peer::Nodes(nodes)];
    }
    let key = if at(node, &["networks"]).is_some() { "networks" } else { "domainNames" };
    let items = reader.list(node, path, key).unwrap_or_default();
    if items.is_empty() || items.len() > 25 {
        let (path, stated) = (join(path, key), at(node, &[key]).unwrap_or(node));
        reader.fault(stated, &path, format!("`{path}` has {} items, and must have 1 to 25", items.len()));
    }
    let mut seen = std::collections::BTreeSet::new();
    for (path, item) in &items {
        if item.text().is_some_and(|text| !seen.insert(text.to_owned())) {
            reader.fault(item, path, format!("`{}` stands there twice", item.text().unwrap_or_default()));
        }
    }
    if key == "networks" {
        let read = |(path, item): (String, &Node)| reader.cidr(item, &path);
        let cidrs: Vec<_> = items.into_iter().filter_map(read).collect();
        return cidrs.into_iter().map(|cidr| Peer::Block(IpBlock { cidr, except: Vec::new() })).collect();
    }
    let mut names = Vec::new();
    for (path, item) in items {
        match item.as_str().filter(|name| is_domain(name)) {
            Some(name) => names.push(name.to_owned()),
            None => reader.wrong(item, &path, "a DNS name as `example.org` or `*.example.org`"),
        }
    }
    vec![Peer::Names(names)]
}

/// A DNS name of at least two labels, the first of which may be a star.
fn is_domain(name: &str) -> bool {
    let name = name.strip_prefix("*.").unwrap_or(name);
    let name = name.strip_suffix('.').unwrap_or(name);
    let label = |label: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        edge(label.chars().next())
            && edge(label.chars().next_back())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    name.contains('.') && name.split('.').all(label)
}
