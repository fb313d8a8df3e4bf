use super::*;
use crate::Family;
use proptest::prelude::*;

fn near() -> impl Strategy<Value = Cidr> {
    let v4 = (any::<u8>(), 0u8..=32).prop_map(|(n, len)| Cidr::from_bits(Family::V4, 0x0a00_0000 + u128::from(n), len));
    let v6 = (any::<u8>(), 0u8..=128).prop_map(|(n, len)| Cidr::from_bits(Family::V6, u128::from(n) << 60, len));
    prop_oneof![v4, v6]
}

proptest! {
    #[test]
    fn queries_agree_with_a_linear_scan(
        all in prop::collection::vec(near(), 0..40),
        ask in near(),
    ) {
        let map: PrefixMap<usize> = all.iter().copied().zip(0..).collect();
        let mut keys = all.clone();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(map.iter().map(|(c, _)| c).collect::<Vec<_>>(), keys.clone());
        let covering: Vec<Cidr> = keys.iter().copied().filter(|c| c.covers(&ask)).collect();
        let covered: Vec<Cidr> = keys.iter().copied().filter(|c| ask.covers(c)).collect();
        let overlapping: Vec<Cidr> = keys.iter().copied().filter(|c| c.overlaps(&ask)).collect();
        let names = |found: Vec<(Cidr, &usize)>| found.into_iter().map(|(c, _)| c).collect::<Vec<_>>();
        prop_assert_eq!(names(map.covering(&ask)), covering.clone());
        prop_assert_eq!(names(map.covered(&ask).collect()), covered);
        prop_assert_eq!(names(map.overlapping(&ask).collect()), overlapping);
        prop_assert_eq!(map.longest_covering(&ask).map(|(c, _)| c), covering.last().copied());
        let held = keys.iter().copied().filter(|c| c.contains(ask.last())).max_by_key(Cidr::prefix_len);
        prop_assert_eq!(map.longest_match(ask.last()).map(|(c, _)| c), held);
    }
}

#[test]
fn several_owners_of_one_prefix() {
    let mut map: PrefixMap<Vec<&str>> = PrefixMap::new();
    let cidr = Cidr::v4([10, 0, 0, 0], 8);
    map.or_default(cidr).push("a");
    map.or_default(cidr).push("b");
    assert_eq!(map.get(&cidr), Some(&vec!["a", "b"]));
    assert_eq!(map.remove(&cidr), Some(vec!["a", "b"]));
    assert!(map.is_empty());
}
