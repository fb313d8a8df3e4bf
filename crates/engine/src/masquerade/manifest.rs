//! The agent's DaemonSet: whether it can do what its configuration says, and on which nodes.

use super::view::View;
use crate::addresses::ground::listed;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::masquerade as facts;
use causeway_model::finding::{Finding, Severity};
use causeway_trace::translation::own_manifest;
use std::collections::BTreeSet;

/// Where the lock of iptables lies on the host.
const LOCK: &str = "/run/xtables.lock";

/// Where it lies when `/run` was reached through its old name.
const OLD_LOCK: &str = "/var/run/xtables.lock";

pub(super) fn check(view: &View, out: &mut Vec<Finding>) {
    let (Some(manifest), Some(masquerade)) = (own_manifest(view.cluster), &view.cluster.masquerade) else { return };
    let mut lint = Lint { view, manifest, masquerade, out };
    lint.network();
    lint.capabilities();
    lint.volumes();
    lint.lock();
    lint.nodes();
    lint.families();
}

struct Lint<'a, 'o> {
    view: &'a View<'a>,
    manifest: &'a AgentManifest,
    masquerade: &'a Masquerade,
    out: &'o mut Vec<Finding>,
}

impl Lint<'_, '_> {
    fn say(&mut self, severity: Severity, message: impl Into<String>, help: impl Into<String>) -> Option<&mut Finding> {
        let object = format!("{}.masquerade.daemonSet", self.view.path);
        let finding = Finding::new(codes::AGENT_MANIFEST_MISCONFIGURED, object, message)
            .severity(severity)
            .help(help)
            .since(facts::CAPABILITIES.as_of);
        self.out.push(finding);
        self.out.last_mut()
    }

    fn network(&mut self) {
        if !self.manifest.host_network {
            let message = format!(
                "`{}` does not run on the host network, so it writes its rules where no packet of a pod passes",
                self.manifest.name
            );
            self.say(Severity::Error, message, "set `spec.template.spec.hostNetwork: true`");
        }
    }

    /// Our own agent writes nf_tables itself unless it is told to write iptables.
    fn writes_iptables(&self) -> bool {
        let ours = self.masquerade.agent == Some(MasqueradeAgent::Causeway) || self.manifest.is_causeway();
        !ours || self.manifest.args.iter().any(|argument| argument.ends_with("iptables"))
    }

    fn capabilities(&mut self) {
        if self.manifest.privileged {
            return;
        }
        let iptables = self.writes_iptables();
        let has = |wanted: &str| {
            let plain = |text: &str| text.trim_start_matches("CAP_").to_ascii_uppercase();
            self.manifest.capabilities.iter().any(|added| plain(added) == wanted || plain(added) == "ALL")
        };
        let missing: Vec<&str> = facts::CAPABILITIES
            .value
            .iter()
            .copied()
            .filter(|wanted| !has(wanted) && (iptables || *wanted == "NET_ADMIN"))
            .collect();
        if missing.is_empty() {
            return;
        }
        // Without NET_ADMIN nothing works; without NET_RAW the legacy back end of iptables does not.
        let severity = if missing.contains(&"NET_ADMIN") { Severity::Error } else { Severity::Warning };
        let message = format!(
            "`{}` lacks {} {}",
            self.manifest.name,
            if missing.len() == 1 { "the capability" } else { "the capabilities" },
            listed(&missing)
        );
        let help = "add them under `securityContext.capabilities.add`";
        if let Some(finding) = self.say(severity, message, help) {
            finding.evidence.push(facts::CAPABILITIES.cite());
        }
    }

    fn volumes(&mut self) {
        let config = |mount: &&AgentMount| is_config(&mount.path) || mount.path.starts_with("/etc/config/");
        let mounts: Vec<&AgentMount> = self.manifest.mounts.iter().filter(config).collect();
        if mounts.is_empty() {
            let elsewhere = self.manifest.mounts.iter().find(|mount| !mount.config_maps.is_empty());
            let message = match elsewhere {
                Some(mount) => format!(
                    "`{}` mounts its ConfigMap at `{}`, and reads `/etc/config` only",
                    self.manifest.name, mount.path
                ),
                None => format!(
                    "`{}` mounts nothing at `/etc/config`: the agent ends when the directory is missing",
                    self.manifest.name
                ),
            };
            if let Some(finding) = self.say(Severity::Error, message, "mount the ConfigMap's volume at `/etc/config`") {
                finding.evidence.push(facts::CONFIG_PATH.cite());
            }
        }
        for mount in &mounts {
            if mount.sub_path.is_some() {
                let message = format!(
                    "`{}` is mounted with `subPath`, so changes of the ConfigMap never reach the agent",
                    mount.path
                );
                self.say(
                    Severity::Warning,
                    message,
                    "mount the whole volume at `/etc/config`, and name files with `items`",
                );
            }
            if mount.config_maps.is_empty() && mount.host_path.is_none() {
                let message = format!("the volume at `{}` brings no ConfigMap", mount.path);
                self.say(
                    Severity::Error,
                    message,
                    "name the volume of the mount, and give it `configMap: {name: ...}`",
                );
            }
            for mounted in &mount.config_maps {
                self.config_map(mounted);
            }
        }
    }

