//! Ingress controllers and gateways that policies keep from the pods they send requests to.

use super::Cx;
use super::cuts::{Cuts, alive, denial, end, flow, label, samples, shown};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::finding::Finding;
use causeway_model::policy::{
    Action, Direction, Namespaces, PodSet, Policy, PolicyId, PolicyKind, PolicyPort, PolicyRule, PolicyTier, Selector,
};
use causeway_policy::{End, Index, world};

/// Somebody who brings requests in: its name, and the addresses or pods it sends from.
struct Sender {
    name: String,
    ends: Vec<End>,
}

/// Everybody who may send requests on.
struct Senders {
    known: Vec<Sender>,
    /// There is one that is not among them.
    others: bool,
}

pub(super) fn check(cx: &Cx<'_>, out: &mut Vec<Finding>) {
    let targets = world::behind_ingress(cx.cluster);
    if targets.is_empty() {
        return;
    }
    let senders = senders(cx);
    let mut cuts = Cuts::default();
    for ((namespace, name), ports) in &targets {
        let to = End::Pod(namespace.clone(), name.clone());
        if !cx.index.is_isolated(&to, Direction::Ingress) && senders.others {
            continue;
        }
        for (protocol, first, last) in ports.ranges() {
            for port in first..=last {
                let target = format!("{namespace}/{name} {protocol}/{port}");
                let denied = match senders.others {
                    false => by_all(cx, &senders.known, &to, protocol, port),
                    true => closed(cx, &to, protocol, port).map(|denial| ("any ingress controller".to_owned(), denial)),
                };
                if let Some((sender, denial)) = denied {
                    cuts.add(denial, &sender, target);
                }
            }
        }
    }
    let words = |policy: &PolicyId, direction: Direction, cut: &super::cuts::Cut| {
        let (senders, targets) = (cut.senders(), cut.receivers());
        match direction {
            Direction::Ingress => (
                format!("`{policy}` keeps {senders} from {targets}, where requests from outside are sent"),
                "allow ingress from the controller's namespace (or from the gateway's subnet) on the port of the pod, not of the service"
                    .to_owned(),
            ),
            Direction::Egress => (
                format!("`{policy}` leaves {senders} no way to {targets}, where requests from outside are sent"),
                "allow the controller's egress to the pods it sends requests to, on their own ports".to_owned(),
            ),
        }
    };
    cuts.report(cx, codes::POLICY_CUTS_INGRESS_CONTROLLER, words, out);
}

/// The denial, if every sender is denied from wherever it sends: which of them takes a request is not known.
fn by_all(
    cx: &Cx<'_>,
    senders: &[Sender],
    to: &End,
    protocol: Protocol,
    port: u16,
) -> Option<(String, super::cuts::Denial)> {
    let mut first = None;
    for sender in senders {
        for from in &sender.ends {
            if from == to {
                return None;
            }
            let denied = denial(&cx.index, &flow(from, to, protocol, port))?;
            first = first.or(Some((sender.name.clone(), denied)));
        }
    }
    first
}

/// The denial, if nobody at all is let in on a port.
fn closed(cx: &Cx<'_>, to: &End, protocol: Protocol, port: u16) -> Option<super::cuts::Denial> {
    let End::Pod(namespace, name) = to else { return None };
    let pod = cx.cluster.pods.iter().find(|pod| pod.namespace == *namespace && pod.name == *name)?;
    let key = (namespace.clone(), name.clone());
    let about = cx.index.policies().into_iter().filter(|policy| policy.ingress.is_some());
    let opens = about.filter(|policy| cx.index.selected_by(&policy.id).contains(&key)).any(|policy| {
        let mut rules = policy.rules(Direction::Ingress).unwrap_or_default().iter();
        rules.any(|rule| rule.action == Action::Accept && may_be_for(rule, pod, protocol, port))
    });
    if opens {
        return None;
    }
    let (with, stranger) = stranger(&cx.index)?;
    denial(&with, &flow(&stranger, to, protocol, port))
}

fn may_be_for(rule: &PolicyRule, pod: &Pod, protocol: Protocol, port: u16) -> bool {
    let Some(ports) = &rule.ports else { return true };
    rule.faulty
        || ports.iter().any(|wanted| match wanted {
            PolicyPort::Range { protocol: of, first, last, .. } => *of == protocol && (*first..=*last).contains(&port),
            PolicyPort::All(of) => *of == protocol,
            PolicyPort::Named { name, .. } => pod.named_ports.get(name).is_none_or(|known| *known == (protocol, port)),
        })
}

