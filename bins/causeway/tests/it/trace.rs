//! `causeway trace`, and expectations in `check`.

use crate::support::{TODAY, check_text, read, root, run, run_in};
use serde_json::Value;

const EXAMPLE: &str = "examples/private-pods";
const FROM_POOL: [&str; 2] = ["--from", "pool/prod/user"];

fn trace(args: &[&str]) -> crate::support::Run {
    run(&[&["trace", EXAMPLE], args].concat())
}

fn from_pool(to: &str, more: &[&str]) -> crate::support::Run {
    trace(&[&FROM_POOL, &["--to", to], more].concat())
}

#[test]
fn a_site_sees_the_node_and_answers_it() {
    let run = from_pool("host/erp:443", &["--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let answer = run.json();
    assert_eq!(answer["verdict"], "delivered");
    assert_eq!(answer["snatBy"], "ip-masq-agent");
    assert_eq!(answer["governedBySubnet"], "spoke/nodes");
    assert_eq!(answer["sourceSeen"], answer["sourceLeavingNode"]);
    assert_eq!(answer["sourceSeen"], answer["senderNode"]);
    assert_eq!(answer["dnatTo"], Value::Null);
    assert_eq!(answer["missing"], Value::Array(Vec::new()));
    let masquerade = &answer["forward"][0];
    assert_eq!(masquerade["by"], "ip-masq-agent");
    assert_eq!(masquerade["packet"]["src"], answer["sourceSeen"]);
    assert_eq!(masquerade["packet"]["dport"], 443);
    assert_eq!(masquerade["source"]["file"], "examples/private-pods/design.yaml");
    assert!(!answer["reply"].as_array().unwrap().is_empty());
}

#[test]
fn the_exit_code_is_the_verdict() {
    let to_pods: &[&str] = &["--from", "host/erp", "--to", "pool/prod/user:8080"];
    assert_eq!(trace(to_pods).code, 1, "nobody outside reaches a pod");
    assert_eq!(trace(&[to_pods, &["--expect", "dropped"]].concat()).code, 0);
    assert_eq!(trace(&[to_pods, &["--expect", "delivered,dropped"]].concat()).code, 0);
    assert_eq!(from_pool("internet:443", &["--expect", "dropped"]).code, 1);
    // An address in no network of the design and not on the internet.
    let unsure = from_pool("10.99.0.1:443", &["--format", "json"]);
    assert_eq!((unsure.code, &unsure.json()["verdict"]), (1, &Value::from("uncertain")));
    assert!(!unsure.json()["missing"].as_array().unwrap().is_empty());
    assert_eq!(from_pool("10.99.0.1:443", &["--expect", "uncertain"]).code, 1, "nobody can rely on it");
}

#[test]
fn an_address_nobody_is_known_to_hold_is_assumed_to_be_held_unless_strict() {
    let assumed = from_pool("10.10.4.77:443", &[]);
    assert_eq!(assumed.code, 0, "{}", assumed.stdout);
    let strict = from_pool("10.10.4.77:443", &["--strict", "--format", "json"]);
    assert_ne!(strict.json()["verdict"], "delivered");
    assert_eq!(strict.code, 1);
}

#[test]
fn questions_that_cannot_be_asked_are_wrong_usage() {
    for (args, words) in [
        (&["--from", "pool/prod/usr", "--to", "internet:443"][..], "did you mean `user`"),
        (&["--from", "host/epr", "--to", "internet:443"], "did you mean `erp`"),
        (&["--from", "pool/prod/user", "--to", "host/erp:0"], "from 1 to 65535"),
        (&["--from", "pool/prod/user", "--to", "host/erp:443", "--expect", "fine"], "known are delivered"),
        (&["--from", "pool/prod/user", "--to", "host/erp:443", "--proto", "ipx"], "known are tcp"),
        (&["--from", "pool/prod/user", "--to", "host/erp:443", "--format", "junit"], "does not print junit"),
        (&["--from", "pool/prod/user"], "--to"),
        (&["--matrix", "--from", "pool/prod/user"], "cannot be used with"),
        (&["--matrix", "--format", "svg"], "does not print svg"),
    ] {
        let run = trace(args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.stdout);
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{args:?}");
    }
    let json = trace(&["--from", "host/epr", "--to", "internet:443", "--format", "json"]);
    assert_eq!(json.json()["errors"][0]["help"], "did you mean `erp`?");
}

#[test]
fn an_address_of_ipv6_with_a_port_stands_in_brackets() {
    let design = "\
causeway: 1
networks: {lan: {prefixes: [10.1.0.0/24, 'fd00:1::/64'], subnets: {all: {prefixes: [10.1.0.0/24, 'fd00:1::/64']}}}}
hosts: {one: {ip: 'fd00:1::4', network: lan}, two: {ip: 'fd00:1::5', network: lan, listens: [tcp/443]}}
";
    let ask = |to: &str| run_in(&root(), &["trace", "-", "--from", "host/one", "--to", to, "--format", "json"], design);
    for to in ["[fd00:1::5]:443", "host/two:443", "host/two"] {
        let answer = ask(to).json();
        assert_eq!(answer["verdict"], "delivered", "{to}: {answer}");
        assert_eq!(answer["sent"]["dst"], "fd00:1::5", "{to}");
        assert_eq!(answer["sent"]["dport"], 443, "{to}");
    }
    assert_eq!(ask("[fd00:1::5]443").code, 2);
}

#[test]
fn every_format_prints_the_same_flow() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("{}={}", name, folder.path().join(name).display());
    let (mermaid, svg, sarif, json) = (file("mermaid"), file("svg"), file("sarif"), file("json"));
    let formats = ["--format", "human", "--format", &mermaid, "--format", &svg, "--format", &sarif, "--format", &json];
    let run = trace(&[&["--from", "host/erp", "--to", "pool/prod/user:8080"], &formats[..]].concat());
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stdout.starts_with("dropped: host/erp to pool/prod/user:8080 over tcp\n"), "{}", run.stdout);
    assert!(run.stdout.contains("What would have to change, all of it"), "{}", run.stdout);
    let text = |name: &str| read(&folder.path().join(name));
    assert!(text("mermaid").starts_with("sequenceDiagram\n  participant h0 as host/erp\n"));
    assert!(text("svg").starts_with("<svg xmlns=") && text("svg").ends_with("</svg>\n"));
    let sarif: Value = serde_json::from_str(&text("sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "flow-not-delivered");
    let place = &result["codeFlows"][0]["threadFlows"][0]["locations"][0]["location"]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "examples/private-pods/design.yaml");
    let json: Value = serde_json::from_str(&text("json")).unwrap();
    assert_eq!(json["obstacles"][0]["owner"], json["decidedBy"]["owner"]);
    assert!(!json["obstacles"][0]["fix"].as_str().unwrap().is_empty());
}

#[test]
fn examples_of_the_help_do_what_it_says() {
    let help = run(&["trace", "--help"]);
    let examples: Vec<&str> =
        help.stdout.lines().map(str::trim).filter(|line| line.starts_with("causeway trace examples/")).collect();
    assert!(examples.len() >= 5, "{examples:?}");
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples");
    for line in examples {
        let line = line.replace("examples/", &format!("{}/", example.display()));
        let args: Vec<&str> = line.split_whitespace().skip(1).collect();
        let run = run_in(folder.path(), &args, "");
        assert_eq!(run.code, 0, "{line}: {}{}", run.stdout, run.stderr);
    }
}

#[test]
fn the_matrix_is_a_screen_for_people_and_a_list_for_programs() {
    let run = trace(&["--matrix"]);
    assert!(run.stdout.lines().count() < 40, "{}", run.stdout);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 100 && line.trim_end() == line), "{}", run.stdout);
    for peer in ["VNet spoke", "peered hub", "on-premises corp", "internet", "private endpoint vault"] {
        assert!(run.stdout.contains(peer), "{peer}: {}", run.stdout);
    }
    let answer = trace(&["--matrix", "--format", "json"]).json();
    let cells = answer["matrix"].as_array().unwrap();
    let cell = |pool: &str, peer: &str| {
        cells.iter().find(|cell| cell["pool"] == pool && cell["peer"] == peer).unwrap_or_else(|| panic!("{peer}"))
    };
    for pool in ["system", "user"] {
        assert_eq!(cell(pool, "onPremises")["seenAs"], "node");
        assert_eq!(cell(pool, "internet")["owner"], "nat-gateway");
        assert_eq!(cell(pool, "internet")["sourceSeen"], "203.0.113.10");
        assert_eq!(cell(pool, "privateEndpoint")["seenAs"], "pod");
    }
}

