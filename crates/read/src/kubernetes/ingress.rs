//! Ingress controllers and gateways: one entry for each that brings requests in, put together from all objects that speak of it.

use super::Cx;
use super::entries::{Door, Doors};
use super::kind::Kind;
use super::object::Object;
use super::services::{is_internal, load_balancers};
use super::value::{address, annotation, at, is_private, is_true, items, label, port, said, text};
use crate::tree::Node;
use causeway_model::design::{IngressKind, NoteKind};
use std::collections::BTreeMap;

/// Controllers by what their classes name (`spec.controller`, `spec.controllerName`), the longest first.
const CONTROLLERS: &[(&str, IngressKind)] = &[
    ("webapprouting.kubernetes.azure.com/nginx", IngressKind::Nginx),
    ("k8s.io/ingress-nginx", IngressKind::Nginx),
    ("nginx.org/ingress-controller", IngressKind::Nginx),
    ("azure/application-gateway", IngressKind::ApplicationGateway),
    ("alb.networking.azure.io/alb-controller", IngressKind::ApplicationGatewayForContainers),
    ("istio.io/ingress-controller", IngressKind::Istio),
];

/// Classes by name, where the class itself was not given.
const CLASSES: &[(&str, IngressKind)] = &[
    ("webapprouting.kubernetes.azure.com", IngressKind::Nginx),
    ("nginx", IngressKind::Nginx),
    ("azure/application-gateway", IngressKind::ApplicationGateway),
    ("azure-application-gateway", IngressKind::ApplicationGateway),
    ("azure-alb-external", IngressKind::ApplicationGatewayForContainers),
    ("istio", IngressKind::Istio),
];

const PRIVATE_GATEWAY: &str = "appgw.ingress.kubernetes.io/use-private-ip";
const INTERNAL: &str = "service.beta.kubernetes.io/azure-load-balancer-internal";

/// `ingress` of a cluster.
pub(super) fn section(cx: &mut Cx<'_>) -> Option<Node> {
    let mut doors = Doors::default();
    balancers(cx, &mut doors);
    ingresses(cx, &mut doors);
    controllers(cx, &mut doors);
    gateways(cx, &mut doors);
    istio_gateways(cx, &mut doors);
    services(cx, &mut doors);
    doors.section()
}

/// The kind behind the class of an Ingress.
fn kind_of_class(cx: &Cx<'_>, class: &str) -> Option<IngressKind> {
    let given = cx.all.of(Kind::IngressClass).iter().find(|object| object.name == class);
    match given.and_then(|object| text(&object.node, &["spec", "controller"])) {
        Some(controller) => CONTROLLERS.iter().find(|(known, _)| controller.starts_with(known)).map(|(_, kind)| *kind),
        None => CLASSES.iter().find(|(known, _)| *known == class).map(|(_, kind)| *kind),
    }
}

fn default_class<'a>(cx: &Cx<'a>) -> Option<&'a str> {
    let mut classes = cx.all.of(Kind::IngressClass).iter();
    let default = classes.find(|class| {
        annotation(&class.node, "ingressclass.kubernetes.io/is-default-class").and_then(Node::text).is_some_and(is_true)
    })?;
    Some(&default.name)
}

fn ingresses(cx: &mut Cx<'_>, doors: &mut Doors) {
    let default = default_class(cx);
    for ingress in cx.all.of(Kind::Ingress) {
        let stated = said(&ingress.node, &["spec", "ingressClassName"])
            .or_else(|| annotation(&ingress.node, "kubernetes.io/ingress.class"));
        let who = format!("Ingress {}", ingress.who());
        let Some(class) = stated.and_then(Node::text).or(default) else {
            cx.remarks.each(
                NoteKind::Unknown,
                "which controller takes it is not known: it names no class",
                who,
                ingress.at,
            );
            continue;
        };
        let Some(kind) = kind_of_class(cx, class) else {
            let what = format!("its class `{class}` is none this program knows");
            cx.remarks.each(NoteKind::NotUnderstood, &what, who, stated.map_or(ingress.at, |stated| stated.span));
            continue;
        };
        let mut door = Door::new(kind, ingress.node.span);
        let private = annotation(&ingress.node, PRIVATE_GATEWAY);
        if let Some(private) = private.filter(|_| kind == IngressKind::ApplicationGateway) {
            door.is_public(!private.text().is_some_and(is_true), private.span);
        }
        let frontends = items(&ingress.node, &["status", "loadBalancer", "ingress"]);
        door.frontends(frontends.filter_map(|entry| said(entry, &["ip"]).or_else(|| said(entry, &["hostname"]))));
        doors.add(door);
    }
}

