use super::*;
use causeway_engine::masquerade::source_changes;

/// `peer: before -> after` of every change, sorted.
fn changes(before: &Design, after: &Design) -> Vec<String> {
    let line = |change: causeway_engine::masquerade::SourceChange| {
        format!("{}: {} -> {}", change.peer, change.before, change.after)
    };
    let mut out: Vec<String> = source_changes(before, after).into_iter().map(line).collect();
    out.sort();
    out
}

#[test]
fn who_sees_another_address_after_the_change() {
    let pod = "the pod's address";
    let node = "the node's address";
    let before = with(&[POD_SUBNET]);
    let after = with(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16", false)]);
    assert_eq!(
        changes(&before, &after),
        [format!("network `hub`: {pod} -> {node}"), format!("site `corp`: {pod} -> {node}")]
    );
    assert_eq!(
        changes(&after, &before),
        [format!("network `hub`: {node} -> {pod}"), format!("site `corp`: {node} -> {pod}")]
    );
    assert_eq!(changes(&before, &before), [""; 0]);
    let half = with(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16 10.10.4.0/24", false)]);
    assert_eq!(
        changes(&after, &half),
        [format!("network `hub`: {node} -> the pod's address from `10.10.4.0/24`, the node's from the rest")]
    );
}

#[test]
fn a_move_between_modes_changes_who_the_vnet_sees() {
    let pod = "the pod's address";
    let node = "the node's address";
    let before = with(&[NODE_SUBNET]);
    let after = with(&[OVERLAY]);
    assert_eq!(changes(&before, &after), [format!("the cluster's VNet `spoke`: {pod} -> {node}")]);
}

#[test]
fn another_way_out_is_another_public_address() {
    let gateways = "natGateways: {one: {publicIps: [203.0.113.9]}, two: {publicIps: [203.0.113.10]}}\n";
    let run = |pods: &str, nodes: &str, masquerade: &str| {
        let networks = NETWORKS
            .replace("pods: {prefix: 192.168.0.0/20}", &format!("pods: {{prefix: 192.168.0.0/20, natGateway: {pods}}}"))
            .replace("nodes: {prefix: 10.0.0.0/24}", &format!("nodes: {{prefix: 10.0.0.0/24, natGateway: {nodes}}}"));
        design(&format!(
            "{networks}{gateways}\nclusters:\n  prod:{POD_SUBNET}    outbound: {{type: userAssignedNATGateway}}\n{masquerade}"
        ))
    };
    let one = "an address of the NAT gateway `one` (`203.0.113.9`)";
    let two = "an address of the NAT gateway `two` (`203.0.113.10`)";
    assert_eq!(changes(&run("one", "one", ""), &run("two", "one", "")), [format!("the internet: {one} -> {two}")]);
    let agent = list("10.0.0.0/8 192.168.0.0/16", false);
    assert_eq!(changes(&run("one", "two", ""), &run("one", "two", &agent)), [format!("the internet: {one} -> {two}")]);
    assert_eq!(changes(&run("one", "one", ""), &run("one", "one", &agent)), [""; 0]);
}

#[test]
fn an_answer_that_got_lost_is_a_change() {
    let before = with(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16", false)]);
    let after = with(&[POD_SUBNET, &file("nonMasqueradeCIDRs: [x]")]);
    let lines = changes(&before, &after);
    assert!(
        lines.iter().any(|line| line.starts_with("network `hub`: the node's address -> an address that is not known")),
        "{lines:#?}"
    );
}

#[test]
fn a_design_that_carries_its_past_is_told() {
    let mut after = with(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16", false)]);
    after.before = Some(Box::new(with(&[POD_SUBNET])));
    let answer = causeway_engine::check(&after, Options { as_of: "2026-11-20".parse().unwrap() });
    let told: Vec<_> =
        answer.findings.iter().filter(|finding| finding.code.as_str() == "source-identity-changes").collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].object, "clusters.prod.masquerade");
    assert_eq!(told[0].message, "network `hub` sees the node's address instead of the pod's address when pods call");
    assert_eq!(told[0].evidence, ["there: host/sql"]);
}
