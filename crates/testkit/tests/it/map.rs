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
