//! What is stated becomes what is known: events of the index, and what must stay shut because it is not certain.
//!
//! Nothing that is stated twice and not the same is let through for either of its versions:
//! - a policy counts in all its versions, and in all of them every rule fails closed: whom any of them selects is shut;
//! - of a pod the addresses are shut, in both directions and for every pod of this node;
//! - a namespace has no labels that are known, so that policies which ask for them are not certain;
//! - a node is the one of the first place, by name.
//!
//! An address that two pods claim is neither's, and shut.

use super::source::{Key, Object, Stated};
use causeway_addr::Cidr;
use causeway_model::policy::{Fault, Policy, PolicyId};
use causeway_policy::{Event, Index, PodInfo};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What is known of the cluster, and what is not certain.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// What objects came to: what the index was told of each.
    told: BTreeMap<Key, BTreeMap<Key, Object>>,
    /// Which pods claim an address.
    claims: BTreeMap<IpAddr, BTreeSet<Key>>,
    /// Addresses of pods that are stated twice and not the same.
    shut_by_pod: BTreeMap<Key, Vec<IpAddr>>,
    /// What is stated twice and not the same, with where.
    doubts: BTreeMap<Key, String>,
    unread: BTreeMap<Option<String>, BTreeSet<String>>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) policies: usize,
    pub(crate) namespaces: usize,
    pub(crate) nodes: usize,
    pub(crate) pods: usize,
}

impl World {
    /// Takes changes in, and tells the index.
    pub(crate) fn take(&mut self, changes: Vec<(Key, Stated)>, index: &mut Index) {
        let mut addresses = BTreeSet::new();
        let mut events = Vec::new();
        for (key, stated) in changes {
            let before = self.told.remove(&key).unwrap_or_default();
            let now = self.settle(&key, stated, &mut addresses);
            for (known, object) in before.iter().filter(|(known, _)| !now.contains_key(*known)) {
                self.claim(known, Some(object), None, &mut addresses);
                events.extend(gone(known));
            }
            for (new, object) in now.iter().filter(|(new, object)| before.get(*new) != Some(*object)) {
                self.claim(new, before.get(new), Some(object), &mut addresses);
                match object {
                    // Whose its addresses are is known when all changes are.
                    Object::Pod(_) => {}
                    other => events.extend(told(new, other)),
                }
            }
            let pods: Vec<Key> = now.keys().filter(|key| matches!(key, Key::Pod(..))).cloned().collect();
            if !now.is_empty() {
                self.told.insert(key.clone(), now);
            }
            addresses.extend(pods.iter().flat_map(|pod| self.addresses_of(pod)));
            // A pod without addresses is one nonetheless.
            events.extend(pods.iter().filter_map(|pod| self.pod(pod)).map(Event::Pod));
        }
        // What goes, goes first: its addresses may be somebody else's by now.
        events.sort_by_key(order);
        for event in events {
            index.apply(event);
        }
        let claimed = addresses.iter().filter_map(|address| self.claims.get(address)).flatten();
        let again: BTreeSet<Key> = claimed.cloned().collect();
        for pod in again.iter().filter_map(|pod| self.pod(pod)) {
            index.apply(Event::Pod(pod));
        }
    }

    /// Policies nobody can evaluate, by the namespace whose pods they may select; `None` = every one.
    pub(crate) fn unread_by_namespace(&self) -> BTreeMap<Option<String>, Vec<String>> {
        let names = |(namespace, names): (&Option<String>, &BTreeSet<String>)| {
            (namespace.clone(), names.iter().cloned().collect())
        };
        self.unread.iter().map(names).collect()
    }

    /// Policies nobody can evaluate, though they are read: whom they may select is shut.
    pub(crate) fn unread(&self) -> Vec<String> {
        self.unread.values().flatten().cloned().collect()
    }

