//! A prefix as Go reads it, and as `iptables-restore` reads what Go let through.
//!
//! The two disagree: Go takes the length as decimal whatever zeros stand before it, iptables takes a leading zero as
//! octal, and an IPv4 address mapped into IPv6 is IPv4 to Go and 128 bits wide to nobody but it
//! (iptables 1.8.9, both back ends, tried November 2026).

use causeway_addr::Cidr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A text that Go's `net.ParseCIDR` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GoCidr {
    address: IpAddr,
    /// As Go counts it: up to 32, or up to 128 also for mapped addresses.
    length: u8,
}

impl GoCidr {
    /// `None` where Go says `invalid CIDR address`.
    pub(super) fn parse(text: &str) -> Option<GoCidr> {
        let (address, length) = text.split_once('/')?;
        let address: IpAddr = match address.parse::<Ipv4Addr>() {
            Ok(v4) => v4.into(),
            Err(_) => address.parse::<Ipv6Addr>().ok()?.into(),
        };
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = length.trim_start_matches('0');
        let length: u8 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        let width = if address.is_ipv4() { 32 } else { 128 };
        (length <= width).then_some(GoCidr { address, length })
    }

    /// The IPv4 address inside a mapped one.
    fn mapped(self) -> Option<Ipv4Addr> {
        match self.address {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => v6.to_ipv4_mapped(),
        }
    }

    /// It is mapped, which Go takes for IPv4 and nothing else can use.
    pub(super) fn is_mapped(self) -> bool {
        self.mapped().is_some()
    }

    /// Whether Go files it under IPv6.
    pub(super) fn is_v6(self) -> bool {
        self.address.is_ipv6() && self.mapped().is_none()
    }

    /// The prefix with its host bits cut; for a mapped one in its 128 bits.
    pub(super) fn masked(self) -> Option<Cidr> {
        Cidr::new(self.address, self.length)
    }

    /// The address is the first of the prefix.
    pub(super) fn is_aligned(self) -> bool {
        self.masked().is_some_and(|cidr| cidr.addr() == self.address)
    }

    /// The address as Go prints it.
    pub(super) fn address_text(self) -> String {
        self.mapped().map_or_else(|| self.address.to_string(), |v4| v4.to_string())
    }

    /// The network as Go prints it.
    pub(super) fn network_text(self) -> String {
        let Some(cidr) = self.masked() else {
            return String::new();
        };
        match (cidr.addr(), self.length.checked_sub(96)) {
            (IpAddr::V6(v6), Some(length)) => match v6.to_ipv4_mapped() {
                Some(v4) => format!("{v4}/{length}"),
                None => cidr.to_string(),
            },
            _ => cidr.to_string(),
        }
    }

    /// The prefix it says, host bits cut, a mapped one in its IPv4 form: what its writer meant.
    pub(super) fn meant(self) -> Option<Cidr> {
        match (self.mapped(), self.length.checked_sub(96)) {
            (Some(v4), Some(length)) => Cidr::new(v4.into(), length),
            (Some(_), None) => None,
            (None, _) => self.masked(),
        }
    }

    /// What the kernel gets when the text stands in a rule.
    ///
    /// # Errors
    /// The mask `iptables-restore` refuses.
    pub(super) fn programmed(self, text: &str) -> Result<Cidr, String> {
        let mask = text.rsplit_once('/').map_or("", |(_, mask)| mask);
        let refused = || mask.to_owned();
        if self.is_mapped() {
            // It is handed to the IPv4 program, to which no length of such a prefix that Go calls aligned is one.
            return Err(refused());
        }
        let length = match mask.strip_prefix('0') {
            Some(octal) if !octal.is_empty() => u8::from_str_radix(octal, 8).map_err(|_| refused())?,
            _ => self.length,
        };
        Cidr::new(self.address, length).ok_or_else(refused)
    }
}

/// A prefix as Go's `netip.ParsePrefix` takes it (Cilium): no zeros before the length, no zone.
pub(super) fn parse_prefix(text: &str) -> Option<GoCidr> {
    let (_, length) = text.rsplit_once('/')?;
    if length.len() > 1 && length.starts_with('0') {
        return None;
    }
    GoCidr::parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_takes() {
        for text in [
            "10.0.0.0/8",
            "0.0.0.0/0",
            "10.0.0.0/08",
            "10.0.0.0/0000016",
            "10.0.0.1/8",
            "fd00::/8",
            "::/0",
            "::ffff:10.0.0.0/104",
            "FD00::/8",
            "10.0.0.1/32",
            "::1.2.3.4/128",
        ] {
            assert!(GoCidr::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "10.0.0.0",
            "10.0.0.0/",
            "10.0.0.0/33",
            "010.0.0.0/8",
            "10.0.0/8",
            "10.256.0.0/16",
            " 10.0.0.0/8",
            "10.0.0.0/8 ",
            "10.0.0.0/-8",
            "10.0.0.0/+8",
            "10.0.0.0/8.0",
            "10.0.0.0/255.0.0.0",
            "fe80::1%eth0/64",
            "fd00::/129",
            "notacidr",
            "10.0.0.0/99999999999",
            "10.0.0.0/8/8",
            "1:2:3:4:5:6:7:8::/64",
            "12345::/16",
        ] {
            assert!(GoCidr::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_go_calls_aligned_and_how_it_prints_the_rest() {
        for (text, aligned, address, network) in [
            ("10.0.0.0/8", true, "10.0.0.0", "10.0.0.0/8"),
            ("10.0.0.1/8", false, "10.0.0.1", "10.0.0.0/8"),
            ("FD00::1/8", false, "fd00::1", "fd00::/8"),
            ("::ffff:10.0.0.0/104", true, "10.0.0.0", "10.0.0.0/8"),
            ("::ffff:10.0.0.1/104", false, "10.0.0.1", "10.0.0.0/8"),
            ("::ffff:10.0.0.0/40", false, "10.0.0.0", "::/40"),
        ] {
            let cidr = GoCidr::parse(text).unwrap();
            assert_eq!(
                (cidr.is_aligned(), cidr.address_text().as_str(), cidr.network_text().as_str()),
                (aligned, address, network),
                "{text}"
            );
        }
    }

    #[test]
    fn what_iptables_makes_of_it() {
        for (text, programmed) in [
            ("10.0.0.0/8", Ok("10.0.0.0/8")),
            ("10.0.0.0/08", Err("08")),
            ("10.0.0.0/008", Err("008")),
            ("10.0.0.0/010", Ok("10.0.0.0/8")),
            ("10.0.0.0/016", Ok("10.0.0.0/14")),
            ("0.0.0.0/00", Ok("0.0.0.0/0")),
            ("::ffff:10.0.0.0/104", Err("104")),
            ("fd00::/064", Ok("fd00::/52")),
            ("fd00::/08", Err("08")),
            ("fe80::/010", Ok("fe00::/8")),
        ] {
            let cidr = GoCidr::parse(text).unwrap();
            let expected = programmed.map(|text| text.parse::<Cidr>().unwrap()).map_err(str::to_owned);
            assert_eq!(cidr.programmed(text), expected, "{text}");
        }
    }

    #[test]
    fn cilium_takes_no_zeros_before_the_length() {
        assert!(parse_prefix("10.0.0.0/08").is_none());
        assert!(parse_prefix("10.0.0.0/0").is_some());
        assert!(parse_prefix("2.2.2.2/16").is_some());
    }
}
