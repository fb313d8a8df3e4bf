//! Frontends that exclude each other: one address, protocol and port carries one thing.

use crate::say::cited;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::ingress;
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Who answers somewhere: dotted path, and what it is.
#[derive(Clone)]
struct Owner {
    path: String,
    words: String,
}

/// Whose address it is: public ones are the same for everybody.
type Place<'a> = (Option<&'a ClusterName>, IpAddr, Protocol, u16);

pub(super) fn check(design: &Design, out: &mut Vec<Finding>) {
    let mut taken: BTreeMap<Place, Owner> = BTreeMap::new();
    for (name, cluster) in &design.clusters {
        for (at, service) in
            cluster.services.iter().enumerate().filter(|(_, service)| service.kind == ServiceType::LoadBalancer)
        {
            let owner = Owner {
                path: format!("clusters.{name}.services.{at}"),
                words: format!("`service/{}/{}`", service.namespace, service.name),
            };
            let frontends = [(service.public_ip, None), (service.internal_ip, Some(name))];
            for (ip, scope) in frontends.into_iter().filter_map(|(ip, scope)| Some((ip?, scope))) {
                for port in &service.ports {
                    take(&mut taken, (scope, ip, port.protocol, port.port), &owner, out);
                }
            }
        }
        gateways(name, cluster, &mut taken, out);
    }
    for (name, firewall) in &design.firewalls {
        translations(name, firewall, out);
    }
}

/// Gateways with an address of their own. Controllers that run as pods answer by a Service, which may be listed beside them: only
/// among themselves they can clash.
fn gateways<'a>(
    name: &'a ClusterName,
    cluster: &'a Cluster,
    taken: &mut BTreeMap<Place<'a>, Owner>,
    out: &mut Vec<Finding>,
) {
    let mut controllers: BTreeMap<Place, Owner> = BTreeMap::new();
    for (at, ingress) in cluster.ingress.iter().enumerate() {
        let Some(ip) = ingress.ip else { continue };
        let owner = Owner { path: format!("clusters.{name}.ingress.{at}"), words: format!("`{}`", ingress.kind) };
        let by_pods = matches!(ingress.kind, IngressKind::Nginx | IngressKind::Istio | IngressKind::GatewayApi);
        let ports: &[u16] = if ingress.ports.is_empty() { &[80, 443] } else { &ingress.ports };
        for port in ports {
            let map = if by_pods { &mut controllers } else { &mut *taken };
            if !take(map, (Some(name), ip, Protocol::Tcp, *port), &owner, out) {
                break;
            }
        }
    }
}

/// Notes who answers there; false, and a finding, where somebody does already.
fn take<'a>(taken: &mut BTreeMap<Place<'a>, Owner>, place: Place<'a>, owner: &Owner, out: &mut Vec<Finding>) -> bool {
    let Some(first) = taken.get(&place) else {
        taken.insert(place, owner.clone());
        return true;
    };
    if first.path == owner.path {
        return true;
    }
    let (_, ip, protocol, port) = place;
    let finding = Finding::new(
        codes::FRONTEND_PORT_CONFLICT,
        owner.path.as_str(),
        format!("{} and {} both want {protocol}/{port} of {ip}", owner.words, first.words),
    )
    .help("give one of them another port or address, or put both behind one ingress")
    .on(ip)
    .on(format!("{protocol}/{port}"))
    .related(first.path.as_str(), "has it already");
    out.push(cited(finding, ingress::INTERNAL_FRONTEND_IN_NODE_SUBNET.about()));
    false
}

/// Two translations of one port of a firewall: the first one gets the connections.
fn translations(name: &FirewallName, firewall: &Firewall, out: &mut Vec<Finding>) {
    for (at, rule) in firewall.dnat.iter().enumerate() {
        let same = |other: &&DnatRule| {
            rule.public_ip.is_some()
                && (other.public_ip, other.port) == (rule.public_ip, rule.port)
                && (other.protocol.is_none() || rule.protocol.is_none() || other.protocol == rule.protocol)
                && (other.to, other.to_port) != (rule.to, rule.to_port)
        };
        let Some((earlier, first)) = firewall.dnat.iter().enumerate().take(at).find(|(_, other)| same(other)) else {
            continue;
        };
        let Some(ip) = rule.public_ip else { continue };
        let finding = Finding::new(
            codes::FRONTEND_PORT_CONFLICT,
            format!("firewalls.{name}.dnat.{at}"),
            format!("the rules `{}` and `{}` both translate port {} of {ip}, to different places", first.name, rule.name, rule.port),
        )
        .severity(Severity::Warning)
        .help("give one of them another port or public address; if they differ in the sources they take, accept this finding")
        .on(ip)
        .on(rule.port)
        .evidence("the first rule that matches gets the connection; which sources a rule takes is not part of the design")
        .related(format!("firewalls.{name}.dnat.{earlier}"), "gets the connections");
        out.push(finding);
    }
}
