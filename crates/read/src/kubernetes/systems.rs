//! What runs on every node and moves, translates or filters packets there: kube-proxy, Cilium, the policy engines.

use super::Cx;
use super::kind::Kind;
use super::masquerade::config;
use super::object::Object;
use super::value::{at, is_true, items, mapping, number, one_or_many, parts, prefix, said, text, truth};
use crate::tree::{self, MapBuilder, Node};
use causeway_model::design::{KubeProxyMode, NoteKind};
use causeway_model::source::Span;
use std::collections::BTreeMap;

/// Command and arguments of a container, word by word.
pub(super) fn words(container: &Node) -> Vec<String> {
    let lines = items(container, &["command"]).chain(items(container, &["args"])).filter_map(Node::text);
    lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// Whether a DaemonSet has nodes to run on, as far as it says.
pub(super) fn is_scheduled(daemon_set: &Node) -> bool {
    at(daemon_set, &["status", "desiredNumberScheduled"]).and_then(number) != Some(0)
}

/// ConfigMaps this program reads something of.
pub(super) fn knows_config_map(map: &Object) -> bool {
    let system = map.namespace.as_deref() == Some("kube-system");
    system && matches!(map.name.as_str(), "cilium-config" | "coredns" | "coredns-custom" | "kubeadm-config")
        || kube_proxy_key(map).is_some()
}

/// DaemonSets by name, given or named by the pods they made, in system namespaces and out of them.
fn daemon_sets<'a>(cx: &Cx<'a>) -> BTreeMap<&'a str, Span> {
    let mut names = BTreeMap::new();
    for object in cx.all.of(Kind::Workload).iter().filter(|object| object.word == "DaemonSet") {
        if is_scheduled(&object.node) {
            names.entry(object.name.as_str()).or_insert(object.at);
        }
    }
    for pod in cx.all.of(Kind::Pod) {
        for owner in items(&pod.node, &["metadata", "ownerReferences"]) {
            if text(owner, &["kind"]) == Some("DaemonSet")
                && let Some(name) = said(owner, &["name"])
            {
                names.entry(name.text().unwrap_or_default()).or_insert(name.span);
            }
        }
    }
    names
}

/// `networkPolicy`: the engine that runs.
pub(super) fn engine(cx: &mut Cx<'_>, cilium: &Cilium) -> Option<Node> {
    let names = daemon_sets(cx);
    let named = |wanted: &str| names.get_key_value(wanted).map(|(_, at)| *at);
    let mut found: Vec<(&str, Span)> = Vec::new();
    found.extend(cilium.runs.filter(|_| !cilium.ignores_policies).map(|at| ("cilium", at)));
    found.extend(named("calico-node").map(|at| ("calico", at)));
    found.extend(named("azure-npm").or_else(|| named("azure-npm-win")).map(|at| ("azure", at)));
    if let [(first, _), (second, at), ..] = found.as_slice() {
        let message = format!("two policy engines run, `{first}` and `{second}`: the second is not followed");
        cx.remarks.not_understood(*at, message);
    }
    found.first().map(|(engine, at)| Node::str(*at, *engine))
}

/// What Cilium does, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Cilium {
    /// Where it is said that its agent runs.
    pub(super) runs: Option<Span>,
    /// `masquerade.agent`: its own agent in BPF is on.
    pub(super) masquerades: Option<Node>,
    /// Its own agent is on, whoever writes its file.
    has_agent: bool,
    /// `kubeProxy.mode: none`: it does kube-proxy's work.
    pub(super) replaces_kube_proxy: Option<Node>,
    /// `ebpfHostRouting`.
    pub(super) host_routing: Option<Node>,
    /// The range it cuts pods' blocks from by itself.
    pub(super) pod_cidr: Option<Node>,
    /// Policies are switched off.
    pub(super) ignores_policies: bool,
}

