//! Two masquerade configurations compared: the algebra, and who lives there.

use crate::support::design;
use causeway_addr::{Cidr, Family, RangeSet};
use causeway_engine::masquerade::lists::{Changes, Group, Listed, changes, of_design};
use causeway_model::masquerade::{MasqueradeConfig, MasqueradeOutcome};
use proptest::prelude::*;

fn listed(exempt: Vec<Cidr>, [link_local, link_local_v6, ipv6]: [bool; 3]) -> Listed {
    let config = MasqueradeConfig { exempt, link_local, link_local_v6, ipv6 };
    Listed::from(&MasqueradeOutcome::Applied { config, defaults: false })
}

fn list(exempt: &[&str]) -> Listed {
    listed(exempt.iter().map(|text| text.parse().unwrap()).collect(), [false, false, true])
}

fn words(groups: &[Group]) -> Vec<String> {
    groups
        .iter()
        .map(|group| {
            let ranges: Vec<String> = group.ranges.iter().map(ToString::to_string).collect();
            let machines: Vec<&str> = group.machines.keys().map(String::as_str).collect();
            format!("{}: {} [{}]", group.who, ranges.join(", "), machines.join(", "))
        })
        .collect()
}

const DESIGN: &str = "\
causeway: 1
name: shop
networks:
  spoke:
    prefixes: [10.0.0.0/16]
    subnets: {nodes: {prefix: 10.0.0.0/24}}
  hub: {prefixes: [10.10.0.0/16]}
  office: {kind: onPremises, prefixes: [10.200.0.0/16]}
hosts: {sql: {ip: 10.10.4.20, network: hub}}
clusters:
  prod:
    mode: overlay
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    pools: {system: {nodes: 3, subnet: spoke/nodes}}
";

#[test]
fn who_lives_there_is_named() {
    let design = design(DESIGN);
    let changes = changes(&list(&["10.0.0.0/8"]), &list(&["172.16.0.0/12"]), Some(&design));
    assert_eq!(
        words(&changes.to_node),
        [
            "network `hub`: 10.10.0.0/16 [host/sql]",
            "site `office`: 10.200.0.0/16 []",
            "subnet `spoke/nodes`: 10.0.0.0/24 []",
            "network `spoke` outside its subnets: 10.0.1.0-10.0.255.255 []",
            "pods of cluster `prod`: 10.244.0.0/16 []",
            "private use (RFC 1918) addresses: 10.1.0.0-10.9.255.255, 10.11.0.0-10.199.255.255, \
             10.201.0.0-10.243.255.255, 10.245.0.0-10.255.255.255 []",
        ]
    );
    assert_eq!(
        words(&changes.to_pod),
        [
            "services of cluster `prod`: 172.16.0.0/16 []",
            "private use (RFC 1918) addresses: 172.17.0.0-172.31.255.255 []",
        ]
    );
    assert_eq!(changes.to_node[0].object.as_deref(), Some("networks.hub"));
}

#[test]
fn entries_written_in_another_way_change_nothing() {
    let changes = changes(&list(&["10.0.0.0/8"]), &list(&["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16"]), None);
    assert!(changes.is_empty());
    assert_eq!((changes.added.len(), changes.removed.len()), (3, 1));
    let words = |cidrs: &[Cidr]| cidrs.iter().map(ToString::to_string).collect::<Vec<_>>();
    // Without the halves something would be different: they take the place of the whole.
    assert_eq!(words(&changes.added_without_effect), ["10.1.0.0/16"]);
    assert_eq!(words(&changes.removed_without_effect), ["10.0.0.0/8"]);
}

#[test]
fn an_entry_others_exempt_together_changes_nothing() {
    let halves = ["10.0.0.0/9", "10.128.0.0/9"];
    let changes = changes(&list(&halves), &list(&["10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "169.254.0.0/24"]), None);
    assert!(changes.is_empty());
    assert_eq!(changes.added_without_effect.len(), 2);
}

#[test]
fn a_configuration_that_is_refused_changes_nothing_that_runs() {
    let refused = Listed::Refused { message: "no".to_owned(), exits: true };
    assert_eq!(changes(&list(&[]), &refused, None), Changes::default());
    assert_eq!(changes(&refused, &list(&[]), None), Changes::default());
}

#[test]
fn a_design_speaks_for_its_one_cluster() {
    let unasked = |_: &_| -> MasqueradeOutcome { unreachable!("the design says it all") };
    let Ok(Listed::Applied { exempt, .. }) = of_design(&design(DESIGN), unasked) else { panic!("it is known") };
    assert_eq!(exempt, ["10.244.0.0/16".parse().unwrap()], "what AKS ships in overlay");
    let none = "causeway: 1\nname: none\nnetworks: {a: {prefixes: [10.0.0.0/16]}}\n";
    assert_eq!(of_design(&design(none), unasked), Err("it has no cluster and no masquerade configuration".to_owned()));
}

fn any_cidr() -> impl Strategy<Value = Cidr> {
    prop_oneof![
        (any::<u32>(), 0_u8..=32).prop_map(|(bits, len)| Cidr::new(bits.to_be_bytes().into(), len).unwrap()),
        (any::<u128>(), 0_u8..=128).prop_map(|(bits, len)| Cidr::new(bits.to_be_bytes().into(), len).unwrap()),
        (0_u8..8, 8_u8..=24).prop_map(|(low, len)| Cidr::new([10, low, 0, 0].into(), len).unwrap()),
    ]
}

proptest! {
    /// Going back undoes it; the groups are what differs, no address more and none less.
    #[test]
    fn the_groups_are_the_difference(
        old in prop::collection::vec(any_cidr(), 0..6), new in prop::collection::vec(any_cidr(), 0..6), flags in any::<[[bool; 3]; 2]>(),
        with_design in any::<bool>(),
    ) {
        let design = design(DESIGN);
        let design = with_design.then_some(&design);
        let (old, new) = (listed(old, flags[0]), listed(new, flags[1]));
        let (there, back) = (changes(&old, &new, design), changes(&new, &old, design));
        prop_assert_eq!(&there.to_node, &back.to_pod);
        prop_assert_eq!(&there.added, &back.removed);
        let (Listed::Applied { kept: before, .. }, Listed::Applied { kept: after, .. }) = (&old, &new) else { unreachable!() };
        let all = |groups: &[Group]| -> RangeSet { groups.iter().flat_map(|group| &group.ranges).copied().collect() };
        prop_assert_eq!(all(&there.to_node), before.difference(after));
        prop_assert_eq!(all(&there.to_pod), after.difference(before));
        let moved = all(&there.to_node).union(&all(&there.to_pod));
        for family in Family::ALL {
            prop_assert_eq!(there.is_empty(), before == after, "{}", family);
            prop_assert!(moved.size(family) <= family.everything().size());
        }
    }
}
