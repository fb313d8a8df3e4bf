//! Rules that name clients by their addresses, where a load balancer's way through the nodes takes these from them.

use super::Cx;
use super::cuts::{doubted, end, flow, samples, shown};
use super::nodes::Elsewhere;
use super::translated::{from_nodes, incoming};
use crate::say::cited;
use causeway_addr::special::{is_globally_reachable, is_private_use, is_shared};
use causeway_addr::{Cidr, Family};
use causeway_model::codes;
use causeway_model::design::{Mode, Protocol, Service, ServiceType, TrafficPolicy};
use causeway_model::facts::{ingress, policy as facts, special};
use causeway_model::finding::{Finding, Severity};
use causeway_model::policy::{Action, Direction, IpBlock, Peer, Peers, Policy};
use causeway_policy::{End, Engine, Verdict, who, world};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Clients that a policy names by their addresses, and who come through a load balancer that takes these from them.
pub(super) fn check(cx: &Cx<'_>, out: &mut Vec<Finding>) {
    let outside = |kind: ServiceType| matches!(kind, ServiceType::LoadBalancer | ServiceType::NodePort);
    let mut services = cx
        .cluster
        .services
        .iter()
        .filter(|service| outside(service.kind) && service.external_traffic_policy == TrafficPolicy::Cluster)
        .peekable();
    if services.peek().is_none() {
        return;
    }
    let Some(elsewhere) = Elsewhere::of(cx) else { return };
    let mut found: BTreeMap<(String, String), (Finding, BTreeSet<String>)> = BTreeMap::new();
    for service in services {
        for of_port in &service.ports {
            for (pod, port) in who::behind(cx.cluster, service, of_port) {
                let to = end(pod);
                if pod.host_network || !elsewhere.index.is_isolated(&to, Direction::Ingress) {
                    continue;
                }
                if let Some(finding) = hidden(cx, &elsewhere, service, &to, (of_port.protocol, port)) {
                    let key = (finding.object.clone(), format!("{}/{}", service.namespace, service.name));
                    let (_, pods) = found.entry(key).or_insert_with(|| (finding, BTreeSet::new()));
                    pods.insert(shown(pod));
                }
            }
        }
    }
    for (mut finding, pods) in found.into_values() {
        finding.on.extend(pods);
        out.push(doubted(cx, finding));
    }
}

