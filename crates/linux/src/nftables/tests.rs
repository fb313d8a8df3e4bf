//! Bytes out and bytes in, without a kernel. `tests/nft-batch.hex` is what nft 1.0.6 sends for `tests/nft-batch.nft`, as strace shows it.

use super::encode::encode;
use super::{ApplyError, Generation, Seen, decode, encoded_size, key_size};
use crate::netlink::read::{Message, Messages};
use causeway_dataplane::nftables::objects::{
    Expression, Header, KeyType, Keys, Op, Register, RuleObject, VerdictObject,
};
use causeway_dataplane::ruleset::{BaseChain, ChainKind, Hook, Policy, Rate, TableFamily, TableId};
use proptest::prelude::*;

const R0: Register = Register(0);

fn nft_batch() -> Vec<u8> {
    let digits: Vec<u8> = include_str!("tests/nft-batch.hex").bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn t() -> TableId {
    TableId { family: TableFamily::Ip, name: "t".into() }
}

fn keys4(addresses: &[[u8; 4]]) -> Keys {
    Keys { width: 4, bytes: addresses.concat() }
}

fn rule(chain: &str, comment: &str, expressions: Vec<Expression>) -> Op {
    Op::AddRule { table: t(), chain: chain.into(), rule: RuleObject { expressions, comment: comment.into() } }
}

fn address(offset: u32) -> Expression {
    Expression::Payload { header: Header::Network, offset, length: 4, to: R0 }
}

fn in_s24() -> Expression {
    Expression::Lookup { set: "s24".into(), register: R0, inverted: false }
}

fn equal(value: &[u8]) -> Expression {
    Expression::Compare { register: R0, equal: true, value: value.to_vec() }
}

fn mask(mask: [u8; 4]) -> Expression {
    Expression::Bitwise { from: R0, to: R0, mask: mask.to_vec(), xor: vec![0; 4] }
}

/// `tests/nft-batch.nft` in nft's order.
fn ops() -> Vec<Op> {
    let base = |kind, priority| Some(BaseChain { kind, hook: Hook::Postrouting, priority, policy: Policy::Accept });
    let chain = |name: &str, base| Op::AddChain { table: t(), name: name.into(), base };
    let verdict = Expression::Verdict;
    vec![
        Op::AddTable(t()),
        chain("translate", None),
        chain("postrouting", base(ChainKind::Nat, 101)),
        chain("count", base(ChainKind::Filter, 110)),
        Op::AddCounter { table: t(), name: "exempt".into() },
        Op::AddSet { table: t(), name: "s24".into(), key: KeyType::IPV4, size: Some(64) },
        Op::AddElements { table: t(), set: "s24".into(), keys: keys4(&[[10, 0, 0, 0], [10, 0, 1, 0]]) },
        rule(
            "translate",
            "exempt",
            vec![
                address(16),
                mask([255, 255, 255, 0]),
                in_s24(),
                Expression::CountOn("exempt".into()),
                verdict(VerdictObject::Return),
            ],
        ),
        rule("translate", "", vec![Expression::Masquerade { flags: 16 }]),
        rule(
            "postrouting",
            "",
            vec![
                Expression::Fib { result: 3, flags: 2, to: R0 },
                equal(&2_u32.to_ne_bytes()),
                verdict(VerdictObject::Return),
            ],
        ),
        rule("postrouting", "", vec![verdict(VerdictObject::Goto("translate".into()))]),
        rule(
            "count",
            "",
            vec![
                Expression::Conntrack { key: 2, direction: None, to: R0 },
                mask(16_u32.to_ne_bytes()),
                equal(&16_u32.to_ne_bytes()),
                Expression::Conntrack { key: 1, direction: None, to: R0 },
                equal(&[0]),
                Expression::Counter,
            ],
        ),
        rule("count", "", vec![address(12), in_s24(), verdict(VerdictObject::Drop)]),
    ]
}

fn messages(bytes: &[u8]) -> Vec<Message<'_>> {
    Messages::new(bytes).collect::<Result<_, _>>().unwrap()
}

