//! What speaks for and against one line, until it becomes an answer.

use super::Answer;

/// The most reasons of one kind that are spelled out; the rest is counted.
const MOST_REASONS: usize = 4;

/// Everything that was found out about one line. Parts add up: over clusters, over ranges, over what people say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    no: Vec<String>,
    /// What is not known, with what would tell.
    unknown: Vec<(String, String)>,
    yes: Vec<String>,
    /// Said whatever the answer is.
    remarks: Vec<String>,
    /// A person answers for it.
    vouched: bool,
}

impl Judgement {
    pub(super) fn no(&mut self, because: impl Into<String>) {
        push(&mut self.no, because.into());
    }

    pub(super) fn unknown(&mut self, because: impl Into<String>, needs: impl Into<String>) {
        push(&mut self.unknown, (because.into(), needs.into()));
    }

    pub(super) fn yes(&mut self, because: impl Into<String>) {
        push(&mut self.yes, because.into());
    }

    pub(super) fn remark(&mut self, words: impl Into<String>) {
        push(&mut self.remarks, words.into());
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
        self.unknown.clear();
    }

    /// The answer, why, and what it would need. No if anything speaks against it, else unknown if anything is missing.
    pub(super) fn answer(self) -> (Answer, String, String) {
        let Judgement { no, unknown, yes, remarks, vouched } = self;
        let with_remarks = |mut reasons: Vec<String>| {
            reasons = limited(reasons);
            reasons.extend(remarks.clone());
            reasons.join("; ")
        };
        if !no.is_empty() {
            return (Answer::No, with_remarks(no), String::new());
        }
        if unknown.is_empty() && (vouched || !yes.is_empty()) {
            return (Answer::Yes, with_remarks(yes), String::new());
        }
        if unknown.is_empty() {
            return (Answer::Unknown, with_remarks(vec!["nothing is known about it".to_owned()]), String::new());
        }
        let mut needs: Vec<String> = Vec::new();
        let mut reasons = Vec::new();
        for (because, need) in unknown {
            push(&mut reasons, because);
            push(&mut needs, need);
        }
        needs.retain(|need| !need.is_empty());
        (Answer::Unknown, with_remarks(reasons), limited(needs).join("; "))
    }
}

/// Adds what is not there yet.
fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
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
