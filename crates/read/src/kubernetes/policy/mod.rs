//! Policies of Kubernetes, from their objects to [`Policy`].
//!
//! Sources: the API types of networking.k8s.io/v1 and of policy.networking.k8s.io v1alpha1 and v1alpha2 (November 2026). What the API
//! server would refuse is a fault: it is said, the rule it is in fails closed, and no verdict that depends on it is sure.

mod foreign;
mod network;
mod ports;
mod selector;
mod tiered;

pub(crate) use foreign::selects;

use super::value::{at, text};
use super::words::{is_dns_label, is_dns_name};
use crate::tree::Node;
use causeway_model::policy::*;
use causeway_model::source::Span;

/// A policy that was read, and where its parts stand.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What it says.
    pub policy: Policy,
    /// Dotted paths within the object, of rules, of their peers and ports, and of whatever is faulty.
    pub places: Vec<(String, Span)>,
}

/// Reads an object; `None` for kinds that are not understood.
pub fn read(object: &Node) -> Option<Reading> {
    let kind = PolicyKind::of(text(object, &["apiVersion"])?, text(object, &["kind"])?)?;
    let name = text(object, &["metadata", "name"])?.to_owned();
    let namespace = (kind == PolicyKind::NetworkPolicy)
        .then(|| text(object, &["metadata", "namespace"]).unwrap_or("default").to_owned());
    let id = PolicyId { kind, namespace, name };
    let mut reader = Reader { faults: Vec::new(), places: Vec::new() };
    reader.fields(object, "", &["apiVersion", "kind", "metadata", "spec", "status"]);
    let spec = at(object, &["spec"]);
    if let Some(spec) = spec.filter(|spec| spec.as_map().is_none()) {
        reader.wrong(spec, "spec", "a mapping");
    }
    let mut policy = match &id.namespace {
        Some(namespace) => network::policy(&mut reader, id.clone(), namespace, spec),
        None => tiered::policy(&mut reader, id.clone(), spec),
    };
    // What is wrong with its name makes no rule mean something else.
    reader.named(object, &id);
    policy.faults = reader.faults;
    Some(Reading { policy, places: reader.places })
}

/// What reading collects.
struct Reader {
    faults: Vec<Fault>,
    places: Vec<(String, Span)>,
}

impl Reader {
    fn fault(&mut self, node: &Node, path: &str, message: String) {
        self.places.push((path.to_owned(), node.span));
        self.faults.push(Fault { path: path.to_owned(), message });
    }

    /// A value of another type than belongs there.
    fn wrong(&mut self, node: &Node, path: &str, wanted: &str) {
        let found = match node.text() {
            Some(text) if !node.is_null() => format!("`{}`", text.chars().take(60).collect::<String>()),
            _ => node.type_name().to_owned(),
        };
        self.fault(node, path, format!("`{path}` must be {wanted}, not {found}"));
    }

    /// Says every key that is no field there.
    fn fields(&mut self, node: &Node, path: &str, known: &[&str]) {
        for entry in node.entries() {
            if known.contains(&entry.key.as_ref()) {
                continue;
            }
            let near = causeway_model::suggest::nearest(&entry.key, known.iter().copied());
            let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let field = join(path, &entry.key);
            self.places.push((field.clone(), entry.key_span));
            self.faults.push(Fault { path: field, message: format!("there is no field `{}`{hint}", entry.key) });
        }
    }

    /// What the API server would say of the name.
    fn named(&mut self, object: &Node, id: &PolicyId) {
        let node = at(object, &["metadata", "name"]).unwrap_or(object);
        if id.kind == PolicyKind::BaselineAdminNetworkPolicy && id.name != "default" {
            let message = format!("there is only one {}, and its name is `default`, not `{}`", id.kind, id.name);
            self.fault(node, "metadata.name", message);
        } else if node.as_str().is_none_or(|name| !is_dns_name(name)) {
            self.wrong(node, "metadata.name", "a name of small letters, digits, `-` and `.`");
        }
        let namespace = at(object, &["metadata", "namespace"]).filter(|_| id.namespace.is_some());
        if let Some(stated) = namespace.filter(|stated| stated.as_str().is_none_or(|name| !is_dns_label(name))) {
            self.wrong(stated, "metadata.namespace", "a name of at most 63 small letters, digits and `-`");
        }
    }

    /// How many faults there are, to see later whether some were added.
    fn mark(&self) -> usize {
        self.faults.len()
    }

    /// A list under a key, each item with its path; absent and null are `None`.
    fn list<'n>(&mut self, node: &'n Node, path: &str, key: &str) -> Option<Vec<(String, &'n Node)>> {
        let list = at(node, &[key])?;
        let path = join(path, key);
        let Some(items) = list.as_seq() else {
            self.wrong(list, &path, "a list");
            return Some(Vec::new());
        };
        let items: Vec<(String, &Node)> =
            items.iter().enumerate().map(|(at, item)| (format!("{path}.{at}"), item)).collect();
        self.places.extend(items.iter().map(|(path, item)| (path.clone(), item.span)));
        Some(items)
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// What stands for a policy whose subject or place among the others can't be read: nothing about its pods is sure.
fn unreadable(id: PolicyId, subject: PodSet) -> Policy {
    let rule = || {
        Some(vec![PolicyRule {
            name: None,
            action: Action::Deny,
            peers: Peers::Anyone { stated: false },
            ports: None,
            faulty: true,
        }])
    };
    Policy { id, tier: PolicyTier::Admin, priority: 0, subject, ingress: rule(), egress: rule(), faults: Vec::new() }
}

#[cfg(test)]
mod tests;
