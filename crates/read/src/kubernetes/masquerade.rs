//! Who translates on the nodes, and the configuration it was given.

use super::Cx;
use super::kind::Kind;
use super::object::Object;
use super::systems::{Cilium, is_scheduled, words};
use super::trim::{keep, object, replace};
use super::value::{at, items, list, mapping, said, text};
use crate::tree::{self, MapBuilder, Node};
use causeway_model::design::{MasqueradeAgent, NoteKind};
use std::collections::BTreeSet;

/// Keys of an agent's configuration, in lower case: the agents take them in any.
const CONFIGURATION: &[&str] = &["nonmasqueradecidrs", "masqlinklocal", "masqlinklocalipv6"];
/// Files an agent takes begin so.
const FILE: &str = "ip-masq";

/// AKS' own agent.
const PLATFORM: &str = "azure-ip-masq-agent";

/// `masquerade` of a cluster. With eBPF host routing the rules of AKS' own agent are `bypassed`: it runs all the same, and Cilium
/// reads its files.
pub(super) fn section(cx: &mut Cx<'_>, cilium: &Cilium, bypassed: bool) -> Option<Node> {
    let agents = agents(cx);
    let (without, mut ranked): (Vec<_>, Vec<_>) =
        agents.iter().partition(|(_, object)| bypassed && object.name == PLATFORM);
    for (_, object) in without {
        let what = "it runs, but eBPF host routing goes around its rules";
        cx.remarks.each(NoteKind::LeftOut, what, format!("DaemonSet {}", object.who()), object.at);
    }
    // An agent somebody deployed counts more than the platform's own: it is the one that changes something.
    ranked.sort_by_key(|(agent, object)| (*agent != MasqueradeAgent::Causeway, object.name.starts_with(PLATFORM)));
    let (chosen, others) = match ranked.split_first() {
        // Where Cilium's own agent translates, a DaemonSet would be taken for what mounts its files.
        _ if cilium.masquerades.is_some() => (None, ranked.as_slice()),
        Some((first, others)) => (Some(first), others),
        None => (None, ranked.as_slice()),
    };
    for (_, other) in others {
        let who = format!("DaemonSet {}", other.who());
        let what = "a second masquerade agent; a design has one, and its rules are not followed";
        cx.remarks.each(NoteKind::NotUnderstood, what, who, other.at);
    }
    let agent = cilium.masquerades.clone().or_else(|| {
        let (agent, object) = chosen?;
        Some(Node::str(object.at, agent.as_str()))
    });
    let agent = agent.or_else(|| running(cx).filter(|_| !bypassed));
    let named: BTreeSet<String> = agents.iter().flat_map(|(_, object)| mounted(object)).collect();
    let daemon_set = chosen.map(|(_, object)| manifest(object));
    let maps = config_maps(cx, &named);
    let span = maps.first().or(daemon_set.as_ref()).or(agent.as_ref())?.span;
    mapping(MapBuilder::new(span).set("agent", None, agent).set("daemonSet", None, daemon_set).set(
        "configMaps",
        None,
        list(span, maps),
    ))
}

/// DaemonSets that translate.
fn agents<'a>(cx: &Cx<'a>) -> Vec<(MasqueradeAgent, &'a Object)> {
    let workloads = cx.all.of(Kind::Workload).iter().filter(|object| object.word == "DaemonSet");
    workloads
        .filter(|object| is_scheduled(&object.node))
        .filter_map(|object| {
            let spec = at(&object.node, &["spec", "template", "spec"])?;
            Some((agent(&object.name, spec)?, object))
        })
        .collect()
}

/// The images of our own agent (`deploy/images`).
const OUR_IMAGES: [&str; 3] = ["causeway-node", "causeway-node-non-root", "causeway-node-iptables"];