/// The example with expectations behind it.
fn expecting(expectations: &str) -> String {
    let design = read(&root().join(EXAMPLE).join("design.yaml"));
    let design = design.replace("./ip-masq-agent.yaml", "examples/private-pods/ip-masq-agent.yaml");
    let design = design.split("\nexpect:").next().unwrap();
    let expectations: Vec<String> = expectations.lines().map(|line| format!("  {}", line.trim())).collect();
    format!("{design}\nexpect:\n{}\n", expectations.join("\n"))
}

fn expectations(list: &str) -> (i32, Vec<Value>) {
    let run = check_text(&expecting(list));
    let answer = run.json();
    (run.code, answer["expectations"].as_array().unwrap_or_else(|| panic!("{answer}")).clone())
}

#[test]
fn expectations_come_true_or_show_their_flow() {
    let (_, list) = expectations(
        "\
  - {name: erp sees the node, from: pool/prod/user, to: host/erp:443, proto: tcp, verdict: delivered, sourceSeen: node, snatBy: ip-masq-agent, governedBySubnet: spoke/nodes}
  - {name: the VNet sees the pod, from: pool/prod/user, to: 10.0.9.4:443, verdict: delivered, sourceSeen: pod, snatBy: none}
  - {name: a list, from: host/erp, to: pool/prod/user:8080, verdict: [dropped, replyLost], decidedBy: {owner: remote-router, object: networks.corp}}
  - {name: the vault, from: pool/prod/user, to: kv-prod.vault.azure.net:443, resolves: resolvesPrivate}
  - {name: the internet sees the gateway, from: pool/prod/user, to: internet:443, sourceSeen: 203.0.113.10}
",
    );
    for one in &list {
        assert_eq!(
            (&one["passed"], &one["evaluated"], &one["because"]),
            (&true.into(), &true.into(), &"".into()),
            "{one}"
        );
        assert!(one["trace"]["verdict"].is_string(), "{one}");
    }
    assert_eq!(list.len(), 5);
}

