//! Which pods of a node may do what, those that may do the same taken together.

use super::Site;
use causeway_addr::{Cidr, Family, PrefixMap};
use causeway_model::design::Protocol;
use causeway_model::policy::Direction;
use causeway_policy::{Answer, ClassId, Index, Outcome, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Protocols with ports, and their IP protocol numbers.
pub(super) const TRANSPORTS: [(Protocol, u8); 3] = [(Protocol::Tcp, 6), (Protocol::Udp, 17), (Protocol::Sctp, 132)];

/// Everything rules of one family are made of.
#[derive(Debug, Default)]
pub(super) struct Rights {
    /// Addresses from which only pods of this node come.
    pub(super) own: Vec<Cidr>,
    /// Pods of the node that are known.
    pub(super) pods: BTreeSet<IpAddr>,
    /// Pods with the same rights.
    pub(super) groups: Vec<Group>,
    /// What peers may reach, or be reached by, each once.
    pub(super) doors: BTreeMap<u32, Door>,
    /// Why something is denied, by the number of the chain that does it.
    pub(super) reasons: BTreeMap<u32, Why>,
    /// The chain that denies a pod what nothing allows it.
    pub(super) isolated: BTreeMap<(Direction, IpAddr), u32>,
}

/// Why something is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Why {
    pub(super) direction: Direction,
    pub(super) policies: Vec<Arc<str>>,
}

impl Why {
    /// A number that depends on nothing but what the reason is: FNV-1a by words of eight bytes, because there may be thousands of names.
    fn number(&self) -> u32 {
        const PRIME: u64 = 0x0100_0000_01b3;
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ self.direction as u64;
        for name in &self.policies {
            let (words, rest) = name.as_bytes().as_chunks::<8>();
            for word in words {
                hash = (hash ^ u64::from_be_bytes(*word)).wrapping_mul(PRIME);
                hash ^= hash >> 32;
            }
            let rest = rest.iter().fold(name.len() as u64, |all, byte| all << 8 | u64::from(*byte));
            hash = (hash ^ rest).wrapping_mul(PRIME);
            hash ^= hash >> 32;
        }
        fold(&hash.to_be_bytes()) & REST
    }
}

/// Pods that policies speak of in one direction, with the same rights.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) direction: Direction,
    /// Their chain.
    pub(super) chain: u32,
    pub(super) pods: BTreeSet<IpAddr>,
    /// Whoever is at the other end, by prefix, of which the longest counts, with the chain of a [`Door`]. Everybody is in one.
    pub(super) peers: BTreeMap<(u8, IpAddr), u32>,
}

/// A stretch of ports with its answers.
type Heard<'a> = (Protocol, u16, u16, &'a Outcome);

/// IP protocol, first and last port.
pub(super) type Ports = (u8, u16, u16);

/// Ports that are open, in one direction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Door {
    pub(super) direction: Direction,
    /// Protocols of which most ports are open.
    pub(super) protocols: BTreeSet<u8>,
    /// Ports that are open though most of their protocol are not.
    pub(super) open: Vec<Ports>,
    /// Ports that are shut though most of their protocol are open.
    pub(super) shut: Vec<Ports>,
    /// Protocols without ports are let through.
    pub(super) other: bool,
    /// Of what is not open, that which a rule denies, with the chain that does it; the rest is what nothing allows.
    pub(super) denied: Vec<(Ports, u32)>,
    /// The same of protocols without ports.
    pub(super) other_denied: Option<u32>,
}

