//! Lines about what comes in.

use super::desk::{Desk, names};
use super::judgement::Judgement;
use super::ranges::state;
use causeway_model::codes;
use causeway_model::design::*;

/// Every ingress names a subnet that fits it; who owns it people say.
pub(super) fn subnets(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    desk.against(&mut line, &[codes::INGRESS_SUBNET_UNFIT, codes::FRONTEND_PORT_CONFLICT]);
    for (name, cluster) in desk.clusters(&mut line) {
        if none_listed(desk, &mut line, name, cluster) {
            continue;
        }
        for (at, ingress) in cluster.ingress.iter().enumerate() {
            let own =
                matches!(ingress.kind, IngressKind::ApplicationGateway | IngressKind::ApplicationGatewayForContainers);
            match (&ingress.subnet, ingress.exposure) {
                (Some(subnet), _) => line.yes(format!("`{}` of `{name}` is on `{subnet}`", ingress.kind)),
                (None, Some(Exposure::Public)) if !own => {
                    line.yes(format!("`{}` of `{name}` is public and needs no subnet", ingress.kind));
                }
                _ => line.unknown(
                    format!("the subnet of `{}` of `{name}` is not stated", ingress.kind),
                    state(&format!("clusters.{name}.ingress.{at}.subnet")),
                ),
            }
        }
    }
    line
}

/// Every ingress is internal or public on purpose: stated, not left to a default.
pub(super) fn exposure(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    for (name, cluster) in desk.clusters(&mut line) {
        let balanced: Vec<&Service> =
            cluster.services.iter().filter(|service| service.kind == ServiceType::LoadBalancer).collect();
        if balanced.is_empty() && none_listed(desk, &mut line, name, cluster) {
            continue;
        }
        for (at, ingress) in cluster.ingress.iter().enumerate() {
            match ingress.exposure {
                Some(exposure) => line.yes(format!("`{}` of `{name}` is {exposure}", ingress.kind)),
                None => line.unknown(
                    format!("nobody states who reaches `{}` of `{name}`", ingress.kind),
                    state(&format!("clusters.{name}.ingress.{at}.exposure")),
                ),
            }
        }
        let of = |internal: bool| {
            balanced
                .iter()
                .filter(move |service| internal == (service.internal || service.internal_ip.is_some()))
                .map(|service| format!("{}/{}", service.namespace, service.name))
                .collect::<Vec<_>>()
        };
        let (internal, public) = (of(true), of(false));
        if !internal.is_empty() {
            line.yes(format!("services of `{name}` that ask for an internal frontend: {}", names(&internal)));
        }
        if !public.is_empty() {
            line.unknown(
                format!("services of `{name}` that are public because nothing else is asked for: {}", names(&public)),
                "",
            );
        }
    }
    line
}

/// No ingress is listed: settled where the design says so, open where it says nothing.
fn none_listed(desk: &Desk, line: &mut Judgement, name: &ClusterName, cluster: &Cluster) -> bool {
    if !cluster.ingress.is_empty() {
        return false;
    }
    let path = format!("clusters.{name}.ingress");
    if desk.is_stated(&path) {
        line.yes(format!("`{name}` is stated to have no ingress"));
    } else {
        line.unknown(
            format!("no ingress of `{name}` is listed"),
            format!(
                "`{path}` (`[]` if there is none), or the cluster's ingresses and gateways as `kubectl` prints them"
            ),
        );
    }
    true
}
