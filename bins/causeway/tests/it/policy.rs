//! `causeway policy`, as people type it.

use crate::support::{Run, root, run_in, write};
use serde_json::json;

const SHOP: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: shop}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  ingressClassName: nginx
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 5432}]
    - from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]
      ports: [{port: 5432}]
"#;

fn policy(args: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("shop.yaml"), SHOP);
    write(&folder.path().join("open.yaml"), SHOP.split("---\n").take(5).collect::<Vec<_>>().join("---\n").as_str());
    run_in(folder.path(), &[&["policy"], args].concat(), "")
}

#[test]
fn explain_names_the_policy_the_rule_and_the_line() {
    let run =
        policy(&["explain", "shop.yaml", "--from", "pod/shop/web", "--to", "pod/shop/db:5432", "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let answer = run.json();
    assert_eq!(answer["verdict"], "allowed");
    let decided = &answer["decidedBy"];
    assert_eq!(decided["owner"], "networkpolicy");
    assert_eq!(decided["object"], "NetworkPolicy/shop/db");
    assert_eq!(decided["rule"], "spec.ingress.0");
    let line = SHOP.lines().position(|line| line.contains("- from: [{podSelector")).unwrap() + 1;
    assert_eq!(decided["source"]["line"], line);
    let tiers = answer["tiers"].as_array().unwrap();
    assert!(tiers.iter().any(|tier| tier["tier"] == "NetworkPolicy" && tier["verdict"] == "allowed"));

    let run = policy(&["explain", "shop.yaml", "--from", "pod/shop/db", "--to", "pod/shop/web:8080"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.starts_with("denied: pod/shop/db to pod/shop/web on tcp/8080"), "{}", run.stdout);
    assert!(run.stdout.contains("decided by NetworkPolicy/shop/db at shop.yaml:"), "{}", run.stdout);
    let wanted = ["--from", "pod/shop/db", "--to", "pod/shop/web", "--port", "8080", "--expect", "denied"];
    assert_eq!(policy(&[&["explain", "shop.yaml"], &wanted[..]].concat()).code, 0);
}

#[test]
fn explain_asks_the_pods_behind_a_service_and_addresses_outside() {
    let run =
        policy(&["explain", "shop.yaml", "--from", "internet", "--to", "service/shop/web:80", "--format", "json"]);
    assert_eq!((run.code, run.json()["flow"]["port"].as_u64()), (0, Some(8080)), "{}", run.stderr);
    for (from, verdict) in [("10.9.0.1", "allowed"), ("10.1.0.1", "denied"), ("203.0.113.1", "denied")] {
        let args = ["explain", "shop.yaml", "--from", from, "--to", "pod/shop/db:5432", "--format", "json"];
        assert_eq!(policy(&args).json()["verdict"], verdict, "{from}");
    }
}

#[test]
fn explain_says_what_is_wrong_with_the_question() {
    for (args, message) in [
        (vec!["--from", "pod/shop/wep", "--to", "pod/shop/db:1"], "did you mean `shop/web`?"),
        (vec!["--from", "pod/shop/web", "--to", "service/shop/web:81"], "it has tcp/80"),
        (vec!["--from", "pod/shop/web", "--to", "pod/shop/db"], "the port is missing"),
        (vec!["--from", "service/shop/web", "--to", "pod/shop/db:1"], "a service does not send"),
        (vec!["--from", "pod/shop/web", "--to", "pod/shop/db:http"], "`http` is no port"),
        (vec!["--from", "pod/shop/web", "--to", "pod/shop/db:65536"], "`65536` is no port"),
        (vec!["--from", "pod/shop/web", "--to", "pod/shop/db:0"], "nothing listens on port 0"),
        (vec!["--from", "pod/shop/web", "--to", "pod/shop/db:80", "--port", "81"], "write one of them"),
        (vec!["--from", "somebody", "--to", "pod/shop/db:1"], "is nobody"),
        (vec!["--from", "pod/shop/web", "--to", "pod/shop/db:1", "--engine", "iptables"], "known are strict, npm"),
    ] {
        let run = policy(&[&["explain", "shop.yaml"], &args[..]].concat());
        assert_eq!(run.code, 2, "{args:?}");
        assert!(run.stderr.contains(message), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn a_policy_nobody_evaluates_makes_no_ok() {
    let foreign = "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: l7, namespace: shop}\nspec: {endpointSelector: {}}\n";
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("all.yaml"), format!("{SHOP}{foreign}"));
    let args =
        ["policy", "explain", "all.yaml", "--from", "pod/shop/web", "--to", "pod/shop/db:5432", "--format", "json"];
    let run = run_in(folder.path(), &args, "");
    assert_eq!((run.code, &run.json()["verdict"]), (1, &json!("uncertain")));
    assert!(run.json()["missing"][0].as_str().unwrap().contains("CiliumNetworkPolicy"));
}

#[test]
fn an_address_that_is_not_known_makes_no_ok() {
    let policy_ = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\nspec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}\n";
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("all.yaml"),
        format!("{}{policy_}", SHOP.split("---\n").take(5).collect::<Vec<_>>().join("---\n")),
    );
    let args =
        ["policy", "explain", "all.yaml", "--from", "pod/shop/db", "--to", "pod/shop/web:8080", "--format", "json"];
    let run = run_in(folder.path(), &args, "");
    assert_eq!((run.code, &run.json()["verdict"]), (1, &json!("uncertain")), "{}", run.stdout);
    // On Cilium the address makes no difference: a prefix never matches a pod.
    let run = run_in(folder.path(), &[&args[..], &["--engine", "cilium"]].concat(), "");
    assert_eq!(run.json()["verdict"], "denied");
}

#[test]
fn the_matrix_has_a_row_for_each_sender() {
    let run = policy(&["matrix", "shop.yaml", "--port", "5432", "--format", "json"]);
    let answer = run.json();
    assert_eq!(answer["columns"], json!(["shop/db", "shop/web"]));
    let table = &answer["tables"]["TCP/5432"];
    assert_eq!(table["ingress"], json!({"shop/db": "?.", "shop/web": ".."}), "{}", run.stdout);
    assert_eq!(table["egress"], json!({"shop/db": "XX", "shop/web": ".."}));
    assert_eq!(table["combined"], json!({"shop/db": "XX", "shop/web": ".."}));
    let run = policy(&["matrix", "shop.yaml", "--port", "5432"]);
    assert!(run.stdout.contains("  2  shop/web  .  ."), "{}", run.stdout);
    let run = policy(&["matrix", "shop.yaml", "--port", "5432", "--format", "csv"]);
    assert!(run.stdout.contains("TCP/5432,shop/db,shop/web,denied,allowed,denied\n"), "{}", run.stdout);
    let run = policy(&["matrix", "shop.yaml", "--port", "5432", "--format", "svg"]);
    assert!(run.stdout.starts_with("<svg ") && run.stdout.contains("shop/db to shop/web: denied"));
    // Without a port each port that pods listen on gets a table.
    let run = policy(&["matrix", "shop.yaml", "--format", "json"]);
    let tables: Vec<String> = run.json()["tables"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(tables, ["TCP/5432", "TCP/8080"]);
    assert!(run.stderr.contains("asked about tcp/5432, tcp/8080"), "{}", run.stderr);
}

#[test]
fn the_list_is_short_and_complete() {
    let run = policy(&["list", "shop.yaml"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "0.0.0.0-255.255.255.255[External] => shop/web[Deployment] : All Connections",
            "10.0.0.0-10.0.255.255[External] => shop/db[StatefulSet] : TCP 5432",
            "10.2.0.0-10.255.255.255[External] => shop/db[StatefulSet] : TCP 5432",
            "shop/web[Deployment] => 0.0.0.0-255.255.255.255[External] : All Connections",
            "shop/web[Deployment] => shop/db[StatefulSet] : TCP 5432",
            "{ingress-controller} => shop/web[Deployment] : TCP 8080",
        ],
        "{}",
        run.stderr
    );
    let run = policy(&["list", "shop.yaml", "--format", "json"]);
    assert_eq!(run.json()["connections"].as_array().unwrap().len(), 6);
}

#[test]
fn exposure_names_who_is_not_here() {
    let run = policy(&["exposure", "shop.yaml"]);
    assert!(
        run.stdout.contains("pods with app=web of namespace shop => shop/db[StatefulSet] : TCP 5432"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("any pod of any namespace => shop/web[Deployment] : All Connections"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("No policy for ingress selects\n  shop/web\n"), "{}", run.stdout);
    // It may get an address the prefix matches, or not.
    assert!(
        run.stdout.contains("any pod of any namespace => shop/db[StatefulSet] : not known: TCP 5432"),
        "{}",
        run.stdout
    );
}

#[test]
fn diff_tells_states_and_engines_apart() {
    let run = policy(&["diff", "open.yaml", "shop.yaml"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("- shop/db[StatefulSet] => shop/web[Deployment] : All Connections"), "{}", run.stdout);
    assert_eq!(policy(&["diff", "open.yaml", "shop.yaml", "--deny-change"]).code, 1);
    assert_eq!(policy(&["diff", "shop.yaml", "shop.yaml", "--deny-change"]).code, 0);
    let run = policy(&["diff", "shop.yaml", "--engines", "strict,cilium", "--format", "json"]);
    let answer = run.json();
    assert_eq!((&answer["oldEngine"], &answer["newEngine"]), (&json!("strict"), &json!("cilium")));
    assert!(answer["enginesDiffer"].to_string().contains("never matches pods or nodes"));
    assert_eq!(policy(&["diff", "shop.yaml"]).code, 2);
}

/// The lists of public samples, where they lie beside the checkout.
#[test]
#[expect(clippy::disallowed_methods, reason = "tests read the folders they test")]
fn samples_beside_the_checkout_come_out_as_they_say() {
    let samples = root().join("../shared/samples/kubernetes");
    if !samples.exists() {
        eprintln!("NOT PROVED HERE: {} is not there, so its lists were not compared", samples.display());
        return;
    }
    for name in ["onlineboutique_workloads", "acs-security-demos"] {
        let folder = samples.join(name);
        let expected = crate::support::read(&folder.join("EXPECTED.connlist.txt"));
        let run = run_in(&folder, &["policy", "list", "."], "");
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&run.stdout), sorted(&expected), "{name}: {}", run.stderr);
    }
}

#[test]
fn the_internet_is_no_single_address() {
    for (block, code, verdict) in [
        ("{cidr: 203.0.113.0/24}", 1, "uncertain"),
        ("{cidr: 0.0.0.0/0, except: [203.0.113.0/24]}", 1, "uncertain"),
        ("{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}", 0, "allowed"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let more = format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: out, namespace: shop}}\nspec:\n  podSelector: {{matchLabels: {{app: web}}}}\n  ingress: [{{from: [{{ipBlock: {block}}}]}}]\n"
        );
        write(&folder.path().join("all.yaml"), format!("{SHOP}{more}"));
        let args =
            ["policy", "explain", "all.yaml", "--from", "internet", "--to", "pod/shop/web:8080", "--format", "json"];
        let run = run_in(folder.path(), &args, "");
        assert_eq!((run.code, &run.json()["verdict"]), (code, &json!(verdict)), "{block}: {}", run.stdout);
    }
}

#[test]
fn an_address_of_a_service_is_the_service() {
    let shop =
        SHOP.replace("spec: {selector: {app: web}, ports", "spec: {clusterIP: 10.0.0.10, selector: {app: web}, ports");
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("all.yaml"), &shop);
    for (to, wanted) in [("10.0.0.10:80", "pod/shop/web"), ("10.0.0.11:80", "10.0.0.11")] {
        let args = ["policy", "explain", "all.yaml", "--from", "10.9.9.9", "--to", to, "--format", "json"];
        let run = run_in(folder.path(), &args, "");
        assert_eq!(run.json()["flow"]["to"], wanted, "{}", run.stderr);
    }
}

#[test]
fn a_family_is_not_ignored() {
    for command in ["list", "exposure"] {
        let run = policy(&[command, "shop.yaml", "--family", "ipv6"]);
        assert_eq!((run.code, run.stderr.contains("`--family` is for")), (2, true), "{command}: {}", run.stderr);
        assert_eq!(policy(&[command, "shop.yaml"]).code, 0, "{command}");
    }
    assert_eq!(policy(&["diff", "shop.yaml", "open.yaml", "--family", "ipv6"]).code, 2);
}
