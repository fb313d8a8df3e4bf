//! Two masquerade configurations, as people and pipelines compare them.

use crate::support::{Run, run, run_in, write};

const OLD: &str = "nonMasqueradeCIDRs: [10.0.0.0/16, 192.168.0.0/16]\nmasqLinkLocal: false\n";
const NEW: &str =
    "nonMasqueradeCIDRs: [10.0.0.0/16, 10.10.0.0/16, 192.168.0.0/17, 192.168.0.0/24]\nmasqLinkLocal: true\n";
const MAP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: azure-ip-masq-agent-config, namespace: kube-system}
data:
  ip-masq-agent: |
    nonMasqueradeCIDRs: [10.0.0.0/16, 192.168.0.0/16]
    masqLinkLocal: false
";
const DESIGN: &str = "\
causeway: 1
name: shop
networks:
  spoke:
    prefixes: [10.0.0.0/16, 192.168.0.0/16]
    subnets:
      nodes: {prefix: 10.0.0.0/24}
      pods: {prefix: 192.168.0.0/20}
  hub: {prefixes: [10.10.0.0/16]}
hosts: {sql: {ip: 10.10.4.20, network: hub}}
";

/// Compares two files of a folder in which everything above lies.
fn masq_diff(args: &[&str], stdin: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let put = |name: &str, text: &str| write(&at(name), text);
    put("old.yaml", OLD);
    put("new.yaml", NEW);
    put("map.yaml", MAP);
    put("design.yaml", DESIGN);
    put("bad.yaml", "nonMasqueradeCIDRs: [10.0.0.1/8]\n");
    put("six.yaml", "nonMasqueradeCIDRs: [10.0.0.0/16, 192.168.0.0/16, 'fd00::/8']\n");
    put("directory/ip-masq-one", "nonMasqueradeCIDRs: [10.0.0.0/16]\n");
    put("directory/ip-masq-two.yaml", "nonMasqueradeCIDRs: [192.168.0.0/16]\n");
    put("directory/other", "nonMasqueradeCIDRs: [0.0.0.0/0]\n");
    let many: Vec<String> = (0..100).map(|n| format!("10.{n}.0.0/16")).collect();
    put("many.yaml", &format!("nonMasqueradeCIDRs: [{}]\n", many.join(", ")));
    write(&at("empty/.keep"), "");
    let args: Vec<&str> = ["masq-diff"].iter().chain(args).copied().collect();
    run_in(folder.path(), &args, stdin)
}

#[test]
fn what_people_see() {
    insta::assert_snapshot!(
        "masq_diff_human",
        masq_diff(&["old.yaml", "new.yaml", "--design", "design.yaml"], "").seen()
    );
    insta::assert_snapshot!("masq_diff_refused", masq_diff(&["old.yaml", "bad.yaml"], "").seen());
    insta::assert_snapshot!("masq_diff_defaults", masq_diff(&["old.yaml", "empty"], "").seen());
}

#[test]
fn what_programs_read() {
    let args = ["old.yaml", "new.yaml", "--design", "design.yaml", "--format", "json"];
    insta::assert_snapshot!("masq_diff_json", masq_diff(&args, "").seen());
}

#[test]
fn the_same_configuration_in_every_form() {
    for new in ["old.yaml", "map.yaml", "directory", "-"] {
        let run = masq_diff(&["old.yaml", new, "--deny-change"], MAP);
        let seen = (run.code, run.stdout.as_str(), run.stderr.as_str());
        assert_eq!(seen, (0, "No destination sees another address.\n", ""), "{new}");
    }
    let design = run(&["masq-diff", "examples/private-pods", "examples/private-pods", "--deny-change"]);
    assert_eq!((design.code, design.stderr.as_str()), (0, ""), "{}", design.stdout);
}

#[test]
fn exit_codes() {
    for (args, code) in [
        (&["old.yaml", "new.yaml"] as &[&str], 0),
        (&["old.yaml", "new.yaml", "--deny-change"], 1),
        (&["old.yaml", "bad.yaml"], 1),
        (&["bad.yaml", "old.yaml"], 0),
        (&["bad.yaml", "old.yaml", "--deny-change"], 1),
        (&["old.yaml", "bad.yaml", "--agent", "cilium"], 0),
        (&["old.yaml", "six.yaml"], 1),
        (&["old.yaml", "six.yaml", "--enable-ipv6"], 0),
        (&["old.yaml", "many.yaml"], 1),
        (&["old.yaml", "many.yaml", "--max-cidrs", "100"], 0),
        (&["old.yaml", "missing.yaml"], 2),
        (&["old.yaml", "design.yaml"], 2),
        (&["old.yaml", "new.yaml", "--design", "missing.yaml"], 2),
        (&["-", "-"], 2),
        (&["old.yaml", "new.yaml", "--format", "sarif"], 2),
    ] {
        let run = masq_diff(args, "");
        assert_eq!(run.code, code, "{args:?}\n{}{}", run.stdout, run.stderr);
    }
}

#[test]
fn what_can_not_be_read_is_said_in_json_too() {
    let run = masq_diff(&["missing.yaml", "design.yaml", "--format", "json"], "");
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("missing.yaml") && run.stderr.contains("holds no masquerade configuration"),
        "{}",
        run.stderr
    );
    let missing = masq_diff(&["missing.yaml", "old.yaml", "--format", "json"], "");
    assert_eq!(missing.json()["errors"].as_array().unwrap().len(), 1);
}

#[test]
fn answers_go_to_files() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a"), OLD);
    write(&folder.path().join("b"), NEW);
    let run = run_in(folder.path(), &["masq-diff", "a", "b", "--format", "json=out.json", "--format", "human"], "");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(crate::support::read(&folder.path().join("out.json")).starts_with('{'));
    assert!(run.stdout.starts_with("Translated from now on"), "{}", run.stdout);
}