/// Controllers of the application routing add-on.
fn controllers(cx: &mut Cx<'_>, doors: &mut Doors) {
    for controller in cx.all.of(Kind::NginxController) {
        let mut door = Door::new(IngressKind::Nginx, controller.node.span);
        if let Some(internal) = said(&controller.node, &["spec", "loadBalancerAnnotations", INTERNAL]) {
            door.is_public(!internal.text().is_some_and(is_true), internal.span);
        }
        doors.add(door);
    }
}

/// Gateways of the Gateway API: Application Gateway for Containers, or something in the cluster.
fn gateways(cx: &mut Cx<'_>, doors: &mut Doors) {
    let classes: BTreeMap<&str, &str> = cx
        .all
        .of(Kind::GatewayClass)
        .iter()
        .filter_map(|class| Some((class.name.as_str(), text(&class.node, &["spec", "controllerName"])?)))
        .collect();
    for gateway in cx.all.of(Kind::Gateway) {
        let class = text(&gateway.node, &["spec", "gatewayClassName"]).unwrap_or_default();
        let of_azure = match classes.get(class) {
            Some(controller) => controller.starts_with("alb.networking.azure.io/"),
            None => class == "azure-alb-external",
        };
        let kind = if of_azure { IngressKind::ApplicationGatewayForContainers } else { IngressKind::GatewayApi };
        let mut door = Door::new(kind, gateway.node.span);
        for listener in items(&gateway.node, &["spec", "listeners"]) {
            door.ports.extend(at(listener, &["port"]).and_then(|node| Some((port(node)?, node.span))));
        }
        let asked = at(&gateway.node, &["spec", "infrastructure", "annotations", INTERNAL]);
        if let Some(internal) = asked.or_else(|| annotation(&gateway.node, INTERNAL)) {
            door.is_public(!internal.text().is_some_and(is_true), internal.span);
        }
        let assigned = items(&gateway.node, &["status", "addresses"]);
        door.frontends(assigned.filter_map(|entry| said(entry, &["value"])));
        let made_for = |service: &&Object| {
            service.namespace == gateway.namespace
                && label(&service.node, "gateway.networking.k8s.io/gateway-name").and_then(Node::text)
                    == Some(&gateway.name)
        };
        if let Some(service) = load_balancers(cx).find(made_for) {
            of_service(&mut door, service);
        }
        if of_azure {
            door.subnet = balancer_of(cx, gateway).and_then(|balancer| subnets_of(balancer).next()).cloned();
        }
        doors.add(door);
    }
}

/// The load balancer of Application Gateway for Containers a gateway names, or the only one there is.
fn balancer_of<'a>(cx: &Cx<'a>, gateway: &Object) -> Option<&'a Object> {
    let balancers = cx.all.of(Kind::ApplicationLoadBalancer);
    let named = annotation(&gateway.node, "alb.networking.azure.io/alb-name").and_then(Node::text);
    let namespace = annotation(&gateway.node, "alb.networking.azure.io/alb-namespace").and_then(Node::text);
    match (named, balancers) {
        (Some(name), _) => balancers.iter().find(|balancer| {
            balancer.name == name && namespace.is_none_or(|wanted| balancer.namespace.as_deref() == Some(wanted))
        }),
        // A gateway that names a resource of Azure's uses none of the cluster's.
        (None, [only]) if annotation(&gateway.node, "alb.networking.azure.io/alb-id").is_none() => Some(only),
        _ => None,
    }
}

/// The subnets a load balancer is associated with, as ids of Azure's: the names in the design come later.
fn subnets_of(balancer: &Object) -> impl Iterator<Item = &Node> {
    items(&balancer.node, &["spec", "associations"]).filter(|id| super::settle::is_id(id))
}

