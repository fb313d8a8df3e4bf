//! Services: what clients call, and where it leads.

use super::Cx;
use super::kind::Kind;
use super::object::Object;
use super::pods::protocol;
use super::routed::{self, Routed};
use super::value::{
    address, annotation, at, is_private, is_true, items, label, list, one_or_many, parts, port, prefix, said, text,
    truth,
};
use crate::tree::{MapBuilder, Node};
use causeway_model::design::{NoteKind, ServiceType, TrafficPolicy};
use std::collections::BTreeSet;
use std::net::IpAddr;

const ANNOTATIONS: &str = "service.beta.kubernetes.io/";
const INTERNAL: &str = "service.beta.kubernetes.io/azure-load-balancer-internal";
const INTERNAL_SUBNET: &str = "service.beta.kubernetes.io/azure-load-balancer-internal-subnet";
/// Addresses that were asked for, where none is assigned yet.
const ADDRESSES: &[&str] =
    &["service.beta.kubernetes.io/azure-load-balancer-ipv4", "service.beta.kubernetes.io/azure-load-balancer-ipv6"];
/// Clients beside those of the spec.
const CLIENTS: &[&str] =
    &["service.beta.kubernetes.io/load-balancer-source-ranges", "service.beta.kubernetes.io/azure-allowed-ip-ranges"];

/// `services` of a cluster.
pub(super) fn services(cx: &mut Cx<'_>) -> Option<Node> {
    let services = cx.all.of(Kind::Service);
    derived(cx);
    let span = services.first()?.node.span;
    let routed = routed::all(cx);
    let translated = services.iter().map(|service| translate(service, &routed, cx)).collect();
    list(span, translated)
}

fn translate(service: &Object, routed: &Routed<'_>, cx: &mut Cx<'_>) -> Node {
    let node = &service.node;
    let kind = service_type(service, cx);
    let internal = is_internal(node);
    let frontend = frontend(service, kind, cx);
    let side = |wanted: bool| {
        let found = frontend.iter().find(|(_, is_internal)| *is_internal == wanted);
        found.map(|(address, _)| address.clone())
    };
    let selector = at(node, &["spec", "selector"])
        .and_then(|selector| cx.labels(service, "spec.selector", selector, selector.entries().iter()));
    if selector.is_none() {
        without_selector(service, kind, cx);
    }
    let policy = traffic_policy(service, cx);
    note_the_rest(service, kind, cx);
    let who = (service.namespace.clone().unwrap_or_default(), service.name.clone());
    let routed = routed.get(&who).map(|named| routed::ports(service, named));
    MapBuilder::new(node.span)
        .set("name", None, Node::str(service.at, service.name.as_str()))
        .set("namespace", None, cx.namespace(service))
        .set("type", None, said(node, &["spec", "type"]).filter(|_| kind.is_some()).cloned())
        .set("clusterIp", None, cluster_ips(service, cx))
        .set("internalIp", None, side(true))
        .set("internal", None, internal.filter(|_| kind == Some(ServiceType::LoadBalancer)))
        .set("internalSubnet", None, annotation(node, INTERNAL_SUBNET).cloned())
        .set("publicIp", None, side(false))
        .set("ports", None, ports(service, cx))
        .set("selector", None, selector)
        .set("externalTrafficPolicy", None, policy)
        .set("sourceRanges", None, source_ranges(service, kind, cx))
        .set("healthPort", None, health_port(service, cx))
        .set("annotations", None, annotations(service, cx))
        .set("routedPorts", None, routed.and_then(|ports| list(service.at, ports)))
        .build()
}

fn service_type(service: &Object, cx: &mut Cx<'_>) -> Option<ServiceType> {
    let Some(stated) = said(&service.node, &["spec", "type"]) else { return Some(ServiceType::ClusterIp) };
    let known = stated.text().and_then(ServiceType::parse);
    if known.is_none() {
        cx.strange(service, "spec.type", stated, "a type of service");
    }
    known
}

/// Whether an annotation asks for a frontend inside the network.
pub(super) fn is_internal(service: &Node) -> Option<Node> {
    let stated = annotation(service, INTERNAL)?;
    Some(truth(stated.span, stated.text().is_some_and(is_true)))
}

