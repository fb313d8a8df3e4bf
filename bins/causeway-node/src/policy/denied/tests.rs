use super::*;
use causeway_policy::{Dialect, Engine};
use std::net::IpAddr;

fn reasons(of: &[(&str, &[&str])]) -> Reasons {
    let reason = |(prefix, policies): &(&str, &[&str])| {
        let policies = policies.iter().map(|name| (*name).into()).collect();
        let counter = format!("denied-{prefix}");
        ((Family::V4, (*prefix).to_owned()), Reason { direction: Direction::Egress, policies, counter })
    };
    of.iter().map(reason).collect()
}

fn counts(of: &[(&str, u64)]) -> BTreeMap<(Family, String), Count> {
    let count = |(prefix, packets): &(&str, u64)| {
        ((Family::V4, format!("denied-{prefix}")), Count { packets: *packets, bytes: 0 })
    };
    of.iter().map(count).collect()
}

#[test]
fn counts_only_grow_whatever_reasons_come_and_go() {
    let mut denied = Denied::default();
    let of = |denied: &Denied, counts: &_, policy: &str| denied.by_policy(counts)[&(policy.to_owned(), "egress")];
    denied.replace(reasons(&[("1", &["a", "b"]), ("2", &["b"])]), &counts(&[]));
    let now = counts(&[("1", 5), ("2", 2)]);
    assert_eq!([of(&denied, &now, "a"), of(&denied, &now, "b")], [5, 7]);
    let next = reasons(&[("2", &["b"]), ("3", &["a"])]);
    assert!(denied.loses(&next));
    denied.replace(next.clone(), &now);
    // The counter that stayed goes on, the one that went is remembered, the new one begins.
    let later = counts(&[("2", 3), ("3", 1)]);
    assert_eq!([of(&denied, &later, "a"), of(&denied, &later, "b")], [6, 8]);
    assert!(!denied.loses(&next));
    denied.replace(next, &later);
    assert_eq!([of(&denied, &later, "a"), of(&denied, &later, "b")], [6, 8], "the same again changes nothing");
}

#[test]
fn what_was_told_of_before_a_change_keeps_its_name() {
    let index = Index::new(Dialect::of(Engine::Strict, None), Vec::new());
    let mut denied = Denied::default();
    denied.replace(reasons(&[("to-1", &["a", "b"])]), &counts(&[]));
    denied.replace(reasons(&[]), &counts(&[]));
    let [source, destination]: [IpAddr; 2] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap());
    let line = |prefix: &str| {
        let told = Told { prefix: prefix.to_owned(), source, destination, protocol: 132, ports: None };
        denied.line(&told, &index)
    };
    assert_eq!((line("to-1").by.as_str(), line("to-1").direction), ("a, b", Some("egress")));
    assert_eq!((line("to-1").protocol.as_str(), line("to-1").from), ("SCTP", None));
    assert!(line(DENIED_UNKNOWN).by.contains("not known yet") && line("to-9").by.contains("gone"));
}
