//! What watches pods and nodes, and what carries the API server's calls to them, where policies cut it off.

use super::Cx;
use super::cuts::{Cut, Cuts, alive, denial, end, flow, label, samples, shown};
use super::nodes::Elsewhere;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::control_plane::KUBELET_PORT;
use causeway_model::facts::policy::BUILT_IN;
use causeway_model::finding::Finding;
use causeway_model::policy::{Direction, PolicyId, PolicyTier};
use causeway_policy::{End, Event, Index, PodInfo};
use std::collections::BTreeMap;

/// The system's namespace.
const SYSTEM: &str = "kube-system";

pub(super) fn check(cx: &Cx<'_>, out: &mut Vec<Finding>) {
    let mut metrics = Cuts::default();
    scrapes(cx, &mut metrics);
    let words = |policy: &PolicyId, direction: Direction, cut: &Cut| {
        let (senders, targets) = (cut.senders(), cut.receivers());
        let message = match direction {
            Direction::Ingress => format!("`{policy}` keeps {senders} from {targets}: no metrics are read there"),
            Direction::Egress => format!("`{policy}` leaves {senders} no way to {targets}: no metrics are read there"),
        };
        let help = match direction {
            Direction::Ingress => "allow ingress from the scraper's pods on the port of the metrics",
            Direction::Egress => "allow the scraper's egress to the pods it reads, on the ports of their metrics",
        };
        (message, help.to_owned())
    };
    metrics.report(cx, codes::POLICY_CUTS_OBSERVABILITY, words, out);

    let mut kubelets = Cuts::default();
    reads_of_nodes(cx, &mut kubelets);
    let words = |policy: &PolicyId, _: Direction, cut: &Cut| {
        let lost: Vec<&str> =
            ROLES.iter().filter(|role| cut.to.contains(&of_nodes(role))).map(|role| role.lost).collect();
        let message = format!(
            "`{policy}` leaves {} no way to kubelets on tcp/{KUBELET_PORT}: {}",
            cut.senders(),
            lost.join("; ")
        );
        (
            message,
            format!(
                "allow its egress to the nodes on tcp/{KUBELET_PORT}; on Cilium that takes a CiliumNetworkPolicy with the entities `host` and `remote-node`"
            ),
        )
    };
    kubelets.report(cx, codes::POLICY_CUTS_OBSERVABILITY, words, out);

    let mut calls = Cuts::default();
    webhooks(cx, &mut calls);
    let words = |policy: &PolicyId, direction: Direction, cut: &Cut| {
        let (senders, targets) = (cut.senders(), cut.receivers());
        let message = match direction {
            Direction::Ingress => format!(
                "`{policy}` keeps the API server's calls, which come from {senders}, from {targets}: its webhooks time out"
            ),
            Direction::Egress => format!(
                "`{policy}` leaves the API server's calls, which come from {senders}, no way to {targets}: its webhooks time out"
            ),
        };
        let help = match direction {
            Direction::Ingress => "allow ingress on the webhook's port from where the API server's calls come from",
            Direction::Egress => {
                "allow the tunnel's agent to send to every pod: it carries whatever the API server calls"
            }
        };
        (message, help.to_owned())
    };
    calls.report(cx, codes::POLICY_CUTS_OBSERVABILITY, words, out);
}

/// A program that reads the metrics of pods.
fn is_scraper(pod: &Pod) -> bool {
    // The replica of Azure Monitor's agent reads pods; the one on each node reads its node.
    if pod.namespace == SYSTEM && label(pod, "rsName") == Some("ama-metrics") {
        return true;
    }
    let component = label(pod, "app.kubernetes.io/component").or(label(pod, "component"));
    let server = component.is_none_or(|component| matches!(component, "server" | "prometheus"));
    let name = label(pod, "app.kubernetes.io/name").or(label(pod, "app"));
    server && matches!(name, Some("prometheus" | "prometheus-server" | "prometheus-agent" | "vmagent"))
}

/// Whether a scraper is meant for the pods of a namespace: its own, or all of them where it stands apart.
fn is_for(scraper: &Pod, namespace: &str) -> bool {
    let apart = ["monitoring", "observability", "prometheus", "metrics", "telemetry"];
    scraper.namespace == namespace
        || scraper.namespace == SYSTEM
        || apart.iter().any(|word| scraper.namespace.contains(word))
}

