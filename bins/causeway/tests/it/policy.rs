//! `causeway policy`, as people type it.

use crate::support::{Run, root, run_in, write};
use serde_json::json;
use std::path::Path;

mod ends;

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

/// Whether the list of a folder is the one that lies in it.
fn lists_as_expected(folder: &Path) {
    let expected = crate::support::read(&folder.join("EXPECTED.connlist.txt"));
    let run = run_in(folder, &["policy", "list", "."], "");
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert!(!expected.trim().is_empty(), "{}", folder.display());
    assert_eq!(sorted(&run.stdout), sorted(&expected), "{}: {}", folder.display(), run.stderr);
}

#[test]
fn folders_of_our_own_come_out_as_they_say() {
    lists_as_expected(&root().join("bins/causeway/tests/it/connlists/bookshop"));
}

/// The lists of public samples, where they lie beside the checkout.
#[test]
#[expect(clippy::disallowed_methods, reason = "tests read the folders they test")]
fn samples_beside_the_checkout_come_out_as_they_say() {
    let samples = root().join("../shared/samples/kubernetes");
    if !samples.exists() {
        // Not by a macro: what those say of a test that passes nobody sees.
        let words = format!("\nNOT PROVED HERE: {} is not there, so its lists were not compared\n", samples.display());
        std::io::Write::write_all(&mut std::io::stderr(), words.as_bytes()).unwrap();
        return;
    }
    for name in ["onlineboutique_workloads", "acs-security-demos"] {
        lists_as_expected(&samples.join(name));
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

/// Two pods with both families and one with IPv4 alone; `db` lets IPv4 in.
const DUAL: &str = r#"
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c}]},
 status: {phase: Running, podIPs: [{ip: 10.2.0.1}, {ip: "fd00::1"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {containers: [{name: c}]},
 status: {phase: Running, podIPs: [{ip: 10.2.0.2}, {ip: "fd00::2"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: old, namespace: shop, labels: {app: old}}, spec: {containers: [{name: c}]},
 status: {phase: Running, podIPs: [{ip: 10.2.0.3}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: shop},
 spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 10.2.0.0/16}}]}]}}
"#;

#[test]
fn every_family_both_ends_have_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("dual.yaml"), DUAL);
    let both = DUAL.replace("cidr: 10.2.0.0/16}}]", "cidr: 10.2.0.0/16}}, {ipBlock: {cidr: 'fd00::/64'}}]");
    write(&folder.path().join("both.yaml"), both);
    let run = |args: &[&str]| {
        let run = run_in(folder.path(), &[&["policy"], args].concat(), "");
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        run
    };
    let text = |args: &[&str]| run(args).stdout;
    let list = text(&["list", "dual.yaml"]);
    assert!(list.contains("shop/web => shop/db : All Connections over ipv4\n"), "{list}");
    assert!(list.contains("shop/old => shop/db : All Connections\n"), "{list}");
    assert!(list.contains("shop/web => shop/old : All Connections\n"), "{list}");
    assert!(list.contains("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff[External] => shop/web : All"), "{list}");
    let six = text(&["list", "dual.yaml", "--family", "ipv6"]);
    assert!(!six.contains("=> shop/db") && six.contains("shop/db => shop/web : All Connections\n"), "{six}");
    assert!(six.contains("without an ipv6 address, and left out: shop/old\n"), "{six}");
    let list = run(&["list", "dual.yaml", "--format", "json", "--family", "ipv6"]).json();
    assert_eq!((&list["family"], &list["leftOut"]), (&json!("ipv6"), &json!(["shop/old"])));

    let matrix = text(&["matrix", "dual.yaml", "--port", "80"]);
    assert!(matrix.contains("  3  shop/web  4  .  .\n") && matrix.contains("4 allowed over ipv4 only"), "{matrix}");
    assert!(matrix.contains("  2  shop/old  .  .  .\n"), "{matrix}");
    let matrix = run(&["matrix", "dual.yaml", "--port", "80", "--family", "ipv6", "--format", "json"]).json();
    assert_eq!(matrix["columns"], json!(["shop/db", "shop/web"]));
    assert_eq!(matrix["tables"]["TCP/80"]["combined"]["shop/web"], "X.");
    let csv = text(&["matrix", "dual.yaml", "--port", "80", "--format", "csv"]);
    assert!(csv.contains("TCP/80,shop/web,shop/db,allowed,ipv4 only,ipv4 only\n"), "{csv}");

    let diff = text(&["diff", "dual.yaml", "both.yaml"]);
    assert!(diff.contains("+ shop/web => shop/db : All Connections over ipv6\n"), "{diff}");
    let diff = text(&["diff", "dual.yaml", "both.yaml", "--family", "ipv4"]);
    assert!(diff.contains("nothing changes"), "{diff}");
    let diff = text(&["diff", "dual.yaml", "both.yaml", "--family", "ipv6"]);
    assert!(diff.contains("+ shop/web => shop/db : All Connections\n"), "{diff}");
    let exposure = text(&["exposure", "dual.yaml", "--family", "ipv6"]);
    assert!(!exposure.contains("0.0.0.0") && exposure.contains("=> shop/web : All Connections"), "{exposure}");
    assert!(!exposure.contains("=> shop/old"), "{exposure}");
}

