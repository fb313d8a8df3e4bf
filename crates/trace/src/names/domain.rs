//! Domain names: compared without regard to case and to a dot at the end.

/// A name as it is compared: lower case, no dot at the end.
pub(super) fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// A name is a domain or below it; every name is below the root. Both in any case.
pub(super) fn is_below(name: &str, domain: &str) -> bool {
    relative(name, domain).is_some()
}

/// What stands before a domain in a name, without the dot between; empty = the domain itself, `None` = the name is not below it.
pub(super) fn relative<'n>(name: &'n str, domain: &str) -> Option<&'n str> {
    let name = name.trim_end_matches('.');
    let domain = domain.trim_matches('.');
    if domain.is_empty() {
        return Some(name);
    }
    let start = name.len().checked_sub(domain.len())?;
    let (before, end) = name.split_at_checked(start)?;
    match before {
        _ if !end.eq_ignore_ascii_case(domain) => None,
        "" => Some(""),
        _ => before.strip_suffix('.').filter(|before| !before.is_empty()),
    }
}

/// How many labels a domain has; the root has none.
pub(super) fn labels(domain: &str) -> usize {
    domain.split('.').filter(|label| !label.is_empty()).count()
}

/// The domains a name is in, from the closest up, the root left out.
pub(super) fn above(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.split_once('.').map(|(_, rest)| rest), |name| name.split_once('.').map(|(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_domain() {
        for (name, domain, before) in [
            ("a.b.example", "example", Some("a.b")),
            ("A.B.Example.", ".eXample.", Some("A.B")),
            ("example", "example", Some("")),
            ("aexample", "example", None),
            ("ample", "example", None),
            ("a.b", ".", Some("a.b")),
            (".example", "example", None),
            ("", "example", None),
            ("ä.example", "example", Some("ä")),
            ("ä", "x", None),
        ] {
            assert_eq!(relative(name, domain), before, "{name} {domain}");
        }
        assert_eq!(above("a.b.c").collect::<Vec<_>>(), ["b.c", "c"]);
        assert_eq!((labels("."), labels("a.b."), labels("")), (0, 2, 0));
    }
}
