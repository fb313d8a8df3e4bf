//! "Did you mean": the known word nearest to a mistyped one.

/// The nearest known word, if one is near enough to be meant: case and separators aside, at most a third of its letters differ.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let word = plain(word);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &plain(candidate)), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(word.chars().count()) / 3).max(1))
        .map(|(_, candidate)| candidate)
}

/// Whether one word is the other with a slip of the pen: apart from case at most one letter in four differs, three at most.
pub fn is_slip(one: &str, other: &str) -> bool {
    let most = (one.chars().count().max(other.chars().count()) / 4).clamp(1, 3);
    strsim::damerau_levenshtein(&one.to_lowercase(), &other.to_lowercase()) <= most
}

#[cfg(test)]
mod tests {
    use super::{is_slip, nearest};

    #[test]
    fn a_slip_is_small() {
        for (one, other, slip) in [
            ("Networkpolicy", "NetworkPolicy", true),
            ("NetworkPolicies", "NetworkPolicy", true),
            ("NetworkSet", "NetworkPolicy", false),
            ("Pods", "Pod", true),
            ("Job", "Pod", false),
        ] {
            assert_eq!(is_slip(one, other), slip, "{one} {other}");
        }
    }

    #[test]
    fn typos_find_their_word_and_strangers_do_not() {
        let known = ["serviceCidr", "podCidr", "dnsServiceIp"];
        assert_eq!(nearest("serviceCIDR", known), Some("serviceCidr"));
        assert_eq!(nearest("service_cidr", known), Some("serviceCidr"));
        assert_eq!(nearest("podCird", known), Some("podCidr"));
        assert_eq!(nearest("banana", known), None);
    }
}
