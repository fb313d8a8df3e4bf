use super::*;

fn told(text: &str) -> (String, String) {
    let error = Cidr::parse(text).expect_err(text);
    (error.to_string(), error.hint().unwrap_or_default())
}

#[test]
fn host_bits_are_reported() {
    let parsed = Cidr::parse("10.0.0.7/24").unwrap();
    assert_eq!(parsed.cidr.to_string(), "10.0.0.0/24");
    assert_eq!(parsed.host_bits, Some("10.0.0.7".parse().unwrap()));
    assert_eq!(Cidr::parse("0.0.0.0/0").unwrap().host_bits, None);
    assert!(matches!("10.0.0.7/24".parse::<Cidr>(), Err(CidrError::HostBits { .. })));
}

#[test]
fn each_mistake_has_its_own_words() {
    let table: &[(&str, &str, &str)] = &[
        ("", "the address range is empty", "write an address and a prefix length such as `10.0.0.0/16` or `fd00::/64`"),
        (
            " \t",
            "the address range is empty",
            "write an address and a prefix length such as `10.0.0.0/16` or `fd00::/64`",
        ),
        (" 10.0.0.0/8", "` 10.0.0.0/8` has white space around it", "write `10.0.0.0/8`"),
        ("10.0.0.0/8\n", "`10.0.0.0/8\\n` has white space around it", "write `10.0.0.0/8`"),
        ("10.0.0.0 / 8", "`10.0.0.0 / 8` has white space around the slash", "write `10.0.0.0/8`"),
        (
            "10.0.0.0",
            "`10.0.0.0` has no prefix length",
            "write `10.0.0.0/32` for this one address, or the prefix length of the range you mean",
        ),
        (
            "fd00::1",
            "`fd00::1` has no prefix length",
            "write `fd00::1/128` for this one address, or the prefix length of the range you mean",
        ),
        (
            "10.0.010.0/24",
            "`010` in `10.0.010.0/24` has a leading zero",
            "some programs read a leading zero as octal; write `10.0.10.0/24` if decimal is meant",
        ),
        (
            "10.0.00.0/24",
            "`00` in `10.0.00.0/24` has a leading zero",
            "some programs read a leading zero as octal; write `10.0.0.0/24` if decimal is meant",
        ),
        ("10.0.0.0/08", "the prefix length `/08` in `10.0.0.0/08` has a leading zero", "write `10.0.0.0/8`"),
        ("10.0.0.0/00", "the prefix length `/00` in `10.0.0.0/00` has a leading zero", "write `10.0.0.0/0`"),
        (
            "fe80::1%eth0/64",
            "`fe80::1%eth0/64` has the zone `%eth0`",
            "a zone names an interface of one machine; write `fe80::1/64`",
        ),
        (
            "::ffff:10.0.0.0/104",
            "`::ffff:10.0.0.0/104` is an IPv4 address mapped into IPv6",
            "write it as IPv4: `10.0.0.0/8`",
        ),
        (
            "::ffff:a00:0/104",
            "`::ffff:a00:0/104` is an IPv4 address mapped into IPv6",
            "write it as IPv4: `10.0.0.0/8`",
        ),
        ("::ffff:0:0/90", "`::ffff:0:0/90` is an IPv4 address mapped into IPv6", "write IPv4 ranges as IPv4"),
        ("10.0.0.0/33", "the prefix length `/33` is too long for IPv4", "an IPv4 prefix length is between 0 and 32"),
        ("fd00::/129", "the prefix length `/129` is too long for IPv6", "an IPv6 prefix length is between 0 and 128"),
        (
            "10.0.0.0/99999999999",
            "the prefix length `/99999999999` is too long for IPv4",
            "an IPv4 prefix length is between 0 and 32",
        ),
        (
            "10.0.0.0/",
            "`/` in `10.0.0.0/` is not a prefix length",
            "a prefix length is a whole number, such as the 16 in `10.0.0.0/16`",
        ),
        (
            "10.0.0.0/-8",
            "`/-8` in `10.0.0.0/-8` is not a prefix length",
            "a prefix length is a whole number, such as the 16 in `10.0.0.0/16`",
        ),
        (
            "10.0.0.0/255.255.0.0",
            "`/255.255.0.0` in `10.0.0.0/255.255.0.0` is not a prefix length",
            "write `10.0.0.0/16` instead of a netmask",
        ),
        ("10.0.0.0/8x", "`x` after `10.0.0.0/8` does not belong there", "write `10.0.0.0/8`"),
        (
            "10.0.0.0/8,10.1.0.0/16",
            "`,10.1.0.0/16` after `10.0.0.0/8` does not belong there",
            "write several values as the items of a list",
        ),
        ("10.0.0.0\u{200b}/8", "`\\u{200b}` after `10.0.0.0` does not belong there", "write `10.0.0.0/8`"),
        ("10.0.0/24", "`10.0.0` is not an IP address", "an IPv4 address has four numbers with dots between them"),
        (
            "10.0.0.256/24",
            "`10.0.0.256` is not an IP address",
            "each of the four numbers of an IPv4 address is at most 255",
        ),
        ("/24", "`` is not an IP address", "an address stands before the slash"),
        ("VirtualNetwork", "`VirtualNetwork` is not an IP address", ""),
    ];
    for (text, message, hint) in table {
        assert_eq!(told(text), ((*message).to_owned(), (*hint).to_owned()), "{text:?}");
    }
}

#[test]
fn one_address() {
    assert_eq!(parse_address("10.0.0.4"), Ok("10.0.0.4".parse().unwrap()));
    assert!(matches!(parse_address("10.0.0.4/32"), Err(CidrError::UnexpectedLength { .. })));
    assert!(matches!(
        parse_address("::ffff:10.0.0.4"),
        Err(CidrError::Mapped { plain: Some(plain), .. }) if plain == "10.0.0.4"
    ));
    assert!(matches!(parse_address("10.0.0.4, 10.0.0.5"), Err(CidrError::TrailingText { .. })));
}

#[test]
fn ranges_of_two_addresses() {
    let read = |text: &str| text.parse::<AddressRange>();
    let shown = |text: &str| read(text).unwrap().to_string();
    assert_eq!(shown("10.0.0.4-10.0.0.9"), "10.0.0.4-10.0.0.9");
    assert_eq!(shown("10.0.0.0-10.0.0.255"), "10.0.0.0/24");
    assert_eq!(shown("10.0.0.0/8"), "10.0.0.0/8");
    assert_eq!(shown("fd00::1"), "fd00::1/128");
    for backwards in ["10.0.0.9-10.0.0.4", "10.0.0.0-::1"] {
        assert!(matches!(read(backwards), Err(CidrError::NotAscending { .. })));
    }
    assert!(matches!(read("10.0.0.1/8"), Err(CidrError::HostBits { .. })));
    assert!(matches!(read("10.0.0.4 - 10.0.0.9"), Err(CidrError::WhiteSpace { .. } | CidrError::TrailingText { .. })));
    assert!(matches!(read("10.0.0.0-"), Err(CidrError::Empty { .. })));
}
