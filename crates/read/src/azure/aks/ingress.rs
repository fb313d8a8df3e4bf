//! What brings requests from outside to a cluster's pods: add-ons of the cluster, and gateways standing in its networks.

use super::super::inventory::Object;
use super::super::kind::Kind;
use super::super::resource::ResourceId;
use super::super::translate::Translation;
use super::super::value::*;
use super::Cluster;
use crate::tree::{MapBuilder, Node};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn of_clusters(cx: &mut Translation, clusters: &[Cluster]) -> BTreeMap<ResourceId, Vec<Node>> {
    let mut out: BTreeMap<ResourceId, Vec<Node>> = BTreeMap::new();
    let mut for_containers = containers_gateways(cx, clusters);
    for cluster in clusters {
        let mut found = Vec::new();
        found.extend(application_gateway(cx, cluster));
        let gateways = for_containers.remove(&cluster.object.id).unwrap_or_default();
        let addon = cluster
            .object
            .path(&["ingressProfile", "applicationLoadBalancer", "enabled"])
            .filter(|node| truth(node) == Some(true));
        match addon {
            Some(on) if gateways.is_empty() => {
                found.push(ingress(Node::str(on.span, "applicationGatewayForContainers"), None, None))
            }
            _ => found.extend(gateways),
        }
        found.extend(application_routing(cx, cluster));
        found.extend(istio(cx, cluster));
        if !found.is_empty() {
            out.insert(cluster.object.id.clone(), found);
        }
    }
    out
}

fn ingress(kind: Node, exposure: Option<Node>, subnet: Option<Node>) -> Node {
    MapBuilder::new(kind.span)
        .set("kind", None, kind)
        .set("exposure", None, exposure)
        .set("subnet", None, subnet)
        .build()
}

fn on<'a>(cluster: &'a Cluster, keys: &[&str]) -> Option<&'a Node> {
    cluster.object.path(keys).filter(|node| truth(node) == Some(true))
}

/// The Application Gateway add-on, with what is known of its gateway.
fn application_gateway(cx: &mut Translation, cluster: &Cluster) -> Option<Node> {
    let enabled = on(cluster, &["addonProfiles", "ingressApplicationGateway", "enabled"])?;
    let config = cluster.object.path(&["addonProfiles", "ingressApplicationGateway", "config"]);
    let id = config.and_then(|config| {
        reference(config, "effectiveApplicationGatewayId").or_else(|| reference(config, "applicationGatewayId"))
    });
    let gateway = id.and_then(|(id, _)| cx.inventory.get(&id)).filter(|gateway| gateway.is_given()).cloned();
    let own_subnet = gateway.as_ref().and_then(|gateway| {
        gateway.all("gatewayIPConfigurations").into_iter().find_map(|configuration| reference(configuration, "subnet"))
    });
    let subnet = own_subnet.or_else(|| config.and_then(|config| reference(config, "subnetId")));
    let frontends = gateway.as_ref().map(|gateway| gateway.all("frontendIPConfigurations")).unwrap_or_default();
    let public = frontends
        .iter()
        .find_map(|frontend| reference(frontend, "publicIPAddress"))
        .map(|(_, at)| Node::str(at.span, "public"));
    let private = frontends.iter().find_map(|frontend| super::super::nic::address(frontend));
    let exposure = public.or_else(|| private.as_ref().map(|private| Node::str(private.span, "internal")));
    let internal = exposure.as_ref().and_then(Node::text) == Some("internal");
    let ports = gateway.as_ref().map(|gateway| gateway.all("frontendPorts")).unwrap_or_default();
    let ports = ports.into_iter().filter_map(|port| prop(port, "port")).filter_map(copy_number).collect();
    Some(
        MapBuilder::new(enabled.span)
            .set("kind", None, Node::str(enabled.span, "applicationGateway"))
            .set("exposure", None, exposure)
            .set("subnet", None, cx.subnet_node(subnet))
            .set("ip", None, private.filter(|_| internal))
            .set("ports", None, one_or_many(ports))
            .build(),
    )
}

/// The application gateways that clusters name as their ingress.
pub(in crate::azure) fn application_gateways(cx: &Translation) -> BTreeSet<ResourceId> {
    let mut out = BTreeSet::new();
    for cluster in cx.inventory.of(Kind::Cluster) {
        let Some(config) = cluster.path(&["addonProfiles", "ingressApplicationGateway", "config"]) else { continue };
        let named = ["effectiveApplicationGatewayId", "applicationGatewayId"].map(|key| reference(config, key));
        out.extend(named.into_iter().flatten().map(|(id, _)| cx.inventory.settled(&id)));
    }
    out
}

