//! Values that are not of the type Kubernetes has there. The subjects read past them, so they are said here, once for all.

use super::Cx;
use super::kind::Kind;
use super::object::Object;
use super::pods::template_path;
use super::value::number;
use crate::tree::Node;

/// A type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    Truth,
    List,
    Mapping,
}

use Shape::{List, Mapping, Number, Text, Truth};

/// Paths with their types; `*` is every item of a list.
type Shapes = &'static [(&'static str, Shape)];

const POD_SPEC: Shapes = &[
    ("nodeName", Text),
    ("hostNetwork", Truth),
    ("containers", List),
    ("containers.*", Mapping),
    ("containers.*.image", Text),
    ("containers.*.command", List),
    ("containers.*.args", List),
    ("containers.*.ports", List),
    ("containers.*.ports.*", Mapping),
    ("containers.*.ports.*.name", Text),
    ("initContainers", List),
    ("initContainers.*", Mapping),
    ("initContainers.*.ports", List),
    ("initContainers.*.ports.*", Mapping),
    ("volumes", List),
    ("volumes.*", Mapping),
];

const METADATA: Shapes = &[
    ("metadata", Mapping),
    ("metadata.namespace", Text),
    ("metadata.annotations", Mapping),
    ("metadata.ownerReferences", List),
    ("metadata.ownerReferences.*", Mapping),
];

const KINDS: &[(Kind, Shapes)] = &[
    (
        Kind::Node,
        &[
            ("spec", Mapping),
            ("spec.providerID", Text),
            ("spec.podCIDR", Text),
            ("spec.podCIDRs", List),
            ("status", Mapping),
            ("status.addresses", List),
            ("status.addresses.*", Mapping),
            ("status.capacity", Mapping),
            ("status.capacity.pods", Number),
        ],
    ),
    (
        Kind::Pod,
        &[
            ("spec", Mapping),
            ("status", Mapping),
            ("status.phase", Text),
            ("status.podIPs", List),
            ("status.podIPs.*", Mapping),
            ("status.podIPs.*.ip", Text),
            ("status.podIP", Text),
            ("status.hostIPs", List),
            ("status.hostIP", Text),
        ],
    ),
    (Kind::Workload, &[("spec", Mapping), ("spec.replicas", Number), ("spec.selector", Mapping), ("status", Mapping)]),
    (
        Kind::Service,
        &[
            ("spec", Mapping),
            ("spec.type", Text),
            ("spec.clusterIP", Text),
            ("spec.clusterIPs", List),
            ("spec.loadBalancerIP", Text),
            ("spec.loadBalancerSourceRanges", List),
            ("spec.loadBalancerSourceRanges.*", Text),
            ("spec.externalIPs", List),
            ("spec.ports", List),
            ("spec.ports.*", Mapping),
            ("status", Mapping),
            ("status.loadBalancer", Mapping),
            ("status.loadBalancer.ingress", List),
            ("status.loadBalancer.ingress.*", Mapping),
        ],
    ),
    (Kind::Endpoints, &[("subsets", List), ("subsets.*", Mapping), ("subsets.*.addresses", List)]),
    (Kind::EndpointSlice, &[("endpoints", List), ("endpoints.*", Mapping), ("endpoints.*.addresses", List)]),
    (Kind::ConfigMap, &[("data", Mapping), ("binaryData", Mapping)]),
    (
        Kind::Ingress,
        &[
            ("spec", Mapping),
            ("spec.ingressClassName", Text),
            ("status", Mapping),
            ("status.loadBalancer", Mapping),
            ("status.loadBalancer.ingress", List),
        ],
    ),
    (Kind::IngressClass, &[("spec", Mapping), ("spec.controller", Text)]),
    (Kind::GatewayClass, &[("spec", Mapping), ("spec.controllerName", Text)]),
    (
        Kind::Gateway,
        &[
            ("spec", Mapping),
            ("spec.gatewayClassName", Text),
            ("spec.listeners", List),
            ("spec.listeners.*", Mapping),
            ("spec.listeners.*.port", Number),
            ("status", Mapping),
            ("status.addresses", List),
            ("status.addresses.*", Mapping),
        ],
    ),
    (
        Kind::IstioGateway,
        &[
            ("spec", Mapping),
            ("spec.selector", Mapping),
            ("spec.servers", List),
            ("spec.servers.*", Mapping),
            ("spec.servers.*.port", Mapping),
            ("spec.servers.*.port.number", Number),
        ],
    ),
    (Kind::ApplicationLoadBalancer, &[("spec", Mapping), ("spec.associations", List)]),
    (
        Kind::NodeNetworkConfig,
        &[
            ("status", Mapping),
            ("status.scaler", Mapping),
            ("status.networkContainers", List),
            ("status.networkContainers.*", Mapping),
            ("status.networkContainers.*.ipAssignments", List),
            ("status.networkContainers.*.ipAssignments.*", Mapping),
        ],
    ),
    (Kind::ClusterSubnetState, &[("status", Mapping), ("status.exhausted", Truth)]),
    (Kind::ServiceCidr, &[("spec", Mapping), ("spec.cidrs", List), ("spec.cidrs.*", Text)]),
];

/// Says every value of another type than the one that stands there.
pub(super) fn check(cx: &mut Cx<'_>) {
    for (kind, shapes) in KINDS {
        for object in cx.all.of(*kind) {
            check_all(cx, object, &object.node, "", METADATA);
            check_all(cx, object, &object.node, "", shapes);
            match kind {
                Kind::Pod => within(cx, object, &["spec"]),
                Kind::Workload => {
                    let path = [template_path(object), &["spec"]].concat();
                    within(cx, object, &path);
                }
                _ => {}
            }
        }
    }
}

fn within(cx: &mut Cx<'_>, object: &Object, path: &[&str]) {
    if let Some(spec) = super::value::at(&object.node, path) {
        check_all(cx, object, spec, &format!("{}.", path.join(".")), POD_SPEC);
    }
}

fn check_all(cx: &mut Cx<'_>, object: &Object, node: &Node, prefix: &str, shapes: Shapes) {
    for (path, shape) in shapes {
        let steps: Vec<&str> = path.split('.').collect();
        let mut found = Vec::new();
        walk(node, &steps, &mut found);
        for value in found.into_iter().filter(|value| !shape.fits(value)) {
            let path = path.replace(".*", "");
            cx.strange(object, &format!("{prefix}{path}"), value, shape.words());
        }
    }
}

/// Every value a path leads to; null is as good as absent.
fn walk<'n>(node: &'n Node, steps: &[&str], found: &mut Vec<&'n Node>) {
    if node.is_null() {
        return;
    }
    match steps {
        [] => found.push(node),
        ["*", rest @ ..] => node.items().iter().for_each(|item| walk(item, rest, found)),
        [key, rest @ ..] => {
            if let Some(value) = node.get(key) {
                walk(value, rest, found);
            }
        }
    }
}

impl Shape {
    fn fits(self, node: &Node) -> bool {
        match self {
            Text => node.text().is_some(),
            Number => number(node).is_some(),
            Truth => node.as_bool_11().is_some(),
            List => node.as_seq().is_some(),
            Mapping => node.as_map().is_some(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Text => "text",
            Number => "a whole number",
            Truth => "`true` or `false`",
            List => "a list",
            Mapping => "a mapping",
        }
    }
}