#[test]
#[cfg(target_endian = "little")]
fn our_messages_are_nfts_byte_for_byte() {
    let (ops, theirs) = (ops(), nft_batch());
    let ours = encode(&ops, None, 0).unwrap();
    let (theirs, ours) = (messages(&theirs), messages(&ours.bytes));
    assert_eq!((ours.len(), theirs.len()), (ops.len() + 2, ops.len() + 2));
    let mut equal = 0;
    for (place, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        assert_eq!((ours.kind, ours.sequence), (theirs.kind, theirs.sequence));
        assert_eq!(ours.flags & !4, theirs.flags, "message {place}");
        // nft gives its sets a byte order and names sets by number too; the rest is the same.
        let names_a_set = match place.checked_sub(1).and_then(|place| ops.get(place)) {
            Some(Op::AddSet { .. } | Op::AddElements { .. }) => true,
            Some(Op::AddRule { rule, .. }) => rule.expressions.contains(&in_s24()),
            _ => false,
        };
        if !names_a_set {
            assert_eq!(ours.payload, theirs.payload, "message {place}");
            equal += 1;
        }
    }
    assert_eq!(equal, 11);
}

#[test]
#[cfg(target_endian = "little")]
fn a_batch_of_keys_is_these_bytes() {
    let ops = [Op::DeleteElements { table: t(), set: "s".into(), keys: keys4(&[[10, 1, 0, 0]]) }];
    let batch = encode(&ops, Some(Generation(7)), 256).unwrap();
    let expected: Vec<u8> = [
        // Begin, number 256, subsystem 10, generation 7.
        &[28, 0, 0, 0, 0x10, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 8, 0, 1, 0, 0, 0, 0, 7][..],
        // Delete elements, with an answer, number 257, family 2.
        &[56, 0, 0, 0, 14, 10, 5, 0, 1, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0],
        // Table t, set s.
        &[6, 0, 1, 0, b't', 0, 0, 0, 6, 0, 2, 0, b's', 0, 0, 0],
        // Elements { element { key { value } } }
        &[20, 0, 3, 0x80, 16, 0, 1, 0x80, 12, 0, 1, 0x80, 8, 0, 1, 0, 10, 1, 0, 0],
        // End, number 258.
        &[20, 0, 0, 0, 0x11, 0, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10],
    ]
    .concat();
    assert_eq!(batch.bytes, expected);
    assert_eq!(encoded_size(&ops), Ok(expected.len()));
    assert_eq!(key_size(4), 16);
}

#[test]
#[cfg(target_endian = "little")]
fn what_nft_writes_is_read() {
    let seen = decode(&nft_batch()).unwrap();
    let expected: Vec<RuleObject> = ops()
        .into_iter()
        .filter_map(|op| match op {
            Op::AddRule { rule, .. } => Some(rule),
            _ => None,
        })
        .collect();
    let rules: Vec<RuleObject> = seen
        .iter()
        .filter_map(|seen| match seen {
            Seen::Rule { rule, .. } => Some(rule.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(rules, expected);
    assert!(seen.contains(&Seen::Set {
        table: Some(t()),
        name: "s24".into(),
        key: KeyType::IPV4,
        size: Some(64),
        flags: 0,
        leads: false
    }));
    let keys = keys4(&[[10, 0, 0, 0], [10, 0, 1, 0]]);
    assert!(seen.contains(&Seen::Elements { table: Some(t()), set: "s24".into(), keys, strange: false }));
}

#[test]
fn keys_are_split_below_the_length_of_an_attribute() {
    for width in [1_usize, 4, 16, 64] {
        let bytes = vec![0; width * 20_000];
        let ops = [
            Op::AddElements { table: t(), set: "s".into(), keys: Keys { width, bytes } },
            Op::DeleteSet { table: t(), name: "other".into() },
        ];
        let batch = encode(&ops, None, 1).unwrap();
        let messages = messages(&batch.bytes);
        assert_eq!(messages.len(), batch.changes.len() + 2);
        let found: usize = decode(&batch.bytes)
            .unwrap()
            .iter()
            .map(|seen| if let Seen::Elements { keys, .. } = seen { keys.bytes.len() } else { 0 })
            .sum();
        assert_eq!(found, width * 20_000);
        let acknowledged: Vec<usize> =
            messages.iter().enumerate().filter(|(_, message)| message.flags & 4 != 0).map(|(place, _)| place).collect();
        assert_eq!(acknowledged, [batch.changes.len()], "only the last change is answered");
        assert_eq!((batch.changes.first(), batch.changes.last()), (Some(&0), Some(&1)));
    }
}

#[test]
fn what_cannot_be_written_is_said() {
    let value = vec![0; 70_000];
    let wide = rule("c", "", vec![Expression::Compare { register: R0, equal: true, value }]);
    let error = encode(&[wide], None, 1).unwrap_err();
    assert_eq!(error.to_string(), "attribute 1 would be 70004 bytes long; 65,535 is the most");
    for key in [KeyType { number: 7, width: 0 }, KeyType { number: 7, width: 65 }] {
        let set = Op::AddSet { table: t(), name: "s".into(), key, size: None };
        assert!(matches!(encode(&[set], None, 1), Err(ApplyError::Invalid { op: 0, .. })));
    }
}

fn register() -> impl Strategy<Value = Register> {
    (0_u8..16).prop_map(Register)
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9.-]{0,20}"
}

fn bytes(length: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), length)
}

