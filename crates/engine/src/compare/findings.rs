//! Findings of two designs: which are new, which are gone.

use crate::{Answer, change};
use causeway_model::codes;
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;

/// A finding stays the same when its numbers move: only code, object and severity tell it from another.
type Key<'a> = (&'static str, &'a str, Severity);

/// One with the reason it is accepted for, if it is.
type Judged<'a> = (&'a Finding, Option<&'a String>);

/// New ones with the reason the new design accepts them for, and gone ones. A finding that one side accepts is on both sides.
pub(super) fn compare(before: &Answer, after: &Answer) -> (Vec<(Finding, Option<String>)>, Vec<Finding>) {
    let (mut old, new) = (by_key(before), by_key(after));
    let mut appeared = Vec::new();
    for (key, mut found) in new {
        let mut known = old.remove(&key).unwrap_or_default();
        // Those in the same words belong together; of the rest any stands for any.
        found.retain(|(finding, _)| match known.iter().position(|(other, _)| other.message == finding.message) {
            Some(at) => {
                known.swap_remove(at);
                false
            }
            None => true,
        });
        let paired = found.len().min(known.len());
        appeared.extend(found.into_iter().skip(paired));
        let left: Vec<Judged> = known.into_iter().skip(paired).collect();
        if !left.is_empty() {
            old.insert(key, left);
        }
    }
    let mut new: Vec<(Finding, Option<String>)> =
        appeared.into_iter().map(|(finding, because)| (finding.clone(), because.cloned())).collect();
    let mut gone: Vec<Finding> = old.into_values().flatten().map(|(finding, _)| finding.clone()).collect();
    new.sort_by(|(one, _), (other, _)| order(one).cmp(&order(other)));
    gone.sort_by(|one, other| order(one).cmp(&order(other)));
    (new, gone)
}

fn by_key(answer: &Answer) -> BTreeMap<Key<'_>, Vec<Judged<'_>>> {
    let mut all: BTreeMap<Key, Vec<Judged>> = BTreeMap::new();
    let open = answer.findings.iter().map(|finding| (finding, None));
    let accepted = answer.accepted.iter().map(|(finding, because)| (finding, Some(because)));
    for (finding, because) in open.chain(accepted) {
        // What the change itself brings is told apart from what the designs are like.
        if !change::CODES.contains(&finding.code) && finding.code != codes::SOURCE_IDENTITY_CHANGES {
            let key = (finding.code.as_str(), finding.object.as_str(), finding.severity);
            all.entry(key).or_default().push((finding, because));
        }
    }
    all
}

fn order(finding: &Finding) -> impl Ord + '_ {
    (std::cmp::Reverse(finding.severity), &finding.object, finding.code, &finding.message)
}
