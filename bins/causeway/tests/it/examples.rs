//! The examples: each a folder with a README and the output it must give.

use crate::support::{TODAY, expect_file, folders, read, root, run, run_in};

/// Every folder of `examples`, by name.
fn all() -> Vec<String> {
    folders(&root().join("examples"))
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_example_prints_what_is_expected() {
    let problems: Vec<String> = all()
        .iter()
        .filter_map(|name| {
            let run = run(&["check", &format!("examples/{name}"), "--as-of", TODAY]);
            let text = format!("{}exit {}\n", run.stdout, run.code);
            assert_eq!(run.stderr, "", "{name}");
            expect_file(&root().join("examples").join(name).join("expected.txt"), &text).err()
        })
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_example_says_what_it_is() {
    assert!(all().len() >= 9, "{:?}", all());
    let index = read(&root().join("examples/README.md"));
    for name in all() {
        let readme = read(&root().join("examples").join(&name).join("README.md"));
        assert!(readme.starts_with("# "), "{name}");
        assert!(readme.contains(&format!("causeway check examples/{name}")), "{name}: the command");
        assert!(index.contains(&format!("({name}/README.md)")), "{name} stands in examples/README.md");
    }
}

#[test]
fn an_example_imported_is_the_same_network() {
    for name in all() {
        let folder = format!("examples/{name}");
        let direct = run(&["check", &folder, "--format", "json", "--as-of", TODAY]).json();
        let imported = run(&["import", &folder]);
        assert_eq!(imported.code, 0, "{name}: {}", imported.stderr);
        let again = run_in(&root(), &["check", "-", "--format", "json", "--as-of", TODAY], &imported.stdout).json();
        assert_eq!(direct["summary"], again["summary"], "{name}");
        assert_eq!(direct["capacity"], again["capacity"], "{name}");
    }
}
