//! Everybody to everybody, on one port.

use crate::bits::{Bits, transposed};
use crate::classes::{Class, ClassId, PolicyIx};
use crate::ends::{End, Verdict};
use crate::families::Seats;
use crate::index::{Index, Seat};
use crate::rows::{Outcome, known};
use crate::sets::Member;
use causeway_addr::Family;
use causeway_model::design::Protocol;
use causeway_model::policy::Direction;
use std::collections::BTreeMap;

/// What a matrix says of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// The same in every family both ends have.
    Is(Verdict),
    /// Let through in this family, and denied in the other.
    Only(Family),
}

impl Cell {
    /// `.`, `X` or `?`; `4` or `6` for what is let through over IPv4, or IPv6, only.
    pub fn symbol(self) -> char {
        match self {
            Cell::Is(verdict) => verdict.symbol(),
            Cell::Only(Family::V4) => '4',
            Cell::Only(Family::V6) => '6',
        }
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Cell::Is(verdict) => verdict.as_str(),
            Cell::Only(Family::V4) => "ipv4 only",
            Cell::Only(Family::V6) => "ipv6 only",
        }
    }

    /// The verdict where the family is left open, as [`Index::verdict`] has it.
    pub fn verdict(self) -> Verdict {
        match self {
            Cell::Is(verdict) => verdict,
            Cell::Only(_) => Verdict::Uncertain,
        }
    }

    /// Of the answers in each family; without one nothing is known, as ends without a family in common meet only if something
    /// translates between them.
    fn of(answers: impl IntoIterator<Item = (Family, Verdict)>) -> Cell {
        let mut answers = answers.into_iter();
        let Some((family, first)) = answers.next() else { return Cell::Is(Verdict::Uncertain) };
        match (first, answers.find(|(_, other)| *other != first)) {
            (verdict, None) => Cell::Is(verdict),
            (Verdict::Allowed, Some((_, Verdict::Denied))) => Cell::Only(family),
            (Verdict::Denied, Some((family, Verdict::Allowed))) => Cell::Only(family),
            _ => Cell::Is(Verdict::Uncertain),
        }
    }
}

/// What the policies of each direction say, in a family.
type OfFamily = (Family, [Verdict; 2]);

/// Verdicts from everybody to everybody, on one port, class by class.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// The ends, in the order asked.
    ends: Vec<(End, Seats)>,
    /// Ends that sit alike, by the place of the end: who is in the same group gets the same answers, but for own nodes.
    groups: Vec<usize>,
    /// How many groups there are.
    group_count: usize,
    /// By direction and class: what its policies say of every class at the other end. Nothing for classes without policies.
    rows: [Vec<Option<Outcome>>; 2],
    /// Pairs of a pod and its own node, by the place of sender and receiver: family, egress and ingress.
    own_nodes: BTreeMap<(usize, usize), Vec<OfFamily>>,
}

