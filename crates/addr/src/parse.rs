//! Reading addresses and prefixes, strictly: a text that two programs could read differently is
//! refused, with the reason.
//!
//! Those are leading zeros (octal to some), IPv4-mapped IPv6, zones, white space, netmasks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::cidr::{Cidr, Family};
use crate::error::{CidrError, Wanted};
use crate::range::AddressRange;

/// Texts longer than this are not searched for slips: nobody mistyped an address by that much.
const LONGEST_LOOKED_AT: usize = 200;

/// A prefix as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// The prefix with its host bits cut off.
    pub cidr: Cidr,
    /// The address as written, if it had host bits: `10.0.0.7` in `10.0.0.7/24`.
    pub host_bits: Option<IpAddr>,
}

impl Cidr {
    /// Reads a prefix: an address, a slash, a length. Host bits are reported in the result and are
    /// not an error here, because what they mean depends on where the text stands. `/0` is a prefix.
    ///
    /// # Errors
    ///
    /// A [`CidrError`] that says what is wrong with the text. Never panics, whatever the text.
    pub fn parse(text: &str) -> Result<Parsed, CidrError> {
        let text = without_white_space(text, Wanted::Range)?;
        let Some((before, after)) = text.split_once('/') else {
            let address = address_part(text, text)?;
            return Err(CidrError::MissingLength { address });
        };
        let address = match address_part(before, text) {
            // The length belongs to the plain form of a mapped address: /104 there is /8 here.
            Err(CidrError::Mapped { text: shown, .. }) => {
                return Err(CidrError::Mapped { text: shown, plain: plain_of_mapped(before, after) });
            }
            other => other?,
        };
        let len = length_part(address, before, after, text)?;
        let cidr = Cidr::from_bits(Family::of(address), crate::cidr::bits_of(address), len);
        let host_bits = (cidr.first() != address).then_some(address);
        Ok(Parsed { cidr, host_bits })
    }
}

/// Reads one address, as strictly as [`Cidr::parse`].
///
/// # Errors
///
/// A [`CidrError`] that says what is wrong with the text. Never panics, whatever the text.
pub fn parse_address(text: &str) -> Result<IpAddr, CidrError> {
    let text = without_white_space(text, Wanted::Address)?;
    if let Some((before, after)) = text.split_once('/') {
        let address = address_part(before, text)?;
        length_part(address, before, after, text)?;
        return Err(CidrError::UnexpectedLength { text: excerpt(text), address: address.to_string() });
    }
    address_part(text, text)
}

impl FromStr for Cidr {
    type Err = CidrError;

    /// Reads a prefix and refuses host bits; use [`Cidr::parse`] to be told of them instead.
    fn from_str(text: &str) -> Result<Cidr, CidrError> {
        let parsed = Cidr::parse(text)?;
        match parsed.host_bits {
            None => Ok(parsed.cidr),
            Some(address) => Err(CidrError::HostBits { address, cidr: parsed.cidr }),
        }
    }
}

impl FromStr for AddressRange {
    type Err = CidrError;

    /// Reads `FIRST-LAST` without white space, a prefix without host bits, or one address.
    fn from_str(text: &str) -> Result<AddressRange, CidrError> {
        let text = without_white_space(text, Wanted::Range)?;
        if let Some((first, last)) = text.split_once('-') {
            let (first, last) = (parse_address(first)?, parse_address(last)?);
            return AddressRange::new(first, last).ok_or_else(|| CidrError::NotAscending { text: excerpt(text) });
        }
        match text.parse::<Cidr>() {
            Err(CidrError::MissingLength { address }) => Ok(Cidr::host(address).into()),
            other => other.map(AddressRange::from),
        }
    }
}

/// The text, if it neither is empty nor has white space at its ends or at the slash.
fn without_white_space(text: &str, wanted: Wanted) -> Result<&str, CidrError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(CidrError::Empty { wanted });
    }
    let (place, without) = match trimmed.split_once('/') {
        _ if trimmed.len() != text.len() => ("around it", excerpt(trimmed)),
        Some((before, after)) if before.trim_end() != before || after.trim_start() != after => {
            ("around the slash", format!("{}/{}", excerpt(before.trim_end()), excerpt(after.trim_start())))
        }
        _ => return Ok(text),
    };
    Err(CidrError::WhiteSpace { text: excerpt(text), place, without })
}

/// Reads the address; `whole` is the text it was taken from, for the message.
fn address_part(part: &str, whole: &str) -> Result<IpAddr, CidrError> {
    if let Ok(address) = part.parse::<IpAddr>() {
        return match address {
            IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => {
                Err(CidrError::Mapped { text: excerpt(whole), plain: v6.to_ipv4_mapped().map(|v4| v4.to_string()) })
            }
            _ => Ok(address),
        };
    }
    if let Some((before, zone)) = part.split_once('%')
        && before.parse::<Ipv6Addr>().is_ok()
    {
        return Err(CidrError::Zone {
            text: excerpt(whole),
            zone: excerpt(zone),
            without: format!("{before}{}", excerpt(tail_of(part, whole))),
        });
    }
    if let Some((octet, without)) = leading_zero(part) {
        return Err(CidrError::LeadingZero {
            text: excerpt(whole),
            octet: excerpt(octet),
            without: format!("{without}{}", excerpt(tail_of(part, whole))),
        });
    }
    if let Some((good, rest)) = split_where(part, |c| !(c.is_ascii_hexdigit() || c == '.' || c == ':'))
        && good.parse::<IpAddr>().is_ok()
    {
        return Err(CidrError::TrailingText {
            good: good.to_owned(),
            rest: excerpt(rest),
            without: format!("{good}{}", excerpt(tail_of(part, whole))),
        });
    }
    Err(CidrError::NotAnAddress { text: excerpt(part), because: why_not(part) })
}