/// Cluster addresses; a headless service has none.
fn cluster_ips(service: &Object, cx: &mut Cx<'_>) -> Option<Node> {
    let mut stated: Vec<&Node> = items(&service.node, &["spec", "clusterIPs"]).collect();
    if stated.is_empty() {
        stated.extend(said(&service.node, &["spec", "clusterIP"]));
    }
    let mut out = Vec::new();
    for ip in stated.into_iter().filter(|ip| ip.text() != Some("None")) {
        match address(ip) {
            Some(_) => out.push(ip.clone()),
            None => cx.strange(service, "spec.clusterIP", ip, "an address"),
        }
    }
    one_or_many(service.at, out)
}

/// The load balancer's addresses with whether each is inside the network: assigned ones, else those asked for. The design
/// has one of each side; IPv4 first.
fn frontend(service: &Object, kind: Option<ServiceType>, cx: &mut Cx<'_>) -> Vec<(Node, bool)> {
    if kind != Some(ServiceType::LoadBalancer) {
        return Vec::new();
    }
    let node = &service.node;
    let internal = is_internal(node).and_then(|internal| internal.as_bool_12());
    let mut stated: Vec<&Node> =
        items(node, &["status", "loadBalancer", "ingress"]).filter_map(|entry| said(entry, &["ip"])).collect();
    if stated.is_empty() {
        stated.extend(ADDRESSES.iter().filter_map(|key| annotation(node, key)));
        stated.extend(said(node, &["spec", "loadBalancerIP"]).filter(|_| stated.is_empty()));
    }
    let mut out: Vec<(IpAddr, Node, bool)> = Vec::new();
    for ip in stated {
        match address(ip) {
            Some(address) => {
                // Without the annotation Azure's frontends are public; other platforms give private ones unasked.
                let inside = internal.unwrap_or_else(|| is_private(address));
                out.push((address, ip.clone(), inside));
            }
            None => cx.strange(service, "load balancer address", ip, "an address"),
        }
    }
    out.sort_by_key(|(address, ..)| address.is_ipv6());
    let more =
        out.iter().filter(|(.., inside)| *inside).count().max(out.iter().filter(|(.., inside)| !*inside).count());
    if more > 1 {
        let what = "the load balancer has several addresses; the first is used";
        cx.remarks.each(NoteKind::NotUnderstood, what, format!("service {}", service.who()), service.at);
    }
    out.into_iter().map(|(_, node, inside)| (node, inside)).collect()
}

/// `tcp/80->8080@30080`.
fn ports(service: &Object, cx: &mut Cx<'_>) -> Option<Node> {
    let mut out = Vec::new();
    for stated in items(&service.node, &["spec", "ports"]) {
        let Some(value) = at(stated, &["port"]) else {
            if stated.as_map().is_some() {
                cx.strange(service, "spec.ports", stated, "a port with its number");
            }
            continue;
        };
        let Some(front) = port(value) else {
            cx.strange(service, "spec.ports.port", value, "a port");
            continue;
        };
        let Some(protocol) = protocol(service, stated, cx) else { continue };
        let mut written = format!("{protocol}/{front}");
        // Kubernetes takes 0 and nothing for the port itself.
        let target = at(stated, &["targetPort"]).filter(|target| !matches!(target.text(), Some("" | "0")));
        if let Some(target) = target {
            match target_port(target) {
                Some(target) if target != front.to_string() => written.push_str(&format!("->{target}")),
                Some(_) => {}
                None => {
                    cx.strange(service, "targetPort", target, "a port or its name");
                    continue;
                }
            }
        }
        if let Some(stated) = at(stated, &["nodePort"]).filter(|stated| stated.text() != Some("0")) {
            match port(stated) {
                Some(node_port) => written.push_str(&format!("@{node_port}")),
                None => cx.strange(service, "nodePort", stated, "a port"),
            }
        }
        out.push(Node::str(value.span, written));
    }
    let span = out.first().map(|first: &Node| first.span)?;
    list(span, out)
}

/// A number, or a name: letters, digits and hyphens with a letter among them.
fn target_port(node: &Node) -> Option<String> {
    if let Some(number) = port(node) {
        return Some(number.to_string());
    }
    let text = node.text()?;
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    fits.then(|| text.to_owned())
}

