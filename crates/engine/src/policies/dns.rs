//! Pods whose policies for what goes out leave no way to a resolver.

use super::Cx;
use crate::say::{cited, listed};
use causeway_model::codes;
use causeway_model::design::Protocol;
use causeway_model::facts::{cilium, special};
use causeway_model::finding::{Finding, Severity};
use causeway_model::policy::{Direction, Policy, PolicyId};
use causeway_policy::{End, Engine, Event, Flow, Index, PodInfo, Verdict};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// Where the node-local cache of Kubernetes listens (Kubernetes documentation, NodeLocal DNSCache, 2026).
const NODE_LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 20, 10));

/// Who answers questions for names: their ends, with the port.
struct Resolvers {
    what: String,
    ends: Vec<(End, BTreeMap<Protocol, u16>)>,
    /// An index that has them.
    index: Index,
    local: bool,
}

/// What is cut for pods of one policy.
#[derive(Default)]
struct Cut {
    pods: Vec<String>,
    udp: bool,
    tcp: bool,
    /// In words, what the policy says.
    because: String,
}

pub(super) fn check(cx: &Cx<'_>, out: &mut Vec<Finding>) {
    if !cx.index.policies().iter().any(|policy| policy.egress.is_some()) {
        return;
    }
    let resolvers = resolvers(cx);
    let mut by_policy: BTreeMap<PolicyId, Cut> = BTreeMap::new();
    for (namespace, names) in cx.index.groups() {
        let Some(name) = names.first() else { continue };
        let end = End::Pod(namespace.clone(), name.clone());
        if resolvers.index.is_isolated(&end, Direction::Egress) {
            let shown = names.iter().map(|name| format!("{namespace}/{name}")).collect();
            ask(&resolvers, &resolvers.index, &end, shown, &mut by_policy);
        }
    }
    // Of policies for pods nobody listed, one that they would select.
    for policy in unseen(cx) {
        if let Some((with, end)) = resolvers.index.with_pod_of(policy, "any.") {
            ask(&resolvers, &with, &end, Vec::new(), &mut by_policy);
        }
    }
    for (policy, cut) in by_policy {
        out.push(finding(cx, &resolvers, &policy, &cut));
    }
}

fn unseen<'a>(cx: &'a Cx<'_>) -> Vec<&'a Policy> {
    let without = |policy: &&Policy| policy.egress.is_some() && !cx.index.selects_anybody(&policy.id);
    cx.index.policies().into_iter().filter(without).filter(|policy| !cx.is_peopled(&policy.id)).collect()
}

fn ask(resolvers: &Resolvers, index: &Index, from: &End, pods: Vec<String>, by_policy: &mut BTreeMap<PolicyId, Cut>) {
    let mut cut = [false, false];
    let mut decided: Option<(PolicyId, String)> = None;
    for (protocol, cut) in [Protocol::Udp, Protocol::Tcp].into_iter().zip(&mut cut) {
        for (to, ports) in resolvers.ends.iter().filter(|(to, _)| to != from) {
            let port = ports.get(&protocol).copied().unwrap_or(53);
            let flow = Flow { from: from.clone(), to: to.clone(), protocol, port, family: None };
            let Some(explanation) = index.explain(&flow) else { continue };
            if explanation.of(Direction::Egress) == Verdict::Denied {
                *cut = true;
                let step = explanation.steps.iter().rfind(|step| step.direction == Direction::Egress);
                decided = decided.or_else(|| step.and_then(|step| Some((step.policy.clone()?, step.because.clone()))));
            }
        }
    }
    let [udp, tcp] = cut;
    if let Some((policy, because)) = decided.filter(|_| udp || tcp) {
        let known = by_policy.entry(policy).or_default();
        known.pods.extend(pods);
        known.udp |= udp;
        known.tcp |= tcp;
        known.because = because;
    }
}