#[test]
fn members_of_each_end_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let more = DUAL.replace("name: old,", "name: web2,").replace("app: old", "app: web");
    write(&folder.path().join("all.yaml"), more.replace("10.2.0.0/16", "10.0.0.0/8"));
    let run = run_in(folder.path(), &["policy", "list", "all.yaml", "--family", "ipv4", "--format", "json"], "");
    let answer = run.json();
    let of = |from: &str, to: &str| {
        let all = answer["connections"].as_array().unwrap().iter();
        all.clone().find(|one| one["from"] == from && one["to"] == to).unwrap_or_else(|| panic!("{answer:#}")).clone()
    };
    let both = json!(["shop/web", "shop/web2"]);
    let one = of("shop/web* (2 pods)", "shop/db");
    assert_eq!((&one["fromPods"], &one["toPods"], &one["pods"]), (&both, &json!(["shop/db"]), &both));
    let own = of("shop/web* (2 pods)", "shop/web* (2 pods)");
    assert_eq!((&own["fromPods"], &own["toPods"]), (&both, &both));
    let out = of("shop/db", "0.0.0.0-255.255.255.255[External]");
    assert_eq!((&out["fromPods"], &out["toPods"]), (&json!(["shop/db"]), &json!([])));
}

#[test]
fn what_an_api_server_refuses_gets_no_verdict() {
    let np = |name: &str, spec: &str| {
        format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"
        )
    };
    let good = np("p", "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}]}]}");
    let pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop, labels: {app: 'x'}}\nspec: {containers: [{name: c}]}\n";
    for (more, message) in [
        (good.replace("app: web", "app: 80"), "must be text: put it in quotes, not `80`"),
        (good.replace("podSelector: {}", "ipBlock: {cidr: 10.0.0.0}"), "must be a prefix"),
        (good.replace("kind: NetworkPolicy", "kind: Networkpolicy"), "did you mean `NetworkPolicy`"),
        (good.replace("networking.k8s.io/v1", "v1"), "did you mean `NetworkPolicy` of `networking.k8s.io`"),
        (
            format!("{good}{}", good.replace("app: web", "app: db")),
            "NetworkPolicy `shop/p` is given twice, and not the same",
        ),
        (format!("{pod}{}", pod.replace("'x'", "'y'")), "Pod `shop/p` is given twice, and not the same"),
        (
            "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: other}}\n".to_owned(),
            "Namespace `shop` is given twice",
        ),
        (pod.replace("'x'", "true"), "`metadata.labels.app` of Pod `shop/p` must be text"),
        (pod.replace("'x'", "-x"), "must be a label's value"),
        (pod.replace("app:", "a b:"), "is no name of a label"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("all.yaml"), format!("{SHOP}{more}"));
        for command in ["list", "matrix", "exposure"] {
            let run = run_in(folder.path(), &["policy", command, "all.yaml"], "");
            assert_eq!(run.code, 2, "{command}, {more}: {}", run.stdout);
            assert!(run.stderr.contains(message) && run.stderr.contains("all.yaml:"), "{more}: {}", run.stderr);
            assert_eq!(run.stdout, "");
        }
    }
    let image = pod.replace("name: c", "name: c, image: other");
    for more in [
        good.clone(),
        format!("{good}{good}"),
        format!("{pod}{image}"),
        pod.to_owned(),
        good.replace("app: web", "app: '80'"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("all.yaml"), format!("{SHOP}{more}"));
        assert_eq!(run_in(folder.path(), &["policy", "list", "all.yaml"], "").code, 0, "{more}");
    }
}
