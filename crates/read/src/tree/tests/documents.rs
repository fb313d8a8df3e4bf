use super::*;

#[test]
fn yaml_and_json_become_the_same_kind_of_tree() {
    let cases = [
        ("a: 1", "{a: 1}"),
        ("a:\n- b\n- 'c'\n", "{a: [b, 'c']}"),
        ("a:\n  b: {c: d, e}\n  f: [1, \"x\\ty\", ]\n", "{a: {b: {c: d, e: }, f: [1, 'x\ty']}}"),
        ("- - - a\n  - b\n- \n", "[[[a], b], ]"),
        ("a: |\n  x\n   y\n\nb: >-\n  x\n  y\n", "{a: |x\n y\n|, b: |x y|}"),
        ("a: foo\n  bar\n", "{a: foo bar}"),
        ("a: ~\nb:\nc: null\n", "{a: ~, b: , c: null}"),
        ("1: x\ntrue: y\n\"q\": z\n", "{1: x, true: y, q: z}"),
        ("a: !!str 1\nb: !!int '2'\nc: ! x\nd: !!seq [1]\n", "{a: '1', b: 2, c: 'x', d: [1]}"),
        ("a: &x {b: 1}\nc: *x\n", "{a: {b: 1}, c: {b: 1}}"),
        ("&k key: 1\nb: *k\n", "{key: 1, b: key}"),
        ("a: &k key\nb:\n  *k : 1\n", "{a: key, b: {key: 1}}"),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3, e: 4}\n", "{a: {b: 1, c: 2}, d: {b: 1, c: 3, e: 4}}"),
        ("a: {c: 3, <<: [{b: 1, c: 2}, {b: 5, d: 6}]}", "{a: {c: 3, b: 1, d: 6}}"),
        ("a: {\"<<\": x}", "{a: {<<: x}}"),
        ("a: {!!merge <<: {x: 1}}", "{a: {x: 1}}"),
        ("a: b\r\nc:\r\n  - d\r\n", "{a: b, c: [d]}"),
        ("\u{feff}a: b", "{a: b}"),
        ("\u{feff}{\"a\": 1}", "{a: 1}"),
        ("--- |\n x\n...\n", "|x\n|"),
        ("plain", "plain"),
        ("a: 10:30\nb: http://x/#y\n", "{a: 10:30, b: http://x/#y}"),
        ("[10.0.0.0/16, corp, fd00::/8]", "[10.0.0.0/16, corp, fd00::/8]"),
        ("{a: 1, \"b\": 2, # note\n c: [x y,],}", "{a: 1, b: 2, c: [x y]}"),
        ("{\"a\": tcp, b: 'x'}", "{a: tcp, b: 'x'}"),
        ("{\"a\": 1, # note\n \"b\": 2}", "{a: 1, b: 2}"),
        (
            r#"{"a": [1, -2.5e3, true, null, "x\n\u00e9\ud83d\ude00"], "b": {}}"#,
            "{a: [1, -2.5e3, true, null, 'x\né😀'], b: {}}",
        ),
        ("[[], {}, [[]]]", "[[], {}, [[]]]"),
        ("a:\tb\nc: {\n \td: e,\n \tf: [\n \t\tg: h]\n \t}\n-: i\n", "{a: b, c: {d: e, f: [{g: h}]}, -: i}"),
        ("- |\n  a", "[|a|]"),
        ("- |+\n  a\n\n", "[|a\n\n|]"),
        ("? a\n: b\n? c\n", "{a: b, c: }"),
    ];
    for (text, expected) in cases {
        assert_eq!(shape(&one(text)), expected, "{text:?}");
    }
}

#[test]
fn several_documents_in_one_text() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        ("# only a comment\n", &[]),
        ("\u{feff}", &[]),
        ("---\na: 1\n---\n# nothing\n---\n---\nb: 2\n...\n", &["{a: 1}", "{b: 2}"]),
        ("a: 1\n---\n~\n", &["{a: 1}", "~"]),
        ("{\"a\": 1}\n{\"a\": 2}\n[]", &["{a: 1}", "{a: 2}", "[]"]),
        ("{}{}", &["{}", "{}"]),
        ("{\"a\": 1}\n---\nb: 2\n", &["{a: 1}", "{b: 2}"]),
        ("a: &x 1\n---\nb: &x 2\nc: *x\n", &["{a: 1}", "{b: 2, c: 2}"]),
    ];
    for (text, expected) in cases {
        let documents = read(text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"));
        assert_eq!(documents.iter().map(shape).collect::<Vec<_>>(), *expected, "{text:?}");
    }
}

#[test]
fn values_are_read_by_type() {
    let node =
        one("{n: 5, neg: -5, f: 1.5, t: true, y: yes, q: '5', s: text, z: ~, l: [1], m: {a: 1}, hex: 0x10, Mixed: 1}");
    let get = |key| node.get(key).unwrap();
    assert_eq!(get("n").as_u64(), Some(5));
    assert_eq!(get("neg").as_u64(), None);
    assert_eq!(get("neg").as_i64(), Some(-5));
    assert_eq!(get("f").as_f64(), Some(1.5));
    assert_eq!(get("n").as_f64(), Some(5.0));
    assert_eq!(get("f").as_u64(), None);
    assert_eq!(get("hex").as_u64(), Some(16));
    assert_eq!(get("t").as_bool_12(), Some(true));
    assert_eq!(get("y").as_bool_12(), None);
    assert_eq!(get("y").as_bool_11(), Some(true));
    assert_eq!(get("y").as_str(), Some("yes"));
    assert_eq!(get("q").as_u64(), None);
    assert_eq!(get("q").as_str(), Some("5"));
    assert_eq!(get("n").as_str(), None);
    assert_eq!(get("n").text(), Some("5"));
    assert!(get("z").is_null());
    assert!(!get("s").is_null());
    let types = ["n", "t", "y", "q", "z", "l", "m"].map(|key| get(key).type_name());
    assert_eq!(types, ["a number", "a boolean", "a string", "a string", "nothing", "a list", "a mapping"]);
    assert!(node.get("mixed").is_none());
    assert_eq!(node.get_ci("mIXED").and_then(Node::as_u64), Some(1));
    assert_eq!(get("l").items().len(), 1);
    assert!(get("m").items().is_empty());
}

#[test]
fn a_mapping_is_made_of_what_is_there() {
    let span = Span { file: FileId(0), start: 0, end: 4 };
    let key = Span { file: FileId(0), start: 1, end: 2 };
    let node = MapBuilder::new(span)
        .set("a", key, Node::plain(span, "1"))
        .set("absent", None, None)
        .set("b", None, Some(Node::str(span, "1")))
        .set("a", None, Node::seq(span, vec![Node::plain(span, "2")]))
        .build();
    assert_eq!(shape(&node), "{a: [2], b: '1'}");
    assert_eq!(node.entries()[1].key_span, span);
}
