//! Services behind load balancers: answers that take another way out, clients nobody sees, clients taken for pods.

use super::ground::{Ground, Uses, WayOut};
use crate::say::{cited, listed};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{ingress, masquerade, outbound};
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(super) fn check<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    let subnets = ground.subnets_of(cluster);
    let machines = taken_for_pods(ground, cluster);
    for (at, service) in
        cluster.services.iter().enumerate().filter(|(_, service)| service.kind == ServiceType::LoadBalancer)
    {
        let object = format!("{path}.services.{at}");
        client_lost(cluster, &object, service, out);
        unreachable(&object, cluster, service, &machines, out);
    }
    inbound(ground, path, cluster, &subnets, out);
}

fn name(service: &Service) -> String {
    format!("service/{}/{}", service.namespace, service.name)
}

fn client_lost(cluster: &Cluster, object: &str, service: &Service, out: &mut Vec<Finding>) {
    let about = ingress::CLUSTER_POLICY_HIDES_CLIENT.about();
    if service.external_traffic_policy == TrafficPolicy::Cluster {
        let finding = Finding::new(
            codes::CLIENT_ADDRESS_LOST,
            format!("{object}.externalTrafficPolicy"),
            format!("pods behind `{}` see a node's address, not the client's: `externalTrafficPolicy` is `Cluster`", name(service)),
        )
        .help("set `externalTrafficPolicy: Local` where the address matters, and spread the pods over nodes; accept the finding where it does not")
        .on(name(service));
        out.push(cited(finding, about));
        return;
    }
    let on_windows = cluster.pods.iter().filter(|pod| selects(service, pod)).any(|pod| {
        let node = pod.node.as_ref().and_then(|node| cluster.nodes.get(node));
        let pool = node.and_then(|node| node.pool.as_ref()).and_then(|pool| cluster.pools.get(pool));
        pool.is_some_and(|pool| pool.os == Os::Windows)
    });
    if on_windows {
        let finding = Finding::new(
            codes::CLIENT_ADDRESS_LOST,
            object,
            format!("pods behind `{}` run on Windows nodes, which don't keep the client's address", name(service)),
        )
        .help("take the address from a header a gateway adds, or move what needs it to Linux nodes")
        .on(name(service));
        out.push(cited(finding, about));
    }
}

/// Whether a service selects a pod; one without a selector selects nobody by itself.
fn selects(service: &Service, pod: &Pod) -> bool {
    !service.selector.is_empty()
        && pod.namespace == service.namespace
        && !pod.terminated
        && service.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
}

/// Machines of the cluster's networks that are no part of the cluster, and whose addresses kube-proxy takes for pods'.
fn taken_for_pods<'a>(ground: &Ground<'a>, cluster: &'a Cluster) -> Vec<(&'a HostName, IpAddr, Cidr)> {
    let concerned = cluster
        .services
        .iter()
        .any(|service| service.internal && service.external_traffic_policy == TrafficPolicy::Local);
    if !concerned || cluster.dataplane == Dataplane::Cilium || cluster.kube_proxy.mode == Some(KubeProxyMode::None) {
        return Vec::new();
    }
    let networks = cluster.networks();
    let ranges: Vec<Cidr> = match (&cluster.kube_proxy.cluster_cidrs, cluster.mode) {
        (Some(ranges), _) => ranges.clone(),
        // Pods live on the node subnet, so whatever the range is, that is in it.
        (None, Some(Mode::NodeSubnet)) => {
            ground.subnets_of(cluster).values().flat_map(|(subnet, _)| subnet.prefixes.iter().copied()).collect()
        }
        _ => return Vec::new(),
    };
    ground
        .design
        .hosts
        .iter()
        .filter(|(_, host)| host.network.as_ref().is_some_and(|network| networks.contains(network)))
        .filter(|(_, host)| !cluster.nodes.values().any(|node| node.ips.contains(&host.ip)))
        .filter_map(|(name, host)| Some((name, host.ip, *ranges.iter().find(|range| range.contains(host.ip))?)))
        .collect()
}

fn unreachable(
    object: &str,
    cluster: &Cluster,
    service: &Service,
    machines: &[(&HostName, IpAddr, Cidr)],
    out: &mut Vec<Finding>,
) {
    let Some((_, _, range)) = machines.first() else { return };
    if !service.internal || service.external_traffic_policy != TrafficPolicy::Local {
        return;
    }
    let names: Vec<String> = machines.iter().map(|(name, ..)| format!("host/{name}")).collect();
    let stated = cluster.kube_proxy.cluster_cidrs.is_some();
    let message = format!(
        "{} can't reach `{}`: kube-proxy takes addresses in `{range}` for pods, and `externalTrafficPolicy` is `Local`",
        listed(&names),
        name(service)
    );
    let mut finding = Finding::new(codes::INTERNAL_LB_LOCAL_UNREACHABLE, format!("{object}.externalTrafficPolicy"), message)
        .help("use `externalTrafficPolicy: Cluster` for services called from inside the VNet, or narrow kube-proxy's cluster range to the subnets nodes and pods are in")
        .on(name(service));
    for (host, ip, _) in machines {
        finding = finding.on(ip).related(format!("hosts.{host}"), "a client inside the range");
    }
    if !stated {
        finding =
            finding.evidence("`kubeProxy.clusterCidr` is not stated; pods are on the node subnet, so it contains that");
    }
    out.push(cited(finding, masquerade::INTERNAL_LOCAL_UNREACHABLE.about()));
}

