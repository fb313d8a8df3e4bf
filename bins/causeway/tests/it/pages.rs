//! Every code has a page, every page a code, and the examples of a page do what they say.

use crate::support::{TODAY, findings, list, read, root, run_in, write};
use causeway_model::codes;
use causeway_model::finding::Severity;
use causeway_report::pages;
use std::collections::BTreeSet;
use std::path::Path;

/// One example of a page: the design as it is, and as it was where a page compares two.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) code: String,
    pub(crate) good: bool,
    /// What is given to the program.
    pub(crate) text: String,
    /// The two designs, where the page compares two.
    pub(crate) pair: Option<(String, String)>,
}

impl Example {
    fn name(&self) -> String {
        format!("{} ({})", self.code, if self.good { "good" } else { "bad" })
    }
}

/// The fenced blocks of a section.
fn blocks(page: &str, heading: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let (mut inside, mut open) = (false, false);
    for line in page.lines() {
        match line {
            "```" if open => open = false,
            _ if open => blocks.iter_mut().last().unwrap().push_str(&format!("{line}\n")),
            _ if inside && line.starts_with("```yaml") => {
                open = true;
                blocks.push(String::new());
            }
            _ if line.starts_with("## ") => inside = line == format!("## {heading}"),
            _ => {}
        }
    }
    blocks
}

/// A design that carries the one it replaces, as plans do.
fn with_before(before: &str, after: &str) -> String {
    let indented: String = before.lines().map(|line| format!("  {line}\n")).collect();
    format!("{after}\nbefore:\n{indented}")
}

/// The examples of all pages.
pub(crate) fn examples() -> Vec<Example> {
    let mut all = Vec::new();
    for path in list(&root().join("docs/findings")) {
        let code = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let page = read(&path).replace("\r\n", "\n");
        for (heading, good) in [("Bad", false), ("Good", true)] {
            let (text, pair) = match blocks(&page, heading).as_slice() {
                [design] => (design.clone(), None),
                [before, after] => (with_before(before, after), Some((before.clone(), after.clone()))),
                other => panic!("{code}: `## {heading}` has {} designs", other.len()),
            };
            all.push(Example { code: code.clone(), good, text, pair });
        }
    }
    all
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let codes: BTreeSet<String> = codes::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    let files: BTreeSet<String> = list(&root().join("docs/findings"))
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let table: BTreeSet<String> = pages::codes().map(str::to_owned).collect();
    let difference =
        |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect::<Vec<_>>();
    assert_eq!(difference(&codes, &files), Vec::<String>::new(), "codes without a page in docs/findings");
    assert_eq!(difference(&files, &codes), Vec::<String>::new(), "pages without a code in causeway_model::codes");
    assert_eq!(difference(&files, &table), Vec::<String>::new(), "pages that crates/report/src/pages.rs does not list");
}

#[test]
fn pages_have_their_sections_in_order() {
    let wanted = ["What it means", "Why it hurts", "How to see it", "How to fix it", "Bad", "Good", "Sources"];
    for code in pages::codes() {
        let page = pages::page(code).unwrap();
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(sections, wanted, "{code}");
        let severity = codes::Code::parse(code).map(|code| format!("{:?}", code.severity()).to_lowercase());
        let stated = page.lines().find_map(|line| line.strip_prefix("Severity: "));
        let stated = stated.and_then(|line| line.split(['.', ',', ';', ' ']).next());
        assert_eq!(stated.map(str::to_owned), severity, "{code}: the severity the page states");
    }
}

/// Runs one example and says what is wrong with the outcome.
fn problem(example: &Example) -> Option<String> {
    let run = run_in(&root(), &["check", "-", "--format", "json", "--as-of", TODAY], &example.text);
    if run.code == 2 {
        return Some(format!("can't be read:\n{}", run.stderr));
    }
    if !matches!(run.code, 0 | 1) {
        return Some(format!("ends with {}:\n{}", run.code, run.stderr));
    }
    let found = findings(&run.json());
    let codes: Vec<&str> = found.iter().map(|(code, ..)| code.as_str()).collect();
    let has = codes.contains(&example.code.as_str());
    if !example.good {
        return (!has).then(|| format!("is not found; found are {codes:?}"));
    }
    let errors: Vec<String> = found
        .iter()
        .filter(|(code, severity, _)| severity == "error" || *code == example.code)
        .map(|(code, severity, object)| format!("{severity} {code} on {object}"))
        .collect();
    (!errors.is_empty()).then(|| format!("has {}", errors.join(", ")))
}

#[test]
fn bad_examples_are_found_and_good_ones_have_no_errors() {
    let all = examples();
    assert!(all.len() >= 2 * codes::ALL.len(), "{} examples", all.len());
    let problems: Vec<(String, String)> =
        all.iter().filter_map(|example| Some((example.name(), problem(example)?))).collect();
    let report: String = problems.iter().map(|(name, problem)| format!("  {name} {problem}\n")).collect();
    assert!(problems.is_empty(), "{} of {} examples:\n{report}", problems.len(), all.len());
}

/// Pages about a change are held to `diff` as well: a refused step stands under `refused`, a changed source under `sources`.
#[test]
fn pairs_of_designs_are_told_apart_by_diff() {
    let all = examples();
    let pairs: Vec<(&Example, &(String, String))> =
        all.iter().filter_map(|example| Some((example, example.pair.as_ref()?))).collect();
    assert!(pairs.len() >= 10, "{} pairs", pairs.len());
    for (example, (before, after)) in pairs {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("before.yaml"), before);
        let run = run_in(folder.path(), &["diff", "before.yaml", "-", "--format", "json", "--as-of", TODAY], after);
        let name = example.name();
        assert!(matches!(run.code, 0 | 1), "{name}: {}", run.stderr);
        let answer = run.json();
        let refused: Vec<&str> =
            answer["refused"].as_array().unwrap().iter().filter_map(|finding| finding["code"].as_str()).collect();
        let found = match example.code.as_str() {
            "source-identity-changes" => !answer["sources"].as_array().unwrap().is_empty(),
            code => refused.contains(&code),
        };
        assert_eq!(found, !example.good, "{name}: {refused:?}");
        let fails =
            refused.iter().any(|code| codes::Code::parse(code).is_some_and(|code| code.severity() == Severity::Error));
        assert_eq!(run.code == 1, fails, "{name}: {refused:?}");
    }
}

#[test]
fn explain_prints_the_page_that_is_checked_in() {
    let code = "reserved-range";
    let run = run_in(Path::new("."), &["explain", code], "");
    assert_eq!((run.code, run.stdout), (0, read(&root().join(format!("docs/findings/{code}.md")))));
}
