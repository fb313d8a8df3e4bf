//! The production checklist as people and pipelines see it, and the page that explains it.

use crate::support::{TODAY, folders, read, root, run};
use causeway_model::checklist::Requirement;
use std::collections::BTreeSet;

#[test]
fn the_guide_and_the_program_have_the_same_lines() {
    let page = read(&root().join("docs/guide/checklist.md")).replace("\r\n", "\n");
    let mut section = "";
    let rows: Vec<(&str, &str, &str)> = page
        .lines()
        .filter_map(|row| {
            if let Some(heading) = row.strip_prefix("### ") {
                section = heading;
            }
            let mut cells = row.strip_prefix("| `")?.split(" | ");
            Some((section, cells.next()?.trim_end_matches('`'), cells.next()?))
        })
        .collect();
    let lines: Vec<(&str, &str, &str)> =
        Requirement::ALL.iter().map(|line| (line.section(), line.key(), line.line())).collect();
    assert_eq!(rows, lines);
}

/// `answer key` of every line, example by example.
#[test]
fn the_examples_are_answered() {
    let mut seen = String::new();
    for path in folders(&root().join("examples")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let answer = run(&["check", &format!("examples/{name}"), "--format", "json", "--as-of", TODAY]).json();
        seen.push_str(&format!("{name}\n"));
        for line in answer["checklist"].as_array().unwrap() {
            let (answer, key) = (line["answer"].as_str().unwrap(), line["key"].as_str().unwrap());
            seen.push_str(&format!("  {answer:7} {key}\n"));
        }
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn people_get_every_line_with_its_reason_in_a_page_that_fits() {
    let run = run(&["check", "examples/fragile", "--checklist", "--as-of", TODAY]);
    let checklist = run.stdout.split("Production checklist\n").nth(1).expect("it is printed");
    let keys: BTreeSet<&str> = Requirement::ALL.iter().map(|line| line.key()).collect();
    for key in keys {
        assert!(checklist.contains(&format!("({key})")), "{key}");
    }
    let widest = checklist.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 100, "{widest} columns");
    insta::assert_snapshot!(checklist.lines().take(24).collect::<Vec<_>>().join("\n"));
}

#[test]
fn quiet_leaves_the_reasons_out() {
    let run = run(&["check", "examples/fragile", "--checklist", "-q", "--as-of", TODAY]);
    assert!(run.stdout.contains("(dns-runbook)") && !run.stdout.contains("needs:"), "{}", run.stdout);
}

#[test]
fn a_mistyped_record_is_said() {
    let design = "causeway: 1\nrecords: {surge-rehersed: {on: 2026-10-01, by: us}}\n";
    let answer = crate::support::check_text(design).json();
    let findings = answer["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["code"] == "record-answers-nothing").unwrap();
    assert_eq!(finding["help"], "did you mean `surge-rehearsed`?");
    assert_eq!(finding["source"]["line"], 2);
}
