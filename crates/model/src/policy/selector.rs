//! Label selectors.

use std::collections::BTreeMap;
use std::fmt;

/// Every requirement has to hold; without any it selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// `matchLabels`, each as an `In` of one value, and `matchExpressions`; sorted, each once.
    pub requirements: Vec<Requirement>,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    /// The label's key.
    pub key: String,
    /// What its value has to be.
    pub operator: Operator,
}

/// What the value of a label has to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// One of these.
    In(Vec<String>),
    /// None of these; a label that is not there is none of them.
    NotIn(Vec<String>),
    /// Anything, if the label is there.
    Exists,
    /// The label must not be there.
    DoesNotExist,
}

impl Selector {
    /// Puts the requirements in order.
    pub fn new(mut requirements: Vec<Requirement>) -> Selector {
        for requirement in &mut requirements {
            if let Operator::In(values) | Operator::NotIn(values) = &mut requirement.operator {
                values.sort();
                values.dedup();
            }
        }
        requirements.sort();
        requirements.dedup();
        Selector { requirements }
    }

    /// Whether it selects everything.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether labels satisfy it.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds(labels.get(&requirement.key).map(String::as_str)))
    }
}

impl Requirement {
    /// Whether the value of the label satisfies it; `None` = it is not there.
    pub fn holds(&self, value: Option<&str>) -> bool {
        match (&self.operator, value) {
            (Operator::In(values), Some(value)) => values.iter().any(|known| known == value),
            (Operator::NotIn(values), Some(value)) => values.iter().all(|known| known != value),
            (Operator::In(_), None) | (Operator::Exists, None) | (Operator::DoesNotExist, Some(_)) => false,
            (Operator::NotIn(_), None) | (Operator::Exists, Some(_)) | (Operator::DoesNotExist, None) => true,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_everything() {
            return f.write_str("all");
        }
        for (at, requirement) in self.requirements.iter().enumerate() {
            write!(f, "{}{requirement}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match &self.operator {
            Operator::In(values) => match values.as_slice() {
                [value] => write!(f, "{key}={value}"),
                values => write!(f, "{key} in ({})", values.join(",")),
            },
            Operator::NotIn(values) => match values.as_slice() {
                [value] => write!(f, "{key}!={value}"),
                values => write!(f, "{key} notin ({})", values.join(",")),
            },
            Operator::Exists => f.write_str(key),
            Operator::DoesNotExist => write!(f, "!{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators() {
        let of = |operator: Operator| Requirement { key: "app".to_owned(), operator };
        let one = || vec!["a".to_owned()];
        // Operator; with the value, with another one, without the label.
        for (operator, expected) in [
            (Operator::In(one()), [true, false, false]),
            (Operator::NotIn(one()), [false, true, true]),
            (Operator::Exists, [true, true, false]),
            (Operator::DoesNotExist, [false, false, true]),
        ] {
            let requirement = of(operator);
            let got = [Some("a"), Some("b"), None].map(|value| requirement.holds(value));
            assert_eq!(got, expected, "{requirement}");
        }
        assert!(Selector::default().matches(&BTreeMap::new()));
    }
}
