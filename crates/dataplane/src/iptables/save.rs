//! What `iptables-save` prints.

use super::rule::Rule;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// The tables of one variant of iptables and one family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saved {
    /// Tables by name.
    pub tables: BTreeMap<String, SavedTable>,
    /// Tables it could not print, because somebody put rules of nf_tables into them that iptables has no words for.
    pub unprintable: BTreeSet<String>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedTable {
    /// Chains by name.
    pub chains: BTreeMap<String, Chain>,
}

/// A chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// The policy of a chain the kernel enters by itself; `None` = one that somebody made.
    pub policy: Option<String>,
    /// Its rules in order.
    pub rules: Vec<Rule>,
}

impl Saved {
    /// The chains of a table; none if it is not there.
    pub fn chains(&self, table: &str) -> impl Iterator<Item = (&str, &Chain)> {
        self.tables.get(table).into_iter().flat_map(|table| &table.chains).map(|(name, chain)| (name.as_str(), chain))
    }

    /// A chain of a table.
    pub fn chain(&self, table: &str, chain: &str) -> Option<&Chain> {
        self.tables.get(table)?.chains.get(chain)
    }
}

/// A line that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct SaveError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: SaveProblem,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SaveProblem {
    /// Neither a table, a chain, a rule, a comment nor the end of a table.
    #[error("`{0}` is no line of a saved table")]
    Line(String),
    /// A chain, rule or end outside a table.
    #[error("it stands outside a table")]
    Outside,
    /// A table in a table, or the end of the text in one.
    #[error("table `{0}` has no end")]
    Open(String),
    /// A table or chain that was there before.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// A rule of a chain that was not named.
    #[error("there is no chain `{0}`")]
    NoChain(String),
    /// A quoted argument without its end.
    #[error("a quote has no end")]
    Quote,
}

/// Reads what `iptables-save` or `ip6tables-save` printed, of one table or of several, with or without counters.
///
/// # Errors
///
/// The first line that is not understood. Arguments of rules that are not understood are no error: they are kept as they are.
pub fn parse(text: &str) -> Result<Saved, SaveError> {
    let mut saved = Saved::default();
    let mut open: Option<(String, SavedTable)> = None;
    let mut last = 0;
    for (at, line) in text.lines().enumerate() {
        last = at + 1;
        let fail = |problem| Err(SaveError { line: at + 1, problem });
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            saved.unprintable.extend(unprintable(comment).map(str::to_owned));
        } else if let Some(name) = line.strip_prefix('*') {
            if let Some((open, _)) = open {
                return fail(SaveProblem::Open(open));
            }
            if saved.tables.contains_key(name) {
                return fail(SaveProblem::Twice(name.to_owned()));
            }
            open = Some((name.to_owned(), SavedTable::default()));
        } else if line == "COMMIT" {
            let Some((name, table)) = open.take() else { return fail(SaveProblem::Outside) };
            saved.tables.insert(name, table);
        } else if let Err(problem) = within(line, open.as_mut().map(|(_, table)| table)) {
            return fail(problem);
        }
    }
    match open {
        Some((name, _)) => Err(SaveError { line: last, problem: SaveProblem::Open(name) }),
        None => Ok(saved),
    }
}

/// The table a remark of `iptables-nft-save` says can't be printed.
fn unprintable(comment: &str) -> Option<&str> {
    let rest = comment.trim().strip_prefix("Table `")?;
    let (name, rest) = rest.split_once('\'')?;
    rest.contains("incompatible").then_some(name)
}

/// A chain or a rule.
fn within(line: &str, table: Option<&mut SavedTable>) -> Result<(), SaveProblem> {
    let strange = || SaveProblem::Line(line.to_owned());
    let declared = line.strip_prefix(':');
    let rule = rule_of(line);
    if declared.is_none() && rule.is_none() {
        return Err(strange());
    }
    let table = table.ok_or(SaveProblem::Outside)?;
    if let Some(declared) = declared {
        let mut words = declared.split_whitespace();
        let (Some(name), Some(policy)) = (words.next(), words.next()) else { return Err(strange()) };
        // Packets and bytes, which may be left out.
        if words.next().is_some_and(|counters| !is_counters(counters)) || words.next().is_some() {
            return Err(strange());
        }
        let policy = (policy != "-").then(|| policy.to_owned());
        let chain = Chain { policy, rules: Vec::new() };
        if table.chains.insert(name.to_owned(), chain).is_some() {
            return Err(SaveProblem::Twice(name.to_owned()));
        }
        return Ok(());
    }
    let mut arguments = arguments(rule.ok_or_else(strange)?)?.into_iter();
    let name = arguments.next().ok_or_else(strange)?;
    let chain = table.chains.get_mut(&name).ok_or(SaveProblem::NoChain(name))?;
    chain.rules.push(Rule { arguments: arguments.collect() });
    Ok(())
}

/// What follows `-A `, with the rule's counters before it left out.
fn rule_of(line: &str) -> Option<&str> {
    let rule = match line.split_once(' ') {
        Some((counters, rest)) if is_counters(counters) => rest,
        _ => line,
    };
    rule.strip_prefix("-A ")
}

fn is_counters(word: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let inside = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
    inside.and_then(|inside| inside.split_once(':')).is_some_and(|(packets, bytes)| number(packets) && number(bytes))
}

/// Words, with double quotes around what has spaces and a backslash before what would end them.
pub(super) fn arguments(text: &str) -> Result<Vec<String>, SaveProblem> {
    let mut arguments = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().push(characters.next().ok_or(SaveProblem::Quote)?),
            c if c.is_whitespace() && !quoted => arguments.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if quoted {
        return Err(SaveProblem::Quote);
    }
    arguments.extend(word);
    Ok(arguments)
}
