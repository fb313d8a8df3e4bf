//! The index: fed with events, asked for verdicts.

use crate::bits::Bits;
use crate::classes::{At, Class, ClassId, ClassKey, Classes, PolicyIx, Who};
use crate::dialect::Dialect;
use crate::ends::{End, Event, Flow, PodInfo, PodRanges, Verdict};
use crate::rules::Compiled;
use crate::seats::Unseen;
use crate::sets::{Member, SetId, Sets, Space};
use crate::words::{Labels, Word, Words};
use causeway_addr::{Cidr, Family, PrefixMap};
use causeway_model::design::Protocol;
use causeway_model::policy::{Direction, PolicyId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What policies mean, kept up to date.
#[derive(Debug, Clone)]
pub struct Index {
    pub(crate) dialect: Dialect,
    pub(crate) pod_ranges: PodRanges,
    pub(crate) words: Words,
    pub(crate) classes: Classes,
    pub(crate) sets: Sets,
    /// Ranges where nodes have their addresses, and addresses in them and in those of pods that are known to be somebody else's; `None` =
    /// addresses nobody has are outside.
    pub(crate) unseen: Option<Unseen>,
    /// Pods on the network of a node, by their addresses: they are the node's.
    pub(crate) on_host: BTreeMap<IpAddr, BTreeSet<(String, String)>>,
    /// Namespaces with their labels, each pair once.
    pub(crate) spaces: Vec<Space>,
    pub(crate) space_ids: BTreeMap<Space, u32>,
    /// The labels namespaces have now.
    pub(crate) namespaces: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) pods: BTreeMap<String, BTreeMap<String, Pod>>,
    pub(crate) nodes: BTreeMap<String, Node>,
    /// Who has an address.
    pub(crate) addresses: BTreeMap<IpAddr, (Holder, Seat)>,
    pub(crate) policies: Vec<Option<Compiled>>,
    pub(crate) policy_ids: BTreeMap<PolicyId, PolicyIx>,
    /// Prefixes in use, with how many uses.
    pub(crate) prefixes: PrefixMap<usize>,
    /// Keys of pod labels, of node labels, and names of ports that policies ask about, with how many ask.
    pub(crate) pod_keys: BTreeMap<Word, usize>,
    pub(crate) node_keys: BTreeMap<Word, usize>,
    pub(crate) port_names: BTreeMap<Word, usize>,
    /// Policies the engine reads and nobody has evaluated, by the namespace whose pods they may select; `None` = every one.
    pub(crate) unread: BTreeMap<Option<String>, Vec<String>>,
    /// The same with whom they select at most.
    pub(crate) doubts: Vec<(String, SetId)>,
    pub(crate) touched: Touched,
}

#[derive(Debug, Clone)]
pub(crate) struct Pod {
    pub(crate) info: PodInfo,
    pub(crate) labels: Labels,
    pub(crate) ports: Vec<(Word, Protocol, u16)>,
    pub(crate) seats: Vec<(Family, Seat)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) labels: Labels,
    pub(crate) ips: Vec<IpAddr>,
    pub(crate) seats: Vec<(IpAddr, Seat)>,
    pub(crate) raw: BTreeMap<String, String>,
}

/// Who has an address.
#[derive(Debug, Clone)]
pub(crate) enum Holder {
    Pod(String, String),
    Node(String),
}

/// Where an end sits among the classes: all a verdict needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Its class.
    pub class: ClassId,
    /// Policies are about it: it is a pod with an address of its own.
    pub policed: bool,
    /// It is a node, or on a node's network.
    pub on_host: bool,
    /// The node it is, or is on, if known.
    pub(crate) node: Option<Word>,
}

/// What a change touched: whoever made something of the rest may keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Classes that came or went.
    pub classes: usize,
    /// Kept answers that were dropped.
    pub answers: usize,
    /// Classes whose own answers may be others now, by direction as [`Direction::ALL`] has them. Some of them may be gone, or their
    /// number may be somebody else's: those who sit in it have moved then.
    pub stale: [Bits; 2],
    /// Addresses that came, went, or sit elsewhere now.
    pub moved: BTreeSet<IpAddr>,
    /// Prefixes came into use or went out of it: what [`Index::outside`] says is something else.
    pub outside: bool,
}

