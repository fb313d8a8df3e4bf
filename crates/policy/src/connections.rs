//! Who may talk to whom on which ports, with everybody who is treated alike in one line.

use crate::classes::{ClassId, ClassKey, Who};
use crate::ends::{End, Verdict};
use crate::families::Seats;
use crate::index::{Index, Seat};
use crate::ports::PortSet;
use crate::rows::Outcome;
use crate::sets::Member;
use causeway_addr::{Cidr, Family};
use causeway_model::design::Protocol;
use causeway_model::policy::Direction;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

/// Somebody at the end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// Pods that policies do not tell apart: namespace, names.
    Pods(String, Vec<String>),
    /// Addresses of no pod or node, from first to last.
    Outside(IpAddr, IpAddr),
    /// A pod that nobody has seen, as some selector would have it.
    Unseen(String),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Pods(namespace, names) => match names.as_slice() {
                [only] => write!(f, "{namespace}/{only}"),
                names => {
                    let shared = shared_start(names);
                    write!(f, "{namespace}/{shared}* ({} pods)", names.len())
                }
            },
            Party::Outside(first, last) => write!(f, "{first}-{last}[External]"),
            Party::Unseen(what) => f.write_str(what),
        }
    }
}

fn shared_start(names: &[String]) -> &str {
    let Some((first, rest)) = names.split_first() else { return "" };
    let length = rest.iter().fold(first.len(), |length, name| {
        first.bytes().zip(name.bytes()).take(length).take_while(|(one, other)| one == other).count()
    });
    first.get(..length).unwrap_or("")
}

/// What may go from one to the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection {
    /// Who sends.
    pub from: Party,
    /// Who receives.
    pub to: Party,
    /// Ports that are let through.
    pub ports: PortSet,
    /// Ports of which it is not known.
    pub unsure: PortSet,
    /// The address family, where it is not the same in every family that both have.
    pub family: Option<Family>,
}

/// Ports of a protocol on which the same classes are let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The protocol; ICMP stands for every one without ports.
    pub protocol: Protocol,
    /// The first port.
    pub first: u16,
    /// The last one.
    pub last: u16,
    /// Who is let through.
    pub outcome: Outcome,
}

/// Everything that is allowed between pods, and between pods and the outside: connections of a pod to itself are left out, and so
/// is what runs on a node's network. It is asked in every family both ends have, or in the one that is given; ends without one in
/// common have no connection.
pub fn connections(index: &Index, family: Option<Family>) -> Vec<Connection> {
    let parties = parties(index, family);
    let ends: Vec<(Party, Seats)> = parties.into_iter().chain(outside(index, &[])).collect();
    let ends: Vec<(Party, Seats)> = ends.into_iter().map(|(party, seats)| (party, seats.narrowed(family))).collect();
    let mut out = Vec::new();
    for (from, of) in &ends {
        for (to, other) in &ends {
            let alone = matches!(from, Party::Pods(_, names) if names.len() == 1);
            if (from == to && alone) || !(of.any(|seat| seat.policed) || other.any(|seat| seat.policed)) {
                continue;
            }
            for (family, (ports, unsure)) in of.with(other, |_, of, other| index.ports_listed(of, other)) {
                if !(ports.is_empty() && unsure.is_empty()) {
                    out.push(Connection { from: from.clone(), to: to.clone(), ports, unsure, family });
                }
            }
        }
    }
    tidy(out)
}

/// What an ingress controller nobody has seen may send to the pods behind services that Ingresses and routes name: target ports, by
/// namespace and name of the pod.
pub fn from_ingress_controller(
    index: &Index,
    targets: &BTreeMap<(String, String), PortSet>,
    family: Option<Family>,
) -> Vec<Connection> {
    let (with, stranger) = crate::exposure::with_stranger(index);
    let stranger = stranger.narrowed(family);
    let mut out = Vec::new();
    for (party, _) in parties(index, family) {
        let Party::Pods(namespace, names) = &party else { continue };
        let asked = names.iter().filter_map(|name| targets.get(&(namespace.clone(), name.clone())));
        let asked = asked.fold(PortSet::default(), |all, ports| all.either(ports));
        let end = names.first().map(|name| End::Pod(namespace.clone(), name.clone()));
        let Some(end) = end.filter(|_| !asked.is_empty()) else { continue };
        let answers = stranger.with(&Seats::of_end(&with, &end, with.spoken()), |_, stranger, seat| {
            let (ports, unsure) = with.ports_between(stranger, seat);
            (ports.both(&asked), unsure.both(&asked))
        });
        for (family, (ports, unsure)) in answers {
            if !(ports.is_empty() && unsure.is_empty()) {
                let from = Party::Unseen("{ingress-controller}".to_owned());
                out.push(Connection { from, to: party.clone(), ports, unsure, family });
            }
        }
    }
    out
}

