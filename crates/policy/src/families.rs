//! Ends with addresses of several families: what is asked is asked in each family that both ends have.

use crate::connections::parties;
use crate::ends::End;
use crate::index::{Index, Pod, Seat};
use causeway_addr::Family;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Where somebody sits, by family, each family once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seats(Vec<(Family, Seat)>);

impl Seats {
    /// Of a pod, a node or an address: the first address of each family counts.
    pub(crate) fn of(all: impl IntoIterator<Item = (Family, Seat)>) -> Seats {
        let mut out: Vec<(Family, Seat)> = Vec::new();
        for (family, seat) in all {
            if out.iter().all(|(known, _)| *known != family) {
                out.push((family, seat));
            }
        }
        out.sort_by_key(|(family, _)| *family);
        Seats(out)
    }

    /// Of a pod, a node or an address. `spoken` is what [`Index::spoken`] says.
    pub(crate) fn of_end(index: &Index, end: &End, spoken: &[Family]) -> Seats {
        if let End::Pod(namespace, name) = end {
            return index.pod(namespace, name).map_or(Seats::default(), |pod| Seats::of_pod(index, pod, spoken));
        }
        let families = index.families(end);
        Seats::of(families.into_iter().filter_map(|family| Some((family, index.seat(end, Some(family))?))))
    }

    pub(crate) fn of_pod(index: &Index, pod: &Pod, spoken: &[Family]) -> Seats {
        let known = pod.seats.iter().copied();
        if !pod.info.ips.is_empty() || !index.pod_ranges.is_empty() {
            return Seats::of(known);
        }
        // Nobody says which families it will have.
        let somewhere = pod.seats.first().map(|(_, seat)| *seat);
        Seats::of(known.chain(spoken.iter().filter_map(|family| Some((*family, somewhere?)))))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Family, Seat)> {
        self.0.iter().copied()
    }

    pub(crate) fn in_family(&self, family: Family) -> Option<Seat> {
        self.iter().find(|(known, _)| *known == family).map(|(_, seat)| seat)
    }

    /// Only what is of a family, where one was asked for.
    pub(crate) fn narrowed(self, family: Option<Family>) -> Seats {
        Seats(self.0.into_iter().filter(|(known, _)| family.is_none_or(|family| family == *known)).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn any(&self, asked: impl Fn(&Seat) -> bool) -> bool {
        self.0.iter().any(|(_, seat)| asked(seat))
    }

    /// What is said of a pair, in each family both have; one answer without a family where all of them are the same.
    pub(crate) fn with<T: PartialEq>(
        &self,
        other: &Seats,
        mut ask: impl FnMut(Family, Seat, Seat) -> T,
    ) -> Vec<(Option<Family>, T)> {
        let both = self.iter().filter_map(|(family, seat)| Some((family, seat, other.in_family(family)?)));
        once(both.map(|(family, seat, other)| (family, ask(family, seat, other))).collect())
    }
}

/// Answers by family; without one where all are the same.
pub(crate) fn once<T: PartialEq>(answers: Vec<(Family, T)>) -> Vec<(Option<Family>, T)> {
    let same = answers.iter().all(|(_, answer)| answers.first().is_some_and(|(_, first)| first == answer));
    let all = answers.into_iter().map(|(family, answer)| (Some(family), answer));
    if same { all.take(1).map(|(_, answer)| (None, answer)).collect() } else { all.collect() }
}

/// The word people write for a family.
pub fn word(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}

impl Index {
    /// Families of which there is an address of a pod, or a prefix in a policy.
    pub(crate) fn spoken(&self) -> &'static [Family] {
        let of_pods = || self.pods.values().flat_map(BTreeMap::values).flat_map(|pod| &pod.info.ips);
        let v6 = self.prefixes().any(|prefix| prefix.is_v6()) || of_pods().any(IpAddr::is_ipv6);
        if v6 { &Family::ALL } else { &[Family::V4] }
    }

    /// Pods that have no address of a family, by namespace and name. Where the address is not known, the ranges of pods say the family.
    pub fn without(&self, family: Family) -> Vec<String> {
        let all =
            self.pods.iter().flat_map(|(namespace, pods)| pods.iter().map(move |(name, pod)| (namespace, name, pod)));
        let spoken = self.spoken();
        all.filter(|(.., pod)| Seats::of_pod(self, pod, spoken).in_family(family).is_none())
            .map(|(namespace, name, _)| format!("{namespace}/{name}"))
            .collect()
    }

    /// Whether somebody has, or may have, an address of a family.
    pub fn may_have(&self, end: &End, family: Family) -> bool {
        let open = match end {
            End::Pod(namespace, name) => self.pod(namespace, name).is_some_and(|pod| pod.info.ips.is_empty()),
            End::Node(_) | End::Address(_) => false,
        };
        (open && self.pod_ranges.is_empty()) || Seats::of_end(self, end, &[]).in_family(family).is_some()
    }

    /// Two groups of pods that have no address family in common, if there are any: nothing is said of such pairs.
    pub fn strangers(&self) -> Option<(String, String)> {
        let all = parties(self, None);
        let (first, rest) = all.split_first()?;
        // If the first meets everybody in a family, two others may still be strangers: one of each family.
        let apart = |one: &Seats, other: &Seats| one.iter().all(|(family, _)| other.in_family(family).is_none());
        let pair =
            |one: &(crate::Party, Seats), other: &(crate::Party, Seats)| (one.0.to_string(), other.0.to_string());
        if let Some(other) = rest.iter().find(|other| apart(&first.1, &other.1)) {
            return Some(pair(first, other));
        }
        let only = |family: Family| all.iter().find(|(_, seats)| seats.iter().all(|(known, _)| known == family));
        Some(pair(only(Family::V4)?, only(Family::V6)?))
    }
}
