//! Rules that name senders by labels or addresses, where the packets of these senders arrive with another address.

use super::Cx;
use super::cuts::{denial, doubted, end, flow, shown};
use super::doors::meaning;
use super::nodes::Elsewhere;
use crate::say::{cited, listed};
use causeway_addr::{Cidr, Family, RangeSet};
use causeway_model::codes;
use causeway_model::design::{Os, Pod, Protocol};
use causeway_model::facts::masquerade;
use causeway_model::finding::Finding;
use causeway_model::policy::{
    Action, Direction, Namespaces, Peer, Peers, PodSet, Policy, PolicyPort, PolicyRule, PolicyTier,
};
use causeway_policy::{End, Engine, Flow, Index, Said, Step, Verdict, world};
use causeway_trace::translation::{Translation, effective};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub(super) fn check(cx: &Cx<'_>, out: &mut Vec<Finding>) {
    if cx.index.policies().iter().all(|policy| policy.ingress.is_none()) {
        return;
    }
    by_masquerade(cx, out);
    super::balanced::check(cx, out);
}

/// What is said of a flow that comes in.
pub(super) fn incoming(elsewhere: &Elsewhere, flow: &Flow) -> Option<(Verdict, Option<Step>)> {
    let explained = elsewhere.index.explain(flow)?;
    let verdict = explained.of(Direction::Ingress);
    let step = explained.steps.into_iter().rfind(|step| step.direction == Direction::Ingress && step.policy.is_some());
    Some((verdict, step))
}

/// What is said of packets that come with the address of a node the receiver is not on; `None` where that differs from node to node.
pub(super) fn from_nodes(
    elsewhere: &Elsewhere,
    to: &End,
    (protocol, port): (Protocol, u16),
    family: Option<Family>,
) -> Option<(Verdict, Option<Step>)> {
    let nodes = elsewhere.nodes_but_of(to, family);
    let asked = nodes.iter().map(|node| incoming(elsewhere, &Flow { family, ..flow(node, to, protocol, port) }));
    let answers: Option<Vec<_>> = asked.collect();
    let mut answers = answers?.into_iter();
    let first = answers.next()?;
    answers.all(|(verdict, _)| verdict == first.0).then_some(first)
}

/// Where the node's translation hides who sends.
struct Hiding {
    translation: Translation,
    kept: RangeSet,
    ranges: Vec<Cidr>,
}

impl Hiding {
    fn of(cx: &Cx<'_>) -> Option<Hiding> {
        // Agents translate on Linux nodes alone.
        if cx.cluster.pools.values().all(|pool| pool.os == Os::Windows) && !cx.cluster.pools.is_empty() {
            return None;
        }
        let translation = effective(cx.design, cx.name).known().filter(|known| known.translates())?.clone();
        let kept = translation.kept();
        let hiding = Hiding { kept, ranges: world::pod_ranges(cx.design, cx.cluster), translation };
        let pods = cx.cluster.pods.iter().filter(|pod| !pod.host_network && !pod.terminated);
        let hides = hiding.ranges.iter().any(|range| !hiding.kept.overlaps(range))
            || pods.flat_map(|pod| &pod.ips).any(|ip| !hiding.kept.contains(*ip));
        hides.then_some(hiding)
    }

    /// The family in which packets to a pod are translated.
    fn family(&self, pod: Option<&Pod>) -> Option<Family> {
        let ips: &[IpAddr] = pod.map_or(&[], |pod| &pod.ips);
        Family::ALL.into_iter().find(|family| {
            let mut own = ips.iter().filter(|ip| Family::of(**ip) == *family).peekable();
            if own.peek().is_some() {
                return own.all(|ip| !self.kept.contains(*ip));
            }
            let mut ranges = self.ranges.iter().filter(|range| range.family() == *family).peekable();
            ips.is_empty() && ranges.peek().is_some() && ranges.all(|range| !self.kept.overlaps(range))
        })
    }

    fn explained(&self, finding: Finding) -> Finding {
        let open: Vec<&Cidr> = self.ranges.iter().filter(|range| !self.kept.covers(*range)).collect();
        let mut finding = finding
            .evidence(format!("nodes translate packets between pods: {} is not exempt", listed(&open)))
            .evidence("pods of one node still see each other as they are, so that it works now and then");
        finding.evidence.extend(self.translation.because.iter().cloned());
        finding.on.extend(open.iter().map(ToString::to_string));
        cited(finding, masquerade::CHAIN.about())
    }
}

/// Somebody policies select, with the family packets to it are translated in.
struct Receiver {
    end: End,
    name: String,
    family: Family,
    ports: BTreeMap<String, (Protocol, u16)>,
}

/// What a rule is about that does not see it come.
struct Missed {
    at: usize,
    peers: String,
    by: &'static str,
    effect: &'static str,
    receivers: BTreeSet<String>,
}

