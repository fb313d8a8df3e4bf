use super::*;

/// The message, and the bytes it points at.
fn refused(text: &str) -> Vec<(String, String)> {
    let errors = read(text).expect_err(text);
    let sources = sources(text);
    errors.iter().map(|error| (error.message.clone(), sources.slice(error.span).to_owned())).collect()
}

#[test]
fn json_that_is_not_json() {
    let cases = [
        (r#"{"a": 1,}"#, "a `,` stands before the closing bracket", ","),
        (r#"[1, 2, ]"#, "a `,` stands before the closing bracket", ","),
        (r#"{"a": NaN}"#, "`NaN` is no JSON value", "NaN"),
        (r#"[-Infinity]"#, "`-Infinity` is no JSON value", "-Infinity"),
        ("{\"a\": 1 // one\n}", "JSON has no comments", "// one"),
        ("{\n/* x */ \"a\": 1}", "JSON has no comments", "/* x */ \"a\": 1}"),
        ("{\"a\": // x\n 1}", "JSON has no comments", "// x"),
        (r#"{"a": 1 "b": 2}"#, "a `,` is missing before this value", "\""),
        ("[1 2]", "a `,` is missing before this value", "2"),
        (r#"{"a" 1}"#, "a `:` is missing after the key", "1"),
        (r#"{"a": [1, 2}"#, "`[` is closed by `}`", "}"),
        (r#"{"a": {"b": 1]"#, "`{` is closed by `]`", "]"),
        (r#"{"a": {"b": 1"#, "the text ends before this `{` is closed", "{"),
        (r#"{"a": [1, "#, "the text ends before this `[` is closed", "["),
        (r#"{"a""#, "the text ends before this `{` is closed", "{"),
        (r#"{"a": "b"#, "this string is never closed", "\""),
        ("{\"a\": \"b\n\"}", "this string is not closed in its line", "\""),
        ("{\"a\": \"b\tc\"}", "the control character U+0009 stands in a string", "\t"),
        (r#"{"a": "x\ud800y"}"#, "half of a surrogate pair stands alone in this string", r"\ud800"),
        (r#"{"a": "\udc00"}"#, "half of a surrogate pair stands alone in this string", r"\udc00"),
        (r#"{"a": "\ud83d\u0041"}"#, "half of a surrogate pair stands alone in this string", r"\ud83d"),
        (r#"{"a": "\q"}"#, r"`\q` is no escape of JSON", r"\q"),
        (r#"{"a": "\u12g4"}"#, r"`\u12` is no escape of JSON", r"\u12"),
        (r#"{"a": 1}}"#, "this bracket closes nothing", "}"),
        (r#"{"a": 1}, {"a": 2}"#, "there is a `,` between two JSON values", ","),
        (r#"{"a": 1} x"#, "there is text after the JSON value", "x"),
        ("WARNING: old\n\n{\"a\": 1}", "there is text before the JSON that begins at line 3", "WARNING: old"),
        ("// note\n[{\"a\": 1}]\n", "there is text before the JSON that begins at line 2", "// note"),
        ("{{ .Values.x }}", "`{{` is no JSON and no YAML", "{{"),
        (r#"[1,,2]"#, "there is nothing before this `,`", ","),
        (r#"[{"a": }, 1}"#, "the key has no value", "}"),
    ];
    for (text, message, bytes) in cases {
        assert_eq!(refused(text), [(message.to_owned(), bytes.to_owned())], "{text}");
    }
}

#[test]
fn yaml_that_is_not_yaml() {
    let cases = [
        ("a: b: c", "`:` cannot stand here", ":"),
        ("a: 1\n b: 2", "`:` cannot stand here", ":"),
        ("a: \"x", "this quote is never closed", "\""),
        ("a: [1, 2", "this `[` is never closed", "["),
        ("a: {b: 1", "this `{` is never closed", "{"),
        ("a: ]", "this bracket closes nothing", "]"),
        ("a:\n\tb: 1", "a tab is used for indentation", "\t"),
        ("\ta: 1", "a tab is used for indentation", "\t"),
        ("a:\n  \tb: 1", "a tab is used for indentation", "\t"),
        ("-\ta: 1", "a tab is used for indentation", "\t"),
        ("- a\nb: 1", "this is not an item of the list above", "b"),
        ("a: @x", "a value cannot begin with `@`", "@"),
        ("a: %x", "a value cannot begin with `%`", "%"),
        ("a: *zz", "no anchor of this name stands before this alias", "*"),
        ("a: - b", "a list item cannot begin here", "-"),
        ("  a: 1\n b: 2", "this line does not belong to what stands above it", "b"),
        ("a: \u{7}", "the control character U+0007 is not allowed in YAML", "\u{7}"),
        ("a: &x [*x]", "`*x` stands inside the value it is an alias of", "*x"),
        ("a: &x {b: {c: *x}}", "`*x` stands inside the value it is an alias of", "*x"),
        ("? [a]\n: b", "a list cannot be a key", "["),
        ("? {a: b}\n: b", "a mapping cannot be a key", "{"),
        ("{a: 1, [b]: 2}", "a list cannot be a key", "["),
        ("x: &x [a]\ny:\n  *x : b", "`*x` is a list or a mapping, which cannot be a key", "*x"),
        ("a: \"C:\\Users\"", "this text has an escape YAML does not know", "\""),
        ("a: 'it's'", "there is text after the closing quote", "s"),
        ("a: * b", "`&` and `*` begin an anchor or an alias, but no name follows", "*"),
        ("a: [1\nb: 2", "`:` cannot stand here", ":"),
        ("a: |x\n  y", "there is text in the line of the `|` or `>`", "|"),
        ("a: [x, , y]", "there is nothing before this `,`", ","),
        ("a: b\n{c: d}\n", "this is not a key of the mapping above", "{"),
        (": x", "there is a value but no key", ":"),
        ("a: !Ref x", "the tag `!Ref` is not understood here", "x"),
        ("a: !!binary aGk=", "the tag `!!binary` is not understood here", "aGk="),
        ("a: !!map [x]", "the tag `!!map` is not understood here", "["),
        ("a: !!int x", "`x` is not what its tag `!!int` says", "x"),
        ("a: {<<: 1}", "the merge key `<<` takes a mapping or a list of mappings", "1"),
        ("a: {<<: [{b: 1}, 2]}", "the merge key `<<` takes a mapping or a list of mappings", "2"),
    ];
    for (text, message, bytes) in cases {
        assert_eq!(refused(text), [(message.to_owned(), bytes.to_owned())], "{text}");
    }
}

#[test]
fn a_key_that_stands_twice_names_both_places() {
    let message = |key: &str, line, column| {
        format!("the key `{key}` is already in this mapping, at line {line}, column {column}")
    };
    let pair = |message: String, bytes: &str| (message, bytes.to_owned());
    assert_eq!(refused("a: 1\nb: 2\na: 3\na: 4"), [pair(message("a", 1, 1), "a"), pair(message("a", 1, 1), "a")]);
    assert_eq!(refused("é: {b: 1, b: 2}"), [pair(message("b", 1, 5), "b")]);
    assert_eq!(refused("{\"x\": 1, \"\\u0078\": 2}"), [pair(message("\"\\u0078\"", 1, 2), "\"\\u0078\"")]);
    assert_eq!(refused("1: x\n\"1\": y"), [pair(message("\"1\"", 1, 1), "\"1\"")]);
    assert_eq!(refused("x: &x {}\na:\n  <<: *x\n  <<: *x\n"), [pair(message("<<", 3, 3), "<<")]);
    let many: String = (0..30).map(|at| format!("k{at}: 1\n")).collect();
    let twice = format!("{many}k7: 2\nk3: 2\n");
    assert_eq!(refused(&twice), [pair(message("k7", 8, 1), "k7"), pair(message("k3", 4, 1), "k3")]);
    let positions =
        read(&twice).unwrap_err().iter().map(|error| sources(&twice).position(error.span).line).collect::<Vec<_>>();
    assert_eq!(positions, [31, 32]);
}

#[test]
fn the_errors_of_all_documents_are_reported() {
    let text = "a: 1\na: 2\n---\nb: [1\n---\nc: ok\n---\nd: *nope\n";
    let messages: Vec<String> = refused(text).into_iter().map(|(message, _)| message).collect();
    assert_eq!(
        messages,
        [
            "the key `a` is already in this mapping, at line 1, column 1",
            "this `[` is never closed",
            "no anchor of this name stands before this alias",
        ]
    );
}

#[test]
fn columns_count_characters_and_ignore_the_byte_order_mark() {
    let bytes = "\u{feff}# ü\nß: 'é' x: y\n".as_bytes();
    let text = decode_bytes(bytes).unwrap();
    let errors = read(&text).unwrap_err();
    let position = sources(&text).position(errors[0].span);
    assert_eq!((position.line, position.column), (2, 8));
}

#[test]
fn every_error_says_what_to_do() {
    for text in ["a: b: c", "{\"a\": 1,}", "a: 1\na: 2", "a: !x 1", "- a\nb", "a: \"\\q\"", "%x", "a: \"\\ud800\""] {
        for error in read(text).unwrap_err() {
            assert!(!error.help.is_empty(), "{text}");
            assert!(!error.message.ends_with('.') && !error.message.is_empty(), "{text}: {}", error.message);
        }
    }
}
