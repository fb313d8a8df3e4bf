//! Everybody to everybody, on one port.

use crate::bits::{Bits, transposed};
use crate::classes::{Class, ClassId, PolicyIx};
use crate::ends::{End, Verdict};
use crate::index::{Index, Seat};
use crate::rows::{Outcome, known};
use causeway_addr::Family;
use causeway_model::design::Protocol;
use causeway_model::policy::Direction;
use std::collections::BTreeMap;

/// Verdicts from everybody to everybody, on one port, class by class.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// The ends, in the order asked.
    ends: Vec<(End, Seat)>,
    /// By direction and class: what its policies say of every class at the other end. Nothing for classes without policies.
    rows: [Vec<Option<Outcome>>; 2],
    /// Pairs of a pod and its own node, by the place of sender and receiver: egress and ingress.
    own_nodes: BTreeMap<(usize, usize), [Verdict; 2]>,
}

impl Matrix {
    /// Asks an index about some ends; ends it does not know are left out.
    pub fn of(index: &Index, ends: &[End], protocol: Protocol, port: u16, family: Option<Family>) -> Matrix {
        let protocol = known(protocol);
        let ends: Vec<(End, Seat)> =
            ends.iter().filter_map(|end| Some((end.clone(), index.seat(end, family)?))).collect();
        let mut wanted: Vec<ClassId> =
            ends.iter().filter(|(_, seat)| seat.policed).map(|(_, seat)| seat.class).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let rows =
            [Direction::Ingress, Direction::Egress].map(|direction| rows(index, &wanted, direction, protocol, port));
        let mut own_nodes = BTreeMap::new();
        let hosts: Vec<usize> = (0..).zip(&ends).filter(|(_, (_, seat))| seat.on_host).map(|(at, _)| at).collect();
        for (pod, (_, seat)) in ends.iter().enumerate().filter(|(_, (_, seat))| seat.policed) {
            for host in &hosts {
                let Some((_, on_host)) = ends.get(*host).filter(|(_, on_host)| seat.is_next_to(on_host)) else {
                    continue;
                };
                for (key, from, to) in [((pod, *host), *seat, *on_host), ((*host, pod), *on_host, *seat)] {
                    let walk = index.walk(from, to, protocol, port);
                    own_nodes.insert(key, [walk.of(Direction::Ingress), walk.of(Direction::Egress)]);
                }
            }
        }
        Matrix { ends, rows, own_nodes }
    }

    /// The ends, in order.
    pub fn ends(&self) -> impl Iterator<Item = &End> {
        self.ends.iter().map(|(end, _)| end)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// What the policies of one direction say of a pair, by places: egress the sender's, ingress the receiver's.
    pub fn one_way(&self, from: usize, to: usize, direction: Direction) -> Verdict {
        if let Some(known) = self.own_nodes.get(&(from, to)) {
            return known.get(direction as usize).copied().unwrap_or(Verdict::Uncertain);
        }
        self.class_one_way(from, to, direction)
    }

    /// The same, whatever nodes the two are on.
    fn class_one_way(&self, from: usize, to: usize, direction: Direction) -> Verdict {
        let (Some((_, from)), Some((_, to))) = (self.ends.get(from), self.ends.get(to)) else {
            return Verdict::Uncertain;
        };
        let (of, other) = match direction {
            Direction::Egress => (from, to),
            Direction::Ingress => (to, from),
        };
        if !of.policed {
            return Verdict::Allowed;
        }
        let row = self.rows.get(direction as usize).and_then(|rows| rows.get(of.class as usize));
        row.and_then(Option::as_ref).map_or(Verdict::Uncertain, |outcome| outcome.of(other.class))
    }

    /// The verdict on a pair, by places.
    pub fn verdict(&self, from: usize, to: usize) -> Verdict {
        self.one_way(from, to, Direction::Egress).and(self.one_way(from, to, Direction::Ingress))
    }

    /// A sender's row, a verdict for each receiver: of one direction, or of both. Receivers of one class are asked about once.
    pub fn row(&self, from: usize, direction: Option<Direction>) -> Vec<Verdict> {
        let mut of_class: Vec<Option<Verdict>> = vec![None; self.rows.first().map_or(0, Vec::len)];
        let mut out = Vec::with_capacity(self.ends.len());
        for (to, (_, seat)) in self.ends.iter().enumerate() {
            let known = of_class.get_mut(seat.class as usize);
            let verdict = match known {
                Some(Some(verdict)) => *verdict,
                Some(place) => *place.insert(self.by_class(from, to, direction)),
                None => Verdict::Uncertain,
            };
            out.push(verdict);
        }
        for ((_, to), known) in self.own_nodes.range((from, 0)..(from + 1, 0)) {
            let own = |direction: Direction| known.get(direction as usize).copied().unwrap_or(Verdict::Uncertain);
            if let Some(place) = out.get_mut(*to) {
                *place = match direction {
                    Some(direction) => own(direction),
                    None => own(Direction::Egress).and(own(Direction::Ingress)),
                };
            }
        }
        out
    }

    fn by_class(&self, from: usize, to: usize, direction: Option<Direction>) -> Verdict {
        let asked = |direction: Direction| self.class_one_way(from, to, direction);
        match direction {
            Some(direction) => asked(direction),
            None => asked(Direction::Egress).and(asked(Direction::Ingress)),
        }
    }

    /// For every class of senders the classes that both directions let through for certain: the whole matrix in one square of bits.
    /// Pairs of a pod and its own node are not in it.
    pub fn square(&self) -> Vec<Bits> {
        let [ingress, egress] = &self.rows;
        let size = ingress.len();
        let everybody = Bits::below(size);
        let allowed = |rows: &[Option<Outcome>]| -> Vec<Bits> {
            rows.iter()
                .map(|row| row.as_ref().map_or_else(|| everybody.clone(), |outcome| outcome.allowed.clone()))
                .collect()
        };
        let mut square = transposed(&allowed(ingress));
        for (row, egress) in square.iter_mut().zip(egress) {
            if let Some(outcome) = egress {
                row.keep(&outcome.allowed);
            }
        }
        square
    }
}

/// The outcomes of classes, by class. Classes with the same policies share the work unless names of ports tell them apart.
fn rows(
    index: &Index,
    wanted: &[ClassId],
    direction: Direction,
    protocol: Protocol,
    port: u16,
) -> Vec<Option<Outcome>> {
    let mut out: Vec<Option<Outcome>> = vec![None; index.classes.size()];
    let mut seen: BTreeMap<(&[PolicyIx], Vec<PolicyIx>), Outcome> = BTreeMap::new();
    for id in wanted {
        let Some(class) = index.classes.get(*id) else { continue };
        let applies = class.applies.get(direction as usize).map(Vec::as_slice).unwrap_or_default();
        let outcome = match own_ports(class) || !index.unread_of(class).is_empty() {
            true => index.outcome(class, direction, protocol, port),
            false => {
                let doubted = applies
                    .iter()
                    .copied()
                    .filter(|at| index.policy(*at).is_some_and(|policy| index.may_select(policy, class)));
                seen.entry((applies, doubted.collect()))
                    .or_insert_with(|| index.outcome(class, direction, protocol, port))
                    .clone()
            }
        };
        if let Some(slot) = out.get_mut(*id as usize) {
            *slot = Some(outcome);
        }
    }
    out
}

/// Whether names of the class's own ports may matter.
fn own_ports(class: &Class) -> bool {
    matches!(&class.key.who, crate::classes::Who::Pod { ports, .. } if !ports.is_empty())
}