#[test]
fn each_expectation_has_its_deny_twin() {
    let (code, list) = expectations(
        "\
  - {name: erp sees the pod, from: pool/prod/user, to: host/erp:443, sourceSeen: pod}
  - {name: nobody translates, from: pool/prod/user, to: host/erp:443, snatBy: none}
  - {name: another subnet, from: pool/prod/user, to: host/erp:443, governedBySubnet: spoke/pods}
  - {name: reached, from: host/erp, to: pool/prod/user:8080, verdict: delivered}
  - {name: nothing is seen of what is dropped, from: host/erp, to: pool/prod/user:8080, sourceSeen: 10.200.1.5}
  - {name: public, from: pool/prod/user, to: kv-prod.vault.azure.net:443, resolves: resolvesPublic}
  - {name: another decides, from: host/erp, to: pool/prod/user:8080, decidedBy: {object: networks.cor}}
  - {name: uncertain is nothing to expect, from: pool/prod/user, to: 10.99.0.1:443, verdict: uncertain}
  - {name: nor to leave out, from: pool/prod/user, to: 10.99.0.1:443, snatBy: ip-masq-agent}
",
    );
    assert_eq!(code, 1);
    for one in &list {
        assert_eq!(one["passed"], false, "{one}");
        assert_eq!(one["evaluated"], true, "{one}");
        assert!(!one["because"].as_str().unwrap().is_empty(), "{one}");
        assert!(one["trace"]["forward"].is_array(), "{one}");
    }
    assert_eq!(list.len(), 9);
    let node = list[0]["trace"]["senderNode"].as_str().unwrap();
    assert_eq!(list[0]["because"], format!("sourceSeen is {node}, not pod"));
}

#[test]
fn expectations_that_fail_print_their_flow_in_every_format() {
    let text = expecting(
        "  - {name: reached, from: host/erp, to: pool/prod/user:8080, verdict: delivered}\n  - {name: kept out, from: host/erp, to: pool/prod/user:8080, verdict: dropped}\n",
    );
    let print = |kind: &str| run_in(&root(), &["check", "-", "--format", kind, "--as-of", TODAY], &text);
    let human = print("human");
    assert_eq!(human.code, 1);
    assert!(human.stdout.contains("failed: reached: verdict is dropped, not delivered"), "{}", human.stdout);
    assert!(human.stdout.contains("    dropped: host/erp to pool/prod/user:8080 over tcp\n"), "{}", human.stdout);
    assert!(human.stdout.contains("fix: have the routers of `corp`"), "{}", human.stdout);
    assert!(!human.stdout.contains("kept out"), "{}", human.stdout);
    assert!(human.stdout.contains("expectations passed: 1 of 2"), "{}", human.stdout);
    let junit = print("junit").stdout;
    let suite = junit.split("<testsuite name=\"expectations\"").nth(1).unwrap();
    assert!(suite.starts_with(" tests=\"2\" failures=\"1\" errors=\"0\""), "{suite}");
    assert!(
        suite.contains("<failure type=\"expectation\" message=\"verdict is dropped, not delivered\">dropped: host/erp"),
        "{suite}"
    );
    let sarif = print("sarif").json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let failed: Vec<&Value> = results.iter().filter(|result| result["ruleId"] == "expectation-failed").collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0]["codeFlows"].is_array(), "{}", failed[0]);
}