impl Touched {
    /// Whether all is as it was.
    pub fn is_nothing(&self) -> bool {
        *self == Touched::default()
    }
}

impl Index {
    /// An empty cluster, read as a dialect reads it. The ranges are those pods take their addresses from; they only matter for
    /// pods whose address is not known.
    pub fn new(dialect: Dialect, pod_ranges: PodRanges) -> Index {
        let mut index = Index {
            dialect,
            pod_ranges,
            unseen: None,
            on_host: BTreeMap::new(),
            words: Words::default(),
            classes: Classes::new(),
            sets: Sets::default(),
            spaces: Vec::new(),
            space_ids: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            pods: BTreeMap::new(),
            nodes: BTreeMap::new(),
            addresses: BTreeMap::new(),
            policies: Vec::new(),
            policy_ids: BTreeMap::new(),
            prefixes: PrefixMap::new(),
            pod_keys: BTreeMap::new(),
            node_keys: BTreeMap::new(),
            port_names: BTreeMap::new(),
            unread: BTreeMap::new(),
            doubts: Vec::new(),
            touched: Touched::default(),
        };
        for family in Family::ALL {
            index.hold_outside(&At::In(family, None));
        }
        index
    }

    /// The index of a whole cluster. Policies go first: what they ask about is then known when pods come.
    pub fn of(dialect: Dialect, pod_ranges: PodRanges, events: Vec<Event>) -> Index {
        Index::new(dialect, pod_ranges).with(events)
    }

    /// The index with a whole cluster taken in.
    #[must_use]
    pub fn with(self, events: Vec<Event>) -> Index {
        let mut index = self;
        let order = |event: &Event| match event {
            Event::Policy(_) => 0,
            Event::Namespace(..) => 1,
            Event::Node(_) => 2,
            _ => 3,
        };
        let mut events = events;
        events.sort_by_key(order);
        for event in events {
            index.apply(event);
        }
        index
    }

    /// Policies the engine reads and nobody has evaluated, by the namespace whose pods they may select; `None` = every one. Nothing is
    /// sure of these pods.
    #[must_use]
    pub fn with_unread(mut self, unread: BTreeMap<Option<String>, Vec<String>>) -> Index {
        self.set_unread(unread);
        self
    }

    /// The same, of an index that is kept up to date.
    pub fn set_unread(&mut self, unread: BTreeMap<Option<String>, Vec<String>>) {
        if self.unread == unread {
            return;
        }
        self.unread = unread;
        let all = Bits::below(self.classes.size());
        self.forget(&all);
    }

    /// Policies that may select a class and that nobody has evaluated.
    pub(crate) fn unread_of(&self, class: &Class) -> Vec<&str> {
        let mut out = self.doubts_of(class);
        let Some(space) = self.space(&class.key).filter(|_| !self.unread.is_empty()) else { return out };
        let own = Some(self.words.text(space.name).to_owned());
        let found = [None, own].into_iter().filter_map(|key| self.unread.get(&key));
        out.extend(found.flatten().map(String::as_str));
        out
    }

    /// The dialect it reads policies in.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// Takes a change in, and says how much it touched.
    pub fn apply(&mut self, event: Event) -> Touched {
        self.touched = Touched::default();
        match event {
            Event::Namespace(name, labels) => self.set_namespace(name, Some(labels)),
            Event::NamespaceGone(name) => self.set_namespace(name, None),
            Event::Node(node) => self.set_node(node),
            Event::NodeGone(name) => self.remove_node(&name),
            Event::Pod(pod) => self.set_pod(pod),
            Event::PodGone(namespace, name) => self.remove_pod(&namespace, &name),
            Event::Policy(policy) => self.set_policy(policy),
            Event::PolicyGone(id) => self.remove_policy(&id),
        }
        std::mem::take(&mut self.touched)
    }

    /// The verdict on a flow; `None` if an end names a pod or node that is not there.
    pub fn verdict(&self, flow: &Flow) -> Option<Verdict> {
        let (from, to) = self.seats(flow)?;
        if self.readings(flow).is_some() {
            return self.explain(flow).map(|explained| explained.verdict());
        }
        Some(self.verdict_between(from, to, flow.protocol, flow.port))
    }

