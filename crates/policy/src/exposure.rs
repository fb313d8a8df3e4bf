//! What somebody nobody has seen could reach: an address outside, or a pod that may be made tomorrow.

use crate::connections::{Connection, Party, outside, parties};
use crate::ends::{End, Event, PodInfo};
use crate::index::{Index, Seat};
use crate::ports::PortSet;
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
/// all addresses outside.
pub fn exposure(index: &Index) -> Exposure {
    let mut with = index.clone();
    let mut unseen: Vec<(Party, Seat)> = Vec::new();
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
        let end = End::Pod(place, name);
        // Its own policies are not the question: it has none yet.
        unseen.extend(with.seat(&end, None).map(|seat| (Party::Unseen(what), Seat { policed: false, ..seat })));
    }
    let strangers: Vec<(Party, Seat)> = unseen.into_iter().chain(outside(&with, &[])).collect();
    let pods = parties(index);
    let stranger = strangers.first().map(|(_, seat)| *seat);
    let ask = |inward: bool| {
        let mut out = Vec::new();
        for (party, _) in &pods {
            let Some(seat) = seat_of(&with, party) else { continue };
            let ports =
                |other: Seat| if inward { with.ports_between(other, seat) } else { with.ports_between(seat, other) };
            let to_anybody = stranger.map(ports);
            for (other, other_seat) in &strangers {
                let (open, unsure) = ports(*other_seat);
                let is_first = Some(*other_seat) == stranger;
                // What everybody may needs no saying again.
                let known = match (&to_anybody, other) {
                    (Some((known, _)), Party::Unseen(_)) if !is_first => known.clone(),
                    _ => PortSet::default(),
                };
                let more = open.without(&known);
                if more.is_empty() && unsure.is_empty() {
                    continue;
                }
                let (from, to) = if inward { (other, party) } else { (party, other) };
                out.push(Connection { from: from.clone(), to: to.clone(), ports: more, unsure });
            }
        }
        crate::connections::tidy(out)
    };
    let open = Direction::ALL.into_iter().map(|direction| (direction, index.unselected(direction))).collect();
    Exposure { inward: ask(true), outward: ask(false), open }
}

/// The index with one more pod that no selector means unless it means everybody, and where it sits. Its own policies are not the question.
pub(crate) fn with_stranger(index: &Index) -> (Index, Option<Seat>) {
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
    let seat = with.seat(&End::Pod(PLACE.to_owned(), "unseen".to_owned()), None);
    (with, seat.map(|seat| Seat { policed: false, ..seat }))
}

fn seat_of(index: &Index, party: &Party) -> Option<Seat> {
    let Party::Pods(namespace, names) = party else { return None };
    index.seat(&End::Pod(namespace.clone(), names.first()?.clone()), None)
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
        for (party, seat) in parties(self) {
            let class = self.classes.get(seat.class);
            if class.is_some_and(|class| {
                self.rules_of(class, direction).next().is_none() && self.unread_of(class).is_empty()
            }) {
                out.push(party.to_string());
            }
        }
        out
    }
}