/// Reads the length after the slash.
fn length_part(address: IpAddr, before: &str, after: &str, whole: &str) -> Result<u8, CidrError> {
    let family = Family::of(address);
    let (digits, rest) = split_where(after, |c| !c.is_ascii_digit()).unwrap_or((after, ""));
    if digits.is_empty() || looks_like_netmask(after) {
        return Err(CidrError::LengthNotANumber {
            text: excerpt(whole),
            length: excerpt(after),
            from_netmask: netmask_len(after).filter(|_| family == Family::V4).and_then(|len| Cidr::new(address, len)),
        });
    }
    let number = digits.trim_start_matches('0');
    let number = if number.is_empty() { "0" } else { number };
    // More digits than a number can hold are too long a prefix too.
    let len = match number.parse::<u8>() {
        Ok(len) if len <= family.width() => len,
        _ => {
            return Err(CidrError::LengthTooLong { length: excerpt(digits), family });
        }
    };
    if !rest.is_empty() {
        return Err(CidrError::TrailingText {
            good: format!("{before}/{len}"),
            rest: excerpt(rest),
            without: format!("{before}/{len}"),
        });
    }
    if number != digits {
        return Err(CidrError::LeadingZeroInLength {
            text: excerpt(whole),
            length: excerpt(digits),
            without: format!("{before}/{len}"),
        });
    }
    Ok(len)
}

/// Splits before the first character that matches; `None` if there is none.
fn split_where(text: &str, matches: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    text.find(matches).and_then(|at| text.split_at_checked(at))
}

/// What stands in the whole text after its address part.
fn tail_of<'a>(part: &str, whole: &'a str) -> &'a str {
    whole.strip_prefix(part).unwrap_or("")
}

/// The first octet with a leading zero, and the address with all such zeros gone, if that is the
/// only thing wrong with it. Looks at the dotted end of an IPv6 address too.
fn leading_zero(part: &str) -> Option<(&str, String)> {
    if part.len() > LONGEST_LOOKED_AT {
        return None;
    }
    let (head, dotted) = match part.rfind(':') {
        Some(colon) => part.split_at_checked(colon + 1)?,
        None => ("", part),
    };
    let octets: Vec<&str> = dotted.split('.').collect();
    let plain: Vec<&str> = octets
        .iter()
        .map(|octet| match octet.trim_start_matches('0') {
            "" if !octet.is_empty() => "0",
            rest => rest,
        })
        .collect();
    let without = format!("{head}{}", plain.join("."));
    without.parse::<IpAddr>().ok()?;
    let octet = octets.iter().zip(&plain).find(|(was, is)| was != is)?.0;
    Some((octet, without))
}

/// Why a text is not an address, for the common slips.
fn why_not(part: &str) -> Option<&'static str> {
    if part.is_empty() {
        return Some("an address stands before the slash");
    }
    if part.contains(':') {
        return Some(
            "an IPv6 address has eight groups of up to four hexadecimal digits, or `::` once for a run of zeros",
        );
    }
    if part.len() > LONGEST_LOOKED_AT {
        return None;
    }
    let octets: Vec<&str> = part.split('.').collect();
    let numbers = octets.iter().all(|o| !o.is_empty() && o.chars().all(|c| c.is_ascii_digit()));
    match (numbers, octets.len()) {
        (true, 4) => Some("each of the four numbers of an IPv4 address is at most 255"),
        (true, _) => Some("an IPv4 address has four numbers with dots between them"),
        _ => None,
    }
}

/// The plain form of a mapped prefix, if the length leaves one: `/104` of 128 is `/8` of 32.
fn plain_of_mapped(before: &str, after: &str) -> Option<String> {
    let v4 = before.parse::<Ipv6Addr>().ok()?.to_ipv4_mapped()?;
    let len = after.parse::<u8>().ok()?.checked_sub(96)?;
    Cidr::new(IpAddr::V4(v4), len).map(|cidr| cidr.to_string())
}

/// Whether somebody wrote a netmask after the slash.
fn looks_like_netmask(after: &str) -> bool {
    after.contains('.') && after.parse::<Ipv4Addr>().is_ok()
}

/// The prefix length of a netmask of ones followed by zeros.
fn netmask_len(after: &str) -> Option<u8> {
    let mask = after.parse::<Ipv4Addr>().ok()?.to_bits();
    let len = mask.leading_ones();
    (mask.count_ones() == len).then(|| u8::try_from(len).ok()).flatten()
}

/// What was written, fit for a message: unseen characters escaped, and cut after about 80.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown = String::new();
    let mut room = LONGEST;
    for c in text.chars() {
        if room == 0 {
            shown.push('…');
            break;
        }
        let before = shown.len();
        // What nobody would see, or what would reorder the message on the screen.
        let unseen = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if c.is_control() || unseen || (c.is_whitespace() && c != ' ') {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        // An escape takes the room of the characters it is made of.
        let took = if shown.ends_with(c) { 1 } else { shown.len() - before };
        room = room.saturating_sub(took);
    }
    shown
}

#[cfg(test)]
mod tests;