fn balancers(cx: &mut Cx<'_>, doors: &mut Doors) {
    for balancer in cx.all.of(Kind::ApplicationLoadBalancer) {
        for other in items(&balancer.node, &["spec", "associations"]).filter(|id| !super::settle::is_id(id)) {
            cx.strange(balancer, "spec.associations", other, "the id of a subnet");
        }
        for subnet in subnets_of(balancer) {
            let mut door = Door::new(IngressKind::ApplicationGatewayForContainers, balancer.node.span);
            door.subnet = Some(subnet.clone());
            doors.add(door);
        }
        if subnets_of(balancer).next().is_none() {
            let who = format!("ApplicationLoadBalancer {}", balancer.who());
            cx.remarks.each(NoteKind::Unknown, "the subnet it is associated with is not known", who, balancer.at);
        }
    }
}

/// Istio's gateways stand behind the load balancers their selector picks.
fn istio_gateways(cx: &mut Cx<'_>, doors: &mut Doors) {
    for gateway in cx.all.of(Kind::IstioGateway) {
        let selector = at(&gateway.node, &["spec", "selector"]).map(Node::entries).unwrap_or_default();
        let picked = load_balancers(cx).filter(|service| {
            let wanted = at(&service.node, &["spec", "selector"]);
            !selector.is_empty()
                && selector.iter().all(|entry| {
                    wanted.and_then(|wanted| wanted.get(&entry.key)).and_then(Node::text) == entry.node.text()
                })
        });
        let picked: Vec<&Object> = picked.collect();
        let mut door = Door::new(IngressKind::Istio, gateway.node.span);
        for server in items(&gateway.node, &["spec", "servers"]) {
            door.ports.extend(at(server, &["port", "number"]).and_then(|node| Some((port(node)?, node.span))));
        }
        if picked.is_empty() {
            doors.add(door.clone());
        }
        for service in picked {
            let mut door = door.clone();
            of_service(&mut door, service);
            doors.add(door);
        }
    }
}

/// Load balancers of controllers that run in the cluster.
fn services(cx: &mut Cx<'_>, doors: &mut Doors) {
    for service in load_balancers(cx) {
        let labelled = |key: &str| label(&service.node, key).and_then(Node::text);
        let selected = |key: &str| text(&service.node, &["spec", "selector", key]);
        let app = labelled("app.kubernetes.io/name").or_else(|| selected("app.kubernetes.io/name"));
        let istio = labelled("istio").or_else(|| selected("istio"));
        let kind = if app == Some("ingress-nginx") || service.namespace.as_deref() == Some("app-routing-system") {
            IngressKind::Nginx
        } else if istio.is_some_and(|value| value.contains("ingressgateway")) {
            IngressKind::Istio
        } else {
            continue;
        };
        let mut door = Door::new(kind, service.node.span);
        of_service(&mut door, service);
        doors.add(door);
    }
}

fn of_service(door: &mut Door, service: &Object) {
    if let Some(internal) = is_internal(&service.node) {
        door.is_public(internal.as_bool_12() != Some(true), internal.span);
    }
    let assigned = items(&service.node, &["status", "loadBalancer", "ingress"]);
    let addresses: Vec<&Node> = assigned.filter_map(|entry| said(entry, &["ip"])).collect();
    if addresses.is_empty() && is_internal(&service.node).is_none() {
        // Azure's load balancers are public unless told otherwise.
        if let Some(kind) = at(&service.node, &["spec", "type"]) {
            door.is_public(true, kind.span);
        }
    }
    door.frontends(addresses.into_iter());
}

impl Door {
    /// Addresses and names of the frontend: the address, and who can reach it.
    fn frontends<'n>(&mut self, frontends: impl Iterator<Item = &'n Node>) {
        for frontend in frontends {
            match address(frontend) {
                Some(address) => {
                    self.is_public(!is_private(address), frontend.span);
                    if self.ip.is_none() {
                        self.ip = Some(frontend.clone());
                    }
                }
                None => {
                    if frontend.text().is_some_and(|name| name.ends_with(".alb.azure.com")) {
                        self.is_public(true, frontend.span);
                    }
                }
            }
        }
    }
}
