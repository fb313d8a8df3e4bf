//! Whom policies of engines' own kinds select at most: their rules are not evaluated, but who they can't be about is sure.
//!
//! What can't be read of a selector is left out, so that it selects more rather than less. Sources: Cilium's documentation of
//! endpointSelector, nodeSelector and label prefixes; Calico's of selectors (November 2026).

use crate::kubernetes::value::{at, text};
use crate::tree::Node;
use causeway_model::policy::*;

/// The label of a namespace that is its name.
const NAME: &str = "kubernetes.io/metadata.name";

/// Whom an object selects at most; `None` if nothing of that can be read.
pub(crate) fn selects(object: &Node, namespace: Option<&str>) -> Option<Vec<Subject>> {
    let group = crate::kubernetes::object::group(text(object, &["apiVersion"])?);
    let calico = matches!(group, "projectcalico.org" | "crd.projectcalico.org");
    match (group, text(object, &["kind"])?) {
        ("cilium.io", "CiliumNetworkPolicy") => cilium(object, Some(namespace?)),
        ("cilium.io", "CiliumClusterwideNetworkPolicy") => cilium(object, None),
        (_, "NetworkPolicy") if calico => calico_pods(object, Some(namespace?)),
        (_, "GlobalNetworkPolicy") if calico => calico_pods(object, None),
        _ => None,
    }
}

fn cilium(object: &Node, namespace: Option<&str>) -> Option<Vec<Subject>> {
    let many = at(object, &["specs"]).map(Node::items).unwrap_or_default();
    let specs: Vec<&Node> = at(object, &["spec"]).into_iter().chain(many).collect();
    if specs.is_empty() {
        return None;
    }
    let mut out = Vec::new();
    for spec in specs {
        let (pods, nodes) = (at(spec, &["endpointSelector"]), at(spec, &["nodeSelector"]));
        if pods.is_none() && nodes.is_none() {
            return None;
        }
        if let Some(pods) = pods {
            let (mut labels, mut of_namespace) = (Vec::new(), Vec::new());
            for requirement in requirements(pods)? {
                match cilium_key(&requirement.key) {
                    Some((key, false)) => labels.push(Requirement { key, ..requirement }),
                    Some((key, true)) => of_namespace.push(Requirement { key, ..requirement }),
                    None => {}
                }
            }
            let namespaces = match namespace {
                Some(namespace) => Namespaces::Named(namespace.to_owned()),
                None => Namespaces::Matching(Selector::new(of_namespace)),
            };
            out.push(Subject::Pods(PodSet { namespaces, pods: Selector::new(labels) }));
        }
        if let Some(nodes) = nodes {
            let known = requirements(nodes)?.into_iter().filter_map(|requirement| match cilium_key(&requirement.key) {
                Some((key, false)) => Some(Requirement { key, ..requirement }),
                _ => None,
            });
            out.push(Subject::Nodes(Selector::new(known.collect())));
        }
    }
    Some(out)
}

/// The label behind a key of Cilium, and whether it is the namespace's; `None` for labels that are not Kubernetes'.
fn cilium_key(key: &str) -> Option<(String, bool)> {
    let key = match key.split_once(':') {
        Some(("k8s" | "any", rest)) => rest,
        Some(_) => return None,
        None => key,
    };
    if key == "io.kubernetes.pod.namespace" {
        return Some((NAME.to_owned(), true));
    }
    if let Some(label) = key.strip_prefix("io.cilium.k8s.namespace.labels.") {
        return Some((label.to_owned(), true));
    }
    let own = ["io.cilium.", "io.kubernetes.", "reserved."].iter().any(|start| key.starts_with(start));
    (!own).then(|| (key.to_owned(), false))
}

/// The requirements of a selector in the shape of Kubernetes; `None` if it has another.
fn requirements(selector: &Node) -> Option<Vec<Requirement>> {
    selector.as_map()?;
    let mut out = Vec::new();
    for entry in at(selector, &["matchLabels"]).map(Node::entries).unwrap_or_default() {
        let value = if entry.node.is_null() { "" } else { entry.node.text()? };
        out.push(Requirement { key: entry.key.to_string(), operator: Operator::In(vec![value.to_owned()]) });
    }
    for stated in at(selector, &["matchExpressions"]).map(Node::items).unwrap_or_default() {
        let values = at(stated, &["values"]).map(Node::items).unwrap_or_default();
        let values: Vec<String> = values.iter().map(|value| value.text().map(str::to_owned)).collect::<Option<_>>()?;
        let operator = match text(stated, &["operator"])? {
            "In" => Operator::In(values),
            "NotIn" => Operator::NotIn(values),
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            _ => return None,
        };
        out.push(Requirement { key: text(stated, &["key"])?.to_owned(), operator });
    }
    Some(out)
}

fn calico_pods(object: &Node, namespace: Option<&str>) -> Option<Vec<Subject>> {
    let spec = at(object, &["spec"])?;
    spec.as_map()?;
    let read = |key: &str| match at(spec, &[key]) {
        None => Some(Selector::default()),
        Some(stated) => Some(calico_selector(stated.text()?)),
    };
    let namespaces = match namespace {
        Some(namespace) => Namespaces::Named(namespace.to_owned()),
        None => Namespaces::Matching(read("namespaceSelector")?),
    };
    Some(vec![Subject::Pods(PodSet { namespaces, pods: read("selector")? })])
}