/// Public frontends of a cluster whose default route leads through a firewall: requests come in by the load balancer, answers
/// leave by the firewall.
fn inbound<'a>(
    ground: &Ground<'a>,
    path: &str,
    cluster: &'a Cluster,
    subnets: &BTreeMap<&'a SubnetRef, (&'a Subnet, Uses<'a>)>,
    out: &mut Vec<Finding>,
) {
    let mut ways: BTreeMap<IpAddr, (String, Vec<&SubnetRef>, &Subnet)> = BTreeMap::new();
    for (reference, (subnet, uses)) in subnets {
        if let (WayOut::Route(table, at, NextHop::Appliance(ip)), false) = (ground.way_out(subnet), uses.pods_only()) {
            let way =
                ways.entry(ip).or_insert_with(|| (format!("routeTables.{table}.routes.{at}"), Vec::new(), subnet));
            way.1.push(reference);
        }
    }
    for (ip, (route, references, subnet)) in &ways {
        let Some(at) = references.first() else { continue };
        let firewall = ground.firewall(&at.network, *ip);
        if firewall.is_some_and(|(_, firewall)| !firewall.stateful) {
            continue;
        }
        for frontend in public_frontends(path, cluster) {
            let translated = firewall
                .map(|(_, firewall)| firewall)
                .and_then(|firewall| firewall.dnat.iter().find(|rule| rule.to.is_some() && rule.to == frontend.ip));
            let back = |rule: &DnatRule| leads_to_internet(ground, subnet, rule.public_ip);
            let hop = ground.hop_words(&at.network, *ip);
            let (message, help) = match translated {
                Some(rule) if back(rule) => continue,
                Some(rule) => (
                    format!("{hop} sends requests for `{}` to its public frontend, and the answers come back by the default route", frontend.name),
                    format!("add the route `{}/32` to `internet` on {}, or let the firewall send to an internal frontend", rule.public_ip.map_or("FIREWALL-PUBLIC-IP".to_owned(), |ip| ip.to_string()), listed(references)),
                ),
                None if frontend.name_only && firewall.is_some_and(|(_, firewall)| !firewall.dnat.is_empty()) => continue,
                None => (
                    format!("requests for `{}` come in by the public load balancer, and the answers leave through {hop}, which has not seen them begin", frontend.name),
                    "make the frontend internal and let the firewall send to it (a DNAT rule), or take the default route off the subnet".to_owned(),
                ),
            };
            let mut finding = Finding::new(codes::ASYMMETRIC_RETURN_THROUGH_STATEFUL_HOP, &frontend.object, message)
                .help(help)
                .on(&frontend.name)
                .related(route.as_str(), "the default route answers take");
            for reference in references {
                finding = finding.on(reference);
            }
            if firewall.is_none() {
                finding = finding.severity(Severity::Warning).evidence(format!(
                    "no firewall with the address {ip} is described: whether it keeps connections is not known"
                ));
            }
            out.push(cited(finding, outbound::USER_DEFINED_ROUTING.about()));
        }
    }
}

/// Something of the cluster that answers on the internet by a load balancer.
struct Frontend {
    name: String,
    object: String,
    ip: Option<IpAddr>,
    /// The design says no more of it than that it is public: a rule of the firewall may be what makes it so.
    name_only: bool,
}

fn public_frontends(path: &str, cluster: &Cluster) -> Vec<Frontend> {
    let services = cluster.services.iter().enumerate().filter(|(_, service)| {
        service.kind == ServiceType::LoadBalancer && !service.internal && service.internal_ip.is_none()
    });
    let mut found: Vec<Frontend> = services
        .map(|(at, service)| Frontend {
            name: name(service),
            object: format!("{path}.services.{at}"),
            ip: service.public_ip,
            name_only: false,
        })
        .collect();
    for (at, ingress) in cluster.ingress.iter().enumerate() {
        let in_cluster = matches!(ingress.kind, IngressKind::Nginx | IngressKind::Istio | IngressKind::GatewayApi);
        let private = ingress.ip.is_some_and(|ip| causeway_addr::special::is_private_use(&Cidr::host(ip)));
        let service = ingress.ip.is_some() && found.iter().any(|frontend| frontend.ip == ingress.ip);
        if in_cluster && ingress.exposure == Some(Exposure::Public) && !private && !service && found.is_empty() {
            found.push(Frontend {
                name: format!("ingress {}", ingress.kind),
                object: format!("{path}.ingress.{at}"),
                ip: ingress.ip,
                name_only: ingress.ip.is_none(),
            });
        }
    }
    found
}

/// A subnet sends the firewall's own public address straight to the internet, so that answers pair up.
fn leads_to_internet(ground: &Ground, subnet: &Subnet, address: Option<IpAddr>) -> bool {
    let table = subnet.route_table.as_ref().and_then(|table| ground.design.route_tables.get(table));
    let (Some(table), Some(address)) = (table, address) else { return false };
    table.routes.iter().any(|route| {
        matches!(route.prefix, RoutePrefix::Cidr(prefix) if prefix.prefix_len() > 0 && prefix.contains(address))
            && route.next_hop == NextHop::Internet
    })
}
