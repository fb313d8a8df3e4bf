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

/// An end, and where it sits in the old one and in the new one.
type Place = (Party, Seat, Seat);

/// Compares pods that are in both, among each other, with nodes and with addresses outside.
pub fn difference(old: &Index, new: &Index) -> Difference {
    let mut out = Difference::default();
    /// The namespace, the classes before and after, whether it is on the host network, and then the nodes before and after.
    type Key = (String, Vec<ClassId>, Vec<ClassId>, bool, Option<(Option<u32>, Option<u32>)>);
    let mut groups: BTreeMap<Key, (Vec<String>, Seat, Seat)> = BTreeMap::new();
    for end in old.pods() {
        let End::Pod(namespace, name) = &end else { continue };
        match (old.pod(namespace, name), new.pod(namespace, name)) {
            (Some(before), Some(after)) => {
                let (Some((_, was)), Some((_, is))) = (before.seats.first(), after.seats.first()) else { continue };
                let classes = |pod: &crate::index::Pod| pod.seats.iter().map(|(_, seat)| seat.class).collect();
                let on_host = was.on_host || is.on_host;
                let nodes = on_host.then_some((was.node, is.node));
                let key = (namespace.clone(), classes(before), classes(after), on_host, nodes);
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
    let mut ends: Vec<Place> = groups
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
    for from in &ends {
        for to in &ends {
            let policed = [from.1, from.2, to.1, to.2].iter().any(|seat| seat.policed);
            if !policed || (from.0 == to.0 && matches!(&from.0, Party::Pods(_, names) if names.len() == 1)) {
                continue;
            }
            for (from, from_was, from_is) in parts(old, new, from, to) {
                for (to, to_was, to_is) in parts(old, new, to, &(from.clone(), from_was, from_is)) {
                    let before = old.ports_of_pair(from_was, to_was);
                    let after = new.ports_of_pair(from_is, to_is);
                    if before == after {
                        continue;
                    }
                    let gained = after.0.without(&before.0.either(&before.1));
                    let lost = before.0.without(&after.0.either(&after.1));
                    let unsure = before.1.either(&after.1).without(&before.1.both(&after.1));
                    out.changes.push(Change { from: from.clone(), to, gained, lost, unsure });
                }
            }
        }
    }
    out.changes = merged(out.changes);
    out
}

/// The pods of one end in groups: those next to the other one before, and after, together with where the first of them sits. What is no
/// group of pods stays whole.
fn parts(old: &Index, new: &Index, end: &Place, other: &Place) -> Vec<Place> {
    let (party, was, is) = end;
    let Party::Pods(namespace, names) = party else { return vec![end.clone()] };
    let (_, other_was, other_is) = other;
    if was.on_host || is.on_host || !(other_was.on_host || other_is.on_host) {
        return vec![end.clone()];
    }
    let mut out: BTreeMap<(bool, bool), (Vec<String>, Seat, Seat)> = BTreeMap::new();
    for name in names {
        let node = |index: &Index| {
            index.pod(namespace, name).and_then(|pod| pod.seats.first()).and_then(|(_, seat)| seat.node)
        };
        let (was, is) = (Seat { node: node(old), ..*was }, Seat { node: node(new), ..*is });
        let key = (was.is_next_to(other_was), is.is_next_to(other_is));
        out.entry(key).or_insert_with(|| (Vec::new(), was, is)).0.push(name.clone());
    }
    out.into_values().map(|(names, was, is)| (Party::Pods(namespace.clone(), names), was, is)).collect()
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
