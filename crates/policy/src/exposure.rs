//! What somebody nobody has seen could reach: an address outside, or a pod that may be made tomorrow.

use crate::connections::{Connection, Party, outside, parties};
use crate::ends::{End, Event, PodInfo};
use crate::families::Seats;
use crate::index::{Index, Seat};
use crate::ports::PortSet;
use causeway_addr::Family;
use causeway_model::policy::*;
use std::collections::{BTreeMap, BTreeSet};

/// Who is exposed to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// From the unseen to pods.
    pub inward: Vec<Connection>,
    /// From pods to the unseen.
    pub outward: Vec<Connection>,
    /// Pods that no policy selects, by direction: open to everybody.
    pub open: BTreeMap<Direction, Vec<String>>,
}

/// A pod of a namespace nobody has seen, without a label.
const STRANGER: &str = "any pod of any namespace";
/// No namespace is called so: dots may not be in its name.
const PLACE: &str = "unseen.";

/// Asks who is exposed: one representative for every combination of selectors that a rule has, one pod that none of them means, and
/// all addresses outside. It is asked in every family both ends have, or in the one that is given.
pub fn exposure(index: &Index, family: Option<Family>) -> Exposure {
    let mut with = index.clone();
    let mut unseen: Vec<(Party, Seats)> = Vec::new();
    let mut guests = vec![(STRANGER.to_owned(), PLACE.to_owned(), BTreeMap::new(), BTreeMap::new())];
    for set in peers(index) {
        let named = |selector: &Selector, all: &str| match selector.is_everything() {
            true => all.to_owned(),
            false => format!("with {selector}"),
        };
        let (where_, place, namespace_labels) = match &set.namespaces {
            Namespaces::Named(name) => (format!("of namespace {name}"), name.clone(), None),
            Namespaces::Matching(selector) if selector.is_everything() => {
                ("of any namespace".to_owned(), PLACE.to_owned(), None)
            }
            Namespaces::Matching(selector) => {
                let Some(labels) = satisfying(selector) else { continue };
                let place = labels.get("kubernetes.io/metadata.name").cloned();
                let place = place.unwrap_or_else(|| format!("{PLACE}{selector}"));
                (format!("of namespaces with {selector}"), place, Some(labels))
            }
        };
        let Some(labels) = satisfying(&set.pods) else { continue };
        let what =
            format!("pods {} {where_}", named(&set.pods, "of any label")).replace("pods of any label", "any pod");
        guests.push((what, place, namespace_labels.unwrap_or_default(), labels));
    }
    for (at, (what, place, namespace_labels, labels)) in guests.into_iter().enumerate() {
        if !with.namespaces.contains_key(&place) && !with.pods.contains_key(&place) {
            with.apply(Event::Namespace(place.clone(), namespace_labels));
        }
        let name = format!("unseen.{at}");
        let pod = PodInfo {
            namespace: place.clone(),
            name: name.clone(),
            labels,
            ips: Vec::new(),
            node: None,
            host_network: false,
            ports: BTreeMap::new(),
        };
        with.apply(Event::Pod(pod));
        // Its own policies are not the question: it has none yet.
        unseen.push((Party::Unseen(what), not_policed(&with, &End::Pod(place, name))));
    }
    let strangers: Vec<(Party, Seats)> = unseen.into_iter().chain(outside(&with, &[])).collect();
    let strangers: Vec<(Party, Seats)> =
        strangers.into_iter().map(|(party, seats)| (party, seats.narrowed(family))).collect();
    let spoken = with.spoken();
    let pods: Vec<(Party, Seats)> = parties(index, family)
        .into_iter()
        .map(|(party, _)| {
            let seats = first_of(&party).map(|end| Seats::of_end(&with, &end, spoken)).unwrap_or_default();
            (party, seats)
        })
        .collect();
    let stranger = strangers.first().map(|(_, seats)| seats.clone()).unwrap_or_default();
    let ask = |inward: bool| {
        let mut out = Vec::new();
        for (party, seats) in &pods {
            let ports = |seat: Seat, other: Seat| match inward {
                true => with.ports_listed(other, seat),
                false => with.ports_listed(seat, other),
            };
            for (other, other_seats) in &strangers {
                let is_first = *other_seats == stranger;
                let answers = seats.with(other_seats, |family, seat, other_seat| {
                    let (open, unsure) = ports(seat, other_seat);
                    // What everybody may needs no saying again.
                    let known = match (stranger.in_family(family), other) {
                        (Some(stranger), Party::Unseen(_)) if !is_first => ports(seat, stranger).0,
                        _ => PortSet::default(),
                    };
                    (open.without(&known), unsure)
                });
                for (family, (ports, unsure)) in answers {
                    if ports.is_empty() && unsure.is_empty() {
                        continue;
                    }
                    let (from, to) = if inward { (other, party) } else { (party, other) };
                    out.push(Connection { from: from.clone(), to: to.clone(), ports, unsure, family });
                }
            }
        }
        crate::connections::tidy(out)
    };
    let open = Direction::ALL.into_iter().map(|direction| (direction, index.unselected(direction))).collect();
    Exposure { inward: ask(true), outward: ask(false), open }
}

