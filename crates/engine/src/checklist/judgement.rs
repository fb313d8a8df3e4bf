//! What speaks for and against one line, until it becomes an answer.

use super::Answer;
use std::collections::BTreeSet;

/// The most reasons of one kind that are spelled out; the rest is counted.
const MOST_REASONS: usize = 4;

/// Everything that was found out about one line. Parts add up: over clusters, over ranges, over what people say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    no: Once<String>,
    /// What is not known, with what would tell.
    unknown: Once<(String, String)>,
    yes: Once<String>,
    /// Said whatever the answer is.
    remarks: Once<String>,
    /// A person answers for it.
    vouched: bool,
}

impl Judgement {
    pub(super) fn no(&mut self, because: impl Into<String>) {
        self.no.push(because.into());
    }

    pub(super) fn unknown(&mut self, because: impl Into<String>, needs: impl Into<String>) {
        self.unknown.push((because.into(), needs.into()));
    }

    pub(super) fn yes(&mut self, because: impl Into<String>) {
        self.yes.push(because.into());
    }

    pub(super) fn remark(&mut self, words: impl Into<String>) {
        self.remarks.push(words.into());
    }

    /// A person says it holds: as good as a reason, and never left out for brevity.
    pub(super) fn vouch(&mut self, words: impl Into<String>) {
        self.remark(words);
        self.vouched = true;
    }

    /// Something speaks against it.
    pub(super) fn fails(&self) -> bool {
        !self.no.is_empty()
    }

    /// Nothing speaks against it and nothing is missing, and something speaks for it.
    pub(super) fn holds(&self) -> bool {
        self.no.is_empty() && self.unknown.is_empty() && !self.yes.is_empty()
    }

    /// A part is not known.
    pub(super) fn open(&self) -> bool {
        !self.unknown.is_empty()
    }

    /// What a person stated takes the place of what is not known.
    pub(super) fn settle(&mut self) {
        self.unknown = Once::default();
    }

    /// The answer, why, and what it would need. No if anything speaks against it, else unknown if anything is missing.
    pub(super) fn answer(self) -> (Answer, String, String) {
        let Judgement { no, unknown, yes, remarks, vouched } = self;
        let with_remarks = |reasons: Once<String>| {
            let mut reasons = limited(reasons.order);
            reasons.extend(remarks.order.iter().cloned());
            reasons.join("; ")
        };
        if !no.is_empty() {
            return (Answer::No, with_remarks(no), String::new());
        }
        if unknown.is_empty() && (vouched || !yes.is_empty()) {
            return (Answer::Yes, with_remarks(yes), String::new());
        }
        let (mut reasons, mut needs) = (Once::default(), Once::default());
        for (because, need) in unknown.order {
            reasons.push(because);
            if !need.is_empty() {
                needs.push(need);
            }
        }
        if reasons.is_empty() {
            reasons.push("nothing is known about it".to_owned());
        }
        (Answer::Unknown, with_remarks(reasons), limited(needs.order).join("; "))
    }
}

/// Things in the order they came, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Once<T> {
    order: Vec<T>,
    seen: BTreeSet<T>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Once { order: Vec::new(), seen: BTreeSet::new() }
    }
}

impl<T: Ord + Clone> Once<T> {
    fn push(&mut self, item: T) {
        if self.seen.insert(item.clone()) {
            self.order.push(item);
        }
    }

    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

/// The first few; the rest is counted.
fn limited(mut reasons: Vec<String>) -> Vec<String> {
    let rest = reasons.len().saturating_sub(MOST_REASONS);
    reasons.truncate(MOST_REASONS);
    if rest > 0 {
        reasons.push(format!("and {rest} more"));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_no_outweighs_everything_and_one_unknown_every_yes() {
        let mut line = Judgement::default();
        assert_eq!(line.clone().answer().0, Answer::Unknown);
        line.yes("a holds");
        assert_eq!(line.clone().answer(), (Answer::Yes, "a holds".to_owned(), String::new()));
        line.unknown("b is open", "`b`");
        assert_eq!(line.clone().answer(), (Answer::Unknown, "b is open".to_owned(), "`b`".to_owned()));
        line.no("c fails");
        line.remark("said anyway");
        assert_eq!(line.answer(), (Answer::No, "c fails; said anyway".to_owned(), String::new()));
    }

    #[test]
    fn long_lists_are_counted() {
        let mut line = Judgement::default();
        for at in 0..9 {
            line.no(format!("{at}"));
        }
        line.no("0");
        assert_eq!(line.answer().1, "0; 1; 2; 3; and 5 more");
    }
}
