//! Pods that run, and pods that stand for the template of a workload.

use super::Cx;
use super::kind::Kind;
use super::nodes::uses_host_network;
use super::object::Object;
use super::value::{address, at, flag, items, list, number, one_or_many, port, said, text, truth};
use crate::tree::{MapBuilder, Node};
use causeway_model::design::{NoteKind, Protocol};
use std::collections::{BTreeMap, BTreeSet};

/// `pods` of a cluster, by namespace and name.
pub(super) fn pods(cx: &mut Cx<'_>) -> Option<Node> {
    let live = cx.all.of(Kind::Pod);
    let templates = templates(cx);
    let mut taken: BTreeSet<(&str, String)> = live.iter().map(|pod| (namespace(pod), pod.name.clone())).collect();
    let mut out: Vec<((String, String), Node)> = Vec::new();
    for pod in live {
        out.push(((namespace(pod).to_owned(), pod.name.clone()), running(pod, cx)));
    }
    for workload in templates {
        let mut name = workload.name.clone();
        // A Deployment and a StatefulSet may share a name; pods may not.
        if taken.contains(&(namespace(workload), name.clone())) {
            name = format!("{name}-{}", workload.word.to_ascii_lowercase());
        }
        while taken.contains(&(namespace(workload), name.clone())) {
            name.push('x');
        }
        taken.insert((namespace(workload), name.clone()));
        if let Some(pod) = template(workload, &name, cx) {
            out.push(((namespace(workload).to_owned(), name), pod));
        }
    }
    out.sort_by(|(one, _), (other, _)| one.cmp(other));
    let span = out.first().map(|(_, pod)| pod.span)?;
    list(span, out.into_iter().map(|(_, pod)| pod).collect())
}

fn namespace(object: &Object) -> &str {
    object.namespace.as_deref().unwrap_or("default")
}

fn running(pod: &Object, cx: &mut Cx<'_>) -> Node {
    let node = &pod.node;
    let phase = at(node, &["status", "phase"]);
    let ended = phase.filter(|phase| matches!(phase.text(), Some("Succeeded" | "Failed")));
    // What has ended holds no address, though its status may still name the one it had.
    let ips = if ended.is_some() { Vec::new() } else { addresses(pod, cx) };
    let spec = at(node, &["spec"]);
    MapBuilder::new(node.span)
        .set("name", None, Node::str(pod.at, pod.name.as_str()))
        .set("namespace", None, cx.namespace(pod))
        .set("node", None, said(node, &["spec", "nodeName"]).cloned())
        .set("ip", None, one_or_many(pod.at, ips))
        .set("labels", None, labels(pod, node, cx))
        .set("listens", None, spec.and_then(|spec| listens(pod, spec, cx)))
        .set("hostNetwork", None, spec.and_then(uses_host_network))
        .set("terminated", None, ended.map(|phase| truth(phase.span, true)))
        .build()
}

fn addresses(pod: &Object, cx: &mut Cx<'_>) -> Vec<Node> {
    let mut found: Vec<&Node> =
        items(&pod.node, &["status", "podIPs"]).filter_map(|entry| said(entry, &["ip"])).collect();
    if found.is_empty() {
        found.extend(said(&pod.node, &["status", "podIP"]));
    }
    let mut out = Vec::new();
    for ip in found {
        match address(ip) {
            Some(_) => out.push(ip.clone()),
            None => cx.strange(pod, "status.podIPs", ip, "an address"),
        }
    }
    out
}

fn labels(object: &Object, pod: &Node, cx: &mut Cx<'_>) -> Option<Node> {
    let labels = at(pod, &["metadata", "labels"])?;
    cx.labels(object, "metadata.labels", labels, labels.entries().iter())
}

/// `listens`: what the containers say they answer on. Side-car containers that start first count; init containers that end do not.
fn listens(object: &Object, spec: &Node, cx: &mut Cx<'_>) -> Option<Node> {
    let sidecars =
        items(spec, &["initContainers"]).filter(|container| text(container, &["restartPolicy"]) == Some("Always"));
    let mut out: Vec<Node> = Vec::new();
    for stated in items(spec, &["containers"]).chain(sidecars).flat_map(|container| items(container, &["ports"])) {
        let Some(value) = at(stated, &["containerPort"]) else {
            if stated.as_map().is_some() {
                cx.strange(object, "ports", stated, "a port with its number");
            }
            continue;
        };
        let Some(number) = port(value) else {
            cx.strange(object, "containerPort", value, "a port");
            continue;
        };
        let Some(protocol) = protocol(object, stated, cx) else { continue };
        let plain = format!("{protocol}/{number}");
        let name = text(stated, &["name"]).filter(|name| !name.contains('='));
        let text = name.map_or_else(|| plain.clone(), |name| format!("{name}={plain}"));
        if !out.iter().any(|known| known.text() == Some(&text)) {
            out.push(Node::str(value.span, text));
        }
    }
    let span = out.first().map(|first| first.span)?;
    list(span, out)
}

/// The protocol of a port; TCP where none is stated.
pub(super) fn protocol(object: &Object, port: &Node, cx: &mut Cx<'_>) -> Option<Protocol> {
    let Some(stated) = said(port, &["protocol"]) else { return Some(Protocol::Tcp) };
    let known = stated.text().and_then(Protocol::parse);
    let known = known.filter(|known| matches!(known, Protocol::Tcp | Protocol::Udp | Protocol::Sctp));
    if known.is_none() {
        cx.strange(object, "protocol", stated, "TCP, UDP or SCTP");
    }
    known
}