fn verdict() -> impl Strategy<Value = VerdictObject> {
    prop_oneof![
        Just(VerdictObject::Accept),
        Just(VerdictObject::Drop),
        Just(VerdictObject::Return),
        name().prop_map(VerdictObject::Jump),
        name().prop_map(VerdictObject::Goto),
        (2_i32..100).prop_map(VerdictObject::Other),
    ]
}

fn expression() -> impl Strategy<Value = Expression> {
    let header = prop_oneof![Just(Header::Network), Just(Header::Transport)];
    prop_oneof![
        (header, any::<u32>(), any::<u32>(), register()).prop_map(|(header, offset, length, to)| Expression::Payload {
            header,
            offset,
            length,
            to
        }),
        (register(), register(), (0_usize..20).prop_flat_map(|length| (bytes(length), bytes(length))))
            .prop_map(|(from, to, (mask, xor))| Expression::Bitwise { from, to, mask, xor }),
        (register(), any::<bool>(), bytes(0..20)).prop_map(|(register, equal, value)| Expression::Compare {
            register,
            equal,
            value
        }),
        (name(), register(), any::<bool>()).prop_map(|(set, register, inverted)| Expression::Lookup {
            set,
            register,
            inverted
        }),
        (name(), register()).prop_map(|(map, register)| Expression::Lead { map, register }),
        (any::<u32>(), any::<u32>(), register()).prop_map(|(result, flags, to)| Expression::Fib { result, flags, to }),
        (any::<u32>(), any::<Option<u8>>(), register()).prop_map(|(key, direction, to)| Expression::Conntrack {
            key,
            direction,
            to
        }),
        (any::<u32>(), register()).prop_map(|(key, to)| Expression::Meta { key, to }),
        name().prop_map(Expression::CountOn),
        name().prop_map(Expression::Within),
        (any::<u16>(), any::<u32>(), "[!-~]{0,127}").prop_map(|(group, bytes, prefix)| Expression::Log {
            group,
            bytes,
            prefix
        }),
        Just(Expression::Counter),
        verdict().prop_map(Expression::Verdict),
        any::<u32>().prop_map(|flags| Expression::Masquerade { flags }),
        (register(), bytes(0..20)).prop_map(|(to, value)| Expression::Immediate { to, value }),
        (any::<u32>(), register()).prop_map(|(modulus, to)| Expression::Number { modulus, to }),
        (any::<u32>(), register()).prop_map(|(key, from)| Expression::SetMeta { key, from }),
        (any::<u32>(), register()).prop_map(|(key, from)| Expression::SetConntrack { key, from }),
        (any::<bool>(), any::<u32>(), proptest::option::of(register()), proptest::option::of(register()), any::<u32>())
            .prop_map(|(source, family, address, port, flags)| Expression::Nat {
                source,
                family,
                address,
                port,
                flags
            }),
        prop_oneof![(Just(0_u32), any::<u8>()), (Just(2_u32), any::<u8>()), Just((1, 0))]
            .prop_map(|(kind, code)| Expression::Reject { kind, code }),
        bytes(0..3).prop_map(|bytes| Expression::Other {
            name: "xyzzy".into(),
            extension: String::new(),
            data: bytes.repeat(4)
        }),
    ]
}

