//! The published JSON Schema.

use crate::support::{expect_file, root, run};

#[test]
fn the_published_schema_is_the_one_that_is_printed() {
    let run = run(&["schema"]);
    assert_eq!(run.code, 0);
    assert_eq!(run.json()["$defs"]["ClusterDocument"], run.json()["$defs"]["ClusterDocument"]);
    expect_file(&root().join("docs/design.schema.json"), &run.stdout).unwrap();
}