/// Where a workload keeps the template of its pods: their metadata and spec.
pub(super) fn template_path(object: &Object) -> &'static [&'static str] {
    match object.word.as_str() {
        "CronJob" => &["spec", "jobTemplate", "spec", "template"],
        "PodTemplate" => &["template"],
        _ => &["spec", "template"],
    }
}

fn template(workload: &Object, name: &str, cx: &mut Cx<'_>) -> Option<Node> {
    let template = at(&workload.node, template_path(workload));
    let Some(spec) = template.and_then(|template| at(template, &["spec"])) else {
        let what = "no pod template is in it; which pods it makes is not known";
        let who = format!("{} {}", workload.word, workload.who());
        cx.remarks.each(NoteKind::NotUnderstood, what, who, workload.at);
        return None;
    };
    let of = at(&workload.node, &["kind"]).map_or(workload.at, |kind| kind.span);
    let labels = template.and_then(|template| labels(workload, template, cx));
    Some(
        MapBuilder::new(workload.node.span)
            .set("name", None, Node::str(workload.at, name))
            .set("namespace", None, cx.namespace(workload))
            .set("labels", None, labels)
            .set("listens", None, listens(workload, spec, cx))
            .set("hostNetwork", None, uses_host_network(spec))
            .set("templateOf", None, Node::str(of, format!("{}/{}", workload.word, workload.name)))
            .build(),
    )
}

/// Workloads whose pods are not among what was given, and that are not themselves made by a workload that was.
fn templates<'a>(cx: &Cx<'a>) -> Vec<&'a Object> {
    let workloads = cx.all.of(Kind::Workload);
    let named: BTreeMap<(&str, &str, &str), &Object> = workloads
        .iter()
        .map(|workload| ((namespace(workload), workload.word.as_str(), workload.name.as_str()), workload))
        .collect();
    let mut alive: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for pod in cx.all.of(Kind::Pod) {
        let mut object = pod;
        // Owners of owners: as many steps as Kubernetes has levels.
        for _ in 0..4 {
            let Some((kind, name)) = owner(object) else { break };
            alive.insert((namespace(pod), kind, name));
            match (named.get(&(namespace(pod), kind, name)), kind) {
                (Some(next), _) => object = next,
                (None, "ReplicaSet") => {
                    // Its own name is the Deployment's and the hash of the template.
                    if let Some(hash) = text(&pod.node, &["metadata", "labels", "pod-template-hash"])
                        && let Some(made_by) = name.strip_suffix(hash).and_then(|name| name.strip_suffix('-'))
                    {
                        alive.insert((namespace(pod), "Deployment", made_by));
                        alive.insert((namespace(pod), "Rollout", made_by));
                    }
                    break;
                }
                (None, "Job") => {
                    // Jobs of a CronJob are called by it and the minute they were due.
                    if let Some((made_by, minute)) = name.rsplit_once('-')
                        && minute.bytes().all(|byte| byte.is_ascii_digit())
                    {
                        alive.insert((namespace(pod), "CronJob", made_by));
                    }
                    break;
                }
                _ => break,
            }
        }
    }
    let mut by_namespace: BTreeMap<&str, Vec<&Object>> = BTreeMap::new();
    for pod in cx.all.of(Kind::Pod) {
        by_namespace.entry(namespace(pod)).or_default().push(pod);
    }
    let has_pods = |workload: &Object| {
        let near = by_namespace.get(namespace(workload)).map(Vec::as_slice).unwrap_or_default();
        alive.contains(&(namespace(workload), workload.word.as_str(), workload.name.as_str()))
            || near.iter().any(|pod| selects(workload, pod))
    };
    let is_made = |workload: &Object| {
        owner(workload).is_some_and(|(kind, name)| named.contains_key(&(namespace(workload), kind, name)))
    };
    workloads.iter().filter(|workload| !is_done(workload) && !is_made(workload) && !has_pods(workload)).collect()
}

/// What controls an object: kind and name.
fn owner(object: &Object) -> Option<(&str, &str)> {
    let mut owners = items(&object.node, &["metadata", "ownerReferences"]);
    let owner = owners.find(|owner| flag(owner, &["controller"]) == Some(true))?;
    Some((text(owner, &["kind"])?, text(owner, &["name"])?))
}

/// A Job that has run, an old ReplicaSet without replicas: neither has pods, nor will it have any.
fn is_done(workload: &Object) -> bool {
    let node = &workload.node;
    match workload.word.as_str() {
        "Job" => items(node, &["status", "conditions"]).any(|condition| {
            matches!(text(condition, &["type"]), Some("Complete" | "Failed"))
                && text(condition, &["status"]) == Some("True")
        }),
        "ReplicaSet" => at(node, &["spec", "replicas"]).and_then(number) == Some(0),
        _ => false,
    }
}

/// Whether the selector of a workload picks a pod. A selector that is empty or can't be read picks none.
fn selects(workload: &Object, pod: &Object) -> bool {
    let Some(selector) = at(&workload.node, &["spec", "selector"]) else { return false };
    // ReplicationControllers have the labels themselves.
    let wanted = match workload.word.as_str() {
        "ReplicationController" => Some(selector),
        _ => at(selector, &["matchLabels"]),
    };
    let wanted = wanted.map(Node::entries).unwrap_or_default();
    let has_expressions = items(selector, &["matchExpressions"]).next().is_some();
    let value =
        |key: &str| at(&pod.node, &["metadata", "labels"]).and_then(|labels| labels.get(key)).and_then(Node::text);
    !wanted.is_empty()
        && !has_expressions
        && wanted.iter().all(|entry| entry.node.text().is_some() && value(&entry.key) == entry.node.text())
}
