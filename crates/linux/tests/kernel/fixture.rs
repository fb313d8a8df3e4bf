//! Tables to write.

use causeway_dataplane::nftables::objects::{
    ChainObject, Expression, Header, KeyType, Keys, MAP, Op, Register, RuleObject, SetObject, TableObjects,
    VerdictObject, numbered_chain,
};
use causeway_dataplane::ruleset::{BaseChain, ChainKind, Hook, Policy, TableFamily, TableId};

pub(crate) fn table() -> TableId {
    TableId { family: TableFamily::Ip, name: "causeway-test".into() }
}

pub(crate) fn keys4(numbers: impl IntoIterator<Item = u32>) -> Keys {
    let mut numbers: Vec<u32> = numbers.into_iter().collect();
    numbers.sort_unstable();
    Keys { width: 4, bytes: numbers.into_iter().flat_map(u32::to_be_bytes).collect() }
}

pub(crate) fn nat_postrouting() -> BaseChain {
    BaseChain { kind: ChainKind::Nat, hook: Hook::Postrouting, priority: 101, policy: Policy::Accept }
}

pub(crate) fn rule(expressions: Vec<Expression>, comment: &str) -> RuleObject {
    RuleObject { expressions, comment: comment.into() }
}

const R0: Register = Register(0);