/// The index with one more pod that no selector means unless it means everybody, and where it sits. Its own policies are not the question.
pub(crate) fn with_stranger(index: &Index) -> (Index, Seats) {
    let mut with = index.clone();
    with.apply(Event::Namespace(PLACE.to_owned(), BTreeMap::new()));
    let pod = PodInfo {
        namespace: PLACE.to_owned(),
        name: "unseen".to_owned(),
        labels: BTreeMap::new(),
        ips: Vec::new(),
        node: None,
        host_network: false,
        ports: BTreeMap::new(),
    };
    with.apply(Event::Pod(pod));
    let seats = not_policed(&with, &End::Pod(PLACE.to_owned(), "unseen".to_owned()));
    (with, seats)
}

fn first_of(party: &Party) -> Option<End> {
    let Party::Pods(namespace, names) = party else { return None };
    Some(End::Pod(namespace.clone(), names.first()?.clone()))
}

/// Somebody's place, as one that no policy is about.
fn not_policed(index: &Index, end: &End) -> Seats {
    let seats = Seats::of_end(index, end, index.spoken());
    Seats::of(seats.iter().map(|(family, seat)| (family, Seat { policed: false, ..seat })))
}

/// Every combination of selectors that a rule has.
fn peers(index: &Index) -> BTreeSet<PodSet> {
    let rules =
        index.policies.iter().flatten().filter(|policy| policy.enforced).flat_map(|policy| {
            Direction::ALL.into_iter().filter_map(|direction| policy.source.rules(direction)).flatten()
        });
    rules
        .filter_map(|rule| match &rule.peers {
            Peers::Of(peers) => Some(peers),
            Peers::Anyone { .. } => None,
        })
        .flatten()
        .filter_map(|peer| match peer {
            Peer::Pods(set) => Some(set.clone()),
            _ => None,
        })
        .collect()
}

/// Labels that satisfy a selector; `None` if none do.
pub(crate) fn satisfying(selector: &Selector) -> Option<BTreeMap<String, String>> {
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    for requirement in &selector.requirements {
        let key = &requirement.key;
        let of_key = || selector.requirements.iter().filter(|other| other.key == *key);
        let choice = match &requirement.operator {
            Operator::In(values) => values.iter().find(|value| of_key().all(|other| other.holds(Some(value)))).cloned(),
            Operator::Exists => {
                let stated = of_key().find_map(|other| match &other.operator {
                    Operator::In(values) => values.iter().find(|value| of_key().all(|other| other.holds(Some(value)))),
                    _ => None,
                });
                Some(stated.cloned().unwrap_or_else(|| "any.".to_owned()))
            }
            Operator::NotIn(_) | Operator::DoesNotExist => continue,
        };
        out.insert(key.clone(), choice?);
    }
    selector.matches(&out).then_some(out)
}

impl Index {
    /// Pods that no policy for a direction selects, by name.
    pub fn unselected(&self, direction: Direction) -> Vec<String> {
        let mut out = Vec::new();
        for (party, seats) in parties(self, None) {
            // Policies select pods by labels: any of its addresses will do.
            let open = |seat: &Seat| {
                self.classes.get(seat.class).is_some_and(|class| {
                    self.rules_of(class, direction).next().is_none() && self.unread_of(class).is_empty()
                })
            };
            if seats.any(open) {
                out.push(party.to_string());
            }
        }
        out
    }
}