    /// The verdict on a flow between two ends whose seats are known.
    pub fn verdict_between(&self, from: Seat, to: Seat, protocol: Protocol, port: u16) -> Verdict {
        if self.next_to(&from, &to) != Member::No {
            return self.walk(from, to, protocol, port).verdict();
        }
        let protocol = crate::rows::known(protocol);
        let asked = |of: Seat, other: Seat, direction: Direction| {
            if !of.policed {
                return if self.is_spoken_of(of, direction) { Verdict::Uncertain } else { Verdict::Allowed };
            }
            let row = self.classes.get(of.class).and_then(|class| self.row(class, direction));
            row.map_or(Verdict::Uncertain, |row| row.of(other.class, protocol, port))
        };
        asked(from, to, Direction::Egress).and(asked(to, from, Direction::Ingress))
    }

    /// Where the ends of a flow sit.
    pub fn seats(&self, flow: &Flow) -> Option<(Seat, Seat)> {
        let family = flow.family.or_else(|| self.common_family(&flow.from, &flow.to));
        Some((self.seat(&flow.from, family)?, self.seat(&flow.to, family)?))
    }

    fn common_family(&self, from: &End, to: &End) -> Option<Family> {
        let (from, to) = (self.families(from), self.families(to));
        from.iter().copied().find(|family| to.contains(family)).or_else(|| from.first().copied())
    }

    pub(crate) fn families(&self, end: &End) -> Vec<Family> {
        match end {
            End::Address(address) => vec![Family::of(*address)],
            End::Node(name) => {
                self.nodes.get(name).map_or(Vec::new(), |node| node.ips.iter().map(|ip| Family::of(*ip)).collect())
            }
            End::Pod(namespace, name) => match self.pod(namespace, name) {
                // Nobody says which families it will have.
                Some(pod) if pod.info.ips.is_empty() && self.pod_ranges.is_empty() => {
                    let spoken = self.spoken();
                    crate::families::Seats::of_pod(self, pod, spoken).iter().map(|(family, _)| family).collect()
                }
                Some(pod) => pod.seats.iter().map(|(family, _)| *family).collect(),
                None => Vec::new(),
            },
        }
    }

    /// Where an end sits; of an end with several families the one that was asked for, else its first. `None` if nobody knows it.
    pub fn seat(&self, end: &End, family: Option<Family>) -> Option<Seat> {
        match end {
            End::Pod(namespace, name) => {
                let seats = &self.pod(namespace, name)?.seats;
                let fits = seats.iter().find(|(known, _)| family.is_none_or(|family| family == *known));
                fits.or(seats.first()).map(|(_, seat)| *seat)
            }
            End::Node(name) => {
                let node = self.nodes.get(name)?;
                let fits = node.seats.iter().find(|(ip, _)| family.is_none_or(|family| family == Family::of(*ip)));
                fits.or(node.seats.first()).map(|(_, seat)| *seat)
            }
            End::Address(address) => self.seat_of_address(*address),
        }
    }

    /// Who an address in a packet is to policies.
    pub fn end_of(&self, address: IpAddr) -> End {
        match self.addresses.get(&address) {
            Some((Holder::Pod(namespace, name), _)) => End::Pod(namespace.clone(), name.clone()),
            Some((Holder::Node(name), _)) => End::Node(name.clone()),
            None => End::Address(address),
        }
    }

    pub(crate) fn pod(&self, namespace: &str, name: &str) -> Option<&Pod> {
        self.pods.get(namespace)?.get(name)
    }

    pub(crate) fn policy(&self, at: PolicyIx) -> Option<&Compiled> {
        self.policies.get(at as usize)?.as_ref()
    }

    pub(crate) fn at(&self, address: IpAddr) -> At {
        At::In(Family::of(address), self.prefixes.longest_match(address).map(|(cidr, _)| cidr))
    }

    pub(crate) fn space(&self, key: &ClassKey) -> Option<&Space> {
        match &key.who {
            Who::Pod { space, .. } => self.spaces.get(*space as usize),
            _ => None,
        }
    }

    /// The class of a key, made if it is not there, with one more end in it.
    pub(crate) fn hold(&mut self, key: ClassKey) -> ClassId {
        let id = match self.classes.find(&key) {
            Some(id) => id,
            None => self.add_class(key),
        };
        if let Some(class) = self.classes.get_mut(id) {
            class.held += 1;
        }
        id
    }