/// Pods with an address of their own, those of one namespace and class together: of every family, or of one.
pub(crate) fn parties(index: &Index, family: Option<Family>) -> Vec<(Party, Seats)> {
    /// Names of pods, and where the first of them sits.
    type Group = (Vec<String>, Seats);
    let mut groups: BTreeMap<(&str, Vec<ClassId>), Group> = BTreeMap::new();
    let spoken = index.spoken();
    for (namespace, pods) in &index.pods {
        for (name, pod) in pods.iter().filter(|(_, pod)| !pod.info.host_network) {
            let seats = Seats::of_pod(index, pod, spoken).narrowed(family);
            if seats.is_empty() {
                continue;
            }
            let classes = seats.iter().map(|(_, seat)| seat.class).collect();
            let (names, _) = groups.entry((namespace.as_str(), classes)).or_insert_with(|| (Vec::new(), seats));
            names.push(name.clone());
        }
    }
    let mut out: Vec<(Party, Seats)> = groups
        .into_iter()
        .map(|((namespace, _), (names, seats))| (Party::Pods(namespace.to_owned(), names), seats))
        .collect();
    out.sort_by(|(one, _), (other, _)| one.cmp(other));
    out
}

/// Addresses outside, in stretches no policy tells apart. More prefixes to cut at may be given.
pub(crate) fn outside(index: &Index, more: &[Cidr]) -> Vec<(Party, Seats)> {
    let used: Vec<Cidr> = index.prefixes().chain(more.iter().copied()).collect();
    let all = Family::ALL.into_iter().flat_map(|family| {
        let stretches = stretches(index, &used, family).into_iter();
        stretches.map(move |(first, last, seat)| (Party::Outside(first, last), Seats::of([(family, seat)])))
    });
    all.collect()
}

/// Addresses of a family outside, in stretches no policy tells apart and none of the prefixes cuts.
pub(crate) fn stretches(index: &Index, cuts: &[Cidr], family: Family) -> Vec<(IpAddr, IpAddr, Seat)> {
    let all = family.everything();
    let used = index.prefixes().chain(index.ranges_of_unseen()).chain(cuts.iter().copied());
    let mut starts = BTreeSet::from([all.first()]);
    for prefix in used.filter(|prefix| prefix.family() == family) {
        starts.insert(prefix.first());
        starts.extend(next(prefix.last()));
    }
    let starts: Vec<IpAddr> = starts.into_iter().collect();
    let mut out = Vec::new();
    for (at, first) in starts.iter().enumerate() {
        let last = starts.get(at + 1).and_then(|next| previous(*next)).unwrap_or(all.last());
        out.extend(index.outside_seat(*first).map(|seat| (*first, last, seat)));
    }
    out
}

fn next(address: IpAddr) -> Option<IpAddr> {
    let all = Family::of(address).everything();
    all.nth(all.index_of(address)?.checked_add(1)?)
}

fn previous(address: IpAddr) -> Option<IpAddr> {
    let all = Family::of(address).everything();
    all.nth(all.index_of(address)?.checked_sub(1)?)
}

/// Neighbouring stretches outside that may do the same become one.
pub(crate) fn tidy(connections: Vec<Connection>) -> Vec<Connection> {
    let mut out: Vec<Connection> = Vec::new();
    let mut sorted = connections;
    // Stretches of one pod and one direction stand one after the other.
    sorted.sort_by_key(|connection| match (&connection.from, &connection.to) {
        (Party::Outside(first, _), pod) => (0, Some(pod.clone()), Some(*first)),
        (pod, Party::Outside(first, _)) => (1, Some(pod.clone()), Some(*first)),
        _ => (2, None, None),
    });
    for connection in sorted {
        let Some(last) = out.last_mut() else {
            out.push(connection);
            continue;
        };
        let same =
            last.ports == connection.ports && last.unsure == connection.unsure && last.family == connection.family;
        let follows = |one: &Party, other: &Party| match (one, other) {
            (Party::Outside(_, last), Party::Outside(first, _)) => next(*last) == Some(*first),
            _ => false,
        };
        if same && last.to == connection.to && follows(&last.from, &connection.from) {
            last.from = joined(&last.from, &connection.from);
        } else if same && last.from == connection.from && follows(&last.to, &connection.to) {
            last.to = joined(&last.to, &connection.to);
        } else {
            out.push(connection);
        }
    }
    out.sort_by_cached_key(|connection| (connection.from.to_string(), connection.to.to_string(), connection.family));
    out
}

fn joined(one: &Party, other: &Party) -> Party {
    match (one, other) {
        (Party::Outside(first, _), Party::Outside(_, last)) => Party::Outside(*first, *last),
        _ => one.clone(),
    }
}

/// Ports that both directions let through, and those of which it is not known.
fn both_ways(egress: (PortSet, PortSet), ingress: (PortSet, PortSet)) -> (PortSet, PortSet) {
    let allowed = egress.0.both(&ingress.0);
    let possible = egress.0.either(&egress.1).both(&ingress.0.either(&ingress.1));
    let unsure = possible.without(&allowed);
    (allowed, unsure)
}

