//! Clusters with policies, made from a seed: every feature of the APIs, in small numbers, so that everything meets everything.
#![expect(clippy::indexing_slicing, reason = "a key of a JSON object that is not there is made")]

use crate::random::Random;
use serde_json::{Value, json};

const TEAMS: [&str; 3] = ["red", "green", "blue"];
const APPS: [&str; 4] = ["web", "api", "db", "job"];
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
const NAMES: [&str; 3] = ["http", "grpc", "metrics"];

#[expect(clippy::expect_used, reason = "the lists are the ones above, and none is empty")]
fn pick<'a, T>(random: &mut Random, from: &'a [T]) -> &'a T {
    random.one_of(from).expect("there is one")
}

/// Namespaces, nodes, pods and policies as Kubernetes writes them. The same seed gives the same objects.
pub fn cluster(seed: u64) -> Vec<Value> {
    let mut random = Random::new(seed);
    let mut out = Vec::new();
    let namespaces: Vec<String> = (0..2 + random.below(3)).map(|at| format!("ns{at}")).collect();
    for name in &namespaces {
        let mut labels = json!({"kubernetes.io/metadata.name": name});
        if random.once_in(2) {
            labels["team"] = (*pick(&mut random, &TEAMS)).into();
        }
        out.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}));
    }
    for at in 0..2 {
        let zone = if at == 0 { "a" } else { "b" };
        let mut addresses = vec![json!({"type": "InternalIP", "address": format!("10.1.0.{}", at + 4)})];
        addresses.push(json!({"type": "InternalIP", "address": format!("fd01::{}", at + 4)}));
        out.push(json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": format!("n{at}"), "labels": {"zone": zone, "kubernetes.io/hostname": format!("n{at}")}},
            "status": {"addresses": addresses}}));
    }
    for at in 0..4 + random.below(8) {
        out.push(pod(&mut random, at, &namespaces));
    }
    for at in 0..1 + random.below(6) {
        out.push(network_policy(&mut random, at, &namespaces));
    }
    for at in 0..random.below(4) {
        out.push(cluster_policy(&mut random, at));
    }
    for at in 0..random.below(2) {
        out.push(admin_policy(&mut random, at));
    }
    if random.once_in(3) {
        out.push(baseline_policy(&mut random));
    }
    out
}

fn pod(random: &mut Random, at: u64, namespaces: &[String]) -> Value {
    let namespace = pick(random, namespaces).clone();
    let host = random.once_in(8);
    let node = random.below(2);
    let mut labels = json!({"app": pick(random, &APPS)});
    if random.once_in(2) {
        labels["tier"] = (*pick(random, &["front", "back"])).into();
    }
    let ports: Vec<Value> = (0..random.below(3))
        .map(|at| {
            let name = NAMES.get(usize::try_from(at).unwrap_or(0)).copied().unwrap_or("http");
            json!({"name": name, "containerPort": 80 + random.below(3), "protocol": pick(random, &PROTOCOLS)})
        })
        .collect();
    // Pods lie on both sides of the borders that prefixes of policies have.
    let address = if host { format!("10.1.0.{}", node + 4) } else { format!("10.2.{}.{}", random.below(2), at + 10) };
    let mut ips = vec![json!({"ip": address})];
    if !host && random.once_in(2) {
        ips.push(json!({"ip": format!("fd02::{}:{}", random.below(2), at + 10)}));
    }
    let phase = if random.once_in(12) { "Succeeded" } else { "Running" };
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("p{at}"), "namespace": namespace, "labels": labels},
        "spec": {"nodeName": format!("n{node}"), "hostNetwork": host, "containers": [{"name": "c", "ports": ports}]},
        "status": {"phase": phase, "podIP": address, "podIPs": ips}})
}

