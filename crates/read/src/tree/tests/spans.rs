use super::*;

/// Every value with the bytes it points at, in the order of the tree.
fn slices(text: &str) -> Vec<String> {
    fn walk(node: &Node, sources: &Sources, found: &mut Vec<String>) {
        found.push(sources.slice(node.span).to_owned());
        for item in node.items() {
            walk(item, sources, found);
        }
        for entry in node.entries() {
            found.push(format!("{}:", sources.slice(entry.key_span)));
            walk(&entry.node, sources, found);
        }
    }
    let mut found = Vec::new();
    walk(&one(text), &sources(text), &mut found);
    found
}

#[test]
fn every_value_knows_its_bytes() {
    let cases: &[(&str, &[&str])] = &[
        ("a: 1\nbc: dé\n", &["a: 1\nbc: dé", "a:", "1", "bc:", "dé"]),
        ("# c\na:   \n# d\n", &["a:", "a:", ""]),
        (
            "a:\n  - x\n  - y: 'q'\n\nb: 1",
            &["a:\n  - x\n  - y: 'q'\n\nb: 1", "a:", "- x\n  - y: 'q'", "x", "y: 'q'", "y:", "'q'", "b:", "1"],
        ),
        ("a:\n- - b\n- c # x\n", &["a:\n- - b\n- c", "a:", "- - b\n- c", "- b", "b", "c"]),
        ("a: # - no\n  &x\n# - no\n- b\n", &["a: # - no\n  &x\n# - no\n- b", "a:", "- b", "b"]),
        (
            "a: { b : [ 1 , 'é''' ] } # c",
            &["a: { b : [ 1 , 'é''' ] }", "a:", "{ b : [ 1 , 'é''' ] }", "b:", "[ 1 , 'é''' ]", "1", "'é'''"],
        ),
        ("a: &x foo\n  bar # c\nb: *x\n", &["a: &x foo\n  bar # c\nb: *x", "a:", "foo\n  bar", "b:", "foo\n  bar"]),
        ("a: !!str 12\n\"b\": \"x\\n\"\n", &["a: !!str 12\n\"b\": \"x\\n\"", "a:", "12", "\"b\":", "\"x\\n\""]),
        (
            "a: |\n  x\n   y\n\n# c\nb: >-  # d\n\n    x\n  \n    y\n   \nc: 1",
            &[
                "a: |\n  x\n   y\n\n# c\nb: >-  # d\n\n    x\n  \n    y\n   \nc: 1",
                "a:",
                "x\n   y",
                "b:",
                "\n    x\n  \n    y",
                "c:",
                "1",
            ],
        ),
        ("a: |2\n   x\n  y", &["a: |2\n   x\n  y", "a:", " x\n  y"]),
        ("a: |\nb: |+\n\n", &["a: |\nb: |+", "a:", "", "b:", ""]),
        (
            "é:\r\n  - ü\r\nb: |\r\n  x\r\n  y\r\n",
            &["é:\r\n  - ü\r\nb: |\r\n  x\r\n  y", "é:", "- ü", "ü", "b:", "x\r\n  y"],
        ),
        (
            " {\"a\" : [1, \"x\\ny\", true ] , \"b\": {}}\n",
            &[
                "{\"a\" : [1, \"x\\ny\", true ] , \"b\": {}}",
                "\"a\":",
                "[1, \"x\\ny\", true ]",
                "1",
                "\"x\\ny\"",
                "true",
                "\"b\":",
                "{}",
            ],
        ),
        ("\u{feff}{\"a\": 1}", &["{\"a\": 1}", "\"a\":", "1"]),
        ("\u{feff}a: 1", &["a: 1", "a:", "1"]),
        (
            "x: &x {p: 1}\ny: {<<: *x, q: 2}",
            &[
                "x: &x {p: 1}\ny: {<<: *x, q: 2}",
                "x:",
                "{p: 1}",
                "p:",
                "1",
                "y:",
                "{<<: *x, q: 2}",
                "p:",
                "1",
                "q:",
                "2",
            ],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(slices(text), *expected, "{text:?}");
    }
}
