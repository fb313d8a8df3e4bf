//! What reading a text promises, whatever the text. Shared with the fuzz target `cidr_parse`.

use std::net::IpAddr;

use causeway_addr::{AddressRange, Cidr, CidrError, Parsed, parse_address};

/// Panics if a promise is broken.
pub(crate) fn of_reading(text: &str) {
    let prefix = Cidr::parse(text);
    let address = parse_address(text);
    let strict = text.parse::<Cidr>();
    let range = text.parse::<AddressRange>();

    match &prefix {
        Ok(parsed) => {
            let cidr = parsed.cidr;
            let written = parsed.host_bits.unwrap_or(cidr.first());
            // What was read is what stands there: nothing was skipped, trimmed or guessed.
            let (before, after) = text.split_once('/').unwrap_or_default();
            assert_eq!(before.parse::<IpAddr>(), Ok(written));
            assert_eq!(after, cidr.prefix_len().to_string());
            assert!(cidr.contains(written));
            assert_eq!(parsed.host_bits.is_some(), written != cidr.first());
            // Written out and read again it is the same, whole and without host bits.
            let again = Parsed { cidr, host_bits: None };
            assert_eq!(Cidr::parse(&cidr.to_string()), Ok(again));
            assert!(matches!(address, Err(CidrError::UnexpectedLength { .. })));
            match parsed.host_bits {
                None => {
                    assert_eq!(strict, Ok(cidr));
                    assert_eq!(range, Ok(AddressRange::from(cidr)));
                }
                Some(address) => {
                    let refusal = CidrError::HostBits { address, cidr };
                    assert_eq!(strict.as_ref(), Err(&refusal));
                    assert_eq!(range.as_ref(), Err(&refusal));
                }
            }
        }
        Err(error) => {
            assert_eq!(strict.as_ref(), Err(error));
            assert_eq!(address.is_ok(), matches!(error, CidrError::MissingLength { .. }));
        }
    }
    if let Ok(address) = address {
        assert_eq!(text.parse::<IpAddr>(), Ok(address));
        assert_eq!(parse_address(&address.to_string()), Ok(address));
        assert_eq!(range, Ok(AddressRange::from(Cidr::host(address))));
    }
    if let Ok(range) = &range {
        assert!(range.first() <= range.last());
        assert_eq!(range.to_string().parse::<AddressRange>(), Ok(*range));
    }
    let errors = [prefix.err(), parse_address(text).err(), range.err()];
    for error in errors.iter().flatten() {
        fit_to_print(&error.to_string());
        if let Some(hint) = error.hint() {
            fit_to_print(&hint);
        }
    }
}

/// House style, and no text of the user's can break the report it stands in.
fn fit_to_print(message: &str) {
    assert!(!message.is_empty());
    assert!(message.chars().count() < 700, "too long: {message}");
    assert!(!message.ends_with('.'), "{message}");
    assert!(!message.chars().any(char::is_control), "{message:?}");
}