fn selector(random: &mut Random, keys: &[(&str, &[&str])]) -> Value {
    if random.once_in(4) {
        return json!({});
    }
    let (key, values) = *pick(random, keys);
    match random.below(5) {
        0 => json!({"matchLabels": {key: pick(random, values)}}),
        1 => json!({"matchExpressions": [{"key": key, "operator": "In", "values": some(random, values)}]}),
        2 => json!({"matchExpressions": [{"key": key, "operator": "NotIn", "values": some(random, values)}]}),
        3 => json!({"matchExpressions": [{"key": key, "operator": "Exists"}]}),
        _ => json!({"matchExpressions": [{"key": key, "operator": "DoesNotExist"}]}),
    }
}

fn some(random: &mut Random, values: &[&str]) -> Vec<String> {
    let mut out: Vec<String> = values.iter().filter(|_| random.once_in(2)).map(|value| (*value).to_owned()).collect();
    if out.is_empty() {
        out.push((*pick(random, values)).to_owned());
    }
    out
}

const POD_KEYS: &[(&str, &[&str])] = &[("app", &APPS), ("tier", &["front", "back"]), ("absent", &["x"])];
const NAMESPACE_KEYS: &[(&str, &[&str])] =
    &[("team", &TEAMS), ("kubernetes.io/metadata.name", &["ns0", "ns1", "ns2"]), ("absent", &["x"])];
const NODE_KEYS: &[(&str, &[&str])] = &[("zone", &["a", "b"]), ("absent", &["x"])];

