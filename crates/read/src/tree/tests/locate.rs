use super::*;

/// The bytes that gave the part of the value of `k` that reads `part`.
fn located(text: &str, part: &str) -> String {
    let sources = sources(text);
    let document = one(text);
    let node = document.get("k").unwrap();
    let at = node.text().unwrap().find(part).unwrap_or_else(|| panic!("{part:?} is not in {:?}", node.text()));
    sources.slice(locate_in_scalar(&sources, node, at..at + part.len())).to_owned()
}

#[test]
fn parts_of_scalars_are_found_in_the_file() {
    let cases = [
        ("k: abc def", "def", "def"),
        ("k: 'it''s here'", "here", "here"),
        ("k: 'it''s here'", "t's", "t''s"),
        ("k: \"a\\tb\\u00e9c\"", "c", "c"),
        ("k: \"a\\tb\\u00e9c\"", "bé", "b\\u00e9"),
        ("k: \"\\x41\\U0001F600b\\e\\N\\_\\L\\P\\0\\a\\v\\ z\"", "b", "b"),
        ("k: \"\\x41\\U0001F600b\\e\\N\\_\\L\\P\\0\\a\\v\\ z\"", "z", "z"),
        ("k: abc\n  def\n\n  ghi", "def", "def"),
        ("k: abc\n  def\n\n  ghi", "def\nghi", "def\n\n  ghi"),
        ("k: \"abc \n  def\\\n  ghi\\n\n\n  jkl\"", "ghi", "ghi"),
        ("k: \"abc \n  def\\\n  ghi\\n\n\n  jkl\"", "jkl", "jkl"),
        ("k: 'abc  \r\n  d''ef'", "ef", "ef"),
        ("k: |\n  abc\n    def\n\n  ghi\n", "def", "def"),
        ("k: |\n  abc\n    def\n\n  ghi\n", "  def\n", "  def\n"),
        ("k: |\n  abc\n    def\n\n  ghi\n", "ghi\n", "ghi\n"),
        ("k: |\n  abc\n    def\n\n  ghi\n", "abc\n  def", "abc\n    def"),
        ("k: |\r\n  abc\r\n  def\r\n", "def", "def"),
        ("k: |2-\n   abc\n  def", "bc\nd", "bc\n  d"),
        ("k: |\n\n \n  abc\n", "bc", "bc"),
        ("k: |\n  abc", "c", "c"),
        ("k: >\n  abc\n  def\n\n  ghi\n   jkl\n", "def", "def"),
        ("k: >\n  abc\n  def\n\n  ghi\n   jkl\n", "jkl", "jkl"),
        (r#"{"k": "a\ud83d\ude00b\/c\nd"}"#, "b/", r"b\/"),
        (r#"{"k": "a\ud83d\ude00b\/c\nd"}"#, "😀", r"\ud83d\ude00"),
        (r#"{"k": "a\ud83d\ude00b\/c\nd"}"#, "d", "d"),
        (r#"{"k": "a\\b\"c\"\b\f\r\t!"}"#, "c", "c"),
        (r#"{"k": "a\\b\"c\"\b\f\r\t!"}"#, "!", "!"),
    ];
    for (text, part, bytes) in cases {
        assert_eq!(located(text, part), bytes, "{part:?} in {text:?}");
    }
}

#[test]
fn what_cannot_be_located_is_the_whole_scalar() {
    let text = "k: \"a\\tb\"\nl: [1]\n";
    let sources = sources(text);
    let document = one(text);
    let node = document.get("k").unwrap();
    let made = Node::str(node.span, "something else");
    assert_eq!(locate_in_scalar(&sources, &made, 1..3), node.span);
    assert_eq!(locate_in_scalar(&sources, node, 1..30), node.span);
    #[expect(clippy::reversed_empty_ranges, reason = "what is asked for must not matter")]
    let reversed = locate_in_scalar(&sources, node, 3..1);
    assert_eq!(reversed, node.span);
    let list = document.get("l").unwrap();
    assert_eq!(locate_in_scalar(&sources, list, 0..1), list.span);
    let elsewhere = Node::str(Span { file: FileId(9), start: 4, end: 900 }, "abc");
    assert_eq!(locate_in_scalar(&sources, &elsewhere, 0..1), elsewhere.span);
}

#[test]
fn an_empty_part_is_a_place() {
    let text = "k: |\n  ab\n  cd\n";
    let document = one(text);
    let node = document.get("k").unwrap();
    for (at, byte) in [(0, 7), (1, 8), (3, 12), (6, 15)] {
        let span = locate_in_scalar(&sources(text), node, at..at);
        assert_eq!((span.start, span.end), (byte, byte), "{at}");
    }
}

#[test]
fn a_document_in_a_document_keeps_its_bytes() {
    let block = "data:\n  k: |\n    prefixes:\n      - 10.0.0.0/8 # x\n      - 'é'\n";
    let json = r#"{"data": {"k": "prefixes:\n  - 10.0.0.0\/8\n  - 'é'\n"}}"#;
    for (text, prefix) in [(block, "10.0.0.0/8"), (json, r"10.0.0.0\/8")] {
        let sources = sources(text);
        let outer = one(text);
        let node = outer.get("data").and_then(|data| data.get("k")).unwrap();
        let inner = parse_in_scalar(&sources, node, &Limits::default()).unwrap();
        assert_eq!(shape(&inner[0]), "{prefixes: [10.0.0.0/8, 'é']}");
        let items = inner[0].get("prefixes").unwrap().items();
        assert_eq!(sources.slice(items[0].span), prefix);
        assert_eq!(sources.slice(items[1].span), "'é'");
        assert_eq!(sources.slice(inner[0].entries()[0].key_span), "prefixes");
    }
}

#[test]
fn errors_in_a_document_in_a_document_point_into_the_file() {
    let text = "k: |\n  a: 1\n  b: [\n";
    let sources = sources(text);
    let outer = one(text);
    let errors = parse_in_scalar(&sources, outer.get("k").unwrap(), &Limits::default()).unwrap_err();
    let position = sources.position(errors[0].span);
    assert_eq!((position.line, position.column), (3, 6));
    let twice = "x: 1\nk: |\n    a: 1\n    a: 2\n";
    let errors = parse_in_scalar(&super::sources(twice), one(twice).get("k").unwrap(), &Limits::default()).unwrap_err();
    assert_eq!(errors[0].message, "the key `a` is already in this mapping, at line 3, column 5");
    let errors = parse_in_scalar(&sources, &outer, &Limits::default()).unwrap_err();
    assert_eq!(errors[0].message, "a mapping stands where a text is expected");
}
