//! The promises, over the cases with values exchanged at random: the same at every run.

use super::CASES;
use super::promises::of_translating;
use causeway_model::source::{FileId, Span};
use causeway_read::tree::{Entry, Limits, Node, Value, parse, to_yaml};
use std::sync::Arc;

const AT: Span = Span { file: FileId(0), start: 0, end: 0 };

/// Values that stand where others are expected.
const STRANGE: &[&str] = &[
    "",
    "null",
    "true",
    "no",
    "0",
    "-1",
    "70000",
    "99999999999999999999",
    "1e400",
    "a=b",
    "a/b",
    "10.0.0.1",
    "10.0.0.0/8",
    "10.0.0.1/8",
    "fd00::/8",
    "::ffff:10.0.0.1",
    "10.0.0.01",
    "None",
    "tcp/80",
    "x y",
    "ünicode",
    "a,b",
    "---",
    "{{ .Values.x }}",
    "*",
    "%",
    "kube-system",
    "Deployment",
    "aks-a-12345678-vmss000000",
    "/subscriptions/x/virtualNetworks/a/subnets/b",
    "/",
    "never",
    "strict",
    "Succeeded",
    "Windows",
    "nonMasqueradeCIDRs: [",
    "kind: KubeProxyConfiguration\nmode: [",
    "forward . ",
    "2147483648",
    "0x10",
    "1_000",
    "..",
    "a.b/c",
];

#[test]
fn promises_hold_for_the_cases() {
    CASES.iter().for_each(|(_, text, _)| of_translating(text.as_bytes()));
}

#[test]
fn promises_hold_for_random_changes() {
    let corpus: Vec<Vec<Node>> =
        CASES.iter().map(|(_, text, _)| parse(text, FileId(0), &Limits::default()).unwrap()).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..400 {
        let documents = &corpus[random.below(corpus.len())];
        let mut documents: Vec<Node> =
            (0..1 + random.below(6)).map(|_| documents[random.below(documents.len())].clone()).collect();
        for _ in 0..=random.below(4) {
            let at = random.below(documents.len());
            let donor = corpus[random.below(corpus.len())].clone();
            let size = weight(&documents[at]);
            let mut target = random.below(size);
            change(&mut documents[at], &mut target, &donor, &mut random);
        }
        let text: Vec<String> = documents.iter().map(to_yaml).collect();
        of_translating(text.join("---\n").as_bytes());
    }
}

/// How many values there are.
fn weight(node: &Node) -> usize {
    1 + match &node.value {
        Value::Scalar(_) => 0,
        Value::Seq(items) => items.iter().map(weight).sum(),
        Value::Map(entries) => entries.iter().map(|entry| weight(&entry.node)).sum(),
    }
}

/// Changes the value with a number: another value stands there, or it is gone, or it stands there twice.
fn change(node: &mut Node, target: &mut usize, donor: &[Node], random: &mut Random) -> bool {
    if *target == 0 {
        *node = strange(donor, random);
        return true;
    }
    *target -= 1;
    match &mut node.value {
        Value::Scalar(_) => false,
        Value::Seq(items) => {
            let items = Arc::make_mut(items);
            for at in 0..items.len() {
                if *target == 0 && random.below(3) == 0 {
                    let item = items[at].clone();
                    if random.below(2) == 0 {
                        items.push(item)
                    } else {
                        drop(items.remove(at))
                    }
                    return true;
                }
                if change(&mut items[at], target, donor, random) {
                    return true;
                }
            }
            false
        }
        Value::Map(entries) => {
            let entries = Arc::make_mut(entries);
            for at in 0..entries.len() {
                if *target == 0 && random.below(3) == 0 {
                    if random.below(2) == 0 {
                        entries.remove(at);
                    } else {
                        let key: Arc<str> = STRANGE[random.below(STRANGE.len())].into();
                        if entries.iter().all(|entry| entry.key != key) {
                            entries[at] = Entry { key, ..entries[at].clone() };
                        }
                    }
                    return true;
                }
                if change(&mut entries[at].node, target, donor, random) {
                    return true;
                }
            }
            false
        }
    }
}

fn strange(donor: &[Node], random: &mut Random) -> Node {
    let text = STRANGE[random.below(STRANGE.len())];
    match random.below(6) {
        0 => Node::plain(AT, text),
        1 | 2 => Node::str(AT, text),
        3 => Node::seq(AT, vec![Node::str(AT, text), Node::plain(AT, "null")]),
        4 => part(&donor[random.below(donor.len())], random),
        _ => {
            let entry = Entry { key: text.into(), key_span: AT, node: Node::plain(AT, "1") };
            Node { span: AT, value: Value::Map(Arc::new(vec![entry])) }
        }
    }
}

/// Some value out of another document.
fn part(node: &Node, random: &mut Random) -> Node {
    let mut node = node;
    loop {
        let inner: Vec<&Node> = match &node.value {
            Value::Scalar(_) => Vec::new(),
            Value::Seq(items) => items.iter().collect(),
            Value::Map(entries) => entries.iter().map(|entry| &entry.node).collect(),
        };
        if inner.is_empty() || random.below(5) == 0 {
            return node.clone();
        }
        node = inner[random.below(inner.len())];
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