fn resolvers(cx: &Cx<'_>) -> Resolvers {
    let label =
        |pod: &causeway_model::design::Pod, value: &str| pod.labels.get("k8s-app").is_some_and(|known| known == value);
    let at_53 = || BTreeMap::new();
    if cx.cluster.local_dns == Some(true) {
        let ends = special::LOCAL_DNS.value.iter().map(|ip| (End::Address(IpAddr::V4(*ip)), at_53())).collect();
        let what = format!("LocalDNS (`{}`)", cilium::LOCAL_DNS_RANGE.value);
        return Resolvers { what, ends, index: cx.index.clone(), local: true };
    }
    if cx.cluster.pods.iter().any(|pod| label(pod, "node-local-dns") && !pod.terminated) {
        let ends = vec![(End::Address(NODE_LOCAL), at_53())];
        return Resolvers {
            what: format!("the node-local cache (`{NODE_LOCAL}`)"),
            ends,
            index: cx.index.clone(),
            local: true,
        };
    }
    let what = "the cluster's DNS (`k8s-app: kube-dns` in `kube-system`)".to_owned();
    let known: Vec<(End, BTreeMap<Protocol, u16>)> = cx
        .cluster
        .pods
        .iter()
        .filter(|pod| pod.namespace == "kube-system" && label(pod, "kube-dns") && !pod.terminated)
        .map(|pod| {
            let named = ["dns", "dns-tcp"].iter().filter_map(|name| pod.named_ports.get(*name)).copied();
            (End::Pod(pod.namespace.clone(), pod.name.clone()), named.collect())
        })
        .collect();
    if !known.is_empty() {
        return Resolvers { what, ends: known, index: cx.index.clone(), local: false };
    }
    let mut index = cx.index.clone();
    let name = "coredns.".to_owned();
    index.apply(Event::Pod(PodInfo {
        namespace: "kube-system".to_owned(),
        name: name.clone(),
        labels: BTreeMap::from([("k8s-app".to_owned(), "kube-dns".to_owned())]),
        ips: Vec::new(),
        node: None,
        host_network: false,
        ports: BTreeMap::from([("dns".to_owned(), (Protocol::Udp, 53)), ("dns-tcp".to_owned(), (Protocol::Tcp, 53))]),
    }));
    let ends = vec![(End::Pod("kube-system".to_owned(), name), at_53())];
    Resolvers { what, ends, index, local: false }
}

fn finding(cx: &Cx<'_>, resolvers: &Resolvers, policy: &PolicyId, cut: &Cut) -> Finding {
    let which = match (cut.udp, cut.tcp) {
        (true, true) => "udp/53 and tcp/53",
        (true, false) => "udp/53",
        _ => "tcp/53",
    };
    let pods = match cut.pods.as_slice() {
        [] => "every pod it selects".to_owned(),
        pods => listed(pods),
    };
    let message = format!("`{policy}` leaves {pods} no way to {} on {which}: names do not resolve", resolvers.what);
    let mut finding = Finding::new(codes::EGRESS_POLICY_WITHOUT_DNS, cx.path(policy, None), message);
    finding.on = cut.pods.clone();
    finding.evidence.push(format!("what goes out is denied: {}", cut.because));
    if !cut.udp {
        // Answers that do not fit one datagram are asked for again over TCP.
        finding.severity = Severity::Warning;
        finding.message =
            format!("`{policy}` leaves {pods} no way to {} on tcp/53: long answers are lost", resolvers.what);
    }
    if cx.has_foreign() {
        finding.severity = Severity::Warning;
        finding =
            finding.evidence("policies of the engine's own kinds are there and may allow it: they are not evaluated");
    }
    let by_host = cx.engine == Engine::Cilium && resolvers.local;
    let help = match (resolvers.local, by_host) {
        (true, true) => format!(
            "allow egress to `{}` on udp/53 and tcp/53, and with Cilium 1.17 and later the entity `host` in a CiliumNetworkPolicy",
            cilium::LOCAL_DNS_RANGE.value
        ),
        (true, false) => {
            "allow egress to the resolver on the node on udp/53 and tcp/53, besides the cluster's DNS".to_owned()
        }
        _ => "allow egress to pods with `k8s-app: kube-dns` in `kube-system` on udp/53 and tcp/53".to_owned(),
    };
    finding = finding.help(help);
    if resolvers.local { cited(finding, cilium::LOCAL_DNS_RANGE.about()) } else { finding }
}