impl Matrix {
    /// Asks an index about some ends, in the families both of a pair have or in the one that is given; ends it does not know, and ends
    /// that are not of the family, are left out.
    pub fn of(index: &Index, ends: &[End], protocol: Protocol, port: u16, family: Option<Family>) -> Matrix {
        let protocol = known(protocol);
        let spoken = index.spoken();
        let seats = |end: &End| Seats::of_end(index, end, spoken).narrowed(family);
        let ends: Vec<(End, Seats)> =
            ends.iter().map(|end| (end.clone(), seats(end))).filter(|(_, seats)| !seats.is_empty()).collect();
        let all = || ends.iter().flat_map(|(_, seats)| seats.iter());
        let mut wanted: Vec<ClassId> = all()
            .filter(|(_, seat)| Direction::ALL.iter().any(|direction| index.is_spoken_of(*seat, *direction)))
            .map(|(_, seat)| seat.class)
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let rows =
            [Direction::Ingress, Direction::Egress].map(|direction| rows(index, &wanted, direction, protocol, port));
        let mut known_groups: BTreeMap<Vec<(Family, ClassId, bool)>, usize> = BTreeMap::new();
        let groups = ends.iter().map(|(_, seats)| {
            let key = seats.iter().map(|(family, seat)| (family, seat.class, seat.policed)).collect();
            let next = known_groups.len();
            *known_groups.entry(key).or_insert(next)
        });
        let groups: Vec<usize> = groups.collect();
        let mut own_nodes: BTreeMap<(usize, usize), Vec<OfFamily>> = BTreeMap::new();
        let mut walked: BTreeMap<(ClassId, ClassId, Member), [Verdict; 2]> = BTreeMap::new();
        let place = |wanted: fn(&Seat) -> bool| (0..).zip(&ends).filter(move |(_, (_, seats))| seats.any(wanted));
        let hosts: Vec<(usize, &(End, Seats))> = place(|seat| seat.on_host).collect();
        for (pod, (_, seats)) in place(|seat| seat.policed) {
            for (host, (_, on_host)) in &hosts {
                for (family, seat) in seats.iter() {
                    let Some(on_host) = on_host.in_family(family) else { continue };
                    let next_to = index.next_to(&seat, &on_host);
                    if next_to == Member::No {
                        continue;
                    }
                    for (key, from, to) in [((pod, *host), seat, on_host), ((*host, pod), on_host, seat)] {
                        // Those of the same classes, and as near to each other, get the same answer.
                        let said = *walked.entry((from.class, to.class, next_to)).or_insert_with(|| {
                            let walk = index.walk(from, to, protocol, port);
                            [walk.of(Direction::Ingress), walk.of(Direction::Egress)]
                        });
                        own_nodes.entry(key).or_default().push((family, said));
                    }
                }
            }
        }
        Matrix { ends, groups, group_count: known_groups.len(), rows, own_nodes }
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

    /// What the policies of one direction say of a pair, by places: egress the sender's, ingress the receiver's; of both directions
    /// without one.
    pub fn cell(&self, from: usize, to: usize, direction: Option<Direction>) -> Cell {
        if let Some(known) = self.own_nodes.get(&(from, to)) {
            let answers = known.iter().map(|(family, said)| {
                let own = |direction: Direction| said.get(direction as usize).copied().unwrap_or(Verdict::Uncertain);
                (*family, direction.map_or_else(|| own(Direction::Egress).and(own(Direction::Ingress)), own))
            });
            return Cell::of(answers);
        }
        self.cell_of_classes(from, to, direction)
    }

    /// The same, whatever nodes the two are on.
    fn cell_of_classes(&self, from: usize, to: usize, direction: Option<Direction>) -> Cell {
        let (Some((_, from)), Some((_, to))) = (self.ends.get(from), self.ends.get(to)) else {
            return Cell::Is(Verdict::Uncertain);
        };
        let answers = from.iter().filter_map(|(family, from)| {
            let to = to.in_family(family)?;
            let asked = |direction: Direction| self.of_seats(from, to, direction);
            Some((family, direction.map_or_else(|| asked(Direction::Egress).and(asked(Direction::Ingress)), asked)))
        });
        Cell::of(answers)
    }

    fn of_seats(&self, from: Seat, to: Seat, direction: Direction) -> Verdict {
        let (of, other) = match direction {
            Direction::Egress => (from, to),
            Direction::Ingress => (to, from),
        };
        let row = self.rows.get(direction as usize).and_then(|rows| rows.get(of.class as usize));
        match row.and_then(Option::as_ref) {
            Some(outcome) => outcome.of(other.class),
            None if of.policed => Verdict::Uncertain,
            None => Verdict::Allowed,
        }
    }

    /// What the policies of one direction say of a pair, by places.
    pub fn one_way(&self, from: usize, to: usize, direction: Direction) -> Verdict {
        self.cell(from, to, Some(direction)).verdict()
    }

    /// The verdict on a pair, by places.
    pub fn verdict(&self, from: usize, to: usize) -> Verdict {
        self.cell(from, to, None).verdict()
    }

    /// A sender's row, an answer for each receiver: of one direction, or of both. Receivers that sit alike are asked about once.
    pub fn row(&self, from: usize, direction: Option<Direction>) -> Vec<Cell> {
        let mut of_group: Vec<Option<Cell>> = vec![None; self.group_count];
        let mut out = Vec::with_capacity(self.ends.len());
        for (to, group) in self.groups.iter().enumerate() {
            out.push(match of_group.get_mut(*group) {
                Some(Some(cell)) => *cell,
                Some(place) => *place.insert(self.cell_of_classes(from, to, direction)),
                None => Cell::Is(Verdict::Uncertain),
            });
        }
        for ((_, to), _) in self.own_nodes.range((from, 0)..(from + 1, 0)) {
            if let Some(place) = out.get_mut(*to) {
                *place = self.cell(from, *to, direction);
            }
        }
        out
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
