//! What to know about policies themselves: whom they select, how much room they take, which rules never decide.

use crate::bits::Bits;
use crate::connections::{Party, parties};
use crate::ends::{End, Event, PodInfo};
use crate::index::{Index, Seat};
use crate::rules::{RulePeers, RulePort};
use crate::sets::SetId;
use causeway_model::design::Protocol;
use causeway_model::policy::*;
use std::collections::{BTreeMap, BTreeSet};

/// Ports that share an entry: a range of a protocol, or everything.
type PortKey = Option<(Protocol, u16, u16)>;

/// A rule that never decides anything, because an earlier one has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadowed {
    /// Its policy.
    pub policy: PolicyId,
    /// Its direction.
    pub direction: Direction,
    /// Its place.
    pub rule: usize,
    /// The policy of the earlier one, and its place.
    pub by: (PolicyId, usize),
    /// The earlier one does something else.
    pub opposite: bool,
}

impl Index {
    /// Policies the engine enforces, in the order they are asked.
    pub fn policies(&self) -> Vec<&Policy> {
        let mut all: Vec<_> = self.policies.iter().flatten().filter(|policy| policy.enforced).collect();
        all.sort_by(|one, other| one.order().cmp(&other.order()));
        all.into_iter().map(|policy| &policy.source).collect()
    }

    /// Policies the engine does not enforce, though it has them.
    pub fn unenforced(&self) -> Vec<&PolicyId> {
        let not = |policy: &&crate::rules::Compiled| !policy.enforced;
        self.policies.iter().flatten().filter(not).map(|policy| &policy.source.id).collect()
    }

    /// The pods a policy selects: namespace, name.
    pub fn selected_by(&self, policy: &PolicyId) -> Vec<(String, String)> {
        let subject =
            self.policy_ids.get(policy).and_then(|at| self.policy(*at)).and_then(|known| self.sets.get(known.subject));
        let Some(subject) = subject else { return Vec::new() };
        let mut out = Vec::new();
        for (namespace, pods) in &self.pods {
            for (name, pod) in pods.iter().filter(|(_, pod)| !pod.info.host_network) {
                if pod.seats.iter().any(|(_, seat)| subject.sure.has(seat.class)) {
                    out.push((namespace.clone(), name.clone()));
                }
            }
        }
        out
    }

    /// Whether a policy selects any pod, or may: of a namespace nobody has seen the labels are not known.
    pub fn selects_anybody(&self, policy: &PolicyId) -> bool {
        let known = self.policy_ids.get(policy).and_then(|at| self.policy(*at));
        let is_pod = |class: u32| {
            self.classes.get(class).is_some_and(|class| matches!(class.key.who, crate::classes::Who::Pod { .. }))
        };
        known
            .and_then(|known| self.sets.get(known.subject))
            .is_some_and(|set| set.sure.iter().chain(set.maybe.iter()).any(is_pod))
    }

    /// Groups of pods with more entries than a map holds: namespace, names, entries.
    pub fn crowded(&self, most: usize) -> Vec<(String, Vec<String>, usize)> {
        let weights = self.identities();
        let mut out = Vec::new();
        for (party, seats) in parties(self, None) {
            // Each family has entries of its own; what counts is the one that has more.
            let entries = seats.iter().map(|(_, seat)| self.entries(seat, &weights)).max().unwrap_or(0);
            if let (true, Party::Pods(namespace, names)) = (entries > most, party) {
                out.push((namespace, names, entries));
            }
        }
        out
    }

    /// Groups of pods that policies do not tell apart: namespace and names.
    pub fn groups(&self) -> Vec<(String, Vec<String>)> {
        let mut out = Vec::new();
        for (party, _) in parties(self, None) {
            if let Party::Pods(namespace, names) = party {
                out.push((namespace, names));
            }
        }
        out
    }

    /// Whether any policy about a direction is about an end.
    pub fn is_isolated(&self, end: &End, direction: Direction) -> bool {
        let class = self.seat(end, None).filter(|seat| seat.policed).and_then(|seat| self.classes.get(seat.class));
        class.is_some_and(|class| self.rules_of(class, direction).next().is_some())
    }

    /// Says which node a pod is on; nothing happens if the pod is not there.
    pub fn seat_on(&mut self, pod: &End, node: &str) {
        let End::Pod(namespace, name) = pod else { return };
        let info = self.pod(namespace, name).map(|pod| PodInfo { node: Some(node.to_owned()), ..pod.info.clone() });
        if let Some(info) = info {
            self.apply(Event::Pod(info));
        }
    }

