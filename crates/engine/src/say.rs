//! Words that findings of several rooms share.

use causeway_model::codes::Code;
use causeway_model::design::Design;
use causeway_model::facts::About;
use causeway_model::finding::Finding;
use std::fmt::Display;

/// A finding that rests on a fact: names it and its date.
pub(crate) fn cited(finding: Finding, about: About) -> Finding {
    finding.evidence(about.to_string()).since(about.as_of)
}

/// The most names a message lists; the rest is counted.
const MOST_NAMES: usize = 6;

/// "`a`, `b` and `c`"; after the first few, "`a`, `b` and 9 more".
pub(crate) fn listed<T: Display>(items: &[T]) -> String {
    let mut shown: Vec<String> = items.iter().take(MOST_NAMES).map(|item| format!("`{item}`")).collect();
    let rest = items.len().saturating_sub(MOST_NAMES);
    let last = if rest > 0 { Some(format!("{rest} more")) } else { shown.pop() };
    match (last, shown.is_empty()) {
        (None, _) => String::new(),
        (Some(last), true) => last,
        (Some(last), false) => format!("{} and {last}", shown.join(", ")),
    }
}

/// One or several: "subnet", "subnets".
pub(crate) fn plural<'w>(count: usize, one: &'w str, several: &'w str) -> &'w str {
    if count == 1 { one } else { several }
}

/// Whether reading has said this already: it saw what the design can't say.
pub(crate) fn is_found(design: &Design, code: Code, object: &str) -> bool {
    design.findings.iter().any(|finding| finding.code == code && finding.object == object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_counted() {
        assert_eq!(listed::<&str>(&[]), "");
        assert_eq!(listed(&["a"]), "`a`");
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(listed(&(1..=8).collect::<Vec<_>>()), "`1`, `2`, `3`, `4`, `5`, `6` and 2 more");
    }
}
