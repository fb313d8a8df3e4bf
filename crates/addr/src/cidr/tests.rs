use super::*;

fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

#[test]
fn constants_and_ends() {
    const A: Cidr = Cidr::v4([10, 0, 0, 0], 8);
    const B: Cidr = Cidr::v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7);
    assert_eq!(A, cidr("10.0.0.0/8"));
    assert_eq!(B, cidr("fc00::/7"));
    assert_eq!(A.last().to_string(), "10.255.255.255");
    assert_eq!(B.last().to_string(), "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    assert_eq!(A.size(), 1 << 24);
    assert_eq!(cidr("::/0").size(), u128::MAX);
    assert_eq!(cidr("0.0.0.0/0").size(), 1 << 32);
    assert_eq!(format!("{A:>12}|{A:?}"), "  10.0.0.0/8|10.0.0.0/8");
}

#[test]
fn families_never_meet() {
    let (all4, all6) = (Family::V4.everything(), Family::V6.everything());
    assert!(!all6.covers(&all4) && !all4.covers(&all6) && !all4.overlaps(&all6));
    assert!(!all6.contains("10.0.0.1".parse().unwrap()));
}

#[test]
fn order_puts_a_prefix_before_what_it_covers() {
    let mut all: Vec<Cidr> =
        ["::/0", "10.0.0.0/16", "10.0.0.0/8", "9.0.0.0/8", "10.0.0.0/24"].into_iter().map(cidr).collect();
    all.sort();
    let shown: Vec<String> = all.iter().map(Cidr::to_string).collect();
    assert_eq!(shown, ["9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24", "::/0"]);
}

#[test]
fn halves_siblings_and_subnets() {
    let a = cidr("10.0.0.0/8");
    assert_eq!(a.halves(), Some([cidr("10.0.0.0/9"), cidr("10.128.0.0/9")]));
    assert_eq!(cidr("10.0.0.0/9").sibling(), Some(cidr("10.128.0.0/9")));
    assert_eq!(cidr("0.0.0.0/0").sibling(), None);
    assert_eq!(cidr("1.2.3.4/32").halves(), None);
    assert_eq!(cidr("::/0").supernet(), None);
    assert_eq!(a.subnets(10).count(), 4);
    assert_eq!(a.subnets(8).collect::<Vec<_>>(), [a]);
    assert_eq!(a.subnets(7).count(), 0);
    assert_eq!(a.subnets(33).count(), 0);
    assert_eq!(cidr("255.255.255.254/31").subnets(32).last(), Some(cidr("255.255.255.255/32")));
    assert_eq!(cidr("::/0").subnets(1).count(), 2);
    assert_eq!(cidr("::/0").subnets(128).nth(2), Some(cidr("::2/128")), "lazy");
}

#[test]
fn positions() {
    let a = cidr("10.0.0.0/24");
    assert_eq!(a.nth(10), Some("10.0.0.10".parse().unwrap()));
    assert_eq!(a.nth(256), None);
    assert_eq!(a.index_of("10.0.0.10".parse().unwrap()), Some(10));
    assert_eq!(a.index_of("10.0.1.0".parse().unwrap()), None);
    assert_eq!(cidr("::/0").nth(u128::MAX), Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap()));
}
