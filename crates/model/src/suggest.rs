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

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typos_find_their_word_and_strangers_do_not() {
        let known = ["serviceCidr", "podCidr", "dnsServiceIp"];
        assert_eq!(nearest("serviceCIDR", known), Some("serviceCidr"));
        assert_eq!(nearest("service_cidr", known), Some("serviceCidr"));
        assert_eq!(nearest("podCird", known), Some("podCidr"));
        assert_eq!(nearest("banana", known), None);
    }
}