fn by_masquerade(cx: &Cx<'_>, out: &mut Vec<Finding>) {
    let Some(hiding) = Hiding::of(cx) else { return };
    let Some(mut elsewhere) = Elsewhere::of(cx) else { return };
    let mut opened: BTreeMap<String, Finding> = BTreeMap::new();
    for policy in cx.index.policies() {
        let receivers = receivers(cx, &hiding, policy, &mut elsewhere);
        let mut missed: Vec<Missed> = Vec::new();
        for (at, rule) in policy.rules(Direction::Ingress).unwrap_or_default().iter().enumerate() {
            let Some((peers, by)) = named_peers(cx, &hiding, rule) else { continue };
            let effect = if rule.action == Action::Accept { "is denied" } else { "gets in" };
            let mut of_rule = Missed { at, peers, by, effect, receivers: BTreeSet::new() };
            let guests = guests(cx, &elsewhere, rule);
            for receiver in &receivers {
                let Some((protocol, port)) = port_of(rule, &receiver.ports) else { continue };
                let family = Some(receiver.family);
                let Some((verdict, step)) = from_nodes(&elsewhere, &receiver.end, (protocol, port), family) else {
                    continue;
                };
                let asked = |from: &End| Flow { family, ..flow(from, &receiver.end, protocol, port) };
                match (rule.action, verdict) {
                    (Action::Accept, Verdict::Denied) | (Action::Deny, Verdict::Allowed)
                        if decides(&guests, policy, at, rule, &asked) =>
                    {
                        of_rule.receivers.insert(receiver.name.clone());
                    }
                    (Action::Accept, Verdict::Allowed) => {
                        if let Some(finding) = everybody(cx, &hiding, &elsewhere, receiver, (protocol, port), step) {
                            opened.entry(finding.object.clone()).or_insert(finding);
                        }
                    }
                    _ => {}
                }
            }
            if !of_rule.receivers.is_empty() {
                missed.push(of_rule);
            }
        }
        out.extend(defeated(cx, &hiding, policy, &missed));
    }
    out.extend(opened.into_values());
}

/// One finding for all rules of a policy.
fn defeated(cx: &Cx<'_>, hiding: &Hiding, policy: &Policy, missed: &[Missed]) -> Option<Finding> {
    let (first, more) = missed.split_first()?;
    let names: BTreeSet<&String> = missed.iter().flat_map(|rule| &rule.receivers).collect();
    let path = |rule: &Missed| cx.path(&policy.id, Some((Direction::Ingress, rule.at)));
    let message = format!(
        "`{}` means {} by {}, and towards {} they come with a node's address: the rule does not match, and what it is about {}",
        policy.id,
        first.peers,
        first.by,
        listed(&names.into_iter().collect::<Vec<_>>()),
        first.effect
    );
    let mut finding = Finding::new(codes::SELECTOR_POLICY_DEFEATED_BY_SNAT, path(first), message)
        .help("add the range of pods to `nonMasqueradeCIDRs`, so that pods see each other's own addresses");
    for rule in more {
        finding = finding
            .evidence(format!("so does the rule about {}: what it is about {}", rule.peers, rule.effect))
            .related(path(rule), "another rule that does not match");
    }
    Some(doubted(cx, hiding.explained(finding)))
}

/// Whom a policy is about; where no pod is listed, one that it would select.
fn receivers(cx: &Cx<'_>, hiding: &Hiding, policy: &Policy, elsewhere: &mut Elsewhere) -> Vec<Receiver> {
    if policy.ingress.as_ref().is_none_or(Vec::is_empty) {
        return Vec::new();
    }
    let selected: BTreeSet<(String, String)> = cx.index.selected_by(&policy.id).into_iter().collect();
    if selected.is_empty() && !cx.is_peopled(&policy.id) {
        let Some(family) = hiding.family(None) else { return Vec::new() };
        return elsewhere
            .invite(policy)
            .map(|end| Receiver { end, name: "every pod it selects".to_owned(), family, ports: BTreeMap::new() })
            .into_iter()
            .collect();
    }
    let pods = cx.cluster.pods.iter().filter(|pod| !pod.terminated);
    pods.filter(|pod| selected.contains(&(pod.namespace.clone(), pod.name.clone())))
        .filter_map(|pod| {
            Some(Receiver {
                end: end(pod),
                name: shown(pod),
                family: hiding.family(Some(pod))?,
                ports: pod.named_ports.clone(),
            })
        })
        .collect()
}