impl Index {
    /// The seat of an address that nobody has who is known.
    pub(crate) fn outside_seat(&self, address: IpAddr) -> Option<Seat> {
        let in_any = |ranges: &[Cidr]| ranges.iter().any(|range| range.contains(address));
        let (pod, node) =
            self.unseen.as_ref().map_or((false, false), |unseen| (in_any(&self.pod_ranges), in_any(&unseen.nodes)));
        let who = if pod || node { Who::Unseen { pod, node } } else { Who::Outside };
        let class = self.classes.find(&ClassKey { who, at: self.at(address) })?;
        Some(Seat { class, policed: false, on_host: false, node: None })
    }

    /// The same of what is outside, or may be: what only a pod or node could do that nobody has seen is left out.
    pub(crate) fn ports_listed(&self, from: Seat, to: Seat) -> (PortSet, PortSet) {
        let plain = (self.if_outside(from), self.if_outside(to));
        if matches!(plain, (None, None)) {
            return self.ports_between(from, to);
        }
        let (plain_from, plain_to) = (plain.0.unwrap_or(from), plain.1.unwrap_or(to));
        let outside = self.ports_between(plain_from, plain_to);
        // Its own policies, if it has any, are not what is asked about what is outside.
        let egress = self.ports_one_way(plain_from, to, Direction::Egress);
        let ingress = self.ports_one_way(plain_to, from, Direction::Ingress);
        let (ports, unsure) = both_ways(egress, ingress);
        (ports, unsure.both(&outside.0.either(&outside.1)))
    }

    /// The ports one may talk to the other on, and those of which it is not known. A pod and its own node are not asked here.
    pub fn ports_between(&self, from: Seat, to: Seat) -> (PortSet, PortSet) {
        let egress = self.ports_one_way(from, to, Direction::Egress);
        let ingress = self.ports_one_way(to, from, Direction::Ingress);
        both_ways(egress, ingress)
    }

    /// The same, of a pod and its own node too.
    pub(crate) fn ports_of_pair(&self, from: Seat, to: Seat) -> (PortSet, PortSet) {
        if self.next_to(&from, &to) == Member::No {
            return self.ports_between(from, to);
        }
        let mut cuts = BTreeSet::new();
        for (seat, direction) in [(from, Direction::Egress), (to, Direction::Ingress)] {
            if let Some(class) = self.classes.get(seat.class).filter(|_| seat.policed) {
                cuts.extend(self.cuts(class, direction));
            }
        }
        let starts: Vec<(Protocol, u16)> = cuts.into_iter().collect();
        let (mut allowed, mut unsure) = (PortSet::default(), PortSet::default());
        for (at, (protocol, first)) in starts.iter().enumerate() {
            let next = starts.get(at + 1).filter(|(next, _)| next == protocol);
            let last = next.map_or(u16::MAX, |(_, next)| next.saturating_sub(1));
            match self.verdict_between(from, to, *protocol, *first) {
                Verdict::Allowed => allowed.push(*protocol, *first, last),
                Verdict::Uncertain => unsure.push(*protocol, *first, last),
                Verdict::Denied => {}
            }
        }
        (allowed, unsure)
    }

    fn ports_one_way(&self, of: Seat, other: Seat, direction: Direction) -> (PortSet, PortSet) {
        if !of.policed && self.is_spoken_of(of, direction) {
            return (PortSet::default(), PortSet::all());
        }
        let row = self.classes.get(of.class).filter(|_| of.policed).and_then(|class| self.row(class, direction));
        let Some(row) = row else { return (PortSet::all(), PortSet::default()) };
        let (mut allowed, mut unsure) = (PortSet::default(), PortSet::default());
        for (protocol, first, last, outcome) in row.stretches() {
            match outcome.of(other.class) {
                Verdict::Allowed => allowed.push(protocol, first, last),
                Verdict::Uncertain => unsure.push(protocol, first, last),
                Verdict::Denied => {}
            }
        }
        (allowed, unsure)
    }

    /// What the policies about an end say of a direction: stretches of ports, each with the classes at the other end that are let
    /// through. `None` for ends no policy is about. What compiles policies to rules starts here, with [`Index::seat`] for each address.
    pub fn stretches(&self, of: &End, direction: Direction) -> Option<Vec<Stretch>> {
        let seat = self.seat(of, None).filter(|seat| seat.policed)?;
        let class = self.classes.get(seat.class)?;
        self.rules_of(class, direction).next()?;
        let row = self.row(class, direction)?;
        let stretch = |(protocol, first, last, outcome): (_, _, _, &Outcome)| Stretch {
            protocol,
            first,
            last,
            outcome: outcome.clone(),
        };
        Some(row.stretches().map(stretch).collect())
    }

    /// Every pod, by namespace and name.
    pub fn pods(&self) -> impl Iterator<Item = End> {
        self.pods
            .iter()
            .flat_map(|(namespace, pods)| pods.keys().map(move |name| End::Pod(namespace.clone(), name.clone())))
    }

    /// Every node, by name.
    pub fn nodes(&self) -> impl Iterator<Item = End> {
        self.nodes.keys().map(|name| End::Node(name.clone()))
    }
}