    /// A pod a policy would select, put in; `None` if no pod can be so.
    pub fn with_pod_of(&self, policy: &Policy, name: &str) -> Option<(Index, End)> {
        let labels = crate::exposure::satisfying(&policy.subject.pods)?;
        let (namespace, namespace_labels) = match &policy.subject.namespaces {
            Namespaces::Named(namespace) => (namespace.clone(), None),
            Namespaces::Matching(selector) => {
                let labels = crate::exposure::satisfying(selector)?;
                let named = labels.get("kubernetes.io/metadata.name").cloned();
                (named.unwrap_or_else(|| "any.".to_owned()), Some(labels))
            }
        };
        let mut with = self.clone();
        if let Some(labels) = namespace_labels
            && !with.namespaces.contains_key(&namespace)
        {
            with.apply(Event::Namespace(namespace.clone(), labels));
        }
        let end = End::Pod(namespace.clone(), name.to_owned());
        with.apply(Event::Pod(PodInfo {
            namespace,
            name: name.to_owned(),
            labels,
            ips: Vec::new(),
            node: None,
            host_network: false,
            ports: BTreeMap::new(),
        }));
        Some((with, end))
    }

    /// Entries of identity, protocol and port that an engine with a map for each pod keeps for one, both directions together. Pods
    /// with the same labels share an identity; a range of ports takes as many entries as prefixes it is made of.
    fn entries(&self, seat: Seat, weights: &BTreeMap<u32, usize>) -> usize {
        let Some(class) = self.classes.get(seat.class) else { return 0 };
        let mut by_port: BTreeMap<(Direction, PortKey), (bool, Bits)> = BTreeMap::new();
        for direction in Direction::ALL {
            for rule in self.rules_of(class, direction).flat_map(|(_, rules)| rules) {
                let mut peers = Bits::default();
                if let RulePeers::Of(sets) = &rule.peers {
                    for set in sets.iter().filter_map(|set| self.sets.get(*set)) {
                        peers.add(&set.sure);
                        peers.add(&set.maybe);
                    }
                }
                let anyone = matches!(rule.peers, RulePeers::Anyone);
                for port in self.port_keys(rule.ports.as_deref()) {
                    let entry = by_port.entry((direction, port)).or_default();
                    entry.0 |= anyone;
                    entry.1.add(&peers);
                }
            }
        }
        by_port
            .iter()
            .map(|((_, port), (anyone, peers))| {
                let identities: usize =
                    peers.iter().map(|class| weights.get(&class).copied().unwrap_or(1)).sum::<usize>()
                        + usize::from(*anyone);
                identities * port.map_or(1, |(_, first, last)| prefixes(first, last))
            })
            .sum()
    }

    fn port_keys(&self, ports: Option<&[RulePort]>) -> BTreeSet<PortKey> {
        let Some(ports) = ports else { return BTreeSet::from([None]) };
        let mut out = BTreeSet::new();
        for port in ports {
            match port {
                RulePort::All(protocol) => {
                    out.insert(Some((*protocol, 0, u16::MAX)));
                }
                RulePort::Range { protocol, first, last, .. } => {
                    out.insert(Some((*protocol, *first, *last)));
                }
                RulePort::Named { name, .. } => {
                    out.extend(self.classes.numbers(*name).map(|(protocol, port, _)| Some((protocol, port, port))));
                }
            }
        }
        out
    }

    /// How many different sets of labels the pods of a class have.
    fn identities(&self) -> BTreeMap<u32, usize> {
        let mut labels: BTreeMap<u32, BTreeSet<&crate::words::Labels>> = BTreeMap::new();
        for pod in self.pods.values().flat_map(BTreeMap::values) {
            for (_, seat) in &pod.seats {
                labels.entry(seat.class).or_default().insert(&pod.labels);
            }
        }
        labels.into_iter().map(|(class, labels)| (class, labels.len())).collect()
    }