/// The peers a rule names that are pods, in words, and what it names them by; `None` if it names none.
fn named_peers(cx: &Cx<'_>, hiding: &Hiding, rule: &PolicyRule) -> Option<(String, &'static str)> {
    if rule.faulty || rule.action == Action::Pass {
        return None;
    }
    let Peers::Of(peers) = &rule.peers else { return None };
    let mut named: Vec<String> = peers.iter().filter_map(|peer| pods_of(peer).map(words)).collect();
    let by = if named.is_empty() { "address" } else { "label" };
    if named.is_empty() && cx.engine != Engine::Cilium {
        let blocks = peers.iter().filter_map(|peer| match peer {
            Peer::Block(block) if hiding.ranges.iter().any(|range| range.covers(&block.cidr)) => Some(block),
            _ => None,
        });
        named.extend(blocks.map(|block| format!("the pods of `{block}`")));
    }
    named.dedup();
    (!named.is_empty()).then(|| (named.join(" and "), by))
}

fn pods_of(peer: &Peer) -> Option<&PodSet> {
    match peer {
        Peer::Pods(set) => Some(set),
        _ => None,
    }
}

fn words(set: &PodSet) -> String {
    let pods = if set.pods.is_everything() { "all pods".to_owned() } else { format!("pods with `{}`", set.pods) };
    match &set.namespaces {
        Namespaces::Named(namespace) => format!("{pods} of `{namespace}`"),
        Namespaces::Matching(selector) if selector.is_everything() => format!("{pods} of every namespace"),
        Namespaces::Matching(selector) => format!("{pods} of namespaces with `{selector}`"),
    }
}

/// A port the rule is about.
fn port_of(rule: &PolicyRule, named: &BTreeMap<String, (Protocol, u16)>) -> Option<(Protocol, u16)> {
    let Some(ports) = &rule.ports else { return Some((Protocol::Tcp, 443)) };
    ports.iter().find_map(|port| match port {
        PolicyPort::Range { protocol, first, .. } => Some((*protocol, *first)),
        PolicyPort::All(protocol) => Some((*protocol, 443)),
        PolicyPort::Named { name, .. } => named.get(name).copied(),
    })
}

/// Pods as the rule means them, each in an index of its own; `None` where nothing but NetworkPolicies is there, whose rules need no proof:
/// whom one of them allows is allowed.
fn guests(cx: &Cx<'_>, elsewhere: &Elsewhere, rule: &PolicyRule) -> Option<Vec<(Index, End)>> {
    let plain = cx.index.policies().iter().all(|policy| policy.tier == PolicyTier::NetworkPolicy);
    let Peers::Of(peers) = &rule.peers else { return None };
    let mut sets = peers.iter().filter_map(pods_of).peekable();
    if plain || sets.peek().is_none() {
        return None;
    }
    Some(sets.filter_map(|set| elsewhere.index.with_pod_of(&meaning(set.clone()), "peer.")).collect())
}

/// Whether the rule would decide if its peers came with their own addresses: another tier may decide before it is asked.
fn decides(
    guests: &Option<Vec<(Index, End)>>,
    policy: &Policy,
    at: usize,
    rule: &PolicyRule,
    asked: &dyn Fn(&End) -> Flow,
) -> bool {
    let Some(guests) = guests else { return true };
    let wanted = if rule.action == Action::Accept { Said::Allowed } else { Said::Denied };
    guests.iter().any(|(with, from)| {
        let explained = with.explain(&asked(from));
        let steps = explained.map(|explained| explained.steps).unwrap_or_default();
        steps.iter().rfind(|step| step.direction == Direction::Ingress).is_some_and(|step| {
            step.said == wanted && step.policy.as_ref() == Some(&policy.id) && step.rule == Some(at)
        })
    })
}

/// The rule that lets nodes in lets every pod in, if pods that nobody names are kept out by themselves.
fn everybody(
    cx: &Cx<'_>,
    hiding: &Hiding,
    elsewhere: &Elsewhere,
    receiver: &Receiver,
    (protocol, port): (Protocol, u16),
    step: Option<Step>,
) -> Option<Finding> {
    let step = step?;
    let asked = flow(&elsewhere.stranger, &receiver.end, protocol, port);
    denial(&elsewhere.index, &Flow { family: Some(receiver.family), ..asked })
        .filter(|denial| denial.direction == Direction::Ingress)?;
    let policy = step.policy?;
    let message = format!(
        "`{policy}` lets nodes in to `{}` on {protocol}/{port}, and every pod of another node comes with a node's address: rules that name pods keep nobody out",
        receiver.name
    );
    let path = cx.path(&policy, step.rule.map(|rule| (Direction::Ingress, rule)));
    let finding = Finding::new(codes::SELECTOR_POLICY_DEFEATED_BY_SNAT, path, message)
        .help("add the range of pods to `nonMasqueradeCIDRs`, so that pods see each other's own addresses");
    Some(doubted(cx, hiding.explained(finding)))
}