fn block(random: &mut Random) -> Value {
    match random.below(8) {
        0 => json!({"cidr": "0.0.0.0/0"}),
        1 => json!({"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}),
        2 => json!({"cidr": "10.2.0.0/16", "except": ["10.2.1.0/24"]}),
        3 => json!({"cidr": "10.2.0.0/16", "except": ["10.2.0.0/24", "10.2.1.12/31"]}),
        4 => json!({"cidr": "10.1.0.0/24"}),
        5 => json!({"cidr": format!("10.2.0.{}/32", 10 + random.below(8))}),
        6 => json!({"cidr": "fd02::/64", "except": ["fd02::1:0/112"]}),
        _ => json!({"cidr": "198.51.100.7/24"}),
    }
}

fn network_policy(random: &mut Random, at: u64, namespaces: &[String]) -> Value {
    let mut spec = json!({});
    if !random.once_in(8) {
        spec["podSelector"] = selector(random, POD_KEYS);
    }
    for (direction, ends) in [("ingress", "from"), ("egress", "to")] {
        if random.once_in(3) {
            continue;
        }
        let rules: Vec<Value> = (0..random.below(3)).map(|_| network_rule(random, ends)).collect();
        spec[direction] = rules.into();
    }
    if !random.once_in(3) {
        spec["policyTypes"] = match random.below(3) {
            0 => json!(["Ingress"]),
            1 => json!(["Egress"]),
            _ => json!(["Ingress", "Egress"]),
        };
    }
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": format!("np{at}"), "namespace": pick(random, namespaces)}, "spec": spec})
}

fn network_rule(random: &mut Random, ends: &str) -> Value {
    let mut rule = json!({});
    if !random.once_in(4) {
        let peers: Vec<Value> = (0..random.below(3))
            .map(|_| match random.below(4) {
                0 => json!({"podSelector": selector(random, POD_KEYS)}),
                1 => json!({"namespaceSelector": selector(random, NAMESPACE_KEYS)}),
                2 => json!({"namespaceSelector": selector(random, NAMESPACE_KEYS), "podSelector": selector(random, POD_KEYS)}),
                _ => json!({"ipBlock": block(random)}),
            })
            .collect();
        rule[ends] = peers.into();
    }
    if !random.once_in(3) {
        let ports: Vec<Value> = (0..random.below(3))
            .map(|_| {
                let mut port = json!({});
                if !random.once_in(3) {
                    port["protocol"] = (*pick(random, &PROTOCOLS)).into();
                }
                match random.below(4) {
                    0 => {}
                    1 => port["port"] = (*pick(random, &NAMES)).into(),
                    2 => port["port"] = (80 + random.below(3)).into(),
                    _ => {
                        let first = 79 + random.below(3);
                        port["port"] = first.into();
                        port["endPort"] = (first + random.below(3)).into();
                    }
                }
                port
            })
            .collect();
        rule["ports"] = ports.into();
    }
    rule
}

fn pods_or_namespaces(random: &mut Random) -> Value {
    if random.once_in(2) {
        json!({"namespaces": selector(random, NAMESPACE_KEYS)})
    } else {
        json!({"pods": {"namespaceSelector": selector(random, NAMESPACE_KEYS), "podSelector": selector(random, POD_KEYS)}})
    }
}

fn tier_rules(random: &mut Random, ends: &str, actions: &[&str], cluster: bool) -> Vec<Value> {
    (0..random.below(4))
        .map(|_| {
            let mut outside = false;
            let peers: Vec<Value> = (0..1 + random.below(2))
                .map(|_| match random.below(if ends == "to" { 4 } else { 2 }) {
                    0 | 1 => pods_or_namespaces(random),
                    2 => {
                        outside = true;
                        json!({"networks": [pick(random, &["0.0.0.0/0", "10.2.0.0/24", "198.51.100.0/24", "fd02::/64"])]})
                    }
                    _ => {
                        outside = true;
                        json!({"nodes": selector(random, NODE_KEYS)})
                    }
                })
                .collect();
            let mut rule = json!({"action": pick(random, actions), ends: peers});
            if random.once_in(2) {
                let number = 80 + random.below(3);
                let protocol = *pick(random, &PROTOCOLS);
                let word = protocol.to_ascii_lowercase();
                let named = !outside && random.once_in(3);
                let (key, port) = match (cluster, named, random.below(3)) {
                    (true, true, _) => ("protocols", json!({"destinationNamedPort": pick(random, &NAMES)})),
                    (true, _, 0) => ("protocols", json!({word: {}})),
                    (true, _, 1) => ("protocols", json!({word: {"destinationPort": {"number": number}}})),
                    (true, ..) => {
                        ("protocols", json!({word: {"destinationPort": {"range": {"start": 80, "end": number + 1}}}}))
                    }
                    (false, true, _) => ("ports", json!({"namedPort": pick(random, &NAMES)})),
                    (false, _, 0) => ("ports", json!({"portNumber": {"protocol": protocol, "port": number}})),
                    (false, ..) => ("ports", json!({"portRange": {"protocol": protocol, "start": 80, "end": number}})),
                };
                rule[key] = json!([port]);
            }
            rule
        })
        .collect()
}

fn cluster_policy(random: &mut Random, at: u64) -> Value {
    let actions = ["Accept", "Deny", "Pass"];
    json!({"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy",
        "metadata": {"name": format!("cnp{at}")},
        "spec": {"tier": pick(random, &["Admin", "Baseline"]), "priority": 1 + at * 10, "subject": pods_or_namespaces(random),
            "ingress": tier_rules(random, "from", &actions, true), "egress": tier_rules(random, "to", &actions, true)}})
}

fn admin_policy(random: &mut Random, at: u64) -> Value {
    let actions = ["Allow", "Deny", "Pass"];
    json!({"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy",
        "metadata": {"name": format!("anp{at}")},
        "spec": {"priority": 5 + at * 10, "subject": pods_or_namespaces(random),
            "ingress": tier_rules(random, "from", &actions, false), "egress": tier_rules(random, "to", &actions, false)}})
}

fn baseline_policy(random: &mut Random) -> Value {
    let actions = ["Allow", "Deny"];
    json!({"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "BaselineAdminNetworkPolicy",
        "metadata": {"name": "default"},
        "spec": {"subject": pods_or_namespaces(random),
            "ingress": tier_rules(random, "from", &actions, false), "egress": tier_rules(random, "to", &actions, false)}})
}
