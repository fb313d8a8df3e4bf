use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn keys(list: &[u32]) -> Keys {
    Keys::collect(4, list.iter().map(|key| key.to_be_bytes()))
}

fn set(keys: &Keys) -> BTreeSet<u32> {
    keys.iter().map(|key| u32::from_be_bytes(key.try_into().unwrap())).collect()
}

#[test]
fn collected_keys_are_sorted_and_each_once() {
    assert_eq!(keys(&[3, 1, 2, 1, 3]), keys(&[1, 2, 3]));
    assert_eq!(keys(&[3, 1, 2, 1, 3]).len(), 3);
    assert!(Keys::collect(4, [[1_u8; 16]]).is_empty(), "another width is no key");
}

#[test]
fn insert_and_remove_keep_the_order() {
    let mut some = keys(&[10, 20]);
    assert!(some.insert(&15_u32.to_be_bytes()));
    assert!(!some.insert(&15_u32.to_be_bytes()));
    assert!(!some.insert(&[1, 2]));
    assert_eq!(some, keys(&[10, 15, 20]));
    assert!(some.remove(&10_u32.to_be_bytes()));
    assert!(!some.remove(&10_u32.to_be_bytes()));
    assert_eq!(some, keys(&[15, 20]));
    assert!(some.contains(&20_u32.to_be_bytes()) && !some.contains(&10_u32.to_be_bytes()));
}

proptest! {
    #[test]
    fn a_change_leads_from_old_to_new(
        old in prop::collection::vec(0_u32..3000, 0..2500),
        edits in prop::collection::vec((0_u32..3000, any::<bool>()), 0..6),
    ) {
        let old = keys(&old);
        let mut new = old.clone();
        for (key, add) in edits {
            if add { new.insert(&key.to_be_bytes()); } else { new.remove(&key.to_be_bytes()); }
        }
        let change = new.since(&old);
        let (before, after) = (set(&old), set(&new));
        prop_assert_eq!(set(&change.added), after.difference(&before).copied().collect::<BTreeSet<_>>());
        prop_assert_eq!(set(&change.removed), before.difference(&after).copied().collect::<BTreeSet<_>>());
        prop_assert_eq!(change.is_empty(), old == new);
    }

    #[test]
    fn unrelated_lists_are_compared_too(
        old in prop::collection::vec(0_u32..50, 0..60), new in prop::collection::vec(0_u32..50, 0..60),
    ) {
        let (old, new) = (keys(&old), keys(&new));
        let change = new.since(&old);
        prop_assert_eq!(set(&change.added), set(&new).difference(&set(&old)).copied().collect::<BTreeSet<_>>());
        prop_assert_eq!(set(&change.removed), set(&old).difference(&set(&new)).copied().collect::<BTreeSet<_>>());
    }
}