    /// What is stated twice and not the same, one sentence each.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let mut doubts: Vec<String> = self.doubts.values().cloned().collect();
        let twice = self.claims.iter().filter(|(_, pods)| pods.len() > 1);
        doubts.extend(twice.map(|(address, pods)| {
            let names: Vec<String> = pods.iter().map(|pod| format!("`{pod}`")).collect();
            format!("{} have the address {address}: it is shut", names.join(" and "))
        }));
        doubts
    }

    /// Addresses that are shut because it is not certain whose they are.
    pub(crate) fn shut(&self) -> BTreeSet<IpAddr> {
        let twice = self.claims.iter().filter(|(_, pods)| pods.len() > 1).map(|(address, _)| *address);
        twice.chain(self.shut_by_pod.values().flatten().copied()).collect()
    }

    /// The ranges the pods of a node take their addresses from, as its object says.
    pub(crate) fn ranges(&self, node: &str) -> Vec<Cidr> {
        let key = Key::Node(node.to_owned());
        match self.told.get(&key).and_then(|told| told.get(&key)) {
            Some(Object::Node(_, ranges)) => ranges.clone(),
            _ => Vec::new(),
        }
    }

    /// Whether anything is on a node.
    pub(crate) fn has_node(&self, node: &str) -> bool {
        self.told.values().flatten().any(|(key, object)| match object {
            Object::Node(..) => *key == Key::Node(node.to_owned()),
            Object::Pod(pod) => pod.node.as_deref() == Some(node),
            _ => false,
        })
    }

    /// Policies that can't be read whole, with the first reason.
    pub(crate) fn faulty(&self) -> Vec<(PolicyId, String)> {
        let policies = self.told.values().flat_map(BTreeMap::values).filter_map(|object| match object {
            Object::Policy(policy) => policy.faults.first().map(|fault| (policy.id.clone(), fault.message.clone())),
            _ => None,
        });
        policies.collect()
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for key in self.told.keys() {
            match key {
                Key::Policy(_) => counts.policies += 1,
                Key::Namespace(_) => counts.namespaces += 1,
                Key::Node(_) => counts.nodes += 1,
                Key::Pod(..) => counts.pods += 1,
                Key::Unread(..) => {}
            }
        }
        counts
    }

    /// What an object comes to, of everything that is stated of it.
    fn settle(&mut self, key: &Key, stated: Stated, addresses: &mut BTreeSet<IpAddr>) -> BTreeMap<Key, Object> {
        addresses.extend(self.shut_by_pod.remove(key).into_iter().flatten());
        self.doubts.remove(key);
        if let Key::Unread(namespace, name) = key {
            let names = self.unread.entry(namespace.clone()).or_default();
            if stated.is_empty() {
                names.remove(name)
            } else {
                names.insert(name.clone())
            };
            self.unread.retain(|_, names| !names.is_empty());
            return BTreeMap::new();
        }
        let mut versions: Vec<(String, Object)> = Vec::new();
        for (place, object) in stated {
            if versions.iter().all(|(_, known)| *known != object) {
                versions.push((place, object));
            }
        }
        if versions.len() > 1 {
            let places: BTreeSet<String> = versions.iter().map(|(place, _)| format!("`{place}`")).collect();
            let places: Vec<String> = places.into_iter().collect();
            let where_it_is = match places.as_slice() {
                [one] => format!("twice in {one}"),
                several => format!("in {}", several.join(" and ")),
            };
            let what = match key {
                Key::Policy(_) => "whom any version selects is shut",
                Key::Pod(..) => "its addresses are shut",
                Key::Namespace(_) => "its labels count as unknown",
                _ => "the first counts",
            };
            self.doubts.insert(key.clone(), format!("`{key}` stands {where_it_is}, and not the same: {what}"));
            return self.in_doubt(key, versions);
        }
        versions.into_iter().map(|(_, object)| (key.clone(), object)).collect()
    }

    fn in_doubt(&mut self, key: &Key, versions: Vec<(String, Object)>) -> BTreeMap<Key, Object> {
        match key {
            Key::Policy(_) => {
                let doubted = versions.into_iter().enumerate().filter_map(|(at, (place, object))| match object {
                    Object::Policy(policy) => Some(doubted(*policy, at, &place)),
                    _ => None,
                });
                doubted.map(|policy| (Key::Policy(policy.id.clone()), Object::Policy(Box::new(policy)))).collect()
            }
            Key::Pod(..) => {
                let pods = versions.iter().filter_map(|(_, object)| match object {
                    Object::Pod(pod) if !pod.host_network => Some(pod.ips.iter().copied()),
                    _ => None,
                });
                self.shut_by_pod.insert(key.clone(), pods.flatten().collect());
                BTreeMap::new()
            }
            Key::Node(_) => versions.into_iter().take(1).map(|(_, object)| (key.clone(), object)).collect(),
            Key::Namespace(_) | Key::Unread(..) => BTreeMap::new(),
        }
    }

    fn claim(&mut self, key: &Key, before: Option<&Object>, now: Option<&Object>, addresses: &mut BTreeSet<IpAddr>) {
        for address in before.into_iter().flat_map(claimed) {
            addresses.insert(address);
            let Some(pods) = self.claims.get_mut(&address) else { continue };
            pods.remove(key);
            if pods.is_empty() {
                self.claims.remove(&address);
            }
        }
        for address in now.into_iter().flat_map(claimed) {
            addresses.insert(address);
            self.claims.entry(address).or_default().insert(key.clone());
        }
    }

    fn addresses_of(&self, pod: &Key) -> Vec<IpAddr> {
        self.told.get(pod).and_then(|told| told.get(pod)).map(claimed).unwrap_or_default()
    }

    /// A pod, with the addresses that are its own alone.
    fn pod(&self, key: &Key) -> Option<PodInfo> {
        let Object::Pod(pod) = self.told.get(key)?.get(key)? else { return None };
        let mut pod = pod.clone();
        if !pod.host_network {
            let shut = |ip: &IpAddr| self.shut_by_pod.values().flatten().any(|shut| shut == ip);
            let alone = |ip: &IpAddr| self.claims.get(ip).is_none_or(|pods| pods.len() < 2) && !shut(ip);
            pod.ips.retain(alone);
        }
        Some(pod)
    }
}

