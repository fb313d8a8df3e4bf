//! Node masquerade: files, and what matters of the agent's DaemonSet and ConfigMaps.

use super::Meaning;
use crate::document::{self, Raw};
use crate::masquerade::Surroundings;
use crate::tree::{self, Node as TreeNode, Value};
use causeway_model::design::*;
use causeway_model::masquerade::MasqueradeReading;
use causeway_model::source::Span;
use std::collections::BTreeMap;

impl Meaning<'_> {
    pub(super) fn masquerade(
        &mut self,
        path: &str,
        masquerade: document::Masquerade,
        around: Surroundings,
    ) -> Masquerade {
        let path = format!("{path}.masquerade");
        let mut files = BTreeMap::new();
        for (name, file) in masquerade.files.unwrap_or_default().0 {
            let path = format!("{path}.files.{name}");
            match (file.0.text, file.0.path) {
                (Some(Raw(node)), None) => match self.file(&node) {
                    Some(file) => {
                        files.insert(name, file);
                    }
                    None => self.error(
                        &path,
                        format!("`{path}` must be text or `{{path: FILE}}`"),
                        "start the text with `|`",
                    ),
                },
                // A path that could be read was replaced by its text before; one that could not is an error already.
                (None, Some(_)) => {}
                _ => self.error(&path, format!("`{path}` must be text or `{{path: FILE}}`"), ""),
            }
        }
        let config_maps = masquerade.config_maps.unwrap_or_default();
        let mut masquerade = Masquerade {
            agent: masquerade.agent,
            flags: masquerade.flags.unwrap_or_default().0,
            files,
            daemon_set: masquerade
                .daemon_set
                .and_then(|Raw(node)| self.daemon_set(&format!("{path}.daemonSet"), &node)),
            config_maps: config_maps
                .iter()
                .enumerate()
                .filter_map(|(at, Raw(node))| self.config_map(&format!("{path}.configMaps.{at}"), node))
                .collect(),
            reading: MasqueradeReading::default(),
        };
        masquerade.reading = crate::masquerade::read(&masquerade, around, &path);
        masquerade
    }

    /// A text with the place of each of its lines.
    fn file(&self, node: &TreeNode) -> Option<MasqueradeFile> {
        let Value::Scalar(scalar) = &node.value else { return None };
        let mut lines: Vec<Span> = Vec::new();
        let mut start = 0;
        for line in scalar.text.split_inclusive('\n') {
            let end = start + line.trim_end_matches('\n').len();
            lines.push(tree::locate_in_scalar(self.sources, node, start..end));
            start += line.len();
        }
        Some(MasqueradeFile { text: scalar.text.to_string(), lines })
    }

    fn config_map(&mut self, path: &str, node: &TreeNode) -> Option<ConfigMap> {
        let metadata = node.get("metadata")?;
        let Some(name) = text(metadata, "name") else {
            self.error(path, "a ConfigMap needs `metadata.name`", "write it as Kubernetes does");
            return None;
        };
        let data = node.get("data").and_then(TreeNode::as_map).unwrap_or_default();
        let data = data.iter().filter_map(|entry| Some((entry.key.to_string(), self.file(&entry.node)?))).collect();
        Some(ConfigMap { name, namespace: text(metadata, "namespace"), data })
    }

    fn daemon_set(&mut self, path: &str, node: &TreeNode) -> Option<AgentManifest> {
        let metadata = node.get("metadata");
        let pod = node.get("spec").and_then(|spec| spec.get("template")).and_then(|template| template.get("spec"));
        let (Some(metadata), Some(pod)) = (metadata, pod) else {
            self.error(path, "a DaemonSet needs `metadata` and `spec.template.spec`", "write it as Kubernetes does");
            return None;
        };
        let containers = pod.get("containers").and_then(TreeNode::as_seq).unwrap_or_default();
        let is_agent = |container: &&TreeNode| {
            ["name", "image"]
                .iter()
                .any(|key| container.get(key).and_then(TreeNode::text).is_some_and(|text| text.contains("masq")))
        };
        let container = containers.iter().find(is_agent).or_else(|| containers.first());
        let security = container.and_then(|container| container.get("securityContext"));
        let added =
            security.and_then(|security| security.get("capabilities")).and_then(|capabilities| capabilities.get("add"));
        let volumes = pod.get("volumes").and_then(TreeNode::as_seq).unwrap_or_default();
        let mounts = container
            .and_then(|container| container.get("volumeMounts"))
            .and_then(TreeNode::as_seq)
            .unwrap_or_default();
        let tolerations = pod.get("tolerations").and_then(TreeNode::as_seq).unwrap_or_default();
        Some(AgentManifest {
            name: text(metadata, "name").unwrap_or_default(),
            namespace: text(metadata, "namespace"),
            host_network: flag(pod, "hostNetwork"),
            args: ["command", "args"].iter().filter_map(|key| container?.get(key)).flat_map(texts).collect(),
            image: container.and_then(|container| text(container, "image")),
            privileged: security.is_some_and(|security| flag(security, "privileged")),
            capabilities: added.map(texts).unwrap_or_default(),
            mounts: mounts.iter().map(|mount| agent_mount(mount, volumes)).collect(),
            node_selector: pod
                .get("nodeSelector")
                .and_then(TreeNode::as_map)
                .unwrap_or_default()
                .iter()
                .filter_map(|entry| Some((entry.key.to_string(), entry.node.text()?.to_owned())))
                .collect(),
            tolerates_all: tolerations.iter().any(|toleration| {
                text(toleration, "operator").as_deref() == Some("Exists")
                    && toleration.get("key").is_none()
                    && toleration.get("effect").is_none()
            }),
        })
    }
}

fn agent_mount(mount: &TreeNode, volumes: &[TreeNode]) -> AgentMount {
    let name = text(mount, "name");
    let volume = volumes.iter().find(|volume| name.is_some() && text(volume, "name") == name);
    let single = volume.and_then(|volume| volume.get("configMap"));
    let projected = volume
        .and_then(|volume| volume.get("projected"))
        .and_then(|projected| projected.get("sources"))
        .and_then(TreeNode::as_seq);
    let sources =
        single.into_iter().chain(projected.unwrap_or_default().iter().filter_map(|source| source.get("configMap")));
    AgentMount {
        path: text(mount, "mountPath").unwrap_or_default(),
        sub_path: text(mount, "subPath"),
        config_maps: sources.map(mounted_config_map).collect(),
        host_path: volume.and_then(|volume| volume.get("hostPath")).and_then(|path| text(path, "path")),
    }
}

fn mounted_config_map(source: &TreeNode) -> MountedConfigMap {
    MountedConfigMap {
        name: text(source, "name").unwrap_or_default(),
        optional: flag(source, "optional"),
        items: source
            .get("items")
            .and_then(TreeNode::as_seq)
            .map(|items| items.iter().filter_map(|item| Some((text(item, "key")?, text(item, "path")?))).collect()),
    }
}

fn text(node: &TreeNode, key: &str) -> Option<String> {
    node.get(key).filter(|node| !node.is_null()).and_then(TreeNode::text).map(str::to_owned)
}

/// Kubernetes reads YAML 1.1: `yes` is true.
fn flag(node: &TreeNode, key: &str) -> bool {
    node.get(key).and_then(TreeNode::as_bool_11).unwrap_or(false)
}

fn texts(node: &TreeNode) -> Vec<String> {
    node.as_seq().unwrap_or_default().iter().filter_map(|item| item.text().map(str::to_owned)).collect()
}
