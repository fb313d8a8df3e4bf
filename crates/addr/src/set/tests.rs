use super::*;
use proptest::prelude::*;

/// Prefixes in a corner of each family small enough to hold every address as a bit: the last 64
/// addresses of IPv4 and the first 64 of IPv6, so both ends of the number line are met.
fn corner(family: Family) -> impl Strategy<Value = Cidr> {
    (0u8..64, 0u8..=6).prop_map(move |(offset, host)| {
        let base = match family {
            Family::V4 => u128::from(u32::MAX) - 63,
            Family::V6 => u128::MAX - 63,
        };
        Cidr::from_bits(family, base + u128::from(offset), family.width() - host)
    })
}

fn any_corner() -> impl Strategy<Value = Cidr> {
    prop_oneof![corner(Family::V4), corner(Family::V6)]
}

/// The set as one bit for each address of the two corners.
fn bits(set: &RangeSet) -> (u64, u64) {
    let of = |family: Family| {
        let base = family.max_bits() - 63;
        (0..64).fold(0u64, |bits, n| {
            let there = set.contains(family.address(base + n));
            bits | (u64::from(there) << n)
        })
    };
    (of(Family::V4), of(Family::V6))
}

fn model(cidrs: &[Cidr]) -> (u64, u64) {
    let mut model = (0u64, 0u64);
    for cidr in cidrs {
        let base = cidr.family().max_bits() - 63;
        for n in cidr.first_bits() - base..=cidr.last_bits() - base {
            match cidr.family() {
                Family::V4 => model.0 |= 1 << n,
                Family::V6 => model.1 |= 1 << n,
            }
        }
    }
    model
}

fn canonical(set: &RangeSet) -> bool {
    set.ranges()
        .windows(2)
        .all(|pair| pair[0].family() < pair[1].family() || pair[0].last_bits() + 1 < pair[1].first_bits())
}

proptest! {
    #[test]
    fn algebra_agrees_with_bits(
        a in prop::collection::vec(any_corner(), 0..12),
        b in prop::collection::vec(any_corner(), 0..12),
        probe in any_corner(),
    ) {
        let (x, y): (RangeSet, RangeSet) = (a.iter().copied().collect(), b.iter().copied().collect());
        let (ma, mb) = (model(&a), model(&b));
        prop_assert_eq!(bits(&x), ma);
        prop_assert_eq!(bits(&x.union(&y)), (ma.0 | mb.0, ma.1 | mb.1));
        prop_assert_eq!(bits(&x.intersection(&y)), (ma.0 & mb.0, ma.1 & mb.1));
        prop_assert_eq!(bits(&x.difference(&y)), (ma.0 & !mb.0, ma.1 & !mb.1));
        for set in [&x, &x.union(&y), &x.intersection(&y), &x.difference(&y)] {
            prop_assert!(canonical(set), "{:?}", set);
        }
        let mut inserted = RangeSet::new();
        for cidr in &a {
            inserted.insert(*cidr);
            prop_assert!(canonical(&inserted), "{:?}", inserted);
        }
        prop_assert_eq!(&inserted, &x);
        let mut extended = y.clone();
        extended.extend(a.iter().copied());
        prop_assert_eq!(&extended, &x.union(&y));
        let mut removed = x.clone();
        for cidr in &b {
            removed.remove(*cidr);
        }
        prop_assert_eq!(&removed, &x.difference(&y));
        let m = model(&[probe]);
        prop_assert_eq!(x.covers(&probe), m.0 & ma.0 == m.0 && m.1 & ma.1 == m.1);
        prop_assert_eq!(x.overlaps(&probe), m.0 & ma.0 != 0 || m.1 & ma.1 != 0);
        prop_assert_eq!(x.within(probe), x.intersection(&[probe].into_iter().collect()));
        prop_assert_eq!(x.is_superset(&y), mb.0 & !ma.0 == 0 && mb.1 & !ma.1 == 0);
        prop_assert_eq!(x.size(Family::V4), u128::from(ma.0.count_ones()));
        prop_assert_eq!(x.size(Family::V6), u128::from(ma.1.count_ones()));
        prop_assert_eq!(x.is_empty(), ma == (0, 0));
    }

    #[test]
    fn the_cover_is_exact_and_minimal(a in prop::collection::vec(any_corner(), 0..16)) {
        let set: RangeSet = a.iter().copied().collect();
        let cover: Vec<Cidr> = set.cidrs().collect();
        prop_assert_eq!(cover.iter().copied().collect::<RangeSet>(), set.clone());
        for (n, cidr) in cover.iter().enumerate() {
            prop_assert!(!cover[..n].iter().any(|other| other.overlaps(cidr)));
            // Minimal: no block could be replaced by a larger one inside the set.
            prop_assert!(!cidr.supernet().is_some_and(|up| set.covers(&up)));
        }
    }

    #[test]
    fn any_range_is_covered_exactly(family in prop_oneof![Just(Family::V4), Just(Family::V6)], a: u128, b: u128) {
        let (a, b) = (a & family.max_bits(), b & family.max_bits());
        let range = AddressRange::from_bits(family, a.min(b), a.max(b));
        let mut next = Some(range.first_bits());
        let mut count = 0;
        for cidr in range.cidrs() {
            prop_assert_eq!(Some(cidr.first_bits()), next);
            next = cidr.last_bits().checked_add(1);
            count += 1;
        }
        prop_assert_eq!(next, range.last_bits().checked_add(1));
        prop_assert!(count <= 2 * usize::from(family.width()) - 2);
    }
}

#[test]
fn whole_families() {
    let all: RangeSet = Family::ALL.map(Family::everything).into_iter().collect();
    assert_eq!(all.ranges().len(), 2);
    assert_eq!(all.size(Family::V6), u128::MAX);
    let mut left = all.clone();
    left.remove(Cidr::v4([0, 0, 0, 0], 1));
    left.remove(Family::V6.everything());
    assert_eq!(left.cidrs().collect::<Vec<_>>(), [Cidr::v4([128, 0, 0, 0], 1)]);
    assert_eq!(all.difference(&left).union(&left), all, "what was taken comes back");
}

#[test]
fn ranges_show_as_prefixes_where_they_are_one() {
    let range = |first: &str, last: &str| AddressRange::new(first.parse().unwrap(), last.parse().unwrap());
    assert_eq!(range("10.0.0.0", "10.0.0.255").unwrap().to_string(), "10.0.0.0/24");
    assert_eq!(range("10.0.0.4", "10.0.0.8").unwrap().to_string(), "10.0.0.4-10.0.0.8");
    assert_eq!(range("10.0.0.8", "10.0.0.4"), None);
    assert_eq!(range("10.0.0.8", "::1"), None);
}
