use super::*;
use crate::RangeSet;
use proptest::prelude::*;

fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Allocate(u8),
    Reserve(u128, u8),
    Free(usize),
    FreeAnything(u128, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (26u8..=32).prop_map(Step::Allocate),
        2 => (0u128..80, 26u8..=32).prop_map(|(at, len)| Step::Reserve(at, len)),
        3 => any::<usize>().prop_map(Step::Free),
        1 => (0u128..80, 26u8..=32).prop_map(|(at, len)| Step::FreeAnything(at, len)),
    ]
}

proptest! {
    #[test]
    fn free_and_used_always_tile_the_space(steps in prop::collection::vec(step(), 0..60)) {
        // Two touching items: blocks must never merge across them.
        let space = [cidr("10.0.0.0/27"), cidr("10.0.0.32/27")];
        let mut buddy = Buddy::new(&space);
        let block = |at: u128, len| Cidr::from_bits(Family::V4, 0x0a00_0000 + at, len);
        for step in steps {
            let before = buddy.clone();
            let held: Vec<Cidr> = before.allocated().collect();
            let open: RangeSet = before.available().collect();
            match step {
                Step::Allocate(len) => {
                    let given = buddy.allocate(Family::V4, len);
                    let fits = before.available().any(|b| b.prefix_len() <= len);
                    prop_assert_eq!(given.is_some(), fits);
                    if let Some(given) = given {
                        prop_assert_eq!(given.prefix_len(), len);
                        prop_assert!(open.covers(&given));
                    }
                }
                Step::Reserve(at, len) => {
                    let wanted = block(at, len);
                    let inside = space.iter().any(|home| home.covers(&wanted));
                    match buddy.reserve(wanted) {
                        Ok(()) => prop_assert!(inside && open.covers(&wanted)),
                        Err(BuddyError::OutsideSpace(_)) => prop_assert!(!inside),
                        Err(BuddyError::InUse { used, .. }) => {
                            let lowest = held.iter().find(|h| h.overlaps(&wanted));
                            prop_assert_eq!(Some(&used), lowest);
                        }
                        Err(other) => prop_assert!(false, "{other}"),
                    }
                }
                Step::Free(n) => {
                    if let Some(&given) = held.get(n.checked_rem(held.len()).unwrap_or(0)) {
                        prop_assert_eq!(buddy.free(given), Ok(()));
                        prop_assert_eq!(buddy.free(given), Err(BuddyError::NotAllocated(given)));
                    }
                }
                Step::FreeAnything(at, len) => {
                    let given = block(at, len);
                    prop_assert_eq!(buddy.free(given).is_ok(), held.contains(&given));
                }
            }
            let mut tiles: Vec<(Cidr, ())> = buddy.allocated().map(|c| (c, ())).collect();
            tiles.extend(buddy.available().map(|c| (c, ())));
            prop_assert!(crate::disjoint(&tiles).is_ok());
            let all: RangeSet = tiles.iter().map(|(c, ())| *c).collect();
            prop_assert_eq!(all, space.iter().copied().collect::<RangeSet>());
            // Fully merged: no free block has its other half free inside the same item.
            for free in buddy.available() {
                let halves = free.sibling().is_some_and(|other| buddy.available().any(|b| b == other));
                prop_assert!(!halves || space.contains(&free));
            }
        }
        for given in buddy.allocated().collect::<Vec<_>>() {
            prop_assert_eq!(buddy.free(given), Ok(()));
        }
        prop_assert_eq!(buddy, Buddy::new(&space));
    }
}

#[test]
fn smallest_sufficient_then_lowest() {
    let mut buddy = Buddy::new(&[cidr("10.0.0.0/24"), cidr("10.1.0.0/26")]);
    assert_eq!(buddy.allocate(Family::V4, 28), Some(cidr("10.1.0.0/28")));
    assert_eq!(buddy.allocate(Family::V4, 24), Some(cidr("10.0.0.0/24")));
    assert_eq!(buddy.largest_free(Family::V4), Some(27));
    assert_eq!(buddy.allocate(Family::V4, 26), None);
    assert_eq!(buddy.allocate(Family::V6, 64), None);
    assert_eq!(buddy.free(cidr("10.0.0.0/25")), Err(BuddyError::NotAllocated(cidr("10.0.0.0/25"))));
}

#[test]
fn a_huge_space_costs_no_more() {
    let mut buddy = Buddy::new(&[cidr("fd00::/8")]);
    let first = buddy.allocate(Family::V6, 128).unwrap();
    assert_eq!(first, cidr("fd00::/128"));
    assert_eq!(buddy.available().count(), 120);
    buddy.free(first).unwrap();
    assert_eq!(buddy.available().collect::<Vec<_>>(), [cidr("fd00::/8")]);
}
