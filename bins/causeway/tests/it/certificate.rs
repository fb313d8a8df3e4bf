//! The proof that nothing overlaps, checked by somebody who knows nothing of the program.

use crate::support::{TODAY, root, run_in};
use serde_json::Value;
use std::net::IpAddr;

/// The verifier: each range begins before it ends, and ends before the next one begins.
fn valid(list: &[Value]) -> bool {
    let address = |range: &Value, key: &str| range[key].as_str().and_then(|text| text.parse::<IpAddr>().ok());
    let mut last: Option<IpAddr> = None;
    for range in list {
        let (Some(from), Some(to)) = (address(range, "first"), address(range, "last")) else { return false };
        if from > to || last.is_some_and(|last| last >= from) {
            return false;
        }
        last = Some(to);
    }
    true
}

fn certificates(design: &str) -> Vec<Value> {
    let run = run_in(&root(), &["check", "-", "--certificate", "--format", "json", "--as-of", TODAY], design);
    run.json()["certificate"].as_array().cloned().unwrap_or_default()
}

const DESIGN: &str = "\
causeway: 1
networks:
  spoke:
    prefixes: [10.0.0.0/16, 192.168.0.0/16]
    subnets: {nodes: {prefix: 10.0.0.0/24}, pods: {prefix: 192.168.0.0/20}, v6: {prefix: 10.0.9.0/27}}
  hub: {prefixes: [10.10.0.0/16]}
peerings: [{between: [spoke, hub]}]
clusters:
  prod:
    mode: podSubnet
    serviceCidr: 172.16.0.0/16
    pools: {system: {nodes: {count: 3}, subnet: spoke/nodes, podSubnet: spoke/pods}}
";

#[test]
fn a_design_without_overlap_is_proved_list_by_list() {
    let lists = certificates(DESIGN);
    assert!(lists.len() >= 3, "{lists:?}");
    for list in &lists {
        assert_eq!(list["disjoint"], true, "{list}");
        let ranges = list["ranges"].as_array().unwrap();
        assert!(!ranges.is_empty() && valid(ranges), "{list}");
    }
    let owners: Vec<&str> = lists
        .iter()
        .flat_map(|list| list["ranges"].as_array().unwrap())
        .filter_map(|range| range["owner"].as_str())
        .collect();
    for owner in ["spoke", "hub", "spoke/nodes", "spoke/pods", "prod/serviceCidr"] {
        assert!(owners.contains(&owner), "{owner} in {owners:?}");
    }
}

#[test]
fn overlaps_leave_no_proof() {
    let lists = certificates(&DESIGN.replace("10.10.0.0/16", "10.0.128.0/17"));
    let broken: Vec<&Value> = lists.iter().filter(|list| list["disjoint"] == false).collect();
    assert!(!broken.is_empty());
    for list in broken {
        assert!(
            !list["overlaps"].as_array().unwrap().is_empty() && list["ranges"].as_array().unwrap().is_empty(),
            "{list}"
        );
    }
}

#[test]
fn the_verifier_refuses_what_is_no_proof() {
    let range = |first: &str, last: &str| serde_json::json!({"first": first, "last": last, "owner": "x"});
    assert!(valid(&[range("10.0.0.0", "10.0.0.255"), range("10.0.1.0", "10.0.1.0"), range("fd00::", "fd00::1")]));
    assert!(!valid(&[range("10.0.0.0", "10.0.0.255"), range("10.0.0.255", "10.0.1.0")]));
    assert!(!valid(&[range("10.0.0.2", "10.0.0.1")]));
    assert!(!valid(&[range("10.0.1.0", "10.0.1.1"), range("10.0.0.0", "10.0.0.1")]));
    assert!(!valid(&[range("10.0.0.0", "nowhere")]));
}

#[test]
fn people_get_the_same_lists() {
    let run = run_in(&root(), &["check", "-", "--certificate", "--as-of", TODAY], DESIGN);
    assert!(run.stdout.contains("\n    10.0.0.0    - 10.0.255.255     spoke\n"), "{}", run.stdout);
}
