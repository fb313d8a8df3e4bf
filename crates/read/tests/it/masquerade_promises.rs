//! What the readers of masquerade files promise for any bytes at all. Checked here over texts that once broke it or are likely
//! to, and by the fuzz target `masquerade`.

use causeway_model::codes;
use causeway_model::masquerade::MasqueradeReader;
use causeway_read::masquerade::{Directory, Flags, parse_flags, reference, strict};

/// Reads two files as every agent does, and strictly; panics if a promise is broken.
pub(crate) fn of_reading(first: &[u8], second: &[u8], enable_ipv6: bool) {
    let directory = Directory::of([("ip-masq-agent", first), ("ip-masq-b", second)]);
    for reader in MasqueradeReader::ALL {
        let flags = Flags { enable_ipv6, ..Flags::defaults(reader) };
        let result = reference(reader, &flags, &directory);
        let issues = strict(reader, &flags, &directory);
        match &result {
            Ok(accepted) => {
                assert!(accepted.config.exempt.is_sorted() && accepted.texts.is_sorted(), "{accepted:?}");
                assert_eq!(accepted.defaults, accepted.files.is_empty(), "{accepted:?}");
            }
            // What an agent refuses is never passed over.
            Err(rejected) => {
                let refused = |code| matches!(code, codes::MASQ_CONFIG_REJECTED | codes::MASQ_ITEM_NULL);
                assert!(issues.iter().any(|issue| refused(issue.code)), "{rejected:?}: {issues:?}");
            }
        }
        for issue in &issues {
            let bytes = if issue.file.as_deref() == Some("ip-masq-agent") { first } else { second };
            let (Some(range), Ok(text)) = (&issue.range, std::str::from_utf8(bytes)) else { continue };
            assert!(text.get(range.clone()).is_some(), "{issue:?}");
        }
    }
}

/// Reads arguments as every agent does; panics if a promise is broken.
pub(crate) fn of_arguments<S: AsRef<str>>(arguments: &[S]) {
    for reader in MasqueradeReader::ALL {
        if let Ok(flags) = parse_flags(reader, arguments) {
            assert!(flags.unread.len() <= arguments.len());
        }
    }
}