/// Told by the image, or by the name where an image of one's own hides it. A side-car that only prepares files is no agent.
fn agent(name: &str, spec: &Node) -> Option<MasqueradeAgent> {
    let containers = || items(spec, &["containers"]);
    if containers().any(|container| {
        let words = words(container);
        let named = words.iter().any(|word| word.rsplit('/').next() == Some("causeway-node"))
            && words.iter().any(|word| word == "masquerade");
        // The images start it as the agent it replaces, without the name of the subcommand.
        let image = text(container, &["image"]).map(repository).and_then(|image| image.rsplit('/').next());
        named
            || (words.is_empty() || words.iter().all(|word| word.starts_with('-')))
                && image.is_some_and(|image| OUR_IMAGES.contains(&image))
    }) {
        return Some(MasqueradeAgent::Causeway);
    }
    let images = containers().filter_map(|container| text(container, &["image"])).map(repository);
    if let Some(image) = images.into_iter().find(|image| image.contains("ip-masq-agent")) {
        let second = image.rsplit('/').next().is_some_and(|last| last.starts_with("ip-masq-agent-v2"));
        return Some(if second { MasqueradeAgent::IpMasqAgentV2 } else { MasqueradeAgent::IpMasqAgent });
    }
    let named = |text: &str| text.contains("ip-masq-agent");
    (named(name) || containers().filter_map(|container| text(container, &["name"])).any(named))
        .then_some(MasqueradeAgent::IpMasqAgentV2)
}

/// An image without its tag and digest.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

/// The agent of pods that run, where their DaemonSet was not given.
fn running(cx: &Cx<'_>) -> Option<Node> {
    cx.all.of(Kind::Pod).iter().find_map(|pod| {
        let by_daemon_set =
            items(&pod.node, &["metadata", "ownerReferences"]).any(|owner| text(owner, &["kind"]) == Some("DaemonSet"));
        let spec = at(&pod.node, &["spec"]).filter(|_| by_daemon_set)?;
        Some(Node::str(pod.at, agent(&pod.name, spec)?.as_str()))
    })
}

/// What matters of the DaemonSet. Environments are left out: they may hold secrets.
fn manifest(daemon_set: &Object) -> Node {
    let node = object(&daemon_set.node, &["name", "namespace", "labels"], &["spec"]);
    let spec = at(&node, &["spec"]).map(|spec| {
        let template = at(spec, &["template"]).map(|template| {
            let pod = at(template, &["spec"]).map(|pod| {
                let containers = at(pod, &["containers"]).map(|containers| {
                    let kept = containers.items().iter().map(|container| {
                        keep(container, &["name", "image", "command", "args", "securityContext", "volumeMounts"])
                    });
                    Node::seq(containers.span, kept.collect())
                });
                let pod =
                    keep(pod, &["hostNetwork", "nodeSelector", "affinity", "tolerations", "containers", "volumes"]);
                replace(pod, "containers", containers)
            });
            replace(keep(template, &["spec"]), "spec", pod)
        });
        replace(keep(spec, &["template"]), "template", template)
    });
    replace(node, "spec", spec)
}

/// ConfigMaps an agent mounts, `NAMESPACE/NAME`.
fn mounted(daemon_set: &Object) -> Vec<String> {
    let Some(spec) = at(&daemon_set.node, &["spec", "template", "spec"]) else { return Vec::new() };
    let volumes = || items(spec, &["volumes"]);
    let single = volumes().filter_map(|volume| text(volume, &["configMap", "name"]));
    let projected = volumes().flat_map(|volume| items(volume, &["projected", "sources"]));
    // A projected source with its name one level too high is a known slip: it mounts nothing, and the map is meant all the same.
    let projected = projected.filter_map(|source| {
        text(source, &["configMap", "name"]).or_else(|| source.get("configMap").and_then(|_| text(source, &["name"])))
    });
    let namespace = daemon_set.namespace.as_deref().unwrap_or("default");
    single.chain(projected).map(|name| format!("{namespace}/{name}")).collect()
}