/// A port whose name says that metrics are read there.
fn is_for_metrics(name: &str) -> bool {
    matches!(name, "metrics" | "prometheus" | "prom") || name.starts_with("metrics-") || name.ends_with("-metrics")
}

/// Pods with a port for metrics that no scraper can read.
fn scrapes(cx: &Cx<'_>, cuts: &mut Cuts) {
    let scrapers = alive(cx.cluster, is_scraper);
    if scrapers.is_empty() {
        return;
    }
    for pod in cx.cluster.pods.iter().filter(|pod| !pod.terminated && !pod.host_network) {
        let ports =
            pod.named_ports.iter().filter(|(name, (protocol, _))| *protocol == Protocol::Tcp && is_for_metrics(name));
        for (_, (protocol, port)) in ports {
            let mut of = scrapers.iter().filter(|scraper| is_for(scraper, &pod.namespace)).peekable();
            let mut first = None;
            let all = of.peek().is_some()
                && of.all(|scraper| {
                    let (from, to) = (end(scraper), end(pod));
                    let denied = if from == to { None } else { denial(&cx.index, &flow(&from, &to, *protocol, *port)) };
                    let is_denied = denied.is_some();
                    first = first.take().or(denied.map(|denied| (shown(scraper), denied)));
                    is_denied
                });
            if let Some((scraper, denied)) = first.filter(|_| all) {
                cuts.add(denied, &scraper, format!("{} {protocol}/{port}", shown(pod)));
            }
        }
    }
}

/// A pod of the system that talks to kubelets.
struct Role {
    what: &'static str,
    is: fn(&Pod) -> bool,
    lost: &'static str,
}

const ROLES: [Role; 3] = [
    Role { what: "the tunnel's agent", is: is_tunnel, lost: "`kubectl logs`, `exec` and `port-forward` fail" },
    Role {
        what: "the metrics server",
        is: |pod| pod.namespace == SYSTEM && label(pod, "k8s-app") == Some("metrics-server"),
        lost: "`kubectl top` and the horizontal autoscaler have no numbers",
    },
    Role {
        what: "Azure Monitor's agent",
        is: |pod| pod.namespace == SYSTEM && label(pod, "rsName") == Some("ama-metrics"),
        lost: "Azure Monitor has no metrics of nodes and containers",
    },
];

fn is_tunnel(pod: &Pod) -> bool {
    let agent = Some("konnectivity-agent");
    pod.namespace == SYSTEM && (label(pod, "app") == agent || label(pod, "k8s-app") == agent)
}

fn of_nodes(role: &Role) -> String {
    format!("kubelets, by {}", role.what)
}

/// Pods of the system that can't reach any kubelet but that of their own node.
fn reads_of_nodes(cx: &Cx<'_>, cuts: &mut Cuts) {
    let pods: Vec<(&Role, &Pod)> =
        ROLES.iter().flat_map(|role| alive(cx.cluster, role.is).into_iter().map(move |pod| (role, pod))).collect();
    if pods.iter().all(|(_, pod)| !cx.index.is_isolated(&end(pod), Direction::Egress)) {
        return;
    }
    let Some(elsewhere) = Elsewhere::of(cx) else { return };
    for (role, pod) in pods {
        let from = end(pod);
        let nodes = elsewhere.nodes_but_of(&from, None);
        let denied: Option<Vec<_>> = nodes
            .iter()
            .map(|node| denial(&elsewhere.index, &flow(&from, node, Protocol::Tcp, KUBELET_PORT)))
            .collect();
        let Some(denied) = denied.and_then(|all| all.into_iter().next()) else { continue };
        let by_network_policy = denied.tier == Some(PolicyTier::NetworkPolicy);
        let cut = cuts.add(denied, &shown(pod), of_nodes(role));
        if is_tunnel(pod) && by_network_policy && !lists_built_in(cx) {
            cut.doubt(format!(
                "AKS keeps a policy `{}` of its own, which is not listed here and may allow it: {}",
                BUILT_IN.value,
                BUILT_IN.cite()
            ));
        }
    }
}