    /// Rules that never decide. Of tiers, those an earlier rule for the same pods takes everything of; of NetworkPolicies, those
    /// another rule of the same policy allows all of.
    pub fn shadowed(&self) -> Vec<Shadowed> {
        let mut out = Vec::new();
        for direction in Direction::ALL {
            let mut earlier: Vec<(&crate::rules::Compiled, usize)> = Vec::new();
            let mut all: Vec<_> = self.policies.iter().flatten().filter(|policy| policy.enforced).collect();
            all.sort_by(|one, other| one.order().cmp(&other.order()));
            for policy in all {
                let Some(rules) = policy.rules.get(direction as usize).and_then(Option::as_ref) else { continue };
                // NetworkPolicies only add up: a rule is compared with those of its own policy.
                if policy.source.tier == PolicyTier::NetworkPolicy {
                    earlier.clear();
                } else {
                    earlier.retain(|(by, _)| by.source.tier == policy.source.tier);
                }
                for (at, rule) in rules.iter().enumerate().filter(|(_, rule)| !rule.faulty) {
                    let covers = |(by, place): &&(&crate::rules::Compiled, usize)| {
                        let first = by.rules.get(direction as usize).and_then(|rules| rules.as_ref()?.get(*place));
                        // Which of two with one priority is asked first is not defined.
                        let one_after_the_other =
                            by.source.id == policy.source.id || by.source.priority != policy.source.priority;
                        one_after_the_other
                            && self.holds_all(by.subject, policy.subject)
                            && first.is_some_and(|first| !first.faulty && self.takes_all(first, rule))
                    };
                    if let Some((by, place)) = earlier.iter().find(covers) {
                        let theirs = by
                            .rules
                            .get(direction as usize)
                            .and_then(|rules| Some(rules.as_ref()?.get(*place)?.action));
                        out.push(Shadowed {
                            policy: policy.source.id.clone(),
                            direction,
                            rule: at,
                            by: (by.source.id.clone(), *place),
                            opposite: theirs != Some(rule.action),
                        });
                    }
                    earlier.push((policy, at));
                }
            }
        }
        out
    }

    /// Whether one set holds another whatever pods there are.
    fn holds_all(&self, outer: SetId, inner: SetId) -> bool {
        outer == inner
            || match (self.sets.get(outer), self.sets.get(inner)) {
                (Some(outer), Some(inner)) => outer.key.holds_all(&inner.key),
                _ => false,
            }
    }

    fn takes_all(&self, first: &crate::rules::Rule, rule: &crate::rules::Rule) -> bool {
        let peers = match (&first.peers, &rule.peers) {
            (RulePeers::Anyone, _) => true,
            (_, RulePeers::Anyone) => false,
            (RulePeers::Of(_), RulePeers::Of(sets)) if sets.is_empty() => false,
            (RulePeers::Of(wide), RulePeers::Of(sets)) => {
                sets.iter().all(|set| wide.iter().any(|wide| self.holds_all(*wide, *set)))
            }
        };
        let ports = match (&first.ports, &rule.ports) {
            (None, _) => true,
            (_, None) => false,
            (Some(wide), Some(ports)) => ports.iter().all(|port| wide.iter().any(|wide| wide.holds_all(port))),
        };
        peers && ports
    }
}

impl RulePort {
    fn holds_all(&self, other: &RulePort) -> bool {
        match (self, other) {
            (RulePort::All(mine), RulePort::All(theirs) | RulePort::Range { protocol: theirs, .. }) => mine == theirs,
            (
                RulePort::Range { protocol, first, sure_to, .. },
                RulePort::Range { protocol: theirs, first: from, last: to, .. },
            ) => protocol == theirs && first <= from && to <= sure_to,
            (RulePort::Named { protocol, name }, RulePort::Named { protocol: theirs, name: other }) => {
                name == other && (protocol.is_none() || protocol == theirs)
            }
            _ => false,
        }
    }
}

/// How many prefixes a range of ports is made of.
fn prefixes(first: u16, last: u16) -> usize {
    let (mut from, to) = (u32::from(first), u32::from(last) + 1);
    let mut count = 0;
    while from < to {
        let aligned = if from == 0 { 1 << 16 } else { 1_u32 << from.trailing_zeros() };
        let mut size = aligned;
        while from + size > to {
            size /= 2;
        }
        from += size;
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::prefixes;

    #[test]
    fn ranges_of_ports_are_made_of_prefixes() {
        assert_eq!([prefixes(80, 80), prefixes(0, u16::MAX), prefixes(1024, 2047), prefixes(1, 6)], [1, 1, 1, 4]);
    }
}