fn traffic_policy(service: &Object, cx: &mut Cx<'_>) -> Option<Node> {
    let stated = said(&service.node, &["spec", "externalTrafficPolicy"])?;
    if stated.text().and_then(TrafficPolicy::parse).is_none() {
        cx.strange(service, "spec.externalTrafficPolicy", stated, "`Cluster` or `Local`");
        return None;
    }
    Some(stated.clone())
}

fn source_ranges(service: &Object, kind: Option<ServiceType>, cx: &mut Cx<'_>) -> Option<Node> {
    if kind != Some(ServiceType::LoadBalancer) {
        return None;
    }
    let node = &service.node;
    let stated = items(node, &["spec", "loadBalancerSourceRanges"]).cloned();
    let annotated = CLIENTS.iter().filter_map(|key| annotation(node, key)).flat_map(parts);
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for range in stated.chain(annotated) {
        match (prefix(&range), range.text()) {
            (Some(_), Some(text)) if seen.insert(text.to_owned()) => out.push(range),
            (Some(_), _) => {}
            _ => cx.strange(service, "source ranges", &range, "a prefix"),
        }
    }
    let span = out.first().map(|first| first.span)?;
    list(span, out)
}

fn health_port(service: &Object, cx: &mut Cx<'_>) -> Option<Node> {
    let stated = at(&service.node, &["spec", "healthCheckNodePort"]).filter(|stated| stated.text() != Some("0"))?;
    if port(stated).is_none() {
        cx.strange(service, "spec.healthCheckNodePort", stated, "a port");
        return None;
    }
    Some(stated.clone())
}

/// Annotations for the load balancer.
fn annotations(service: &Object, cx: &mut Cx<'_>) -> Option<Node> {
    let annotations = at(&service.node, &["metadata", "annotations"])?;
    let kept = annotations.entries().iter().filter(|entry| entry.key.starts_with(ANNOTATIONS));
    cx.labels(service, "metadata.annotations", annotations, kept)
}

/// Services whose endpoints are kept by hand lead where the design can't say.
fn without_selector(service: &Object, kind: Option<ServiceType>, cx: &mut Cx<'_>) {
    let who = format!("service {}", service.who());
    if kind == Some(ServiceType::ExternalName) {
        let what = "the name it stands for is not followed";
        cx.remarks.each(NoteKind::NotUnderstood, what, who, service.at);
        return;
    }
    // The API server's own.
    if service.who() == "default/kubernetes" {
        return;
    }
    let by_hand = endpoints(cx, service).next().is_some();
    let what = if by_hand {
        "it has endpoints kept by hand, which are not followed"
    } else {
        "it has no selector and no endpoints were given: where it leads is not known"
    };
    cx.remarks.each(NoteKind::NotUnderstood, what, who, service.at);
}

/// Addresses behind a service as its endpoints have them.
pub(super) fn endpoints<'a>(cx: &Cx<'a>, service: &Object) -> impl Iterator<Item = &'a Node> {
    let (namespace, name) = (service.namespace.clone(), service.name.clone());
    let slices = cx.all.of(Kind::EndpointSlice).iter().filter(move |slice| {
        slice.namespace == namespace
            && label(&slice.node, "kubernetes.io/service-name").and_then(Node::text) == Some(&name)
    });
    let sliced = slices.flat_map(|slice| items(&slice.node, &["endpoints"]));
    let sliced = sliced.flat_map(|endpoint| items(endpoint, &["addresses"]));
    let (namespace, name) = (service.namespace.clone(), service.name.clone());
    let legacy = cx.all.of(Kind::Endpoints).iter().filter(move |one| one.namespace == namespace && one.name == name);
    let legacy = legacy.flat_map(|one| items(&one.node, &["subsets"]));
    let legacy = legacy.flat_map(|subset| items(subset, &["addresses"])).filter_map(|entry| said(entry, &["ip"]));
    sliced.chain(legacy)
}

