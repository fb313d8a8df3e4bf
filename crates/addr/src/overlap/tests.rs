use super::*;
use proptest::prelude::*;

/// The verifier: it knows addresses and their order, and nothing of prefixes or of this crate.
fn verify<T>(certificate: &[Entry<T>]) -> bool {
    let mut before: Option<IpAddr> = None;
    for entry in certificate {
        if entry.first > entry.last {
            return false;
        }
        if before.is_some_and(|last| last >= entry.first) {
            return false;
        }
        before = Some(entry.last);
    }
    true
}

fn small() -> impl Strategy<Value = Cidr> {
    let v4 = (0u128..256, 24u8..=32).prop_map(|(n, len)| Cidr::from_bits(crate::Family::V4, 0x0a00_0000 + n, len));
    let v6 = (any::<u128>(), 0u8..=128).prop_map(|(n, len)| Cidr::from_bits(crate::Family::V6, n, len));
    prop_oneof![4 => v4, 1 => v6]
}

proptest! {
    #[test]
    fn overlaps_agree_with_every_pair(all in prop::collection::vec(small(), 0..24)) {
        let entries: Vec<(Cidr, usize)> = all.iter().copied().zip(0..).collect();
        let mut expected = Vec::new();
        for a in 0..all.len() {
            for b in a + 1..all.len() {
                let meet = all[a].family() == all[b].family()
                    && all[a].first() <= all[b].last()
                    && all[b].first() <= all[a].last();
                if meet {
                    expected.push((a, b));
                }
            }
        }
        prop_assert_eq!(&overlaps(&entries), &expected);
        match disjoint(&entries) {
            Err(pairs) => prop_assert_eq!(pairs, expected),
            Ok(certificate) => {
                prop_assert!(expected.is_empty());
                prop_assert!(verify(&certificate));
                prop_assert_eq!(certificate.len(), all.len());
                for entry in &certificate {
                    let cidr = all[entry.owner];
                    prop_assert_eq!((entry.first, entry.last), (cidr.first(), cidr.last()));
                }
            }
        }
    }

    #[test]
    fn subnets_of_one_prefix_are_proved_apart(len in 0u8..=24, extra in 0u8..=6) {
        let cidr = Cidr::new("10.0.0.0".parse().unwrap(), len).unwrap();
        let entries: Vec<(Cidr, ())> = cidr.subnets(len + extra).map(|c| (c, ())).collect();
        let certificate = disjoint(&entries).unwrap();
        prop_assert_eq!(certificate.len(), 1 << extra);
        prop_assert!(verify(&certificate));
        // The deny twin: the same list with the whole in it is refused, and so is a forged proof.
        let mut twice = entries;
        twice.push((cidr, ()));
        prop_assert_eq!(disjoint(&twice).unwrap_err().len(), 1 << extra);
        let mut forged = certificate.clone();
        forged.push(certificate[0].clone());
        prop_assert!(!verify(&forged));
    }
}