fn lists_built_in(cx: &Cx<'_>) -> bool {
    let name = |policy: &PolicyObject| policy.namespace.as_ref().map(|space| format!("{space}/{}", policy.name));
    cx.cluster.policies.iter().any(|policy| name(policy).as_deref() == Some(BUILT_IN.value))
}

/// Pods with a port for webhooks that the API server's calls don't reach.
fn webhooks(cx: &Cx<'_>, cuts: &mut Cuts) {
    let hooks: Vec<(&Pod, Protocol, u16)> = cx
        .cluster
        .pods
        .iter()
        .filter(|pod| !pod.terminated && !pod.host_network)
        .flat_map(|pod| pod.named_ports.iter().map(move |(name, (protocol, port))| (pod, name, *protocol, *port)))
        .filter(|(_, name, protocol, _)| name.contains("webhook") && *protocol == Protocol::Tcp)
        .map(|(pod, _, protocol, port)| (pod, protocol, port))
        .collect();
    if hooks.is_empty() {
        return;
    }
    let Some((index, name, ends)) = callers(cx) else { return };
    for (pod, protocol, port) in hooks {
        let to = end(pod);
        let denied: Option<Vec<_>> = ends.iter().map(|from| denial(&index, &flow(from, &to, protocol, port))).collect();
        if let Some(denied) = denied.and_then(|all| all.into_iter().next()) {
            let by_own = denied.direction == Direction::Egress && denied.tier == Some(PolicyTier::NetworkPolicy);
            let cut = cuts.add(denied, &name, format!("{} {protocol}/{port}", shown(pod)));
            if by_own && !lists_built_in(cx) {
                cut.doubt(format!(
                    "AKS keeps a policy `{}` of its own, which is not listed here and may allow it: {}",
                    BUILT_IN.value,
                    BUILT_IN.cite()
                ));
            }
            cut.note("the port's name says that it is a webhook's".to_owned());
        }
    }
}

/// Where the API server's calls to pods come from; `None` where that is not known.
///
/// With VNet integration the tunnel stays in overlay and with own plugins only (azure-facts `cp.vnetint.node_path`).
fn callers(cx: &Cx<'_>) -> Option<(Index, String, Vec<End>)> {
    let api = &cx.cluster.api_server;
    let direct = match (api.access, api.stated, cx.cluster.mode) {
        (_, _, Some(Mode::Overlay | Mode::Byo)) => false,
        (ApiAccess::VnetIntegration, ..) => true,
        (_, true, Some(_)) => false,
        _ => return None,
    };
    if direct {
        let subnet = cx.design.subnet(api.subnet.as_ref()?)?;
        let prefixes = subnet.prefixes.iter().filter(|prefix| prefix.is_v4());
        let ends: Vec<End> = prefixes.flat_map(|prefix| samples(&cx.index, *prefix)).map(End::Address).collect();
        return (!ends.is_empty())
            .then(|| (cx.index.clone(), api.subnet.as_ref().map(ToString::to_string).unwrap_or_default(), ends));
    }
    let agents = alive(cx.cluster, is_tunnel);
    if let Some(first) = agents.first() {
        return Some((cx.index.clone(), shown(first), agents.iter().map(|pod| end(pod)).collect()));
    }
    // Pods of the system have the node's address there (azure-facts `mode.kubenet.system_pods_host_ip`), and which node is not known.
    if cx.cluster.mode == Some(Mode::Kubenet) {
        return None;
    }
    let mut index = cx.index.clone();
    let name = "konnectivity-agent".to_owned();
    let labels = [
        ("app", "konnectivity-agent"),
        ("k8s-app", "konnectivity-agent"),
        ("component", "tunnel"),
        ("kubernetes.azure.com/managedby", "aks"),
    ];
    index.apply(Event::Pod(PodInfo {
        namespace: SYSTEM.to_owned(),
        name: format!("{name}."),
        labels: labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        ips: Vec::new(),
        node: None,
        host_network: false,
        ports: BTreeMap::new(),
    }));
    Some((index, format!("{SYSTEM}/{name}"), vec![End::Pod(SYSTEM.to_owned(), format!("{name}."))]))
}
