use super::*;
use crate::policy::denied::Denied;
use crate::policy::status::FileStatus;
use causeway_addr::Family;
use causeway_dataplane::nftables::objects::Count;
use causeway_dataplane::policy::{DENIED_UNKNOWN, Reason};
use causeway_model::policy::Direction;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Everything there can be.
fn full() -> Status {
    let mut denied = Denied::default();
    let reason = |policies: &[&str], counter: &str| Reason {
        direction: Direction::Ingress,
        policies: policies.iter().map(|name| (*name).into()).collect(),
        counter: counter.to_owned(),
    };
    let reasons = [("to-1", reason(&["a", "b"], "denied-1")), ("to-2", reason(&["b"], "denied-2"))];
    let reasons = reasons.map(|(prefix, reason)| ((Family::V4, prefix.to_owned()), reason));
    denied.replace(reasons.into(), &BTreeMap::new());
    let counters = [("denied-1", 3), ("denied-2", 4), (DENIED_UNKNOWN, 5)];
    let counters = counters.map(|(name, packets)| ((Family::V4, name.to_owned()), Count { packets, bytes: 0 }));
    let good = FileStatus { objects: 2, read_at: Some(SystemTime::now()), ..FileStatus::default() };
    let bad = FileStatus { trouble: Some("x".to_owned()), silent: true, ..FileStatus::default() };
    let mut status = Status {
        files: BTreeMap::from([("good.yaml".to_owned(), good), ("bad.yaml".to_owned(), bad)]),
        in_place: true,
        last_success: Some(SystemTime::now()),
        last_repair: Some(Duration::from_millis(2)),
        repairs: BTreeMap::from([("resync", 2)]),
        syncs: BTreeMap::from([("in-place", 5)]),
        counters: counters.into(),
        denied,
        ..Status::default()
    };
    status.changes.observe(Duration::from_millis(30));
    status.changes.observe(Duration::from_secs(30));
    status
}

#[test]
fn what_is_known_is_shown() {
    let page = page(full()).unwrap();
    for line in [
        "causeway_policy_file_valid{file=\"bad.yaml\"} 0.0",
        "causeway_policy_file_objects{file=\"good.yaml\"} 2.0",
        "causeway_policy_denied_packets_total{policy=\"a\",direction=\"ingress\"} 3",
        "causeway_policy_denied_packets_total{policy=\"b\",direction=\"ingress\"} 7",
        "causeway_policy_denied_packets_without_policy_total{reason=\"unknown-pod\"} 5",
        "causeway_policy_drift_repairs_total{noticed_by=\"resync\"} 2",
        "causeway_policy_change_seconds_bucket{le=\"0.02\"} 0",
        "causeway_policy_change_seconds_bucket{le=\"0.05\"} 1",
        "causeway_policy_change_seconds_bucket{le=\"+Inf\"} 2",
        "causeway_policy_change_seconds_count 2",
        "causeway_policy_ready 1.0",
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line}\n{page}");
    }
    assert!(page.ends_with("# EOF\n"));
}

#[test]
fn every_metric_has_help_and_is_in_the_guide_and_nothing_else_is() {
    let guide = include_str!("../../../../../docs/guide/policy-enforcement.md");
    let page = page(full()).unwrap();
    let served = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let served: BTreeSet<String> =
        served.map(|(name, kind)| if kind == "counter" { format!("{name}_total") } else { name.to_owned() }).collect();
    assert_eq!(page.matches("# HELP ").count(), served.len());
    let words = guide.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let told: BTreeSet<String> = words.filter(|word| word.starts_with("causeway_policy_")).map(str::to_owned).collect();
    assert_eq!(told, served);
}
