use super::*;

#[test]
fn depth_is_limited_whatever_makes_it() {
    let closed = |open: &str, close: &str, depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
    for (open, close) in [("[", "]"), ("{\"a\":", "1}"), ("[a,", "]"), ("- ", ""), ("? ", "")] {
        for depth in [129, 1_000, 100_000, 1_000_000] {
            for text in [closed(open, close, depth), open.repeat(depth)] {
                let errors = read(&text).expect_err(open);
                assert_eq!(errors.len(), 1, "{open} {depth}");
            }
        }
    }
    assert!(read(&closed("[", "]", 128)).is_ok());
    assert!(read(&closed("- ", "", 128)).is_ok());
    let message = "lists and mappings stand more than 128 deep in each other";
    assert_eq!(read(&closed("[", "]", 129)).unwrap_err()[0].message, message);
    assert_eq!(read(&closed("- ", "", 129)).unwrap_err()[0].message, message);
}

#[test]
fn block_indentation_is_limited() {
    let stairs = |depth: usize| (0..depth).map(|at| format!("{}a:\n", " ".repeat(at))).collect::<String>();
    assert!(read(&stairs(128)).is_ok());
    assert_eq!(read(&stairs(5_000)).unwrap_err().len(), 1);
}

#[test]
fn aliases_cannot_build_depth_or_size() {
    let laughs: String = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned())
        .chain((1..10).map(|at| {
            let alias = format!("*a{}", at - 1);
            format!("a{at}: &a{at} [{}]\n", [alias.as_str(); 9].join(", "))
        }))
        .collect();
    assert_eq!(read(&laughs).unwrap_err()[0].message, "aliases expand to more than 1000000 values");
    let merges: String = std::iter::once("a0: &a0 {x: [1, 2, 3, 4, 5, 6, 7, 8, 9]}\n".to_owned())
        .chain((1..40).map(|at| format!("a{at}: &a{at} {{<<: *a{0}, p{at}: *a{0}}}\n", at - 1)))
        .collect();
    assert_eq!(read(&merges).unwrap_err()[0].message, "aliases expand to more than 1000000 values");
    let tower: String = std::iter::once("a0: &a0 x\n".to_owned())
        .chain((1..300).map(|at| format!("a{at}: &a{at} [*a{}]\n", at - 1)))
        .collect();
    assert_eq!(read(&tower).unwrap_err()[0].message, "lists and mappings stand more than 128 deep in each other");
}

#[test]
fn what_an_alias_stands_for_is_shared() {
    let node = one("a: &a [1, 2]\nb: *a\n");
    match (&node.get("a").unwrap().value, &node.get("b").unwrap().value) {
        (Value::Seq(a), Value::Seq(b)) => assert!(Arc::ptr_eq(a, b)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_number_of_bytes_and_of_errors_is_limited() {
    let limits = Limits { bytes: 10, errors: 3, ..Limits::default() };
    assert!(parse("a: 1", FileId(0), &limits).is_ok());
    let message = &parse("a: 1\nb: 2\n#", FileId(0), &limits).unwrap_err()[0].message;
    assert_eq!(message, "the text has 11 bytes, more than the 10 that are read");
    let limits = Limits { errors: 3, ..Limits::default() };
    assert_eq!(parse(&"a: 1\n".repeat(50), FileId(0), &limits).unwrap_err().len(), 3);
    assert_eq!(parse(&"--- ]\n".repeat(50), FileId(0), &limits).unwrap_err().len(), 3);
}

#[test]
fn twenty_megabytes_are_read() {
    let item = "  - {name: aks-nodepool, prefix: 10.0.0.0/24, tags: [a, b]}\n    \n";
    let yaml = format!("items:\n{}", item.repeat(60_000));
    assert_eq!(one(&yaml).get("items").unwrap().items().len(), 60_000);
    let item = r#"{"name": "aks-nodepool", "properties": {"addressPrefix": "10.0.0.0/24", "list": [1, 2, 3]}},"#;
    let json = format!("[{}null]", item.repeat(20 * 1024 * 1024 / item.len()));
    assert_eq!(one(&json).items().len(), 20 * 1024 * 1024 / item.len() + 1);
}