/// Endpoints the cluster keeps by itself say nothing the selectors do not say.
fn derived(cx: &mut Cx<'_>) {
    let has_no_selector = |service: &&Object| {
        at(&service.node, &["spec", "selector"]).is_none_or(|selector| selector.entries().is_empty())
    };
    let alone = cx.all.of(Kind::Service).iter().filter(has_no_selector);
    let alone: BTreeSet<(Option<&str>, &str)> =
        alone.map(|service| (service.namespace.as_deref(), service.name.as_str())).collect();
    let by_hand = |object: &Object, service: &str| alone.contains(&(object.namespace.as_deref(), service));
    let slices = cx.all.of(Kind::EndpointSlice).iter().filter(|slice| {
        let service = label(&slice.node, "kubernetes.io/service-name").and_then(Node::text);
        !service.is_some_and(|service| by_hand(slice, service))
    });
    let legacy = cx.all.of(Kind::Endpoints).iter().filter(|one| !by_hand(one, &one.name));
    let found: Vec<&Object> = slices.chain(legacy).collect();
    for object in found {
        cx.remarks.no_part(&object.word, object.node.span);
    }
}

/// Settings that lead packets elsewhere and have no place in the design.
fn note_the_rest(service: &Object, kind: Option<ServiceType>, cx: &mut Cx<'_>) {
    let node = &service.node;
    let who = || format!("service {}", service.who());
    if let Some(ip) = items(node, &["spec", "externalIPs"]).next() {
        cx.remarks.each(NoteKind::NotUnderstood, "`externalIPs` are not followed", who(), ip.span);
    }
    if let Some(policy) = said(node, &["spec", "internalTrafficPolicy"]).filter(|policy| policy.text() == Some("Local"))
    {
        let what = "`internalTrafficPolicy: Local` is not followed";
        cx.remarks.each(NoteKind::NotUnderstood, what, who(), policy.span);
    }
    if let Some(class) = said(node, &["spec", "loadBalancerClass"])
        && kind == Some(ServiceType::LoadBalancer)
    {
        let what =
            format!("its load balancer is of class `{}`, not the platform's own", class.text().unwrap_or_default());
        cx.remarks.each(NoteKind::NotUnderstood, &what, who(), class.span);
    }
}

/// What services say about their cluster.
#[derive(Debug, Default)]
pub(super) struct AboutCluster {
    pub(super) dns_service_ip: Option<Node>,
    pub(super) api_server_ip: Option<Node>,
    /// All ranges of services, where the cluster says them.
    pub(super) service_cidr: Option<Node>,
}

impl AboutCluster {
    pub(super) fn new(cx: &Cx<'_>) -> AboutCluster {
        let named = |who: &str| cx.all.of(Kind::Service).iter().find(|service| service.who() == who);
        let dns = named("kube-system/kube-dns").and_then(|service| said(&service.node, &["spec", "clusterIP"]));
        let api_server = named("default/kubernetes").and_then(|service| {
            let mut private = endpoints(cx, service).filter(|node| address(node).is_some_and(is_private));
            private.next()
        });
        AboutCluster {
            dns_service_ip: dns.filter(|node| address(node).is_some()).cloned(),
            api_server_ip: api_server.cloned(),
            service_cidr: service_cidr(cx),
        }
    }
}

/// `ServiceCIDR` objects: the first is the cluster's, others extend it.
fn service_cidr(cx: &Cx<'_>) -> Option<Node> {
    let mut objects: Vec<&Object> = cx.all.of(Kind::ServiceCidr).iter().collect();
    objects.sort_by_key(|object| (object.name != "kubernetes", &object.name));
    let mut seen = BTreeSet::new();
    let ranges: Vec<Node> = objects
        .iter()
        .flat_map(|object| items(&object.node, &["spec", "cidrs"]))
        .filter(|range| prefix(range).is_some_and(|prefix| seen.insert(prefix)))
        .cloned()
        .collect();
    one_or_many(objects.first()?.at, ranges)
}

/// Load balancers among the services of a gateway or ingress controller.
pub(super) fn load_balancers<'a>(cx: &Cx<'a>) -> impl Iterator<Item = &'a Object> {
    let services = cx.all.of(Kind::Service).iter();
    services.filter(|service| text(&service.node, &["spec", "type"]) == Some("LoadBalancer"))
}
