use super::*;
use proptest::prelude::*;

fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

#[test]
fn the_rows_are_in_order_and_nest() {
    assert!(REGISTRY.windows(2).all(|pair| pair[0].cidr < pair[1].cidr));
}

#[test]
fn classes() {
    let table = [
        ("10.3.0.0/16", Class::PrivateUse),
        ("172.31.255.0/24", Class::PrivateUse),
        ("172.32.0.0/16", Class::Public),
        ("172.0.0.0/8", Class::Mixed),
        ("192.168.0.0/16", Class::PrivateUse),
        ("100.64.0.0/10", Class::Shared),
        ("100.128.0.0/16", Class::Public),
        ("fd00::/8", Class::UniqueLocal),
        ("127.0.0.1/32", Class::Loopback),
        ("::1/128", Class::Loopback),
        ("::/128", Class::ThisNetwork),
        ("169.254.169.254/32", Class::LinkLocal),
        ("fe80::/64", Class::LinkLocal),
        ("239.1.0.0/16", Class::Multicast),
        ("ff02::/16", Class::Multicast),
        ("203.0.113.0/24", Class::Documentation),
        ("3fff:fff::/32", Class::Documentation),
        ("3fff:1000::/32", Class::Public),
        ("198.19.0.0/16", Class::Benchmarking),
        ("192.0.0.9/32", Class::Public),
        ("192.0.0.0/24", Class::Mixed),
        ("192.88.99.0/24", Class::Reserved),
        ("255.255.255.255/32", Class::Reserved),
        ("20.0.0.0/8", Class::Public),
        ("2603:1000::/24", Class::Public),
        ("2002::/16", Class::Reserved),
        ("fec0::/10", Class::Reserved),
        ("::10.0.0.0/104", Class::Reserved),
        ("240.0.0.0/4", Class::Reserved),
        ("0.0.0.0/0", Class::Mixed),
        ("::/0", Class::Mixed),
    ];
    for (text, class) in table {
        assert_eq!(Class::of(&cidr(text)), class, "{text}");
    }
}

#[test]
fn the_public_part_of_a_straddling_range() {
    let shown = |text: &str| public_part(&cidr(text)).iter().map(Cidr::to_string).collect::<Vec<_>>();
    assert_eq!(shown("10.0.0.0/8"), Vec::<String>::new());
    assert_eq!(shown("10.0.0.0/7"), ["11.0.0.0/8"]);
    assert_eq!(shown("172.0.0.0/11"), ["172.0.0.0/12"], "the private half is left out");
    assert_eq!(shown("52.0.0.0/8"), ["52.0.0.0/8"]);
    assert_eq!(shown("fc00::/6"), Vec::<String>::new());
    assert!(touches_public(&cidr("10.0.0.0/7")) && !is_globally_reachable(&cidr("10.0.0.0/7")));
    assert!(!touches_public(&cidr("100.64.0.0/10")));
}

#[test]
fn private_space_by_family() {
    let shown = |family| private_space(family).cidrs().map(|c| c.to_string()).collect::<Vec<_>>();
    assert_eq!(shown(Family::V4), ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"]);
    assert_eq!(shown(Family::V6), ["fc00::/7"]);
}

proptest! {
    #[test]
    fn parts_tile_the_range_and_agree_with_each_address(
        v6: bool, at: u128, len in 0u8..=128, probe: u128, row in 0..REGISTRY.len(), near: bool,
    ) {
        let family = if v6 { Family::V6 } else { Family::V4 };
        let (family, at) = if near {
            (REGISTRY[row].cidr.family(), REGISTRY[row].cidr.first_bits() ^ (at & 0xff))
        } else {
            (family, at & family.max_bits())
        };
        let cidr = Cidr::from_bits(family, at, len % (family.width() + 1));
        let parts = parts(&cidr);
        let mut next = Some(cidr.first_bits());
        for (range, _) in &parts {
            prop_assert_eq!(Some(range.first_bits()), next);
            next = range.last_bits().checked_add(1);
        }
        prop_assert_eq!(next, cidr.last_bits().checked_add(1));
        prop_assert!(parts.windows(2).all(|pair| pair[0].1 != pair[1].1));
        let host = cidr.first_bits() | (probe & family.host_mask(cidr.prefix_len()));
        let address = family.address(host);
        let part = parts.iter().find(|(range, _)| range.contains(address)).unwrap();
        prop_assert_eq!(part.1, Class::of(&Cidr::host(address)));
        prop_assert_eq!(
            public_part(&cidr).iter().any(|c| c.contains(address)),
            part.1 == Class::Public
        );
    }
}
