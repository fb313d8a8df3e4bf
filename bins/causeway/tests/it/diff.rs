//! Two designs, as people and pipelines compare them.

use crate::support::{Run, TODAY, root, run, run_in, write};

const OLD: &str = "\
causeway: 1
name: shop
networks:
  spoke:
    prefixes: [10.0.0.0/16, 192.168.0.0/16]
    subnets:
      nodes: {prefix: 10.0.0.0/26, natGateway: egress}
      pods: {prefix: 192.168.0.0/20, natGateway: egress}
  hub: {prefixes: [10.10.0.0/16]}
peerings: [{between: [spoke, hub]}]
natGateways: {egress: {publicIps: [203.0.113.10]}}
hosts: {sql: {ip: 10.10.4.20, network: hub}}
clusters:
  prod:
    mode: podSubnet
    version: '1.34'
    dataplane: azure
    networkPolicy: calico
    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    outbound: {type: userAssignedNATGateway}
    pools: {system: {nodes: 3, maxPods: 30, maxSurge: 1, subnet: spoke/nodes, podSubnet: spoke/pods}}
    masquerade:
      agent: ip-masq-agent-v2
      files:
        ip-masq-agent: |
          nonMasqueradeCIDRs: [10.0.0.0/16, 192.168.0.0/16]
          masqLinkLocal: false
";

/// Compares the design with one in which something was replaced; the old one is read from a file, the new one from standard input.
fn diff(changes: &[(&str, &str)], options: &[&str]) -> Run {
    let new = changes.iter().fold(OLD.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "`{from}` is not in the design");
        text.replace(from, to)
    });
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("old.yaml"), OLD);
    let mut args = vec!["diff", "old.yaml", "-", "--as-of", TODAY];
    args.extend(options);
    run_in(folder.path(), &args, &new)
}

/// The hub gets exempt, services move, and the pool grows beyond its subnet.
const WORSE: &[(&str, &str)] = &[
    ("[10.0.0.0/16, 192.168.0.0/16]\n          masq", "[10.0.0.0/16, 192.168.0.0/16, 10.10.0.0/16]\n          masq"),
    ("172.16.0.", "172.20.0."),
    ("nodes: 3,", "nodes: 80,"),
];

#[test]
fn what_people_see() {
    insta::assert_snapshot!("diff_human", diff(WORSE, &[]).seen());
    insta::assert_snapshot!("diff_quiet", diff(WORSE, &["-q"]).seen());
    insta::assert_snapshot!("diff_nothing", diff(&[("name: shop\n", "name: shop # renamed nothing\n")], &[]).seen());
}

#[test]
fn what_programs_read() {
    insta::assert_snapshot!("diff_json", diff(&WORSE[..2], &["--format", "json"]).seen());
}

#[test]
fn exit_codes() {
    let source = &WORSE[..1];
    let refused = &WORSE[1..2];
    let room = &WORSE[2..];
    let more: &[(&str, &str)] = &[("nodes: 3,", "nodes: 5,")];
    let object: &[(&str, &str)] = &[("[{between: [spoke, hub]}]", "[]")];
    /// What is replaced in the design, the options, and the exit code.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], i32);
    let cases: &[Case<'_>] = &[
        (&[], &["--deny-change"], 0),
        (more, &["--deny-change"], 0),
        (source, &[], 0),
        (source, &["--deny-change"], 1),
        (refused, &[], 1),
        (refused, &["--allow", "service-cidr-immutable"], 0),
        (refused, &["--allow", "service-cidr-immutable", "--deny-change"], 1),
        (room, &[], 1),
        (object, &[], 0),
        (object, &["--deny-change"], 1),
        (&[("mode: podSubnet", "mode: podsubnets")], &[], 2),
        (&[], &["--format", "sarif"], 2),
    ];
    for (changes, options, code) in cases {
        let run = diff(changes, options);
        assert_eq!(run.code, *code, "{changes:?} {options:?}\n{}{}", run.stdout, run.stderr);
    }
}

#[test]
fn folders_and_exports_are_compared_too() {
    let run = run(&["diff", "examples/private-pods", "examples/private-pods-plain-peering", "--as-of", TODAY]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains("changed  peerings.hub-spoke"), "{}", run.stdout);
}

#[test]
fn two_designs_are_needed_and_one_can_come_from_standard_input() {
    let both = run_in(&root(), &["diff", "-", "-"], OLD);
    assert_eq!((both.code, both.stdout.as_str()), (2, ""));
    assert!(both.stderr.contains("only one of the two designs"), "{}", both.stderr);
    assert_eq!(run(&["diff", "examples/fragile"]).code, 2);
    let missing = run(&["diff", "examples/fragile", "examples/none", "--format", "json"]);
    assert_eq!(missing.code, 2);
    assert_eq!(missing.json()["errors"].as_array().unwrap().len(), 1);
}

#[test]
fn a_step_that_is_accepted_is_printed_and_not_counted() {
    let accept = "accept: [{finding: service-cidr-immutable, because: the cluster is built anew}]\nclusters:";
    let run = diff(&[WORSE[1], ("clusters:", accept)], &[]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(run.stdout.contains("accepted: the cluster is built anew"), "{}", run.stdout);
}

/// What either design leaves open is said of it: how much, and with `-v` what; nothing of a design that leaves nothing open.
#[test]
fn what_was_assumed_is_said_of_each_design() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = "causeway: 1\nname: some\nclusters: {prod: {mode: overlay, pools: {a: {nodes: 1}}}}\n";
    write(&folder.path().join("none.yaml"), "causeway: 1\nname: none\n");
    let diff = |more: &[&str]| {
        let args: Vec<&str> = ["diff", "none.yaml", "-", "--as-of", TODAY].iter().chain(more).copied().collect();
        run_in(folder.path(), &args, cluster).stdout
    };
    let normal = diff(&[]);
    assert!(normal.contains("Of the new one, `some`: ") && normal.contains("assumed"), "{normal}");
    assert!(!normal.contains("Of the old one"), "{normal}");
    let verbose = diff(&["-v"]);
    assert!(verbose.contains("clusters.prod.podCidr: 10.244.0.0/16"), "{verbose}");
    assert!(!diff(&["-q"]).contains("Of the new one"));
}