fn hidden(
    cx: &Cx<'_>,
    elsewhere: &Elsewhere,
    service: &Service,
    to: &End,
    (protocol, port): (Protocol, u16),
) -> Option<Finding> {
    let name = format!("service/{}/{}", service.namespace, service.name);
    let public = service.kind == ServiceType::LoadBalancer && !service.internal && service.internal_ip.is_none();
    let (seen, by) = from_nodes(elsewhere, to, (protocol, port), None)?;
    let internet: Vec<IpAddr> = cx.index.internet(Family::V4);
    let told = |address: IpAddr| {
        let (verdict, step) = incoming(elsewhere, &flow(&End::Address(address), to, protocol, port))?;
        Some((verdict, step))
    };
    let npm = cx.engine == Engine::Npm;
    let finish = |object: String, message: String| {
        let finding = Finding::new(codes::SELECTOR_POLICY_DEFEATED_BY_SNAT, object, message)
            .help(format!("set `externalTrafficPolicy: Local` on `{name}`, or limit clients by `loadBalancerSourceRanges` and let the nodes in"))
            .on(&name);
        cited(finding, ingress::CLUSTER_POLICY_HIDES_CLIENT.about())
    };
    if !npm && seen == Verdict::Allowed {
        // Nodes are let in: with them comes whoever reaches the load balancer.
        let step = by?;
        let open = public && service.source_ranges.is_empty();
        let stranger = internet.first().and_then(|address| told(*address))?;
        if !open || stranger.0 != Verdict::Denied {
            return None;
        }
        let (policy, rule) = (step.policy?, step.rule?);
        let message = format!(
            "`{policy}` lets nodes in on {protocol}/{port}, and everybody who calls `{name}` comes with a node's address: its rules keep nobody on the internet out"
        );
        return Some(finish(cx.path(&policy, Some((Direction::Ingress, rule))), message));
    }
    if (!npm && seen != Verdict::Denied) || (npm && !service.source_ranges.is_empty()) {
        return None;
    }
    for (policy, at, block) in blocks(cx, service, public) {
        let mut clients: Vec<IpAddr> = samples(&cx.index, block.cidr);
        if public {
            clients.clone_from(&internet);
            clients.extend(samples(&cx.index, block.cidr).into_iter().filter(|ip| is_public(*ip)));
        }
        let meant = |ip: &IpAddr| block.cidr.contains(*ip) && !block.except.iter().any(|hole| hole.contains(*ip));
        let by_rule = clients.iter().filter(|ip| meant(ip)).any(|ip| {
            told(*ip).is_some_and(|(verdict, step)| {
                verdict == Verdict::Allowed
                    && step.is_some_and(|step| step.policy.as_ref() == Some(&policy.id) && step.rule == Some(at))
            })
        });
        if !by_rule {
            continue;
        }
        let path = cx.path(&policy.id, Some((Direction::Ingress, at)));
        if npm {
            let everybody = internet.first().and_then(|address| told(*address));
            if public && everybody.is_none_or(|(verdict, _)| verdict != Verdict::Denied) {
                continue;
            }
            let message = format!(
                "`{}` lets `{block}` in on {protocol}/{port}, and on Azure NPM what comes through `{name}` passes by policies: everybody who reaches it gets in",
                policy.id
            );
            return Some(cited(finish(path, message), facts::DIFFERENCES.about()));
        }
        let message = format!(
            "`{}` lets `{block}` in on {protocol}/{port}, and through `{name}` they come with a node's address: `externalTrafficPolicy` is `Cluster`, so the rule does not match and they are denied",
            policy.id
        );
        let mut finding = finish(path, message).evidence(
            "a client whose request reaches the node of the pod itself may get through: it works now and then",
        );
        if cx.cluster.mode.is_none_or(Mode::is_flat) {
            finding = finding
                .severity(Severity::Warning)
                .evidence("who calls the pod's own address, not the load balancer, is still let in");
        }
        if cx.engine == Engine::Cilium {
            // The same guide that says a prefix matches no node says to let clients in by their ranges (np.npm.vs_cilium).
            finding = finding.severity(Severity::Warning).evidence(
                "Azure's guide to Cilium lets clients in by their ranges there, and elsewhere says that a node's address is seen: try it from several clients",
            );
        }
        return Some(finding);
    }
    None
}

/// Rules that name clients of a service by their addresses.
fn blocks<'a>(cx: &'a Cx<'_>, service: &Service, public: bool) -> Vec<(&'a Policy, usize, &'a IpBlock)> {
    let inside: Vec<Cidr> =
        [world::pod_ranges(cx.design, cx.cluster), world::node_ranges(cx.design, cx.cluster)].concat();
    // Gateways of Azure send to pods, not to a load balancer; and so does the API server.
    let gateways = cx.cluster.ingress.iter().filter_map(|ingress| ingress.subnet.as_ref());
    let direct = gateways.chain(&cx.cluster.api_server.subnet).filter_map(|subnet| cx.design.subnet(subnet));
    let direct: Vec<Cidr> = direct.flat_map(|subnet| subnet.prefixes.iter().copied()).collect();
    let within = |ranges: &[Cidr], cidr: &Cidr| ranges.iter().any(|range| range.covers(cidr));
    let mut out = Vec::new();
    for policy in cx.index.policies() {
        for (at, rule) in policy.rules(Direction::Ingress).unwrap_or_default().iter().enumerate() {
            let Peers::Of(peers) = &rule.peers else { continue };
            if rule.action != Action::Accept || rule.faulty {
                continue;
            }
            for peer in peers {
                let Peer::Block(block) = peer else { continue };
                let private = is_private_use(&block.cidr) || is_shared(&block.cidr);
                let skipped = within(&inside, &block.cidr) || within(&direct, &block.cidr);
                // Nobody has a private address on the internet, and nodes have no public one as a rule.
                let fits = if public { !private } else { private || service.kind != ServiceType::NodePort };
                if !skipped && fits && block.cidr.is_v4() {
                    out.push((policy, at, block));
                }
            }
        }
    }
    out
}

/// An address somebody on the internet may have; the platform's own is not.
fn is_public(address: IpAddr) -> bool {
    is_globally_reachable(&Cidr::host(address)) && address != IpAddr::V4(special::PLATFORM_DNS.value)
}
