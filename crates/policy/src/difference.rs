//! What two states of a cluster, or two engines, let through differently.

use crate::classes::ClassId;
use crate::connections::{Connection, Party, outside};
use crate::ends::End;
use crate::families::{Seats, once};
use crate::index::{Index, Seat};
use crate::ports::PortSet;
use crate::sets::Member;
use causeway_addr::{Cidr, Family};
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
    /// The address family, where the change is not the same in every family that both have.
    pub family: Option<Family>,
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
    /// Pods that have an address of a family in one of the two only: of that family nothing is compared.
    pub other_families: Vec<String>,
}

/// An end, and where it sits in the old one and in the new one, by family.
type Place = (Party, Seats, Seats);

/// Compares pods that are in both, among each other, with nodes and with addresses outside: in every family both ends have before and
/// after, or in the one that is given.
pub fn difference(old: &Index, new: &Index, family: Option<Family>) -> Difference {
    let mut out = Difference::default();
    /// The namespace, the classes before and after, whether it is on the host network, and then the nodes before and after.
    type Key = (String, Vec<ClassId>, Vec<ClassId>, bool, Option<(Option<u32>, Option<u32>)>);
    let mut groups: BTreeMap<Key, (Vec<String>, Seats, Seats)> = BTreeMap::new();
    let (spoken_before, spoken_after) = (old.spoken(), new.spoken());
    let spoken: &[Family] = if spoken_before.len() > spoken_after.len() { spoken_before } else { spoken_after };
    for end in old.pods() {
        let End::Pod(namespace, name) = &end else { continue };
        match (old.pod(namespace, name), new.pod(namespace, name)) {
            (Some(before), Some(after)) => {
                let (was, is) = (Seats::of_pod(old, before, spoken), Seats::of_pod(new, after, spoken));
                if was.iter().map(|(family, _)| family).ne(is.iter().map(|(family, _)| family)) {
                    out.other_families.push(format!("{namespace}/{name}"));
                }
                let classes = |seats: &Seats| seats.iter().map(|(_, seat)| seat.class).collect();
                let node = |seats: &Seats| seats.iter().next().and_then(|(_, seat)| seat.node);
                let on_host = [&was, &is].into_iter().any(|seats| seats.any(|seat| seat.on_host));
                let nodes = on_host.then_some((node(&was), node(&is)));
                let key = (namespace.clone(), classes(&was), classes(&is), on_host, nodes);
                let group = groups.entry(key).or_insert_with(|| (Vec::new(), was, is));
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
        let (was, is) = (Seats::of_end(old, &end, spoken), Seats::of_end(new, &end, spoken));
        if !was.is_empty() && !is.is_empty() {
            ends.push((Party::Unseen(end.to_string()), was, is));
        }
    }
    let cuts: Vec<Cidr> = [old, new].iter().flat_map(|of| of.prefixes().chain(of.ranges_of_unseen())).collect();
    let is: BTreeMap<Party, Seats> = outside(new, &cuts).into_iter().collect();
    for (party, was) in outside(old, &cuts) {
        if let Some(is) = is.get(&party) {
            ends.push((party, was, is.clone()));
        }
    }
    for (_, was, is) in &mut ends {
        *was = std::mem::take(was).narrowed(family);
        *is = std::mem::take(is).narrowed(family);
    }
    for from in &ends {
        for to in &ends {
            let policed = [&from.1, &from.2, &to.1, &to.2].iter().any(|seats| seats.any(|seat| seat.policed));
            if !policed || (from.0 == to.0 && matches!(&from.0, Party::Pods(_, names) if names.len() == 1)) {
                continue;
            }
            for from in parts(old, new, from, to) {
                for to in parts(old, new, to, &from) {
                    let changes = Family::ALL.into_iter().filter_map(|family| {
                        let of = |place: &Place| Some((place.1.in_family(family)?, place.2.in_family(family)?));
                        let ((from_was, from_is), (to_was, to_is)) = (of(&from)?, of(&to)?);
                        Some((family, (old.ports_of_pair(from_was, to_was), new.ports_of_pair(from_is, to_is))))
                    });
                    for (family, (before, after)) in once(changes.collect()) {
                        if before == after {
                            continue;
                        }
                        let gained = after.0.without(&before.0.either(&before.1));
                        let lost = before.0.without(&after.0.either(&after.1));
                        let unsure = before.1.either(&after.1).without(&before.1.both(&after.1));
                        out.changes.push(Change {
                            from: from.0.clone(),
                            to: to.0.clone(),
                            gained,
                            lost,
                            unsure,
                            family,
                        });
                    }
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
    let on_host = |one: &Seats, other: &Seats| one.any(|seat| seat.on_host) || other.any(|seat| seat.on_host);
    let may_be_node = old.unseen.is_some() && matches!(other.0, Party::Outside(..));
    if on_host(was, is) || !(on_host(other_was, other_is) || may_be_node) {
        return vec![end.clone()];
    }
    let mut out: BTreeMap<(Member, Member), (Vec<String>, Seats, Seats)> = BTreeMap::new();
    for name in names {
        let moved = |index: &Index, seats: &Seats| {
            let known = index.pod(namespace, name).and_then(|pod| pod.seats.first());
            let node = known.and_then(|(_, seat)| seat.node);
            Seats::of(seats.iter().map(|(family, seat)| (family, Seat { node, ..seat })))
        };
        let (was, is) = (moved(old, was), moved(new, is));
        let next = |index: &Index, seats: &Seats, other: &Seats| {
            let all = seats.iter().flat_map(|(family, seat)| Some(index.next_to(&seat, &other.in_family(family)?)));
            all.max().unwrap_or(Member::No)
        };
        let key = (next(old, &was, other_was), next(new, &is, other_is));
        out.entry(key).or_insert_with(|| (Vec::new(), was, is)).0.push(name.clone());
    }
    out.into_values().map(|(names, was, is)| (Party::Pods(namespace.clone(), names), was, is)).collect()
}

/// Neighbouring stretches outside with the same change become one.
fn merged(changes: Vec<Change>) -> Vec<Change> {
    let mut kinds: BTreeMap<(PortSet, PortSet, PortSet), Vec<Connection>> = BTreeMap::new();
    for change in changes {
        let (key, family) = ((change.gained, change.lost, change.unsure), change.family);
        let all = PortSet::default();
        kinds.entry(key).or_default().push(Connection {
            from: change.from,
            to: change.to,
            ports: all.clone(),
            unsure: all,
            family,
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
                family: pair.family,
            })
        })
        .collect();
    out.sort_by_cached_key(|change| (change.from.to_string(), change.to.to_string(), change.family));
    out
}
