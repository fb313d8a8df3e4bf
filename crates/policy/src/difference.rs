//! What two states of a cluster, or two engines, let through differently.

use crate::classes::ClassId;
use crate::connections::{Connection, Party, outside};
use crate::ends::End;
use crate::index::{Index, Seat};
use crate::ports::PortSet;
use causeway_addr::Cidr;
use std::collections::BTreeMap;

/// A pair whose connections differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Who sends.
    pub from: Party,
    /// Who receives.
    pub to: Party,
    /// Let through in the new one only.
    pub gained: PortSet,
    /// Let through in the old one only.
    pub lost: PortSet,
    /// Certain in one and not in the other.
    pub unsure: PortSet,
}

/// What differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Pairs, by name.
    pub changes: Vec<Change>,
    /// Pods that only the old one has.
    pub gone: Vec<String>,
    /// Pods that only the new one has; what they may do is in no pair.
    pub new: Vec<String>,
}

/// Compares pods that are in both, among each other, with nodes and with addresses outside.
pub fn difference(old: &Index, new: &Index) -> Difference {
    let mut out = Difference::default();
    /// The namespace, the classes before and after, and whether it is on the host network.
    type Key = (String, Vec<ClassId>, Vec<ClassId>, bool);
    let mut groups: BTreeMap<Key, (Vec<String>, Seat, Seat)> = BTreeMap::new();
    for end in old.pods() {
        let End::Pod(namespace, name) = &end else { continue };
        match (old.pod(namespace, name), new.pod(namespace, name)) {
            (Some(before), Some(after)) => {
                let (Some((_, was)), Some((_, is))) = (before.seats.first(), after.seats.first()) else { continue };
                let classes = |pod: &crate::index::Pod| pod.seats.iter().map(|(_, seat)| seat.class).collect();
                let key = (namespace.clone(), classes(before), classes(after), was.on_host || is.on_host);
                let group = groups.entry(key).or_insert_with(|| (Vec::new(), *was, *is));
                group.0.push(name.clone());
            }
            _ => out.gone.push(format!("{namespace}/{name}")),
        }
    }
    for end in new.pods() {
        if let End::Pod(namespace, name) = &end
            && old.pod(namespace, name).is_none()
        {
            out.new.push(format!("{namespace}/{name}"));
        }
    }
    let mut ends: Vec<(Party, Seat, Seat)> = groups
        .into_iter()
        .map(|((namespace, ..), (names, was, is))| (Party::Pods(namespace, names), was, is))
        .collect();
    for end in old.nodes() {
        if let (Some(was), Some(is)) = (old.seat(&end, None), new.seat(&end, None)) {
            ends.push((Party::Unseen(end.to_string()), was, is));
        }
    }
    let cuts: Vec<Cidr> = old.prefixes().chain(new.prefixes()).collect();
    let is: BTreeMap<Party, Seat> = outside(new, &cuts).into_iter().collect();
    for (party, was) in outside(old, &cuts) {
        if let Some(is) = is.get(&party) {
            ends.push((party, was, *is));
        }
    }
    for (from, from_was, from_is) in &ends {
        for (to, to_was, to_is) in &ends {
            let policed = [from_was, from_is, to_was, to_is].iter().any(|seat| seat.policed);
            if !policed || (from == to && matches!(from, Party::Pods(_, names) if names.len() == 1)) {
                continue;
            }
            let before = old.ports_between(*from_was, *to_was);
            let after = new.ports_between(*from_is, *to_is);
            if before == after {
                continue;
            }
            let gained = after.0.without(&before.0.either(&before.1));
            let lost = before.0.without(&after.0.either(&after.1));
            let unsure = before.1.either(&after.1).without(&before.1.both(&after.1));
            out.changes.push(Change { from: from.clone(), to: to.clone(), gained, lost, unsure });
        }
    }
    own_nodes(old, new, &mut out.changes);
    out.changes = merged(out.changes);
    out
}

/// Pods and their own nodes, of which engines differ.
fn own_nodes(old: &Index, new: &Index, out: &mut Vec<Change>) {
    use crate::ends::Verdict;
    use causeway_model::design::Protocol;
    if old.dialect().own_node_is_open == new.dialect().own_node_is_open {
        return;
    }
    for end in old.pods() {
        let (Some(was), Some(is)) = (old.seat(&end, None), new.seat(&end, None)) else { continue };
        let (End::Pod(namespace, name), Some(node), true) = (&end, was.node, was.policed) else { continue };
        let node = End::Node(old.words.text(node).to_owned());
        let (Some(node_was), Some(node_is)) = (old.seat(&node, None), new.seat(&node, None)) else { continue };
        // One port no rule names stands for what no rule allows.
        let ask = |index: &Index, pod: Seat, node: Seat| index.verdict_between(pod, node, Protocol::Tcp, 1);
        let (before, after) = (ask(old, was, node_was), ask(new, is, node_is));
        if before == after {
            continue;
        }
        let all = || PortSet::all();
        let none = PortSet::default;
        let (gained, lost, unsure) = match (before, after) {
            (Verdict::Denied, Verdict::Allowed) => (all(), none(), none()),
            (Verdict::Allowed, Verdict::Denied) => (none(), all(), none()),
            _ => (none(), none(), all()),
        };
        let from = Party::Pods(namespace.clone(), vec![name.clone()]);
        let to = Party::Unseen(format!("{node} (its own node, where no rule allows it)"));
        out.push(Change { from, to, gained, lost, unsure });
    }
}

/// Neighbouring stretches outside with the same change become one.
fn merged(changes: Vec<Change>) -> Vec<Change> {
    let mut kinds: BTreeMap<(PortSet, PortSet, PortSet), Vec<Connection>> = BTreeMap::new();
    for change in changes {
        let key = (change.gained, change.lost, change.unsure);
        let all = PortSet::default();
        kinds.entry(key).or_default().push(Connection {
            from: change.from,
            to: change.to,
            ports: all.clone(),
            unsure: all,
        });
    }
    let mut out: Vec<Change> = kinds
        .into_iter()
        .flat_map(|((gained, lost, unsure), pairs)| {
            crate::connections::tidy(pairs).into_iter().map(move |pair| Change {
                from: pair.from,
                to: pair.to,
                gained: gained.clone(),
                lost: lost.clone(),
                unsure: unsure.clone(),
            })
        })
        .collect();
    out.sort_by_cached_key(|change| (change.from.to_string(), change.to.to_string()));
    out
}
