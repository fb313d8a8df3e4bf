//! Public conformance cases, where they lie beside the checkout: `../shared/samples/conformance`.

use crate::support::{design, index, namespace};
use causeway_model::design::Protocol;
use causeway_model::policy::Direction;
use causeway_policy::{End, Engine, Flow, Matrix, Verdict};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// The unpacked text of a file of cases; `None`, and said, where they are not there.
fn cases(name: &str) -> Option<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let beside = std::env::var_os("CAUSEWAY_SAMPLES").map(PathBuf::from);
    let path = beside.unwrap_or_else(|| root.join("../shared/samples")).join("conformance").join(name);
    if !path.exists() {
        // Not by a macro: what those say of a test that passes nobody sees.
        let words = format!("\nNOT PROVED HERE: {} is not there, so its cases were not compared\n", path.display());
        std::io::Write::write_all(&mut std::io::stderr(), words.as_bytes()).unwrap();
        return None;
    }
    let output = Command::new("gzip").arg("-dc").arg(&path).output().expect("gzip is there");
    assert!(output.status.success(), "{} can't be unpacked", path.display());
    Some(String::from_utf8(output.stdout).unwrap())
}

fn protocol(word: &str) -> Protocol {
    Protocol::parse(word).unwrap()
}

/// Every pod of these cases serves 80 and 81 on every protocol, under names like `serve-80-tcp`.
fn serving(pod: &Value) -> Value {
    let ports: Vec<Value> = ["TCP", "UDP", "SCTP"]
        .iter()
        .flat_map(|protocol| [80, 81].map(|port| (port, *protocol)))
        .map(|(port, protocol)| {
            let name = format!("serve-{port}-{}", protocol.to_lowercase());
            json!({"containerPort": port, "protocol": protocol, "name": name})
        })
        .collect();
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": pod["name"], "namespace": pod["namespace"], "labels": pod["labels"]},
        "spec": {"containers": [{"name": "c", "ports": ports}]},
        "status": {"phase": "Running", "podIP": pod["ip"], "podIPs": [{"ip": pod["ip"]}]}})
}

/// Some cases leave out what every one of their policies is.
fn network_policy(policy: &Value) -> Value {
    let mut policy = policy.clone();
    policy["apiVersion"] = "networking.k8s.io/v1".into();
    policy["kind"] = "NetworkPolicy".into();
    policy
}

fn objects(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().unwrap().iter()
}

#[test]
fn network_policy_truth_tables() {
    let Some(text) = cases("cyclonus-230-cases.jsonl.gz") else { return };
    let (mut compared, mut wrong) = (0_usize, Vec::new());
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        for (step, at) in case["steps"].as_array().unwrap().iter().zip(1..) {
            let mut all: Vec<Value> =
                objects(&step["namespaces"]).map(|(name, labels)| namespace(name, labels)).collect();
            all.extend(step["pods"].as_array().unwrap().iter().map(serving));
            all.extend(step["policies"].as_array().unwrap().iter().map(network_policy));
            let design = design(all);
            let index = index(&design, Engine::Strict);
            let columns: Vec<&str> = step["columns"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let ends: Vec<End> = columns
                .iter()
                .map(|column| {
                    let (namespace, name) = column.split_once('/').unwrap();
                    End::Pod(namespace.to_owned(), name.to_owned())
                })
                .collect();
            for (port, tables) in objects(&step["tables"]) {
                let (word, number) = port.split_once('/').unwrap();
                let matrix = Matrix::of(&index, &ends, protocol(word), number.parse().unwrap(), None);
                assert_eq!(matrix.len(), ends.len());
                for (table, rows) in objects(tables) {
                    for (from, row) in objects(rows) {
                        let from = columns.iter().position(|column| column == from).unwrap();
                        for (to, expected) in row.as_str().unwrap().chars().enumerate() {
                            let got = match table.as_str() {
                                "ingress" => matrix.one_way(from, to, Direction::Ingress),
                                "egress" => matrix.one_way(from, to, Direction::Egress),
                                _ => matrix.verdict(from, to),
                            };
                            compared += usize::from(table == "combined");
                            if got.symbol() != expected {
                                wrong.push(format!(
                                    "case {} step {at} {port} {table}: {} to {} is {expected}, not {}",
                                    case["id"],
                                    columns[from],
                                    columns[to],
                                    got.symbol()
                                ));
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    assert_eq!(compared, 123_669, "all verdicts were compared");
}

fn running(pod: &Value) -> Value {
    let ports: Vec<Value> = pod["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| {
            let mut port = port.clone();
            port["containerPort"] = port["port"].take();
            port
        })
        .collect();
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": pod["name"], "namespace": pod["namespace"], "labels": pod["labels"]},
        "spec": {"nodeName": pod["node"], "hostNetwork": pod["hostNetwork"], "containers": [{"name": "c", "ports": ports}]},
        "status": {"phase": "Running", "podIP": pod["ip"], "podIPs": [{"ip": pod["ip"]}]}})
}

fn node(name: &str, node: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": node["labels"]},
        "status": {"addresses": [{"type": "InternalIP", "address": node["ip"]}]}})
}

fn end(name: &Value) -> End {
    let (namespace, name) = name.as_str().unwrap().split_once('/').unwrap();
    End::Pod(namespace.to_owned(), name.to_owned())
}

#[test]
fn cluster_network_policy_probes() {
    let Some(text) = cases("clusternetworkpolicy-v1alpha2-301-probes.json.gz") else { return };
    let tests: Value = serde_json::from_str(&text).unwrap();
    let (mut compared, mut wrong) = (0_usize, Vec::new());
    for test in tests.as_array().unwrap() {
        for subtest in test["subtests"].as_array().unwrap() {
            let mut policies = Vec::new();
            for step in subtest["steps"].as_array().unwrap() {
                if let Some(list) = step["policies"].as_array() {
                    policies.clone_from(list);
                }
                let mut all: Vec<Value> =
                    objects(&step["namespaces"]).map(|(name, labels)| namespace(name, labels)).collect();
                all.extend(objects(&test["nodes"]).map(|(name, value)| node(name, value)));
                all.extend(test["pods"].as_array().unwrap().iter().map(running));
                all.extend(policies.iter().cloned());
                let design = design(all);
                let index = index(&design, Engine::Strict);
                let probe = &step["probe"];
                let flow = Flow {
                    from: end(&probe["fr"]),
                    to: end(&probe["to"]),
                    protocol: protocol(probe["protocol"].as_str().unwrap()),
                    port: u16::try_from(probe["port"].as_u64().unwrap()).unwrap(),
                    family: None,
                };
                let expected = if step["expected"].as_bool().unwrap() { Verdict::Allowed } else { Verdict::Denied };
                let explained = index.explain(&flow).expect("both ends are there");
                let got = index.verdict(&flow).expect("both ends are there");
                assert_eq!(explained.verdict(), got, "{}: {flow:?}: {explained:#?}", subtest["name"]);
                compared += 1;
                if got != expected {
                    wrong.push(format!(
                        "{} / {}: {flow:?}: {got}, not {expected}: {explained:#?}",
                        test["test"], subtest["name"]
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
    assert_eq!(compared, 301, "all probes were compared");
}