/// What a selector of Calico asks at least: of parts that all must hold those that can be read.
fn calico_selector(text: &str) -> Selector {
    // One way of several: nothing must hold.
    if text.contains("||") {
        return Selector::default();
    }
    Selector::new(text.split("&&").filter_map(|part| calico_part(part.trim())).collect())
}

fn calico_part(part: &str) -> Option<Requirement> {
    let key = |key: &str| {
        let own = ["projectcalico.org/", "pcns.", "pcsa."].iter().any(|start| key.starts_with(start));
        let fits = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        (fits && !own).then(|| key.to_owned())
    };
    let quoted = |text: &str| -> Option<String> {
        let text = text.trim();
        let inner = ['\'', '"'].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))?;
        (!inner.contains(['\'', '"'])).then(|| inner.to_owned())
    };
    let has = |part: &str| key(part.strip_prefix("has(")?.strip_suffix(')')?.trim());
    if let Some(key) = has(part) {
        return Some(Requirement { key, operator: Operator::Exists });
    }
    if let Some(key) = part.strip_prefix('!').and_then(|part| has(part.trim())) {
        return Some(Requirement { key, operator: Operator::DoesNotExist });
    }
    if let Some((name, value)) = part.split_once("==") {
        return Some(Requirement { key: key(name.trim())?, operator: Operator::In(vec![quoted(value)?]) });
    }
    if let Some((name, value)) = part.split_once("!=") {
        return Some(Requirement { key: key(name.trim())?, operator: Operator::NotIn(vec![quoted(value)?]) });
    }
    let (words, list) = part.split_once('{')?;
    let values: Vec<String> = list.strip_suffix('}')?.split(',').map(quoted).collect::<Option<_>>()?;
    let words: Vec<&str> = words.split_whitespace().collect();
    match words.as_slice() {
        [name, "in"] => Some(Requirement { key: key(name)?, operator: Operator::In(values) }),
        [name, "not", "in"] => Some(Requirement { key: key(name)?, operator: Operator::NotIn(values) }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::selects;
    use crate::tree::{Limits, parse};
    use causeway_model::policy::{Namespaces, Subject};
    use causeway_model::source::FileId;

    fn shown(kind: &str, rest: &str) -> String {
        let version = if kind.starts_with("Cilium") { "cilium.io/v2" } else { "projectcalico.org/v3" };
        let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: p}}\n{rest}\n");
        let documents = parse(&text, FileId(0), &Limits::default()).unwrap();
        let namespace = (!kind.contains("wide") && !kind.contains("Global")).then_some("x");
        let Some(found) = selects(&documents[0], namespace) else { return "anybody".to_owned() };
        let one = |subject: Subject| match subject {
            Subject::Nodes(selector) => format!("nodes {selector}"),
            Subject::Pods(set) => match set.namespaces {
                Namespaces::Named(name) => format!("{} in {name}", set.pods),
                Namespaces::Matching(selector) => format!("{} in {selector}", set.pods),
            },
        };
        found.into_iter().map(one).collect::<Vec<_>>().join("; ").trim().to_owned()
    }

    #[test]
    fn selectors_of_engines_say_who_is_not_meant() {
        let all = shown("CiliumNetworkPolicy", "spec: {endpointSelector: {}}").replace(" in x", "");
        for (kind, rest, expected) in [
            ("CiliumNetworkPolicy", "spec: {endpointSelector: {matchLabels: {app: a}}}", "app=a in x".to_owned()),
            ("CiliumNetworkPolicy", "spec: {endpointSelector: {matchLabels: {'k8s:app': a}}}", "app=a in x".to_owned()),
            (
                "CiliumNetworkPolicy",
                "spec: {endpointSelector: {matchLabels: {'reserved:init': ''}}}",
                format!("{all} in x"),
            ),
            (
                "CiliumNetworkPolicy",
                "specs: [{endpointSelector: {matchLabels: {app: a}}}, {endpointSelector: {matchLabels: {app: b}}}]",
                "app=a in x; app=b in x".to_owned(),
            ),
            (
                "CiliumClusterwideNetworkPolicy",
                "spec: {endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': y, app: a}}}",
                "app=a in kubernetes.io/metadata.name=y".to_owned(),
            ),
            (
                "CiliumClusterwideNetworkPolicy",
                "spec: {nodeSelector: {matchLabels: {pool: a}}}",
                "nodes pool=a".to_owned(),
            ),
            ("CiliumNetworkPolicy", "spec: {ingress: []}", "anybody".to_owned()),
            ("CiliumNetworkPolicy", "", "anybody".to_owned()),
            ("NetworkPolicy", "spec: {selector: \"app == 'a' && has(tier)\"}", "app=a,tier in x".to_owned()),
            ("NetworkPolicy", "spec: {selector: \"app == 'a' || has(tier)\"}", format!("{all} in x")),
            ("NetworkPolicy", "spec: {selector: \"all()\"}", format!("{all} in x")),
            ("NetworkPolicy", "spec: {selector: \"app == 'a && b' && tier in {'x'}\"}", "tier=x in x".to_owned()),
            ("NetworkPolicy", "spec: {selector: \"projectcalico.org/orchestrator == 'k8s'\"}", format!("{all} in x")),
            (
                "GlobalNetworkPolicy",
                "spec: {selector: \"app == 'a'\", namespaceSelector: \"team == 'b'\"}",
                "app=a in team=b".to_owned(),
            ),
        ] {
            assert_eq!(shown(kind, rest), expected, "{kind} {rest}");
        }
    }
}
