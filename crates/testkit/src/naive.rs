//! Policies evaluated the slow way, straight from the text of the APIs: no index, no class, nothing shared with the product.
//!
//! Objects are taken as Kubernetes writes them. What the server would fill in is filled in where it is read.

use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A cluster as it was written.
#[derive(Debug)]
pub struct Naive<'a> {
    /// The policy of the older API is asked before those of the newer one in the last tier. Which it is no API says.
    old_baseline_first: bool,
    namespaces: BTreeMap<&'a str, BTreeMap<String, String>>,
    nodes: Vec<&'a Value>,
    /// Pods by namespace and name, those that have ended aside.
    pods: BTreeMap<(&'a str, &'a str), &'a Value>,
    policies: Vec<&'a Value>,
}

/// An end of a connection.
#[derive(Debug, Clone, Copy)]
pub enum Peer<'a> {
    /// A pod, by its object.
    Pod(&'a Value),
    /// Anything else, by its address.
    Address(IpAddr),
}

fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str()
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn labels(value: &Value, path: &str) -> BTreeMap<String, String> {
    let map = value.pointer(path).and_then(Value::as_object);
    map.into_iter().flatten().map(|(key, value)| (key.clone(), value.as_str().unwrap_or("").to_owned())).collect()
}

/// Whether a label selector selects labels: all of `matchLabels` and of `matchExpressions`.
fn selects(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    let exact = self::labels(selector, "/matchLabels").iter().all(|(key, value)| labels.get(key) == Some(value));
    exact
        && list(selector, "/matchExpressions").iter().all(|expression| {
            let value = text(expression, "/key").and_then(|key| labels.get(key));
            let listed = value.is_some_and(|value| {
                list(expression, "/values").iter().any(|known| known.as_str() == Some(value.as_str()))
            });
            match text(expression, "/operator") {
                Some("In") => listed,
                Some("NotIn") => !listed,
                Some("Exists") => value.is_some(),
                _ => value.is_none(),
            }
        })
}

