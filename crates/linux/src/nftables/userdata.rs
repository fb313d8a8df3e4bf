//! nft's comments: a list of type, length, value in the rule's user data. The kernel keeps the bytes and never looks at them.

/// `NFTNL_UDATA_RULE_COMMENT`: type 0, a text with a zero byte at its end (libnftnl/udata.h, 1.2).
const COMMENT: u8 = 0;

/// nft reads comments of up to 127 bytes and their zero byte.
pub(super) const LONGEST_COMMENT: usize = 127;

/// The user data for a comment, or nothing for an empty one.
pub(super) fn encode_comment(comment: &str) -> Vec<u8> {
    let Ok(length) = u8::try_from(comment.len() + 1) else { return Vec::new() };
    if comment.is_empty() {
        return Vec::new();
    }
    let mut data = vec![COMMENT, length];
    data.extend_from_slice(comment.as_bytes());
    data.push(0);
    data
}

/// The comment in user data; empty when there is none or the bytes are of another program's making.
pub(super) fn decode_comment(mut data: &[u8]) -> String {
    while let [kind, length, rest @ ..] = data {
        let Some((value, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
        if *kind == COMMENT {
            let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
            return String::from_utf8_lossy(text).into_owned();
        }
        data = rest;
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_comes_back() {
        for comment in ["", "a", "destinations that are never translated", &"x".repeat(LONGEST_COMMENT)] {
            assert_eq!(decode_comment(&encode_comment(comment)), comment);
        }
    }

    #[test]
    fn other_entries_are_passed_over_and_broken_ones_end_it() {
        assert_eq!(decode_comment(&[7, 1, 9, 0, 3, b'h', b'i', 0]), "hi");
        assert_eq!(decode_comment(&[0, 9, b'h']), "");
        assert_eq!(decode_comment(&[0]), "");
        assert_eq!(decode_comment(&[7, 0]), "");
    }
}