/// An overlay whose nodes masquerade everything but 10.0.0.0/8, as the model has it.
const OVERLAY: &str = "\
causeway: 1
networks:
  spoke: {prefixes: [10.0.0.0/16], subnets: {nodes: {prefix: 10.0.0.0/24}, machines: {prefix: 10.0.1.0/24}}}
hosts: {db: {ip: 10.0.1.4, network: spoke, listens: [tcp/5432]}}
clusters:
  prod:
    mode: overlay
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    outbound: {type: loadBalancer}
    pools: {user: {nodes: {count: 1}, subnet: spoke/nodes}}
    nodes: {n1: {ip: 10.0.0.4, pool: user, podCidr: 10.244.0.0/24}}
    pods: [{namespace: shop, name: web, ip: 10.244.0.9, node: n1}]
    masquerade: {agent: ip-masq-agent-v2, files: {ip-masq-agent: 'nonMasqueradeCIDRs: [10.244.0.0/16]'}}
";

/// What `iptables-save` prints on a node on which the machines are exempt, too.
const EXEMPT: &str = "\
*nat
:POSTROUTING ACCEPT [0:0]
:IP-MASQ-AGENT - [0:0]
-A POSTROUTING -m addrtype ! --dst-type LOCAL -j IP-MASQ-AGENT
-A IP-MASQ-AGENT -d 10.0.1.0/24 -j RETURN
-A IP-MASQ-AGENT -j MASQUERADE
COMMIT
";

#[test]
fn what_a_node_printed_takes_the_place_of_what_was_assumed() {
    let folder = tempfile::tempdir().unwrap();
    crate::support::write(&folder.path().join("d.yaml"), OVERLAY);
    crate::support::write(&folder.path().join("exempt.txt"), EXEMPT);
    crate::support::write(&folder.path().join("same.txt"), EXEMPT.replace("10.0.1.0/24", "10.244.0.0/16"));
    let ask = |more: &[&str]| {
        let args = ["trace", "d.yaml", "--from", "pod/shop/web", "--to", "host/db", "--format", "json"];
        run_in(folder.path(), &[&args[..], more].concat(), "")
    };
    let notes = |answer: &Value| answer["notes"].as_array().unwrap().iter().map(Value::to_string).collect::<String>();
    let assumed = ask(&[]);
    assert_eq!((assumed.code, &assumed.json()["sourceSeen"]), (0, &"10.0.0.4".into()), "{}", assumed.stdout);
    let same = ask(&["--observed", "same.txt"]).json();
    assert_eq!((&same["verdict"], &same["snatBy"]), (&"delivered".into(), &"ip-masq-agent".into()), "{same}");
    assert!(notes(&same).contains("is as observed: `same.txt`, chain `IP-MASQ-AGENT`"), "{same}");
    for given in ["exempt.txt", "node/n1=exempt.txt"] {
        let real = ask(&["--observed", given]);
        let answer = real.json();
        assert_eq!((real.code, &answer["verdict"]), (1, &"replyLost".into()), "{answer}");
        assert_eq!(answer["snatBy"], "none", "{answer}");
        assert!(
            notes(&answer).contains("reality and model differ: node/n1 keeps its source (`exempt.txt`"),
            "{answer}"
        );
    }
    for (given, words) in [
        ("node/n2=exempt.txt", "there is no node `n2`"),
        ("gone.txt", "gone.txt"),
        ("d.yaml", "is not what `iptables-save` prints"),
    ] {
        let refused = ask(&["--observed", given]);
        assert_eq!(refused.code, 2, "{given}");
        assert!(refused.stderr.contains(words), "{given}: {}", refused.stderr);
    }
}
