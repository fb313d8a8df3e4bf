//! Security groups of a cluster's subnets against what nodes and pods need: each other, the API server, probes, clients.

use super::filter::{Flow, Side, Verdict, judge};
use super::{group_on, rule_name, rule_path};
use crate::egress::ground::Ground;
use crate::say::{cited, listed};
use causeway_addr::Cidr;
use causeway_model::codes::{self, Code};
use causeway_model::design::*;
use causeway_model::facts::{About, control_plane, ingress, nsg};
use causeway_model::finding::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// Ports whose loss is felt: a rule for all ports hits them, a rule for some other port is somebody's intention.
const NEEDED: &[(Protocol, u16, &str)] = &[
    (Protocol::Tcp, control_plane::KUBELET_PORT, "kubelet"),
    (Protocol::Udp, 53, "DNS"),
    (Protocol::Tcp, 53, "DNS"),
    (Protocol::Tcp, 443, "services"),
];

/// One end within the cluster.
struct End<'a> {
    reference: &'a SubnetRef,
    group: Option<(&'a SecurityGroupName, &'a SecurityGroup)>,
    ranges: Vec<Side>,
    /// "nodes", "pods".
    words: &'static str,
}

/// A rule and what it does wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    code: Code,
    severity: Severity,
    group: &'a SecurityGroupName,
    at: Option<usize>,
    unknown: bool,
}

type Found<'a> = BTreeMap<Key<'a>, BTreeSet<String>>;

pub(super) fn check<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    let ends = ends(ground, cluster);
    if !ends.iter().any(|end| end.group.is_some()) {
        return api_server(ground, path, cluster, &ends, out);
    }
    let mut found: Found = BTreeMap::new();
    for from in &ends {
        for to in &ends {
            between(from, to, codes::NSG_BLOCKS_NODE_TRAFFIC, &mut found);
        }
    }
    overlay(cluster, &ends, &mut found);
    for (key, flows) in found {
        out.push(finding(ground.design, path, &key, &flows));
    }
    probes_and_clients(path, cluster, &ends, out);
    api_server(ground, path, cluster, &ends, out);
}

fn ends<'a>(ground: &Ground<'a>, cluster: &'a Cluster) -> Vec<End<'a>> {
    let mut ends = Vec::new();
    for (reference, (subnet, uses)) in ground.subnets_of(cluster) {
        let words = if uses.pods_only() { "pods" } else { "nodes" };
        let ranges = subnet.prefixes.iter().copied().map(Side::Vnet).collect();
        ends.push(End { reference, group: group_on(ground.design, subnet), ranges, words });
    }
    ends
}

/// A flow from one end to another passes the sender's group on the way out and the receiver's on the way in.
fn between<'a>(from: &End<'a>, to: &End<'a>, code: Code, found: &mut Found<'a>) {
    for (direction, at) in [(Direction::Outbound, from), (Direction::Inbound, to)] {
        let Some((name, group)) = at.group else { continue };
        for source in &from.ranges {
            for destination in &to.ranges {
                for (protocol, port, what) in NEEDED {
                    let flow = Flow {
                        direction,
                        source: *source,
                        destination: *destination,
                        protocol: *protocol,
                        port: Some(*port),
                    };
                    if family(*source) != family(*destination) {
                        continue;
                    }
                    let words = format!("{protocol}/{port} ({what}) from {} to {}", from.words, to.words);
                    let (severity, rule, unknown) = match judge(group, &flow) {
                        Verdict::Allowed => continue,
                        Verdict::Denied(rule) => (Severity::Error, Some(rule), false),
                        Verdict::DeniedByDefault => (Severity::Error, None, false),
                        // Whoever denies a group of machines by name has others in mind than nodes.
                        Verdict::Unknown(rule) if group.rules.get(rule).is_some_and(names_machines) => continue,
                        Verdict::Unknown(rule) => (Severity::Warning, Some(rule), true),
                    };
                    let key = Key { code, severity, group: name, at: rule, unknown };
                    found.entry(key).or_default().insert(words);
                }
            }
        }
    }
}