impl Cilium {
    pub(super) fn new(cx: &mut Cx<'_>) -> Cilium {
        let mut cilium = Cilium { runs: daemon_sets(cx).get("cilium").copied(), ..Cilium::default() };
        let Some(map) = system_map(cx, "cilium-config") else { return cilium };
        let on = |key: &str| config(map, key).filter(|value| value.text().is_some_and(is_true));
        cilium.runs = cilium.runs.or(Some(map.at));
        cilium.ignores_policies = config(map, "enable-policy").and_then(Node::text) == Some("never");
        let bpf = on("enable-bpf-masquerade");
        let agent = on("enable-ip-masq-agent").filter(|_| bpf.is_some());
        cilium.has_agent = agent.is_some();
        // On AKS its agent reads what the platform merged of several files: that reader is the platform's, not plain Cilium's.
        let merged = config(map, "ip-masq-agent-config-path").and_then(Node::text);
        let merged = merged.is_some_and(|path| path.contains("merged-config"));
        cilium.masquerades = agent.filter(|_| !merged).map(|value| Node::str(value.span, "cilium"));
        let replaces = config(map, "kube-proxy-replacement");
        cilium.replaces_kube_proxy = replaces
            .filter(|value| matches!(value.text(), Some("true" | "strict")))
            .map(|value| Node::str(value.span, "none"));
        // Host routing in BPF works only with Cilium's own masquerading; anything else falls back to the kernel's.
        cilium.host_routing = config(map, "enable-host-legacy-routing").and_then(|value| {
            let legacy = value.text().is_some_and(is_true);
            (legacy || bpf.is_some()).then(|| truth(value.span, !legacy))
        });
        let by_itself =
            matches!(config(map, "ipam").and_then(Node::text), Some("cluster-pool" | "cluster-pool-v2beta"));
        let pools = ["cluster-pool-ipv4-cidr", "cluster-pool-ipv6-cidr"];
        let ranges = pools.iter().filter_map(|key| config(map, key).filter(|_| by_itself)).flat_map(parts);
        let ranges: Vec<Node> = ranges.filter(|range| prefix(range).is_some()).collect();
        cilium.pod_cidr = one_or_many(map.at, ranges);
        for (value, what) in [
            (
                on("enable-ipv4-masquerade").filter(|_| !cilium.has_agent),
                "Cilium masquerades by its own rules, which a design can't say",
            ),
            (
                config(map, "routing-mode").filter(|mode| mode.text() == Some("tunnel")),
                "Cilium wraps packets between nodes, which a design can't say",
            ),
        ] {
            if let Some(value) = value {
                cx.remarks.not_understood(value.span, format!("ConfigMap `{}`: {what}", map.who()));
            }
        }
        cilium
    }
}

fn system_map<'a>(cx: &Cx<'a>, name: &str) -> Option<&'a Object> {
    let maps = cx.all.of(Kind::ConfigMap).iter();
    maps.into_iter().find(|map| map.name == name && map.namespace.as_deref() == Some("kube-system"))
}

/// The key under which a ConfigMap carries kube-proxy's configuration.
fn kube_proxy_key(map: &Object) -> Option<&Node> {
    let entries = at(&map.node, &["data"]).map(Node::entries).unwrap_or_default();
    let found = entries.iter().find(|entry| {
        entry.node.text().is_some_and(|text| text.contains("KubeProxyConfiguration") && text.contains("kind"))
    });
    found.map(|entry| &entry.node)
}

