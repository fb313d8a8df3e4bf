//! What can be wrong with a written address or prefix.

use std::net::IpAddr;

use crate::cidr::{Cidr, Family};

/// Why a text is not an address or a prefix in the one form we accept.
///
/// The message is for the line under the user's own text; [`hint`](CidrError::hint) says what to
/// write instead. `text` is what was written, cut short when it is very long and with control
/// characters escaped.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CidrError {
    /// Nothing, or nothing but white space, was written.
    #[error("the {wanted} is empty")]
    Empty {
        /// What should stand there.
        wanted: Wanted,
    },
    /// White space before, after, or around the slash of something otherwise well-formed.
    #[error("`{text}` has white space {place}")]
    WhiteSpace {
        /// What was written.
        text: String,
        /// Where the white space stands.
        place: &'static str,
        /// The same without it.
        without: String,
    },
    /// An address without a prefix length where a prefix is wanted.
    #[error("`{address}` has no prefix length")]
    MissingLength {
        /// The address that was written.
        address: IpAddr,
    },
    /// A prefix where a single address is wanted.
    #[error("`{text}` is a range, not one address")]
    UnexpectedLength {
        /// What was written.
        text: String,
        /// The part before the slash.
        address: String,
    },
    /// An IPv4 octet with a leading zero, which some programs read as octal.
    #[error("`{octet}` in `{text}` has a leading zero")]
    LeadingZero {
        /// What was written.
        text: String,
        /// The octet.
        octet: String,
        /// The text with the zeros gone.
        without: String,
    },
    /// A prefix length with a leading zero.
    #[error("the prefix length `/{length}` in `{text}` has a leading zero")]
    LeadingZeroInLength {
        /// What was written.
        text: String,
        /// The length as written.
        length: String,
        /// The text with the zeros gone.
        without: String,
    },
    /// An IPv6 zone (`fe80::1%eth0`): it names an interface of one machine.
    #[error("`{text}` has the zone `%{zone}`")]
    Zone {
        /// What was written.
        text: String,
        /// The zone, without the percent sign.
        zone: String,
        /// The text without the zone.
        without: String,
    },
    /// An IPv4 address written as IPv6 (`::ffff:10.0.0.0/104`).
    #[error("`{text}` is an IPv4 address mapped into IPv6")]
    Mapped {
        /// What was written.
        text: String,
        /// The same in IPv4, if it says one.
        plain: Option<String>,
    },
    /// A prefix length longer than the address.
    #[error("the prefix length `/{length}` is too long for {family}")]
    LengthTooLong {
        /// The length as written.
        length: String,
        /// The family of the address before it.
        family: Family,
    },
    /// Something after the slash that is not a number: nothing at all, a sign, a netmask.
    #[error("`/{length}` in `{text}` is not a prefix length")]
    LengthNotANumber {
        /// What was written.
        text: String,
        /// What stands after the slash.
        length: String,
        /// The same range with a prefix length, where a netmask was written.
        from_netmask: Option<Cidr>,
    },
    /// More text after a complete address or prefix.
    #[error("`{rest}` after `{good}` does not belong there")]
    TrailingText {
        /// The well-formed beginning.
        good: String,
        /// What follows it.
        rest: String,
        /// The text without it.
        without: String,
    },
    /// A range written `FIRST-LAST` that runs backwards or from one family into the other.
    #[error("`{text}` does not run from a lower to a higher address")]
    NotAscending {
        /// What was written.
        text: String,
    },
    /// Not an IPv4 or IPv6 address at all.
    #[error("`{text}` is not an IP address")]
    NotAnAddress {
        /// What was written where the address should stand.
        text: String,
        /// What kept it from being one, where that can be said.
        because: Option<&'static str>,
    },
    /// A prefix whose address has bits set beyond its length. Only [`str::parse`] refuses these;
    /// [`Cidr::parse`] reports them in its result.
    #[error("`{address}/{}` has host bits set", cidr.prefix_len())]
    HostBits {
        /// The address as written.
        address: IpAddr,
        /// The prefix it lies in.
        cidr: Cidr,
    },
}

/// What a text should have been.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A single address.
    Address,
    /// A prefix.
    Range,
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Wanted::Address => "address",
            Wanted::Range => "address range",
        })
    }
}

impl CidrError {
    /// What to write instead, where that can be said.
    pub fn hint(&self) -> Option<String> {
        let write = |text: &dyn std::fmt::Display| Some(format!("write `{text}`"));
        match self {
            CidrError::Empty { wanted } => Some(
                match wanted {
                    Wanted::Address => "write an address such as `10.0.0.4` or `fd00::4`",
                    Wanted::Range => "write an address and a prefix length such as `10.0.0.0/16` or `fd00::/64`",
                }
                .to_owned(),
            ),
            CidrError::WhiteSpace { without, .. } => write(without),
            CidrError::MissingLength { address } => Some(format!(
                "write `{}` for this one address, or the prefix length of the range you mean",
                Cidr::host(*address)
            )),
            CidrError::UnexpectedLength { address, .. } => Some(format!("write `{address}` without the prefix length")),
            CidrError::LeadingZero { without, .. } => {
                Some(format!("some programs read a leading zero as octal; write `{without}` if decimal is meant"))
            }
            CidrError::LeadingZeroInLength { without, .. } => write(without),
            CidrError::Zone { without, .. } => {
                Some(format!("a zone names an interface of one machine; write `{without}`"))
            }
            CidrError::Mapped { plain, .. } => match plain {
                Some(plain) => Some(format!("write it as IPv4: `{plain}`")),
                None => Some("write IPv4 ranges as IPv4".to_owned()),
            },
            CidrError::LengthTooLong { family, .. } => {
                Some(format!("an {family} prefix length is between 0 and {}", family.width()))
            }
            CidrError::LengthNotANumber { from_netmask, .. } => match from_netmask {
                Some(cidr) => Some(format!("write `{cidr}` instead of a netmask")),
                None => Some("a prefix length is a whole number, such as the 16 in `10.0.0.0/16`".to_owned()),
            },
            CidrError::TrailingText { rest, without, .. } => {
                if rest.starts_with([',', ';', ' ']) {
                    Some("write several values as the items of a list".to_owned())
                } else {
                    write(without)
                }
            }
            CidrError::NotAscending { .. } => {
                Some("write the lower address first, and two addresses of one family".to_owned())
            }
            CidrError::NotAnAddress { because, .. } => because.map(str::to_owned),
            CidrError::HostBits { address, cidr } => {
                Some(format!("write `{cidr}` for the range, or `{}` for the one address", Cidr::host(*address)))
            }
        }
    }
}