/// A policy of which there are several versions: it selects whom it selects, and every rule of it fails closed.
fn doubted(mut policy: Policy, at: usize, place: &str) -> Policy {
    if at > 0 {
        policy.id.name = format!("{}@{at}-{place}", policy.id.name);
    }
    for rules in [&mut policy.ingress, &mut policy.egress].into_iter().flatten() {
        rules.iter_mut().for_each(|rule| rule.faulty = true);
    }
    let message = format!("it is stated several times and not the same, once in `{place}`");
    policy.faults.insert(0, Fault { path: String::new(), message });
    policy
}

fn claimed(object: &Object) -> Vec<IpAddr> {
    match object {
        Object::Pod(pod) if !pod.host_network => pod.ips.clone(),
        _ => Vec::new(),
    }
}

fn order(event: &Event) -> u8 {
    match event {
        Event::PodGone(..) => 0,
        Event::NodeGone(_) | Event::NamespaceGone(_) => 1,
        Event::PolicyGone(_) => 2,
        Event::Policy(_) => 3,
        Event::Namespace(..) => 4,
        Event::Node(_) => 5,
        Event::Pod(_) => 6,
    }
}

fn gone(key: &Key) -> Option<Event> {
    Some(match key {
        Key::Policy(id) => Event::PolicyGone(id.clone()),
        Key::Namespace(name) => Event::NamespaceGone(name.clone()),
        Key::Node(name) => Event::NodeGone(name.clone()),
        Key::Pod(namespace, name) => Event::PodGone(namespace.clone(), name.clone()),
        Key::Unread(..) => return None,
    })
}

fn told(key: &Key, object: &Object) -> Option<Event> {
    Some(match (key, object) {
        (_, Object::Policy(policy)) => Event::Policy((**policy).clone()),
        (Key::Namespace(name), Object::Namespace(labels)) => Event::Namespace(name.clone(), labels.clone()),
        (_, Object::Node(node, _)) => Event::Node(node.clone()),
        (_, Object::Pod(pod)) => Event::Pod(pod.clone()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