/// `kubeProxy` of a cluster: from its configuration file, which outranks its flags, else from those.
pub(super) fn kube_proxy(cx: &mut Cx<'_>, cilium: &Cilium) -> Option<Node> {
    let mut mode = None;
    let mut cidrs = None;
    let daemon_sets = cx.all.of(Kind::Workload).iter();
    let daemon_set = daemon_sets
        .into_iter()
        .find(|object| object.word == "DaemonSet" && object.name == "kube-proxy" && is_scheduled(&object.node));
    let of_pods = || {
        let mut pods = cx.all.of(Kind::Pod).iter();
        pods.find(|pod| {
            pod.name.starts_with("kube-proxy-") && at(&pod.node, &["metadata", "ownerReferences"]).is_some()
        })
    };
    let spec = match daemon_set {
        Some(object) => at(&object.node, &["spec", "template", "spec"]),
        None => of_pods().and_then(|pod| at(&pod.node, &["spec"])),
    };
    let flags: Vec<&Node> = spec
        .map(|spec| items(spec, &["containers"]).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .flat_map(|container| items(container, &["command"]).chain(items(container, &["args"])))
        .collect();
    let from_file = flag_value(&flags, "config").is_some() || spec.is_none();
    let map = cx.all.of(Kind::ConfigMap).iter().find_map(|map| Some((map, kube_proxy_key(map)?)));
    if let Some((map, text)) = map.filter(|_| from_file) {
        match tree::parse_in_scalar(cx.sources, text, &tree::Limits::default()) {
            Ok(documents) => {
                let configuration = documents
                    .iter()
                    .find(|document| document.get("kind").and_then(Node::text) == Some("KubeProxyConfiguration"));
                mode = configuration.and_then(|configuration| said(configuration, &["mode"])).cloned();
                cidrs = configuration.and_then(|configuration| said(configuration, &["clusterCIDR"])).cloned();
            }
            Err(errors) => {
                let at = errors.first().map_or(text.span, |error| error.span);
                cx.remarks.not_understood(at, format!("kube-proxy's configuration in `{}` can't be read", map.who()));
            }
        }
    }
    if !from_file || map.is_none() {
        mode = flag_value(&flags, "proxy-mode");
        cidrs = flag_value(&flags, "cluster-cidr");
    }
    let mode = mode.and_then(|mode| match mode.text().and_then(KubeProxyMode::parse) {
        Some(known) => Some(Node::str(mode.span, known.as_str())),
        None => {
            cx.remarks.not_understood(mode.span, format!("kube-proxy's mode `{}` is not known", mode.text()?));
            None
        }
    });
    let mode = mode.or_else(|| cilium.replaces_kube_proxy.clone().filter(|_| spec.is_none()));
    let cidrs = cidrs.and_then(|cidrs| {
        let ranges: Vec<Node> = parts(&cidrs).into_iter().filter(|range| prefix(range).is_some()).collect();
        one_or_many(cidrs.span, ranges)
    });
    let span = mode.as_ref().or(cidrs.as_ref())?.span;
    mapping(MapBuilder::new(span).set("mode", None, mode).set("clusterCidr", None, cidrs))
}

/// The value of a flag: `--flag=value`, or `--flag value`, also inside a line for a shell.
fn flag_value(lines: &[&Node], flag: &str) -> Option<Node> {
    let words: Vec<(&str, Span)> = lines
        .iter()
        .filter_map(|line| Some((line.text()?, line.span)))
        .flat_map(|(text, span)| text.split_whitespace().map(move |word| (word, span)))
        .collect();
    let mut words = words.into_iter().peekable();
    while let Some((word, span)) = words.next() {
        let Some(rest) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else { continue };
        let value = match rest.split_once('=') {
            Some((name, value)) if name == flag => Some(value),
            None if rest == flag => words.peek().map(|(next, _)| *next).filter(|next| !next.starts_with('-')),
            _ => continue,
        };
        return value.filter(|value| !value.is_empty()).map(|value| Node::str(span, value));
    }
    None
}

/// Ranges a cluster was made with, as kubeadm keeps them.
#[derive(Debug, Default)]
pub(super) struct Kubeadm {
    pub(super) pod_cidr: Option<Node>,
    pub(super) service_cidr: Option<Node>,
}

impl Kubeadm {
    pub(super) fn new(cx: &Cx<'_>) -> Kubeadm {
        let configuration = system_map(cx, "kubeadm-config").and_then(|map| config(map, "ClusterConfiguration"));
        let documents = configuration
            .and_then(|text| tree::parse_in_scalar(cx.sources, text, &tree::Limits::default()).ok())
            .unwrap_or_default();
        let ranges = |key: &str| {
            let found = documents.iter().find_map(|document| said(document, &["networking", key]))?;
            let ranges = parts(found).into_iter().filter(|range| prefix(range).is_some());
            one_or_many(found.span, ranges.collect())
        };
        Kubeadm { pod_cidr: ranges("podSubnet"), service_cidr: ranges("serviceSubnet") }
    }
}

/// Names the cluster's own DNS sends elsewhere: the design knows the VNet's servers only.
pub(super) fn dns(cx: &mut Cx<'_>) {
    if let Some(map) = system_map(cx, "coredns-custom") {
        let said = at(&map.node, &["data"]).filter(|data| !data.entries().is_empty());
        if let Some(data) = said {
            let what = "the cluster's DNS has settings of its own, which are not followed";
            cx.remarks.each(NoteKind::NotUnderstood, what, format!("ConfigMap {}", map.who()), data.span);
        }
    }
    let corefile = system_map(cx, "coredns").and_then(|map| config(map, "Corefile"));
    let Some(corefile) = corefile else { return };
    for line in corefile.text().unwrap_or_default().lines() {
        let mut words = line.split_whitespace();
        if words.next() != Some("forward") {
            continue;
        }
        let (zone, servers) = (words.next().unwrap_or("."), words.take_while(|word| *word != "{"));
        let servers: Vec<&str> = servers.collect();
        if servers != ["/etc/resolv.conf"] && !servers.is_empty() {
            let what = format!("the cluster's DNS asks {} about `{zone}`, which is not followed", servers.join(", "));
            cx.remarks.not_understood(corefile.span, what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::flag_value;
    use crate::tree::Node;
    use causeway_model::source::{FileId, Span};

    #[test]
    fn flags_in_all_their_forms() {
        let span = Span { file: FileId(0), start: 0, end: 0 };
        let value = |lines: &[&str]| {
            let lines: Vec<Node> = lines.iter().map(|line| Node::str(span, *line)).collect();
            let lines: Vec<&Node> = lines.iter().collect();
            flag_value(&lines, "cluster-cidr").and_then(|node| node.text().map(str::to_owned))
        };
        let wanted = Some("10.244.0.0/16".to_owned());
        assert_eq!(value(&["kube-proxy", "--cluster-cidr=10.244.0.0/16", "--v=3"]), wanted);
        assert_eq!(value(&["kube-proxy", "--cluster-cidr", "10.244.0.0/16"]), wanted);
        assert_eq!(value(&["sh", "-c", "exec kube-proxy --v=3 -cluster-cidr=10.244.0.0/16"]), wanted);
        assert_eq!(value(&["kube-proxy", "--cluster-cidr="]), None);
        assert_eq!(value(&["kube-proxy", "--cluster-cidr", "--v=3"]), None);
        assert_eq!(value(&["kube-proxy", "--cluster-cidr-x=1"]), None);
    }
}