/// The rule is for members of application security groups.
pub(super) fn names_machines(rule: &SecurityRule) -> bool {
    machines(rule).next().is_some()
}

/// The application security groups of a rule.
fn machines(rule: &SecurityRule) -> impl Iterator<Item = &str> {
    rule.source.iter().chain(&rule.destination).filter_map(|address| match address {
        AddressMatch::ApplicationSecurityGroup(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Why it can't be told what a group makes of a flow that comes to the rule at that place.
pub(super) fn why_unknown(group: &SecurityGroup, at: usize) -> String {
    let Some(rule) = group.rules.get(at) else { return "what it matches is not known".to_owned() };
    let earlier = super::filter::in_order(group, rule.direction);
    let earlier = earlier.iter().take_while(|(place, _)| *place != at).map(|(_, rule)| *rule);
    let earlier: Vec<&SecurityRule> = earlier.filter(|rule| rule.access == Access::Allow).collect();
    let named: BTreeSet<&str> = earlier.iter().copied().chain([rule]).flat_map(machines).collect();
    let any = [PortMatch::Any];
    let some_ports = !rule.source_ports.is_empty() && rule.source_ports != any;
    let tagged = earlier.iter().copied().chain([rule]).any(|rule| {
        let mut addresses = rule.source.iter().chain(&rule.destination);
        addresses.any(|address| matches!(address, AddressMatch::Tag(tag) if tag.eq_ignore_ascii_case("VirtualNetwork")))
    });
    match (named.is_empty(), tagged, some_ports) {
        (false, _, _) => {
            let named: Vec<&str> = named.into_iter().collect();
            format!("who is in {} is not known", listed(&named))
        }
        (true, _, true) => "it is for some source ports, and senders choose theirs".to_owned(),
        (true, true, false) => "`VirtualNetwork` may not contain the pod range".to_owned(),
        (true, false, false) => "what it matches is not known".to_owned(),
    }
}

fn family(side: Side) -> Option<causeway_addr::Family> {
    match side {
        Side::Vnet(range) | Side::Overlay(range) | Side::Public(range) => Some(range.family()),
        _ => None,
    }
}

/// Pods outside the VNet cross the node subnets with their own addresses.
fn overlay<'a>(cluster: &'a Cluster, ends: &[End<'a>], found: &mut Found<'a>) {
    if !matches!(cluster.mode, Some(Mode::Overlay | Mode::Kubenet)) || cluster.pod_cidrs.is_empty() {
        return;
    }
    let pods: Vec<Side> = cluster.pod_cidrs.iter().copied().map(Side::Overlay).collect();
    let mut lost: Found = BTreeMap::new();
    let mut directions = [false, false];
    for end in ends.iter().filter(|end| end.group.is_some()) {
        let here = || End { reference: end.reference, group: end.group, ranges: pods.clone(), words: "pods" };
        let nodes = End { reference: end.reference, group: end.group, ranges: end.ranges.clone(), words: "nodes" };
        between(&here(), &here(), codes::NSG_MISSES_POD_CIDR, &mut lost);
        for (at, (from, to)) in [(&nodes, &here()), (&here(), &nodes)].into_iter().enumerate() {
            let mut one: Found = BTreeMap::new();
            between(from, to, codes::NSG_MISSES_POD_CIDR, &mut one);
            if let Some(direction) = directions.get_mut(at) {
                *direction |= one.keys().any(|key| !key.unknown);
            }
            for (key, flows) in one {
                lost.entry(key).or_default().extend(flows);
            }
        }
    }
    let between_pods =
        lost.iter().any(|(key, flows)| !key.unknown && flows.iter().any(|flow| flow.ends_with("from pods to pods")));
    // Documents name one direction each between nodes and pods: where only one is missing it may be enough.
    let mild = directions != [true, true] && !between_pods;
    for (mut key, flows) in lost {
        // What nodes are refused as well is named for them.
        let blunt = Key {
            code: codes::NSG_BLOCKS_NODE_TRAFFIC,
            severity: Severity::Error,
            group: key.group,
            at: key.at,
            unknown: false,
        };
        let doubted = Key { severity: Severity::Warning, unknown: true, ..blunt };
        if found.contains_key(&blunt) || (key.unknown && found.contains_key(&doubted)) {
            continue;
        }
        if mild {
            key.severity = Severity::Warning;
        }
        found.entry(key).or_default().extend(flows);
    }
}

fn finding(design: &Design, path: &str, key: &Key, flows: &BTreeSet<String>) -> Finding {
    let group = design.security_groups.get(key.group);
    let flows: Vec<&String> = flows.iter().collect();
    let name = group.zip(key.at).map_or("", |(group, at)| rule_name(group, at));
    let pods = key.code == codes::NSG_MISSES_POD_CIDR;
    let message = match (key.at, key.unknown) {
        (Some(_), true) => format!(
            "whether rule `{name}` of `{}` drops {} can't be told: {}",
            key.group,
            short(&flows),
            group.zip(key.at).map(|(group, at)| why_unknown(group, at)).unwrap_or_default()
        ),
        (Some(_), false) => format!("rule `{name}` of `{}` drops {}", key.group, short(&flows)),
        (None, _) => format!("no rule of `{}` lets {} through", key.group, short(&flows)),
    };
    let object = key.at.map_or_else(|| format!("networkSecurityGroups.{}", key.group), |at| rule_path(key.group, at));
    let help = if pods {
        "add rules with a lower number that allow node range to pod range, pod range to node range, and pod range to pod range, all ports, in and out"
    } else {
        "add rules with a lower number that allow all traffic between the cluster's node and pod subnets, in and out: blocking it is not supported"
    };
    let about = if pods { nsg::OVERLAY_IS_NOT_ENCAPSULATED.about() } else { nsg::NEEDED.about() };
    let mut finding = Finding::new(key.code, object, message)
        .severity(key.severity)
        .help(help)
        .on(key.group)
        .related(format!("{path}.pools"), "the cluster's pools are behind it");
    for flow in flows {
        finding = finding.evidence(flow.as_str());
    }
    cited(finding, about)
}

fn short(flows: &[&String]) -> String {
    match flows {
        [] => String::new(),
        [only] => (*only).clone(),
        [first, rest @ ..] => format!("{first} and {} more kinds of needed traffic", rest.len()),
    }
}

/// Load balancers probe the nodes, and clients reach them with their own addresses: the platform opens its own group on the nodes'
/// interfaces, never the one on the subnet.
fn probes_and_clients(path: &str, cluster: &Cluster, ends: &[End], out: &mut Vec<Finding>) {
    let services: Vec<&Service> =
        cluster.services.iter().filter(|service| service.kind == ServiceType::LoadBalancer).collect();
    let in_cluster =
        |ingress: &&Ingress| matches!(ingress.kind, IngressKind::Nginx | IngressKind::Istio | IngressKind::GatewayApi);
    let controllers: Vec<&Ingress> = cluster.ingress.iter().filter(in_cluster).collect();
    if services.is_empty() && controllers.is_empty() {
        return;
    }
    let excluded = |reference: &SubnetRef| {
        cluster
            .pools
            .values()
            .filter(|pool| pool.subnet.as_ref() == Some(reference))
            .all(|pool| pool.labels.get(ingress::EXCLUDE_LABEL.value).is_some_and(|value| value == "true"))
    };
    for end in ends.iter().filter(|end| end.words == "nodes" && !excluded(end.reference)) {
        let (Some((name, group)), Some(nodes)) = (end.group, end.ranges.first()) else { continue };
        let probe = Flow {
            direction: Direction::Inbound,
            source: Side::LoadBalancer,
            destination: *nodes,
            protocol: Protocol::Tcp,
            port: None,
        };
        if let Verdict::Denied(at) = judge(group, &probe) {
            let message = format!(
                "rule `{}` of `{name}` drops the load balancer's probes: every node counts as unhealthy, and services get no traffic",
                rule_name(group, at)
            );
            let finding = Finding::new(codes::NSG_BLOCKS_NODE_TRAFFIC, rule_path(name, at), message)
                .help("add a rule with a lower number that allows the source `AzureLoadBalancer` inbound")
                .on(end.reference)
                .related(format!("{path}.pools"), "nodes behind load balancers");
            out.push(cited(finding, ingress::PROBE.about()));
        }
        clients(path, cluster, name, group, end, out);
    }
}

/// Public services: somebody on the internet must be let in on the service's port.
fn clients(
    path: &str,
    cluster: &Cluster,
    name: &SecurityGroupName,
    group: &SecurityGroup,
    end: &End,
    out: &mut Vec<Finding>,
) {
    let mut closed: Vec<(String, String, u16)> = Vec::new();
    for (at, service) in cluster.services.iter().enumerate() {
        let public = service.kind == ServiceType::LoadBalancer && !service.internal && service.internal_ip.is_none();
        for port in service.ports.iter().filter(|_| public) {
            if !lets_in(group, port.protocol, port.port, &service.source_ranges) {
                let who = format!("service/{}/{}", service.namespace, service.name);
                closed.push((who, format!("{path}.services.{at}"), port.port));
            }
        }
    }
    // A controller in the cluster answers by a service: where services are listed, it is among them.
    let services_known = cluster.services.iter().any(|service| service.kind == ServiceType::LoadBalancer);
    for (at, ingress) in cluster.ingress.iter().enumerate() {
        let in_cluster = matches!(ingress.kind, IngressKind::Nginx | IngressKind::Istio | IngressKind::GatewayApi);
        if in_cluster && ingress.exposure == Some(Exposure::Public) && !services_known {
            let ports: &[u16] = if ingress.ports.is_empty() { &[443] } else { &ingress.ports };
            for port in ports.iter().filter(|port| !lets_in(group, Protocol::Tcp, **port, &[])) {
                closed.push((format!("ingress {}", ingress.kind), format!("{path}.ingress.{at}"), *port));
            }
        }
    }
    if closed.is_empty() {
        return;
    }
    let names: BTreeSet<String> = closed.iter().map(|(who, _, port)| format!("{who}:{port}")).collect();
    let names: Vec<String> = names.into_iter().collect();
    let message = format!("`{name}` on `{}` lets nobody from the internet in to {}", end.reference, listed(&names));
    let mut finding = Finding::new(codes::NSG_BLOCKS_NODE_TRAFFIC, format!("networkSecurityGroups.{name}"), message)
        .help("allow the clients' addresses (or `Internet`) inbound to the service's port: the platform opens only its own group on the nodes' interfaces");
    let owners: BTreeSet<&String> = closed.iter().map(|(_, owner, _)| owner).collect();
    for owner in owners {
        finding = finding.related(owner.as_str(), "its clients time out");
    }
    for name in names {
        finding = finding.on(name);
    }
    out.push(cited(finding, nsg::SUBNET_GROUP_IS_THE_USERS.about()));
}

/// Some rule lets some public client in. The destination is left aside: behind the load balancer it is the frontend's address in one
/// group and the node's in another.
fn lets_in(group: &SecurityGroup, protocol: Protocol, port: u16, clients: &[Cidr]) -> bool {
    use super::filter::{Coverage, covers, in_order, source_ports};
    let sides: Vec<Side> =
        if clients.is_empty() { vec![Side::Internet] } else { clients.iter().copied().map(Side::Public).collect() };
    sides.iter().any(|side| {
        for (_, rule) in in_order(group, Direction::Inbound) {
            let matches =
                rule.protocol.is_none_or(|of| of == protocol) && rule.ports.iter().any(|ports| ports.contains(port));
            let source = covers(&rule.source, *side).min(source_ports(rule));
            if !matches || source == Coverage::Nothing {
                continue;
            }
            match rule.access {
                Access::Allow => return true,
                // A denial of everybody, wherever they go, ends it.
                Access::Deny if source == Coverage::All && rule.destination.contains(&AddressMatch::Any) => {
                    return false;
                }
                Access::Deny => {}
            }
        }
        false
    })
}

/// Nodes and the API server's subnet, where it has one.
fn api_server<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, ends: &[End<'a>], out: &mut Vec<Finding>) {
    let Some(reference) =
        cluster.api_server.subnet.as_ref().filter(|_| cluster.api_server.access == ApiAccess::VnetIntegration)
    else {
        return;
    };
    let Some(subnet) = ground.design.subnet(reference) else { return };
    let ranges: Vec<Side> = subnet.prefixes.iter().copied().map(Side::Vnet).collect();
    let own = group_on(ground.design, subnet);
    let mut dropped: BTreeMap<(&SecurityGroupName, Option<usize>), BTreeSet<String>> = BTreeMap::new();
    let mut note = |at: (&'a SecurityGroupName, &'a SecurityGroup), flow: &Flow, words: String| match judge(at.1, flow)
    {
        Verdict::Denied(rule) => {
            dropped.entry((at.0, Some(rule))).or_default().insert(words);
        }
        Verdict::DeniedByDefault => {
            dropped.entry((at.0, None)).or_default().insert(words);
        }
        Verdict::Allowed | Verdict::Unknown(_) => {}
    };
    for destination in &ranges {
        for (end, source) in ends.iter().flat_map(|end| end.ranges.iter().map(move |source| (end, source))) {
            for port in control_plane::NODE_PORTS.value {
                let flow = |direction| Flow {
                    direction,
                    source: *source,
                    destination: *destination,
                    protocol: Protocol::Tcp,
                    port: Some(*port),
                };
                let words = format!("tcp/{port} from {} to the API server", end.words);
                if family(*source) != family(*destination) {
                    continue;
                }
                if let Some(group) = end.group {
                    note(group, &flow(Direction::Outbound), words.clone());
                }
                if let Some(group) = own {
                    note(group, &flow(Direction::Inbound), words);
                }
            }
        }
        if let Some(group) = own {
            let flow = Flow {
                direction: Direction::Inbound,
                source: Side::LoadBalancer,
                destination: *destination,
                protocol: Protocol::Tcp,
                port: Some(control_plane::PROBE_PORT),
            };
            note(group, &flow, format!("tcp/{} from the load balancer to the API server", control_plane::PROBE_PORT));
        }
    }
    let about: About = control_plane::NODE_PORTS.about();
    for ((name, at), flows) in dropped {
        let group = ground.design.security_groups.get(name);
        let flows: Vec<&String> = flows.iter().collect();
        let rule = group.zip(at).map_or("", |(group, at)| rule_name(group, at));
        let message = match at {
            Some(_) => format!("rule `{rule}` of `{name}` drops {}", short(&flows)),
            None => format!("no rule of `{name}` lets {} through", short(&flows)),
        };
        let object = at.map_or_else(|| format!("networkSecurityGroups.{name}"), |at| rule_path(name, at));
        let mut finding = Finding::new(codes::NSG_BLOCKS_NODE_TRAFFIC, object, message)
            .help("allow tcp 443 and 4443 from the cluster's subnets to the API server's, and tcp 9988 from `AzureLoadBalancer`")
            .on(reference)
            .related(format!("{path}.apiServer"), "the API server");
        for flow in flows {
            finding = finding.evidence(flow.as_str());
        }
        out.push(cited(finding, about));
    }
}
