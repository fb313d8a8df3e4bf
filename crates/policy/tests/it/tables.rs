//! Truth tables: every feature of the APIs in both directions, as data in `tables/`.

use crate::support::{design, index};
use causeway_model::design::Protocol;
use causeway_policy::{End, Engine, Flow};
use causeway_read::tree;
use serde_json::{Value, json};

/// One file: objects that every case has, and cases. A case has policies and lines of `FROM TO PROTO/PORT VERDICT`.
fn read(text: &str) -> Value {
    let mut sources = causeway_model::source::Sources::default();
    let file = sources.add("table", text.into());
    tree::parse(text, file, &tree::Limits::default()).unwrap()[0].to_json()
}

fn end(word: &str) -> End {
    if let Some((namespace, name)) = word.split_once('/') {
        return match namespace {
            "node" => End::Node(name.to_owned()),
            _ => End::Pod(namespace.to_owned(), name.to_owned()),
        };
    }
    End::Address(word.parse().unwrap_or_else(|_| panic!("`{word}` is no end")))
}

/// Puts a case's rules in the shape of either direction: `PEERS` becomes `from` or `to`, `RULES` `ingress` or `egress`.
fn in_direction(policies: &Value, egress: bool) -> Value {
    let text = policies.to_string();
    let words = if egress { ["egress", "to", "Egress"] } else { ["ingress", "from", "Ingress"] };
    let text = text.replace("\"RULES\"", &format!("\"{}\"", words[0]));
    let text =
        text.replace("\"PEERS\"", &format!("\"{}\"", words[1])).replace("\"TYPE\"", &format!("\"{}\"", words[2]));
    serde_json::from_str(&text).unwrap()
}

fn run(name: &str, text: &str) -> usize {
    let table = read(text);
    let common = table["objects"].as_array().cloned().unwrap_or_default();
    let (mut compared, mut wrong) = (0, Vec::new());
    for case in table["cases"].as_array().expect("there are cases") {
        let title = case["case"].as_str().expect("a case has a name");
        let both = case["policies"].to_string().contains("RULES");
        for egress in [false, true] {
            if egress && !both {
                continue;
            }
            let policies = in_direction(&case["policies"], egress);
            let all = [common.clone(), policies.as_array().cloned().unwrap_or_default()].concat();
            let design = design(all);
            for engine in Engine::WORDS.map(|(_, engine)| engine) {
                let own = case["verdicts"][engine.as_str()].as_array();
                let Some(lines) = own.or_else(|| case["verdicts"].as_array().filter(|_| engine == Engine::Strict))
                else {
                    continue;
                };
                let index = index(&design, engine);
                for line in lines {
                    let line = line.as_str().expect("a line is text");
                    let words: Vec<&str> = line.split_whitespace().collect();
                    let [one, other, port, expected] = words.as_slice() else { panic!("{name}: {title}: `{line}`") };
                    let (from, to) = if egress && both { (other, one) } else { (one, other) };
                    let (protocol, port) = port.split_once('/').unwrap();
                    let flow = Flow {
                        from: end(from),
                        to: end(to),
                        protocol: Protocol::parse(protocol).unwrap(),
                        port: port.parse().unwrap(),
                        // Tables are about the first family of pods that have both.
                        family: from.contains('/').then_some(causeway_addr::Family::V4).filter(|_| to.contains('/')),
                    };
                    let explained = index.explain(&flow).unwrap_or_else(|| panic!("{name}: {title}: {flow:?}"));
                    compared += 1;
                    let (got, verdict) = (explained.verdict(), index.verdict(&flow));
                    if got.as_str() != *expected || verdict != Some(got) {
                        let side = if egress { "egress" } else { "ingress" };
                        wrong.push(format!("{name}: {title}, {side}, {engine}: {line}, not {got} ({verdict:?})"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    compared
}

#[test]
fn network_policy() {
    assert!(run("network-policy", include_str!("tables/network-policy.yaml")) > 150);
}

#[test]
fn tiers() {
    assert!(run("tiers", include_str!("tables/tiers.yaml")) > 40);
}

#[test]
fn engines() {
    assert!(run("engines", include_str!("tables/engines.yaml")) > 40);
}

#[test]
fn a_table_that_is_wrong_is_found() {
    let text = json!({"objects": [], "cases": [{"case": "x", "policies": [], "verdicts": ["203.0.113.1 203.0.113.2 tcp/80 denied"]}]});
    let found = std::panic::catch_unwind(|| run("wrong", &text.to_string()));
    assert!(found.is_err());
}