    /// One end less in a class; the last one takes it along.
    pub(crate) fn release(&mut self, id: ClassId) {
        let Some(class) = self.classes.get_mut(id) else { return };
        class.held = class.held.saturating_sub(1);
        if class.held > 0 {
            return;
        }
        let Some(class) = self.classes.remove(id) else { return };
        for set in &class.members {
            self.sets.take(*set, id);
        }
        self.touched.classes += 1;
        self.forget_rules_with(&class);
    }

    fn add_class(&mut self, key: ClassKey) -> ClassId {
        let id = self.classes.add(key.clone());
        let space = self.space(&key);
        let mut members = Vec::new();
        for set in self.sets.candidates(&key, space) {
            let member = self
                .sets
                .get(set)
                .map_or(Member::No, |known| known.key.holds(&key, space, &self.dialect, &self.pod_ranges));
            if member != Member::No {
                members.push((set, member));
            }
        }
        for (set, member) in &members {
            self.sets.put(*set, id, *member);
        }
        let policed = matches!(key.who, Who::Pod { .. });
        let about =
            |set: &crate::sets::SetId| self.sets.get(*set).into_iter().flat_map(|set| set.subject_of.iter().copied());
        let mut policies: Vec<PolicyIx> =
            if policed { members.iter().flat_map(|(set, _)| about(set)).collect() } else { Vec::new() };
        policies.sort_unstable();
        policies.dedup();
        let applies = [Direction::Ingress, Direction::Egress].map(|direction| self.in_order(&policies, direction));
        if let Some(class) = self.classes.get_mut(id) {
            class.members = members.into_iter().map(|(set, _)| set).collect();
            class.applies = applies;
        }
        self.touched.classes += 1;
        if let Some(class) = self.classes.get(id).cloned() {
            self.forget_rules_with(&class);
        }
        id
    }

    /// Policies that are enforced and speak of a direction, in the order they are asked.
    pub(crate) fn in_order(&self, policies: &[PolicyIx], direction: Direction) -> Vec<PolicyIx> {
        let mut known: Vec<(PolicyIx, &Compiled)> = policies
            .iter()
            .filter_map(|at| Some((*at, self.policy(*at)?)))
            .filter(|(_, policy)| policy.enforced && policy.rules.get(direction as usize).is_some_and(Option::is_some))
            .collect();
        known.sort_by(|(_, one), (_, other)| one.order().cmp(&other.order()));
        known.into_iter().map(|(at, _)| at).collect()
    }

    /// Drops the answers that rest on sets a class is in.
    fn forget_rules_with(&mut self, class: &Class) {
        let mut policies: Vec<PolicyIx> = class
            .members
            .iter()
            .filter_map(|set| self.sets.get(*set))
            .flat_map(|set| set.in_rules.iter().copied())
            .collect();
        // Rules for whoever has a port of some name are about it though it is in none of their sets.
        if let Who::Pod { ports, .. } = &class.key.who {
            let named = |policy: &Compiled| ports.iter().any(|(name, ..)| policy.uses.port_names.contains(name));
            let all = (0..).zip(&self.policies).filter(|(_, policy)| policy.as_ref().is_some_and(named));
            policies.extend(all.map(|(at, _): (PolicyIx, _)| at).filter(|_| !ports.is_empty()));
        }
        policies.sort_unstable();
        policies.dedup();
        let renumbered = matches!(&class.key.who, Who::Pod { ports, .. } if !ports.is_empty());
        let mut subjects = Bits::default();
        if renumbered && !self.dialect.tells_named_ports_apart {
            subjects = Bits::below(self.classes.size());
        } else {
            for policy in policies.iter().filter_map(|policy| self.policy(*policy)) {
                if let Some(set) = self.sets.get(policy.subject) {
                    subjects.add(&set.sure);
                    subjects.add(&set.maybe);
                }
            }
        }
        self.forget(&subjects);
    }

    /// Drops kept answers of classes.
    pub(crate) fn forget(&mut self, classes: &Bits) {
        for direction in Direction::ALL {
            self.touched.answers += self.classes.forget(classes, direction as usize);
            if let Some(stale) = self.touched.stale.get_mut(direction as usize) {
                stale.add(classes);
            }
        }
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes.iter().count()
    }

    /// Whether any prefix in use is of a family.
    pub fn prefixes(&self) -> impl Iterator<Item = Cidr> {
        self.prefixes.iter().map(|(cidr, _)| cidr)
    }
}
