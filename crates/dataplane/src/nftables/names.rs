//! Logical and physical names of sets.
//!
//! A set that can't be changed in one batch is built anew beside the old one, as `NAME.1`, and rules are then moved to it. Which of
//! the two the kernel has is no difference between what is wanted and what is there.

use super::objects::{Expression, ObservedTable, TableObjects};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The name without the number a set gets when it is built anew.
pub fn logical(physical: &str) -> &str {
    match physical.rsplit_once('.') {
        Some((name, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => physical,
    }
}

/// Whether `physical` may hold the set that is wanted under `name`.
pub(crate) fn may_hold(physical: &str, name: &str) -> bool {
    physical == name || logical(physical) == name
}

/// A name for a new copy of a set that nobody has yet.
pub(crate) fn fresh(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (1_u32..).map(|number| format!("{name}.{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

/// The sets rules look things up in.
pub(crate) fn referenced(observed: &ObservedTable) -> BTreeSet<&str> {
    let rules = observed.objects.chains.values().flat_map(|chain| &chain.rules);
    rules
        .flat_map(|rule| &rule.expressions)
        .filter_map(|expression| match expression {
            Expression::Lookup { set, .. } | Expression::Lead { map: set, .. } => Some(set.as_str()),
            _ => None,
        })
        .collect()
}

/// The set that holds each set wanted: the one rules use, before one nobody uses; of several, the one of that very name. Only
/// those are considered that can be brought to the wanted state by changing their keys.
pub(crate) fn holders<'a>(desired: &'a TableObjects, observed: &'a ObservedTable) -> BTreeMap<&'a str, &'a str> {
    let used = referenced(observed);
    desired
        .sets
        .iter()
        .filter_map(|(name, wanted)| {
            let candidates = observed.objects.sets.iter().filter(|(physical, found)| {
                may_hold(physical, name)
                    && !(desired.sets.contains_key(physical.as_str()) && *physical != name)
                    && found.key == wanted.key
                    && found.flags == wanted.flags
                    && found.leads == wanted.leads
                    && room(found.size, wanted.size, wanted.elements.len())
            });
            let best = candidates.min_by_key(|(physical, _)| (!used.contains(physical.as_str()), *physical != name))?;
            Some((name.as_str(), best.0.as_str()))
        })
        .collect()
}

/// Whether a set of that size is good enough for so many keys: there is room, and not absurdly much of it.
fn room(found: Option<u32>, wanted: Option<u32>, keys: usize) -> bool {
    match (found, wanted) {
        (None, None) => true,
        (Some(found), Some(wanted)) => usize::try_from(found).is_ok_and(|room| room >= keys) && found / 16 <= wanted,
        _ => false,
    }
}

/// The expression with the set it looks up renamed.
pub(crate) fn renamed<'a>(expression: &'a Expression, name: impl Fn(&str) -> Option<String>) -> Cow<'a, Expression> {
    if let Expression::Lookup { set, register, inverted } = expression
        && let Some(set) = name(set)
    {
        return Cow::Owned(Expression::Lookup { set, register: *register, inverted: *inverted });
    }
    if let Expression::Lead { map, register } = expression
        && let Some(map) = name(map)
    {
        return Cow::Owned(Expression::Lead { map, register: *register });
    }
    Cow::Borrowed(expression)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_after_a_dot_is_left_out() {
        for (physical, name) in
            [("exempt-24", "exempt-24"), ("exempt-24.1", "exempt-24"), ("a.b", "a.b"), ("a.", "a."), ("a.1.2", "a.1")]
        {
            assert_eq!(logical(physical), name);
        }
    }

    #[test]
    fn a_fresh_name_is_not_taken() {
        assert_eq!(fresh("a", |name| ["a", "a.1"].contains(&name)), "a.2");
        assert_eq!(fresh("a", |_| false), "a");
    }

    #[test]
    fn room_is_enough_but_not_absurd() {
        for (found, wanted, keys, good) in [
            (None, None, 9, true),
            (Some(64), Some(64), 64, true),
            (Some(64), Some(128), 65, false),
            (Some(4096), Some(64), 1, false),
            (Some(1024), Some(64), 1, true),
            (None, Some(64), 1, false),
            (Some(64), None, 1, false),
        ] {
            assert_eq!(room(found, wanted, keys), good, "{found:?} for {wanted:?} with {keys}");
        }
    }
}
