use super::super::status::HeldStatus;
use super::*;
use causeway_dataplane::nftables::objects::Count;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

/// Everything there can be.
fn full() -> Sample {
    let counts = [EXEMPT_COUNTER, TRANSLATED_COUNTER, PACKETS_COUNTER];
    let counts = counts.map(|name| ((Family::V4, name.to_owned()), Count { packets: 7, bytes: 700 }));
    let status = Status {
        backend: "nft",
        files: BTreeMap::from([
            ("ip-masq-agent".to_owned(), (3, None)),
            ("ip-masq-b".to_owned(), (0, Some("x".to_owned()))),
        ]),
        doubt: Some(Doubt::Files),
        held: Some(HeldStatus {
            hash: 0xffff_ffff_ffff,
            desired: BTreeMap::from([(Family::V4, 4)]),
            empty: false,
            defaults: false,
            partial: true,
        }),
        in_place: true,
        last_success: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)),
        merged: Some(Ok(())),
        present: BTreeMap::from([(Family::V4, 4), (Family::V6, 1)]),
        counts: counts.into_iter().collect(),
        repairs: BTreeMap::from([("notification", 2)]),
        last_repair: Some(Duration::from_micros(1500)),
        looks: BTreeMap::from([("in-place", 5)]),
        ..Status::default()
    };
    let conntrack = Statistics { entries: 12, maximum: Some(262_144), insert_failed: 3, ..Statistics::default() };
    Sample { status, conntrack: Some(conntrack) }
}

#[test]
fn what_is_known_is_shown() {
    let page = page(full()).unwrap();
    for line in [
        "causeway_masquerade_file_valid{file=\"ip-masq-agent\"} 1.0",
        "causeway_masquerade_file_valid{file=\"ip-masq-b\"} 0.0",
        "causeway_masquerade_file_entries{file=\"ip-masq-agent\"} 3.0",
        "causeway_masquerade_config_hash 281474976710655.0",
        "causeway_masquerade_config_held_back{reason=\"files\"} 1.0",
        "causeway_masquerade_prefixes_desired{family=\"ipv4\"} 4.0",
        "causeway_masquerade_prefixes_present{family=\"ipv6\"} 1.0",
        "causeway_masquerade_repairs_total{noticed_by=\"notification\"} 2",
        "causeway_masquerade_repairs_total{noticed_by=\"resync\"} 0",
        "causeway_masquerade_last_repair_seconds 0.0015",
        "causeway_masquerade_last_success_timestamp_seconds 1795000000.0",
        "causeway_masquerade_translated_bytes_total{family=\"ipv4\"} 700",
        "causeway_masquerade_translated_connections_total{family=\"ipv4\"} 7",
        "causeway_masquerade_conntrack_insert_failed_total 3",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    assert!(page.ends_with("# EOF\n"));
}

#[test]
fn nothing_known_is_nothing_claimed() {
    let page = page(Sample::default()).unwrap();
    for name in ["config_hash", "last_success", "conntrack", "last_repair"] {
        assert!(!page.contains(&format!("causeway_masquerade_{name}")), "{name}\n{page}");
    }
    assert!(page.contains("causeway_masquerade_ready 0.0\n"));
}

#[test]
fn every_metric_is_in_the_guide_and_nothing_else_is() {
    let guide =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/masquerade-agent.md")).unwrap();
    let page = page(full()).unwrap();
    let served = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let served: BTreeSet<String> =
        served.map(|(name, kind)| if kind == "counter" { format!("{name}_total") } else { name.to_owned() }).collect();
    let words = guide.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let told: BTreeSet<String> =
        words.filter(|word| word.starts_with("causeway_masquerade_")).map(str::to_owned).collect();
    assert_eq!(told, served);
}
