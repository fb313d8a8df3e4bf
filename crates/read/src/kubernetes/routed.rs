//! Services that requests from outside are sent to: what Ingresses and routes name as their back ends.

use super::Cx;
use super::kind::Kind;
use super::object::Object;
use super::value::{at, items, number, text};
use crate::tree::Node;
use std::collections::BTreeMap;

/// Ports of services some Ingress or route names, as written; `None` = every port of it. By namespace and name.
pub(super) type Routed<'a> = BTreeMap<(String, String), Vec<Option<&'a Node>>>;

/// What all Ingresses and routes name.
pub(super) fn all<'a>(cx: &Cx<'a>) -> Routed<'a> {
    let mut out = Routed::new();
    for ingress in cx.all.of(Kind::Ingress) {
        let node = &ingress.node;
        let by_default = at(node, &["spec", "defaultBackend"]).or_else(|| at(node, &["spec", "backend"]));
        let paths = items(node, &["spec", "rules"]).flat_map(|rule| items(rule, &["http", "paths"]));
        for backend in by_default.into_iter().chain(paths.filter_map(|path| at(path, &["backend"]))) {
            // The older shape has the name and the port beside each other.
            let (name, port) = match at(backend, &["service"]) {
                Some(service) => {
                    let port = at(service, &["port", "name"]).or_else(|| at(service, &["port", "number"]));
                    (text(service, &["name"]), port)
                }
                None => (text(backend, &["serviceName"]), at(backend, &["servicePort"])),
            };
            add(&mut out, ingress, None, name, port);
        }
    }
    for route in cx.all.of(Kind::Route) {
        let node = &route.node;
        let others = items(node, &["spec", "alternateBackends"]);
        for to in at(node, &["spec", "to"]).into_iter().chain(others) {
            add(&mut out, route, None, text(to, &["name"]), at(node, &["spec", "port", "targetPort"]));
        }
        for backend in items(node, &["spec", "rules"]).flat_map(|rule| items(rule, &["backendRefs"])) {
            if matches!(text(backend, &["kind"]), None | Some("Service")) {
                let namespace = text(backend, &["namespace"]);
                add(&mut out, route, namespace, text(backend, &["name"]), at(backend, &["port"]));
            }
        }
    }
    out
}

fn add<'a>(out: &mut Routed<'a>, by: &Object, namespace: Option<&str>, name: Option<&str>, port: Option<&'a Node>) {
    let namespace = namespace.or(by.namespace.as_deref()).unwrap_or("default");
    if let Some(name) = name {
        out.entry((namespace.to_owned(), name.to_owned())).or_default().push(port);
    }
}

/// The numbers of a service's ports that are named; OpenShift names them by what they lead to.
pub(super) fn ports(service: &Object, named: &[Option<&Node>]) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    for of_service in items(&service.node, &["spec", "ports"]) {
        let Some(value) = at(of_service, &["port"]) else { continue };
        let is_named = |wanted: &Node| {
            let same = |field: &str| {
                at(of_service, &[field]).is_some_and(|known| known.text().is_some() && known.text() == wanted.text())
            };
            same("name") || same("port") || same("targetPort")
        };
        let is_wanted = named.iter().any(|wanted| wanted.is_none_or(is_named));
        if is_wanted && number(value).is_some() && !out.iter().any(|known| known.text() == value.text()) {
            out.push(value.clone());
        }
    }
    out
}
