//! networking.k8s.io/v1 NetworkPolicy.

use super::{Reader, join, unreadable};
use crate::kubernetes::value::at;
use crate::tree::Node;
use causeway_model::policy::*;

pub(super) fn policy(reader: &mut Reader, id: PolicyId, namespace: &str, spec: Option<&Node>) -> Policy {
    let own = |pods: Selector| PodSet { namespaces: Namespaces::Named(namespace.to_owned()), pods };
    let before = reader.mark();
    let mut subject = Selector::default();
    let (mut ingress, mut egress) = (None, None);
    let mut types = None;
    if let Some(spec) = spec {
        reader.fields(spec, "spec", &["podSelector", "policyTypes", "ingress", "egress"]);
        subject = reader.selector(spec, "spec", "podSelector").unwrap_or_default();
        types = self::types(reader, spec);
    }
    if reader.mark() > before {
        return unreadable(id, own(Selector::default()));
    }
    if let Some(spec) = spec {
        ingress = rules(reader, namespace, spec, "ingress", "from");
        egress = rules(reader, namespace, spec, "egress", "to");
    }
    // Left out, it is about what comes in, and about what goes out if there is a rule for that.
    let (about_ingress, about_egress) = types.unwrap_or((true, egress.as_ref().is_some_and(|rules| !rules.is_empty())));
    Policy {
        id,
        tier: PolicyTier::NetworkPolicy,
        priority: 0,
        subject: own(subject),
        ingress: about_ingress.then(|| ingress.unwrap_or_default()),
        egress: about_egress.then(|| egress.unwrap_or_default()),
        faults: Vec::new(),
    }
}

/// `policyTypes`: whether it is about what comes in and about what goes out. An empty list is as good as none.
fn types(reader: &mut Reader, spec: &Node) -> Option<(bool, bool)> {
    let stated = reader.list(spec, "spec", "policyTypes")?;
    if stated.is_empty() {
        return None;
    }
    if stated.len() > 2 {
        let types = at(spec, &["policyTypes"]).unwrap_or(spec);
        reader.fault(types, "spec.policyTypes", "`spec.policyTypes` has more than two items".to_owned());
    }
    let mut about = (false, false);
    for (path, word) in stated {
        match word.text() {
            Some("Ingress") => about.0 = true,
            Some("Egress") => about.1 = true,
            _ => reader.wrong(word, &path, "`Ingress` or `Egress`"),
        }
    }
    Some(about)
}

fn rules(reader: &mut Reader, namespace: &str, spec: &Node, direction: &str, ends: &str) -> Option<Vec<PolicyRule>> {
    let rules = reader.list(spec, "spec", direction)?;
    Some(rules.into_iter().map(|(path, rule)| self::rule(reader, namespace, rule, &path, ends)).collect())
}

fn rule(reader: &mut Reader, namespace: &str, node: &Node, path: &str, ends: &str) -> PolicyRule {
    let before = reader.mark();
    if !node.is_null() && reader.is_mapping(node, path) {
        reader.fields(node, path, &[ends, "ports"]);
    }
    let peers = match reader.list(node, path, ends) {
        None => Peers::Anyone { stated: false },
        Some(peers) if peers.is_empty() => Peers::Anyone { stated: true },
        Some(peers) => {
            Peers::Of(peers.into_iter().filter_map(|(path, peer)| self::peer(reader, namespace, peer, &path)).collect())
        }
    };
    let ports = reader.list(node, path, "ports").filter(|ports| !ports.is_empty());
    let ports =
        ports.map(|ports| ports.into_iter().filter_map(|(path, port)| reader.network_port(port, &path)).collect());
    PolicyRule { name: None, action: Action::Accept, peers, ports, faulty: reader.mark() > before }
}

fn peer(reader: &mut Reader, namespace: &str, node: &Node, path: &str) -> Option<Peer> {
    if !reader.is_mapping(node, path) {
        return None;
    }
    reader.fields(node, path, &["podSelector", "namespaceSelector", "ipBlock"]);
    let pods = reader.selector(node, path, "podSelector");
    let namespaces = reader.selector(node, path, "namespaceSelector");
    let block = at(node, &["ipBlock"]);
    match (pods, namespaces, block) {
        (None, None, Some(block)) => self::block(reader, block, &join(path, "ipBlock")).map(Peer::Block),
        (None, None, None) => {
            reader.fault(node, path, "a peer needs `podSelector`, `namespaceSelector` or `ipBlock`".to_owned());
            None
        }
        (_, _, Some(block)) => {
            let message = "`ipBlock` can't stand beside a selector in one peer".to_owned();
            reader.fault(block, &join(path, "ipBlock"), message);
            None
        }
        (pods, namespaces, None) => {
            let namespaces = namespaces.map_or_else(|| Namespaces::Named(namespace.to_owned()), Namespaces::Matching);
            Some(Peer::Pods(PodSet { namespaces, pods: pods.unwrap_or_default() }))
        }
    }
}

fn block(reader: &mut Reader, node: &Node, path: &str) -> Option<IpBlock> {
    if !reader.is_mapping(node, path) {
        return None;
    }
    reader.fields(node, path, &["cidr", "except"]);
    let Some(stated) = at(node, &["cidr"]) else {
        reader.fault(node, path, "`ipBlock` needs `cidr`".to_owned());
        return None;
    };
    let cidr = reader.cidr(stated, &join(path, "cidr"))?;
    let mut except = Vec::new();
    for (path, item) in reader.list(node, path, "except").unwrap_or_default() {
        let Some(hole) = reader.cidr(item, &path) else { continue };
        if cidr.covers(&hole) && cidr != hole {
            except.push(hole);
        } else {
            reader.fault(item, &path, format!("`{hole}` must be a part of `{cidr}`, and not all of it"));
        }
    }
    except.sort();
    except.dedup();
    Some(IpBlock { cidr, except })
}
