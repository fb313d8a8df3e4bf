//! The map and the README name what is there.

use crate::source::{name, packages, read, root};

#[test]
fn every_room_is_on_the_map() {
    let map = read(&root().join("ARCHITECTURE.md"));
    for (_, folder) in packages() {
        assert!(map.contains(&format!("`{}`", name(&folder))), "{}", name(&folder));
    }
}

#[test]
fn paths_on_the_map_exist() {
    let map = read(&root().join("ARCHITECTURE.md"));
    let quoted = map.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|text| {
        ["crates/", "bins/", "docs/"].iter().any(|start| text.starts_with(start)) && !text.contains(char::is_whitespace)
    });
    for path in paths {
        assert!(root().join(path).exists(), "{path}");
    }
}

#[test]
fn links_of_the_readme_lead_somewhere() {
    for page in ["README.md", "ARCHITECTURE.md", "examples/README.md", "docs/decisions/README.md"] {
        let text = read(&root().join(page));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = root().join(page).parent().unwrap().join(link);
            assert!(link.starts_with("http") || target.exists(), "{page}: {link}");
        }
    }
}

#[test]
fn the_output_in_the_readme_is_what_is_printed() {
    let readme = read(&root().join("README.md"));
    let expected = read(&root().join("examples/production-spoke/expected.txt"));
    let block = readme.split("```console\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let shown: Vec<&str> = block.lines().filter(|line| !line.starts_with('$') && !line.contains("= ")).collect();
    assert!(shown.len() > 4, "{block}");
    for line in shown {
        assert!(expected.lines().any(|printed| printed == line), "{line}");
    }
}