proptest! {
    #[test]
    fn rules_come_back(expressions in proptest::collection::vec(expression(), 0..12), comment in "[ -~]{0,127}") {
        let batch = encode(&[rule("c", &comment, expressions.clone())], Some(Generation(1)), 9).unwrap();
        let seen = decode(&batch.bytes).unwrap();
        let rule = RuleObject { expressions, comment };
        let expected = Seen::Rule { table: Some(t()), chain: "c".into(), handle: 0, rule };
        prop_assert!(seen.contains(&expected), "{:?}", seen);
    }

    #[test]
    fn limits_come_back(name in name(), per_second in any::<u32>(), burst in any::<u32>()) {
        let rate = Rate { per_second, burst };
        let batch = encode(&[Op::AddLimit { table: t(), name: name.clone(), rate }], None, 1).unwrap();
        let expected = Seen::Limit { table: Some(t()), name, rate: Some(rate) };
        prop_assert!(decode(&batch.bytes).unwrap().contains(&expected));
    }

    #[test]
    fn pairs_come_back(key in 1_usize..=64, count in 0_usize..300, seed in any::<u8>()) {
        let width = key + 4;
        let bytes: Vec<u8> = (0..width * count).map(|place| (place as u8).wrapping_mul(seed)).collect();
        let pairs = Keys { width, bytes: bytes.clone() };
        let batch = encode(&[Op::AddPairs { table: t(), map: "m".into(), pairs }], None, 1).unwrap();
        let found: Vec<u8> = decode(&batch.bytes).unwrap().into_iter().flat_map(|seen| match seen {
            Seen::Elements { keys, strange: false, .. } => keys.bytes,
            _ => Vec::new(),
        }).collect();
        prop_assert_eq!(found, bytes);
    }

    #[test]
    fn keys_come_back(width in 1_usize..=64, count in 0_usize..300, seed in any::<u8>()) {
        let bytes: Vec<u8> = (0..width * count).map(|place| (place as u8).wrapping_mul(seed)).collect();
        let keys = Keys { width, bytes: bytes.clone() };
        let batch = encode(&[Op::AddElements { table: t(), set: "s".into(), keys }], None, 1).unwrap();
        let found: Vec<u8> = decode(&batch.bytes).unwrap().into_iter().flat_map(|seen| match seen {
            Seen::Elements { keys, strange: false, .. } => keys.bytes,
            _ => Vec::new(),
        }).collect();
        prop_assert_eq!(found, bytes);
    }

    #[test]
    fn garbage_is_an_error_or_something_but_no_panic(bytes in bytes(0..400)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn a_message_with_wrong_bytes_does_not_panic(place in any::<prop::sample::Index>(), value in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut batch = nft_batch();
        let place = place.index(batch.len());
        batch[place] = value;
        let _ = decode(&batch);
        batch.truncate(cut.index(batch.len()));
        let _ = decode(&batch);
    }
}

/// The planner sizes its batches by an estimate of its own, which must not be below what is really sent.
#[test]
fn planned_batches_fit_the_limit_they_were_planned_for() {
    use causeway_addr::Cidr;
    use causeway_dataplane::masquerade::{Compiled, Settings};
    use causeway_dataplane::nftables::{Growth, Limits, plan};
    use causeway_model::masquerade::MasqueradeConfig;
    let v4 = (0..20_000_u32).filter_map(|n| Cidr::new((n << 12).to_be_bytes().into(), 20));
    let v6 = (0..20_000_u128).filter_map(|n| Cidr::new((n << 64 | 0xfd << 120).to_be_bytes().into(), 64));
    let config = MasqueradeConfig { exempt: v4.chain(v6).collect(), ipv6: true, ..MasqueradeConfig::default() };
    let compiled = Compiled::new(Settings { config, ..Settings::default() }, Growth::default());
    for batch_bytes in [20_000, 180_000, 2_000_000] {
        let batches = plan(compiled.objects(), &std::collections::BTreeMap::new(), &Limits { batch_bytes }).batches;
        assert!(!batches.is_empty());
        for batch in batches {
            let size = encoded_size(&batch).unwrap();
            assert!(size <= batch_bytes, "{} changes are {size} bytes, not {batch_bytes}", batch.len());
        }
    }
}
