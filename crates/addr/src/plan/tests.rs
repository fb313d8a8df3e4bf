use super::*;
use proptest::prelude::*;

const BASE: u128 = 0x0a00_0000;

fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

fn want(name: &str, len: u8) -> Request {
    Request::new(name, Family::V4, len).unwrap()
}

/// Whether the requests have a place, by trying them all. `free` has a bit for each of 32 addresses.
fn possible(free: u32, homes: &[(u32, u32)], lens: &[u8]) -> bool {
    let Some((&len, rest)) = lens.split_first() else {
        return true;
    };
    let size = 1u32 << (32 - len);
    (0..32).step_by(size as usize).any(|at| {
        let block = (((1u64 << size) - 1) << at) as u32;
        free & block == block
            && homes.iter().any(|&(first, last)| first <= at && at + size - 1 <= last)
            && possible(free & !block, homes, rest)
    })
}

fn verify(proof: &NoFit, requests: &[(u8, u8)], free: &[Cidr]) -> bool {
    let blocks = |lens: &mut dyn Iterator<Item = u8>| -> u128 {
        lens.filter(|len| *len <= proof.prefix_len).map(|len| 1u128 << (proof.prefix_len - len)).sum()
    };
    let demand = blocks(&mut requests.iter().map(|(len, growth)| len - growth));
    let capacity = blocks(&mut free.iter().map(Cidr::prefix_len));
    (demand, capacity) == (proof.demand, proof.capacity) && demand > capacity && proof.short_by == demand - capacity
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn it_fits_exactly_if_any_placement_does(
        space in prop::collection::vec((0u128..32, 27u8..=30), 1..4),
        taken in prop::collection::vec((0u128..40, 29u8..=32), 0..5),
        wanted in prop::collection::vec((28u8..=32, 0u8..=1), 0..6),
    ) {
        let block = |(at, len): (u128, u8)| Cidr::from_bits(Family::V4, BASE + at, len);
        let space: Vec<Cidr> = space.into_iter().map(block).collect();
        let taken: Vec<Cidr> = taken.into_iter().map(block).collect();
        let requests: Vec<Request> = wanted
            .iter()
            .map(|&(len, growth)| want(&format!("r{len}"), len).growing(growth).unwrap())
            .collect();

        let open: RangeSet = space.iter().copied().collect();
        let open = open.difference(&taken.iter().copied().collect());
        let free = (0..32).filter(|n| open.contains(Family::V4.address(BASE + n)));
        let free = free.fold(0u32, |bits, n| bits | (1 << n));
        let homes: Vec<(u32, u32)> = space
            .iter()
            .map(|c| ((c.first_bits() - BASE) as u32, (c.last_bits() - BASE) as u32))
            .collect();
        let lens: Vec<u8> = wanted.iter().map(|(len, growth)| len - growth).collect();
        let expected = possible(free, &homes, &lens);

        match plan(&space, &taken, &requests) {
            Ok(placed) => {
                prop_assert!(expected);
                prop_assert_eq!(placed.len(), requests.len());
                for (n, (placement, &(len, growth))) in placed.iter().zip(&wanted).enumerate() {
                    prop_assert_eq!(placement.cidr.prefix_len(), len);
                    prop_assert_eq!(placement.reserved.prefix_len(), len - growth);
                    prop_assert!(placement.reserved.covers(&placement.cidr));
                    prop_assert!(space.iter().any(|home| home.covers(&placement.reserved)));
                    prop_assert!(!taken.iter().any(|used| used.overlaps(&placement.reserved)));
                    prop_assert!(!placed[..n].iter().any(|p| p.reserved.overlaps(&placement.reserved)));
                }
            }
            Err(proof) => {
                prop_assert!(!expected, "{proof}");
                let blocks: Vec<Cidr> = free_blocks(&space, &taken).iter().collect();
                prop_assert!(verify(&proof, &wanted, &blocks), "{:?}", proof);
            }
        }
    }

    #[test]
    fn the_smallest_prefix_holds_and_the_next_does_not(n: u128, shift in 0u32..128, v6: bool) {
        let family = if v6 { Family::V6 } else { Family::V4 };
        let n = n >> shift;
        match smallest_prefix_for(n, family) {
            Some(len) => {
                prop_assert!(family.everything().subnets(len).next().unwrap().size() >= n);
                if len < family.width() {
                    let next = family.everything().subnets(len + 1).next().unwrap();
                    prop_assert!(next.size() < n);
                }
            }
            None => prop_assert!(family.everything().size() < n),
        }
    }
}

#[test]
fn large_first_and_lowest_address() {
    let requests = [want("small", 26), want("big", 24), want("middle", 25)];
    let placed = plan(&[cidr("10.0.0.0/23")], &[cidr("10.0.0.0/28")], &requests).unwrap();
    let shown: Vec<String> = placed.iter().map(|p| format!("{} {}", p.name, p.cidr)).collect();
    assert_eq!(shown, ["small 10.0.0.64/26", "big 10.0.1.0/24", "middle 10.0.0.128/25"]);
}

#[test]
fn a_failure_says_why_in_one_line() {
    let requests = [want("a", 25), want("b", 25), want("c", 26)];
    let proof = plan(&[cidr("10.0.0.0/24")], &[cidr("10.0.0.7/32")], &requests).unwrap_err();
    assert_eq!(
        proof.to_string(),
        "no room for `b`: the requests for /25 and larger need 2 blocks of /25, the free space holds 1"
    );
    assert_eq!(proof.short_by, 1);
    assert_eq!(proof.levels.first(), Some(&Level { prefix_len: 25, free: 1, wanted: 2 }));
}

#[test]
fn neighbours_in_the_space_are_not_merged() {
    let halves = [cidr("10.0.0.0/25"), cidr("10.0.0.128/25")];
    assert!(plan(&halves, &[], &[want("a", 24)]).is_err());
    assert!(plan(&[cidr("10.0.0.0/24")], &[], &[want("a", 24)]).is_ok());
}

#[test]
fn families_are_apart() {
    let six = |name: &str, len| Request::new(name, Family::V6, len).unwrap();
    let space = [cidr("10.0.0.0/24"), cidr("fd00::/48")];
    let placed = plan(&space, &[], &[six("v6", 64), want("v4", 25)]).unwrap();
    assert_eq!(placed[0].cidr, cidr("fd00::/64"));
    assert_eq!(placed[1].cidr, cidr("10.0.0.0/25"));
    let proof = plan(&space[..1], &[], &[six("v6", 64)]).unwrap_err();
    assert_eq!((proof.capacity, proof.demand), (0, 1));
    assert_eq!(Request::new("long", Family::V4, 33), None);
    assert_eq!(want("grown", 8).growing(9), None);
}

#[test]
fn the_whole_of_ipv6_counts_right() {
    let six = |len| Request::new("x", Family::V6, len).unwrap();
    let proof = plan(&[cidr("::/0")], &[], &[six(0), six(128)]).unwrap_err();
    assert_eq!((proof.prefix_len, proof.short_by), (128, 1));
}

#[test]
fn the_smallest_prefix() {
    let table = [
        (0, Family::V4, Some(32)),
        (1, Family::V4, Some(32)),
        (2, Family::V4, Some(31)),
        (256, Family::V4, Some(24)),
        (257, Family::V4, Some(23)),
        (1 << 32, Family::V4, Some(0)),
        ((1 << 32) + 1, Family::V4, None),
        (u128::MAX, Family::V6, Some(0)),
    ];
    for (n, family, len) in table {
        assert_eq!(smallest_prefix_for(n, family), len, "{n} {family}");
    }
}