    fn config_map(&mut self, mounted: &MountedConfigMap) {
        if mounted.name.is_empty() {
            let message = "a volume source says `configMap` and names none: `name`, `optional` and `items` belong one level deeper";
            self.say(Severity::Error, message, "write `configMap: {name: ..., optional: ..., items: [...]}`");
            return;
        }
        let own = self.manifest.namespace.as_deref().unwrap_or("default");
        let named: Vec<&ConfigMap> =
            self.masquerade.config_maps.iter().filter(|map| map.name == mounted.name).collect();
        let here = named.iter().find(|map| map.namespace.as_deref().unwrap_or("default") == own);
        let Some(map) = here else {
            if let Some(other) = named.first() {
                let elsewhere = other.namespace.as_deref().unwrap_or("default");
                let consequence = if mounted.optional {
                    "the agent runs without it, and nothing says so"
                } else {
                    "its pods do not start"
                };
                let message = format!(
                    "the ConfigMap `{}` is in namespace `{elsewhere}` and the DaemonSet in `{own}`: {consequence}",
                    mounted.name
                );
                self.say(Severity::Error, message, format!("put both into one namespace, such as `{elsewhere}`"));
            }
            return;
        };
        for (key, path) in mounted.items.iter().flatten() {
            if !map.data.contains_key(key) && !mounted.optional {
                let message = format!(
                    "the ConfigMap `{}` has no key `{key}`, which the volume asks for: the pods do not start",
                    mounted.name
                );
                self.say(Severity::Error, message, "correct the key, or make the source optional");
            }
            if path.contains('/') {
                let message = format!("the key `{key}` becomes `{path}`, in a folder the agent does not look into");
                self.say(Severity::Error, message, "give it a name without `/` that starts with `ip-masq`");
            }
        }
    }

    fn lock(&mut self) {
        if !self.writes_iptables() {
            return;
        }
        let mounted = self.manifest.mounts.iter().any(|mount| {
            let holds = |path: &str| {
                [LOCK, OLD_LOCK]
                    .iter()
                    .any(|lock| *lock == path || lock.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
            };
            mount.host_path.as_deref().is_some_and(|path| holds(path.trim_end_matches('/')))
        });
        if !mounted {
            let message = format!(
                "`{}` does not share the host's `{LOCK}`, so it and kube-proxy can write iptables at the same time",
                self.manifest.name
            );
            let help = format!("mount `{LOCK}` from the host (type `FileOrCreate`)");
            if let Some(finding) = self.say(Severity::Warning, message, help) {
                finding.evidence.push(facts::CAPABILITIES.cite());
            }
        }
    }

    /// Pools whose nodes the DaemonSet does not reach.
    fn nodes(&mut self) {
        let pools = &self.view.cluster.pools;
        if !self.manifest.tolerates_all {
            let keeps_off = |pool: &Pool| {
                pool.taints.iter().any(|taint| taint.ends_with(":NoSchedule") || taint.ends_with(":NoExecute"))
            };
            let tainted: Vec<&PoolName> = pools
                .iter()
                .filter(|(_, pool)| pool.os == Os::Linux && keeps_off(pool))
                .map(|(name, _)| name)
                .collect();
            if !tainted.is_empty() {
                let message = format!(
                    "`{}` may not run on the nodes of {}, whose taints it is not seen to tolerate",
                    self.manifest.name,
                    listed(&tainted)
                );
                self.say(Severity::Warning, message, "add `tolerations: [{operator: Exists}]`");
            }
        }
        let selector = &self.manifest.node_selector;
        let windows = pools.values().any(|pool| pool.os == Os::Windows);
        let is_os = |key: &str| matches!(key, "kubernetes.io/os" | "beta.kubernetes.io/os");
        if windows && !selector.keys().any(|key| is_os(key)) {
            let message = format!("nothing keeps `{}` off Windows nodes, where it can't start", self.manifest.name);
            self.say(Severity::Warning, message, "add `nodeSelector: {kubernetes.io/os: linux}`");
        }
        if let Some((key, value)) = selector.iter().find(|(key, value)| is_os(key) && value.as_str() != "linux") {
            let message = format!("`{key}: {value}` keeps `{}` off every Linux node", self.manifest.name);
            self.say(Severity::Error, message, "write `kubernetes.io/os: linux`");
        }
        // Labels of nodes are known as far as pools state them.
        let left_out: BTreeSet<&PoolName> = pools
            .iter()
            .filter(|(_, pool)| pool.os == Os::Linux)
            .filter(|(name, pool)| {
                selector.iter().any(|(key, value)| match key.as_str() {
                    "agentpool" | "kubernetes.azure.com/agentpool" => value != name.as_str(),
                    "kubernetes.azure.com/mode" => pool.system.is_some_and(|system| (value == "system") != system),
                    key => pool.labels.get(key).is_some_and(|label| label != value),
                })
            })
            .map(|(name, _)| name)
            .collect();
        if !left_out.is_empty() {
            let left_out: Vec<&PoolName> = left_out.into_iter().collect();
            let message = format!(
                "the node selector of `{}` leaves out the nodes of {}, where nothing is translated",
                self.manifest.name,
                listed(&left_out)
            );
            self.say(Severity::Warning, message, "let the DaemonSet run on every Linux node");
        }
    }

    /// Pods with IPv6 addresses nobody outside knows, and an agent that leaves IPv6 alone.
    fn families(&mut self) {
        let v6_pods = self.view.is_hidden() && self.view.pods.iter().any(|home| home.cidr.is_v6());
        let reading = &self.masquerade.reading;
        if v6_pods && !reading.enable_ipv6 && reading.reader.is_some() {
            let message = format!(
                "pods have IPv6 addresses, and `{}` runs without `--enable-ipv6`: their IPv6 packets leave untranslated",
                self.manifest.name
            );
            self.say(Severity::Warning, message, "add the argument `--enable-ipv6`");
        }
    }
}

fn is_config(path: &str) -> bool {
    path.trim_end_matches('/') == "/etc/config"
}
