//! The generator.

use causeway_testkit::{Fleet, azure, design};

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let fleet = Fleet::times(1);
    assert_eq!(design(&fleet), design(&fleet));
    assert_eq!(azure(&fleet), azure(&fleet));
    assert_ne!(design(&fleet), design(&Fleet { seed: 8, ..fleet }));
}

#[test]
fn a_fleet_has_what_was_asked_for() {
    let fleet = Fleet::times(1);
    let text = design(&fleet);
    let count = |needle: &str| text.lines().filter(|line| line.trim_start().starts_with(needle)).count();
    assert_eq!(count("vnet-"), 200);
    assert_eq!(count("cluster-"), 50);
    assert_eq!(count("pool"), 500 + 50, "500 pools, and the `pools:` line of each cluster");
    assert_eq!(text.matches("{prefix: 1").count(), 1000);
}
