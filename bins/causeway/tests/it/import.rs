//! `import` writes a design that says what was read.

use crate::pages::examples;
use crate::support::{TODAY, check_text, findings, read, root, run_in, write};
use serde_json::Value;

/// What a check of the same network says, whatever file it stands in. That two exports disagree is no part of the network: the
/// imported design holds what was taken of the two, and disagrees with nobody.
fn said(answer: &Value) -> Vec<Value> {
    let list = answer["findings"].as_array().cloned().unwrap_or_default();
    list.into_iter()
        .filter(|finding| finding["code"] != "exports-disagree")
        .map(|mut finding| {
            for key in ["source", "related"] {
                finding.as_object_mut().unwrap().remove(key);
            }
            finding
        })
        .collect()
}

#[test]
fn the_imported_design_has_the_findings_of_what_it_was_imported_from() {
    let mut problems = Vec::new();
    for example in examples() {
        let direct = check_text(&example.text);
        let imported = run_in(&root(), &["import", "-"], &example.text);
        if direct.code == 2 || imported.code == 2 {
            continue;
        }
        let again = check_text(&imported.stdout);
        if again.code == 2 {
            problems.push(format!("{}: the import can't be read:\n{}", example.code, again.stderr));
        } else if said(&direct.json()) != said(&again.json()) {
            problems.push(format!(
                "{}: {:?} became {:?}",
                example.code,
                findings(&direct.json()),
                findings(&again.json())
            ));
        } else if direct.json()["capacity"] != again.json()["capacity"] {
            problems.push(format!("{}: the capacity differs", example.code));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_file_is_replaced_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a.yaml"), "causeway: 1\nname: a\n");
    write(&folder.path().join("out.yaml"), "precious\n");
    let refused = run_in(folder.path(), &["import", "a.yaml", "-o", "out.yaml"], "");
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(read(&folder.path().join("out.yaml")), "precious\n");

    let done = run_in(folder.path(), &["import", "a.yaml", "-o", "out.yaml", "--force"], "");
    assert_eq!((done.code, done.stdout.as_str()), (0, ""));
    let text = read(&folder.path().join("out.yaml"));
    assert!(text.starts_with("# Written by `causeway import` from a.yaml\ncauseway: 1\n"), "{text}");
    let checked = run_in(folder.path(), &["check", "out.yaml", "--as-of", TODAY], "");
    assert_eq!(checked.code, 0, "{}", checked.stdout);
}

#[test]
fn what_was_assumed_is_said_beside_the_design() {
    let design = "causeway: 1\nclusters: {prod: {mode: overlay, pools: {a: {nodes: {count: 1}}}}}\n";
    let run = run_in(&root(), &["import", "-"], design);
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("assumed (`-v` lists them)"), "{}", run.stderr);
    let verbose = run_in(&root(), &["import", "-", "-v"], design);
    assert!(verbose.stderr.contains("clusters.prod.podCidr: 10.244.0.0/16"), "{}", verbose.stderr);
    assert_eq!(run.stdout, verbose.stdout);
}