fn in_prefix(prefix: &str, address: IpAddr) -> bool {
    let Some((first, length)) = prefix.split_once('/') else { return false };
    let (Ok(first), Ok(length)) = (first.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    match (first, address) {
        (IpAddr::V4(first), IpAddr::V4(address)) => {
            let shift = 32 - length;
            u64::from(first.to_bits()) >> shift == u64::from(address.to_bits()) >> shift
        }
        (IpAddr::V6(first), IpAddr::V6(address)) => {
            let same = first.to_bits() ^ address.to_bits();
            length == 0 || same >> (128 - length) == 0
        }
        _ => false,
    }
}

impl<'a> Naive<'a> {
    /// Sorts objects by what they are.
    pub fn new(objects: &'a [Value]) -> Naive<'a> {
        let mut out = Naive {
            old_baseline_first: false,
            namespaces: BTreeMap::new(),
            nodes: Vec::new(),
            pods: BTreeMap::new(),
            policies: Vec::new(),
        };
        for object in objects {
            let name = text(object, "/metadata/name").unwrap_or("");
            match text(object, "/kind") {
                Some("Namespace") => {
                    out.namespaces.insert(name, labels(object, "/metadata/labels"));
                }
                Some("Node") => out.nodes.push(object),
                Some("Pod") => {
                    if !matches!(text(object, "/status/phase"), Some("Succeeded" | "Failed")) {
                        out.pods.insert((namespace(object), name), object);
                    }
                }
                _ => out.policies.push(object),
            }
        }
        out
    }

    /// The same, where the BaselineAdminNetworkPolicy is asked before those of the newer API.
    #[must_use]
    pub fn with_old_baseline_first(mut self) -> Naive<'a> {
        self.old_baseline_first = true;
        self
    }

    /// The pods that have not ended.
    pub fn pods(&self) -> impl Iterator<Item = &'a Value> {
        self.pods.values().copied()
    }

    /// Whether a connection is let through. An end with several addresses is asked by the family that is given.
    pub fn allows(&self, from: Peer<'a>, to: Peer<'a>, protocol: &str, port: u16, v6: bool) -> bool {
        self.by_direction(from, to, protocol, port, v6) == [true, true]
    }

    /// The same, of what goes out and of what comes in.
    pub fn by_direction(&self, from: Peer<'a>, to: Peer<'a>, protocol: &str, port: u16, v6: bool) -> [bool; 2] {
        [self.one_way(from, to, "egress", protocol, port, v6), self.one_way(to, from, "ingress", protocol, port, v6)]
    }

    /// What the policies about one end say of a direction.
    fn one_way(&self, of: Peer<'a>, other: Peer<'a>, direction: &str, protocol: &str, port: u16, v6: bool) -> bool {
        let Peer::Pod(pod) = of else { return true };
        if on_host(pod) {
            return true;
        }
        let destination = if direction == "egress" { other } else { of };
        let asked = Asked { naive: self, other, destination, direction, protocol, port, v6 };
        for tier in ["Admin", "NetworkPolicy", "Baseline"] {
            if tier == "NetworkPolicy" {
                let selecting: Vec<&Value> = self
                    .policies
                    .iter()
                    .copied()
                    .filter(|policy| text(policy, "/kind") == Some("NetworkPolicy"))
                    .filter(|policy| about(policy, direction) && namespace(policy) == namespace(pod))
                    .filter(|policy| {
                        let all = Value::Null;
                        let selector = policy.pointer("/spec/podSelector").unwrap_or(&all);
                        selects(selector, &labels(pod, "/metadata/labels"))
                    })
                    .collect();
                if !selecting.is_empty() {
                    return self.next_to(pod, other)
                        || selecting.iter().any(|policy| {
                            let rules = list(policy, &format!("/spec/{direction}"));
                            rules.iter().any(|rule| asked.network_rule(policy, rule))
                        });
                }
                continue;
            }
            let mut policies: Vec<&Value> =
                self.policies.iter().copied().filter(|policy| tier_of(policy) == Some(tier)).collect();
            policies.sort_by_key(|policy| {
                let old = text(policy, "/kind") == Some("BaselineAdminNetworkPolicy");
                let priority = policy.pointer("/spec/priority").and_then(Value::as_u64).unwrap_or(0);
                (if self.old_baseline_first { !old } else { old }, priority, kind_rank(policy))
            });
            let rules = policies
                .into_iter()
                .filter(|policy| policy.pointer("/spec/subject").is_some_and(|subject| self.is_among(subject, pod)))
                .flat_map(|policy| list(policy, &format!("/spec/{direction}")));
            for rule in rules {
                if asked.tier_rule(rule) {
                    match text(rule, "/action") {
                        Some("Accept" | "Allow") => return true,
                        Some("Deny") => return false,
                        _ => break,
                    }
                }
            }
        }
        true
    }

    /// Whether the other end is the node a pod runs on, or what shares its network.
    fn next_to(&self, pod: &Value, other: Peer<'_>) -> bool {
        let Some(node) = text(pod, "/spec/nodeName") else { return false };
        match other {
            Peer::Pod(other) => on_host(other) && text(other, "/spec/nodeName") == Some(node),
            Peer::Address(address) => {
                self.node_of(address).is_some_and(|known| text(known, "/metadata/name") == Some(node))
            }
        }
    }

    fn node_of(&self, address: IpAddr) -> Option<&'a Value> {
        self.nodes.iter().copied().find(|node| {
            let mut known = list(node, "/status/addresses").iter().filter_map(|entry| text(entry, "/address"));
            known.any(|known| known.parse() == Ok(address))
        })
    }

    /// Whether a pod is among `namespaces` or `pods` of a subject or peer. Pods on the host network never are.
    fn is_among(&self, set: &Value, pod: &Value) -> bool {
        if on_host(pod) {
            return false;
        }
        let of_namespace = self.namespaces.get(namespace(pod)).cloned().unwrap_or_default();
        if let Some(selector) = set.pointer("/namespaces") {
            return selects(selector, &of_namespace);
        }
        let (Some(namespaces), Some(pods)) = (set.pointer("/pods/namespaceSelector"), set.pointer("/pods/podSelector"))
        else {
            return false;
        };
        selects(namespaces, &of_namespace) && selects(pods, &labels(pod, "/metadata/labels"))
    }
}

fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace").unwrap_or("default")
}

fn on_host(pod: &Value) -> bool {
    pod.pointer("/spec/hostNetwork").and_then(Value::as_bool) == Some(true)
}

fn tier_of(policy: &Value) -> Option<&str> {
    match text(policy, "/kind")? {
        "AdminNetworkPolicy" => Some("Admin"),
        "BaselineAdminNetworkPolicy" => Some("Baseline"),
        "ClusterNetworkPolicy" => text(policy, "/spec/tier"),
        _ => None,
    }
}

/// Of two policies with one priority the order is not said; ours is by kind.
fn kind_rank(policy: &Value) -> usize {
    match text(policy, "/kind") {
        Some("ClusterNetworkPolicy") => 0,
        _ => 1,
    }
}

/// Whether a NetworkPolicy is about a direction.
fn about(policy: &Value, direction: &str) -> bool {
    let types = list(policy, "/spec/policyTypes");
    if types.is_empty() {
        return direction == "ingress" || !list(policy, "/spec/egress").is_empty();
    }
    types.iter().filter_map(Value::as_str).any(|word| word.eq_ignore_ascii_case(direction))
}

struct Asked<'n, 'a> {
    naive: &'n Naive<'a>,
    other: Peer<'a>,
    destination: Peer<'a>,
    direction: &'n str,
    protocol: &'n str,
    port: u16,
    v6: bool,
}

impl Asked<'_, '_> {
    fn network_rule(&self, policy: &Value, rule: &Value) -> bool {
        let peers = list(rule, if self.direction == "ingress" { "/from" } else { "/to" });
        let ports = list(rule, "/ports");
        (peers.is_empty() || peers.iter().any(|peer| self.network_peer(policy, peer)))
            && (ports.is_empty() || ports.iter().any(|port| self.network_port(port)))
    }

