//! Texts as numbers, and selectors over them: labels are compared as often as policies and pods have pairs.

use crate::sets::Member;
use causeway_model::policy::{Operator, Selector};
use std::collections::BTreeMap;

/// A text.
pub(crate) type Word = u32;

/// Labels by key, sorted.
pub(crate) type Labels = Vec<(Word, Word)>;

/// Every text once. Texts are kept for ever: those of labels repeat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    known: BTreeMap<String, Word>,
    texts: Vec<String>,
}

impl Words {
    pub(crate) fn of(&mut self, text: &str) -> Word {
        if let Some(word) = self.known.get(text) {
            return *word;
        }
        let word = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.known.insert(text.to_owned(), word);
        self.texts.push(text.to_owned());
        word
    }

    pub(crate) fn text(&self, word: Word) -> &str {
        self.texts.get(word as usize).map_or("", String::as_str)
    }

    pub(crate) fn labels(&mut self, labels: &BTreeMap<String, String>) -> Labels {
        let mut out: Labels = labels.iter().map(|(key, value)| (self.of(key), self.of(value))).collect();
        out.sort_unstable();
        out
    }

    pub(crate) fn selector(&mut self, selector: &Selector) -> Wanted {
        let one = |requirement: &causeway_model::policy::Requirement, words: &mut Words| {
            let key = words.of(&requirement.key);
            let values = |values: &[String], words: &mut Words| values.iter().map(|value| words.of(value)).collect();
            match &requirement.operator {
                Operator::In(list) => Want::In(key, values(list, words)),
                Operator::NotIn(list) => Want::NotIn(key, values(list, words)),
                Operator::Exists => Want::Exists(key),
                Operator::DoesNotExist => Want::Missing(key),
            }
        };
        Wanted(selector.requirements.iter().map(|requirement| one(requirement, self)).collect())
    }
}

/// The value of a label.
pub(crate) fn value(labels: &[(Word, Word)], key: Word) -> Option<Word> {
    let at = labels.binary_search_by_key(&key, |(key, _)| *key).ok()?;
    labels.get(at).map(|(_, value)| *value)
}

/// A selector.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted(Vec<Want>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Want {
    In(Word, Vec<Word>),
    NotIn(Word, Vec<Word>),
    Exists(Word),
    Missing(Word),
}

impl Want {
    fn key(&self) -> Word {
        match self {
            Want::In(key, _) | Want::NotIn(key, _) | Want::Exists(key) | Want::Missing(key) => *key,
        }
    }

    fn fits(&self, labels: &[(Word, Word)]) -> bool {
        match self {
            Want::In(key, values) => value(labels, *key).is_some_and(|value| values.contains(&value)),
            Want::NotIn(key, values) => value(labels, *key).is_none_or(|value| !values.contains(&value)),
            Want::Exists(key) => value(labels, *key).is_some(),
            Want::Missing(key) => value(labels, *key).is_none(),
        }
    }
}

impl Wanted {
    pub(crate) fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn fits(&self, labels: &[(Word, Word)]) -> bool {
        self.0.iter().all(|want| want.fits(labels))
    }

    /// Whether it fits labels of which others may be there that nobody has seen.
    pub(crate) fn fits_part(&self, labels: &[(Word, Word)]) -> Member {
        let (told, open): (Vec<&Want>, Vec<&Want>) =
            self.0.iter().partition(|want| value(labels, want.key()).is_some());
        if told.iter().any(|want| !want.fits(labels)) {
            Member::No
        } else if open.is_empty() {
            Member::Yes
        } else {
            Member::Maybe
        }
    }

    /// The keys it asks about.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Word> {
        self.0.iter().map(Want::key)
    }

    /// A label without which it can't fit.
    pub(crate) fn needs(&self) -> Option<(Word, Word)> {
        self.0.iter().find_map(|want| match want {
            Want::In(key, values) => match values.as_slice() {
                [value] => Some((*key, *value)),
                _ => None,
            },
            _ => None,
        })
    }

    /// Whether it only says what must not be.
    pub(crate) fn is_negative(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|want| matches!(want, Want::NotIn(..) | Want::Missing(_)))
    }

    /// The reading of Azure NPM, which takes "none of these" for "not this one, or not that one": with several values that is
    /// everything.
    pub(crate) fn without_negations_of_several(self) -> Wanted {
        let several = |values: &[Word]| values.iter().any(|value| values.first() != Some(value));
        Wanted(self.0.into_iter().filter(|want| !matches!(want, Want::NotIn(_, values) if several(values))).collect())
    }
}