/// A table with every expression there is a word for.
pub(crate) fn everything(family: TableFamily) -> TableObjects {
    let (key, offset, length, width) = match family {
        TableFamily::Ip6 => (KeyType::IPV6, 24, 16, 16),
        TableFamily::Ip | TableFamily::Inet => (KeyType::IPV4, 16, 4, 4),
    };
    let destination = Expression::Payload { header: Header::Network, offset, length, to: R0 };
    let mask = Expression::Bitwise { from: R0, to: R0, mask: vec![0xfe; width], xor: vec![0; width] };
    let mut bytes = vec![0; width];
    bytes.extend(vec![0xfe; width]);
    let mut objects = TableObjects::default();
    objects.counters.extend(["exempt".to_owned(), "translated".to_owned()]);
    objects.sets.insert(
        "exempt-31".into(),
        SetObject { key, size: Some(64), flags: 0, elements: Keys { width, bytes }, leads: false },
    );
    objects
        .sets
        .insert("grows".into(), SetObject { key, size: None, flags: 0, elements: Keys::default(), leads: false });
    let of_port = KeyType::concatenated([KeyType::PROTOCOL, KeyType::PORT]);
    let ways = Keys { width: 12, bytes: vec![6, 0, 0, 0, 0, 80, 0, 0, 0, 0, 0, 7] };
    objects
        .sets
        .insert("ways".into(), SetObject { key: of_port, size: Some(64), flags: MAP, elements: ways, leads: true });
    let two = KeyType::concatenated([key, key]);
    let twice = Keys { width: 2 * width, bytes: vec![7; 2 * width] };
    objects.sets.insert("twice".into(), SetObject { key: two, size: None, flags: 0, elements: twice, leads: false });
    objects.chains.insert(numbered_chain(7), ChainObject::default());
    let (from, words) = if width == 16 { (21, 4) } else { (19, 1) };
    let looked_up = |inverted| Expression::Lookup { set: "exempt-31".into(), register: R0, inverted };
    let mut translate = ChainObject::default();
    translate.rules.push(rule(
        vec![
            destination.clone(),
            mask,
            looked_up(false),
            Expression::CountOn("exempt".into()),
            Expression::Verdict(VerdictObject::Return),
        ],
        "destinations that keep the pod's address",
    ));
    translate.rules.push(rule(vec![destination, looked_up(true), Expression::CountOn("translated".into())], ""));
    translate.rules.push(rule(vec![Expression::Masquerade { flags: 16 }], "fully random"));
    let mut again = ChainObject::default();
    again.rules.push(rule(vec![Expression::Masquerade { flags: 0 }], ""));
    let mut postrouting = ChainObject { base: Some(nat_postrouting()), ..ChainObject::default() };
    let compare = |register, equal, value: &[u8]| Expression::Compare { register, equal, value: value.to_vec() };
    postrouting.rules.push(rule(
        vec![
            Expression::Fib { result: 3, flags: 2, to: Register(4) },
            compare(Register(4), true, &2_u32.to_ne_bytes()),
            Expression::Verdict(VerdictObject::Return),
        ],
        &"x".repeat(127),
    ));
    postrouting.rules.push(rule(vec![Expression::Verdict(VerdictObject::Jump("again".into()))], ""));
    postrouting.rules.push(rule(vec![Expression::Verdict(VerdictObject::Goto("translate".into()))], ""));
    let mut count = ChainObject {
        base: Some(BaseChain { kind: ChainKind::Filter, priority: -110, policy: Policy::Drop, ..nat_postrouting() }),
        ..ChainObject::default()
    };
    count.rules.push(rule(
        vec![
            Expression::Conntrack { key: 2, direction: None, to: R0 },
            Expression::Bitwise { from: R0, to: R0, mask: 16_u32.to_ne_bytes().to_vec(), xor: vec![0; 4] },
            compare(R0, false, &[0; 4]),
            Expression::Conntrack { key: 1, direction: None, to: R0 },
            compare(R0, true, &[0]),
            Expression::Counter,
        ],
        "",
    ));
    count.rules.push(rule(
        vec![
            Expression::Meta { key: 16, to: Register(1) },
            compare(Register(1), true, &[17]),
            Expression::Payload { header: Header::Transport, offset: 2, length: 2, to: R0 },
            compare(R0, true, &[0, 53]),
            // Packets of the connection's first direction (NFT_CT_PKTS).
            Expression::Conntrack { key: 14, direction: Some(0), to: Register(2) },
            compare(Register(2), false, &[0; 8]),
            Expression::Verdict(VerdictObject::Accept),
        ],
        "",
    ));
    // Who began it and who answers (NFT_CT_SRC_IP); then protocol and answering port (NFT_CT_PROTOCOL, NFT_CT_PROTO_SRC).
    count.rules.push(rule(
        vec![
            Expression::Conntrack { key: from, direction: Some(0), to: R0 },
            Expression::Conntrack { key: from, direction: Some(1), to: Register(words) },
            Expression::Lookup { set: "twice".into(), register: R0, inverted: false },
            Expression::Verdict(VerdictObject::Accept),
        ],
        "a pod to itself",
    ));
    count.rules.push(rule(
        vec![
            Expression::Conntrack { key: 10, direction: None, to: R0 },
            Expression::Conntrack { key: 11, direction: Some(1), to: Register(1) },
            Expression::Lead { map: "ways".into(), register: R0 },
        ],
        "by port",
    ));
    count.rules.push(rule(vec![Expression::Verdict(VerdictObject::Drop)], "the end"));
    objects.chains.extend([
        ("translate".to_owned(), translate),
        ("again".to_owned(), again),
        ("postrouting".to_owned(), postrouting),
        ("count".to_owned(), count),
    ]);
    objects
}

/// The changes that make a table out of nothing.
pub(crate) fn creation(table: &TableId, objects: &TableObjects) -> Vec<Op> {
    let mut ops = vec![Op::AddTable(table.clone())];
    for name in &objects.counters {
        ops.push(Op::AddCounter { table: table.clone(), name: name.clone() });
    }
    for (name, chain) in &objects.chains {
        ops.push(Op::AddChain { table: table.clone(), name: name.clone(), base: chain.base });
    }
    for (name, set) in &objects.sets {
        if set.leads {
            let (table, name, key, size) = (table.clone(), name.clone(), set.key, set.size);
            ops.push(Op::AddMap { table: table.clone(), name: name.clone(), key, size });
            ops.push(Op::AddPairs { table, map: name, pairs: set.elements.clone() });
            continue;
        }
        ops.push(Op::AddSet { table: table.clone(), name: name.clone(), key: set.key, size: set.size });
        ops.push(Op::AddElements { table: table.clone(), set: name.clone(), keys: set.elements.clone() });
    }
    for (name, chain) in &objects.chains {
        for rule in &chain.rules {
            ops.push(Op::AddRule { table: table.clone(), chain: name.clone(), rule: rule.clone() });
        }
    }
    ops
}