    fn network_peer(&self, policy: &Value, peer: &Value) -> bool {
        if let Some(block) = peer.pointer("/ipBlock") {
            return self.addresses().into_iter().any(|address| {
                text(block, "/cidr").is_some_and(|cidr| in_prefix(cidr, address))
                    && !list(block, "/except").iter().filter_map(Value::as_str).any(|hole| in_prefix(hole, address))
            });
        }
        let Peer::Pod(pod) = self.other else { return false };
        if on_host(pod) {
            return false;
        }
        let in_namespace = match peer.pointer("/namespaceSelector") {
            Some(selector) => {
                selects(selector, &self.naive.namespaces.get(namespace(pod)).cloned().unwrap_or_default())
            }
            None => namespace(pod) == namespace(policy),
        };
        let selector = peer.pointer("/podSelector");
        in_namespace && selector.is_none_or(|selector| selects(selector, &labels(pod, "/metadata/labels")))
    }

    fn network_port(&self, port: &Value) -> bool {
        if text(port, "/protocol").unwrap_or("TCP") != self.protocol {
            return false;
        }
        match (port.pointer("/port"), port.pointer("/endPort").and_then(Value::as_u64)) {
            (None, _) => true,
            (Some(Value::String(name)), _) => self.has_named_port(name),
            (Some(first), last) => {
                let first = first.as_u64().unwrap_or(0);
                (first..=last.unwrap_or(first)).contains(&u64::from(self.port))
            }
        }
    }

    /// Whether the destination is a pod with a port of that name, with this protocol and number.
    fn has_named_port(&self, name: &str) -> bool {
        let Peer::Pod(pod) = self.destination else { return false };
        let ports = list(pod, "/spec/containers").iter().flat_map(|container| list(container, "/ports"));
        !on_host(pod)
            && ports.filter(|port| text(port, "/name") == Some(name)).any(|port| {
                text(port, "/protocol").unwrap_or("TCP") == self.protocol
                    && port.pointer("/containerPort").and_then(Value::as_u64) == Some(u64::from(self.port))
            })
    }

    /// The addresses the other end has in the family of the connection.
    fn addresses(&self) -> Vec<IpAddr> {
        match self.other {
            Peer::Address(address) => vec![address],
            Peer::Pod(pod) => list(pod, "/status/podIPs")
                .iter()
                .filter_map(|entry| text(entry, "/ip")?.parse::<IpAddr>().ok())
                .filter(|address| address.is_ipv6() == self.v6)
                .collect(),
        }
    }

    fn tier_rule(&self, rule: &Value) -> bool {
        let peers = list(rule, if self.direction == "ingress" { "/from" } else { "/to" });
        let ports = [list(rule, "/protocols"), list(rule, "/ports")].concat();
        peers.iter().any(|peer| self.tier_peer(peer))
            && (ports.is_empty() || ports.iter().any(|port| self.tier_port(port)))
    }

    fn tier_peer(&self, peer: &Value) -> bool {
        if let Some(selector) = peer.pointer("/nodes") {
            let node = match self.other {
                Peer::Pod(pod) if on_host(pod) => {
                    let name = text(pod, "/spec/nodeName");
                    self.naive.nodes.iter().copied().find(|node| text(node, "/metadata/name") == name)
                }
                Peer::Pod(_) => None,
                Peer::Address(address) => self.naive.node_of(address),
            };
            return node.is_some_and(|node| selects(selector, &labels(node, "/metadata/labels")));
        }
        if peer.pointer("/networks").is_some() {
            let mut networks = list(peer, "/networks").iter().filter_map(Value::as_str);
            return networks.any(|network| self.addresses().into_iter().any(|address| in_prefix(network, address)));
        }
        match self.other {
            Peer::Pod(pod) => self.naive.is_among(peer, pod),
            Peer::Address(_) => false,
        }
    }

    fn tier_port(&self, port: &Value) -> bool {
        let number = u64::from(self.port);
        let is = |value: Option<&Value>| value.and_then(Value::as_u64) == Some(number);
        let between = |first: Option<&Value>, last: Option<&Value>| {
            let bound = |value: Option<&Value>| value.and_then(Value::as_u64);
            bound(first).is_some_and(|first| first <= number) && bound(last).is_some_and(|last| number <= last)
        };
        if let Some(name) = text(port, "/destinationNamedPort").or(text(port, "/namedPort")) {
            return self.has_named_port(name);
        }
        if let Some(stated) = port.pointer("/portNumber") {
            return text(stated, "/protocol").unwrap_or("TCP") == self.protocol && is(stated.pointer("/port"));
        }
        if let Some(stated) = port.pointer("/portRange") {
            return text(stated, "/protocol").unwrap_or("TCP") == self.protocol
                && between(stated.pointer("/start"), stated.pointer("/end"));
        }
        let Some(stated) = port.get(self.protocol.to_ascii_lowercase()) else { return false };
        match stated.pointer("/destinationPort") {
            None => true,
            Some(port) => {
                is(port.pointer("/number")) || between(port.pointer("/range/start"), port.pointer("/range/end"))
            }
        }
    }
}
