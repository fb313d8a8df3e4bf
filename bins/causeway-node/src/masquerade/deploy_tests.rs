//! What lies in `deploy` fits the program: manifests are read by our own reader, arguments by our own parser, lists by the agent's own rules.

use super::judge::judge;
use super::options::{self, Backend, Manner, Options};
use causeway_model::masquerade::MasqueradeReader::V2;
use causeway_model::source::FileId;
use causeway_read::masquerade::{CONFIG_DIRECTORY, Directory, Flags, takes_part};
use causeway_read::tree::{Limits, Node, parse};
use std::collections::BTreeSet;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn documents(path: &str) -> Vec<Node> {
    parse(&read(path), FileId(0), &Limits::default()).unwrap_or_else(|errors| panic!("{path}: {errors:?}"))
}

fn document(path: &str) -> Node {
    let mut all = documents(path);
    assert_eq!(all.len(), 1, "{path}");
    all.remove(0)
}

fn at<'a>(node: &'a Node, path: &str) -> &'a Node {
    path.split('.').fold(node, |node, part| match part.parse::<usize>() {
        Ok(number) => &node.items()[number],
        Err(_) => node.get(part).unwrap_or_else(|| panic!("no `{part}` of `{path}`")),
    })
}

fn text<'a>(node: &'a Node, path: &str) -> &'a str {
    at(node, path).text().unwrap_or_else(|| panic!("`{path}` is no text"))
}

fn texts(node: &Node) -> Vec<String> {
    node.items().iter().map(|item| item.text().unwrap().to_owned()).collect()
}

/// The arguments as the kubelet hands them over.
fn options(container: &Node) -> Options {
    let arguments: Vec<String> =
        texts(at(container, "args")).iter().map(|argument| argument.replace("$(NODE_IP)", "10.224.0.4")).collect();
    options::read(Manner::DropIn, &arguments).unwrap_or_else(|ended| panic!("{arguments:?}: {ended:?}"))
}

const CONTAINER: &str = "spec.template.spec.containers.0";

#[test]
fn arguments_are_those_of_the_program() {
    let base = document("base/daemonset.yaml");
    let base = options(at(&base, CONTAINER));
    assert_eq!((base.backend, base.metrics_address.as_deref()), (Backend::Auto, Some("10.224.0.4:10269")));
    assert!(base.remarks.is_empty());
    let patch = document("iptables/daemonset.yaml");
    assert_eq!(options(at(&patch, CONTAINER)).backend, Backend::Iptables);
}

#[test]
fn the_lists_reach_the_agent_and_are_accepted() {
    let base = document("base/daemonset.yaml");
    let pod = at(&base, "spec.template.spec");
    let mount = at(pod, "containers.0.volumeMounts.0");
    assert_eq!(text(mount, "mountPath"), CONFIG_DIRECTORY);
    assert_eq!(text(mount, "name"), text(pod, "volumes.0.name"));
    let mut files = Vec::new();
    for (source, path) in at(pod, "volumes.0.projected.sources").items().iter().zip(["cluster", "user"]) {
        let map = document(&format!("base/configmap-{path}.yaml"));
        assert_eq!(text(source, "configMap.name"), text(&map, "metadata.name"));
        assert_eq!(text(&map, "metadata.namespace"), text(&base, "metadata.namespace"));
        let item = at(source, "configMap.items.0");
        let name = text(item, "path");
        assert!(takes_part(V2, name), "{name}");
        files.push((name.to_owned(), text(&map, &format!("data.{}", text(item, "key"))).to_owned()));
    }
    assert_eq!(files.len(), 2);
    let judged = judge(&Flags::defaults(V2), true, Path::new(CONFIG_DIRECTORY), &Directory::of(files));
    assert!(judged.is_whole(), "{judged:?}");
    assert!(!judged.accepted.unwrap().config.exempt.is_empty());
}

#[test]
fn it_gets_no_more_than_it_needs() {
    let base = document("base/daemonset.yaml");
    let pod = at(&base, "spec.template.spec");
    assert_eq!(at(pod, "hostNetwork").as_bool_12(), Some(true));
    assert_eq!(at(pod, "automountServiceAccountToken").as_bool_12(), Some(false));
    assert!(pod.get("serviceAccountName").is_none(), "it never asks the API server");
    let security = at(pod, "containers.0.securityContext");
    for (field, value) in [("privileged", false), ("allowPrivilegeEscalation", false), ("readOnlyRootFilesystem", true)]
    {
        assert_eq!(at(security, field).as_bool_12(), Some(value), "{field}");
    }
    assert_eq!(texts(at(security, "capabilities.drop")), ["ALL"]);
    assert_eq!(texts(at(security, "capabilities.add")), ["NET_ADMIN"]);
    let non_root = document("non-root/daemonset.yaml");
    assert_eq!(at(&non_root, &format!("{CONTAINER}.securityContext.runAsNonRoot")).as_bool_12(), Some(true));
}

#[test]
fn probes_ask_where_pages_are_served() {
    let base = document("base/daemonset.yaml");
    let container = at(&base, CONTAINER);
    let port = text(container, "ports.0.containerPort");
    assert!(texts(at(container, "args")).iter().any(|argument| argument.ends_with(&format!(":{port}"))));
    let annotations = at(&base, "spec.template.metadata.annotations");
    assert_eq!(annotations.get("prometheus.io/port").and_then(Node::text), Some(port));
    for (probe, page) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        assert_eq!(text(container, &format!("{probe}.httpGet.path")), page);
        assert_eq!(text(container, &format!("{probe}.httpGet.port")), text(container, "ports.0.name"));
    }
}

#[test]
fn overlays_name_what_is_there() {
    for folder in ["base", "iptables", "non-root"] {
        let kustomization = document(&format!("{folder}/kustomization.yaml"));
        let resources = kustomization.get("resources").map(texts).unwrap_or_default();
        let patches = kustomization.get("patches").into_iter().flat_map(|patches| patches.items());
        let patches = patches.map(|patch| text(patch, "path").to_owned());
        for path in resources.iter().cloned().chain(patches) {
            let path =
                if path == "../base" { "base/kustomization.yaml".to_owned() } else { format!("{folder}/{path}") };
            assert!(!documents(&path).is_empty(), "{path}");
        }
        let image = text(&kustomization, "images.0.newName");
        let file = read(&format!("images/{image}.Containerfile"));
        assert!(file.contains("ENTRYPOINT [\"/ip-masq-agent-v2\"]"), "{image}");
        assert_eq!(text(&kustomization, "images.0.newTag"), env!("CARGO_PKG_VERSION"));
    }
}

#[test]
fn alerts_ask_for_metrics_there_are() {
    let guide =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/masquerade-agent.md")).unwrap();
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        words.filter(|word| word.starts_with("causeway_masquerade_")).map(str::to_owned).collect()
    };
    let known = words(&guide);
    let alerts = document("base/alerts.yaml");
    let rules = at(&alerts, "groups.0.rules").items();
    assert!(rules.len() > 5);
    for rule in rules {
        let asked = words(text(rule, "expr"));
        assert!(!asked.is_empty() && asked.is_subset(&known), "{}: {asked:?}", text(rule, "alert"));
        assert!(!text(rule, "annotations.summary").is_empty());
    }
}
