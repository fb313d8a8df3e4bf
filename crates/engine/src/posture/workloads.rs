//! Services and the pods behind them, pods on the host's network, namespaces nobody isolates.
//!
//! Only namespaces whose pods are known are judged: a design that lists no pods says nothing about them.

use crate::say::{cited, listed, plural};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{policy, special};
use causeway_model::finding::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// Namespaces of the platform and of what it installs.
const SYSTEM: &[&str] = &[
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "gatekeeper-system",
    "calico-system",
    "calico-apiserver",
    "tigera-operator",
    "azure-arc",
    "app-routing-system",
    "aks-istio-system",
    "aks-istio-ingress",
    "aks-istio-egress",
    "aks-command",
    "dapr-system",
    "flux-system",
    "cilium-secrets",
];

pub(super) fn check(path: &str, cluster: &Cluster, out: &mut Vec<Finding>) {
    let mut by_namespace: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    for pod in cluster.pods.iter().filter(|pod| !pod.terminated) {
        by_namespace.entry(pod.namespace.as_str()).or_default().push(pod);
    }
    for (at, service) in cluster.services.iter().enumerate() {
        let Some(pods) = by_namespace.get(service.namespace.as_str()) else { continue };
        if service.kind != ServiceType::ExternalName && !service.selector.is_empty() {
            self::service(&format!("{path}.services.{at}"), service, pods, out);
        }
    }
    host_network(path, &by_namespace, out);
    isolation(path, cluster, &by_namespace, out);
}

fn service(object: &str, service: &Service, pods: &[&Pod], out: &mut Vec<Finding>) {
    let name = format!("service/{}/{}", service.namespace, service.name);
    let selected: Vec<&&Pod> = pods
        .iter()
        .filter(|pod| service.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value)))
        .collect();
    if selected.is_empty() {
        let labels: Vec<String> = service.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let finding = Finding::new(
            codes::SERVICE_SELECTS_NOTHING,
            format!("{object}.selector"),
            format!(
                "`{name}` selects {}, and no known pod of `{}` has these labels",
                listed(&labels),
                service.namespace
            ),
        )
        .help("correct the selector or the pods' labels, or remove the service: connections to it are refused")
        .on(&name)
        .evidence(format!(
            "{} {} of `{}` are known",
            pods.len(),
            plural(pods.len(), "pod", "pods"),
            service.namespace
        ));
        out.push(finding);
        return;
    }
    for (at, port) in service.ports.iter().enumerate() {
        let (missing, severity, what) = match &port.target {
            TargetPort::Name(target) => {
                let missing = selected.iter().all(|pod| !pod.named_ports.contains_key(target));
                (missing, Severity::Warning, format!("the port `{target}`"))
            }
            // What a pod declares need not be all it answers on: only said where everybody declares something else.
            TargetPort::Number(target) => {
                let declared = selected.iter().all(|pod| !pod.listens.is_empty());
                let nobody = selected.iter().all(|pod| !pod.listens.contains(&(port.protocol, *target)));
                (declared && nobody, Severity::Info, format!("{}/{target}", port.protocol))
            }
        };
        if !missing {
            continue;
        }
        let declared: BTreeSet<String> = selected
            .iter()
            .flat_map(|pod| {
                pod.listens
                    .iter()
                    .map(|(protocol, port)| format!("{protocol}/{port}"))
                    .chain(pod.named_ports.keys().cloned())
            })
            .collect();
        let declared: Vec<String> = declared.into_iter().collect();
        let shown = if declared.is_empty() { "nothing".to_owned() } else { listed(&declared) };
        let finding = Finding::new(
            codes::SERVICE_TARGET_PORT_MISSING,
            format!("{object}.ports.{at}"),
            format!("`{name}` sends port {} to {what}, and no pod it selects declares that", port.port),
        )
        .severity(severity)
        .help("correct the target port, or declare the port in the pods")
        .on(&name)
        .evidence(format!(
            "the {} selected {} declare {shown}",
            selected.len(),
            plural(selected.len(), "pod", "pods")
        ));
        out.push(finding);
    }
}

fn host_network(path: &str, by_namespace: &BTreeMap<&str, Vec<&Pod>>, out: &mut Vec<Finding>) {
    let pods: Vec<String> = by_namespace
        .iter()
        .filter(|(namespace, _)| !SYSTEM.contains(namespace))
        .flat_map(|(namespace, pods)| {
            pods.iter().filter(|pod| pod.host_network).map(move |pod| format!("{namespace}/{}", pod.name))
        })
        .collect();
    if pods.is_empty() {
        return;
    }
    let message = format!(
        "{} {} {} the node's network: no policy applies to {}, and {} the node's metadata and ports",
        plural(pods.len(), "pod", "pods"),
        listed(&pods),
        plural(pods.len(), "uses", "use"),
        plural(pods.len(), "it", "them"),
        plural(pods.len(), "it sees", "they see")
    );
    let mut finding = Finding::new(codes::POD_USES_HOST_NETWORK, format!("{path}.pods"), message)
        .help("drop `hostNetwork` where a service or a host port does; keep the rest in a namespace of its own, on nodes of its own");
    finding.on = pods;
    out.push(cited(finding, special::METADATA.about()));
}

/// Namespaces with pods and without any policy, where an engine would enforce one.
fn isolation(path: &str, cluster: &Cluster, by_namespace: &BTreeMap<&str, Vec<&Pod>>, out: &mut Vec<Finding>) {
    if cluster.network_policy.is_none_or(|engine| engine == PolicyEngine::None) {
        return;
    }
    // A policy for the whole cluster may isolate every namespace: what it means is not judged here.
    if cluster.policies.iter().any(|policy| policy.namespace.is_none()) {
        return;
    }
    let covered: BTreeSet<&str> = cluster.policies.iter().filter_map(|policy| policy.namespace.as_deref()).collect();
    let open: Vec<&str> = by_namespace
        .iter()
        .filter(|(namespace, pods)| {
            !SYSTEM.contains(namespace) && !covered.contains(*namespace) && pods.iter().any(|pod| !pod.host_network)
        })
        .map(|(namespace, _)| *namespace)
        .collect();
    if open.is_empty() {
        return;
    }
    let message = format!(
        "{} {} {} no network policy: every pod may talk to every pod there, in and out",
        plural(open.len(), "namespace", "namespaces"),
        listed(&open),
        plural(open.len(), "has", "have")
    );
    let mut finding = Finding::new(codes::NAMESPACE_WITHOUT_POLICY, format!("{path}.policies"), message)
        .help("start every namespace with a policy that denies everything, and allow DNS and what is needed beside it");
    finding.on = open.iter().map(|namespace| (*namespace).to_owned()).collect();
    out.push(cited(finding, policy::DEFAULT.about()));
}
