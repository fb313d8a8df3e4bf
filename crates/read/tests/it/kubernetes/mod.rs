//! Kubernetes objects, in the shapes `kubectl` and people write: each file under `cases` with the whole part of a cluster it
//! gives, what follows from it, and everything that is said about it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]

mod merging;
mod promises;
mod robust;

use causeway_model::design::Note;
use causeway_model::finding::Finding;
use causeway_model::source::Sources;
use causeway_read::kubernetes::{hints, objects, translate};
use causeway_read::tree::{Limits, Node, parse, to_yaml};

const CASES: &[(&str, &str, &str)] = &[
    ("agents.yaml", include_str!("cases/agents.yaml"), include_str!("cases/agents.expected")),
    ("doors.yaml", include_str!("cases/doors.yaml"), include_str!("cases/doors.expected")),
    ("ebpf.yaml", include_str!("cases/ebpf.yaml"), include_str!("cases/ebpf.expected")),
    ("malformed.yaml", include_str!("cases/malformed.yaml"), include_str!("cases/malformed.expected")),
    ("manifests.yaml", include_str!("cases/manifests.yaml"), include_str!("cases/manifests.expected")),
    ("overlay.yaml", include_str!("cases/overlay.yaml"), include_str!("cases/overlay.expected")),
    ("pod-subnet.json", include_str!("cases/pod-subnet.json"), include_str!("cases/pod-subnet.expected")),
    ("systems.yaml", include_str!("cases/systems.yaml"), include_str!("cases/systems.expected")),
];

fn given(name: &str, text: &str) -> (Sources, Vec<Node>) {
    let mut sources = Sources::default();
    let file = sources.add(name, text.into());
    let documents = parse(text, file, &Limits::default()).unwrap();
    (sources, documents.iter().flat_map(objects).collect())
}

/// Everything translating says, as one text.
fn told(sources: &Sources, objects: Vec<Node>) -> String {
    let (mut notes, mut findings) = (Vec::new(), Vec::new());
    let hints = hints(&objects);
    let fragment = translate(objects, sources, &mut notes, &mut findings);
    let place = |span| {
        let at = sources.position(span);
        format!("{}:{}", at.line, at.column)
    };
    let mut out = format!("# what it says\n{}# what follows\n{}", to_yaml(&fragment.tree), to_yaml(&fragment.implied));
    for hint in hints {
        out.push_str(&format!("# hint {hint}\n"));
    }
    for Note { kind, message, at } in notes {
        out.push_str(&format!("# {kind:?} {} {message}\n", at.map(place).unwrap_or_default()));
    }
    for Finding { code, object, message, at, evidence, .. } in findings {
        out.push_str(&format!("# {code} {object} {} {message} {evidence:?}\n", at.map(place).unwrap_or_default()));
    }
    out
}

#[test]
fn every_case_gives_what_is_expected_of_it() {
    for (name, text, expected) in CASES {
        let (sources, objects) = given(name, text);
        assert_eq!(told(&sources, objects), *expected, "{name}");
    }
}

#[test]
fn the_order_of_objects_does_not_matter() {
    for (name, text, expected) in CASES {
        let (sources, objects) = given(name, text);
        let mut backwards = objects.clone();
        backwards.reverse();
        assert_eq!(told(&sources, backwards), *expected, "{name} backwards");
        for by in 1..objects.len() {
            let mut rotated = objects.clone();
            rotated.rotate_left(by);
            assert_eq!(told(&sources, rotated), *expected, "{name} rotated by {by}");
        }
    }
}

#[test]
fn secrets_are_nowhere_in_what_is_said() {
    for (name, text, expected) in CASES {
        assert!(!expected.contains("do-not-show") && !expected.contains("ZG8tbm90LXNob3c"), "{name}");
        let (sources, objects) = given(name, text);
        assert!(!told(&sources, objects).contains("do-not-show"), "{name}");
    }
}

#[test]
fn objects_are_taken_out_of_whatever_they_are_wrapped_in() {
    let words = |text: &str| -> Vec<String> {
        let (_, objects) = given("x", text);
        let text = |node: &Node, key: &str| node.get(key).and_then(Node::text).unwrap_or("-").to_owned();
        objects.iter().map(|object| format!("{} {}", text(object, "apiVersion"), text(object, "kind"))).collect()
    };
    assert_eq!(words("{apiVersion: v1, kind: Pod}\n---\n{apiVersion: v1, kind: Node}"), ["v1 Pod", "v1 Node"]);
    assert_eq!(words("{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod}, null]}"), ["v1 Pod"]);
    // A typed list, as a REST answer has it: its items do not say again what they are.
    assert_eq!(words(r#"{"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {}}]}"#), ["v1 Pod"]);
    assert_eq!(words("{apiVersion: v1, kind: PodList, items: [{kind: Pod}, {apiVersion: v2}]}"), ["v1 Pod", "v2 Pod"]);
    assert_eq!(
        words(
            "{apiVersion: v1, kind: List, items: [{apiVersion: apps/v1, kind: DeploymentList, items: [{spec: {}}]}]}"
        ),
        ["apps/v1 Deployment"]
    );
    assert_eq!(words("[{apiVersion: v1, kind: Pod}, [{apiVersion: v1, kind: Node}]]"), ["v1 Pod", "v1 Node"]);
    assert_eq!(words("{items: [{apiVersion: v1, kind: Pod}]}"), ["v1 Pod"]);
    assert_eq!(words("{apiVersion: v1, kind: ConfigMapList, items: null}"), [""; 0]);
    assert_eq!(words("{apiVersion: v1, kind: ConfigMapList, metadata: {}}"), [""; 0]);
    // Kinds that end in these letters and have a name are no lists.
    assert_eq!(words("{apiVersion: a.b/v1, kind: AllowList, metadata: {name: x}}"), ["a.b/v1 AllowList"]);
}
