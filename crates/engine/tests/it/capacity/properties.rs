//! What must hold for every plan.

use super::{Plan, pool};
use causeway_engine::capacity::AddressPool;
use proptest::prelude::*;

const MODES: [(&str, &str); 7] = [
    ("overlay", "spoke/nodes"),
    ("overlay", "prod/podCidr"),
    ("kubenet", "prod/podCidr"),
    ("nodeSubnet", "spoke/nodes"),
    ("podSubnet", "spoke/pods"),
    ("podSubnet", "spoke/nodes"),
    ("podSubnetStatic", "spoke/pods"),
];

/// The row of one plan: pools as (nodes, maximum above, maxPods, surge percent).
fn row(mode: (&str, &str), pools: &[(u32, u32, u32, u32)], prefix: u8) -> AddressPool {
    let (mode, name) = mode;
    let pools: String = pools
        .iter()
        .enumerate()
        .map(|(at, (nodes, more, max_pods, surge))| {
            let max = nodes + more;
            format!("p{at}: {{nodes: {{count: {nodes}, max: {max}}}, maxPods: {max_pods}, maxSurge: \"{surge}%\", zones: [1, 2, 3]}}\n")
        })
        .collect();
    let (nodes, pods, pod_cidr) = match name {
        "spoke/nodes" => {
            (format!("prefix: 10.80.0.0/{prefix}"), "prefix: 10.96.0.0/12".to_owned(), "100.64.0.0/10".to_owned())
        }
        "spoke/pods" => {
            ("prefix: 10.80.0.0/14".to_owned(), format!("prefix: 10.96.0.0/{prefix}"), "100.64.0.0/10".to_owned())
        }
        _ => ("prefix: 10.80.0.0/14".to_owned(), "prefix: 10.96.0.0/12".to_owned(), format!("100.64.0.0/{prefix}")),
    };
    let plan = Plan {
        mode,
        nodes: &nodes,
        pods: &pods,
        pod_cidr: &pod_cidr,
        pools: &pools,
        outbound: "{type: none}",
        ..Plan::default()
    };
    pool(&plan.ask(), name).clone()
}

fn a_pool() -> impl Strategy<Value = (u32, u32, u32, u32)> {
    (1..200_u32, 0..200_u32, 10..=250_u32, 0..=100_u32)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn phases_only_grow(mode in 0..MODES.len(), pools in prop::collection::vec(a_pool(), 1..4)) {
        let row = row(MODES[mode], &pools, 16);
        let (now, max, upgrade) = (row.now.unwrap(), row.at_max.unwrap(), row.during_upgrade.unwrap());
        prop_assert!(now <= max && max <= upgrade);
        prop_assert!(max < row.after_node_loss.unwrap());
        prop_assert!(row.after_node_loss <= row.after_zone_loss);
        prop_assert_eq!(row.fits, Some(upgrade <= row.usable.unwrap()));
        prop_assert_eq!(row.short_by, Some(upgrade.saturating_sub(row.usable.unwrap())));
    }

    #[test]
    fn more_nodes_or_pods_never_need_less(mode in 0..MODES.len(), one in a_pool(), nodes in 0..50_u32, pods in 0..50_u32) {
        let (count, more, max_pods, surge) = one;
        let small = row(MODES[mode], &[one], 16);
        let large = row(MODES[mode], &[(count + nodes, more, (max_pods + pods).min(250), surge)], 16);
        prop_assert!(small.now <= large.now);
        prop_assert!(small.at_max <= large.at_max);
        prop_assert!(small.during_upgrade <= large.during_upgrade);
        prop_assert!(small.smallest_prefix >= large.smallest_prefix);
    }

    #[test]
    fn the_smallest_prefix_fits_and_a_longer_one_does_not(mode in 0..MODES.len(), pools in prop::collection::vec(a_pool(), 1..4)) {
        let smallest = row(MODES[mode], &pools, 16).smallest_prefix.unwrap();
        prop_assume!((13..28).contains(&smallest));
        prop_assert_eq!(row(MODES[mode], &pools, smallest).fits, Some(true));
        prop_assert_eq!(row(MODES[mode], &pools, smallest + 1).fits, Some(false));
    }

    #[test]
    fn pools_add_up(mode in 0..MODES.len(), one in a_pool(), other in a_pool()) {
        let (a, b) = (row(MODES[mode], &[one], 16), row(MODES[mode], &[other], 16));
        let both = row(MODES[mode], &[one, other], 16);
        let sum = |one: Option<u64>, other: Option<u64>| Some(one? + other?);
        prop_assert_eq!(both.now, sum(a.now, b.now));
        prop_assert_eq!(both.at_max, sum(a.at_max, b.at_max));
        prop_assert_eq!(both.during_upgrade, sum(a.during_upgrade, b.during_upgrade));
        prop_assert_eq!(both.after_zone_loss, sum(a.after_zone_loss, b.after_zone_loss));
    }
}