/// Application Gateways for Containers stand in subnets of the networks whose clusters they serve. Where several clusters
/// share the network, whose they are is not known.
fn containers_gateways(cx: &mut Translation, clusters: &[Cluster]) -> BTreeMap<ResourceId, Vec<Node>> {
    let mut out: BTreeMap<ResourceId, Vec<Node>> = BTreeMap::new();
    let associations: Vec<Object> = cx
        .inventory
        .of(Kind::TrafficControllerAssociation)
        .filter(|association| association.is_given())
        .cloned()
        .collect();
    for association in &associations {
        let Some((subnet, at)) = association.first(|body| reference(body, "subnet")) else { continue };
        let network = cx.inventory.settled(&subnet).parent();
        let mut served = clusters
            .iter()
            .filter(|cluster| network.as_ref().is_some_and(|network| networks(cx, cluster).contains(network)));
        match (served.next(), served.next()) {
            (Some(cluster), None) => {
                let kind = Node::str(association.name_span, "applicationGatewayForContainers");
                let node = ingress(kind, None, cx.subnet_node(Some((subnet, at))));
                out.entry(cluster.object.id.clone()).or_default().push(node);
            }
            _ => cx.unknown(
                association.name_span,
                format!(
                    "which cluster the Application Gateway for Containers at `{}` serves is not known",
                    subnet.name()
                ),
            ),
        }
    }
    out
}

fn networks(cx: &Translation, cluster: &Cluster) -> BTreeSet<ResourceId> {
    let pools = cluster
        .pools
        .iter()
        .flat_map(|pool| ["vnetSubnetID", "podSubnetID"].map(|key| pool.first(|body| reference(body, key))));
    pools.flatten().filter_map(|(subnet, _)| cx.inventory.settled(&subnet).parent()).collect()
}

/// The application routing add-on: a managed nginx, or an Istio that speaks Gateway API.
fn application_routing(cx: &mut Translation, cluster: &Cluster) -> Vec<Node> {
    let mut out = Vec::new();
    if let Some(enabled) = on(cluster, &["ingressProfile", "webAppRouting", "enabled"]) {
        let stated = cluster.object.path(&["ingressProfile", "webAppRouting", "nginx", "defaultIngressControllerType"]);
        let kind = Node::str(enabled.span, "nginx");
        match stated.and_then(Node::text).map(str::to_ascii_lowercase).as_deref() {
            // Without annotations the controller is public.
            None | Some("" | "annotationcontrolled" | "external") => {
                let at = stated.unwrap_or(enabled).span;
                out.push(ingress(kind, Some(Node::str(at, "public")), None));
            }
            Some("internal") => out.push(ingress(kind, stated.map(|node| Node::str(node.span, "internal")), None)),
            Some("none") => {}
            Some(_) => {
                if let Some(stated) = stated {
                    cx.unknown_word(
                        &format!("the type of the default ingress controller of {}", cluster.label()),
                        stated,
                    );
                }
                out.push(ingress(kind, None, None));
            }
        }
    }
    let istio = cluster.object.path(&[
        "ingressProfile",
        "webAppRouting",
        "gatewayAPIImplementations",
        "appRoutingIstio",
        "mode",
    ]);
    if let Some(mode) = istio.filter(|node| truth(node) == Some(true)) {
        out.push(ingress(Node::str(mode.span, "gatewayApi"), None, None));
    }
    out
}

fn istio(cx: &mut Translation, cluster: &Cluster) -> Vec<Node> {
    let gateways = cluster.object.path(&["serviceMeshProfile", "istio", "components", "ingressGateways"]);
    let mut out = Vec::new();
    for gateway in
        gateways.map_or(&[][..], Node::items).iter().filter(|gateway| flag(gateway, "enabled") != Some(false))
    {
        let mode = prop(gateway, "mode");
        let exposure = mode.and_then(|mode| word(mode, &[("External", "public"), ("Internal", "internal")]));
        if let (None, Some(mode)) = (&exposure, mode) {
            cx.unknown_word(&format!("the mode of an ingress gateway of {}", cluster.label()), mode);
        }
        let at = exposure.as_ref().map_or(gateway.span, |node| node.span);
        out.push(ingress(Node::str(at, "istio"), exposure, None));
    }
    out
}