/// ConfigMaps that carry configuration, or look as if they should.
fn config_maps(cx: &mut Cx<'_>, mounted: &BTreeSet<String>) -> Vec<Node> {
    let mut out = Vec::new();
    for map in cx.all.of(Kind::ConfigMap) {
        let is_named = map.name.contains(FILE) || mounted.contains(&map.who());
        if !is_named && super::systems::knows_config_map(map) {
            continue;
        }
        let data = at(&map.node, &["data"]);
        let entries = data.map(Node::entries).unwrap_or_default();
        let fits = |key: &str, value: &Node| is_named || key.starts_with(FILE) || is_configuration(value);
        let entries_kept = entries.iter().filter(|entry| fits(&entry.key, &entry.node));
        let kept: Vec<&str> =
            entries_kept.filter(|entry| entry.node.text().is_some()).map(|entry| entry.key.as_ref()).collect();
        if !is_named && kept.is_empty() {
            cx.remarks.no_part("ConfigMap", map.node.span);
            continue;
        }
        if let Some(binary) = said_map(&map.node, "binaryData") {
            cx.remarks.not_understood(binary.span, format!("`binaryData` of ConfigMap `{}` is not read", map.who()));
        }
        for entry in entries.iter().filter(|entry| entry.node.text().is_none()) {
            cx.strange(map, &format!("data.{}", entry.key), &entry.node, "text");
        }
        let data = data.map(|data| keep(data, &kept));
        out.push(replace(object(&map.node, &["name", "namespace"], &["data"]), "data", data));
    }
    out
}

fn said_map<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    at(node, &[key]).filter(|map| !map.entries().is_empty())
}

/// Whether a text is the configuration of an agent under another name.
fn is_configuration(value: &Node) -> bool {
    let Some(text) = value.text().filter(|text| text.to_ascii_lowercase().contains("masq")) else { return false };
    let documents = tree::parse(text, value.span.file, &tree::Limits::default()).unwrap_or_default();
    documents.iter().any(|document| {
        document.entries().iter().any(|entry| CONFIGURATION.contains(&entry.key.to_ascii_lowercase().as_str()))
    })
}

/// DaemonSets that change the node's rules by a script of their own.
pub(super) fn scripts(cx: &mut Cx<'_>) {
    for object in cx.all.of(Kind::Workload).iter().filter(|object| object.word == "DaemonSet") {
        let Some(spec) = at(&object.node, &["spec", "template", "spec"]) else { continue };
        if super::value::flag(spec, &["hostNetwork"]) != Some(true) {
            continue;
        }
        let calls = |word: &Node| {
            let text = word.text().unwrap_or_default();
            text.split_whitespace().any(|word| {
                let program = word.rsplit('/').next().unwrap_or(word);
                matches!(program, "iptables" | "ip6tables" | "iptables-restore" | "ip6tables-restore" | "nft" | "ipset")
            })
        };
        let containers = items(spec, &["containers"]).chain(items(spec, &["initContainers"]));
        let script = containers
            .flat_map(|container| items(container, &["command"]).chain(items(container, &["args"])))
            .find(|word| calls(word));
        if let Some(script) = script {
            let what = "it changes rules of the node by a script of its own; what they do is not known";
            cx.remarks.each(NoteKind::NotUnderstood, what, format!("DaemonSet {}", object.who()), script.span);
        }
    }
}

/// The value of a key of a ConfigMap.
pub(super) fn config<'a>(map: &'a Object, key: &str) -> Option<&'a Node> {
    said(&map.node, &["data", key])
}

#[cfg(test)]
mod tests {
    use super::repository;

    #[test]
    fn tags_and_digests_are_no_part_of_a_repository() {
        for (image, wanted) in [
            ("mcr.microsoft.com/aks/ip-masq-agent-v2:v0.1.14", "mcr.microsoft.com/aks/ip-masq-agent-v2"),
            ("registry:5000/networking/ip-masq-agent", "registry:5000/networking/ip-masq-agent"),
            ("registry.k8s.io/networking/ip-masq-agent:v2.12.0@sha256:ab", "registry.k8s.io/networking/ip-masq-agent"),
        ] {
            assert_eq!(repository(image), wanted);
        }
    }
}