impl Door {
    /// What a row of a class says of one class at the other end.
    fn of(direction: Direction, row: &[Answer<'_>], peer: ClassId) -> Door {
        let mut door = Door {
            direction,
            protocols: BTreeSet::new(),
            open: Vec::new(),
            shut: Vec::new(),
            other: false,
            denied: Vec::new(),
            other_denied: None,
        };
        let passes = |outcome: &Outcome| outcome.of(peer) == Verdict::Allowed;
        door.other = row.iter().any(|stretch| stretch.protocol == Protocol::Icmp && passes(stretch.outcome));
        for (protocol, number) in TRANSPORTS {
            let (mut open, mut shut): (Vec<Ports>, Vec<Ports>) = (Vec::new(), Vec::new());
            for stretch in row.iter().filter(|stretch| stretch.protocol == protocol) {
                let into = if passes(stretch.outcome) { &mut open } else { &mut shut };
                match into.last_mut() {
                    Some((_, _, last)) if last.checked_add(1) == Some(stretch.first) => *last = stretch.last,
                    _ => into.push((number, stretch.first, stretch.last)),
                }
            }
            let size = |ranges: &[Ports]| -> u32 {
                ranges.iter().map(|(_, first, last)| u32::from(*last) - u32::from(*first) + 1).sum()
            };
            if size(&open) > size(&shut) {
                door.protocols.insert(number);
                door.shut.extend(shut);
            } else {
                door.open.extend(open);
            }
        }
        door
    }

    /// A number that depends on nothing but what the door is: FNV-1a.
    fn number(&self) -> u32 {
        let mut bytes = vec![self.direction as u8, u8::from(self.other)];
        bytes.extend(&self.protocols);
        for (mark, ranges) in [(1, &self.open), (2, &self.shut)] {
            for (protocol, first, last) in ranges {
                bytes.extend([mark, *protocol]);
                bytes.extend([first.to_be_bytes(), last.to_be_bytes()].as_flattened());
            }
        }
        for ((protocol, first, last), number) in &self.denied {
            bytes.extend([3, *protocol]);
            bytes.extend([first.to_be_bytes(), last.to_be_bytes()].as_flattened());
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(self.other_denied.iter().flat_map(|number| number.to_be_bytes()));
        fold(&bytes)
    }
}

/// FNV-1a.
fn fold(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// The top bits of a chain's number say what it is the chain of.
const KIND: u32 = 28;
const GROUPS: [u32; 2] = [1 << KIND, 2 << KIND];
const DOORS: u32 = 3 << KIND;
const REASONS: u32 = 4 << KIND;
/// The chains that deny what nothing allows, by direction.
pub(super) const ISOLATED: [u32; 2] = [5 << KIND, 5 << KIND | 1];
const REST: u32 = (1 << KIND) - 1;

impl Rights {
    pub(super) fn of(index: &Index, site: &Site, family: Family) -> Rights {
        let own: Vec<Cidr> = site.pod_ranges.iter().filter(|range| range.family() == family).copied().collect();
        let here = index.pods_of_node(&site.node).filter(|(address, _)| Family::of(*address) == family);
        let mine = |address: IpAddr| own.iter().any(|range| range.contains(address));
        let pods: BTreeSet<IpAddr> =
            here.filter(|(address, known)| *known || mine(*address)).map(|(address, _)| address).collect();
        let mut rights = Rights { own, pods, ..Rights::default() };
        let drafts = rights.group(index);
        if drafts.is_empty() {
            return rights;
        }
        let ends = ends(index, family);
        let classes: BTreeSet<ClassId> = ends.values().copied().collect();
        for (mut group, class, row) in drafts {
            let deniers = index.has_deniers(class, group.direction);
            let mut doors: BTreeMap<ClassId, u32> = BTreeMap::new();
            for peer in &classes {
                let mut door = Door::of(group.direction, &row, *peer);
                if deniers {
                    rights.attribute(&mut door, index, class, *peer);
                }
                doors.insert(*peer, rights.number(door));
            }
            group.peers = shortest(&ends, &doors);
            rights.groups.push(group);
        }
        let used: BTreeSet<u32> = rights.groups.iter().flat_map(|group| group.peers.values().copied()).collect();
        rights.doors.retain(|number, _| used.contains(number));
        let doors = rights.doors.values();
        let used = doors.flat_map(|door| door.denied.iter().map(|(_, why)| *why).chain(door.other_denied));
        let used: BTreeSet<u32> = used.chain(rights.isolated.values().copied()).collect();
        rights.reasons.retain(|number, _| used.contains(number));
        rights
    }

    /// Pods of the node that policies speak of; those with the same rights together.
    fn group<'a>(&mut self, index: &'a Index) -> Vec<(Group, ClassId, Vec<Answer<'a>>)> {
        let seats: Vec<(IpAddr, ClassId)> = index
            .addresses()
            .filter(|(address, seat)| seat.policed && self.pods.contains(address))
            .map(|(address, seat)| (address, seat.class))
            .collect();
        let mut groups: Vec<(Group, ClassId, Vec<Answer<'a>>)> = Vec::new();
        for (direction, kind) in Direction::ALL.into_iter().zip(GROUPS) {
            let mut pods_of: BTreeMap<ClassId, BTreeSet<IpAddr>> = BTreeMap::new();
            for (address, class) in seats.iter().filter(|(_, class)| index.is_selected(*class, direction)) {
                pods_of.entry(*class).or_default().insert(*address);
            }
            let mut pods_of: Vec<(String, ClassId, BTreeSet<IpAddr>)> =
                pods_of.into_iter().map(|(class, pods)| (index.name_of(class), class, pods)).collect();
            pods_of.sort();
            let mut taken = BTreeSet::new();
            let mut alike: BTreeMap<(Vec<Heard<'_>>, Option<ClassId>), usize> = BTreeMap::new();
            for (name, class, pods) in pods_of {
                let row = index.answers(class, direction);
                let why = self.reason(Why { direction, policies: index.isolated_by(class, direction) });
                self.isolated.extend(pods.iter().map(|pod| ((direction, *pod), why)));
                // Who denies what is a matter of the class itself where rules deny.
                let own = index.has_deniers(class, direction).then_some(class);
                let key = row.iter().map(|s| (s.protocol, s.first, s.last, s.outcome)).collect();
                // The chain is that of the first class of those alike, by name: the same whoever came first.
                let at = *alike.entry((key, own)).or_insert_with(|| {
                    let mut number = fold(name.as_bytes()) & REST;
                    while !taken.insert(number) {
                        number = number.wrapping_add(1) & REST;
                    }
                    let chain = kind | number;
                    groups.push((
                        Group { direction, chain, pods: BTreeSet::new(), peers: BTreeMap::new() },
                        class,
                        row,
                    ));
                    groups.len() - 1
                });
                if let Some((group, ..)) = groups.get_mut(at) {
                    group.pods.extend(pods);
                }
            }
        }
        groups
    }

    /// Says of what a door keeps shut which rules deny it.
    fn attribute(&mut self, door: &mut Door, index: &Index, class: ClassId, peer: ClassId) {
        let direction = door.direction;
        for (protocol, first, last, policy) in index.denials(class, direction, peer) {
            let why = self.reason(Why { direction, policies: vec![policy.to_string().into()] });
            match TRANSPORTS.iter().find(|(known, _)| *known == protocol) {
                Some((_, number)) => door.denied.push(((*number, first, last), why)),
                None => door.other_denied = Some(why),
            }
        }
    }

    /// The number of a reason: its own, or where another one has that, the next.
    fn reason(&mut self, why: Why) -> u32 {
        let mut number = why.number();
        loop {
            match self.reasons.get(&(REASONS | number)) {
                Some(known) if *known == why => return REASONS | number,
                Some(_) => number = number.wrapping_add(1) & REST,
                None => {
                    self.reasons.insert(REASONS | number, why);
                    return REASONS | number;
                }
            }
        }
    }

    /// The number of a door: its own, or where another one has that, the next.
    fn number(&mut self, door: Door) -> u32 {
        let mut number = door.number() & REST;
        loop {
            match self.doors.get(&(DOORS | number)) {
                Some(known) if *known == door => return DOORS | number,
                Some(_) => number = number.wrapping_add(1) & REST,
                None => {
                    self.doors.insert(DOORS | number, door);
                    return DOORS | number;
                }
            }
        }
    }
}

/// Who has which address: prefixes policies ask about, and pods and nodes one by one.
fn ends(index: &Index, family: Family) -> BTreeMap<Cidr, ClassId> {
    let mut ends: BTreeMap<Cidr, ClassId> =
        index.outside().into_iter().filter(|(cidr, _)| cidr.family() == family).collect();
    let addresses = index.addresses().filter(|(address, _)| Family::of(*address) == family);
    ends.extend(addresses.map(|(address, seat)| (Cidr::host(address), seat.class)));
    ends
}

/// Prefixes with their doors, without those that the prefix around them has the same door as.
fn shortest(ends: &BTreeMap<Cidr, ClassId>, doors: &BTreeMap<ClassId, u32>) -> BTreeMap<(u8, IpAddr), u32> {
    let mut by_length: Vec<(Cidr, u32)> =
        ends.iter().filter_map(|(cidr, class)| Some((*cidr, *doors.get(class)?))).collect();
    by_length.sort_unstable_by_key(|(cidr, _)| (cidr.prefix_len(), *cidr));
    let mut kept: PrefixMap<u32> = PrefixMap::new();
    for (cidr, door) in by_length {
        if kept.longest_covering(&cidr).map(|(_, around)| *around) != Some(door) {
            kept.insert(cidr, door);
        }
    }
    kept.iter().map(|(cidr, door)| ((cidr.prefix_len(), cidr.addr()), *door)).collect()
}
