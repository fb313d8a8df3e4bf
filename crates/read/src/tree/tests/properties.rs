use super::*;
use proptest::prelude::*;

fn json_of(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Seq(items) => serde_json::Value::Array(items.iter().map(json_of).collect()),
        Value::Map(entries) => serde_json::Value::Object(
            entries.iter().map(|entry| (entry.key.to_string(), json_of(&entry.node))).collect(),
        ),
        Value::Scalar(scalar) if scalar.style == Style::Quoted => serde_json::Value::String(scalar.text.to_string()),
        Value::Scalar(scalar) => serde_json::from_str(&scalar.text).unwrap(),
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        (-1e9..1e9).prop_map(|number: f64| serde_json::Value::from(number)),
        any_text().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::btree_map(any_text(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Texts that like to break YAML writers.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("a"),
        Just("b c"),
        Just("10.0.0.0/8"),
        Just(" "),
        Just("  "),
        Just("\n"),
        Just("\n\n"),
        Just("\t"),
        Just("\r"),
        Just(": "),
        Just(":"),
        Just(" #"),
        Just("#"),
        Just("-"),
        Just("- "),
        Just("---"),
        Just("..."),
        Just("?"),
        Just("? "),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just(","),
        Just("&a"),
        Just("*a"),
        Just("!"),
        Just("|"),
        Just(">"),
        Just("%"),
        Just("@"),
        Just("`"),
        Just("'"),
        Just("\""),
        Just("\\"),
        Just("<<"),
        Just("="),
        Just("~"),
        Just("null"),
        Just("yes"),
        Just("true"),
        Just("1"),
        Just("0x1"),
        Just(".5"),
        Just("1e3"),
        Just("12:30"),
        Just("2026-01-01"),
        Just("é"),
        Just("😀"),
        Just("\u{85}"),
        Just("\u{2028}"),
        Just("\u{feff}"),
        Just("\u{7f}"),
        Just("\u{1}"),
        Just("\u{fffd}"),
        Just("\u{a0}"),
        Just("0"),
    ];
    prop_oneof![
        4 => prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat()),
        1 => "[a-zA-Z0-9./_-]{0,12}",
        1 => any::<String>(),
    ]
}

fn any_node() -> impl Strategy<Value = Node> {
    let span = Span { file: FileId(0), start: 0, end: 0 };
    let style = prop_oneof![Just(Style::Plain), Just(Style::Quoted), Just(Style::Block)];
    let leaf = (any_text(), style).prop_map(move |(text, style)| {
        // Without quotes only what can be written without quotes: null, booleans, numbers.
        let typed = resolve::is_null(&text) || resolve::bool_12(&text).is_some() || resolve::is_number(&text);
        let style = if typed {
            style
        } else if style == Style::Plain {
            Style::Quoted
        } else {
            style
        };
        Node { span, value: Value::Scalar(Scalar { text: text.into(), style }) }
    });
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(move |items| Node::seq(span, items)),
            prop::collection::btree_map(any_text(), inner, 0..6).prop_map(move |map| {
                map.into_iter().fold(MapBuilder::new(span), |builder, (key, node)| builder.set(key, None, node)).build()
            }),
        ]
    })
}

/// Plain scalars say what their bytes say, keys and quoted texts keep their quotes, children lie in their parents.
fn check_spans(node: &Node, sources: &Sources) {
    if sources.text(FileId(0)).contains(['*', '&']) {
        return; // what an alias stands for lies where it was defined
    }
    let slice = sources.slice(node.span);
    if let Value::Scalar(scalar) = &node.value {
        match scalar.style {
            Style::Plain if !scalar.text.contains([' ', '\n']) => {
                assert_eq!(slice, scalar.text.as_ref())
            }
            Style::Quoted if !slice.is_empty() => assert!(
                slice.starts_with(['"', '\'']) && slice.ends_with(['"', '\'']) || slice == scalar.text.as_ref(),
                "{slice}"
            ),
            _ => {}
        }
    }
    let inside =
        |inner: Span| assert!(node.span.start <= inner.start && inner.end <= node.span.end, "{inner:?} {node:?}");
    for item in node.items() {
        inside(item.span);
        check_spans(item, sources);
    }
    for entry in node.entries() {
        inside(entry.key_span);
        inside(entry.node.span);
        check_spans(&entry.node, sources);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_is_read_as_serde_json_reads_it(value in any_json(), pretty in any::<bool>()) {
        let value = serde_json::json!([value]);
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let node = one(&text);
        prop_assert_eq!(json_of(&node), serde_json::from_str::<serde_json::Value>(&text).unwrap());
        check_spans(&node, &sources(&text));
    }

    #[test]
    fn what_is_written_is_read_again(node in any_node()) {
        let text = to_yaml(&node);
        let again = one(&text);
        prop_assert!(same(&node, &again), "{}\n{}\n{}", text, shape(&node), shape(&again));
        check_spans(&again, &sources(&text));
        prop_assert_eq!(to_yaml(&again), text);
    }

    #[test]
    fn no_text_breaks_the_reader(text in any_text()) {
        match read(&text) {
            Ok(documents) => documents.iter().for_each(|node| check_spans(node, &sources(&text))),
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    prop_assert!(text.get(error.span.start as usize..error.span.end as usize).is_some());
                }
            }
        }
    }
}
