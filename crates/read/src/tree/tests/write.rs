use super::*;

#[test]
fn what_is_written_is_nice_to_read() {
    let source = r#"{"causeway": 1, "networks": {"spoke": {"prefixes": ["10.0.0.0/16", "fd00::/64"], "empty": {}, "none": [],
        "subnets": {"nodes": {"prefix": "10.0.0.0/24"}}}}, "rules": [{"name": "a", "ports": [80, "80-90", "443"]}, [["x"]],
        "text", null], "note": "first\nsecond: line\n", "open": "a\n\n  b", "on": true, "off": false, "y": "yes", "z": null,
        "long": ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccccccccccccc", "d"]}"#;
    let expected = r#"causeway: 1
networks:
  spoke:
    prefixes: [10.0.0.0/16, fd00::/64]
    empty: {}
    none: []
    subnets:
      nodes:
        prefix: 10.0.0.0/24
rules:
  - name: a
    ports: [80, 80-90, "443"]
  - - [x]
  - text
  - null
note: |
  first
  second: line
open: |-
  a

    b
"on": true
"off": false
"y": "yes"
z: null
long:
  - aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  - bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
  - cccccccccccccccccccccccccccccc
  - d
"#;
    assert_eq!(to_yaml(&one(source)), expected);
}

#[test]
fn strings_have_quotes_where_a_reader_could_err() {
    let span = Span { file: FileId(0), start: 0, end: 0 };
    let cases = [
        ("plain", "plain"),
        ("two words", "two words"),
        ("10.0.0.0/16", "10.0.0.0/16"),
        ("Microsoft.Network/x", "Microsoft.Network/x"),
        ("https://x/?a=b#c", "https://x/?a=b#c"),
        ("a, [b]", "a, [b]"),
        ("", r#""""#),
        ("5", r#""5""#),
        ("1_000", r#""1_000""#),
        ("0x1f", r#""0x1f""#),
        ("12:30", r#""12:30""#),
        ("2026-11-20", r#""2026-11-20""#),
        ("no", r#""no""#),
        ("~", r#""~""#),
        ("null", r#""null""#),
        ("a: b", r#""a: b""#),
        ("a #b", r##""a #b""##),
        ("#a", r##""#a""##),
        ("- a", r#""- a""#),
        ("*", r#""*""#),
        ("@a", r#""@a""#),
        ("say \"hi\"", "say \"hi\""),
        ("\"hi\"", "'\"hi\"'"),
        ("a\tb", r#""a\tb""#),
        ("\u{1}\u{85}\u{feff}\u{10ffff}", "\"\\x01\\x85\\ufeff\u{10ffff}\""),
        ("\n", r#""\n""#),
        ("a\n \nb", r#""a\n \nb""#),
        (" a\nb\n", "|2\n   a\n  b"),
        ("a\n\n", "|+\n  a\n"),
    ];
    for (text, expected) in cases {
        let node = MapBuilder::new(span).set("k", None, Node::str(span, text)).build();
        assert_eq!(to_yaml(&node), format!("k: {expected}\n"));
        assert!(same(&one(&to_yaml(&node)), &node));
    }
    for text in ["5", "true", "yes", "~", "0x1f", "1e3"] {
        let node = MapBuilder::new(span).set("k", None, Node::plain(span, text)).build();
        assert_eq!(to_yaml(&node), format!("k: {text}\n"));
    }
}

#[test]
fn keys_of_any_length_are_written() {
    let span = Span { file: FileId(0), start: 0, end: 0 };
    for length in [1, 800, 901, 1023, 5_000] {
        for value in [Node::plain(span, "1"), Node::str(span, "a\nb\n"), Node::seq(span, vec![Node::seq(span, vec![])])]
        {
            let long = MapBuilder::new(span).set("k".repeat(length), None, value.clone()).set("b", None, value).build();
            let node = Node::seq(span, vec![long.clone(), MapBuilder::new(span).set("in", None, long).build()]);
            assert!(same(&one(&to_yaml(&node)), &node), "{}", to_yaml(&node));
        }
    }
}
