use super::*;
use std::collections::BTreeSet;

fn words(status: &Status) -> Vec<&'static str> {
    status.reasons().into_iter().map(|(word, _)| word).collect()
}

fn in_order() -> Status {
    Status { in_place: true, ..Status::default() }
}

#[test]
fn what_stands_in_the_way_of_being_ready_is_told_from_what_does_not() {
    assert!(in_order().is_ready() && words(&in_order()).is_empty());
    assert_eq!((Status::default().is_ready(), words(&Status::default())), (false, vec!["rules-not-in-place"]));
    let now = Instant::now();
    let bad = FileStatus { trouble: Some("torn".into()), ..FileStatus::default() };
    for (status, ready, word, shown) in [
        (Status { broken: true, ..in_order() }, false, "rules-changed", "not-ready"),
        (Status { blocked: Some("no".into()), ..in_order() }, false, "blocked", "blocked"),
        (Status { waiting: Some(Waiting::Without), ..in_order() }, false, "never-read", "not-ready"),
        (Status { folder: Some("gone".into()), ..in_order() }, true, "folder-unreadable", "degraded"),
        (Status { files: [("a".to_owned(), bad)].into(), ..in_order() }, true, "file-unreadable", "degraded"),
        (Status { faulty: vec!["x".into()], ..in_order() }, true, "policy-untranslatable", "degraded"),
        (Status { unread: vec!["NetworkPolicy/p".to_owned()], ..in_order() }, true, "policy-unread", "degraded"),
        (Status { doubts: vec!["x".into()], ..in_order() }, true, "stated-twice", "degraded"),
        (Status { stranger: true, ..in_order() }, true, "node-unknown", "degraded"),
        (Status { deaf: Some("x".into()), ..in_order() }, true, "deny-log", "degraded"),
        (Status { contested: Some(now + Duration::from_secs(60)), ..in_order() }, true, "contested", "degraded"),
    ] {
        assert_eq!((status.is_ready(), words(&status)), (ready, vec![word]));
        assert_eq!(status.to_json(now)["status"], shown, "{word}");
    }
    let hangs = Status { alive: Some(now), patience: Duration::from_secs(1), ..in_order() };
    assert!(hangs.is_alive(now) && !hangs.is_alive(now + Duration::from_secs(2)));
}

#[test]
fn every_reason_is_in_the_guide() {
    let guide = include_str!("../../../../../docs/guide/policy-enforcement.md");
    let listed = guide.split("Reasons: ").nth(1).unwrap().split("\n\n").next().unwrap();
    let listed: BTreeSet<&str> = listed.split('`').skip(1).step_by(2).collect();
    let source = include_str!("../status.rs");
    let pushed = source.split("push((\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut pushed: BTreeSet<&str> = pushed.collect();
    pushed.extend(source.contains("\"stated-twice\"").then_some("stated-twice"));
    assert_eq!(listed, pushed);
}

#[test]
fn observations_fall_into_the_lowest_bucket_that_holds_them() {
    let mut histogram = Histogram::default();
    for millis in [0, 1, 3, 60_000] {
        histogram.observe(Duration::from_millis(millis));
    }
    assert_eq!((histogram.count, histogram.buckets[0], histogram.buckets[1], histogram.buckets[3]), (4, 1, 1, 1));
    assert_eq!(histogram.buckets[BUCKETS.len()], 1);
}
