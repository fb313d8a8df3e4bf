//! Tables of cases: a design each, and the whole list of what the checks of some subjects say about it.
//!
//! A case begins with `=== NAME`; lines `! SEVERITY CODE OBJECT` are what is expected, `? TEXT` is a text that some finding of the
//! case says in its message, help, values or evidence, and the rest is the design. What follows `=== also` is a second file of every
//! later case that does not begin with `causeway` itself.

use crate::support::designs;
use causeway_engine::{Options, check};
use causeway_model::codes::{self, Code};
use causeway_model::finding::Finding;

/// A test for each table of the folder `cases` beside the caller, which says by `counts` what the tables are about.
macro_rules! tables {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            crate::cases::run(stringify!($name), include_str!(concat!("cases/", stringify!($name), ".yaml")), counts);
        }
    )*};
}
pub(crate) use tables;

#[derive(Default)]
struct Case<'t> {
    name: &'t str,
    expected: Vec<String>,
    says: Vec<&'t str>,
    files: Vec<String>,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case> = Vec::new();
    let mut also = String::new();
    for part in text.split("\n=== ").skip(1) {
        let (name, body) = part.split_once('\n').unwrap();
        if name == "also" {
            also = body.to_owned();
            continue;
        }
        let mut case = Case { name, ..Case::default() };
        let mut design = String::new();
        for line in body.lines() {
            if let Some(expected) = line.strip_prefix("! ") {
                case.expected.push(expected.to_owned());
            } else if let Some(says) = line.strip_prefix("? ") {
                case.says.push(says);
            } else {
                design.push_str(line);
                design.push('\n');
            }
        }
        case.files = if design.starts_with("causeway") {
            vec![design]
        } else {
            vec![also.clone(), format!("causeway: 1\n{design}")]
        };
        case.expected.sort();
        cases.push(case);
    }
    cases
}

/// Runs the cases of a file; only findings of these codes count, unless a case expects one of another.
pub(crate) fn run(file: &str, text: &str, counts: impl Fn(Code) -> bool) {
    let mut wrong = Vec::new();
    let all = cases(text);
    assert!(!all.is_empty(), "{file} has no cases");
    for case in all {
        let options = Options { as_of: "2026-11-20".parse().unwrap() };
        let mut findings = check(&designs(&case.files), options).findings;
        findings.retain(|finding| counts(finding.code));
        let line = |finding: &Finding| {
            format!("{} {} {}", format!("{:?}", finding.severity).to_lowercase(), finding.code, finding.object)
        };
        let mut found: Vec<String> = findings.iter().map(line).collect();
        found.sort();
        let said = format!("{findings:#?}");
        if found != case.expected {
            wrong.push(format!("{file}: {}\nexpected {:#?}\nfound {found:#?}\n{said}", case.name, case.expected));
        }
        for says in case.says.iter().filter(|says| !said.contains(&says.replace('"', "\\\""))) {
            wrong.push(format!("{file}: {}: nobody says `{says}`\n{said}", case.name));
        }
        for finding in &findings {
            let message = &finding.message;
            let first = message.split(' ').next().unwrap_or_default();
            let shouted = first.len() > 1 && first.bytes().all(|byte| byte.is_ascii_uppercase());
            let upper = message.chars().next().is_some_and(char::is_uppercase) && !shouted;
            if finding.help.is_empty() || message.ends_with('.') || upper {
                wrong.push(format!("{file}: {}: `{message}` is not in the house's style", case.name));
            }
            // An address and the range it is not in are their own proof.
            if finding.evidence.is_empty() && finding.code != codes::ADDRESS_OUTSIDE_RANGE {
                wrong.push(format!("{file}: {}: `{message}` gives no evidence", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
}