/// A pod nobody has seen, without a label, in a namespace nobody has seen.
pub(super) fn stranger(index: &Index) -> Option<(Index, End)> {
    let everything = || Selector { requirements: Vec::new() };
    let subject = PodSet { namespaces: Namespaces::Matching(everything()), pods: everything() };
    index.with_pod_of(&meaning(subject), "stranger.")
}

/// A policy about these pods that says nothing: what stands for a pod of the set.
pub(super) fn meaning(subject: PodSet) -> Policy {
    Policy {
        id: PolicyId { kind: PolicyKind::ClusterNetworkPolicy, namespace: None, name: String::new() },
        tier: PolicyTier::Admin,
        priority: 0,
        subject,
        ingress: None,
        egress: None,
        faults: Vec::new(),
    }
}

fn senders(cx: &Cx<'_>) -> Senders {
    let mut out = Senders { known: Vec::new(), others: false };
    let controllers = alive(cx.cluster, |pod| kind(pod).is_some());
    let kinds: Vec<IngressKind> = controllers.iter().filter_map(|pod| kind(pod)).collect();
    out.known.extend(controllers.iter().map(|pod| Sender { name: shown(pod), ends: vec![end(pod)] }));
    for ingress in &cx.cluster.ingress {
        match ingress.kind {
            IngressKind::ApplicationGateway | IngressKind::ApplicationGatewayForContainers => {
                let subnet = ingress.subnet.as_ref().and_then(|subnet| cx.design.subnet(subnet));
                let prefixes = subnet.map(|subnet| subnet.prefixes.as_slice()).unwrap_or_default();
                let ends = prefixes.iter().filter(|prefix| prefix.is_v4());
                let ends: Vec<End> = ends.flat_map(|prefix| samples(&cx.index, *prefix)).map(End::Address).collect();
                out.others |= ends.is_empty();
                let at = ingress.subnet.as_ref().map(|subnet| format!(" in {subnet}")).unwrap_or_default();
                out.known.push(Sender { name: format!("{}{at}", ingress.kind), ends });
            }
            // A Gateway API implementation may be any of them.
            IngressKind::GatewayApi => out.others |= kinds.is_empty(),
            of_pods => out.others |= !kinds.contains(&of_pods),
        }
    }
    out.others |= out.known.is_empty();
    out
}

/// What an ingress controller or gateway among the pods is, by the labels its makers give it.
fn kind(pod: &Pod) -> Option<IngressKind> {
    let name = label(pod, "app.kubernetes.io/name").unwrap_or_default();
    let component = label(pod, "app.kubernetes.io/component");
    let app = label(pod, "app").unwrap_or_default();
    // Jobs and default back ends have the name of their controller too.
    if component.is_some_and(|component| component.contains("webhook") || component.contains("default")) {
        return None;
    }
    if pod.labels.contains_key("gateway.networking.k8s.io/gateway-name")
        || pod.labels.contains_key("gateway.envoyproxy.io/owning-gateway-name")
        || name == "nginx-gateway-fabric"
    {
        return Some(IngressKind::GatewayApi);
    }
    let istio = label(pod, "istio").unwrap_or_default();
    if istio.contains("ingressgateway") || (pod.namespace == "aks-istio-ingress" && !istio.is_empty()) {
        return Some(IngressKind::Istio);
    }
    let nginx = matches!(name, "ingress-nginx" | "nginx-ingress" | "nginx-ingress-controller")
        || matches!(app, "ingress-nginx" | "nginx-ingress" | "nginx-ingress-controller")
        || (pod.namespace == "app-routing-system" && app.starts_with("nginx"));
    if nginx {
        return Some(IngressKind::Nginx);
    }
    let other = ["traefik", "haproxy-ingress", "kubernetes-ingress", "contour", "kong", "emissary-ingress"];
    let is_other =
        other.iter().any(|known| name == *known || name.strip_prefix(known).is_some_and(|rest| rest.starts_with('-')));
    (is_other || component == Some("ingress-controller")).then_some(IngressKind::GatewayApi)
}
